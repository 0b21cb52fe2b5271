#include "model/modern_membership.hpp"

#include <memory>

#include <doctest/doctest.h>

using namespace eos::model;
namespace sim = eos::sim;
using Kind = ModernMembership::Callback::Kind;

namespace {

constexpr MemberId me{7};
constexpr TopicId topic{0};
constexpr LogId log0{0};
constexpr LogId log1{1};
constexpr sim::Instant start{};
constexpr Duration backing_off = milliseconds(100);

ModernMembership newcomer(std::optional<GroupInstanceId> instance = {}) {
    ConsumerConfig config;
    config.group = GroupId{0};
    config.instance = instance;
    config.protocol = GroupProtocol::consumer;
    return {std::make_shared<const ConsumerConfig>(config), me};
}
ConsumerGroupHeartbeatResponse told(std::int32_t epoch,
                                    std::optional<std::vector<LogId>> assignment = {}) {
    ConsumerGroupHeartbeatResponse response;
    response.member_epoch = epoch;
    response.heartbeat_interval = seconds(5);
    response.assignment = std::move(assignment);
    return response;
}
ConsumerGroupHeartbeatResponse refusal(ErrorCode error) {
    ConsumerGroupHeartbeatResponse response;
    response.error = error;
    return response;
}
ConsumerGroupHeartbeatRequest beat(ModernMembership& member, sim::Instant now) {
    REQUIRE(member.beat(now) == ModernMembership::Beat::send);
    return member.request(now, {topic});
}
void hear(ModernMembership& member, sim::Instant now,
          const ConsumerGroupHeartbeatResponse& response) {
    (void)member.answered(now, member.serial(), response, backing_off);
}
void reconcile(ModernMembership& member) {
    REQUIRE(member.reconcile_due());
    Guard guard;
    (void)member.reconcile(guard);
    member.committed();
}
void run_callbacks(ModernMembership& member) {
    while (!member.callbacks().empty()) member.callback_done(member.callbacks().front().kind);
}
/// Stable at epoch 1, owns log 0.
ModernMembership owner(std::optional<GroupInstanceId> instance = {}) {
    auto member = newcomer(instance);
    member.polled(start);
    (void)beat(member, start);
    hear(member, start, told(1, std::vector{log0}));
    reconcile(member);
    run_callbacks(member);
    (void)beat(member, start);
    hear(member, start, told(1));
    REQUIRE(member.state() == MembershipState::stable);
    return member;
}

}  // namespace

TEST_CASE(
    "a member tells everything when it joins, then what changed, and all again after errors") {
    auto member = newcomer();
    member.polled(start);
    const auto first = beat(member, start);
    CHECK(first.member_epoch == 0);
    CHECK(first.member == me);
    CHECK(first.subscription == std::vector{topic});
    CHECK(first.owned == std::vector<LogId>{});
    CHECK(first.rebalance_timeout.has_value());

    hear(member, start, told(1, std::vector{log0}));
    reconcile(member);
    run_callbacks(member);
    const auto acknowledgement = beat(member, start);
    CHECK(acknowledgement.owned == std::vector{log0});
    CHECK_FALSE(acknowledgement.subscription);

    hear(member, start, refusal(ErrorCode::coordinator_load_in_progress));
    const auto again = beat(member, start + seconds(10));
    CHECK(again.subscription == std::vector{topic});
    CHECK(again.owned == std::vector{log0});
    CHECK(again.member_epoch == 1);
}

TEST_CASE("a stable member heartbeats at the interval of the coordinator") {
    auto member = owner();

    CHECK(member.beat(start + seconds(4)) == ModernMembership::Beat::rest);
    CHECK(member.beat_due() == start + seconds(5));
    const auto request = beat(member, start + seconds(5));

    CHECK_FALSE(request.owned);
    CHECK(member.beat(start + seconds(20)) == ModernMembership::Beat::rest);  // one in flight
}

