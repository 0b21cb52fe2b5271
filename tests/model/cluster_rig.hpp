#pragma once
// What cluster tests share: a topology, a controller and brokers in a small world, a client that
// says what it is told to say, an audience that writes everything down.

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "model/broker.hpp"
#include "model/controller.hpp"
#include "sim/world.hpp"

namespace eos::model::testing {

/// Topics "t0", "t1", ... of one partition each, replicated over all brokers, the first replica of
/// topic i being broker i mod n + 1; and one offsets partition led by the last broker.
struct Shape {
    std::int32_t brokers = 3;
    std::int32_t topics = 1;
    std::int32_t min_insync = 2;
    std::int64_t preload = 0;
};

inline std::shared_ptr<const Topology> topology(Shape shape = {}) {
    Topology result;
    result.brokers = shape.brokers;
    auto replicas_from = [&](std::int32_t first) {
        std::vector<BrokerId> replicas;
        for (std::int32_t i = 0; i < shape.brokers; ++i)
            replicas.push_back({(first + i) % shape.brokers + 1});
        return replicas;
    };
    for (std::int32_t i = 0; i < shape.topics; ++i) {
        Topic topic;
        topic.name = "t" + std::to_string(i);
        topic.first = {i};
        topic.min_insync = shape.min_insync;
        topic.preload = shape.preload;
        result.topics.push_back(topic);
        result.logs.push_back({{i}, {0}, replicas_from(i)});
    }
    Topic offsets;
    offsets.name = "__consumer_offsets";
    offsets.first = {shape.topics};
    offsets.min_insync = shape.min_insync;
    offsets.internal = true;
    result.offsets_topic = TopicId{shape.topics};
    result.topics.push_back(offsets);
    result.logs.push_back({{shape.topics}, {0}, replicas_from(shape.brokers - 1)});
    result.groups = {"g"};
    return std::make_shared<const Topology>(std::move(result));
}

/// Says its lines at their times, over one connection per broker, and keeps what it hears.
struct Speaker {
    struct Line {
        sim::Duration at{};
        NodeId to;
        Message message;
        friend bool operator==(const Line&, const Line&) = default;
    };
    struct Heard {
        sim::Instant at{};
        std::size_t line = 0;
        Message message;
        friend bool operator==(const Heard&, const Heard&) = default;
    };
    std::int32_t brokers = 3;
    std::vector<Line> script;
    std::vector<Heard> heard;
    std::vector<NodeId> closed;
    friend bool operator==(const Speaker&, const Speaker&) = default;
    [[nodiscard]] auto fields() const { return std::tie(heard, closed); }

    void on_start(const Context&, Fx& fx) {
        for (std::int32_t broker = 1; broker <= brokers; ++broker) fx.connect({{broker}, 0});
        for (std::size_t i = 0; i < script.size(); ++i)
            fx.arm({9999, static_cast<std::uint32_t>(i), 0}, script[i].at);
    }
    void on_request(const Context&, const sim::ReplyTo&, Message&&, Fx&) {}
    void on_reply(const Context& ctx, sim::Peer, sim::Correlation correlation, Message&& message,
                  Fx&) {
        heard.push_back({ctx.now, correlation.value, std::move(message)});
    }
    void on_link(const Context&, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
        if (event == sim::LinkEvent::opened) return;
        closed.push_back(peer.node);
        fx.arm({9998, static_cast<std::uint32_t>(peer.node.value), 0}, sim::milliseconds(100));
    }
    void on_timer(const Context&, sim::TimerKey timer, Fx& fx) {
        if (timer.kind == 9998) {
            fx.connect({{static_cast<std::int32_t>(timer.a)}, 0});
            return;
        }
        const auto& line = script[timer.a];
        fx.request({line.to, 0}, {timer.a}, line.message);
    }
    void on_handoff(const Context&, Message&&, Fx&) {}
    void on_order(const Context&, const sim::Order&, Fx&) {}
    Speaker reborn(const sim::Loss&) && { return std::move(*this); }

