#pragma once
// The controller's decisions about one partition: who leads, who is in sync, who stays electable
// (Kafka: PartitionChangeBuilder and ReplicationControlManager.alterPartition). Functions of the
// partition's state; the controller writes the result to the metadata log. Rules ELE, ISR-7.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/safeguards.hpp"

namespace eos::model {

enum class ElectionType : std::uint8_t {
    online,     ///< keep the leader, else the first valid replica (ELE-2)
    preferred,  ///< the first assigned replica if it can (ELE-3)
    unclean,    ///< as online, and if need be a replica that is not in sync (ELE-4)
};

/// A change asked for. Absent targets stay as they are.
struct ElectionOrder {
    ElectionType type = ElectionType::online;
    std::vector<BrokerId> alive;  ///< may lead: not fenced, not shutting down
    std::optional<std::vector<BrokerId>> isr = {};
    std::optional<std::vector<BrokerId>> replicas = {};
    std::optional<RecoveryState> recovery = {};
    std::vector<BrokerId> unclean_shutdown = {};  ///< lost what they had not flushed (ELE-8)
    std::int32_t min_insync = 1;
    bool last_known_recovery = true;  ///< "balanced" unclean recovery of KIP-966 part 2
};

struct Elected {
    std::optional<BrokerId> leader;
    bool unclean = false;
    friend bool operator==(const Elected&, const Elected&) = default;
};

/// Who would lead. Safeguards clean_election (removed: an online election may be unclean) and
/// eligible_leader_replicas (removed: no ELR, the last member never leaves the in-sync set).
[[nodiscard]] Elected elect(const PartitionState& state, const ElectionOrder& order, Guard& guard);

struct PartitionChange {
    PartitionState state;   ///< epochs already bumped (ELE-5)
    bool unclean = false;
};
/// The partition after the order; none if nothing changes.
[[nodiscard]] std::optional<PartitionChange> change(const PartitionState& state,
                                                    const ElectionOrder& order, Guard& guard);

/// ISR-7: whether the controller takes a leader's proposal. Safeguard broker_epoch_in_isr: without
/// it the members' broker epochs are not compared (before KIP-903).
[[nodiscard]] ErrorCode validate_alter_partition(const PartitionState& state,
                                                 const AlterPartitionRequest& request,
                                                 std::span<const BrokerRegistration> brokers,
                                                 Guard& guard);
/// The partition as an accepted proposal leaves it; none if it changes nothing.
[[nodiscard]] std::optional<PartitionChange> apply_alter_partition(
    const PartitionState& state, const AlterPartitionRequest& request, ElectionOrder order,
    Guard& guard);

}  // namespace eos::model
