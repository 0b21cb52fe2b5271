#include <doctest/doctest.h>

#include "partition_txn_rig.hpp"

namespace eos::model {
namespace {

using namespace testing;
using sim::milliseconds;
using sim::seconds;
using enum TransactionVersion;

std::shared_ptr<ClusterConfig> without(std::initializer_list<Safeguard> safeguards) {
    auto config = std::make_shared<ClusterConfig>();
    for (const auto safeguard : safeguards) config->safeguards.remove(safeguard);
    return config;
}
ErrorCode produced(const TxnWorld& world, std::size_t line) {
    const auto* answer = heard<ProduceResponse>(world, line);
    REQUIRE(answer);
    return answer->parts.at(0).error;
}
ErrorCode marked(const TxnWorld& world, std::size_t line, std::size_t part = 0) {
    const auto* answer = heard<WriteTxnMarkersResponse>(world, line);
    REQUIRE(answer);
    return answer->entries.at(0).parts.at(part).error;
}
std::int64_t stable(const TxnWorld& world) {
    return replica(world, 1, 0).log.last_stable_offset().value;
}

TEST_CASE("under TV2 the leader enrols the partition once, at the first produce") {
    auto world =
        txn_world(without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)},
                                {milliseconds(90), {1}, txn_produce(0, in_txn(batch(2), 1), tv2)}});

    world.run_until(at(seconds(1)));

    CHECK(produced(world, 0) == ErrorCode::none);
    CHECK(produced(world, 1) == ErrorCode::none);
    REQUIRE(oracle(world).asked.size() == 1);
    const auto& request = oracle(world).asked[0].second;
    CHECK(request.from_broker);
    REQUIRE(request.entries.size() == 1);
    CHECK_FALSE(request.entries[0].verify_only);
    CHECK(request.entries[0].who.txn == the_txn);
    CHECK(request.entries[0].logs == std::vector<LogId>{{0}});
    CHECK(world.audience().times(Mile::partition_verified) == 1);
    CHECK(replica(world, 1, 0).log.producers().open_transactions() == 1);
    CHECK(replica(world, 2, 0).log.producers().open_transactions() == 1);
}

TEST_CASE("clients of TV0 and TV1 have their partition verified, not added") {
    for (const auto version : {tv0, tv1}) {
        auto world = txn_world(
            without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), version)}});

        world.run_until(at(seconds(1)));

        CHECK(produced(world, 0) == ErrorCode::none);
        REQUIRE(oracle(world).asked.size() == 1);
        CHECK(oracle(world).asked[0].second.entries[0].verify_only);
    }
}

TEST_CASE("the last stable offset waits for the marker, and so does a read_committed consumer") {
    auto world =
        txn_world(without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)},
                                {milliseconds(90), {1}, produce(0, batch(10, 3))},
                                {milliseconds(150), {1}, committed(0, 0, milliseconds(10))},
                                {milliseconds(200), {2}, marker({{0}}, ControlType::commit, 1)},
                                {milliseconds(210), {1}, marker({{0}}, ControlType::commit, 1)},
                                {milliseconds(300), {1}, committed(0, 0)}});

    world.run_until(at(milliseconds(180)));
    CHECK(stable(world) == 0);
    CHECK(heard<FetchResponse>(world, 2)->parts.at(0).batches.empty());
    CHECK(heard<FetchResponse>(world, 2)->parts.at(0).high_watermark == Offset{4});
    world.run_until(at(seconds(1)));

    CHECK(marked(world, 3) == ErrorCode::not_leader_or_follower);
    CHECK(marked(world, 4) == ErrorCode::none);
    CHECK(stable(world) == 5);
    const auto& part = heard<FetchResponse>(world, 5)->parts.at(0);
    CHECK(part.batches.size() == 3);
    REQUIRE(part.aborted);
    CHECK(part.aborted->empty());
    const auto moved = world.audience().all<StableOffsetMoved>();
    REQUIRE_FALSE(moved.empty());
    CHECK(moved.back().last_stable == Offset{5});
    CHECK(world.audience().times(Mile::partition_stable_offset_moved) >= 1);
    CHECK(replica(world, 2, 0).log.last_stable_offset() == Offset{5});
}

