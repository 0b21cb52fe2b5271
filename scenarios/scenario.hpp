#pragma once
// A scenario as the program sees it: every value read, checked and resolved, every default filled
// in, every name an index. Made by scenarios/load.hpp and by nothing else; immutable afterwards.
// The words and their meaning are those of the scenario language, version 1 (language.md).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "faults/plan.hpp"
#include "model/config.hpp"
#include "model/counts.hpp"
#include "model/topology.hpp"
#include "sim/ordinal.hpp"
#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::scenarios {

/// Safety belts; hitting one makes the run inconclusive (exit 4).
struct Limits {
    std::uint64_t events = 5'000'000;
    std::uint64_t records = 1'000'000;
    std::optional<sim::Duration> wall;  ///< real time, the only place where it exists
    friend bool operator==(const Limits&, const Limits&) = default;
};

/// A link, or a set of links, that differs from the rest of the network. Ends are sorted node ids.
struct LinkRule {
    std::vector<sim::NodeId> from;
    std::vector<sim::NodeId> to;
    std::optional<sim::Spread> latency;
    std::optional<std::int64_t> bandwidth;  ///< bytes per second
    bool oneway = false;                    ///< only from -> to
    friend bool operator==(const LinkRule&, const LinkRule&) = default;
};

struct Network {
    sim::Spread latency;                    ///< one way
    std::optional<std::int64_t> bandwidth;  ///< bytes per second and link; empty = unlimited
    sim::Chance spike_chance = sim::Chance::never();
    sim::Spread spike_latency;
    sim::Chance disconnect = sim::Chance::never();  ///< per request, after sending
    sim::Chance ghosts = sim::Chance::always();     ///< sent requests executed after a close
    std::vector<LinkRule> links;                    ///< the last one that names a link wins
    friend bool operator==(const Network&, const Network&) = default;
};

struct Disk {
    enum class Flush : std::uint8_t { never, every_write, interval };
    sim::Spread write;
    sim::Spread fsync;
    Flush flush = Flush::never;
    sim::Duration flush_interval{};  ///< only with Flush::interval
    friend bool operator==(const Disk&, const Disk&) = default;
};

struct Costs {
    sim::Duration request{};        ///< broker time per request
    sim::Duration append{};         ///< broker time per append
    std::int64_t byte_rate = 0;     ///< bytes per second of a handler thread
    std::int32_t threads = 0;       ///< handler threads of a broker
    sim::Duration client_record{};  ///< client time per record
    sim::Spread checkpoint;         ///< a Flink subtask's snapshot and upload
    friend bool operator==(const Costs&, const Costs&) = default;
};

/// Bounds of a count, from the words none, some, any, N or { min, max }.
struct Bounds {
    std::optional<std::int64_t> min;
    std::optional<std::int64_t> max;
    std::string text = "any";  ///< as written, for reports
    [[nodiscard]] bool any() const { return !min && !max; }
    [[nodiscard]] bool holds(std::int64_t n) const {
        return (!min || n >= *min) && (!max || n <= *max);
    }
    friend bool operator==(const Bounds&, const Bounds&) = default;
};

using model::Count;
using Counts = std::map<Count, Bounds>;

/// What is measured beside the counts: the rows of `metrics` in words.cpp that are modelled, in
/// their order. The composition root measures every one of them.
enum class Metric : std::uint8_t {
    throughput,
    latency_p50,
    latency_p95,
    latency_p99,
    latency_max,
    ack_p50,
    ack_p99,
    unavailable,
    attempts_per_effect,
    requests_per_record,
    log_bytes_per_record,
    detected_duplicates,
    rebalances,
    records_offered,
    records_acked,
    commits,
    aborts,
    aborts_client,
    aborts_timeout,
    aborts_fence,
    txn_timeouts,
    fences,
    fences_timeout,
    fences_init,
    fences_group,
    open_txns_max,
    commit_latency_p99,
    coordinator_lag_p99,
    lso_stall_max,
    lso_lag_max,
    lag_max,
    wasted_bytes,
    recovery_max,
    broker_busy,
    marker_queue_max,
    coordinator_load_max,
    store_calls_per_record,
    checkpoint_p99,
    checkpoints_failed,
};
/// What `expect.metrics` and `sweep.compare` may name.
using Measure = std::variant<Count, Metric>;
[[nodiscard]] std::optional<Measure> measure_named(std::string_view name);
[[nodiscard]] std::string_view name_of(Measure measure);

