#pragma once
// The adversary that carries out a Plan: it watches frames and milestones for triggers, fires
// actions, ends them, heals everything when the chaos is over, keeps the ledger of what each fault
// did and writes down every decision that chance made. A copyable value; the plan is shared.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "faults/actions.hpp"
#include "faults/burdens.hpp"
#include "faults/dice.hpp"
#include "faults/ledger.hpp"
#include "faults/plan.hpp"
#include "faults/script.hpp"
#include "faults/wiring.hpp"
#include "sim/adversary.hpp"

namespace eos::faults {

/// What a wake-up is for: the lowest two bits of its tag.
enum class Wake : std::uint64_t { chaos_end, timer, pending, activity };
[[nodiscard]] constexpr std::uint64_t tag_of(Wake wake, std::int64_t number) {
    return (static_cast<std::uint64_t>(number) << 2) | static_cast<std::uint64_t>(wake);
}

class Injector {
  public:
    /// Without a plan it does nothing.
    Injector() = default;
    /// With a script it replays decisions instead of drawing them. Without `record` there are no
    /// decisions() afterwards, and a long run with many faults needs no memory for them.
    explicit Injector(std::shared_ptr<const Plan> plan, std::shared_ptr<const Script> script = {},
                      bool record = true);

    // The shape of an adversary (sim/adversary.hpp).
    [[nodiscard]] bool watches_frame(std::uint16_t kind) const;
    [[nodiscard]] bool watches(sim::MilestoneKind kind) const;
    void begin(const sim::Surroundings& around, sim::Acts& acts);
    sim::Fate on_frame(const sim::Frame& frame, sim::Moment moment, const sim::Surroundings& around,
                       sim::Acts& acts);
    void on_milestone(const sim::Milestone& milestone, const sim::Surroundings& around,
                      sim::Acts& acts);
    void on_wake(std::uint64_t tag, const sim::Surroundings& around, sim::Acts& acts);

    /// One report per fault, in the order of the plan.
    [[nodiscard]] const std::vector<FaultReport>& reports() const { return ledger_; }
    /// What chance has decided so far.
    [[nodiscard]] const Script& decisions() const { return dice_.recorded(); }
    /// Where a scripted run stopped following its script. Only a run that is over should have
    /// reached every decision.
    [[nodiscard]] std::optional<Divergence> divergence(bool over = true) const;

    /// The fault that froze a frame.
    [[nodiscard]] std::optional<FaultIndex> fault_behind(sim::HoldId hold) const;

    /// What decides the future; the ledger and the recorded decisions do not.
    [[nodiscard]] auto fields() const {
        return std::tie(states_, dice_, burdens_, pending_, next_pending_, over_);
    }
    friend bool operator==(const Injector& a, const Injector& b);

  private:
    struct State {
        std::int64_t considered = 0;  ///< passed match and since: numbers the occurrences
        std::int64_t fired = 0;       ///< passed all filters
        std::int64_t nth = 0;         ///< 0: every one
        std::int64_t ticks = 0;       ///< of a scripted timer: decisions used up
        bool open = true;             ///< `since` has come
        friend bool operator==(const State&, const State&) = default;
    };
    /// A firing that waits for its `after`.
    struct Pending {
        std::int64_t id = 0;
        FaultIndex fault;
        std::int64_t occurrence = 0;
        Sheet sheet;
        std::optional<Scene> scene;
        friend bool operator==(const Pending&, const Pending&) = default;
    };
    /// fault.NAME or fault.NAME.ended, announced in this call and not yet listened to.
    struct News {
        FaultIndex fault;
        bool ended = false;
        sim::NodeId node;
        friend bool operator==(const News&, const News&) = default;
    };
    /// The world during one call.
    struct Now {
        const sim::Surroundings& around;
        sim::Acts& acts;
    };

    [[nodiscard]] const Plan& plan() const { return wiring_->plan(); }
    [[nodiscard]] const Fault& fault(FaultIndex index) const;
    [[nodiscard]] State& state(FaultIndex index);
    [[nodiscard]] FaultReport& report(FaultIndex index);
    [[nodiscard]] bool chaos(const Now& now) const;
    /// Whether a fault may fire now; who only tells somebody always may.
    [[nodiscard]] bool may_fire(FaultIndex index, const Now& now) const;
    void tell(FaultIndex index, const Now& now);

    // Triggers: match, since, nth, chance, times, after.
    void arm_timer(FaultIndex index, const Now& now);
    void tick(FaultIndex index, const Now& now);
    void trigger_all(std::span<const FaultIndex> listeners, const Happening& happening,
                     const FrameInHand* hand, const Now& now);
    void consider(FaultIndex index, std::optional<std::int64_t> scripted_occurrence,
                  const std::optional<Scene>& scene, const FrameInHand* hand, const Now& now);
    [[nodiscard]] bool passes(FaultIndex index, std::int64_t occurrence);

    // Actions.
    /// What an action of this activity is carried out with; `sheet`, `deed` and `scene` outlive it.
    [[nodiscard]] Firing firing_of(const Activity& activity, const std::optional<Scene>& scene,
                                   Sheet& sheet, Deed& deed, const Now& now);
    void fire(const Pending& firing, const FrameInHand* hand, const Now& now);
    void apply_rules(const FrameInHand& hand, const Happening& happening, std::int64_t before,
                     const Now& now);
    void apply_rule(std::int64_t activity, const FrameInHand& hand, const Happening& happening,
                    const Now& now);
    void hit(std::int64_t activity, const burden::Planned& planned, const Now& now);
    void settle(FaultIndex index, const Deed& deed, bool fresh);

    // Ends.
    void count_untils(sim::MilestoneKind kind, const Happening& happening, std::int64_t before,
                      const Now& now);
    void node_went_down(sim::NodeId node, const Now& now);
    void now_down(const Activity& activity, Burden& burden, const Now& now);
    void take_turn(std::int64_t activity, const burden::Turn& turn,
                   std::optional<sim::Duration> grace, const Now& now);
    void schedule_next_turn(std::int64_t activity, const Now& now);
    void advance(std::int64_t activity, const Now& now);
    [[nodiscard]] bool advance_one(std::int64_t activity, const Now& now);
    void lift_all(std::int64_t activity, bool healing, const Now& now);
    void finish_if_done(std::int64_t activity, const Now& now);
    void heal(const Now& now);

    // Chains: since, until and when on fault.NAME.
    void announce(News news, const Now& now, std::size_t position);
    void spread_news(const Now& now);

    std::shared_ptr<const Wiring> wiring_;
    std::vector<State> states_;
    Dice dice_;
    Burdens burdens_;
    std::vector<Pending> pending_;
    std::int64_t next_pending_ = 1;
    bool over_ = false;
    std::vector<News> news_;  ///< empty between calls
    std::vector<FaultReport> ledger_;
};

}  // namespace eos::faults
