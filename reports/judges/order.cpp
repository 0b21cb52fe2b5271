#include "reports/judges/order.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace eos::reports {

void OrderJudge::on(sim::Instant, const model::SendInvoked& o) {
    const PlaceKey key{o.log, o.record.id};
    const Send send{o.process, o.session, o.order, o.txn};
    const auto [found, inserted] = first_send_.try_emplace(key, send);
    if (!inserted) more_sends_[key].push_back(send);
}

void OrderJudge::on(sim::Instant, const model::LeadershipTaken& o) {
    leaders_.insert_or_assign(o.log, o.broker);
}

void OrderJudge::on(sim::Instant, const model::Appended& o) {
    if (!o.leader || !o.batch.producer_id || !o.batch.base_sequence) return;
    // A deposed leader that does not know it yet accepts what nobody will ever read.
    const auto leader = leaders_.find(o.log);
    if (leader != leaders_.end() && leader->second != o.broker) return;
    auto& epochs = epochs_[{o.log, *o.batch.producer_id}];
    if (o.batch.producer_epoch < epochs.newest) {
        if (epochs.zombie_appends == 0) epochs.first_zombie = o.batch.base;
        ++epochs.zombie_appends;
    } else {
        epochs.newest = o.batch.producer_epoch;
    }
}

void OrderJudge::conclude(const Ledger& ledger, Findings& findings) const {
    conclude_order(ledger, findings);
    conclude_sequences(ledger, findings);
    for (const auto& [place, epochs] : epochs_) {
        findings.add({Count::zombie_writes,
                      {},
                      epochs.zombie_appends,
                      fmt::format("{}: {} batches of an older producer epoch were accepted",
                                  ledger.config().topology->log_name(place.first),
                                  epochs.zombie_appends),
                      {{place.first, epochs.first_zombie, {}}},
                      {}});
    }
}

const OrderJudge::Send* OrderJudge::sender(const PlaceKey& key, const model::Batch& batch,
                                           const std::map<Session, std::int64_t>& newest) const {
    const auto first = first_send_.find(key);
    if (first == first_send_.end()) return nullptr;
    const Send* earliest = nullptr;
    const auto explains = [&](const Send& send) {
        if (batch.txn && send.txn != batch.txn) return false;
        if (earliest == nullptr) earliest = &send;
        const auto last = newest.find({send.process, send.session});
        return last == newest.end() || send.order > last->second;
    };
    if (explains(first->second)) return &first->second;
    if (const auto more = more_sends_.find(key); more != more_sends_.end())
        for (const auto& send : more->second)
            if (explains(send)) return &send;
    return earliest;
}

// A record counts when it stands behind a later send of the same session, and no send of it can
// explain its place. Only first occurrences count: a repetition is a duplicate.
void OrderJudge::conclude_order(const Ledger& ledger, Findings& findings) const {
    const auto& topology = *ledger.config().topology;
    std::map<model::AppId, Anomaly> by_app;
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        const auto& final_log = ledger.final_log(log);
        std::map<Session, std::int64_t> newest;
        boost::unordered_flat_map<std::uint64_t, bool> seen;
        for (const auto& batch : final_log.batches) {
            if (batch.next_offset() > final_log.high_watermark) break;
            for (const auto& record : batch.payload.records()) {
                const auto* send = sender({log, record.id}, batch, newest);
                if (send == nullptr || !seen.try_emplace(record.id.value).second) continue;
                const auto [last, fresh] =
                    newest.try_emplace({send->process, send->session}, send->order);
                if (fresh || send->order > last->second) {
                    last->second = send->order;
                    continue;
                }
                auto& anomaly = by_app[send->process.app];
                ++anomaly.amount;
                anomaly.evidence.push_back({log, batch.base, record.id});
            }
        }
    }
    for (auto& [app, anomaly] : by_app) {
        anomaly.count = Count::reordered;
        anomaly.app = app;
        anomaly.summary = fmt::format("{} record{} behind a later send of the same producer",
                                      anomaly.amount, anomaly.amount == 1 ? " stands" : "s stand");
        findings.add(std::move(anomaly));
    }
}

// INV-1, read off the leader's log: within one producer epoch every batch follows the one before.
// The first batch that is left in the log may start anywhere (PST-10, retention).
void OrderJudge::conclude_sequences(const Ledger& ledger, Findings& findings) {
    const auto& topology = *ledger.config().topology;
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        struct Last {
            model::ProducerEpoch epoch;
            model::Sequence next;
        };
        const auto size = std::int64_t{ledger.config().max_sequence} + 1;
        std::map<model::ProducerId, Last> last;
        std::int64_t gaps = 0;
        std::int64_t repeats = 0;
        std::vector<Evidence> evidence;
        for (const auto& batch : ledger.final_log(log).batches) {
            if (!batch.producer_id || !batch.base_sequence || batch.control) continue;
            const auto found = last.find(*batch.producer_id);
            if (found != last.end() && found->second.epoch == batch.producer_epoch) {
                const auto expected = found->second.next;
                if (*batch.base_sequence != expected) {
                    (*batch.base_sequence < expected ? repeats : gaps) += 1;
                    evidence.push_back({log, batch.base, {}});
                }
            }
            const auto next = (std::int64_t{batch.base_sequence->value} + batch.count) % size;
            last[*batch.producer_id] = {batch.producer_epoch,
                                        {static_cast<std::int32_t>(next)}};
        }
        if (gaps + repeats == 0) continue;
        findings.add({Count::illegal,
                      {},
                      gaps + repeats,
                      fmt::format("{}: accepted sequences skip {} times and repeat {} times",
                                  topology.log_name(log), gaps, repeats),
                      evidence,
                      {}});
    }
}

}  // namespace eos::reports
