#include <doctest/doctest.h>

#include "cluster_rig.hpp"

namespace eos::model {
namespace {

using namespace testing;
using sim::milliseconds;
using sim::seconds;

constexpr LogId state_log{3};
constexpr TransactionalId bank{0};
constexpr TxnRef transfer{{{0}, 0}, 1};

/// Logs 0 (led by broker 1), 1 (by broker 2), 2 (offsets, by broker 3), and 3, the transaction log,
/// led by broker 2.
std::shared_ptr<const Topology> with_transactions() {
    auto result = *topology({.brokers = 3, .topics = 2});
    Topic states;
    states.name = "__transaction_state";
    states.first = state_log;
    states.min_insync = 2;
    states.internal = true;
    result.transaction_topic = TopicId{static_cast<std::int32_t>(result.topics.size())};
    result.logs.push_back({*result.transaction_topic, {0}, {{2}, {3}, {1}}});
    result.topics.push_back(states);
    result.transactional_ids = {"bank"};
    return std::make_shared<const Topology>(std::move(result));
}

InitProducerIdRequest initialise() {
    InitProducerIdRequest request;
    request.txid = bank;
    request.timeout = seconds(60);
    return request;
}
/// The broker that coordinates gives out the same id in every run.
ProducerId first_id() {
    auto world = cluster(std::make_shared<ClusterConfig>(), with_transactions(),
                         {{milliseconds(50), {2}, initialise()}});
    world.run_until(at(seconds(1)));
    const auto* answer = speaker(world).answer<InitProducerIdResponse>(0);
    REQUIRE(answer);
    REQUIRE(answer->error == ErrorCode::none);
    return answer->producer_id;
}
/// Initialises, enrols logs 0 and 1, writes to both, and commits; from 50 ms on.
std::vector<Speaker::Line> transaction(ProducerId id) {
    const TxnIdentity who{bank, id, {0}, transfer};
    AddPartitionsToTxnRequest adds;
    adds.entries.push_back({.who = who, .verify_only = false, .logs = {{0}, {1}}});
    const auto writes = [&](std::int32_t log) {
        const auto record = static_cast<std::uint64_t>(log) + 1;
        auto request = produce(log, numbered(batch(record), id.value, 0));
        request.txid = bank;
        request.parts[0].batch.transactional = true;
        request.parts[0].batch.txid = bank;
        request.parts[0].batch.txn = transfer;
        return request;
    };
    EndTxnRequest ends;
    ends.who = who;
    return {{milliseconds(50), {2}, initialise()},
            {milliseconds(150), {2}, adds},
            {milliseconds(250), {1}, writes(0)},
            {milliseconds(250), {2}, writes(1)},
            {milliseconds(350), {2}, ends}};
}
std::vector<Batch> markers_of(const ClusterWorld& world, std::int32_t id, std::int32_t log) {
    std::vector<Batch> result;
    for (const auto& one : broker(world, id).replicas().find({log})->log.batches())
        if (one.control) result.push_back(one);
    return result;
}
bool settled(const ClusterWorld& world, std::int32_t id, std::int32_t log) {
    const auto& found = broker(world, id).replicas().find({log})->log;
    return found.last_stable_offset() == found.log_end();
}

TEST_CASE("a committed transaction ends with a marker in every partition") {
    auto world =
        cluster(std::make_shared<ClusterConfig>(), with_transactions(), transaction(first_id()));

    world.run_until(at(seconds(1)));

    const auto* end = speaker(world).answer<EndTxnResponse>(4);
    REQUIRE(end);
    CHECK(end->error == ErrorCode::none);
    for (const std::int32_t log : {0, 1}) {
        const auto markers = markers_of(world, log + 1, log);
        REQUIRE(markers.size() == 1);
        CHECK(markers[0].control == ControlType::commit);
        CHECK(markers[0].txn == transfer);
        CHECK(settled(world, log + 1, log));
    }
    const auto changes = world.audience().all<TxnChanged>();
    REQUIRE(changes.size() == 4);
    CHECK(changes.back().state == TxnState::complete_commit);
    CHECK(changes.back().broker == BrokerId{2});
    const auto coordinators = world.directory().holders(role(Role::txn_coordinator, 0));
    REQUIRE(coordinators.size() == 1);
    CHECK(coordinators[0] == NodeId{2});
    CHECK(world.audience().times(Mile::coordinator_loaded) == 0);
}

TEST_CASE("what a coordinator decided before it died, its successor carries out") {
    auto world =
        cluster(std::make_shared<ClusterConfig>(), with_transactions(), transaction(first_id()));
    while (world.audience().times(Mile::txn_prepare_commit_written) == 0 &&
           world.now() < at(seconds(1)))
        world.step();
    REQUIRE(world.audience().times(Mile::txn_prepare_commit_written) == 1);

    world.intervene(sim::act::Crash{{2}, {}});
    world.run_until(at(seconds(40)));

    CHECK(world.audience().times(Mile::txn_prepare_commit_written) == 1);
    CHECK(world.audience().times(Mile::txn_completed) == 1);
    const auto changes = world.audience().all<TxnChanged>();
    CHECK(changes.back().state == TxnState::complete_commit);
    CHECK(changes.back().broker == BrokerId{3});
    CHECK(changes[changes.size() - 2].loaded);
    REQUIRE(!markers_of(world, 1, 0).empty());
    CHECK(settled(world, 1, 0));
    CHECK(settled(world, 3, 1));
}

TEST_CASE("a transaction that nobody ends is aborted and its partitions become readable") {
    auto lines = transaction(first_id());
    lines.pop_back();
    auto world = cluster(std::make_shared<ClusterConfig>(), with_transactions(), lines);

    world.run_until(at(seconds(80)));

    CHECK(world.audience().times(Mile::txn_timed_out) == 1);
    CHECK(world.audience().times(Mile::txn_completed) == 1);
    CHECK(markers_of(world, 1, 0).at(0).control == ControlType::abort);
    CHECK(settled(world, 1, 0));
    CHECK(settled(world, 2, 1));
}

}  // namespace
}  // namespace eos::model
