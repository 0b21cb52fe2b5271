#include <doctest/doctest.h>

#include "model/consumer.hpp"
#include "tests/model/consumer_rig.hpp"

using namespace eos::model;
using Rig = eos::model::test::ConsumerRig;
namespace sim = eos::sim;

namespace {

constexpr LogId log0{0};
constexpr MemberId me{5};
constexpr MemberId other{6};

/// Owns log 0, has read it up to offset 10; nothing is committed yet.
Rig member_at_ten(ConsumerConfig config) {
    Rig rig(std::move(config));
    rig.become_stable(Generation{3}, me, {log0});
    rig.answer_committed(Offset{0});
    rig.poll_on();
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 10)});
    rig.poll();
    rig.events.clear();
    rig.sent.clear();
    return rig;
}
ConsumerConfig auto_committing() {
    auto config = Rig::config();
    config.auto_commit = true;
    return config;
}
template <class Request>
int sent(const Rig& rig) {
    return static_cast<int>(std::count_if(
        rig.sent.begin(), rig.sent.end(),
        [](const Message& message) { return std::holds_alternative<Request>(message); }));
}
std::int32_t commit(Rig& rig, bool sync) {
    return rig.step([&](Consumer& c, const Context& ctx, Fx& fx) {
        return sync ? c.commit_sync(ctx, {{log0, {10}, {}}}, fx)
                    : c.commit_async(ctx, {{log0, {10}, {}}}, fx);
    });
}

}  // namespace

TEST_CASE("the member named leader assigns the partitions of all members") {
    Rig rig(Rig::config(), 3);
    rig.answer_lookups = true;
    rig.subscribe();
    rig.poll(seconds(10));

    rig.answer_join(Generation{1}, me, me,
                    {{me, {}, {Rig::topic}, {}}, {other, {}, {Rig::topic}, {}}});

    REQUIRE(rig.waiting<SyncGroupRequest>());
    const auto shares = rig.waiting<SyncGroupRequest>()->assignments;
    REQUIRE(shares.size() == 2);
    CHECK(shares[0].logs.size() + shares[1].logs.size() == 3);
    rig.answer_sync(shares[0].logs);
    CHECK(rig.consumer.assignment() == shares[0].logs);
    CHECK(rig.reached(Mile::group_assigned) == static_cast<int>(shares[0].logs.size()));
    REQUIRE(rig.told<Assigned>().size() == 1);
    CHECK(rig.told<Assigned>()[0].generation == Generation{1});
}

TEST_CASE("a newcomer takes the member id it is given and joins again at once") {
    Rig rig(Rig::config());
    rig.answer_lookups = true;
    rig.subscribe();
    rig.poll(seconds(10));
    CHECK_FALSE(rig.waiting<JoinGroupRequest>()->member);

    rig.answer_join(ErrorCode::member_id_required, me);

    REQUIRE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.waiting<JoinGroupRequest>()->member == me);
}

TEST_CASE("auto-commit commits what earlier polls returned and not what this one returns") {
    Rig rig = member_at_ten(auto_committing());
    rig.answer_fetch({Rig::data(log0, Offset{10}, Offset{10}, 5)});
    rig.advance(seconds(5));
    CHECK(sent<OffsetCommitRequest>(rig) == 0);

    rig.poll(seconds(1));

    REQUIRE(rig.waiting<OffsetCommitRequest>());
    CHECK(rig.waiting<OffsetCommitRequest>()->parts.at(0).offset == Offset{10});
    CHECK(rig.consumer.position(log0) == Offset{15});
    rig.poll(seconds(1));
    CHECK(sent<OffsetCommitRequest>(rig) == 1);
}

TEST_CASE("an eager rejoin commits first, then gives everything up, then joins") {
    Rig rig = member_at_ten(auto_committing());
    rig.advance(seconds(3));
    rig.answer_beat(ErrorCode::rebalance_in_progress);
    CHECK(sent<JoinGroupRequest>(rig) == 0);

    rig.poll(seconds(1));
    REQUIRE(rig.waiting<OffsetCommitRequest>());
    CHECK(rig.waiting<OffsetCommitRequest>()->member.generation == Generation{3});
    CHECK(rig.taken<consumer_event::PartitionsRevoked>().empty());
    rig.answer_commit(ErrorCode::none);

    const auto revoked = rig.taken<consumer_event::PartitionsRevoked>();
    REQUIRE(revoked.size() == 1);
    CHECK_FALSE(revoked[0].lost);
    REQUIRE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.consumer.assignment().empty());
    CHECK(rig.reached(Mile::group_revoked) == 1);
}

