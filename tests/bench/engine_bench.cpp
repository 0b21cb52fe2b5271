// The engine against limit loops compiled beside it (limit_loops.hpp). Every benchmark runs engine
// and limits in turns on the same inputs, so that a noisy machine hits all of them alike, and
// reports the least nanoseconds of each, which neighbours disturbed least, and the ratio. See
// README.md for the workloads and the bars.
#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/digest.hpp"
#include "sim/event_queue.hpp"
#include "sim/timers.hpp"
#include "tests/bench/limit_loops.hpp"
#include "tests/sim/toy.hpp"

namespace {

using namespace eos::sim;
constexpr Duration mean = milliseconds(10);
constexpr int batch = 100'000;

/// The event body of the targets: a type tag, from, to and 40 bytes of argument.
struct Body {
    std::uint32_t type = 0;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::array<std::uint64_t, 5> argument{};
};
static_assert(sizeof(Body) <= 64);

/// The queues under one interface: (time, serial, body).
struct Engine {
    explicit Engine(std::size_t) {}
    EventQueue<Body> queue;
    void push(std::uint64_t time, const Body& body) {
        queue.push(Instant{Duration{static_cast<std::int64_t>(time)}}, body);
    }
    template <class Handler>
    void pop(Handler&& handler) {
        const auto popped = queue.pop();
        handler(static_cast<std::uint64_t>(popped.time.time_since_epoch().count()), popped.serial,
                popped.body);
    }
};
template <class Queue>
struct Limit {
    explicit Limit(std::size_t room) : loop(room) {}
    limit::Loop<Queue, Body> loop;
    void push(std::uint64_t time, const Body& body) { loop.push(time, body); }
    template <class Handler>
    void pop(Handler&& handler) {
        const auto [entry, body] = loop.pop();
        handler(entry.time, entry.tail >> 24, body);
    }
};

/// HOLD: n pending; each event schedules one at now + Exp(10 ms) and touches 8 bytes of its node.
/// PING: n nodes, one message each; each event answers or asks a random other node.
template <class Queue, bool ping>
class Load {
  public:
    /// A batch is long enough that nothing a queue does only now and then escapes the measure.
    explicit Load(std::size_t n)
        : queue_(n), nodes_(n), batch_(std::max(20'000, 20 * static_cast<int>(n))) {
        for (std::size_t i = 0; i < n; ++i)
            queue_.push(draw(), body(static_cast<std::uint32_t>(i)));
    }
    /// Handles a batch of events; returns nanoseconds an event.
    double run() {
        const std::clock_t start = std::clock();  // processor time: neighbours do not count
        for (int i = 0; i < batch_; ++i)
            queue_.pop([&](std::uint64_t time, std::uint64_t serial, const Body& event) {
                digest_.fold(time, serial);
                digest_.fold((static_cast<std::uint64_t>(event.from) << 32) | event.to,
                             event.argument[0]);
                nodes_[event.to] += time;
                Body next = event;
                if constexpr (ping) {
                    next.from = event.to;
                    next.to = event.type == 0 ? event.from : other(event.to);
                    next.type = 1 - event.type;
                }
                next.argument[0] = nodes_[event.to];
                queue_.push(time + draw(), next);
            });
        const std::clock_t ticks = std::clock() - start;
        benchmark::DoNotOptimize(nodes_.data());
        return static_cast<double>(ticks) * 1e9 / CLOCKS_PER_SEC / batch_;
    }
    [[nodiscard]] std::uint64_t digest() const { return digest_.value(); }
    [[nodiscard]] int batch() const { return batch_; }

  private:
    std::uint64_t draw() { return static_cast<std::uint64_t>(rng_.exponential(mean).count()); }
    std::uint32_t other(std::uint32_t self) {
        const auto drawn = static_cast<std::uint32_t>(rng_.below(nodes_.size() - 1));
        return drawn >= self ? drawn + 1 : drawn;
    }
    Body body(std::uint32_t node) {
        Body result;
        result.to = node;
        if constexpr (ping) {
            result.from = node;
            result.to = other(node);
        }
        return result;
    }
    Queue queue_;
    std::vector<std::uint64_t> nodes_;
    int batch_;
    Rng rng_{42};
    Digest digest_;
};

template <bool ping>
void against_limits(benchmark::State& state) {
    const auto n = static_cast<std::size_t>(state.range(0));
    Load<Engine, ping> engine(n);
    Load<Limit<limit::Heap4>, ping> heap(n);
    Load<Limit<limit::Ladder>, ping> ladder(n);
    std::vector<double> engine_ns, heap_ns, ladder_ns;
    for (auto _ : state) {
        engine_ns.push_back(engine.run());
        heap_ns.push_back(heap.run());
        ladder_ns.push_back(ladder.run());
        state.SetIterationTime(engine_ns.back() * engine.batch() * 1e-9);
    }
    // The three queues must agree on the order of everything.
    if (engine.digest() != heap.digest() || engine.digest() != ladder.digest())
        state.SkipWithError("the queues disagree on the order of events");
    const double e = std::ranges::min(engine_ns);
    const double h = std::ranges::min(heap_ns);
    const double l = std::ranges::min(ladder_ns);
    state.counters["engine_ns"] = e;
    state.counters["heap4_ns"] = h;
    state.counters["ladder_ns"] = l;
    state.counters["x_heap4"] = e / h;
    state.counters["x_ladder"] = e / l;
    state.counters["x_best"] = e / std::min(h, l);
}
void hold(benchmark::State& state) { against_limits<false>(state); }
void ping(benchmark::State& state) { against_limits<true>(state); }
BENCHMARK(hold)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(100'000)->UseManualTime()->MinTime(1);
BENCHMARK(ping)->Arg(8)->Arg(64)->UseManualTime()->MinTime(1);

/// n nodes; each message re-arms its node's timeout of 30 means. Time per message, timers included.
void rearmed_timers(benchmark::State& state) {
    const auto n = static_cast<std::int32_t>(state.range(0));
    EventQueue<Event> queue;
    std::vector<Timers> timers(static_cast<std::size_t>(n));
    Rng rng{42};
    constexpr TimerKey timeout{1, 0, 0};
    for (std::int32_t i = 0; i < n; ++i)
        queue.push(time_zero + rng.exponential(mean), {.kind = EventKind::handoff, .node = {i}});
    std::int64_t messages = 0;
    for (auto _ : state) {
        for (int i = 0; i < batch; ++i) {
            const auto popped = queue.pop();
            const NodeId node = popped.body.node;
            Timers& mine = timers[static_cast<std::size_t>(node.value)];
            if (popped.body.kind == EventKind::timer) {
                benchmark::DoNotOptimize(
                    mine.due(queue, node, timeout, popped.serial, popped.time));
                continue;
            }
            ++messages;
            mine.arm(queue, node, timeout, popped.time + 30 * mean);
            queue.push(popped.time + rng.exponential(mean), popped.body);
        }
    }
    state.counters["ns_per_message"] = benchmark::Counter(
        static_cast<double>(messages), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["pending"] = static_cast<double>(queue.size());
}
BENCHMARK(rearmed_timers)->Arg(100)->Arg(1'000)->Arg(10'000)->MinTime(1);

/// What the digest costs: two folds an event.
void digest(benchmark::State& state) {
    Digest digest;
    std::uint64_t word = 1;
    for (auto _ : state) {
        digest.fold(word, word + 1);
        word += 3;
    }
    benchmark::DoNotOptimize(digest);
}
BENCHMARK(digest);

// ---- Whole worlds
// ---------------------------------------------------------------------------------

/// An audience that hears nothing, as in a sweep without tapes.
struct Deaf {
    void observe(Instant, NodeId, const toy::Observation&) {}
    void reached(Instant, const Milestone&) {}
    [[nodiscard]] bool watches(MilestoneKind) const { return false; }
};

/// Asks a peer, and when it is answered the next one; answers at once.
struct Gossip {
    std::int32_t peers = 2;
    Rng rng{};
    std::uint32_t asked = 0;

    void ask(NodeId self, toy::Fx& fx) {
        fx.request({other(self), 0}, {++asked}, {toy::Word::ping, false, 1, 0, 0, 0});
    }
    NodeId other(NodeId self) {
        const auto bound = static_cast<std::uint64_t>(peers - 1);
        const auto drawn = static_cast<std::int32_t>(rng.below(bound));
        return {drawn >= self.value ? drawn + 1 : drawn};
    }
    void on_start(const Context& context, toy::Fx& fx) {
        rng = Rng::stream(7, "gossip", static_cast<std::uint64_t>(context.self.value));
        for (std::int32_t i = 0; i < peers; ++i)
            if (i != context.self.value) fx.connect({{i}, 0});
        fx.arm({1, 0, 0}, milliseconds(200));
    }
    void on_request(const Context&, const ReplyTo& to, toy::Message&& m, toy::Fx& fx) {
        m.answer = true;
        fx.reply(to, m);
    }
    void on_reply(const Context& context, Peer, Correlation, toy::Message&&, toy::Fx& fx) {
        ask(context.self, fx);
    }
    void on_link(const Context&, Peer, LinkEvent, toy::Fx&) {}
    void on_timer(const Context& context, TimerKey, toy::Fx& fx) { ask(context.self, fx); }
    void on_handoff(const Context&, toy::Message&&, toy::Fx&) {}
    void on_order(const Context&, const Order&, toy::Fx&) {}
    Gossip reborn(const Loss&) && { return {peers, {}, 0}; }
    friend bool operator==(const Gossip&, const Gossip&) = default;
};
using GossipWorld = World<toy::Vocabulary, Gossip, Quiet, Deaf>;

GossipWorld gossip_world(std::int32_t nodes, std::uint64_t seed = 1) {
    WorldConfig config{.seed = seed};
    config.link.latency = Spread::uniform(microseconds(200), microseconds(1'800));
    GossipWorld world(config);
    for (std::int32_t i = 0; i < nodes; ++i) static_cast<void>(world.add_node(Gossip{nodes}));
    world.begin();
    return world;
}

/// PING through the whole engine: connections, FIFO, handlers, effects. A request is two events
/// (arrival, serve), its answer one; time is per delivered message.
void world_ping(benchmark::State& state) {
    GossipWorld world = gossip_world(static_cast<std::int32_t>(state.range(0)));
    world.run_until(time_zero + seconds(1));
    const std::uint64_t before = world.events();
    for (auto _ : state) world.run(batch);
    const auto events = static_cast<double>(world.events() - before);
    const auto inverted = benchmark::Counter::kIsRate | benchmark::Counter::kInvert;
    state.counters["ns_per_event"] = benchmark::Counter(events, inverted);
    state.counters["ns_per_delivery"] = benchmark::Counter(events * 2 / 3, inverted);
}
BENCHMARK(world_ping)->Arg(8)->Arg(64)->MinTime(1);

/// Copying a world of n nodes, all connected, in full swing.
void fork(benchmark::State& state) {
    GossipWorld world = gossip_world(static_cast<std::int32_t>(state.range(0)));
    world.run_until(time_zero + seconds(1));
    for (auto _ : state) {
        GossipWorld copy = world;
        benchmark::DoNotOptimize(copy);
    }
}
BENCHMARK(fork)->Arg(4)->Arg(13)->Arg(40);

/// Hashing its state.
void hash_state(benchmark::State& state) {
    GossipWorld world = gossip_world(static_cast<std::int32_t>(state.range(0)));
    world.run_until(time_zero + seconds(1));
    for (auto _ : state) benchmark::DoNotOptimize(world.state_hash());
}
BENCHMARK(hash_state)->Arg(4)->Arg(13);

/// Whole runs of 2,000 events, set-up and tear-down included.
void seeds(benchmark::State& state) {
    std::uint64_t seed = 0;
    for (auto _ : state) {
        GossipWorld world = gossip_world(8, ++seed);
        world.run(2'000);
        benchmark::DoNotOptimize(world.digest());
    }
    state.counters["seeds_per_second"] =
        benchmark::Counter(static_cast<double>(seed), benchmark::Counter::kIsRate);
}
BENCHMARK(seeds);

}  // namespace

BENCHMARK_MAIN();
