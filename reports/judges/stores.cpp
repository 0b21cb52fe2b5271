#include "reports/judges/stores.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace eos::reports {
namespace {

bool overwrites(model::EffectKind effect) {
    return effect == model::EffectKind::put || effect == model::EffectKind::put_if_newer;
}

/// Anomalies of one kind, with what shows them.
struct StoreCharge {
    std::int64_t amount = 0;
    std::vector<Evidence> evidence;
    void add(model::LogId log, std::optional<model::Offset> offset, model::RecordId record,
             std::int64_t n = 1) {
        amount += n;
        if (evidence.size() < Anomaly::evidence_kept) evidence.push_back({log, offset, record});
    }
    void report(Findings& findings, Count count, model::AppId app, std::string summary) const {
        findings.add({count, app, amount, std::move(summary), evidence, {}});
    }
};

template <class Visit>
void for_each_input(const JudgedApp& app, const Ledger& ledger, Visit visit) {
    const auto& topology = *ledger.config().topology;
    for (const auto topic : app.from) {
        const auto& entry = topology.topics[static_cast<std::size_t>(topic.value)];
        for (std::int32_t p = 0; p < entry.partitions; ++p) {
            const auto log = entry.first + p;
            ledger.final_log(log).for_each_readable(
                [&](model::Offset offset, const model::Record& record) {
                    visit(log, offset, record);
                });
        }
    }
}

}  // namespace

void StoreJudge::on(sim::Instant, const model::StoreCallDone&) { ++calls_; }

void StoreJudge::on(sim::Instant, const model::StoreApplied& o) {
    auto& held = held_[{o.process.app, o.store}];
    ++effects_;
    if (!overwrites(o.effect)) {
        held.added.push_back(o.record);
        ++held.times[o.record.id];
        return;
    }
    held.put.insert(o.record.id);
    auto& newest = held.newest[{o.log, o.record.key}];
    newest = std::max(newest, o.offset);
    if (o.kept) held.values[o.record.key] = {o.record, o.log, o.offset};
}

void StoreJudge::on(sim::Instant, const model::StoreOffsetWritten& o) {
    offsets_[{o.group, o.log}] = o.offset;
}

void StoreJudge::on(sim::Instant, const model::StoreWiped& o) {
    std::erase_if(held_, [&](const auto& entry) { return entry.first.second == o.store; });
}

void StoreJudge::on(sim::Instant, const model::StoreAudit& o) { audits_.push_back(o); }

std::vector<model::Record> StoreJudge::rows(model::StoreId store) const {
    std::vector<model::Record> result;
    for (const auto& [pair, held] : held_) {
        if (pair.second != store) continue;
        result.insert(result.end(), held.added.begin(), held.added.end());
        for (const auto& [key, value] : held.values) result.push_back(value.record);
    }
    return result;
}

void StoreJudge::conclude(const Ledger& ledger, Findings& findings) const {
    for (const auto& app : config_.apps)
        if (!app.writes_into.empty()) conclude_app(app, ledger, findings);
    const auto& stores = config_.topology->stores;
    for (const auto& audit : audits_) {
        const auto& name = stores[static_cast<std::size_t>(audit.store.value)].name;
        if (audit.in_doubt > 0)
            findings.add({Count::stuck,
                          {},
                          audit.in_doubt,
                          fmt::format("{}: {} prepared and nobody decides: locks are held", name,
                                      audit.in_doubt == 1
                                          ? std::string("a transaction is")
                                          : fmt::format("{} transactions are", audit.in_doubt)),
                          {},
                          {}});
        if (audit.waiting > 0)
            findings.add(
                {Count::stuck,
                 {},
                 audit.waiting,
                 fmt::format("{}: {} for a lock", name,
                             audit.waiting == 1 ? std::string("a statement waits")
                                                : fmt::format("{} statements wait", audit.waiting)),
                 {},
                 {}});
    }
    auto& measured = findings.measured;
    measured.effects += effects_;
    measured.store_calls = calls_;
    for (const auto& [pair, held] : held_)
        measured.store_records += static_cast<std::int64_t>(held.times.size() + held.put.size());
}

