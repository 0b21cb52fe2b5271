#include "tools/run/audience.hpp"

#include <algorithm>
#include <array>

namespace eos {
namespace {

using enum model::Mile;

constexpr std::array key_miles{
    producer_retried, producer_deduplicated, producer_send_failed, producer_epoch_bumped,
    producer_fenced, partition_refused, partition_deduplicated, partition_truncated,
    partition_isr_changed, partition_leader_changed, partition_went_offline,
    controller_broker_fenced, controller_broker_registered, coordinator_loaded, group_member_expired,
    group_member_fenced, group_rebalanced, offsets_refused, offsets_reset, offsets_expired,
    node_crashed, node_lost_power, node_stopped, node_started, node_paused, node_resumed,
    app_failed, store_prepared, store_rolled_back, store_key_expired, checkpoint_failed,
    committable_refused, job_restored};

}  // namespace

bool Audience::key(sim::MilestoneKind kind) {
    if (kind >= model::number(model::Mile::safeguard_first)) return true;
    return std::find(key_miles.begin(), key_miles.end(),
                     static_cast<model::Mile>(kind.value)) != key_miles.end();
}

}  // namespace eos
