#include "model/partition_log.hpp"

#include <algorithm>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {

LogRules log_rules(const ClusterConfig& config) {
    LogRules rules;
    rules.producers.dedup_batches = std::max(1, config.dedup_batches);
    rules.producers.max_sequence = config.max_sequence;
    rules.producers.expiration = config.producer_expiration;
    rules.producers.max_txn_timeout = config.transaction_max_timeout;
    rules.producers.verification = true;
    rules.producers.strict_first_sequence = true;
    rules.producers.strict_marker_epoch = true;
    rules.segment_batches = config.segment_batches;
    rules.flush_every_write = config.flush_every_write;
    return rules;
}

PartitionLog::PartitionLog(LogRules rules, Offset log_start)
    : rules_(rules),
      segments_{Segment{log_start, {}}},
      producers_(rules.producers, log_start),
      log_start_(log_start),
      log_end_(log_start),
      high_watermark_(log_start),
      flushed_(log_start),
      stored_(log_start),
      checkpoint_{log_start, log_start, log_start} {}

// --- append --------------------------------------------------------------------------------------

void PartitionLog::begin_epoch(LeaderEpoch epoch) { epochs_.assign(epoch, log_end_); }

/// The second step of APP-10: a batch that opens a transaction here must have been verified, and
/// no marker may have come since (VER-9).
ErrorCode PartitionLog::check_transaction(const Batch& batch, const AppendAs& as,
                                          Guard& guard) const {
    const ProducerId producer_id = *batch.producer_id;
    if (producers_.has_ongoing_transaction(producer_id, batch.producer_epoch))
        return ErrorCode::none;
    // A stale epoch is told as such: the producer can recover from it.
    if (guard.trips(Safeguard::producer_epoch_fencing, fences(producer_id, batch.producer_epoch)))
        return ErrorCode::invalid_producer_epoch;
    if (!rules_.producers.verification) return ErrorCode::none;
    const VerificationEntry* entry = producers_.verification(producer_id);
    if (entry && as.verified && entry->guard == *as.verified) return ErrorCode::none;
    const auto safeguard = as.origin == AppendOrigin::coordinator
                               ? Safeguard::offsets_verification
                               : Safeguard::partition_verification;
    if (!guard.trips(safeguard, true)) return ErrorCode::none;
    // KAFKA-14884: it was verified, but a marker has come between.
    if (as.verified && !guard.trips(Safeguard::verification_guard, true)) return ErrorCode::none;
    return ErrorCode::invalid_txn_state;
}

ErrorCode PartitionLog::apply_producers(const Batch& batch, const AppendAs& as, Guard& guard,
                                        std::optional<ProducerAppend>& prepared) {
    if (!batch.producer_id) return ErrorCode::none;
    const ProducerId producer_id = *batch.producer_id;
    if (as.origin != AppendOrigin::replication && batch.transactional && !batch.control) {
        const ErrorCode error = check_transaction(batch, as, guard);
        if (error != ErrorCode::none) return error;
    }
    prepared = producers_.prepare(producer_id);
    const ErrorCode error = prepared->append(batch, as, guard);
    if (error != ErrorCode::none) return error;
    // VER-10: the transaction is open now, or over.
    if (batch.transactional || batch.control) producers_.clear_verification(producer_id);
    return ErrorCode::none;
}

void PartitionLog::count_unwritten(Batch batch, const AppendAs& as, Guard& guard) {
    batch.base = log_end_;
    auto prepared = producers_.prepare(*batch.producer_id);
    if (prepared.append(batch, as, guard) == ErrorCode::none) producers_.update(prepared);
}

