#include <set>

#include <doctest/doctest.h>

#include "faults/check.hpp"
#include "faults/swarm.hpp"
#include "stage.hpp"

using namespace eos;
using namespace eos::faults;
using namespace eos::faults::test;
using K = Target::Kind;
using action::Choice;

TEST_CASE("every action has one row with a word of its own") {
    std::set<std::string_view> words;
    for (const auto& row : actions()) {
        CAPTURE(row.word);
        CHECK(words.insert(row.word).second);
        CHECK_FALSE(row.help.empty());
        CHECK(row.modelled == (row.make != nullptr));
        CHECK(action_named(row.word) == &row);
        if (row.make != nullptr) CHECK(word_of(row.make()) == row.word);
    }
    CHECK(words.size() == 50);
    CHECK(action_named("explode") == nullptr);
}

namespace {

/// The fields a plan of one fault (or these) is refused for.
std::set<std::string> refused(std::vector<Fault> faults) {
    std::set<std::string> fields;
    for (const auto& problem : check(plan_of(std::move(faults)))) fields.insert(problem.field);
    return fields;
}
using Fields = std::set<std::string>;

}  // namespace

TEST_CASE("plans that mean something are not refused") {
    Fault held = when("held", mile::sent, action::Hold{});
    held.until = until(mile::appended);
    Fault refusing = when("refusing", mile::delivered, action::Error{{3}});
    refusing.matches = {equals(fact::side, 0)};
    Fault rule = at("rule", seconds(1), action::Drop{});
    rule.matches = {equals(fact::api, produce)};
    rule.lasts = lasting(seconds(1));
    Choice crash;
    crash.act = action::Crash{};
    Choice none;
    none.act = action::Nothing{};
    Fault mix = every("mix", fixed(seconds(1)), action::Mix{{crash, none}}, {broker(1)});
    mix.lasts = lasting(seconds(1));
    Fault swizzle =
        every("swizzle", fixed(seconds(1)), action::Swizzle{{crash}, {}}, {target(K::brokers)});
    Fault chained = when("chained", fired(0), action::Crash{}, {broker(1)});
    Fault elect = at("elect", seconds(1), action::Elect{}, {of_log(K::leader, log(0))});

    CHECK(refused({held, refusing, rule, mix, swizzle, chained, elect}) == Fields{});
}

TEST_CASE("an error at rpc.sent of a request is refused") {
    Fault f = when("f", mile::sent, action::Error{{3}});
    CHECK(refused({f}) == Fields{"do"});
    f.matches = {equals(fact::side, 0)};
    CHECK(refused({f}) == Fields{"do"});
    f.matches = {equals(fact::side, 1)};
    CHECK(refused({f}) == Fields{});
}

TEST_CASE("what means nothing is refused with the field it is about") {
    const auto with = [](Fault f, auto change) {
        change(f);
        return refused({f});
    };
    const Fault pause = when("f", mile::loop, action::Pause{}, {broker(1)});
    const Fault hold = when("f", mile::sent, action::Hold{});

    CHECK(refused({at("f", seconds(1), action::Crash{})}) == Fields{"target"});
    CHECK(refused({when("f", mile::loop, action::Drop{})}) == Fields{"when"});
    CHECK(refused({when("f", mile::handoff, action::Drop{})}) == Fields{"do"});
    CHECK(with(hold, [](Fault& f) { f.after = fixed(seconds(1)); }) == Fields{"after"});
    CHECK(with(hold, [](Fault& f) { f.targets = {broker(1)}; }) == Fields{"target"});
    CHECK(with(pause, [](Fault& f) { f.nth = Number{0, 3}; }) == Fields{"nth"});
    CHECK(with(pause, [](Fault& f) { f.times = 0; }) == Fields{"times"});
    CHECK(with(pause, [](Fault& f) { f.since = Since{{7}, false}; }) == Fields{"since"});
    CHECK(with(pause, [](Fault& f) { f.since = Since{{0}, false}; }) == Fields{"since"});
    CHECK(with(pause, [](Fault& f) { f.name = ""; }) == Fields{"name"});
    CHECK(with(pause, [](Fault& f) { f.targets = {of_log(K::log, log(0))}; }) == Fields{"target"});
    CHECK(with(pause, [](Fault& f) { f.trigger = trigger::Every{}; }) == Fields{"every"});
    CHECK(refused({pause, pause}) == Fields{"name"});
    CHECK(refused({at("f", seconds(1), action::Stall{}, {broker(1)})}) == Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::Elect{}, {broker(1)})}) == Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::AbortTxn{}, {target(K::txid, 0)})}) ==
          Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::FenceProducer{}, {broker(1)})}) ==
          Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::Rebalance{}, {target(K::txid, 0)})}) ==
          Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::Pause{}, {target(K::txid, 0)})}) ==
          Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::StaleMetadata{}, {app(0)})}) == Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::StaleMetadata{}, {target(K::controller)})}) ==
          Fields{"target"});
    CHECK(refused({at("f", seconds(1), action::StaleMetadata{}, {of_log(K::leader, log(0))})}) ==
          Fields{});
    CHECK(refused({at("f", seconds(1), action::Partition{}, {})}) == Fields{"groups"});
    CHECK(refused({at("f", seconds(1), action::Mix{}, {broker(1)})}) == Fields{"of"});
    CHECK(with(at("f", seconds(1), action::ClockJump{fixed(seconds(1))}, {broker(1)}),
               [](Fault& f) { f.lasts = lasting(seconds(1)); }) == Fields{"for"});
    CHECK(with(at("f", seconds(1), action::Pause{}, {broker(1)}),
               [](Fault& f) { f.matches = {equals(fact::log, 1)}; }) == Fields{"match"});
}

