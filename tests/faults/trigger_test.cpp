#include <doctest/doctest.h>

#include "stage.hpp"

using namespace eos;
using namespace eos::faults;
using namespace eos::faults::test;
using K = Target::Kind;

TEST_CASE("a fault at a time fires at that time, once") {
    Stage stage(plan_of({at("f", seconds(10), action::ClockJump{fixed(seconds(1))}, {broker(2)})}));

    stage.run_to(seconds(50));

    CHECK(stage.said(true) ==
          Lines{"10000ms fault 0 fired", "10000ms clock 2 1000ms", "10000ms fault 0 ended"});
    CHECK(stage.report().fired == 1);
}

TEST_CASE("a fault at a drawn time fires within its range") {
    Fault f = at("f", {}, action::Pause{}, {broker(1)});
    f.trigger = trigger::At{sim::Spread::uniform(seconds(3), seconds(9))};
    Stage stage(plan_of({f}));

    stage.run_to(milliseconds(2999));
    const auto before = stage.said();
    stage.run_to(seconds(9));

    CHECK(before.empty());
    CHECK(stage.said().size() == 1);
}

TEST_CASE("a repeated fault draws each gap anew and stops with the chaos") {
    Stage stage(plan_of({every("f", sim::Spread::uniform(seconds(4), seconds(9)),
                               action::ClockJump{fixed(seconds(1))}, {broker(1)})}));

    stage.run_to(seconds(200));

    const auto fired = stage.report().fired;
    CHECK(fired >= 60 / 9);
    CHECK(fired <= 60 / 4);
    const auto& deeds = stage.report().deeds;
    CHECK(deeds.back().at < sim::time_zero + seconds(60));
    const auto first_gap = deeds[1].at - deeds[0].at;
    const bool all_equal = std::all_of(
        deeds.begin() + 2, deeds.end(),
        [&, i = 1u](const Deed& d) mutable { return d.at - deeds[i++].at == first_gap; });
    CHECK_FALSE(all_equal);
}

TEST_CASE("a milestone fires a fault at that very instant, if every match holds") {
    Fault f = when("f", mile::appended, action::Crash{}, {broker(1)});
    f.matches = {equals(fact::log, 1),
                 means(fact::node, of_log(K::leader, {LogPick::Kind::topic, 0}))};
    f.matches[0].any_of.emplace_back(std::int64_t{0});
    Stage stage(plan_of({f}));
    stage.run_to(seconds(1));

    stage.reach(milestone(mile::appended, 3, {{fact::log, 1}}));
    const auto wrong_node = stage.said();
    stage.reach(milestone(mile::appended, 2, {{fact::log, 2}}));
    const auto wrong_log = stage.said();
    stage.reach(milestone(mile::appended, 2));
    const auto no_log = stage.said();
    stage.reach(milestone(mile::appended, 2, {{fact::log, 0}}));

    CHECK(wrong_node.empty());
    CHECK(wrong_log.empty());
    CHECK(no_log.empty());
    CHECK(stage.said() == Lines{"1000ms crash 1"});
}

TEST_CASE("a match resolves its target at the moment of the milestone") {
    Fault f = when("f", mile::sent, action::Disconnect{});
    f.matches = {equals(fact::api, produce), means(fact::to, of_log(K::leader, log(0)))};
    Stage stage(plan_of({f}));

    const auto to_leader = stage.pass(request(4, 1));
    const auto to_other = stage.pass(request(4, 2));
    stage.directory[{leader, 0}] = {NodeId{2}};
    const auto to_new_leader = stage.pass(request(4, 2));

    CHECK(to_leader.kind == sim::Fate::Kind::disconnect);
    CHECK(to_other.kind == sim::Fate::Kind::pass);
    CHECK(to_new_leader.kind == sim::Fate::Kind::disconnect);
}

TEST_CASE("nth counts what matched, and fires once") {
    Fault f = when("f", mile::loop, action::ClockJump{fixed(seconds(1))}, {broker(1)});
    f.matches = {equals(fact::step, 5)};
    f.nth = Number{2, 2};
    Stage stage(plan_of({f}));

    std::vector<std::size_t> lines;
    for (const int step : {5, 4, 5, 5, 5}) {
        stage.reach(milestone(mile::loop, 4, {{fact::step, step}}));
        lines.push_back(stage.said().size());
    }

    CHECK(lines == std::vector<std::size_t>{0, 0, 1, 0, 0});
    CHECK(stage.report().matched == 4);
}

