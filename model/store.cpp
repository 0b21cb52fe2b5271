#include "model/store.hpp"

#include <algorithm>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

std::uint32_t low(std::int64_t number) { return static_cast<std::uint32_t>(number); }

}  // namespace

Store::Store(std::shared_ptr<const StoreConfig> config, std::shared_ptr<const Topology> topology)
    : config_(std::move(config)), topology_(std::move(topology)), tables_(config_) {}

void Store::on_start(const Context&, Fx& fx) {
    if (std::exchange(wiped_, false)) fx.observe(StoreWiped{config_->id});
    // Locks of prepared transactions are found in the log again, before anybody is served.
    for (auto& [name, prepared] : tables_.prepared) {
        for (const auto& change : prepared.changes) {
            if (change.kind != Change::Kind::effect) locks_[change.cell] = prepared.number;
            if (change.kind == Change::Kind::effect &&
                (change.effect == EffectKind::add || change.effect == EffectKind::put ||
                 change.effect == EffectKind::put_if_newer))
                locks_[row_cell(change.process.app, change.row.record)] = prepared.number;
        }
        if (config_->in_doubt)
            fx.arm(key(Tick::store_in_doubt, low(prepared.number)), *config_->in_doubt);
    }
}

void Store::on_request(const Context& ctx, const sim::ReplyTo& from, Message&& message, Fx& fx) {
    auto* request = std::get_if<StoreRequest>(&message);
    sim::ensure(request != nullptr, "a store is asked for statements only");
    const auto session = session_of(from);
    ++lines_[session].received;
    if (request->opens) supersede(session, *request);
    execute(ctx, from, std::move(*request), fx);
    end_dead_sessions(fx);
    wake(ctx, fx);
}

// A client that speaks over a new connection has closed the one before, behind what it had sent
// there: some of that may still be on its way, and is executed when it comes (N5, X1).
void Store::supersede(const Session& session, const StoreRequest& request) {
    Line* before = nullptr;
    for (auto& [other, line] : lines_) {
        if (other.client != session.client || other.lane != session.lane || other >= session)
            continue;
        before = &line;
        if (!request.sent_before) line.ends_after = line.received;  // of a process that is dead
    }
    if (before && request.sent_before) before->ends_after = *request.sent_before;
}

/// A server that reads the end of a connection gives its transaction up; not while a statement
/// waits.
void Store::end_dead_sessions(Fx& fx) {
    for (auto line = lines_.begin(); line != lines_.end();) {
        const auto& [session, state] = *line;
        const auto open = sessions_.find(session);
        const bool waits = open != sessions_.end() &&
                           std::any_of(waiting_.begin(), waiting_.end(), [&](const Work& w) {
                               return w.transaction == open->second;
                           });
        if (!state.ends_after || state.received < *state.ends_after || waits) {
            ++line;
            continue;
        }
        if (open != sessions_.end()) roll_back(open->second, fx);
        line = lines_.erase(line);
    }
}

void Store::on_reply(const Context&, sim::Peer, sim::Correlation, Message&&, Fx&) {
    sim::ensure(false, "a store asks nobody");
}

void Store::on_link(const Context&, sim::Peer, sim::LinkEvent, Fx&) {
    sim::ensure(false, "a store opens no connection");
}

void Store::on_handoff(const Context& ctx, Message&& message, Fx& fx) {
    const auto& step = std::get<HandOff>(message);
    call_done(ctx, step.token, step.error, fx);
}

void Store::on_order(const Context&, const sim::Order& order, Fx& fx) {
    if (order.kind == number(Ask::stop)) fx.exit(false);
}