void StoreJudge::conclude_app(const JudgedApp& app, const Ledger& ledger,
                              Findings& findings) const {
    static const Held nothing;
    for (const auto& [store, effect] : app.writes_into) {
        const auto found = held_.find({app.id, store});
        const auto& held = found == held_.end() ? nothing : found->second;
        if (overwrites(effect))
            conclude_values(app, held, ledger, findings);
        else
            conclude_added(app, held, ledger, findings);
    }
}

bool StoreJudge::passed(const JudgedApp& app, const Ledger& ledger, model::LogId log,
                        model::Offset offset) const {
    if (ledger.settled(app, log, offset)) return true;
    if (!app.group) return false;
    const auto found = offsets_.find({*app.group, log});
    return found != offsets_.end() && offset < found->second;
}

void StoreJudge::conclude_added(const JudgedApp& app, const Held& held, const Ledger& ledger,
                                Findings& findings) const {
    StoreCharge lost;
    StoreCharge doubled;
    std::set<model::RecordId> missed;  // a record that stands twice in the logs is missed once
    std::map<model::RecordId, std::pair<model::LogId, model::Offset>> where;
    for_each_input(app, ledger,
                   [&](model::LogId log, model::Offset offset, const model::Record& record) {
                       where.try_emplace(record.id, log, offset);
                       if (held.times.contains(record.id)) return;
                       if (passed(app, ledger, log, offset) && missed.insert(record.id).second)
                           lost.add(log, offset, record.id);
                   });
    for (const auto& [record, times] : held.times) {
        if (times < 2) continue;
        const auto place = where.find(record);
        if (place == where.end())
            doubled.add({-1}, {}, record, times - 1);
        else
            doubled.add(place->second.first, place->second.second, record, times - 1);
    }
    lost.report(findings, Count::lost, app.id,
                fmt::format("{} input{} passed without any effect at the store", lost.amount,
                            lost.amount == 1 ? " was" : "s were"));
    doubled.report(findings, Count::duplicates, app.id,
                   fmt::format("{} effect{} at the store beyond one for each event", doubled.amount,
                               doubled.amount == 1 ? "" : "s"));
}

// Of a value only the newest input matters: it is missed if no write of its key is as new, and
// stale if it was written and an older one stands there at the end (N2, N14).
void StoreJudge::conclude_values(const JudgedApp& app, const Held& held, const Ledger& ledger,
                                 Findings& findings) const {
    StoreCharge lost;
    StoreCharge stale;
    std::map<std::pair<model::LogId, std::uint32_t>, std::pair<model::Offset, model::RecordId>>
        wanted;
    for_each_input(app, ledger,
                   [&](model::LogId log, model::Offset offset, const model::Record& record) {
                       if (!passed(app, ledger, log, offset)) return;
                       wanted[{log, record.key}] = {offset, record.id};
                       const auto newest = held.newest.find({log, record.key});
                       if (newest == held.newest.end() || newest->second < offset)
                           lost.add(log, offset, record.id);
                   });
    for (const auto& [key, value] : held.values) {
        const auto want = wanted.find({value.log, key});
        if (want == wanted.end() || value.offset >= want->second.first) continue;
        const auto newest = held.newest.find({value.log, key});
        if (newest == held.newest.end() || newest->second < want->second.first) continue;
        stale.add(value.log, value.offset, value.record.id);
    }
    lost.report(findings, Count::lost, app.id,
                fmt::format("{} input{} passed, and no write of their keys is as new", lost.amount,
                            lost.amount == 1 ? " was" : "s were"));
    stale.report(findings, Count::state_drift, app.id,
                 fmt::format("{} at the store: an older write came last",
                             stale.amount == 1 ? std::string("a key is stale")
                                               : fmt::format("{} keys are stale", stale.amount)));
}

}  // namespace eos::reports
