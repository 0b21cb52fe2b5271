#pragma once
// Where a node sits in the world: the role itself, and everything the engine keeps for it.

#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "sim/adversary.hpp"
#include "sim/clock.hpp"
#include "sim/config.hpp"
#include "sim/event.hpp"
#include "sim/station.hpp"
#include "sim/timers.hpp"

namespace eos::sim {

namespace detail {
template <class T>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;
}  // namespace detail

/// Calls with the role itself, whether Node is a closed set of roles or a single one.
template <class Node, class Visitor>
decltype(auto) visit_role(Node&& node, Visitor&& visitor) {
    if constexpr (detail::is_variant<std::remove_cvref_t<Node>>)
        return std::visit(std::forward<Visitor>(visitor), std::forward<Node>(node));
    else
        return std::forward<Visitor>(visitor)(std::forward<Node>(node));
}

template <class V, class Node>
struct Seat {
    Node node;
    std::shared_ptr<const NodeConfig> config;
    NodeState state = NodeState::down;
    std::int32_t life = 0;
    Timers timers;
    Clock clock;
    Workshop workshop;
    Rng restarts;
    std::vector<Turn> backlog;                         ///< what came up while it was paused
    std::vector<typename Effects<V>::Any> unfinished;  ///< effects a pause cut off

    [[nodiscard]] auto fields() const {
        return std::tie(node, state, life, timers, clock, workshop, restarts, backlog, unfinished);
    }
    friend bool operator==(const Seat& a, const Seat& b) {
        // Effects are compared by what they hash to: roles' effect types need no operator==.
        return std::tie(a.node, a.state, a.life, a.timers, a.clock, a.workshop, a.restarts,
                        a.backlog) == std::tie(b.node, b.state, b.life, b.timers, b.clock,
                                               b.workshop, b.restarts, b.backlog) &&
               state_hash(a.unfinished) == state_hash(b.unfinished);
    }
};

}  // namespace eos::sim
