#include "faults/burdens.hpp"

#include <algorithm>

#include "sim/ensure.hpp"

namespace eos::faults {
namespace {

using Activities = std::vector<Activity>;

/// Every burden of one kind that lies on the world now.
template <class B, class Visit>
void each(const Activities& activities, Visit visit) {
    for (const auto& activity : activities)
        for (const auto& burden : activity.burdens)
            if (const auto* found = std::get_if<B>(&burden.what)) visit(*found);
}

template <class B>
bool lies_on(const Activities& activities, sim::NodeId node) {
    bool found = false;
    each<B>(activities, [&](const B& b) { found = found || b.node == node; });
    return found;
}

/// All burdens of a link as one state: cut if any cuts, latencies add, the narrowest wins.
sim::act::SetLink link_state(const Activities& activities, sim::NodeId from, sim::NodeId to) {
    sim::act::SetLink state{from, to};
    each<burden::Link>(activities, [&](const burden::Link& b) {
        if (b.from != from || b.to != to) return;
        state.silent = state.silent || b.silent;
        state.refused = state.refused || b.refused;
        state.extra += b.extra;
        if (b.bytes_per_second > 0)
            state.bytes_per_second = state.bytes_per_second == 0
                                         ? b.bytes_per_second
                                         : std::min(state.bytes_per_second, b.bytes_per_second);
    });
    return state;
}

sim::Duration disk_state(const Activities& activities, sim::NodeId node) {
    sim::Duration extra{};
    each<burden::Disk>(activities, [&](const burden::Disk& b) {
        if (b.node == node) extra += b.extra;
    });
    return extra;
}

std::int64_t drift_state(const Activities& activities, sim::NodeId node) {
    std::int64_t drift = 0;
    each<burden::Drift>(activities, [&](const burden::Drift& b) {
        if (b.node == node) drift += b.parts_per_million;
    });
    return drift;
}

bool same(const sim::act::SetLink& a, const sim::act::SetLink& b) {
    return a.silent == b.silent && a.refused == b.refused && a.extra == b.extra &&
           a.bytes_per_second == b.bytes_per_second;
}

/// Puts a burden on the world: the overload of a kind compares the state before with that after.
class Imposing {
  public:
    Imposing(Activities& activities, Activity& activity, Burden& burden,
             const sim::Surroundings& around, sim::Acts& acts)
        : activities_(activities),
          activity_(activity),
          burden_(burden),
          around_(around),
          acts_(acts) {}

    void operator()(const burden::Link& b) {
        const auto before = link_state(activities_, b.from, b.to);
        add();
        const auto after = link_state(activities_, b.from, b.to);
        if (!same(before, after)) acts_.push_back(after);
    }
    void operator()(const burden::Disk& b) {
        add();
        acts_.push_back(sim::act::SlowDisk{b.node, disk_state(activities_, b.node)});
    }
    void operator()(const burden::Lie& b) {
        if (!lies_on<burden::Lie>(activities_, b.node))
            acts_.push_back(sim::act::LyingFsync{b.node, true});
        add();
    }
    void operator()(const burden::Drift& b) {
        add();
        acts_.push_back(sim::act::DriftClock{b.node, drift_state(activities_, b.node)});
    }
    void operator()(const burden::Paused& b) {
        const bool already = lies_on<burden::Paused>(activities_, b.node);
        if (!already && around_.state(b.node) == sim::NodeState::running)
            acts_.push_back(sim::act::Pause{b.node});
        add();
    }
    // The action itself emits what these need (a crash has its loss, an order its facts).
    void operator()(const burden::Down&) { add(); }
    void operator()(const burden::Stopping&) { add(); }
    void operator()(const burden::Stalled&) { add(); }
    void operator()(const burden::StaleMetadata&) { add(); }
    void operator()(const burden::Held&) { add(); }
    void operator()(const burden::Moved&) { add(); }
    void operator()(const burden::Window&) { add(); }
    void operator()(const burden::Planned&) { add(); }
    void operator()(const burden::Rolling&) { add(); }

  private:
    void add() { activity_.burdens.push_back(burden_); }

    Activities& activities_;
    Activity& activity_;
    Burden& burden_;
    const sim::Surroundings& around_;
    sim::Acts& acts_;
};

/// Takes a burden, already removed from the list, off the world.
class Lifting {
  public:
    Lifting(const Activities& activities, const Plan& plan, const sim::Surroundings& around,
            sim::Acts& acts)
        : activities_(activities), plan_(plan), around_(around), acts_(acts) {}

