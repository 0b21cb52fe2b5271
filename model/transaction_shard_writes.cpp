// What a shard has asked its log to take: release when it is replicated, failure, time-out (TLG),
// and what a decided transaction needs after that: markers, then its Complete record (MRK).

#include <algorithm>
#include <utility>

#include "model/transaction_shard.hpp"

namespace eos::model {
namespace {

constexpr sim::Duration completion_retry_pause = sim::milliseconds(20);

/// What is written: before TV1 records have no room for the newer fields (TXS-2, PSD-10).
[[nodiscard]] TransactionRecord as_written(TransactionRecord record, TransactionVersion version) {
    if (version == TransactionVersion::tv0) {
        record.previous_producer_id.reset();
        record.next_producer_id.reset();
        record.last_epoch = {-1};
        record.client_version = TransactionVersion::tv0;
    }
    return record;
}

[[nodiscard]] sim::Facts transaction_facts(const TransactionRecord& record, TxnCause cause) {
    auto facts = told({{Fact::txid, record.txid.value},
                       {Fact::pid, record.producer_id.value},
                       {Fact::epoch, record.epoch.value}});
    if (record.txn) facts.add(number(Fact::txn), record.txn->number);
    const bool commits =
        record.state == TxnState::prepare_commit || record.state == TxnState::complete_commit;
    const bool aborts =
        record.state == TxnState::prepare_abort || record.state == TxnState::complete_abort;
    if (commits || aborts) {
        const auto result = commits ? TxnResult::commit : TxnResult::abort;
        facts.add(number(Fact::result), static_cast<std::int64_t>(result));
        facts.add(number(Fact::cause), static_cast<std::int64_t>(cause));
    }
    return facts;
}

enum class Verdict : std::uint8_t { written, again, superseded, mistake };

/// MRK-5.
[[nodiscard]] Verdict judge_marker(std::optional<ErrorCode> error, Guard& guard) {
    if (!error) return Verdict::again;  // the connection was lost
    if (*error == ErrorCode::none || *error == ErrorCode::unsupported_version)
        return Verdict::written;
    if (*error == ErrorCode::invalid_producer_epoch ||
        *error == ErrorCode::transaction_coordinator_fenced)
        return Verdict::superseded;
    if (guard.trips(Safeguard::retries_marker_storage_error,
                    *error == ErrorCode::kafka_storage_error))
        return Verdict::again;
    const bool passing = *error == ErrorCode::unknown_topic_or_partition ||
                         *error == ErrorCode::not_leader_or_follower ||
                         *error == ErrorCode::not_enough_replicas ||
                         *error == ErrorCode::not_enough_replicas_after_append ||
                         *error == ErrorCode::request_timed_out;
    return passing ? Verdict::again : Verdict::mistake;
}

}  // namespace

ErrorCode transaction_log_error(ErrorCode log_error) {
    if (log_error == ErrorCode::unknown_topic_or_partition ||
        log_error == ErrorCode::not_enough_replicas ||
        log_error == ErrorCode::not_enough_replicas_after_append ||
        log_error == ErrorCode::request_timed_out)
        return ErrorCode::coordinator_not_available;
    if (log_error == ErrorCode::not_leader_or_follower ||
        log_error == ErrorCode::kafka_storage_error)
        return ErrorCode::not_coordinator;
    if (log_error == ErrorCode::message_too_large || log_error == ErrorCode::record_list_too_large)
        return ErrorCode::unknown_server_error;
    return log_error;
}

// --- records on their way ------------------------------------------------------------------------

void TransactionShard::write(TransactionStep& step, Write next) {
    next.token = next_token_++;
    next.epoch = epoch_;
    next.begun = step.ctx.now;
    step.out.appends.push_back(
        {log_, next.token, as_written(next.record, step.config.transaction_version)});
    writes_.push_back(std::move(next));
}

void TransactionShard::rearm_timeout(TransactionStep& step) const {
    std::optional<sim::Instant> first;
    for (const auto& w : writes_)
        if (w.deadline) first = first ? std::min(*first, *w.deadline) : *w.deadline;
    const auto timer = key(Tick::txn_append_timeout, static_cast<std::uint32_t>(log_.value));
    if (first)
        step.fx.arm(timer, std::max(*first - step.ctx.now, sim::Duration{}));
    else
        step.fx.disarm(timer);
}

std::optional<TransactionShard::Write> TransactionShard::take(std::int64_t token) {
    const auto found = std::find_if(writes_.begin(), writes_.end(),
                                    [&](const Write& w) { return w.token == token; });
    if (found == writes_.end()) return std::nullopt;
    auto taken = std::move(*found);
    writes_.erase(found);
    return taken;
}

void TransactionShard::appended(TransactionStep& step, std::int64_t token, Offset base) {
    for (auto& w : writes_) {
        if (w.token != token) continue;
        w.base = base;
        // TLG-4: patience is the transaction's own, not the request's.
        const bool tombstone = w.why == Why::expire;
        w.deadline = step.ctx.now + (tombstone ? step.config.request_timeout : w.record.timeout);
    }
    rearm_timeout(step);
    release(step);
}

void TransactionShard::append_failed(TransactionStep& step, std::int64_t token, ErrorCode error) {
    const auto failed = take(token);
    if (!failed) return;
    finish(step, *failed, error);
}

void TransactionShard::on_high_watermark(TransactionStep& step, Offset high_watermark) {
    high_watermark_ = std::max(high_watermark_, high_watermark);
    release(step);
}

// The waiting ends and memory keeps what it had; the record may still be replicated (TLG-7).
void TransactionShard::on_timeout(TransactionStep& step) {
    for (;;) {
        const auto late = std::find_if(writes_.begin(), writes_.end(), [&](const Write& w) {
            return w.deadline && *w.deadline <= step.ctx.now;
        });
        if (late == writes_.end()) break;
        const auto failed = std::move(*late);
        writes_.erase(late);
        finish(step, failed, ErrorCode::request_timed_out);
    }
    rearm_timeout(step);
}

// In the order of the log.
void TransactionShard::release(TransactionStep& step) {
    for (;;) {
        auto next = writes_.end();
        for (auto i = writes_.begin(); i != writes_.end(); ++i)
            if (i->base && *i->base < high_watermark_ &&
                (next == writes_.end() || i->base < next->base))
                next = i;
        if (next == writes_.end()) return;
        const auto done = std::move(*next);
        writes_.erase(next);
        rearm_timeout(step);
        finish(step, done, ErrorCode::none);
    }
}

void TransactionShard::finish(TransactionStep& step, const Write& done, ErrorCode log_error) {
    auto* entry = find(done.record.txid);
    const bool ours = entry && !loading_ && done.epoch == epoch_;
    auto error = transaction_log_error(log_error);
    if (error == ErrorCode::none && !ours)  // TLG-6
        error = loading_ ? ErrorCode::coordinator_load_in_progress : ErrorCode::not_coordinator;
    if (ours && error == ErrorCode::none) {
        apply(step, done, *entry);
    } else if (ours && done.why == Why::complete && error == ErrorCode::coordinator_not_available) {
        entry->completing = done.record;  // MRK-8: the change stays pending
        unwritten_.insert(done.record.txid);
        step.fx.arm(key(Tick::txn_marker_retry, static_cast<std::uint32_t>(log_.value), 1),
                    completion_retry_pause);
    } else if (ours) {
        entry->metadata.fail(step.guard, done.raised_early);
    }
    answer(step, done, error);
    // What an administrator waits for.
    if (ours && shutting_out_.contains(done.record.txid)) {
        if (done.why == Why::init && error == ErrorCode::none)
            shutting_out_.erase(done.record.txid);
        else if (error == ErrorCode::none)
            shut_out(step, done.record.txid);
    }
}

void TransactionShard::apply(TransactionStep& step, const Write& done, Entry& entry) {
    const auto former_id = entry.metadata.now().producer_id;
    const bool new_id =
        entry.metadata.now().epoch.value >= 0 && former_id != done.record.producer_id;
    entry.metadata.apply(done.record);
    auto by = done.who.txn;
    if (done.why == Why::takeover) entry.cause = TxnCause::fence;
    if (done.why == Why::timeout) entry.cause = TxnCause::timeout;
    if (done.why == Why::complete) by = done.record.txn;
    const bool open = done.why == Why::init || done.why == Why::add || done.why == Why::add_offsets;
    if (open || done.why == Why::end) entry.cause = TxnCause::client;
    tell_changed(step, done.record, entry.cause, by, done.begun);

    auto facts = transaction_facts(done.record, entry.cause);
    switch (done.why) {
        case Why::init:
            break;
        case Why::add:
        case Why::add_offsets:
            for (const auto log : done.added) {
                auto added = about(step.topology, log);
                for (const auto fact : {Fact::txid, Fact::pid, Fact::epoch})
                    if (const auto value = facts.find(number(fact)))
                        added.add(number(fact), *value);
                if (done.who.txn) added.add(number(Fact::txn), done.who.txn->number);
                if (done.group) added.add(number(Fact::group), done.group->value);
                const bool offsets =
                    step.topology.offsets_topic &&
                    step.topology.logs[static_cast<std::size_t>(log.value)].topic ==
                        *step.topology.offsets_topic;
                step.fx.reach(number(offsets ? Mile::txn_offsets_added : Mile::txn_partition_added),
                              added);
            }
            break;
        case Why::takeover:
        case Why::timeout:
        case Why::end:
            step.fx.reach(number(done.record.state == TxnState::prepare_commit
                                     ? Mile::txn_prepare_commit_written
                                     : Mile::txn_prepare_abort_written),
                          facts);
            entry.completing = entry.metadata.complete(transit(step));
            break;
        case Why::complete:
            step.fx.reach(number(Mile::txn_completed), facts);
            break;
        case Why::expire:
            step.fx.reach(number(Mile::txn_id_expired), facts);
            shutting_out_.erase(done.record.txid);
            entries_.erase(done.record.txid);
            return;
    }
    if (new_id) step.fx.reach(number(Mile::txn_id_rotated), facts);
}

// END-6: the client hears as soon as the decision is replicated; the markers come after.
void TransactionShard::answer(TransactionStep& step, const Write& done, ErrorCode error) {
    const auto& record = done.record;
    const auto reply = [&](Message message) {
        if (done.to) step.out.replies.push_back({*done.to, std::move(message)});
    };
    switch (done.why) {
        case Why::init: {
            InitProducerIdResponse answer{.error = error, .txid = record.txid};
            if (error == ErrorCode::none) {
                answer.producer_id = record.producer_id;
                answer.producer_epoch = record.epoch;
            }
            reply(answer);
            return;
        }
        case Why::add:
            step.batched.settle(*done.place, error, step.out);
            return;
        case Why::add_offsets:
            reply(AddOffsetsToTxnResponse{done.who, *done.group, error});
            return;
        case Why::takeover:
            reply(InitProducerIdResponse{
                .error = error == ErrorCode::none ? ErrorCode::concurrent_transactions : error,
                .txid = record.txid});
            break;
        case Why::end: {
            EndTxnResponse answer{.who = done.who, .result = done.result, .error = error};
            if (const auto* entry = find(record.txid); entry && error == ErrorCode::none) {
                // KAFKA-18660: when the epochs are used up, with what comes after.
                const auto& next = *entry->completing;
                const bool rotates = next.producer_id != record.producer_id;
                const auto& told_of =
                    step.guard.trips(Safeguard::rotated_id_in_answer, rotates) ? next : record;
                answer.producer_id = told_of.producer_id;
                answer.producer_epoch = told_of.epoch;
            }
            reply(answer);
            break;
        }
        case Why::timeout:
            break;
        case Why::complete:
        case Why::expire:
            return;
    }
    if (error != ErrorCode::none) return;
    send_markers(step, *find(record.txid));
    complete_if_done(step, record.txid);
}

// --- markers -------------------------------------------------------------------------------------

void TransactionShard::send_markers(TransactionStep& step, Entry& entry) {
    const auto& now = entry.metadata.now();
    const auto result =
        now.state == TxnState::prepare_commit ? ControlType::commit : ControlType::abort;
    for (const auto log : now.logs)
        step.out.markers.push_back({.home = log_,
                                    .who = {now.txid, now.producer_id, now.epoch, now.txn},
                                    .result = result,
                                    .coordinator_epoch = {epoch_.value},  // TLG-3
                                    .version = now.client_version,
                                    .log = log});
}

void TransactionShard::on_marker_results(TransactionStep& step, const MarkerResults& results) {
    std::set<TransactionalId> touched;
    for (const auto& result : results) {
        const auto& marker = result.marker;
        const auto& error = result.error;
        const auto txid = marker.who.txid;
        auto* entry = find(txid);
        const bool ours = entry && !loading_ && marker.coordinator_epoch.value == epoch_.value &&
                          entry->completing &&
                          marker.who.producer_epoch == entry->metadata.now().epoch;
        if (!ours) continue;  // MRK-6
        touched.insert(txid);
        const auto tell = [&](Mile mile) {
            auto facts = about(step.topology, marker);
            if (error && *error != ErrorCode::none)
                facts.add(number(Fact::error), static_cast<std::int64_t>(*error));
            facts.add(number(Fact::cause), static_cast<std::int64_t>(entry->cause));
            step.fx.reach(number(mile), facts);
        };
        switch (judge_marker(error, step.guard)) {
            case Verdict::written:
                entry->metadata.remove(marker.log);
                tell(Mile::txn_marker_written);
                break;
            case Verdict::again:
                if (error) tell(Mile::txn_marker_refused);
                step.out.markers_again.push_back(marker);
                break;
            case Verdict::superseded:
                // Another coordinator or a later epoch owns it; the id stays as it is.
                tell(Mile::txn_marker_refused);
                entry->completing.reset();
                break;
            case Verdict::mistake:
                // Kafka's sender ends on an illegal state: nobody sends this marker again.
                tell(Mile::txn_marker_refused);
                break;
        }
    }
    for (const auto txid : touched) complete_if_done(step, txid);
}

// MRK-8. Who takes `completing` is the one who writes it (KAFKA-10080).
void TransactionShard::complete_if_done(TransactionStep& step, TransactionalId txid) {
    auto* entry = find(txid);
    if (!entry || !entry->completing || !entry->metadata.now().logs.empty()) return;
    Write next;
    next.why = Why::complete;
    next.record = *std::exchange(entry->completing, std::nullopt);
    next.record.last_update = step.ctx.wall;
    write(step, std::move(next));
}

void TransactionShard::retry_completions(TransactionStep& step) {
    for (const auto txid : std::exchange(unwritten_, {})) complete_if_done(step, txid);
}

}  // namespace eos::model
