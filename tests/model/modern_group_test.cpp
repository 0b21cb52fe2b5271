#include "model/modern_group.hpp"

#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "sim/rng.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

constexpr TopicId t{0};
constexpr MemberId m1{101};
constexpr MemberId m2{102};
using Logs = std::vector<LogId>;

ConsumerGroupHeartbeatRequest join_request(MemberId member,
                                           std::optional<GroupInstanceId> instance = {}) {
    ConsumerGroupHeartbeatRequest request;
    request.group = g;
    request.member = member;
    request.instance = instance;
    request.rebalance_timeout = sim::seconds(60);
    request.subscription = {t};
    request.owned.emplace();
    return request;
}
ConsumerGroupHeartbeatRequest beat(MemberId member, std::int32_t epoch,
                                   std::optional<Logs> owned = {}) {
    ConsumerGroupHeartbeatRequest request;
    request.group = g;
    request.member = member;
    request.member_epoch = epoch;
    request.owned = std::move(owned);
    return request;
}
ConsumerGroupHeartbeatResponse call(GroupRig& rig, const ConsumerGroupHeartbeatRequest& request) {
    return rig.call<ConsumerGroupHeartbeatResponse>(request);
}
ErrorCode commit_error(GroupRig& rig, const MemberRef& member) {
    return rig.call<OffsetCommitResponse>(OffsetCommitRequest{g, member, {{{0}, {5}, {}}}})
        .parts.at(0)
        .error;
}

}  // namespace

TEST_CASE("a member's first heartbeat brings all partitions, once it is replicated") {
    GroupRig rig;
    rig.start();
    rig.hold = true;

    const auto number = rig.request(join_request(m1));
    const bool early = rig.answered(number);
    rig.replicate();

    CHECK(!early);
    const auto answer = rig.answer<ConsumerGroupHeartbeatResponse>(number);
    CHECK(answer.error == ErrorCode::none);
    CHECK(answer.member_epoch == 1);
    CHECK(answer.assignment == Logs{{0}, {1}, {2}, {3}});
    CHECK(rig.modern()->state() == ModernGroupState::stable);
    CHECK(rig.world.times(Mile::group_joined) == 1);
    CHECK(rig.world.times(Mile::group_rebalanced) == 1);
}

TEST_CASE("a heartbeat that changes nothing waits for the writes before it") {
    GroupRig rig;
    rig.start();
    (void)call(rig, join_request(m1));
    rig.hold = true;
    (void)rig.request(OffsetCommitRequest{g, ref(m1, 1), {{{0}, {5}, {}}}});

    const auto number = rig.request(beat(m1, 1));
    const bool early = rig.answered(number);
    rig.replicate();

    CHECK(!early);
    CHECK(rig.answer<ConsumerGroupHeartbeatResponse>(number).member_epoch == 1);
}

TEST_CASE("a partition is granted only when its owner has given it up") {
    GroupRig rig;
    rig.start();
    (void)call(rig, join_request(m1));

    const auto newcomer = call(rig, join_request(m2));
    const auto told = call(rig, beat(m1, 1));
    const auto waiting = call(rig, beat(m2, 2));
    const auto released = call(rig, beat(m1, 1, told.assignment));
    const auto granted = call(rig, beat(m2, 2));

    CHECK(newcomer.assignment == Logs{});
    REQUIRE(told.assignment);
    CHECK(told.assignment->size() == 2);
    CHECK(told.member_epoch == 1);
    CHECK(!waiting.assignment);
    CHECK(released.member_epoch == 2);
    REQUIRE(granted.assignment);
    CHECK(granted.assignment->size() == 2);
    CHECK(rig.modern()->state() == ModernGroupState::stable);
}

TEST_CASE("a member that is still known may start over (KAFKA-19233)") {
    for (const bool guarded : {true, false}) {
        CAPTURE(guarded);
        ClusterConfig config;
        if (!guarded) config.safeguards.remove(Safeguard::fenced_member_rejoins);
        GroupRig rig(config);
        rig.start();
        (void)call(rig, join_request(m1));
        (void)call(rig, join_request(m2));
        const auto told = call(rig, beat(m1, 1));
        const auto lost = call(rig, beat(m1, 1, told.assignment));
        (void)call(rig, beat(m2, leave_epoch));
        const auto lost_too = call(rig, beat(m1, 2));

        const auto late = call(rig, beat(m1, 1));
        const auto again = call(rig, join_request(m1));

        CHECK(lost.member_epoch == 2);
        CHECK(lost_too.member_epoch == 3);
        CHECK(late.error == ErrorCode::fenced_member_epoch);
        CHECK(again.error == (guarded ? ErrorCode::none : ErrorCode::fenced_member_epoch));
        if (guarded) {
            CHECK(again.member_epoch == 3);
            CHECK(again.assignment == Logs{{0}, {1}, {2}, {3}});
        }
    }
}

