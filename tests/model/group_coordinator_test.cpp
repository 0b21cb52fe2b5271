#include "model/group_coordinator.hpp"

#include <doctest/doctest.h>

#include "sim/state_hash.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

OffsetCommitRequest commit(const MemberRef& who, std::int32_t log, std::int64_t offset) {
    return {g, who, {{{log}, {offset}, {}}}};
}
OffsetFetchRequest fetch(std::int32_t log, bool stable = true) { return {g, {{log}}, stable}; }

/// One member, alone in generation 1, owner of logs 0 and 1.
MemberId sole_member(GroupRig& rig) {
    const auto id = *rig.call<JoinGroupResponse>(range_join()).member;
    const auto joined = rig.request(range_join(id));
    rig.advance(sim::seconds(3));
    REQUIRE(rig.answer<JoinGroupResponse>(joined).generation == Generation{1});
    const auto synced = rig.call<SyncGroupResponse>(
        SyncGroupRequest{g, ref(id, 1), AssignorKind::range, {{id, {{0}, {1}}}}});
    REQUIRE(synced.error == ErrorCode::none);
    return id;
}
ErrorCode commit_error(GroupRig& rig, const OffsetCommitRequest& request) {
    return rig.call<OffsetCommitResponse>(request).parts.at(0).error;
}
std::optional<Offset> committed(GroupRig& rig, std::int32_t log) {
    return rig.call<OffsetFetchResponse>(fetch(log)).parts.at(0).offset;
}

}  // namespace

TEST_CASE("a group becomes stable only when its record is replicated") {
    GroupRig rig;
    rig.start();
    const auto id = *rig.call<JoinGroupResponse>(range_join()).member;
    rig.request(range_join(id));
    rig.advance(sim::seconds(3));
    rig.hold = true;

    const auto synced = rig.request(SyncGroupRequest{g, ref(id, 1), {}, {{id, {{2}}}}}, {5});

    CHECK_FALSE(rig.answered(synced));
    CHECK(rig.group()->state() == GroupState::completing_rebalance);
    rig.replicate();
    CHECK(rig.answer<SyncGroupResponse>(synced).assignment == std::vector<LogId>{{2}});
    CHECK(rig.group()->state() == GroupState::stable);
    CHECK(rig.world.times(Mile::group_rebalanced) == 1);
    CHECK(rig.world.roles.at(role(Role::owner, 2)) == std::vector<NodeId>{{5}});
}

TEST_CASE("an assignment that cannot be written sends the members back to join") {
    GroupRig rig;
    rig.start();
    const auto id = *rig.call<JoinGroupResponse>(range_join()).member;
    rig.request(range_join(id));
    rig.advance(sim::seconds(3));
    rig.refuse = ErrorCode::not_enough_replicas;

    const auto synced =
        rig.call<SyncGroupResponse>(SyncGroupRequest{g, ref(id, 1), {}, {{id, {{2}}}}});

    CHECK(synced.error == ErrorCode::coordinator_not_available);
    CHECK(rig.group()->state() == GroupState::preparing_rebalance);
}

TEST_CASE("an offset commit is answered and readable only when it is replicated") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    rig.hold = true;

    const auto number = rig.request(commit(ref(id, 1), 0, 50));
    const auto stable = rig.request(fetch(0));
    const auto unstable = rig.call<OffsetFetchResponse>(fetch(0, false));

    CHECK_FALSE(rig.answered(number));
    CHECK_FALSE(rig.answered(stable));
    CHECK(unstable.parts.at(0).offset == std::nullopt);
    CHECK(rig.world.all<OffsetCommitted>().empty());
    rig.replicate();
    CHECK(rig.answer<OffsetCommitResponse>(number).parts.at(0).error == ErrorCode::none);
    CHECK(rig.answer<OffsetFetchResponse>(stable).parts.at(0).offset == Offset{50});
    REQUIRE(rig.world.all<OffsetCommitted>().size() == 1);
    CHECK(rig.world.all<OffsetCommitted>()[0].member == id);
}

TEST_CASE("a commit whose wait times out may still take effect") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    rig.hold = true;
    const auto number = rig.request(commit(ref(id, 1), 0, 50));
    const auto stable = rig.request(fetch(0));

    rig.advance(sim::seconds(5));

    CHECK(rig.answer<OffsetCommitResponse>(number).parts.at(0).error ==
          ErrorCode::coordinator_not_available);
    CHECK(rig.answer<OffsetFetchResponse>(stable).error == ErrorCode::not_coordinator);
    rig.replicate();
    rig.hold = false;
    CHECK(committed(rig, 0) == Offset{50});
}