TEST_CASE("what an error in answer to a heartbeat does to a stable member") {
    struct Row {
        ErrorCode error;
        CoordinatorVerdict coordinator;
        MembershipState state;
        bool fatal;
    };
    const Row rows[] = {
        {ErrorCode::not_coordinator, CoordinatorVerdict::forget, MembershipState::stable, false},
        {ErrorCode::coordinator_load_in_progress, CoordinatorVerdict::keep, MembershipState::stable,
         false},
        {ErrorCode::fenced_member_epoch, CoordinatorVerdict::keep, MembershipState::fenced, false},
        {ErrorCode::unknown_member_id, CoordinatorVerdict::keep, MembershipState::fenced, false},
        {ErrorCode::unreleased_instance_id, CoordinatorVerdict::keep, MembershipState::fatal, true},
        {ErrorCode::fenced_instance_id, CoordinatorVerdict::keep, MembershipState::fatal, true},
        {ErrorCode::unsupported_assignor, CoordinatorVerdict::keep, MembershipState::fatal, true},
        {ErrorCode::group_max_size_reached, CoordinatorVerdict::keep, MembershipState::fatal, true},
    };
    for (const Row& row : rows) {
        CAPTURE(name(row.error));
        auto member = owner();
        (void)beat(member, start + seconds(5));

        const auto verdict =
            member.answered(start + seconds(5), member.serial(), refusal(row.error), backing_off);

        CHECK(verdict == row.coordinator);
        CHECK(member.state() == row.state);
        CHECK(member.take_failure().has_value() == row.fatal);
        CHECK(member.owned() == std::vector{log0});
    }
}

TEST_CASE("a fenced member loses what it owns and only then joins again") {
    auto member = owner();
    (void)beat(member, start + seconds(5));
    hear(member, start + seconds(5), refusal(ErrorCode::fenced_member_epoch));
    CHECK(member.beat(start + seconds(6)) == ModernMembership::Beat::rest);
    REQUIRE(member.callbacks().size() == 1);
    CHECK(member.callbacks()[0].kind == Kind::lost);

    run_callbacks(member);

    CHECK(member.state() == MembershipState::joining);
    const auto request = beat(member, start + seconds(6));
    CHECK(request.member_epoch == 0);
    CHECK(request.owned == std::vector<LogId>{});
}

TEST_CASE("an assignment that was taken back before it was acknowledged is reconciled again") {
    auto member = owner();
    (void)beat(member, start + seconds(5));
    hear(member, start + seconds(5), told(2, std::vector{log0, log1}));
    reconcile(member);
    (void)beat(member, start + seconds(10));
    hear(member, start + seconds(10), told(3, std::vector{log0}));
    CHECK_FALSE(member.reconcile_due());

    run_callbacks(member);
    CHECK(member.owned() == std::vector{log0, log1});
    CHECK(beat(member, start + seconds(10)).owned == std::vector{log0, log1});

    CHECK(member.state() == MembershipState::reconciling);
    reconcile(member);
    REQUIRE(member.callbacks().size() == 1);
    CHECK(member.callbacks()[0].kind == Kind::revoked);
    CHECK(member.callbacks()[0].logs == std::vector{log1});
}

TEST_CASE("heartbeats go on while the application has not run its callbacks") {
    auto member = owner();
    (void)beat(member, start + seconds(5));
    hear(member, start + seconds(5), told(2, std::vector<LogId>{}));
    reconcile(member);

    const auto request = beat(member, start + seconds(10));

    CHECK(request.member_epoch == 2);
    CHECK_FALSE(request.owned);  // nothing is acknowledged yet
    CHECK(member.owned() == std::vector{log0});
}

TEST_CASE("without a poll for max.poll.interval a member leaves, and joins at the next poll") {
    auto member = owner();
    const auto late = start + seconds(300);

    const auto request = beat(member, late);
    CHECK(request.member_epoch == -1);
    CHECK(member.state() == MembershipState::stale);
    hear(member, late, told(-1));
    CHECK(member.state() == MembershipState::stale);
    member.polled(late + seconds(1));
    CHECK(member.state() == MembershipState::stale);  // the callback comes first
    run_callbacks(member);

    CHECK(member.state() == MembershipState::joining);
    CHECK(member.owned().empty());
}

TEST_CASE("an answer to a heartbeat older than the farewell is not listened to") {
    auto member = owner();
    (void)beat(member, start + seconds(5));
    const auto old = member.serial();
    (void)beat(member, start + seconds(300));
    run_callbacks(member);
    member.polled(start + seconds(301));
    REQUIRE(member.state() == MembershipState::joining);

    (void)member.answered(start + seconds(302), old, told(2, std::vector{log1}), backing_off);

    CHECK(member.state() == MembershipState::joining);
    CHECK(member.epoch() == 0);
}

