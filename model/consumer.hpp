#pragma once
// The consumer client (KafkaConsumer with either group protocol), hosted by a client node beside
// its application. Two actors share it as in Kafka (M2): the application's thread, which acts only
// while a call of the application is open, and the background thread: heartbeats, and with KIP-848
// also reconciliation. A paused process stops both, a stalled application only the first. All
// callbacks, auto-commits, rejoins and the initialisation of positions happen inside poll() (C4,
// C9, O5, M7).

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model/classic_member.hpp"
#include "model/client_metadata.hpp"
#include "model/config.hpp"
#include "model/consumer_events.hpp"
#include "model/consumer_parts.hpp"
#include "model/fetcher.hpp"
#include "model/modern_membership.hpp"
#include "model/network_client.hpp"
#include "model/safeguards.hpp"
#include "model/subscription_state.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"
#include "sim/rng.hpp"

namespace eos::model {

class Consumer {
  public:
    /// Lanes of the host node: fetches and metadata, and the second connection to the group
    /// coordinator (N1).
    static constexpr std::uint8_t fetch_lane = 1;
    static constexpr std::uint8_t coordinator_lane = 2;

    /// `rng`: a stream of this instance and life ("consumer", node, life).
    Consumer(std::shared_ptr<const ConsumerConfig> config, std::shared_ptr<const Topology> topology,
             ProcessId process, sim::Rng rng);

    // --- calls that return at once ---------------------------------------------------------------
    /// Joins happen in poll(). Subscribing to other topics than before asks for a rejoin (M7).
    void subscribe(const Context& ctx, std::vector<TopicId> topics, Fx& fx);
    /// Manual assignment, no group membership; commits are "simple" (O9). Not while subscribed.
    void assign(const Context& ctx, std::vector<LogId> logs, Fx& fx);
    /// Gives everything up and leaves the group.
    void unsubscribe(const Context& ctx, Fx& fx);
    void seek(const Context& ctx, LogId log, Offset offset, Fx& fx);
    /// Lazy as in Kafka: the position is looked up by the next poll.
    void seek_to_beginning(const Context& ctx, const std::vector<LogId>& logs, Fx& fx);
    void seek_to_end(const Context& ctx, const std::vector<LogId>& logs, Fx& fx);
    /// One attempt, never repeated (O3); ends with CommitDone{async} when the answer comes. Returns
    /// the number of the call. Simplified: Kafka runs the callback inside a later poll().
    std::int32_t commit_async(const Context& ctx, std::vector<CommitOffset> offsets, Fx& fx);

    // --- calls that end with an event; only one may be open --------------------------------------
    /// -> PollReturned. `max_records` 0: max.poll.records.
    void poll(const Context& ctx, std::int32_t max_records, Duration timeout, Fx& fx);
    /// -> CommitDone. Repeats retriable errors up to default.api.timeout.ms (O2).
    std::int32_t commit_sync(const Context& ctx, std::vector<CommitOffset> offsets, Fx& fx);
    /// -> RewindDone. What an application does after it gave up a batch (O14).
    void seek_to_committed(const Context& ctx, Fx& fx);
    /// -> EndOffsetReturned.
    void end_offset(const Context& ctx, LogId log, Fx& fx);
    /// -> Closed. Auto-commits if configured, gives partitions up, leaves the group (M15). Ends an
    /// open call without its event.
    void close(const Context& ctx, Fx& fx);
    /// Ends an open poll() with `interrupted`.
    void wakeup(const Context& ctx, Fx& fx);
    /// The client object is dropped without close(): no word to anybody, no timer left.
    void abandon(Fx& fx);

    /// The application's thread stands still (M2): heartbeats go on, no call makes progress.
    void stall(const Context& ctx, bool stalled, Fx& fx);

    // --- queries ---------------------------------------------------------------------------------
    [[nodiscard]] std::vector<ConsumerEvent> take_events();
    [[nodiscard]] bool call_open() const;
    /// close() was called: nothing else may be.
    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] sim::Instant call_since() const;  ///< when the open call began
    [[nodiscard]] std::vector<LogId> assignment() const;
    /// The next offset poll() will hand out; none: not initialised (C1, C3).
    [[nodiscard]] std::optional<Offset> position(LogId log) const;
    /// Every assigned log with a valid position: what commitSync() without arguments commits (O1).
    [[nodiscard]] std::vector<CommitOffset> positions() const;
    /// (member, generation) of the last completed rebalance, also after being thrown out (O15).
    [[nodiscard]] MemberRef group_metadata() const;
    /// What the group protocol believes right now, and whether a coordinator is known. The first
    /// counts with the classic protocol, the second with KIP-848.
    [[nodiscard]] const ClassicMember& member() const { return member_; }
    [[nodiscard]] const ModernMembership& modern_member() const { return modern_; }
    /// What is assigned, with position and state.
    [[nodiscard]] const SubscriptionState& subscriptions() const { return subscriptions_; }
    [[nodiscard]] GroupProtocol protocol() const { return config_->protocol; }
    [[nodiscard]] bool coordinator_known() const { return coordinator_.node.has_value(); }