    /// The answer to a line; null if none has come.
    template <class M>
    [[nodiscard]] const M* answer(std::size_t line) const {
        for (const auto& entry : heard)
            if (entry.line == line) return std::get_if<M>(&entry.message);
        return nullptr;
    }
};

struct Recorder {
    std::vector<Observation> seen;
    std::vector<sim::Milestone> milestones;
    void observe(sim::Instant, NodeId, const Observation& observation) {
        seen.push_back(observation);
    }
    void reached(sim::Instant, const sim::Milestone& milestone) { milestones.push_back(milestone); }
    [[nodiscard]] std::int64_t times(Mile mile) const {
        return std::count_if(milestones.begin(), milestones.end(),
                             [&](const auto& m) { return m.kind == number(mile); });
    }
    template <class O>
    [[nodiscard]] std::vector<O> all() const {
        std::vector<O> result;
        for (const auto& any : seen)
            if (const auto* o = std::get_if<O>(&any)) result.push_back(*o);
        return result;
    }
};

using ClusterNode = std::variant<Controller, Broker, Speaker>;
using ClusterWorld = sim::World<Vocabulary, ClusterNode, sim::Quiet, Recorder>;

/// Controller, brokers, one speaker (the last node).
inline ClusterWorld cluster(const std::shared_ptr<const ClusterConfig>& config,
                            const std::shared_ptr<const Topology>& topology,
                            std::vector<Speaker::Line> script, std::uint64_t seed = 1) {
    ClusterWorld world(sim::WorldConfig{.seed = seed, .link = {}});
    world.add_node(Controller(config, topology));
    for (const auto id : topology->all_brokers())
        world.add_node(Broker({.self = id, .config = config, .topology = topology, .seed = seed}));
    world.add_node(Speaker{
        .brokers = topology->brokers, .script = std::move(script), .heard = {}, .closed = {}});
    world.begin();
    return world;
}

inline const Broker& broker(const ClusterWorld& world, std::int32_t id) {
    return std::get<Broker>(world.node({id}));
}
inline const Controller& controller(const ClusterWorld& world) {
    return std::get<Controller>(world.node({0}));
}
inline const Speaker& speaker(const ClusterWorld& world) {
    return std::get<Speaker>(world.node({static_cast<std::int32_t>(world.node_count()) - 1}));
}

/// A batch of records with ledger ids first, first + 1, ...
inline Batch batch(std::uint64_t first, std::int32_t count = 1) {
    std::vector<Record> records;
    for (std::int32_t i = 0; i < count; ++i)
        records.push_back({.id = {first + static_cast<std::uint64_t>(i)}, .key = 0, .amount = 0});
    Batch result;
    result.count = count;
    result.bytes = 100 * count;
    result.payload = Payload(std::move(records));
    return result;
}
inline Batch numbered(Batch batch, std::int64_t producer, std::int32_t sequence,
                      std::int16_t epoch = 0) {
    batch.producer_id = ProducerId{producer};
    batch.producer_epoch = {epoch};
    batch.base_sequence = Sequence{sequence};
    return batch;
}
inline ProduceRequest produce(std::int32_t log, Batch batch, Acks acks = Acks::all) {
    return {.acks = acks,
            .timeout = sim::seconds(30),
            .attempt = 1,
            .parts = {{.log = {log}, .batch = std::move(batch)}}};
}
inline FetchRequest fetch(std::int32_t log, std::int64_t offset,
                          sim::Duration max_wait = sim::milliseconds(500)) {
    FetchRequest request;
    request.max_wait = max_wait;
    FetchRequest::Part part;
    part.log = {log};
    part.offset = {offset};
    request.parts.push_back(part);
    return request;
}
inline sim::Instant at(sim::Duration time) { return sim::time_zero + time; }

}  // namespace eos::model::testing