TEST_CASE("a commit that the log refuses changes nothing and its error is mapped") {
    struct Row {
        ErrorCode log, client;
    };
    for (const auto& row :
         {Row{ErrorCode::not_enough_replicas, ErrorCode::coordinator_not_available},
          Row{ErrorCode::not_leader_or_follower, ErrorCode::not_coordinator},
          Row{ErrorCode::kafka_storage_error, ErrorCode::not_coordinator},
          Row{ErrorCode::message_too_large, ErrorCode::unknown_server_error}}) {
        GroupRig rig;
        rig.start();
        const auto id = sole_member(rig);
        REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 10)) == ErrorCode::none);
        rig.refuse = row.log;

        const auto error = commit_error(rig, commit(ref(id, 1), 0, 20));

        CHECK(error == row.client);
        CHECK(rig.world.times(Mile::offsets_refused) == 1);
        rig.refuse.reset();
        CHECK(committed(rig, 0) == Offset{10});
    }
}

TEST_CASE("the newest record in the log wins, not the one that was asked for last") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    GroupOutput out;
    Fx fx;
    const auto ctx = rig.world.context();
    rig.coordinator.on_request(ctx, {{4}, 2, 0, {90}}, commit(ref(id, 1), 0, 10), out, fx);
    rig.coordinator.on_request(ctx, {{4}, 2, 1, {91}}, commit(ref(id, 1), 0, 20), out, fx);
    REQUIRE(out.appends.size() == 2);

    rig.coordinator.appended(ctx, offsets_log, out.appends[1].token, {7}, out, fx);
    rig.coordinator.on_high_watermark(ctx, offsets_log, {8}, out, fx);
    rig.coordinator.appended(ctx, offsets_log, out.appends[0].token, {8}, out, fx);
    rig.coordinator.on_high_watermark(ctx, offsets_log, {9}, out, fx);

    CHECK(rig.coordinator.shard(offsets_log)->offsets().find(g, {0})->offset == Offset{10});
}

TEST_CASE("a coordinator that loads refuses everything but heartbeats") {
    GroupRig rig;
    rig.lead();

    CHECK(rig.call<OffsetFetchResponse>(fetch(0)).error == ErrorCode::coordinator_load_in_progress);
    CHECK(rig.call<JoinGroupResponse>(range_join()).error ==
          ErrorCode::coordinator_load_in_progress);
    CHECK(rig.call<HeartbeatResponse>(HeartbeatRequest{g, ref({1}, 1)}).error == ErrorCode::none);
}

TEST_CASE("a new epoch asks for a load only while the former one has not loaded") {
    GroupRig rig;
    const auto lead = [&](std::int32_t epoch) {
        Fx fx;
        return rig.coordinator.lead(rig.world.context(), offsets_log, {epoch}, fx);
    };

    CHECK(lead(0));
    CHECK(lead(1));
    rig.load();
    CHECK_FALSE(lead(2));
    CHECK(rig.coordinator.shard(offsets_log)->epoch() == LeaderEpoch{2});
}

TEST_CASE("a broker that does not lead the group's log is not its coordinator") {
    GroupRig rig;

    CHECK(rig.call<OffsetFetchResponse>(fetch(0)).error == ErrorCode::not_coordinator);
    CHECK(rig.call<HeartbeatResponse>(HeartbeatRequest{g, ref({1}, 1)}).error ==
          ErrorCode::not_coordinator);
}

TEST_CASE("a successor knows the generation and the offsets of its predecessor") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 50)) == ErrorCode::none);

    rig.fail_over(1);

    CHECK(rig.group()->state() == GroupState::stable);
    CHECK(commit_error(rig, commit(ref(id, 1), 1, 60)) == ErrorCode::none);
    CHECK(committed(rig, 0) == Offset{50});
    CHECK(rig.call<HeartbeatResponse>(HeartbeatRequest{g, ref(id, 1)}).error == ErrorCode::none);
    CHECK(rig.world.times(Mile::coordinator_unloaded) == 1);
    CHECK(rig.world.times(Mile::coordinator_loaded) == 2);
}

TEST_CASE("sessions start anew after a fail-over, at full length") {
    GroupRig rig;
    rig.start();
    sole_member(rig);
    rig.advance(sim::seconds(9));

    rig.fail_over(1);

    rig.advance(sim::milliseconds(9999));
    CHECK(rig.group()->members().size() == 1);
    rig.advance(sim::milliseconds(1));
    CHECK(rig.group()->members().empty());
    CHECK(rig.world.times(Mile::group_member_expired) == 1);
}

