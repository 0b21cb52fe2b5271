// Consumer: where to start reading (C4-C6, C19), and whether what was read is still there
// (C21-C24).

#include <algorithm>
#include <utility>

#include "model/consumer.hpp"

namespace eos::model {

using namespace consumer_part;

namespace {

/// Logs grouped by the broker that leads them, in the order of the logs.
template <class Part>
std::vector<Part>& of_broker(std::vector<std::pair<BrokerId, std::vector<Part>>>& groups,
                             BrokerId broker) {
    for (auto& group : groups)
        if (group.first == broker) return group.second;
    groups.emplace_back(broker, std::vector<Part>{});
    return groups.back().second;
}

bool authorization_failed(ErrorCode error) {
    return error == ErrorCode::topic_authorization_failed ||
           error == ErrorCode::cluster_authorization_failed;
}

}  // namespace

LeaderAndEpoch Consumer::leader_of(LogId log) const {
    return {metadata_.leader(log), metadata_.leader_epoch(log)};
}

void Consumer::update_leaders() {
    if (metadata_seen_ == metadata_.version()) return;
    metadata_seen_ = metadata_.version();
    for (auto& part : subscriptions_.assigned())
        subscriptions_.update_leader(part, leader_of(part.log), guard_);
}

void Consumer::want_leaders() {
    if (!metadata_.stale()) metadata_.request_refresh();
}

void Consumer::tell_position(LogId log, Offset offset, PositionSet::Why why, Fx& fx) const {
    fx.observe(PositionSet{process_, log, offset, why});
}

void Consumer::seek_to(const Context& ctx, const std::vector<LogId>& logs, OffsetSpec spec,
                       Fx& fx) {
    for (const LogId log : logs)
        if (auto* part = subscriptions_.find(log)) subscriptions_.reset(*part, {spec, false});
    go_on(ctx, fx);
}

void Consumer::reset_by_policy(AssignedLog& part, CallResult otherwise, ErrorCode error) {
    if (const auto how = reset_by(config_->offset_reset))
        subscriptions_.reset(part, *how);
    else
        fail(otherwise, error);
}

// --- one step of poll ----------------------------------------------------------------------------

/// False while committed offsets are awaited: they hold up the poll (C4).
bool Consumer::step_positions(const Context& ctx, Fx& fx) {
    step_validations(ctx, fx);
    if (subscriptions_.any(FetchState::initializing)) {
        std::vector<LogId> logs;
        for (const auto& part : subscriptions_.assigned())
            if (part.state == FetchState::initializing) logs.push_back(part.log);
        if (config_->group) {
            (void)step_offset_fetch(ctx, std::move(logs), 0, fx);
            return false;
        }
        for (auto& part : subscriptions_.assigned())
            if (part.state == FetchState::initializing)
                reset_by_policy(part, CallResult::no_offset, ErrorCode::none);
    }
    step_resets(ctx, fx);
    return true;
}

/// True if the request was sent.
bool Consumer::step_offset_fetch(const Context& ctx, std::vector<LogId> logs, std::int32_t rewind,
                                 Fx& fx) {
    if (offset_fetch_.asking || ctx.now < offset_fetch_.retry_at) return false;
    if (!find_coordinator(ctx, fx)) return false;
    offset_fetch_.asking = true;
    OffsetFetchRequest request{.group = *config_->group, .logs = logs, .require_stable = true};
    if (modern() && modern_.epoch() > 0) {
        request.member = modern_.ref().member;
        request.member_epoch = modern_.epoch();
    }
    send(ctx, coordinator_peer(), std::move(request), config_->client.request_timeout,
         sent::Committed{std::move(logs), rewind}, fx);  // O12, O13
    return true;
}

void Consumer::step_resets(const Context& ctx, Fx& fx) {
    std::vector<std::pair<BrokerId, std::vector<ListOffsetsRequest::Part>>> groups;
    for (auto& part : subscriptions_.assigned()) {
        if (part.state != FetchState::await_reset || part.asked || part.retry_at > ctx.now)
            continue;
        const auto leader = leader_of(part.log);
        if (!leader.leader)
            want_leaders();
        else if (ready(ctx, {*leader.leader, fetch_lane}, fx))
            of_broker(groups, *leader.leader).push_back({part.log, part.reset->spec, leader.epoch});
    }
    for (auto& [broker, parts] : groups) {
        sent::Reset what;
        for (const auto& part : parts) {
            what.parts.push_back({part.log, part.spec});
            subscriptions_.find(part.log)->asked = true;
        }
        ListOffsetsRequest request;
        request.isolation = config_->isolation;
        request.parts = std::move(parts);
        send(ctx, {broker, fetch_lane}, std::move(request), config_->client.request_timeout,
             std::move(what), fx);
    }
}

void Consumer::step_validations(const Context& ctx, Fx& fx) {
    using Request = OffsetForLeaderEpochRequest;
    std::vector<std::pair<BrokerId, std::vector<Request::Part>>> groups;
    for (auto& part : subscriptions_.assigned()) {
        if (part.state != FetchState::await_validation || part.asked || part.retry_at > ctx.now)
            continue;
        const auto& leader = part.position->leader;
        if (!leader.leader)
            want_leaders();
        else if (ready(ctx, {*leader.leader, fetch_lane}, fx))
            of_broker(groups, *leader.leader)
                .push_back({part.log, *part.position->offset_epoch, leader.epoch});
    }
    for (auto& [broker, parts] : groups) {
        sent::Validate what;
        for (const auto& part : parts) {
            auto* log = subscriptions_.find(part.log);
            what.parts.push_back({part.log, *log->position});
            log->asked = true;
        }
        send(ctx, {broker, fetch_lane}, Request{std::move(parts)}, config_->client.request_timeout,
             std::move(what), fx);
    }
}

// --- answers -------------------------------------------------------------------------------------

void Consumer::ended(const Context& ctx, const sent::Committed& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    const auto* response = answer ? std::get_if<OffsetFetchResponse>(answer) : nullptr;
    ErrorCode error = response ? response->error : outcome.error();
    if (response && error == ErrorCode::none)
        for (const auto& part : response->parts)
            if (error == ErrorCode::none) error = part.error;
    if (error == ErrorCode::none) {
        offset_fetch_ = {};
        const bool rewind = sent.rewind != 0 && call_ &&
                            std::holds_alternative<call::Rewind>(call_->what) &&
                            std::get<call::Rewind>(call_->what).number == sent.rewind;
        if (sent.rewind != 0 && !rewind) return;
        for (const auto& part : response->parts) take_committed(part, rewind, fx);
        if (rewind) finish_rewind();
        return;
    }
    failed(ctx, offset_fetch_);
    // One log with a pending transactional offset holds up all of them (O12).
    if (!response || error == ErrorCode::not_coordinator ||
        error == ErrorCode::coordinator_not_available) {
        apply(ctx, CoordinatorVerdict::forget, outcome, fx);
    } else if (modern() &&
               (error == ErrorCode::stale_member_epoch || error == ErrorCode::unknown_member_id)) {
        // O11: asked again under the epoch that the heartbeat brings. Simplified: a member that is
        // unknown waits for its heartbeat to tell; Kafka's poll() throws.
    } else if (!retriable(error) || error == ErrorCode::unknown_topic_or_partition) {
        fail(CallResult::fatal, error);
    }
}

void Consumer::take_committed(const OffsetFetchResponse::Part& told, bool rewind, Fx& fx) {
    auto* part = subscriptions_.find(told.log);
    if (part == nullptr || (!rewind && part->state != FetchState::initializing)) return;
    if (!told.offset) {
        reset_by_policy(*part, CallResult::no_offset, ErrorCode::none);
        return;
    }
    // Simplified: the committed epoch does not make older metadata of the log unusable.
    subscriptions_.seek(*part, {*told.offset, told.leader_epoch, leader_of(told.log)}, guard_);
    tell_position(told.log, *told.offset, PositionSet::Why::committed, fx);
}

void Consumer::ended(const Context& ctx, const sent::Reset& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    const auto* response = answer ? std::get_if<ListOffsetsResponse>(answer) : nullptr;
    for (const auto& asked : sent.parts) {
        ListOffsetsResponse::Part told{asked.log, outcome.error(), {}, {}};
        if (response) {
            const auto found = std::find_if(response->parts.begin(), response->parts.end(),
                                            [&](const auto& p) { return p.log == asked.log; });
            if (found == response->parts.end()) continue;
            told = *found;
        }
        take_reset(ctx, asked, told, fx);
    }
}

void Consumer::take_reset(const Context& ctx, const sent::Reset::Part& asked,
                          const ListOffsetsResponse::Part& told, Fx& fx) {
    auto* part = subscriptions_.find(told.log);
    if (part == nullptr || part->state != FetchState::await_reset || !part->asked ||
        part->reset->spec != asked.spec)
        return;
    if (told.error != ErrorCode::none) {
        part->asked = false;
        part->retry_at = ctx.now + config_->client.retry_backoff;
        metadata_.request_refresh();
        if (authorization_failed(told.error)) fail(CallResult::fatal, told.error);
        return;
    }
    const bool by_policy = part->reset->by_policy;
    // C23: a position from ListOffsets has no epoch, so its validation is skipped.
    subscriptions_.seek(*part, {told.offset, std::nullopt, leader_of(told.log)}, guard_);
    tell_position(told.log, told.offset,
                  by_policy ? PositionSet::Why::reset : PositionSet::Why::seek, fx);
    if (!by_policy) return;
    const auto& log = topology_->logs[static_cast<std::size_t>(told.log.value)];
    auto facts = model::told({{Fact::topic, log.topic.value},
                              {Fact::partition, log.partition.value},
                              {Fact::log, told.log.value},
                              {Fact::offset, told.offset.value}});
    if (config_->group) facts.add(number(Fact::group), config_->group->value);
    fx.reach(number(Mile::offsets_reset), facts);
}

void Consumer::ended(const Context& ctx, const sent::Validate& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    const auto* response = answer ? std::get_if<OffsetForLeaderEpochResponse>(answer) : nullptr;
    for (const auto& asked : sent.parts) {
        OffsetForLeaderEpochResponse::Part told{asked.log, outcome.error(), {}};
        if (response) {
            const auto found = std::find_if(response->parts.begin(), response->parts.end(),
                                            [&](const auto& p) { return p.log == asked.log; });
            if (found == response->parts.end()) continue;
            told = *found;
        }
        take_validation(ctx, asked, told, fx);
    }
}

void Consumer::take_validation(const Context& ctx, const sent::Validate::Part& asked,
                               const OffsetForLeaderEpochResponse::Part& told, Fx& fx) {
    auto* part = subscriptions_.find(asked.log);
    if (part == nullptr) return;
    if (told.error != ErrorCode::none) {
        if (part->state != FetchState::await_validation || part->position != asked.asked) return;
        part->asked = false;
        part->retry_at = ctx.now + config_->client.retry_backoff;
        metadata_.request_refresh();
        if (authorization_failed(told.error)) fail(CallResult::fatal, told.error);
        return;
    }
    switch (subscriptions_.validate(*part, asked.asked, told.end)) {
        case SubscriptionState::Validation::stale:
        case SubscriptionState::Validation::valid:
            return;
        case SubscriptionState::Validation::undefined:
            part->asked = false;
            reset_by_policy(*part, CallResult::log_truncation, ErrorCode::none);
            return;
        case SubscriptionState::Validation::truncated:
            part->asked = false;
            if (config_->offset_reset == OffsetReset::none) {
                fail(CallResult::log_truncation, ErrorCode::none);
                return;
            }
            part->state = FetchState::fetching;
            part->position->offset = *told.end.end;
            part->position->offset_epoch = told.end.epoch;
            tell_position(asked.log, *told.end.end, PositionSet::Why::truncated, fx);
            return;
    }
}

// --- calls ---------------------------------------------------------------------------------------

void Consumer::run_rewind(const Context& ctx, std::int32_t number, Fx& fx) {
    if (failure_ || subscriptions_.assigned().empty()) {
        finish_rewind();
        return;
    }
    if (!config_->group) {
        for (auto& part : subscriptions_.assigned())
            reset_by_policy(part, CallResult::no_offset, ErrorCode::none);
        finish_rewind();
        return;
    }
    if (ctx.now >= call_->deadline) {
        finish(consumer_event::RewindDone{CallResult::timed_out, ErrorCode::request_timed_out});
        return;
    }
    (void)step_offset_fetch(ctx, subscriptions_.logs(), number, fx);
}

void Consumer::finish_rewind() {
    const auto failure =
        std::exchange(failure_, std::nullopt).value_or(Failure{CallResult::ok, ErrorCode::none});
    finish(consumer_event::RewindDone{failure.result, failure.error});
}

void Consumer::run_end_offset(const Context& ctx, call::EndOffset& end, Fx& fx) {
    if (ctx.now >= call_->deadline) {
        finish(consumer_event::EndOffsetReturned{end.log, std::nullopt, CallResult::timed_out,
                                                 ErrorCode::request_timed_out});
        return;
    }
    if (end.attempt.asking || ctx.now < end.attempt.retry_at) return;
    const auto leader = leader_of(end.log);
    if (!leader.leader) {
        want_leaders();
        return;
    }
    const sim::Peer peer{*leader.leader, fetch_lane};
    if (!ready(ctx, peer, fx)) return;
    end.attempt.asking = true;
    ListOffsetsRequest request;
    request.isolation = config_->isolation;
    request.parts.push_back({end.log, OffsetSpec::latest, leader.epoch});
    send(ctx, peer, std::move(request), config_->client.request_timeout,
         sent::End{end.log, end.number}, fx);
}

void Consumer::ended(const Context& ctx, const sent::End& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    auto* end = call_ ? std::get_if<call::EndOffset>(&call_->what) : nullptr;
    if (end == nullptr || end->number != sent.call) return;
    const auto* response = answer ? std::get_if<ListOffsetsResponse>(answer) : nullptr;
    ErrorCode error = outcome.error();
    if (response) {
        for (const auto& part : response->parts) {
            if (part.log != sent.log) continue;
            error = part.error;
            if (error != ErrorCode::none) break;
            fx.observe(EndOffsetTold{process_, part.log, part.offset});
            finish(consumer_event::EndOffsetReturned{part.log, part.offset, CallResult::ok,
                                                     ErrorCode::none});
            return;
        }
    }
    if (authorization_failed(error)) {
        finish(consumer_event::EndOffsetReturned{sent.log, std::nullopt, CallResult::fatal, error});
        return;
    }
    // OFFSET_NOT_AVAILABLE (KIP-207) and everything about leaders is asked again.
    failed(ctx, end->attempt);
    metadata_.request_refresh();
}

}  // namespace eos::model
