#pragma once
// What a fault does when it fires: one overload of `perform` per action struct. An overload
// resolves its targets, emits the acts that do the harm, and imposes the burdens that will be
// lifted again; everything it draws goes through `rolls`.

#include <optional>
#include <vector>

#include "faults/burdens.hpp"
#include "faults/catalogue.hpp"
#include "faults/dice.hpp"
#include "faults/ledger.hpp"
#include "faults/plan.hpp"
#include "faults/target.hpp"
#include "sim/adversary.hpp"

namespace eos::faults {

/// A frame whose fate is being decided.
struct FrameInHand {
    const sim::Frame& frame;
    sim::Moment moment;
    sim::Fate& fate;
};

/// When something that lasts is over.
struct End {
    sim::Instant due = sim::time_never;
    bool heals = true;
};

/// One action being carried out. Refers to its surroundings: lives for one call.
struct Firing {
    const Plan& plan;
    const sim::Surroundings& around;
    Rolls rolls;
    Burdens& burdens;
    sim::Acts& acts;
    Deed& deed;
    std::int64_t activity;
    std::uint64_t wake_tag;
    const std::optional<Scene>& scene;
    const FrameInHand* hand = nullptr;  ///< the message, if a message triggered it

    // The fault's own, or those of the entry a mix has drawn.
    const Targets* targets = nullptr;
    const std::optional<Lasting>* lasts = nullptr;
    const std::optional<Until>* until = nullptr;

    bool rule = false;                      ///< a message of an active rule, not a firing
    std::optional<sim::NodeId> only{};      ///< a hit of a swizzle: this node ...
    std::optional<sim::Instant> release{};  ///< ... until then
    std::optional<sim::Duration> lasts_drawn{};
    bool aimless = false;
    bool overruled = false;

    [[nodiscard]] std::vector<sim::NodeId> nodes();
    [[nodiscard]] std::vector<std::int32_t> logs();
    [[nodiscard]] std::vector<std::int32_t> groups();
    [[nodiscard]] std::vector<std::int32_t> txids();
    /// Draws `for` once per firing; without one it lasts until something else ends it.
    [[nodiscard]] End end();
    /// As end(), but without `for` and `until` it is the node's own downtime.
    [[nodiscard]] End downtime(sim::NodeId node);
    [[nodiscard]] bool lasts_or_until() const;
    void impose(decltype(Burden::what) what, End end);
    void tell(sim::NodeId node, sim::OrderKind kind, const sim::Facts& facts = {});
};

/// Carries the action out.
void perform(const Action& action, Firing& firing);

/// The action that a path of drawn mix entries leads to, and what the last entries override.
struct Effective {
    const Action* act;
    const Targets* targets;
    const std::optional<Lasting>* lasts;
    const std::optional<Until>* until;
};
[[nodiscard]] Effective effective(const Fault& fault, const std::vector<std::int32_t>& path);

/// Tells a node to stop gracefully, and what happens once it is down. `grace` empty: never killed.
void begin_stop(sim::NodeId node, Lasting::Kind back, sim::Duration downtime,
                std::optional<sim::Duration> grace, Firing& firing);

}  // namespace eos::faults
