#pragma once
// What a run, a sweep and a comparison end with, as plain data: the composition root fills it, the
// renderers turn it into text, JSON, CSV, JUnit and Markdown. Integers only; absent = not measured.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/judges/finding.hpp"
#include "sim/time.hpp"

namespace eos::reports {

enum class Verdict : std::uint8_t { pass, fail, inconclusive };
[[nodiscard]] std::string_view name(Verdict verdict);

/// One expectation and what became of it.
struct ExpectRow {
    std::string name;      ///< "lost", "counter: duplicates", "reached ack-lost", "unavailable"
    std::string want;      ///< as written: "none", "some", "<= 20s"
    std::string got;       ///< "0", "1x", "12.4 s"
    enum class State : std::uint8_t { ok, failed, undecided } state = State::ok;
    bool implied = false;  ///< from the promise of a mode, not written in the file
    std::vector<std::string> anomalies{};  ///< "A1", ...
};

/// A line of the printed story: a fault or a turning point, in words.
struct StoryLine {
    sim::Instant at{};
    std::uint64_t event = 0;
    std::string label;     ///< the fault's name; empty for what followed from it
    std::string text;
};

/// What one fault did (rule 5: configured and never fired, or fired and changed nothing, is said).
struct FaultRow {
    std::string name;
    std::int64_t fired = 0;
    std::int64_t touched = 0;  ///< messages, links, nodes it hit
    std::vector<std::pair<sim::Instant, std::uint64_t>> firings;  ///< time and event, the first few
    std::string did;       ///< one sentence
};

/// A message, a crash or a milestone for the sequence diagram and the event list.
struct EventRow {
    sim::Instant at{};
    sim::Instant arrives{};      ///< messages: when; equal to `at` for what has no flight
    std::uint64_t event = 0;
    std::string from;            ///< node name
    std::string to;              ///< empty: not a message
    std::string what;            ///< "Produce #5 to orders/0", "crashes"
    bool response = false;
    bool lost = false;
    bool ghost = false;
    bool key = false;            ///< belongs on the short list
};

struct Counters {
    std::int64_t requests = 0;       ///< client to broker
    std::int64_t log_bytes = 0;      ///< appended by leaders
    std::vector<std::pair<std::string, std::int64_t>> apis;        ///< by API name, in API order
    std::vector<std::pair<std::string, std::int64_t>> milestones;  ///< reached, in catalogue order
};

struct RunReport {
    std::string engine;                      ///< version
    std::string scenario;
    std::string file;
    std::string file_digest;
    std::string variant;                     ///< empty: none
    std::uint64_t seed = 1;
    std::vector<std::pair<std::string, std::string>> overrides;  ///< --set
    std::vector<std::pair<std::string, std::string>> draws;      ///< sweep.draw
    std::int32_t brokers = 0;
    std::int32_t apps = 0;
    std::int32_t faults = 0;

    Verdict verdict = Verdict::pass;
    std::string undecided_because;           ///< inconclusive: why
    std::vector<ExpectRow> expect;
    Findings findings;
    std::vector<std::string> anomaly_apps;   ///< parallel to findings.anomalies: app or ""
    std::vector<std::string> app_names;      ///< by AppId
    std::vector<std::string> log_names;      ///< by LogId
    std::vector<StoryLine> story;
    std::vector<FaultRow> fault_rows;
    std::vector<EventRow> events_listed;     ///< by --events
    Counters counters;
    sim::Duration simulated{};
    std::uint64_t events = 0;
    std::uint64_t digest = 0;
    std::vector<std::string> reproduce;      ///< the command, word by word
    std::string saved;                       ///< repro file, if one was written
};

/// How often a sweep met one kind of anomaly, and how soon whoever looks for it would.
struct Found {
    Count count = Count::lost;
    std::int64_t runs = 0;         ///< in which there was at least one
    std::int64_t median_wait = 0;  ///< runs from one to the next, that one included
};

/// One row of a sweep: a variant and its sums over the seeds.
struct SweepRow {
    std::string variant;
    std::int64_t runs = 0;
    std::int64_t pass = 0;
    std::int64_t fail = 0;
    std::int64_t undecided = 0;
    std::array<std::int64_t, count_kinds> counts{};
    std::vector<Found> found;                 ///< by count, of those that were met
    sim::Duration gap_max{};
    std::optional<sim::Duration> latency_p50;
    std::optional<sim::Duration> latency_p99;
    std::int64_t acked = 0;
    std::int64_t offered = 0;
    std::int64_t visible = 0;
    std::int64_t requests = 0;
    std::int64_t log_bytes = 0;
    std::optional<std::uint64_t> first_failing_seed;
    std::optional<std::uint64_t> worst_seed;  ///< most anomalies
    std::int64_t worst = 0;
};

/// One run of a sweep as it is stored (JSONL, CSV): enough to find it again.
struct RunRow {
    std::string variant;
    std::uint64_t seed = 0;
    Verdict verdict = Verdict::pass;
    std::array<std::int64_t, count_kinds> counts{};
    Measurements measured;
    std::int64_t requests = 0;
    std::uint64_t events = 0;
    std::uint64_t digest = 0;
    std::string because;                      ///< first failed or undecided expectation
};

}  // namespace eos::reports
