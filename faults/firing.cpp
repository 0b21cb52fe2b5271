#include <algorithm>

#include "faults/actions.hpp"

namespace eos::faults {

std::vector<sim::NodeId> Firing::nodes() {
    if (only) return {*only};
    auto found = resolve_nodes(*targets, {plan, around, scene}, rolls);
    if (found.empty()) aimless = true;
    deed.nodes = found;
    return found;
}

std::vector<std::int32_t> Firing::logs() {
    auto found = resolve_logs(*targets, {plan, around, scene}, rolls);
    if (found.empty()) aimless = true;
    deed.logs = found;
    return found;
}

std::vector<std::int32_t> Firing::groups() {
    auto found = resolve_groups(*targets, {plan, around, scene}, rolls);
    if (found.empty()) aimless = true;
    deed.groups = found;
    return found;
}

std::vector<std::int32_t> Firing::txids() {
    auto found = resolve_txids(*targets, {plan, around, scene}, rolls);
    if (found.empty()) aimless = true;
    deed.txids = found;
    return found;
}

bool Firing::lasts_or_until() const { return lasts->has_value() || until->has_value(); }

End Firing::end() {
    if (release) return {*release, true};
    if (!lasts->has_value()) return {};
    const Lasting& lasting = **lasts;
    switch (lasting.kind) {
        case Lasting::Kind::forever:
            return {};
        case Lasting::Kind::never:
            return {sim::time_never, false};
        case Lasting::Kind::time:
            break;
    }
    if (!lasts_drawn) lasts_drawn = rolls.spread(Drawn::Kind::lasts, Purpose::lasts, lasting.time);
    // At least a tick: what begins and ends in one breath is begun before it is ended.
    return {around.now() + std::max(*lasts_drawn, sim::nanoseconds(1)), true};
}

End Firing::downtime(sim::NodeId node) {
    if (release || lasts_or_until()) return end();
    const Lasting& own = plan.nodes[static_cast<std::size_t>(node.value)].restart;
    switch (own.kind) {
        case Lasting::Kind::forever:
            return {};
        case Lasting::Kind::never:
            return {sim::time_never, false};
        case Lasting::Kind::time:
            break;
    }
    const auto time = rolls.spread(Drawn::Kind::lasts, Purpose::lasts, own.time);
    return {around.now() + std::max(time, sim::nanoseconds(1)), true};
}

void Firing::impose(decltype(Burden::what) what, End end) {
    burdens.impose(activity, {std::move(what), end.due, end.heals}, around, acts, wake_tag);
}

void Firing::tell(sim::NodeId node, sim::OrderKind kind, const sim::Facts& facts) {
    acts.push_back(sim::act::Tell{node, {kind, facts}});
}

Effective effective(const Fault& fault, const std::vector<std::int32_t>& path) {
    Effective result{&fault.act, &fault.targets, &fault.lasts, &fault.until};
    for (const auto index : path) {
        const auto* mix = std::get_if<action::Mix>(result.act);
        if (mix == nullptr) break;
        const auto& choice = mix->of[static_cast<std::size_t>(index)];
        result.act = &choice.act;
        if (choice.targets) result.targets = &*choice.targets;
        if (choice.lasts) result.lasts = &choice.lasts;
        if (choice.until) result.until = &choice.until;
    }
    return result;
}

}  // namespace eos::faults
