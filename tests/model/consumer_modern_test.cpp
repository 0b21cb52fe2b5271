// A consumer in a KIP-848 group: what its two threads do with what the member says is due.

#include <algorithm>
#include <utility>

#include <doctest/doctest.h>

#include "model/consumer.hpp"
#include "tests/model/consumer_rig.hpp"

using namespace eos::model;
using Rig = eos::model::test::ConsumerRig;

namespace {

constexpr LogId log0{0};
constexpr LogId log1{1};

ConsumerConfig modern(bool auto_commit = false) {
    auto config = Rig::config();
    config.protocol = GroupProtocol::consumer;
    config.auto_commit = auto_commit;
    config.auto_commit_interval = seconds(60);
    return config;
}
ConsumerGroupHeartbeatRequest answer_beat(Rig& rig, std::int32_t epoch,
                                          std::optional<std::vector<LogId>> assignment = {},
                                          ErrorCode error = ErrorCode::none) {
    ConsumerGroupHeartbeatResponse response;
    response.group = Rig::group;
    response.error = error;
    response.member_epoch = epoch;
    response.heartbeat_interval = seconds(5);
    response.assignment = std::move(assignment);
    return rig.answer<ConsumerGroupHeartbeatRequest>(response);
}
/// Member epoch 1, owns log 0 and has read it up to offset 10.
Rig owner_at_ten(ConsumerConfig config) {
    Rig rig(std::move(config));
    rig.answer_lookups = true;
    rig.subscribe();
    rig.poll_on();
    answer_beat(rig, 1, std::vector{log0});
    rig.poll();
    rig.answer_committed(Offset{0});
    answer_beat(rig, 1);
    rig.poll_on();
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 10)});
    rig.poll();
    rig.events.clear();
    rig.sent.clear();
    rig.observations.clear();
    return rig;
}
void next_beat(Rig& rig) {
    rig.advance(seconds(5));
    REQUIRE(rig.waiting<ConsumerGroupHeartbeatRequest>());
}

}  // namespace

TEST_CASE("a new consumer joins in poll, takes its assignment there and acknowledges at once") {
    Rig rig(modern());
    rig.answer_lookups = true;
    rig.subscribe();
    CHECK_FALSE(rig.waiting<ConsumerGroupHeartbeatRequest>());
    rig.poll_on();

    const auto join = answer_beat(rig, 1, std::vector{log0});
    CHECK(join.member_epoch == 0);
    CHECK(join.subscription == std::vector{Rig::topic});
    CHECK(rig.consumer.assignment().empty());
    rig.poll();

    CHECK(rig.consumer.assignment() == std::vector{log0});
    CHECK(rig.taken<consumer_event::PartitionsAssigned>().at(0).logs == std::vector{log0});
    REQUIRE(rig.waiting<ConsumerGroupHeartbeatRequest>());
    CHECK(rig.waiting<ConsumerGroupHeartbeatRequest>()->owned == std::vector{log0});
    REQUIRE(rig.waiting<OffsetFetchRequest>());
    CHECK(rig.waiting<OffsetFetchRequest>()->member_epoch == 1);
    CHECK(rig.waiting<OffsetFetchRequest>()->member == join.member);
    CHECK(rig.consumer.group_metadata() == MemberRef{Generation{1}, join.member, {}});
    CHECK(rig.told<Assigned>().at(0).generation == Generation{1});
}

TEST_CASE("a partition that is to be given up is read no more although its callback has not run") {
    Rig rig = owner_at_ten(modern());
    rig.answer_fetch({Rig::data(log0, Offset{10}, Offset{10}, 5)});
    next_beat(rig);
    answer_beat(rig, 2, std::vector{log1});
    CHECK(rig.consumer.assignment() == std::vector{log0});

    rig.poll();

    CHECK(rig.consumer.assignment() == std::vector{log1});
    CHECK(rig.taken<consumer_event::PollReturned>().at(0).chunks.empty());
    CHECK(rig.taken<consumer_event::PartitionsRevoked>().at(0).logs == std::vector{log0});
    CHECK(rig.waiting<ConsumerGroupHeartbeatRequest>()->owned == std::vector{log1});
    CHECK(rig.reached(Mile::group_revoked) == 1);
}

TEST_CASE("heartbeats go on while the application stands still with a revocation pending") {
    Rig rig = owner_at_ten(modern());
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.stall(ctx, true, fx); });
    next_beat(rig);
    answer_beat(rig, 2, std::vector<LogId>{});

    next_beat(rig);

    CHECK_FALSE(rig.waiting<ConsumerGroupHeartbeatRequest>()->owned);
    CHECK(rig.consumer.assignment() == std::vector{log0});
}

TEST_CASE("positions are committed before a revocation, again if the epoch rose meanwhile") {
    Rig rig = owner_at_ten(modern(true));
    next_beat(rig);
    answer_beat(rig, 2, std::vector<LogId>{});
    CHECK_FALSE(rig.waiting<OffsetCommitRequest>());  // only poll() commits

    rig.poll();
    REQUIRE(rig.waiting<OffsetCommitRequest>());
    CHECK(rig.waiting<OffsetCommitRequest>()->member.generation == Generation{2});
    CHECK(rig.waiting<OffsetCommitRequest>()->parts.at(0).offset == Offset{10});
    rig.answer_commit(ErrorCode::stale_member_epoch);
    next_beat(rig);
    CHECK(rig.consumer.assignment() == std::vector{log0});
    REQUIRE(rig.waiting<OffsetCommitRequest>());
    rig.answer_commit(ErrorCode::none);
    rig.poll();

    CHECK(rig.consumer.assignment().empty());
}

