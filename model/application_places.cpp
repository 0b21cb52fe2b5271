// Where a reader starts whose offsets are kept in a store, and what a new owner has to do there
// first: write its fencing token, then read the offsets (S4, S19), and decide what a former owner
// left prepared. It happens between the poll() that returned after an assignment and the first
// record that is looked at, as an application does it in onPartitionsAssigned.
//
//   assigned --poll()--> fence --> read offsets, seek --> in-doubt transactions --> go on

#include <algorithm>
#include <utility>
#include <vector>

#include "model/application.hpp"

namespace eos::model {

using Phase = StoreWork::Phase;

bool Application::begin_placing(const Context& ctx, Hands hands, Fx& fx) {
    if (!hands.store) return false;
    db_.token = hands.consumer->group_metadata().generation;
    if (db_.unplaced.empty()) return false;
    db_.starts.clear();
    for (const auto log : hands.consumer->assignment()) {
        if (!db_.unplaced.contains(log)) continue;
        if (const auto position = hands.consumer->position(log)) db_.starts[log] = *position;
    }
    // Where records came already, they begin at the place; the position stands behind them.
    for (const auto& chunk : chunks_) {
        const auto found = db_.starts.find(chunk.log);
        if (found != db_.starts.end())
            found->second = std::min(found->second, chunk.base + chunk.first);
    }
    if (db_.starts.empty()) return false;
    db_.phase = Phase::none;
    db_.in_doubt.clear();
    go_on_placing(nullptr, ctx, hands, fx);
    return true;
}

void Application::go_on_placing(const StoreResponse* response, const Context& ctx, Hands hands,
                                Fx& fx) {
    const auto& use = config_->stores;
    const auto ask = [&](Phase phase, Statement kind, bool alone) {
        auto request = statement(kind);
        for (const auto& [log, start] : db_.starts) request.parts.push_back({log, start});
        request.alone = alone;
        db_.phase = phase;
        ask_store(std::move(request), ctx, hands, fx);
    };
    switch (db_.phase) {
        case Phase::none:
            if (use.fences && db_.token) return ask(Phase::fence, Statement::fence, true);
            [[fallthrough]];
        case Phase::fence:
            if (use.offsets_in_store) return ask(Phase::place, Statement::read_offset, false);
            [[fallthrough]];
        case Phase::place:
            if (db_.phase == Phase::place && response) {
                // Nothing was ever committed there. Simplified: then it starts where the log does,
                // unless the policy of the consumer is another.
                if (config_->consumer.offset_reset == OffsetReset::earliest) {
                    std::vector<LogId> untold;
                    for (const auto& [log, start] : db_.starts)
                        if (std::none_of(response->parts.begin(), response->parts.end(),
                                         [&](const StorePart& part) { return part.log == log; }))
                            untold.push_back(log);
                    std::erase_if(chunks_, [&](const Chunk& c) {
                        return std::find(untold.begin(), untold.end(), c.log) != untold.end();
                    });
                    for (const auto log : untold) polled_.erase(log);
                    if (!untold.empty()) hands.consumer->seek_to_beginning(ctx, untold, fx);
                }
                for (const auto& part : response->parts) {
                    const auto found = db_.starts.find(part.log);
                    if (found == db_.starts.end() || found->second == part.offset) continue;
                    found->second = part.offset;
                    std::erase_if(chunks_, [&](const Chunk& c) { return c.log == part.log; });
                    polled_.erase(part.log);
                    hands.consumer->seek(ctx, part.log, part.offset, fx);
                }
            }
            if (use.two_phase) return ask(Phase::recover, Statement::recover, false);
            break;
        case Phase::recover:
            if (response) db_.in_doubt = response->in_doubt;
            [[fallthrough]];
        case Phase::decide:
            if (db_.phase == Phase::decide && !db_.in_doubt.empty()) db_.in_doubt.pop_back();
            if (!db_.in_doubt.empty()) {
                // The committed offset is the decision: a transaction it has passed was meant.
                const auto& doubt = db_.in_doubt.back();
                auto request = statement(Statement::decide);
                request.name = doubt.name;
                request.commits =
                    std::any_of(doubt.parts.begin(), doubt.parts.end(), [&](const StorePart& part) {
                        const auto found = db_.starts.find(part.log);
                        return found != db_.starts.end() && found->second >= part.offset;
                    });
                db_.phase = Phase::decide;
                ask_store(std::move(request), ctx, hands, fx);
                return;
            }
            break;
        case Phase::claim:
        case Phase::claim_before:
        case Phase::look_up:
        case Phase::effect:
        case Phase::remember:
        case Phase::offset:
        case Phase::prepare:
        case Phase::end:
        case Phase::give_up:
            return;  // not of this
    }
    finish_placing(ctx, hands, fx);
}

void Application::finish_placing(const Context& ctx, Hands hands, Fx& fx) {
    for (const auto& [log, start] : db_.starts) db_.unplaced.erase(log);
    db_.starts.clear();
    db_.phase = Phase::none;
    wait_ = Wait::poll;
    if (chunks_.empty() && !in_setup_ && !bounded_) {
        hands.consumer->poll(ctx, step().max > 0 ? step().max : config_->batch, milliseconds(500),
                             fx);
        return;
    }
    end_step(hands, fx);
}

}  // namespace eos::model
