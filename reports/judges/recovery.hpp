#pragma once
// How long it takes from a loss to the first success after it. A meter, not a judge: nothing here
// is right or wrong (recovery_max of language.md 6).
//
// Lost is: of a broker that crashes, loses power or stops, every partition it leads; of a
// coordinator that moves in good order, its log; of an application instance, itself. Success is:
//   of a partition                 a send acknowledged at an offset, after it has a leader again
//   of a log of __transaction_state  initTransactions, commit or abort returned without error for
//   an
//                                  id it keeps, after a coordinator has loaded it
//   of a log of __consumer_offsets an offset commit of a group it keeps, by itself or in a
//                                  transaction, or an assignment, after a coordinator has loaded it
//   of an instance                 any of these calls of its own, or an effect
// A loss that nobody asks anything of afterwards is none; one that is asked and never answers lasts
// to the end of the run. What idles after its loss is measured to its first use.

#include <map>
#include <optional>
#include <vector>

#include "model/milestones.hpp"
#include "reports/judges/ledger.hpp"
#include "sim/facts.hpp"

namespace eos::reports {

class RecoveryMeter {
  public:
    explicit RecoveryMeter(const JudgeConfig& config);

    void on(sim::Instant now, const model::LeadershipTaken& o);
    void on(sim::Instant now, const model::SendInvoked& o);
    void on(sim::Instant now, const model::SendDone& o);
    void on(sim::Instant now, const model::Effect& o);
    void on(sim::Instant now, const model::CommitReturned& o);
    void on(sim::Instant now, const model::Assigned& o);
    void on(sim::Instant now, const model::TxnBegan& o);
    void on(sim::Instant now, const model::TxnOffsetsSent& o);
    void on(sim::Instant now, const model::TxnEndInvoked& o);
    void on(sim::Instant now, const model::TxnEndReturned& o);
    void on(sim::Instant now, const model::TxnInitialised& o);
    /// The end of a node; a coordinator that is ready.
    void reached(sim::Instant now, const sim::Milestone& milestone);

    /// `end` is that of the run.
    void conclude(sim::Instant end, Findings& findings) const;

  private:
    struct Loss {
        sim::Instant at{};
        bool served = false;  ///< somebody leads it, or has loaded it, again
        bool asked = false;
    };

    void lose(sim::Instant now, model::LogId log);
    void serve(model::LogId log);
    void ask(std::optional<model::LogId> log);
    void succeed(sim::Instant now, std::optional<model::LogId> log);
    /// Which log keeps it; none as long as nothing is lost, because nobody asks then.
    [[nodiscard]] std::optional<model::LogId> home(model::GroupId group) const;
    [[nodiscard]] std::optional<model::LogId> home(model::ProcessId process) const;
    void succeed(sim::Instant now, model::ProcessId process);
    void recovered(sim::Duration time);

    JudgeConfig config_;
    std::vector<std::optional<model::BrokerId>> leaders_;  ///< by log
    std::map<model::LogId, Loss> lost_;
    std::map<model::ProcessId, sim::Instant> dead_;  ///< until their first success
    std::map<model::ProcessId, model::TransactionalId> ids_;
    std::map<model::ProcessId, model::GroupId> offsets_;  ///< sent in the open transaction
    std::optional<sim::Duration> longest_;
};

}  // namespace eos::reports