AppendResult PartitionLog::write(Batch batch, std::optional<ProducerAppend> prepared) {
    AppendResult result{.base = batch.base, .last = batch.last_offset()};
    const Offset end = batch.next_offset();
    batches_.push_back(std::move(batch));
    log_end_ = end;
    if (rules_.flush_every_write) flush();
    if (prepared) {
        producers_.update(*prepared);
        result.completed = prepared->completed();
    }
    if (result.completed) {
        // APP-12: the index is written before the transaction stops being ongoing.
        const CompletedTxn& txn = *result.completed;
        if (txn.aborted) {
            const Offset stable = producers_.last_stable_offset(txn);
            const bool written = !std::exchange(index_write_fails_, false) &&
                                 segments_.back().aborted.append(
                                     {txn.producer_id, txn.first, txn.last, stable});
            if (!written) {
                offline_ = true;  // LSO-12: the marker stays, the transaction stays open
                result.error = ErrorCode::kafka_storage_error;
                return result;
            }
        }
        producers_.complete(txn);
    }
    producers_.set_map_end(log_end_);
    return result;
}

AppendResult PartitionLog::append_as_leader(Batch batch, LeaderEpoch epoch, const AppendAs& as,
                                            Guard& guard) {
    if (offline_) return {.error = ErrorCode::kafka_storage_error};
    if (as.origin == AppendOrigin::client &&
        (batch.control || batch.count < 1 || (batch.producer_id && !batch.base_sequence)))
        return {.error = ErrorCode::invalid_record};  // REC-5, REC-6, REC-7
    batch.base = log_end_;
    batch.leader_epoch = epoch;
    // APP-9: these two happen even if the batch is refused below.
    epochs_.assign(epoch, batch.base);
    const bool rolled = roll_if_full();
    AppendResult result;
    if (as.origin == AppendOrigin::client) {
        if (const BatchMetadata* original = producers_.find_duplicate(batch, guard))
            return {.base = original->first_offset(),
                    .last = original->last_offset,
                    .duplicate = true,
                    .rolled = rolled};
    }
    std::optional<ProducerAppend> prepared;
    const ErrorCode error = apply_producers(batch, as, guard, prepared);
    result = error == ErrorCode::none ? write(std::move(batch), std::move(prepared))
                                      : AppendResult{.error = error};
    result.rolled = rolled;
    return result;
}

AppendResult PartitionLog::append_as_follower(const Batch& batch, sim::Instant wall,
                                              Guard& guard) {
    if (offline_) return {.error = ErrorCode::kafka_storage_error};
    if (batch.base < log_end_) {
        // TRN-9: only a log that holds nothing may begin inside a batch.
        if (log_end_ != log_start_ || batch.last_offset() < log_end_)
            return {.error = ErrorCode::unknown_server_error};
        truncate_fully(batch.base, wall, log_start_);
    }
    if (epochs_.empty() || batch.leader_epoch > *epochs_.latest())
        epochs_.assign(batch.leader_epoch, batch.base);  // LEP-4
    const bool rolled = roll_if_full();
    std::optional<ProducerAppend> prepared;
    const ErrorCode error =
        apply_producers(batch, {.origin = AppendOrigin::replication}, guard, prepared);
    AppendResult result = error == ErrorCode::none ? write(batch, std::move(prepared))
                                                   : AppendResult{.error = error};
    result.rolled = rolled;
    return result;
}

bool PartitionLog::roll_if_full() {
    if (rules_.segment_batches <= 0) return false;
    const auto held = batches_.size() - batch_at(segments_.back().base);
    return std::cmp_greater_equal(held, rules_.segment_batches) && roll();
}

bool PartitionLog::roll() {
    if (segments_.back().base == log_end_) return false;
    segments_.push_back({log_end_, {}});
    producers_.set_map_end(log_end_);
    const bool synced = rules_.flush_every_write && !disk_lies_;
    static_cast<void>(producers_.take_snapshot(synced));  // PSX-6, DUR-5
    return true;
}

// --- read ----------------------------------------------------------------------------------------

std::size_t PartitionLog::batch_at(Offset offset) const {
    return static_cast<std::size_t>(
        std::partition_point(batches_.begin(), batches_.end(),
                             [&](const Batch& b) { return b.next_offset() <= offset; }) -
        batches_.begin());
}

