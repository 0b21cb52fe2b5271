// The sender and its transactions: one transactional request at a time goes to a coordinator, and
// while it is on its way, or waits for a connection or a pause, no batch is sent (T6).

#include <algorithm>
#include <utility>

#include "model/sender.hpp"
#include "sim/ensure.hpp"

namespace eos::model {
namespace {

using TxnKind = ProducerTransactions::Request::Kind;

/// Kafka's ADD_PARTITIONS_RETRY_BACKOFF_MS (T31).
constexpr Duration hasty_backoff = milliseconds(20);

Api api_of_request(TxnKind kind) {
    switch (kind) {
        case TxnKind::find_coordinator: return Api::find_coordinator;
        case TxnKind::init:
        case TxnKind::bump: return Api::init_producer_id;
        case TxnKind::add_partitions: return Api::add_partitions_to_txn;
        case TxnKind::add_offsets: return Api::add_offsets_to_txn;
        case TxnKind::commit_offsets: return Api::txn_offset_commit;
        case TxnKind::end: return Api::end_txn;
    }
    return Api::end_txn;
}

}  // namespace

std::optional<Api> Sender::transactional_request() const {
    if (!exchange_ || !exchange_->correlation) return std::nullopt;
    return api_of_request(exchange_->request.kind);
}

// --- sending -------------------------------------------------------------------------------------

bool Sender::keep_transaction(const Context& ctx, bool& progress, Instant& next, Fx& fx) {
    if (txn_->not_authorised()) {  // the application may try again (table 3.4)
        abort_all(txn_->last_error(), fx);
        txn_->start_over();
        progress = true;
        return true;
    }
    if (!exchange_) {
        if (state() == State::abortable_error)
            drop_unsent(last_error(), fx);
        else if (state() == State::aborting)
            drop_unsent(ErrorCode::transaction_aborted, fx);
        auto request = txn_->next(open_ > 0, guard_);
        if (!request) return false;
        exchange_ = Exchange{.request = std::move(*request)};
    }
    return exchange(ctx, progress, next, fx);
}

/// Brings the request on its way as far as it goes. True: nothing else may be sent.
bool Sender::exchange(const Context& ctx, bool& progress, Instant& next, Fx& fx) {
    if (exchange_->correlation || !connected(ctx, progress, next, fx)) return true;
    TxnRequest& request = exchange_->request;
    if (request.retry && !exchange_->resume) {
        const Duration pause = config_->client.retry_backoff;  // flat (N7)
        exchange_->resume = ctx.now + (request.hasten ? std::min(pause, hasty_backoff) : pause);
    }
    if (exchange_->resume && ctx.now < *exchange_->resume) {
        next = std::min(next, *exchange_->resume);
        return true;
    }
    ++request.attempt;
    request.looked_up = false;
    txn_->sent(request);
    exchange_->correlation = net_.send(ctx, *exchange_->peer, message_of(request),
                                       config_->client.request_timeout, 0, fx);
    return true;
}

/// Whether the request's node is known and ready. A coordinator that cannot be reached is looked up
/// again. Simplified: one whose reconnect backoff still runs after that is waited for, where Kafka
/// asks for it again and again.
bool Sender::connected(const Context& ctx, bool& progress, Instant& next, Fx& fx) {
    Exchange& now = *exchange_;
    const auto look_up = [&] {
        txn_->look_up(std::move(now.request));
        exchange_.reset();
        progress = true;
        return false;
    };
    if (!ProducerTransactions::needs_coordinator(now.request)) {
        if (now.peer && net_.ready(*now.peer)) return true;
        now.peer = metadata_.least_loaded(ctx, net_);
        if (!now.peer || net_.ready(*now.peer)) return now.peer.has_value();
        net_.want(ctx, *now.peer, fx);
        return false;
    }
    if (!now.peer) {
        const auto node = txn_->coordinator(now.request);
        if (!node) return look_up();
        now.peer = Peer{*node, lane_};
        now.last_attempt = net_.last_attempt(*now.peer);
        now.give_up = ctx.now + config_->client.request_timeout;
        if (net_.state(*now.peer) == NetworkClient::State::backoff && !now.request.looked_up)
            return look_up();
    }
    if (net_.ready(*now.peer)) return true;
    const auto state = net_.state(*now.peer);
    const bool down =
        state == NetworkClient::State::backoff || state == NetworkClient::State::disconnected;
    const bool tried = net_.last_attempt(*now.peer) != now.last_attempt;
    if ((down && tried) || ctx.now >= now.give_up) return look_up();
    net_.want(ctx, *now.peer, fx);
    next = std::min(next, now.give_up);
    return false;
}

Message Sender::message_of(const TxnRequest& request) const {
    const auto& identity = sequences_.identity();
    TxnIdentity who{.txid = *config_->txid, .txn = request.txn};
    if (identity) {
        who.producer_id = identity->producer_id;
        who.producer_epoch = identity->epoch;
    }
    switch (request.kind) {
        case TxnKind::find_coordinator:
            return FindCoordinatorRequest{
                .group = request.group,
                .txid = request.group ? std::nullopt : config_->txid};
        case TxnKind::init:
        case TxnKind::bump: {
            InitProducerIdRequest init{.attempt = request.attempt,
                                       .txid = config_->txid,
                                       .timeout = config_->transaction_timeout};
            if (request.kind == TxnKind::bump && identity) {  // KIP-360
                init.expected_producer_id = identity->producer_id;
                init.expected_epoch = identity->epoch;
            }
            return init;
        }
        case TxnKind::add_partitions: {
            AddPartitionsToTxnRequest add{.attempt = request.attempt, .entries = {}};
            add.entries.push_back({.who = who, .verify_only = false, .logs = request.logs});
            return add;
        }
        case TxnKind::add_offsets:
            return AddOffsetsToTxnRequest{
                .who = who, .group = *request.group, .attempt = request.attempt};
        case TxnKind::commit_offsets:
            return TxnOffsetCommitRequest{.who = who,
                                          .group = *request.group,
                                          .member = request.member,
                                          .version = txn_->version(),
                                          .parts = request.offsets,
                                          .attempt = request.attempt};
        case TxnKind::end: break;
    }
    return EndTxnRequest{.who = who,
                         .result = request.result,
                         .version = txn_->version(),
                         .attempt = request.attempt};
}

// --- answers -------------------------------------------------------------------------------------

void Sender::on_exchanged(const Context& ctx, const Message* message, Fx& fx) {
    TxnRequest request = std::move(exchange_->request);
    exchange_.reset();
    if (state() == State::fatal_error) return;  // nobody cares any more
    if (!message) {
        txn_->lost(std::move(request));
        return;
    }
    switch (request.kind) {
        case TxnKind::find_coordinator: {
            const auto& found = std::get<FindCoordinatorResponse>(*message);
            txn_->found(std::move(request), found.error, found.coordinator);
            return;
        }
        case TxnKind::init:
        case TxnKind::bump:
            on_txn_init(ctx, std::move(request), std::get<InitProducerIdResponse>(*message), fx);
            return;
        case TxnKind::add_partitions: {
            const auto& added = std::get<AddPartitionsToTxnResponse>(*message);
            sim::ensure(added.entries.size() == 1, "a client is told of its own transaction");
            txn_->added(std::move(request), added.entries.front().parts);
            return;
        }
        case TxnKind::add_offsets:
            txn_->offsets_added(std::move(request),
                                std::get<AddOffsetsToTxnResponse>(*message).error);
            return;
        case TxnKind::commit_offsets:
            txn_->offsets_committed(std::move(request),
                                    std::get<TxnOffsetCommitResponse>(*message).parts);
            return;
        case TxnKind::end:
            on_txn_end(std::move(request), std::get<EndTxnResponse>(*message), fx);
            return;
    }
}

void Sender::on_txn_init(const Context& ctx, TxnRequest request,
                         const InitProducerIdResponse& response, Fx& fx) {
    const bool bump = request.kind == TxnKind::bump;
    if (response.error == ErrorCode::none) {
        const Sequences::Identity identity{response.producer_id, response.producer_epoch};
        if (bump)
            sequences_.begin_anew(identity);
        else
            sequences_.set_identity(batches_, identity);
        // Before the milestone: whoever hears of it may aim at the new holder, or the old one.
        const auto id = config_->txid->value;
        if (!bump) fx.succeed(role(Role::holder, id), ctx.self, role(Role::zombie, id));
        reach(bump ? Mile::producer_epoch_bumped : Mile::producer_initialised, nullptr,
              ErrorCode::none, fx);
    }
    txn_->initialised(std::move(request), response.error);
}

void Sender::on_txn_end(TxnRequest request, const EndTxnResponse& response, Fx& fx) {
    // T15; answers below v5 carry no identity (END-7).
    const bool told = txn_->version() == TransactionVersion::tv2 && response.producer_id.value >= 0;
    if (response.error == ErrorCode::none && told) {
        sequences_.begin_anew({response.producer_id, response.producer_epoch});
        reach(Mile::producer_epoch_bumped, nullptr, ErrorCode::none, fx);
    }
    txn_->ended(std::move(request), response.error);
}

// --- batches -------------------------------------------------------------------------------------

/// T7: what has no sequence yet need not go out any more.
void Sender::drop_unsent(ErrorCode error, Fx& fx) {
    for (const auto& partition : accumulator_.partitions()) {
        for (std::size_t i = 0; i < partition.queue.size();) {
            const BatchId id = partition.queue[i];
            if (batches_[id].number) {
                ++i;
                continue;
            }
            accumulator_.remove(batches_, id);
            fail(id, error, ProducerBatch::State::aborted, fx);
            dispose(id);
        }
    }
}

void Sender::batch_failed(ErrorCode error, Fx& fx) {
    const bool deposed = error == ErrorCode::invalid_producer_epoch;  // KIP-588: abortable
    if (deposed && txn_->last_error() != error)
        fx.observe(
            Fenced{.process = owner_.process, .txid = config_->txid, .error = error});
    // KAFKA-5385: without it the transaction goes on and commits what is left.
    const bool aborts = !ProducerTransactions::ends_producer(error) &&
                        (state() == State::in_transaction || state() == State::committing);
    if (aborts && !guard_.trips(Safeguard::failed_batch_aborts, true)) return;
    txn_->failed(error);
}

// --- reports -------------------------------------------------------------------------------------

sim::Facts Sender::txn_facts(const std::optional<TxnRef>& txn) const {
    sim::Facts facts =
        told({{Fact::app, owner_.process.app.value}, {Fact::instance, owner_.process.instance}});
    facts.add(number(Fact::txid), config_->txid->value);
    if (txn) facts.add(number(Fact::txn), txn->number);
    if (const auto& identity = sequences_.identity()) {
        facts.add(number(Fact::pid), identity->producer_id.value);
        facts.add(number(Fact::epoch), identity->epoch.value);
    }
    return facts;
}

void Sender::return_calls(const Context& /*ctx*/, Fx& fx) {
    if (state() == State::fatal_error && !fatal_told_) {
        tell_fatal(fx);
        if (last_error() == ErrorCode::producer_fenced)
            fx.observe(
                Fenced{.process = owner_.process, .txid = config_->txid, .error = last_error()});
    }
    for (const auto& call : txn_->take_returned()) {
        const ErrorCode error = *call.ended;
        if (call.what == TxnCall::init) {
            fx.observe(TxnInitialised{
                .process = owner_.process, .txid = *config_->txid, .error = error});
        } else if (call.what == TxnCall::commit || call.what == TxnCall::abort) {
            const auto result =
                call.what == TxnCall::commit ? ControlType::commit : ControlType::abort;
            fx.observe(TxnEndReturned{.process = owner_.process,
                                      .txn = *call.txn,
                                      .result = result,
                                      .error = error,
                                      .certainty = call.certainty});
            if (call.certainty != Certainty::not_done) {
                sim::Facts facts = txn_facts(call.txn);
                const auto learnt =
                    error == ErrorCode::none ? result_of(result) : TxnResult::unknown;
                facts.add(number(Fact::result), static_cast<std::int64_t>(learnt));
                if (error != ErrorCode::none)
                    facts.add(number(Fact::error), static_cast<std::int64_t>(error));
                fx.reach(number(Mile::txn_reported), facts);
            }
        }
        if (!call.waited_for) continue;
        ProducerEvent event;
        event.kind = ProducerEvent::Kind::call_done;
        event.error = error;
        event.certainty = call.certainty;
        event.call = call.what;
        events_.push_back(event);
    }
}

}  // namespace eos::model
