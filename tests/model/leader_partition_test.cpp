#include <doctest/doctest.h>

#include "tests/model/log_rig.hpp"

using namespace eos::model;
using namespace eos::model::rig;

namespace {

constexpr BrokerId b1{1};
constexpr BrokerId b2{2};
constexpr BrokerId b3{3};

/// Broker 1 leads {1, 2, 3} with everybody in sync.
struct Led {
    std::vector<BrokerRegistration> brokers = alive(3);
    Guard guard;
    PartitionLog log;
    LeaderPartition leader;

    explicit Led(std::int32_t min_insync = 2, std::vector<BrokerId> isr = {b1, b2, b3})
        : leader({.self = b1, .min_insync = min_insync}) {
        static_cast<void>(leader.lead(partition({b1, b2, b3}, std::move(isr), b1, 5, 1), log,
                                      brokers, at(0), guard));
    }
    LeaderAppendResult produce(std::int32_t count = 1, std::int64_t now = 0) {
        return leader.append(log, plain(count), Acks::all, {}, brokers, at(now), guard);
    }
    LeaderFetchResult fetched(BrokerId replica, std::int64_t offset, std::int64_t now,
                              std::int64_t epoch = 100) {
        return leader.fetch_by_follower(log, replica, fetch(offset, 5), BrokerEpoch{epoch}, plenty,
                                        brokers, at(now), guard);
    }
    AlterOutcome answer(const AlterPartitionRequest& sent, ErrorCode error) {
        AlterPartitionResponse response{.log = the_log, .error = error, .state = {}};
        if (error == ErrorCode::none) {
            response.state = leader.state();
            response.state->isr.clear();
            for (const auto& m : sent.isr) response.state->isr.push_back(m.broker);
            response.state->partition_epoch = sent.partition_epoch.next();
        }
        return leader.on_alter_result(sent, response, log, brokers, at(0), guard);
    }
};

}  // namespace

TEST_CASE("an acks=all produce is done when every in-sync replica has fetched past it") {
    Led led;
    const auto produced = led.produce();
    CHECK_FALSE(led.leader.status(led.log, produced.required).done);

    static_cast<void>(led.fetched(b2, 1, 1));
    CHECK_FALSE(led.leader.status(led.log, produced.required).done);
    const auto last = led.fetched(b3, 1, 2);

    CHECK(last.watermark_moved);
    CHECK(last.high_watermark == Offset{0});  // the answer tells the watermark of before
    CHECK(led.leader.status(led.log, produced.required).done);
    CHECK(led.leader.status(led.log, produced.required).error == ErrorCode::none);
}

TEST_CASE("a waiting produce ends with NOT_LEADER_OR_FOLLOWER when leadership is lost") {
    Led led;
    const auto produced = led.produce();

    CHECK(led.leader.follow(partition({b1, b2, b3}, {b2, b3}, b2, 6, 2)));

    const auto status = led.leader.status(led.log, produced.required);
    CHECK(status.done);
    CHECK(status.error == ErrorCode::not_leader_or_follower);
}

TEST_CASE("the watermark stands below min ISR, and moves without that safeguard") {
    Led with{2, {b1}};
    Led without{2, {b1}};
    without.guard.set.remove(Safeguard::hw_needs_min_isr);
    for (Led* led : {&with, &without})
        static_cast<void>(
            led->leader.append(led->log, plain(), Acks::leader, {}, led->brokers, at(0),
                               led->guard));

    CHECK(with.log.high_watermark() == Offset{0});
    CHECK(without.log.high_watermark() == Offset{1});
    CHECK(without.guard.spared.has(Safeguard::hw_needs_min_isr));
    CHECK(with.produce().append.error == ErrorCode::not_enough_replicas);
}

TEST_CASE("a batch that was refused is not known later, but is without that safeguard") {
    for (const bool guarded : {true, false}) {
        Led led{2, {b1}};
        if (!guarded) led.guard.set.remove(Safeguard::dedup_after_append);
        const auto produce = [&] {
            return led.leader.append(led.log, batch(1, 0), Acks::all, {}, led.brokers, at(0),
                                     led.guard);
        };

        const auto refused = produce();
        static_cast<void>(led.leader.lead(partition({b1, b2, b3}, {b1, b2}, b1, 5, 2), led.log,
                                          led.brokers, at(0), led.guard));
        const auto again = produce();

        CHECK(refused.append.error == ErrorCode::not_enough_replicas);
        CHECK(again.append.error == ErrorCode::none);
        CHECK(again.append.duplicate != guarded);
        CHECK(led.log.log_end() == Offset{guarded ? 1 : 0});
        CHECK(again.required == led.log.log_end());
    }
}

