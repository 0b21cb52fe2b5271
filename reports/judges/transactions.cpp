#include "reports/judges/transactions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace eos::reports {
namespace {

using model::TxnState;

// TXS 12.2: what a durable state may follow, `post` behaviour (an empty TV2 abort included).
bool may_follow(TxnState target, TxnState current) {
    const bool resting = current == TxnState::empty || current == TxnState::complete_commit ||
                         current == TxnState::complete_abort;
    switch (target) {
        case TxnState::empty:
        case TxnState::dead: return resting;
        case TxnState::ongoing:
        case TxnState::prepare_abort: return resting || current == TxnState::ongoing;
        case TxnState::prepare_commit: return current == TxnState::ongoing;
        case TxnState::complete_commit: return current == TxnState::prepare_commit;
        case TxnState::complete_abort: return current == TxnState::prepare_abort;
        case TxnState::prepare_epoch_fence: return false;  // never durable (TXS-6)
    }
    return false;
}

bool under_way(TxnState state) {
    return state == TxnState::ongoing || state == TxnState::prepare_commit ||
           state == TxnState::prepare_abort;
}

void keep(std::vector<Evidence>& evidence, const Evidence& more) {
    if (evidence.size() < Anomaly::evidence_kept) evidence.push_back(more);
}

}  // namespace

TransactionJudge::TransactionJudge(const JudgeConfig& config)
    : config_(config), stable_(config.topology->logs.size()) {
    for (std::size_t i = 0; i < stable_.size(); ++i)
        stable_[i].greatest = {
            config.topology->topic_of({static_cast<std::int32_t>(i)}).preload};
}

// --- what was meant -----------------------------------------------------------------------------

void TransactionJudge::on(sim::Instant, const model::TxnBegan& o) { meant_[o.txn].txid = o.txid; }

void TransactionJudge::on(sim::Instant, const model::SendInvoked& o) {
    if (o.txn) meant_[*o.txn].sends.emplace_back(o.log, o.record.id);
}

void TransactionJudge::on(sim::Instant, const model::TxnOffsetsSent& o) {
    meant_[o.txn].offsets.insert(o.log);
}

void TransactionJudge::on(sim::Instant now, const model::TxnEndInvoked& o) {
    auto& meant = meant_[o.txn];
    if (!meant.ended) meant.end_invoked = now;  // a repeated call waits for the same end
    meant.ended = true;
}

void TransactionJudge::on(sim::Instant now, const model::TxnEndReturned& o) {
    if (o.error != model::ErrorCode::none) return;
    auto& meant = meant_[o.txn];
    meant.told = o.result;
    if (o.result == model::ControlType::commit) commit_latency_.add(now - meant.end_invoked);
}

// --- what the coordinators did ------------------------------------------------------------------

void TransactionJudge::on(sim::Instant now, const model::TxnChanged& o) {
    auto& id = ids_[o.txid];
    if (o.coordinator_epoch < id.coordinator_epoch) return;  // a deposed one learns late
    id.coordinator_epoch = o.coordinator_epoch;
    const bool was_open = id.state && under_way(*id.state);
    if (!o.loaded && id.state && !may_follow(o.state, *id.state))
        illegal_[o.txid].push_back(fmt::format("{} after {}", name(o.state), name(*id.state)));
    if (was_open != under_way(o.state)) open_ += was_open ? -1 : 1;
    measured_.open_max = std::max(measured_.open_max, open_);
    const bool prepared =
        o.state == TxnState::prepare_commit || o.state == TxnState::prepare_abort;
    const bool completed =
        o.state == TxnState::complete_commit || o.state == TxnState::complete_abort;
    if (prepared && id.state != o.state) {
        id.ending = o.begun.value_or(now);
        if (o.state == TxnState::prepare_commit) {
            ++measured_.committed;
        } else {
            switch (o.cause) {
                case model::TxnCause::client: ++measured_.aborted_by_client; break;
                case model::TxnCause::timeout: ++measured_.aborted_by_timeout; break;
                case model::TxnCause::fence: ++measured_.aborted_by_fence; break;
            }
        }
    }
    if (completed && !o.loaded) coordinator_lag_.add(now - id.ending);
    if (completed || o.state == TxnState::empty) {
        auto& done = done_.try_emplace(o.producer_id, o.epoch).first->second;
        done = std::max(done, o.epoch);
    }
    if (o.state == TxnState::dead) {
        id.state.reset();
    } else {
        id.state = o.state;
    }
}

