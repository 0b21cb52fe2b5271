#include "model/classic_group.hpp"

#include <set>

#include <doctest/doctest.h>

#include "sim/rng.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

constexpr TopicId t{0};

struct Joiner {
    std::optional<MemberId> member = {};
    std::optional<std::int32_t> instance = {};
    std::vector<AssignorKind> protocols = {AssignorKind::range};
};
JoinGroupRequest join_request(const Joiner& joiner) {
    JoinGroupRequest request;
    request.group = g;
    request.member = joiner.member;
    if (joiner.instance) request.instance = GroupInstanceId{*joiner.instance};
    request.session_timeout = sim::seconds(10);
    request.rebalance_timeout = sim::seconds(60);
    request.protocols = joiner.protocols;
    request.subscription = {t};
    return request;
}
SyncGroupRequest sync_request(MemberId member, std::int32_t generation,
                              std::vector<MemberAssignment> assignments = {}) {
    return {g, ref(member, generation), {}, std::move(assignments)};
}
ErrorCode heartbeat(GroupRig& rig, const MemberRef& member) {
    return rig.call<HeartbeatResponse>(HeartbeatRequest{g, member}).error;
}
MemberId new_id(GroupRig& rig) { return *rig.call<JoinGroupResponse>(join_request({})).member; }
/// Two dynamic members, stable in generation 1: `leader` on node 4 with log 0, `follower` on 5.
struct Pair {
    MemberId leader, follower;
};
Pair stable_pair(GroupRig& rig) {
    rig.start();
    const auto leader = new_id(rig);
    const auto follower = new_id(rig);
    rig.request(join_request({leader}), {4});
    rig.request(join_request({follower}), {5});
    rig.advance(sim::seconds(6));
    rig.request(sync_request(follower, 1), {5});
    rig.request(sync_request(leader, 1, {{leader, {{0}}}, {follower, {{1}}}}), {4});
    REQUIRE(rig.group()->state() == GroupState::stable);
    REQUIRE(rig.group()->leader() == leader);
    return {leader, follower};
}

}  // namespace

TEST_CASE("a newcomer without an id becomes a member only when it returns with the one it got") {
    GroupRig rig;
    rig.start();

    const auto first = rig.call<JoinGroupResponse>(join_request({}));

    CHECK(first.error == ErrorCode::member_id_required);
    CHECK(rig.group()->members().empty());
    CHECK(rig.group()->pending().size() == 1);
    rig.request(join_request({first.member}));
    CHECK(rig.group()->members().size() == 1);
    CHECK(rig.group()->pending().empty());
}

TEST_CASE("a newcomer that never returns is forgotten after its session timeout") {
    GroupRig rig;
    rig.start();
    const auto id = new_id(rig);

    rig.advance(sim::seconds(10));

    CHECK(rig.group()->pending().empty());
    CHECK(rig.call<JoinGroupResponse>(join_request({id})).error == ErrorCode::unknown_member_id);
}

TEST_CASE("a member parked in a rebalance does not expire, however long it waits") {
    GroupRig rig;
    const auto [leader, follower] = stable_pair(rig);
    rig.request(join_request({leader}), {4});
    for (int i = 0; i < 11; ++i) {
        rig.advance(sim::seconds(5));
        REQUIRE(heartbeat(rig, ref(follower, 1)) == ErrorCode::rebalance_in_progress);
    }

    CHECK(rig.group()->members().size() == 2);
    CHECK(rig.group()->state() == GroupState::preparing_rebalance);
}

TEST_CASE("a member that heartbeats but does not rejoin is out at the rebalance timeout") {
    GroupRig rig;
    const auto [leader, follower] = stable_pair(rig);
    const auto number = rig.request(join_request({leader}), {4});
    for (int i = 0; i < 12; ++i) {
        (void)heartbeat(rig, ref(follower, 1));
        rig.advance(sim::seconds(5));
    }

    CHECK(rig.answer<JoinGroupResponse>(number).generation == Generation{2});
    CHECK(heartbeat(rig, ref(follower, 1)) == ErrorCode::unknown_member_id);
    CHECK(rig.world.times(Mile::group_member_expired) == 1);
}

TEST_CASE("the previous generation may commit while the group prepares, but not once it is over") {
    GroupRig rig;
    const auto [leader, follower] = stable_pair(rig);
    const auto commit = [&](MemberId id, std::int32_t generation) {
        return rig.group()->validate_commit(ref(id, generation), false);
    };
    rig.request(join_request({leader}), {4});

    CHECK(commit(follower, 1) == ErrorCode::none);
    rig.request(join_request({follower}), {5});

    CHECK(commit(follower, 1) == ErrorCode::illegal_generation);
    CHECK(commit(follower, 2) == ErrorCode::rebalance_in_progress);
}

