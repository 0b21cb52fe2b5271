// Metrics by name, as `expect.metrics` and `sweep.compare` ask for them (language.md section 6).

#include <algorithm>
#include <array>

#include "tools/run/run.hpp"

namespace eos {
namespace {

using Value = std::optional<std::int64_t>;
using Reader = Value (*)(const reports::RunReport&);

Value micros(std::optional<sim::Duration> duration) {
    if (!duration) return std::nullopt;
    return duration->count();  // nanoseconds are thousandths of a microsecond
}
Value ratio(std::int64_t part, std::int64_t whole) {
    if (whole == 0) return std::nullopt;
    return static_cast<std::int64_t>(static_cast<__int128>(part) * 1000 / whole);
}

struct Metric {
    std::string_view name;
    Reader read;
};

constexpr std::array metrics{
    Metric{"latency_p50", [](const auto& r) { return micros(r.findings.measured.latency_p50); }},
    Metric{"latency_p95", [](const auto& r) { return micros(r.findings.measured.latency_p95); }},
    Metric{"latency_p99", [](const auto& r) { return micros(r.findings.measured.latency_p99); }},
    Metric{"latency_max", [](const auto& r) { return micros(r.findings.measured.latency_max); }},
    Metric{"ack_p50", [](const auto& r) { return micros(r.findings.measured.ack_p50); }},
    Metric{"ack_p99", [](const auto& r) { return micros(r.findings.measured.ack_p99); }},
    Metric{"unavailable",
           [](const auto& r) { return micros(r.findings.measured.unavailable); }},
    Metric{"throughput",
           [](const auto& r) -> Value {
               // Acknowledged records per second of simulated time.
               return ratio(r.findings.measured.records_acked * 1'000'000'000,
                            r.simulated.count());
           }},
    Metric{"requests_per_record",
           [](const auto& r) { return ratio(r.counters.requests, r.findings.measured.records_acked); }},
    Metric{"log_bytes_per_record",
           [](const auto& r) { return ratio(r.counters.log_bytes, r.findings.measured.records_acked); }},
    Metric{"attempts_per_effect",
           [](const auto& r) {
               return ratio(r.findings.measured.records_polled, r.findings.measured.effects);
           }},
    Metric{"detected_duplicates",
           [](const auto& r) -> Value { return r.findings.measured.deduplicated * 1000; }},
    Metric{"rebalances",
           [](const auto& r) -> Value { return r.findings.measured.rebalances * 1000; }},
    Metric{"records_acked",
           [](const auto& r) -> Value { return r.findings.measured.records_acked * 1000; }},
    Metric{"records_offered",
           [](const auto& r) -> Value { return r.findings.measured.records_offered * 1000; }},
};

}  // namespace

std::optional<std::int64_t> metric_milli(std::string_view name, const reports::RunReport& report) {
    if (const auto count = reports::count_named(name))
        return report.findings.total(*count) * 1000;
    const auto* found = std::find_if(metrics.begin(), metrics.end(),
                                     [&](const Metric& m) { return m.name == name; });
    if (found == metrics.end()) return std::nullopt;
    return found->read(report);
}

std::vector<std::string_view> metric_names() {
    std::vector<std::string_view> names;
    for (const auto& metric : metrics) names.push_back(metric.name);
    return names;
}

}  // namespace eos
