// Conditions of links: silent, refused, slow, narrow.
#include <doctest/doctest.h>

#include "tests/sim/toy.hpp"

namespace toy {
namespace {

act::SetLink silent(NodeId from, NodeId to) { return {.from = from, .to = to, .silent = true}; }
act::SetLink healthy(NodeId from, NodeId to) { return {.from = from, .to = to}; }

TEST_CASE("a silent link keeps requests, sent and under way, and delivers them after the heal") {
    const Setup setup{.todos = {connect_at(0), send_at(5, 1), send_at(10, 2)},
                      .rules = {.times = {{microseconds(5'500), silent(client_node, server_node)},
                                          {ms(50), healthy(client_node, server_node)}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{50, 1}, {51, 2}});
    CHECK(times(client(world).heard, Heard::pong) == Times{{51, 1}, {52, 2}});
}

TEST_CASE("a link that is silent one way keeps the answers only") {
    const Setup setup{.todos = {connect_at(0), send_at(5, 1), send_at(10, 2)},
                      .rules = {.times = {{ms(4), silent(server_node, client_node)},
                                          {ms(50), healthy(server_node, client_node)}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {11, 2}});
    CHECK(times(client(world).heard, Heard::pong) == Times{{51, 1}, {51, 2}});
}

TEST_CASE("what waits for a silent link dies with its connection") {
    const Setup setup{.todos = {connect_at(0), send_at(10, 1), {ms(20), Do::close, to_server}},
                      .rules = {.times = {{ms(5), silent(client_node, server_node)},
                                          {ms(50), healthy(client_node, server_node)}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.empty());
    CHECK(world.live().parcels == 0);
    CHECK(world.live().connections == 0);
}

TEST_CASE("connecting over a silent link gets no answer, over a refused one it is refused") {
    for (const bool refused : {false, true}) {
        CAPTURE(refused);
        const act::SetLink bad{
            .from = client_node, .to = server_node, .silent = !refused, .refused = refused};
        const Setup setup{
            .todos = {connect_at(5), connect_at(50)},
            .rules = {.times = {{ms(1), bad}, {ms(40), healthy(client_node, server_node)}}}};

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        const Times expected = refused ? Times{{7, 0}} : Times{};
        CHECK(times(client(world).heard, Heard::refused) == expected);
        CHECK(times(client(world).heard, Heard::opened) == Times{{52, 0}});
    }
}

TEST_CASE("a SYN that is lost, or whose answer is, is sent again after 1, 3 and 7 seconds") {
    struct Case {
        std::int64_t healed, opened;
    };
    for (const bool way_back : {false, true})
        for (const Case at : {Case{900, 1'007}, {1'100, 3'007}, {3'100, 7'007}}) {
            CAPTURE(way_back);
            CAPTURE(at.healed);
            const NodeId from = way_back ? server_node : client_node;
            const NodeId to = way_back ? client_node : server_node;
            const Setup setup{.todos = {connect_at(5), send_at(at.opened + 1, 1)},
                              .rules = {.times = {{ms(1), silent(from, to)},
                                                  {ms(at.healed), healthy(from, to)}}}};

            ToyWorld world = setup.world();
            world.run_until(at_ms(20'000));

            CHECK(times(client(world).heard, Heard::opened) == Times{{at.opened, 0}});
            CHECK(times(server(world).executed, Heard::ping) == Times{{at.opened + 2, 1}});
        }
}

TEST_CASE("a connection that was given up during the silence is not dialled again") {
    const Setup setup{.todos = {connect_at(5), {ms(500), Do::close, to_server}},
                      .rules = {.times = {{ms(1), silent(client_node, server_node)},
                                          {ms(600), healthy(client_node, server_node)}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(20'000));

    CHECK(times(client(world).heard, Heard::opened).empty());
    CHECK(world.live().connections == 0);
    CHECK(world.live().events == 0);
}

TEST_CASE("127 seconds after the first SYN the attempt has failed") {
    const Setup setup{.todos = {connect_at(5)},
                      .rules = {.times = {{ms(1), silent(client_node, server_node)}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(200'000));

    CHECK(times(client(world).heard, Heard::closed) == Times{{127'006, 0}});
    CHECK(world.live().connections == 0);
    CHECK(world.live().events == 0);
}

TEST_CASE("a server that has lost power since it heard the first SYN accepts the second") {
    const Setup setup{.todos = {connect_at(5), send_at(1'100, 1)},
                      .rules = {.times = {{ms(1), silent(server_node, client_node)},
                                          {ms(100), act::Crash{server_node, {.power = true}}},
                                          {ms(200), act::Start{server_node}},
                                          {ms(300), healthy(server_node, client_node)}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(2'000));

    CHECK(times(client(world).heard, Heard::opened) == Times{{1'007, 0}});
    CHECK(times(server(world).executed, Heard::ping) == Times{{1'101, 1}});
}

TEST_CASE("a link that begins to refuse resets its connections") {
    const Setup setup{.todos = {connect_at(0), send_at(10, 1)},
                      .rules = {.times = {{ms(5), act::SetLink{.from = server_node,
                                                               .to = client_node,
                                                               .refused = true}}}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::closed) == Times{{5, 0}});
    CHECK(server(world).executed.empty());
}

TEST_CASE("a slow link adds its extra, a narrow one the time of the bytes") {
    Setup setup{.todos = {connect_at(0), send_at(10, 1)}};
    setup.todos[1].bytes = 1'000;
    setup.rules.times = {
        {ms(5),
         act::SetLink{
             .from = client_node, .to = server_node, .extra = ms(7), .bytes_per_second = 100'000}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{28, 1}});
}

TEST_CASE("a pair of nodes may have a link of its own") {
    Setup setup{.todos = {connect_at(0), send_at(50, 1)}};
    ToyWorld world(setup.config, {}, {});
    static_cast<void>(world.add_node(Client{setup.todos, {}}));
    static_cast<void>(world.add_node(Server{}));
    world.configure_link(client_node, server_node, {.latency = Spread::fixed(ms(9))});
    world.begin();

    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{59, 1}});
    CHECK(times(client(world).heard, Heard::pong) == Times{{60, 1}});
}

}  // namespace
}  // namespace toy
