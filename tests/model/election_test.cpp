#include <doctest/doctest.h>

#include "model/election.hpp"
#include "tests/model/log_rig.hpp"

using namespace eos::model;
using namespace eos::model::rig;

namespace {

constexpr BrokerId b1{1};
constexpr BrokerId b2{2};
constexpr BrokerId b3{3};

/// The leader 1 dies; only `alive` may lead, `isr` is what stays in sync.
[[nodiscard]] ElectionOrder without_leader(std::vector<BrokerId> alive_ids,
                                           std::vector<BrokerId> isr) {
    ElectionOrder order;
    order.alive = std::move(alive_ids);
    order.isr = std::move(isr);
    order.min_insync = 2;
    return order;
}

[[nodiscard]] Guard without(Safeguard safeguard) {
    Guard guard;
    guard.set.remove(safeguard);
    return guard;
}

}  // namespace

TEST_CASE("without a live in-sync replica there is no leader, unless elections may be unclean") {
    const PartitionState state = partition({b1, b2, b3}, {b1}, b1, 4, 7);
    const ElectionOrder order = without_leader({b2, b3}, {});
    Guard clean = without(Safeguard::eligible_leader_replicas);
    Guard unclean = clean;
    unclean.set.remove(Safeguard::clean_election);

    const auto kept = change(state, order, clean);
    const auto lossy = change(state, order, unclean);

    REQUIRE(kept);
    CHECK_FALSE(kept->state.leader);
    CHECK(kept->state.isr == std::vector{b1});
    CHECK(kept->state.leader_epoch == LeaderEpoch{5});
    REQUIRE(lossy);
    CHECK(lossy->unclean);
    CHECK(lossy->state.leader == b2);
    CHECK(lossy->state.isr == std::vector{b2});
    CHECK(lossy->state.recovery == RecoveryState::recovering);
    CHECK(unclean.spared.has(Safeguard::clean_election));
}

TEST_CASE("a removed clean_election is not told when a clean candidate existed") {
    const PartitionState state = partition({b1, b2, b3}, {b1, b3}, b1, 4, 7);
    Guard guard = without(Safeguard::clean_election);

    const auto changed = change(state, without_leader({b2, b3}, {b3}), guard);

    REQUIRE(changed);
    CHECK(changed->state.leader == b3);
    CHECK_FALSE(changed->unclean);
    CHECK_FALSE(guard.spared.has(Safeguard::clean_election));
}

TEST_CASE("a former in-sync replica stays electable, one that lost its tail does not") {
    const PartitionState two = partition({b1, b2, b3}, {b1, b2}, b1, 4, 7);
    Guard guard;
    const auto shrunk = change(two, without_leader({b1, b3}, {b1}), guard);
    REQUIRE(shrunk);
    CHECK(shrunk->state.elr == std::vector{b2});

    const auto clean = change(shrunk->state, without_leader({b2, b3}, {}), guard);
    ElectionOrder lost_tail = without_leader({b2, b3}, {});
    lost_tail.unclean_shutdown = {b2};
    const auto lost = change(shrunk->state, lost_tail, guard);

    REQUIRE(clean);
    CHECK(clean->state.leader == b2);
    CHECK(clean->state.isr == std::vector{b2});
    CHECK(clean->state.elr == std::vector{b1});
    REQUIRE(lost);
    CHECK(lost->state.leader != b2);
}

TEST_CASE("without eligible replicas the last one in sync leads again whatever it has lost") {
    const PartitionState state = partition({b1, b2, b3}, {b1}, b1, 4, 7);
    Guard guard = without(Safeguard::eligible_leader_replicas);
    ElectionOrder order = without_leader({b2, b3}, {});
    order.unclean_shutdown = {b1};
    const auto down = change(state, order, guard);
    REQUIRE(down);

    ElectionOrder back;
    back.alive = {b1, b2, b3};
    back.min_insync = 2;
    const auto up = change(down->state, back, guard);

    REQUIRE(up);
    CHECK(up->state.leader == b1);
    CHECK_FALSE(up->unclean);
    CHECK(guard.spared.has(Safeguard::eligible_leader_replicas));
}

TEST_CASE("a change that changes nothing is none") {
    const PartitionState state = partition({b1, b2}, {b1, b2}, b1, 4, 7);
    Guard guard;
    ElectionOrder order;
    order.alive = {b1, b2};

    CHECK_FALSE(change(state, order, guard));
}

TEST_CASE("shrinking the in-sync set bumps the partition epoch and not the leader epoch") {
    const PartitionState state = partition({b1, b2}, {b1, b2}, b1, 4, 7);
    Guard guard;
    ElectionOrder order;
    order.alive = {b1, b2};
    order.isr = std::vector{b1};

    const auto changed = change(state, order, guard);

    REQUIRE(changed);
    CHECK(changed->state.leader_epoch == LeaderEpoch{4});
    CHECK(changed->state.partition_epoch == PartitionEpoch{8});
}

TEST_CASE("a proposal with a reborn member is ineligible, unless broker epochs are not compared") {
    const PartitionState state = partition({b1, b2}, {b1}, b1, 4, 7);
    const auto brokers = alive(2);
    AlterPartitionRequest request{.broker = b1,
                                  .broker_epoch = {100},
                                  .log = the_log,
                                  .leader_epoch = {4},
                                  .partition_epoch = {7},
                                  .isr = {{b1, {100}}, {b2, {99}}},
                                  .recovery = RecoveryState::recovered};
    Guard guard;
    Guard old = without(Safeguard::broker_epoch_in_isr);

    CHECK(validate_alter_partition(state, request, brokers, guard) ==
          ErrorCode::ineligible_replica);
    CHECK(validate_alter_partition(state, request, brokers, old) == ErrorCode::none);
    CHECK(old.spared.has(Safeguard::broker_epoch_in_isr));
    request.broker_epoch = {99};
    CHECK(validate_alter_partition(state, request, brokers, guard) ==
          ErrorCode::stale_broker_epoch);
}
