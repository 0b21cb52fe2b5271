// What the adversary can do to a frame, at each of its moments.
#include <doctest/doctest.h>

#include "tests/sim/toy.hpp"

namespace toy {
namespace {

using Kind = Fate::Kind;
constexpr HoldId first_hold{1};

Setup three_requests(Rules rules) {
    return {.todos = {connect_at(0), send_at(5, 1), send_at(5, 2), send_at(5, 3)},
            .rules = std::move(rules)};
}
Fate hold() { return {.kind = Kind::hold, .hold = first_hold}; }
Rules release_at(std::int64_t time, Rules::OnFrame rule) {
    return {.frames = {rule}, .times = {{ms(time), act::Release{first_hold}}}};
}

TEST_CASE("a held request stops what follows on its connection, at both of its moments") {
    for (const Moment moment : {Moment::sent, Moment::delivered}) {
        CAPTURE(static_cast<int>(moment));
        const Setup setup =
            three_requests(release_at(50, {.moment = moment, .number = 2, .fate = hold()}));

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        const std::int64_t again = moment == Moment::sent ? 51 : 50;
        CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {again, 2}, {again, 3}});
        CHECK(times(client(world).heard, Heard::pong).size() == 3);
    }
}

TEST_CASE("a held answer stops the answers behind it, at both of its moments") {
    for (const Moment moment : {Moment::sent, Moment::delivered}) {
        CAPTURE(static_cast<int>(moment));
        const Setup setup = three_requests(
            release_at(50, {.moment = moment, .response = true, .number = 2, .fate = hold()}));

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        const std::int64_t again = moment == Moment::sent ? 51 : 50;
        CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {6, 2}, {6, 3}});
        CHECK(times(client(world).heard, Heard::pong) == Times{{7, 1}, {again, 2}, {again, 3}});
    }
}

TEST_CASE("a frame that arrives at the instant of a release does not overtake what was held") {
    Setup setup =
        three_requests(release_at(50, {.moment = Moment::delivered, .number = 2, .fate = hold()}));
    setup.todos.push_back(send_at(49, 4));

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {50, 2}, {50, 3}, {50, 4}});
}

TEST_CASE("a held request whose caller reconnects is executed as a ghost when it is released") {
    for (const Moment moment : {Moment::sent, Moment::delivered}) {
        CAPTURE(static_cast<int>(moment));
        Setup setup =
            three_requests(release_at(50, {.moment = moment, .number = 2, .fate = hold()}));
        setup.config.link.ghosts = Chance::never();
        setup.todos.push_back(connect_at(20));
        setup.todos.push_back(send_at(30, 9));

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        // What stood behind the held one is a usual ghost, and of those there are none here.
        const std::int64_t again = moment == Moment::sent ? 51 : 50;
        const Times executed = times(server(world).executed, Heard::ping);
        REQUIRE(executed.size() >= 3);
        CHECK(executed[0] == Times::value_type{6, 1});
        CHECK(executed[1] == Times::value_type{31, 9});
        CHECK(executed[2] == Times::value_type{again, 2});
        CHECK(times(client(world).heard, Heard::pong) == Times{{7, 1}, {32, 9}});
        CHECK(world.live().connections == 1);
    }
}

TEST_CASE("only a crash of its receiver destroys a held request") {
    for (const Moment moment : {Moment::sent, Moment::delivered}) {
        CAPTURE(static_cast<int>(moment));
        Rules rules = release_at(50, {.moment = moment, .number = 2, .fate = hold()});
        rules.times.push_back({ms(20), act::Crash{server_node, {}}});
        rules.times.push_back({ms(21), act::Start{server_node}});
        const Setup setup = three_requests(rules);

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
        CHECK(world.live().parcels == 0);
        CHECK(world.live().connections == 0);
    }
}

TEST_CASE("a delayed frame is released by itself") {
    const Setup setup =
        three_requests({.frames = {{.number = 1, .fate = {.kind = Kind::delay, .by = ms(10)}}}});

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{16, 1}, {16, 2}, {16, 3}});
}

TEST_CASE("behind a lost request nothing arrives any more, and the caller is not told") {
    for (const Moment moment : {Moment::sent, Moment::delivered}) {
        CAPTURE(static_cast<int>(moment));
        const Setup setup = three_requests(
            {.frames = {{.moment = moment, .number = 2, .fate = {.kind = Kind::lose}}}});

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}});
        CHECK(times(client(world).heard, Heard::closed).empty());
    }
}

TEST_CASE("a lost answer leaves its request executed, and no later answer arrives before it") {
    const Setup setup =
        three_requests({.frames = {{.response = true, .number = 2, .fate = {.kind = Kind::lose}}}});

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.size() == 3);
    CHECK(times(client(world).heard, Heard::pong) == Times{{7, 1}});
    CHECK(times(client(world).heard, Heard::closed).empty());
}

