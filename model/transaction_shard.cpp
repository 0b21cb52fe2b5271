#include "model/transaction_shard.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

[[nodiscard]] CoordinatorEpoch coordinator_epoch(LeaderEpoch epoch) { return {epoch.value}; }

}  // namespace

// --- batched answers -----------------------------------------------------------------------------

std::int64_t BatchedAnswers::open(const ReplyTo& to, const AddPartitionsToTxnRequest& request) {
    Open next{.to = to, .answer = {}, .missing = request.entries.size()};
    for (const auto& entry : request.entries) {
        auto& answer = next.answer.entries.emplace_back();
        answer.who = entry.who;
        for (const auto log : entry.logs) answer.parts.push_back({log, ErrorCode::none});
    }
    open_.emplace(next_, std::move(next));
    return next_++;
}

void BatchedAnswers::settle(const Place& place, ErrorCode error, TransactionOutput& out) {
    const auto found = open_.find(place.request);
    if (found == open_.end()) return;
    settle(place, std::vector(found->second.answer.entries[place.entry].parts.size(), error), out);
}

void BatchedAnswers::settle(const Place& place, const std::vector<ErrorCode>& errors,
                            TransactionOutput& out) {
    const auto found = open_.find(place.request);
    if (found == open_.end()) return;
    auto& parts = found->second.answer.entries[place.entry].parts;
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i].error = errors[i];
    if (--found->second.missing > 0) return;
    out.replies.push_back({found->second.to, std::move(found->second.answer)});
    open_.erase(found);
}

// --- leadership ----------------------------------------------------------------------------------

TransactionShard::Entry* TransactionShard::find(TransactionalId txid) {
    const auto found = entries_.find(txid);
    return found == entries_.end() ? nullptr : &found->second;
}

