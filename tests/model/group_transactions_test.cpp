#include <doctest/doctest.h>

#include "model/group_coordinator.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

constexpr ProducerId producer{7};
constexpr TxnRef first_txn{{{0}, 0}, 1};

TxnOffsetCommitRequest txn_commit(const MemberRef& member, std::int32_t log, std::int64_t offset) {
    TxnOffsetCommitRequest request;
    request.who = {{3}, producer, {0}, first_txn};
    request.group = g;
    request.member = member;
    request.parts = {{{log}, {offset}, {}}};
    return request;
}
OffsetCommitRequest commit(const MemberRef& who, std::int32_t log, std::int64_t offset) {
    return {g, who, {{{log}, {offset}, {}}}};
}
ErrorCode error_of(GroupRig& rig, const TxnOffsetCommitRequest& request) {
    return rig.call<TxnOffsetCommitResponse>(request).parts.at(0).error;
}
OffsetFetchResponse::Part fetched(GroupRig& rig, std::int32_t log, bool stable = true) {
    return rig.call<OffsetFetchResponse>(OffsetFetchRequest{g, {{log}}, stable}).parts.at(0);
}
MemberId sole_member(GroupRig& rig) {
    const auto id = *rig.call<JoinGroupResponse>(range_join()).member;
    rig.request(range_join(id));
    rig.advance(sim::seconds(3));
    REQUIRE(rig.call<SyncGroupResponse>(
                   SyncGroupRequest{g, ref(id, 1), AssignorKind::range, {{id, {{0}, {1}}}}})
                .error == ErrorCode::none);
    return id;
}
ClusterConfig without(Safeguard safeguard) {
    ClusterConfig config;
    config.safeguards.remove(safeguard);
    return config;
}
bool spared(const GroupRig& rig, Safeguard safeguard) {
    return rig.world.times(static_cast<Mile>(static_cast<std::uint16_t>(Mile::safeguard_first) +
                                             static_cast<std::uint16_t>(safeguard))) > 0;
}

}  // namespace

TEST_CASE("an offset in a transaction is committed by the marker and not before") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);

    REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);
    const auto before = fetched(rig, 0, false).offset;
    rig.marker(producer, ControlType::commit);

    CHECK(!before);
    CHECK(fetched(rig, 0).offset == Offset{10});
    const auto& batch = rig.log.at(1);
    CHECK(batch.transactional);
    CHECK(batch.producer_id == producer);
    CHECK(rig.world.times(Mile::offsets_pending) == 1);
    REQUIRE(rig.world.all<OffsetPending>().size() == 1);
    CHECK(rig.world.all<OffsetPending>().at(0).txn == first_txn);
    REQUIRE(rig.world.all<OffsetCommitted>().size() == 1);
    CHECK(rig.world.all<OffsetCommitted>().at(0).txn == first_txn);
}

TEST_CASE("an aborted transaction's offset is never seen") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);

    rig.marker(producer, ControlType::abort);

    CHECK(fetched(rig, 0).error == ErrorCode::none);
    CHECK(!fetched(rig, 0).offset);
    CHECK(rig.world.all<OffsetCommitted>().empty());
}

TEST_CASE("a stable fetch is refused while a transaction may change the offset") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    (void)rig.call<OffsetCommitResponse>(commit(ref(id, 1), 0, 5));

    REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);

    CHECK(fetched(rig, 0).error == ErrorCode::unstable_offset_commit);
    CHECK(fetched(rig, 0, false).offset == Offset{5});
    CHECK(fetched(rig, 1).error == ErrorCode::none);
}

TEST_CASE("without unstable-offset-commit the successor reads the older offset (KAFKA-9346)") {
    GroupRig rig(without(Safeguard::unstable_offset_commit));
    rig.start();
    const auto id = sole_member(rig);
    (void)rig.call<OffsetCommitResponse>(commit(ref(id, 1), 0, 5));
    REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);
    CHECK(!spared(rig, Safeguard::unstable_offset_commit));

    CHECK(fetched(rig, 0).offset == Offset{5});

    CHECK(spared(rig, Safeguard::unstable_offset_commit));
}

