#include <doctest/doctest.h>

#include "model/group_coordinator.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

constexpr MemberId newcomer{101};
using Logs = std::vector<LogId>;

JoinGroupRequest classic_join(std::optional<MemberId> member = {}, Logs owned = {}) {
    return {.group = g,
            .member = member,
            .instance = {},
            .session_timeout = sim::seconds(10),
            .rebalance_timeout = sim::seconds(30),
            .protocols = {AssignorKind::cooperative_sticky},
            .subscription = {t},
            .owned = std::move(owned)};
}
ConsumerGroupHeartbeatRequest beat_of(MemberId member, std::int32_t epoch,
                                      std::optional<Logs> owned = {}) {
    ConsumerGroupHeartbeatRequest request;
    request.group = g;
    request.member = member;
    request.member_epoch = epoch;
    request.owned = std::move(owned);
    if (epoch == 0) {
        request.rebalance_timeout = sim::seconds(60);
        request.subscription = {t};
        request.owned.emplace();
    }
    return request;
}

struct MigrationRig : GroupRig {
    explicit MigrationRig(ClusterConfig given = {}) : GroupRig(given) { start(); }

    /// One classic member, alone in generation 1, owner of the whole topic.
    MemberId sole_classic() {
        const auto id = *call<JoinGroupResponse>(classic_join()).member;
        request(classic_join(id));
        advance(sim::seconds(3));
        REQUIRE(synced(id, 1, {{id, {{0}, {1}, {2}, {3}}}}).error == ErrorCode::none);
        return id;
    }
    SyncGroupResponse synced(MemberId id, std::int32_t generation,
                             std::vector<MemberAssignment> shares = {}) {
        return call<SyncGroupResponse>(SyncGroupRequest{
            g, ref(id, generation), AssignorKind::cooperative_sticky, std::move(shares)});
    }
    JoinGroupResponse joined(MemberId id, Logs owned = {}) {
        return call<JoinGroupResponse>(classic_join(id, std::move(owned)));
    }
    ErrorCode heart(MemberId id, std::int32_t generation) {
        return call<HeartbeatResponse>(HeartbeatRequest{g, ref(id, generation)}).error;
    }
    ConsumerGroupHeartbeatResponse modern_heart(MemberId id, std::int32_t epoch,
                                                std::optional<Logs> owned = {}) {
        return call<ConsumerGroupHeartbeatResponse>(beat_of(id, epoch, std::move(owned)), {5});
    }
    ErrorCode commit_error(const MemberRef& who) {
        return call<OffsetCommitResponse>(OffsetCommitRequest{g, who, {{{0}, {5}, {}}}})
            .parts.at(0)
            .error;
    }
    /// A group of one member of each protocol, both settled in epoch 2.
    MemberId mixed() {
        const auto old = sole_classic();
        REQUIRE(modern_heart(newcomer, 0).member_epoch == 2);
        const auto kept = synced(old, joined(old, {{0}, {1}, {2}, {3}}).generation->value);
        REQUIRE(joined(old, kept.assignment).generation == Generation{2});
        REQUIRE(synced(old, 2).assignment == kept.assignment);
        REQUIRE(modern_heart(newcomer, 2).assignment);
        REQUIRE(modern()->state() == ModernGroupState::stable);
        return old;
    }
};

}  // namespace

TEST_CASE("the first member of the consumer protocol upgrades a classic group that lives on") {
    MigrationRig rig;
    const auto old = rig.sole_classic();

    const auto answer = rig.modern_heart(newcomer, 0);

    CHECK(answer.error == ErrorCode::none);
    CHECK(answer.assignment == Logs{});  // nothing is free yet
    REQUIRE(rig.modern());
    CHECK(!rig.group());
    CHECK(rig.modern()->find(old)->assigned.size() == 4);
    CHECK(rig.world.times(Mile::group_upgraded) == 1);
    CHECK(rig.heart(old, 1) == ErrorCode::rebalance_in_progress);
    CHECK(rig.commit_error(ref(old, 1)) == ErrorCode::none);
}

