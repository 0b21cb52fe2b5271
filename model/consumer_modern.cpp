// Consumer: membership in a KIP-848 group (K1-K10). The background thread sends heartbeats and
// begins to reconcile a new assignment; what the application has to take part in waits for its
// poll(). Simplified: callbacks wait for poll() always, as if the application had registered a
// listener.

#include <algorithm>
#include <utility>

#include "model/consumer.hpp"

namespace eos::model {

using namespace consumer_part;

/// The part of poll(): join, run callbacks, commit before partitions are given up.
void Consumer::run_modern(const Context& ctx, Fx& fx) {
    modern_.polled(ctx.now);
    run_callbacks(fx);
    step_reconciliation(ctx, true, fx);
    run_callbacks(fx);
}

void Consumer::run_callbacks(Fx& fx) {
    using Kind = ModernMembership::Callback::Kind;
    while (!modern_.callbacks().empty()) {
        const auto callback = modern_.callbacks().front();
        if (callback.kind == Kind::assigned) {
            take_over(modern_.owned(), Generation{modern_.epoch()}, fx);
        } else {
            // What a callback before this one gave up is not given up again.
            auto gone = callback.logs;
            std::erase_if(gone, [&](LogId log) { return subscriptions_.find(log) == nullptr; });
            give_up(gone, callback.kind == Kind::lost, fx);
        }
        modern_.callback_done(callback.kind);
    }
}

/// K4. With enable.auto.commit it begins in poll() only, so that what is committed has been
/// returned by an earlier one (O7, KAFKA-18641).
void Consumer::step_reconciliation(const Context& ctx, bool in_poll, Fx& fx) {
    if (prepare_) {
        const auto number = prepare_->commit;
        const auto* work = find_commit(number);
        if (work != nullptr && !work->ended && ctx.now < prepare_->deadline) return;
        std::erase_if(commits_, [&](const CommitWork& w) { return w.number == number; });
        prepare_.reset();
        modern_.committed();
    }
    resolve_target();
    if (!modern_.reconcile_due() || (config_->auto_commit && !in_poll)) return;
    auto offsets = subscriptions_.consumed();
    for (const LogId log : modern_.reconcile(guard_))
        if (auto* part = subscriptions_.find(log)) part->pending_revocation = true;
    if (!config_->auto_commit || offsets.empty()) {
        modern_.committed();
        return;
    }
    prepare_ = Prepare{start_commit(ctx, CommitWork::Origin::prepare, std::move(offsets)),
                       ctx.now + config_->max_poll_interval};
    step_commits(ctx, fx);
}

/// An assignment names topics by id; the name comes with metadata, or is known because partitions
/// of the topic are owned. For what has none metadata is asked (KIP-848, AbstractMembershipManager
/// findResolvableAssignmentAndTriggerMetadataUpdate). Simplified: such questions back off like
/// others; Kafka asks again after retry.backoff.ms each time.
void Consumer::resolve_target() {
    const auto topic_of = [&](LogId log) {
        return topology_->logs[static_cast<std::size_t>(log.value)].topic;
    };
    auto unresolved = modern_.wanted();
    std::erase_if(unresolved, [&](LogId log) {
        const auto& owned = modern_.owned();
        return metadata_.knows(topic_of(log)) ||
               std::any_of(owned.begin(), owned.end(),
                           [&](LogId own) { return topic_of(own) == topic_of(log); });
    });
    if (!unresolved.empty() && !metadata_.stale()) metadata_.request_refresh();
    modern_.unresolved(std::move(unresolved));
}

void Consumer::step_modern_heartbeat(const Context& ctx, Fx& fx) {
    if (modern_.outside()) return;
    if (!coordinator_.node) modern_.no_coordinator();
    if (modern_.outside() || !find_coordinator(ctx, fx)) return;
    if (modern_.beat(ctx.now) != ModernMembership::Beat::send) return;
    auto request = modern_.request(ctx.now, subscriptions_.topics());
    const bool farewell = request.member_epoch < 0;
    if (farewell)
        send(ctx, coordinator_peer(), std::move(request), config_->client.request_timeout,
             sent::Leave{}, fx);
    else
        send(ctx, coordinator_peer(), std::move(request), config_->client.request_timeout,
             sent::ModernBeat{modern_.serial()}, fx);
}

sim::Instant Consumer::modern_beat_due() const {
    if (modern_.outside()) return sim::time_never;
    return coordinator_.node ? modern_.beat_due() : coordinator_.lookup.retry_at;
}

void Consumer::ended(const Context& ctx, const sent::ModernBeat& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    const auto* response = answer ? std::get_if<ConsumerGroupHeartbeatResponse>(answer) : nullptr;
    const bool good = response && response->error == ErrorCode::none;
    const Duration delay = good ? Duration{} : pause(modern_.failures());
    if (!response) {
        modern_.beat_failed(ctx.now, sent.serial, delay);
        apply(ctx, CoordinatorVerdict::forget, outcome, fx);
        return;
    }
    apply(ctx, modern_.answered(ctx.now, sent.serial, *response, delay), outcome, fx);
    if (const auto speaker = modern_.ref(); speaker.generation) group_metadata_ = speaker;
}

}  // namespace eos::model
