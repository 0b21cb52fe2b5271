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

        const Times expected = refused ? Times{{6, 0}} : Times{};
        CHECK(times(client(world).heard, Heard::refused) == expected);
        CHECK(times(client(world).heard, Heard::opened) == Times{{52, 0}});
    }
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
