#pragma once
// All judges together, as one copyable value that listens to a run. Every observation is shown to
// the judges that have an opinion on its kind; after the audit, conclude() gives the findings.

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>

#include "reports/judges/black_box.hpp"
#include "reports/judges/checkpoints.hpp"
#include "reports/judges/coordination.hpp"
#include "reports/judges/finding.hpp"
#include "reports/judges/groups.hpp"
#include "reports/judges/lag.hpp"
#include "reports/judges/ledger.hpp"
#include "reports/judges/operations.hpp"
#include "reports/judges/order.hpp"
#include "reports/judges/progress.hpp"
#include "reports/judges/recovery.hpp"
#include "reports/judges/replicas.hpp"
#include "reports/judges/stores.hpp"
#include "reports/judges/transactions.hpp"

namespace eos::reports {

/// One row per claim that is judged: `list expectations` and the documentation read it.
struct JudgeEntry {
    std::string_view name;    ///< the count
    std::string_view unit;
    std::string_view claim;   ///< counted when
    std::string_view source;  ///< code of anomalies.md, rule
};
[[nodiscard]] std::span<const JudgeEntry> judge_catalogue();

class Court {
  public:
    explicit Court(const JudgeConfig& config);

    /// The Audience's half of the engine boundary.
    void observe(sim::Instant now, sim::NodeId node, const model::Observation& observation);
    /// Turning points of nodes and coordinators: nobody is judged by them, the meters count time.
    [[nodiscard]] static bool measures(sim::MilestoneKind kind) {
        return kind.value < turning_points.size() && turning_points[kind.value];
    }
    void reached(sim::Instant now, const sim::Milestone& milestone);

    /// The verdict over the whole history. Call once, after the audit was observed.
    [[nodiscard]] Findings conclude();

    [[nodiscard]] const ProgressJudge& progress() const { return progress_; }

  private:
    /// By milestone: asked of every one that is reached.
    static constexpr auto turning_points = [] {
        using enum model::Mile;
        std::array<bool, static_cast<std::size_t>(safeguard_first)> points{};
        for (const auto mile : {coordinator_loading, coordinator_loaded, coordinator_unloaded,
                                node_crashed, node_lost_power, node_stopped})
            points[static_cast<std::size_t>(mile)] = true;
        return points;
    }();

    Ledger ledger_;
    OrderJudge order_;
    ReplicaJudge replicas_;
    GroupJudge groups_;
    ProgressJudge progress_;
    BlackBoxJudge black_box_;
    std::optional<OperationJudge> operations_;
    TransactionJudge transactions_;
    LagMeter lag_;
    CoordinationMeter coordination_;
    RecoveryMeter recovery_;
    StoreJudge stores_;
    CheckpointMeter checkpoints_;
    sim::Instant end_{};
};

}  // namespace eos::reports
