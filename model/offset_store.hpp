#pragma once
// The offsets of the groups of one shard, as far as they are replicated (G19): what is committed
// (G23, G26), and beside it what transactions have written and no marker has decided (G24, G25,
// OFF-3). Writes that are not replicated yet wait in the shard, not here.

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "model/ids.hpp"
#include "model/records.hpp"
#include "sim/time.hpp"

namespace eos::model {

struct CommittedOffset {
    Offset offset;
    std::int32_t leader_epoch = -1;
    sim::Instant commit_time{};
    Offset record;  ///< where in the offsets log it stands
    // Ledger: who committed it, and in which transaction.
    std::optional<MemberId> member = {};
    std::optional<TransactionalId> txid = {};
    std::optional<TxnRef> txn = {};
    friend bool operator==(const CommittedOffset&, const CommittedOffset&) = default;
};

/// What decides whether an offset has expired (G31).
struct OffsetRetention {
    sim::Instant now{};
    sim::Duration retention{};
    /// Counted from here if given (an Empty group), else from each entry's own commit.
    std::optional<sim::Instant> since;
};

class OffsetStore {
  public:
    using Key = std::pair<GroupId, LogId>;
    using Entries = std::map<Key, CommittedOffset>;
    struct Decided {
        GroupId group;
        LogId log;
        CommittedOffset entry;
    };

    /// Applies a replicated record standing at `at`; a tombstone also drops what is pending (G30).
    /// A record older in the log than the entry changes nothing and gives false.
    bool apply(const OffsetRecord& record, Offset at, std::optional<MemberId> member = {});
    /// A replicated record of a transaction waits for the marker of its producer; a later one of
    /// the same producer takes its place.
    void suspend(const OffsetRecord& record, Offset at, ProducerId producer, CommittedOffset as);
    /// The marker that stands at `at` decides what the producer wrote before it. Gives the offsets
    /// that became the committed ones: of two the later in the log wins, whatever the order of the
    /// markers (G25).
    std::vector<Decided> end_transaction(ProducerId producer, ControlType type, Offset at);
    /// Whether a transaction wrote something below `end` that no marker has decided.
    [[nodiscard]] bool any_pending_below(Offset end) const;
    /// REDPANDA-10669: gives that up.
    void give_up_pending(Offset end);
    /// KAFKA-16371: pending for ever, though nothing was written. A producer's marker clears it.
    void leave_unresolved(GroupId group, LogId log, std::optional<ProducerId> producer);

    [[nodiscard]] const CommittedOffset* find(GroupId group, LogId log) const;
    [[nodiscard]] std::vector<std::pair<LogId, CommittedOffset>> of(GroupId group) const;
    [[nodiscard]] bool any(GroupId group) const;
    /// Whether some transaction may still change the offset (G26).
    [[nodiscard]] bool unstable(GroupId group, LogId log) const;
    /// Whether a transaction with offsets of the group is open.
    [[nodiscard]] bool any_pending(GroupId group) const;
    [[nodiscard]] std::vector<ProducerId> producers_of(GroupId group, LogId log) const;
    /// Logs of the group whose offset is old enough and that no transaction may change; who
    /// subscribes to what is the caller's matter.
    [[nodiscard]] std::vector<LogId> expired(GroupId group, const OffsetRetention& retention) const;

    [[nodiscard]] const Entries& entries() const { return entries_; }
    [[nodiscard]] const std::map<ProducerId, Entries>& pending() const { return pending_; }

    friend bool operator==(const OffsetStore&, const OffsetStore&) = default;
    [[nodiscard]] auto fields() const { return std::tie(entries_, pending_, unresolved_); }

  private:
    Entries entries_;
    std::map<ProducerId, Entries> pending_;
    std::map<Key, std::optional<ProducerId>> unresolved_;
};

}  // namespace eos::model
