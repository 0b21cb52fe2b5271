// Consumer: poll() and the fetch loop (C7-C11, C18-C20).

#include <utility>

#include "model/consumer.hpp"

namespace eos::model {

using namespace consumer_part;

/// C9: coordinator work, then positions, then what is buffered, then the next fetches.
void Consumer::run_poll(const Context& ctx, std::int32_t max_records, Fx& fx) {
    bool joined = true;
    bool blocked = false;
    if (subscriptions_.automatic() && modern()) {
        run_modern(ctx, fx);
        if (!coordinator_.node) (void)find_coordinator(ctx, fx);
    } else if (subscriptions_.automatic()) {
        member_.polled(ctx.now);
        joined = step_membership(ctx, fx);
        if (!coordinator_.node) (void)find_coordinator(ctx, fx);
        // As in Kafka, an unknown coordinator holds up the whole poll, a rejoin does not.
        blocked = !coordinator_.node;
    }
    update_leaders();
    if (joined && !blocked) {
        step_auto_commit(ctx, fx);
        // The client of KIP-848 goes on reading what it has a position for.
        blocked = !step_positions(ctx, fx) && !modern();
    }
    if (const auto error = modern() ? modern_.take_failure() : member_.take_failure())
        fail(CallResult::fatal, *error);
    if (failure_) {
        const auto failure = *std::exchange(failure_, std::nullopt);
        finish(consumer_event::PollReturned{failure.result, failure.error, {}});
        return;
    }
    const bool expired = ctx.now >= call_->deadline;
    if (!blocked || expired) {
        if (collect(ctx, max_records, fx)) return;
        send_fetches(ctx, fx);
    }
    if (expired) finish(consumer_event::PollReturned{});
}

/// True if poll() returned.
bool Consumer::collect(const Context& ctx, std::int32_t max_records, Fx& fx) {
    auto harvest = fetcher_.collect(ctx.now, max_records, subscriptions_, *config_, guard_);
    if (harvest.refresh) metadata_.request_refresh();
    for (const auto& hint : harvest.hints) (void)metadata_.hint(hint.first, hint.second);
    for (const LogId log : harvest.reset) {
        if (auto* part = subscriptions_.find(log))
            reset_by_policy(*part, CallResult::offset_out_of_range, ErrorCode::offset_out_of_range);
    }
    if (!harvest.hints.empty()) update_leaders();
    if (!harvest.reset.empty()) step_resets(ctx, fx);
    if (harvest.result == CallResult::ok && !harvest.advanced) return false;
    for (const auto& chunk : harvest.chunks)
        fx.observe(
            Polled{process_, chunk.log, chunk.base, chunk.first, chunk.count, chunk.payload});
    // Pipelining: the next fetches leave before the records are handed out.
    send_fetches(ctx, fx);
    finish(consumer_event::PollReturned{harvest.result, harvest.error, std::move(harvest.chunks)});
    return true;
}

void Consumer::send_fetches(const Context& ctx, Fx& fx) {
    bool leaderless = false;
    auto plans = fetcher_.plan(ctx.now, subscriptions_, *config_, leaderless);
    if (leaderless) want_leaders();
    for (auto& plan : plans) {
        const sim::Peer peer{plan.broker, fetch_lane};
        if (!ready(ctx, peer, fx)) continue;
        fetcher_.sent(plan.broker);
        send(ctx, peer, std::move(plan.request), config_->client.request_timeout,
             sent::Fetch{plan.broker}, fx);
    }
}

void Consumer::ended(const Context&, const sent::Fetch& sent, const Outcome&, Message* answer,
                     Fx&) {
    fetcher_.answered(sent.broker, answer ? std::get_if<FetchResponse>(answer) : nullptr);
}

}  // namespace eos::model
