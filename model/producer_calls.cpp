// The transactional calls of a producer (3.2), as its application and the history see them.

#include <utility>

#include "model/producer.hpp"

namespace eos::model {
namespace {

constexpr ProducerCall out_of_place{.kind = ProducerCall::Kind::refused,
                                    .error = ErrorCode::illegal_state};

}  // namespace

bool Producer::no_transactions() const {
    return phase_ != Phase::open || !sender_.transactions();
}

ProducerCall Producer::init_transactions(const Context& ctx, Fx& fx) {
    if (no_transactions()) return out_of_place;
    const auto call = sender_.transactions()->init(ctx.now);
    if (call.kind != ProducerCall::Kind::pending) sender_.return_calls(ctx, fx);
    return call;
}

ProducerCall Producer::begin_transaction(const Context& /*ctx*/, Fx& fx) {
    if (no_transactions()) return out_of_place;
    auto& transactions = *sender_.transactions();
    const auto call = transactions.begin();
    if (call.kind != ProducerCall::Kind::done) return call;
    fx.observe(TxnBegan{
        .process = process_, .txid = *config_->txid, .txn = *transactions.current()});
    fx.reach(number(Mile::txn_begun), sender_.txn_facts(transactions.current()));
    return call;
}

ProducerCall Producer::enrol(const Context& ctx, LogId log, Fx& /*fx*/) {
    if (no_transactions()) return out_of_place;
    return sender_.transactions()->enrol(ctx.now, log);
}

ProducerCall Producer::send_offsets(const Context& ctx, GroupId group, const MemberRef& member,
                                    std::vector<OffsetCommitRequest::Part> offsets, Fx& fx) {
    if (no_transactions()) return out_of_place;
    auto& transactions = *sender_.transactions();
    const auto told = offsets;
    const auto call = transactions.send_offsets(ctx.now, group, member, std::move(offsets));
    if (call.kind != ProducerCall::Kind::pending) return call;
    for (const auto& part : told)
        fx.observe(TxnOffsetsSent{.process = process_,
                                  .txn = *transactions.current(),
                                  .group = group,
                                  .log = part.log,
                                  .offset = part.offset});
    return call;
}

void Producer::resume_transaction(ProducerId producer_id, ProducerEpoch epoch, const TxnRef& txn) {
    sender_.sequences().begin_anew({producer_id, epoch});
    sender_.transactions()->resume(txn);
}

ProducerCall Producer::commit_transaction(const Context& ctx, Fx& fx) {
    return end_transaction(ctx, ControlType::commit, fx);
}

ProducerCall Producer::abort_transaction(const Context& ctx, Fx& fx) {
    return end_transaction(ctx, ControlType::abort, fx);
}

ProducerCall Producer::end_transaction(const Context& ctx, ControlType result, Fx& fx) {
    if (no_transactions()) return out_of_place;
    auto& transactions = *sender_.transactions();
    const auto txn = transactions.ending();
    if (txn) fx.observe(TxnEndInvoked{.process = process_, .txn = *txn, .result = result});
    const auto call = result == ControlType::commit ? transactions.commit(ctx.now)
                                                    : transactions.abort(ctx.now);
    if (call.kind == ProducerCall::Kind::pending) return call;
    if (transactions.has_returned())
        sender_.return_calls(ctx, fx);  // it had ended while nobody waited
    else if (txn)
        fx.observe(TxnEndReturned{.process = process_,
                                  .txn = *txn,
                                  .result = result,
                                  .error = call.error,
                                  .certainty = Certainty::not_done});
    return call;
}

void Producer::stop_waiting() {
    if (auto* transactions = sender_.transactions()) transactions->stop_waiting();
}

std::optional<TxnRef> Producer::current_transaction() const {
    const auto* transactions = sender_.transactions();
    return transactions ? transactions->current() : std::nullopt;
}

std::int32_t Producer::transactions_begun() const {
    const auto* transactions = sender_.transactions();
    return transactions ? transactions->begun() : 0;
}

bool Producer::must_abort() const {
    const auto* transactions = sender_.transactions();
    return transactions && transactions->state() == Sender::State::abortable_error;
}

}  // namespace eos::model
