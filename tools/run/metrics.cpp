// Every measure that `expect.metrics` and `sweep.compare` can name (language.md section 6). Their
// names and sentences are rows of the language; what is a row there is a case here.

#include "tools/run/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/render/words.hpp"

namespace eos {
namespace {

using scenarios::Metric;
using Value = std::optional<std::int64_t>;

constexpr std::array time_metrics{
    Metric::latency_p50,   Metric::latency_p95,  Metric::latency_p99,
    Metric::latency_max,   Metric::ack_p50,      Metric::ack_p99,
    Metric::unavailable,   Metric::recovery_max, Metric::commit_latency_p99,
    Metric::lso_stall_max, Metric::coordinator_lag_p99, Metric::coordinator_load_max,
};

Value micros(std::optional<sim::Duration> duration) {
    if (!duration) return std::nullopt;
    return duration->count();  // nanoseconds are thousandths of a microsecond
}
Value ratio(std::int64_t part, std::int64_t whole, std::int64_t scale = 1000) {
    if (whole == 0) return std::nullopt;
    __extension__ using Wide = __int128;
    return static_cast<std::int64_t>(static_cast<Wide>(part) * scale / whole);
}
Value thousandfold(std::int64_t number) { return number * 1000; }

Value metric_milli(Metric metric, const reports::RunReport& report) {
    const auto& m = report.findings.measured;
    const auto& t = m.transactions;
    constexpr std::int64_t second = 1'000'000'000;
    switch (metric) {
        case Metric::throughput:
            // Nobody offers load while the system settles.
            return ratio(m.records_acked, m.running.count(), 1000 * second);
        case Metric::latency_p50: return micros(m.latency_p50);
        case Metric::latency_p95: return micros(m.latency_p95);
        case Metric::latency_p99: return micros(m.latency_p99);
        case Metric::latency_max: return micros(m.latency_max);
        case Metric::ack_p50: return micros(m.ack_p50);
        case Metric::ack_p99: return micros(m.ack_p99);
        case Metric::unavailable: return micros(m.unavailable);
        case Metric::attempts_per_effect: return ratio(m.records_polled, m.effects);
        case Metric::requests_per_record: return ratio(report.counters.requests, m.records_acked);
        case Metric::log_bytes_per_record: return ratio(m.log_bytes, m.records_acked);
        case Metric::detected_duplicates: return thousandfold(m.deduplicated);
        case Metric::rebalances: return thousandfold(m.rebalances);
        case Metric::records_offered: return thousandfold(m.records_offered);
        case Metric::records_acked: return thousandfold(m.records_acked);
        case Metric::commits: return thousandfold(t.committed);
        case Metric::aborts:
            return thousandfold(t.aborted_by_client + t.aborted_by_timeout + t.aborted_by_fence);
        case Metric::aborts_client: return thousandfold(t.aborted_by_client);
        case Metric::txn_timeouts:
        case Metric::aborts_timeout: return thousandfold(t.aborted_by_timeout);
        case Metric::aborts_fence: return thousandfold(t.aborted_by_fence);
        case Metric::fences:
            return thousandfold(t.fences_by_timeout + t.fences_by_init + t.fences_by_group);
        case Metric::fences_timeout: return thousandfold(t.fences_by_timeout);
        case Metric::fences_init: return thousandfold(t.fences_by_init);
        case Metric::fences_group: return thousandfold(t.fences_by_group);
        case Metric::open_txns_max: return thousandfold(t.open_max);
        case Metric::commit_latency_p99: return micros(t.commit_latency_p99);
        case Metric::coordinator_lag_p99: return micros(t.coordinator_lag_p99);
        case Metric::lso_stall_max: return micros(t.stall_max);
        case Metric::lso_lag_max: return thousandfold(t.undecided_max);
        case Metric::lag_max: return thousandfold(m.reader_lag_max);
        case Metric::wasted_bytes: return thousandfold(t.aborted_bytes);
        case Metric::recovery_max: return micros(m.recovery_max);
        case Metric::broker_busy: return ratio(m.broker_busy.count(), m.broker_time.count());
        case Metric::marker_queue_max: return thousandfold(t.marker_queue_max);
        case Metric::coordinator_load_max: return micros(m.coordinator_load_max);
        case Metric::store_calls_per_record: return ratio(m.store_calls, m.store_records);
        case Metric::checkpoint_p99: return micros(m.checkpoint_p99);
        case Metric::checkpoints_failed: return thousandfold(m.checkpoints_failed);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> measure_milli(const scenarios::Measure& measure,
                                          const reports::RunReport& report) {
    if (const auto* count = std::get_if<model::Count>(&measure))
        return thousandfold(report.findings.total(*count));
    return metric_milli(std::get<Metric>(measure), report);
}

std::string milli_text(std::int64_t milli) {
    const auto size = milli < 0 ? -milli : milli;
    auto text = fmt::format("{}{}.{:03}", milli < 0 ? "-" : "", size / 1000, size % 1000);
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string measure_text(const scenarios::Measure& measure, std::int64_t milli) {
    const auto* metric = std::get_if<Metric>(&measure);
    if (!metric || std::find(time_metrics.begin(), time_metrics.end(), *metric) == time_metrics.end())
        return milli_text(milli);
    const sim::Duration nanoseconds{milli < 0 ? -milli : milli};  // thousandths of a microsecond
    return (milli < 0 ? "-" : "") + reports::short_text(nanoseconds);
}

}  // namespace eos
