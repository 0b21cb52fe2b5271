#pragma once
// What tests of transactions at the partitions share: brokers 1 and 2 hold the logs, and in place
// of broker 3, where the transaction log is, sits an oracle that answers every verification as it
// is told. So the partitions' side is seen alone.

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "cluster_rig.hpp"

namespace eos::model::testing {

/// Logs: 0 "t0" led by 1, 1 "t1" led by 2, 2 the offsets log led by 1, 3 the transaction log.
inline std::shared_ptr<const Topology> txn_topology() {
    Topology result;
    result.brokers = 3;
    const auto add = [&](const char* name, std::vector<BrokerId> replicas, bool internal) {
        const TopicId topic{static_cast<std::int32_t>(result.topics.size())};
        const LogId log{static_cast<std::int32_t>(result.logs.size())};
        result.topics.push_back({.name = name,
                                 .first = log,
                                 .min_insync = static_cast<std::int32_t>(replicas.size()),
                                 .internal = internal});
        result.logs.push_back({topic, {0}, std::move(replicas)});
        return topic;
    };
    add("t0", {{1}, {2}}, false);
    add("t1", {{2}, {1}}, false);
    result.offsets_topic = add("__consumer_offsets", {{1}, {2}}, true);
    result.transaction_topic = add("__transaction_state", {{3}}, true);
    result.groups = {"g"};
    result.transactional_ids = {"tx"};
    return std::make_shared<const Topology>(std::move(result));
}

/// A transaction coordinator that says what it is told to say, in turn; the last saying stays.
struct Oracle {
    std::vector<ErrorCode> sayings{ErrorCode::none};
    sim::Duration thinks{};
    std::vector<std::pair<sim::ReplyTo, AddPartitionsToTxnRequest>> asked;
    friend bool operator==(const Oracle&, const Oracle&) = default;
    [[nodiscard]] auto fields() const { return std::tie(sayings, thinks, asked); }

    void on_start(const Context&, Fx&) {}
    void on_request(const Context&, const sim::ReplyTo& to, Message&& message, Fx& fx) {
        const auto* request = std::get_if<AddPartitionsToTxnRequest>(&message);
        if (!request) return fx.hang_up(to);
        fx.arm({9997, static_cast<std::uint32_t>(asked.size()), 0}, thinks);
        asked.emplace_back(to, *request);
    }
    void on_timer(const Context&, sim::TimerKey timer, Fx& fx) {
        const auto error = sayings.at(std::min<std::size_t>(timer.a, sayings.size() - 1));
        const auto& [to, request] = asked.at(timer.a);
        AddPartitionsToTxnResponse answer;
        for (const auto& entry : request.entries) {
            auto& said = answer.entries.emplace_back();
            said.who = entry.who;
            for (const auto log : entry.logs) said.parts.push_back({log, error});
        }
        fx.reply(to, std::move(answer));
    }
    void on_reply(const Context&, sim::Peer, sim::Correlation, Message&&, Fx&) {}
    void on_link(const Context&, sim::Peer, sim::LinkEvent, Fx&) {}
    void on_handoff(const Context&, Message&&, Fx&) {}
    void on_order(const Context&, const sim::Order&, Fx&) {}
    Oracle reborn(const sim::Loss&) && { return std::move(*this); }
};

using TxnNode = std::variant<Controller, Broker, Speaker, Oracle>;
using TxnWorld = sim::World<Vocabulary, TxnNode, sim::Quiet, Recorder>;

/// `other` speaks over connections of its own (node 5).
inline TxnWorld txn_world(const std::shared_ptr<const ClusterConfig>& config,
                          std::vector<Speaker::Line> script, Oracle oracle = {},
                          std::vector<Speaker::Line> other = {}) {
    const auto topology = txn_topology();
    TxnWorld world(sim::WorldConfig{.seed = 1, .link = {}});
    world.add_node(Controller(config, topology));
    for (const std::int32_t id : {1, 2})
        world.add_node(
            Broker({.self = {id}, .config = config, .topology = topology, .seed = 1}));
    world.add_node(std::move(oracle));
    for (auto* lines : {&script, &other})
        world.add_node(
            Speaker{.brokers = 2, .script = std::move(*lines), .heard = {}, .closed = {}});
    world.begin();
    return world;
}

inline const Replica& replica(const TxnWorld& world, std::int32_t broker, std::int32_t log) {
    return *std::get<Broker>(world.node({broker})).replicas().find({log});
}
inline const Oracle& oracle(const TxnWorld& world) { return std::get<Oracle>(world.node({3})); }
template <class M>
const M* heard(const TxnWorld& world, std::size_t line, std::int32_t node = 4) {
    return std::get<Speaker>(world.node({node})).answer<M>(line);
}

constexpr TransactionalId the_txid{0};
constexpr std::int64_t the_producer = 7;
constexpr TxnRef the_txn{{{0}, 0}, 1};

inline Batch in_txn(Batch batch, std::int32_t sequence, std::int16_t epoch = 0) {
    auto result = numbered(std::move(batch), the_producer, sequence, epoch);
    result.transactional = true;
    result.txid = the_txid;
    result.txn = the_txn;
    return result;
}
inline ProduceRequest txn_produce(std::int32_t log, Batch batch, TransactionVersion version) {
    auto request = produce(log, std::move(batch));
    request.txid = the_txid;
    request.version = version;
    return request;
}
inline WriteTxnMarkersRequest marker(std::vector<LogId> logs, ControlType result,
                                     std::int16_t epoch,
                                     TransactionVersion version = TransactionVersion::tv2,
                                     std::int32_t coordinator_epoch = 0) {
    WriteTxnMarkersRequest request;
    request.coordinator_epoch = {coordinator_epoch};
    request.entries.push_back({.who = {.txid = the_txid,
                                       .producer_id = {the_producer},
                                       .producer_epoch = {epoch},
                                       .txn = the_txn},
                               .result = result,
                               .coordinator_epoch = {coordinator_epoch},
                               .version = version,
                               .logs = std::move(logs)});
    return request;
}
inline FetchRequest committed(std::int32_t log, std::int64_t offset,
                              sim::Duration wait = sim::milliseconds(500)) {
    auto request = fetch(log, offset, wait);
    request.isolation = Isolation::read_committed;
    return request;
}

}  // namespace eos::model::testing
