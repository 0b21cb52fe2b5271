// The world as a value: determinism, forks, hashes, independence of luck, divergence.
#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "sim/ensure.hpp"
#include "sim/trace.hpp"
#include "tests/sim/toy.hpp"

namespace toy {
namespace {

/// Two clients, two servers, and nearly everything that can go wrong.
ToyWorld busy_world(std::uint64_t seed, int idle_nodes = 0) {
    WorldConfig config{.seed = seed};
    config.link.latency = {milliseconds(1), milliseconds(6), true};
    config.link.bytes_per_second = 10'000'000;
    config.link.spike = {1, 20};
    config.link.spike_extra = Spread::uniform(ms(5), ms(20));
    config.link.disconnect = {1, 50};
    config.link.ghosts = {1, 2};
    Rules rules;
    rules.frames = {{.number = 30, .fate = {.kind = Fate::Kind::hold, .hold = {1}}},
                    {.number = 40, .fate = {.kind = Fate::Kind::delay, .by = ms(9)}},
                    {.number = 50, .fate = {.kind = Fate::Kind::duplicate, .by = ms(3)}},
                    {.moment = Moment::delivered,
                     .response = true,
                     .number = 60,
                     .fate = {.kind = Fate::Kind::disconnect}}};
    rules.times = {{ms(100), act::Pause{{2}}},
                   {ms(120), act::Resume{{2}}},
                   {ms(150), act::Crash{{3}, {.power = true}}},
                   {ms(170), act::Start{{3}}},
                   {ms(200), act::SetLink{.from = {0}, .to = {2}, .silent = true}},
                   {ms(230), act::SetLink{.from = {0}, .to = {2}}},
                   {ms(240), act::Release{{1}}},
                   {ms(260), act::Crash{{1}, {}, true}},
                   {ms(2'000), act::Release{{1}}}};  // what was held in its second life
    ToyWorld world(config, rules, {});
    for (const NodeId self : {NodeId{0}, NodeId{1}}) {
        std::vector<Todo> todos;
        for (int i = 0; i < 100; ++i) {
            const Peer to{{2 + i % 2}, 0};
            if (i % 10 < 2) todos.push_back({ms(4 * i), Do::connect, to});
            todos.push_back({ms(4 * i + 2), Do::send, to, i, {}, 500});
            todos.push_back({ms(4 * i), Do::arm, {}, i % 5, ms(11)});
            if (i % 7 == 0) todos.push_back({ms(4 * i), Do::hand_off, {}, i, ms(i % 3)});
        }
        static_cast<void>(self);
        static_cast<void>(world.add_node(Client{todos, {}}, {.restart = Spread::fixed(ms(5))}));
    }
    const Station station{.threads = 1,
                          .per_request = microseconds(300),
                          .bytes_per_second = 50'000'000,
                          .write = Spread::uniform(microseconds(10), microseconds(90))};
    static_cast<void>(world.add_node(Server{}, {.station = station}));
    static_cast<void>(
        world.add_node(Server{.manner = Manner::later, .wait = ms(2)}, {.station = station}));
    for (int i = 0; i < idle_nodes; ++i)
        static_cast<void>(world.add_node(Client{}, {.start = std::nullopt}));
    world.begin();
    return world;
}

TEST_CASE("the same seed gives the same run, another seed another one") {
    std::set<std::uint64_t> digests;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        ToyWorld one = busy_world(seed);
        ToyWorld other = busy_world(seed);
        one.run(100'000);
        other.run(100'000);

        CHECK(one.digest() == other.digest());
        CHECK(one == other);
        CHECK(one.state_hash() == other.state_hash());
        digests.insert(one.digest());
    }

    CHECK(digests.size() == 20);
}

TEST_CASE("the busy world keeps its digest on every machine and compiler") {
    ToyWorld world = busy_world(1);

    world.run(100'000);

    CHECK(world.events() == 1'735);
    CHECK(world.digest() == 4'284'879'021'315'040'610ULL);
    CHECK(world.state_hash() == 13'005'391'038'815'559'146ULL);
}

TEST_CASE("a fork at any event ends as its original does, and neither disturbs the other") {
    ToyWorld original = busy_world(3);
    ToyWorld reference = busy_world(3);
    reference.run(100'000);

    std::uint64_t forks = 0;
    do {
        ToyWorld fork = original;
        REQUIRE(fork == original);
        REQUIRE(fork.state_hash() == original.state_hash());
        fork.run(100'000);
        REQUIRE(fork.digest() == reference.digest());
        REQUIRE(fork.state_hash() == reference.state_hash());
        ++forks;
    } while (original.step());

    CHECK(forks > 1'000);
    CHECK(original == reference);
}

TEST_CASE("every step changes the state of the world and its hash") {
    ToyWorld world = busy_world(4);
    std::set<std::uint64_t> hashes{world.state_hash()};

    std::size_t steps = 0;
    while (world.step()) {
        hashes.insert(world.state_hash());
        ++steps;
    }

    CHECK(steps > 1'000);
    CHECK(hashes.size() == steps + 1);
}

TEST_CASE("nothing is left behind when everybody has finished") {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        ToyWorld world = busy_world(seed);

        world.run(100'000);

        CHECK(world.live().parcels == 0);
        CHECK(world.live().events == 0);
        CHECK(world.live().connections <= 4);
    }
}

TEST_CASE("an idle node changes nobody's fate") {
    ToyWorld without = busy_world(5);
    ToyWorld with = busy_world(5, 3);

    without.run(100'000);
    with.run(100'000);

    for (std::int32_t i = 0; i < 4; ++i) CHECK(with.node({i}) == without.node({i}));
}

TEST_CASE("running until a time handles exactly the events up to it") {
    ToyWorld in_one = busy_world(6);
    ToyWorld in_pieces = busy_world(6);

    in_one.run_until(at_ms(300));
    for (int i = 1; i <= 300; ++i) in_pieces.run_until(at_ms(i));

    CHECK(in_one.digest() == in_pieces.digest());
    CHECK(in_one.now() == at_ms(300));
    CHECK(in_one == in_pieces);
}

TEST_CASE("an act from outside parts a fork from its original") {
    ToyWorld original = busy_world(7);
    original.run_until(at_ms(50));
    ToyWorld fork = original;

    fork.intervene(act::Crash{{2}, {}});

    CHECK(fork.state({2}) == NodeState::down);
    CHECK(original.state({2}) == NodeState::running);
    CHECK(fork.state_hash() != original.state_hash());
    fork.run(100'000);
    original.run(100'000);
    CHECK(fork.digest() != original.digest());
}

TEST_CASE("the divergence finder names the first event that differs, and none where none does") {
    ToyWorld left = busy_world(8);
    left.run_until(at_ms(50));
    ToyWorld right = left;
    right.intervene(act::Tell{{0}, {OrderKind{9}, {}}});
    right.intervene(act::SetLink{.from = {0}, .to = {2}, .extra = ms(1)});

    const auto same = first_divergence(left, left);
    const auto found = first_divergence(left, right);

    CHECK_FALSE(same.has_value());
    REQUIRE(found.has_value());
    CHECK(found->left.has_value());
    CHECK(found->right.has_value());
}

TEST_CASE("two tapes part at their first unequal entry or where one of them ends") {
    const TraceEntry a{at_ms(1), 1, {0}, EventKind::timer, 5};
    const TraceEntry b{at_ms(2), 2, {1}, EventKind::arrival, 6};
    TraceTape one;
    one.handled(a);
    one.handled(b);
    TraceTape shorter;
    shorter.handled(a);
    TraceTape other = shorter;
    other.handled(a);

    CHECK_FALSE(first_divergence(one, one).has_value());
    CHECK(first_divergence(one, shorter) == Divergence{1, b, std::nullopt});
    CHECK(first_divergence(one, other) == Divergence{1, b, a});
    CHECK(text(b).find("arrival") != std::string::npos);
}

TEST_CASE("a broken contract says what was running, and scopes of it nest") {
    const Running outer("seed 5 of bank.yaml");
    std::string text;
    {
        const Running inner("its fork");
        CHECK(Running::what() == "its fork");
    }
    try {
        ensure(1 + 1 == 3, "one and one are three");
    } catch (const BrokenContract& broken) {
        text = broken.what();
    }

    CHECK(text.find("one and one are three") != std::string::npos);
    CHECK(text.find("while running seed 5 of bank.yaml") != std::string::npos);
    CHECK(text.find("sim/world_test.cpp") != std::string::npos);
}

}  // namespace
}  // namespace toy
