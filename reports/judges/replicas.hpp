#pragma once
// Replicas and readers agree: log matching below the high watermarks (INV-2), watermarks that do not
// go back (INV-3), nobody reads above one (G1a without transactions), an offset means one record for
// every reader, an end offset told to clients does not shrink (KIP-207).

#include <map>
#include <vector>

#include "reports/judges/ledger.hpp"

namespace eos::reports {

class ReplicaJudge {
  public:
    explicit ReplicaJudge(const JudgeConfig& config);

    void on(sim::Instant now, const model::WatermarkMoved& o);
    void on(sim::Instant now, const model::LeadershipTaken& o);
    void on(sim::Instant now, const model::Polled& o);
    void on(sim::Instant now, const model::EndOffsetTold& o);
    void on(sim::Instant now, const model::ReplicaAudit& o);

    void conclude(const Ledger& ledger, Findings& findings) const;

  private:
    void conclude_readers(const Ledger& ledger, Findings& findings) const;
    void conclude_replicas(const Ledger& ledger, Findings& findings) const;

    /// What readers saw of one log: per offset the first id, and how far they may have read.
    struct Seen {
        std::vector<std::uint64_t> ids;     ///< id + 1; 0: not read
        model::Offset watermark;            ///< greatest high watermark of any leader so far
        std::optional<model::BrokerId> leader;
        model::Offset watermark_of_leader;  ///< of the present leader
        model::Offset told;                 ///< greatest end offset told to a client
        std::int64_t dirty = 0;
        std::int64_t two_values = 0;
        std::int64_t watermark_back = 0;
        std::int64_t told_back = 0;
        std::vector<Evidence> dirty_evidence;
        std::vector<Evidence> value_evidence;
        std::vector<Evidence> told_evidence;
        std::optional<sim::Instant> told_at;
    };
    Seen& seen(model::LogId log) { return seen_[static_cast<std::size_t>(log.value)]; }

    JudgeConfig config_;
    std::vector<Seen> seen_;
    std::vector<model::ReplicaAudit> audits_;
};

}  // namespace eos::reports
