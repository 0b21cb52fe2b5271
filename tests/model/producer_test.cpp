#include <set>

#include <doctest/doctest.h>

#include "sim/state_hash.hpp"
#include "tests/model/producer_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;
using sim::milliseconds;
using sim::seconds;
using Kind = ProducerEvent::Kind;

// --- send ----------------------------------------------------------------------------------------

TEST_CASE("send blocks until the topic's metadata is known, then unblocks") {
    ProducerRig rig(plain_config(), /*tell_leaders=*/false);

    const auto blocked = rig.post(a0);
    REQUIRE(rig.metadata.size() == 1);
    CHECK(rig.count(Kind::unblocked) == 0);
    rig.answer_metadata(ProducerRig::leaders());
    const auto unblocked = rig.count(Kind::unblocked);
    const auto taken = rig.post(a0);

    CHECK(blocked.kind == SendResult::Kind::would_block);
    CHECK(unblocked == 1);
    CHECK(taken.kind == SendResult::Kind::taken);
    CHECK(rig.invoked == 1);
    CHECK(rig.sent.size() == 1);
}

TEST_CASE("send blocks when buffer.memory is used up, and unblocks when an answer frees some") {
    auto config = plain_config();
    config.batch_size = 1000;
    config.buffer_memory = 2000;
    ProducerRig rig(config);

    rig.post(a0);
    rig.post(a1);
    const auto blocked = rig.post(a0);
    rig.answer(0, ErrorCode::none, Offset{0});

    CHECK(blocked.kind == SendResult::Kind::would_block);
    CHECK(rig.count(Kind::unblocked) == 1);
    CHECK(rig.post(a0).kind == SendResult::Kind::taken);
}

TEST_CASE("somebody waiting for memory makes a lingering batch ready") {
    auto config = plain_config();
    config.batch_size = 1000;
    config.buffer_memory = 1000;
    config.linger = seconds(60);
    ProducerRig rig(config);

    rig.post(a0);
    CHECK(rig.sent.empty());
    rig.post(a1);

    CHECK(rig.sent.size() == 1);
}

TEST_CASE("a record above max.request.size is refused and leaves no trace") {
    auto config = plain_config();
    config.max_request_size = 500;
    ProducerRig rig(config);

    const auto result = rig.post(a0, 500);

    CHECK(result.kind == SendResult::Kind::refused);
    CHECK(result.error == ErrorCode::message_too_large);
    CHECK(rig.invoked == 0);
    CHECK(rig.producer.open_sends() == 0);
}

TEST_CASE("without a key records stick to a partition for batch.size bytes, then move") {
    auto config = plain_config();
    config.batch_size = 561;  // five records
    ProducerRig rig(config);

    std::vector<std::int32_t> logs;
    for (std::uint64_t i = 0; i < 100; ++i) {
        (void)rig.producer.send(rig.ctx(), {1}, std::nullopt, {.id = {i}}, false, 100, rig.fx);
    }
    for (const auto& effect : rig.fx.list())
        if (const auto* seen = std::get_if<sim::effect::Observe<Observation>>(&effect))
            if (const auto* invoked = std::get_if<SendInvoked>(&seen->observation))
                logs.push_back(invoked->log.value);

    REQUIRE(logs.size() == 100);
    std::size_t moves = 0;
    for (std::size_t i = 1; i < logs.size(); ++i) moves += logs[i] != logs[i - 1] ? 1 : 0;
    CHECK(moves >= 5);
    CHECK(moves <= 19);
    CHECK(std::set<std::int32_t>(logs.begin(), logs.end()).size() == 4);
}

// --- batches and drains --------------------------------------------------------------------------

TEST_CASE("a batch waits for linger, counted from its creation") {
    auto config = plain_config();
    config.linger = milliseconds(5);
    ProducerRig rig(config);

    rig.post(a0);
    rig.pass(milliseconds(3));
    rig.post(a0);
    rig.pass(milliseconds(1));
    CHECK(rig.sent.empty());
    rig.pass(milliseconds(1));

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent.front().request.parts.front().batch.count == 2);
    CHECK(rig.sent.front().at == sim::time_zero + milliseconds(5));
}

