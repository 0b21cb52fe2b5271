#include "model/offset_store.hpp"

#include <algorithm>
#include <limits>

namespace eos::model {
namespace {

[[nodiscard]] OffsetStore::Key first_of(GroupId group) {
    return {group, {std::numeric_limits<std::int32_t>::min()}};
}

}  // namespace

bool OffsetStore::apply(const OffsetRecord& record, Offset at, std::optional<MemberId> member) {
    const Key key{record.group, record.log};
    const auto found = entries_.find(key);
    if (found != entries_.end() && found->second.record > at) return false;
    if (!record.offset) {
        if (found != entries_.end()) entries_.erase(found);
        for (auto& [producer, waiting] : pending_) waiting.erase(key);
        std::erase_if(pending_, [](const auto& one) { return one.second.empty(); });
        return true;
    }
    CommittedOffset entry{*record.offset, record.leader_epoch, record.commit_time, at};
    entry.member = member;
    entries_.insert_or_assign(key, entry);
    return true;
}

void OffsetStore::suspend(const OffsetRecord& record, Offset at, ProducerId producer,
                          CommittedOffset as) {
    if (!record.offset) return;
    as.offset = *record.offset;
    as.leader_epoch = record.leader_epoch;
    as.commit_time = record.commit_time;
    as.record = at;
    pending_[producer].insert_or_assign({record.group, record.log}, as);
}

std::vector<OffsetStore::Decided> OffsetStore::end_transaction(ProducerId producer,
                                                               ControlType type, Offset at) {
    std::vector<Decided> result;
    std::erase_if(unresolved_, [&](const auto& one) { return one.second == producer; });
    const auto found = pending_.find(producer);
    if (found == pending_.end()) return result;
    for (auto i = found->second.begin(); i != found->second.end();) {
        const auto& [key, entry] = *i;
        if (entry.record > at) {  // of the producer's next transaction: the news came late
            ++i;
            continue;
        }
        const auto known = entries_.find(key);
        const bool newer = known == entries_.end() || known->second.record < entry.record;
        if (type == ControlType::commit && newer) {
            entries_.insert_or_assign(key, entry);
            result.push_back({key.first, key.second, entry});
        }
        i = found->second.erase(i);
    }
    if (found->second.empty()) pending_.erase(found);
    return result;
}

void OffsetStore::give_up_pending(Offset end) {
    for (auto& [producer, waiting] : pending_)
        std::erase_if(waiting, [&](const auto& one) { return one.second.record < end; });
    std::erase_if(pending_, [](const auto& one) { return one.second.empty(); });
}

bool OffsetStore::any_pending_below(Offset end) const {
    return std::any_of(pending_.begin(), pending_.end(), [&](const auto& one) {
        return std::any_of(one.second.begin(), one.second.end(),
                           [&](const auto& entry) { return entry.second.record < end; });
    });
}

void OffsetStore::leave_unresolved(GroupId group, LogId log, std::optional<ProducerId> producer) {
    unresolved_.insert_or_assign({group, log}, producer);
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

bool OffsetStore::unstable(GroupId group, LogId log) const {
    return unresolved_.contains({group, log}) || !producers_of(group, log).empty();
}

bool OffsetStore::any_pending(GroupId group) const {
    return std::any_of(pending_.begin(), pending_.end(), [&](const auto& one) {
        const auto found = one.second.lower_bound(first_of(group));
        return found != one.second.end() && found->first.first == group;
    });
}

std::vector<ProducerId> OffsetStore::producers_of(GroupId group, LogId log) const {
    std::vector<ProducerId> result;
    for (const auto& [producer, waiting] : pending_)
        if (waiting.contains({group, log})) result.push_back(producer);
    return result;
}

std::vector<LogId> OffsetStore::expired(GroupId group, const OffsetRetention& retention) const {
    std::vector<LogId> result;
    for (const auto& [log, entry] : of(group)) {
        const auto counted_from = retention.since.value_or(entry.commit_time);
        if (retention.now - counted_from >= retention.retention && !unstable(group, log))
            result.push_back(log);
    }
    return result;
}

}  // namespace eos::model