std::size_t PartitionLog::segment_at(Offset offset) const {
    const auto behind = std::partition_point(segments_.begin(), segments_.end(),
                                             [&](const Segment& s) { return s.base <= offset; });
    return behind == segments_.begin()
               ? 0
               : static_cast<std::size_t>(behind - segments_.begin() - 1);
}

ReadResult PartitionLog::read_up_to(Offset offset, Offset end, ReadBound bound,
                                    std::int64_t max_bytes) const {
    ReadResult result;
    if (bound == ReadBound::last_stable) result.aborted.emplace();
    if (offset < log_start_ || offset > log_end_) {
        result.error = ErrorCode::offset_out_of_range;
        return result;
    }
    const std::size_t first = batch_at(offset);
    if (first == batches_.size()) return result;
    // A fetch is served from one segment file.
    const std::size_t segment = segment_at(batches_[first].base);
    const Offset segment_end =
        segment + 1 < segments_.size() ? segments_[segment + 1].base : log_end_;
    std::int64_t bytes = 0;
    for (std::size_t i = first; i < batches_.size(); ++i) {
        const Batch& batch = batches_[i];
        if (batch.next_offset() > end || batch.base >= segment_end) break;  // FET-3
        bytes += batch.bytes;
        if (bytes > max_bytes && !result.batches.empty()) break;            // FET-4
        result.batches.push_back(batch);
    }
    if (result.aborted && !result.batches.empty()) {
        const Offset upper = result.batches.back().next_offset();
        for (std::size_t i = segment_at(offset); i < segments_.size(); ++i)
            if (segments_[i].aborted.collect(offset, upper, *result.aborted)) break;
    }
    return result;
}

ReadResult PartitionLog::read(Offset offset, ReadBound bound, std::int64_t max_bytes) const {
    switch (bound) {
        case ReadBound::log_end: return read_up_to(offset, log_end_, bound, max_bytes);
        case ReadBound::high_watermark:
            return read_up_to(offset, high_watermark_, bound, max_bytes);
        case ReadBound::last_stable:
            return read_up_to(offset, last_stable_offset(), bound, max_bytes);
    }
    return {};
}

ReadResult PartitionLog::read_for_consumer(Offset offset, Isolation isolation,
                                           std::int64_t max_bytes, Guard& guard) const {
    const bool hidden = offset < log_end_ && high_watermark_ < log_end_;
    const bool bounded =
        !hidden || guard.trips(Safeguard::watermark_bounds_fetch, offset < log_end_);
    const Offset watermark = bounded ? high_watermark_ : log_end_;
    if (isolation == Isolation::read_uncommitted)
        return read_up_to(offset, watermark, ReadBound::high_watermark, max_bytes);
    const Offset stable = std::min(first_unstable().value_or(watermark), watermark);
    const bool undecided = offset < watermark && stable < watermark;
    const bool stops = !undecided || guard.trips(Safeguard::stable_offset_bounds_fetch, true);
    return read_up_to(offset, stops ? stable : watermark, ReadBound::last_stable, max_bytes);
}

EpochEnd PartitionLog::end_of_epoch(LeaderEpoch epoch) const {
    return epochs_.end_offset(epoch, log_end_);
}

// --- watermark -----------------------------------------------------------------------------------

Offset PartitionLog::set_high_watermark(Offset offset) {
    high_watermark_ = std::clamp(offset, log_start_, log_end_);
    producers_.on_high_watermark(high_watermark_);
    return high_watermark_;
}

std::optional<Offset> PartitionLog::follow_high_watermark(Offset leader) {
    const Offset before = high_watermark_;
    if (set_high_watermark(leader) == before) return std::nullopt;
    return high_watermark_;
}

bool PartitionLog::raise_high_watermark(Offset candidate) {
    sim::ensure(candidate <= log_end_, "a leader's watermark stays within its log");
    if (candidate <= high_watermark_) return false;
    set_high_watermark(candidate);
    return true;
}

void PartitionLog::bound_high_watermark() {
    if (high_watermark_ > log_end_ || high_watermark_ < log_start_)
        set_high_watermark(high_watermark_);
}

