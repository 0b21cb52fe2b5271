#pragma once
// The leader's side of one partition (Kafka: Partition on the leader): what it knows of followers,
// the in-sync set committed and proposed, the high watermark, when a produce is done. Kept beside
// the replica's PartitionLog, which every call is given. Rules ACK, ISR, LSO, ELE-1, TRN-2.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "model/config.hpp"
#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/partition_log.hpp"
#include "model/safeguards.hpp"
#include "sim/time.hpp"

namespace eos::model {

struct LeaderRules {
    BrokerId self;
    std::int32_t min_insync = 1;                              ///< as configured; ACK-2 bounds it
    sim::Duration replica_lag_max = sim::milliseconds(30000);
    friend bool operator==(const LeaderRules&, const LeaderRules&) = default;
};

/// What the leader knows of one follower (Kafka: ReplicaState).
struct RemoteReplica {
    std::optional<Offset> log_end = {};  ///< none: not fetched since this leader took over
    std::optional<Offset> leader_end_at_fetch = {};
    std::optional<sim::Instant> last_fetch = {};
    std::optional<sim::Instant> last_caught_up = {};  ///< none: long ago
    std::optional<BrokerEpoch> broker_epoch = {};     ///< told by its last fetch; -1: not told
    friend bool operator==(const RemoteReplica&, const RemoteReplica&) = default;
};

/// The brokers of the cluster as the local metadata shows them.
using BrokerView = std::span<const BrokerRegistration>;

struct LeadResult {
    bool applied = false;          ///< false: older than what is known (ELE-1)
    bool new_leader = false;       ///< this replica did not lead before
    bool new_epoch = false;
    bool watermark_moved = false;
};

struct LeaderAppendResult {
    AppendResult append;           ///< append.error NOT_ENOUGH_REPLICAS: nothing appended (APP-7)
    Offset required;               ///< acks=all waits for the watermark to reach this (APP-15)
    bool watermark_moved = false;
};

/// Whether an acks=all produce may be answered (ACK-3).
struct ProduceStatus {
    bool done = false;
    ErrorCode error = ErrorCode::none;
};

/// A fetch as answered by the leader; watermark and log end are as of before the fetch was counted.
struct LeaderFetchResult {
    ErrorCode error = ErrorCode::none;
    ReadResult read;
    std::optional<EpochEnd> diverging;     ///< TRN-2
    Offset high_watermark;
    Offset last_stable_offset;
    Offset log_start;
    bool watermark_moved = false;          ///< by counting this fetch
};

struct ListOffsetResult {
    ErrorCode error = ErrorCode::none;
    Offset offset;
    std::optional<LeaderEpoch> leader_epoch;
};

enum class AlterOutcome : std::uint8_t {
    ignored,    ///< about another proposal, leader epoch or partition epoch
    committed,  ///< the in-sync set is now the answered one
    reverted,   ///< back to the last committed set
    given_up,   ///< the proposal stays until new metadata replaces it
    retry,      ///< send the same proposal again
};

class LeaderPartition {
  public:
    explicit LeaderPartition(LeaderRules rules = {}) : rules_(rules) {}

    /// Becomes leader, or goes on leading with new metadata (ELE-1). The epoch cache is assigned.
    LeadResult lead(const PartitionState& state, PartitionLog& log, BrokerView brokers,
                    sim::Instant now, Guard& guard);
    /// Becomes or stays a follower with new metadata; false if it is older than what is known.
    bool follow(const PartitionState& state);
    /// Stops leading without new metadata (fenced, log offline).
    void resign() { leading_ = false; }
    [[nodiscard]] bool leading() const { return leading_; }

    /// FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER or none (FET-9).
    [[nodiscard]] ErrorCode check_epoch(std::optional<LeaderEpoch> current) const;

    [[nodiscard]] LeaderAppendResult append(PartitionLog& log, const Batch& batch, Acks acks,
                                            const AppendAs& as, BrokerView brokers,
                                            sim::Instant now, Guard& guard);
    [[nodiscard]] ProduceStatus status(const PartitionLog& log, Offset required) const;

