#pragma once
// What a trigger saw: a frame at one of its moments or a milestone, reduced to what matches and
// targets ask of it.

#include <optional>

#include "faults/plan.hpp"
#include "sim/adversary.hpp"

namespace eos::faults {

/// Where a fault was triggered; kept while a delayed fault waits for its `after`.
struct Scene {
    sim::NodeId node;  ///< sender at rpc.sent, receiver at rpc.delivered, else where it happened
    std::optional<sim::NodeId> from;
    std::optional<sim::NodeId> to;
    std::optional<std::int32_t> log;
    std::optional<std::int32_t> group;
    std::optional<std::int32_t> txid;
    friend bool operator==(const Scene&, const Scene&) = default;
};

/// A frame or a milestone, seen as a bag of facts. Refers to its parts: lives for one call.
class Happening {
  public:
    Happening(const sim::Frame& frame, sim::Moment moment) : frame_(&frame), moment_(moment) {}
    explicit Happening(const sim::Milestone& milestone) : milestone_(&milestone) {}

    [[nodiscard]] std::optional<std::int64_t> fact(const FactNames& names,
                                                   sim::FactName name) const;
    [[nodiscard]] sim::NodeId node() const;
    [[nodiscard]] Scene scene(const FactNames& names) const;

  private:
    const sim::Frame* frame_ = nullptr;
    const sim::Milestone* milestone_ = nullptr;
    sim::Moment moment_ = sim::Moment::sent;
};

}  // namespace eos::faults
