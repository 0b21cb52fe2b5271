#pragma once
// Liveness and measurements: what is stuck after settle and who waits for whom; the longest gap
// without a success while load was offered; latencies; how much was sent, refused and rebalanced.

#include <map>
#include <set>
#include <vector>

#include "reports/judges/histogram.hpp"
#include "reports/judges/ledger.hpp"

namespace eos::reports {

class ProgressJudge {
  public:
    explicit ProgressJudge(const JudgeConfig& config);

    void on(sim::Instant now, const model::InputOffered& o);
    void on(sim::Instant now, const model::SendInvoked& o);
    void on(sim::Instant now, const model::SendDone& o);
    void on(sim::Instant now, const model::Appended& o);
    void on(sim::Instant now, const model::Deduplicated& o);
    void on(sim::Instant now, const model::GroupChanged& o);
    void on(sim::Instant now, const model::AppError& o);
    void on(sim::Instant now, const model::ClientAudit& o);
    void on(sim::Instant now, const model::GroupAudit& o);

    /// A record reached its first reader, `since` it was first sent.
    void seen_after(sim::Duration since) { visible_.add(since); }

    void conclude(const Ledger& ledger, Findings& findings) const;

    [[nodiscard]] const Histogram& visible() const { return visible_; }
    [[nodiscard]] const Histogram& acked() const { return acked_; }

  private:
    void conclude_stuck(const Ledger& ledger, Findings& findings) const;

    JudgeConfig config_;
    Histogram visible_;
    Histogram acked_;
    std::int64_t offered_ = 0;
    std::int64_t failed_ = 0;
    std::int64_t deduplicated_ = 0;
    std::int64_t log_bytes_ = 0;
    std::int64_t rebalances_ = 0;
    std::map<std::string, std::int64_t> errors_;
    std::set<model::ProcessId> fenced_;
    std::int64_t open_ = 0;                 ///< sends without an answer
    sim::Instant waiting_since_{};          ///< of the present gap, while open_ > 0
    sim::Duration gap_{};
    std::vector<model::ClientAudit> clients_;
    std::vector<model::GroupAudit> groups_;
};

}  // namespace eos::reports
