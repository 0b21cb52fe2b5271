#pragma once
// The committed offsets of the groups of one shard, as far as they are replicated (G19, G23, G26):
// what OffsetFetch reads. Writes that are not replicated yet wait in the shard, not here. Pending
// transactional offsets will have their room beside `entries_`.

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
    /// Applies a replicated record standing at `at`. A record older in the log than the entry
    /// changes nothing and gives false.
    bool apply(const OffsetRecord& record, Offset at);

    [[nodiscard]] const CommittedOffset* find(GroupId group, LogId log) const;
    [[nodiscard]] std::vector<std::pair<LogId, CommittedOffset>> of(GroupId group) const;
    [[nodiscard]] bool any(GroupId group) const;
    /// Logs of the group whose offset is old enough; who subscribes to what is the caller's matter.
    [[nodiscard]] std::vector<LogId> expired(GroupId group, const OffsetRetention& retention) const;

    using Entries = std::map<std::pair<GroupId, LogId>, CommittedOffset>;
    [[nodiscard]] const Entries& entries() const { return entries_; }

    friend bool operator==(const OffsetStore&, const OffsetStore&) = default;
    [[nodiscard]] auto fields() const { return std::tie(entries_); }

  private:
    Entries entries_;
};

}  // namespace eos::model
