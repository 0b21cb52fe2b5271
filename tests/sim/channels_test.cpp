// Connections: order, one request at a time, ghosts, what a close does and does not do.
#include <doctest/doctest.h>

#include "tests/sim/toy.hpp"

namespace toy {
namespace {

constexpr auto half = Chance{1, 2};

TEST_CASE("a request and its answer take one latency each, a connection takes a round trip") {
    const Setup setup{.todos = {connect_at(0), send_at(5, 1)}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::opened) == Times{{2, 0}});
    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
    CHECK(times(client(world).heard, Heard::pong) == Times{{7, 1}});
}

TEST_CASE("a request without an open connection is dropped") {
    const Setup setup{.todos = {send_at(0, 1), connect_at(1), send_at(2, 2), send_at(9, 3)}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{10, 3}});
}

TEST_CASE("frames of one connection arrive in the order they were sent, whatever their latency") {
    Setup setup;
    setup.config.link.latency = Spread::uniform(ms(1), ms(50));
    setup.todos = {connect_at(0)};
    for (int i = 0; i < 40; ++i) setup.todos.push_back(send_at(200 + i, i));

    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        setup.config.seed = seed;
        ToyWorld world = setup.world();
        world.run_until(at_ms(1'000));

        const auto& executed = server(world).executed;
        REQUIRE(executed.size() == 40);
        CHECK(std::ranges::is_sorted(executed, {}, &Entry::number));
        const Times answers = times(client(world).heard, Heard::pong);
        REQUIRE(answers.size() == 40);
        CHECK(std::ranges::is_sorted(answers, {}, &Times::value_type::second));
    }
}

TEST_CASE("frames on two lanes may overtake each other") {
    Setup setup;
    setup.config.link.latency = Spread::uniform(ms(1), ms(50));
    const Peer second{server_node, 1};
    setup.todos = {connect_at(0), {ms(0), Do::connect, second}};
    for (int i = 0; i < 40; ++i)
        setup.todos.push_back({ms(200 + i), Do::send, i % 2 == 0 ? to_server : second, i});

    ToyWorld world = setup.world();
    world.run_until(at_ms(1'000));

    REQUIRE(server(world).executed.size() == 40);
    CHECK_FALSE(std::ranges::is_sorted(server(world).executed, {}, &Entry::number));
}

TEST_CASE("bandwidth adds the time the bytes take") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1)}};
    setup.config.link.bytes_per_second = 1'000'000;
    setup.todos[1].bytes = 10'000;

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{16, 1}});
}

TEST_CASE("the next request of a connection is handled only after the former was answered") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1), send_at(5, 2), send_at(5, 3)}};
    setup.server.manner = Manner::later;
    setup.server.wait = ms(10);

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {16, 2}, {26, 3}});
    CHECK(times(client(world).heard, Heard::pong) == Times{{17, 1}, {27, 2}, {37, 3}});
}

TEST_CASE("requests of two connections do not wait for each other's answers") {
    Setup setup{.todos = {connect_at(0),
                          {ms(0), Do::connect, {server_node, 1}},
                          send_at(5, 1),
                          {ms(5), Do::send, {server_node, 1}, 2}}};
    setup.server.manner = Manner::later;
    setup.server.wait = ms(10);

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {6, 2}});
}

TEST_CASE("a request that gets no answer frees its connection") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1), send_at(5, 2)}};
    setup.server.manner = Manner::never_answers;

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.size() == 2);
    CHECK(times(client(world).heard, Heard::pong).empty());
}

TEST_CASE("a server that hangs up closes the connection and drops what waits on it") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1), send_at(5, 2)}};
    setup.server.manner = Manner::hangs_up;

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
    CHECK(times(client(world).heard, Heard::closed) == Times{{7, 0}});
    CHECK(world.audience().count(V::rpc_failed) == 2);
    CHECK(world.live().connections == 0);
}

TEST_CASE("requests sent before a close are executed as ghosts and their answers are dropped") {
    const Setup setup{
        .todos = {connect_at(0), send_at(5, 1), send_at(5, 2), {ms(5), Do::close, to_server}}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {6, 2}});
    CHECK(times(client(world).heard, Heard::pong).empty());
    CHECK(world.audience().count(V::rpc_failed) == 2);
    CHECK(world.live().connections == 0);
}

