// Lives of nodes: crash, power, pause, exit, supervisors, orders, clocks; stations.
#include <doctest/doctest.h>

#include "tests/sim/toy.hpp"

namespace toy {
namespace {

constexpr Loss power{.power = true};

TEST_CASE("a process crash closes its connections after a latency and destroys what is queued") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1), send_at(5, 2)},
                .rules = {.times = {{ms(10), act::Crash{server_node, {}}}}}};
    setup.server.manner = Manner::later;
    setup.server.wait = ms(10);

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
    CHECK(times(client(world).heard, Heard::closed) == Times{{11, 0}});
    CHECK(times(client(world).heard, Heard::pong).empty());
    CHECK(world.audience().count(V::rpc_failed) == 2);
    CHECK(world.audience().count(V::node_crashed) == 1);
    CHECK(world.live().parcels == 0);
    CHECK(world.live().connections == 0);
}

TEST_CASE("after a power loss a peer learns of it only when it speaks to the node that is back") {
    const Setup setup{.todos = {connect_at(0), send_at(20, 1), send_at(40, 2)},
                      .rules = {.times = {{ms(10), act::Crash{server_node, power}},
                                          {ms(30), act::Start{server_node}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.empty());
    CHECK(times(client(world).heard, Heard::closed) == Times{{42, 0}});
    CHECK(world.audience().count(V::node_lost_power) == 1);
    CHECK(world.audience().count(V::node_started) == 3);
}

TEST_CASE("a connection to a node that is down is refused") {
    const Setup setup{.todos = {connect_at(5)},
                      .rules = {.times = {{ms(1), act::Crash{server_node, {}}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::refused) == Times{{7, 0}});
    CHECK(world.live().connections == 0);
}

TEST_CASE("a crash at a milestone cuts off every effect behind it") {
    const Setup setup{.todos = {connect_at(0), send_at(5, 1)},
                      .rules = {.milestones = {{V::reached, act::Crash{server_node, {}}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    // The server reaches the milestone after it has executed and before it answers.
    CHECK(server(world).executed.size() == 1);
    CHECK(times(client(world).heard, Heard::pong).empty());
    CHECK(times(client(world).heard, Heard::closed) == Times{{7, 0}});
}

TEST_CASE("a pause at a milestone keeps the effects behind it until the node resumes") {
    const Setup setup{.todos = {connect_at(0), send_at(5, 1)},
                      .rules = {.times = {{ms(50), act::Resume{server_node}}},
                                .milestones = {{V::reached, act::Pause{server_node}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::pong) == Times{{51, 1}});
}

TEST_CASE("a paused node handles what came meanwhile in its old order when it resumes") {
    const Setup setup{.todos = {connect_at(0),
                                send_at(9, 1),
                                {ms(9), Do::arm, {}, 5, ms(6)},
                                {ms(9), Do::hand_off, {}, 6, ms(3)}},
                      .rules = {.times = {{microseconds(9'500), act::Pause{client_node}},
                                          {ms(50), act::Resume{client_node}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    const auto& heard = client(world).heard;
    REQUIRE(heard.size() >= 3);
    const std::vector<Entry> last(heard.end() - 3, heard.end());
    CHECK(last == std::vector<Entry>{{at_ms(50), Heard::pong, 1},
                                     {at_ms(50), Heard::note, 6},
                                     {at_ms(50), Heard::timer, 5}});
}

TEST_CASE("a crash of a paused node destroys what was kept for it") {
    const Setup setup{
        .todos = {connect_at(0), send_at(9, 1), send_at(9, 2), {ms(9), Do::hand_off, {}, 6, ms(3)}},
        .rules = {.times = {{microseconds(9'500), act::Pause{client_node}},
                            {microseconds(9'500), act::Pause{server_node}},
                            {ms(20), act::Crash{client_node, {}}},
                            {ms(20), act::Crash{server_node, {}}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.empty());
    CHECK(times(client(world).heard, Heard::note).empty());
    CHECK(world.live().parcels == 0);
    CHECK(world.live().connections == 0);
}

TEST_CASE("a client's crash leaves its requests behind as ghosts") {
    const Setup setup{.todos = {connect_at(0), send_at(5, 1)},
                      .rules = {.times = {{microseconds(5'500), act::Crash{client_node, {}}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
    CHECK(times(client(world).heard, Heard::pong).empty());
    CHECK(world.live().connections == 0);
}

TEST_CASE("a supervisor restarts what failed and leaves alone what stopped") {
    for (const bool failed : {true, false}) {
        CAPTURE(failed);
        Setup setup{.todos = {{ms(5), failed ? Do::fail : Do::exit}}};
        setup.client_config.restart = Spread::fixed(ms(20));

        ToyWorld world = setup.world();
        world.run_until(at_ms(26));

        const Times expected = failed ? Times{{0, 0}, {25, 1}} : Times{{0, 0}};
        CHECK(times(client(world).heard, Heard::start) == expected);
        CHECK(world.audience().count(failed ? V::node_crashed : V::node_stopped) == 1);
    }
}

TEST_CASE("who crashes a node starts it again, unless it is left to the supervisor") {
    for (const bool supervised : {true, false}) {
        CAPTURE(supervised);
        Setup setup{.rules = {.times = {{ms(5), act::Crash{client_node, {}, supervised}}}}};
        setup.client_config.restart = Spread::fixed(ms(20));

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        const NodeState expected = supervised ? NodeState::running : NodeState::down;
        CHECK(world.state(client_node) == expected);
    }
}

TEST_CASE("what a disk loses is up to the role that is reborn") {
    const Setup setup{.todos = {connect_at(0), send_at(5, 1)},
                      .rules = {.times = {{ms(10), act::Crash{server_node, {.wipe = true}}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(9));
    CHECK(server(world).executed.size() == 1);
    world.run_until(at_ms(100));

    CHECK(server(world).executed.empty());
    CHECK(world.life(server_node) == 1);
}

TEST_CASE("timers of a former life do not fire in the next one") {
    Setup setup{.todos = {{ms(0), Do::arm, {}, 7, ms(20)}},
                .rules = {.times = {{ms(10), act::Crash{client_node, {}}},
                                    {ms(12), act::Start{client_node}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::timer) == Times{{32, 7}});
}

TEST_CASE("an order reaches a living node at once and a paused one when it resumes") {
    const Setup setup{.rules = {.times = {{ms(5), act::Tell{client_node, {OrderKind{3}, {}}}},
                                          {ms(6), act::Pause{client_node}},
                                          {ms(7), act::Tell{client_node, {OrderKind{4}, {}}}},
                                          {ms(9), act::Resume{client_node}},
                                          {ms(10), act::Crash{client_node, {}}},
                                          {ms(11), act::Tell{client_node, {OrderKind{5}, {}}}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::order) == Times{{5, 3}, {9, 4}});
}

TEST_CASE("timers of a fast clock fire early, and a shifted clock moves no timer") {
    Setup setup{.todos = {{ms(10), Do::arm, {}, 1, ms(110)}}};
    setup.rules.times = {{ms(5), act::DriftClock{client_node, 100'000}},
                         {ms(50), act::ShiftClock{client_node, seconds(5)}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(200));

    CHECK(times(client(world).heard, Heard::timer) == Times{{110, 1}});
}

TEST_CASE("a wall clock goes on from where its drift left it") {
    Clock clock(ms(7));

    clock.drift(at_ms(1'000), 10'000);
    CHECK(clock.wall(at_ms(2'000)) == at_ms(2'017));
    clock.drift(at_ms(2'000), 0);
    clock.shift(ms(-17));

    CHECK(clock.wall(at_ms(9'000)) == at_ms(9'000));
}

TEST_CASE("handler threads bound how many requests are served at once") {
    Setup setup;
    setup.todos = {};
    for (std::uint8_t lane = 0; lane < 5; ++lane) {
        setup.todos.push_back({ms(0), Do::connect, {server_node, lane}});
        setup.todos.push_back({ms(9), Do::send, {server_node, lane}, lane});
    }
    setup.server_config.station = Station{.threads = 2, .per_request = ms(10)};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) ==
          Times{{20, 0}, {20, 1}, {30, 2}, {30, 3}, {40, 4}});
}

TEST_CASE("an answer that makes its receiver store something is paid for in order") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1), send_at(5, 2)}};
    setup.server.appends = 1;
    setup.client_config.station = Station{
        .write = Spread::fixed(ms(4)), .fsync = Spread::fixed(ms(6)), .fsync_every_write = true};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::pong) == Times{{17, 1}, {27, 2}});
}

TEST_CASE("a slow disk adds to write and fsync, a lying one answers fsync at once") {
    struct Row {
        Act act;
        std::int64_t expected;
    };
    for (const Row& row : {Row{act::SlowDisk{client_node, ms(1)}, 19},
                           Row{act::LyingFsync{client_node, true}, 11}}) {
        Setup setup{.todos = {connect_at(0), send_at(5, 1)},
                    .rules = {.times = {{ms(1), row.act}}}};
        setup.server.appends = 1;
        setup.client_config.station = Station{.write = Spread::fixed(ms(4)),
                                              .fsync = Spread::fixed(ms(6)),
                                              .fsync_every_write = true};

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        CHECK(times(client(world).heard, Heard::pong) == Times{{row.expected, 1}});
    }
}

}  // namespace
}  // namespace toy
