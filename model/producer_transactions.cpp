#include "model/producer_transactions.hpp"

#include <algorithm>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

constexpr ProducerCall call_over{};
constexpr ProducerCall call_pending{.kind = ProducerCall::Kind::pending};

ProducerCall call_refused(ErrorCode error) {
    return {.kind = ProducerCall::Kind::refused, .error = error};
}

void list_once(std::vector<LogId>& logs, LogId log) {
    const auto place = std::lower_bound(logs.begin(), logs.end(), log);
    if (place == logs.end() || *place != log) logs.insert(place, log);
}

bool in_sorted(const std::vector<LogId>& logs, LogId log) {
    return std::binary_search(logs.begin(), logs.end(), log);
}

}  // namespace

ProducerTransactions::ProducerTransactions(const ProducerConfig& config, ProcessId process,
                                           std::int32_t begun)
    : version_(config.transaction_version),
      coordinator_bumps_(config.coordinator_bumps_epoch),
      max_block_(config.max_block),
      process_(process),
      begun_(begun) {}

// --- states --------------------------------------------------------------------------------------

// Table 3.1.
bool ProducerTransactions::may_enter(State target) const {
    using enum State;
    switch (target) {
        case uninitialized: return state_ == ready || state_ == abortable_error;
        case initializing: return state_ == uninitialized || state_ == aborting;
        case ready: return state_ == initializing || completing();
        case in_transaction: return state_ == ready;
        case committing: return state_ == in_transaction;
        case aborting: return state_ == in_transaction || state_ == abortable_error;
        case abortable_error:
            return state_ == initializing || state_ == in_transaction || state_ == committing ||
                   state_ == abortable_error;
        case fatal_error: return true;
    }
    return false;
}

// On the sender's thread (T1): an impossible transition is the end of the producer. Simplified: the
// call that waits is failed with it; Kafka leaves it to max.block.ms.
void ProducerTransactions::enter(State target, ErrorCode error) {
    if (!may_enter(target)) {
        target = State::fatal_error;
        error = ErrorCode::illegal_state;
    }
    state_ = target;
    last_error_ = error;
    if (state_ != State::fatal_error || !transition_ || transition_->ended) return;
    finish(transition_, error,
           transition_->under_way ? Certainty::ambiguous : Certainty::not_done);
}

void ProducerTransactions::become_fatal(ErrorCode error) { enter(State::fatal_error, error); }

void ProducerTransactions::become_abortable(ErrorCode error) {
    if (state_ == State::aborting) return;  // T3: that is what happens already
    enter(State::abortable_error, error);
}

void ProducerTransactions::recover_or_die(ErrorCode error) {
    if (!coordinator_bumps_ && version_ < TransactionVersion::tv2) {
        become_fatal(error);
        return;
    }
    if (client_bumps()) bump_required_ = true;
    become_abortable(error);
}

bool ProducerTransactions::ends_producer(ErrorCode error) {
    return error == ErrorCode::producer_fenced || error == ErrorCode::unsupported_version ||
           error == ErrorCode::cluster_authorization_failed ||
           error == ErrorCode::transactional_id_authorization_failed ||
           error == ErrorCode::invalid_producer_id_mapping;
}

void ProducerTransactions::failed(ErrorCode error) {
    if (state_ == State::fatal_error) return;
    if (ends_producer(error)) {
        become_fatal(error);
        return;
    }
    if (client_bumps() && !completing()) bump_required_ = true;
    become_abortable(error);
}

void ProducerTransactions::gap_found() {
    if (state_ != State::fatal_error) recover_or_die(ErrorCode::unknown_server_error);
}

bool ProducerTransactions::not_authorised() const {
    return state_ == State::abortable_error &&
           (last_error_ == ErrorCode::transactional_id_authorization_failed ||
            last_error_ == ErrorCode::cluster_authorization_failed);
}