TEST_CASE("an offset above the high watermark is not readable after a load until that passes it") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 10)) == ErrorCode::none);
    rig.hold = true;
    rig.request(commit(ref(id, 1), 0, 20));

    rig.fail_over(1);

    CHECK(rig.call<OffsetFetchResponse>(fetch(0, false)).parts.at(0).offset == Offset{10});
    const auto stable = rig.request(fetch(0));
    CHECK_FALSE(rig.answered(stable));
    rig.replicate();
    CHECK(rig.answer<OffsetFetchResponse>(stable).parts.at(0).offset == Offset{20});
    CHECK(rig.world.all<OffsetCommitted>().back().loaded);
}

TEST_CASE("a coordinator that resigns answers everything that waits") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    rig.hold = true;
    const auto commit_number = rig.request(commit(ref(id, 1), 0, 50));
    const auto fetch_number = rig.request(fetch(0));
    const auto join_number = rig.request(range_join(id));

    rig.resign();

    CHECK(rig.answer<OffsetCommitResponse>(commit_number).parts.at(0).error ==
          ErrorCode::not_coordinator);
    CHECK(rig.answer<OffsetFetchResponse>(fetch_number).error == ErrorCode::not_coordinator);
    // The join of the only member completed at once, so nothing of it is left to answer.
    CHECK(rig.answer<JoinGroupResponse>(join_number).generation == Generation{2});
    std::vector<sim::TimerKey> left;
    for (const auto& [key, when] : rig.world.timers)
        if (tick(key) != Tick::offsets_expiry) left.push_back(key);
    CHECK(left.empty());
}

TEST_CASE("a commit of an older generation is refused") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);

    CHECK(commit_error(rig, commit(ref(id, 0), 0, 5)) == ErrorCode::illegal_generation);
    CHECK(commit_error(rig, commit(ref({12345}, 1), 0, 5)) == ErrorCode::unknown_member_id);
    CHECK(commit_error(rig, commit({}, 0, 5)) == ErrorCode::unknown_member_id);
    CHECK(committed(rig, 0) == std::nullopt);
    CHECK(rig.world.times(Mile::group_member_fenced) == 3);
}

TEST_CASE("without generation fencing a zombie's commit is accepted, and that leaves a milestone") {
    ClusterConfig config;
    config.safeguards.remove(Safeguard::generation_fencing);
    GroupRig rig(config);
    rig.start();
    const auto id = sole_member(rig);
    const sim::MilestoneKind spared{static_cast<std::uint16_t>(
        static_cast<int>(Mile::safeguard_first) + static_cast<int>(Safeguard::generation_fencing))};
    const auto seen = [&] {
        return std::count_if(rig.world.reached.begin(), rig.world.reached.end(),
                             [&](const auto& r) { return r.kind == spared; });
    };
    REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 9)) == ErrorCode::none);
    REQUIRE(seen() == 0);

    const auto error = commit_error(rig, commit(ref(id, 0), 0, 5));

    CHECK(error == ErrorCode::none);
    CHECK(committed(rig, 0) == Offset{5});
    CHECK(seen() == 1);
}

TEST_CASE("without load before serving an offset fetch during the load finds nothing") {
    ClusterConfig config;
    config.safeguards.remove(Safeguard::offsets_load_before_serving);
    GroupRig rig(config);
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 50)) == ErrorCode::none);
    rig.resign();
    rig.lead(1);

    const auto early = rig.call<OffsetFetchResponse>(fetch(0));
    rig.load();

    CHECK(early.error == ErrorCode::none);
    CHECK(early.parts.at(0).offset == std::nullopt);
    CHECK(committed(rig, 0) == Offset{50});
}

TEST_CASE("a member that comes during the load is served only without load before serving") {
    for (const bool waits : {true, false}) {
        CAPTURE(waits);
        ClusterConfig config;
        if (!waits) config.safeguards.remove(Safeguard::offsets_load_before_serving);
        GroupRig rig(config);
        rig.start();
        const auto old = sole_member(rig);
        REQUIRE(commit_error(rig, commit(ref(old, 1), 0, 50)) == ErrorCode::none);
        rig.resign();
        rig.lead(1);

        const auto first = rig.call<JoinGroupResponse>(range_join());

        if (waits) {
            CHECK(first.error == ErrorCode::coordinator_load_in_progress);
            rig.load();
            CHECK(committed(rig, 0) == Offset{50});
            continue;
        }
        const auto joined = rig.request(range_join(first.member));
        rig.advance(sim::seconds(3));
        REQUIRE(rig.answered(joined));
        const auto id = *first.member;
        const auto synced = rig.call<SyncGroupResponse>(
            SyncGroupRequest{g, ref(id, 1), AssignorKind::range, {{id, {{0}}}}});
        CHECK(synced.error == ErrorCode::none);
        CHECK(committed(rig, 0) == std::nullopt);  // so it resets, and commits what it gets to
        CHECK(commit_error(rig, commit(ref(*first.member, 1), 0, 7)) == ErrorCode::none);
        rig.load();
        CHECK(committed(rig, 0) == Offset{7});
    }
}

