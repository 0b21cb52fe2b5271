#pragma once
// The follower's side of one partition (Kafka: an entry of AbstractFetcherThread): where it fetches
// next, and how its log is cut to match the leader's. Kept beside the replica's PartitionLog; the
// broker gathers the requests of all partitions of one leader. Rules TRN.
//
//   follow -> (truncating) -> fetching <-> asking_offsets (OFFSET_OUT_OF_RANGE, TRN-5)
//                 any error: backoff until a time; fenced or broken: failed until new metadata

#include <cstdint>
#include <optional>
#include <tuple>

#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/partition_log.hpp"
#include "model/safeguards.hpp"
#include "sim/time.hpp"

namespace eos::model {

enum class FetcherState : std::uint8_t {
    truncating,      ///< without epoch_end_offset_with_epoch: the one exchange before fetching
    fetching,
    asking_offsets,  ///< wants the leader's log end and log start (ListOffsets of a replica)
    backoff,
    failed,          ///< waits for new metadata (TRN-6, TRN-9)
};

class ReplicaFetcher {
  public:
    /// What handling an answer did to the log; the caller observes it.
    struct Handled {
        std::int32_t batches = 0;               ///< appended, the newest of the log
        std::optional<Offset> truncated_to;
        std::optional<Offset> high_watermark;   ///< if it changed
        bool rolled = false;
        ErrorCode error = ErrorCode::none;      ///< why it backs off or failed
    };

    ReplicaFetcher() = default;
    /// Starts to follow (TRN-1). Without safeguard truncate_by_leader_epoch the log is cut to its
    /// own watermark first (before KIP-101); `truncated_to` tells.
    Handled follow(PartitionLog& log, LogId id, BrokerId leader, LeaderEpoch epoch,
                   sim::Instant wall, Guard& guard);

    /// The next fetch of this partition, if it may fetch at `now`.
    [[nodiscard]] std::optional<FetchRequest::Part> request(const PartitionLog& log,
                                                            sim::Instant now) const;
    /// The leader's answer to `sent`; ignored if the position has changed since (TRN-2..4, 6, 9).
    Handled on_answer(PartitionLog& log, const FetchRequest::Part& sent,
                      const FetchResponse::Part& answer, sim::Instant now, sim::Instant wall,
                      sim::Duration backoff, Guard& guard);
    /// The connection failed, or the request timed out.
    void on_failure(sim::Instant now, sim::Duration backoff);
    /// The leader's log end and start, asked for in state asking_offsets (TRN-5); an error
    /// (FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, ...) as in on_answer (TRN-6).
    Handled on_leader_offsets(PartitionLog& log, LeaderEpoch asked_with, ErrorCode error,
                              Offset leader_start, Offset leader_end, sim::Instant now,
                              sim::Instant wall, sim::Duration backoff);

    [[nodiscard]] FetcherState state(sim::Instant now) const;
    [[nodiscard]] BrokerId leader() const { return leader_; }
    [[nodiscard]] LeaderEpoch leader_epoch() const { return leader_epoch_; }
    [[nodiscard]] Offset fetch_offset() const { return offset_; }
    [[nodiscard]] std::optional<LeaderEpoch> last_fetched_epoch(const PartitionLog& log) const;
    /// When a partition in backoff may fetch again.
    [[nodiscard]] std::optional<sim::Instant> retry_at() const { return retry_at_; }

    friend bool operator==(const ReplicaFetcher&, const ReplicaFetcher&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(log_, leader_, leader_epoch_, offset_, state_, by_epoch_, walks_back_,
                        retry_at_);
    }

  private:
    Handled on_error(ErrorCode error, std::optional<LeaderEpoch> asked_with, sim::Instant now,
                     sim::Duration backoff);
    Handled truncate(PartitionLog& log, const EpochEnd& leader, sim::Instant wall);

    LogId log_{-1};
    BrokerId leader_{-1};
    LeaderEpoch leader_epoch_{-1};
    Offset offset_;
    FetcherState state_ = FetcherState::failed;
    bool by_epoch_ = true;     // fetches carry the last fetched epoch (KIP-101)
    bool walks_back_ = true;   // on every fetch, epoch by epoch (KIP-279, KIP-595)
    std::optional<sim::Instant> retry_at_;
};

}  // namespace eos::model
