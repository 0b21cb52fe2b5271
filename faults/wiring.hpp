#pragma once
// Which fault listens to what: computed once from a plan, shared by every copy of an injector, so
// that a frame or milestone nobody waits for costs one look at a bit.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "faults/plan.hpp"
#include "sim/adversary.hpp"

namespace eos::faults {

class Wiring {
  public:
    explicit Wiring(std::shared_ptr<const Plan> plan);

    [[nodiscard]] const Plan& plan() const { return *plan_; }
    [[nodiscard]] const std::shared_ptr<const Plan>& shared_plan() const { return plan_; }

    [[nodiscard]] bool watches_frame(std::uint16_t kind) const {
        return every_frame_ || has(frames_, kind);
    }
    [[nodiscard]] bool watches(sim::MilestoneKind kind) const {
        return has(milestones_, kind.value);
    }
    /// Faults triggered by a milestone, in the order of the plan.
    [[nodiscard]] std::span<const FaultIndex> triggered_by(sim::MilestoneKind kind) const;
    /// Faults that count only after this one.
    [[nodiscard]] std::span<const FaultIndex> waiting_for(FaultIndex fault, bool ended) const;
    /// The milestone that a moment of a frame stands for.
    [[nodiscard]] sim::MilestoneKind mark(sim::Moment moment) const;
    [[nodiscard]] bool is_fault_milestone(sim::MilestoneKind kind) const;

  private:
    using Bits = std::vector<std::uint64_t>;
    [[nodiscard]] static bool has(const Bits& bits, std::uint16_t number) {
        const std::size_t word = number / 64;
        return word < bits.size() && ((bits[word] >> (number % 64)) & 1) != 0;
    }
    static void set(Bits& bits, std::uint16_t number);
    void watch(sim::MilestoneKind kind, const Matches& matches);
    void watch_frames(const Matches& matches);
    void watch_action(const Fault& fault, const Action& action);

    std::shared_ptr<const Plan> plan_;
    bool every_frame_ = false;
    Bits frames_;
    Bits milestones_;
    std::map<sim::MilestoneKind, std::vector<FaultIndex>> triggers_;
    std::map<sim::MilestoneKind, std::vector<FaultIndex>> waiting_;  ///< by fault milestone
};

}  // namespace eos::faults
