#include "reports/judges/court.hpp"

#include <array>

namespace eos::reports {
namespace {

constexpr std::array entries{
    JudgeEntry{"lost", "record",
               "acknowledged, or offered input the app accepted, and not readable at the end; or an "
               "input its group has committed past, without effect",
               "lost-write, E-LOST-EFFECT"},
    JudgeEntry{"duplicates", "record",
               "readable more than once under one ledger id, or more than one effect for one input; "
               "being polled twice is not a duplicate",
               "duplicate, E-DUP-EFFECT"},
    JudgeEntry{"aborted_visible", "record",
               "given to a reader that wants committed data, its transaction aborted", "G1a"},
    JudgeEntry{"dirty_reads", "record",
               "returned above the high watermark or, to a reader that wants committed data, before "
               "its transaction was decided; or returned and later cut off",
               "I4, INV-2"},
    JudgeEntry{"torn", "transaction",
               "at the end committed in one partition and not in another", "E-TORN"},
    JudgeEntry{"offset_tear", "transaction",
               "outputs without the input offsets, or offsets without the outputs",
               "E-OFFSET-TEAR"},
    JudgeEntry{"misattributed", "record", "decided by the end of another transaction",
               "E-FOREIGN-END, E-ORPHAN-MARKER"},
    JudgeEntry{"false_ack", "call",
               "told committed and it was not, or told aborted and it was committed",
               "E-FALSE-ACK"},
    JudgeEntry{"zombie_writes", "append",
               "accepted from a producer epoch that a newer one had fenced for good",
               "E-ZOMBIE-APPEND"},
    JudgeEntry{"double_owners", "partition", "two members own it and both commit",
               "E-DOUBLE-OWNER"},
    JudgeEntry{"reordered", "record",
               "sends of one producer session out of order in a partition", "nonmonotonic-send, I9"},
    JudgeEntry{"diverged", "offset",
               "one offset, two values: between replicas below both high watermarks, or for readers",
               "inconsistent-offsets, I8"},
    JudgeEntry{"offset_regressions", "event",
               "a group offset not explained by a commit, a watermark or told end offset that goes "
               "back",
               "I7, KIP-207"},
    JudgeEntry{"state_drift", "key",
               "an older value stands in a store where the newest input was written, too", "STALE"},
    JudgeEntry{"illegal", "event",
               "accepted sequences that skip or repeat, transaction states out of order",
               "E-SEQ-GAP, E-DEDUP-MISS, E-STATE-ILLEGAL"},
    JudgeEntry{"stuck", "thing",
               "after settle: a call or send without answer, input left, a group not stable, a "
               "partition without leader, a transaction open past its timeout or decided and not "
               "completed, a last stable offset below the high watermark",
               "I11, V11, E-HANG, E-FENCE-LIVELOCK"},
    JudgeEntry{"fenced", "client", "told to be superseded", "T18, M17"},
};
static_assert(entries.size() == count_kinds);

}  // namespace

std::span<const JudgeEntry> judge_catalogue() { return entries; }

Court::Court(const JudgeConfig& config)
    : ledger_(config), order_(config), replicas_(config), groups_(config), progress_(config),
      black_box_(config), transactions_(config), lag_(config), recovery_(config),
      stores_(config) {
    if (config.operations) operations_.emplace(config);
}

void Court::reached(sim::Instant now, const sim::Milestone& milestone) {
    coordination_.reached(now, milestone);
    recovery_.reached(now, milestone);
}

void Court::observe(sim::Instant now, sim::NodeId, const model::Observation& observation) {
    end_ = now;
    const auto show = [&](auto& judge, const auto& o) {
        if constexpr (requires { judge.on(now, o); }) judge.on(now, o);
    };
    std::visit(
        [&](const auto& o) {
            // The latency to the first reader needs the ledger's entry before it is marked polled.
            if constexpr (std::is_same_v<std::decay_t<decltype(o)>, model::Polled>) {
                const auto topic = ledger_.config()
                                       .topology->logs[static_cast<std::size_t>(o.log.value)]
                                       .topic;
                const auto& records = o.payload.records();
                for (std::int32_t i = o.first; i < o.first + o.count; ++i) {
                    const auto* entry =
                        ledger_.find(topic, records[static_cast<std::size_t>(i)].id);
                    if (entry && entry->sends > 0 && !entry->polled)
                        progress_.seen_after(now - entry->invoked_at);
                }
            }
            show(ledger_, o);
            show(order_, o);
            show(replicas_, o);
            show(groups_, o);
            show(progress_, o);
            show(black_box_, o);
            if (operations_) show(*operations_, o);
            show(transactions_, o);
            show(lag_, o);
            show(coordination_, o);
            show(recovery_, o);
            show(stores_, o);
            show(checkpoints_, o);
        },
        observation);
}

Findings Court::conclude() {
    Findings findings;
    ledger_.conclude(findings);
    order_.conclude(ledger_, findings);
    replicas_.conclude(ledger_, findings);
    groups_.conclude(ledger_, findings);
    progress_.conclude(ledger_, findings);
    transactions_.conclude(ledger_, findings);
    lag_.conclude(findings);
    coordination_.conclude(end_, findings);
    recovery_.conclude(end_, findings);
    stores_.conclude(ledger_, findings);
    checkpoints_.conclude(findings);
    black_box_.conclude(ledger_, findings);
    if (operations_) operations_->conclude(black_box_, findings);
    for (const auto& spec : ledger_.config().invariants)
        findings.invariants.push_back(evaluate(spec, ledger_, stores_));
    return findings;
}

}  // namespace eos::reports
