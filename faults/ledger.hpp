#pragma once
// What each fault did, for reports: a fault that was configured and never fired, or that fired and
// changed nothing, is said so. Kept during the run, read after it; takes no part in any decision.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/plan.hpp"

namespace eos::faults {

/// One firing.
struct Deed {
    std::int64_t occurrence = 0;
    sim::Instant at;
    std::optional<sim::Instant> ended;  ///< empty: still under way at the end of the run
    std::string_view word;              ///< the action, after a mix has drawn
    std::vector<sim::NodeId> nodes;
    std::vector<std::int32_t> logs;
    std::vector<std::int32_t> groups;
    std::vector<std::int32_t> txids;
    std::int64_t messages = 0;  ///< frames whose fate it changed
    std::int64_t acts = 0;      ///< changes it made to nodes, links, disks, clocks, roles
    friend bool operator==(const Deed&, const Deed&) = default;
};

/// Whether a fault did what it was written for.
enum class Bite : std::uint8_t {
    switched_off,     ///< `enabled: false`
    never_triggered,  ///< nothing matched, or its time never came
    never_fired,      ///< it matched, and since, nth, chance or times let nothing through
    changed_nothing,  ///< it fired, and the world went on as before
    bit,
};
[[nodiscard]] std::string_view name(Bite bite);

struct FaultReport {
    static constexpr std::size_t deeds_kept = 256;

    std::string name;
    std::string_view word;  ///< the action as configured
    bool enabled = true;
    bool quiet = false;           ///< its action is `none`: changing nothing is its purpose
    std::int64_t matched = 0;     ///< passed match (and its time came)
    std::int64_t considered = 0;  ///< passed since as well
    std::int64_t fired = 0;
    std::int64_t ended = 0;
    std::int64_t late = 0;       ///< waited for `after` when the faults healed
    std::int64_t aimless = 0;    ///< fired, and nobody held the role it aimed at
    std::int64_t overruled = 0;  ///< fired on a message another fault had already decided
    std::int64_t messages = 0;
    std::int64_t acts = 0;
    std::vector<sim::NodeId> nodes;  ///< hit at least once, sorted
    std::vector<Deed> deeds;         ///< the first `deeds_kept`
    friend bool operator==(const FaultReport&, const FaultReport&) = default;

    [[nodiscard]] Bite bite() const;
};

/// One sentence: "cut-leader fired 3 times: 12 changes, hit broker 1, broker 2".
[[nodiscard]] std::string sentence(const FaultReport& report, const Plan& plan);

}  // namespace eos::faults
