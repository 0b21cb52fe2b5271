// The steps of a program that speak to a store: db_begin, claim, write, write_offset, db_prepare,
// db_commit, db_rollback (language.md 4.2). A retry of `store` errors goes back to db_begin, with
// the same records and so with the same identities (X2); where the offsets are in the store, to
// what it says of them; without a transaction the same call is made again.
//
//   checked: with-effect   write (identity and effect in one statement)
//            before        claim alone, then write what was new          a crash between: lost
//            after         look up, write what was new, ... claim alone  a crash between: twice

#include <algorithm>
#include <utility>

#include "model/application.hpp"

namespace eos::model {

using Phase = StoreWork::Phase;

StoreRequest Application::statement(Statement kind) const {
    StoreRequest request;
    request.statement = kind;
    request.process = process_;
    request.group = config_->consumer.group.value_or(GroupId{-1});
    return request;
}

StoreId Application::store_of_program() const {
    for (const auto* program : {&config_->steps, &config_->setup})
        for (const auto& s : *program)
            if (s.store.value >= 0) return s.store;
    return {-1};
}

void Application::begin_store_step(const Context& ctx, Hands hands, Fx& fx) {
    switch (step().kind) {
        case StepKind::db_begin:
            db_.begun = true;
            db_.in_transaction = false;
            db_.unremembered.clear();
            db_.claimed.reset();
            if (db_.prepared && !db_.surely_prepared) {
                // It may be prepared, and hold the very locks that are wanted again.
                auto request = statement(Statement::decide);
                request.name = db_.prepared;
                request.commits = false;
                db_.phase = Phase::give_up;
                ask_store(std::move(request), ctx, hands, fx);
                return;
            }
            db_.prepared.reset();
            end_step(hands, fx);
            return;
        case StepKind::claim: {
            auto request = statement(Statement::claim);
            request.rows = rows_of_step(ctx);
            if (request.rows.empty()) {
                end_step(hands, fx);
                return;
            }
            db_.rows = request.rows;
            db_.phase = Phase::claim;
            ask_store(std::move(request), ctx, hands, fx);
            return;
        }
        case StepKind::write:
            begin_write(ctx, hands, fx);
            return;
        case StepKind::write_offset: {
            auto request = statement(Statement::write_offset);
            for (const auto& [log, offset] : processed_) request.parts.push_back({log, offset});
            if (request.parts.empty()) {
                end_step(hands, fx);
                return;
            }
            db_.phase = Phase::offset;
            ask_store(std::move(request), ctx, hands, fx);
            return;
        }
        case StepKind::db_prepare: {
            if (!db_.in_transaction) {
                end_step(hands, fx);
                return;
            }
            auto request = statement(Statement::prepare);
            for (const auto& [log, offset] : processed_) request.parts.push_back({log, offset});
            const auto life = static_cast<std::int64_t>(ctx.life);
            db_.prepared = TransactionName{process_, (life << 32) | db_.transactions++};
            db_.surely_prepared = false;
            request.name = db_.prepared;
            db_.phase = Phase::prepare;
            ask_store(std::move(request), ctx, hands, fx);
            return;
        }
        case StepKind::db_commit:
        case StepKind::db_rollback:
            end_db_transaction(ctx, hands, fx);
            return;
        case StepKind::subscribe:
        case StepKind::unsubscribe:
        case StepKind::poll:
        case StepKind::process:
        case StepKind::produce:
        case StepKind::flush:
        case StepKind::commit_offsets:
        case StepKind::rewind:
        case StepKind::seek:
        case StepKind::wait:
        case StepKind::wait_for:
        case StepKind::end_offset:
        case StepKind::close:
        case StepKind::reopen:
        case StepKind::init:
        case StepKind::begin:
        case StepKind::commit:
        case StepKind::abort:
        case StepKind::enrol:
        case StepKind::send_offsets:
            return;  // no steps at a store
    }
}

// --- rows and their identities
// --------------------------------------------------------------------

std::optional<EffectKey> Application::key_of(IdentityKind identity, LogId log, Offset offset,
                                             const Record& record, std::int32_t life) {
    switch (identity) {
        case IdentityKind::none:
            return std::nullopt;
        case IdentityKind::offset:
            return EffectKey{identity, static_cast<std::uint64_t>(log.value), offset.value};
        case IdentityKind::event:
            return EffectKey{identity, record.id.value, 0};
        case IdentityKind::business:
            return EffectKey{identity, record.key, 0};
        case IdentityKind::random:
            return EffectKey{identity,
                             (static_cast<std::uint64_t>(process_.instance) << 32) |
                                 static_cast<std::uint64_t>(life),
                             static_cast<std::int64_t>(db_.draws++)};
    }
    return std::nullopt;
}

std::vector<StoreRow> Application::rows_of_step(const Context& ctx) {
    std::vector<StoreRow> rows;
    for (const auto& chunk : chunks_) {
        const auto& records = chunk.payload.records();
        for (std::int32_t i = chunk.first; i < chunk.first + chunk.count; ++i) {
            const auto& record = records[static_cast<std::size_t>(i)];
            const auto offset = chunk.base + i;
            rows.push_back({record, chunk.log, offset,
                            key_of(step().identity, chunk.log, offset, record, ctx.life)});
        }
    }
    return rows;
}

void Application::begin_write(const Context& ctx, Hands hands, Fx& fx) {
    db_.rows = rows_of_step(ctx);
    db_.next = 0;
    for (const auto& chunk : chunks_) processed_[chunk.log] = chunk.next_offset();
    // S12: the effect depends on what a claim before it found; N5: it does not.
    if (db_.claimed && !step().unconditional) {
        std::erase_if(db_.rows, [&](const StoreRow& row) {
            return !db_.claimed->contains({row.log, row.offset});
        });
        for (auto& row : db_.rows) row.key.reset();
    }
    if (db_.rows.empty()) {
        end_step(hands, fx);
        return;
    }
    const auto checked = config_->stores.checked;
    if (checked == Checked::with_effect || step().identity == IdentityKind::none || db_.claimed) {
        write_rows(ctx, hands, fx);
        return;
    }
    auto request = statement(checked == Checked::before ? Statement::claim : Statement::look_up);
    request.rows = db_.rows;
    request.alone = checked == Checked::before;
    db_.phase = checked == Checked::before ? Phase::claim_before : Phase::look_up;
    ask_store(std::move(request), ctx, hands, fx);
}

// A sql store takes all rows of a poll as one statement, the others one row a call.
void Application::write_rows(const Context& ctx, Hands hands, Fx& fx) {
    const auto kind = topology_->stores[static_cast<std::size_t>(step().store.value)].kind;
    auto request = statement(Statement::write);
    request.effect = step().effect;
    if (kind == StoreKind::sql)
        request.rows = db_.rows;
    else
        request.rows = {db_.rows[db_.next]};
    // S9: a conditional write of a kv store takes four quorum round trips, another one.
    const bool conditional =
        step().effect == EffectKind::insert_if_absent || step().effect == EffectKind::put_if_newer;
    if (kind == StoreKind::kv && conditional) request.rounds = 4;
    db_.phase = Phase::effect;
    ask_store(std::move(request), ctx, hands, fx);
}

void Application::end_db_transaction(const Context& ctx, Hands hands, Fx& fx) {
    const bool commits = step().kind == StepKind::db_commit;
    auto request = statement(commits ? Statement::commit : Statement::rollback);
    if (db_.prepared) {
        request.statement = Statement::decide;
        request.name = db_.prepared;
        request.commits = commits;
    } else if (!db_.in_transaction) {
        db_.begun = false;
        finish_db_commit(ctx, hands, fx);
        return;
    }
    db_.phase = Phase::end;
    ask_store(std::move(request), ctx, hands, fx);
}

/// The effects are committed; with `checked: after` their identities are set now.
void Application::finish_db_commit(const Context& ctx, Hands hands, Fx& fx) {
    db_.begun = db_.in_transaction = false;
    db_.prepared.reset();
    if (!db_.unremembered.empty() && step().kind != StepKind::db_rollback) {
        auto request = statement(Statement::claim);
        request.rows = std::exchange(db_.unremembered, {});
        request.alone = true;
        db_.phase = Phase::remember;
        ask_store(std::move(request), ctx, hands, fx);
        return;
    }
    if (config_->stores.offsets_in_store && step().kind == StepKind::db_commit) {
        processed_.clear();
        polled_.clear();
    }
    end_step(hands, fx);
}

// --- calls
// ----------------------------------------------------------------------------------------

void Application::ask_store(StoreRequest request, const Context& ctx, Hands hands, Fx& fx) {
    const bool in_step = wait_ != Wait::poll && step().store.value >= 0;
    const auto store = in_step ? step().store : store_of_program();
    const bool part_of_transaction = request.statement == Statement::write ||
                                     request.statement == Statement::write_offset ||
                                     request.statement == Statement::claim;
    if (part_of_transaction && !request.alone) {
        if (db_.begun) {
            request.begins = !db_.in_transaction;
        } else {
            request.alone = true;  // autocommit
        }
    }
    if (config_->stores.fences &&
        (request.statement == Statement::write || request.statement == Statement::write_offset ||
         request.statement == Statement::fence))
        request.token = db_.token;
    request.attempt = db_.attempts + 1;
    since_ = ctx.now;
    wait_ = Wait::store;
    db_.asked = request;
    hands.store->call(ctx, store, std::move(request), fx);
}

void Application::take_store_answer(const Context& ctx, Hands hands, Fx& fx) {
    const auto answer = hands.store->take_answer();
    if (!answer || wait_ != Wait::store || dead_ || wants_new_clients_) return;
    if (answer->error != ErrorCode::none) {
        store_failed(*answer, ctx, hands, fx);
        return;
    }
    store_answered(answer->response, ctx, hands, fx);
}

void Application::store_answered(const StoreResponse& response, const Context& ctx, Hands hands,
                                 Fx& fx) {
    db_.attempts = 0;
    db_.failing_since.reset();
    if (db_.begun && (db_.asked.begins || db_.phase == Phase::effect)) db_.in_transaction = true;
    const auto fresh = [&](std::size_t i) {
        return i >= response.fresh.size() || response.fresh[i] != 0;
    };
    switch (db_.phase) {
        case Phase::none:
            return;
        case Phase::claim:
            db_.claimed.emplace();
            for (std::size_t i = 0; i < db_.rows.size(); ++i)
                if (fresh(i)) db_.claimed->insert({db_.rows[i].log, db_.rows[i].offset});
            end_step(hands, fx);
            return;
        case Phase::claim_before:
        case Phase::look_up: {
            std::vector<StoreRow> unknown;
            for (std::size_t i = 0; i < db_.rows.size(); ++i)
                if (fresh(i)) unknown.push_back(db_.rows[i]);
            if (db_.phase == Phase::look_up) db_.unremembered = unknown;
            for (auto& row : unknown) row.key.reset();
            db_.rows = std::move(unknown);
            if (db_.rows.empty())
                end_step(hands, fx);
            else
                write_rows(ctx, hands, fx);
            return;
        }
        case Phase::effect:
            db_.next += db_.asked.rows.size();
            if (db_.next < db_.rows.size()) {
                write_rows(ctx, hands, fx);
            } else if (!db_.begun && !db_.unremembered.empty()) {
                finish_db_commit(ctx, hands, fx);  // autocommit: it is done
            } else {
                end_step(hands, fx);
            }
            return;
        case Phase::prepare:
            db_.surely_prepared = true;
            end_step(hands, fx);
            return;
        case Phase::end:
            finish_db_commit(ctx, hands, fx);
            return;
        case Phase::give_up:
            db_.prepared.reset();
            end_step(hands, fx);
            return;
        case Phase::remember:
        case Phase::offset:
            if (db_.phase == Phase::remember && step().kind == StepKind::db_commit)
                finish_db_commit(ctx, hands, fx);
            else
                end_step(hands, fx);
            return;
        case Phase::fence:
        case Phase::place:
        case Phase::recover:
        case Phase::decide:
            go_on_placing(&response, ctx, hands, fx);
            return;
    }
}

// --- errors
// ---------------------------------------------------------------------------------------

void Application::store_failed(const StoreAnswer& answer, const Context& ctx, Hands hands, Fx& fx) {
    ++db_.attempts;
    if (!db_.failing_since) db_.failing_since = ctx.now;
    // S17: somebody else owns the partitions now. A decision taken against one's own is final.
    auto error_class = ErrorClass::store;
    if (answer.error == ErrorCode::stale_fencing_token) {
        error_class = ErrorClass::generation;
        for (const auto log : hands.consumer->assignment()) db_.unplaced.insert(log);
    }
    if (answer.error == ErrorCode::heuristic_rollback) error_class = ErrorClass::fatal;
    react(error_class, answer.error, ctx, hands, fx);
}

void Application::retry_store(const Context& ctx, Hands hands, Fx& fx) {
    const auto backoff = config_->consumer.client.retry_backoff;
    const bool placing = db_.phase == Phase::fence || db_.phase == Phase::place ||
                         db_.phase == Phase::recover || db_.phase == Phase::decide;
    const bool decides = db_.asked.statement == Statement::decide;
    const auto& program = in_setup_ ? config_->setup : config_->steps;
    auto begin = pc_;
    while (begin > 0 && program[begin].kind != StepKind::db_begin) --begin;
    const bool from_begin = !placing && !decides && db_.phase != Phase::remember && db_.begun &&
                            program[begin].kind == StepKind::db_begin;
    if (from_begin && config_->stores.offsets_in_store) {
        // N6: nobody but the store knows whether the rows are there, and its offset says so.
        db_.unplaced.clear();
        for (const auto log : hands.consumer->assignment()) db_.unplaced.insert(log);
        processed_.clear();
        polled_.clear();
        give_up_loop(ctx, hands, fx);
        let_time_pass(fx);
        return;
    }
    if (from_begin) {
        pc_ = begin;
        wait_ = Wait::backoff;
        fx.arm(key(Tick::app_retry), backoff);
        return;
    }
    db_.again = db_.asked;
    for (auto& row : db_.again->rows)
        if (row.key && row.key->kind == IdentityKind::random)
            row.key = key_of(IdentityKind::random, row.log, row.offset, row.record, ctx.life);
    fx.arm(key(Tick::app_store), backoff);
}

}  // namespace eos::model