TEST_CASE("a lagging follower is proposed to leave and leaves when the controller agrees") {
    Led led;
    static_cast<void>(led.produce());
    static_cast<void>(led.fetched(b2, 1, 20'000));

    CHECK_FALSE(led.leader.propose_shrink(led.log, at(30'000)));
    CHECK(led.leader.propose_shrink(led.log, at(30'001)));
    const auto sent = led.leader.take_proposal(led.brokers, led.guard);
    REQUIRE(sent);
    CHECK_FALSE(led.leader.take_proposal(led.brokers, led.guard));  // one in flight
    CHECK(led.leader.maximal_isr() == std::vector{b1, b2, b3});
    CHECK(led.log.high_watermark() == Offset{0});

    CHECK(led.answer(*sent, ErrorCode::none) == AlterOutcome::committed);

    CHECK(led.leader.isr() == std::vector{b1, b2});
    CHECK(led.log.high_watermark() == Offset{1});
}

TEST_CASE("an AlterPartition answer is kept apart by its kind") {
    struct Row {
        ErrorCode error;
        AlterOutcome outcome;
        bool pending;
    };
    for (const Row& row :
         {Row{ErrorCode::ineligible_replica, AlterOutcome::reverted, false},
          Row{ErrorCode::operation_not_attempted, AlterOutcome::reverted, false},
          Row{ErrorCode::invalid_update_version, AlterOutcome::given_up, true},
          Row{ErrorCode::unknown_server_error, AlterOutcome::retry, true},
          Row{ErrorCode::not_controller, AlterOutcome::retry, true}}) {
        CAPTURE(name(row.error));
        Led led{2, {b1, b2}};
        static_cast<void>(led.fetched(b3, 0, 1));
        const auto sent = led.leader.take_proposal(led.brokers, led.guard);
        REQUIRE(sent);

        CHECK(led.answer(*sent, row.error) == row.outcome);

        CHECK(led.leader.isr_change_pending() == row.pending);
        const bool again = led.leader.take_proposal(led.brokers, led.guard).has_value();
        CHECK(again == (row.outcome == AlterOutcome::retry));
    }
}

TEST_CASE("an answer about an older partition epoch is ignored") {
    Led led{2, {b1, b2}};
    static_cast<void>(led.fetched(b3, 0, 1));
    const auto sent = led.leader.take_proposal(led.brokers, led.guard);
    REQUIRE(sent);

    static_cast<void>(led.leader.lead(partition({b1, b2, b3}, {b1, b2}, b1, 5, 9), led.log,
                                      led.brokers, at(2), led.guard));

    CHECK(led.answer(*sent, ErrorCode::ineligible_replica) == AlterOutcome::ignored);
    CHECK(led.leader.state().partition_epoch == PartitionEpoch{9});
}

TEST_CASE("a fetch from before a reboot does not bring a broker back into the in-sync set") {
    Led with{1, {b1}};
    Led without{1, {b1}};
    without.guard.set.remove(Safeguard::broker_epoch_in_isr);
    for (Led* led : {&with, &without}) led->brokers[1].epoch = {200};

    const auto refused = with.fetched(b2, 0, 1, 100);
    const auto served = without.fetched(b2, 0, 1, 100);

    CHECK(refused.error == ErrorCode::not_leader_or_follower);
    CHECK_FALSE(with.leader.proposed());
    CHECK(served.error == ErrorCode::none);
    CHECK(without.guard.spared.has(Safeguard::broker_epoch_in_isr));
    const auto sent = without.leader.take_proposal(without.brokers, without.guard);
    REQUIRE(sent);
    CHECK(sent->isr.back().epoch == BrokerEpoch{-1});  // nobody compares it
}

TEST_CASE("a proposal carries the broker epochs that the fetches told") {
    Led led{1, {b1}};
    static_cast<void>(led.fetched(b2, 0, 1));

    const auto sent = led.leader.take_proposal(led.brokers, led.guard);

    REQUIRE(sent);
    REQUIRE(sent->isr.size() == 2);
    CHECK(sent->isr[0].epoch == BrokerEpoch{100});
    CHECK(sent->isr[1].epoch == BrokerEpoch{100});
}

TEST_CASE("a new leader behind its epoch start names no end offset, unless KIP-207 is missing") {
    Guard guard;
    Guard without;
    without.set.remove(Safeguard::offset_not_available);
    auto brokers = alive(2);
    PartitionLog log;
    lead(log, plain(4), guard, 1);
    log.set_high_watermark({1});
    LeaderPartition leader{{.self = b1}};
    static_cast<void>(
        leader.lead(partition({b1, b2}, {b1, b2}, b1, 2, 1), log, brokers, at(0), guard));

    const auto latest = [&](Guard& g) {
        return leader.list_offset(log, OffsetSpec::latest, Isolation::read_uncommitted, {}, g);
    };
    CHECK(latest(guard).error == ErrorCode::offset_not_available);
    CHECK(latest(without).offset == Offset{1});
    CHECK(without.spared.has(Safeguard::offset_not_available));
}

TEST_CASE("a broker that is no replica is told so, with or without a leader epoch") {
    Led led;

    CHECK(led.leader.fetch_by_follower(led.log, {9}, fetch(0, 5), std::nullopt, plenty,
                                       led.brokers, at(0), led.guard)
              .error == ErrorCode::unknown_leader_epoch);
    CHECK(led.leader.fetch_by_follower(led.log, {9}, fetch(0), std::nullopt, plenty, led.brokers,
                                       at(0), led.guard)
              .error == ErrorCode::not_leader_or_follower);
}

TEST_CASE("a deduplicated produce still waits for the watermark") {
    Led led;
    const auto first = led.leader.append(led.log, batch(1, 0), Acks::all, {}, led.brokers, at(0),
                                         led.guard);

    const auto again = led.leader.append(led.log, batch(1, 0), Acks::all, {}, led.brokers, at(0),
                                         led.guard);

    CHECK(again.append.duplicate);
    CHECK(again.required == first.required);
    CHECK_FALSE(led.leader.status(led.log, again.required).done);
}
