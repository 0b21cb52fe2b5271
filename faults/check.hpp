#pragma once
// What a plan may not say: combinations that read well and mean nothing. The scenario reader
// reports them at the position of the fault; a plan without problems never meets a broken contract
// later.

#include <string>
#include <vector>

#include "faults/plan.hpp"

namespace eos::faults {

struct Problem {
    FaultIndex fault;
    std::string field;  ///< the key of the fault it is about: "do", "target", "for", "after", ...
    std::string what;   ///< what is wrong and what to write instead
    friend bool operator==(const Problem&, const Problem&) = default;
};

[[nodiscard]] std::vector<Problem> check(const Plan& plan);

}  // namespace eos::faults
