// The injector inside the real engine, with the engine tests' toy client (node 0) and server (node
// 1).
#include <memory>

#include <doctest/doctest.h>

#include "faults/injector.hpp"
#include "tests/sim/toy.hpp"

using namespace toy;
namespace faults = eos::faults;
using faults::Fault;
using faults::Plan;

namespace {

using FaultyWorld = eos::sim::World<toy::V, toy::Node, faults::Injector, toy::Ledger>;

Plan plan_of(std::vector<Fault> list) {
    Plan plan;
    plan.faults = std::move(list);
    plan.chaos_end = at_ms(1000);
    plan.nodes.push_back({.kind = faults::NodeKind::app, .app = 0, .group = {}, .name = "client"});
    plan.nodes.push_back({.kind = faults::NodeKind::broker, .group = {}, .name = "server"});
    faults::Words& words = plan.words;
    words.facts.api = V::fact_api;
    words.facts.side = V::fact_side;
    words.facts.from = V::fact_from;
    words.facts.to = V::fact_to;
    words.facts.node = FactName{20};
    words.marks.rpc_sent = V::rpc_sent;
    words.marks.rpc_delivered = V::rpc_delivered;
    words.marks.handoff_queued = V::handoff_queued;
    words.marks.node_crashed = V::node_crashed;
    words.marks.node_lost_power = V::node_lost_power;
    words.marks.node_stopped = V::node_stopped;
    words.orders.stop = eos::sim::OrderKind{1};
    return plan;
}

Fault fault(std::string name, faults::Trigger trigger, faults::Action act, std::int32_t node) {
    Fault f;
    f.name = std::move(name);
    f.trigger = trigger;
    f.act = std::move(act);
    if (node >= 0) {
        faults::Target target;
        target.kind = faults::Target::Kind::broker;
        target.number = node;
        f.targets = {target};
    }
    return f;
}
faults::Trigger at(std::int64_t t) { return faults::trigger::At{Spread::fixed(ms(t))}; }
faults::Trigger when(MilestoneKind kind) { return faults::trigger::When{kind}; }
faults::Lasting lasting(std::int64_t t) { return faults::Lasting::of(Spread::fixed(ms(t))); }
faults::Match equals(FactName name, std::int64_t value) { return {name, {value}}; }

FaultyWorld world_of(Plan plan, std::vector<Todo> todos) {
    FaultyWorld world({}, faults::Injector(std::make_shared<const Plan>(std::move(plan))),
                      Ledger{});
    static_cast<void>(world.add_node(Client{std::move(todos), {}}, {}));
    static_cast<void>(world.add_node(Server{}, {}));
    world.begin();
    return world;
}

const Server& server_of(const FaultyWorld& world) { return std::get<Server>(world.node({1})); }
const Client& client_of(const FaultyWorld& world) { return std::get<Client>(world.node({0})); }

}  // namespace

TEST_CASE("in the engine, a node crashed at a time is down for its time") {
    Fault f = fault("crash", at(10), faults::action::Crash{}, 1);
    f.lasts = lasting(50);
    auto world = world_of(plan_of({f}), {});

    world.run_until(at_ms(30));
    const auto meanwhile = world.state({1});
    world.run_until(at_ms(100));

    CHECK(meanwhile == NodeState::down);
    CHECK(world.state({1}) == NodeState::running);
    CHECK(world.audience().count(V::node_crashed) == 1);
    CHECK(world.audience().count(V::node_started) == 3);
    CHECK(world.audience().count(MilestoneKind{1000}) == 1);
    CHECK(world.audience().count(MilestoneKind{1001}) == 1);
}

TEST_CASE(
    "in the engine, a stop without obedience is killed after its grace and healed at the end") {
    Fault f = fault("stop", at(10), faults::action::Stop{lasting(20)}, 1);
    auto world = world_of(plan_of({f}), {});

    world.run_until(at_ms(29));
    const auto obeying = world.state({1});
    world.run_until(at_ms(999));
    const auto killed = world.state({1});
    world.run_until(at_ms(1001));

    CHECK(times(server_of(world).executed, Heard::order) == Times{{10, 1}});
    CHECK(obeying == NodeState::running);
    CHECK(killed == NodeState::down);
    CHECK(world.state({1}) == NodeState::running);
}

