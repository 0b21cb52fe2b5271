#include <doctest/doctest.h>

#include "stage.hpp"

using namespace eos;
using namespace eos::faults;
using namespace eos::faults::test;
using K = Target::Kind;

namespace {

Lines story(Action act, Targets targets, std::optional<Lasting> lasts = {}) {
    Fault f = at("f", seconds(1), std::move(act), std::move(targets));
    f.lasts = lasts;
    Stage stage(plan_of({f}));
    stage.run_to(seconds(70));
    return stage.said();
}

}  // namespace

TEST_CASE("elect asks the controller, and with a time it moves back") {
    CHECK(story(action::Elect{}, {of_log(K::log, log(0))}) ==
          Lines{"1000ms tell 0 order 4 6=0 10=0"});
    CHECK(story(action::Elect{broker(3), true}, {of_log(K::leader, log(0))}, lasting(seconds(5))) ==
          Lines{"1000ms tell 0 order 4 6=0 4=3 10=1", "6000ms tell 0 order 4 6=0 4=1 10=0"});
}

TEST_CASE("every replica expires producers and rolls segments, the leader deletes records") {
    CHECK(story(action::ExpireProducers{}, {of_log(K::log, log(0))}) ==
          Lines{"1000ms tell 1 order 7 6=0", "1000ms tell 2 order 7 6=0",
                "1000ms tell 3 order 7 6=0"});
    CHECK(story(action::RollSegment{}, {of_log(K::follower, log(1))}).size() == 3);
    CHECK(story(action::DeleteRecords{17}, {of_log(K::log, log(1))}) ==
          Lines{"1000ms tell 2 order 11 6=1 9=17"});
    CHECK(story(action::DeleteRecords{}, {of_log(K::log, log(1))}) ==
          Lines{"1000ms tell 2 order 11 6=1"});
}

TEST_CASE("a partition action on an event takes the partition of the event") {
    Fault f = when("f", mile::appended, action::DeleteRecords{});
    Stage stage(plan_of({f}));

    stage.reach(milestone(mile::appended, 2, {{fact::log, 1}}));

    CHECK(stage.said() == Lines{"0ms tell 2 order 11 6=1"});
}

TEST_CASE("orders about a group go to its coordinator") {
    CHECK(story(action::Rebalance{}, {target(K::group, 0)}) == Lines{"1000ms tell 3 order 5 7=0"});
    CHECK(story(action::ExpireOffsets{}, {target(K::group_coordinator)}) ==
          Lines{"1000ms tell 3 order 8 7=0"});
    CHECK(story(action::ResetOffsets{action::ResetOffsets::To::offset, 12, log(1)}, {app(0)}) ==
          Lines{"1000ms tell 3 order 10 6=1 9=12 7=0"});
    CHECK(story(action::ResetOffsets{}, {target(K::group, 0)}) ==
          Lines{"1000ms tell 3 order 10 9=-2 7=0"});
    CHECK(story(action::DeleteOffsets{log(1)}, {app(0)}) ==
          Lines{"1000ms tell 3 order 15 6=1 7=0"});
    CHECK(story(action::DeleteOffsets{}, {target(K::group, 0)}) ==
          Lines{"1000ms tell 3 order 15 7=0"});
    CHECK(story(action::DeleteGroup{}, {target(K::group, 0)}) ==
          Lines{"1000ms tell 3 order 16 7=0"});
}

TEST_CASE("kick names the member by its node, or leaves the choice to the coordinator") {
    CHECK(story(action::Kick{}, {app(1)}) == Lines{"1000ms tell 3 order 6 5=5 7=0"});
    CHECK(story(action::Kick{}, {target(K::group, 0)}) == Lines{"1000ms tell 3 order 6 7=0"});
    CHECK(story(action::Kick{app(0)}, {target(K::group, 0)}) ==
          Lines{"1000ms tell 3 order 6 5=4 7=0"});
}

