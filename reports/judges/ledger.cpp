#include "reports/judges/ledger.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace eos::reports {
namespace {

// Collects evidence while counting, and makes the anomaly at the end.
class Charge {
  public:
    void add(model::LogId log, std::optional<model::Offset> offset, model::RecordId record,
             std::int64_t amount = 1) {
        amount_ += amount;
        if (evidence_.size() < Anomaly::evidence_kept) evidence_.push_back({log, offset, record});
    }
    void report(Findings& findings, Count count, model::AppId app, std::string summary) const {
        findings.add({count, app, amount_, std::move(summary), evidence_, {}});
    }
    [[nodiscard]] std::int64_t amount() const { return amount_; }

  private:
    std::int64_t amount_ = 0;
    std::vector<Evidence> evidence_;
};

std::string plural(std::int64_t n, std::string_view word) {
    return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s");
}

}  // namespace

Ledger::Ledger(JudgeConfig config)
    : config_(std::move(config)), finals_(config_.topology->logs.size()) {}

const LedgerEntry* Ledger::find(model::TopicId topic, model::RecordId record) const {
    const auto found = entries_.find({topic, record});
    return found == entries_.end() ? nullptr : &found->second;
}

void Ledger::on(sim::Instant, const model::InputOffered& o) {
    // The topics are known when the record is sent; an input never sent is lost in all of them.
    const auto& app = config_.apps[static_cast<std::size_t>(o.process.app.value)];
    if (o.again || app.to.empty()) return;
    offered_unsent_.insert({app.to.front(), o.record.id});
}

void Ledger::on(sim::Instant, const model::InputWithdrawn& o) {
    if (const auto found = entries_.find({o.topic, o.record.id}); found != entries_.end())
        found->second.withdrawn = true;
    offered_unsent_.erase({o.topic, o.record.id});
}

void Ledger::on(sim::Instant now, const model::SendInvoked& o) {
    const auto topic = config_.topology->logs[static_cast<std::size_t>(o.log.value)].topic;
    auto& entry = entries_[{topic, o.record.id}];
    if (entry.sends == 0) entry.invoked_at = now;
    ++entry.sends;
    entry.writer = o.process.app;
    if (!entry.acknowledged) entry.log = o.log;
    if (!offered_unsent_.empty()) {
        const auto& app = config_.apps[static_cast<std::size_t>(o.process.app.value)];
        if (!app.to.empty()) offered_unsent_.erase({app.to.front(), o.record.id});
    }
}

void Ledger::on(sim::Instant, const model::SendDone& o) {
    if (o.error != model::ErrorCode::none) return;
    const auto topic = config_.topology->logs[static_cast<std::size_t>(o.log.value)].topic;
    auto& entry = entries_[{topic, o.record.id}];
    entry.acknowledged = true;
    entry.log = o.log;
    entry.offset = o.offset;
}

void Ledger::on(sim::Instant, const model::Polled& o) {
    polled_ += o.count;
    const auto topic = config_.topology->logs[static_cast<std::size_t>(o.log.value)].topic;
    const auto& records = o.payload.records();
    for (std::int32_t i = o.first; i < o.first + o.count; ++i) {
        const auto found = entries_.find({topic, records[static_cast<std::size_t>(i)].id});
        if (found != entries_.end()) found->second.polled = true;
    }
}

void Ledger::on(sim::Instant, const model::Effect& o) {
    ++effect_count_;
    auto& counts = effects_[{o.group, o.log}];
    const auto index = static_cast<std::size_t>(o.offset.value);
    if (counts.size() <= index) counts.resize(index + 1);
    if (counts[index].record != o.record.id) counts[index] = {o.record.id, 0};
    ++counts[index].times;
}

void Ledger::on(sim::Instant, const model::OffsetCommitted& o) {
    if (o.offset) {
        committed_[{o.group, o.log}] = *o.offset;
    } else {
        committed_.erase({o.group, o.log});
    }
}

void Ledger::on(sim::Instant, const model::CheckpointCompleted& o) {
    auto& positions = checkpoints_[o.app];
    for (const auto& part : o.positions) positions[part.log] = part.offset;
}