void TransactionJudge::on(sim::Instant, const model::TxnAudit& o) { audits_.push_back(o); }

void TransactionJudge::on(sim::Instant now, const model::ReplicaAudit&) { end_ = now; }

// --- what partitions took and gave --------------------------------------------------------------

// Between a fence and its marker a partition may still take what is in flight: that is decided with
// the transaction (T27). Once the fence is complete nothing of the older epoch may be taken.
void TransactionJudge::on(sim::Instant, const model::Appended& o) {
    if (!o.leader || !o.batch.transactional || o.batch.control || !o.batch.producer_id) return;
    // A deposed leader that does not know it yet accepts what nobody will ever read.
    const auto& leader = stable_[static_cast<std::size_t>(o.log.value)].leader;
    if (leader && *leader != o.broker) return;
    auto& newest = newest_.try_emplace({o.log, *o.batch.producer_id}, o.batch.producer_epoch)
                       .first->second;
    newest = std::max(newest, o.batch.producer_epoch);
    const auto done = done_.find(*o.batch.producer_id);
    // Older than what the same partition has seen is another judge's finding.
    if (done != done_.end() && o.batch.producer_epoch < done->second &&
        o.batch.producer_epoch == newest)
        ++zombies_[o.log];
}

void TransactionJudge::on(sim::Instant, const model::LeadershipTaken& o) {
    // A new leader may know less of what is stable; from here on it only rises (LSO-10).
    auto& stable = stable_[static_cast<std::size_t>(o.log.value)];
    stable.leader = o.broker;
    stable.of_leader = {0};
    stable.watermark = o.high_watermark;
}

void TransactionJudge::on(sim::Instant now, const model::WatermarkMoved& o) {
    if (!o.leader) return;
    auto& stable = stable_[static_cast<std::size_t>(o.log.value)];
    stable.watermark = o.high_watermark;
    if (stable.told && !stable.stalled_since && stable.watermark > stable.greatest)
        stable.stalled_since = now;
}

void TransactionJudge::on(sim::Instant now, const model::StableOffsetMoved& o) {
    auto& stable = stable_[static_cast<std::size_t>(o.log.value)];
    stable.told = true;
    // A deposed leader that has not heard of it may still move its own.
    if (!stable.leader || stable.leader == o.broker) {
        if (o.last_stable < stable.of_leader) ++stable.went_back;
        stable.of_leader = o.last_stable;
    }
    stable.greatest = std::max(stable.greatest, o.last_stable);
    if (stable.stalled_since)
        measured_.stall_max = std::max(measured_.stall_max, now - *stable.stalled_since);
    stable.stalled_since.reset();
    if (stable.watermark > o.last_stable) stable.stalled_since = now;
}

void TransactionJudge::on(sim::Instant, const model::Polled& o) {
    const auto app = o.process.app;
    if (!config_.apps[static_cast<std::size_t>(app.value)].wants_committed) return;
    auto& reads = reads_[{app, o.log}];
    const auto& stable = stable_[static_cast<std::size_t>(o.log.value)];
    const auto& records = o.payload.records();
    for (std::int32_t i = o.first; i < o.first + o.count; ++i) {
        const auto offset = o.base + i;
        const auto index = static_cast<std::size_t>(offset.value);
        if (reads.offsets.size() <= index) reads.offsets.resize(index + 1);
        reads.offsets[index] = true;
        if (!stable.told || offset < stable.greatest) continue;
        ++reads.undecided;
        keep(reads.evidence, {o.log, offset, records[static_cast<std::size_t>(i)].id});
    }
}

// --- conclusions --------------------------------------------------------------------------------

std::string TransactionJudge::name_of(model::TxnRef txn) const {
    const auto found = meant_.find(txn);
    const auto& topology = *config_.topology;
    if (found == meant_.end()) return fmt::format("transaction {}", txn.number);
    return fmt::format("transaction {} of {}", txn.number,
                       topology.transactional_id_name(found->second.txid));
}

