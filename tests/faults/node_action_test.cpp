#include <doctest/doctest.h>

#include "stage.hpp"

using namespace eos;
using namespace eos::faults;
using namespace eos::faults::test;
using K = Target::Kind;

namespace {

/// What a single fault at one second says within its first minute and a bit.
Lines story(Fault fault, sim::Duration to = seconds(70)) {
    Stage stage(plan_of({std::move(fault)}));
    stage.run_to(to);
    return stage.said();
}
Fault one(Action act, Targets targets, std::optional<Lasting> lasts = {}) {
    Fault f = at("f", seconds(1), std::move(act), std::move(targets));
    f.lasts = lasts;
    return f;
}

}  // namespace

TEST_CASE("a crashed broker is back after five seconds, an application after its restart") {
    CHECK(story(one(action::Crash{}, {broker(1)})) == Lines{"1000ms crash 1", "6000ms start 1"});
    CHECK(story(one(action::Crash{}, {app(0)})) == Lines{"1000ms crash 4", "2000ms start 4"});
    CHECK(story(one(action::Crash{}, {app(0)}, lasting(seconds(9)))) ==
          Lines{"1000ms crash 4", "10000ms start 4"});
}

TEST_CASE("a power loss says what is lost, a wiped disk that all is") {
    CHECK(story(one(action::PowerLoss{1, true}, {broker(1)}, lasting(seconds(1)))) ==
          Lines{"1000ms crash 1 power torn", "2000ms start 1"});
    CHECK(story(one(action::WipeDisk{}, {broker(1)}, lasting(seconds(1)))) ==
          Lines{"1000ms crash 1 power wipe", "2000ms start 1"});
}

TEST_CASE("a node comes back when the last fault that holds it down lets go") {
    Fault a = one(action::Crash{}, {broker(1)}, lasting(seconds(10)));
    Fault b = at("b", seconds(2), action::Crash{}, {broker(1)});
    b.lasts = lasting(seconds(2));
    Stage stage(plan_of({a, b}));

    stage.run_to(seconds(30));

    CHECK(stage.said() == Lines{"1000ms crash 1", "11000ms start 1"});
    CHECK(stage.report(1).bite() == Bite::changed_nothing);
}

TEST_CASE("an application that is never restarted stays down when the faults heal") {
    Plan plan =
        plan_of({one(action::Crash{}, {app(0)}), at("g", seconds(2), action::Crash{}, {app(1)})});
    plan.nodes[4].restart = Lasting::never();
    Stage stage(plan);

    stage.run_to(seconds(70));

    CHECK(stage.said() == Lines{"1000ms crash 4", "2000ms crash 5", "3000ms start 5"});
}

TEST_CASE("a paused node goes on at the end of its time, by until, or when the faults heal") {
    CHECK(story(one(action::Pause{}, {broker(1)}, lasting(seconds(3)))) ==
          Lines{"1000ms pause 1", "4000ms resume 1"});
    CHECK(story(one(action::Pause{}, {broker(1)})) == Lines{"1000ms pause 1", "60000ms resume 1"});
    Fault f = one(action::Pause{}, {broker(1)});
    f.until = until(mile::loop);
    Stage stage(plan_of({f}));
    stage.run_to(seconds(5));
    stage.reach(milestone(mile::loop));
    CHECK(stage.said() == Lines{"1000ms pause 1", "5000ms resume 1"});
}

TEST_CASE("what does not heal stays at the end of the chaos") {
    Fault f = one(action::Pause{}, {broker(1)});
    f.heal = false;

    CHECK(story(f) == Lines{"1000ms pause 1"});
}

TEST_CASE("what does not heal still ends by its own time") {
    Fault f = one(action::Pause{}, {broker(1)}, lasting(seconds(65)));
    f.heal = false;

    CHECK(story(f) == Lines{"1000ms pause 1", "66000ms resume 1"});
}