TEST_CASE("an assignment of a generation that has passed is not handed out") {
    GroupRig rig;
    const auto [leader, follower] = stable_pair(rig);
    rig.request(join_request({leader}), {4});
    rig.request(join_request({follower}), {5});
    rig.hold = true;
    const auto synced = rig.request(sync_request(leader, 2, {{leader, {{0}, {1}}}}), {4});
    rig.request(join_request({new_id(rig)}), {6});
    REQUIRE(rig.answer<SyncGroupResponse>(synced).error == ErrorCode::rebalance_in_progress);

    rig.replicate();

    CHECK(rig.group()->state() == GroupState::preparing_rebalance);
    for (const auto& m : rig.group()->members()) CHECK(m.assignment.empty());
}

TEST_CASE("a restarted static member keeps its partitions and its predecessor is fenced") {
    GroupRig rig;
    rig.start();
    const auto first = rig.request(join_request({{}, 1}), {4});
    rig.advance(sim::seconds(3));
    const auto old = *rig.answer<JoinGroupResponse>(first).member;
    rig.request(sync_request(old, 1, {{old, {{0}}}}), {4});
    REQUIRE(rig.group()->state() == GroupState::stable);

    const auto again = rig.call<JoinGroupResponse>(join_request({{}, 1}), {5});

    CHECK(again.error == ErrorCode::none);
    CHECK(again.generation == Generation{1});
    CHECK(again.skip_assignment);
    CHECK(*again.member != old);
    CHECK(heartbeat(rig, {Generation{1}, old, GroupInstanceId{1}}) ==
          ErrorCode::fenced_instance_id);
    CHECK(rig.call<SyncGroupResponse>(sync_request(*again.member, 1)).assignment ==
          std::vector<LogId>{{0}});
    CHECK(rig.world.roles.at(role(Role::owner, 0)) == std::vector<NodeId>{{5}});
}

TEST_CASE("two processes with one instance id never both stay, whatever the state") {
    GroupRig rig;
    rig.start();
    const auto first = rig.request(join_request({{}, 1}), {4});
    REQUIRE(rig.group()->state() == GroupState::preparing_rebalance);

    rig.request(join_request({{}, 1}), {5});

    CHECK(rig.group()->members().size() == 1);
    CHECK(rig.answer<JoinGroupResponse>(first).error == ErrorCode::fenced_instance_id);
}

TEST_CASE("the protocol with most first votes among those all support is chosen") {
    using enum AssignorKind;
    GroupRig rig;
    rig.start();
    const auto number = rig.request(join_request({{}, 1, {range, round_robin}}));
    rig.request(join_request({{}, 2, {round_robin, range}}));
    rig.request(join_request({{}, 3, {round_robin}}));

    rig.advance(sim::seconds(10));

    CHECK(rig.answer<JoinGroupResponse>(number).protocol == round_robin);
    CHECK(rig.call<JoinGroupResponse>(join_request({{}, 4, {range}})).error ==
          ErrorCode::inconsistent_group_protocol);
}

TEST_CASE("the last member to leave empties the group and nobody owns its partitions") {
    GroupRig rig;
    const auto [leader, follower] = stable_pair(rig);
    REQUIRE(rig.world.roles.at(role(Role::owner, 1)) == std::vector<NodeId>{{5}});

    const auto left = rig.call<LeaveGroupResponse>(
        LeaveGroupRequest{g, {ref(leader, 1), ref(follower, 1), ref({777}, 1)}});

    CHECK(left.members ==
          std::vector{ErrorCode::none, ErrorCode::none, ErrorCode::unknown_member_id});
    CHECK(rig.group()->state() == GroupState::empty);
    CHECK(rig.group()->generation() == Generation{2});
    CHECK(rig.world.roles.at(role(Role::owner, 0)).empty());
    CHECK(rig.world.roles.at(role(Role::owner, 1)).empty());
}

