#include <doctest/doctest.h>

#include "model/group_coordinator.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

const sim::Facts whole_group = told({{Fact::group, 0}});

OffsetCommitRequest admin_commit(std::int32_t log, std::int64_t offset) {
    return {g, {}, {{{log}, {offset}, {}}}};
}
TxnOffsetCommitRequest pending_commit(std::int32_t log, std::int64_t offset) {
    TxnOffsetCommitRequest request;
    request.who = {{3}, {7}, {0}, {}};
    request.group = g;
    request.parts = {{{log}, {offset}, {}}};
    return request;
}
std::optional<Offset> offset_of(GroupRig& rig, std::int32_t log) {
    return rig.call<OffsetFetchResponse>(OffsetFetchRequest{g, {{log}}, false}).parts.at(0).offset;
}
ConsumerGroupHeartbeatRequest join_request(MemberId member) {
    ConsumerGroupHeartbeatRequest request;
    request.group = g;
    request.member = member;
    request.rebalance_timeout = sim::seconds(60);
    request.subscription = {TopicId{0}};
    request.owned.emplace();
    return request;
}

}  // namespace

TEST_CASE("a deleted offset is gone when the tombstone is replicated, the others stay") {
    GroupRig rig;
    rig.start();
    (void)rig.call<OffsetCommitResponse>(admin_commit(0, 5));
    (void)rig.call<OffsetCommitResponse>(admin_commit(1, 6));
    rig.hold = true;

    rig.order(Ask::delete_offsets, told({{Fact::group, 0}, {Fact::log, 0}}));
    const auto early = offset_of(rig, 0);
    rig.replicate();

    CHECK(early == Offset{5});
    CHECK(!offset_of(rig, 0));
    CHECK(offset_of(rig, 1) == Offset{6});
    CHECK(rig.world.times(Mile::offsets_expired) == 1);
}

TEST_CASE("offsets of a topic that a member reads are not deleted, those of another are") {
    GroupRig rig;
    rig.start();
    (void)rig.call<OffsetCommitResponse>(admin_commit(0, 5));
    (void)rig.call<OffsetCommitResponse>(admin_commit(4, 6));  // topic u
    (void)rig.call<ConsumerGroupHeartbeatResponse>(join_request({101}));

    rig.order(Ask::delete_offsets, whole_group);

    CHECK(offset_of(rig, 0) == Offset{5});
    CHECK(!offset_of(rig, 4));
    CHECK(rig.world.times(Mile::offsets_refused) == 1);
}

TEST_CASE("a group with members is not deleted, one without goes with all its offsets") {
    GroupRig rig;
    rig.start();
    (void)rig.call<ConsumerGroupHeartbeatResponse>(join_request({101}));
    (void)rig.call<OffsetCommitResponse>(
        OffsetCommitRequest{g, {Generation{1}, MemberId{101}, {}}, {{{0}, {5}, {}}}});

    rig.order(Ask::delete_group, whole_group);
    const auto kept = offset_of(rig, 0);
    auto leave = join_request({101});
    leave.member_epoch = leave_epoch;
    (void)rig.call<ConsumerGroupHeartbeatResponse>(leave);
    rig.order(Ask::delete_group, whole_group);

    CHECK(kept == Offset{5});
    CHECK(!offset_of(rig, 0));
    CHECK(!rig.modern());
    CHECK(!rig.group());
    CHECK(rig.world.times(Mile::group_deleted) == 1);
    rig.fail_over(1);
    CHECK(!offset_of(rig, 0));
    CHECK(!rig.modern());
    // Who comes now founds a group anew (G18).
    CHECK(rig.call<ConsumerGroupHeartbeatResponse>(join_request({102})).member_epoch == 1);
}

TEST_CASE("what a transaction has pending goes with the group, and its marker finds nothing") {
    GroupRig rig;
    rig.start();
    (void)rig.call<OffsetCommitResponse>(admin_commit(0, 5));
    (void)rig.call<TxnOffsetCommitResponse>(pending_commit(0, 9));
    (void)rig.call<TxnOffsetCommitResponse>(pending_commit(1, 9));

    rig.order(Ask::delete_group, whole_group);
    rig.marker({7}, ControlType::commit);

    CHECK(!offset_of(rig, 0));
    CHECK(!offset_of(rig, 1));
    CHECK(rig.coordinator.shard(offsets_log)->offsets().pending().empty());
}

TEST_CASE("an offset on its way is deleted too, one that comes after the deletion stays") {
    GroupRig rig;
    rig.start();
    rig.hold = true;
    rig.request(admin_commit(0, 5));
    rig.order(Ask::delete_group, whole_group);
    rig.request(admin_commit(1, 6));

    rig.replicate();
    rig.hold = false;

    CHECK(!offset_of(rig, 0));
    CHECK(offset_of(rig, 1) == Offset{6});
    CHECK(rig.group());
}

TEST_CASE("a deletion that could not be written has not happened") {
    GroupRig rig;
    rig.start();
    (void)rig.call<OffsetCommitResponse>(admin_commit(0, 5));
    rig.refuse = ErrorCode::not_enough_replicas;

    rig.order(Ask::delete_group, whole_group);

    CHECK(offset_of(rig, 0) == Offset{5});
    CHECK(rig.group());
    CHECK(rig.world.times(Mile::group_deleted) == 0);
}

TEST_CASE("with a topic go the offsets of its partitions, in whatever group, read or not") {
    GroupRig rig;
    rig.start();
    auto other = admin_commit(1, 3);
    other.group = GroupId{1};
    (void)rig.call<ConsumerGroupHeartbeatResponse>(join_request({101}));
    (void)rig.call<OffsetCommitResponse>(
        OffsetCommitRequest{g, {Generation{1}, MemberId{101}, {}}, {{{0}, {5}, {}}}});
    (void)rig.call<OffsetCommitResponse>(other);

    rig.act([&](GroupOutput& out, Fx& fx) {
        rig.coordinator.on_partitions_deleted(rig.world.context(), {{0}, {1}, {2}, {3}}, out, fx);
    });

    CHECK(rig.coordinator.shard(offsets_log)->offsets().entries().empty());
    CHECK(rig.modern()->members().size() == 1);
}
