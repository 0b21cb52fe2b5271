#include "model/transaction_metadata.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

constexpr ProducerEpoch no_epoch{-1};
/// TXS-7: the coordinator's own mistake; a client is told UNKNOWN_SERVER_ERROR.
constexpr ErrorCode own_mistake = ErrorCode::unknown_server_error;

[[nodiscard]] Transit denied(ErrorCode error) { return {.error = error}; }

[[nodiscard]] bool commits(const EndTxnRequest& request) {
    return request.result == ControlType::commit;
}

}  // namespace

bool may_follow(TxnState to, TxnState from) {
    const bool at_rest = from == TxnState::empty || from == TxnState::complete_commit ||
                         from == TxnState::complete_abort;
    switch (to) {
        case TxnState::empty:
        case TxnState::dead:
            return at_rest;
        case TxnState::ongoing:
            return at_rest || from == TxnState::ongoing;
        case TxnState::prepare_commit:
        case TxnState::prepare_epoch_fence:
            return from == TxnState::ongoing;
        // TV2: an abort without partitions raises the epoch of an id at rest (PSD-6).
        case TxnState::prepare_abort:
            return at_rest || from == TxnState::ongoing || from == TxnState::prepare_epoch_fence;
        case TxnState::complete_commit:
            return from == TxnState::prepare_commit;
        case TxnState::complete_abort:
            return from == TxnState::prepare_abort;
    }
    return false;
}

TransactionMetadata::TransactionMetadata(TransactionalId txid, ProducerId producer_id,
                                         sim::Duration timeout, sim::Instant wall) {
    now_.txid = txid;
    now_.producer_id = producer_id;
    now_.timeout = timeout;
    now_.last_update = wall;
}

bool TransactionMetadata::overtime(sim::Instant wall) const {
    return now_.state == TxnState::ongoing && now_.start && *now_.start + now_.timeout < wall;
}

bool TransactionMetadata::holds(LogId log) const {
    return std::binary_search(now_.logs.begin(), now_.logs.end(), log);
}

// --- the two halves ------------------------------------------------------------------------------

TransactionRecord TransactionMetadata::draft(TxnState to, const TransitStep& step) const {
    auto record = now_;
    record.state = to;
    record.previous_producer_id = now_.producer_id;
    record.last_update = step.wall;
    return record;
}

Transit TransactionMetadata::prepare(TransactionRecord record) {
    sim::ensure(!pending_, "a transactional id changes one step at a time");
    if (!may_follow(record.state, now_.state)) return denied(own_mistake);
    pending_ = record.state;
    return {.record = std::move(record)};
}

void TransactionMetadata::apply(const TransactionRecord& record) {
    sim::ensure(pending_ == record.state, "only a pending change becomes true");
    now_ = record;
    pending_.reset();
}

void TransactionMetadata::fail(Guard& guard, bool raised_early) {
    if (raised_early) failed_fence_ = true;  // INI-15
    if (guard.trips(Safeguard::clears_pending_on_failure, true)) pending_.reset();
}

void TransactionMetadata::remove(LogId log) { std::erase(now_.logs, log); }

bool TransactionMetadata::must_wait(Guard& guard, bool stranger) const {
    if (!pending_) return false;
    return !stranger || guard.trips(Safeguard::pending_before_epoch, true);
}

// --- InitProducerId ------------------------------------------------------------------------------

bool TransactionMetadata::knows(const ClusterConfig& config,
                                const InitProducerIdRequest& request) const {
    const auto expected = request.expected_producer_id;
    return !expected || now_.epoch == no_epoch || *expected == now_.producer_id ||
           (expected == now_.previous_producer_id && exhausted(config, request.expected_epoch));
}

