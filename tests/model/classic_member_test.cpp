#include "model/classic_member.hpp"

#include <memory>

#include <doctest/doctest.h>

using namespace eos::model;
namespace sim = eos::sim;

namespace {

constexpr MemberId me{5};
constexpr sim::Instant start{};
constexpr Duration backing_off = milliseconds(100);

ClassicMember newcomer() {
    ConsumerConfig config;
    config.group = GroupId{0};
    return ClassicMember(std::make_shared<const ConsumerConfig>(config));
}

JoinGroupResponse welcome(std::int32_t generation) {
    JoinGroupResponse answer;
    answer.generation = Generation{generation};
    answer.member = me;
    answer.leader = MemberId{9};
    answer.protocol = AssignorKind::range;
    return answer;
}
JoinGroupResponse refusal(ErrorCode error) {
    JoinGroupResponse answer;
    answer.error = error;
    return answer;
}

/// Sends JoinGroup at `now`.
void ask_to_join(ClassicMember& member, sim::Instant now) {
    if (member.step(now) == ClassicMember::Step::prepare) member.prepared();
    REQUIRE(member.step(now) == ClassicMember::Step::join);
    (void)member.join_request({TopicId{0}});
}
ClassicMember stable() {
    ClassicMember member = newcomer();
    ask_to_join(member, start);
    (void)member.joined(start, welcome(1), member.identity(), backing_off);
    REQUIRE(member.step(start) == ClassicMember::Step::sync);
    Topology topology;
    (void)member.sync_request(topology);
    (void)member.synced(start, {{}, ErrorCode::none, {LogId{0}}}, member.identity(), backing_off);
    REQUIRE(member.step(start) == ClassicMember::Step::complete);
    member.completed();
    return member;
}

}  // namespace

TEST_CASE("what an error in answer to JoinGroup does to the member") {
    struct Row {
        ErrorCode error;
        CoordinatorVerdict coordinator;
        bool waits;
        bool fatal;
    };
    const Row rows[] = {
        {ErrorCode::unknown_member_id, CoordinatorVerdict::keep, false, false},
        {ErrorCode::rebalance_in_progress, CoordinatorVerdict::keep, false, false},
        {ErrorCode::coordinator_load_in_progress, CoordinatorVerdict::keep, true, false},
        {ErrorCode::not_coordinator, CoordinatorVerdict::forget, true, false},
        {ErrorCode::coordinator_not_available, CoordinatorVerdict::forget, true, false},
        {ErrorCode::fenced_instance_id, CoordinatorVerdict::keep, false, true},
        {ErrorCode::inconsistent_group_protocol, CoordinatorVerdict::keep, false, true},
        {ErrorCode::invalid_session_timeout, CoordinatorVerdict::keep, false, true},
        {ErrorCode::group_max_size_reached, CoordinatorVerdict::keep, false, true},
    };
    for (const Row& row : rows) {
        CAPTURE(name(row.error));
        ClassicMember member = newcomer();
        ask_to_join(member, start);

        const auto verdict =
            member.joined(start, refusal(row.error), member.identity(), backing_off);

        CHECK(verdict == row.coordinator);
        CHECK(member.rejoin_needed());
        CHECK((member.step(start) == ClassicMember::Step::wait) == row.waits);
        CHECK(member.step(start + backing_off) == ClassicMember::Step::join);
        CHECK(member.take_failure().has_value() == row.fatal);
        CHECK_FALSE(member.take_failure());
    }
}

TEST_CASE("between the answers to JoinGroup and SyncGroup the member may not commit") {
    ClassicMember member = newcomer();
    ask_to_join(member, start);

    (void)member.joined(start, welcome(4), member.identity(), backing_off);

    CHECK(member.identity().generation == Generation{4});  // M14
    CHECK_FALSE(member.ref_if_stable());
    CHECK(member.rebalancing());
}