TEST_CASE("offsets in a transaction are fenced by generation, and not without the safeguard") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    GroupRig old(without(Safeguard::txn_offset_generation_check));
    old.start();
    const auto zombie = sole_member(old);

    CHECK(error_of(rig, txn_commit(ref(id, 0), 0, 1)) == ErrorCode::illegal_generation);
    CHECK(error_of(rig, txn_commit(ref({99}, 1), 0, 1)) == ErrorCode::unknown_member_id);
    CHECK(error_of(old, txn_commit(ref(zombie, 0), 0, 1)) == ErrorCode::none);

    CHECK(rig.world.times(Mile::offsets_refused) == 2);
    CHECK(spared(old, Safeguard::txn_offset_generation_check));
}

TEST_CASE("a group-only commit in a transaction is not fenced at all (G20 d)") {
    GroupRig rig;
    rig.start();
    (void)sole_member(rig);

    CHECK(error_of(rig, txn_commit({}, 0, 1)) == ErrorCode::none);
}

TEST_CASE("a member that awaits its assignment may commit in a transaction but not outside") {
    GroupRig rig;
    rig.start();
    const auto id = *rig.call<JoinGroupResponse>(range_join()).member;
    rig.request(range_join(id));
    rig.advance(sim::seconds(3));
    REQUIRE(rig.group()->state() == GroupState::completing_rebalance);

    CHECK(rig.call<OffsetCommitResponse>(commit(ref(id, 1), 0, 1)).parts.at(0).error ==
          ErrorCode::rebalance_in_progress);
    CHECK(error_of(rig, txn_commit(ref(id, 1), 0, 1)) == ErrorCode::none);
}

TEST_CASE("a marker counts only when it is replicated") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);
    rig.hold = true;

    rig.marker(producer, ControlType::commit);
    const auto early = fetched(rig, 0, false).offset;
    rig.replicate();

    CHECK(!early);
    CHECK(fetched(rig, 0).offset == Offset{10});
}

TEST_CASE("a successor knows what is pending, and reads markers above the watermark in time") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);

    rig.fail_over(1);
    CHECK(fetched(rig, 0).error == ErrorCode::unstable_offset_commit);
    rig.hold = true;
    rig.marker(producer, ControlType::commit, false);
    rig.fail_over(2);
    CHECK(!fetched(rig, 0, false).offset);
    rig.replicate();

    CHECK(fetched(rig, 0).offset == Offset{10});
    CHECK(rig.world.all<OffsetCommitted>().back().txn == first_txn);
}

TEST_CASE("a successor waits for the marker however long it takes, and not without the safeguard") {
    for (const bool waits : {true, false}) {
        GroupRig rig(waits ? ClusterConfig{} : without(Safeguard::pending_until_marker));
        rig.start();
        const auto id = sole_member(rig);
        REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);

        rig.fail_over(1);
        rig.advance(rig.config->transaction_timeout_check + sim::seconds(1));
        const auto before = fetched(rig, 0).error;
        rig.marker(producer, ControlType::commit);

        CHECK(before == (waits ? ErrorCode::unstable_offset_commit : ErrorCode::none));
        CHECK(fetched(rig, 0).offset.has_value() == waits);
        CHECK(spared(rig, Safeguard::pending_until_marker) != waits);
    }
}

TEST_CASE("news of a marker that a load has read already changes nothing") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    REQUIRE(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::none);
    const auto at = rig.marker(producer, ControlType::commit, false);
    rig.fail_over(1);
    REQUIRE(error_of(rig, txn_commit({}, 0, 20)) == ErrorCode::none);

    rig.tell_marker(producer, ControlType::commit, at);

    CHECK(fetched(rig, 0).error == ErrorCode::unstable_offset_commit);
    CHECK(fetched(rig, 0, false).offset == Offset{10});
}

TEST_CASE("what the log says of a producer reaches the client as it is") {
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    rig.refuse = ErrorCode::invalid_producer_epoch;

    CHECK(error_of(rig, txn_commit(ref(id, 1), 0, 10)) == ErrorCode::invalid_producer_epoch);

    rig.refuse.reset();
    CHECK(fetched(rig, 0).error == ErrorCode::none);
}

