#include "model/offset_store.hpp"

#include <limits>

namespace eos::model {
namespace {

using Key = std::pair<GroupId, LogId>;

[[nodiscard]] Key first_of(GroupId group) {
    return {group, {std::numeric_limits<std::int32_t>::min()}};
}

}  // namespace

bool OffsetStore::apply(const OffsetRecord& record, Offset at) {
    const Key key{record.group, record.log};
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.record > at) return false;
    if (!record.offset) {
        if (found != entries_.end()) entries_.erase(found);
        return true;
    }
    entries_.insert_or_assign(
        key, CommittedOffset{*record.offset, record.leader_epoch, record.commit_time, at});
    return true;
}

const CommittedOffset* OffsetStore::find(GroupId group, LogId log) const {
    const auto found = entries_.find({group, log});
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::pair<LogId, CommittedOffset>> OffsetStore::of(GroupId group) const {
    std::vector<std::pair<LogId, CommittedOffset>> result;
    for (auto i = entries_.lower_bound(first_of(group));
         i != entries_.end() && i->first.first == group; ++i)
        result.emplace_back(i->first.second, i->second);
    return result;
}

bool OffsetStore::any(GroupId group) const {
    const auto found = entries_.lower_bound(first_of(group));
    return found != entries_.end() && found->first.first == group;
}

std::vector<LogId> OffsetStore::expired(GroupId group, const OffsetRetention& retention) const {
    std::vector<LogId> result;
    for (const auto& [log, entry] : of(group)) {
        const auto counted_from = retention.since.value_or(entry.commit_time);
        if (retention.now - counted_from >= retention.retention) result.push_back(log);
    }
    return result;
}

}  // namespace eos::model