    void operator()(const burden::Link& b) {
        const auto after = link_state(activities_, b.from, b.to);
        sim::act::SetLink before = after;
        before.silent = before.silent || b.silent;
        before.refused = before.refused || b.refused;
        before.extra += b.extra;
        if (b.bytes_per_second > 0) before.bytes_per_second = -1;  // never equal: say it anew
        if (!same(before, after)) acts_.push_back(after);
    }
    void operator()(const burden::Disk& b) {
        acts_.push_back(sim::act::SlowDisk{b.node, disk_state(activities_, b.node)});
    }
    void operator()(const burden::Lie& b) {
        if (!lies_on<burden::Lie>(activities_, b.node))
            acts_.push_back(sim::act::LyingFsync{b.node, false});
    }
    void operator()(const burden::Drift& b) {
        acts_.push_back(sim::act::DriftClock{b.node, drift_state(activities_, b.node)});
    }
    void operator()(const burden::Down& b) {
        if (lies_on<burden::Down>(activities_, b.node)) return;
        if (around_.state(b.node) == sim::NodeState::down) acts_.push_back(sim::act::Start{b.node});
    }
    void operator()(const burden::Paused& b) {
        if (lies_on<burden::Paused>(activities_, b.node)) return;
        if (around_.state(b.node) == sim::NodeState::paused)
            acts_.push_back(sim::act::Resume{b.node});
    }
    void operator()(const burden::Stalled& b) {
        if (lies_on<burden::Stalled>(activities_, b.node)) return;
        acts_.push_back(sim::act::Tell{b.node, {plan_.words.orders.unstall, {}}});
    }
    /// The last one brings the present back; before that what only this one hid is shown again.
    void operator()(const burden::StaleMetadata& b) {
        bool hidden = false;
        each<burden::StaleMetadata>(activities_, [&](const burden::StaleMetadata& other) {
            hidden = hidden || (other.node == b.node && other.hide == b.hide);
        });
        sim::Order order{plan_.words.orders.fresh_metadata, {}};
        if (lies_on<burden::StaleMetadata>(activities_, b.node)) {
            if (!b.hide || hidden) return;
            order.facts.add(plan_.words.facts.topic, *b.hide);
        }
        acts_.push_back(sim::act::Tell{b.node, order});
    }
    void operator()(const burden::Held& b) { acts_.push_back(sim::act::Release{b.hold}); }
    void operator()(const burden::Moved& b) {
        order_election(b.log, b.back_to, false, plan_, around_, acts_);
    }
    // Nothing of these lies on the world: a stopping node ends by itself.
    void operator()(const burden::Stopping&) {}
    void operator()(const burden::Window&) {}
    void operator()(const burden::Planned&) {}
    void operator()(const burden::Rolling&) {}

  private:
    const Activities& activities_;
    const Plan& plan_;
    const sim::Surroundings& around_;
    sim::Acts& acts_;
};

}  // namespace

Activity& Burdens::open(FaultIndex fault, std::int64_t occurrence) {
    Activity activity;
    activity.id = next_id_++;
    activity.fault = fault;
    activity.occurrence = occurrence;
    return activities_.emplace_back(std::move(activity));
}

Activity* Burdens::find(std::int64_t id) {
    const auto found = std::lower_bound(activities_.begin(), activities_.end(), id,
                                        [](const Activity& a, std::int64_t i) { return a.id < i; });
    return found == activities_.end() || found->id != id ? nullptr : &*found;
}

void Burdens::close(std::int64_t id) {
    const auto* found = find(id);
    if (found != nullptr) activities_.erase(activities_.begin() + (found - activities_.data()));
}

void Burdens::impose(std::int64_t activity, Burden burden, const sim::Surroundings& around,
                     sim::Acts& acts, std::uint64_t wake_tag) {
    auto* owner = find(activity);
    sim::ensure(owner != nullptr, "a burden belongs to an activity under way");
    const auto due = burden.due;
    // The variant is copied out because the list it joins is compared while it grows.
    const auto what = burden.what;
    std::visit(Imposing{activities_, *owner, burden, around, acts}, what);
    if (due != sim::time_never && due > around.now()) acts.push_back(sim::act::Wake{due, wake_tag});
}

void Burdens::lift(std::int64_t activity, std::size_t position, const Plan& plan,
                   const sim::Surroundings& around, sim::Acts& acts) {
    auto* owner = find(activity);
    sim::ensure(owner != nullptr && position < owner->burdens.size(), "a burden lifted exists");
    const auto what = std::move(owner->burdens[position].what);
    owner->burdens.erase(owner->burdens.begin() + static_cast<std::ptrdiff_t>(position));
    std::visit(Lifting{activities_, plan, around, acts}, what);
}

void order_election(std::int32_t log, std::optional<sim::NodeId> to, bool unclean, const Plan& plan,
                    const sim::Surroundings& around, sim::Acts& acts) {
    const auto active = around.holders({plan.words.roles.controller, 0});
    std::optional<sim::NodeId> controller;
    if (!active.empty()) controller = active.front();
    for (std::size_t i = 0; !controller && i < plan.nodes.size(); ++i)
        if (plan.nodes[i].kind == NodeKind::controller)
            controller = sim::NodeId{static_cast<std::int32_t>(i)};
    if (!controller) return;
    const FactNames& names = plan.words.facts;
    sim::Order order{plan.words.orders.elect, {}};
    order.facts.add(names.log, log);
    if (to) order.facts.add(names.to, to->value);
    order.facts.add(names.unclean, unclean ? 1 : 0);
    acts.push_back(sim::act::Tell{*controller, order});
}

}  // namespace eos::faults
