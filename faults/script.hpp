#pragma once
// What chance decided in a run, written down: which fault fired at which of its occurrences, at
// whom and with which durations. Repro files keep the list; an injector that is given one replays
// it instead of drawing, so that a repro still means the same after the code has changed, and says
// at which step the run no longer follows it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/plan.hpp"

namespace eos::faults {

/// One drawn value. What is fixed in the plan is not drawn and not written down.
struct Drawn {
    enum class Kind : std::uint8_t {
        after,        ///< ns between trigger and action
        lasts,        ///< ns until it ends by itself
        until_nth,    ///< which match of `until` ends it
        until_after,  ///< ns between that match and the end
        node,
        log,
        group,   ///< one of several
        choice,  ///< entry of a mix or a swizzle
        gap,     ///< ns between two steps of a generator
        by,      ///< ns or parts per million of the action
        code,    ///< an error code
        txid,    ///< one of several transactional ids
    };
    Kind kind = Kind::after;
    std::int64_t value = 0;
    friend bool operator==(const Drawn&, const Drawn&) = default;
};

/// A firing (step 0), a message a rule touched (its number among those that matched), or a hit of a
/// swizzle (from 1). Occurrences count what passed match and since, from 1.
struct Decision {
    FaultIndex fault;
    std::int64_t occurrence = 1;
    std::int64_t step = 0;
    sim::Instant at;                 ///< of the trigger
    std::vector<Drawn> drawn;        ///< in the order of drawing
    std::vector<sim::NodeId> nodes;  ///< whom it hit; on replay compared, not used
    friend bool operator==(const Decision&, const Decision&) = default;
};

/// In the order decided.
using Script = std::vector<Decision>;

/// The first step at which a scripted run went another way.
struct Divergence {
    std::size_t step = 0;  ///< position in the script
    std::string what;
    friend bool operator==(const Divergence&, const Divergence&) = default;
};

[[nodiscard]] std::string_view name(Drawn::Kind kind);
[[nodiscard]] std::optional<Drawn::Kind> drawn_named(std::string_view name);

}  // namespace eos::faults
