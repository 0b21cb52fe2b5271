#pragma once
// What group tests share: a host for one GroupCoordinator with a log of its own. Appends are done
// at once, replicated at once unless `hold` is set; timers fire in order of time while time
// advances.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "model/group_coordinator.hpp"

namespace eos::model::testing {

/// Carries out timers and keeps what was observed, reached and declared.
struct GroupWorld {
    sim::Instant now = sim::time_zero + sim::seconds(1000);
    std::map<sim::TimerKey, std::pair<sim::Instant, std::int64_t>> timers;
    std::int64_t serial = 0;
    std::vector<Observation> seen;
    std::vector<sim::effect::Reach> reached;
    std::map<sim::RoleKey, std::vector<NodeId>> roles;

    [[nodiscard]] Context context() const { return {now, now, {1}, 0}; }
    void take(Fx& fx) {
        for (auto& any : fx.list()) {
            if (auto* arm = std::get_if<sim::effect::Arm>(&any))
                timers[arm->key] = {now + arm->after, serial++};
            else if (auto* disarm = std::get_if<sim::effect::Disarm>(&any))
                timers.erase(disarm->key);
            else if (auto* observe = std::get_if<sim::effect::Observe<Observation>>(&any))
                seen.push_back(observe->observation);
            else if (auto* reach = std::get_if<sim::effect::Reach>(&any))
                reached.push_back(*reach);
            else if (auto* declare = std::get_if<sim::effect::Declare>(&any))
                roles[declare->role] = declare->holders;
        }
        fx.clear();
    }
    /// The next timer due by `until`, taken out; time moves to it.
    [[nodiscard]] std::optional<sim::TimerKey> next_timer(sim::Instant until) {
        auto first = timers.end();
        for (auto i = timers.begin(); i != timers.end(); ++i)
            if (i->second.first <= until && (first == timers.end() || i->second < first->second))
                first = i;
        if (first == timers.end()) return std::nullopt;
        now = std::max(now, first->second.first);
        const auto key = first->first;
        timers.erase(first);
        return key;
    }
    [[nodiscard]] std::int32_t times(Mile mile) const {
        return static_cast<std::int32_t>(std::count_if(
            reached.begin(), reached.end(), [&](const auto& r) { return r.kind == number(mile); }));
    }
    template <class O>
    [[nodiscard]] std::vector<O> all() const {
        std::vector<O> result;
        for (const auto& any : seen)
            if (const auto* one = std::get_if<O>(&any)) result.push_back(*one);
        return result;
    }
};

/// Topics t (4 partitions, logs 0..3) and u (2, logs 4..5), __consumer_offsets (1 partition, log
/// 6), groups g (0) and h (1), brokers 1..3, application a on nodes 4 and up.
[[nodiscard]] inline Topology group_topology() {
    Topology result;
    result.topics = {{.name = "t", .first = {0}, .partitions = 4},
                     {.name = "u", .first = {4}, .partitions = 2},
                     {.name = "__consumer_offsets", .first = {6}, .partitions = 1}};
    for (std::int32_t topic = 0; topic < 3; ++topic)
        for (std::int32_t p = 0; p < result.topics[static_cast<std::size_t>(topic)].partitions; ++p)
            result.logs.push_back({{topic}, {p}, {{1}, {2}, {3}}});
    result.offsets_topic = TopicId{2};
    result.groups = {"g", "h"};
    result.apps = {"a"};
    result.app_first_node = {{4}};
    return result;
}
inline constexpr LogId offsets_log{6};
inline constexpr GroupId g{0};
inline constexpr TopicId t{0};

/// A member of the classic protocol with the range assignor asks to be let in; without an id it is new.
[[nodiscard]] inline JoinGroupRequest range_join(std::optional<MemberId> member = {},
                                                 std::optional<GroupInstanceId> instance = {}) {
    return {.group = g,
            .member = member,
            .instance = instance,
            .session_timeout = sim::seconds(10),
            .rebalance_timeout = sim::seconds(60),
            .protocols = {AssignorKind::range},
            .subscription = {t},
            .owned = {}};
}
[[nodiscard]] inline MemberRef ref(MemberId member, std::int32_t generation) {
    return {Generation{generation}, member, {}};
}

struct GroupRig {
    explicit GroupRig(ClusterConfig given = {})
        : config(std::make_shared<const ClusterConfig>(given)),
          topology(std::make_shared<const Topology>(group_topology())),
          coordinator(topology, config, sim::Rng(7)) {}

    std::shared_ptr<const ClusterConfig> config;
    std::shared_ptr<const Topology> topology;
    GroupCoordinator coordinator;
    GroupWorld world;
    std::vector<Batch> log;
    Offset end;
    Offset high_watermark;
    bool hold = false;                         ///< nothing is replicated
    std::optional<ErrorCode> refuse;           ///< what the log says to appends
    std::map<std::uint32_t, Message> answers;  ///< by correlation
    std::uint32_t sent = 0;

