// Stores without transactions: one row a call. A kv store writes at once; an http store works for a
// while, and a second call with the same key may come meanwhile (S7). Effect and stored answer
// become durable together.

#include <algorithm>
#include <utility>

#include "model/store.hpp"

namespace eos::model {

/// Whether the identity is known; then `answer` is what a stored answer would be.
bool Store::knows(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request,
                  const StoreRow& row, ErrorCode& answer, Fx& fx) {
    if (!row.key) return false;
    bool expired = false;
    const auto cell = identity_cell(request.process.app, *row.key);
    const auto* known = tables_.known(cell, ctx.now, expired);
    if (expired) tell_duplicate(Mile::store_key_expired, from, request, row, fx);
    if (known == nullptr) return false;
    answer = known->answer;
    tell_duplicate(Mile::store_duplicate_seen, from, request, row, fx);
    return true;
}

void Store::write_now(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request,
                      Fx& fx) {
    StoreResponse response{.statement = request.statement};
    std::vector<Change> changes;
    for (const auto& row : request.rows) {
        auto stored = ErrorCode::none;
        const bool known = knows(ctx, from, request, row, stored, fx);
        response.fresh.push_back(known ? 0 : 1);
        if (known) {
            // The same row once more, or applied=false and the row found is one's own (N16).
            if (config_->on_duplicate == OnDuplicate::error)
                response.error = ErrorCode::unique_violation;
            continue;
        }
        if (row.key) {
            auto& identity = changes.emplace_back();
            identity.kind = Change::Kind::identity;
            identity.cell = identity_cell(request.process.app, *row.key);
        }
        if (request.statement == Statement::claim) continue;
        auto& change = changes.emplace_back();
        change.process = request.process;
        change.group = request.group;
        change.effect = request.effect;
        change.row = row;
    }
    tables_.apply(ctx, changes, fx);
    tell_executed(from, request, response.error, fx);
    if (!changes.empty())
        tell_end(Mile::store_committed, {request.process, from.client, {}, std::move(changes), {}},
                 fx);
    fx.reply(from, std::move(response));
}

void Store::take_call(const Context& ctx, const sim::ReplyTo& from, StoreRequest request, Fx& fx) {
    const auto row = request.rows.front();
    auto stored = ErrorCode::none;
    if (knows(ctx, from, request, row, stored, fx)) {
        auto error = ErrorCode::none;
        if (config_->on_duplicate == OnDuplicate::stored_reply) error = stored;
        if (config_->on_duplicate == OnDuplicate::error) error = ErrorCode::http_conflict;
        tell_executed(from, request, error, fx);
        StoreResponse response{.statement = request.statement, .error = error};
        response.fresh.push_back(0);
        fx.reply(from, std::move(response));
        return;
    }
    const auto same = [&](const auto& running) {
        return running.second.request.process.app == request.process.app &&
               running.second.request.rows.front().key == row.key;
    };
    if (row.key && std::any_of(running_.begin(), running_.end(), same)) {
        if (config_->in_flight == InFlight::block) {
            queued_.push_back({from, std::move(request)});
            return;
        }
        tell_executed(from, request, ErrorCode::http_conflict, fx);
        answer(from, request.statement, ErrorCode::http_conflict, fx);
        return;
    }
    const auto number = next_++;
    running_.emplace(number, Call{from, std::move(request)});
    HandOff step;
    step.task = Task::execute_call;
    step.token = number;
    fx.hand_off(std::move(step), config_->work);
}

void Store::call_done(const Context& ctx, std::int64_t number, ErrorCode error, Fx& fx) {
    auto node = running_.extract(number);
    if (node.empty()) return;
    const auto call = std::move(node.mapped());
    const auto& request = call.request;
    const auto& row = request.rows.front();
    const bool failed = error != ErrorCode::none;
    const auto told = failed ? ErrorCode::http_server_error : ErrorCode::none;
    // S7: also a failure is an answer, and may be given again for ever (S8).
    if (row.key && (!failed || config_->keep == KeepAnswers::all))
        tables_.remember(identity_cell(request.process.app, *row.key), ctx.now, told);
    if (!failed) {
        Change change;
        change.process = request.process;
        change.group = request.group;
        change.effect = request.effect;
        change.row = row;
        tables_.apply(ctx, {change}, fx);
        tell_executed(call.reply, request, told, fx);
        tell_end(Mile::store_committed,
                 {request.process, call.reply.client, {}, {std::move(change)}, {}}, fx);
    } else {
        tell_executed(call.reply, request, told, fx);
    }
    StoreResponse response{.statement = request.statement, .error = told};
    response.fresh.push_back(1);
    fx.reply(call.reply, std::move(response));
    // Those that stood behind it find its answer, or are the first now.
    auto queued = std::exchange(queued_, {});
    for (auto& waiting : queued) take_call(ctx, waiting.reply, std::move(waiting.request), fx);
}

}  // namespace eos::model
