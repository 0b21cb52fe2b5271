#include "scenarios/language/protocols.hpp"

#include <algorithm>
#include <array>

namespace eos::scenarios {
namespace {

using enum model::Safeguard;
using model::MetadataMode;
using sim::milliseconds;

constexpr std::array v0_11{epoch_end_offset_with_epoch, dedup_window,     offset_not_available,
                           broker_epoch_in_isr,         hw_needs_min_isr, eligible_leader_replicas};
constexpr std::array v1_0{epoch_end_offset_with_epoch, offset_not_available, broker_epoch_in_isr,
                          hw_needs_min_isr, eligible_leader_replicas};
constexpr std::array v2_4{broker_epoch_in_isr, hw_needs_min_isr, eligible_leader_replicas};
constexpr std::array v3_5{hw_needs_min_isr, eligible_leader_replicas};
constexpr std::array v4_0{eligible_leader_replicas};

// Sessions: zookeeper.session.timeout.ms was 6 s, 18 s since 2.5 (KIP-537); KRaft: 9 s.
constexpr std::array protocol_rows{
    ProtocolEntry{"kafka-0.11", "idempotence and leader epochs are new", MetadataMode::zookeeper,
                  v0_11, milliseconds(6000)},
    ProtocolEntry{"kafka-1.0", "five batches per producer are remembered", MetadataMode::zookeeper,
                  v1_0, milliseconds(6000)},
    ProtocolEntry{"kafka-2.4", "truncation by epoch is complete (KIP-279, KIP-207)",
                  MetadataMode::zookeeper, v2_4, milliseconds(6000)},
    ProtocolEntry{"kafka-2.5", "longer sessions with ZooKeeper", MetadataMode::zookeeper, v2_4,
                  milliseconds(18000)},
    ProtocolEntry{"kafka-3.4", "KRaft", MetadataMode::kraft, v2_4, milliseconds(9000)},
    ProtocolEntry{"kafka-3.5", "broker epochs in the in-sync set (KIP-903)", MetadataMode::kraft,
                  v3_5, milliseconds(9000)},
    ProtocolEntry{"kafka-3.6", "as 3.5 without transactions", MetadataMode::kraft, v3_5,
                  milliseconds(9000)},
    ProtocolEntry{"kafka-4.0", "no watermark below min.insync.replicas (KIP-966)",
                  MetadataMode::kraft, v4_0, milliseconds(9000)},
    ProtocolEntry{
        "kafka-4.2", "eligible leader replicas", MetadataMode::kraft, {}, milliseconds(9000)},
};

constexpr std::array java_2_4{idempotence_by_default, bump_after_expiry};
constexpr std::array java_0_11{idempotence_by_default, bump_after_expiry, position_validation};

// Defaults: acks=all and idempotence since 3.0 (KIP-679), linger 5 ms since 4.0 (KIP-1030), session
// 45 s since 3.0 (KIP-735), unlimited retries since 2.1 (KIP-91).
constexpr std::array client_rows{
    ClientEntry{"java", {}, model::Acks::all, milliseconds(5), milliseconds(45000), 2147483647},
    ClientEntry{"java-2.4", java_2_4, model::Acks::leader, milliseconds(0), milliseconds(10000),
                2147483647},
    ClientEntry{"java-0.11", java_0_11, model::Acks::leader, milliseconds(0), milliseconds(10000),
                0},
};

}  // namespace

std::span<const ProtocolEntry> protocols() { return protocol_rows; }

const ProtocolEntry* protocol_named(std::string_view name) {
    const auto* found = std::find_if(protocol_rows.begin(), protocol_rows.end(),
                                     [&](const ProtocolEntry& e) { return e.name == name; });
    return found == protocol_rows.end() ? nullptr : found;
}

const ClientEntry* client_named(std::string_view name) {
    const auto* found = std::find_if(client_rows.begin(), client_rows.end(),
                                     [&](const ClientEntry& e) { return e.name == name; });
    return found == client_rows.end() ? nullptr : found;
}

}  // namespace eos::scenarios