void Store::on_timer(const Context& ctx, sim::TimerKey rung, Fx& fx) {
    const auto kind = tick(rung);
    if (kind == Tick::store_in_doubt) {
        // S5: the store decides alone; whatever the coordinator decided, this may tear it.
        for (const auto& [name, prepared] : tables_.prepared) {
            if (low(prepared.number) != rung.a) continue;
            const auto ended = name;
            end_prepared(ctx, ended, false, fx);
            break;
        }
    } else if (kind == Tick::store_idle) {
        const auto found = std::find_if(transactions_.begin(), transactions_.end(),
                                        [&](const auto& t) { return low(t.first) == rung.a; });
        if (found == transactions_.end()) return;
        const auto idle = found->first;
        const bool waits = std::any_of(waiting_.begin(), waiting_.end(),
                                       [&](const Work& w) { return w.transaction == idle; });
        // Also how a server learns of a client that is gone and does not come again. Simplified:
        // the end of a connection is not told by itself.
        if (!waits) roll_back(idle, fx);
    } else if (kind == Tick::store_lock) {
        const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Work& w) {
            return low(w.transaction) == rung.a;
        });
        if (found == waiting_.end()) return;
        const auto work = std::move(*found);
        waiting_.erase(found);
        fail(work, ErrorCode::lock_not_available, fx);
    }
    end_dead_sessions(fx);
    wake(ctx, fx);
}

Store Store::reborn(const sim::Loss& loss) && {
    Store next(config_, topology_);
    next.next_ = next_;
    next.wiped_ = wiped_ || loss.wipe;
    if (!loss.wipe) next.tables_ = std::move(tables_);
    return next;
}

void Store::audit(const Context&, Fx& fx) const {
    fx.observe(StoreAudit{config_->id, static_cast<std::int32_t>(tables_.prepared.size()),
                          static_cast<std::int32_t>(waiting_.size())});
}

// --- ends of transactions
// -------------------------------------------------------------------------

void Store::end_session_transaction(const Context& ctx, const sim::ReplyTo& from,
                                    const StoreRequest& request, Fx& fx) {
    const auto found = sessions_.find(session_of(from));
    if (found == sessions_.end()) {
        // Rolled back behind the client's back; to roll back nothing is no error.
        const bool commits = request.statement == Statement::commit;
        const auto error = commits ? ErrorCode::no_active_transaction : ErrorCode::none;
        tell_executed(from, request, error, fx);
        answer(from, request.statement, error, fx);
        return;
    }
    const auto number = found->second;
    tell_executed(from, request, ErrorCode::none, fx);
    if (request.statement == Statement::commit)
        commit(ctx, number, fx);
    else
        roll_back(number, fx);
    answer(from, request.statement, ErrorCode::none, fx);
}

void Store::prepare(const Context&, const sim::ReplyTo& from, const StoreRequest& request, Fx& fx) {
    const auto found = sessions_.find(session_of(from));
    if (found == sessions_.end()) {
        answer(from, request.statement, ErrorCode::no_active_transaction, fx);
        return;
    }
    const auto number = found->second;
    if (tables_.decided.contains(*request.name)) {  // its client gave it up while it was under way
        roll_back(number, fx);
        answer(from, request.statement, ErrorCode::no_active_transaction, fx);
        return;
    }
    auto& transaction = transactions_.at(number);
    Prepared prepared{request.process, request.group, request.parts, std::move(transaction.changes),
                      number};
    fx.disarm(key(Tick::store_idle, low(number)));
    if (config_->in_doubt) fx.arm(key(Tick::store_in_doubt, low(number)), *config_->in_doubt);
    tables_.prepared.emplace(*request.name, std::move(prepared));
    sessions_.erase(found);
    tell_executed(from, request, ErrorCode::none, fx);
    tell_end(Mile::store_prepared, transaction, fx);
    transactions_.erase(number);  // its locks stay in its name
    answer(from, request.statement, ErrorCode::none, fx);
}

// XA: a decision may come twice, and from anybody.
void Store::decide(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request,
                   Fx& fx) {
    auto error = ErrorCode::none;
    const auto over = tables_.decided.find(*request.name);
    if (over != tables_.decided.end()) {
        if (request.commits && !over->second) error = ErrorCode::heuristic_rollback;
    } else if (tables_.prepared.contains(*request.name)) {
        end_prepared(ctx, *request.name, request.commits, fx);
    } else {
        // Never prepared: from now on it cannot be.
        tables_.decided.emplace(*request.name, false);
        if (request.commits) error = ErrorCode::heuristic_rollback;
    }
    tell_executed(from, request, error, fx);
    answer(from, request.statement, error, fx);
}

