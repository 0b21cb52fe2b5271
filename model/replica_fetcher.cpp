#include "model/replica_fetcher.hpp"

#include <algorithm>

namespace eos::model {

ReplicaFetcher::Handled ReplicaFetcher::follow(PartitionLog& log, LogId id, BrokerId leader,
                                               LeaderEpoch epoch, sim::Instant wall,
                                               Guard& guard) {
    Handled result;
    log_ = id;
    leader_ = leader;
    leader_epoch_ = epoch;
    retry_at_.reset();
    by_epoch_ = guard.set.has(Safeguard::truncate_by_leader_epoch);
    walks_back_ = guard.set.has(Safeguard::epoch_end_offset_with_epoch);
    // Where the watermark and the log end differ, KIP-101 asks the leader instead of cutting.
    const bool above = log.high_watermark() < log.log_end();
    const bool by_watermark =
        log.epochs().empty() ||
        (above && !guard.trips(Safeguard::truncate_by_leader_epoch, true));
    if (by_watermark && log.truncate_to(log.high_watermark(), wall))
        result.truncated_to = log.log_end();
    offset_ = log.log_end();
    const bool one_exchange = by_epoch_ && !walks_back_ && !log.epochs().empty();
    state_ = one_exchange ? FetcherState::truncating : FetcherState::fetching;
    return result;
}

std::optional<LeaderEpoch> ReplicaFetcher::last_fetched_epoch(const PartitionLog& log) const {
    const bool asks = by_epoch_ && (walks_back_ || state_ == FetcherState::truncating);
    return asks ? log.epochs().latest() : std::nullopt;
}

FetcherState ReplicaFetcher::state(sim::Instant now) const {
    const bool waits = retry_at_ && now < *retry_at_ && state_ != FetcherState::failed;
    return waits ? FetcherState::backoff : state_;
}

std::optional<FetchRequest::Part> ReplicaFetcher::request(const PartitionLog& log,
                                                          sim::Instant now) const {
    switch (state(now)) {
        case FetcherState::asking_offsets:
        case FetcherState::backoff:
        case FetcherState::failed: return std::nullopt;
        case FetcherState::truncating:
        case FetcherState::fetching: break;
    }
    return FetchRequest::Part{.log = log_,
                              .offset = offset_,
                              .current_leader_epoch = leader_epoch_,
                              .last_fetched_epoch = last_fetched_epoch(log),
                              .log_start = log.log_start(),
                              .max_bytes = 0};
}

void ReplicaFetcher::on_failure(sim::Instant now, sim::Duration backoff) {
    retry_at_ = now + backoff;
}

ReplicaFetcher::Handled ReplicaFetcher::on_error(ErrorCode error,
                                                 std::optional<LeaderEpoch> asked_with,
                                                 sim::Instant now, sim::Duration backoff) {
    // TRN-6: our epoch is over; only new metadata can tell whom to follow.
    if (error == ErrorCode::fenced_leader_epoch && asked_with == leader_epoch_)
        state_ = FetcherState::failed;
    else
        on_failure(now, backoff);
    Handled result;
    result.error = error;
    return result;
}

ReplicaFetcher::Handled ReplicaFetcher::truncate(PartitionLog& log, const EpochEnd& leader,
                                                 sim::Instant wall) {
    const Offset end = log.log_end();
    Offset to = end;
    if (!leader.end) {
        // TRN-3. The exchange before KIP-279 began at the watermark and fell back to it.
        to = std::min(walks_back_ ? offset_ : log.high_watermark(), end);
    } else if (!leader.epoch) {
        to = std::min(*leader.end, end);
    } else {
        const EpochEnd own = log.end_of_epoch(*leader.epoch);
        if (!own.end)
            to = std::min(*leader.end, end);
        else if (*own.epoch != *leader.epoch)
            to = std::min(*own.end, end);  // and again, with the epoch now latest
        else
            to = std::min({*own.end, *leader.end, end});
    }
    Handled result;
    if (log.truncate_to(to, wall)) result.truncated_to = log.log_end();
    offset_ = log.log_end();
    state_ = FetcherState::fetching;
    return result;
}

ReplicaFetcher::Handled ReplicaFetcher::on_answer(PartitionLog& log,
                                                  const FetchRequest::Part& sent,
                                                  const FetchResponse::Part& answer,
                                                  sim::Instant now, sim::Instant wall,
                                                  sim::Duration backoff, Guard& guard) {
    const bool expected = sent.offset == offset_ && sent.current_leader_epoch == leader_epoch_ &&
                          request(log, now).has_value();
    if (!expected) return {};
    retry_at_.reset();
    if (answer.error == ErrorCode::offset_out_of_range) {
        state_ = FetcherState::asking_offsets;
        return {};
    }
    if (answer.error != ErrorCode::none)
        return on_error(answer.error, sent.current_leader_epoch, now, backoff);
    if (answer.diverging) return truncate(log, *answer.diverging, wall);  // TRN-4: and no more

    Handled result;
    state_ = FetcherState::fetching;
    for (const Batch& batch : answer.batches) {
        const AppendResult appended = log.append_as_follower(batch, wall, guard);
        result.rolled |= appended.rolled;
        if (appended.error != ErrorCode::none) {
            state_ = FetcherState::failed;  // TRN-9
            result.error = appended.error;
            break;
        }
        ++result.batches;
    }
    offset_ = log.log_end();
    if (state_ == FetcherState::failed) return result;
    result.high_watermark = log.follow_high_watermark(answer.high_watermark);  // LSO-10
    if (answer.log_start > log.log_start()) {                                   // TRN-10
        const Offset start = std::min(answer.log_start, log.high_watermark());
        static_cast<void>(log.delete_records(start, guard));
        log.delete_old_segments();
    }
    return result;
}

ReplicaFetcher::Handled ReplicaFetcher::on_leader_offsets(
    PartitionLog& log, LeaderEpoch asked_with, ErrorCode error, Offset leader_start,
    Offset leader_end, sim::Instant now, sim::Instant wall, sim::Duration backoff) {
    if (state_ != FetcherState::asking_offsets || asked_with != leader_epoch_) return {};
    state_ = FetcherState::fetching;
    if (error != ErrorCode::none) return on_error(error, asked_with, now, backoff);
    Handled result;
    // TRN-5. A shorter leader is evidence of an unclean election.
    if (leader_end < log.log_end()) {
        if (log.truncate_to(leader_end, wall)) result.truncated_to = log.log_end();
    } else if (leader_start > log.log_end()) {
        log.truncate_fully(leader_start, wall);
        result.truncated_to = leader_start;
    }
    offset_ = log.log_end();
    return result;
}

}  // namespace eos::model
