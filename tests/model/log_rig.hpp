#pragma once
// What the tests of logs share: short ways to say batches, fetches and registrations.

#include <cstdint>
#include <optional>
#include <vector>

#include "model/leader_partition.hpp"
#include "model/partition_log.hpp"
#include "model/replica_fetcher.hpp"

namespace eos::model::rig {

inline constexpr std::int64_t plenty = 1 << 20;
inline constexpr sim::Duration backoff = sim::milliseconds(1000);
inline constexpr LogId the_log{0};

[[nodiscard]] inline sim::Instant at(std::int64_t ms) {
    return sim::Instant{sim::milliseconds(ms)};
}

/// A batch of one idempotent producer.
[[nodiscard]] inline Batch batch(std::int64_t producer, std::int32_t sequence,
                                 std::int32_t count = 1, std::int16_t epoch = 0) {
    Batch result;
    result.producer_id = ProducerId{producer};
    result.producer_epoch = {epoch};
    result.base_sequence = Sequence{sequence};
    result.count = count;
    result.bytes = 10;
    return result;
}

/// A batch without producer id.
[[nodiscard]] inline Batch plain(std::int32_t count = 1, std::uint64_t id = 0) {
    Batch result;
    result.count = count;
    result.bytes = 10;
    if (id != 0) result.payload = Payload{std::vector<Record>{{.id = {id}}}};
    return result;
}

inline AppendResult lead(PartitionLog& log, const Batch& data, Guard& guard,
                         std::int32_t epoch = 0) {
    return log.append_as_leader(data, {epoch}, {}, guard);
}

[[nodiscard]] inline std::vector<std::int64_t> snapshot_offsets(const PartitionLog& log) {
    std::vector<std::int64_t> offsets;
    for (const auto& snapshot : log.producers().snapshots())
        offsets.push_back(snapshot.offset.value);
    return offsets;
}

[[nodiscard]] inline std::vector<BrokerRegistration> alive(std::int32_t brokers) {
    std::vector<BrokerRegistration> result;
    for (std::int32_t id = 1; id <= brokers; ++id)
        result.push_back({.broker = {id}, .epoch = {100}, .fenced = false});
    return result;
}

[[nodiscard]] inline PartitionState partition(std::vector<BrokerId> replicas,
                                              std::vector<BrokerId> isr, BrokerId leader,
                                              std::int32_t epoch, std::int32_t partition_epoch) {
    PartitionState state;
    state.log = the_log;
    state.replicas = std::move(replicas);
    state.isr = std::move(isr);
    state.leader = leader;
    state.leader_epoch = {epoch};
    state.partition_epoch = {partition_epoch};
    return state;
}

[[nodiscard]] inline FetchRequest::Part fetch(std::int64_t offset,
                                              std::optional<std::int32_t> epoch = std::nullopt) {
    FetchRequest::Part part;
    part.log = the_log;
    part.offset = {offset};
    if (epoch) part.current_leader_epoch = LeaderEpoch{*epoch};
    return part;
}

/// Answers a follower's fetch as the leader would and hands the answer over. False: nothing to ask.
inline bool exchange(LeaderPartition& leader, PartitionLog& leader_log, BrokerId follower,
                     ReplicaFetcher& fetcher, PartitionLog& log, BrokerView brokers,
                     sim::Instant now, Guard& guard) {
    const auto request = fetcher.request(log, now);
    if (!request) return false;
    const auto result = leader.fetch_by_follower(leader_log, follower, *request, BrokerEpoch{100},
                                                 plenty, brokers, now, guard);
    FetchResponse::Part answer;
    answer.log = the_log;
    answer.error = result.error;
    answer.fetch_offset = request->offset;
    answer.high_watermark = result.high_watermark;
    answer.log_start = result.log_start;
    answer.diverging = result.diverging;
    answer.batches = result.read.batches;
    static_cast<void>(fetcher.on_answer(log, *request, answer, now, now, backoff, guard));
    return true;
}

}  // namespace eos::model::rig
