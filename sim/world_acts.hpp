#pragma once
// The adversary's side: who is told of milestones, and how acts are carried out. Acts happen at the
// very instant they are asked for, in order; acts they provoke in turn happen after them.

#include "sim/world.hpp"

namespace eos::sim {

template <class S>
void BasicWorld<S>::count(MilestoneKind kind) {
    if constexpr (requires { audience_.counted(kind); }) audience_.counted(kind);
}

template <class S>
bool BasicWorld<S>::audience_watches(MilestoneKind kind) const {
    if constexpr (requires {
                      { audience_.watches(kind) } -> std::same_as<bool>;
                  })
        return audience_.watches(kind);
    else
        return true;
}

/// Tells audience and adversary. The caller carries out the acts when its own work is consistent.
template <class S>
void BasicWorld<S>::reach(MilestoneKind kind, NodeId node, const Facts& facts) {
    digest_.fold(kind.value, static_cast<std::uint64_t>(node.value));
    count(kind);
    const bool told = audience_watches(kind);
    const bool watched = adversary_.watches(kind);
    if (!told && !watched) return;
    const Milestone milestone{kind, node, facts};
    if (told) audience_.reached(now_, milestone);
    if (watched) adversary_.on_milestone(milestone, Window(*this), acts_);
}

template <class S>
void BasicWorld<S>::carry_out_acts() {
    if (acting_) return;  // the outermost call sees to what was added
    acting_ = true;
    for (std::size_t i = 0; i < acts_.size(); ++i) {
        Act next = std::move(acts_[i]);
        std::visit([this](auto& act) { this->carry_out(act); }, next);
    }
    acts_.clear();
    acting_ = false;
}

/// Runs an event's handler when the present one is through, before any other event.
template <class S>
void BasicWorld<S>::urge(const Event& event) {
    urgent_.push_back({queue_.reserve(), event});
}

template <class S>
void BasicWorld<S>::carry_out(act::Start& act) {
    urge(Event{.kind = EventKind::start,
               .node = act.node,
               .stamp = static_cast<std::uint64_t>(seat(act.node).life)});
}

template <class S>
void BasicWorld<S>::carry_out(act::Tell& act) {
    if (seat(act.node).state == NodeState::down) return;
    urge(Event{.kind = EventKind::order,
               .node = act.node,
               .place = orders_.insert(act.order),
               .stamp = static_cast<std::uint64_t>(seat(act.node).life)});
}

template <class S>
void BasicWorld<S>::carry_out(act::Wake& act) {
    queue_.push(std::max(now_, act.at), Event{.kind = EventKind::wake, .stamp = act.tag});
}

template <class S>
void BasicWorld<S>::carry_out(act::Release& act) {
    std::vector<Held> released;
    std::erase_if(held_, [&](const Held& held) {
        if (held.hold != act.hold) return false;
        released.push_back(held);
        return true;
    });
    for (const Held& held : released)
        if (parcels_[held.parcel].number == held.number) unstop(held.parcel);
}

}  // namespace eos::sim