TEST_CASE("no records are returned while the commit before a rejoin is awaited") {
    Rig rig = member_at_ten(auto_committing());
    rig.answer_fetch({Rig::data(log0, Offset{10}, Offset{10}, 5)});
    rig.advance(seconds(3));
    rig.answer_beat(ErrorCode::rebalance_in_progress);

    rig.poll();

    CHECK(rig.taken<consumer_event::PollReturned>().at(0).chunks.empty());
    CHECK(rig.waiting<OffsetCommitRequest>()->parts.at(0).offset == Offset{10});
}

TEST_CASE("a stalled application keeps its session by heartbeats until max.poll.interval") {
    Rig rig = member_at_ten(Rig::config());
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.stall(ctx, true, fx); });

    for (int s = 0; s < 299; ++s) {
        rig.advance(seconds(1));
        while (rig.waiting<HeartbeatRequest>()) rig.answer_beat(ErrorCode::none);
    }
    CHECK(sent<HeartbeatRequest>(rig) >= 99);
    CHECK(sent<LeaveGroupRequest>(rig) == 0);
    rig.advance(seconds(1));

    CHECK(sent<LeaveGroupRequest>(rig) == 1);
    // M6: nobody tells the application before its next poll.
    CHECK(rig.consumer.assignment() == std::vector{log0});
    CHECK(rig.taken<consumer_event::PartitionsRevoked>().empty());
}

TEST_CASE("a static member whose application stalls does not leave but stops heartbeating") {
    auto config = Rig::config();
    config.instance = GroupInstanceId{1};
    Rig rig = member_at_ten(config);
    for (int s = 0; s < 300; ++s) {
        rig.advance(seconds(1));
        while (rig.waiting<HeartbeatRequest>()) rig.answer_beat(ErrorCode::none);
    }
    rig.sent.clear();

    rig.advance(seconds(60));

    CHECK(sent<LeaveGroupRequest>(rig) == 0);
    CHECK(sent<HeartbeatRequest>(rig) == 0);
    CHECK(rig.consumer.member().state() == MemberState::unjoined);
}

TEST_CASE("commit_sync repeats retriable errors and says unknown when its time is over") {
    auto config = Rig::config();
    config.default_api_timeout = seconds(5);
    Rig rig = member_at_ten(config);

    commit(rig, true);
    for (int i = 0; i < 50; ++i) {
        while (rig.waiting<OffsetCommitRequest>())
            rig.answer_commit(ErrorCode::coordinator_load_in_progress);
        while (rig.waiting<HeartbeatRequest>()) rig.answer_beat(ErrorCode::none);
        rig.advance(milliseconds(100));
    }

    CHECK(sent<OffsetCommitRequest>(rig) > 3);
    const auto done = rig.taken<consumer_event::CommitDone>();
    REQUIRE(done.size() == 1);
    CHECK(done[0].result == CallResult::timed_out);
    CHECK(certainty(rig.told<CommitReturned>().at(0).error) == Certainty::ambiguous);
}

TEST_CASE("commit_async is tried once") {
    Rig rig = member_at_ten(Rig::config());

    const auto number = commit(rig, false);
    rig.answer_commit(ErrorCode::coordinator_load_in_progress);
    rig.advance(seconds(2));

    CHECK(sent<OffsetCommitRequest>(rig) == 1);
    const auto done = rig.taken<consumer_event::CommitDone>();
    REQUIRE(done.size() == 1);
    CHECK(done[0].call == number);
    CHECK(done[0].async);
    CHECK(done[0].result == CallResult::retriable_commit_failed);
}

