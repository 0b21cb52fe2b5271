#include "reports/judges/lag.hpp"

#include <algorithm>

namespace eos::reports {

LagMeter::LagMeter(const JudgeConfig& config)
    : config_(config), logs_(config.topology->logs.size()) {}

void LagMeter::on(sim::Instant, const model::WatermarkMoved& o) {
    if (!o.leader) return;
    auto& log = logs_[static_cast<std::size_t>(o.log.value)];
    log.high_watermark = o.high_watermark;
    measure(log);
}

void LagMeter::on(sim::Instant, const model::StableOffsetMoved& o) {
    auto& log = logs_[static_cast<std::size_t>(o.log.value)];
    log.last_stable = o.last_stable;
    measure(log);
}

void LagMeter::on(sim::Instant, const model::Polled& o) {
    placed(o.process, o.log, o.base + o.first + o.count);
}

void LagMeter::on(sim::Instant, const model::PositionSet& o) { placed(o.process, o.log, o.offset); }

void LagMeter::placed(model::ProcessId process, model::LogId id, model::Offset position) {
    auto& log = logs_[static_cast<std::size_t>(id.value)];
    const auto known = std::find_if(log.readers.begin(), log.readers.end(),
                                    [&](const Reader& r) { return r.app == process.app; });
    if (known != log.readers.end()) {
        known->position = position;
    } else {
        const auto& app = config_.apps[static_cast<std::size_t>(process.app.value)];
        log.readers.push_back({process.app, position, app.wants_committed});
    }
    measure(log);
}

void LagMeter::measure(const Log& log) {
    behind_stable_ = std::max(behind_stable_, log.high_watermark - log.stable());
    for (const auto& reader : log.readers) {
        const auto end = reader.committed ? log.stable() : log.high_watermark;
        behind_end_ = std::max(behind_end_, end - reader.position);
    }
}

void LagMeter::conclude(Findings& findings) const {
    findings.measured.reader_lag_max = behind_end_;
    findings.measured.transactions.undecided_max = behind_stable_;
}

}  // namespace eos::reports
