#include "reports/judges/finding.hpp"

namespace eos::reports {

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