TEST_CASE("a partition given back before it was given up has one owner (KAFKA-16147)") {
    for (const bool guarded : {true, false}) {
        ClusterConfig config;
        if (!guarded) config.safeguards.remove(Safeguard::revoking_keeps_owner);
        GroupRig rig(config);
        rig.start();
        (void)call(rig, join_request(m1));
        (void)call(rig, join_request(m2));
        const auto told = call(rig, beat(m1, 1));
        (void)call(rig, beat(m2, leave_epoch));

        const auto back = call(rig, beat(m1, 1));
        (void)call(rig, join_request(m2));
        const auto granted = call(rig, beat(m2, rig.modern()->epoch().value));

        REQUIRE(told.assignment);
        CHECK(back.assignment.has_value() != guarded);
        CHECK(ModernGroup::owned_twice(rig.modern()->record()).has_value() != guarded);
        if (guarded) CHECK_FALSE(granted.assignment);
    }
}

TEST_CASE("whatever members do, no partition has two owners and no member's epoch falls") {
    GroupRig rig;
    rig.start();
    sim::Rng rng(11);
    std::map<MemberId, std::pair<std::int32_t, Logs>> clients;  // epoch and what it owns
    std::map<MemberId, Generation> known;
    std::int32_t granted = 0;
    for (std::int32_t i = 0; i < 3000; ++i) {
        const MemberId id{100 + rng.below(4)};
        const auto what = rng.below(10);
        const auto found = clients.find(id);
        if (found == clients.end()) {
            const auto answer = call(rig, join_request(id));
            if (answer.error == ErrorCode::none)
                clients[id] = {answer.member_epoch, answer.assignment.value_or(Logs{})};
        } else if (what == 0) {
            (void)call(rig, beat(id, leave_epoch));
            clients.erase(found);
        } else if (what == 1) {
            clients.erase(found);  // it forgets everything and will come back
        } else {
            const bool tells = what < 7;
            auto& [epoch, owned] = found->second;
            const auto answer =
                call(rig, beat(id, epoch, tells ? std::optional(owned) : std::nullopt));
            if (answer.error != ErrorCode::none) {
                clients.erase(found);
            } else {
                epoch = answer.member_epoch;
                if (answer.assignment) owned = *answer.assignment;
                granted += answer.assignment && !owned.empty() ? 1 : 0;
            }
        }
        rig.advance(sim::seconds(1));

        REQUIRE(!ModernGroup::owned_twice(rig.modern()->record()));
        std::map<MemberId, Generation> now;
        for (const auto& m : rig.modern()->members()) {
            now[m.member] = m.epoch;
            const auto before = known.find(m.member);
            if (before != known.end() && m.epoch.value > 0) REQUIRE(m.epoch >= before->second);
            REQUIRE(m.epoch <= rig.modern()->epoch());
        }
        // A member that left in between starts anew.
        for (auto k = known.begin(); k != known.end();)
            k = now.contains(k->first) ? std::next(k) : known.erase(k);
        known = now;
    }
    CHECK(granted > 100);
}

TEST_CASE("a failed write takes the group back to what it was, timers and all") {
    GroupRig rig;
    rig.start();
    (void)call(rig, join_request(m1));
    const auto before = rig.modern()->record();
    rig.refuse = ErrorCode::not_enough_replicas;

    const auto answer = call(rig, join_request(m2));

    CHECK(answer.error == ErrorCode::coordinator_not_available);
    CHECK(rig.modern()->record() == before);
    rig.refuse.reset();
    rig.advance(sim::seconds(46));
    CHECK(rig.modern()->members().empty());
    CHECK(rig.world.times(Mile::group_member_expired) == 1);
}

TEST_CASE("a successor knows members, targets and what is being given up") {
    GroupRig rig;
    rig.start();
    (void)call(rig, join_request(m1));
    (void)call(rig, join_request(m2));
    (void)call(rig, beat(m1, 1));
    const auto before = rig.modern()->record();

    rig.fail_over(1);
    const auto same = rig.modern()->record() == before;
    for (std::int32_t i = 0; i < 3; ++i) {
        (void)call(rig, beat(m2, 2));
        rig.advance(sim::seconds(20));
    }
    (void)call(rig, beat(m2, 2));

    CHECK(same);
    // m1 has neither spoken nor given anything up: its session ended first.
    CHECK(!rig.modern()->find(m1));
    CHECK(rig.modern()->find(m2)->assigned == Logs{{0}, {1}, {2}, {3}});
}

TEST_CASE("a member that gives nothing up is removed after its rebalance timeout") {
    GroupRig rig;
    rig.start();
    auto slow = join_request(m1);
    slow.rebalance_timeout = sim::seconds(10);
    (void)call(rig, slow);
    (void)call(rig, join_request(m2));
    (void)call(rig, beat(m1, 1));

    rig.advance(sim::seconds(9));
    (void)call(rig, beat(m1, 1));
    const bool still = rig.modern()->find(m1);
    rig.advance(sim::seconds(2));

    CHECK(still);
    CHECK(!rig.modern()->find(m1));
    CHECK(call(rig, beat(m1, 1)).error == ErrorCode::unknown_member_id);
}