void Ledger::on(sim::Instant, const model::JobRestored& o) {
    auto& positions = checkpoints_[o.app];
    positions.clear();
    for (const auto& part : o.positions) positions[part.log] = part.offset;
}

void Ledger::on(sim::Instant, const model::GroupAudit& o) {
    // What the coordinator answers now is what counts, not what an older one once made effective.
    for (const auto& part : o.offsets) committed_[{o.group, part.log}] = part.offset;
}

void Ledger::on(sim::Instant, const model::ReplicaAudit& o) {
    if (!o.leader) return;
    auto& final_log = finals_[static_cast<std::size_t>(o.log.value)];
    final_log = {true,
                 o.log_start,
                 o.high_watermark,
                 o.batches,
                 fates_of(o.batches, o.high_watermark),
                 o.last_stable,
                 o.open_transactions};
}

std::vector<model::LogId> Ledger::logs_of(const std::vector<model::TopicId>& topics) const {
    std::vector<model::LogId> result;
    for (const auto topic : topics) {
        const auto& entry = config_.topology->topics[static_cast<std::size_t>(topic.value)];
        for (std::int32_t p = 0; p < entry.partitions; ++p) result.push_back(entry.first + p);
    }
    return result;
}

void Ledger::count_visible() {
    for (std::size_t i = 0; i < finals_.size(); ++i) {
        const auto topic = config_.topology->logs[i].topic;
        if (config_.topology->topics[static_cast<std::size_t>(topic.value)].internal) continue;
        finals_[i].for_each_readable([&](model::Offset, const model::Record& record) {
            ++entries_[{topic, record.id}].visible;
        });
        for (const auto& batch : finals_[i].batches)
            for (const auto& record : batch.payload.records())
                ++entries_[{topic, record.id}].written;
    }
}

void Ledger::conclude(Findings& findings) {
    count_visible();
    conclude_writers(findings);
    for (const auto& app : config_.apps) {
        if (app.reads && app.writes) conclude_processor(app, findings);
        // What a store keeps is judged there.
        if (app.reads && !app.writes && app.writes_into.empty()) conclude_consumer(app, findings);
    }
    auto& measured = findings.measured;
    measured.records_polled = polled_;
    measured.effects = effect_count_;
    for (const auto& [key, entry] : entries_) {
        if (!entry.writer) continue;
        measured.records_visible += entry.visible;
        if (entry.acknowledged) ++measured.records_acked;
    }
}

// Writers without input: what they offered must be readable, and once. The flat map's order is not
// part of any result, so evidence is gathered from a sorted copy of the keys that matter.
void Ledger::conclude_writers(Findings& findings) const {
    std::map<model::AppId, Charge> lost;
    std::map<model::AppId, Charge> doubled;
    std::map<model::AppId, std::pair<std::int64_t, std::int64_t>> lost_kinds;  // acked, never sent
    std::vector<std::pair<LedgerKey, const LedgerEntry*>> rows;
    for (const auto& [key, entry] : entries_) {
        if (!entry.writer) continue;
        const auto& app = config_.apps[static_cast<std::size_t>(entry.writer->value)];
        if (app.reads) continue;  // a processor is judged against its input
        if (entry.visible == 0 && entry.withdrawn) continue;
        if (entry.visible != 1) rows.emplace_back(key, &entry);
    }
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [key, entry] : rows) {
        if (entry->visible == 0) {
            lost[*entry->writer].add(entry->log, entry->offset, key.record);
            if (entry->acknowledged) ++lost_kinds[*entry->writer].first;
        } else {
            doubled[*entry->writer].add(entry->log, entry->offset, key.record, entry->visible - 1);
        }
    }
    for (const auto& key : offered_unsent_) {
        for (const auto& app : config_.apps) {
            if (!app.writes || app.reads || app.to.empty() || app.to.front() != key.topic) continue;
            if ((key.record.value >> 52) != static_cast<std::uint64_t>(app.id.value)) continue;
            lost[app.id].add({-1}, {}, key.record);
            ++lost_kinds[app.id].second;
        }
    }
    for (const auto& [app, tally] : lost) {
        const auto [acked, unsent] = lost_kinds[app];
        std::string why;
        if (acked > 0) why = fmt::format("{} of them acknowledged", acked);
        if (unsent > 0) {
            if (!why.empty()) why += ", ";
            why += fmt::format("{} never sent", unsent);
        }
        if (why.empty()) why = "the application took them and gave up, or was not told";
        tally.report(findings, Count::lost, app,
                     fmt::format("{} offered and not readable at the end ({})",
                                 plural(tally.amount(), "record"), why));
    }
    for (const auto& [app, tally] : doubled)
        tally.report(
            findings, Count::duplicates, app,
            fmt::format("{} too many stand in the logs", plural(tally.amount(), "record")));
}