TEST_CASE("isolate cuts both directions to everyone who is not a target") {
    const auto lines = story(one(action::Isolate{}, {broker(1), broker(2)}, lasting(seconds(1))),
                             milliseconds(1500));

    CHECK(lines.size() == 2 * 2 * 4);
    CHECK(std::count(lines.begin(), lines.end(), "1000ms link 1>0 silent") == 1);
    CHECK(std::count(lines.begin(), lines.end(), "1000ms link 5>2 silent") == 1);
    CHECK(std::count(lines.begin(), lines.end(), "1000ms link 1>2 silent") == 0);
}

TEST_CASE("isolate knows directions, styles and whom from, and heals") {
    action::Isolate in{{of_log(K::followers, log(0))}, Oneway::in, Style::refused};
    action::Isolate out{{broker(2)}, Oneway::out, Style::silent};

    CHECK(story(one(in, {of_log(K::leader, log(0))}, lasting(seconds(2)))) ==
          Lines{"1000ms link 2>1 refused", "1000ms link 3>1 refused", "3000ms link 2>1",
                "3000ms link 3>1"});
    CHECK(story(one(out, {broker(1)}, lasting(seconds(2)))) ==
          Lines{"1000ms link 1>2 silent", "3000ms link 1>2"});
}

TEST_CASE("two faults on one link heal one after the other") {
    action::Isolate cut{{broker(2)}, Oneway::out, Style::silent};
    Fault a = one(cut, {broker(1)}, lasting(seconds(10)));
    Fault b = at("b", seconds(2), action::SlowLink{{broker(2)}, fixed(milliseconds(40)), 1000},
                 {broker(1)});
    b.lasts = lasting(seconds(2));
    Stage stage(plan_of({a, b}));

    stage.run_to(seconds(30));

    CHECK(stage.said() == Lines{"1000ms link 1>2 silent", "2000ms link 1>2 silent +40ms 1000B/s",
                                "2000ms link 2>1 +40ms 1000B/s", "4000ms link 1>2 silent",
                                "4000ms link 2>1", "11000ms link 1>2"});
}

TEST_CASE("a partition cuts its sides from each other, others are whoever is not named") {
    const action::Partition cut{
        {{broker(1), app(0)}, {target(K::others)}}, Oneway::both, Style::silent};
    const auto lines = story(one(cut, {}), milliseconds(1500));

    CHECK(lines.size() == 2 * (2 * 4));
    CHECK(std::count(lines.begin(), lines.end(), "1000ms link 1>3 silent") == 1);
    CHECK(std::count(lines.begin(), lines.end(), "1000ms link 0>4 silent") == 1);
    CHECK(std::count(lines.begin(), lines.end(), "1000ms link 1>4 silent") == 0);
    CHECK(std::count(lines.begin(), lines.end(), "1000ms link 2>3 silent") == 0);
}

TEST_CASE("a partition one way cuts what travels into its first group") {
    const action::Partition cut{{{broker(1)}, {broker(2)}, {broker(3)}}, Oneway::in, Style::silent};

    CHECK(story(one(cut, {}), milliseconds(1500)) ==
          Lines{"1000ms link 2>1 silent", "1000ms link 3>1 silent"});
}

TEST_CASE("slow disks add up and heal") {
    Fault a = one(action::SlowDisk{fixed(milliseconds(10))}, {broker(1)}, lasting(seconds(9)));
    Fault b = at("b", seconds(2), action::SlowDisk{fixed(milliseconds(5))}, {broker(1)});
    b.lasts = lasting(seconds(2));
    Stage stage(plan_of({a, b}));

    stage.run_to(seconds(30));

    CHECK(stage.said() == Lines{"1000ms disk 1 +10ms", "2000ms disk 1 +15ms", "4000ms disk 1 +10ms",
                                "10000ms disk 1 +0ms"});
}

TEST_CASE("clocks jump for good, and stop to drift when the faults heal") {
    CHECK(story(one(action::ClockJump{fixed(seconds(-5))}, {broker(1)})) ==
          Lines{"1000ms clock 1 -5000ms"});
    CHECK(story(one(action::ClockDrift{{-200, -200}}, {broker(1)})) ==
          Lines{"1000ms drift 1 -200", "60000ms drift 1 0"});
}