/// A bound on a metric; times are in microseconds, the rest in the metric's own unit, times 1000
/// (so that 0.9 is 900): judges compare integers.
struct MetricBound {
    Measure metric;
    std::optional<std::int64_t> min_milli;
    std::optional<std::int64_t> max_milli;
    std::string text;
    friend bool operator==(const MetricBound&, const MetricBound&) = default;
};

/// One side of an invariant: a fold over what is visible at the end in some topics.
struct Fold {
    enum class Kind : std::uint8_t { count, set, sum, min };
    enum class Field : std::uint8_t { id, key, value, amount };
    Kind kind = Kind::count;
    Field field = Field::id;
    std::vector<model::TopicId> over;
    std::vector<model::StoreId> stores;
    std::optional<Field> by;  ///< the fold is done for each value of this field
    friend bool operator==(const Fold&, const Fold&) = default;
};
struct Invariant {
    std::string name;
    Fold fold;
    std::optional<std::int64_t> equals_number;
    std::optional<Fold> equals_fold;
    friend bool operator==(const Invariant&, const Invariant&) = default;
};

/// A name that must have happened, and how often.
struct Reached {
    std::string name;  ///< a fault's name, or a milestone's full name
    std::optional<faults::FaultIndex> fault;
    std::optional<sim::MilestoneKind> milestone;  ///< of a milestone, also fault.NAME.ended
    Bounds bounds;
    friend bool operator==(const Reached&, const Reached&) = default;
};

struct Expect {
    Counts total;                 ///< written at the top level: the sum over all apps
    std::vector<Counts> per_app;  ///< by AppId: written under `apps`, else the promise of
                                  ///< the mode for counts the top level does not name
    std::vector<Reached> reached;
    std::vector<Invariant> invariants;
    std::vector<MetricBound> metrics;
    std::optional<sim::Duration> unavailable;  ///< longest gap allowed
    std::optional<sim::Duration> latency_p99;
    std::map<std::string, Bounds> errors;  ///< Kafka's error names the apps saw
    std::map<std::string, Bounds> jepsen;  ///< the black-box judge's names
    std::vector<std::string> lints;        ///< warnings `check` must give
    friend bool operator==(const Expect&, const Expect&) = default;
};

/// One application: what the model needs, and what reports say about it.
struct App {
    model::AppConfig config;  ///< `config.consumer.instance` is set per instance by the root
    std::string client = "java";
    std::vector<std::string> mistakes;
    std::vector<std::string> bugs;
    std::vector<std::string> without;
    bool static_members = false;  ///< group.instance.id: per-instance
    friend bool operator==(const App&, const App&) = default;
};

/// A value drawn from the seed by sweep.draw, as it would be written.
struct DrawnValue {
    std::string path;
    std::string value;
    friend bool operator==(const DrawnValue&, const DrawnValue&) = default;
};

struct Scenario {
    std::string name;
    std::string about;
    std::vector<std::string> tags;
    std::vector<std::string> refs;
    std::uint64_t seed = 1;  ///< of the run: the file's, or the one asked for
    sim::Duration duration{};
    sim::Duration settle{};
    Limits limits;

    std::string protocol;           ///< name of the version dial
    std::vector<std::string> bugs;  ///< of the cluster, as written
    model::ClusterConfig cluster;
    /// Nodes, topics, logs, groups: node 0 is the controller, brokers and app instances follow.
    /// User topics come first in the order of the file, then __consumer_offsets if there is a
    /// group.
    std::shared_ptr<const model::Topology> topology;
    Network network;
    Disk disk;
    Costs costs;
    std::vector<App> apps;  ///< by AppId
    std::vector<model::StoreConfig> stores;  ///< by StoreId
    faults::Plan faults;    ///< complete, words and seed included
    Expect expect;

    std::vector<std::string> warnings;  ///< names of what `check` warns of; see expect.lints

    std::string variant;  ///< empty: the file as it is
    std::string cell;     ///< matrix assignment, "path=value path=value"; may be empty
    std::vector<DrawnValue> drawn;

    [[nodiscard]] std::string_view app_name(model::AppId app) const {
        return apps[static_cast<std::size_t>(app.value)].config.name;
    }
};

}  // namespace eos::scenarios