void TransactionJudge::gather(const Ledger& ledger) {
    const auto& topology = *config_.topology;
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        const auto& final_log = ledger.final_log(log);
        const bool internal = topology.topic_of(log).internal;
        for (std::size_t b = 0; b < final_log.batches.size(); ++b) {
            const auto& batch = final_log.batches[b];
            if (!batch.transactional || batch.control || !batch.txn) continue;
            auto& truth = truth_[*batch.txn];
            const auto fate = final_log.fates[b].kind;
            if (fate == Fate::Kind::aborted) measured_.aborted_bytes += batch.bytes;
            if (internal) {
                (fate == Fate::Kind::committed ? truth.offsets_committed
                                               : truth.offsets_aborted) += 1;
            } else if (fate == Fate::Kind::committed) {
                for (const auto& record : batch.payload.records())
                    truth.committed.emplace(log, record.id);
            } else {
                (fate == Fate::Kind::aborted ? truth.aborted : truth.open) += batch.count;
            }
        }
    }
}

void TransactionJudge::conclude_decisions(Findings& findings) const {
    static const Truth nothing;
    for (const auto& entry : meant_) {
        const auto txn = entry.first;
        const auto& meant = entry.second;
        const auto found = truth_.find(txn);
        const auto& truth = found == truth_.end() ? nothing : found->second;
        std::set<model::LogId> whole;
        std::set<model::LogId> meant_logs;
        std::int64_t missing = 0;
        for (const auto& send : meant.sends) {
            meant_logs.insert(send.first);
            if (truth.committed.contains(send)) {
                whole.insert(send.first);
            } else {
                ++missing;
            }
        }
        const auto report = [&](Count count, std::string summary) {
            Anomaly anomaly{count, txn.process.app, 1, std::move(summary), {}, {}};
            for (const auto& [log, record] : meant.sends)
                if (!truth.committed.contains({log, record}))
                    keep(anomaly.evidence, {log, {}, record});
            findings.add(std::move(anomaly));
        };
        if (!whole.empty() && whole.size() < meant_logs.size())
            report(Count::torn,
                   fmt::format("{} is committed in {} of its {} partitions", name_of(txn),
                               whole.size(), meant_logs.size()));
        if (!meant.offsets.empty() && !meant.sends.empty() &&
            whole.empty() != (truth.offsets_committed == 0))
            report(Count::offset_tear,
                   fmt::format("{}: its {} are committed, its {} are not", name_of(txn),
                               whole.empty() ? "offsets" : "outputs",
                               whole.empty() ? "outputs" : "offsets"));
        if (!meant.told) continue;
        const bool told_commit = *meant.told == model::ControlType::commit;
        const bool offsets_missing = !meant.offsets.empty() && truth.offsets_committed == 0;
        if (told_commit && (missing > 0 || offsets_missing))
            report(Count::false_ack,
                   fmt::format("{} was reported committed; {} of its {} records are not{}",
                               name_of(txn), missing, meant.sends.size(),
                               offsets_missing ? ", nor its offsets" : ""));
        if (!told_commit && (!truth.committed.empty() || truth.offsets_committed > 0))
            report(Count::false_ack,
                   fmt::format("{} was reported aborted; {} of its {} records are committed",
                               name_of(txn), truth.committed.size(), meant.sends.size()));
    }
}

void TransactionJudge::conclude_foreign_ends(const Ledger& ledger, Findings& findings) const {
    const auto& topology = *config_.topology;
    std::map<std::pair<model::TxnRef, model::TxnRef>, Anomaly> by_pair;
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        const auto& final_log = ledger.final_log(log);
        for (std::size_t b = 0; b < final_log.batches.size(); ++b) {
            const auto& batch = final_log.batches[b];
            const auto& decided_by = final_log.fates[b].decided_by;
            if (!batch.txn || !decided_by || *decided_by == *batch.txn) continue;
            auto& anomaly = by_pair[{*batch.txn, *decided_by}];
            anomaly.app = batch.txn->process.app;
            anomaly.amount += batch.count;
            const auto& records = batch.payload.records();
            keep(anomaly.evidence, {log, batch.base,
                                    records.empty() ? model::RecordId{} : records.front().id});
        }
    }
    for (auto& [pair, anomaly] : by_pair) {
        anomaly.count = Count::misattributed;
        anomaly.summary = fmt::format("{} record{} of {} decided by the end of {}", anomaly.amount,
                                      anomaly.amount == 1 ? "" : "s", name_of(pair.first),
                                      name_of(pair.second));
        findings.add(std::move(anomaly));
    }
}

