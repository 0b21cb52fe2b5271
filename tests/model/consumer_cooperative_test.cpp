#include <algorithm>

#include <doctest/doctest.h>

#include "model/consumer.hpp"
#include "tests/model/consumer_rig.hpp"

using namespace eos::model;
using Rig = eos::model::test::ConsumerRig;

namespace {

constexpr LogId log0{0};
constexpr LogId log1{1};
constexpr MemberId me{5};
constexpr MemberId other{6};

ConsumerConfig with(AssignorKind assignor) {
    auto config = Rig::config();
    config.assignors = {assignor};
    return config;
}
/// Generation 3, owns logs 0 and 1, both read from offset 0 on; a rebalance was announced.
Rig rejoining_owner(ConsumerConfig config) {
    Rig rig(std::move(config));
    rig.become_stable(Generation{3}, me, {log0, log1});
    rig.answer_committed(Offset{0});
    rig.poll_on();
    rig.advance(seconds(3));
    rig.answer_beat(ErrorCode::rebalance_in_progress);
    rig.events.clear();
    rig.observations.clear();
    return rig;
}

}  // namespace

TEST_CASE("a cooperative member keeps what it owns while it rejoins, and goes on reading") {
    Rig rig = rejoining_owner(with(AssignorKind::cooperative_sticky));

    rig.poll(seconds(10));
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 4)});

    REQUIRE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.waiting<JoinGroupRequest>()->owned == std::vector{log0, log1});
    CHECK(rig.waiting<JoinGroupRequest>()->owned_since == Generation{3});
    CHECK(rig.taken<consumer_event::PartitionsRevoked>().empty());
    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE(returned.size() == 1);
    CHECK(returned[0].chunks.size() == 1);
}

TEST_CASE("what moves is given up after the sync and a second rebalance is asked for") {
    Rig rig = rejoining_owner(with(AssignorKind::cooperative_sticky));
    rig.poll();
    rig.answer_join(Generation{4}, me, other);
    rig.poll();

    rig.answer_sync({log0});
    rig.poll();

    CHECK(rig.consumer.assignment() == std::vector{log0});
    const auto revoked = rig.taken<consumer_event::PartitionsRevoked>();
    REQUIRE(revoked.size() == 1);
    CHECK(revoked[0].logs == std::vector{log1});
    CHECK_FALSE(revoked[0].lost);
    CHECK(rig.taken<consumer_event::PartitionsAssigned>().at(0).logs.empty());
    REQUIRE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.waiting<JoinGroupRequest>()->owned == std::vector{log0});
    CHECK(rig.waiting<JoinGroupRequest>()->owned_since == Generation{4});
    CHECK(rig.told<Assigned>().back().logs == std::vector{log0});
    CHECK(rig.consumer.group_metadata().generation == Generation{4});
}

TEST_CASE("a cooperative member that loses nothing does not rejoin") {
    Rig rig = rejoining_owner(with(AssignorKind::cooperative_sticky));
    rig.poll();
    rig.answer_join(Generation{4}, me, other);
    rig.poll();

    rig.answer_sync({log0, log1});
    rig.poll();

    CHECK_FALSE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.consumer.position(log0) == Offset{0});
}

TEST_CASE("a cooperative member that was thrown out while rejoining loses everything first") {
    Rig rig = rejoining_owner(with(AssignorKind::cooperative_sticky));
    rig.poll();
    rig.answer_join(ErrorCode::unknown_member_id);

    rig.poll();

    const auto gone = rig.taken<consumer_event::PartitionsRevoked>();
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].lost);
    REQUIRE(rig.waiting<JoinGroupRequest>());
    CHECK_FALSE(rig.waiting<JoinGroupRequest>()->member);
    CHECK(rig.waiting<JoinGroupRequest>()->owned.empty());
}

