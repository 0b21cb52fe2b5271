// Consumer: the group coordinator (N1, N13), joining and leaving (M3-M16), the heartbeat thread.

#include <algorithm>
#include <utility>

#include "model/consumer.hpp"

namespace eos::model {

using namespace consumer_part;

sim::Peer Consumer::coordinator_peer() const { return {*coordinator_.node, coordinator_lane}; }

// --- the coordinator -----------------------------------------------------------------------------

/// True if it can be spoken to now; else whatever is needed for that is under way.
bool Consumer::find_coordinator(const Context& ctx, Fx& fx) {
    if (coordinator_.node) return ready(ctx, coordinator_peer(), fx);
    auto& lookup = coordinator_.lookup;
    if (lookup.asking || ctx.now < lookup.retry_at) return false;
    const auto peer = metadata_.least_loaded(ctx, net_);
    if (!peer) {
        lookup.retry_at = ctx.now + config_->client.reconnect_backoff;
        return false;
    }
    if (!ready(ctx, *peer, fx)) return false;
    lookup.asking = true;
    send(ctx, *peer, FindCoordinatorRequest{*config_->group}, config_->client.request_timeout,
         sent::Lookup{}, fx);
    return false;
}

void Consumer::forget_coordinator(const Context& ctx, Fx& fx) {
    if (!coordinator_.node) return;
    const sim::Peer peer = coordinator_peer();
    coordinator_.node.reset();
    // Whatever is in flight to it fails with the connection.
    for (const auto& outcome : net_.close(ctx, peer, fx)) settle(ctx, outcome, nullptr, fx);
}

void Consumer::apply(const Context& ctx, CoordinatorVerdict verdict, const Outcome& outcome,
                     Fx& fx) {
    // An answer about a coordinator that was given up meanwhile says nothing about the present one.
    if (verdict == CoordinatorVerdict::forget && coordinator_.node &&
        coordinator_peer() == outcome.peer)
        forget_coordinator(ctx, fx);
}

void Consumer::ended(const Context& ctx, const sent::Lookup&, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    const auto* response = answer ? std::get_if<FindCoordinatorResponse>(answer) : nullptr;
    const ErrorCode error = response ? response->error : outcome.error();
    if (error == ErrorCode::none) {
        coordinator_.node = response->coordinator;
        coordinator_.lookup = {};
        member_.coordinator_found(ctx.now);
        (void)ready(ctx, coordinator_peer(), fx);
        return;
    }
    failed(ctx, coordinator_.lookup);
    metadata_.request_refresh();
    fail_unsent_commits(error, fx);
    if (response && !retriable(error)) fail(CallResult::fatal, error);
}

// --- rejoining, inside poll (M7) -----------------------------------------------------------------

/// True if the member is stable and its assignment was taken.
bool Consumer::step_membership(const Context& ctx, Fx& fx) {
    while (member_.rejoin_needed_or_pending()) {
        if (!find_coordinator(ctx, fx)) return false;
        switch (member_.step(ctx.now)) {
            case ClassicMember::Step::prepare:
                if (!prepare_rejoin(ctx, fx)) return false;
                member_.prepared();
                break;
            case ClassicMember::Step::join: {
                const Identity identity = member_.identity();
                auto request = member_.join_request(subscriptions_.topics(), subscriptions_.logs());
                // M9: the coordinator answers only when the rebalance ends.
                const Duration timeout = std::max(config_->client.request_timeout,
                                                  config_->max_poll_interval + seconds(5));
                send(ctx, coordinator_peer(), std::move(request), timeout, sent::Join{identity},
                     fx);
                return false;
            }
            case ClassicMember::Step::sync:
                send(ctx, coordinator_peer(), member_.sync_request(*topology_),
                     config_->client.request_timeout, sent::Sync{member_.identity()}, fx);
                return false;
            case ClassicMember::Step::complete:
                complete_rejoin(ctx, fx);
                break;
            case ClassicMember::Step::wait:
                return false;
        }
    }
    return true;
}

/// M8. False while the commit is awaited. A cooperative member keeps reading meanwhile (O8).
bool Consumer::prepare_rejoin(const Context& ctx, Fx& fx) {
    if (config_->auto_commit && !prepare_) {
        auto offsets = subscriptions_.consumed();
        if (!member_.cooperative()) subscriptions_.mark_pending_revocation();
        prepare_ = Prepare{start_commit(ctx, CommitWork::Origin::prepare, std::move(offsets)),
                           ctx.now + config_->max_poll_interval};
        step_commits(ctx, fx);
    }
    if (prepare_) {
        const auto number = prepare_->commit;
        const auto* work = find_commit(number);
        if (work != nullptr && !work->ended && ctx.now < prepare_->deadline) return false;
        std::erase_if(commits_, [&](const CommitWork& w) { return w.number == number; });
        prepare_.reset();
    }
    if (member_.lost() || !member_.cooperative()) {
        give_up_all(member_.lost(), fx);
        return true;
    }
    std::vector<LogId> unwanted;
    for (const LogId log : subscriptions_.logs())
        if (!subscribed(log)) unwanted.push_back(log);
    give_up(unwanted, false, fx);
    return true;
}

bool Consumer::subscribed(LogId log) const {
    const auto& topics = subscriptions_.topics();
    const auto topic = topology_->logs[static_cast<std::size_t>(log.value)].topic;
    return std::binary_search(topics.begin(), topics.end(), topic);
}

void Consumer::complete_rejoin(const Context& ctx, Fx& fx) {
    const std::vector<LogId> logs = member_.assignment();
    const bool wanted =
        std::all_of(logs.begin(), logs.end(), [&](LogId log) { return subscribed(log); });
    member_.completed();
    if (!wanted) {
        // The subscription changed while the group was rebalancing.
        member_.request_rejoin();
        return;
    }
    group_metadata_ = member_.ref();
    // M13, cooperative: what others wait for is given up now and handed out by a second rebalance.
    std::vector<LogId> moving;
    for (const LogId log : subscriptions_.logs())
        if (std::find(logs.begin(), logs.end(), log) == logs.end()) moving.push_back(log);
    if (!moving.empty()) {
        give_up(moving, false, fx);
        member_.request_rejoin();
    }
    member_.remember();
    auto_commit_at_ = ctx.now + config_->auto_commit_interval;
    take_over(logs, member_.identity().generation, fx);
}

/// onPartitionsAssigned: the whole assignment replaces what is left of the old one.
void Consumer::take_over(const std::vector<LogId>& logs, std::optional<Generation> generation,
                         Fx& fx) {
    std::vector<LogId> added;
    for (const LogId log : logs)
        if (subscriptions_.find(log) == nullptr) added.push_back(log);
    subscriptions_.assign(logs);
    fetcher_.retain(subscriptions_);
    fx.observe(Assigned{process_, *config_->group, generation, subscriptions_.logs()});
    reach_group(Mile::group_assigned, added, fx);
    events_.emplace_back(consumer_event::PartitionsAssigned{std::move(added)});
}

void Consumer::give_up_all(bool lost, Fx& fx) { give_up(subscriptions_.logs(), lost, fx); }

/// onPartitionsRevoked, or onPartitionsLost.
void Consumer::give_up(const std::vector<LogId>& gone, bool lost, Fx& fx) {
    if (gone.empty()) return;
    auto left = subscriptions_.logs();
    std::erase_if(
        left, [&](LogId log) { return std::find(gone.begin(), gone.end(), log) != gone.end(); });
    subscriptions_.assign(left);
    fetcher_.retain(subscriptions_);
    const auto generation = left.empty() ? std::nullopt : group_metadata_.generation;
    fx.observe(Assigned{process_, *config_->group, generation, std::move(left)});
    reach_group(Mile::group_revoked, gone, fx);
    events_.emplace_back(consumer_event::PartitionsRevoked{gone, lost});
}

/// One milestone a log, so that a trigger can name one; one without a log if there is none.
void Consumer::reach_group(Mile mile, const std::vector<LogId>& logs, Fx& fx) const {
    auto facts = told({{Fact::group, config_->group->value}, {Fact::app, process_.app.value}});
    if (group_metadata_.member)
        facts.add(number(Fact::member), static_cast<std::int64_t>(group_metadata_.member->value));
    if (group_metadata_.generation)
        facts.add(number(Fact::generation), group_metadata_.generation->value);
    if (logs.empty()) fx.reach(number(mile), facts);
    for (const LogId id : logs) {
        const auto& log = topology_->logs[static_cast<std::size_t>(id.value)];
        auto with_log = facts;
        with_log.add(number(Fact::topic), log.topic.value);
        with_log.add(number(Fact::partition), log.partition.value);
        with_log.add(number(Fact::log), id.value);
        fx.reach(number(mile), with_log);
    }
}

void Consumer::ended(const Context& ctx, const sent::Join& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    if (const auto* response = answer ? std::get_if<JoinGroupResponse>(answer) : nullptr) {
        const auto delay = pause(member_.failures());
        apply(ctx, member_.joined(ctx.now, *response, sent.identity, delay), outcome, fx);
        return;
    }
    member_.join_failed(ctx.now, pause(member_.failures()));
    apply(ctx, CoordinatorVerdict::forget, outcome, fx);
}

void Consumer::ended(const Context& ctx, const sent::Sync& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    if (const auto* response = answer ? std::get_if<SyncGroupResponse>(answer) : nullptr) {
        const auto delay = pause(member_.failures());
        apply(ctx, member_.synced(ctx.now, *response, sent.identity, delay), outcome, fx);
        return;
    }
    member_.join_failed(ctx.now, pause(member_.failures()));
    apply(ctx, CoordinatorVerdict::forget, outcome, fx);
}

// --- the heartbeat thread (M2-M6) ----------------------------------------------------------------

void Consumer::step_heartbeat(const Context& ctx, Fx& fx) {
    if (modern()) {
        step_modern_heartbeat(ctx, fx);
        return;
    }
    while (subscriptions_.automatic()) {
        switch (member_.beat(ctx.now, coordinator_.node.has_value())) {
            case ClassicMember::Beat::rest:
                return;
            case ClassicMember::Beat::find:
                (void)find_coordinator(ctx, fx);
                return;
            case ClassicMember::Beat::forget:
                forget_coordinator(ctx, fx);
                break;
            case ClassicMember::Beat::leave:
                leave_group(ctx, fx);
                return;
            case ClassicMember::Beat::heartbeat:
                if (!find_coordinator(ctx, fx)) return;
                send(ctx, coordinator_peer(), member_.heartbeat_request(ctx.now),
                     config_->client.request_timeout, sent::Beat{member_.identity()}, fx);
                return;
        }
    }
}

/// Whom an error is about. KAFKA-9823: handlers did not know what had been sent and took every
/// error for one about the membership of now.
Identity Consumer::sender_of(const Identity& sent, ErrorCode error) {
    const bool over = sent != member_.identity() && (error == ErrorCode::illegal_generation ||
                                                     error == ErrorCode::unknown_member_id ||
                                                     error == ErrorCode::fenced_instance_id);
    const bool told_apart = guard_.trips(Safeguard::errors_of_own_generation, over);
    return over && !told_apart ? member_.identity() : sent;
}

void Consumer::ended(const Context& ctx, const sent::Beat& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    const auto* response = answer ? std::get_if<HeartbeatResponse>(answer) : nullptr;
    const bool good = response && response->error == ErrorCode::none;
    const Duration delay = good ? Duration{} : pause(member_.beat_failures());
    if (!response) {
        member_.beat_failed(ctx.now, delay);
        apply(ctx, CoordinatorVerdict::forget, outcome, fx);
        return;
    }
    const auto about = sender_of(sent.identity, response->error);
    apply(ctx, member_.beaten(ctx.now, response->error, about, delay), outcome, fx);
}

// --- leaving -------------------------------------------------------------------------------------

/// Nobody waits for the answer but close().
void Consumer::leave_group(const Context& ctx, Fx& fx) {
    const bool known = coordinator_.node && net_.ready(coordinator_peer());
    if (auto request = member_.leave(known))
        send(ctx, coordinator_peer(), *std::move(request), config_->client.request_timeout,
             sent::Leave{}, fx);
}

void Consumer::ended(const Context& ctx, const sent::Leave&, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    if (answer == nullptr) apply(ctx, CoordinatorVerdict::forget, outcome, fx);
}

/// M15: commit, wait for what is under way, give up, leave.
void Consumer::run_close(const Context& ctx, call::Close& closing, Fx& fx) {
    using Stage = call::Close::Stage;
    const bool expired = ctx.now >= call_->deadline;
    if (closing.stage == Stage::start) {
        closing.stage = Stage::committing;
        auto offsets = subscriptions_.consumed();
        if (config_->auto_commit && config_->group && !offsets.empty()) {
            closing.commit = start_commit(ctx, CommitWork::Origin::closing, std::move(offsets));
            step_commits(ctx, fx);
        }
    }
    if (closing.stage == Stage::committing) {
        const auto* work = find_commit(closing.commit);
        if (work != nullptr && !work->ended && !expired) return;
        std::erase_if(commits_, [&](const CommitWork& w) { return w.number == closing.commit; });
        closing.stage = Stage::draining;
    }
    if (closing.stage == Stage::draining) {
        const bool pending = std::any_of(
            commits_.begin(), commits_.end(),
            [](const CommitWork& work) { return work.origin == CommitWork::Origin::async; });
        if (pending && !expired) return;
        if (subscriptions_.automatic() && modern()) {
            modern_.leave();
            run_callbacks(fx);
        } else if (subscriptions_.automatic()) {
            give_up_all(member_.lost(), fx);
            leave_group(ctx, fx);
        }
        closing.stage = Stage::leaving;
    }
    if (modern()) step_modern_heartbeat(ctx, fx);
    const bool leaving = modern_.state() == MembershipState::leaving ||
                         std::any_of(sent_.begin(), sent_.end(), [](const Sent& sent) {
                             return std::holds_alternative<sent::Leave>(sent.what);
                         });
    if (leaving && !expired) return;
    abandon(fx);
    events_.emplace_back(consumer_event::Closed{});
}

}  // namespace eos::model