TEST_CASE("a waiting read_committed fetch is answered when the marker is replicated") {
    auto world =
        txn_world(without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)},
                                {milliseconds(150), {1}, committed(0, 0, seconds(20))}},
                  {}, {{milliseconds(250), {1}, marker({{0}}, ControlType::abort, 1)}});
    world.run_until(at(milliseconds(200)));
    CHECK_FALSE(heard<FetchResponse>(world, 1));
    world.run_until(at(seconds(2)));

    const auto* answer = heard<FetchResponse>(world, 1);
    REQUIRE(answer);
    REQUIRE(answer->parts.at(0).aborted);
    REQUIRE(answer->parts.at(0).aborted->size() == 1);
    CHECK(answer->parts.at(0).aborted->at(0).producer_id == ProducerId{the_producer});
    CHECK(answer->parts.at(0).aborted->at(0).first == Offset{0});
    CHECK(answer->parts.at(0).batches.size() == 2);
}

TEST_CASE("without the bound a read_committed consumer is given records of an open transaction") {
    auto world = txn_world(without({Safeguard::stable_offset_bounds_fetch}),
                           {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)},
                            {milliseconds(150), {1}, committed(0, 0)}});

    world.run_until(at(seconds(1)));

    CHECK(heard<FetchResponse>(world, 1)->parts.at(0).batches.size() == 1);
}

TEST_CASE("a new leader has the open transaction too and tells its own last stable offset") {
    auto world =
        txn_world(without({}), {{milliseconds(50), {1}, produce(0, batch(10, 3))},
                                {milliseconds(90), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)}});
    world.run_until(at(milliseconds(700)));

    world.intervene(sim::act::Crash{{1}, {}});
    world.run_until(at(seconds(20)));

    const auto& log = replica(world, 2, 0);
    REQUIRE(log.leading.leading());
    CHECK(log.log.producers().open_transactions() == 1);
    const auto moved = world.audience().all<StableOffsetMoved>();
    REQUIRE_FALSE(moved.empty());
    CHECK(moved.back().broker == BrokerId{2});
    CHECK(moved.back().last_stable == Offset{3});
}

/// Produce, abort, and a produce of the same epoch that was late (HNG-1); TV0.
std::vector<Speaker::Line> late_produce() {
    return {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv0)},
            {milliseconds(100), {1}, marker({{0}}, ControlType::abort, 0, tv0)},
            {milliseconds(150), {1}, txn_produce(0, in_txn(batch(2), 1), tv0)}};
}

TEST_CASE("a produce that comes after the end of its transaction is refused") {
    auto world = txn_world(without({}), late_produce(),
                           {.sayings = {ErrorCode::none, ErrorCode::transaction_abortable},
                            .thinks = {},
                            .asked = {}});

    world.run_until(at(seconds(1)));

    CHECK(produced(world, 2) == ErrorCode::invalid_txn_state);
    CHECK(world.audience().times(Mile::partition_refused) == 1);
    CHECK(stable(world) == 2);
    CHECK(replica(world, 1, 0).log.log_end() == Offset{2});
}

TEST_CASE("without verification a late produce opens a transaction that nobody ends") {
    auto world = txn_world(without({Safeguard::partition_verification}), late_produce());

    world.run_until(at(seconds(60)));

    CHECK(produced(world, 2) == ErrorCode::none);
    CHECK(oracle(world).asked.empty());
    CHECK(stable(world) == 2);
    CHECK(replica(world, 1, 0).log.high_watermark() == Offset{3});
    CHECK(replica(world, 1, 0).log.producers().open_transactions() == 1);
}

TEST_CASE("the operator's marker ends a hanging transaction and fences nobody") {
    auto world = txn_world(without({Safeguard::partition_verification}), late_produce());
    world.run_until(at(seconds(1)));

    sim::Order order{number(Ask::abort_txn), told({{Fact::log, 0}})};
    world.intervene(sim::act::Tell{{1}, order});
    world.run_until(at(seconds(2)));

    CHECK(stable(world) == 4);
    const auto& log = replica(world, 1, 0).log;
    CHECK(log.batches().back().control == ControlType::abort);
    CHECK(log.batches().back().txid == the_txid);
    CHECK_FALSE(log.batches().back().txn);
    CHECK(log.producers().find({the_producer})->epoch == ProducerEpoch{0});
}