TEST_CASE("a full batch does not wait for linger") {
    auto config = plain_config();
    config.linger = seconds(60);
    config.batch_size = 261;  // two records
    ProducerRig rig(config);

    rig.post(a0);
    CHECK(rig.sent.empty());
    rig.post(a0);

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent.front().request.parts.front().batch.bytes == 261);
}

TEST_CASE("one request takes one batch of every partition of its node") {
    auto config = plain_config();
    config.batch_size = 161;
    ProducerRig rig(config);

    for (int round = 0; round < 2; ++round)
        for (std::int32_t log = 2; log < 6; ++log) rig.send({log});
    rig.run();

    REQUIRE(rig.sent.size() == 2);
    CHECK(rig.sent[0].request.parts.size() == 4);
    CHECK(rig.sent[1].request.parts.size() == 4);
    for (std::size_t part = 0; part < 4; ++part) {
        CHECK(rig.sent[0].first_record(part).value < 4);
        CHECK(rig.sent[1].first_record(part).value >= 4);
    }
}

TEST_CASE("max.request.size cuts the round, and the next request goes on where it was cut") {
    auto config = plain_config();
    config.max_request_size = 400;  // two batches of 161
    ProducerRig rig(config);

    for (std::int32_t log = 2; log < 6; ++log) rig.send({log});
    rig.run();

    REQUIRE(rig.sent.size() == 2);
    CHECK(rig.sent[0].request.parts[0].log == LogId{2});
    CHECK(rig.sent[0].request.parts[1].log == LogId{3});
    CHECK(rig.sent[1].request.parts[0].log == LogId{4});
    CHECK(rig.sent[1].request.parts[1].log == LogId{5});
}

TEST_CASE("no more than max.in.flight requests are on one connection") {
    auto config = plain_config();
    config.max_in_flight = 2;
    ProducerRig rig(config);

    for (int i = 0; i < 4; ++i) rig.post(a0);

    CHECK(rig.sent.size() == 2);
    rig.answer(0, ErrorCode::none, Offset{0});
    CHECK(rig.sent.size() == 2);
}

TEST_CASE("with acks=0 a record is acknowledged when it is handed over, without offset") {
    auto config = plain_config();
    config.acks = Acks::none;
    config.max_in_flight = 1;
    ProducerRig rig(config);

    rig.post(a0);
    rig.post(a0);

    REQUIRE(rig.ended.size() == 2);
    CHECK(rig.ended[0].certainty == Certainty::done);
    CHECK_FALSE(rig.ended[0].offset.has_value());
    CHECK(rig.sent.size() == 2);
    CHECK(rig.producer.open_sends() == 0);
}

// --- retries and order ---------------------------------------------------------------------------

TEST_CASE("a retry waits out the backoff and says which attempt it is") {
    ProducerRig rig(plain_config());

    rig.post(a0);
    rig.answer(0, ErrorCode::not_enough_replicas);
    CHECK(rig.sent.empty());
    rig.pass(milliseconds(100));

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent.front().request.attempt == 2);
    CHECK(rig.times(Mile::producer_retried) == 1);
}

TEST_CASE("a newer leader epoch ends the backoff") {
    ProducerRig rig(plain_config());

    rig.post(a0);
    rig.answer(0, ErrorCode::not_leader_or_follower, std::nullopt, true,
               LeaderHint{.leader = {2}, .epoch = {1}});

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent.front().peer.node == BrokerId{2});
    CHECK(rig.sent.front().at == sim::time_zero);
}

TEST_CASE("without idempotence a retry is overtaken by the batch behind it") {
    ProducerRig rig(plain_config());

    rig.post(a0);
    rig.post(a0);
    rig.answer(0, ErrorCode::not_enough_replicas);
    rig.answer(0, ErrorCode::none, Offset{0});
    rig.pass(milliseconds(100));
    rig.answer(0, ErrorCode::none, Offset{1});

    REQUIRE(rig.ended.size() == 2);
    CHECK(rig.ended[0].record.id == RecordId{1});
    CHECK(rig.ended[0].offset == Offset{0});
    CHECK(rig.ended[1].record.id == RecordId{0});
    CHECK(rig.ended[1].offset == Offset{1});
}

