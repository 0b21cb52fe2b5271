#include "model/sequences.hpp"

#include <algorithm>

#include "sim/ensure.hpp"

namespace eos::model {

// --- the circle of numbers -----------------------------------------------------------------------

Sequence Sequences::plus(Sequence sequence, std::int32_t n) const {
    const std::int64_t size = std::int64_t{limits_.sequence} + 1;
    return {static_cast<std::int32_t>((std::int64_t{sequence.value} + n) % size)};
}

std::int64_t Sequences::distance(Sequence from, Sequence to) const {
    const std::int64_t size = std::int64_t{limits_.sequence} + 1;
    return (std::int64_t{to.value} - from.value + size) % size;
}

bool Sequences::is_next(const Entry& entry, Sequence sequence) const {
    return sequence == (entry.acked ? plus(*entry.acked, 1) : Sequence{0});
}

// --- entries -------------------------------------------------------------------------------------

const Sequences::Entry* Sequences::find(LogId log) const {
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), log,
                                        [](const Entry& e, LogId id) { return e.log < id; });
    return found == entries_.end() || found->log != log ? nullptr : &*found;
}

Sequences::Entry& Sequences::at(LogId log) {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), log,
                                        [](const Entry& e, LogId id) { return e.log < id; });
    if (place != entries_.end() && place->log == log) return *place;
    Entry fresh;
    fresh.log = log;
    fresh.identity = identity_;
    return *entries_.insert(place, fresh);
}

void Sequences::place(LogId log, Sequence next) { at(log).next = next; }

// --- identity ------------------------------------------------------------------------------------

/// Renumbers the partition from 0 under the present identity.
void Sequences::restart(BatchStore& batches, Entry& entry) {
    entry.rewrite = !identity_.has_value();
    if (!identity_) return;
    Sequence next{0};
    for (const BatchId id : entry.in_flight) {
        ProducerBatch& batch = batches[id];
        batch.number = Numbering{
            .producer_id = identity_->producer_id, .epoch = identity_->epoch, .base = next};
        batch.renumbered = true;
        next = plus(next, batch.count());
    }
    entry.identity = identity_;
    entry.next = next;
    entry.acked.reset();
    entry.unresolved.reset();
}

void Sequences::set_identity(BatchStore& batches, const Identity& identity) {
    identity_ = identity;
    for (auto& entry : entries_)
        if (entry.rewrite) restart(batches, entry);
}

void Sequences::begin_anew(const Identity& identity) {
    identity_ = identity;
    entries_.clear();
    bump_required_ = false;
    gap_ = false;
}

void Sequences::request_bump(Entry& entry) {
    bump_required_ = true;
    entry.rewrite = true;
}

void Sequences::bump(BatchStore& batches) {
    bump_required_ = false;
    if (!identity_) return;
    if (identity_->epoch >= limits_.epoch) {
        identity_.reset();
        return;
    }
    identity_->epoch = identity_->epoch.next();
    for (auto& entry : entries_)
        if (entry.rewrite) restart(batches, entry);
}

// --- draining ------------------------------------------------------------------------------------

bool Sequences::may_drain(const ProducerBatch& head, BatchId id) const {
    if (!identity_) return false;
    const auto* entry = find(head.log);
    if (!entry) return true;
    if (!head.number) {
        const bool older_under_way = !entry->in_flight.empty() && stale(*entry);
        return !older_under_way && !entry->unresolved;
    }
    // A retry waits until it is the oldest: from then on one batch at a time, until caught up.
    return entry->in_flight.empty() || entry->in_flight.front() == id;
}

void Sequences::number(BatchStore& batches, BatchId id) {
    ProducerBatch& batch = batches[id];
    sim::ensure(!batch.number, "a batch is numbered once");
    Entry& entry = at(batch.log);
    if (stale(entry)) {
        sim::ensure(entry.in_flight.empty(), "a new identity waits for the batches of the old one");
        restart(batches, entry);
    }
    batch.number = Numbering{
        .producer_id = identity_->producer_id, .epoch = identity_->epoch, .base = entry.next};
    entry.next = plus(entry.next, batch.count());
    // Simplified: Kafka sorts by number, which differs from the order of numbering only while a
    // wrap is in flight.
    entry.in_flight.push_back(id);
}

bool Sequences::before(LogId log, BatchId other, BatchId id) const {
    const auto* entry = find(log);
    if (!entry) return false;
    for (const BatchId numbered : entry->in_flight) {
        if (numbered == id) return false;
        if (numbered == other) return true;
    }
    return false;
}

// --- answers -------------------------------------------------------------------------------------

void Sequences::forget(const ProducerBatch& batch, BatchId id) {
    std::erase(at(batch.log).in_flight, id);
}

void Sequences::succeeded(const ProducerBatch& batch, BatchId id, std::optional<Offset> base) {
    if (!batch.number) return;
    if (transactional_ && !find(batch.log)) return;  // late, of an epoch that is over
    Entry& entry = at(batch.log);
    // A late success of an older epoch counts as well, as in Kafka (handleCompletedBatch).
    const Sequence last = plus(batch.number->base, batch.count() - 1);
    const std::int64_t half = std::int64_t{limits_.sequence} / 2 + 1;
    if (!entry.acked || distance(*entry.acked, last) < half) entry.acked = last;
    if (base) {
        const Offset end = *base + (batch.count() - 1);
        if (!entry.acked_offset || *entry.acked_offset < end) entry.acked_offset = end;
    }
    std::erase(entry.in_flight, id);
}

