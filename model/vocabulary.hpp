#pragma once
// The vocabulary the engine is instantiated with: what messages and observations are, what they
// cost, what a fault may know of them. The engine's concept is in sim/vocabulary.hpp.

#include <cstdint>
#include <optional>

#include "model/history.hpp"
#include "model/messages.hpp"
#include "model/milestones.hpp"
#include "model/timers.hpp"
#include "sim/effects.hpp"
#include "sim/vocabulary.hpp"

namespace eos::model {

struct Vocabulary {
    using Message = model::Message;
    using Observation = model::Observation;

    static std::uint16_t kind(const Message& message);
    static void describe(const Message& message, sim::Facts& facts);
    static sim::Cost cost(const Message& message);
    static std::int64_t size(const Message& message);
    /// The answer to `message` (a request) or in its place (a response) that carries `error`.
    static std::optional<Message> refusal(const Message& message, std::int32_t error);
    static std::uint64_t fingerprint(const Message& message);
    static std::uint64_t fingerprint(const Observation& observation);

    static constexpr auto rpc_sent = number(Mile::rpc_sent);
    static constexpr auto rpc_delivered = number(Mile::rpc_delivered);
    static constexpr auto rpc_failed = number(Mile::rpc_failed);
    static constexpr auto link_opened = number(Mile::link_opened);
    static constexpr auto link_closed = number(Mile::link_closed);
    static constexpr auto handoff_queued = number(Mile::handoff_queued);
    static constexpr auto node_crashed = number(Mile::node_crashed);
    static constexpr auto node_lost_power = number(Mile::node_lost_power);
    static constexpr auto node_started = number(Mile::node_started);
    static constexpr auto node_stopped = number(Mile::node_stopped);
    static constexpr auto node_paused = number(Mile::node_paused);
    static constexpr auto node_resumed = number(Mile::node_resumed);
    static constexpr auto fact_api = number(Fact::api);
    static constexpr auto fact_side = number(Fact::side);
    static constexpr auto fact_from = number(Fact::from);
    static constexpr auto fact_to = number(Fact::to);
    static constexpr auto fact_kind = number(Fact::kind);
    static constexpr auto fact_error = number(Fact::error);
    static constexpr auto fact_clean = number(Fact::clean);
};

/// What every role fills.
using Fx = sim::Effects<Vocabulary>;
using sim::Context;

}  // namespace eos::model
