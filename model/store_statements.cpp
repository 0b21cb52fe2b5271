// Statements of a sql store, row by row: what they lock, when they wait, how they end. Simplified:
// statements of one transaction take their locks in the order of their rows; a deadlock is seen
// when the circle closes, not after deadlock_timeout.

#include <algorithm>
#include <utility>

#include "model/store.hpp"
#include "sim/ensure.hpp"

namespace eos::model {

Store::Session Store::session_of(const sim::ReplyTo& reply) {
    return {reply.client, reply.lane, reply.connection};
}

void Store::execute(const Context& ctx, const sim::ReplyTo& from, StoreRequest request, Fx& fx) {
    switch (request.statement) {
        case Statement::look_up:
        case Statement::recover:
            read(ctx, from, request, fx);
            break;
        case Statement::read_offset:
            // SELECT ... FOR UPDATE: a commit that is still on its way is waited for.
            request.alone = true;
            carry_on(ctx, {open(from, request), from, request}, fx);
            break;
        case Statement::prepare:
            prepare(ctx, from, request, fx);
            break;
        case Statement::decide:
            decide(ctx, from, request, fx);
            break;
        case Statement::commit:
        case Statement::rollback:
            end_session_transaction(ctx, from, request, fx);
            break;
        case Statement::write:
            if (config_->kind == StoreKind::http) {
                take_call(ctx, from, std::move(request), fx);
                break;
            }
            [[fallthrough]];
        case Statement::claim:
            if (config_->kind != StoreKind::sql) {
                write_now(ctx, from, request, fx);
                break;
            }
            [[fallthrough]];
        case Statement::write_offset:
        case Statement::fence: {
            // BEGIN in a session whose last transaction its client gave up.
            const auto former = sessions_.find(session_of(from));
            if (request.begins && former != sessions_.end()) roll_back(former->second, fx);
            const bool lost =
                !request.begins && !request.alone && !sessions_.contains(session_of(from));
            if (lost) {
                tell_executed(from, request, ErrorCode::no_active_transaction, fx);
                answer(from, request.statement, ErrorCode::no_active_transaction, fx);
                break;
            }
            const auto number = open(from, request);
            carry_on(ctx, {number, from, std::move(request)}, fx);
            break;
        }
    }
    wake(ctx, fx);
}

Store::TxnNumber Store::open(const sim::ReplyTo& from, const StoreRequest& request) {
    const auto session = session_of(from);
    if (!request.alone && !request.begins) return sessions_.at(session);
    const auto number = next_++;
    Transaction transaction{.process = request.process,
                            .client = from.client,
                            .session = {},
                            .changes = {},
                            .locks = {}};
    if (!request.alone) {
        transaction.session = session;
        sessions_[session] = number;
    }
    transactions_.emplace(number, std::move(transaction));
    return number;
}

void Store::carry_on(const Context& ctx, Work work, Fx& fx) {
    const auto& request = work.request;
    const auto steps = std::max(request.rows.size(), request.parts.size());
    while (work.next < steps) {
        auto& transaction = transactions_.at(work.transaction);
        const auto verdict = one(ctx, work, transaction, fx);
        if (verdict.kind == Verdict::Kind::failed) return fail(work, verdict.error, fx);
        if (verdict.kind == Verdict::Kind::blocked) {
            if (in_circle(work)) return fail(work, ErrorCode::deadlock_detected, fx);
            return wait(ctx, std::move(work), fx);
        }
        ++work.next;
    }
    finish(ctx, std::move(work), fx);
}

Store::Verdict Store::one(const Context& ctx, Work& work, Transaction& transaction, Fx& fx) {
    const auto& request = work.request;
    if (!request.rows.empty())
        return write_row(ctx, work, transaction, request.rows[work.next], fx);
    const auto& part = request.parts[work.next];
    if (const auto fenced = check_token(work, transaction, part.log);
        fenced.kind != Verdict::Kind::done)
        return fenced;
    if (request.statement == Statement::fence) return {};
    const auto cell = offset_cell(request.group, part.log);
    if (!take(cell, work, transaction)) return {Verdict::Kind::blocked};
    if (request.statement == Statement::read_offset) return {};
    transaction.changes.push_back({.kind = Change::Kind::offset,
                                   .process = request.process,
                                   .group = request.group,
                                   .cell = cell,
                                   .row = {},
                                   .value = part.offset.value});
    return {};
}

// UPDATE fence SET epoch = :e WHERE resource = :p AND epoch <= :e; 0 rows: abort and stop (S17).
Store::Verdict Store::check_token(Work& work, Transaction& transaction, LogId log) {
    const auto& request = work.request;
    if (!request.token) return {};
    const auto cell = token_cell(request.group, log);
    if (!take(cell, work, transaction)) return {Verdict::Kind::blocked};
    const auto stored = tables_.token(cell);
    if (stored && *stored > *request.token)
        return {Verdict::Kind::failed, ErrorCode::stale_fencing_token};
    if (stored == request.token) return {};
    transaction.changes.push_back({.kind = Change::Kind::token,
                                   .process = request.process,
                                   .group = request.group,
                                   .cell = cell,
                                   .row = {},
                                   .value = request.token->value});
    return {};
}

Store::Verdict Store::write_row(const Context& ctx, Work& work, Transaction& transaction,
                                const StoreRow& row, Fx& fx) {
    const auto& request = work.request;
    if (const auto fenced = check_token(work, transaction, row.log);
        fenced.kind != Verdict::Kind::done)
        return fenced;
    const auto app = request.process.app;
    const bool updates = request.statement == Statement::write &&
                         (request.effect == EffectKind::add || request.effect == EffectKind::put ||
                          request.effect == EffectKind::put_if_newer);
    if (row.key) {
        const auto cell = identity_cell(app, *row.key);
        if (!take(cell, work, transaction)) return {Verdict::Kind::blocked};
        const auto own = [&](const Change& c) {
            return c.kind == Change::Kind::identity && c.cell == cell;
        };
        bool expired = false;
        const bool known = tables_.known(cell, ctx.now, expired) != nullptr ||
                           std::any_of(transaction.changes.begin(), transaction.changes.end(), own);
        if (expired) tell_duplicate(Mile::store_key_expired, work.reply, request, row, fx);
        if (known) {
            tell_duplicate(Mile::store_duplicate_seen, work.reply, request, row, fx);
            if (config_->on_duplicate == OnDuplicate::error)
                return {Verdict::Kind::failed, ErrorCode::unique_violation};
            work.fresh.push_back(0);
            return {};
        }
        if (updates && !take(row_cell(app, row.record), work, transaction))
            return {Verdict::Kind::blocked};
        transaction.changes.push_back({.kind = Change::Kind::identity,
                                       .process = request.process,
                                       .group = request.group,
                                       .cell = cell,
                                       .row = {}});
    } else if (updates && !take(row_cell(app, row.record), work, transaction)) {
        return {Verdict::Kind::blocked};
    }
    work.fresh.push_back(1);
    if (request.statement == Statement::claim) return {};
    transaction.changes.push_back({.kind = Change::Kind::effect,
                                   .process = request.process,
                                   .group = request.group,
                                   .cell = {},
                                   .effect = request.effect,
                                   .row = row});
    return {};
}

/// Locks are kept to the end of the transaction.
bool Store::take(const Cell& cell, Work& work, Transaction& transaction) {
    const auto [found, taken] = locks_.try_emplace(cell, work.transaction);
    if (!taken && found->second != work.transaction) {
        work.blocked_at = cell;
        return false;
    }
    transaction.locks.insert(cell);
    return true;
}

/// Whether the holder it would wait for waits, in the end, for this transaction.
bool Store::in_circle(const Work& work) const {
    auto holder = locks_.at(work.blocked_at);
    for (std::size_t hops = 0; hops <= waiting_.size(); ++hops) {
        if (holder == work.transaction) return true;
        const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                       [&](const Work& w) { return w.transaction == holder; });
        if (next == waiting_.end()) return false;
        const auto lock = locks_.find(next->blocked_at);
        if (lock == locks_.end()) return false;
        holder = lock->second;
    }
    return false;
}

