#pragma once
// The version dial: what a cluster of a Kafka release does, as safeguards it lacks and the way its
// metadata travels; and the client profiles. One row a version.

#include <span>
#include <string_view>

#include "model/config.hpp"
#include "model/safeguards.hpp"

namespace eos::scenarios {

struct ProtocolEntry {
    std::string_view name;
    std::string_view help;
    model::MetadataMode metadata;
    std::span<const model::Safeguard> lacks;
    sim::Duration session;  ///< default of the broker's session with its controller
    model::TransactionVersion transactions;
    bool consumer_groups = false;  ///< KIP-848
};
[[nodiscard]] std::span<const ProtocolEntry> protocols();
[[nodiscard]] const ProtocolEntry* protocol_named(std::string_view name);

/// A client profile laid under mode and config.
struct ClientEntry {
    std::string_view name;
    std::span<const model::Safeguard> lacks;
    model::Acks acks;
    sim::Duration linger;
    sim::Duration session;  ///< of consumers
    std::int32_t retries;
    bool consumer_groups = false;  ///< knows group.protocol (KIP-848)
};
[[nodiscard]] const ClientEntry* client_named(std::string_view name);

}  // namespace eos::scenarios