TEST_CASE("an answer to JoinGroup after leaving is not followed by SyncGroup") {
    ClassicMember member = stable();
    member.request_rejoin();
    ask_to_join(member, start);
    const auto sent = member.identity();

    const auto goodbye = member.leave(true);
    (void)member.joined(start, welcome(2), sent, backing_off);

    REQUIRE(goodbye);
    CHECK(goodbye->members.at(0).member == me);
    CHECK(member.state() == MemberState::unjoined);
    CHECK(member.step(start) == ClassicMember::Step::join);
}

TEST_CASE("a member thrown out before it took its assignment joins again instead") {
    ClassicMember member = newcomer();
    ask_to_join(member, start);
    (void)member.joined(start, welcome(1), member.identity(), backing_off);
    (void)member.step(start);
    Topology topology;
    (void)member.sync_request(topology);
    (void)member.synced(start, {{}, ErrorCode::none, {LogId{0}}}, member.identity(), backing_off);

    (void)member.beaten(start, ErrorCode::illegal_generation, member.identity(), backing_off);

    CHECK(member.step(start) == ClassicMember::Step::join);
    CHECK(member.identity().member == me);
    CHECK_FALSE(member.identity().generation);
}

TEST_CASE("a heartbeat error about an older identity is ignored") {
    ClassicMember member = stable();
    Identity older = member.identity();
    older.generation = Generation{0};

    (void)member.beaten(start, ErrorCode::unknown_member_id, older, backing_off);

    CHECK(member.state() == MemberState::stable);
    CHECK(member.identity().generation == Generation{1});
}

TEST_CASE("the heartbeat thread beats, misses its session, and leaves, in that order of time") {
    ClassicMember member = stable();

    CHECK(member.beat(start + seconds(2), true) == ClassicMember::Beat::rest);
    CHECK(member.beat(start + seconds(3), true) == ClassicMember::Beat::heartbeat);
    CHECK(member.beat(start + seconds(3), false) == ClassicMember::Beat::find);
    CHECK(member.beat(start + seconds(45), true) == ClassicMember::Beat::forget);
    member.coordinator_found(start + seconds(300));
    CHECK(member.beat(start + seconds(300), true) == ClassicMember::Beat::leave);
    member.polled(start + seconds(300));
    CHECK(member.beat(start + seconds(300), true) == ClassicMember::Beat::heartbeat);
}

TEST_CASE("what an error in answer to a commit does depends on whether the identity is still it") {
    for (const bool current : {true, false}) {
        for (const auto error : {ErrorCode::unknown_member_id, ErrorCode::illegal_generation}) {
            CAPTURE(current);
            CAPTURE(name(error));
            ClassicMember member = stable();
            const Identity sent = member.identity();
            if (!current) {
                member.reset(true);
                ask_to_join(member, start);
            }

            const auto verdict = member.commit_refused(error, sent);

            CHECK(verdict == (current ? ClassicMember::CommitVerdict::failed
                                      : ClassicMember::CommitVerdict::rebalance_in_progress));
            CHECK(member.rejoin_needed());
            if (current)
                CHECK(member.identity().member.has_value() ==
                      (error == ErrorCode::illegal_generation));
        }
    }
}

TEST_CASE("only a dynamic member with a known coordinator says that it leaves") {
    ConsumerConfig config;
    config.group = GroupId{0};
    config.instance = GroupInstanceId{1};
    ClassicMember fixed(std::make_shared<const ConsumerConfig>(config));
    ask_to_join(fixed, start);
    (void)fixed.joined(start, welcome(1), fixed.identity(), backing_off);
    ClassicMember lonely = stable();
    ClassicMember member = stable();

    CHECK_FALSE(fixed.leave(true));
    CHECK_FALSE(lonely.leave(false));
    CHECK(member.leave(true));
    CHECK(fixed.lost());
    CHECK(lonely.lost());
    CHECK(member.lost());
}
