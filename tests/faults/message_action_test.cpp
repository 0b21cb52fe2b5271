#include <doctest/doctest.h>

#include "stage.hpp"

using namespace eos;
using namespace eos::faults;
using namespace eos::faults::test;
using FateKind = sim::Fate::Kind;
using sim::Moment;

namespace {

Fault on(sim::MilestoneKind kind, Action act, std::int64_t side = 0) {
    Fault f = when("f", kind, std::move(act));
    f.matches = {equals(fact::api, produce), equals(fact::side, side)};
    return f;
}

}  // namespace

TEST_CASE("hold freezes a message until its time is over") {
    Fault f = on(mile::sent, action::Hold{});
    f.lasts = lasting(seconds(3));
    f.nth = Number{1, 1};
    Stage stage(plan_of({f}));
    stage.run_to(seconds(1));

    const auto fate = stage.pass(request(4, 1));
    stage.run_to(seconds(10));

    CHECK(fate.kind == FateKind::hold);
    CHECK(stage.said(true) ==
          Lines{"1000ms fault 0 fired", "4000ms release 1", "4000ms fault 0 ended"});
}

TEST_CASE("each frozen message has a name of its own") {
    Stage stage(plan_of({on(mile::sent, action::Hold{})}));

    const auto a = stage.pass(request(4, 1));
    const auto b = stage.pass(request(4, 1));

    CHECK(a.hold != b.hold);
}

TEST_CASE("a hold ends at its until or its time, whichever comes first") {
    for (const bool early : {true, false}) {
        CAPTURE(early);
        Fault f = on(mile::sent, action::Hold{});
        f.lasts = lasting(seconds(5));
        f.until = until(mile::appended, {equals(fact::log, 0)});
        f.until->after = fixed(milliseconds(100));
        Stage stage(plan_of({f}));
        (void)stage.pass(request(4, 1));

        stage.run_to(early ? seconds(1) : milliseconds(4950));
        stage.reach(milestone(mile::appended, 1, {{fact::log, 1}}));
        stage.reach(milestone(mile::appended, 1, {{fact::log, 0}}));
        stage.run_to(seconds(20));

        CHECK(stage.said() == Lines{early ? "1100ms release 1" : "5000ms release 1"});
    }
}

TEST_CASE("an until counts from the start of the action, and may be a message") {
    Fault f = on(mile::sent, action::Hold{});
    f.nth = Number{1, 1};
    f.until = until(mile::sent, {equals(fact::api, produce)});
    f.until->nth = {2, 2};
    Stage stage(plan_of({f}));

    (void)stage.pass(request(4, 1));
    (void)stage.pass(request(4, 1));
    const auto after_one = stage.said();
    (void)stage.pass(request(4, 1));

    CHECK(after_one.empty());
    CHECK(stage.said() == Lines{"0ms release 1"});
}

TEST_CASE("what is held without an end is released when the faults heal") {
    Stage stage(plan_of({on(mile::sent, action::Hold{})}));

    (void)stage.pass(request(4, 1));
    stage.run_to(seconds(61));
    const auto later = stage.pass(request(4, 1));

    CHECK(stage.said() == Lines{"60000ms release 1"});
    CHECK(later.kind == FateKind::pass);
}

TEST_CASE("a delay is a hold for a drawn time") {
    Fault f = on(mile::sent, action::Delay{sim::Spread::uniform(seconds(2), seconds(4))});
    f.times = 1;
    Stage stage(plan_of({f}));

    const auto fate = stage.pass(request(4, 1));
    stage.run_to(milliseconds(1999));
    const auto early = stage.said();
    stage.run_to(seconds(4));

    CHECK(fate.kind == FateKind::hold);
    CHECK(early.empty());
    CHECK(stage.said().size() == 1);
}

TEST_CASE("drop never executes a request, and tells the caller late or at once") {
    Stage late(plan_of({on(mile::sent, action::Drop{})}));
    Stage at_once(plan_of({on(mile::sent, action::Drop{Notice::disconnect})}));

    const auto silent = late.pass(request(4, 1));
    const auto closed = at_once.pass(request(4, 1));

    CHECK(silent.kind == FateKind::lose);
    CHECK(closed.kind == FateKind::disconnect);
    CHECK_FALSE(closed.executes);
    CHECK(late.report().messages == 1);
}

TEST_CASE("disconnect on a delivered request lets it be executed") {
    Stage stage(plan_of({on(mile::delivered, action::Disconnect{})}));

    const auto when_sent = stage.pass(request(4, 1), Moment::sent);
    const auto fate = stage.pass(request(4, 1), Moment::delivered);

    CHECK(when_sent.kind == FateKind::pass);
    CHECK(fate.kind == FateKind::disconnect);
    CHECK(fate.executes);
}

TEST_CASE("duplicate sends copies later") {
    Stage stage(plan_of({on(mile::sent, action::Duplicate{fixed(seconds(2)), 3})}));

    const auto fate = stage.pass(request(4, 1));

    CHECK(fate.kind == FateKind::duplicate);
    CHECK(fate.copies == 3);
    CHECK(fate.by == seconds(2));
}

