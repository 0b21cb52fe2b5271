#pragma once
// Settings of a Flink job, with Flink's defaults (F3, F21, F26, F30); the setting's own name is in the
// comment. Where this model differs on purpose: high availability is on, as in any cluster that is
// meant to survive its JobManager (F14).

#include <cstdint>

#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::model {

/// What a KafkaSink was told to guarantee (F21).
enum class DeliveryGuarantee : std::uint8_t { none, at_least_once, exactly_once };
/// restart-strategy.type.
enum class RestartStrategy : std::uint8_t { exponential_delay, fixed_delay };
/// high-availability.type: where completed checkpoints are listed while no JobManager lives.
enum class HighAvailability : std::uint8_t { none, zookeeper, kubernetes };

struct JobConfig {
    DeliveryGuarantee guarantee = DeliveryGuarantee::none;
    sim::Duration interval{};                          // execution.checkpointing.interval; zero: off
    sim::Duration timeout = sim::seconds(600);         // execution.checkpointing.timeout
    sim::Duration min_pause{};                         // execution.checkpointing.min-pause
    std::int32_t concurrent = 1;                       // ...max-concurrent-checkpoints
    std::int32_t tolerable_failures = 0;               // ...tolerable-failed-checkpoints
    std::int32_t retained = 1;                         // ...num-retained
    HighAvailability availability = HighAvailability::kubernetes;

    RestartStrategy restart = RestartStrategy::exponential_delay;
    sim::Duration fixed_delay = sim::seconds(1);       // restart-strategy.fixed-delay.delay
    std::int32_t fixed_attempts = 1;                   // restart-strategy.fixed-delay.attempts
    sim::Duration initial_backoff = sim::seconds(1);   // restart-strategy.exponential-delay...
    sim::Duration max_backoff = sim::seconds(60);      // ...max-backoff
    sim::Duration reset_backoff = sim::seconds(3600);  // ...reset-backoff-threshold

    sim::Duration heartbeat_interval = sim::seconds(10);  // heartbeat.interval
    sim::Duration heartbeat_timeout = sim::seconds(50);   // heartbeat.timeout
    std::int32_t heartbeat_failures = 2;                  // heartbeat.rpc-failure-threshold
    std::int32_t spare_task_managers = 0;  // slotmanager.redundant-taskmanager-num

    bool commit_offsets = true;  // commit.offsets.on.checkpoint
    std::int32_t prefix = 0;     ///< sink.transactional-id-prefix, in Topology::job_prefixes
    sim::Spread checkpoint;      ///< costs.checkpoint: snapshot and upload of one subtask

    friend bool operator==(const JobConfig&, const JobConfig&) = default;
};

}  // namespace eos::model
