#pragma once
// What the harnesses of transactions share: partitions "a-0" and states "PrepareCommit" as the
// model's numbers.

#include <stdexcept>
#include <string>
#include <vector>

#include "model/records.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/conformance/names.hpp"

namespace eos::conformance {

[[nodiscard]] inline model::TxnState state_named(const std::string& word) {
    for (int i = 0; i <= static_cast<int>(model::TxnState::prepare_epoch_fence); ++i)
        if (model::name(static_cast<model::TxnState>(i)) == word)
            return static_cast<model::TxnState>(i);
    throw std::invalid_argument("no state is called " + word);
}

/// Gives each partition the next log.
class PartitionNames {
  public:
    [[nodiscard]] model::LogId log(const std::string& name) { return {names_.number(name) - 1}; }
    [[nodiscard]] std::string partition(model::LogId log) const {
        return names_.name(log.value + 1);
    }
    [[nodiscard]] std::vector<model::LogId> logs(const YAML::Node& list) {
        std::vector<model::LogId> result;
        if (!list.IsDefined()) return result;
        for (const YAML::Node& name : list) result.push_back(log(name.as<std::string>()));
        return result;
    }
    [[nodiscard]] YAML::Node partitions(const std::vector<model::LogId>& logs) const {
        YAML::Node list = empty_list();
        for (const auto id : logs) list.push_back(partition(id));
        return list;
    }

  private:
    Names names_;
};

}  // namespace eos::conformance
