#include "reports/judges/finding.hpp"

#include <algorithm>
#include <array>

namespace eos::reports {
namespace {

constexpr std::array<std::string_view, count_kinds> names{
    "lost",     "duplicates", "dirty_reads",        "zombie_writes", "double_owners", "reordered",
    "diverged", "offset_regressions", "illegal", "stuck",         "fenced"};

}  // namespace

std::string_view name(Count count) { return names[static_cast<std::size_t>(count)]; }

std::optional<Count> count_named(std::string_view name) {
    const auto* found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Count>(found - names.begin());
}

std::int64_t Findings::total(Count count) const {
    const auto index = static_cast<std::size_t>(count);
    std::int64_t sum = cluster[index];
    for (const auto& [app, counts] : per_app) sum += counts[index];
    return sum;
}

void Findings::add(Anomaly anomaly) {
    if (anomaly.amount == 0) return;
    const auto index = static_cast<std::size_t>(anomaly.count);
    if (anomaly.app) {
        per_app[*anomaly.app][index] += anomaly.amount;
    } else {
        cluster[index] += anomaly.amount;
    }
    if (anomaly.evidence.size() > Anomaly::evidence_kept)
        anomaly.evidence.resize(Anomaly::evidence_kept);
    anomalies.push_back(std::move(anomaly));
}

}  // namespace eos::reports