TEST_CASE("offsets are taken at the member's present epoch only (G21, G27)") {
    GroupRig rig;
    rig.start();
    (void)call(rig, join_request(m1));

    CHECK(commit_error(rig, ref(m1, 1)) == ErrorCode::none);
    CHECK(commit_error(rig, ref(m1, 0)) == ErrorCode::stale_member_epoch);
    CHECK(commit_error(rig, ref(m2, 1)) == ErrorCode::unknown_member_id);
    CHECK(commit_error(rig, {}) == ErrorCode::unknown_member_id);
    TxnOffsetCommitRequest transactional;
    transactional.group = g;
    transactional.member = ref(m1, 0);
    transactional.parts = {{{0}, {5}, {}}};
    CHECK(rig.call<TxnOffsetCommitResponse>(transactional).parts.at(0).error ==
          ErrorCode::illegal_generation);
    OffsetFetchRequest fetch{g, {{0}}, true};
    fetch.member = m1;
    fetch.member_epoch = 0;
    CHECK(rig.call<OffsetFetchResponse>(fetch).error == ErrorCode::stale_member_epoch);
    fetch.member_epoch = 1;
    CHECK(rig.call<OffsetFetchResponse>(fetch).parts.at(0).offset == Offset{5});
}

TEST_CASE("without generation fencing a stale epoch's commit is accepted") {
    ClusterConfig config;
    config.safeguards.remove(Safeguard::generation_fencing);
    GroupRig rig(config);
    rig.start();
    (void)call(rig, join_request(m1));

    CHECK(commit_error(rig, ref(m1, 0)) == ErrorCode::none);
}

TEST_CASE("a static member that is away keeps its partitions, one that is present keeps its name") {
    GroupRig rig;
    rig.start();
    const GroupInstanceId name{1};
    const auto first = call(rig, join_request(m1, name));
    const auto rival = call(rig, join_request(m2, name));
    auto leaving = beat(m1, leave_for_now_epoch);
    leaving.instance = name;
    const auto left = call(rig, leaving);

    const auto back = call(rig, join_request(m2, name));

    CHECK(rival.error == ErrorCode::unreleased_instance_id);
    CHECK(left.member_epoch == leave_for_now_epoch);
    CHECK(back.assignment == first.assignment);
    CHECK(back.member_epoch == 1);
    CHECK(rig.modern()->epoch() == Generation{1});
    CHECK(!rig.modern()->find(m1));
}

TEST_CASE("a group that nobody is in changes its protocol, and keeps its offsets") {
    GroupRig rig;
    rig.start();
    JoinGroupRequest classic;
    classic.group = g;
    classic.session_timeout = sim::seconds(10);
    classic.rebalance_timeout = sim::seconds(60);
    classic.protocols = {AssignorKind::range};
    (void)call(rig, join_request(m1));
    REQUIRE(commit_error(rig, ref(m1, 1)) == ErrorCode::none);

    (void)call(rig, beat(m1, leave_epoch));
    const auto invited = rig.call<JoinGroupResponse>(classic).error;
    const bool was_classic = rig.group() && !rig.modern();
    const auto late = call(rig, join_request(m2)).error;

    CHECK(invited == ErrorCode::member_id_required);
    CHECK(was_classic);
    CHECK(late == ErrorCode::none);
    CHECK(!rig.group());
    CHECK(rig.modern());
    CHECK(rig.world.times(Mile::group_upgraded) == 0);
    CHECK(rig.call<OffsetFetchResponse>(OffsetFetchRequest{g, {{0}}, true}).parts.at(0).offset ==
          Offset{5});
}

TEST_CASE("offsets of a modern group expire by topic, and the empty group with the last") {
    GroupRig rig;
    rig.start();
    (void)call(rig, join_request(m1));
    REQUIRE(commit_error(rig, ref(m1, 1)) == ErrorCode::none);

    rig.order(Ask::expire_offsets, told({{Fact::group, 0}}));
    const bool kept = rig.coordinator.shard(offsets_log)->offsets().any(g);
    (void)call(rig, beat(m1, leave_epoch));
    rig.order(Ask::expire_offsets, told({{Fact::group, 0}}));

    CHECK(kept);
    CHECK(!rig.coordinator.shard(offsets_log)->offsets().any(g));
    CHECK(!rig.modern());
    rig.fail_over(1);
    CHECK(!rig.modern());
}

TEST_CASE("an operator can expel a member of a modern group and make it assign anew") {
    GroupRig rig;
    rig.start();
    (void)call(rig, join_request(m1));
    rig.order(Ask::rebalance, told({{Fact::group, 0}}));
    const auto state = rig.modern()->state();
    const auto answer = call(rig, beat(m1, 1));

    rig.order(Ask::kick, told({{Fact::group, 0}, {Fact::node, 4}}));

    CHECK(state == ModernGroupState::assigning);
    CHECK(answer.member_epoch == 2);
    CHECK(rig.modern()->members().empty());
}
