#pragma once
// The parts of a consumer's state that have no rules of their own: requests on their way, commits,
// the belief about the coordinator, and the call the application waits for.

#include <cstdint>
#include <optional>
#include <tuple>
#include <variant>
#include <vector>

#include "model/classic_member.hpp"
#include "model/consumer_events.hpp"
#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/subscription_state.hpp"
#include "sim/time.hpp"

namespace eos::model::consumer_part {

using sim::Instant;

/// What a request on its way was for.
namespace sent {
struct Fetch {
    BrokerId broker;
    friend bool operator==(const Fetch&, const Fetch&) = default;
};
/// ListOffsets for logs in await_reset.
struct Reset {
    struct Part {
        LogId log;
        OffsetSpec spec = OffsetSpec::earliest;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const Reset&, const Reset&) = default;
};
/// ListOffsets for end_offset().
struct End {
    LogId log;
    std::int32_t call = 0;
    friend bool operator==(const End&, const End&) = default;
};
struct Validate {
    struct Part {
        LogId log;
        FetchPosition asked;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const Validate&, const Validate&) = default;
};
struct Lookup {
    friend bool operator==(const Lookup&, const Lookup&) = default;
};
struct Committed {
    std::vector<LogId> logs;
    std::int32_t rewind = 0;  ///< the number of the seek_to_committed() call, else 0
    friend bool operator==(const Committed&, const Committed&) = default;
};
struct Commit {
    std::int32_t number = 0;
    bool member = false;  ///< spoke for the group (O9)
    Identity identity;
    friend bool operator==(const Commit&, const Commit&) = default;
};
struct Join {
    Identity identity;
    friend bool operator==(const Join&, const Join&) = default;
};
struct Sync {
    Identity identity;
    friend bool operator==(const Sync&, const Sync&) = default;
};
struct Beat {
    Identity identity;
    friend bool operator==(const Beat&, const Beat&) = default;
};
struct ModernBeat {
    std::int32_t serial = 0;
    friend bool operator==(const ModernBeat&, const ModernBeat&) = default;
};
struct Leave {
    friend bool operator==(const Leave&, const Leave&) = default;
};
}  // namespace sent

struct Sent {
    std::int64_t tag = 0;
    std::variant<sent::Fetch, sent::Reset, sent::End, sent::Validate, sent::Lookup, sent::Committed,
                 sent::Commit, sent::Join, sent::Sync, sent::Beat, sent::ModernBeat, sent::Leave>
        what;
    friend bool operator==(const Sent&, const Sent&) = default;
};

/// When something may be tried again, and how often it failed in a row (N7).
struct Attempt {
    bool asking = false;  ///< a request is on its way
    Instant retry_at{};
    std::int32_t failures = 0;
    friend bool operator==(const Attempt&, const Attempt&) = default;
};

/// An OffsetCommit that has not ended.
struct CommitWork {
    enum class Origin : std::uint8_t {
        sync,       ///< commit_sync()
        async,      ///< commit_async()
        automatic,  ///< the timer of enable.auto.commit (O5)
        prepare,    ///< before partitions are given up (O8)
        closing,    ///< in close() (M15)
    };
    std::int32_t number = 0;
    Origin origin = Origin::sync;
    sim::Instant begun{};
    std::vector<CommitOffset> offsets;
    Attempt attempt;
    bool ended = false;  ///< prepare and closing: whoever waits for it removes it
    friend bool operator==(const CommitWork&, const CommitWork&) = default;
};

/// Where the coordinator is believed to be.
struct Coordinator {
    std::optional<BrokerId> node;
    Attempt lookup;
    friend bool operator==(const Coordinator&, const Coordinator&) = default;
};

/// The commit that onJoinPrepare, or a reconciliation (K4), waits for.
struct Prepare {
    std::int32_t commit = 0;
    Instant deadline{};
    friend bool operator==(const Prepare&, const Prepare&) = default;
};

/// An error that the open call throws.
struct Failure {
    CallResult result = CallResult::fatal;
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const Failure&, const Failure&) = default;
};

namespace call {
struct Poll {
    std::int32_t max_records = 0;
    friend bool operator==(const Poll&, const Poll&) = default;
};
struct CommitSync {
    std::int32_t number = 0;
    friend bool operator==(const CommitSync&, const CommitSync&) = default;
};
struct Rewind {
    std::int32_t number = 0;
    friend bool operator==(const Rewind&, const Rewind&) = default;
};
struct EndOffset {
    LogId log;
    std::int32_t number = 0;
    Attempt attempt;
    friend bool operator==(const EndOffset&, const EndOffset&) = default;
};
struct Close {
    enum class Stage : std::uint8_t { start, committing, draining, leaving };
    Stage stage = Stage::start;
    std::int32_t commit = 0;
    friend bool operator==(const Close&, const Close&) = default;
};
}  // namespace call

struct Call {
    Instant since{};
    Instant deadline{};
    std::variant<call::Poll, call::CommitSync, call::Rewind, call::EndOffset, call::Close> what;
    friend bool operator==(const Call&, const Call&) = default;
};

}  // namespace eos::model::consumer_part
