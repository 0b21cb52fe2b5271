#include "model/group_shard.hpp"

#include <algorithm>
#include <type_traits>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

// KAFKA-5600: how many batches one read of a load brings, where that matters.
constexpr std::int32_t batches_per_read = 8;

[[nodiscard]] GroupId group_of_record(const GroupRecord& record) {
    return std::visit([](const auto& r) { return r.group; }, record);
}

}  // namespace

Message refuse_group_request(const Message& request, ErrorCode error) {
    return std::visit(
        [&](const auto& r) -> Message {
            using R = std::decay_t<decltype(r)>;
            if constexpr (std::is_same_v<R, JoinGroupRequest>) {
                return JoinGroupResponse{.group = r.group,
                                         .error = error,
                                         .generation = {},
                                         .protocol = {},
                                         .leader = {},
                                         .member = r.member,
                                         .skip_assignment = false,
                                         .members = {}};
            } else if constexpr (std::is_same_v<R, SyncGroupRequest>) {
                return SyncGroupResponse{r.group, error, {}};
            } else if constexpr (std::is_same_v<R, HeartbeatRequest>) {
                return HeartbeatResponse{r.group, error};
            } else if constexpr (std::is_same_v<R, LeaveGroupRequest>) {
                return LeaveGroupResponse{r.group, error, {}};
            } else if constexpr (std::is_same_v<R, OffsetFetchRequest>) {
                return OffsetFetchResponse{r.group, error, {}};
            } else if constexpr (std::is_same_v<R, OffsetCommitRequest>) {
                OffsetCommitResponse answer{r.group, {}};
                for (const auto& part : r.parts) answer.parts.push_back({part.log, error});
                return answer;
            } else if constexpr (std::is_same_v<R, TxnOffsetCommitRequest>) {
                TxnOffsetCommitResponse answer{r.who, r.group, {}};
                for (const auto& part : r.parts) answer.parts.push_back({part.log, error});
                return answer;
            } else if constexpr (std::is_same_v<R, ConsumerGroupHeartbeatRequest>) {
                ConsumerGroupHeartbeatResponse answer;
                answer.group = r.group;
                answer.error = error;
                answer.member = r.member;
                answer.member_epoch = r.member_epoch;
                return answer;
            } else {
                return r;  // not a group request: the caller asked GroupCoordinator::handles
            }
        },
        request);
}

OffsetRecord offset_record(GroupId group, LogId log, std::optional<Offset> offset,
                           sim::Instant commit_time) {
    return {.group = group,
            .log = log,
            .offset = offset,
            .leader_epoch = -1,
            .commit_time = commit_time};
}

ErrorCode coordinator_error(ErrorCode log_error) {
    if (log_error == ErrorCode::none) return log_error;
    if (log_error == ErrorCode::unknown_topic_or_partition ||
        log_error == ErrorCode::not_enough_replicas ||
        log_error == ErrorCode::not_enough_replicas_after_append ||
        log_error == ErrorCode::request_timed_out)
        return ErrorCode::coordinator_not_available;
    if (log_error == ErrorCode::not_leader_or_follower ||
        log_error == ErrorCode::kafka_storage_error || log_error == ErrorCode::not_coordinator)
        return ErrorCode::not_coordinator;
    if (log_error == ErrorCode::network_exception) return ErrorCode::coordinator_load_in_progress;
    if (log_error == ErrorCode::message_too_large || log_error == ErrorCode::record_list_too_large)
        return ErrorCode::unknown_server_error;
    return log_error;
}

const ClassicGroup* GroupShard::group(GroupId id) const {
    const auto found = groups_.find(id);
    return found == groups_.end() ? nullptr : &found->second;
}

const ModernGroup* GroupShard::modern(GroupId id) const {
    const auto found = modern_.find(id);
    return found == modern_.end() ? nullptr : &found->second;
}

void GroupShard::place(ClassicGroup group) {
    modern_.erase(group.id());
    groups_.insert_or_assign(group.id(), std::move(group));
}

void GroupShard::place(ModernGroup group) {
    groups_.erase(group.id());
    modern_.insert_or_assign(group.id(), std::move(group));
}

// Offsets belong to some group: a "simple" one if nobody manages it (G20 a).
void GroupShard::ensure_group(GroupId id) {
    if (!knows(id)) groups_.emplace(id, ClassicGroup(id));
}

