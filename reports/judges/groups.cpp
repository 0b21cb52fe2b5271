#include "reports/judges/groups.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace eos::reports {

void GroupJudge::on(sim::Instant now, const model::Assigned& o) {
    for (auto& [place, owners] : owners_) {
        if (place.group != o.group || !owners.contains(o.process)) continue;
        if (std::find(o.logs.begin(), o.logs.end(), place.log) != o.logs.end()) continue;
        owners.erase(o.process);
        committers_[place].erase(o.process);
    }
    for (const auto log : o.logs) {
        const Place place{o.group, log};
        owners_[place].insert(o.process);
        // What was committed before this assignment is no sign of two owners: an overlap begins with
        // it, or goes on. Who owned it before may have died in between, or have been thrown out.
        committers_[place].clear();
        taken_[place] = now;
    }
}

void GroupJudge::on(sim::Instant, const model::CommitReturned& o) {
    if (o.error == model::ErrorCode::none) committed(o.process, {o.group, o.log}, o.invoked_at);
}

void GroupJudge::on(sim::Instant now, const model::TxnOffsetsSent& o) {
    sent_[o.txn].push_back({{o.group, o.log}, now});
}

void GroupJudge::on(sim::Instant, const model::TxnEndReturned& o) {
    if (o.error != model::ErrorCode::none) return;
    const auto sent = sent_.extract(o.txn);
    if (sent.empty() || o.result != model::ControlType::commit) return;
    for (const auto& offset : sent.mapped()) committed(o.process, offset.place, offset.at);
}

void GroupJudge::committed(model::ProcessId process, const Place& place, sim::Instant asked) {
    const auto owners = owners_.find(place);
    if (owners == owners_.end() || !owners->second.contains(process)) return;
    if (asked < taken_[place]) return;  // before the other one had it
    auto& committers = committers_[place];
    if (committers.insert(process).second && committers.size() > 1) ++double_owned_[place];
}

void GroupJudge::on(sim::Instant, const model::Appended& o) {
    if (!o.leader) return;
    for (const auto& record : o.batch.payload.group_records())
        if (const auto* offset = std::get_if<model::OffsetRecord>(&record); offset && offset->offset)
            written_[{offset->group, offset->log}].push_back(*offset->offset);
}

void GroupJudge::on(sim::Instant now, const model::OffsetCommitted& o) {
    const Place place{o.group, o.log};
    const auto found = effective_.find(place);
    const auto was = found == effective_.end() ? std::nullopt
                                               : std::optional<model::Offset>(found->second);
    // A new leader loads up to a watermark that may lag; what was effective follows as that rises.
    const auto regression = regressions_.find(place);
    const bool behind = regression != regressions_.end();
    if (o.loaded && behind && o.offset && *o.offset >= *regression->second.was)
        regressions_.erase(regression);
    auto& written = written_[place];
    const auto known = o.offset ? std::find(written.begin(), written.end(), *o.offset)
                                : written.end();
    const bool explained = known != written.end();
    if (explained) written.erase(written.begin(), known + 1);
    if (o.loaded && !behind && was && o.offset != was && !explained) {
        auto& entry = regressions_[place];
        if (entry.times++ == 0) entry = {1, was, o.offset, now};
    }
    if (o.offset) {
        effective_[place] = *o.offset;
    } else {
        effective_.erase(place);
    }
}

void GroupJudge::conclude(const Ledger&, Findings& findings) const {
    const auto& topology = *config_.topology;
    for (const auto& [place, times] : double_owned_)
        findings.add({Count::double_owners,
                      {},
                      1,
                      fmt::format("{}: two members of {} owned it and both committed",
                                  topology.log_name(place.log),
                                  topology.groups[static_cast<std::size_t>(place.group.value)]),
                      {{place.log, {}, {}}},
                      {}});
    for (const auto& [place, r] : regressions_)
        findings.add({Count::offset_regressions,
                      {},
                      r.times,
                      fmt::format("{}: a coordinator loaded offset {} where {} was effective",
                                  topology.log_name(place.log),
                                  r.became ? std::to_string(r.became->value) : "none",
                                  r.was->value),
                      {{place.log, r.became, {}}},
                      r.at});
}

}  // namespace eos::reports
