// Offsets at a shard: commits outside and inside transactions (G20-G24), reading them back (G26,
// G27), and how long they are kept (G31). Records take effect when they are replicated: see
// group_shard_writes.cpp; what an administrator does to them: see group_shard_deletion.cpp.

#include <algorithm>

#include "model/group_shard.hpp"

namespace eos::model {

// --- commits
// --------------------------------------------------------------------------------------

ErrorCode GroupShard::validate(ShardStep& step, const OffsetCommitRequest& request) const {
    auto error = ErrorCode::none;
    if (const auto* modern_group = modern(request.group))
        error = modern_group->validate_commit(request.member, request.version);
    else if (const auto* known = group(request.group))
        error = known->validate_commit(request.member, false);
    else if (request.member.generation)  // G20 a
        return request.version < 9 ? ErrorCode::illegal_generation : ErrorCode::group_id_not_found;
    if (!request.member.generation || !fences_member(error)) return error;
    // G20: a zombie's commit must not move the offsets of its successor.
    return step.guard.trips(Safeguard::generation_fencing, true) ? error : ErrorCode::none;
}

// OFF-1. Checked on arrival only: a rebalance that follows does not undo it (G24, G28).
ErrorCode GroupShard::validate(ShardStep& step, const TxnOffsetCommitRequest& request) const {
    const auto& member = request.member;
    auto error = ErrorCode::none;
    if (const auto* modern_group = modern(request.group))
        error = modern_group->validate_commit(member, std::nullopt);
    else if (const auto* known = group(request.group))
        error = known->validate_commit(member, true);
    else if (member.generation)
        error = ErrorCode::illegal_generation;
    if (error == ErrorCode::stale_member_epoch) error = ErrorCode::illegal_generation;
    if (!fences_member(error)) return error;
    // KAFKA-9365: before KIP-447 the request did not say who the member is.
    return step.guard.trips(Safeguard::txn_offset_generation_check, true) ? error : ErrorCode::none;
}

void GroupShard::tell_fenced(ShardStep& step, GroupId id, const MemberRef& member) const {
    auto facts = told({{Fact::group, id.value}});
    if (member.generation) facts.add(number(Fact::generation), member.generation->value);
    if (member.member)
        facts.add(number(Fact::member), static_cast<std::int64_t>(member.member->value));
    step.fx.reach(number(Mile::group_member_fenced), facts);
}

/// The records of a commit; what cannot be stored is only answered.
GroupShard::Write GroupShard::write_of(ShardStep& step, GroupId id,
                                       const std::vector<OffsetCommitRequest::Part>& parts,
                                       std::vector<OffsetCommitResponse::Part>& results,
                                       std::optional<ProducerId> producer) {
    Write next;
    for (const auto& part : parts) {
        const bool too_large = part.metadata_bytes > step.config.offset_metadata_max;
        results.push_back(
            {part.log, too_large ? ErrorCode::offset_metadata_too_large : ErrorCode::none});
        if (too_large) continue;
        auto record = offset_record(id, part.log, part.offset, step.ctx.wall);
        if (part.leader_epoch) record.leader_epoch = part.leader_epoch->value;
        next.records.push_back(record);
    }
    // KAFKA-16371: beside what is written everything asked for was noted as on its way.
    for (const auto& result : results) {
        const bool left = result.error != ErrorCode::none && !next.records.empty();
        if (left && !step.guard.trips(Safeguard::pending_only_for_appended, true))
            offsets_.leave_unresolved(id, result.log, producer);
    }
    return next;
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const OffsetCommitRequest& request) {
    if (const auto error = validate(step, request); error != ErrorCode::none) {
        if (fences_member(error)) tell_fenced(step, request.group, request.member);
        for (const auto& part : request.parts)
            tell_refused(step, offset_record(request.group, part.log, part.offset, {}),
                         request.member.member, nullptr, error);
        step.out.replies.push_back({to, refuse_group_request(request, error)});
        return;
    }
    OffsetCommitResponse answer{request.group, {}};
    auto next = write_of(step, request.group, request.parts, answer.parts, std::nullopt);
    if (next.records.empty()) {
        step.out.replies.push_back({to, std::move(answer)});
        return;
    }
    ensure_group(request.group);
    with_group(step, request.group,
               [&](ClassicGroup& g, GroupStep& s) { g.committed_by(s, request.member); });
    next.waiting = Waiting{to, std::move(answer)};
    next.member = request.member.member;
    write(step, std::move(next));
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const TxnOffsetCommitRequest& request) {
    if (const auto error = validate(step, request); error != ErrorCode::none) {
        if (fences_member(error)) tell_fenced(step, request.group, request.member);
        for (const auto& part : request.parts)
            tell_refused(step, offset_record(request.group, part.log, part.offset, {}),
                         request.member.member, &request.who, error);
        step.out.replies.push_back({to, refuse_group_request(request, error)});
        return;
    }
    TxnOffsetCommitResponse answer{request.who, request.group, {}};
    auto next = write_of(step, request.group, request.parts, answer.parts, request.who.producer_id);
    if (next.records.empty()) {
        step.out.replies.push_back({to, std::move(answer)});
        return;
    }
    ensure_group(request.group);
    next.waiting = Waiting{to, std::move(answer)};
    next.member = request.member.member;
    next.who = request.who;
    write(step, std::move(next));
}

void GroupShard::on_marker(ShardStep& step, ProducerId producer, ControlType type, Offset at) {
    if (loading_) return;  // the load comes by it
    Write end;
    end.token = next_token_++;
    end.base = at;
    end.marker = Marker{producer, type};
    writes_.push_back(std::move(end));
    release(step);
}

// --- reading
// --------------------------------------------------------------------------------------

void GroupShard::on(ShardStep& step, const ReplyTo& to, const OffsetFetchRequest& request) {
    if (const auto* known = modern(request.group)) {
        if (const auto error = known->validate_fetch(request); error != ErrorCode::none) {
            step.out.replies.push_back({to, refuse_group_request(request, error)});
            return;
        }
    }
    // G26: a stable read sees everything that was accepted before it. Kafka implements it as a
    // write without records, so with nothing on the way it is answered at once, even by a
    // coordinator that has been replaced without knowing (G8).
    if (!request.require_stable || writes_.empty() || loading_)
        answer(step, to, request);
    else
        wait_for_writes(step, {.before = next_token_, .deadline = {}, .to = to, .what = request});
}

void GroupShard::answer(ShardStep& step, const ReplyTo& to,
                        const OffsetFetchRequest& request) const {
    OffsetFetchResponse response{request.group, ErrorCode::none, {}};
    for (const auto log : request.logs) {
        OffsetFetchResponse::Part part;
        part.log = log;
        // G28: the successor must not start from an offset that a transaction already past its
        // generation check is about to replace.
        if (step.guard.trips(Safeguard::unstable_offset_commit,
                             request.require_stable && offsets_.unstable(request.group, log))) {
            part.error = ErrorCode::unstable_offset_commit;
            response.parts.push_back(part);
            auto facts = offset_facts(step, request.group, log);
            facts.add(number(Fact::error), static_cast<std::int64_t>(part.error));
            step.fx.reach(number(Mile::offsets_fetched), facts);
            continue;
        }
        if (const auto* entry = offsets_.find(request.group, log)) {
            part.offset = entry->offset;
            if (entry->leader_epoch >= 0) part.leader_epoch = LeaderEpoch{entry->leader_epoch};
        }
        response.parts.push_back(part);
        auto facts = offset_facts(step, request.group, log);
        if (part.offset) facts.add(number(Fact::offset), part.offset->value);
        step.fx.reach(number(Mile::offsets_fetched), facts);
    }
    step.out.replies.push_back({to, std::move(response)});
}

// --- expiry
// ---------------------------------------------------------------------------------------

void GroupShard::expire_offsets(ShardStep& step, std::optional<GroupId> only, Duration retention) {
    if (loading_) return;
    for (const auto& [id, group] : groups_)
        if (!only || *only == id) expire_offsets_of(step, group, retention);
    for (const auto& [id, group] : modern_)
        if (!only || *only == id) expire_offsets_of(step, group, retention);
}

// G31. While a group rebalances its subscriptions are not known, so nothing expires.
void GroupShard::expire_offsets_of(ShardStep& step, const ClassicGroup& group, Duration retention) {
    const bool empty = group.state() == GroupState::empty;
    const bool settled = empty || group.state() == GroupState::stable;
    if (group.state() == GroupState::dead) return;
    OffsetRetention rule{.now = step.ctx.wall, .retention = retention, .since = {}};
    if (empty && group.generation().value > 0) rule.since = group.state_since();
    Write next;
    for (const auto log : offsets_.expired(group.id(), rule)) {
        const auto topic = step.topology.logs[static_cast<std::size_t>(log.value)].topic;
        if (in_flight(group.id(), log) || (!empty && group.subscribed(topic))) continue;
        next.records.push_back(offset_record(group.id(), log, {}, {}));
    }
    if (step.guard.trips(Safeguard::no_expiry_while_unstable, !settled && !next.records.empty()))
        return;
    GroupMetadataRecord gone;
    gone.group = group.id();
    gone.tombstone = true;
    if (empty && group.pending().empty()) {
        next.persist = GroupPersist{.why = GroupPersist::Why::removed,
                                    .generation = group.generation(),
                                    .member = {},
                                    .before = {}};
    }
    forget(step, std::move(next), gone);
}

void GroupShard::expire_offsets_of(ShardStep& step, const ModernGroup& group, Duration retention) {
    Write next;
    for (const auto log : offsets_.expired(
             group.id(), {.now = step.ctx.wall, .retention = retention, .since = {}})) {
        const auto topic = step.topology.logs[static_cast<std::size_t>(log.value)].topic;
        if (in_flight(group.id(), log) || group.subscribed(topic)) continue;
        next.records.push_back(offset_record(group.id(), log, {}, {}));
    }
    ModernGroupRecord gone;
    gone.group = group.id();
    gone.tombstone = true;
    if (group.members().empty())
        next.persist = GroupPersist{.why = GroupPersist::Why::removed,
                                    .generation = group.epoch(),
                                    .member = {},
                                    .before = {}};
    forget(step, std::move(next), gone);
}

/// Writes the tombstones of offsets; with the last of them goes the group, if `persist` allows it.
void GroupShard::forget(ShardStep& step, Write next, const GroupRecord& of_group) {
    const auto id = std::visit([](const auto& r) { return r.group; }, of_group);
    if (next.persist && !writes_of(id) && !offsets_.any_pending(id) &&
        next.records.size() == offsets_.of(id).size())
        next.records.push_back(of_group);
    else
        next.persist.reset();
    if (!next.records.empty()) write(step, std::move(next));
}

bool GroupShard::in_flight(GroupId id, LogId log) const {
    return std::any_of(writes_.begin(), writes_.end(), [&](const Write& w) {
        return std::any_of(w.records.begin(), w.records.end(), [&](const GroupRecord& record) {
            const auto* offset = std::get_if<OffsetRecord>(&record);
            return offset && offset->group == id && offset->log == log;
        });
    });
}

bool GroupShard::writes_of(GroupId id) const {
    return std::any_of(writes_.begin(), writes_.end(), [&](const Write& w) {
        return std::any_of(w.records.begin(), w.records.end(), [&](const GroupRecord& record) {
            return std::visit([&](const auto& r) { return r.group == id; }, record);
        });
    });
}

// Whether something on its way holds the group itself, not only offsets.
bool GroupShard::rewritten(GroupId id) const {
    return std::any_of(writes_.begin(), writes_.end(), [&](const Write& w) {
        return std::any_of(w.records.begin(), w.records.end(), [&](const GroupRecord& record) {
            return !std::holds_alternative<OffsetRecord>(record) &&
                   std::visit([&](const auto& r) { return r.group == id; }, record);
        });
    });
}

// --- what is told
// ---------------------------------------------------------------------------------

sim::Facts GroupShard::offset_facts(const ShardStep& step, GroupId id, LogId log) const {
    const auto& entry = step.topology.logs[static_cast<std::size_t>(log.value)];
    return told({{Fact::group, id.value},
                 {Fact::topic, entry.topic.value},
                 {Fact::partition, entry.partition.value},
                 {Fact::log, log.value}});
}

void GroupShard::tell_refused(ShardStep& step, const OffsetRecord& record,
                              std::optional<MemberId> member, const TxnIdentity* who,
                              ErrorCode error) const {
    auto facts = offset_facts(step, record.group, record.log);
    if (record.offset) facts.add(number(Fact::offset), record.offset->value);
    facts.add(number(Fact::error), static_cast<std::int64_t>(error));
    if (member) facts.add(number(Fact::member), static_cast<std::int64_t>(member->value));
    if (who) facts.add(number(Fact::txid), who->txid.value);
    if (who && who->txn) facts.add(number(Fact::txn), who->txn->number);
    step.fx.reach(number(Mile::offsets_refused), facts);
}

void GroupShard::tell_committed(ShardStep& step, GroupId id, LogId log,
                                const CommittedOffset* entry, std::optional<MemberId> member,
                                bool replayed) const {
    OffsetCommitted change{step.ctx.self, id, log, std::nullopt, member, replayed};
    auto facts = offset_facts(step, id, log);
    if (entry) {
        change.offset = entry->offset;
        change.txn = entry->txn;
        facts.add(number(Fact::offset), entry->offset.value);
    }
    if (member) facts.add(number(Fact::member), static_cast<std::int64_t>(member->value));
    if (entry && entry->txid) facts.add(number(Fact::txid), entry->txid->value);
    if (entry && entry->txn) facts.add(number(Fact::txn), entry->txn->number);
    step.fx.observe(change);
    step.fx.reach(number(entry ? Mile::offsets_committed : Mile::offsets_expired), facts);
}

void GroupShard::tell_pending(ShardStep& step, GroupId id, LogId log, ProducerId producer,
                              const CommittedOffset& entry) const {
    step.fx.observe(OffsetPending{step.ctx.self, id, log, entry.offset, producer, entry.txn});
    auto facts = offset_facts(step, id, log);
    facts.add(number(Fact::offset), entry.offset.value);
    if (entry.member)
        facts.add(number(Fact::member), static_cast<std::int64_t>(entry.member->value));
    if (entry.txid) facts.add(number(Fact::txid), entry.txid->value);
    if (entry.txn) facts.add(number(Fact::txn), entry.txn->number);
    step.fx.reach(number(Mile::offsets_pending), facts);
}

}  // namespace eos::model
