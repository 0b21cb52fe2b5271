// What an administrator does to offsets and groups, and what becomes of them when their topic is
// deleted: reset, OffsetDelete (KIP-496), DeleteGroups (KIP-229), the coordinator's
// onPartitionsDeleted. A tombstone also takes away what a transaction has pending for the log
// (G30): its marker then finds nothing. Kafka: OffsetMetadataManager, GroupMetadataManager.

#include <algorithm>
#include <set>

#include "model/group_shard.hpp"

namespace eos::model {

std::vector<LogId> GroupShard::logs_of(GroupId id) const {
    std::set<LogId> result;
    for (const auto& [log, entry] : offsets_.of(id)) result.insert(log);
    for (const auto& [producer, waiting] : offsets_.pending())
        for (const auto& [place, entry] : waiting)
            if (place.first == id) result.insert(place.second);
    for (const auto& w : writes_)
        for (const auto& record : w.records)
            if (const auto* offset = std::get_if<OffsetRecord>(&record);
                offset && offset->group == id && offset->offset)
                result.insert(offset->log);
    return {result.begin(), result.end()};
}

// An operator's reset is a commit without a member: refused while the group is active (G20 d).
// Simplified: the start of a log is offset 0; a consumer that finds less is told it is out of range
// and resets by its policy.
void GroupShard::reset_offsets(ShardStep& step, GroupId id, std::optional<LogId> log,
                               std::int64_t offset) {
    if (loading_) return;
    std::vector<LogId> logs;
    if (log)
        logs.push_back(*log);
    else
        for (const auto& [known, entry] : offsets_.of(id)) logs.push_back(known);
    auto error = ErrorCode::none;
    const auto* classic = group(id);
    const auto* other = modern(id);
    if ((classic && classic->state() != GroupState::empty) || (other && !other->members().empty()))
        error = ErrorCode::unknown_member_id;
    if (offset == -2) offset = 0;
    if (offset < 0) error = ErrorCode::offset_not_available;
    Write next;
    for (const auto target : logs) {
        const auto record = offset_record(id, target, Offset{offset}, step.ctx.wall);
        if (error == ErrorCode::none)
            next.records.push_back(record);
        else
            tell_refused(step, record, std::nullopt, nullptr, error);
    }
    if (!next.records.empty()) write(step, std::move(next));
}

ErrorCode GroupShard::deletable(GroupId id) const {
    if (loading_) return ErrorCode::coordinator_load_in_progress;
    const auto* classic = group(id);
    const bool dead = classic && classic->state() == GroupState::dead;
    return knows(id) && !dead ? ErrorCode::none : ErrorCode::group_id_not_found;
}

// Kafka: validateOffsetDelete, then each partition by itself.
std::vector<OffsetCommitResponse::Part> GroupShard::delete_offsets(ShardStep& step, GroupId id,
                                                                   const std::vector<LogId>& logs) {
    const auto* classic = group(id);
    const auto* other = modern(id);
    const auto error = deletable(id);
    const auto in_use = [&](LogId log) {
        const auto topic = step.topology.logs[static_cast<std::size_t>(log.value)].topic;
        return classic ? classic->may_read(topic) : other->subscribed(topic);
    };
    const auto known = logs_of(id);
    std::vector<OffsetCommitResponse::Part> results;
    Write next;
    for (const auto log : logs) {
        auto verdict = error;
        if (verdict == ErrorCode::none && in_use(log))
            verdict = ErrorCode::group_subscribed_to_topic;
        results.push_back({log, verdict});
        const auto tombstone = offset_record(id, log, {}, {});
        if (verdict != ErrorCode::none)
            tell_refused(step, tombstone, std::nullopt, nullptr, verdict);
        else if (std::binary_search(known.begin(), known.end(), log))
            next.records.push_back(tombstone);
    }
    if (!next.records.empty()) write(step, std::move(next));
    return results;
}

ErrorCode GroupShard::delete_group(ShardStep& step, GroupId id) {
    const auto* classic = group(id);
    const auto* other = modern(id);
    auto error = deletable(id);
    const auto in_use = [&] {
        return classic ? classic->state() != GroupState::empty : !other->members().empty();
    };
    if (error == ErrorCode::none && in_use()) error = ErrorCode::non_empty_group;
    const auto logs = logs_of(id);
    if (error != ErrorCode::none) {
        for (const auto log : logs)
            tell_refused(step, offset_record(id, log, {}, {}), std::nullopt, nullptr, error);
        return error;
    }
    Write next;
    for (const auto log : logs) next.records.push_back(offset_record(id, log, {}, {}));
    const auto generation = classic ? classic->generation() : other->epoch();
    next.persist = GroupPersist{
        .why = GroupPersist::Why::deleted, .generation = generation, .member = {}, .before = {}};
    if (classic) {
        GroupMetadataRecord gone;
        gone.group = id;
        gone.tombstone = true;
        next.records.push_back(gone);
        with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.step_aside(s); });
        next.before = *classic;
    } else {
        ModernGroupRecord gone;
        gone.group = id;
        gone.tombstone = true;
        next.records.push_back(gone);
        next.before = *other;
    }
    // It is gone from now on: who comes meanwhile founds another one (G18).
    groups_.erase(id);
    modern_.erase(id);
    write(step, std::move(next));
    return error;
}

void GroupShard::on_partitions_deleted(ShardStep& step, const std::vector<LogId>& logs) {
    if (loading_) return;
    std::set<GroupId> groups;
    for (const auto& [id, unused] : groups_) groups.insert(id);
    for (const auto& [id, unused] : modern_) groups.insert(id);
    Write next;
    for (const auto id : groups)
        for (const auto log : logs_of(id))
            if (std::find(logs.begin(), logs.end(), log) != logs.end())
                next.records.push_back(offset_record(id, log, {}, {}));
    if (!next.records.empty()) write(step, std::move(next));
}

}  // namespace eos::model
