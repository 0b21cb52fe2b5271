#pragma once
// What coordinators are busy with and whom they turn away: markers decided and not yet written,
// how long a coordinator loads its log, and why a client was told to be superseded. A meter, not a
// judge: nothing here is right or wrong (metrics of language.md 6).

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "model/history.hpp"
#include "model/milestones.hpp"
#include "reports/judges/finding.hpp"
#include "sim/facts.hpp"

namespace eos::reports {

class CoordinationMeter {
  public:
    void on(sim::Instant now, const model::TxnChanged& o);
    void on(sim::Instant now, const model::Appended& o);
    void on(sim::Instant now, const model::Fenced& o);
    void on(sim::Instant now, const model::AppError& o);
    /// coordinator.loading, loaded, unloaded; the end of a node ends its loads.
    void reached(sim::Instant now, const sim::Milestone& milestone);

    /// What still loads, does so until `end`.
    void conclude(sim::Instant end, Findings& findings) const;

  private:
    /// A transactional id as its present coordinator knows it.
    struct Id {
        model::BrokerId coordinator;
        model::CoordinatorEpoch epoch;
        std::optional<model::TxnState> state;
        model::ProducerId producer_id;
        /// Logs whose marker is decided and not written (MRK): owed from the decision to the
        /// append.
        std::vector<model::LogId> owed;
        /// What last took the id from a holder: transaction.timeout.ms or InitProducerId.
        model::TxnCause superseded_by = model::TxnCause::fence;
    };
    using Shard = std::pair<sim::NodeId, std::int64_t>;  ///< coordinator, its log

    void owes(Id& id, std::vector<model::LogId> logs);

    std::map<model::TransactionalId, Id> ids_;
    std::map<model::BrokerId, std::int64_t> queues_;  ///< markers, by coordinator
    std::int64_t queue_max_ = 0;
    std::map<Shard, sim::Instant> loading_;
    sim::Duration load_max_{};
    std::int64_t fenced_by_timeout_ = 0;
    std::int64_t fenced_by_init_ = 0;
    std::int64_t fenced_by_group_ = 0;
};

}  // namespace eos::reports