// A processor is charged with what it added: outputs beyond the copies of its input, and inputs its
// group has committed past without any output.
void Ledger::conclude_processor(const JudgedApp& app, Findings& findings) const {
    Charge lost;
    Charge doubled;
    const auto inputs = logs_of(app.from);
    std::map<model::RecordId, std::int32_t> copies_in;
    std::map<model::RecordId, Evidence> where;
    std::map<model::RecordId, bool> passed;
    for (const auto log : inputs) {
        finals_[static_cast<std::size_t>(log.value)].for_each_readable(
            [&](model::Offset offset, const model::Record& record) {
                ++copies_in[record.id];
                where.try_emplace(record.id, Evidence{log, offset, record.id});
                if (settled(app, log, offset)) passed[record.id] = true;
            });
    }
    for (const auto topic : app.to) {
        for (const auto& [record, copies] : copies_in) {
            const auto* entry = find(topic, record);
            const auto out = entry ? entry->visible : 0;
            const auto& place = where.at(record);
            if (out == 0 && passed.contains(record) && app.to.size() == 1)
                lost.add(place.log, place.offset, record);
            if (out > copies) doubled.add(entry->log, entry->offset, record, out - copies);
        }
    }
    lost.report(findings, Count::lost, app.id,
                fmt::format("{} its {} past without any output", plural(lost.amount(), "input"),
                            app.checkpoints ? "checkpoints are" : "group has committed"));
    doubled.report(findings, Count::duplicates, app.id,
                   fmt::format("{} beyond one for each input", plural(doubled.amount(), "output")));
}

void Ledger::conclude_consumer(const JudgedApp& app, Findings& findings) const {
    if (!app.group) return;
    Charge lost;
    Charge doubled;
    // Of a record that was written twice an application may know the second copy and step over it.
    std::set<model::RecordId> had_effect;
    for (const auto log : logs_of(app.from)) {
        const auto found = effects_.find({*app.group, log});
        if (found == effects_.end()) continue;
        for (const auto& effect : found->second)
            if (effect.times > 0) had_effect.insert(effect.record);
    }
    for (const auto log : logs_of(app.from)) {
        const auto found = effects_.find({*app.group, log});
        static const std::vector<Effects> none;
        const auto& counts = found == effects_.end() ? none : found->second;
        finals_[static_cast<std::size_t>(log.value)].for_each_readable(
            [&](model::Offset offset, const model::Record& record) {
                const auto index = static_cast<std::size_t>(offset.value);
                const bool same = index < counts.size() && counts[index].record == record.id;
                const auto effects = same ? counts[index].times : 0;
                if (effects == 0 && settled(app, log, offset) && !had_effect.contains(record.id))
                    lost.add(log, offset, record.id);
                if (effects > 1) doubled.add(log, offset, record.id, effects - 1);
            });
    }
    lost.report(findings, Count::lost, app.id,
                fmt::format("{} its group has committed past without any effect",
                            plural(lost.amount(), "input")));
    doubled.report(findings, Count::duplicates, app.id,
                   fmt::format("{} too many for inputs already processed",
                               plural(doubled.amount(), "effect")));
}

bool Ledger::settled(const JudgedApp& app, model::LogId log, model::Offset offset) const {
    if (app.checkpoints) {
        const auto job = checkpoints_.find(app.id);
        if (job == checkpoints_.end()) return false;
        const auto position = job->second.find(log);
        return position != job->second.end() && offset < position->second;
    }
    if (!app.group) return false;
    const auto found = committed_.find({*app.group, log});
    return found != committed_.end() && offset < found->second;
}

}  // namespace eos::reports
