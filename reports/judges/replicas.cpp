#include "reports/judges/replicas.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace eos::reports {

ReplicaJudge::ReplicaJudge(const JudgeConfig& config)
    : config_(config), seen_(config.topology->logs.size()) {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        const auto& topic = config.topology->topic_of({static_cast<std::int32_t>(i)});
        seen_[i].watermark = {topic.preload};
        seen_[i].watermark_of_leader = {0};
    }
}

void ReplicaJudge::on(sim::Instant, const model::WatermarkMoved& o) {
    if (!o.leader) return;
    auto& s = seen(o.log);
    // A deposed leader that has not heard of it may still move its own.
    if (!s.leader || s.leader == o.broker) {
        if (o.high_watermark < s.watermark_of_leader) ++s.watermark_back;
        s.watermark_of_leader = o.high_watermark;
    }
    s.watermark = std::max(s.watermark, o.high_watermark);
}

void ReplicaJudge::on(sim::Instant, const model::LeadershipTaken& o) {
    // A new leader may start behind (LSO-10); from here on its watermark only rises.
    seen(o.log).leader = o.broker;
    seen(o.log).watermark_of_leader = o.high_watermark;
    seen(o.log).watermark = std::max(seen(o.log).watermark, o.high_watermark);
}

void ReplicaJudge::on(sim::Instant, const model::Polled& o) {
    auto& s = seen(o.log);
    const auto& records = o.payload.records();
    for (std::int32_t i = o.first; i < o.first + o.count; ++i) {
        const auto offset = o.base + i;
        const auto& record = records[static_cast<std::size_t>(i)];
        if (offset >= s.watermark) {
            ++s.dirty;
            s.dirty_evidence.push_back({o.log, offset, record.id});
        }
        const auto index = static_cast<std::size_t>(offset.value);
        if (s.ids.size() <= index) s.ids.resize(index + 1);
        if (s.ids[index] == 0) {
            s.ids[index] = record.id.value + 1;
        } else if (s.ids[index] != record.id.value + 1) {
            ++s.two_values;
            s.value_evidence.push_back({o.log, offset, record.id});
        }
    }
}

void ReplicaJudge::on(sim::Instant now, const model::EndOffsetTold& o) {
    auto& s = seen(o.log);
    if (o.offset < s.told) {
        ++s.told_back;
        s.told_evidence.push_back({o.log, o.offset, {}});
        if (!s.told_at) s.told_at = now;
    }
    s.told = std::max(s.told, o.offset);
}

void ReplicaJudge::on(sim::Instant, const model::ReplicaAudit& o) { audits_.push_back(o); }

void ReplicaJudge::conclude(const Ledger& ledger, Findings& findings) const {
    conclude_readers(ledger, findings);
    conclude_replicas(ledger, findings);
}

void ReplicaJudge::conclude_readers(const Ledger& ledger, Findings& findings) const {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        const auto& s = seen_[i];
        const auto& final_log = ledger.final_log(log);
        const auto log_name = config_.topology->log_name(log);

        // What was read and is not there any more at that offset was read too early.
        std::int64_t gone = 0;
        std::vector<Evidence> evidence = s.dirty_evidence;
        if (final_log.led) {
            std::vector<std::uint64_t> held(s.ids.size());
            for (const auto& batch : final_log.batches) {
                const auto& records = batch.payload.records();
                for (std::size_t r = 0; r < records.size(); ++r) {
                    const auto index = static_cast<std::size_t>(batch.base.value) + r;
                    if (index < held.size()) held[index] = records[r].id.value + 1;
                }
            }
            for (std::size_t o = static_cast<std::size_t>(final_log.start.value); o < held.size();
                 ++o) {
                if (s.ids[o] == 0 || s.ids[o] == held[o]) continue;
                ++gone;
                evidence.push_back({log, model::Offset{static_cast<std::int64_t>(o)},
                                    model::RecordId{s.ids[o] - 1}});
            }
        }
        if (s.dirty + gone > 0) {
            findings.add({Count::dirty_reads,
                          {},
                          s.dirty + gone,
                          fmt::format("{}: {} read above the high watermark, {} read and later "
                                      "cut off",
                                      log_name, s.dirty, gone),
                          evidence,
                          {}});
        }
        findings.add({Count::diverged,
                      {},
                      s.two_values,
                      fmt::format("{}: {} offsets gave two readers different records", log_name,
                                  s.two_values),
                      s.value_evidence,
                      {}});
        findings.add({Count::offset_regressions,
                      {},
                      s.told_back,
                      fmt::format("{}: the end offset told to clients went back {} times",
                                  log_name, s.told_back),
                      s.told_evidence,
                      s.told_at});
        findings.add({Count::offset_regressions,
                      {},
                      s.watermark_back,
                      fmt::format("{}: a leader's high watermark went back {} times", log_name,
                                  s.watermark_back),
                      {},
                      {}});
    }
}

void ReplicaJudge::conclude_replicas(const Ledger& ledger, Findings& findings) const {
    for (const auto& audit : audits_) {
        if (audit.leader) continue;
        const auto& leader = ledger.final_log(audit.log);
        if (!leader.led) continue;
        const auto bound = std::min(audit.high_watermark, leader.high_watermark);
        const auto start = std::max(audit.log_start, leader.start);
        std::int64_t differing = 0;
        std::vector<Evidence> evidence;
        auto theirs = audit.batches.begin();
        for (const auto& ours : leader.batches) {
            if (ours.base < start) continue;
            if (ours.next_offset() > bound) break;
            while (theirs != audit.batches.end() && theirs->base < ours.base) ++theirs;
            const bool same = theirs != audit.batches.end() && theirs->base == ours.base &&
                              theirs->count == ours.count && theirs->payload == ours.payload &&
                              theirs->leader_epoch == ours.leader_epoch;
            if (same) continue;
            differing += ours.count;
            const auto& records = ours.payload.records();
            evidence.push_back({audit.log, ours.base,
                                records.empty() ? model::RecordId{} : records.front().id});
        }
        findings.add({Count::diverged,
                      {},
                      differing,
                      fmt::format("{}: broker {} and the leader differ at {} offsets below both "
                                  "high watermarks",
                                  config_.topology->log_name(audit.log), audit.broker.value,
                                  differing),
                      evidence,
                      {}});
    }
}

}  // namespace eos::reports