TEST_CASE("a verification from before a marker does not open a transaction after it") {
    for (const bool guarded : {true, false}) {
        // The coordinator's yes is still under way when the marker arrives (VER-11).
        auto world = txn_world(
            guarded ? without({}) : without({Safeguard::verification_guard}),
            {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv0)}},
            {.sayings = {ErrorCode::none}, .thinks = milliseconds(300), .asked = {}},
            {{milliseconds(100), {1}, marker({{0}}, ControlType::abort, 0, tv0)}});

        world.run_until(at(seconds(2)));

        CHECK(produced(world, 0) == (guarded ? ErrorCode::invalid_txn_state : ErrorCode::none));
        CHECK(replica(world, 1, 0).log.producers().open_transactions() == (guarded ? 0 : 1));
    }
}

TEST_CASE("a coordinator that is busy with the former transaction is asked again by the leader") {
    auto world = txn_world(
        without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)}},
        {.sayings = {ErrorCode::concurrent_transactions, ErrorCode::concurrent_transactions,
                     ErrorCode::none},
         .thinks = {},
         .asked = {}});

    world.run_until(at(seconds(1)));

    CHECK(produced(world, 0) == ErrorCode::none);
    CHECK(oracle(world).asked.size() == 3);
}

TEST_CASE("a coordinator that stays busy is reported to TV2 clients as it is, to others not") {
    for (const auto version : {tv2, tv1}) {
        auto world = txn_world(
            without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), version)}},
            {.sayings = {ErrorCode::concurrent_transactions}, .thinks = {}, .asked = {}});

        world.run_until(at(seconds(1)));

        CHECK(produced(world, 0) == (version == tv2 ? ErrorCode::concurrent_transactions
                                                    : ErrorCode::not_enough_replicas));
        CHECK((oracle(world).asked.size() > 1) == (version == tv2));
        CHECK(replica(world, 1, 0).log.log_end() == Offset{0});
    }
}

TEST_CASE("a produce whose coordinator cannot be reached is told to come again") {
    auto world =
        txn_world(without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)}});
    world.run_until(at(milliseconds(10)));
    world.intervene(sim::act::Crash{{3}, {}});

    world.run_until(at(seconds(2)));

    CHECK(produced(world, 0) == ErrorCode::not_enough_replicas);
}

TEST_CASE("under TV2 a producer that is unknown here begins with sequence 0") {
    auto world =
        txn_world(without({}), {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 5), tv2)},
                                {milliseconds(90), {2}, txn_produce(1, in_txn(batch(1), 5), tv0)}});

    world.run_until(at(seconds(1)));

    CHECK(produced(world, 0) == ErrorCode::out_of_order_sequence_number);
    CHECK(produced(world, 1) == ErrorCode::none);
}

TEST_CASE("one request cannot carry transactional batches of two epochs") {
    auto request = txn_produce(0, in_txn(batch(1), 0), tv2);
    request.parts.push_back({.log = {1}, .batch = in_txn(batch(2), 0, 1)});
    auto world = txn_world(without({}), {{milliseconds(50), {1}, request}});

    world.run_until(at(seconds(1)));

    const auto* answer = heard<ProduceResponse>(world, 0);
    REQUIRE(answer);
    for (const auto& part : answer->parts)
        CHECK(part.error == ErrorCode::invalid_producer_id_mapping);
}

