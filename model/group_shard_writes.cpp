// What a shard has asked its log to take: release when it is replicated, failure, time-out (G2-G4).

#include <algorithm>
#include <type_traits>

#include "model/group_shard.hpp"

namespace eos::model {

Message with_error(Message answer, ErrorCode error) {
    std::visit(
        [&](auto& a) {
            using A = std::decay_t<decltype(a)>;
            if constexpr (std::is_same_v<A, OffsetCommitResponse> ||
                          std::is_same_v<A, TxnOffsetCommitResponse>) {
                for (auto& part : a.parts)
                    if (part.error == ErrorCode::none) part.error = error;
            } else if constexpr (std::is_same_v<A, ConsumerGroupHeartbeatResponse>) {
                a.error = error;
                a.assignment = std::nullopt;
            } else if constexpr (std::is_same_v<A, JoinGroupResponse>) {
                a.error = error;
                a.generation = std::nullopt;
            } else if constexpr (std::is_same_v<A, SyncGroupResponse>) {
                a.error = error;
                a.assignment.clear();
            } else if constexpr (std::is_same_v<A, LeaveGroupResponse>) {
                a.error = error;
            }
        },
        answer);
    return answer;
}

bool fences_member(ErrorCode error) {
    return error == ErrorCode::unknown_member_id || error == ErrorCode::illegal_generation ||
           error == ErrorCode::fenced_instance_id || error == ErrorCode::stale_member_epoch;
}

// --- records on their way
// -------------------------------------------------------------------------

void GroupShard::write(ShardStep& step, Write next) {
    next.token = next_token_++;
    next.deadline = step.ctx.now + step.config.offsets_commit_timeout;
    step.out.appends.push_back({log_, next.token, next.records, next.who});
    writes_.push_back(std::move(next));
    rearm_timeout(step);
}

void GroupShard::wait_for_writes(ShardStep& step, Read read) {
    if (writes_.empty()) return answer(step, read);
    read.deadline = step.ctx.now + step.config.offsets_commit_timeout;
    reads_.push_back(std::move(read));
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
    auto failed = std::move(*found);
    writes_.erase(found);
    const auto told_error = coordinator_error(error);
    for (const auto& record : failed.records) {
        const auto* offset = std::get_if<OffsetRecord>(&record);
        if (offset && offset->offset)
            tell_refused(step, *offset, failed.member, failed.who ? &*failed.who : nullptr,
                         told_error);
    }
    answer(step, failed, told_error);
    if (failed.before) roll_back(step, std::move(*failed.before));
    release_reads(step);
    rearm_timeout(step);
}

void GroupShard::on_high_watermark(ShardStep& step, Offset high_watermark) {
    high_watermark_ = std::max(high_watermark_, high_watermark);
    // While it loads, a shard has written only what it should not have served yet
    // (offsets_load_before_serving removed).
    release(step);
}

// Records take effect in the order of the log, whatever the order in which they were asked for.
void GroupShard::release(ShardStep& step) {
    const auto replicated = [&](const Write& w) {
        return w.base && w.next_offset() <= high_watermark_;
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
    if (done.marker) {
        for (const auto& one :
             offsets_.end_transaction(done.marker->producer, done.marker->type, *done.base)) {
            ensure_group(one.group);
            tell_committed(step, one.group, one.log, &one.entry, one.entry.member, done.replayed);
        }
        return;
    }
    auto at = *done.base;
    for (const auto& record : done.records) {
        if (const auto* offset = std::get_if<OffsetRecord>(&record)) apply(step, done, *offset, at);
        at = at.next();
    }
}

void GroupShard::apply(ShardStep& step, const Write& done, const OffsetRecord& offset, Offset at) {
    if (done.who) {  // G24: until the marker
        CommittedOffset as;
        as.member = done.member;
        as.txid = done.who->txid;
        as.txn = done.who->txn;
        const auto producer = done.who->producer_id;
        offsets_.suspend(offset, at, producer, as);
        ensure_group(offset.group);
        const auto& waiting = offsets_.pending().at(producer);
        tell_pending(step, offset.group, offset.log, producer,
                     waiting.at({offset.group, offset.log}));
        return;
    }
    if (!offsets_.apply(offset, at, done.member)) return;
    if (offset.offset) ensure_group(offset.group);
    tell_committed(step, offset.group, offset.log,
                   offset.offset ? offsets_.find(offset.group, offset.log) : nullptr, done.member,
                   done.replayed);
}

// Ends what waited for a write: a client, or the group itself.
void GroupShard::answer(ShardStep& step, const Write& done, ErrorCode error) {
    if (done.waiting)
        step.out.replies.push_back(
            {done.waiting->to, error == ErrorCode::none ? done.waiting->answer
                                                        : with_error(done.waiting->answer, error)});
    if (!done.persist) return;
    const auto id = std::visit([](const auto& r) { return r.group; }, done.records.back());
    if (done.persist->why == GroupPersist::Why::deleted) {
        if (error == ErrorCode::none)
            step.fx.reach(number(Mile::group_deleted),
                          told({{Fact::group, id.value},
                                {Fact::generation, done.persist->generation.value}}));
        return;
    }
    if (done.persist->why == GroupPersist::Why::removed) {
        if (error != ErrorCode::none || offsets_.any(id) || offsets_.any_pending(id)) return;
        const auto* classic = group(id);
        if (classic && classic->state() == GroupState::empty &&
            classic->generation() == done.persist->generation && classic->pending().empty())
            groups_.erase(id);
        const auto* other = modern(id);
        if (other && other->members().empty() && other->epoch() == done.persist->generation)
            modern_.erase(id);
        return;
    }
    const auto& record = std::get<GroupMetadataRecord>(done.records.back());
    with_group(step, id, [&](ClassicGroup& g, GroupStep& s) {
        if (error == ErrorCode::none)
            g.persisted(s, *done.persist, record);
        else
            g.persist_failed(s, *done.persist, error);
    });
}

void GroupShard::answer(ShardStep& step, const Read& read) const {
    if (const auto* fetch = std::get_if<OffsetFetchRequest>(&read.what))
        answer(step, read.to, *fetch);
    else
        step.out.replies.push_back({read.to, std::get<Message>(read.what)});
}

void GroupShard::refuse(ShardStep& step, const Read& read) const {
    const auto error = ErrorCode::not_coordinator;
    if (const auto* fetch = std::get_if<OffsetFetchRequest>(&read.what))
        step.out.replies.push_back({read.to, refuse_group_request(*fetch, error)});
    else
        step.out.replies.push_back({read.to, with_error(std::get<Message>(read.what), error)});
}

void GroupShard::release_reads(ShardStep& step) {
    const auto blocked = [&](const Read& read) {
        return std::any_of(writes_.begin(), writes_.end(),
                           [&](const Write& w) { return w.token < read.before; });
    };
    for (const auto& read : reads_)
        if (!blocked(read)) answer(step, read);
    std::erase_if(reads_, [&](const Read& read) { return !blocked(read); });
}

// G2, G4: the waiting ends, the record may still take effect.
void GroupShard::on_timeout(ShardStep& step) {
    std::vector<Write> late;
    for (auto& w : writes_) {
        if (!w.deadline || *w.deadline > step.ctx.now) continue;
        late.push_back(w);
        w.deadline = std::nullopt;
        w.waiting = std::nullopt;
        w.persist = std::nullopt;
    }
    for (const auto& w : late) answer(step, w, ErrorCode::coordinator_not_available);
    for (const auto& read : reads_)
        if (read.deadline <= step.ctx.now) refuse(step, read);
    std::erase_if(reads_, [&](const Read& read) { return read.deadline <= step.ctx.now; });
    rearm_timeout(step);
}

}  // namespace eos::model
