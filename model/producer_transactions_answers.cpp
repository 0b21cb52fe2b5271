// The requests of a transactional producer: their order (T5), what each answer means (table 3.4),
// and what becomes of the calls that wait for them.

#include <algorithm>
#include <iterator>

#include "model/producer_transactions.hpp"

namespace eos::model {
namespace {

using TxnKind = ProducerTransactions::Request::Kind;

/// T5: find < init < add < end < bump.
std::int32_t txn_priority(TxnKind kind) {
    switch (kind) {
        case TxnKind::find_coordinator: return 0;
        case TxnKind::init: return 1;
        case TxnKind::add_partitions:
        case TxnKind::add_offsets:
        case TxnKind::commit_offsets: return 2;
        case TxnKind::end: return 3;
        case TxnKind::bump: return 4;
    }
    return 0;
}

/// What the caller may conclude: a sending that ended without telling stays open.
Certainty txn_certainty(const ProducerTransactions::Request& request, ErrorCode error) {
    if (error == ErrorCode::none) return Certainty::done;
    if (request.maybe_done || certainty(error) == Certainty::ambiguous) return Certainty::ambiguous;
    return Certainty::not_done;
}

}  // namespace

// --- the queue -----------------------------------------------------------------------------------

void ProducerTransactions::enqueue(Request request) {
    // Simplified: equals go in order of age, where Kafka's heap leaves their order open.
    const auto place =
        std::upper_bound(queue_.begin(), queue_.end(), txn_priority(request.kind),
                         [](std::int32_t p, const Request& r) { return p < txn_priority(r.kind); });
    queue_.insert(place, std::move(request));
}

void ProducerTransactions::retry(Request&& request) {
    request.retry = true;
    enqueue(std::move(request));
}

ProducerTransactions::Request ProducerTransactions::add_partitions() {
    Request request;
    request.kind = TxnKind::add_partitions;
    request.txn = txn_;
    std::vector<LogId> all = to_enrol();  // those asked for before as well
    adding_ = std::move(all);
    to_add_.clear();
    request.logs = adding_;
    return request;
}

ProducerTransactions::Request ProducerTransactions::commit_offsets(
    std::int32_t call, GroupId group, const MemberRef& member,
    const std::vector<OffsetCommitRequest::Part>& offsets) {
    for (const auto& part : offsets) {  // T21: the later offset of a partition counts
        const auto place =
            std::lower_bound(offsets_.begin(), offsets_.end(), part.log,
                             [](const auto& known, LogId log) { return known.log < log; });
        if (place != offsets_.end() && place->log == part.log)
            *place = part;
        else
            offsets_.insert(place, part);
    }
    Request request;
    request.kind = TxnKind::commit_offsets;
    request.call = call;
    request.group = group;
    request.member = member;
    request.offsets = offsets_;
    request.txn = txn_;
    return request;
}

std::optional<ProducerTransactions::Request> ProducerTransactions::next(bool incomplete,
                                                                        Guard& guard) {
    if (!to_add_.empty()) enqueue(add_partitions());
    while (!queue_.empty()) {
        if (queue_.front().kind == TxnKind::end && incomplete &&
            guard.trips(Safeguard::flush_before_end, true))
            return std::nullopt;
        Request request = std::move(queue_.front());
        queue_.erase(queue_.begin());
        if (in_error() && !(state_ == State::abortable_error &&
                            request.kind == TxnKind::find_coordinator)) {
            finish(request, last_error_,
                   request.maybe_done ? Certainty::ambiguous : Certainty::not_done);
            continue;
        }
        if (request.kind == TxnKind::end && !started_) {  // T8: nothing to end
            complete();
            finish(request, ErrorCode::none, Certainty::done);
            continue;
        }
        return request;
    }
    return std::nullopt;
}

std::optional<BrokerId> ProducerTransactions::coordinator(const Request& request) const {
    return request.kind == TxnKind::commit_offsets ? group_coordinator_ : txn_coordinator_;
}

void ProducerTransactions::ask_for_coordinator(const Request& request) {
    Request find;
    find.kind = TxnKind::find_coordinator;
    if (request.kind == TxnKind::commit_offsets) {
        group_coordinator_.reset();
        find.group = request.group;
    } else {
        txn_coordinator_.reset();
    }
    enqueue(std::move(find));
}

void ProducerTransactions::look_up(Request request) {
    if (needs_coordinator(request)) {
        ask_for_coordinator(request);
        request.looked_up = true;
    }
    retry(std::move(request));
}

void ProducerTransactions::sent(const Request& request) {
    if (request.kind == TxnKind::end && transition_) transition_->under_way = true;
}

void ProducerTransactions::lost(Request request) {
    request.maybe_done = true;
    look_up(std::move(request));
}

// --- answers -------------------------------------------------------------------------------------

// Table 3.4, as Kafka 4.0 has it.
ProducerTransactions::Verdict ProducerTransactions::judge(TxnKind kind, ErrorCode error) {
    using enum Verdict;
    using E = ErrorCode;
    if (error == E::none) return done;
    if (error == E::transaction_abortable) return abortable;
    if (kind == TxnKind::find_coordinator) return retriable(error) ? again : fatal;
    const bool offsets = kind == TxnKind::commit_offsets;
    if (error == E::not_coordinator || error == E::coordinator_not_available ||
        (offsets && error == E::request_timed_out))
        return Verdict::look_up;
    if (retriable(error)) return again;
    if (error == E::producer_fenced || error == E::invalid_producer_epoch) return fenced;
    if (kind == TxnKind::init || kind == TxnKind::bump) {
        const bool authorisation = error == E::transactional_id_authorization_failed ||
                                   error == E::cluster_authorization_failed;
        return authorisation ? abortable : fatal;
    }
    if (offsets) {
        const bool membership = error == E::illegal_generation || error == E::unknown_member_id ||
                                error == E::fenced_instance_id;
        return membership ? abortable : fatal;
    }
    if (error == E::unknown_producer_id) return recoverable;
    if (kind != TxnKind::add_partitions || error == E::transactional_id_authorization_failed ||
        error == E::invalid_txn_state || error == E::invalid_producer_id_mapping)
        return fatal;
    return abortable;
}

void ProducerTransactions::act(Verdict verdict, Request&& request, ErrorCode error) {
    const auto certainty = txn_certainty(request, error);
    if (certainty == Certainty::ambiguous) request.maybe_done = true;
    switch (verdict) {
        case Verdict::done: return;
        case Verdict::again: retry(std::move(request)); return;
        case Verdict::look_up: look_up(std::move(request)); return;
        case Verdict::fenced:
            finish(request, ErrorCode::producer_fenced, certainty);
            become_fatal(ErrorCode::producer_fenced);
            return;
        case Verdict::fatal:
            finish(request, error, certainty);
            become_fatal(error);
            return;
        case Verdict::abortable:
            finish(request, error, certainty);
            become_abortable(error);
            return;
        case Verdict::recoverable:
            finish(request, error, certainty);
            recover_or_die(error);
            return;
    }
}

void ProducerTransactions::found(Request request, ErrorCode error, BrokerId coordinator) {
    if (error == ErrorCode::none)
        (request.group ? group_coordinator_ : txn_coordinator_) = coordinator;
    act(judge(request.kind, error), std::move(request), error);
}

void ProducerTransactions::initialised(Request request, ErrorCode error) {
    if (error == ErrorCode::none) {
        enter(State::ready);
        finish(request, error, Certainty::done);
        return;
    }
    act(judge(request.kind, error), std::move(request), error);
}

void ProducerTransactions::added(Request request,
                                 const std::vector<AddPartitionsToTxnResponse::Part>& parts) {
    using E = ErrorCode;
    request.hasten = false;
    E refused = E::none;
    for (const auto& part : parts) {
        const auto verdict = judge(request.kind, part.error);
        if (verdict == Verdict::done) continue;
        if (verdict != Verdict::abortable || part.error == E::transaction_abortable) {
            // T31: the transaction before is still being completed.
            request.hasten = part.error == E::concurrent_transactions && enrolled_.empty();
            act(verdict, std::move(request), part.error);
            return;
        }
        if (refused == E::none || refused == E::operation_not_attempted ||
            part.error == E::topic_authorization_failed)
            refused = part.error;
    }
    for (const LogId log : request.logs) std::erase(adding_, log);  // T19
    if (refused != E::none) {
        act(Verdict::abortable, std::move(request), refused);
        return;
    }
    std::vector<LogId> all;
    std::set_union(enrolled_.begin(), enrolled_.end(), request.logs.begin(), request.logs.end(),
                   std::back_inserter(all));
    enrolled_ = std::move(all);
    started_ = true;
    finish(request, E::none, Certainty::done);
}

void ProducerTransactions::offsets_added(Request request, ErrorCode error) {
    if (error == ErrorCode::none) {
        started_ = true;
        enqueue(commit_offsets(request.call, *request.group, request.member, request.offsets));
        return;
    }
    act(judge(request.kind, error), std::move(request), error);
}

void ProducerTransactions::offsets_committed(Request request,
                                             const std::vector<OffsetCommitResponse::Part>& parts) {
    bool lookup = false;
    for (const auto& part : parts) {
        const auto verdict = judge(request.kind, part.error);
        switch (verdict) {
            case Verdict::done:
                std::erase_if(offsets_, [&](const auto& known) { return known.log == part.log; });
                break;
            case Verdict::again: break;
            case Verdict::look_up: lookup = true; break;
            case Verdict::fenced:
            case Verdict::fatal:
            case Verdict::abortable:
            case Verdict::recoverable:
                offsets_.clear();
                act(verdict, std::move(request), part.error);
                return;
        }
    }
    if (offsets_.empty()) {
        finish(request, ErrorCode::none, Certainty::done);
        return;
    }
    // T20 otherwise: Kafka sends the whole request again, not only what failed.
    if (lookup)
        look_up(std::move(request));
    else
        retry(std::move(request));
}

void ProducerTransactions::ended(Request request, ErrorCode error) {
    if (error == ErrorCode::none) {
        complete();
        finish(request, error, Certainty::done);
        return;
    }
    act(judge(request.kind, error), std::move(request), error);
}

}  // namespace eos::model
