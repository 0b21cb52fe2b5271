#pragma once
// Swarm testing: per seed, whole kinds of faults are switched off and the rest varies in intensity.
// A run with few kinds of trouble in large doses finds what a little of everything hides (Groce et
// al., "Swarm Testing", 2012). The choice is a value: printed, and kept in repro files.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "faults/plan.hpp"

namespace eos::faults {

/// For one fault; position as in Plan::faults.
struct Dose {
    bool enabled = true;
    std::int32_t pace = 0;    ///< powers of two: how much more often it fires (`every`, `chance`)
    std::int32_t length = 0;  ///< powers of two: how much longer it lasts (`for`)
    friend bool operator==(const Dose&, const Dose&) = default;
};

struct Swarm {
    std::vector<Dose> doses;
    friend bool operator==(const Swarm&, const Swarm&) = default;
};

/// Draws a swarm. Each kind (the word of `do`) is on with a chance of one half, at least one kind
/// stays on; faults named in `keep`, and those other faults wait for, are not switched off.
/// Adding a fault of another kind moves nobody else's dose. Faults that fire once by `at` or `nth`
/// keep their measure: they are written for one moment.
[[nodiscard]] Swarm draw_swarm(const Plan& plan, std::uint64_t seed,
                               const std::vector<std::string>& keep = {});
/// The plan with every fault at its dose.
[[nodiscard]] Plan apply(const Swarm& swarm, Plan plan);
/// "off: crash, pause; cut-leader 4x as often, 1/2 as long".
[[nodiscard]] std::string describe(const Swarm& swarm, const Plan& plan);

}  // namespace eos::faults