// --- loading and unloading
// ------------------------------------------------------------------------

void GroupShard::replay(Guard& guard, const Batch& batch, Offset high_watermark) {
    high_watermark_ = std::max(high_watermark_, high_watermark);
    replayed_end_ = batch.next_offset();
    if (replayed_batches_++ % batches_per_read == 0) chunk_first_ = batch.base;
    const bool replicated = batch.next_offset() <= high_watermark;
    Write tail;
    if (batch.control && batch.producer_id) {  // OFF-6
        tail.marker = Marker{*batch.producer_id, *batch.control};
        if (replicated)
            (void)offsets_.end_transaction(*batch.producer_id, *batch.control, batch.base);
    } else if (batch.transactional && batch.producer_id) {
        tail.who = TxnIdentity{batch.txid.value_or(TransactionalId{-1}), *batch.producer_id,
                               batch.producer_epoch, batch.txn};
    }
    auto at = batch.base;
    for (const auto& record : batch.payload.group_records()) {
        const auto* offset = std::get_if<OffsetRecord>(&record);
        if (!offset) {
            replayed_.insert_or_assign(group_of_record(record), record);
        } else if (replicated && tail.who) {
            CommittedOffset as;
            as.txid = batch.txid;
            as.txn = batch.txn;
            offsets_.suspend(*offset, at, *batch.producer_id, as);
        } else if (replicated) {
            // KAFKA-5600: what an earlier read has published is not written over.
            const auto* known = offsets_.find(offset->group, offset->log);
            const bool published = known && known->record < chunk_first_;
            if (!published || guard.trips(Safeguard::load_folds_whole_log, true))
                offsets_.apply(*offset, at);
        }
        if (!replicated) tail.records.push_back(record);
        at = at.next();
    }
    if (replicated || (tail.records.empty() && !tail.marker)) return;
    tail.token = next_token_++;
    tail.base = batch.base;
    tail.replayed = true;
    writes_.push_back(std::move(tail));
}

void GroupShard::resume(GroupFold fold) {
    offsets_ = std::move(fold.offsets);
    replayed_ = std::move(fold.groups);
    replayed_batches_ = fold.batches;
    chunk_first_ = fold.chunk_first;
}

void GroupShard::loaded(ShardStep& step) {
    loading_ = false;
    for (const auto& [id, record] : replayed_) {
        // A group that was served before the load ended stays (offsets_load_before_serving
        // removed).
        if (knows(id)) continue;
        if (const auto* modern = std::get_if<ModernGroupRecord>(&record)) {
            if (modern->tombstone) continue;
            sim::ensure(!step.guard.set.has(Safeguard::revoking_keeps_owner) ||
                            !ModernGroup::owned_twice(*modern),
                        "a log of a modern group has one owner at most");
            auto& group = modern_.emplace(id, ModernGroup::restored(*modern)).first->second;
            auto inner = step.modern();
            group.resume(inner);
        } else if (const auto& classic = std::get<GroupMetadataRecord>(record);
                   !classic.tombstone) {
            groups_.emplace(id, ClassicGroup::restored(classic));
            with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.resume(s); });
        }
    }
    replayed_.clear();
    for (const auto& [key, entry] : offsets_.entries()) {
        ensure_group(key.first);
        step.fx.observe(OffsetCommitted{step.ctx.self, key.first, key.second, entry.offset,
                                        std::nullopt, true, entry.txn});
    }
    for (const auto& [producer, waiting] : offsets_.pending())
        for (const auto& [key, entry] : waiting) {
            ensure_group(key.first);
            tell_pending(step, key.first, key.second, producer, entry);
        }
    // Kafka asks nobody: only a marker decides (OFF-7).
    if (!step.guard.set.has(Safeguard::pending_until_marker))
        step.fx.arm(key(Tick::group_pending_expiry, static_cast<std::uint32_t>(log_.value)),
                    step.config.transaction_timeout_check);
    release(step);
}

// REDPANDA-10669: what a coordinator finds pending when it takes over it asks the transaction's
// coordinator about, and asks a wrong one, which knows of no transaction: "abort".
// Simplified: the question is not sent, its answer is certain.
void GroupShard::on_pending_expiry(ShardStep& step) {
    if (!offsets_.any_pending_below(replayed_end_)) return;
    if (!step.guard.trips(Safeguard::pending_until_marker, true))
        offsets_.give_up_pending(replayed_end_);
}