    /// Serves a follower and counts what its fetch proves (LSO-9, ISR-2); may form a proposal.
    [[nodiscard]] LeaderFetchResult fetch_by_follower(PartitionLog& log, BrokerId replica,
                                                      const FetchRequest::Part& part,
                                                      std::optional<BrokerEpoch> broker_epoch,
                                                      std::int64_t max_bytes, BrokerView brokers,
                                                      sim::Instant now, Guard& guard);
    [[nodiscard]] LeaderFetchResult fetch_by_consumer(const PartitionLog& log,
                                                      const FetchRequest::Part& part,
                                                      Isolation isolation, std::int64_t max_bytes,
                                                      Guard& guard) const;
    /// `isolation` none: a follower or tool asks, and is told the log end (FET-11).
    [[nodiscard]] ListOffsetResult list_offset(const PartitionLog& log, OffsetSpec spec,
                                               std::optional<Isolation> isolation,
                                               std::optional<LeaderEpoch> current,
                                               Guard& guard) const;
    /// OffsetForLeaderEpoch (LEP-2).
    [[nodiscard]] OffsetForLeaderEpochResponse::Part end_of_epoch(
        const PartitionLog& log, const OffsetForLeaderEpochRequest::Part& part) const;

    // --- in-sync set ---
    /// ISR-1: proposes to drop lagging followers; true if there is now a proposal.
    bool propose_shrink(const PartitionLog& log, sim::Instant now);
    /// The proposal to send to the controller, once per proposal or retry (ISR-4); the caller fills
    /// in its own broker epoch. None if there is nothing to send or one is in flight.
    [[nodiscard]] std::optional<AlterPartitionRequest> take_proposal(BrokerView brokers,
                                                                     Guard& guard);
    /// The proposal in flight or waiting to be sent.
    [[nodiscard]] std::optional<std::vector<BrokerId>> proposed() const;
    /// ISR-6. `sent` is the request this answers.
    AlterOutcome on_alter_result(const AlterPartitionRequest& sent,
                                 const AlterPartitionResponse& response, PartitionLog& log,
                                 BrokerView brokers, sim::Instant now, Guard& guard);

    [[nodiscard]] const PartitionState& state() const { return state_; }  ///< committed
    [[nodiscard]] const std::vector<BrokerId>& isr() const { return state_.isr; }
    [[nodiscard]] std::vector<BrokerId> maximal_isr() const;  ///< ISR-5
    [[nodiscard]] bool isr_change_pending() const { return pending_.has_value(); }
    [[nodiscard]] bool under_min_isr() const;
    [[nodiscard]] std::int32_t effective_min_isr() const;     ///< ACK-2
    [[nodiscard]] std::optional<Offset> epoch_start() const { return epoch_start_; }
    [[nodiscard]] const RemoteReplica* replica(BrokerId id) const;
    [[nodiscard]] const LeaderRules& rules() const { return rules_; }
    /// Recomputes the watermark (LSO-7, LSO-8); true if it moved. Called by all of the above.
    bool advance_watermark(PartitionLog& log, BrokerView brokers, sim::Instant now, Guard& guard);

    friend bool operator==(const LeaderPartition&, const LeaderPartition&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(leading_, state_, epoch_start_, replicas_, pending_);
    }

  private:
    struct Pending {
        std::vector<BrokerId> isr;  // as proposed
        std::optional<BrokerId> added;
        enum class Phase : std::uint8_t { waiting, in_flight, given_up } phase = Phase::waiting;
        friend bool operator==(const Pending&, const Pending&) = default;
    };
    [[nodiscard]] bool in_maximal_isr(BrokerId id) const;
    [[nodiscard]] bool eligible(BrokerId id, const RemoteReplica& replica, BrokerView brokers,
                                Guard& guard) const;
    [[nodiscard]] bool caught_up(const RemoteReplica& replica, Offset leader_end,
                                 sim::Instant now) const;
    void propose_expansion(const PartitionLog& log, BrokerId id, BrokerView brokers, Guard& guard);

    LeaderRules rules_;
    bool leading_ = false;
    PartitionState state_{.log = {-1}, .replicas = {}, .isr = {}, .leader = {},
                          .leader_epoch = {-1}, .partition_epoch = {-1},
                          .recovery = RecoveryState::recovered, .elr = {}, .last_known_elr = {}};
    std::optional<Offset> epoch_start_;
    std::map<BrokerId, RemoteReplica> replicas_;
    std::optional<Pending> pending_;
};

}  // namespace eos::model