TEST_CASE("an offset expires a retention after its group became empty, and the group with it") {
    ClusterConfig config;
    config.offsets_retention = sim::seconds(100);
    config.offsets_retention_check = sim::seconds(10);
    GroupRig rig(config);
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 50)) == ErrorCode::none);
    rig.request(LeaveGroupRequest{g, {ref(id, 1)}});

    rig.advance(sim::seconds(95));
    CHECK(committed(rig, 0) == Offset{50});
    rig.advance(sim::seconds(20));

    CHECK(committed(rig, 0) == std::nullopt);
    CHECK(rig.group() == nullptr);
    CHECK(rig.world.times(Mile::offsets_expired) == 1);
    rig.fail_over(1);
    CHECK(rig.group() == nullptr);
}

TEST_CASE("no offset of a subscribed topic expires while its group lives") {
    ClusterConfig config;
    config.offsets_retention = sim::seconds(1);
    GroupRig rig(config);
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 50)) == ErrorCode::none);
    REQUIRE(commit_error(rig, commit(ref(id, 1), 4, 60)) == ErrorCode::none);

    rig.order(Ask::expire_offsets, told({{Fact::group, 0}}));

    CHECK(committed(rig, 0) == Offset{50});
    CHECK(committed(rig, 4) == std::nullopt);
}

TEST_CASE("an operator can rebalance a group, expel a member and move offsets of an empty group") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);

    rig.order(Ask::reset_offsets, told({{Fact::group, 0}, {Fact::log, 0}, {Fact::offset, 3}}));
    CHECK(committed(rig, 0) == std::nullopt);
    CHECK(rig.world.times(Mile::offsets_refused) == 1);

    rig.order(Ask::rebalance, told({{Fact::group, 0}}));
    CHECK(rig.call<HeartbeatResponse>(HeartbeatRequest{g, ref(id, 1)}).error ==
          ErrorCode::rebalance_in_progress);

    rig.order(Ask::kick, told({{Fact::group, 0}, {Fact::node, 4}}));
    CHECK(rig.call<HeartbeatResponse>(HeartbeatRequest{g, ref(id, 1)}).error ==
          ErrorCode::unknown_member_id);
    CHECK(rig.group()->state() == GroupState::empty);
    CHECK(rig.world.roles.at(role(Role::owner, 0)).empty());

    rig.order(Ask::reset_offsets, told({{Fact::group, 0}, {Fact::log, 0}, {Fact::offset, 3}}));
    CHECK(committed(rig, 0) == Offset{3});
}

TEST_CASE("a commit without a member creates a simple group; one with a generation does not") {
    GroupRig rig;
    rig.start();

    CHECK(commit_error(rig, commit(ref({1}, 4), 0, 5)) == ErrorCode::group_id_not_found);
    CHECK(commit_error(rig, commit({}, 0, 7)) == ErrorCode::none);
    CHECK(committed(rig, 0) == Offset{7});
    CHECK(rig.group()->simple());
}

TEST_CASE("a session timeout outside the broker's bounds is refused") {
    GroupRig rig;
    rig.start();
    auto request = range_join();
    request.session_timeout = sim::milliseconds(5999);

    CHECK(rig.call<JoinGroupResponse>(request).error == ErrorCode::invalid_session_timeout);
}

TEST_CASE("the audit tells every group with its replicated offsets") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(commit_error(rig, commit(ref(id, 1), 0, 50)) == ErrorCode::none);

    Fx fx;
    rig.coordinator.audit(rig.world.context(), fx);
    rig.world.seen.clear();
    rig.world.take(fx);

    const auto audits = rig.world.all<GroupAudit>();
    REQUIRE(audits.size() == 1);
    CHECK(audits[0].stable);
    CHECK(audits[0].members == 1);
    REQUIRE(audits[0].offsets.size() == 1);
    CHECK(audits[0].offsets[0].offset == Offset{50});
}

TEST_CASE("the same step on a copy gives the same state and the same answers") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    rig.hold = true;
    rig.request(commit(ref(id, 1), 0, 50));
    GroupRig copy = rig;
    REQUIRE(copy.coordinator == rig.coordinator);

    rig.request(range_join());
    copy.request(range_join());
    rig.replicate();
    copy.replicate();

    CHECK(copy.coordinator == rig.coordinator);
    CHECK(sim::state_hash(copy.coordinator) == sim::state_hash(rig.coordinator));
    CHECK(copy.answers == rig.answers);
    rig.advance(sim::seconds(10));
    CHECK(sim::state_hash(copy.coordinator) != sim::state_hash(rig.coordinator));
}