void Store::wait(const Context&, Work work, Fx& fx) {
    const auto number = static_cast<std::uint32_t>(work.transaction);
    fx.arm(key(Tick::store_lock, number), config_->lock_timeout);
    fx.disarm(key(Tick::store_idle, number));
    waiting_.push_back(std::move(work));
}

void Store::finish(const Context& ctx, Work work, Fx& fx) {
    const auto& request = work.request;
    tell_executed(work.reply, request, ErrorCode::none, fx);
    StoreResponse response{.statement = request.statement};
    if (request.statement == Statement::read_offset) {
        for (const auto& part : request.parts)
            if (const auto offset = tables_.offset(offset_cell(request.group, part.log)))
                response.parts.push_back({part.log, *offset});
        release(work.transaction);
        transactions_.erase(work.transaction);
    } else if (request.alone)
        commit(ctx, work.transaction, fx);
    else
        fx.arm(key(Tick::store_idle, static_cast<std::uint32_t>(work.transaction)),
               config_->idle_transaction);
    response.fresh = std::move(work.fresh);
    fx.reply(work.reply, std::move(response));
}

void Store::fail(const Work& work, ErrorCode error, Fx& fx) {
    fx.disarm(key(Tick::store_lock, static_cast<std::uint32_t>(work.transaction)));
    tell_executed(work.reply, work.request, error, fx);
    roll_back(work.transaction, fx);
    answer(work.reply, work.request.statement, error, fx);
}

// These see what is committed and wait for nobody.
void Store::read(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request,
                 Fx& fx) {
    StoreResponse response{.statement = request.statement};
    for (const auto& row : request.rows) {
        bool expired = false;
        const bool known = row.key && tables_.known(identity_cell(request.process.app, *row.key),
                                                    ctx.now, expired);
        if (expired) tell_duplicate(Mile::store_key_expired, from, request, row, fx);
        if (known) tell_duplicate(Mile::store_duplicate_seen, from, request, row, fx);
        response.fresh.push_back(known ? 0 : 1);
    }
    if (request.statement == Statement::recover) {
        const auto asked = [&](const StorePart& of) {
            return std::any_of(request.parts.begin(), request.parts.end(),
                               [&](const StorePart& part) { return part.log == of.log; });
        };
        for (const auto& [name, prepared] : tables_.prepared)
            if (prepared.group == request.group &&
                std::any_of(prepared.parts.begin(), prepared.parts.end(), asked))
                response.in_doubt.push_back({name, prepared.parts});
    }
    tell_executed(from, request, ErrorCode::none, fx);
    fx.reply(from, std::move(response));
}

}  // namespace eos::model