TEST_CASE("a classic member shows what it gave up by joining again, before others get it") {
    MigrationRig rig;
    const auto old = rig.sole_classic();
    (void)rig.modern_heart(newcomer, 0);

    const auto first = rig.joined(old, {{0}, {1}, {2}, {3}});
    const auto kept = rig.synced(old, 1);
    const auto early = rig.modern_heart(newcomer, 2);
    const auto nudged = rig.heart(old, 1);
    const auto second = rig.joined(old, kept.assignment);
    const auto granted = rig.modern_heart(newcomer, 2);

    CHECK(first.generation == Generation{1});
    CHECK(!first.leader);
    CHECK(kept.assignment.size() == 2);
    CHECK(!early.assignment);
    CHECK(nudged == ErrorCode::rebalance_in_progress);
    CHECK(second.generation == Generation{2});
    REQUIRE(granted.assignment);
    CHECK(granted.assignment->size() == 2);
    CHECK(rig.heart(old, 2) == ErrorCode::none);
    CHECK(rig.modern()->state() == ModernGroupState::stable);
}

TEST_CASE("joins and syncs that were parked in a classic group are sent away when it is upgraded") {
    MigrationRig rig;
    const auto old = rig.sole_classic();
    const auto other = *rig.call<JoinGroupResponse>(classic_join()).member;
    const auto parked = rig.request(classic_join(other));
    REQUIRE(!rig.answered(parked));

    (void)rig.modern_heart(newcomer, 0);

    CHECK(rig.answer<JoinGroupResponse>(parked).error == ErrorCode::rebalance_in_progress);
    CHECK(rig.joined(other).generation == Generation{2});
    CHECK(rig.modern()->members().size() == 3);
    CHECK(rig.heart(old, 1) == ErrorCode::rebalance_in_progress);
}

TEST_CASE("a newcomer of the classic protocol may join a consumer group") {
    MigrationRig rig;
    (void)rig.modern_heart(newcomer, 0);

    const auto invited = rig.call<JoinGroupResponse>(classic_join());
    REQUIRE(invited.member);
    const auto joined = rig.joined(*invited.member);
    const auto synced = rig.synced(*invited.member, joined.generation->value);

    CHECK(invited.error == ErrorCode::member_id_required);
    CHECK(joined.error == ErrorCode::none);
    CHECK(synced.error == ErrorCode::none);
    CHECK(synced.assignment.empty());
    const auto told = rig.modern_heart(newcomer, 1);
    (void)rig.modern_heart(newcomer, 1, told.assignment);
    CHECK(rig.heart(*invited.member, joined.generation->value) ==
          ErrorCode::rebalance_in_progress);  // what it waited for is free
}

TEST_CASE("the group is classic again when its last member of the consumer protocol is gone") {
    MigrationRig rig;
    const auto old = rig.mixed();
    const bool by_leaving = [&] {
        SUBCASE("it left") { return true; }
        SUBCASE("its session is over") { return false; }
        return true;
    }();

    if (by_leaving) {
        CHECK(rig.modern_heart(newcomer, leave_epoch).error == ErrorCode::none);
    } else {
        for (int i = 0; i < 9; ++i) {
            rig.advance(sim::seconds(5));
            (void)rig.heart(old, 2);
        }
    }

    REQUIRE(rig.group());
    CHECK(!rig.modern());
    CHECK(rig.world.times(Mile::group_downgraded) == 1);
    const auto joined = rig.request(classic_join(old, {{0}, {1}}));
    REQUIRE(rig.answered(joined));  // nobody else is waited for
    const auto answer = rig.answer<JoinGroupResponse>(joined);
    CHECK(answer.generation == Generation{3});
    CHECK(answer.leader == old);
    CHECK(rig.synced(old, 3, {{old, {{0}, {1}, {2}, {3}}}}).assignment.size() == 4);
    CHECK(rig.group()->state() == GroupState::stable);
}