TEST_CASE("an order about a group without a coordinator reaches nobody") {
    Stage stage(plan_of({at("f", seconds(1), action::Rebalance{}, {target(K::group, 0)})}));
    stage.directory[{coordinator, 0}] = {};
    stage.run_to(seconds(2));

    CHECK(stage.said().empty());
    CHECK(stage.report().aimless == 1);
}

TEST_CASE("the operator aborts through the leader of the partition") {
    CHECK(story(action::AbortTxn{}, {of_log(K::log, log(1))}) ==
          Lines{"1000ms tell 2 order 12 6=1"});
    CHECK(story(action::AbortTxn{}, {of_log(K::leader, log(0))}) ==
          Lines{"1000ms tell 1 order 12 6=0"});
}

TEST_CASE("orders about a transactional id go to the coordinator of that id") {
    CHECK(story(action::FenceProducer{}, {target(K::txid, 0)}) ==
          Lines{"1000ms tell 3 order 13 11=0"});
    CHECK(story(action::ExpireTransactionalIds{}, {target(K::txid, 0), target(K::txid, 1)}) ==
          Lines{"1000ms tell 3 order 14 11=0", "1000ms tell 2 order 14 11=1"});
}

TEST_CASE("without a name one transactional id is drawn, and it is written down") {
    Stage stage(plan_of({at("f", seconds(1), action::FenceProducer{}, {target(K::txid)})}));
    stage.run_to(seconds(2));

    const auto drawn = stage.report().deeds.at(0).txids;
    REQUIRE(drawn.size() == 1);
    CHECK(stage.said() ==
          Lines{drawn[0] == 0 ? "1000ms tell 3 order 13 11=0" : "1000ms tell 2 order 13 11=1"});
    REQUIRE(stage.injector.decisions().size() == 1);
    CHECK(stage.injector.decisions()[0].drawn == std::vector<Drawn>{{Drawn::Kind::txid, drawn[0]}});
    CHECK(drawn_named(name(Drawn::Kind::txid)) == Drawn::Kind::txid);
}

TEST_CASE("an order about the transactional id of an event needs an event that carries one") {
    Stage stage(plan_of({when("f", mile::appended, action::FenceProducer{})}));

    stage.reach(milestone(mile::appended, 2, {{fact::log, 1}, {fact::txid, 1}}));
    CHECK(stage.said() == Lines{"0ms tell 2 order 13 11=1"});
    stage.reach(milestone(mile::appended, 2, {{fact::log, 1}}));

    CHECK(stage.said().empty());
    CHECK(stage.report().aimless == 1);
}

TEST_CASE("an order about a transactional id nobody coordinates reaches nobody") {
    Stage stage(plan_of({at("f", seconds(1), action::FenceProducer{}, {target(K::txid, 1)})}));
    stage.directory[{txn_coordinator, 1}] = {};
    stage.run_to(seconds(2));

    CHECK(stage.said().empty());
    CHECK(stage.report().aimless == 1);
}

TEST_CASE("holder and zombie are who the directory says, when the fault fires") {
    Fault first = at("first", seconds(1), action::Crash{}, {target(K::holder, 1)});
    Fault second = at("second", seconds(2), action::Crash{}, {target(K::zombie, 1)});
    Fault none = at("none", seconds(3), action::Crash{}, {target(K::zombie, 0)});
    Stage stage(plan_of({first, second, none}));

    stage.directory[{holder, 1}] = {NodeId{4}};
    stage.run_to(seconds(1));
    stage.directory[{zombie, 1}] = {NodeId{4}};
    stage.directory[{holder, 1}] = {NodeId{5}};
    stage.run_to(seconds(3));

    const auto& reports = stage.injector.reports();
    REQUIRE(reports[0].deeds.size() == 1);
    CHECK(reports[0].deeds[0].nodes == std::vector<NodeId>{NodeId{4}});
    REQUIRE(reports[1].deeds.size() == 1);
    CHECK(reports[1].deeds[0].nodes == std::vector<NodeId>{NodeId{4}});
    CHECK(reports[2].acts == 0);
}