void ProducerTransactions::start_over() {
    for (const auto& request : std::exchange(queue_, {}))
        finish(request, last_error_, Certainty::not_done);
    enter(State::uninitialized);
}

void ProducerTransactions::complete() {
    enter(bump_required_ ? State::initializing : State::ready);
    if (state_ == State::fatal_error) return;
    bump_required_ = false;
    started_ = false;
    to_add_.clear();
    adding_.clear();
    enrolled_.clear();
    txn_.reset();
}

// --- calls ---------------------------------------------------------------------------------------

ProducerTransactions::Call& ProducerTransactions::open_call(std::optional<Call>& slot, Instant now,
                                                           TxnCall what) {
    slot = Call{.number = ++calls_, .what = what, .txn = txn_, .deadline = now + max_block_};
    return *slot;
}

std::optional<ProducerCall> ProducerTransactions::repeated(Instant now, TxnCall what) {
    if (!transition_) return std::nullopt;
    if (transition_->what != what) return call_refused(ErrorCode::illegal_state);
    if (transition_->ended) {
        const auto error = *transition_->ended;
        returned_.push_back(*transition_);
        transition_.reset();
        return error == ErrorCode::none ? call_over : call_refused(error);
    }
    transition_->waited_for = true;
    transition_->deadline = now + max_block_;
    return call_pending;
}

std::optional<ErrorCode> ProducerTransactions::out_of_turn() const {
    if (transition_) return ErrorCode::illegal_state;
    if (in_error()) return last_error_;
    return std::nullopt;
}

ProducerCall ProducerTransactions::init(Instant now) {
    if (const auto again = repeated(now, TxnCall::init)) return *again;
    if (!may_enter(State::initializing) || state_ != State::uninitialized)
        return call_refused(ErrorCode::illegal_state);
    enter(State::initializing);
    Request request;
    request.kind = Request::Kind::init;
    request.call = open_call(transition_, now, TxnCall::init).number;
    enqueue(std::move(request));
    return call_pending;
}

ProducerCall ProducerTransactions::begin() {
    if (const auto error = out_of_turn()) return call_refused(*error);
    if (!may_enter(State::in_transaction)) return call_refused(ErrorCode::illegal_state);
    enter(State::in_transaction);
    txn_ = TxnRef{.process = process_, .number = ++begun_};
    return call_over;
}

void ProducerTransactions::resume(const TxnRef& txn) {
    sim::ensure(state_ == State::uninitialized, "a transaction is resumed by a new producer");
    state_ = State::in_transaction;
    txn_ = txn;
    started_ = true;
}

ProducerCall ProducerTransactions::enrol(Instant now, LogId log) {
    if (const auto error = send_refusal()) return call_refused(*error);
    if (in_sorted(enrolled_, log)) return call_over;
    // The client's own request exists under TV2 as well: brokers keep it for older clients.
    if (!in_sorted(adding_, log)) list_once(to_add_, log);
    open_call(detour_, now, TxnCall::enrol).log = log;
    return call_pending;
}

ProducerCall ProducerTransactions::send_offsets(Instant now, GroupId group, const MemberRef& member,
                                                std::vector<OffsetCommitRequest::Part> offsets) {
    if (const auto error = send_refusal()) return call_refused(*error);
    if (offsets.empty()) return call_over;
    const auto number = open_call(detour_, now, TxnCall::send_offsets).number;
    if (version_ >= TransactionVersion::tv2) {  // the group coordinator enrols the partition
        started_ = true;
        enqueue(commit_offsets(number, group, member, offsets));
        return call_pending;
    }
    Request request;
    request.kind = Request::Kind::add_offsets;
    request.call = number;
    request.group = group;
    request.member = member;
    request.offsets = std::move(offsets);
    request.txn = txn_;
    enqueue(std::move(request));
    return call_pending;
}