TEST_CASE("partitions of a topic no longer subscribed are given up before the rejoin") {
    Rig rig = rejoining_owner(with(AssignorKind::cooperative_sticky));
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.subscribe(ctx, {}, fx); });

    rig.poll();

    CHECK(rig.taken<consumer_event::PartitionsRevoked>().at(0).logs == std::vector{log0, log1});
    CHECK(rig.waiting<JoinGroupRequest>()->owned.empty());
}

TEST_CASE("a cooperative auto-commit before a rejoin does not stop reading") {
    auto config = with(AssignorKind::cooperative_sticky);
    config.auto_commit = true;
    Rig rig = rejoining_owner(config);
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 4)});

    rig.poll();

    REQUIRE(rig.waiting<OffsetCommitRequest>());
    CHECK_FALSE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.taken<consumer_event::PollReturned>().at(0).chunks.size() == 1);
}

TEST_CASE("an eager sticky member gives everything up and claims what it was assigned") {
    Rig rig = rejoining_owner(with(AssignorKind::sticky));

    rig.poll();

    CHECK(rig.consumer.assignment().empty());
    REQUIRE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.waiting<JoinGroupRequest>()->owned == std::vector{log0, log1});
    CHECK(rig.waiting<JoinGroupRequest>()->owned_since == Generation{3});
}

TEST_CASE("a member with range claims nothing") {
    Rig rig = rejoining_owner(with(AssignorKind::range));

    rig.poll();

    CHECK(rig.waiting<JoinGroupRequest>()->owned.empty());
    CHECK_FALSE(rig.waiting<JoinGroupRequest>()->owned_since);
}

TEST_CASE("one eager assignor in the list makes the member eager") {
    auto config = Rig::config();
    config.assignors = {AssignorKind::range, AssignorKind::cooperative_sticky};
    Rig rig = rejoining_owner(config);

    rig.poll();

    CHECK(rig.consumer.assignment().empty());
    CHECK(rig.waiting<JoinGroupRequest>()->owned.empty());
}

TEST_CASE("a leader's cooperative assignment leaves out what its owner has not given up") {
    const std::vector<JoinGroupResponse::Member> members{
        {me, {}, {Rig::topic}, {log0, log1}, Generation{3}},
        {other, {}, {Rig::topic}, {}, Generation{3}}};
    Rig rig = rejoining_owner(with(AssignorKind::cooperative_sticky));
    rig.poll();
    JoinGroupResponse response;
    response.group = Rig::group;
    response.generation = Generation{4};
    response.protocol = AssignorKind::cooperative_sticky;
    response.member = me;
    response.leader = me;
    response.members = members;
    rig.answer<JoinGroupRequest>(response);

    rig.poll();

    REQUIRE(rig.waiting<SyncGroupRequest>());
    const auto shares = rig.waiting<SyncGroupRequest>()->assignments;
    CHECK(shares.at(0).logs == std::vector{log0});
    CHECK(shares.at(1).logs.empty());
}

TEST_CASE("a static member closes without leaving the group") {
    auto config = Rig::config();
    config.instance = GroupInstanceId{1};
    Rig rig(config);
    rig.become_stable(Generation{3}, me, {log0});
    rig.answer_committed(Offset{0});

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.close(ctx, fx); });

    CHECK_FALSE(rig.waiting<LeaveGroupRequest>());
    CHECK(rig.taken<consumer_event::PartitionsRevoked>().size() == 1);
    CHECK(rig.taken<consumer_event::Closed>().size() == 1);
}

TEST_CASE("the previous holder of an instance id is told at its next heartbeat and fails") {
    auto config = Rig::config();
    config.instance = GroupInstanceId{1};
    Rig rig(config);
    rig.become_stable(Generation{3}, me, {log0});
    rig.answer_committed(Offset{0});
    rig.advance(seconds(3));
    rig.answer_beat(ErrorCode::fenced_instance_id);

    rig.poll();

    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE_FALSE(returned.empty());
    CHECK(returned.back().result == CallResult::fatal);
    CHECK(returned.back().error == ErrorCode::fenced_instance_id);
}