bool Sequences::retry(BatchStore& batches, BatchId id, ErrorCode error,
                      std::optional<Offset> log_start) {
    const ProducerBatch& batch = batches[id];
    if (!batch.number) return retriable(error);
    if (transactional_) return retry_in_transaction(batches, id, error, log_start);
    Entry& entry = at(batch.log);
    if (error == ErrorCode::unknown_producer_id) {  // I9
        if (log_start && !batch.renumbered) request_bump(entry);
        return true;
    }
    if (error == ErrorCode::out_of_order_sequence_number) {  // I7
        const bool next = is_next(entry, batch.number->base);
        if (!entry.unresolved) {
            if (!batch.renumbered && next) request_bump(entry);
        } else if (batch.number->base == *entry.unresolved) {
            request_bump(entry);
        }
        return true;
    }
    return retriable(error);
}

bool Sequences::retry_in_transaction(BatchStore& batches, BatchId id, ErrorCode error,
                                     std::optional<Offset> log_start) {
    const ProducerBatch& batch = batches[id];
    Entry& entry = at(batch.log);
    if (error == ErrorCode::unknown_producer_id) {  // I10
        if (!log_start || batch.renumbered) return true;
        if (entry.acked_offset && *entry.acked_offset >= *log_start) return false;
        restart(batches, entry);
        return true;
    }
    if (error == ErrorCode::out_of_order_sequence_number)  // I8
        return !entry.unresolved && (batch.renumbered || !is_next(entry, batch.number->base));
    return retriable(error);
}

void Sequences::close_hole(BatchStore& batches, Entry& entry, std::size_t place,
                           std::int32_t count) const {
    const auto down = [&](Sequence sequence) {
        const std::int64_t size = std::int64_t{limits_.sequence} + 1;
        return Sequence{
            static_cast<std::int32_t>((std::int64_t{sequence.value} - count + size) % size)};
    };
    entry.next = down(entry.next);
    for (; place < entry.in_flight.size(); ++place) {
        ProducerBatch& later = batches[entry.in_flight[place]];
        later.number->base = down(later.number->base);
        later.renumbered = true;
    }
}

void Sequences::failed(BatchStore& batches, BatchId id, ErrorCode error, bool certain) {
    const ProducerBatch& batch = batches[id];
    if (!batch.number) return;
    Entry& entry = at(batch.log);
    const auto found = std::find(entry.in_flight.begin(), entry.in_flight.end(), id);
    const auto place = static_cast<std::size_t>(found - entry.in_flight.begin());
    const bool tracked = found != entry.in_flight.end();
    if (tracked) entry.in_flight.erase(found);
    if (transactional_) {
        if (error == ErrorCode::unknown_producer_id) {
            // The broker knows nothing: the partition begins at 0, whatever is still on its way.
            Entry fresh;
            fresh.log = entry.log;
            fresh.identity = identity_;
            entry = fresh;
        } else if (certain && tracked) {
            close_hole(batches, entry, place, batch.count());
        }
        return;
    }
    if (error == ErrorCode::unknown_producer_id) {
        restart(batches, entry);
    } else if (certain || error == ErrorCode::out_of_order_sequence_number) {
        request_bump(entry);
    }
}

void Sequences::unresolved(const ProducerBatch& batch) {
    if (!batch.number) return;
    Entry& entry = at(batch.log);
    const Sequence next = plus(batch.number->base, batch.count());
    const std::int64_t half = std::int64_t{limits_.sequence} / 2 + 1;
    if (!entry.unresolved || distance(*entry.unresolved, next) < half) entry.unresolved = next;
}

bool Sequences::resolve(Guard& guard) {
    bool resolved = false;
    for (auto& entry : entries_) {
        if (!entry.unresolved || !entry.in_flight.empty()) continue;
        resolved = true;
        entry.unresolved.reset();
        if (is_next(entry, entry.next)) continue;  // later batches succeeded: it was in the log
        if (!guard.trips(Safeguard::bump_after_expiry, true))
            entry.next = entry.acked ? plus(*entry.acked, 1) : Sequence{0};
        else if (transactional_)
            gap_ = true;
        else
            request_bump(entry);
    }
    return resolved;
}

void Sequences::split(BatchStore& batches, BatchId whole, const std::vector<BatchId>& pieces) {
    const ProducerBatch& batch = batches[whole];
    if (!batch.number) return;
    Numbering number = *batch.number;
    for (const BatchId piece : pieces) {
        batches[piece].number = number;
        number.base = plus(number.base, batches[piece].count());
    }
    auto& in_flight = at(batch.log).in_flight;
    const auto place = std::find(in_flight.begin(), in_flight.end(), whole);
    sim::ensure(transactional_ || place != in_flight.end(), "a batch that is split is in flight");
    if (place == in_flight.end()) return;  // numbered in a transaction that EndTxn overtook
    in_flight.insert(in_flight.erase(place), pieces.begin(), pieces.end());
}

}  // namespace eos::model
