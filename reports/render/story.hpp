#pragma once
// The printed story of a run: what the faults did and the turning points that followed, short enough
// to read; and the full list of events for those who ask.

#include <optional>
#include <string>
#include <vector>

#include "model/topology.hpp"
#include "reports/render/tapes.hpp"
#include "reports/result.hpp"

namespace eos::reports {

/// One firing of a fault, in the order of time.
struct Deed {
    std::string fault;
    std::string word;                      ///< the action: "crash", "drop"
    sim::Instant at;
    std::optional<sim::Instant> ended;
    std::vector<sim::NodeId> nodes;
    std::vector<std::int32_t> logs;
    std::int64_t messages = 0;
};

/// At most `lines_most` lines; what is left out is said in the last one.
inline constexpr std::size_t lines_most = 24;
[[nodiscard]] std::vector<StoryLine> story(const std::vector<Deed>& deeds, const Moments& moments,
                                           const model::Topology& topology);

/// Every frame and moment on the tapes, in the order of time.
[[nodiscard]] std::vector<EventRow> listed_events(const Frames& frames, const Moments& moments,
                                                  const model::Topology& topology);

}  // namespace eos::reports