TEST_CASE("without idempotence two batches of one lost connection come back in reverse order") {
    ProducerRig rig(plain_config());

    rig.post(a0);
    rig.post(a0);
    rig.cut({{1}, Producer::lane});
    rig.pass(milliseconds(200));

    REQUIRE(rig.sent.size() == 2);
    CHECK(rig.sent[0].first_record() == RecordId{1});
    CHECK(rig.sent[1].first_record() == RecordId{0});
}

TEST_CASE("with idempotence they come back in order of their sequence") {
    auto config = plain_config();
    config.idempotence = true;
    ProducerRig rig(config);
    rig.run();
    rig.answer_init(ErrorCode::none);

    rig.post(a0);
    rig.post(a0);
    rig.cut({{1}, Producer::lane});
    rig.pass(milliseconds(200));

    // One at a time until the oldest is through (I5).
    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].request.parts[0].batch.base_sequence == Sequence{0});
    rig.answer(0, ErrorCode::none, Offset{0});
    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].request.parts[0].batch.base_sequence == Sequence{1});
}

TEST_CASE("without requeue-by-sequence idempotent retries stand in reverse order") {
    auto config = plain_config();
    config.idempotence = true;
    config.safeguards.remove(Safeguard::requeue_by_sequence);
    ProducerRig rig(config);
    rig.run();
    rig.answer_init(ErrorCode::none);

    rig.post(a0);
    rig.post(a0);
    rig.cut({{1}, Producer::lane});

    const auto* partition = rig.producer.sender().accumulator().find(a0);
    REQUIRE(partition->queue.size() == 2);
    const auto& batches = rig.producer.sender().batches();
    CHECK(batches[partition->queue[0]].number->base == Sequence{1});
    CHECK(batches[partition->queue[1]].number->base == Sequence{0});
    CHECK(rig.spared(Safeguard::requeue_by_sequence));
}

TEST_CASE("with max.in.flight 1 a partition is silent while a batch of it is with an old leader") {
    auto config = plain_config();
    config.max_in_flight = 1;
    ProducerRig rig(config);

    rig.post(a0);
    rig.producer.tell(
        {.error = ErrorCode::none,
         .brokers = {},
         .parts = {{.log = a0, .error = ErrorCode::none, .leader = BrokerId{2}, .epoch = {1}}}});
    rig.post(a0);

    CHECK(rig.sent.size() == 1);
    CHECK_FALSE(rig.spared(Safeguard::mute_partition_in_flight));
}

TEST_CASE("without the mute the second batch overtakes by way of the new leader (KAFKA-3197)") {
    auto config = plain_config();
    config.max_in_flight = 1;
    config.safeguards.remove(Safeguard::mute_partition_in_flight);
    ProducerRig rig(config);

    rig.post(a0);
    rig.producer.tell(
        {.error = ErrorCode::none,
         .brokers = {},
         .parts = {{.log = a0, .error = ErrorCode::none, .leader = BrokerId{2}, .epoch = {1}}}});
    rig.post(a0);

    REQUIRE(rig.sent.size() == 2);
    CHECK(rig.sent[1].peer.node == BrokerId{2});
    CHECK(rig.sent[1].first_record() == RecordId{1});
    CHECK(rig.spared(Safeguard::mute_partition_in_flight));
}

TEST_CASE("retries=0 fails at the first retriable error") {
    auto config = plain_config();
    config.retries = 0;
    ProducerRig rig(config);

    rig.post(a0);
    rig.answer(0, ErrorCode::not_enough_replicas);

    REQUIRE(rig.ended.size() == 1);
    CHECK(rig.ended[0].error == ErrorCode::not_enough_replicas);
    CHECK(rig.ended[0].certainty == Certainty::not_done);
}

