#include "model/producer_state.hpp"

#include <algorithm>

#include "sim/ensure.hpp"

namespace eos::model {

std::optional<Sequence> BatchMetadata::first_sequence() const {
    if (!last_sequence) return std::nullopt;
    return last_sequence->minus(offset_delta);
}

std::optional<Sequence> ProducerEntry::last_sequence() const {
    if (batches.empty()) return std::nullopt;
    return batches.back().last_sequence;
}

// --- ProducerAppend ------------------------------------------------------------------------------

ErrorCode ProducerAppend::append(const Batch& batch, const AppendAs& as, Guard& guard) {
    if (!batch.control) return append_data(batch, as, guard);
    // PST-24: the marker's record was compacted away; that the producer existed is all it tells.
    if (batch.count == 0) return ErrorCode::none;
    return append_marker(batch, as, guard);
}

void ProducerAppend::take_epoch(ProducerEpoch epoch) {
    if (entry_.epoch == epoch) return;
    entry_.epoch = epoch;
    entry_.batches.clear();  // PST-3: sequences belong to their epoch
}

ErrorCode ProducerAppend::check_sequence(const Batch& batch, const AppendAs& as) const {
    const Sequence first = *batch.base_sequence;
    if (first.value != 0 && batch.producer_epoch != entry_.epoch) {
        // PST-9, and PST-10: without any state every sequence is accepted (KIP-360).
        const bool known = entry_.epoch.value >= 0;
        const bool strict = rules_.strict_first_sequence && as.transaction_v2;  // KAFKA-18202
        return known || strict ? ErrorCode::out_of_order_sequence_number : ErrorCode::none;
    }
    if (batch.producer_epoch != entry_.epoch || before_.epoch.value < 0) return ErrorCode::none;
    // PST-11..13; an entry without batches was made by a marker and starts at 0 (PST-12).
    const auto last = entry_.last_sequence();
    // A batch over the end of the number space is kept unfolded; the number after it is folded.
    const auto size = std::int64_t{rules_.max_sequence} + 1;
    const Sequence due{last ? static_cast<std::int32_t>(last->plus(1).value % size) : 0};
    return first == due ? ErrorCode::none : ErrorCode::out_of_order_sequence_number;
}

ErrorCode ProducerAppend::append_data(const Batch& batch, const AppendAs& as, Guard& guard) {
    bool remember = true;
    if (as.origin != AppendOrigin::replication) {
        // PST-8. An unfenced older epoch is let through but does not become the newest known.
        const bool older = batch.producer_epoch < entry_.epoch;
        if (guard.trips(Safeguard::producer_epoch_fencing, older))
            return ErrorCode::invalid_producer_epoch;
        remember = !older;
    }
    if (as.origin == AppendOrigin::client && remember) {
        if (!batch.base_sequence) return ErrorCode::invalid_record;  // REC-6
        // VER-8: a later batch may not overtake the one that is being verified.
        if (verification_ && *batch.base_sequence > verification_->lowest)
            return ErrorCode::out_of_order_sequence_number;
        const ErrorCode error = check_sequence(batch, as);
        if (guard.trips(Safeguard::sequence_check, error != ErrorCode::none)) return error;
    }
    if (as.origin == AppendOrigin::replication && batch.base_sequence) {
        // KAFKA-6003: a follower that checked for itself met producers it knows nothing of.
        const bool unknown = entry_.epoch.value < 0 && batch.base_sequence->value != 0;
        const bool wrong = unknown || check_sequence(batch, as) != ErrorCode::none;
        if (wrong && !guard.trips(Safeguard::replicas_trust_the_leader, true))
            return ErrorCode::out_of_order_sequence_number;
    }
    if (entry_.txn_first && !batch.transactional) return ErrorCode::invalid_txn_state;  // PST-15
    if (remember) {
        take_epoch(batch.producer_epoch);
        entry_.batches.push_back({.last_sequence = batch.last_sequence(),
                                  .last_offset = batch.last_offset(),
                                  .offset_delta = batch.count - 1,
                                  .timestamp = batch.timestamp});
        if (std::ssize(entry_.batches) > rules_.dedup_batches)
            entry_.batches.erase(entry_.batches.begin());
        entry_.last_timestamp = batch.timestamp;
    }
    if (batch.transactional && !entry_.txn_first) {  // PST-5
        entry_.txn_first = batch.base;
        opened_.push_back(batch.base);
    }
    return ErrorCode::none;
}

ErrorCode ProducerAppend::check_marker_epoch(const Batch& batch, const AppendAs& as,
                                             Guard& guard) const {
    if (batch.producer_epoch < entry_.epoch) return ErrorCode::invalid_producer_epoch;  // PST-19
    // PSD-9: a v2 marker carries the bumped epoch. With an equal one it is late, ending what it
    // knows nothing of, or, if nothing is open, it only repeats itself (KAFKA-19999).
    const bool equal = rules_.strict_marker_epoch && as.transaction_v2 &&
                       batch.producer_epoch == entry_.epoch;
    if (!equal) return ErrorCode::none;
    if (!entry_.txn_first && guard.trips(Safeguard::marker_retry_accepted, true))
        return ErrorCode::none;
    return guard.trips(Safeguard::marker_epoch_above, true) ? ErrorCode::invalid_producer_epoch
                                                            : ErrorCode::none;
}

ErrorCode ProducerAppend::append_marker(const Batch& batch, const AppendAs& as, Guard& guard) {
    if (as.origin != AppendOrigin::replication) {
        const ErrorCode error = check_marker_epoch(batch, as, guard);
        if (error != ErrorCode::none) return error;
        const bool deposed = batch.coordinator_epoch < entry_.coordinator_epoch;  // PST-20
        if (guard.trips(Safeguard::coordinator_epoch_fencing, deposed))
            return ErrorCode::transaction_coordinator_fenced;
    }
    if (entry_.txn_first)
        completed_ = CompletedTxn{.producer_id = producer_id_,
                                  .first = *entry_.txn_first,
                                  .last = batch.base,
                                  .aborted = *batch.control == ControlType::abort};
    take_epoch(batch.producer_epoch);
    entry_.coordinator_epoch = batch.coordinator_epoch;
    entry_.txn_first.reset();
    entry_.last_timestamp = batch.timestamp;  // KAFKA-9144
    return ErrorCode::none;
}

// --- ProducerState: appends ----------------------------------------------------------------------

ProducerState ProducerState::reopened(Offset log_start) const {
    ProducerState fresh{rules_, log_start};
    fresh.snapshots_ = snapshots_;
    fresh.next_guard_ = next_guard_;  // guards are never handed out twice
    return fresh;
}

void ProducerState::take_over(const ProducerState& other) {
    producers_ = other.producers_;
    ongoing_ = other.ongoing_;
    unreplicated_ = other.unreplicated_;
    map_end_ = other.map_end_;
}

const BatchMetadata* ProducerState::find_duplicate(const Batch& batch, Guard& guard) const {
    if (!batch.producer_id || !batch.base_sequence) return nullptr;
    const ProducerEntry* entry = find(*batch.producer_id);
    if (!entry || entry->epoch != batch.producer_epoch) return nullptr;  // PST-16
    const auto same = [&](const BatchMetadata& known) {
        return known.first_sequence() == batch.base_sequence &&
               known.last_sequence == batch.last_sequence();
    };
    const auto found = std::find_if(entry->batches.begin(), entry->batches.end(), same);
    if (found == entry->batches.end()) return nullptr;
    // REDPANDA-3039: the sequence check below it refuses the retry as out of order.
    if (!guard.trips(Safeguard::duplicate_answered, true)) return nullptr;
    const bool newest = std::next(found) == entry->batches.end();
    if (newest || guard.trips(Safeguard::dedup_window, true)) return &*found;
    return nullptr;  // KAFKA-5494: only the newest batch is remembered
}

ProducerAppend ProducerState::prepare(ProducerId producer_id) const {
    ProducerAppend result;
    result.producer_id_ = producer_id;
    result.rules_ = rules_;
    if (const ProducerEntry* entry = find(producer_id)) result.before_ = *entry;
    result.entry_ = result.before_;
    if (const VerificationEntry* entry = verification(producer_id)) result.verification_ = *entry;
    return result;
}

void ProducerState::update(const ProducerAppend& append) {
    producers_.insert_or_assign(append.producer_id_, append.entry_);
    for (const Offset first : append.opened_) ongoing_.insert_or_assign(first, append.producer_id_);
}

void ProducerState::complete(const CompletedTxn& txn) {
    sim::ensure(ongoing_.erase(txn.first) == 1, "a transaction that completes was ongoing");
    unreplicated_.insert_or_assign(txn.first, txn);
}

Offset ProducerState::last_stable_offset(const CompletedTxn& txn) const {
    const auto other = std::find_if(ongoing_.begin(), ongoing_.end(), [&](const auto& open) {
        return open.second != txn.producer_id;
    });
    return other == ongoing_.end() ? txn.last.next() : other->first;
}

// --- verification --------------------------------------------------------------------------------

VerificationEntry ProducerState::start_verification(ProducerId producer_id, ProducerEpoch epoch,
                                                    Sequence sequence, sim::Instant now) {
    const auto [at, fresh] = verifications_.try_emplace(
        producer_id, VerificationEntry{next_guard_, sequence, epoch, now});
    VerificationEntry& entry = at->second;
    if (fresh) {
        next_guard_ = next_guard_.next();
    } else if (epoch > entry.epoch) {
        entry.epoch = epoch;
        entry.lowest = sequence;
    } else if (epoch == entry.epoch && sequence < entry.lowest) {
        entry.lowest = sequence;
    }
    return entry;
}

const VerificationEntry* ProducerState::verification(ProducerId producer_id) const {
    const auto found = verifications_.find(producer_id);
    return found == verifications_.end() ? nullptr : &found->second;
}

// --- time and watermark --------------------------------------------------------------------------

bool ProducerState::expired(const ProducerEntry& entry, sim::Instant wall) const {
    return !entry.txn_first && wall - entry.last_timestamp >= rules_.expiration;
}

std::vector<ProducerId> ProducerState::expire(sim::Instant wall) {
    std::vector<ProducerId> dropped;
    std::erase_if(producers_, [&](const auto& known) {
        if (!expired(known.second, wall)) return false;
        dropped.push_back(known.first);
        return true;
    });
    std::erase_if(verifications_, [&](const auto& known) {
        return wall - known.second.created >= rules_.expiration;
    });
    return dropped;
}

void ProducerState::on_high_watermark(Offset high_watermark) {
    std::erase_if(unreplicated_,
                  [&](const auto& txn) { return txn.second.last < high_watermark; });
}

void ProducerState::on_log_start(Offset log_start) {
    std::erase_if(unreplicated_, [&](const auto& txn) { return txn.second.last < log_start; });
    map_end_ = std::max(map_end_, log_start);
    last_snapshot_ = snapshots_.empty() ? log_start : snapshots_.back().offset;
}

bool ProducerState::knows_below(Offset log_start) const {
    return std::any_of(producers_.begin(), producers_.end(), [&](const auto& known) {
        const auto& batches = known.second.batches;
        return batches.empty() || batches.back().last_offset < log_start;
    });
}

void ProducerState::forget_below(Offset log_start) {
    std::erase_if(producers_, [&](const auto& known) {
        const auto& batches = known.second.batches;
        return batches.empty() || batches.back().last_offset < log_start;
    });
    std::erase_if(ongoing_, [&](const auto& open) { return !producers_.contains(open.second); });
}

bool ProducerState::has_late_transaction(sim::Instant wall) const {
    if (ongoing_.empty()) return false;
    const ProducerEntry* oldest = find(ongoing_.begin()->second);
    return oldest && wall - oldest->last_timestamp > rules_.max_txn_timeout + rules_.late_buffer;
}

// --- snapshots -----------------------------------------------------------------------------------

bool ProducerState::take_snapshot(bool synced) {
    if (map_end_ <= last_snapshot_) return false;  // PSX-6
    Snapshot snapshot{.offset = map_end_, .flushed = synced, .corrupt = false, .entries = {}};
    for (const auto& [producer_id, entry] : producers_) {
        snapshot.entries.push_back({producer_id, entry});
        auto& batches = snapshot.entries.back().entry.batches;
        if (batches.size() > 1) batches.erase(batches.begin(), std::prev(batches.end()));
    }
    std::erase_if(snapshots_, [&](const Snapshot& s) { return s.offset == map_end_; });
    const auto behind = std::find_if(snapshots_.begin(), snapshots_.end(),
                                     [&](const Snapshot& s) { return s.offset > map_end_; });
    snapshots_.insert(behind, std::move(snapshot));
    last_snapshot_ = map_end_;
    return true;
}

void ProducerState::truncate_and_reload(Offset log_start, Offset log_end, sim::Instant wall) {
    std::erase_if(snapshots_, [&](const Snapshot& s) {
        return s.offset > log_end || s.offset <= log_start;
    });
    if (log_end == map_end_) return on_log_start(log_start);
    producers_.clear();
    ongoing_.clear();
    unreplicated_.clear();
    load_snapshot(log_start, wall);
}

void ProducerState::load_snapshot(Offset log_start, sim::Instant wall) {
    while (!snapshots_.empty() && snapshots_.back().corrupt) snapshots_.pop_back();
    if (snapshots_.empty()) {
        map_end_ = last_snapshot_ = log_start;
        return;
    }
    const Snapshot& newest = snapshots_.back();
    for (const SnapshotEntry& saved : newest.entries) {
        if (expired(saved.entry, wall)) continue;
        producers_.insert_or_assign(saved.producer_id, saved.entry);
        if (saved.entry.txn_first) ongoing_.insert_or_assign(*saved.entry.txn_first,
                                                             saved.producer_id);
    }
    map_end_ = last_snapshot_ = newest.offset;
}

void ProducerState::truncate_fully(Offset start) {
    producers_.clear();
    ongoing_.clear();
    unreplicated_.clear();
    snapshots_.clear();
    map_end_ = start;
    last_snapshot_ = Offset{0};
}

void ProducerState::delete_snapshots_before(Offset offset) {
    std::erase_if(snapshots_, [&](const Snapshot& s) { return s.offset < offset; });
}

void ProducerState::remove_stray_snapshots(std::span<const Offset> segment_bases) {
    const auto stray = [&](const Snapshot& s) {
        return std::find(segment_bases.begin(), segment_bases.end(), s.offset) ==
               segment_bases.end();
    };
    // PSX-12: only the clean-shutdown snapshot, at the log end, may lie outside a segment base.
    std::optional<Offset> kept;
    for (const Snapshot& s : snapshots_)
        if (stray(s)) kept = s.offset;
    const auto last = std::max_element(segment_bases.begin(), segment_bases.end());
    if (kept && last != segment_bases.end() && *kept < *last) kept.reset();
    std::erase_if(snapshots_, [&](const Snapshot& s) { return stray(s) && s.offset != kept; });
}

void ProducerState::corrupt_snapshot(Offset offset) {
    for (Snapshot& s : snapshots_)
        if (s.offset == offset) s.corrupt = true;
}

void ProducerState::mark_snapshots_flushed(Offset offset) {
    for (Snapshot& s : snapshots_)
        if (s.offset <= offset) s.flushed = true;
}

void ProducerState::drop_unflushed_snapshots() {
    std::erase_if(snapshots_, [](const Snapshot& s) { return !s.flushed; });
}

// --- queries -------------------------------------------------------------------------------------

const ProducerEntry* ProducerState::find(ProducerId producer_id) const {
    const auto found = producers_.find(producer_id);
    return found == producers_.end() ? nullptr : &found->second;
}

bool ProducerState::has_ongoing_transaction(ProducerId producer_id, ProducerEpoch epoch) const {
    const ProducerEntry* entry = find(producer_id);
    return entry && entry->txn_first && entry->epoch == epoch;
}

std::optional<ProducerId> ProducerState::oldest_in_transaction() const {
    if (ongoing_.empty()) return std::nullopt;
    return ongoing_.begin()->second;
}

std::optional<Offset> ProducerState::first_undecided() const {
    if (ongoing_.empty()) return std::nullopt;
    return ongoing_.begin()->first;
}

std::optional<Offset> ProducerState::first_unstable() const {
    const auto undecided = first_undecided();
    if (unreplicated_.empty()) return undecided;
    const Offset unreplicated = unreplicated_.begin()->first;
    return undecided ? std::min(*undecided, unreplicated) : unreplicated;
}

}  // namespace eos::model