Transit TransactionMetadata::init(const TransitStep& step, const InitProducerIdRequest& request) {
    if (pending_) return denied(ErrorCode::concurrent_transactions);  // INI-7
    if (!knows(step.config, request)) return denied(ErrorCode::producer_fenced);
    if (prepared()) return denied(ErrorCode::concurrent_transactions);  // INI-9

    const auto expected = request.expected_producer_id;
    auto record = draft(TxnState::empty, step);
    record.timeout = request.timeout;
    record.logs.clear();
    record.start.reset();
    record.txn.reset();
    // INI-12, (a) to (e).
    if (exhausted(step.config, now_.epoch) && (!expected || request.expected_epoch == now_.epoch)) {
        const auto id = step.ids.take();
        if (!id) return denied(ErrorCode::coordinator_load_in_progress);
        record.producer_id = *id;
        record.epoch = {0};
        record.last_epoch = expected ? now_.epoch : no_epoch;
    } else if (exhausted(step.config, now_.epoch)) {
        return denied(own_mistake);  // Kafka: "cannot allocate any more producer epochs"
    } else if (!expected) {
        record.epoch = now_.epoch.next();
        record.last_epoch = no_epoch;
    } else if (now_.epoch == no_epoch || request.expected_epoch == now_.epoch) {
        record.epoch = now_.epoch.next();
        record.last_epoch = now_.epoch;
    } else if (request.expected_epoch == now_.last_epoch) {
        // A retry: the answer was lost. The evidence of it stays.
        record.previous_producer_id = now_.previous_producer_id;
    } else {
        return denied(ErrorCode::producer_fenced);
    }
    return prepare(std::move(record));
}

// --- AddPartitionsToTxn --------------------------------------------------------------------------

Transit TransactionMetadata::add(const TransitStep& step, const TxnIdentity& who,
                                 const std::vector<LogId>& logs, TransactionVersion version) {
    const bool other_id = who.producer_id != now_.producer_id;
    const bool other_epoch = who.producer_epoch != now_.epoch;
    if (must_wait(step.guard, other_id || other_epoch))
        return denied(ErrorCode::concurrent_transactions);
    if (other_id) return denied(ErrorCode::invalid_producer_id_mapping);
    if (other_epoch) return denied(ErrorCode::producer_fenced);
    if (pending_ || prepared()) return denied(ErrorCode::concurrent_transactions);
    const bool open = now_.state == TxnState::ongoing;
    if (open && std::all_of(logs.begin(), logs.end(), [&](LogId log) { return holds(log); }))
        return {};

    auto record = draft(TxnState::ongoing, step);
    record.logs.insert(record.logs.end(), logs.begin(), logs.end());
    std::sort(record.logs.begin(), record.logs.end());
    record.logs.erase(std::unique(record.logs.begin(), record.logs.end()), record.logs.end());
    if (!open) {
        record.start = step.wall;  // TXS-9
        record.txn = who.txn;
    }
    record.client_version = version;
    return prepare(std::move(record));
}

ErrorCode TransactionMetadata::verify(const TxnIdentity& who) const {
    if (who.producer_id != now_.producer_id) return ErrorCode::invalid_producer_id_mapping;
    if (who.producer_epoch != now_.epoch) return ErrorCode::producer_fenced;
    return prepared() ? ErrorCode::concurrent_transactions : ErrorCode::none;
}

// --- EndTxn --------------------------------------------------------------------------------------

Transit TransactionMetadata::end(const TransitStep& step, const EndTxnRequest& request) {
    // END-2: the version of the request decides (Kafka 4: TransactionCoordinator.endTransaction).
    auto result = request.version == TransactionVersion::tv2 ? end_tv2(step, request)
                                                             : end_before_tv2(step, request);
    if (result.record) result.record->txn = request.who.txn;
    return result;
}

