#pragma once
// The tapes a run may keep for printing, in terms the renderers know: moments (milestones) and
// frames. Kept only when somebody asked; judges never read them.

#include <vector>

#include "sim/event.hpp"
#include "sim/facts.hpp"
#include "sim/time.hpp"

namespace eos::reports {

struct Moment {
    sim::Instant at;
    sim::Milestone milestone;
};
struct FrameOnTape {
    sim::Instant at;
    sim::FrameNews news;
};
using Moments = std::vector<Moment>;
using Frames = std::vector<FrameOnTape>;

}  // namespace eos::reports
