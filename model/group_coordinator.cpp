#include "model/group_coordinator.hpp"

#include "model/spared.hpp"

namespace eos::model {
namespace {

[[nodiscard]] std::optional<GroupId> group_of(const Message& message) {
    return std::visit(
        [](const auto& m) -> std::optional<GroupId> {
            if constexpr (requires { m.group; })
                return m.group;
            else
                return std::nullopt;
        },
        message);
}

[[nodiscard]] sim::Facts coordinator_facts(const Context& ctx, LogId shard, LeaderEpoch epoch) {
    return told({{Fact::kind, static_cast<std::int64_t>(CoordinatorKind::group)},
                 {Fact::log, shard.value},
                 {Fact::broker, ctx.self.value},
                 {Fact::epoch, epoch.value}});
}

}  // namespace

GroupCoordinator::GroupCoordinator(std::shared_ptr<const Topology> topology,
                                   std::shared_ptr<const ClusterConfig> config, sim::Rng member_ids)
    : topology_(std::move(topology)), config_(std::move(config)), member_ids_(member_ids) {
    guard_.set = config_->safeguards;
    std::vector<LogId> homes;
    for (std::size_t i = 0; i < topology_->groups.size(); ++i) {
        const auto log = topology_->offsets_log({static_cast<std::int32_t>(i)});
        homes.push_back(log.value_or(LogId{-1}));
    }
    homes_ = std::make_shared<const std::vector<LogId>>(std::move(homes));
}

std::optional<LogId> GroupCoordinator::home(GroupId group) const {
    const auto i = static_cast<std::size_t>(group.value);
    if (!homes_ || i >= homes_->size() || (*homes_)[i].value < 0) return std::nullopt;
    return (*homes_)[i];
}

const GroupShard* GroupCoordinator::shard(LogId log) const {
    const auto found = shards_.find(log);
    return found == shards_.end() ? nullptr : &found->second;
}

template <class Action>
void GroupCoordinator::step(const Context& ctx, LogId log, GroupOutput& out, Fx& fx,
                            Action action) {
    const auto found = shards_.find(log);
    if (found == shards_.end()) return;
    ShardStep inner{ctx, *config_, *topology_, member_ids_, guard_, out, fx};
    action(found->second, inner);
    reach_spared(guard_, fx);
}

// --- leadership
// -----------------------------------------------------------------------------------

bool GroupCoordinator::lead(const Context& ctx, LogId log, LeaderEpoch epoch, Fx& fx) {
    const auto [place, added] = shards_.try_emplace(log, GroupShard(log, epoch));
    if (!added) {
        place->second.set_epoch(epoch);
        return place->second.loading();
    }
    if (!expiry_armed_) {
        expiry_armed_ = true;
        fx.arm(key(Tick::offsets_expiry), config_->offsets_retention_check);
    }
    fx.reach(number(Mile::coordinator_loading), coordinator_facts(ctx, log, epoch));
    // The successor declares itself; the predecessor says nothing when it learns of it, perhaps
    // much later.
    for (std::size_t i = 0; i < homes_->size(); ++i)
        if ((*homes_)[i] == log)
            fx.declare(role(Role::group_coordinator, static_cast<std::int64_t>(i)), {ctx.self});
    return true;
}

void GroupCoordinator::replay(LogId log, const Batch& batch, Offset high_watermark) {
    const auto found = shards_.find(log);
    if (found != shards_.end()) found->second.replay(guard_, batch, high_watermark);
}

void GroupCoordinator::resume(LogId log, const GroupFold& fold) {
    const auto found = shards_.find(log);
    if (found != shards_.end()) found->second.resume(fold);
}

void GroupCoordinator::loaded(const Context& ctx, LogId log, GroupOutput& out, Fx& fx) {
    step(ctx, log, out, fx, [&](GroupShard& shard, ShardStep& s) {
        if (!shard.loading()) return;
        shard.loaded(s);
        fx.reach(number(Mile::coordinator_loaded), coordinator_facts(ctx, log, shard.epoch()));
    });
}

void GroupCoordinator::resign(const Context& ctx, LogId log, GroupOutput& out, Fx& fx) {
    step(ctx, log, out, fx, [&](GroupShard& shard, ShardStep& s) {
        shard.unload(s);
        fx.reach(number(Mile::coordinator_unloaded), coordinator_facts(ctx, log, shard.epoch()));
    });
    shards_.erase(log);
}

// --- requests, timers, orders
// ---------------------------------------------------------------------

bool GroupCoordinator::handles(const Message& message) {
    return std::holds_alternative<JoinGroupRequest>(message) ||
           std::holds_alternative<SyncGroupRequest>(message) ||
           std::holds_alternative<HeartbeatRequest>(message) ||
           std::holds_alternative<LeaveGroupRequest>(message) ||
           std::holds_alternative<ConsumerGroupHeartbeatRequest>(message) ||
           std::holds_alternative<TxnOffsetCommitRequest>(message) ||
           std::holds_alternative<OffsetCommitRequest>(message) ||
           std::holds_alternative<OffsetFetchRequest>(message);
}

void GroupCoordinator::on_request(const Context& ctx, const ReplyTo& to, const Message& message,
                                  GroupOutput& out, Fx& fx) {
    const auto group = group_of(message);
    const auto log = group ? home(*group) : std::nullopt;
    if (!log || !leads(*log)) {
        out.replies.push_back({to, refuse_group_request(message, ErrorCode::not_coordinator)});
        return;
    }
    step(ctx, *log, out, fx,
         [&](GroupShard& shard, ShardStep& s) { shard.on_request(s, to, message); });
}

bool GroupCoordinator::owns(const sim::TimerKey& timer) {
    const auto what = tick(timer);
    return what == Tick::group_join || what == Tick::group_sync || what == Tick::group_session ||
           what == Tick::group_pending_member || what == Tick::group_commit_timeout ||
           what == Tick::group_pending_expiry || what == Tick::offsets_expiry ||
           what == Tick::modern_session || what == Tick::modern_rebalance ||
           what == Tick::modern_join || what == Tick::modern_sync;
}

void GroupCoordinator::on_timer(const Context& ctx, const sim::TimerKey& timer, GroupOutput& out,
                                Fx& fx) {
    const auto what = tick(timer);
    if (what == Tick::offsets_expiry) {
        expiry_armed_ = !shards_.empty();
        if (expiry_armed_) fx.arm(timer, config_->offsets_retention_check);
        for (const auto& [log, unused] : shards_)
            step(ctx, log, out, fx, [&](GroupShard& shard, ShardStep& s) {
                shard.expire_offsets(s, std::nullopt, config_->offsets_retention);
            });
        return;
    }
    if (what == Tick::group_pending_expiry) {
        step(ctx, {static_cast<std::int32_t>(timer.a)}, out, fx,
             [](GroupShard& shard, ShardStep& s) { shard.on_pending_expiry(s); });
        return;
    }
    if (what == Tick::group_commit_timeout) {
        step(ctx, {static_cast<std::int32_t>(timer.a)}, out, fx,
             [](GroupShard& shard, ShardStep& s) { shard.on_timeout(s); });
        return;
    }
    if (const auto log = home({static_cast<std::int32_t>(timer.a)}))
        step(ctx, *log, out, fx,
             [&](GroupShard& shard, ShardStep& s) { shard.on_group_timer(s, timer); });
}

bool GroupCoordinator::understands(const sim::Order& order) {
    return order.kind == number(Ask::rebalance) || order.kind == number(Ask::kick) ||
           order.kind == number(Ask::expire_offsets) || order.kind == number(Ask::reset_offsets) ||
           order.kind == number(Ask::delete_offsets) || order.kind == number(Ask::delete_group);
}

void GroupCoordinator::on_order(const Context& ctx, const sim::Order& order, GroupOutput& out,
                                Fx& fx) {
    const auto named = order.facts.find(number(Fact::group));
    if (!named) return;
    const GroupId group{static_cast<std::int32_t>(*named)};
    const auto log = home(group);
    if (!log) return;
    step(ctx, *log, out, fx, [&](GroupShard& shard, ShardStep& s) {
        if (order.kind == number(Ask::rebalance)) shard.rebalance(s, group);
        if (order.kind == number(Ask::kick))
            shard.expel(s, group, order.facts.find(number(Fact::node)),
                        order.facts.find(number(Fact::member)));
        if (order.kind == number(Ask::expire_offsets)) shard.expire_offsets(s, group, {});
        std::optional<LogId> target;
        if (const auto one = order.facts.find(number(Fact::log)))
            target = LogId{static_cast<std::int32_t>(*one)};
        // Simplified: an administrator hears nothing; what was refused is a milestone.
        if (order.kind == number(Ask::delete_offsets))
            (void)shard.delete_offsets(s, group,
                                       target ? std::vector{*target} : shard.logs_of(group));
        if (order.kind == number(Ask::delete_group)) (void)shard.delete_group(s, group);
        if (order.kind == number(Ask::reset_offsets)) {
            if (const auto offset = order.facts.find(number(Fact::offset)))
                shard.reset_offsets(s, group, target, *offset);
        }
    });
}

void GroupCoordinator::on_partitions_deleted(const Context& ctx, const std::vector<LogId>& logs,
                                             GroupOutput& out, Fx& fx) {
    for (const auto& [log, unused] : shards_)
        step(ctx, log, out, fx,
             [&](GroupShard& shard, ShardStep& s) { shard.on_partitions_deleted(s, logs); });
}

// --- news of the log
// ------------------------------------------------------------------------------

void GroupCoordinator::appended(const Context& ctx, LogId log, std::int64_t token, Offset base,
                                GroupOutput& out, Fx& fx) {
    step(ctx, log, out, fx,
         [&](GroupShard& shard, ShardStep& s) { shard.appended(s, token, base); });
}

void GroupCoordinator::append_failed(const Context& ctx, LogId log, std::int64_t token,
                                     ErrorCode error, GroupOutput& out, Fx& fx) {
    step(ctx, log, out, fx,
         [&](GroupShard& shard, ShardStep& s) { shard.append_failed(s, token, error); });
}

void GroupCoordinator::on_high_watermark(const Context& ctx, LogId log, Offset high_watermark,
                                         GroupOutput& out, Fx& fx) {
    step(ctx, log, out, fx,
         [&](GroupShard& shard, ShardStep& s) { shard.on_high_watermark(s, high_watermark); });
}

void GroupCoordinator::on_marker(const Context& ctx, LogId log, ProducerId producer, ProducerEpoch,
                                 ControlType type, Offset marker_offset, GroupOutput& out, Fx& fx) {
    step(ctx, log, out, fx, [&](GroupShard& shard, ShardStep& s) {
        shard.on_marker(s, producer, type, marker_offset);
    });
}

void GroupCoordinator::audit(const Context& ctx, Fx& fx) const {
    for (const auto& [log, shard] : shards_) shard.audit(ctx, fx);
}

}  // namespace eos::model
