#pragma once
// What the application passes to its consumer and hears back from it. Calls of the Java client that
// block are started by a method and end with an event; callbacks are events as well, in the order
// in which they would have run. The application takes them after every step of the consumer.

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/records.hpp"

namespace eos::model {

/// An offset to commit: the NEXT one to read (O1). With the epoch, a new owner can validate (C24).
struct CommitOffset {
    LogId log;
    Offset offset;
    std::optional<LeaderEpoch> leader_epoch;
    std::int32_t metadata_bytes = 0;  ///< size of the text that is stored with it
    friend bool operator==(const CommitOffset&, const CommitOffset&) = default;
};

/// Records of one log handed out by one poll: payload[first .. first + count), payload record i has
/// offset base + i. The payload is shared with the log: nothing is copied.
struct Chunk {
    LogId log;
    Offset base;
    std::int32_t first = 0;
    std::int32_t count = 0;
    LeaderEpoch leader_epoch;
    Payload payload;
    [[nodiscard]] Offset next_offset() const { return base + (first + count); }
    friend bool operator==(const Chunk&, const Chunk&) = default;
};

/// How a call ended, in the terms of the exceptions of the Java client.
enum class CallResult : std::uint8_t {
    ok,
    timed_out,                ///< TimeoutException: the outcome is unknown
    retriable_commit_failed,  ///< RetriableCommitFailedException: commitAsync never retries (O3)
    commit_failed,            ///< CommitFailedException: no longer a member of that generation
    rebalance_in_progress,    ///< RebalanceInProgressException: poll again, then commit again
    no_offset,                ///< NoOffsetForPartitionException: no reset policy (C4)
    offset_out_of_range,      ///< OffsetOutOfRangeException: no reset policy (C19)
    log_truncation,           ///< LogTruncationException: no reset policy (C22)
    interrupted,              ///< WakeupException
    fatal,                    ///< the consumer is of no use any more; the error code says why
};
[[nodiscard]] std::string_view name(CallResult result);

namespace consumer_event {
/// poll() returned; without records if the timeout passed or only the position moved (C11).
struct PollReturned {
    CallResult result = CallResult::ok;
    ErrorCode error = ErrorCode::none;
    std::vector<Chunk> chunks;
    friend bool operator==(const PollReturned&, const PollReturned&) = default;
};
/// commit_sync() returned, or the callback of commit_async() ran.
struct CommitDone {
    std::int32_t call = 0;  ///< what commit_sync() or commit_async() returned
    bool async = false;
    CallResult result = CallResult::ok;
    ErrorCode error = ErrorCode::none;
    std::vector<CommitOffset> offsets;
    friend bool operator==(const CommitDone&, const CommitDone&) = default;
};
/// seek_to_committed() returned: every assigned log stands at its committed offset, or where the
/// reset policy will put it if it has none.
struct RewindDone {
    CallResult result = CallResult::ok;
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const RewindDone&, const RewindDone&) = default;
};
struct EndOffsetReturned {
    LogId log;
    std::optional<Offset> offset;  ///< with result ok
    CallResult result = CallResult::ok;
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const EndOffsetReturned&, const EndOffsetReturned&) = default;
};
/// onPartitionsAssigned: the logs newly owned.
struct PartitionsAssigned {
    std::vector<LogId> logs;
    friend bool operator==(const PartitionsAssigned&, const PartitionsAssigned&) = default;
};
/// onPartitionsRevoked, or onPartitionsLost if `lost`: somebody else may own them already (M16).
struct PartitionsRevoked {
    std::vector<LogId> logs;
    bool lost = false;
    friend bool operator==(const PartitionsRevoked&, const PartitionsRevoked&) = default;
};
/// close() returned; the consumer has no connection and no timer left.
struct Closed {
    friend bool operator==(const Closed&, const Closed&) = default;
};
}  // namespace consumer_event

using ConsumerEvent = std::variant<consumer_event::PollReturned, consumer_event::CommitDone,
                                   consumer_event::RewindDone, consumer_event::EndOffsetReturned,
                                   consumer_event::PartitionsAssigned,
                                   consumer_event::PartitionsRevoked, consumer_event::Closed>;

}  // namespace eos::model