TEST_CASE("an offset whose text is too large is refused alone, and leaves no trace (KAFKA-16371)") {
    const auto mixed = [](MemberId id) {
        auto request = commit(ref(id, 1), 0, 10);
        request.parts.push_back({{1}, {11}, {}, 5000});
        return request;
    };
    GroupRig rig;
    rig.start();
    const auto id = sole_member(rig);
    GroupRig old(without(Safeguard::pending_only_for_appended));
    old.start();
    const auto other = sole_member(old);

    const auto answer = rig.call<OffsetCommitResponse>(mixed(id));
    (void)old.call<OffsetCommitResponse>(mixed(other));

    CHECK(answer.parts.at(0).error == ErrorCode::none);
    CHECK(answer.parts.at(1).error == ErrorCode::offset_metadata_too_large);
    CHECK(fetched(rig, 1).error == ErrorCode::none);
    CHECK(!fetched(rig, 1).offset);
    CHECK(fetched(old, 1).error == ErrorCode::unstable_offset_commit);
    CHECK(spared(old, Safeguard::pending_only_for_appended));
    old.fail_over(1);
    CHECK(fetched(old, 1).error == ErrorCode::none);
}

TEST_CASE("a load in several reads keeps the newest offset, and not without the safeguard") {
    const auto after_load = [](GroupRig& rig) {
        rig.start();
        const auto id = sole_member(rig);
        for (std::int64_t offset = 1; offset <= 20; ++offset)
            (void)rig.call<OffsetCommitResponse>(commit(ref(id, 1), 0, offset));
        rig.fail_over(1);
        return fetched(rig, 0).offset;
    };
    GroupRig rig;
    GroupRig old(without(Safeguard::load_folds_whole_log));

    CHECK(after_load(rig) == Offset{20});
    CHECK(after_load(old) < Offset{20});

    CHECK(spared(old, Safeguard::load_folds_whole_log));
}

TEST_CASE("offsets do not expire while a group gathers, and do without the safeguard") {
    const auto gathering = [](GroupRig& rig) {
        rig.start();
        (void)rig.call<OffsetCommitResponse>(commit({}, 0, 5));
        rig.advance(sim::seconds(10));
        const auto id = *rig.call<JoinGroupResponse>(range_join()).member;
        rig.request(range_join(id));
        REQUIRE(rig.group()->state() == GroupState::preparing_rebalance);
        rig.order(Ask::expire_offsets, told({{Fact::group, 0}}));
        return fetched(rig, 0).offset;
    };
    GroupRig rig;
    GroupRig old(without(Safeguard::no_expiry_while_unstable));

    CHECK(gathering(rig) == Offset{5});
    CHECK(!gathering(old));

    CHECK(spared(old, Safeguard::no_expiry_while_unstable));
}

TEST_CASE("an open transaction keeps its group, and the offset it may replace") {
    GroupRig rig;
    rig.start();
    REQUIRE(error_of(rig, txn_commit({}, 0, 10)) == ErrorCode::none);

    rig.order(Ask::expire_offsets, told({{Fact::group, 0}}));
    const bool kept = rig.group() != nullptr;
    rig.marker(producer, ControlType::commit);
    rig.order(Ask::expire_offsets, told({{Fact::group, 0}}));

    CHECK(kept);
    CHECK(!rig.group());
}

TEST_CASE("a static member is replaced while the group gathers, and not without the safeguard") {
    const auto both = [](GroupRig& rig) {
        rig.start();
        const auto first = rig.request(range_join({}, GroupInstanceId{1}), {4});
        rig.request(range_join({}, GroupInstanceId{1}), {5});
        rig.advance(sim::seconds(6));
        return rig.answer<JoinGroupResponse>(first).error;
    };
    GroupRig rig;
    GroupRig old(without(Safeguard::static_member_replaced));

    CHECK(both(rig) == ErrorCode::fenced_instance_id);
    CHECK(both(old) == ErrorCode::none);

    CHECK(rig.group()->members().size() == 1);
    CHECK(old.group()->members().size() == 2);
    CHECK(spared(old, Safeguard::static_member_replaced));
}