TEST_CASE("fsync lies for its time") {
    CHECK(story(one(action::LieFsync{}, {broker(1)}, lasting(seconds(2)))) ==
          Lines{"1000ms fsync 1 lies", "3000ms fsync 1 honest"});
}

TEST_CASE("a broker is ordered into its past and out of it again") {
    CHECK(story(one(action::StaleMetadata{}, {broker(1)}, lasting(seconds(2)))) ==
          Lines{"1000ms tell 1 order 17", "3000ms tell 1 order 18"});
    CHECK(story(one(action::StaleMetadata{{5}}, {target(Target::Kind::brokers)})).at(1) ==
          "1000ms tell 2 order 17 12=5");
}

TEST_CASE("of several pasts the last one to end brings the present back, each shows its topic") {
    Fault whole = one(action::StaleMetadata{}, {broker(1)}, lasting(seconds(3)));
    Fault first = at("b", seconds(2), action::StaleMetadata{{5}}, {broker(1)});
    first.lasts = lasting(seconds(4));
    Fault second = at("c", seconds(3), action::StaleMetadata{{5}}, {broker(1)});
    second.lasts = lasting(seconds(2));
    Fault third = at("d", seconds(4), action::StaleMetadata{{6}}, {broker(1)});
    third.lasts = lasting(seconds(3));
    Stage stage(plan_of({whole, first, second, third}));

    stage.run_to(seconds(30));

    CHECK(stage.said() == Lines{"1000ms tell 1 order 17", "2000ms tell 1 order 17 12=5",
                                "3000ms tell 1 order 17 12=5", "4000ms tell 1 order 17 12=6",
                                "6000ms tell 1 order 18 12=5", "7000ms tell 1 order 18"});
}

TEST_CASE("what is no broker has no past to answer from") {
    Fault f = when("f", mile::loop, action::StaleMetadata{});
    Stage stage(plan_of({f}));

    stage.reach(milestone(mile::loop, 4));

    CHECK(stage.said() == Lines{});
}

TEST_CASE("a stall is an order to the application and is taken back") {
    CHECK(story(one(action::Stall{}, {app(1)}, lasting(seconds(2)))) ==
          Lines{"1000ms tell 5 order 2", "3000ms tell 5 order 3"});
}

TEST_CASE("stop asks a node to end; it stays down until the faults heal") {
    Stage stage(plan_of({one(action::Stop{}, {broker(1)})}));
    stage.run_to(seconds(3));
    const auto asked = stage.said();
    stage.stopped(1);
    stage.run_to(seconds(70));

    CHECK(asked == Lines{"1000ms tell 1 order 1"});
    CHECK(stage.said() == Lines{"60000ms start 1"});
}

TEST_CASE("a restart counts its downtime from the moment the node is down") {
    Stage stage(plan_of({one(action::Restart{}, {broker(1)}, lasting(seconds(4)))}));
    stage.run_to(seconds(10));
    stage.stopped(1);
    stage.run_to(seconds(30));

    CHECK(stage.said() == Lines{"1000ms tell 1 order 1", "14000ms start 1"});
    CHECK(stage.report().ended == 1);
}

TEST_CASE("a node that does not stop within its grace is killed") {
    Fault f = one(action::Restart{lasting(milliseconds(500))}, {broker(1)}, lasting(seconds(2)));

    CHECK(story(f) == Lines{"1000ms tell 1 order 1", "1500ms crash 1", "3500ms start 1"});
}

TEST_CASE("a node still stopping when the faults heal is started as soon as it is down") {
    Stage stage(plan_of({one(action::Stop{}, {broker(1)})}));
    stage.run_to(seconds(65));
    stage.said();
    stage.stopped(1);
    stage.run_to(seconds(66));

    CHECK(stage.said() == Lines{"65000ms start 1"});
    CHECK(stage.report().ended == 1);
}

