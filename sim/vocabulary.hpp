#pragma once
// What the engine asks of a vocabulary V: the types of a world's messages and observations, what
// they cost, and what a fault may know of them. Everything is static; the engine never looks inside
// a message by itself. model/vocabulary.hpp is the real one, tests/sim/toy.hpp the smallest one.

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "sim/facts.hpp"

namespace eos::sim {

/// What handling one message costs a node with a station (sim/station.hpp).
struct Cost {
    std::int32_t requests = 0;
    std::int32_t appends = 0;
    std::int64_t bytes = 0;
    std::int32_t records = 0;
};

/// Value of V::fact_side.
enum class FrameSide : std::int64_t { request, response };

/// Value of V::fact_kind of rpc_failed and link_closed: who ended the connection.
enum class Ending : std::int64_t {
    timeout,     ///< its opener gave up and closed it
    disconnect,  ///< the other side or the network closed it
};

// clang-format off
template <class V>
concept Vocabulary =
    std::copyable<typename V::Message> && std::default_initializable<typename V::Message> &&
    std::equality_comparable<typename V::Message> && std::copyable<typename V::Observation> &&
    requires(const typename V::Message& message, const typename V::Observation& observation,
             Facts& facts, std::int32_t error) {
        /// The API; a request and its response share it.
        { V::kind(message) } -> std::same_as<std::uint16_t>;
        /// Adds the facts a trigger may match on, without those the engine adds itself.
        V::describe(message, facts);
        { V::cost(message) } -> std::same_as<Cost>;
        /// Bytes on the wire, for bandwidth.
        { V::size(message) } -> std::same_as<std::int64_t>;
        /// For a request: the response that carries this error. For a response: the same with this
        /// error in its place. For a hand-off: the message that says the step failed. None if the
        /// message has no room for an error: then it passes unharmed.
        { V::refusal(message, error) } -> std::same_as<std::optional<typename V::Message>>;
        /// Cheap; for the digest of the run.
        { V::fingerprint(message) } -> std::same_as<std::uint64_t>;
        { V::fingerprint(observation) } -> std::same_as<std::uint64_t>;
        // Milestones the engine reaches itself.
        requires std::same_as<std::remove_cvref_t<decltype(V::rpc_sent)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::rpc_delivered)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::rpc_failed)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::link_opened)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::link_closed)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::handoff_queued)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::node_crashed)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::node_lost_power)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::node_started)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::node_stopped)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::node_paused)>, MilestoneKind>;
        requires std::same_as<std::remove_cvref_t<decltype(V::node_resumed)>, MilestoneKind>;
        // Facts the engine adds itself. A vocabulary may also name `fact_clean`: 1 for a node that
        // ended by its own will, 0 for one that did not.
        requires std::same_as<std::remove_cvref_t<decltype(V::fact_api)>, FactName>;
        requires std::same_as<std::remove_cvref_t<decltype(V::fact_side)>, FactName>;  // FrameSide
        requires std::same_as<std::remove_cvref_t<decltype(V::fact_from)>, FactName>;
        requires std::same_as<std::remove_cvref_t<decltype(V::fact_to)>, FactName>;
        requires std::same_as<std::remove_cvref_t<decltype(V::fact_kind)>, FactName>;  // Ending,
                                                                   // or NodeConfig::kind of node_*
    };
// clang-format on

}  // namespace eos::sim
