#pragma once
// A history written by hand and told to the court; time moves a millisecond with every observation.
// A test derives its own words from it: class History : public ToldHistory<History>.

#include <utility>

#include "reports/judges/court.hpp"

namespace eos::reports::testing {

template <class Words>
class ToldHistory {
  public:
    explicit ToldHistory(const JudgeConfig& config) : court_(config) {}

    template <class O>
    Words& tell(O observation) {
        now_ += sim::milliseconds(1);
        court_.observe(now_, {0}, std::move(observation));
        return static_cast<Words&>(*this);
    }
    /// Once, after the last observation.
    [[nodiscard]] Findings findings() { return court_.conclude(); }

  protected:
    [[nodiscard]] sim::Instant now() const { return now_; }

  private:
    Court court_;
    sim::Instant now_{};
};

}  // namespace eos::reports::testing