TEST_CASE("a fenced consumer loses its partitions, rejoins, and keeps its old group metadata") {
    Rig rig = owner_at_ten(modern());
    const auto before = rig.consumer.group_metadata();
    next_beat(rig);
    answer_beat(rig, 0, {}, ErrorCode::fenced_member_epoch);

    rig.poll();

    const auto gone = rig.taken<consumer_event::PartitionsRevoked>();
    REQUIRE(gone.size() == 1);
    CHECK(gone[0].lost);
    REQUIRE(rig.waiting<ConsumerGroupHeartbeatRequest>());
    CHECK(rig.waiting<ConsumerGroupHeartbeatRequest>()->member_epoch == 0);
    CHECK(rig.consumer.group_metadata() == before);
    CHECK(before.generation == Generation{1});
}

TEST_CASE("a stale epoch fails a commit of the application without throwing the member out") {
    Rig rig = owner_at_ten(modern());
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) {
        (void)c.commit_sync(ctx, {{log0, {10}, {}}}, fx);
    });

    rig.answer_commit(ErrorCode::stale_member_epoch);

    CHECK(rig.taken<consumer_event::CommitDone>().at(0).result == CallResult::commit_failed);
    CHECK(rig.consumer.modern_member().state() == MembershipState::stable);
}

TEST_CASE("a consumer whose application stalls leaves, and its partitions are lost at its poll") {
    Rig rig = owner_at_ten(modern());
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.stall(ctx, true, fx); });
    bool left = false;
    for (int s = 0; s < 305 && !left; ++s) {
        rig.advance(seconds(1));
        while (rig.waiting<ConsumerGroupHeartbeatRequest>())
            left = answer_beat(rig, 1).member_epoch == -1 || left;
    }
    REQUIRE(left);
    CHECK(rig.consumer.assignment() == std::vector{log0});
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.stall(ctx, false, fx); });

    rig.poll();

    CHECK(rig.taken<consumer_event::PartitionsRevoked>().at(0).lost);
    REQUIRE(rig.waiting<ConsumerGroupHeartbeatRequest>());
    CHECK(rig.waiting<ConsumerGroupHeartbeatRequest>()->member_epoch == 0);
}

TEST_CASE("an instance id that is still in use is fatal for the newcomer") {
    auto config = modern();
    config.instance = GroupInstanceId{1};
    Rig rig(config);
    rig.answer_lookups = true;
    rig.subscribe();
    rig.poll_on();
    answer_beat(rig, 0, {}, ErrorCode::unreleased_instance_id);
    rig.events.clear();

    rig.poll();

    CHECK(rig.taken<consumer_event::PollReturned>().at(0).error ==
          ErrorCode::unreleased_instance_id);
    rig.advance(seconds(60));
    CHECK_FALSE(rig.waiting<ConsumerGroupHeartbeatRequest>());
}

TEST_CASE("close gives up, says farewell and waits for the answer") {
    Rig rig = owner_at_ten(modern());

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.close(ctx, fx); });

    CHECK(rig.taken<consumer_event::PartitionsRevoked>().size() == 1);
    CHECK(rig.taken<consumer_event::Closed>().empty());
    CHECK(answer_beat(rig, -1).member_epoch == -1);
    CHECK(rig.taken<consumer_event::Closed>().size() == 1);
    CHECK_FALSE(rig.timers.contains(key(Tick::heartbeat)));
}

TEST_CASE("close without a known coordinator leaves without a word") {
    Rig rig = owner_at_ten(modern());
    rig.answer_lookups = false;
    rig.disconnect({{1}, Consumer::coordinator_lane});

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.close(ctx, fx); });

    CHECK(rig.taken<consumer_event::Closed>().size() == 1);
}

TEST_CASE("a consumer that unsubscribed and subscribes again joins anew") {
    Rig rig = owner_at_ten(modern());
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.unsubscribe(ctx, fx); });
    CHECK(answer_beat(rig, -1).member_epoch == -1);

    rig.subscribe();
    rig.poll();

    REQUIRE(rig.waiting<ConsumerGroupHeartbeatRequest>());
    CHECK(rig.waiting<ConsumerGroupHeartbeatRequest>()->member_epoch == 0);
}

TEST_CASE("partitions of a topic without metadata wait for it, and metadata is asked for") {
    Rig rig(modern());
    rig.answer_lookups = true;
    const auto leaders = std::exchange(rig.leaders, {});
    rig.subscribe();
    rig.poll_on();
    answer_beat(rig, 1, std::vector{log0});
    rig.poll();
    CHECK(rig.consumer.assignment().empty());
    CHECK(answer_beat(rig, 1).owned == std::vector<LogId>{});
    rig.sent.clear();
    rig.advance(seconds(4));
    rig.poll();
    CHECK(rig.consumer.assignment().empty());
    CHECK_FALSE(rig.waiting<ConsumerGroupHeartbeatRequest>());
    CHECK(std::any_of(rig.sent.begin(), rig.sent.end(), [](const Message& message) {
        return std::holds_alternative<MetadataRequest>(message);
    }));

    rig.leaders = leaders;
    rig.advance(seconds(2));
    rig.poll();

    CHECK(rig.consumer.assignment() == std::vector{log0});
    CHECK(rig.waiting<ConsumerGroupHeartbeatRequest>());
}