void TransactionJudge::conclude_readers(const Ledger& ledger, Findings& findings) const {
    for (const auto& [reader, reads] : reads_) {
        const auto& [app, log] = reader;
        const auto log_name = config_.topology->log_name(log);
        if (reads.undecided > 0)
            findings.add({Count::dirty_reads, app, reads.undecided,
                          fmt::format("{}: {} read before their transaction was decided", log_name,
                                      reads.undecided),
                          reads.evidence, {}});
        Anomaly aborted{Count::aborted_visible, app, 0, {}, {}, {}};
        const auto& final_log = ledger.final_log(log);
        for (std::size_t b = 0; b < final_log.batches.size(); ++b) {
            const auto& batch = final_log.batches[b];
            const auto fate = final_log.fates[b].kind;
            const auto meant = batch.txn ? meant_.find(*batch.txn) : meant_.end();
            const bool told_abort = meant != meant_.end() &&
                                    meant->second.told == model::ControlType::abort;
            if (fate != Fate::Kind::aborted && !(fate == Fate::Kind::committed && told_abort))
                continue;
            const auto& records = batch.payload.records();
            for (std::size_t r = 0; r < records.size(); ++r) {
                const auto index = static_cast<std::size_t>(batch.base.value) + r;
                if (index >= reads.offsets.size() || !reads.offsets[index]) continue;
                ++aborted.amount;
                keep(aborted.evidence,
                     {log, model::Offset{static_cast<std::int64_t>(index)}, records[r].id});
            }
        }
        aborted.summary = fmt::format("{}: {} read of transactions that were aborted", log_name,
                                      aborted.amount);
        if (aborted.amount > 0) findings.add(std::move(aborted));
    }
}

void TransactionJudge::conclude_progress(const Ledger& ledger, Findings& findings) const {
    const auto& topology = *config_.topology;
    std::set<model::LogId> excused;
    for (const auto& audit : audits_) {
        if (!under_way(audit.state)) continue;
        const auto id = topology.transactional_id_name(audit.txid);
        if (audit.state != TxnState::ongoing)
            findings.add({Count::stuck, {}, 1,
                          fmt::format("{} is in {}: {} partitions have not taken its marker", id,
                                      name(audit.state), audit.logs.size()),
                          {}, {}});
        else if (audit.overdue)
            findings.add({Count::stuck, {}, 1,
                          fmt::format("{} has a transaction open past its timeout", id), {}, {}});
        excused.insert(audit.logs.begin(), audit.logs.end());  // said already, or not late yet
    }
    for (std::size_t i = 0; i < stable_.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        const auto& final_log = ledger.final_log(log);
        const auto name = topology.log_name(log);
        if (final_log.led && final_log.open_transactions > 0 && !excused.contains(log) &&
            final_log.last_stable < final_log.high_watermark)
            findings.add({Count::stuck, {}, 1,
                          fmt::format("{}: the last stable offset stands at {} of {}: a "
                                      "transaction no coordinator knows is open",
                                      name, final_log.last_stable.value,
                                      final_log.high_watermark.value),
                          {{log, final_log.last_stable, {}}}, {}});
        if (stable_[i].went_back > 0)
            findings.add({Count::offset_regressions, {}, stable_[i].went_back,
                          fmt::format("{}: the last stable offset went back {} times", name,
                                      stable_[i].went_back),
                          {}, {}});
    }
    for (const auto& [log, appends] : zombies_)
        findings.add({Count::zombie_writes, {}, appends,
                      fmt::format("{}: {} batches of a producer epoch that was fenced for good",
                                  topology.log_name(log), appends),
                      {}, {}});
}

void TransactionJudge::conclude_states(Findings& findings) const {
    for (const auto& [txid, steps] : illegal_)
        findings.add({Count::illegal, {}, static_cast<std::int64_t>(steps.size()),
                      fmt::format("{}: {}", config_.topology->transactional_id_name(txid),
                                  fmt::join(steps, ", ")),
                      {}, {}});
}

void TransactionJudge::measure(Findings& findings) const {
    auto& m = findings.measured.transactions;
    m = measured_;
    for (const auto& stable : stable_)  // one that never ended lasted to the end
        if (stable.stalled_since) m.stall_max = std::max(m.stall_max, end_ - *stable.stalled_since);
    m.commit_latency_p99 = commit_latency_.quantile(990);
    m.coordinator_lag_p99 = coordinator_lag_.quantile(990);
}

void TransactionJudge::conclude(const Ledger& ledger, Findings& findings) {
    gather(ledger);
    conclude_decisions(findings);
    conclude_foreign_ends(ledger, findings);
    conclude_readers(ledger, findings);
    conclude_progress(ledger, findings);
    conclude_states(findings);
    measure(findings);
}

}  // namespace eos::reports