ProducerCall ProducerTransactions::end(Instant now, TxnCall what) {
    const bool abort = what == TxnCall::abort;
    if (const auto again = repeated(now, what)) return *again;
    if (in_error() && !(abort && state_ == State::abortable_error))
        return call_refused(last_error_);
    const State target = abort ? State::aborting : State::committing;
    if (!may_enter(target)) return call_refused(ErrorCode::illegal_state);
    enter(target);
    if (abort) to_add_.clear();
    const auto number = open_call(transition_, now, what).number;
    if (!to_add_.empty()) enqueue(add_partitions());
    Request request;
    request.kind = Request::Kind::end;
    request.call = bump_required_ ? 0 : number;
    request.result = abort ? ControlType::abort : ControlType::commit;
    request.txn = txn_;
    enqueue(std::move(request));
    if (bump_required_) {  // T13: the call returns when the new epoch is there
        Request bump;
        bump.kind = Request::Kind::bump;
        bump.call = number;
        enqueue(std::move(bump));
    }
    return call_pending;
}

std::optional<ErrorCode> ProducerTransactions::send_refusal() const {
    if (in_error()) return last_error_;
    if (transition_ || state_ != State::in_transaction) return ErrorCode::illegal_state;
    return std::nullopt;
}

void ProducerTransactions::wrote(LogId log) {
    if (version_ >= TransactionVersion::tv2) {  // the leader enrols the partition
        list_once(enrolled_, log);
        started_ = true;
    } else if (!in_sorted(enrolled_, log) && !in_sorted(adding_, log)) {
        list_once(to_add_, log);
    }
}

std::vector<LogId> ProducerTransactions::to_enrol() const {
    std::vector<LogId> logs;
    std::set_union(to_add_.begin(), to_add_.end(), adding_.begin(), adding_.end(),
                   std::back_inserter(logs));
    return logs;
}

// --- how calls return ----------------------------------------------------------------------------

void ProducerTransactions::finish(const Request& request, ErrorCode error, Certainty certainty) {
    const bool answers_enrol = request.kind == Request::Kind::add_partitions && detour_ &&
                               detour_->what == TxnCall::enrol && in_sorted(request.logs, detour_->log);
    if (answers_enrol || (detour_ && request.call == detour_->number))
        finish(detour_, error, certainty);
    if (transition_ && request.call == transition_->number) finish(transition_, error, certainty);
}

void ProducerTransactions::finish(std::optional<Call>& slot, ErrorCode error,
                                  Certainty certainty) {
    if (slot->ended) return;
    slot->ended = error;
    slot->certainty = error == ErrorCode::none ? Certainty::done : certainty;
    if (!slot->waited_for && &slot == &transition_) return;  // kept until the call is repeated
    if (slot->waited_for) returned_.push_back(*slot);
    slot.reset();
}

void ProducerTransactions::stop_waiting() {
    const auto time_out = [&](const Call& call) {
        Call told = call;
        told.ended = ErrorCode::request_timed_out;
        told.certainty = Certainty::ambiguous;
        returned_.push_back(told);
    };
    if (detour_ && detour_->waited_for) {
        time_out(*detour_);
        detour_.reset();  // nobody can wait for the rest of it
    }
    if (transition_ && transition_->waited_for) {
        time_out(*transition_);
        transition_->waited_for = false;
    }
}

void ProducerTransactions::expire_calls(Instant now) {
    if (deadline() <= now) stop_waiting();
}

Instant ProducerTransactions::deadline() const {
    if (detour_) return detour_->deadline;
    return transition_ && transition_->waited_for ? transition_->deadline : sim::time_never;
}

void ProducerTransactions::close() {
    // Kafka throws without a code.
    constexpr auto error = ErrorCode::unknown_server_error;
    for (auto* slot : {&detour_, &transition_}) {
        if (!*slot || (*slot)->ended) continue;
        finish(*slot, error, (*slot)->under_way ? Certainty::ambiguous : Certainty::not_done);
    }
    queue_.clear();
}

}  // namespace eos::model
