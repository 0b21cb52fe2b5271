#pragma once
// Transactions against what was promised: decided as one (E-TORN), with their offsets (E-OFFSET-TEAR),
// by their own end (E-FOREIGN-END), told truly (E-FALSE-ACK), never read before or instead of their
// commit (G1a), by legal steps (E-STATE-ILLEGAL), and at last at all (E-HANG). The truth is the
// leaders' logs at the end; what was meant is what the clients called.

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "reports/judges/histogram.hpp"
#include "reports/judges/ledger.hpp"

namespace eos::reports {

class TransactionJudge {
  public:
    explicit TransactionJudge(const JudgeConfig& config);

    void on(sim::Instant now, const model::TxnBegan& o);
    void on(sim::Instant now, const model::SendInvoked& o);
    void on(sim::Instant now, const model::TxnOffsetsSent& o);
    void on(sim::Instant now, const model::TxnEndInvoked& o);
    void on(sim::Instant now, const model::TxnEndReturned& o);
    void on(sim::Instant now, const model::TxnChanged& o);
    void on(sim::Instant now, const model::Appended& o);
    void on(sim::Instant now, const model::LeadershipTaken& o);
    void on(sim::Instant now, const model::StableOffsetMoved& o);
    void on(sim::Instant now, const model::WatermarkMoved& o);
    void on(sim::Instant now, const model::Polled& o);
    void on(sim::Instant now, const model::TxnAudit& o);
    void on(sim::Instant now, const model::ReplicaAudit& o);

    void conclude(const Ledger& ledger, Findings& findings);

  private:
    /// One transaction as its client meant it.
    struct Meant {
        model::TransactionalId txid;
        std::vector<std::pair<model::LogId, model::RecordId>> sends;
        std::set<model::LogId> offsets;          ///< input logs whose offsets were sent
        bool ended = false;                      ///< commit or abort was called
        sim::Instant end_invoked{};
        std::optional<model::ControlType> told;  ///< reported, no error
    };
    /// What the logs say of one transaction.
    struct Truth {
        std::set<std::pair<model::LogId, model::RecordId>> committed;
        std::int64_t aborted = 0;
        std::int64_t open = 0;
        std::int64_t offsets_committed = 0;
        std::int64_t offsets_aborted = 0;        ///< or never ended
    };
    struct Coordinated {
        std::optional<model::TxnState> state;
        model::CoordinatorEpoch coordinator_epoch;
        sim::Instant ending{};                   ///< since its end was asked for, or due
    };
    struct Stable {
        bool told = false;                       ///< some leader spoke of it
        model::Offset greatest;                  ///< of any leader: what is below it is decided
        std::optional<model::BrokerId> leader;
        model::Offset of_leader;                 ///< in the present leadership
        model::Offset watermark;
        std::int64_t went_back = 0;
        std::optional<sim::Instant> stalled_since;
    };
    using Reader = std::pair<model::AppId, model::LogId>;
    /// What an application that wants committed data was given of one log.
    struct Reads {
        std::vector<bool> offsets;
        std::int64_t undecided = 0;              ///< given before their transaction was decided
        std::vector<Evidence> evidence;
    };
    using Newest = std::map<std::pair<model::LogId, model::ProducerId>, model::ProducerEpoch>;

    void gather(const Ledger& ledger);
    void conclude_decisions(Findings& findings) const;
    void conclude_foreign_ends(const Ledger& ledger, Findings& findings) const;
    void conclude_readers(const Ledger& ledger, Findings& findings) const;
    void conclude_progress(const Ledger& ledger, Findings& findings) const;
    void conclude_states(Findings& findings) const;
    void measure(Findings& findings) const;
    [[nodiscard]] std::string name_of(model::TxnRef txn) const;

    JudgeConfig config_;
    std::map<model::TxnRef, Meant> meant_;
    std::map<model::TxnRef, Truth> truth_;
    std::map<model::TransactionalId, Coordinated> ids_;
    std::map<model::ProducerId, model::ProducerEpoch> done_;  ///< epochs below are fenced for good
    std::vector<Stable> stable_;
    std::map<Reader, Reads> reads_;
    Newest newest_;                              ///< epochs as each partition has seen them
    std::map<model::LogId, std::int64_t> zombies_;
    std::map<model::TransactionalId, std::vector<std::string>> illegal_;
    std::vector<model::TxnAudit> audits_;
    std::int64_t open_ = 0;
    sim::Instant end_{};
    TxnMeasurements measured_;
    Histogram commit_latency_;
    Histogram coordinator_lag_;
};

}  // namespace eos::reports