TEST_CASE("a disconnect closes at once, and the frame is executed only if it was to be") {
    for (const bool executes : {true, false}) {
        CAPTURE(executes);
        const Setup setup = three_requests(
            {.frames = {{.number = 2, .fate = {.kind = Kind::disconnect, .executes = executes}}}});

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        const Times expected = executes ? Times{{6, 1}, {6, 2}} : Times{{6, 1}};
        CHECK(times(server(world).executed, Heard::ping) == expected);
        CHECK(times(client(world).heard, Heard::closed) == Times{{5, 0}});
        CHECK(times(client(world).heard, Heard::pong).empty());
        CHECK(world.audience().count(V::rpc_failed) == 3);
    }
}

TEST_CASE("a refused request is answered in its turn and not executed") {
    const Setup setup = three_requests({.frames = {{.moment = Moment::delivered,
                                                    .number = 2,
                                                    .fate = {.kind = Kind::refuse, .code = 42}}}});

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(times(server(world).executed, Heard::ping) == Times{{6, 1}, {6, 3}});
    CHECK(times(client(world).heard, Heard::pong) == Times{{7, 1}, {7, -42}, {7, 3}});
}

TEST_CASE("a refused answer reaches its caller with the error, after the request was executed") {
    const Setup setup = three_requests(
        {.frames = {{.response = true, .number = 2, .fate = {.kind = Kind::refuse, .code = 42}}}});

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    CHECK(server(world).executed.size() == 3);
    CHECK(times(client(world).heard, Heard::pong) == Times{{7, 1}, {7, -42}, {7, 3}});
}

TEST_CASE("a duplicated request is executed again over other connections and answered once") {
    for (const Moment moment : {Moment::sent, Moment::delivered}) {
        CAPTURE(static_cast<int>(moment));
        const Setup setup = three_requests(
            {.frames = {{.moment = moment,
                         .number = 2,
                         .fate = {.kind = Kind::duplicate, .by = ms(10), .copies = 2}}}});

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        const std::int64_t base = moment == Moment::sent ? 6 : 7;
        CHECK(times(server(world).executed, Heard::ping) ==
              Times{{6, 1}, {6, 2}, {6, 3}, {base + 10, 2}, {base + 20, 2}});
        CHECK(times(client(world).heard, Heard::pong) == Times{{7, 1}, {7, 2}, {7, 3}});
        CHECK(world.live().connections == 1);
    }
}

TEST_CASE("an answer carries the facts of its request that it does not have itself") {
    const Setup setup = three_requests({.frames = {{.number = 99}}});

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    std::int32_t answers = 0;
    for (const Frame& frame : world.adversary().seen) {
        if (!frame.response) continue;
        ++answers;
        CHECK(frame.facts.find(V::fact_number).has_value());
        CHECK(frame.facts.find(V::fact_side) == static_cast<std::int64_t>(FrameSide::response));
        CHECK(frame.facts.find(V::fact_from) == server_node.value);
        CHECK(frame.facts.find(V::fact_to) == client_node.value);
    }
    CHECK(answers == 6);
}

TEST_CASE("acts at a moment of a frame come before every other event") {
    const Setup setup = three_requests(
        {.frames = {
             {.moment = Moment::delivered, .number = 2, .acts = {act::Crash{server_node, {}}}}}});

    ToyWorld world = setup.world();
    world.run_until(at_ms(100));

    // The three arrive at one time; the second is in the queue of the server when that dies.
    CHECK(server(world).executed.empty());
    CHECK(times(client(world).heard, Heard::closed) == Times{{7, 0}});
}

TEST_CASE("a hand-off can be held, lost, delayed, refused and repeated") {
    struct Row {
        const char* name;
        Fate fate;
        Times heard;
    };
    const std::vector<Row> rows{
        {"passed", {}, {{7, 5}}},
        {"held", hold(), {{52, 5}}},
        {"lost", {.kind = Kind::lose}, {}},
        {"delayed", {.kind = Kind::delay, .by = ms(20)}, {{27, 5}}},
        {"refused", {.kind = Kind::refuse, .code = 13}, {{7, -13}}},
        {"repeated", {.kind = Kind::duplicate, .by = ms(1), .copies = 2}, {{7, 5}, {8, 5}, {9, 5}}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Setup setup{.todos = {{ms(5), Do::hand_off, {}, 5, ms(2)}},
                          .rules = release_at(50, {.moment = Moment::handoff, .fate = row.fate})};

        ToyWorld world = setup.world();
        world.run_until(at_ms(100));

        CHECK(times(client(world).heard, Heard::note) == row.heard);
        CHECK(world.audience().count(V::handoff_queued) == 1);
        CHECK(world.live().parcels == 0);
    }
}

}  // namespace
}  // namespace toy