Transit TransactionMetadata::end_before_tv2(const TransitStep& step, const EndTxnRequest& request) {
    const auto& who = request.who;
    const bool other_id = who.producer_id != now_.producer_id;
    if (must_wait(step.guard, other_id || who.producer_epoch != now_.epoch))
        return denied(ErrorCode::concurrent_transactions);
    if (other_id) return denied(ErrorCode::invalid_producer_id_mapping);
    if (who.producer_epoch < now_.epoch ||
        step.guard.trips(Safeguard::end_txn_epoch_equality, who.producer_epoch > now_.epoch))
        return denied(ErrorCode::producer_fenced);  // END-4
    if (pending_) return denied(ErrorCode::concurrent_transactions);
    switch (now_.state) {  // END-5
        case TxnState::ongoing:
            return prepare_end(
                step, commits(request) ? TxnState::prepare_commit : TxnState::prepare_abort,
                TransactionVersion::tv0);
        case TxnState::complete_commit:
            return commits(request) ? Transit{} : denied(ErrorCode::invalid_txn_state);
        case TxnState::complete_abort:
            return commits(request) ? denied(ErrorCode::invalid_txn_state) : Transit{};
        case TxnState::prepare_commit:
            return denied(commits(request) ? ErrorCode::concurrent_transactions
                                           : ErrorCode::invalid_txn_state);
        case TxnState::prepare_abort:
            return denied(commits(request) ? ErrorCode::invalid_txn_state
                                           : ErrorCode::concurrent_transactions);
        case TxnState::empty:
            return denied(ErrorCode::invalid_txn_state);
        case TxnState::dead:
        case TxnState::prepare_epoch_fence:
            return denied(own_mistake);
    }
    return denied(own_mistake);
}

// An epoch names one transaction, so the same epoch means the next end and the epoch before a retry
// (TV2-3, END-9, PSD-6).
Transit TransactionMetadata::end_tv2(const TransitStep& step, const EndTxnRequest& request) {
    const auto& who = request.who;
    const bool retry_after_rotation =
        who.producer_id == now_.previous_producer_id && now_.epoch.value == 0 &&
        who.producer_epoch.value == step.config.max_producer_epoch - 1;
    const bool retry = who.producer_epoch.next() == now_.epoch || retry_after_rotation;
    const bool current = who.producer_epoch == now_.epoch ||
                         (who.producer_epoch > now_.epoch &&
                          !step.guard.trips(Safeguard::end_txn_epoch_equality, true));
    const bool other_id = who.producer_id != now_.producer_id && !retry_after_rotation;
    bool good_epoch = current;
    if (prepared()) good_epoch = retry && !retry_after_rotation;
    if (now_.state == TxnState::complete_commit || now_.state == TxnState::complete_abort)
        good_epoch = current || retry;

    if (must_wait(step.guard, other_id || !good_epoch))
        return denied(ErrorCode::concurrent_transactions);
    if (other_id) return denied(ErrorCode::invalid_producer_id_mapping);
    if (!good_epoch) return denied(ErrorCode::producer_fenced);
    if (pending_) return denied(ErrorCode::concurrent_transactions);
    switch (now_.state) {
        case TxnState::ongoing:
            return prepare_end(
                step, commits(request) ? TxnState::prepare_commit : TxnState::prepare_abort,
                TransactionVersion::tv2);
        case TxnState::complete_commit:
            if (retry) return commits(request) ? Transit{} : denied(ErrorCode::invalid_txn_state);
            break;
        case TxnState::complete_abort:
            if (retry) return commits(request) ? denied(ErrorCode::invalid_txn_state) : Transit{};
            break;
        case TxnState::prepare_commit:
            return denied(commits(request) ? ErrorCode::concurrent_transactions
                                           : ErrorCode::invalid_txn_state);
        case TxnState::prepare_abort:
            return denied(commits(request) ? ErrorCode::invalid_txn_state
                                           : ErrorCode::concurrent_transactions);
        case TxnState::empty:
            break;
        case TxnState::dead:
        case TxnState::prepare_epoch_fence:
            return denied(own_mistake);
    }
    // At rest, in the current epoch: nothing to commit; an abort raises the epoch (PSD-6).
    if (commits(request)) return denied(ErrorCode::invalid_txn_state);
    return prepare_end(step, TxnState::prepare_abort, TransactionVersion::tv2);
}