// A walk over everything that can happen to a group, in any order: what must hold after each step.
TEST_CASE("no sequence of events breaks the group's invariants or leaves a request unanswered") {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        CAPTURE(seed);
        GroupRig rig;
        rig.start();
        auto luck = sim::Rng::stream(seed, "walk");
        std::vector<MemberId> ids{{1}};
        std::set<std::uint32_t> numbers;
        std::int32_t generation = 0;
        std::int32_t epoch = 0;
        for (int step = 0; step < 120; ++step) {
            const auto what = luck.below(14);
            const auto id = ids[luck.below(ids.size())];
            const auto node = NodeId{static_cast<std::int32_t>(4 + luck.below(3))};
            const auto at = static_cast<std::int32_t>(generation - (luck.below(5) == 0 ? 1 : 0));
            rig.hold = luck.below(3) == 0;
            if (luck.below(6) == 0)
                rig.refuse = ErrorCode::not_enough_replicas;
            else
                rig.refuse.reset();
            if (what < 2) numbers.insert(rig.request(join_request({}), node));
            if (what == 2)
                numbers.insert(rig.request(
                    join_request({{}, static_cast<std::int32_t>(luck.below(2))}), node));
            // A request sent again replaces the parked one, whose connection is gone.
            const auto* known = rig.group() ? rig.group()->find(id) : nullptr;
            if (what >= 3 && what < 6 && !(known && known->join))
                numbers.insert(rig.request(join_request({id}), node));
            if (what >= 6 && what < 9 && !(known && known->sync))
                numbers.insert(rig.request(sync_request(id, at, {{id, {{0}}}}), node));
            if (what == 9) numbers.insert(rig.request(HeartbeatRequest{g, ref(id, at)}, node));
            if (what == 10) numbers.insert(rig.request(LeaveGroupRequest{g, {ref(id, at)}}, node));
            if (what == 11)
                numbers.insert(
                    rig.request(OffsetCommitRequest{g, ref(id, at), {{{0}, {step}, {}}}}, node));
            if (what == 12)
                rig.advance(sim::milliseconds(static_cast<std::int64_t>(luck.below(9000))));
            if (what == 13) rig.replicate();
            if (luck.below(60) == 0) rig.fail_over(++epoch);

            for (const auto& [number, message] : rig.answers)
                if (const auto* join = std::get_if<JoinGroupResponse>(&message))
                    if (join->member &&
                        std::find(ids.begin(), ids.end(), *join->member) == ids.end())
                        ids.push_back(*join->member);
            const auto* group = rig.group();
            if (!group) {
                generation = 0;
                continue;
            }
            generation = group->generation().value;
            std::set<std::uint64_t> distinct;
            std::set<std::int32_t> instances;
            for (const auto& m : group->members()) {
                CHECK(distinct.insert(m.id.value).second);
                if (m.instance) CHECK(instances.insert(m.instance->value).second);
                if (group->state() == GroupState::stable) CHECK_FALSE(m.sync);
                if (group->state() == GroupState::preparing_rebalance) CHECK_FALSE(m.sync);
                if (group->state() == GroupState::completing_rebalance) CHECK_FALSE(m.join);
            }
            // While newcomers gather or a pending one may come, the last member may have left.
            if (group->members().empty())
                CHECK((group->state() == GroupState::empty ||
                       group->state() == GroupState::preparing_rebalance));
            else
                CHECK(group->state() != GroupState::empty);
            if (!group->members().empty()) {
                REQUIRE(group->leader());
                CHECK(group->find(*group->leader()) != nullptr);
            }
        }
        rig.resign();
        for (const auto number : numbers) CHECK(rig.answered(number));
        for (const auto& [key, when] : rig.world.timers) CHECK(tick(key) == Tick::offsets_expiry);
    }
}

TEST_CASE("the leader hears what each member owns and since when, also after a fail-over") {
    GroupRig rig;
    const auto [leader, follower] = stable_pair(rig);
    auto keeping = join_request({.member = follower, .protocols = {AssignorKind::range}});
    keeping.owned = {{1}};
    keeping.owned_since = Generation{1};
    const auto owned_by_follower = [&](const JoinGroupResponse& answer) {
        for (const auto& m : answer.members)
            if (m.member == follower) return std::pair{m.owned, m.owned_since};
        return std::pair{std::vector<LogId>{}, std::optional<Generation>{}};
    };

    const auto joined = rig.request(join_request({leader}), {4});
    rig.request(keeping, {5});
    const auto told = owned_by_follower(rig.answer<JoinGroupResponse>(joined));
    rig.request(sync_request(follower, 2), {5});
    rig.request(sync_request(leader, 2, {{leader, {{0}}}, {follower, {{1}}}}), {4});
    rig.fail_over(1);

    CHECK(told == std::pair{std::vector<LogId>{{1}}, std::optional{Generation{1}}});
    CHECK(rig.group()->find(follower)->owned == std::vector<LogId>{{1}});
    CHECK(rig.group()->find(follower)->owned_since == Generation{1});
}