TEST_CASE("a drawn nth lies in its range and follows the seed") {
    std::vector<std::int64_t> seen;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Fault f = when("f", mile::loop, action::Pause{}, {broker(1)});
        f.nth = Number{3, 6};
        Plan plan = plan_of({f});
        plan.seed = seed;
        Stage stage(plan);
        for (int i = 0; i < 10; ++i) stage.reach(milestone(mile::loop));
        REQUIRE(stage.report().fired == 1);
        seen.push_back(stage.report().deeds.front().occurrence);
    }

    CHECK(*std::min_element(seen.begin(), seen.end()) == 3);
    CHECK(*std::max_element(seen.begin(), seen.end()) == 6);
}

TEST_CASE("since is looked at before nth: what came too early is not counted") {
    Fault first = at("first", seconds(5), action::ClockJump{fixed(seconds(1))}, {broker(1)});
    Fault second = when("second", mile::loop, action::ClockJump{fixed(seconds(2))}, {broker(2)});
    second.since = Since{{0}, false};
    second.nth = Number{2, 2};
    Stage stage(plan_of({first, second}));

    for (int i = 0; i < 3; ++i) stage.reach(milestone(mile::loop));
    stage.run_to(seconds(5));
    stage.said();
    stage.reach(milestone(mile::loop));
    const auto after_one = stage.said();
    stage.reach(milestone(mile::loop));

    CHECK(after_one.empty());
    CHECK(stage.said() == Lines{"5000ms clock 2 2000ms"});
}

TEST_CASE("what counts since another fault does not count the event that fired it") {
    for (const bool waiting_first : {true, false}) {
        CAPTURE(waiting_first);
        Fault a = when("a", mile::loop, action::ClockJump{fixed(seconds(1))}, {broker(1)});
        a.times = 1;
        Fault b = when("b", mile::loop, action::ClockJump{fixed(seconds(2))}, {broker(2)});
        b.since = Since{{waiting_first ? 1 : 0}, false};
        Stage stage(plan_of(waiting_first ? std::vector{b, a} : std::vector{a, b}));

        stage.reach(milestone(mile::loop));
        const auto first = stage.said();
        stage.reach(milestone(mile::loop));

        CHECK(first == Lines{"0ms clock 1 1000ms"});
        CHECK(stage.said() == Lines{"0ms clock 2 2000ms"});
    }
}

TEST_CASE("since the end of a fault waits for its end") {
    Fault a = at("a", seconds(1), action::Pause{}, {broker(1)});
    a.lasts = lasting(seconds(4));
    Fault b = when("b", mile::loop, action::ClockJump{fixed(seconds(1))}, {broker(2)});
    b.since = Since{{0}, true};
    Stage stage(plan_of({a, b}));

    stage.run_to(seconds(3));
    stage.said();
    stage.reach(milestone(mile::loop));
    const auto before = stage.said();
    stage.run_to(seconds(6));
    stage.said();
    stage.reach(milestone(mile::loop));

    CHECK(before.empty());
    CHECK(stage.said() == Lines{"6000ms clock 2 1000ms"});
}

TEST_CASE("chance is drawn per match and times counts only firings") {
    Fault f = when("f", mile::loop, action::ClockJump{fixed(seconds(1))}, {broker(1)});
    f.chance = {1, 4};
    f.times = 10;
    Stage stage(plan_of({f}));

    int until_ten = 0;
    while (stage.report().fired < 10 && until_ten < 1000) {
        stage.reach(milestone(mile::loop));
        ++until_ten;
    }
    for (int i = 0; i < 200; ++i) stage.reach(milestone(mile::loop));

    CHECK(until_ten > 15);
    CHECK(until_ten < 120);
    CHECK(stage.report().fired == 10);
}

