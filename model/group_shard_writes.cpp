// What a shard has asked its log to take: release when it is replicated, failure, time-out (G2-G4),
// and what the coordinator writes of its own accord: expiry and an operator's orders.

#include <algorithm>

#include "model/group_shard.hpp"

namespace eos::model {

// --- records on their way
// -------------------------------------------------------------------------

void GroupShard::write(ShardStep& step, Write next) {
    next.token = next_token_++;
    next.deadline = step.ctx.now + step.config.offsets_commit_timeout;
    step.out.appends.push_back({log_, next.token, next.records});
    writes_.push_back(std::move(next));
    rearm_timeout(step);
}

void GroupShard::rearm_timeout(ShardStep& step) const {
    std::optional<sim::Instant> first;
    for (const auto& w : writes_)
        if (w.deadline) first = first ? std::min(*first, *w.deadline) : *w.deadline;
    for (const auto& r : reads_) first = first ? std::min(*first, r.deadline) : r.deadline;
    const auto timer = key(Tick::group_commit_timeout, static_cast<std::uint32_t>(log_.value));
    if (first)
        step.fx.arm(timer, std::max(*first - step.ctx.now, Duration{}));
    else
        step.fx.disarm(timer);
}

void GroupShard::appended(ShardStep& step, std::int64_t token, Offset base) {
    for (auto& w : writes_)
        if (w.token == token) w.base = base;
    release(step);
}

void GroupShard::append_failed(ShardStep& step, std::int64_t token, ErrorCode error) {
    const auto found = std::find_if(writes_.begin(), writes_.end(),
                                    [&](const Write& w) { return w.token == token; });
    if (found == writes_.end()) return;
    const auto failed = std::move(*found);
    writes_.erase(found);
    const auto told_error = coordinator_error(error);
    for (const auto& record : failed.records) {
        const auto* offset = std::get_if<OffsetRecord>(&record);
        if (offset && offset->offset) tell_refused(step, *offset, failed.member, told_error);
    }
    answer(step, failed, told_error);
    release_reads(step);
    rearm_timeout(step);
}

void GroupShard::on_high_watermark(ShardStep& step, Offset high_watermark) {
    high_watermark_ = std::max(high_watermark_, high_watermark);
    if (!loading_) release(step);
}

// Records take effect in the order of the log, whatever the order in which they were asked for.
void GroupShard::release(ShardStep& step) {
    const auto replicated = [&](const Write& w) {
        return w.base && *w.base + static_cast<std::int64_t>(w.records.size()) <= high_watermark_;
    };
    bool any = false;
    for (;;) {
        auto next = writes_.end();
        for (auto i = writes_.begin(); i != writes_.end(); ++i)
            if (replicated(*i) && (next == writes_.end() || i->base < next->base)) next = i;
        if (next == writes_.end()) break;
        any = true;
        const auto done = std::move(*next);
        writes_.erase(next);
        apply(step, done);
        answer(step, done, ErrorCode::none);
        release_reads(step);
    }
    if (any) rearm_timeout(step);
}

void GroupShard::apply(ShardStep& step, const Write& done) {
    auto at = *done.base;
    for (const auto& record : done.records) {
        if (const auto* offset = std::get_if<OffsetRecord>(&record)) {
            if (offsets_.apply(*offset, at)) {
                groups_.try_emplace(offset->group, ClassicGroup(offset->group));
                step.fx.observe(OffsetCommitted{step.ctx.self, offset->group, offset->log,
                                                offset->offset, done.member, done.replayed});
                auto facts = offset_facts(step, offset->group, offset->log);
                if (offset->offset) facts.add(number(Fact::offset), offset->offset->value);
                if (done.member)
                    facts.add(number(Fact::member), static_cast<std::int64_t>(done.member->value));
                step.fx.reach(
                    number(offset->offset ? Mile::offsets_committed : Mile::offsets_expired),
                    facts);
            }
        }
        at = at.next();
    }
}

// Ends what waited for a write: the client of an OffsetCommit, or the group itself.
void GroupShard::answer(ShardStep& step, const Write& done, ErrorCode error) {
    if (done.to) {
        OffsetCommitResponse response;
        for (const auto& record : done.records) {
            const auto& offset = std::get<OffsetRecord>(record);
            response.group = offset.group;
            response.parts.push_back({offset.log, error});
        }
        step.out.replies.push_back({*done.to, std::move(response)});
    }
    if (!done.persist) return;
    const auto& record = std::get<GroupMetadataRecord>(done.records.back());
    if (done.persist->why == GroupPersist::Why::removed) {
        const auto* known = group(record.group);
        if (error == ErrorCode::none && known && known->state() == GroupState::empty &&
            known->generation() == done.persist->generation && known->pending().empty() &&
            !offsets_.any(record.group))
            groups_.erase(record.group);
        return;
    }
    with_group(step, record.group, [&](ClassicGroup& g, GroupStep& s) {
        if (error == ErrorCode::none)
            g.persisted(s, *done.persist, record);
        else
            g.persist_failed(s, *done.persist, error);
    });
}

void GroupShard::release_reads(ShardStep& step) {
    const auto blocked = [&](const Read& read) {
        return std::any_of(writes_.begin(), writes_.end(),
                           [&](const Write& w) { return w.token < read.before; });
    };
    for (const auto& read : reads_)
        if (!blocked(read)) answer(step, read.to, read.request);
    std::erase_if(reads_, [&](const Read& read) { return !blocked(read); });
}

// G2, G4: the waiting ends, the record may still take effect.
void GroupShard::on_timeout(ShardStep& step) {
    std::vector<Write> late;
    for (auto& w : writes_) {
        if (!w.deadline || *w.deadline > step.ctx.now) continue;
        late.push_back(w);
        w.deadline = std::nullopt;
        w.to = std::nullopt;
        w.persist = std::nullopt;
    }
    for (const auto& w : late) answer(step, w, ErrorCode::coordinator_not_available);
    for (const auto& read : reads_)
        if (read.deadline <= step.ctx.now)
            step.out.replies.push_back(
                {read.to, refuse_group_request(read.request, ErrorCode::not_coordinator)});
    std::erase_if(reads_, [&](const Read& read) { return read.deadline <= step.ctx.now; });
    rearm_timeout(step);
}

bool GroupShard::in_flight(GroupId id, LogId log) const {
    return std::any_of(writes_.begin(), writes_.end(), [&](const Write& w) {
        return std::any_of(w.records.begin(), w.records.end(), [&](const GroupRecord& record) {
            const auto* offset = std::get_if<OffsetRecord>(&record);
            return offset && offset->group == id && offset->log == log;
        });
    });
}

// --- timers, expiry, orders
// -----------------------------------------------------------------------

void GroupShard::on_group_timer(ShardStep& step, const sim::TimerKey& timer) {
    const GroupId id{static_cast<std::int32_t>(timer.a)};
    with_group(step, id, [&](ClassicGroup& g, GroupStep& s) {
        const auto what = tick(timer);
        if (what == Tick::group_join) g.on_join_timer(s);
        if (what == Tick::group_sync) g.on_sync_timer(s);
        if (what == Tick::group_session) g.on_session_timer(s, timer.b);
        if (what == Tick::group_pending_member) g.on_pending_timer(s, timer.b);
    });
}

void GroupShard::expire_offsets(ShardStep& step, std::optional<GroupId> only, Duration retention) {
    if (loading_) return;
    for (const auto& [id, group] : groups_)
        if (!only || *only == id) expire_offsets_of(step, group, retention);
}

// G31. While a group rebalances its subscriptions are not known, so nothing expires.
void GroupShard::expire_offsets_of(ShardStep& step, const ClassicGroup& group, Duration retention) {
    const bool empty = group.state() == GroupState::empty;
    if (!empty && group.state() != GroupState::stable) return;
    OffsetRetention rule{.now = step.ctx.wall, .retention = retention, .since = {}};
    if (empty && group.generation().value > 0) rule.since = group.state_since();
    Write next;
    for (const auto log : offsets_.expired(group.id(), rule)) {
        const auto topic = step.topology.logs[static_cast<std::size_t>(log.value)].topic;
        if (in_flight(group.id(), log) || (!empty && group.subscribed(topic))) continue;
        next.records.push_back(offset_record(group.id(), log, {}, {}));
    }
    const bool busy = std::any_of(writes_.begin(), writes_.end(), [&](const Write& w) {
        return std::any_of(w.records.begin(), w.records.end(), [&](const GroupRecord& record) {
            return std::visit([&](const auto& r) { return r.group == group.id(); }, record);
        });
    });
    if (empty && !busy && group.pending().empty() &&
        next.records.size() == offsets_.of(group.id()).size()) {
        GroupMetadataRecord gone;
        gone.group = group.id();
        gone.tombstone = true;
        next.records.push_back(std::move(gone));
        next.persist = GroupPersist{.why = GroupPersist::Why::removed,
                                    .generation = group.generation(),
                                    .member = {},
                                    .before = {}};
    }
    if (!next.records.empty()) write(step, std::move(next));
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
    if (const auto* known = group(id); known && known->state() != GroupState::empty)
        error = ErrorCode::unknown_member_id;
    if (offset == -2) offset = 0;
    if (offset < 0) error = ErrorCode::offset_not_available;
    Write next;
    for (const auto target : logs) {
        const auto record = offset_record(id, target, Offset{offset}, step.ctx.wall);
        if (error == ErrorCode::none)
            next.records.push_back(record);
        else
            tell_refused(step, record, std::nullopt, error);
    }
    if (!next.records.empty()) write(step, std::move(next));
}

void GroupShard::rebalance(ShardStep& step, GroupId id) {
    with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.force_rebalance(s); });
}