TEST_CASE("a ring of faults that trigger each other at once is refused, one that waits is not") {
    Fault a = when("a", fired(1), action::Pause{}, {broker(1)});
    Fault b = when("b", fired(0), action::Pause{}, {broker(2)});
    CHECK(refused({a, b}) == Fields{"when"});

    b.after = fixed(seconds(1));

    CHECK(refused({a, b}) == Fields{});
}

namespace {

Plan many_kinds() {
    return plan_of({every("crashes", fixed(seconds(4)), action::Crash{}, {broker(1)}),
                    every("pauses", fixed(seconds(4)), action::Pause{}, {broker(1)}),
                    every("more-pauses", fixed(seconds(8)), action::Pause{}, {broker(2)}),
                    every("lies", fixed(seconds(4)), action::LieFsync{}, {broker(1)}),
                    at("once", seconds(5), action::WipeDisk{}, {broker(1)})});
}

}  // namespace

TEST_CASE("a swarm switches whole kinds off, never all of them") {
    int on = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const auto swarm = draw_swarm(many_kinds(), seed);
        int enabled = 0;
        for (const auto& dose : swarm.doses) enabled += dose.enabled ? 1 : 0;
        CHECK(enabled >= 1);
        CHECK(swarm.doses[1].enabled == swarm.doses[2].enabled);
        CHECK(swarm == draw_swarm(many_kinds(), seed));
        on += swarm.doses[0].enabled ? 1 : 0;
    }
    CHECK(on > 70);
    CHECK(on < 150);
}

TEST_CASE("a swarm keeps what is asked for and what others wait for") {
    Plan plan = many_kinds();
    plan.faults[1].since = Since{{4}, false};
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto swarm = draw_swarm(plan, seed, {"crashes"});
        CHECK(swarm.doses[0].enabled);
        CHECK(swarm.doses[4].enabled);
    }
}

TEST_CASE("a dose changes how often and how long, not what is written for one moment") {
    Plan plan = many_kinds();
    plan.faults[0].lasts = lasting(seconds(2));
    Swarm swarm;
    swarm.doses = {{true, 2, 1}, {false, 0, 0}, {true, -1, 0}, {true, 0, 0}, {true, 0, 0}};

    const Plan dosed = apply(swarm, plan);

    CHECK(std::get<trigger::Every>(dosed.faults[0].trigger).gap == fixed(seconds(1)));
    CHECK(dosed.faults[0].lasts == lasting(seconds(4)));
    CHECK_FALSE(dosed.faults[1].enabled);
    CHECK(std::get<trigger::Every>(dosed.faults[2].trigger).gap == fixed(seconds(16)));
    CHECK(dosed.faults[4] == plan.faults[4]);
    CHECK(describe(swarm, plan) ==
          "off: pause; crashes 4x as often, 2x as long; more-pauses 1/2 as often");
    for (std::uint64_t seed = 0; seed < 50; ++seed)
        CHECK(draw_swarm(plan, seed).doses[4].pace == 0);
}

TEST_CASE("a report says in one sentence what a fault did") {
    Fault never = when("never", mile::loop, action::Crash{}, {broker(1)});
    Fault chancy = when("chancy", mile::appended, action::Crash{}, {broker(1)});
    chancy.nth = Number{9, 9};
    Fault bites = at("bites", seconds(1), action::Isolate{{broker(2)}, Oneway::both, Style::silent},
                     {broker(1)});
    const Plan plan = plan_of({never, chancy, bites});
    Stage stage(plan);
    stage.reach(milestone(mile::appended));
    stage.run_to(seconds(2));

    CHECK(sentence(stage.report(0), plan) == "never (crash) was configured and never triggered");
    CHECK(sentence(stage.report(1), plan) == "chancy (crash) matched 1 time and never fired");
    CHECK(sentence(stage.report(2), plan) ==
          "bites (isolate) fired 1 time, made 2 changes, hit broker 1");
}