    // --- being told ------------------------------------------------------------------------------
    /// Whether a timer or a connection is this component's.
    [[nodiscard]] bool owns(const sim::TimerKey& key) const;
    [[nodiscard]] static constexpr bool owns(const sim::Peer& peer) {
        return peer.lane == fetch_lane || peer.lane == coordinator_lane;
    }
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation, Message message,
                  Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx);

    friend bool operator==(const Consumer&, const Consumer&) = default;
    [[nodiscard]] auto fields() const {
        // Not the guard: its set is configuration, and what it spared is told within the step.
        return std::tie(process_, rng_, net_, metadata_, metadata_seen_, subscriptions_, fetcher_,
                        member_, modern_, group_metadata_, coordinator_, offset_fetch_, prepare_,
                        auto_commit_at_, commits_, sent_, tag_, number_, call_, failure_, stalled_,
                        closed_, wake_at_, beat_at_, events_);
    }

  private:
    using Instant = sim::Instant;
    using CommitWork = consumer_part::CommitWork;
    using Attempt = consumer_part::Attempt;

    // --- every step (consumer.cpp) ---------------------------------------------------------------
    void go_on(const Context& ctx, Fx& fx);
    void run_call(const Context& ctx, Fx& fx);
    void schedule(const Context& ctx, Fx& fx);
    [[nodiscard]] Instant next_wake(Instant now) const;
    void begin(const Context& ctx, Duration timeout, decltype(consumer_part::Call::what) what);
    void finish(ConsumerEvent event);
    void fail(CallResult result, ErrorCode error);
    [[nodiscard]] Duration pause(std::int32_t failures);
    void failed(const Context& ctx, Attempt& attempt);
    void send(const Context& ctx, sim::Peer peer, Message request, Duration timeout,
              decltype(consumer_part::Sent::what) what, Fx& fx);
    void settle(const Context& ctx, const Outcome& outcome, Message* answer, Fx& fx);
    [[nodiscard]] bool ready(const Context& ctx, sim::Peer peer, Fx& fx);

    // --- poll (consumer_poll.cpp) ----------------------------------------------------------------
    void run_poll(const Context& ctx, std::int32_t max_records, Fx& fx);
    void send_fetches(const Context& ctx, Fx& fx);
    [[nodiscard]] bool collect(const Context& ctx, std::int32_t max_records, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Fetch& sent, const Outcome& outcome,
               Message* answer, Fx& fx);

    // --- positions (consumer_positions.cpp) ------------------------------------------------------
    [[nodiscard]] LeaderAndEpoch leader_of(LogId log) const;
    void update_leaders();
    void want_leaders();
    [[nodiscard]] bool step_positions(const Context& ctx, Fx& fx);
    [[nodiscard]] bool step_offset_fetch(const Context& ctx, std::vector<LogId> logs,
                                         std::int32_t rewind, Fx& fx);
    void step_resets(const Context& ctx, Fx& fx);
    void step_validations(const Context& ctx, Fx& fx);
    void seek_to(const Context& ctx, const std::vector<LogId>& logs, OffsetSpec spec, Fx& fx);
    void reset_by_policy(AssignedLog& part, CallResult otherwise, ErrorCode error);
    void tell_position(LogId log, Offset offset, PositionSet::Why why, Fx& fx) const;
    void run_rewind(const Context& ctx, std::int32_t number, Fx& fx);
    void finish_rewind();
    void run_end_offset(const Context& ctx, consumer_part::call::EndOffset& call, Fx& fx);
    void take_committed(const OffsetFetchResponse::Part& told, bool rewind, Fx& fx);
    void take_reset(const Context& ctx, const consumer_part::sent::Reset::Part& asked,
                    const ListOffsetsResponse::Part& told, Fx& fx);
    void take_validation(const Context& ctx, const consumer_part::sent::Validate::Part& asked,
                         const OffsetForLeaderEpochResponse::Part& told, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Committed& sent,
               const Outcome& outcome, Message* answer, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Reset& sent, const Outcome& outcome,
               Message* answer, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::End& sent, const Outcome& outcome,
               Message* answer, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Validate& sent,
               const Outcome& outcome, Message* answer, Fx& fx);

    // --- commits (consumer_commits.cpp) ----------------------------------------------------------
    std::int32_t start_commit(const Context& ctx, CommitWork::Origin origin,
                              std::vector<CommitOffset> offsets);
    [[nodiscard]] CommitWork* find_commit(std::int32_t number);
    void step_commits(const Context& ctx, Fx& fx);
    void step_auto_commit(const Context& ctx, Fx& fx);
    void refuse_commit(const Context& ctx, CommitWork& work, CallResult result, ErrorCode error,
                       Fx& fx);
    void end_commit(std::int32_t number, CallResult result, ErrorCode error, Fx& fx);
    void run_commit_sync(const Context& ctx, std::int32_t number, Fx& fx);
    void fail_unsent_commits(ErrorCode error, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Commit& sent, const Outcome& outcome,
               Message* answer, Fx& fx);

    // --- the group (consumer_group.cpp) ----------------------------------------------------------
    [[nodiscard]] sim::Peer coordinator_peer() const;
    [[nodiscard]] bool find_coordinator(const Context& ctx, Fx& fx);
    void forget_coordinator(const Context& ctx, Fx& fx);
    [[nodiscard]] bool step_membership(const Context& ctx, Fx& fx);
    [[nodiscard]] bool prepare_rejoin(const Context& ctx, Fx& fx);
    void complete_rejoin(const Context& ctx, Fx& fx);
    void step_heartbeat(const Context& ctx, Fx& fx);
    [[nodiscard]] bool subscribed(LogId log) const;
    void take_over(const std::vector<LogId>& logs, std::optional<Generation> generation, Fx& fx);
    void give_up(const std::vector<LogId>& gone, bool lost, Fx& fx);
    void give_up_all(bool lost, Fx& fx);
    [[nodiscard]] Identity sender_of(const Identity& sent, ErrorCode error);
    void leave_group(const Context& ctx, Fx& fx);
    void reach_group(Mile mile, const std::vector<LogId>& logs, Fx& fx) const;
    void run_close(const Context& ctx, consumer_part::call::Close& call, Fx& fx);

    // --- the group, KIP-848 (consumer_modern.cpp) ------------------------------------------------
    [[nodiscard]] bool modern() const { return config_->protocol == GroupProtocol::consumer; }
    void run_modern(const Context& ctx, Fx& fx);
    void run_callbacks(Fx& fx);
    void step_reconciliation(const Context& ctx, bool in_poll, Fx& fx);
    void resolve_target();
    void step_modern_heartbeat(const Context& ctx, Fx& fx);
    [[nodiscard]] Instant modern_beat_due() const;
    void ended(const Context& ctx, const consumer_part::sent::ModernBeat& sent,
               const Outcome& outcome, Message* answer, Fx& fx);
    void apply(const Context& ctx, CoordinatorVerdict verdict, const Outcome& outcome, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Lookup& sent, const Outcome& outcome,
               Message* answer, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Join& sent, const Outcome& outcome,
               Message* answer, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Sync& sent, const Outcome& outcome,
               Message* answer, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Beat& sent, const Outcome& outcome,
               Message* answer, Fx& fx);
    void ended(const Context& ctx, const consumer_part::sent::Leave& sent, const Outcome& outcome,
               Message* answer, Fx& fx);

    std::shared_ptr<const ConsumerConfig> config_;
    std::shared_ptr<const Topology> topology_;
    ProcessId process_;
    sim::Rng rng_;  ///< jitter of the retry backoff (N7)
    Guard guard_;
    NetworkClient net_;
    ClientMetadata metadata_;
    std::int64_t metadata_seen_ = -1;  ///< version whose leaders positions know
    SubscriptionState subscriptions_;
    Fetcher fetcher_;
    ClassicMember member_;
    ModernMembership modern_;
    MemberRef group_metadata_;  ///< of the last completed rebalance (O15)
    consumer_part::Coordinator coordinator_;
    Attempt offset_fetch_;
    std::optional<consumer_part::Prepare> prepare_;
    Instant auto_commit_at_{};
    std::vector<CommitWork> commits_;        ///< in the order of the calls
    std::vector<consumer_part::Sent> sent_;  ///< requests on their way
    std::int64_t tag_ = 0;
    std::int32_t number_ = 0;  ///< of the last call
    std::optional<consumer_part::Call> call_;
    std::optional<consumer_part::Failure> failure_;  ///< for the next poll to throw
    bool stalled_ = false;
    bool closed_ = false;
    Instant wake_at_ = sim::time_never;  ///< what the timers are armed for
    Instant beat_at_ = sim::time_never;
    std::vector<ConsumerEvent> events_;
};

}  // namespace eos::model
