#pragma once
// What the judges say: anomalies (each with a class, where, and which records), per-application
// counts, and the measurements a run ends with. Plain data; renderers and expectations read it.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/counts.hpp"
#include "model/ids.hpp"
#include "reports/judges/invariants.hpp"
#include "sim/time.hpp"

namespace eos::reports {

using model::Count;
using model::Jepsen;
using model::count_kinds;
using model::count_named;
using model::name;

/// A record at a place, as evidence.
struct Evidence {
    model::LogId log{-1};
    std::optional<model::Offset> offset;
    model::RecordId record;
    friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// One anomaly: everything of one class in one place, with what shows it.
struct Anomaly {
    Count count = Count::lost;
    std::optional<model::AppId> app;       ///< whose promise it touches; none: the cluster's
    std::int64_t amount = 0;               ///< how many units (records, events, things)
    std::string summary;                   ///< one sentence
    std::vector<Evidence> evidence;        ///< at most `evidence_kept`
    std::optional<sim::Instant> at;        ///< when it became certain, if one moment did
    static constexpr std::size_t evidence_kept = 8;
};

/// What the judge that sees only clients counts.
struct BlackBoxCounts {
    std::array<std::int64_t, model::jepsen_kinds> of{};
    [[nodiscard]] std::int64_t& operator[](Jepsen kind) {
        return of[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] std::int64_t operator[](Jepsen kind) const {
        return of[static_cast<std::size_t>(kind)];
    }
};

/// Why one operation comes before another.
enum class Dependency : std::uint8_t {
    ww,        ///< overwrote its value
    wr,        ///< read its value
    rw,        ///< wrote the value behind the one it had read up to
    process,   ///< the same process, later
    realtime,  ///< began when it had ended
};
[[nodiscard]] std::string_view name(Dependency dependency);

/// A circle of operations, the shortest found of its kind.
struct Cycle {
    struct Step {
        model::ProcessId process;
        std::int32_t operation = 0;        ///< the n-th of the process, from 1
        Dependency next = Dependency::ww;  ///< how the following one depends on it
        model::LogId log{-1};              ///< ww, wr, rw: over which value
        model::Offset offset;
    };
    Jepsen kind = Jepsen::g0;
    std::vector<Step> steps;
};

/// Of all transactional ids together.
struct TxnMeasurements {
    std::int64_t committed = 0;            ///< decided so
    std::int64_t aborted_by_client = 0;
    std::int64_t aborted_by_timeout = 0;
    std::int64_t aborted_by_fence = 0;     ///< a newer holder took the id over
    std::int64_t fences_by_timeout = 0;    ///< clients told to be superseded: out of time
    std::int64_t fences_by_init = 0;       ///< by InitProducerId, a newer holder's or an operator's
    std::int64_t fences_by_group = 0;      ///< as members: the group went on without them
    std::int64_t open_max = 0;             ///< transactional ids with a transaction under way at once
    std::optional<sim::Duration> commit_latency_p99;   ///< the application's call
    std::optional<sim::Duration> coordinator_lag_p99;  ///< EndTxn received to completed
    std::int64_t undecided_max = 0;        ///< most records at once replicated and not decided
    std::int64_t aborted_bytes = 0;        ///< of data in the logs, for nothing
    sim::Duration stall_max{};             ///< longest time a last stable offset stood still
    std::int64_t marker_queue_max = 0;     ///< most markers one coordinator owed at once
};

/// Durations in integer nanoseconds; absent = not measured.
struct Measurements {
    sim::Duration running{};               ///< in which load was offered; set by the composition root
    std::int64_t records_offered = 0;
    std::int64_t records_acked = 0;
    std::int64_t records_visible = 0;      ///< in the topics applications write, each copy once
    std::int64_t records_polled = 0;
    std::int64_t reader_lag_max = 0;       ///< most records a reader was behind what it may be given
    std::int64_t effects = 0;
    std::int64_t sends_failed = 0;
    std::optional<sim::Duration> latency_p50;   ///< produce to visible
    std::optional<sim::Duration> latency_p95;
    std::optional<sim::Duration> latency_p99;
    std::optional<sim::Duration> latency_max;
    std::optional<sim::Duration> ack_p50;       ///< produce to acknowledged
    std::optional<sim::Duration> ack_p99;
    sim::Duration unavailable{};           ///< longest gap without a success under load
    std::optional<sim::Duration> recovery_max;  ///< from a loss to the first success after it
    sim::Duration coordinator_load_max{};  ///< longest load of a coordinator's log
    /// Of the busiest broker while load was offered: time its handler threads spent, and had; set
    /// by the composition root.
    sim::Duration broker_busy{};
    sim::Duration broker_time{};
    std::int64_t rebalances = 0;
    std::int64_t deduplicated = 0;         ///< retries recognised by brokers
    std::int64_t log_bytes = 0;            ///< appended by leaders
    std::int64_t store_calls = 0;          ///< of applications, whatever became of them
    std::int64_t store_records = 0;        ///< records that had an effect at a store
    TxnMeasurements transactions;
    std::optional<sim::Duration> checkpoint_p99;  ///< triggered to completed; none: no checkpoint
    std::int64_t checkpoints_completed = 0;
    std::int64_t checkpoints_failed = 0;
};

using AppCounts = std::map<model::AppId, std::array<std::int64_t, count_kinds>>;

struct Findings {
    std::vector<Anomaly> anomalies;
    AppCounts per_app;
    std::array<std::int64_t, count_kinds> cluster{};  ///< what belongs to no application
    BlackBoxCounts black_box;
    std::vector<Cycle> cycles;             ///< one per kind found
    std::vector<std::string> disagreements;  ///< where the client-only judge and the truth differ
    std::vector<InvariantOutcome> invariants;
    std::map<std::string, std::int64_t> errors;  ///< errors applications saw, by Kafka name
    Measurements measured;

    [[nodiscard]] std::int64_t total(Count count) const;
    void add(Anomaly anomaly);
};

}  // namespace eos::reports
