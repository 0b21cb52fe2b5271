#include "reports/judges/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace eos::reports {

ProgressJudge::ProgressJudge(const JudgeConfig& config) : config_(config) {}

void ProgressJudge::on(sim::Instant, const model::InputOffered& o) {
    if (!o.again) ++offered_;
}

void ProgressJudge::on(sim::Instant now, const model::SendInvoked&) {
    if (open_++ == 0) waiting_since_ = now;
}

void ProgressJudge::on(sim::Instant now, const model::SendDone& o) {
    if (open_ > 0) --open_;
    if (o.error == model::ErrorCode::none) {
        acked_.add(now - o.invoked_at);
        gap_ = std::max(gap_, now - waiting_since_);
        waiting_since_ = now;
    } else {
        ++failed_;
        ++errors_[std::string(model::name(o.error))];
    }
}

void ProgressJudge::on(sim::Instant, const model::Appended& o) {
    if (o.leader) log_bytes_ += o.batch.bytes;
}

void ProgressJudge::on(sim::Instant, const model::Deduplicated&) { ++deduplicated_; }

void ProgressJudge::on(sim::Instant, const model::GroupChanged& o) {
    if (o.stable) ++rebalances_;
}

void ProgressJudge::on(sim::Instant, const model::AppError& o) {
    // A failed send was counted when it ended.
    if (o.error_class != model::ErrorClass::failed_send) ++errors_[std::string(model::name(o.error))];
    if (o.error == model::ErrorCode::producer_fenced ||
        o.error == model::ErrorCode::fenced_instance_id)
        fenced_.insert(o.process);
}

void ProgressJudge::on(sim::Instant, const model::ClientAudit& o) { clients_.push_back(o); }
void ProgressJudge::on(sim::Instant, const model::GroupAudit& o) { groups_.push_back(o); }

void ProgressJudge::conclude(const Ledger& ledger, Findings& findings) const {
    conclude_stuck(ledger, findings);
    std::map<model::AppId, std::int64_t> fenced;
    for (const auto& process : fenced_) ++fenced[process.app];
    for (const auto& [app, clients] : fenced)
        findings.add({Count::fenced, app, clients,
                      fmt::format("{} client{} told to be fenced", clients,
                                  clients == 1 ? " was" : "s were"),
                      {}, {}});
    auto& m = findings.measured;
    m.records_offered = offered_;
    m.sends_failed = failed_;
    m.deduplicated = deduplicated_;
    m.log_bytes = log_bytes_;
    m.rebalances = rebalances_;
    m.unavailable = gap_;
    const auto& latency = visible_.count() > 0 ? visible_ : acked_;
    m.latency_p50 = latency.quantile(500);
    m.latency_p95 = latency.quantile(950);
    m.latency_p99 = latency.quantile(990);
    m.latency_max = latency.greatest();
    m.ack_p50 = acked_.quantile(500);
    m.ack_p99 = acked_.quantile(990);
    findings.errors = errors_;
}

void ProgressJudge::conclude_stuck(const Ledger& ledger, Findings& findings) const {
    const auto& topology = *config_.topology;
    const auto report = [&](model::AppId app, std::string summary) {
        findings.add({Count::stuck, app, 1, std::move(summary), {}, {}});
    };
    std::map<model::AppId, std::set<model::LogId>> owned;
    std::set<model::AppId> alive;
    for (const auto& client : clients_) {
        const auto name = topology.node_name(topology.node_of(client.process));
        // A program that has ended owns nothing and misses nothing.
        if (!client.finished) alive.insert(client.process.app);
        if (client.sends_open > 0)
            report(client.process.app, fmt::format("{}: {} sends have no answer", name,
                                                   client.sends_open));
        if (client.call_open)
            report(client.process.app,
                   fmt::format("{}: a call has not returned since {}.{:03} s", name,
                               client.call_since.time_since_epoch().count() / 1'000'000'000,
                               client.call_since.time_since_epoch().count() / 1'000'000 % 1000));
        if (client.inputs_unsent > 0)
            report(client.process.app,
                   fmt::format("{}: {} inputs were never sent", name, client.inputs_unsent));
        for (const auto& part : client.positions) {
            owned[client.process.app].insert(part.log);
            const auto& log = ledger.final_log(part.log);
            if (!log.led) continue;
            if (!part.position || *part.position < log.high_watermark)
                report(client.process.app,
                       fmt::format("{}: {} is read up to {} of {}", name,
                                   topology.log_name(part.log),
                                   part.position ? part.position->value : 0,
                                   log.high_watermark.value));
        }
    }
    // Partitions nobody owns although the application lives.
    for (const auto& app : config_.apps) {
        if (!app.reads || !app.group || !alive.contains(app.id)) continue;
        for (const auto topic : app.from) {
            const auto& entry = topology.topics[static_cast<std::size_t>(topic.value)];
            for (std::int32_t p = 0; p < entry.partitions; ++p) {
                const auto log = entry.first + p;
                const auto& final_log = ledger.final_log(log);
                const bool any = final_log.led && final_log.high_watermark > final_log.start;
                if (any && !owned[app.id].contains(log) && app.instances > 0 &&
                    std::none_of(config_.apps.begin(), config_.apps.end(), [&](const auto& other) {
                        return other.id != app.id && other.group == app.group &&
                               owned.contains(other.id) && owned.at(other.id).contains(log);
                    }))
                    report(app.id, fmt::format("{} is owned by no member", topology.log_name(log)));
            }
        }
    }
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        if (!ledger.final_log(log).led)
            findings.add({Count::stuck, {}, 1,
                          fmt::format("{} has no leader at the end", topology.log_name(log)), {}, {}});
    }
    for (const auto& group : groups_) {
        if (group.stable || group.members == 0) continue;
        findings.add({Count::stuck, {}, 1,
                      fmt::format("group {} is not stable at the end",
                                  topology.groups[static_cast<std::size_t>(group.group.value)]),
                      {}, {}});
    }
}

}  // namespace eos::reports