TEST_CASE("a commit of a member that was thrown out fails without a request") {
    Rig rig = member_at_ten(Rig::config());
    rig.advance(seconds(3));
    rig.answer_beat(ErrorCode::unknown_member_id);

    commit(rig, true);

    CHECK(sent<OffsetCommitRequest>(rig) == 0);
    CHECK(rig.taken<consumer_event::CommitDone>().at(0).result == CallResult::commit_failed);
    CHECK(rig.consumer.group_metadata().member == me);  // O15
    CHECK(rig.consumer.group_metadata().generation == Generation{3});
}

TEST_CASE("losing the coordinator's connection fails the commit on it and looks it up again") {
    Rig rig = member_at_ten(Rig::config());
    rig.answer_lookups = false;
    commit(rig, true);
    REQUIRE(rig.waiting<OffsetCommitRequest>());

    rig.disconnect({{1}, Consumer::coordinator_lane});
    CHECK_FALSE(rig.consumer.coordinator_known());
    rig.advance(seconds(1));
    REQUIRE(rig.waiting<FindCoordinatorRequest>());
    // The fetch that is parked on the same connection comes first (N2).
    while (rig.waiting<FetchRequest>()) rig.answer_fetch({});
    rig.answer<FindCoordinatorRequest>(FindCoordinatorResponse{Rig::group, ErrorCode::none, {2}});

    REQUIRE(rig.waiting<OffsetCommitRequest>());
    CHECK(rig.requests.back().peer == sim::Peer{{2}, Consumer::coordinator_lane});
    rig.answer_commit(ErrorCode::none);
    CHECK(rig.taken<consumer_event::CommitDone>().at(0).result == CallResult::ok);
}

TEST_CASE("without a good heartbeat answer for a session the coordinator is given up") {
    Rig rig = member_at_ten(Rig::config());

    rig.advance(seconds(29));
    CHECK(rig.consumer.coordinator_known());
    rig.answer_lookups = false;
    rig.advance(seconds(16));

    CHECK_FALSE(rig.consumer.coordinator_known());
    CHECK(rig.consumer.member().state() == MemberState::stable);
    CHECK(rig.consumer.member().identity().member == me);
}

TEST_CASE("close commits the positions, leaves the group and keeps no timer") {
    Rig rig = member_at_ten(auto_committing());

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.close(ctx, fx); });
    CHECK(rig.waiting<LeaveGroupRequest>() == nullptr);
    CHECK(rig.waiting<OffsetCommitRequest>()->parts.at(0).offset == Offset{10});
    rig.answer_commit(ErrorCode::none);
    CHECK(rig.taken<consumer_event::PartitionsRevoked>().size() == 1);
    CHECK(rig.waiting<LeaveGroupRequest>()->members.at(0).member == me);
    rig.answer<LeaveGroupRequest>(LeaveGroupResponse{Rig::group, ErrorCode::none, {}});

    CHECK(rig.taken<consumer_event::Closed>().size() == 1);
    CHECK_FALSE(rig.timers.contains(key(Tick::consumer_poll)));
    CHECK_FALSE(rig.timers.contains(key(Tick::heartbeat)));
    CHECK_FALSE(rig.consumer.call_open());
}

TEST_CASE("close gives up waiting for a coordinator that does not answer") {
    Rig rig = member_at_ten(auto_committing());

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.close(ctx, fx); });
    rig.advance(seconds(31));

    CHECK(rig.taken<consumer_event::Closed>().size() == 1);
}

TEST_CASE("an old subscription is left by a rejoin when the topics change") {
    Rig rig = member_at_ten(Rig::config());

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.subscribe(ctx, {}, fx); });
    rig.poll(seconds(1));

    REQUIRE(rig.waiting<JoinGroupRequest>());
    CHECK(rig.waiting<JoinGroupRequest>()->subscription.empty());
    CHECK(rig.waiting<JoinGroupRequest>()->member == me);
}

TEST_CASE("a fatal join error reaches the application") {
    Rig rig(Rig::config());
    rig.answer_lookups = true;
    rig.subscribe();
    rig.poll(seconds(10));

    rig.answer_join(ErrorCode::inconsistent_group_protocol);

    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE(returned.size() == 1);
    CHECK(returned[0].result == CallResult::fatal);
    CHECK(returned[0].error == ErrorCode::inconsistent_group_protocol);
}