TEST_CASE("without ghosts nothing is executed once its connection is closed") {
    Setup setup{.todos = {connect_at(0),
                          send_at(5, 1),
                          send_at(5, 2),
                          send_at(5, 3),
                          {ms(9), Do::close, to_server}}};
    setup.config.link.ghosts = Chance::never();
    setup.server.manner = Manner::later;
    setup.server.wait = ms(10);

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    // The first was being handled; the others waited behind it, at the server already.
    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
    CHECK(world.live().parcels == 0);
    CHECK(world.live().connections == 0);
}

TEST_CASE("the share of ghosts is the share that was asked for") {
    Setup setup{.todos = {connect_at(0)}};
    for (int i = 0; i < 1'000; ++i) setup.todos.push_back(send_at(5, i));
    setup.todos.push_back({ms(5), Do::close, to_server});
    setup.config.link.ghosts = half;

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.size() > 420);
    CHECK(server(world).executed.size() < 580);
}

TEST_CASE("a ghost of an old connection may be executed after a request of the new one") {
    Setup setup;
    setup.config.link.latency = Spread::uniform(ms(1), ms(50));
    setup.todos = {
        connect_at(0), send_at(200, 1), {ms(200), Do::close, to_server}, connect_at(200)};
    for (int i = 0; i < 20; ++i) setup.todos.push_back(send_at(201 + i, 2));

    bool overtaken = false;
    for (std::uint64_t seed = 0; seed < 200 && !overtaken; ++seed) {
        setup.config.seed = seed;
        ToyWorld world = setup.world();
        world.run_until(at_ms(1'000));
        overtaken = server(world).executed.front().number == 2 &&
                    std::ranges::count(server(world).executed, 1, &Entry::number) == 1;
    }

    CHECK(overtaken);
}

TEST_CASE("an answer to a request of an old connection does not reach the new one") {
    Setup setup{.todos = {connect_at(0),
                          send_at(5, 1),
                          {ms(8), Do::close, to_server},
                          connect_at(8),
                          send_at(12, 2)}};
    setup.server.manner = Manner::later;
    setup.server.wait = ms(10);

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.size() == 2);
    CHECK(times(client(world).heard, Heard::pong) == Times{{24, 2}});
}

TEST_CASE("connecting again closes the former connection") {
    const Setup setup{.todos = {connect_at(0), connect_at(5), send_at(10, 1)}};

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(client(world).heard, Heard::opened) == Times{{2, 0}, {7, 0}});
    CHECK(times(client(world).heard, Heard::pong) == Times{{12, 1}});
    CHECK(world.audience().count(V::link_closed) == 1);
    CHECK(world.live().connections == 1);
}

TEST_CASE("a request that is answered twice is a broken contract that says when it happened") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1)}};
    setup.server.manner = Manner::answers_twice;
    ToyWorld world = setup.world();

    std::optional<Instant> when;
    try {
        world.run_until(at_ms(100));
    } catch (const BrokenContract& broken) {
        when = broken.when();
    }

    CHECK(when == at_ms(6));
}

TEST_CASE("spikes and random disconnects happen about as often as they were asked for") {
    Setup setup{.todos = {connect_at(0)}};
    for (int i = 0; i < 2'000; ++i) setup.todos.push_back(send_at(10 + 100 * i, i));
    setup.config.link.spike = {1, 10};
    setup.config.link.spike_extra = Spread::fixed(ms(30));

    ToyWorld world = setup.world();
    world.run_until(at_ms(300'000));

    std::int32_t slow = 0;
    for (const Entry& e : server(world).executed)
        slow += e.when - at_ms(10 + 100 * e.number) == ms(31) ? 1 : 0;
    CHECK(slow > 140);
    CHECK(slow < 260);
}

TEST_CASE("a random disconnect breaks the connection behind the request that met it") {
    Setup setup{.todos = {connect_at(0), send_at(5, 1)}};
    setup.config.link.disconnect = Chance::always();

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
    CHECK(times(client(world).heard, Heard::closed) == Times{{5, 0}});
    CHECK(world.audience().count(V::rpc_failed) == 1);
}

}  // namespace
}  // namespace toy