TEST_CASE("in the engine, an application that ends on request is started after its downtime") {
    Fault f = fault("restart", at(10), faults::action::Restart{}, 0);
    f.lasts = lasting(100);
    auto world = world_of(plan_of({f}), {{ms(40), Do::exit}});

    world.run_until(at_ms(175));

    // It ended at 40 ms, was down for 100 ms, and ends again at its own 40 ms: 180 ms.
    CHECK(times(client_of(world).heard, Heard::start) == Times{{0, 0}, {140, 1}});
}

TEST_CASE("in the engine, a held request arrives when a milestone releases it") {
    Fault f = fault("hold", when(V::rpc_sent), faults::action::Hold{}, -1);
    f.matches = {equals(V::fact_number, 1), equals(V::fact_side, 0)};
    f.until = faults::Until{V::node_paused, {}, {}, Spread::fixed(ms(5))};
    Fault pause = fault("pause", at(60), faults::action::Pause{}, 0);
    pause.lasts = lasting(10);
    auto world = world_of(plan_of({f, pause}), {connect_at(1), send_at(10, 1)});

    world.run_until(at_ms(64));
    const bool early = server_of(world).executed.empty();
    world.run_until(at_ms(200));

    CHECK(early);
    CHECK(times(server_of(world).executed, Heard::ping) == Times{{66, 1}});
    CHECK(times(client_of(world).heard, Heard::pong).size() == 1);
}

TEST_CASE("in the engine, an isolated server hears again after the heal") {
    Fault f = fault("cut", at(5), faults::action::Isolate{}, 1);
    auto world = world_of(plan_of({f}), {connect_at(1), send_at(10, 1)});

    world.run_until(at_ms(999));
    const bool cut = server_of(world).executed.empty();
    world.run_until(at_ms(1100));

    CHECK(cut);
    CHECK(times(server_of(world).executed, Heard::ping).size() == 1);
}

TEST_CASE("in the engine, a crash triggered by a delivered request takes the receiver with it") {
    Fault f = fault("crash", when(V::rpc_delivered), faults::action::Crash{}, -1);
    f.nth = faults::Number{1, 1};
    f.lasts = lasting(50);
    auto world = world_of(plan_of({f}), {connect_at(1), send_at(10, 1)});

    world.run_until(at_ms(30));

    CHECK(world.state({1}) == NodeState::down);
    CHECK(server_of(world).executed.empty());
}

TEST_CASE("in the engine, a world forked in the midst of faults goes on alike") {
    Fault crash = fault("crash", faults::trigger::Every{Spread::uniform(ms(20), ms(90))},
                        faults::action::Crash{}, 1);
    crash.lasts = faults::Lasting::of(Spread::uniform(ms(5), ms(30)));
    Fault slow = fault("slow", faults::trigger::Every{Spread::uniform(ms(20), ms(90))},
                       faults::action::SlowLink{{}, Spread::uniform(ms(1), ms(9)), 0}, 0);
    slow.lasts = lasting(40);
    std::vector<Todo> todos;
    for (int i = 0; i < 90; ++i) {
        todos.push_back(connect_at(1 + 10 * i));
        todos.push_back(send_at(5 + 10 * i, i));
    }
    auto world = world_of(plan_of({crash, slow}), todos);
    world.run_until(at_ms(333));

    auto fork = world;
    const auto hash_before = world.state_hash();
    world.run_until(at_ms(2000));
    const auto fork_unmoved = fork.state_hash();
    fork.run_until(at_ms(2000));

    CHECK(fork_unmoved == hash_before);
    CHECK(fork.digest() == world.digest());
    CHECK(fork == world);
    CHECK(world.state_hash() != hash_before);
    CHECK(world.adversary().reports()[0].fired > 5);
}
