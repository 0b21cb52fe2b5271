#pragma once
// After each handling a role reaches safeguard.NAME for every removed safeguard whose condition
// held in it: the proof that a mutation or a historical bug was met, not only switched on.

#include <cstdint>

#include "model/milestones.hpp"
#include "model/safeguards.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

/// Reaches one milestone per spared safeguard, once, and forgets them.
inline void reach_spared(Guard& guard, Fx& fx) {
    if (guard.spared.bits() == 0) return;
    for (std::size_t i = 0; i < safeguard_count; ++i) {
        if (!guard.spared.has(static_cast<Safeguard>(i))) continue;
        fx.reach({static_cast<std::uint16_t>(static_cast<std::size_t>(Mile::safeguard_first) + i)});
    }
    guard.spared = {};
}

}  // namespace eos::model
