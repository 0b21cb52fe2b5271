// What a partition's log keeps on disk and how it is brought back: flush, checkpoints, clean stop,
// recovery (Kafka: LogLoader, UnifiedLog.rebuildProducerState). Rules DUR, PSX.

#include <algorithm>
#include <utility>

#include "model/partition_log.hpp"

namespace eos::model {

namespace {

[[nodiscard]] bool names(std::uint32_t files, DiskFiles which) {
    return (files & static_cast<std::uint32_t>(which)) != 0;
}

}  // namespace

void PartitionLog::flush_to(Offset offset) {
    flushed_ = std::max(flushed_, std::min(offset, log_end_));
    if (disk_lies_) return;
    stored_ = flushed_;
    producers_.mark_snapshots_flushed(stored_);
}

void PartitionLog::checkpoint_offsets() {
    checkpoint_.recovery_point = flushed_;
    checkpoint_.log_start = log_start_;
}

void PartitionLog::close() {
    flush();
    snapshot_producers();
    checkpoint_offsets();
    closed_cleanly_ = !offline_;
}

// --- producer state from the log -----------------------------------------------------------------

void PartitionLog::snapshot_producers() { static_cast<void>(take_snapshot()); }

void PartitionLog::replay(const Batch& batch) {
    if (batch.producer_id) {
        Guard unused;
        ProducerAppend append = producers_.prepare(*batch.producer_id);
        const auto error = append.append(batch, {.origin = AppendOrigin::replication}, unused);
        if (error == ErrorCode::none) {
            producers_.update(append);
            if (append.completed()) producers_.complete(*append.completed());
        }
    }
    producers_.set_map_end(batch.next_offset());
}

void PartitionLog::rebuild_producers(Offset end, sim::Instant wall, bool clean) {
    const std::size_t last = segment_at(end);
    if (clean && producers_.snapshots().empty()) {
        // PSX-11: the upgrade path trusts that there were no producers.
        for (std::size_t i = last > 0 ? last - 1 : last; i <= last; ++i) {
            producers_.set_map_end(segments_[i].base);
            snapshot_producers();
        }
        producers_.set_map_end(end);
        snapshot_producers();
        return;
    }
    const bool nothing_to_lose = producers_.empty() && producers_.map_end() >= end;
    producers_.truncate_and_reload(log_start_, end, wall);
    if (end > producers_.map_end() && !nothing_to_lose) {
        const Offset from = std::max(producers_.map_end(), log_start_);
        for (std::size_t i = batch_at(from); i < batches_.size(); ++i) {
            const Batch& batch = batches_[i];
            if (batch.next_offset() > end) break;
            // The last two segment bases get a snapshot on the way.
            const bool boundary = batch.base == segments_[last].base ||
                                  (last > 0 && batch.base == segments_[last - 1].base);
            if (boundary) {
                producers_.set_map_end(batch.base);
                snapshot_producers();
            }
            replay(batch);
        }
    }
    producers_.set_map_end(end);
    snapshot_producers();
}

// --- recovery ------------------------------------------------------------------------------------

PartitionLog PartitionLog::recover(const sim::Loss& loss, sim::Instant wall) && {
    if (loss.wipe) return PartitionLog{rules_};
    // The clean marker of a lying disk goes the way of the data it speaks of.
    const bool clean = closed_cleanly_ && !(loss.power && stored_ < flushed_);
    if (loss.power) {
        constexpr auto by_default = static_cast<std::uint32_t>(DiskFiles::log) |
                                    static_cast<std::uint32_t>(DiskFiles::snapshots) |
                                    static_cast<std::uint32_t>(DiskFiles::indexes);
        const std::uint32_t files = loss.files == 0 ? by_default : loss.files;
        if (names(files, DiskFiles::log)) {
            drop_batches_from(stored_);
            log_end_ = batches_.empty() ? segments_.front().base : batches_.back().next_offset();
        }
        if (names(files, DiskFiles::snapshots)) producers_.drop_unflushed_snapshots();
        if (names(files, DiskFiles::indexes) && !clean)
            for (Segment& segment : segments_)
                if (segment.base >= stored_) segment.aborted.reset();
        if (names(files, DiskFiles::checkpoints)) {
            checkpoint_ = {};
            epochs_.clear();
        }
    }
    closed_cleanly_ = offline_ = index_write_fails_ = false;
    producers_ = producers_.reopened(checkpoint_.log_start);
    if (!clean) recover_segments(wall);
    if (log_end_ < checkpoint_.log_start) {
        // The data that the log start stood on is gone: begin empty where it stood.
        const Checkpoint kept = checkpoint_;
        truncate_fully(checkpoint_.log_start, wall);
        checkpoint_.high_watermark = kept.high_watermark;
    }
    log_start_ = std::max(checkpoint_.log_start, segments_.front().base);
    flushed_ = std::min(flushed_, log_end_);
    stored_ = std::min(stored_, log_end_);
    epochs_.truncate_from_end(log_end_);
    epochs_.truncate_from_start(checkpoint_.log_start);

    std::vector<Offset> bases;
    for (const Segment& segment : segments_) bases.push_back(segment.base);
    producers_ = producers_.reopened(log_start_);
    producers_.remove_stray_snapshots(bases);
    rebuild_producers(log_end_, wall, clean);
    set_high_watermark(checkpoint_.high_watermark);  // DUR-2
    return std::move(*this);
}

/// Scans the segments behind the recovery point again: transaction index, leader epochs and
/// producer state are made anew from the batches (DUR-3).
void PartitionLog::recover_segments(sim::Instant wall) {
    for (std::size_t s = segment_at(checkpoint_.recovery_point); s < segments_.size(); ++s) {
        Segment& segment = segments_[s];
        const bool active = s + 1 == segments_.size();
        producers_ = producers_.reopened(checkpoint_.log_start);
        rebuild_producers(segment.base, wall, false);
        segment.aborted.reset();
        const bool from_nothing = producers_.empty();
        scan_segment(segment, active ? log_end_ : segments_[s + 1].base);
        if (active && from_nothing)
            scanned_.keep(
                {segment.base, log_end_, checkpoint_.log_start, producers_, segment.aborted});
        // So that the next segment need not read this one again. The final load finds it too, so
        // after an unclean stop a producer is known by its newest batch only (PSX-8; seen in 4.1).
        snapshot_producers();
    }
}

/// What an earlier scan of this very segment found is taken over; gives where to go on.
Offset PartitionLog::resume_scan(Segment& segment) {
    const auto* scan = scanned_.find();
    const bool same = scan && producers_.empty() && scan->from == segment.base &&
                      scan->log_start == checkpoint_.log_start && scan->end <= log_end_ &&
                      scan->producers.rules() == producers_.rules() && !epochs_.empty();
    if (!same) return segment.base;
    producers_.take_over(scan->producers);
    segment.aborted = scan->aborted;
    return scan->end;
}

void PartitionLog::scan_segment(Segment& segment, Offset end) {
    for (std::size_t i = batch_at(resume_scan(segment)); i < batches_.size(); ++i) {
        const Batch& batch = batches_[i];
        if (batch.base >= end) break;
        if (epochs_.empty() || batch.leader_epoch > *epochs_.latest())
            epochs_.assign(batch.leader_epoch, batch.base);
        if (batch.control && batch.producer_id) {
            if (const ProducerEntry* entry = producers_.find(*batch.producer_id);
                entry && entry->txn_first && *batch.control == ControlType::abort) {
                const CompletedTxn txn{*batch.producer_id, *entry->txn_first, batch.base, true};
                static_cast<void>(segment.aborted.append(
                    {txn.producer_id, txn.first, txn.last, producers_.last_stable_offset(txn)}));
            }
        }
        replay(batch);
    }
}

}  // namespace eos::model