TEST_CASE("error carries one of its codes") {
    Stage stage(plan_of({on(mile::delivered, action::Error{{6, 7}})}));

    std::vector<std::int32_t> codes;
    for (int i = 0; i < 40; ++i) {
        const auto fate = stage.pass(request(4, 1), Moment::delivered);
        REQUIRE(fate.kind == FateKind::refuse);
        codes.push_back(fate.code);
    }

    CHECK(std::count(codes.begin(), codes.end(), 6) > 5);
    CHECK(std::count(codes.begin(), codes.end(), 7) > 5);
    CHECK(std::count(codes.begin(), codes.end(), 6) + std::count(codes.begin(), codes.end(), 7) ==
          40);
}

TEST_CASE("a hand-off can be held") {
    Fault f = when("f", mile::handoff, action::Hold{});
    f.lasts = lasting(seconds(1));
    Stage stage(plan_of({f}));

    const auto fate = stage.pass(request(1, 1), Moment::handoff);

    CHECK(fate.kind == FateKind::hold);
}

TEST_CASE("a message rule acts on messages with its chance while it is in force") {
    Fault f = at("f", seconds(10), action::Drop{});
    f.matches = {equals(fact::api, produce), equals(fact::side, 0)};
    f.chance = {1, 2};
    f.lasts = lasting(seconds(5));
    Stage stage(plan_of({f}));
    const auto lost = [&](const sim::Frame& frame) {
        int n = 0;
        for (int i = 0; i < 100; ++i) n += stage.pass(frame).kind == FateKind::lose ? 1 : 0;
        return n;
    };

    const int before = lost(request(4, 1));
    stage.run_to(seconds(10));
    const int during = lost(request(4, 1));
    const int answers = lost(response(1, 4));
    const int others = lost(request(4, 1, fetch));
    stage.run_to(seconds(15));
    const int after = lost(request(4, 1));

    CHECK(before == 0);
    CHECK(during > 25);
    CHECK(during < 75);
    CHECK(answers == 0);
    CHECK(others == 0);
    CHECK(after == 0);
    CHECK(stage.report().messages == during);
    CHECK(stage.report().fired == 1);
}

TEST_CASE("a rule that holds lets everything go at its end") {
    Fault f = at("f", seconds(1), action::Hold{});
    f.matches = {equals(fact::api, produce)};
    f.lasts = lasting(seconds(5));
    Stage stage(plan_of({f}));
    stage.run_to(seconds(1));

    (void)stage.pass(request(4, 1));
    (void)stage.pass(request(5, 1));
    stage.run_to(seconds(20));

    CHECK(stage.said() == Lines{"6000ms release 1", "6000ms release 2"});
}

TEST_CASE("a delay rule never delays a message beyond the end of the chaos") {
    Fault f = at("f", seconds(50), action::Delay{fixed(seconds(30))});
    f.matches = {equals(fact::api, produce)};
    Stage stage(plan_of({f}));
    stage.run_to(seconds(50));

    const auto fate = stage.pass(request(4, 1));

    CHECK(fate.kind == FateKind::delay);
    CHECK(fate.by == seconds(10));
}

TEST_CASE("an error rule refuses requests when they are delivered") {
    Fault f = at("f", seconds(1), action::Error{{3}});
    f.matches = {equals(fact::side, 0)};
    Stage stage(plan_of({f}));
    stage.run_to(seconds(1));

    CHECK(stage.pass(request(4, 1), Moment::sent).kind == FateKind::pass);
    CHECK(stage.pass(request(4, 1), Moment::delivered).kind == FateKind::refuse);
}

TEST_CASE("the first fault decides a message, the second one is reported overruled") {
    Fault a = on(mile::sent, action::Disconnect{});
    Fault b = on(mile::sent, action::Drop{});
    b.name = "b";
    Stage stage(plan_of({a, b}));

    const auto fate = stage.pass(request(4, 1));

    CHECK(fate.kind == FateKind::disconnect);
    CHECK(stage.report(1).overruled == 1);
    CHECK(stage.report(1).bite() == Bite::changed_nothing);
}

TEST_CASE("a message may crash a node: its sender, its receiver or its ends") {
    using K = Target::Kind;
    const auto victim = [](sim::MilestoneKind kind, Moment moment, K who) {
        Fault f = when("f", kind, action::Crash{}, {target(who)});
        Stage stage(plan_of({f}));
        (void)stage.pass(request(4, 1), moment);
        return stage.said();
    };

    CHECK(victim(mile::sent, Moment::sent, K::event) == Lines{"0ms crash 4"});
    CHECK(victim(mile::delivered, Moment::delivered, K::event) == Lines{"0ms crash 1"});
    CHECK(victim(mile::delivered, Moment::delivered, K::event_from) == Lines{"0ms crash 4"});
    CHECK(victim(mile::sent, Moment::sent, K::event_to) == Lines{"0ms crash 1"});
}
