#pragma once
// The numbers Kafka speaks in, each a type of its own. Wire sentinels (-1) never leave a message:
// inside the model "none" is std::optional.

#include <cstdint>

#include "sim/ordinal.hpp"

namespace eos::model {

using sim::NodeId;

/// A broker is its node: the scenario's `broker:2` is NodeId 2 (node 0 is the controller).
using BrokerId = NodeId;

using TopicId = sim::Ordinal<struct TopicTag, std::int32_t>;
using PartitionIndex = sim::Ordinal<struct PartitionIndexTag, std::int32_t>;
/// One partition of one topic, dense over the whole cluster, internal topics included.
using LogId = sim::Ordinal<struct LogTag, std::int32_t>;
using Offset = sim::Ordinal<struct OffsetTag, std::int64_t>;
using LeaderEpoch = sim::Ordinal<struct LeaderEpochTag, std::int32_t>;
using PartitionEpoch = sim::Ordinal<struct PartitionEpochTag, std::int32_t>;
using BrokerEpoch = sim::Ordinal<struct BrokerEpochTag, std::int64_t>;

using ProducerId = sim::Ordinal<struct ProducerIdTag, std::int64_t>;
using ProducerEpoch = sim::Ordinal<struct ProducerEpochTag, std::int16_t>;
using CoordinatorEpoch = sim::Ordinal<struct CoordinatorEpochTag, std::int32_t>;
using TransactionalId = sim::Ordinal<struct TransactionalIdTag, std::int32_t>;

/// Position of a record in its producer's numbering of one partition: int32, 2147483647 is
/// followed by 0 (DefaultRecordBatch.incrementSequence; rule 0.6).
struct Sequence {
    std::int32_t value = 0;
    static constexpr std::int32_t greatest = 2147483647;

    friend constexpr auto operator<=>(const Sequence&, const Sequence&) = default;
    [[nodiscard]] constexpr Sequence plus(std::int32_t n) const {
        const std::int64_t sum = std::int64_t{value} + n;
        return {static_cast<std::int32_t>(sum > greatest ? sum - greatest - 1 : sum)};
    }
    [[nodiscard]] constexpr Sequence minus(std::int32_t n) const {
        const std::int64_t difference = std::int64_t{value} - n;
        return {static_cast<std::int32_t>(difference < 0 ? difference + greatest + 1 : difference)};
    }
};

/// What finalized feature transaction.version says (KIP-890): TV1 adds fields to the log, TV2 bumps the
/// epoch at every end and enrols partitions at the leader.
enum class TransactionVersion : std::uint8_t { tv0, tv1, tv2 };

using GroupId = sim::Ordinal<struct GroupTag, std::int32_t>;
using Generation = sim::Ordinal<struct GenerationTag, std::int32_t>;
/// A member id. Kafka's is a string ending in a random UUID; here the random part alone, drawn by
/// the coordinator, so that members order differently at every join (Z2).
using MemberId = sim::Ordinal<struct MemberTag, std::uint64_t>;
/// `group.instance.id`, interned.
using GroupInstanceId = sim::Ordinal<struct GroupInstanceTag, std::int32_t>;

/// An external store of the scenario.
using StoreId = sim::Ordinal<struct StoreTag, std::int32_t>;

/// An application of the scenario, and one running copy of it.
using AppId = sim::Ordinal<struct AppTag, std::int32_t>;
struct ProcessId {
    AppId app;
    std::int32_t instance = 0;
    friend constexpr auto operator<=>(const ProcessId&, const ProcessId&) = default;
};

/// The true name of a transaction, outside the system: the n-th beginTransaction of a process, from 1,
/// over all its lives. It travels with requests, batches and markers so that the judges know what
/// decided what; no role ever decides by it.
struct TxnRef {
    ProcessId process;
    std::int32_t number = 0;
    friend constexpr auto operator<=>(const TxnRef&, const TxnRef&) = default;
};

/// The ledger id: names one event for ever, outside the system. A resend, a retry and a processor's
/// output keep the id of their cause, so the ledger knows every effect's origin.
using RecordId = sim::Ordinal<struct RecordTag, std::uint64_t>;

}  // namespace eos::model