void GroupShard::unload(ShardStep& step) {
    const auto writes = std::move(writes_);
    const auto reads = std::move(reads_);
    writes_.clear();
    reads_.clear();
    for (const auto& write : writes)
        if (write.waiting)
            step.out.replies.push_back(
                {write.waiting->to, with_error(write.waiting->answer, ErrorCode::not_coordinator)});
    for (const auto& read : reads) refuse(step, read);
    for (auto& [id, group] : groups_)
        with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.unload(s); });
    for (auto& [id, group] : modern_) {
        auto inner = step.modern();
        group.unload(inner);
    }
    groups_.clear();
    modern_.clear();
    rearm_timeout(step);
}

// --- requests
// -------------------------------------------------------------------------------------

void GroupShard::on_request(ShardStep& step, const ReplyTo& to, const Message& message) {
    if (step.guard.trips(Safeguard::offsets_load_before_serving, loading_)) {
        // R17: a heartbeat is answered kindly, so that clients keep their session.
        const auto error = std::holds_alternative<HeartbeatRequest>(message)
                               ? ErrorCode::none
                               : ErrorCode::coordinator_load_in_progress;
        step.out.replies.push_back({to, refuse_group_request(message, error)});
        return;
    }
    std::visit(
        [&](const auto& request) {
            if constexpr (requires { on(step, to, request); }) on(step, to, request);
        },
        message);
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const JoinGroupRequest& request) {
    auto error = ErrorCode::none;
    if (request.session_timeout < step.config.group_min_session ||
        request.session_timeout > step.config.group_max_session)
        error = ErrorCode::invalid_session_timeout;
    else if (const auto* other = modern(request.group); other && !other->members().empty())
        return join_modern(step, to, request);
    else if (request.member && !group(request.group))
        error = ErrorCode::unknown_member_id;
    if (error != ErrorCode::none) {
        step.out.replies.push_back({to, refuse_group_request(request, error)});
        return;
    }
    modern_.erase(request.group);
    groups_.try_emplace(request.group, ClassicGroup(request.group));
    MemberId fresh;
    if (!request.member) fresh = {step.member_ids.next()};
    with_group(step, request.group,
               [&](ClassicGroup& g, GroupStep& s) { g.join(s, to, request, fresh); });
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const SyncGroupRequest& request) {
    if (const auto found = modern_.find(request.group); found != modern_.end()) {
        auto inner = step.modern();
        auto answer = found->second.sync(inner, request, to.client);
        if (answer.error == ErrorCode::none)
            return wait_for_writes(step, {next_token_, {}, to, std::move(answer)});
        step.out.replies.push_back({to, std::move(answer)});
        return;
    }
    if (!group(request.group)) {
        step.out.replies.push_back(
            {to, refuse_group_request(request, ErrorCode::unknown_member_id)});
        return;
    }
    with_group(step, request.group, [&](ClassicGroup& g, GroupStep& s) { g.sync(s, to, request); });
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const HeartbeatRequest& request) {
    auto error = ErrorCode::unknown_member_id;
    with_group(step, request.group, [&](ClassicGroup& g, GroupStep& s) {
        error = g.heartbeat(s, request.member, to.client);
    });
    if (const auto found = modern_.find(request.group); found != modern_.end()) {
        auto inner = step.modern();
        error = found->second.heartbeat(inner, request.member, to.client);
    }
    step.out.replies.push_back({to, HeartbeatResponse{request.group, error}});
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const LeaveGroupRequest& request) {
    LeaveGroupResponse answer{request.group, ErrorCode::none, {}};
    if (const auto found = modern_.find(request.group); found != modern_.end()) {
        auto before = found->second;
        auto inner = step.modern();
        answer = found->second.leave(inner, request);
        return commit(step, std::move(before), Waiting{to, std::move(answer)});
    }
    if (!group(request.group)) answer.error = ErrorCode::unknown_member_id;
    with_group(step, request.group,
               [&](ClassicGroup& g, GroupStep& s) { answer = g.leave(s, request); });
    step.out.replies.push_back({to, std::move(answer)});
}

}  // namespace eos::model