TEST_CASE("the policy decides which way a group may go") {
    ClusterConfig config;
    config.group_migration = GroupMigration::disabled;
    MigrationRig fixed(config);
    const auto stays = fixed.sole_classic();
    const auto refused = fixed.modern_heart(newcomer, 0).error;
    config.group_migration = GroupMigration::upgrade;
    MigrationRig upwards(config);
    (void)upwards.mixed();
    (void)upwards.modern_heart(newcomer, leave_epoch);

    CHECK(refused == ErrorCode::group_id_not_found);
    CHECK(fixed.heart(stays, 1) == ErrorCode::none);
    CHECK(!upwards.group());
    CHECK(upwards.modern()->members().size() == 1);
}

TEST_CASE("a mixed group survives the move of its coordinator, either way it was converted") {
    MigrationRig rig;
    const auto old = rig.mixed();

    rig.fail_over(1);
    const auto mixed = rig.heart(old, 2);
    (void)rig.modern_heart(newcomer, leave_epoch);
    rig.fail_over(2);

    CHECK(mixed == ErrorCode::none);
    REQUIRE(rig.group());
    CHECK(!rig.modern());
    CHECK(rig.group()->find(old));
    CHECK(rig.group()->generation() == Generation{2});
}

TEST_CASE("a conversion that could not be written has not happened") {
    MigrationRig rig;
    const auto old = rig.sole_classic();
    rig.refuse = ErrorCode::not_enough_replicas;
    const auto upgrade = rig.modern_heart(newcomer, 0).error;
    const bool still_classic = rig.group() && !rig.modern();
    rig.refuse.reset();
    const auto alive = rig.heart(old, 1);
    (void)rig.modern_heart(newcomer, 0);
    (void)rig.joined(old);
    (void)rig.synced(old, 2);
    rig.refuse = ErrorCode::not_enough_replicas;
    const auto downgrade = rig.modern_heart(newcomer, leave_epoch).error;

    CHECK(upgrade == ErrorCode::coordinator_not_available);
    CHECK(still_classic);
    CHECK(alive == ErrorCode::none);
    CHECK(downgrade == ErrorCode::coordinator_not_available);
    CHECK(!rig.group());
    CHECK(rig.modern()->members().size() == 2);
}

TEST_CASE("a classic member that is told to join again and does not is expelled in time") {
    MigrationRig rig;
    const auto old = rig.mixed();
    rig.order(Ask::rebalance, told({{Fact::group, 0}}));

    for (int i = 0; i < 31; ++i) {
        rig.advance(sim::seconds(1));
        (void)rig.heart(old, 2);
    }

    CHECK(!rig.modern()->find(old));
    CHECK(rig.world.times(Mile::group_member_expired) == 1);
}

TEST_CASE("a commit is judged in the words of the member's own protocol") {
    MigrationRig rig;
    const auto old = rig.mixed();

    CHECK(rig.commit_error(ref(old, 2)) == ErrorCode::none);
    CHECK(rig.commit_error(ref(old, 1)) == ErrorCode::illegal_generation);
    CHECK(rig.commit_error(ref(newcomer, 1)) == ErrorCode::stale_member_epoch);
}

TEST_CASE("a static member takes its seat along when it changes its protocol") {
    MigrationRig rig;
    auto classic = classic_join();
    classic.instance = GroupInstanceId{7};
    rig.request(classic);
    rig.advance(sim::seconds(3));
    const auto old = rig.group()->members().front().id;
    REQUIRE(rig
                .call<SyncGroupResponse>(SyncGroupRequest{
                    g, {Generation{1}, old, GroupInstanceId{7}}, {}, {{old, {{0}, {1}, {2}, {3}}}}})
                .error == ErrorCode::none);
    auto beat = beat_of(newcomer, 0);
    beat.instance = GroupInstanceId{7};

    const auto up = rig.call<ConsumerGroupHeartbeatResponse>(beat);
    const auto members_up = rig.modern()->members().size();
    classic.member = std::nullopt;
    const auto down = rig.call<JoinGroupResponse>(classic);

    CHECK(up.error == ErrorCode::none);
    CHECK(up.assignment->size() == 4);
    CHECK(members_up == 1);
    CHECK(down.error == ErrorCode::none);
    REQUIRE(rig.group());
    CHECK(rig.group()->members().size() == 1);
    CHECK(rig.group()->state() == GroupState::stable);  // nothing changed hands
    CHECK(rig.group()->members().front().assignment.size() == 4);
}