TEST_CASE("nth is looked at before chance and times") {
    Fault f = when("f", mile::loop, action::ClockJump{fixed(seconds(1))}, {broker(1)});
    f.nth = Number{3, 3};
    f.times = 1;
    Stage stage(plan_of({f}));

    for (int i = 0; i < 5; ++i) stage.reach(milestone(mile::loop));

    CHECK(stage.report().fired == 1);
    CHECK(stage.report().deeds.front().occurrence == 3);
}

TEST_CASE("after delays the action, and its roles are resolved when it acts") {
    Fault f = when("f", mile::loop, action::Crash{}, {of_log(K::leader, log(0))});
    f.after = fixed(milliseconds(500));
    Stage stage(plan_of({f}));
    stage.run_to(seconds(1));

    stage.reach(milestone(mile::loop));
    const auto at_once = stage.said();
    stage.directory[{leader, 0}] = {NodeId{2}};
    stage.run_to(seconds(2));

    CHECK(at_once.empty());
    CHECK(stage.said() == Lines{"1500ms crash 2"});
}

TEST_CASE("a fault whose wait outlasts the chaos never acts, and is reported late") {
    Fault f = when("f", mile::loop, action::Crash{}, {broker(1)});
    f.after = fixed(seconds(10));
    Stage stage(plan_of({f}));
    stage.run_to(seconds(55));

    stage.reach(milestone(mile::loop));
    stage.run_to(seconds(100));

    CHECK(stage.said().empty());
    CHECK(stage.report().late == 1);
    CHECK(stage.report().bite() == Bite::never_fired);
}

TEST_CASE("a fault that is switched off neither watches nor fires") {
    Fault f = when("f", mile::loop, action::Crash{}, {broker(1)});
    f.enabled = false;
    Fault g = every("g", fixed(seconds(1)), action::Crash{}, {broker(1)});
    g.enabled = false;
    Stage stage(plan_of({f, g}));

    stage.reach(milestone(mile::loop));
    stage.run_to(seconds(30));

    CHECK_FALSE(stage.injector.watches(mile::loop));
    CHECK(stage.said().empty());
    CHECK(stage.report().bite() == Bite::switched_off);
}

TEST_CASE("faults trigger each other by name in the same instant") {
    Fault a = at("a", seconds(1), action::Pause{}, {broker(1)});
    a.lasts = lasting(seconds(2));
    Fault b = when("b", fired(0), action::ClockJump{fixed(seconds(1))}, {target(K::event)});
    Fault c = when("c", ended(0), action::ClockJump{fixed(seconds(2))}, {broker(3)});
    Stage stage(plan_of({a, b, c}));

    stage.run_to(seconds(10));

    CHECK(stage.said() == Lines{"1000ms pause 1", "1000ms clock 1 1000ms", "3000ms resume 1",
                                "3000ms clock 3 2000ms"});
}

TEST_CASE("only frames somebody waits for are watched") {
    Fault f = when("f", mile::sent, action::Disconnect{});
    f.matches = {equals(fact::api, produce)};
    const Stage one(plan_of({f}));
    f.matches = {};
    const Stage all(plan_of({f}));

    CHECK(one.injector.watches_frame(produce));
    CHECK_FALSE(one.injector.watches_frame(fetch));
    CHECK(all.injector.watches_frame(fetch));
    CHECK_FALSE(Injector{}.watches_frame(produce));
}

TEST_CASE("changing one fault moves nobody else's luck") {
    const auto steady = every("steady", sim::Spread::uniform(seconds(1), seconds(5)),
                              action::Pause{}, {target(K::random_broker)});
    Fault other = every("other", sim::Spread::uniform(seconds(2), seconds(3)),
                        action::SlowDisk{sim::Spread::uniform(milliseconds(1), milliseconds(99))},
                        {target(K::random_broker)});
    Stage alone(plan_of({steady}));
    Stage together(plan_of({other, steady}));

    alone.run_to(seconds(59));
    together.run_to(seconds(59));

    const auto& a = alone.report(0).deeds;
    const auto& b = together.report(1).deeds;
    REQUIRE(a.size() > 5);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i].at == b[i].at);
        CHECK(a[i].nodes == b[i].nodes);
    }
}
