#pragma once
// What transaction tests share: a host for one TransactionCoordinator with a log of its own.
// Appends are done at once, and replicated at once unless `hold` is set; markers are kept until the
// test says what became of them; timers fire in order of time while time advances.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "model/transaction_coordinator.hpp"
#include "tests/model/group_rig.hpp"

namespace eos::model::testing {

/// Topic t (4 partitions, logs 0..3), __consumer_offsets (log 4), __transaction_state (log 5),
/// transactional ids T (0) and U (1), group g (0), brokers 1..3, application a on nodes 4 and up.
[[nodiscard]] inline Topology transaction_topology() {
    Topology result;
    result.topics = {{.name = "t", .first = {0}, .partitions = 4},
                     {.name = "__consumer_offsets", .first = {4}, .partitions = 1},
                     {.name = "__transaction_state", .first = {5}, .partitions = 1}};
    for (std::int32_t topic = 0; topic < 3; ++topic)
        for (std::int32_t p = 0; p < result.topics[static_cast<std::size_t>(topic)].partitions; ++p)
            result.logs.push_back({{topic}, {p}, {{1}, {2}, {3}}});
    result.offsets_topic = TopicId{1};
    result.transaction_topic = TopicId{2};
    result.groups = {"g"};
    result.transactional_ids = {"T", "U"};
    result.apps = {"a"};
    result.app_first_node = {{4}};
    return result;
}
inline constexpr LogId transaction_log{5};
inline constexpr TransactionalId T{0};
inline constexpr TransactionalId U{1};

struct TransactionRig {
    explicit TransactionRig(ClusterConfig given = {}, std::int64_t first_id = 1000)
        : config(std::make_shared<const ClusterConfig>(given)),
          topology(std::make_shared<const Topology>(transaction_topology())),
          coordinator(topology, config) {
        ids.refill({first_id}, 1000);
        world.now = sim::time_zero;
    }

    std::shared_ptr<const ClusterConfig> config;
    std::shared_ptr<const Topology> topology;
    TransactionCoordinator coordinator;
    ProducerIdPool ids;
    GroupWorld world;
    std::vector<Batch> log;
    Offset end;
    Offset high_watermark;
    bool hold = false;                ///< nothing is replicated
    bool defer = false;               ///< nothing is appended until append_deferred()
    bool defer_completions = false;   ///< the same for Complete records alone
    std::optional<ErrorCode> refuse;  ///< what the log says to appends
    bool refused_survive = false;     ///< and yet the record is there
    std::vector<TransactionOutput::Append> deferred;
    std::vector<Marker> markers;               ///< to be sent, in order
    std::map<std::uint32_t, Message> answers;  ///< by correlation
    std::uint32_t sent = 0;

