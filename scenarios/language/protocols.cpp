#include "scenarios/language/protocols.hpp"

#include <algorithm>
#include <array>

namespace eos::scenarios {
namespace {

using enum model::Safeguard;
using model::MetadataMode;
using sim::milliseconds;

// What each release lacked: what the next one lacked, and what that one brought. The ticket is the
// safeguard's source.
template <std::size_t n, class... More>
constexpr auto lacked(const std::array<model::Safeguard, n>& by_the_next, More... more) {
    std::array<model::Safeguard, n + sizeof...(more)> all{};
    std::copy(by_the_next.begin(), by_the_next.end(), all.begin());
    std::size_t place = n;
    ((all[place++] = more), ...);
    return all;
}
constexpr std::array v4_2{replicated_tail_before_serving};
// Strict markers and the double bump came with transaction version 2, and with it only.
constexpr auto v4_0 =
    lacked(v4_2, eligible_leader_replicas, single_bump_on_fence, marker_epoch_above,
           fenced_member_rejoins);
constexpr auto v3_6 = lacked(v4_2, hw_needs_min_isr, eligible_leader_replicas,
                             pending_only_for_appended, offsets_verification, pending_before_epoch,
                             fenced_member_rejoins);
constexpr auto v3_5 = lacked(v3_6, verification_guard);
constexpr auto v3_4 = lacked(v3_5, broker_epoch_in_isr, partition_verification);
constexpr auto v2_5 =
    lacked(v3_4, end_txn_epoch_equality, remembers_failed_fence, no_expiry_while_unstable);
constexpr auto v2_4 =
    lacked(v2_5, retries_marker_storage_error, txn_offset_generation_check, unstable_offset_commit);
constexpr auto v1_0 = lacked(v2_4, epoch_end_offset_with_epoch, offset_not_available,
                             unknown_sequence_after_marker, clears_pending_on_failure);
constexpr auto v0_11 =
    lacked(v1_0, dedup_window, replicas_trust_the_leader, load_folds_whole_log, fence_on_timeout);

constexpr auto no_bump = model::TransactionVersion::tv0;
constexpr auto bump_at_every_end = model::TransactionVersion::tv2;

// Sessions: zookeeper.session.timeout.ms was 6 s, 18 s since 2.5 (KIP-537); KRaft: 9 s.
constexpr std::array protocol_rows{
    ProtocolEntry{"kafka-0.11", "idempotence, transactions and leader epochs are new",
                  MetadataMode::zookeeper, v0_11, milliseconds(6000), no_bump},
    ProtocolEntry{"kafka-1.0", "five batches per producer are remembered", MetadataMode::zookeeper,
                  v1_0, milliseconds(6000), no_bump},
    ProtocolEntry{"kafka-2.4", "truncation by epoch is complete (KIP-279, KIP-207)",
                  MetadataMode::zookeeper, v2_4, milliseconds(6000), no_bump},
    ProtocolEntry{"kafka-2.5", "offsets in transactions know their generation (KIP-447)",
                  MetadataMode::zookeeper, v2_5, milliseconds(18000), no_bump},
    ProtocolEntry{"kafka-3.4", "KRaft", MetadataMode::kraft, v3_4, milliseconds(9000), no_bump},
    ProtocolEntry{"kafka-3.5", "broker epochs in the in-sync set (KIP-903); leaders verify",
                  MetadataMode::kraft, v3_5, milliseconds(9000), no_bump},
    ProtocolEntry{"kafka-3.6", "verification holds until the append (KIP-890 part 1)",
                  MetadataMode::kraft, v3_6, milliseconds(9000), no_bump},
    ProtocolEntry{"kafka-4.0", "a new epoch for every transaction (KIP-890 part 2)",
                  MetadataMode::kraft, v4_0, milliseconds(9000), bump_at_every_end, true},
    ProtocolEntry{"kafka-4.2", "eligible leader replicas, strict markers (KIP-1228)",
                  MetadataMode::kraft, v4_2, milliseconds(9000), bump_at_every_end, true},
};

constexpr std::array java_2_4{idempotence_by_default, bump_after_expiry, errors_of_own_generation};
constexpr std::array java_0_11{idempotence_by_default, bump_after_expiry, errors_of_own_generation,
                               position_validation};

// Defaults: acks=all and idempotence since 3.0 (KIP-679), linger 5 ms since 4.0 (KIP-1030), session
// 45 s since 3.0 (KIP-735), unlimited retries since 2.1 (KIP-91).
constexpr std::array client_rows{
    ClientEntry{
        "java", {}, model::Acks::all, milliseconds(5), milliseconds(45000), 2147483647, true},
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
