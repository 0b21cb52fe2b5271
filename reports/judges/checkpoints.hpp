#pragma once
// How checkpoints of Flink jobs went. A meter, not a judge: a failed checkpoint is nothing wrong.

#include "model/history.hpp"
#include "reports/judges/finding.hpp"
#include "reports/judges/histogram.hpp"

namespace eos::reports {

class CheckpointMeter {
  public:
    void on(sim::Instant, const model::CheckpointCompleted& o) { took_.add(o.took); }
    void on(sim::Instant, const model::CheckpointFailed&) { ++failed_; }

    void conclude(Findings& findings) const {
        findings.measured.checkpoint_p99 = took_.quantile(990);
        findings.measured.checkpoints_completed = took_.count();
        findings.measured.checkpoints_failed = failed_;
    }

  private:
    Histogram took_;
    std::int64_t failed_ = 0;
};

}  // namespace eos::reports
