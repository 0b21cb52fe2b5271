#pragma once
// Groups: two members that own a partition at once and both commit (E-DOUBLE-OWNER), and committed
// offsets that change without a commit (what a coordinator loads must be what was effective).

#include <map>
#include <set>
#include <vector>

#include "reports/judges/ledger.hpp"

namespace eos::reports {

class GroupJudge {
  public:
    explicit GroupJudge(const JudgeConfig& config) : config_(config) {}

    void on(sim::Instant now, const model::Assigned& o);
    void on(sim::Instant now, const model::CommitReturned& o);
    void on(sim::Instant now, const model::TxnOffsetsSent& o);
    void on(sim::Instant now, const model::TxnEndReturned& o);
    void on(sim::Instant now, const model::OffsetCommitted& o);
    void on(sim::Instant now, const model::Appended& o);

    void conclude(const Ledger& ledger, Findings& findings) const;

  private:
    struct Place {
        model::GroupId group;
        model::LogId log;
        friend auto operator<=>(const Place&, const Place&) = default;
    };
    /// A commit was asked for then, and succeeded.
    void committed(model::ProcessId process, const Place& place, sim::Instant asked);

    JudgeConfig config_;
    std::map<Place, std::set<model::ProcessId>> owners_;
    std::map<Place, std::set<model::ProcessId>> committers_;  ///< among the present owners
    std::map<Place, sim::Instant> taken_;  ///< when the newest owner got it
    /// Offsets sent in a transaction that has not ended: it commits them, for better or worse.
    struct Sent {
        Place place;
        sim::Instant at{};
    };
    std::map<model::TxnRef, std::vector<Sent>> sent_;
    std::map<Place, std::int64_t> double_owned_;
    std::map<Place, model::Offset> effective_;
    /// Written to the offsets log after what is effective: a successor may find any of them there.
    std::map<Place, std::vector<model::Offset>> written_;
    struct Regression {
        std::int64_t times = 0;
        std::optional<model::Offset> was;
        std::optional<model::Offset> became;
        sim::Instant at{};
    };
    std::map<Place, Regression> regressions_;
};

}  // namespace eos::reports
