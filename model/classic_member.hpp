#pragma once
// One member of a classic group as its client sees it (M1-M17; AbstractCoordinator and the group
// half of ConsumerCoordinator): state, identity, whether it has to rejoin, and the heartbeat's
// timers. It says what is due and what an answer means; the consumer sends, waits and runs the
// callbacks.
//
//   unjoined --join sent--> preparing_rebalance --join answer--> completing_rebalance
//      ^                            ^                                   | sync answer
//      |  kicked out, left          '------- rejoin (in poll) -------.  v
//      '------------------------------------------------------------- stable

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/config.hpp"
#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/topology.hpp"
#include "sim/time.hpp"

namespace eos::model {

enum class MemberState : std::uint8_t {
    unjoined,
    preparing_rebalance,
    completing_rebalance,
    stable
};
/// "PREPARING_REBALANCE": Kafka's spelling.
[[nodiscard]] std::string_view name(MemberState state);

/// M1: who the member is. Without a generation it belongs to none.
struct Identity {
    std::optional<Generation> generation;
    std::optional<MemberId> member;
    std::optional<AssignorKind> protocol;
    friend bool operator==(const Identity&, const Identity&) = default;
};

/// What an answer to a group request means for the coordinator the client believes in (N13).
enum class CoordinatorVerdict : std::uint8_t { keep, forget };

class ClassicMember {
  public:
    explicit ClassicMember(std::shared_ptr<const ConsumerConfig> config);

    // --- asking ----------------------------------------------------------------------------------
    [[nodiscard]] MemberState state() const { return state_; }
    [[nodiscard]] const Identity& identity() const { return identity_; }
    [[nodiscard]] bool dynamic() const { return !config_->instance.has_value(); }
    /// The protocol all listed assignors have in common (Z1): keep what is owned while rejoining
    /// (KIP-429), or give everything up first.
    [[nodiscard]] bool cooperative() const;
    /// Something asked for a rejoin, or one is under way (its answers wait for poll()).
    [[nodiscard]] bool rejoin_needed() const { return rejoin_needed_; }
    [[nodiscard]] bool rejoin_needed_or_pending() const { return rejoin_needed_ || joining_; }
    [[nodiscard]] bool rebalancing() const {
        return state_ == MemberState::preparing_rebalance ||
               state_ == MemberState::completing_rebalance;
    }
    /// O9: a commit speaks for the group only while the member is stable.
    [[nodiscard]] std::optional<MemberRef> ref_if_stable() const;
    [[nodiscard]] MemberRef ref() const;
    /// onPartitionsLost instead of onPartitionsRevoked (M8).
    [[nodiscard]] bool lost() const { return !identity_.generation || !identity_.member; }
    /// An error for the application's next poll(); forgotten once taken.
    [[nodiscard]] std::optional<ErrorCode> take_failure();

    // --- rejoining, one step of poll() at a time -------------------------------------------------
    enum class Step : std::uint8_t {
        prepare,   ///< commit and give up what is owned (M8), then prepared()
        join,      ///< send join_request()
        sync,      ///< send sync_request()
        complete,  ///< take the assignment, then completed()
        wait,      ///< for an answer, or for the backoff until retry_at()
    };
    [[nodiscard]] Step step(sim::Instant now);
    [[nodiscard]] sim::Instant retry_at() const { return retry_at_; }
    void request_rejoin() { rejoin_needed_ = true; }
    void prepared() { needs_prepare_ = false; }
    /// `owned`: what the consumer still holds; told to cooperative assignors.
    [[nodiscard]] JoinGroupRequest join_request(const std::vector<TopicId>& subscription,
                                                std::vector<LogId> owned = {});
    [[nodiscard]] SyncGroupRequest sync_request(const Topology& topology);
    [[nodiscard]] const std::vector<LogId>& assignment() const { return assignment_; }
    void completed();
    /// The assignor learns what was assigned: `sticky` claims it at the next join.
    void remember();
    /// M10. `backoff`: how long to wait before the next attempt if the answer asks for it.
    [[nodiscard]] CoordinatorVerdict joined(sim::Instant now, const JoinGroupResponse& answer,
                                            const Identity& sent, Duration backoff);
    /// M12.
    [[nodiscard]] CoordinatorVerdict synced(sim::Instant now, const SyncGroupResponse& answer,
                                            const Identity& sent, Duration backoff);
    /// The request got no answer, or could not be sent for want of a coordinator.
    void join_failed(sim::Instant now, Duration backoff);
    /// Failed attempts in a row, the exponent of the backoff.
    [[nodiscard]] std::int32_t failures() const { return failures_; }