void GroupShard::expel(ShardStep& step, GroupId id, std::optional<std::int64_t> node,
                       std::optional<std::int64_t> member) {
    const auto* known = group(id);
    if (!known || known->members().empty()) return;
    std::optional<MemberId> victim;
    if (!node && !member) {
        victim = known->members()[step.member_ids.below(known->members().size())].id;
    } else {
        for (const auto& m : known->members())
            if ((node && m.node && m.node->value == *node) ||
                (member && m.id.value == static_cast<std::uint64_t>(*member)))
                victim = m.id;
    }
    if (!victim) return;
    with_group(step, id, [&](ClassicGroup& g, GroupStep& s) { g.expel(s, *victim); });
}

void GroupShard::audit(const Context& ctx, Fx& fx) const {
    if (loading_) return;
    for (const auto& [id, group] : groups_) {
        GroupAudit result;
        result.broker = ctx.self;
        result.group = id;
        // Nobody in it and nobody on the way counts as settled.
        result.stable = group.state() == GroupState::stable || group.state() == GroupState::empty;
        result.members = static_cast<std::int32_t>(group.members().size());
        for (const auto& [log, entry] : offsets_.of(id))
            result.offsets.push_back({log, entry.offset});
        fx.observe(std::move(result));
    }
}

}  // namespace eos::model
