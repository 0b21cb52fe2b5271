#pragma once
// The ledger of records: for every event and topic, who wrote it, whether it was acknowledged, how
// often it is readable at the end. Shared by the judges of loss and duplication; it is the ground
// truth, made from what applications offered and what the leaders' logs hold after settle.

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "model/history.hpp"
#include "model/topology.hpp"
#include "reports/judges/fate.hpp"
#include "reports/judges/finding.hpp"

namespace eos::reports {

/// One event in one topic.
struct LedgerKey {
    model::TopicId topic;
    model::RecordId record;
    friend auto operator<=>(const LedgerKey&, const LedgerKey&) = default;
};
struct LedgerKeyHash {
    std::size_t operator()(const LedgerKey& key) const {
        return static_cast<std::size_t>((key.record.value ^ (static_cast<std::uint64_t>(
                                             key.topic.value) << 48)) * 0x9e3779b97f4a7c15ULL);
    }
};

struct LedgerEntry {
    std::optional<model::AppId> writer;  ///< none: preloaded
    bool acknowledged = false;
    bool withdrawn = false;              ///< its writer aborted it on purpose
    std::int32_t sends = 0;
    std::int32_t visible = 0;            ///< copies readable at the end: committed, below the watermark
    std::int32_t written = 0;            ///< copies in the logs, aborted ones too
    bool polled = false;
    sim::Instant invoked_at{};           ///< of the first send
    model::LogId log{-1};                ///< of the newest acknowledgement, else of the newest send
    std::optional<model::Offset> offset; ///< of the newest acknowledgement
};

/// What an application is, as far as its promise goes.
struct JudgedApp {
    model::AppId id;
    bool writes = false;
    bool reads = false;
    std::optional<model::GroupId> group{};
    std::vector<model::TopicId> from{};
    std::vector<model::TopicId> to{};
    std::int32_t instances = 1;
    /// It is promised committed data: mode exactly-once, or isolation read-committed.
    bool wants_committed = false;
    /// The stores its program writes into, and what a row does there.
    std::vector<std::pair<model::StoreId, model::EffectKind>> writes_into{};
    /// What it has passed is told by its checkpoints, not by its group (F16).
    bool checkpoints = false;
};
struct JudgeConfig {
    std::shared_ptr<const model::Topology> topology;
    std::vector<JudgedApp> apps;
    std::vector<InvariantSpec> invariants;
    std::int32_t max_sequence = model::Sequence::greatest;  ///< the number after it is 0
    /// Operations of clients are looked at too, and cycles of them: takes time, so only on demand.
    bool operations = false;
};

/// A log at the end, as its leader holds it.
struct FinalLog {
    bool led = false;
    model::Offset start;
    model::Offset high_watermark;
    std::vector<model::Batch> batches;   ///< payloads shared with the world
    std::vector<Fate> fates;             ///< one per batch
    model::Offset last_stable;
    std::int32_t open_transactions = 0;

    /// visit(offset, record) for every record that a read_committed reader is given.
    template <class Visit>
    void for_each_readable(Visit visit) const {
        for (std::size_t b = 0; b < batches.size(); ++b) {
            const auto& batch = batches[b];
            if (batch.next_offset() > high_watermark) break;
            if (!fates[b].readable()) continue;
            const auto& records = batch.payload.records();
            for (std::size_t i = 0; i < records.size(); ++i) {
                const auto offset = batch.base + static_cast<std::int64_t>(i);
                if (offset >= start) visit(offset, records[i]);
            }
        }
    }
};

class Ledger {
  public:
    explicit Ledger(JudgeConfig config);

    void on(sim::Instant now, const model::InputOffered& o);
    void on(sim::Instant now, const model::InputWithdrawn& o);
    void on(sim::Instant now, const model::SendInvoked& o);
    void on(sim::Instant now, const model::SendDone& o);
    void on(sim::Instant now, const model::Polled& o);
    void on(sim::Instant now, const model::Effect& o);
    void on(sim::Instant now, const model::OffsetCommitted& o);
    void on(sim::Instant now, const model::CheckpointCompleted& o);
    void on(sim::Instant now, const model::JobRestored& o);
    void on(sim::Instant now, const model::ReplicaAudit& o);
    void on(sim::Instant now, const model::GroupAudit& o);

    /// Loss and duplication, after the audit.
    void conclude(Findings& findings);

    [[nodiscard]] const FinalLog& final_log(model::LogId log) const {
        return finals_[static_cast<std::size_t>(log.value)];
    }
    [[nodiscard]] const LedgerEntry* find(model::TopicId topic, model::RecordId record) const;
    [[nodiscard]] const JudgeConfig& config() const { return config_; }
    /// The application's group has committed past this offset.
    [[nodiscard]] bool settled(const JudgedApp& app, model::LogId log, model::Offset offset) const;

  private:
    void count_visible();
    void conclude_writers(Findings& findings) const;
    void conclude_processor(const JudgedApp& app, Findings& findings) const;
    void conclude_consumer(const JudgedApp& app, Findings& findings) const;
    [[nodiscard]] std::vector<model::LogId> logs_of(const std::vector<model::TopicId>& topics) const;

    struct Place {
        model::GroupId group;
        model::LogId log;
        friend auto operator<=>(const Place&, const Place&) = default;
    };

    JudgeConfig config_;
    boost::unordered_flat_map<LedgerKey, LedgerEntry, LedgerKeyHash> entries_;
    std::set<LedgerKey> offered_unsent_;          ///< accepted by the app, no send yet
    /// Effects of the record at one position; another record there (after a truncation) starts anew.
    struct Effects {
        model::RecordId record;
        std::int32_t times = 0;
    };
    /// Offsets are dense, so a vector by offset per (group, log).
    std::map<Place, std::vector<Effects>> effects_;
    std::map<Place, model::Offset> committed_;
    /// Where each Flink job would begin again.
    std::map<model::AppId, std::map<model::LogId, model::Offset>> checkpoints_;
    std::vector<FinalLog> finals_;
    std::int64_t polled_ = 0;
    std::int64_t effect_count_ = 0;
};

}  // namespace eos::reports