TEST_CASE("markers are answered per partition, and a partition that is not here is unknown") {
    auto world = txn_world(without({}),
                           {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)},
                            {milliseconds(100), {1},
                             marker({{0}, {1}, {3}}, ControlType::commit, 1)}});

    world.run_until(at(seconds(1)));

    CHECK(marked(world, 1, 0) == ErrorCode::none);
    CHECK(marked(world, 1, 1) == ErrorCode::not_leader_or_follower);
    CHECK(marked(world, 1, 2) == ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("a marker is answered when it is replicated, or as timed out though it is in the log") {
    auto config = without({});
    config->request_timeout = seconds(3);
    auto world =
        txn_world(config, {{milliseconds(50), {1}, txn_produce(0, in_txn(batch(1), 0), tv2)},
                           {milliseconds(200), {1}, marker({{0}}, ControlType::commit, 1)}});
    world.run_until(at(milliseconds(150)));
    for (const auto& [from, to] : {std::pair{1, 2}, std::pair{2, 1}})
        world.intervene(sim::act::SetLink{.from = {from}, .to = {to}, .silent = true});

    world.run_until(at(seconds(2)));
    CHECK_FALSE(heard<WriteTxnMarkersResponse>(world, 1));
    CHECK(replica(world, 1, 0).log.log_end() == Offset{2});
    world.run_until(at(seconds(5)));

    CHECK(marked(world, 1) == ErrorCode::request_timed_out);
}

TEST_CASE("a marker of a deposed coordinator is refused where the newer one has been") {
    for (const bool fenced : {true, false}) {
        auto world = txn_world(
            fenced ? without({}) : without({Safeguard::coordinator_epoch_fencing}),
            {{milliseconds(50), {1}, marker({{0}}, ControlType::commit, 0, tv0, 4)},
             {milliseconds(90), {1}, marker({{0}}, ControlType::abort, 0, tv0, 3)}});

        world.run_until(at(seconds(1)));

        CHECK(marked(world, 0) == ErrorCode::none);
        CHECK(marked(world, 1) ==
              (fenced ? ErrorCode::transaction_coordinator_fenced : ErrorCode::none));
    }
}

// --- offsets in a transaction --------------------------------------------------------------------

TxnOffsetCommitRequest commit_offset(std::int64_t offset, TransactionVersion version) {
    TxnOffsetCommitRequest request;
    request.who = {.txid = the_txid, .producer_id = {the_producer}, .producer_epoch = {0},
                   .txn = the_txn};
    request.version = version;
    request.parts.push_back({.log = {0}, .offset = {offset}, .leader_epoch = {}});
    return request;
}
Message committed_offset() {
    OffsetFetchRequest request;
    request.logs = {{0}};
    return request;
}

TEST_CASE("offsets in a transaction are enrolled, wait for the marker, and count after it") {
    auto world = txn_world(without({}), {{milliseconds(50), {1}, commit_offset(5, tv2)},
                                         {milliseconds(150), {1}, committed_offset()},
                                         {milliseconds(200), {1},
                                          marker({{2}}, ControlType::commit, 1)},
                                         {milliseconds(300), {1}, committed_offset()}});

    world.run_until(at(seconds(1)));

    const auto* commit = heard<TxnOffsetCommitResponse>(world, 0);
    REQUIRE(commit);
    CHECK(commit->parts.at(0).error == ErrorCode::none);
    REQUIRE(oracle(world).asked.size() == 1);
    CHECK_FALSE(oracle(world).asked[0].second.entries.at(0).verify_only);
    CHECK(oracle(world).asked[0].second.entries.at(0).logs == std::vector<LogId>{{2}});
    const auto& batches = replica(world, 1, 2).log.batches();
    REQUIRE(batches.size() == 2);
    CHECK(batches[0].transactional);
    CHECK_FALSE(batches[0].base_sequence);
    CHECK(batches[0].txn == the_txn);
    const auto* pending = heard<OffsetFetchResponse>(world, 1);
    REQUIRE(pending);
    CHECK(pending->parts.at(0).error == ErrorCode::unstable_offset_commit);
    CHECK(marked(world, 2) == ErrorCode::none);
    const auto* decided = heard<OffsetFetchResponse>(world, 3);
    REQUIRE(decided);
    CHECK(decided->parts.at(0).offset == Offset{5});
}

TEST_CASE("offsets of a transaction that is over are refused if they are verified") {
    for (const bool verified : {true, false}) {
        auto world = txn_world(verified ? without({}) : without({Safeguard::offsets_verification}),
                               {{milliseconds(50), {1}, commit_offset(5, tv0)}},
                               {.sayings = {ErrorCode::transaction_abortable},
                                .thinks = {},
                                .asked = {}});

        world.run_until(at(seconds(1)));

        const auto* commit = heard<TxnOffsetCommitResponse>(world, 0);
        REQUIRE(commit);
        CHECK(commit->parts.at(0).error ==
              (verified ? ErrorCode::invalid_txn_state : ErrorCode::none));
        CHECK(oracle(world).asked.size() == (verified ? 1 : 0));
        CHECK(replica(world, 1, 2).log.producers().open_transactions() == (verified ? 0 : 1));
    }
}

}  // namespace
}  // namespace eos::model
