#include "model/group_shard.hpp"

#include <algorithm>
#include <type_traits>

namespace eos::model {
namespace {

[[nodiscard]] bool fencing(ErrorCode error) {
    return error == ErrorCode::unknown_member_id || error == ErrorCode::illegal_generation ||
           error == ErrorCode::fenced_instance_id;
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
    return ErrorCode::unknown_server_error;
}

const ClassicGroup* GroupShard::group(GroupId id) const {
    const auto found = groups_.find(id);
    return found == groups_.end() ? nullptr : &found->second;
}

// --- loading and unloading
// ------------------------------------------------------------------------

void GroupShard::replay(const Batch& batch, Offset high_watermark) {
    high_watermark_ = std::max(high_watermark_, high_watermark);
    Write unreplicated;
    auto at = batch.base;
    for (const auto& record : batch.payload.group_records()) {
        if (const auto* metadata = std::get_if<GroupMetadataRecord>(&record)) {
            replayed_.insert_or_assign(metadata->group, *metadata);
        } else if (batch.next_offset() <= high_watermark) {
            offsets_.apply(std::get<OffsetRecord>(record), at);
        }
        unreplicated.records.push_back(record);
        at = at.next();
    }
    if (batch.next_offset() <= high_watermark || unreplicated.records.empty()) return;
    unreplicated.token = next_token_++;
    unreplicated.base = batch.base;
    unreplicated.replayed = true;
    writes_.push_back(std::move(unreplicated));
}

void GroupShard::loaded(ShardStep& step) {
    loading_ = false;
    for (const auto& [id, record] : replayed_) {
        // A group that was served before the load ended stays (offsets_load_before_serving
        // removed).
        if (record.tombstone || groups_.contains(id)) continue;
        groups_.emplace(id, ClassicGroup::restored(record));
        with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.resume(s); });
    }
    replayed_.clear();
    for (const auto& [key, entry] : offsets_.entries()) {
        const auto& [group, log] = key;
        groups_.try_emplace(group, ClassicGroup(group));
        step.fx.observe(
            OffsetCommitted{step.ctx.self, group, log, entry.offset, std::nullopt, true});
    }
    release(step);
}

void GroupShard::unload(ShardStep& step) {
    for (const auto& write : writes_) {
        if (!write.to) continue;
        OffsetCommitResponse response;
        for (const auto& record : write.records) {
            const auto& offset = std::get<OffsetRecord>(record);
            response.group = offset.group;
            response.parts.push_back({offset.log, ErrorCode::not_coordinator});
        }
        step.out.replies.push_back({*write.to, std::move(response)});
    }
    for (const auto& read : reads_)
        step.out.replies.push_back(
            {read.to, refuse_group_request(read.request, ErrorCode::not_coordinator)});
    writes_.clear();
    reads_.clear();
    for (auto& [id, group] : groups_)
        with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.unload(s); });
    groups_.clear();
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
    else if (request.member && !group(request.group))
        error = ErrorCode::unknown_member_id;
    if (error != ErrorCode::none) {
        step.out.replies.push_back({to, refuse_group_request(request, error)});
        return;
    }
    groups_.try_emplace(request.group, ClassicGroup(request.group));
    MemberId fresh;
    if (!request.member) fresh = {step.member_ids.next()};
    with_group(step, request.group,
               [&](ClassicGroup& g, GroupStep& s) { g.join(s, to, request, fresh); });
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const SyncGroupRequest& request) {
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
    step.out.replies.push_back({to, HeartbeatResponse{request.group, error}});
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const LeaveGroupRequest& request) {
    LeaveGroupResponse answer{request.group, ErrorCode::none, {}};
    if (!group(request.group)) answer.error = ErrorCode::unknown_member_id;
    with_group(step, request.group,
               [&](ClassicGroup& g, GroupStep& s) { answer = g.leave(s, request); });
    step.out.replies.push_back({to, std::move(answer)});
}

ErrorCode GroupShard::validate(ShardStep& step, const OffsetCommitRequest& request) const {
    const auto* known = group(request.group);
    if (!known)  // G20 a
        return request.member.generation ? ErrorCode::group_id_not_found : ErrorCode::none;
    const auto error = known->validate_commit(request.member);
    if (!request.member.generation || !fencing(error)) return error;
    // G20: a zombie's commit must not move the offsets of its successor.
    return step.guard.trips(Safeguard::generation_fencing, true) ? error : ErrorCode::none;
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const OffsetCommitRequest& request) {
    if (const auto error = validate(step, request); error != ErrorCode::none) {
        if (fencing(error)) {
            auto facts = told({{Fact::group, request.group.value}});
            if (request.member.generation)
                facts.add(number(Fact::generation), request.member.generation->value);
            if (request.member.member)
                facts.add(number(Fact::member),
                          static_cast<std::int64_t>(request.member.member->value));
            step.fx.reach(number(Mile::group_member_fenced), facts);
        }
        for (const auto& part : request.parts)
            tell_refused(step, offset_record(request.group, part.log, part.offset, {}),
                         request.member.member, error);
        step.out.replies.push_back({to, refuse_group_request(request, error)});
        return;
    }
    if (request.parts.empty()) {
        step.out.replies.push_back({to, OffsetCommitResponse{request.group, {}}});
        return;
    }
    groups_.try_emplace(request.group, ClassicGroup(request.group));
    with_group(step, request.group,
               [&](ClassicGroup& g, GroupStep& s) { g.committed_by(s, request.member); });
    Write next;
    for (const auto& part : request.parts) {
        auto record = offset_record(request.group, part.log, part.offset, step.ctx.wall);
        if (part.leader_epoch) record.leader_epoch = part.leader_epoch->value;
        next.records.push_back(record);
    }
    next.to = to;
    next.member = request.member.member;
    write(step, std::move(next));
}

void GroupShard::on(ShardStep& step, const ReplyTo& to, const OffsetFetchRequest& request) {
    // G26: a stable read sees everything that was accepted before it. Kafka implements it as a
    // write without records, so with nothing on the way it is answered at once, even by a
    // coordinator that has been replaced without knowing (G8).
    if (!request.require_stable || writes_.empty() || loading_) {
        answer(step, to, request);
        return;
    }
    reads_.push_back({.before = next_token_,
                      .deadline = step.ctx.now + step.config.offsets_commit_timeout,
                      .to = to,
                      .request = request});
    rearm_timeout(step);
}

void GroupShard::answer(ShardStep& step, const ReplyTo& to,
                        const OffsetFetchRequest& request) const {
    OffsetFetchResponse response{request.group, ErrorCode::none, {}};
    for (const auto log : request.logs) {
        OffsetFetchResponse::Part part;
        part.log = log;
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

sim::Facts GroupShard::offset_facts(const ShardStep& step, GroupId id, LogId log) const {
    const auto& entry = step.topology.logs[static_cast<std::size_t>(log.value)];
    return told({{Fact::group, id.value},
                 {Fact::topic, entry.topic.value},
                 {Fact::partition, entry.partition.value},
                 {Fact::log, log.value}});
}

void GroupShard::tell_refused(ShardStep& step, const OffsetRecord& record,
                              std::optional<MemberId> member, ErrorCode error) const {
    auto facts = offset_facts(step, record.group, record.log);
    if (record.offset) facts.add(number(Fact::offset), record.offset->value);
    facts.add(number(Fact::error), static_cast<std::int64_t>(error));
    if (member) facts.add(number(Fact::member), static_cast<std::int64_t>(member->value));
    step.fx.reach(number(Mile::offsets_refused), facts);
}

}  // namespace eos::model
