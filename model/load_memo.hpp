#pragma once
// What a coordinator's loads of its logs have come to, so that the next load of a log goes on where
// the last one stopped instead of reading all of it again: Kafka's loads stay short by compaction,
// ours by this. It outlives a crash of the broker, because it says nothing that the log on disk
// does not say: if the log no longer begins with what was read, it is of no use.

#include <cstddef>
#include <map>
#include <utility>

#include "model/ids.hpp"
#include "model/partition_log.hpp"
#include "sim/memo.hpp"

namespace eos::model {

/// `Fold`: what reading batches one after the other makes of them; nothing else may go into it.
template <class Fold>
class LoadMemo {
  public:
    struct Loaded {
        PartitionLog::Batches batches;  ///< shares the chunks of the log
        Fold fold;
    };

    /// What was read of this log, if that all still stands there, below `end`.
    [[nodiscard]] const Loaded* find(LogId log, const PartitionLog::Batches& batches,
                                     Offset end) const {
        const auto* all = logs_.find();
        if (!all) return nullptr;
        const auto found = all->find(log);
        if (found == all->end()) return nullptr;
        const auto& read = found->second.batches;
        const bool stands = read.empty() || read.back().next_offset() <= end;
        return stands && batches.begins_with(read) ? &found->second : nullptr;
    }
    /// The first `count` batches of the log come to `fold`.
    void keep(LogId log, PartitionLog::Batches batches, std::size_t count, Fold fold) {
        batches.truncate_to(count);
        auto all = logs_.find() ? *logs_.find() : std::map<LogId, Loaded>{};
        all.insert_or_assign(log, Loaded{std::move(batches), std::move(fold)});
        logs_.keep(std::move(all));
    }

    friend bool operator==(const LoadMemo&, const LoadMemo&) = default;

  private:
    sim::Memo<std::map<LogId, Loaded>> logs_;
};

}  // namespace eos::model
