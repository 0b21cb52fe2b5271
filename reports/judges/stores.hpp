#pragma once
// What applications did to external stores: the ledger of effects outside of every modelled
// component (X3). An effect is named by its event: what a producer wrote twice and a sink did twice
// is twice in the store, whoever repeated it. A value that is overwritten has no repetitions; there
// it counts which input the value is of.

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "reports/judges/ledger.hpp"

namespace eos::reports {

class StoreJudge {
  public:
    explicit StoreJudge(const JudgeConfig& config) : config_(config) {}

    void on(sim::Instant now, const model::StoreCallDone& o);
    void on(sim::Instant now, const model::StoreApplied& o);
    void on(sim::Instant now, const model::StoreOffsetWritten& o);
    void on(sim::Instant now, const model::StoreWiped& o);
    void on(sim::Instant now, const model::StoreAudit& o);

    void conclude(const Ledger& ledger, Findings& findings) const;

    /// What stands in a store, as records: each effect that adds a row, each key's value.
    [[nodiscard]] std::vector<model::Record> rows(model::StoreId store) const;

  private:
    /// What one application did to one store.
    using Pair = std::pair<model::AppId, model::StoreId>;
    struct Value {
        model::Record record;
        model::LogId log;
        model::Offset offset;
    };
    struct Held {
        std::vector<model::Record> added;               ///< in the order of their commits
        std::map<model::RecordId, std::int32_t> times;  ///< of effects that add
        std::map<std::uint32_t, Value> values;          ///< by key
        std::set<model::RecordId> put;                  ///< written at some time
        /// Greatest offset written, by log and key.
        std::map<std::pair<model::LogId, std::uint32_t>, model::Offset> newest;
    };
    void conclude_app(const JudgedApp& app, const Ledger& ledger, Findings& findings) const;
    void conclude_added(const JudgedApp& app, const Held& held, const Ledger& ledger,
                        Findings& findings) const;
    void conclude_values(const JudgedApp& app, const Held& held, const Ledger& ledger,
                         Findings& findings) const;
    [[nodiscard]] bool passed(const JudgedApp& app, const Ledger& ledger, model::LogId log,
                              model::Offset offset) const;

    JudgeConfig config_;
    std::map<Pair, Held> held_;
    std::map<std::pair<model::GroupId, model::LogId>, model::Offset> offsets_;
    std::vector<model::StoreAudit> audits_;
    std::int64_t calls_ = 0;
    std::int64_t effects_ = 0;
};

}  // namespace eos::reports