TEST_CASE("a batch that is too large comes back as pieces in the same order") {
    ProducerRig rig([] {
        auto config = plain_config();
        config.batch_size = 161;
        return config;
    }());

    (void)rig.producer.send_batch(rig.ctx(), a0, {{.id = {0}}, {.id = {1}}, {.id = {2}}}, 100,
                                  rig.fx);
    rig.run();
    rig.answer(0, ErrorCode::message_too_large);

    REQUIRE(rig.sent.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(rig.sent[i].first_record() == RecordId{i});
    CHECK(rig.producer.open_sends() == 3);
}

TEST_CASE("the pieces of a split batch are as old as it was") {
    auto config = plain_config();
    config.batch_size = 161;
    config.delivery_timeout = seconds(1);
    ProducerRig rig(config);
    rig.pass(milliseconds(500));
    (void)rig.producer.send_batch(rig.ctx(), a0, {{.id = {0}}, {.id = {1}}}, 100, rig.fx);
    rig.run();
    rig.pass(milliseconds(900));

    rig.answer(0, ErrorCode::message_too_large);
    const auto ended_early = rig.ended.size();
    rig.pass(milliseconds(100));

    CHECK(ended_early == 0);
    CHECK(rig.ended.size() == 2);
}

// --- certainty -----------------------------------------------------------------------------------

TEST_CASE("a record that expires before it was ever sent is certainly not done") {
    auto config = plain_config();
    config.delivery_timeout = seconds(1);
    ProducerRig rig(config);
    rig.connections_open = false;

    rig.post(a0);
    rig.pass(seconds(1));

    REQUIRE(rig.ended.size() == 1);
    CHECK(rig.ended[0].error == ErrorCode::request_timed_out);
    CHECK(rig.ended[0].certainty == Certainty::not_done);
}

TEST_CASE("a record that expires while its request is out may have been done") {
    auto config = plain_config();
    config.delivery_timeout = seconds(1);
    ProducerRig rig(config);

    rig.post(a0);
    rig.pass(seconds(1));
    const auto ended_before = rig.ended.size();
    rig.answer(0, ErrorCode::none, Offset{4});

    REQUIRE(ended_before == 1);
    CHECK(rig.ended[0].certainty == Certainty::ambiguous);
    CHECK(rig.ended.size() == 1);  // P15: the late success is nobody's news
}

TEST_CASE("one request timeout fails every request of its connection, and none of another") {
    auto config = plain_config();
    config.client.request_timeout = seconds(1);
    config.retries = 0;
    ProducerRig rig(config);

    rig.post(a0);
    rig.pass(milliseconds(900));
    rig.post(b0);
    rig.post(a1);
    rig.pass(milliseconds(100));

    REQUIRE(rig.ended.size() == 2);
    CHECK(rig.ended[0].log == a0);
    CHECK(rig.ended[1].log == b0);
    CHECK(rig.ended[1].certainty == Certainty::ambiguous);
    CHECK(rig.times(Mile::rpc_failed) == 2);
    CHECK(rig.sent.size() == 1);
}

TEST_CASE("after an ambiguous attempt a definite error does not make the outcome definite") {
    auto config = plain_config();
    ProducerRig rig(config);

    rig.post(a0);
    rig.cut({{1}, Producer::lane});
    rig.pass(milliseconds(200));
    rig.answer(0, ErrorCode::invalid_record);

    REQUIRE(rig.ended.size() == 1);
    CHECK(rig.ended[0].error == ErrorCode::invalid_record);
    CHECK(rig.ended[0].certainty == Certainty::ambiguous);
}

// --- idempotence ---------------------------------------------------------------------------------

TEST_CASE("nothing is drained before the producer id is known") {
    auto config = plain_config();
    config.idempotence = true;
    ProducerRig rig(config);

    rig.post(a0);
    CHECK(rig.sent.empty());
    REQUIRE(rig.init.size() == 1);
    rig.answer_init(ErrorCode::none, 77, 0);

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].request.parts[0].batch.producer_id == ProducerId{77});
    CHECK(rig.count(Kind::initialised) == 1);
    CHECK(rig.times(Mile::producer_initialised) == 1);
}

