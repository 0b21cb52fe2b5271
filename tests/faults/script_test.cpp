#include <doctest/doctest.h>

#include "sim/state_hash.hpp"
#include "stage.hpp"

using namespace eos;
using namespace eos::faults;
using namespace eos::faults::test;
using K = Target::Kind;
using action::Choice;

namespace {

/// A bit of everything that draws.
Plan chaotic(std::uint64_t seed) {
    Choice crash;
    crash.act = action::Crash{};
    crash.targets = Targets{target(K::random_app)};
    Choice slow;
    slow.act = action::SlowDisk{sim::Spread::uniform(milliseconds(1), milliseconds(50))};
    Choice quiet;
    quiet.act = action::Nothing{};
    Fault nemesis = every("nemesis", sim::Spread::uniform(seconds(1), seconds(9)),
                          action::Mix{{crash, slow, quiet}}, {target(K::random_broker)});
    nemesis.lasts = Lasting::of(sim::Spread::uniform(seconds(1), seconds(3)));
    nemesis.chance = {3, 4};
    Fault rule = every("rule", sim::Spread::uniform(seconds(3), seconds(5)),
                       action::Delay{sim::Spread::uniform(milliseconds(1), milliseconds(500))});
    rule.matches = {equals(fact::api, produce)};
    rule.lasts = lasting(seconds(2));
    rule.chance = {1, 3};
    Fault hold = when("hold", mile::sent, action::Hold{});
    hold.nth = Number{5, 20};
    hold.lasts = Lasting::of(sim::Spread::uniform(seconds(1), seconds(9)));
    Choice pause;
    pause.act = action::Pause{};
    Fault swizzle =
        every("swizzle", sim::Spread::uniform(seconds(10), seconds(20)),
              action::Swizzle{{pause, slow}, sim::Spread::uniform(milliseconds(10), seconds(1))},
              {target(K::everyone)});
    swizzle.lasts = lasting(seconds(1));
    swizzle.after = sim::Spread::uniform(milliseconds(1), milliseconds(9));
    Plan plan = plan_of({nemesis, rule, hold, swizzle});
    plan.seed = seed;
    return plan;
}

/// Runs a minute with steady traffic and tells everything that was done to it.
Lines run(Stage& stage) {
    Lines all;
    for (int i = 1; i <= 300; ++i) {
        stage.run_to(milliseconds(200 * i));
        const auto fate = stage.pass(request(4, 1 + i % 3));
        stage.log.push_back(std::to_string(static_cast<int>(fate.kind)) + " " +
                            std::to_string(fate.by.count()));
    }
    stage.run_to(seconds(90));
    return stage.said(true);
}

std::shared_ptr<const Script> script_of(const Stage& stage) {
    return std::make_shared<const Script>(stage.injector.decisions());
}

}  // namespace

TEST_CASE("the same plan does the same, another seed something else") {
    Stage a(chaotic(1));
    Stage b(chaotic(1));
    Stage c(chaotic(2));

    const auto first = run(a);

    CHECK(first.size() > 350);
    CHECK(first == run(b));
    CHECK(a.injector == b.injector);
    CHECK(first != run(c));
    CHECK_FALSE(a.injector == c.injector);
}

TEST_CASE("a script replays a run without its luck") {
    Stage original(chaotic(1));
    const auto wanted = run(original);
    Plan other_luck = chaotic(1);
    other_luck.seed = 999;

    Stage replay(other_luck, script_of(original));
    const auto got = run(replay);

    CHECK(got == wanted);
    CHECK(replay.injector.decisions() == original.injector.decisions());
    CHECK(replay.injector.divergence() == std::nullopt);
}

TEST_CASE("a script without one firing replays all others") {
    Stage original(chaotic(1));
    (void)run(original);
    Script fewer = original.injector.decisions();
    const auto nemesis = std::find_if(fewer.begin(), fewer.end(),
                                      [](const Decision& d) { return d.fault == FaultIndex{0}; });
    REQUIRE(nemesis != fewer.end());
    fewer.erase(nemesis);

    Stage replay(chaotic(1), std::make_shared<const Script>(fewer));
    (void)run(replay);

    CHECK(replay.injector.decisions() == fewer);
    CHECK(replay.injector.divergence() == std::nullopt);
}

TEST_CASE("a script step that is never reached is told") {
    Stage original(plan_of({when("f", mile::loop, action::Pause{}, {broker(1)})}));
    original.reach(milestone(mile::loop));
    original.reach(milestone(mile::loop));

    Stage replay(plan_of({when("f", mile::loop, action::Pause{}, {broker(1)})}),
                 script_of(original));
    replay.reach(milestone(mile::loop));

    const auto divergence = replay.injector.divergence();
    REQUIRE(divergence.has_value());
    CHECK(divergence->step == 1);
    CHECK(divergence->what == "fault f, occurrence 2: it was never reached");
}

TEST_CASE("a script step that hits another node is told") {
    const auto plan = plan_of({at("f", seconds(1), action::Pause{}, {of_log(K::leader, log(0))})});
    Stage original(plan);
    original.run_to(seconds(2));

    Stage replay(plan, script_of(original));
    replay.directory[{leader, 0}] = {NodeId{2}};
    replay.run_to(seconds(2));

    REQUIRE(replay.injector.divergence().has_value());
    CHECK(replay.injector.divergence()->what == "fault f, occurrence 1: it hit other nodes");
    CHECK(replay.said() == Lines{"1000ms pause 2"});
}

TEST_CASE("script steps in another order are told") {
    const auto plan = plan_of({when("a", mile::loop, action::Pause{}, {broker(1)}),
                               when("b", mile::appended, action::Pause{}, {broker(2)})});
    Stage original(plan);
    original.reach(milestone(mile::loop));
    original.reach(milestone(mile::appended));

    Stage replay(plan, script_of(original));
    replay.reach(milestone(mile::appended));
    replay.reach(milestone(mile::loop));

    REQUIRE(replay.injector.divergence().has_value());
    CHECK(replay.injector.divergence()->step == 0);
}

TEST_CASE("a copy of an injector goes on as the original does") {
    Stage stage(chaotic(3));
    stage.run_to(seconds(20));
    Stage fork = stage;

    const auto one = run(stage);
    const auto other = run(fork);

    CHECK(one == other);
    CHECK(sim::state_hash(stage.injector) == sim::state_hash(fork.injector));
}

TEST_CASE("the hash of an injector tells states apart") {
    Stage a(chaotic(3));
    Stage b(chaotic(3));
    CHECK(sim::state_hash(a.injector) == sim::state_hash(b.injector));

    b.run_to(seconds(20));

    CHECK(sim::state_hash(a.injector) != sim::state_hash(b.injector));
}

TEST_CASE("kinds of drawn values have names that can be read back") {
    for (int i = 0; i <= static_cast<int>(Drawn::Kind::code); ++i) {
        const auto kind = static_cast<Drawn::Kind>(i);
        CHECK(drawn_named(name(kind)) == kind);
    }
    CHECK(drawn_named("nonsense") == std::nullopt);
}