    /// Leads and loads.
    void start(std::int32_t epoch = 0) {
        lead(epoch);
        load();
    }
    void lead(std::int32_t epoch = 0) {
        Fx fx;
        (void)coordinator.lead(world.context(), offsets_log, {epoch}, fx);
        world.take(fx);
    }
    void load() {
        for (const auto& batch : log) coordinator.replay(offsets_log, batch, high_watermark);
        act([&](GroupOutput& out, Fx& fx) {
            coordinator.loaded(world.context(), offsets_log, out, fx);
        });
    }
    /// The same log, led by a fresh coordinator; the old one is told.
    void fail_over(std::int32_t epoch) {
        resign();
        coordinator =
            GroupCoordinator(topology, config, sim::Rng(static_cast<std::uint64_t>(epoch)));
        start(epoch);
    }
    void resign() {
        act([&](GroupOutput& out, Fx& fx) {
            coordinator.resign(world.context(), offsets_log, out, fx);
        });
    }
    /// The number under which the answer will be found.
    std::uint32_t request(Message message, NodeId from = {4}) {
        const auto number = sent++;
        const ReplyTo to{from, 2, 0, {number}};
        act([&](GroupOutput& out, Fx& fx) {
            coordinator.on_request(world.context(), to, message, out, fx);
        });
        return number;
    }
    template <class Response>
    Response call(Message message, NodeId from = {4}) {
        return answer<Response>(request(std::move(message), from));
    }
    [[nodiscard]] bool answered(std::uint32_t number) const { return answers.contains(number); }
    template <class Response>
    [[nodiscard]] Response answer(std::uint32_t number) const {
        return std::get<Response>(answers.at(number));
    }
    void order(Ask ask, sim::Facts facts) {
        act([&](GroupOutput& out, Fx& fx) {
            coordinator.on_order(world.context(), {model::number(ask), facts}, out, fx);
        });
    }
    void advance(sim::Duration by) {
        const auto until = world.now + by;
        while (const auto timer = world.next_timer(until))
            act([&](GroupOutput& out, Fx& fx) {
                coordinator.on_timer(world.context(), *timer, out, fx);
            });
        world.now = until;
    }
    void replicate() {
        high_watermark = end;
        act([&](GroupOutput& out, Fx& fx) {
            coordinator.on_high_watermark(world.context(), offsets_log, end, out, fx);
        });
    }
    /// The end of a producer's transaction: into the log, and told to the coordinator unless it is
    /// to hear of it later. Gives its offset.
    Offset marker(ProducerId producer, ControlType type, bool tell = true) {
        Batch batch;
        batch.base = end;
        batch.transactional = true;
        batch.producer_id = producer;
        batch.control = type;
        log.push_back(batch);
        end = batch.next_offset();
        if (!hold) high_watermark = end;
        if (tell) tell_marker(producer, type, batch.base);
        return batch.base;
    }
    void tell_marker(ProducerId producer, ControlType type, Offset at) {
        act([&](GroupOutput& out, Fx& fx) {
            coordinator.on_marker(world.context(), offsets_log, producer, {0}, type, at, out, fx);
            coordinator.on_high_watermark(world.context(), offsets_log, high_watermark, out, fx);
        });
    }
    [[nodiscard]] const ModernGroup* modern() const {
        const auto* shard = coordinator.shard(offsets_log);
        return shard ? shard->modern(g) : nullptr;
    }
    [[nodiscard]] const ClassicGroup* group() const {
        const auto* shard = coordinator.shard(offsets_log);
        return shard ? shard->group(g) : nullptr;
    }

    template <class Action>
    void act(Action action) {
        GroupOutput out;
        Fx fx;
        action(out, fx);
        for (std::size_t i = 0; i < out.appends.size(); ++i) {
            const auto append = out.appends[i];
            if (refuse) {
                coordinator.append_failed(world.context(), append.shard, append.token, *refuse, out,
                                          fx);
                continue;
            }
            Batch batch;
            batch.base = end;
            batch.count = static_cast<std::int32_t>(append.records.size());
            batch.payload = Payload(append.records);
            if (append.who) {
                batch.transactional = true;
                batch.producer_id = append.who->producer_id;
                batch.producer_epoch = append.who->producer_epoch;
                batch.txid = append.who->txid;
                batch.txn = append.who->txn;
            }
            log.push_back(batch);
            end = batch.next_offset();
            if (!hold) high_watermark = end;
            coordinator.appended(world.context(), append.shard, append.token, batch.base, out, fx);
            coordinator.on_high_watermark(world.context(), append.shard, high_watermark, out, fx);
        }
        world.take(fx);
        for (auto& reply : out.replies)
            answers.insert_or_assign(reply.to.correlation.value, std::move(reply.message));
    }
};

}  // namespace eos::model::testing