void Store::end_prepared(const Context& ctx, const TransactionName& name, bool commits, Fx& fx) {
    auto node = tables_.prepared.extract(name);
    auto& prepared = node.mapped();
    tables_.decided.emplace(name, commits);
    fx.disarm(key(Tick::store_in_doubt, low(prepared.number)));
    release(prepared.number);
    Transaction ended{.process = prepared.process,
                      .client = topology_->node_of(prepared.process),
                      .session = {},
                      .changes = std::move(prepared.changes),
                      .locks = {}};
    if (commits) tables_.apply(ctx, ended.changes, fx);
    tell_end(commits ? Mile::store_committed : Mile::store_rolled_back, ended, fx);
}

void Store::commit(const Context& ctx, TxnNumber number, Fx& fx) {
    auto node = transactions_.extract(number);
    const auto& transaction = node.mapped();
    if (transaction.session) sessions_.erase(*transaction.session);
    fx.disarm(key(Tick::store_idle, low(number)));
    tables_.apply(ctx, transaction.changes, fx);
    release(number);
    tell_end(Mile::store_committed, transaction, fx);
}

void Store::roll_back(TxnNumber number, Fx& fx) {
    auto node = transactions_.extract(number);
    const auto& transaction = node.mapped();
    if (transaction.session) sessions_.erase(*transaction.session);
    fx.disarm(key(Tick::store_idle, low(number)));
    release(number);
    tell_end(Mile::store_rolled_back, transaction, fx);
}

void Store::release(TxnNumber number) {
    std::erase_if(locks_, [&](const auto& lock) { return lock.second == number; });
}

// Whoever waited may go on; in the order in which they came.
void Store::wake(const Context& ctx, Fx& fx) {
    for (;;) {
        const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Work& work) {
            return !locks_.contains(work.blocked_at);
        });
        if (found == waiting_.end()) return;
        auto work = std::move(*found);
        waiting_.erase(found);
        fx.disarm(key(Tick::store_lock, low(work.transaction)));
        carry_on(ctx, std::move(work), fx);
        end_dead_sessions(fx);
    }
}

void Store::answer(const sim::ReplyTo& to, Statement statement, ErrorCode error, Fx& fx) {
    fx.reply(to, StoreResponse{.statement = statement, .error = error});
}

// --- what is told
// ---------------------------------------------------------------------------------

void Store::tell_executed(const sim::ReplyTo& from, const StoreRequest& request, ErrorCode error,
                          Fx& fx) const {
    auto facts = told({{Fact::store, config_->id.value},
                       {Fact::app, request.process.app.value},
                       {Fact::instance, request.process.instance},
                       {Fact::from, from.client.value},
                       {Fact::statement, static_cast<std::int64_t>(request.statement)},
                       {Fact::count, static_cast<std::int64_t>(request.rows.size())},
                       {Fact::error, static_cast<std::int64_t>(error)}});
    if (!request.rows.empty()) {
        const auto& record = request.rows.front().record;
        facts.add(number(Fact::record), static_cast<std::int64_t>(record.id.value));
        facts.add(number(Fact::record_key), record.key);
    }
    fx.reach(number(Mile::store_executed), facts);
}

void Store::tell_end(Mile mile, const Transaction& transaction, Fx& fx) const {
    const auto effect = [](const Change& c) { return c.kind == Change::Kind::effect; };
    const auto& changes = transaction.changes;
    auto facts = told({{Fact::store, config_->id.value},
                       {Fact::app, transaction.process.app.value},
                       {Fact::instance, transaction.process.instance},
                       {Fact::from, transaction.client.value},
                       {Fact::count, std::count_if(changes.begin(), changes.end(), effect)}});
    const auto first = std::find_if(changes.begin(), changes.end(), effect);
    if (first != changes.end()) {
        facts.add(number(Fact::record), static_cast<std::int64_t>(first->row.record.id.value));
        facts.add(number(Fact::record_key), first->row.record.key);
    }
    fx.reach(number(mile), facts);
}

void Store::tell_duplicate(Mile mile, const sim::ReplyTo& from, const StoreRequest& request,
                           const StoreRow& row, Fx& fx) const {
    fx.reach(number(mile), told({{Fact::store, config_->id.value},
                                 {Fact::app, request.process.app.value},
                                 {Fact::instance, request.process.instance},
                                 {Fact::from, from.client.value},
                                 {Fact::record, static_cast<std::int64_t>(row.record.id.value)},
                                 {Fact::record_key, row.record.key}}));
}

}  // namespace eos::model
