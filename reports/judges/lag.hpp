#pragma once
// How far readers are behind: the log end that is replicated, what of it is decided, and what the
// reader was given. A meter, not a judge: nothing here is right or wrong (metrics of language.md
// 6).

#include <map>
#include <vector>

#include "reports/judges/ledger.hpp"

namespace eos::reports {

class LagMeter {
  public:
    explicit LagMeter(const JudgeConfig& config);

    void on(sim::Instant now, const model::WatermarkMoved& o);
    void on(sim::Instant now, const model::StableOffsetMoved& o);
    void on(sim::Instant now, const model::Polled& o);
    void on(sim::Instant now, const model::PositionSet& o);

    void conclude(Findings& findings) const;

  private:
    struct Reader {
        model::AppId app;
        model::Offset position;  ///< of whichever instance spoke last: one owns the log
        bool committed = false;
    };
    struct Log {
        model::Offset high_watermark;
        std::optional<model::Offset> last_stable;  ///< none: no transaction was ever here
        std::vector<Reader> readers;
        [[nodiscard]] model::Offset stable() const {
            return last_stable ? std::min(*last_stable, high_watermark) : high_watermark;
        }
    };

    void placed(model::ProcessId process, model::LogId log, model::Offset position);
    void measure(const Log& log);

    JudgeConfig config_;
    std::vector<Log> logs_;
    std::int64_t behind_end_ = 0;  ///< greatest distance of a reader to what it may be given
    std::int64_t behind_stable_ =
        0;  ///< greatest distance of what is decided to what is replicated
};

}  // namespace eos::reports