std::optional<Offset> PartitionLog::first_unstable() const {
    const auto first = producers_.first_unstable();
    if (!first) return std::nullopt;
    return std::max(*first, log_start_);  // LSO-2
}

Offset PartitionLog::last_stable_offset() const {
    return std::min(first_unstable().value_or(high_watermark_), high_watermark_);
}

std::vector<AbortedTxn> PartitionLog::aborted_index() const {
    std::vector<AbortedTxn> all;
    for (const Segment& segment : segments_) {
        const auto entries = segment.aborted.entries();
        all.insert(all.end(), entries.begin(), entries.end());
    }
    return all;
}

bool PartitionLog::fences(ProducerId producer_id, ProducerEpoch epoch) const {
    const ProducerEntry* entry = producers_.find(producer_id);
    return entry && epoch < entry->epoch;
}

std::optional<VerificationEntry> PartitionLog::start_verification(ProducerId producer_id,
                                                                  ProducerEpoch epoch,
                                                                  Sequence sequence,
                                                                  sim::Instant wall) {
    if (producers_.has_ongoing_transaction(producer_id, epoch)) return std::nullopt;
    return producers_.start_verification(producer_id, epoch, sequence, wall);
}

// --- cut -----------------------------------------------------------------------------------------

void PartitionLog::drop_batches_from(Offset offset) {
    // A batch that straddles the offset cannot be cut in two; it goes as a whole.
    batches_.truncate_to(batch_at(offset));
    while (segments_.size() > 1 && segments_.back().base > offset) segments_.pop_back();
    for (Segment& segment : segments_) segment.aborted.truncate(offset);
    if (const auto* scan = scanned_.find(); scan && scan->end > offset) scanned_.forget();
}

bool PartitionLog::truncate_to(Offset offset, sim::Instant wall) {
    if (offset >= log_end_) {
        epochs_.truncate_from_end(log_end_);  // TRN-8: an epoch without records may hang behind
        return false;
    }
    if (offset < segments_.front().base) {
        truncate_fully(offset, wall);
        return true;
    }
    drop_batches_from(offset);
    epochs_.truncate_from_end(offset);
    log_start_ = std::min(log_start_, offset);
    log_end_ = offset;
    flushed_ = std::min(flushed_, offset);
    stored_ = std::min(stored_, offset);
    checkpoint_.recovery_point = std::min(checkpoint_.recovery_point, offset);
    rebuild_producers(offset, wall, false);
    bound_high_watermark();
    return true;
}

void PartitionLog::truncate_fully(Offset offset, sim::Instant wall,
                                  std::optional<Offset> log_start) {
    batches_.clear();
    scanned_.forget();
    segments_.assign(1, Segment{offset, {}});
    epochs_.clear();
    log_start_ = log_start.value_or(offset);
    log_end_ = offset;
    flushed_ = stored_ = offset;
    checkpoint_.recovery_point = offset;
    producers_.truncate_fully(offset);
    rebuild_producers(offset, wall, false);
    set_high_watermark(offset);
}

ErrorCode PartitionLog::delete_records(Offset offset, Guard& guard) {
    if (offset > high_watermark_) return ErrorCode::offset_out_of_range;
    if (offset <= log_start_) return ErrorCode::none;
    // KAFKA-7298: a marker makes such a producer known again, but not its next sequence (PST-12).
    const bool keeps = guard.trips(Safeguard::unknown_sequence_after_marker,
                                   producers_.knows_below(offset));
    if (!keeps) producers_.forget_below(offset);
    log_start_ = offset;
    epochs_.truncate_from_start(offset);
    producers_.on_log_start(offset);
    return ErrorCode::none;
}

void PartitionLog::delete_old_segments() {
    std::size_t dead = 0;
    while (dead + 1 < segments_.size() && segments_[dead + 1].base <= log_start_) ++dead;
    if (dead == 0) return;
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(dead));
    batches_.erase_prefix(batch_at(segments_.front().base));
    producers_.delete_snapshots_before(segments_.front().base);  // PSX-4
}

}  // namespace eos::model