const TransactionShard::Entry* TransactionShard::entry(TransactionalId txid) const {
    const auto found = entries_.find(txid);
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<TransactionalId> TransactionShard::ids() const {
    std::vector<TransactionalId> result;
    for (const auto& [txid, unused] : entries_) result.push_back(txid);
    return result;
}

void TransactionShard::reload(LeaderEpoch epoch, TransactionOutput& out) {
    epoch_ = epoch;
    loading_ = true;
    entries_.clear();
    replayed_.clear();
    unwritten_.clear();
    shutting_out_.clear();
    out.forget.push_back(log_);
}

// Up to the log end, not the high watermark (FOV-1).
void TransactionShard::replay(const Batch& batch) {
    for (const auto& record : batch.payload.transaction_records()) {
        if (record.tombstone)
            replayed_.erase(record.txid);
        else
            replayed_.insert_or_assign(record.txid, record);
    }
}

void TransactionShard::loaded(TransactionStep& step) {
    loading_ = false;
    for (auto& [txid, record] : std::exchange(replayed_, {})) {
        place(TransactionMetadata(std::move(record)));
        const auto& entry = entries_.at(txid);
        tell_changed(step, entry.metadata.now(), entry.cause, entry.metadata.now().txn, {});
        resume(step, txid);
    }
}

void TransactionShard::place(TransactionMetadata metadata) {
    const auto txid = metadata.now().txid;
    const auto state = metadata.now().state;
    // The log does not say why; an abort that is nobody's was the coordinator's own.
    const bool aborts = state == TxnState::prepare_abort || state == TxnState::complete_abort;
    const auto cause = aborts && !metadata.now().txn ? TxnCause::fence : TxnCause::client;
    entries_.insert_or_assign(txid, Entry{std::move(metadata), {}, cause});
}

// By markers to all partitions of the record: which of them had theirs is forgotten.
void TransactionShard::resume(TransactionStep& step, TransactionalId txid) {
    auto* entry = find(txid);
    const bool decided = entry && entry->metadata.prepared() && !entry->metadata.pending();
    if (!step.guard.trips(Safeguard::resumes_prepared, decided)) return;
    entry->completing = entry->metadata.complete(transit(step));
    send_markers(step, *entry);
    complete_if_done(step, txid);
}

bool TransactionShard::wants(std::int64_t token) const {
    return !loading_ && std::any_of(writes_.begin(), writes_.end(), [&](const Write& w) {
        return w.token == token && w.epoch == epoch_;
    });
}

void TransactionShard::unload(TransactionStep& step) {
    entries_.clear();
    step.out.forget.push_back(log_);
    for (const auto& write : std::exchange(writes_, {}))
        answer(step, write, ErrorCode::not_coordinator);  // FOV-5
    rearm_timeout(step);
}

// --- InitProducerId ------------------------------------------------------------------------------

void TransactionShard::init(TransactionStep& step, const ReplyTo& to,
                            const InitProducerIdRequest& request) {
    const auto refuse = [&](ErrorCode error) {
        step.out.replies.push_back(
            {to, InitProducerIdResponse{.error = error, .txid = request.txid}});
    };
    auto* entry = find(*request.txid);
    if (!entry) {
        const auto id = step.ids.take();
        if (!id) return refuse(ErrorCode::coordinator_load_in_progress);  // PIA-1
        TransactionMetadata fresh(*request.txid, *id, request.timeout, step.ctx.wall);
        entry = &entries_.emplace(*request.txid, Entry{std::move(fresh), {}, {}}).first->second;
        const auto known = static_cast<std::int32_t>(step.topology.transactional_ids.size());
        if (request.txid->value >= known)
            step.fx.declare(role(Role::txn_coordinator, request.txid->value), {step.ctx.self});
    }
    auto& metadata = entry->metadata;
    if (metadata.now().state == TxnState::ongoing && !metadata.pending() &&
        metadata.knows(step.config, request))
        return take_over(step, *request.txid, *entry, to);
    auto transit_to = metadata.init(transit(step), request);
    if (!transit_to.record) return refuse(transit_to.error);
    Write next;
    next.why = Why::init;
    next.record = std::move(*transit_to.record);
    next.to = to;
    write(step, std::move(next));
}

// INI-10: the open transaction of the former holder is aborted; the newcomer is told to come again.
void TransactionShard::take_over(TransactionStep& step, TransactionalId txid, Entry& entry,
                                 std::optional<ReplyTo> to) {
    const bool fences = step.guard.trips(Safeguard::fence_on_takeover, true);
    auto aborts = entry.metadata.fence(transit(step), fences);
    if (!aborts.record) {
        if (to)
            step.out.replies.push_back(
                {*to, InitProducerIdResponse{.error = aborts.error, .txid = txid}});
        return;
    }
    Write next;
    next.why = Why::takeover;
    next.record = std::move(*aborts.record);
    next.raised_early = aborts.raised_early;
    next.to = to;
    write(step, std::move(next));
}

void TransactionShard::shut_out(TransactionStep& step, TransactionalId txid) {
    if (loading_) return;
    auto* entry = find(txid);
    if (!entry) return;
    shutting_out_.insert(txid);
    if (entry->metadata.pending()) return;  // when that is done
    if (entry->metadata.now().state == TxnState::ongoing)
        return take_over(step, txid, *entry, std::nullopt);
    InitProducerIdRequest request;
    request.txid = txid;
    request.timeout = step.config.request_timeout;  // what the admin client asks for
    auto transit_to = entry->metadata.init(transit(step), request);
    if (!transit_to.record) return;
    Write next;
    next.why = Why::init;
    next.record = std::move(*transit_to.record);
    write(step, std::move(next));
}

// --- partitions and ends -------------------------------------------------------------------------

void TransactionShard::add(TransactionStep& step, const BatchedAnswers::Place& place,
                           const AddPartitionsToTxnRequest::Entry& asked,
                           TransactionVersion version) {
    auto* entry = find(asked.who.txid);
    if (!entry) return step.batched.settle(place, ErrorCode::invalid_producer_id_mapping, step.out);
    auto& metadata = entry->metadata;
    if (asked.verify_only) {
        std::vector<ErrorCode> errors(asked.logs.size(), metadata.verify(asked.who));
        for (std::size_t i = 0; i < errors.size(); ++i)
            if (errors[i] == ErrorCode::none && !metadata.holds(asked.logs[i]))
                errors[i] = ErrorCode::transaction_abortable;  // ADD-8
        return step.batched.settle(place, errors, step.out);
    }
    auto adds = metadata.add(transit(step), asked.who, asked.logs, version);
    if (!adds.record) return step.batched.settle(place, adds.error, step.out);
    Write next;
    next.why = Why::add;
    for (const auto log : asked.logs)
        if (metadata.now().state != TxnState::ongoing || !metadata.holds(log))
            next.added.push_back(log);
    next.record = std::move(*adds.record);
    next.place = place;
    next.who = asked.who;
    enrol(step, std::move(next));
}

void TransactionShard::add_offsets(TransactionStep& step, const ReplyTo& to,
                                   const AddOffsetsToTxnRequest& request, LogId offsets) {
    auto* entry = find(request.who.txid);
    Transit adds{.error = ErrorCode::invalid_producer_id_mapping};
    // Only clients before TV2 ask for it.
    if (entry)
        adds = entry->metadata.add(transit(step), request.who, {offsets}, TransactionVersion::tv0);
    if (!adds.record) {
        step.out.replies.push_back(
            {to, AddOffsetsToTxnResponse{request.who, request.group, adds.error}});
        return;
    }
    Write next;
    next.why = Why::add_offsets;
    next.record = std::move(*adds.record);
    next.to = to;
    next.who = request.who;
    next.added = {offsets};
    next.group = request.group;
    enrol(step, std::move(next));
}

// TXS-4: true when it is replicated. REDPANDA-6018: true at once, and gone with this coordinator.
void TransactionShard::enrol(TransactionStep& step, Write next) {
    if (step.guard.trips(Safeguard::partition_logged_before_answer, true))
        return write(step, std::move(next));
    next.epoch = epoch_;
    finish(step, next, ErrorCode::none);
}

void TransactionShard::end(TransactionStep& step, const ReplyTo& to, const EndTxnRequest& request) {
    auto* entry = find(request.who.txid);
    Transit ends{.error = ErrorCode::invalid_producer_id_mapping};
    if (entry) ends = entry->metadata.end(transit(step), request);
    if (ends.record) {
        Write next;
        next.why = Why::end;
        next.record = std::move(*ends.record);
        next.to = to;
        next.who = request.who;
        next.result = request.result;
        return write(step, std::move(next));
    }
    EndTxnResponse answer{.who = request.who, .result = request.result, .error = ends.error};
    if (ends.error == ErrorCode::none) {  // END-7
        answer.producer_id = entry->metadata.now().producer_id;
        answer.producer_epoch = entry->metadata.now().epoch;
    }
    step.out.replies.push_back({to, std::move(answer)});
}

// --- timers --------------------------------------------------------------------------------------

void TransactionShard::abort_overdue(TransactionStep& step) {
    if (loading_) return;
    for (auto& [txid, entry] : entries_) {
        auto& metadata = entry.metadata;
        if (metadata.pending() || !metadata.overtime(step.ctx.wall)) continue;  // TMO-1
        const bool fences = step.guard.trips(Safeguard::fence_on_timeout, true);
        auto aborts = metadata.fence(transit(step), fences);
        if (!aborts.record) continue;
        auto facts = told({{Fact::txid, txid.value},
                           {Fact::pid, metadata.now().producer_id.value},
                           {Fact::epoch, metadata.now().epoch.value},
                           {Fact::cause, static_cast<std::int64_t>(TxnCause::timeout)}});
        if (metadata.now().txn) facts.add(number(Fact::txn), metadata.now().txn->number);
        step.fx.reach(number(Mile::txn_timed_out), facts);
        Write next;
        next.why = Why::timeout;
        next.record = std::move(*aborts.record);
        next.raised_early = aborts.raised_early;
        write(step, std::move(next));
    }
}

void TransactionShard::expire(TransactionStep& step, std::optional<TransactionalId> only) {
    if (loading_) return;
    for (auto& [txid, entry] : entries_) {
        if (only && *only != txid) continue;
        auto ends = entry.metadata.expire(transit(step), only.has_value());
        if (!ends.record) continue;
        Write next;
        next.why = Why::expire;
        next.record = std::move(*ends.record);
        write(step, std::move(next));
    }
}

void TransactionShard::audit(const Context& ctx, const ClusterConfig& config, Fx& fx) const {
    for (const auto& [txid, entry] : entries_) {
        const auto& now = entry.metadata.now();
        fx.observe(TxnAudit{
            .broker = ctx.self,
            .txid = txid,
            .state = now.state,
            .overdue = entry.metadata.overtime(ctx.wall - config.transaction_timeout_check),
            .producer_id = now.producer_id,
            .epoch = now.epoch,
            .logs = now.logs});
    }
}

void TransactionShard::tell_changed(TransactionStep& step, const TransactionRecord& record,
                                    TxnCause cause, std::optional<TxnRef> txn,
                                    std::optional<sim::Instant> begun) const {
    step.fx.observe(TxnChanged{.broker = step.ctx.self,
                               .txid = record.txid,
                               .coordinator_epoch = coordinator_epoch(epoch_),
                               .state = record.state,
                               .producer_id = record.producer_id,
                               .epoch = record.epoch,
                               .txn = txn,
                               .cause = cause,
                               .logs = record.logs,
                               .loaded = !begun,
                               .begun = begun});
}

}  // namespace eos::model