TEST_CASE("a static member leaves for now, a dynamic one for good") {
    auto dynamic = owner();
    auto fixed = owner(GroupInstanceId{1});

    for (auto* member : {&dynamic, &fixed}) {
        member->leave();
        REQUIRE(member->callbacks().size() == 1);
        CHECK(member->callbacks()[0].kind == Kind::revoked);
        run_callbacks(*member);
    }

    CHECK(beat(dynamic, start).member_epoch == -1);
    CHECK(beat(fixed, start).member_epoch == -2);
    CHECK(dynamic.state() == MembershipState::unsubscribed);
}

TEST_CASE("a member that leaves in the middle of a reconciliation can subscribe again") {
    auto member = owner();
    (void)beat(member, start + seconds(5));
    hear(member, start + seconds(5), told(2, std::vector{log1}));
    REQUIRE(member.reconcile_due());
    Guard guard;
    (void)member.reconcile(guard);  // the commit before the revocation is awaited
    member.leave();
    run_callbacks(member);
    (void)beat(member, start + seconds(5));
    member.committed();

    member.polled(start + seconds(6));
    (void)beat(member, start + seconds(6));
    hear(member, start + seconds(6), told(4, std::vector{log0}));
    reconcile(member);
    run_callbacks(member);

    CHECK(member.owned() == std::vector{log0});
    CHECK(member.state() == MembershipState::acknowledging);
}

namespace {

/// Owns log 0, then is given logs 0 and 1; of the topic of log 1 the client has no metadata.
ModernMembership half_informed() {
    auto member = owner();
    (void)beat(member, start + seconds(5));
    hear(member, start + seconds(5), told(2, std::vector{log0, log1}));
    CHECK(member.wanted() == std::vector{log1});
    member.unresolved({log1});
    reconcile(member);
    return member;
}

}  // namespace

TEST_CASE("what a member has no metadata of waits, the rest is acknowledged once") {
    auto member = half_informed();

    CHECK(member.owned() == std::vector{log0});
    CHECK(member.callbacks().empty());
    REQUIRE(member.state() == MembershipState::acknowledging);
    CHECK(beat(member, start + seconds(5)).owned == std::vector{log0});
    hear(member, start + seconds(5), told(2));
    CHECK(member.state() == MembershipState::reconciling);
    CHECK_FALSE(member.reconcile_due());
    CHECK(member.beat(start + seconds(6)) == ModernMembership::Beat::rest);
    CHECK(member.wanted() == std::vector{log1});
}

TEST_CASE("a first assignment without any metadata is taken as an empty one") {
    auto member = newcomer();
    member.polled(start);
    (void)beat(member, start);
    hear(member, start, told(1, std::vector{log0}));
    member.unresolved({log0});

    reconcile(member);
    run_callbacks(member);
    CHECK(member.owned().empty());
    (void)beat(member, start);
    hear(member, start, told(1));
    CHECK_FALSE(member.reconcile_due());
    member.unresolved({});
    reconcile(member);
    run_callbacks(member);

    CHECK(member.owned() == std::vector{log0});
    CHECK(beat(member, start).owned == std::vector{log0});
}

TEST_CASE("metadata that comes late adds to what is owned; KAFKA-16198 gave the rest up for it") {
    for (const bool safe : {true, false}) {
        CAPTURE(safe);
        auto member = half_informed();
        (void)beat(member, start + seconds(5));
        hear(member, start + seconds(5), told(2));
        Guard guard;
        if (!safe) guard.set.remove(Safeguard::reconcile_full_target);

        member.unresolved({});
        REQUIRE(member.reconcile_due());
        const auto given_up = member.reconcile(guard);
        member.committed();
        run_callbacks(member);

        CHECK(given_up == (safe ? std::vector<LogId>{} : std::vector{log0}));
        CHECK(guard.spared.has(Safeguard::reconcile_full_target) == !safe);
        const auto all = safe ? std::vector{log0, log1} : std::vector{log1};
        CHECK(member.owned() == all);
        CHECK(beat(member, start + seconds(5)).owned == all);
        CHECK(member.state() == MembershipState::stable);
    }
}