TEST_CASE("an unset idempotence is on by default, and off where the default is not applied") {
    for (const bool applied : {true, false}) {
        CAPTURE(applied);
        auto config = plain_config();
        config.idempotence = config.idempotence_unset = true;
        if (!applied) config.safeguards.remove(Safeguard::idempotence_by_default);
        ProducerRig rig(config);

        rig.post(a0);
        if (applied) rig.answer_init(ErrorCode::none, 77, 0);

        REQUIRE(rig.sent.size() == 1);
        CHECK(rig.sent[0].request.parts[0].batch.producer_id.has_value() == applied);
        CHECK(rig.spared(Safeguard::idempotence_by_default) == !applied);
    }
}

TEST_CASE("an idempotence that was asked for does not hang on the default") {
    auto config = plain_config();
    config.idempotence = true;
    config.safeguards.remove(Safeguard::idempotence_by_default);
    ProducerRig rig(config);

    rig.post(a0);
    rig.answer_init(ErrorCode::none, 77, 0);

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].request.parts[0].batch.producer_id == ProducerId{77});
    CHECK_FALSE(rig.spared(Safeguard::idempotence_by_default));
}

TEST_CASE("after an expired retry the producer takes a new epoch") {
    auto config = plain_config();
    config.idempotence = true;
    config.delivery_timeout = seconds(1);
    ProducerRig rig(config);
    rig.run();
    rig.answer_init(ErrorCode::none);

    rig.post(a0);
    rig.connections_open = false;
    rig.cut({{1}, Producer::lane});
    rig.pass(seconds(1));
    rig.connections_open = true;
    rig.pass(seconds(15));
    rig.post(a0);

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].request.parts[0].batch.producer_epoch == ProducerEpoch{1});
    CHECK(rig.sent[0].request.parts[0].batch.base_sequence == Sequence{0});
    CHECK(rig.times(Mile::producer_epoch_bumped) == 1);
}

TEST_CASE("a batch that expires on its first sending leaves the epoch as it is") {
    auto config = plain_config();
    config.idempotence = true;
    config.delivery_timeout = seconds(1);
    ProducerRig rig(config);
    rig.run();
    rig.answer_init(ErrorCode::none);

    rig.post(a0);
    rig.pass(seconds(1));

    REQUIRE(rig.ended.size() == 1);
    CHECK(rig.times(Mile::producer_epoch_bumped) == 0);
}

TEST_CASE("without bump-after-expiry the number of the expired batch is used again") {
    auto config = plain_config();
    config.idempotence = true;
    config.delivery_timeout = seconds(1);
    config.safeguards.remove(Safeguard::bump_after_expiry);
    ProducerRig rig(config);
    rig.run();
    rig.answer_init(ErrorCode::none);

    rig.post(a0);
    rig.connections_open = false;
    rig.cut({{1}, Producer::lane});
    rig.pass(seconds(1));
    rig.connections_open = true;
    rig.pass(seconds(15));
    rig.post(a0);

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].request.parts[0].batch.producer_epoch == ProducerEpoch{0});
    CHECK(rig.sent[0].request.parts[0].batch.base_sequence == Sequence{0});
    CHECK(rig.spared(Safeguard::bump_after_expiry));
}

TEST_CASE("a fenced producer fails everything it has and takes nothing more") {
    auto config = plain_config();
    config.idempotence = true;
    ProducerRig rig(config);
    rig.run();
    rig.answer_init(ErrorCode::none);

    rig.post(a0);
    rig.post(a1);
    rig.answer(0, ErrorCode::producer_fenced);

    REQUIRE(rig.ended.size() == 2);
    CHECK(rig.ended[0].certainty == Certainty::not_done);
    CHECK(rig.ended[1].certainty == Certainty::ambiguous);
    CHECK(rig.producer.fatal());
    CHECK(rig.send(a0).kind == SendResult::Kind::refused);
    CHECK(rig.times(Mile::producer_fenced) == 1);
}

