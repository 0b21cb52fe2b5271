#pragma once
// Where a consumer stands in each log assigned to it (C1-C3, C21-C24). Plain state: who asks the
// brokers and what is told to the history is the consumer's business.
//
//   initializing --committed offset--> fetching <--valid-- await_validation
//        |                              ^   |  ^                |
//        `--none-----> await_reset -----'   |  `---- seek ------+--> await_reset (undefined epoch)
//                           ^-- out of range'
//   Any position with an epoch passes await_validation when its leader changed.

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/config.hpp"
#include "model/consumer_events.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/safeguards.hpp"
#include "sim/time.hpp"

namespace eos::model {

enum class FetchState : std::uint8_t { initializing, fetching, await_reset, await_validation };
/// "AWAIT_RESET": Kafka's spelling.
[[nodiscard]] std::string_view name(FetchState state);

/// The leader a position was last checked against.
struct LeaderAndEpoch {
    std::optional<BrokerId> leader;
    std::optional<LeaderEpoch> epoch;
    friend bool operator==(const LeaderAndEpoch&, const LeaderAndEpoch&) = default;
};

/// C21: the next offset, the epoch of the last batch consumed (none: not known, C23), the leader.
struct FetchPosition {
    Offset offset;
    std::optional<LeaderEpoch> offset_epoch;
    LeaderAndEpoch leader;
    friend bool operator==(const FetchPosition&, const FetchPosition&) = default;
};

struct PendingReset {
    OffsetSpec spec = OffsetSpec::earliest;
    bool by_policy = true;  ///< else the application asked (seek_to_end)
    friend bool operator==(const PendingReset&, const PendingReset&) = default;
};

struct AssignedLog {
    LogId log;
    FetchState state = FetchState::initializing;
    std::optional<FetchPosition> position;
    std::optional<PendingReset> reset;  ///< in await_reset
    bool pending_revocation = false;    ///< O8: no more records are returned
    bool asked = false;                 ///< a reset or validation request is under way
    sim::Instant retry_at{};            ///< no request before this

    /// C2.
    [[nodiscard]] bool fetchable() const {
        return state == FetchState::fetching && !pending_revocation;
    }
    friend bool operator==(const AssignedLog&, const AssignedLog&) = default;
};

class SubscriptionState {
  public:
    // --- what is wanted --------------------------------------------------------------------------
    /// True if other topics were subscribed before.
    bool subscribe(std::vector<TopicId> topics);
    void unsubscribe();
    /// Group membership decides what is assigned.
    [[nodiscard]] bool automatic() const { return automatic_; }
    [[nodiscard]] const std::vector<TopicId>& topics() const { return topics_; }

    // --- what is assigned ------------------------------------------------------------------------
    /// Replaces the assignment; logs already assigned keep their position.
    void assign(std::vector<LogId> logs);
    [[nodiscard]] const std::vector<AssignedLog>& assigned() const { return assigned_; }
    [[nodiscard]] std::vector<AssignedLog>& assigned() { return assigned_; }
    [[nodiscard]] std::vector<LogId> logs() const;
    [[nodiscard]] const AssignedLog* find(LogId log) const;
    [[nodiscard]] AssignedLog* find(LogId log);
    void mark_pending_revocation();
    [[nodiscard]] bool any(FetchState state) const;
    /// All valid positions: what is committed by default (O1).
    [[nodiscard]] std::vector<CommitOffset> consumed() const;

    // --- positions -------------------------------------------------------------------------------
    /// A position from outside: it has to be validated if it and the leader carry an epoch.
    void seek(AssignedLog& part, FetchPosition position, Guard& guard);
    /// Back to the policy or to an end of the log.
    void reset(AssignedLog& part, PendingReset how);
    /// The leader as metadata has it now. A new one sends the position into validation (C21).
    void update_leader(AssignedLog& part, const LeaderAndEpoch& leader, Guard& guard);

    enum class Validation : std::uint8_t { stale, valid, truncated, undefined };
    /// C22. `truncated` and `undefined` change nothing: what follows depends on the policy.
    [[nodiscard]] Validation validate(AssignedLog& part, const FetchPosition& asked,
                                      const EpochEnd& end);

    friend bool operator==(const SubscriptionState&, const SubscriptionState&) = default;
    [[nodiscard]] auto fields() const { return std::tie(automatic_, topics_, assigned_); }

  private:
    bool automatic_ = false;
    std::vector<TopicId> topics_;        ///< sorted
    std::vector<AssignedLog> assigned_;  ///< sorted by log
};

/// The reset of a policy; none: the error goes to the application.
[[nodiscard]] std::optional<PendingReset> reset_by(OffsetReset policy);

}  // namespace eos::model