    // --- the heartbeat thread (M2-M6) ------------------------------------------------------------
    enum class Beat : std::uint8_t {
        rest,       ///< nothing before beat_due()
        find,       ///< the coordinator is unknown: look it up
        forget,     ///< no good answer for a session timeout: the coordinator is unknown now
        leave,      ///< no poll for max.poll.interval: leave the group
        heartbeat,  ///< send heartbeat_request()
    };
    [[nodiscard]] Beat beat(sim::Instant now, bool coordinator_known) const;
    [[nodiscard]] bool beating() const;
    [[nodiscard]] sim::Instant beat_due(bool coordinator_known) const;
    [[nodiscard]] HeartbeatRequest heartbeat_request(sim::Instant now);
    /// M5.
    [[nodiscard]] CoordinatorVerdict beaten(sim::Instant now, ErrorCode error, const Identity& sent,
                                            Duration backoff);
    /// No answer: the next attempt comes after the backoff.
    void beat_failed(sim::Instant now, Duration backoff);
    [[nodiscard]] std::int32_t beat_failures() const { return beat_failures_; }
    void polled(sim::Instant now) { poll_deadline_ = now + config_->max_poll_interval; }
    /// The coordinator was found (again): a new session is counted.
    void coordinator_found(sim::Instant now) { session_deadline_ = now + config_->session_timeout; }

    // --- leaving and being thrown out ------------------------------------------------------------
    /// Drops the identity (kept: only the member id) and asks for a rejoin.
    void reset(bool keep_member);
    /// The LeaveGroup request, if one has to be sent (dynamic members of a known coordinator, M15),
    /// and the identity is gone either way.
    [[nodiscard]] std::optional<LeaveGroupRequest> leave(bool coordinator_known);
    /// Fresh again after unsubscribe().
    void forget_rebalance();

    /// O10: what an OffsetCommit error of the group means; the state follows. `sent`: the identity
    /// the request carried.
    enum class CommitVerdict : std::uint8_t { failed, rebalance_in_progress, fatal };
    [[nodiscard]] CommitVerdict commit_refused(ErrorCode error, const Identity& sent);
    /// The same for a commit that spoke for no member (G20).
    [[nodiscard]] static CommitVerdict verdict_for_outsider(ErrorCode error);

    friend bool operator==(const ClassicMember&, const ClassicMember&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(state_, identity_, rejoin_needed_, needs_prepare_, joining_, in_flight_,
                        sync_due_, complete_due_, skip_assignment_, leader_, members_, assignment_,
                        remembered_, remembered_since_, retry_at_, failures_, failure_,
                        beat_in_flight_, beat_at_, beat_failures_, session_deadline_,
                        poll_deadline_);
    }

  private:
    void end_join(sim::Instant now, Duration backoff);
    [[nodiscard]] CoordinatorVerdict join_refused(sim::Instant now, ErrorCode error,
                                                  Duration backoff);
    [[nodiscard]] bool lists(AssignorKind assignor) const;

    std::shared_ptr<const ConsumerConfig> config_;
    MemberState state_ = MemberState::unjoined;
    Identity identity_;
    bool rejoin_needed_ = true;
    bool needs_prepare_ = true;
    bool joining_ = false;    ///< from sending JoinGroup until the assignment was taken
    bool in_flight_ = false;  ///< a JoinGroup or SyncGroup request is out
    bool sync_due_ = false;
    bool complete_due_ = false;
    bool skip_assignment_ = false;
    std::optional<MemberId> leader_;
    std::vector<JoinGroupResponse::Member> members_;
    std::vector<LogId> assignment_;
    std::vector<LogId> remembered_;  ///< by the sticky assignor, and of which generation
    std::optional<Generation> remembered_since_;
    sim::Instant retry_at_{};
    std::int32_t failures_ = 0;
    std::optional<ErrorCode> failure_;
    bool beat_in_flight_ = false;
    sim::Instant beat_at_{};
    std::int32_t beat_failures_ = 0;
    sim::Instant session_deadline_ = sim::time_never;
    sim::Instant poll_deadline_ = sim::time_never;
};

}  // namespace eos::model