    /// Leads and loads.
    void start(std::int32_t epoch = 0) {
        lead(epoch);
        load();
    }
    void lead(std::int32_t epoch = 0) {
        act([&](TransactionOutput& out, Fx& fx) {
            (void)coordinator.lead(world.context(), transaction_log, {epoch}, out, fx);
        });
    }
    void load() {
        for (const auto& batch : log) coordinator.replay(transaction_log, batch);
        act([&](TransactionOutput& out, Fx& fx) {
            coordinator.loaded(world.context(), transaction_log, ids, out, fx);
        });
    }
    void resign() {
        act([&](TransactionOutput& out, Fx& fx) {
            coordinator.resign(world.context(), transaction_log, ids, out, fx);
        });
    }
    /// The same log, led by a fresh coordinator; the old one is told.
    void fail_over(std::int32_t epoch) {
        resign();
        coordinator = TransactionCoordinator(topology, config);
        start(epoch);
    }
    /// The number under which the answer will be found.
    std::uint32_t request(Message message) {
        const auto number = sent++;
        const ReplyTo to{{4}, 2, 0, {number}};
        act([&](TransactionOutput& out, Fx& fx) {
            coordinator.on_request(world.context(), to, message, ids, out, fx);
        });
        return number;
    }
    template <class Response>
    Response call(Message message) {
        return answer<Response>(request(std::move(message)));
    }
    [[nodiscard]] bool answered(std::uint32_t number) const { return answers.contains(number); }
    template <class Response>
    [[nodiscard]] Response answer(std::uint32_t number) const {
        return std::get<Response>(answers.at(number));
    }
    void order(Ask ask, TransactionalId txid) {
        act([&](TransactionOutput& out, Fx& fx) {
            coordinator.on_order(world.context(),
                                 {model::number(ask), told({{Fact::txid, txid.value}})}, ids, out,
                                 fx);
        });
    }
    void timer(sim::TimerKey key) {
        act([&](TransactionOutput& out, Fx& fx) {
            coordinator.on_timer(world.context(), key, ids, out, fx);
        });
    }
    void advance(sim::Duration by) {
        const auto until = world.now + by;
        while (const auto next = world.next_timer(until)) timer(*next);
        world.now = until;
    }
    void replicate() {
        high_watermark = end;
        act([&](TransactionOutput& out, Fx& fx) {
            coordinator.on_high_watermark(world.context(), transaction_log, end, ids, out, fx);
        });
    }
    void append_deferred() {
        defer = false;
        const bool kept = std::exchange(defer_completions, false);
        act([&](TransactionOutput& out, Fx&) { out.appends = std::exchange(deferred, {}); });
        defer_completions = kept;
    }
    /// Says of every marker that waits what its partition answered; none: the connection was lost.
    void answer_markers(std::optional<ErrorCode> error = ErrorCode::none) {
        MarkerResults results;
        for (const auto& marker : std::exchange(markers, {})) results.push_back({marker, error});
        tell(results);
    }
    void tell(const MarkerResults& results) {
        act([&](TransactionOutput& out, Fx& fx) {
            coordinator.on_marker_results(world.context(), results, ids, out, fx);
        });
    }
    [[nodiscard]] const TransactionShard::Entry* entry(TransactionalId txid = T) const {
        const auto* shard = coordinator.shard(transaction_log);
        return shard ? shard->entry(txid) : nullptr;
    }
    [[nodiscard]] TxnState state(TransactionalId txid = T) const {
        return entry(txid)->metadata.now().state;
    }

    template <class Action>
    void act(Action action) {
        TransactionOutput out;
        Fx fx;
        action(out, fx);
        for (std::size_t i = 0; i < out.appends.size(); ++i) append(out.appends[i], out, fx);
        world.take(fx);
        for (auto& reply : out.replies)
            answers.insert_or_assign(reply.to.correlation.value, std::move(reply.message));
        if (!out.forget.empty()) markers.clear();
        markers.insert(markers.end(), out.markers.begin(), out.markers.end());
        markers.insert(markers.end(), out.markers_again.begin(), out.markers_again.end());
    }

  private:
    void append(TransactionOutput::Append asked, TransactionOutput& out, Fx& fx) {
        const auto to = asked.record.state;
        const bool completes = to == TxnState::complete_commit || to == TxnState::complete_abort;
        if (defer || (defer_completions && completes)) return deferred.push_back(asked);
        if (!coordinator.wants(asked.log, asked.token))
            return coordinator.append_failed(world.context(), asked.log, asked.token,
                                             ErrorCode::not_leader_or_follower, ids, out, fx);
        if (!refuse || refused_survive) {
            Batch batch;
            batch.base = end;
            batch.payload = Payload(std::vector{asked.record});
            log.push_back(batch);
            end = batch.next_offset();
        }
        const auto context = world.context();
        if (refuse)
            return coordinator.append_failed(context, asked.log, asked.token, *refuse, ids, out,
                                             fx);
        if (!hold) high_watermark = end;
        coordinator.appended(context, asked.log, asked.token, end.prior(), ids, out, fx);
        coordinator.on_high_watermark(context, asked.log, high_watermark, ids, out, fx);
    }
};

}  // namespace eos::model::testing