TEST_CASE("sequences wrap where the cluster's numbers end") {
    auto config = plain_config();
    config.idempotence = true;
    config.max_sequence = 2;
    ProducerRig rig(config);
    rig.run();
    rig.answer_init(ErrorCode::none);

    std::vector<std::int32_t> bases;
    for (std::int64_t i = 0; i < 5; ++i) {
        rig.post(a0);
        bases.push_back(rig.sent.at(0).request.parts[0].batch.base_sequence->value);
        rig.answer(0, ErrorCode::none, Offset{i});
    }

    CHECK(bases == std::vector<std::int32_t>{0, 1, 2, 0, 1});
}

// --- flush, close, value -------------------------------------------------------------------------

TEST_CASE("flush ends when everything that was incomplete at its call is final") {
    auto config = plain_config();
    config.linger = seconds(60);
    config.max_in_flight = 1;
    ProducerRig rig(config);

    rig.post(a0);
    rig.post(a1);
    rig.producer.flush();
    rig.run();
    rig.send(b0);  // behind the flush
    rig.answer(0, ErrorCode::none, Offset{0});
    const auto half = rig.count(Kind::flush_done);
    rig.answer(0, ErrorCode::invalid_record);
    const auto whole = rig.count(Kind::flush_done);

    CHECK(half == 0);
    CHECK(whole == 1);
    CHECK(rig.producer.open_sends() == 1);
}

TEST_CASE("a flush with nothing to wait for is done at once") {
    ProducerRig rig(plain_config());

    rig.producer.flush();

    CHECK(rig.count(Kind::flush_done) == 1);
}

TEST_CASE("close sends the rest before it closes, and takes nothing more") {
    auto config = plain_config();
    config.linger = seconds(60);
    ProducerRig rig(config);

    rig.post(a0);
    rig.producer.close();
    rig.run();
    const auto refused = rig.send(a0).kind;
    const bool closed_early = rig.producer.closed();
    rig.answer(0, ErrorCode::none, Offset{0});

    CHECK(refused == SendResult::Kind::refused);
    CHECK_FALSE(closed_early);
    CHECK(rig.producer.closed());
    CHECK(rig.count(Kind::closed) == 1);
    CHECK(rig.closed == 1);
}

TEST_CASE("a forced close fails what is on its way as ambiguous and what is not as not done") {
    auto config = plain_config();
    config.max_in_flight = 1;
    ProducerRig rig(config);

    rig.post(a0);
    rig.post(a0);
    rig.producer.force_close(rig.ctx(), rig.fx);
    rig.carry_out();

    REQUIRE(rig.ended.size() == 2);
    CHECK(rig.ended[0].certainty == Certainty::ambiguous);
    CHECK(rig.ended[1].certainty == Certainty::not_done);
    CHECK(rig.producer.closed());
}

TEST_CASE("all memory comes back when everything is over") {
    auto config = plain_config();
    config.batch_size = 161;
    ProducerRig rig(config);

    for (int i = 0; i < 3; ++i) rig.post(a0);
    (void)rig.producer.send_batch(rig.ctx(), a0, {{.id = {8}}, {.id = {9}}}, 100, rig.fx);
    rig.run();
    rig.answer(3, ErrorCode::message_too_large);
    while (!rig.sent.empty()) rig.answer(0, ErrorCode::none, Offset{0});

    CHECK(rig.producer.sender().accumulator().memory_free() == config.buffer_memory);
    CHECK(rig.producer.sender().batches().size() == 0);
}

TEST_CASE("equal producers told the same give equal effects and stay equal") {
    ProducerRig rig(plain_config());
    rig.post(a0);
    rig.answer(0, ErrorCode::not_enough_replicas);
    Producer copy = rig.producer;
    Fx there;
    Fx here;

    (void)copy.send(rig.ctx(), {1}, std::nullopt, {.id = {40}}, false, 100, there);
    copy.run_sender(rig.ctx(), there);
    (void)rig.producer.send(rig.ctx(), {1}, std::nullopt, {.id = {40}}, false, 100, here);
    rig.producer.run_sender(rig.ctx(), here);

    CHECK(copy == rig.producer);
    CHECK(sim::state_hash(copy) == sim::state_hash(rig.producer));
    CHECK(there.list().size() == here.list().size());
}