TEST_CASE("start starts what is down and nothing else") {
    Stage stage(plan_of({one(action::Start{}, {broker(1), broker(2)})}));
    stage.states[2] = sim::NodeState::down;
    stage.run_to(seconds(2));

    CHECK(stage.said() == Lines{"1000ms start 2"});
}

TEST_CASE("a rolling restart takes one node after the other") {
    Fault f = one(action::RollingRestart{fixed(seconds(10)), lasting(milliseconds(500))},
                  {target(K::brokers)}, lasting(seconds(5)));
    Stage stage(plan_of({f}));
    stage.run_to(milliseconds(1200));
    stage.stopped(1);
    stage.run_to(seconds(59));

    CHECK(stage.said(true) == Lines{"1000ms fault 0 fired", "1000ms tell 1 order 1",
                                    "6200ms start 1", "16200ms tell 2 order 1", "16700ms crash 2",
                                    "21700ms start 2", "31700ms tell 3 order 1", "32200ms crash 3",
                                    "37200ms start 3", "37200ms fault 0 ended"});
}

TEST_CASE("a rolling restart cut short by the heal touches nobody new") {
    Fault f = one(action::RollingRestart{fixed(seconds(10)), lasting(milliseconds(500))},
                  {target(K::brokers)}, lasting(seconds(50)));
    Stage stage(plan_of({f}));

    stage.run_to(seconds(200));

    CHECK(stage.said() == Lines{"1000ms tell 1 order 1", "1500ms crash 1", "51500ms start 1"});
}

TEST_CASE("a fault whose role nobody holds fires and changes nothing, and is said so") {
    Stage stage(plan_of({one(action::Crash{}, {of_log(K::leader, log(0))})}));
    stage.directory[{leader, 0}] = {};
    stage.run_to(seconds(2));

    CHECK(stage.said().empty());
    CHECK(stage.report().aimless == 1);
    CHECK(sentence(stage.report(), plan_of({})) ==
          "f (crash) fired 1 time and changed nothing; nobody held the role it aimed at");
}

TEST_CASE("targets are resolved to the nodes they mean") {
    const auto hit = [](Target t) {
        Stage stage(plan_of({one(action::Pause{}, {t})}));
        stage.run_to(seconds(2));
        std::vector<int> nodes;
        for (const auto node : stage.report().nodes) nodes.push_back(node.value);
        return nodes;
    };
    using Nodes = std::vector<int>;
    Target owner_of = of_log(K::owner, log(0));
    owner_of.number = 0;

    CHECK(hit(target(K::brokers)) == Nodes{1, 2, 3});
    CHECK(hit(target(K::controller)) == Nodes{0});
    CHECK(hit(of_log(K::leader, log(1))) == Nodes{2});
    CHECK(hit(of_log(K::leader, {LogPick::Kind::any_group, 0})) == Nodes{3});
    CHECK(hit(of_log(K::followers, log(0))) == Nodes{2, 3});
    CHECK(hit(of_log(K::replicas, log(0))) == Nodes{1, 2, 3});
    CHECK(hit(of_log(K::follower, log(0))).size() == 1);
    CHECK(hit(target(K::group_coordinator)) == Nodes{3});
    CHECK(hit(app(1)) == Nodes{5});
    CHECK(hit(target(K::app_all, 0)) == Nodes{4, 5});
    CHECK(hit(target(K::apps)) == Nodes{4, 5});
    CHECK(hit(target(K::app_any, 0)).size() == 1);
    CHECK(hit(target(K::random_app)).size() == 1);
    CHECK(hit(owner_of) == Nodes{5});
    CHECK(hit(target(K::everyone)) == Nodes{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a list of targets is hit together") {
    CHECK(story(one(action::Pause{}, {broker(1), app(0), broker(1)}, lasting(seconds(1)))) ==
          Lines{"1000ms pause 1", "1000ms pause 4", "2000ms resume 1", "2000ms resume 4"});
}