Transit TransactionMetadata::prepare_end(const TransitStep& step, TxnState to,
                                         TransactionVersion version) {
    auto record = draft(to, step);
    record.client_version = version;
    record.next_producer_id.reset();
    if (now_.state != TxnState::ongoing) record.start = step.wall;
    if (version == TransactionVersion::tv2) {
        if (now_.epoch.value >= step.config.max_producer_epoch) return denied(own_mistake);
        // TV2-2: used up, the next producer goes on with another id.
        if (exhausted(step.config, now_.epoch)) {
            record.next_producer_id = step.ids.take();
            if (!record.next_producer_id) return denied(ErrorCode::coordinator_load_in_progress);
        }
        record.epoch = now_.epoch.next();
        record.last_epoch = now_.epoch;
    }
    return prepare(std::move(record));
}

// Simplified: Kafka passes through PrepareEpochFence and gives up the lock in between; here the
// fence and the abort are one step.
Transit TransactionMetadata::fence(const TransitStep& step, bool fences) {
    if (now_.state != TxnState::ongoing) return denied(own_mistake);
    Transit result;
    if (!fences) {
        result = prepare_end(step, TxnState::prepare_abort, TransactionVersion::tv0);
    } else {
        const bool tv2 = step.config.transaction_version == TransactionVersion::tv2;
        // PSD-8: the abort raises the epoch, that is fence enough. PSD-11: it rotates as well.
        if (tv2 && step.guard.trips(Safeguard::single_bump_on_fence, true)) {
            result = prepare_end(step, TxnState::prepare_abort, TransactionVersion::tv2);
        } else {
            // INI-15: the epoch of a fence that could not be written was never given to anybody.
            const bool keeps = step.guard.trips(Safeguard::remembers_failed_fence, failed_fence_);
            const std::int16_t raise = keeps ? 0 : 1;
            const auto fenced = static_cast<std::int32_t>(now_.epoch.value) + raise;
            if (fenced + (tv2 ? 1 : 0) > step.config.max_producer_epoch)
                return denied(own_mistake);  // TXS-8, KAFKA-19367
            now_.epoch = {static_cast<std::int16_t>(fenced)};
            now_.last_epoch = no_epoch;
            auto record = draft(TxnState::prepare_abort, step);
            record.client_version = tv2 ? TransactionVersion::tv2 : TransactionVersion::tv0;
            record.next_producer_id.reset();
            if (tv2) {
                record.epoch = now_.epoch.next();
                record.last_epoch = now_.epoch;
            }
            result = prepare(std::move(record));
            result.raised_early = true;
        }
    }
    if (result.record) result.record->txn.reset();  // nobody's EndTxn
    return result;
}

// --- the end of an id, the end of a transaction --------------------------------------------------

Transit TransactionMetadata::expire(const TransitStep& step, bool at_once) {
    if (pending_ || !may_follow(TxnState::dead, now_.state))
        return denied(ErrorCode::concurrent_transactions);
    if (!at_once && now_.last_update > step.wall - step.config.transactional_id_expiration)
        return denied(ErrorCode::concurrent_transactions);
    TransactionRecord record;
    record.txid = now_.txid;
    record.tombstone = true;
    record.state = TxnState::dead;
    record.producer_id = now_.producer_id;
    record.epoch = now_.epoch;
    return prepare(std::move(record));
}

TransactionRecord TransactionMetadata::complete(const TransitStep& step) {
    failed_fence_ = false;
    auto record = draft(now_.state == TxnState::prepare_commit ? TxnState::complete_commit
                                                               : TxnState::complete_abort,
                        step);
    if (now_.client_version == TransactionVersion::tv2 && now_.next_producer_id) {
        record.producer_id = *now_.next_producer_id;  // TV2-2
        record.epoch = {0};
    }
    record.next_producer_id.reset();
    record.logs.clear();
    const auto prepared = prepare(std::move(record));
    sim::ensure(prepared.record.has_value(), "only a prepared transaction is completed");
    return *prepared.record;
}

}  // namespace eos::model
