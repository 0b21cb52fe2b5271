#include <doctest/doctest.h>

#include "sim/state_hash.hpp"
#include "tests/model/producer_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;
using sim::milliseconds;
using sim::seconds;

namespace {

constexpr ProducerCall pending{.kind = ProducerCall::Kind::pending};
constexpr GroupId group{3};

[[nodiscard]] ProducerConfig transactional(TransactionVersion version = TransactionVersion::tv1) {
    ProducerConfig config = plain_config();
    config.txid = TransactionalId{4};
    config.transaction_version = version;
    return config;
}

/// A transactional producer; its coordinator is broker 2, that of the group broker 1.
struct TxnRig : ProducerRig {
    explicit TxnRig(ProducerConfig config) : ProducerRig(std::move(config)) {}

    /// The one transactional request that waits for its answer, if it is one of these.
    template <class Request>
    [[nodiscard]] const Request* asks() const {
        return asked.empty() ? nullptr : std::get_if<Request>(&asked.front().message);
    }
    void tell(const Message& answer) {
        REQUIRE(!asked.empty());
        const auto [peer, correlation, request] = asked.front();
        asked.erase(asked.begin());
        producer.on_reply(ctx(), peer, correlation, answer, fx);
        run();
    }
    void find(ErrorCode error = ErrorCode::none) {
        const auto* request = asks<FindCoordinatorRequest>();
        REQUIRE(request);
        tell(FindCoordinatorResponse{.group = request->group,
                                     .error = error,
                                     .coordinator = BrokerId{request->group ? 1 : 2},
                                     .txid = request->txid});
        pass(milliseconds(100));  // what waited for it is sent as a retry
    }
    void add(ErrorCode error = ErrorCode::none) {
        const auto* request = asks<AddPartitionsToTxnRequest>();
        REQUIRE(request);
        AddPartitionsToTxnResponse answer;
        auto& entry = answer.entries.emplace_back();
        for (const auto log : request->entries.front().logs) entry.parts.push_back({log, error});
        tell(answer);
    }
    void end(ErrorCode error = ErrorCode::none, std::int16_t epoch = -1) {
        REQUIRE(asks<EndTxnRequest>());
        EndTxnResponse answer;
        answer.error = error;
        if (epoch >= 0) answer.producer_id = {5};
        answer.producer_epoch = {epoch};
        tell(answer);
    }
    void initialise() {
        CHECK(producer.init_transactions(ctx(), fx) == pending);
        run();
        find();
        tell(InitProducerIdResponse{
            .error = ErrorCode::none, .producer_id = {5}, .producer_epoch = {0}, .txid = {}});
        CHECK(returned() == ErrorCode::none);
    }
    void begin() { CHECK(producer.begin_transaction(ctx(), fx) == ProducerCall{}); }
    void begun() {
        initialise();
        begin();
    }
    /// Sends to a partition that is not part of the transaction, up to the Produce request.
    void write(LogId log) {
        post(log);
        if (settings->transaction_version < TransactionVersion::tv2) add();
    }
    ProducerCall commit() {
        const auto call = producer.commit_transaction(ctx(), fx);
        run();
        return call;
    }
    ProducerCall abort() {
        const auto call = producer.abort_transaction(ctx(), fx);
        run();
        return call;
    }
    /// What the pending call returned; none: nothing yet.
    [[nodiscard]] std::optional<ErrorCode> returned() {
        std::optional<ErrorCode> result;
        for (const auto& event : events())
            if (event.kind == ProducerEvent::Kind::call_done) result = event.error;
        return result;
    }
    template <class O>
    [[nodiscard]] std::vector<O> observed() const {
        std::vector<O> list;
        for (const auto& observation : history)
            if (const auto* one = std::get_if<O>(&observation)) list.push_back(*one);
        return list;
    }
    [[nodiscard]] std::vector<std::int64_t> reported() const {
        std::vector<std::int64_t> results;
        for (const auto& mile : reached)
            if (mile.kind == number(Mile::txn_reported))
                results.push_back(mile.facts.find(number(Fact::result)).value());
        return results;
    }
};

constexpr auto unknown = static_cast<std::int64_t>(TxnResult::unknown);

}  // namespace

// --- the way of a transaction --------------------------------------------------------------------

TEST_CASE("before TV2 a partition is added before its first batch is sent") {
    TxnRig rig(transactional());
    rig.begun();

    rig.post(a0);
    const auto* add = rig.asks<AddPartitionsToTxnRequest>();
    REQUIRE(add);
    const auto logs = add->entries.front().logs;
    const auto sent_before = rig.sent.size();
    rig.add();

    CHECK(logs == std::vector<LogId>{a0});
    CHECK(sent_before == 0);
    REQUIRE(rig.sent.size() == 1);
    const Batch& batch = rig.sent[0].request.parts[0].batch;
    CHECK(batch.transactional);
    CHECK(batch.txn == TxnRef{{{0}, 0}, 1});
    CHECK(rig.sent[0].request.txid == TransactionalId{4});
}

TEST_CASE("under TV2 nothing is added, and the next transaction has the epoch EndTxn gave it") {
    TxnRig rig(transactional(TransactionVersion::tv2));
    rig.begun();

    rig.post(a0);
    REQUIRE(rig.sent.size() == 1);
    rig.answer(0, ErrorCode::none, Offset{0});
    CHECK(rig.commit() == pending);
    const auto asked_for = rig.asks<EndTxnRequest>()->version;
    rig.end(ErrorCode::none, 1);
    rig.begin();
    rig.post(a0);

    CHECK(asked_for == TransactionVersion::tv2);
    CHECK(rig.sent.at(0).request.parts[0].batch.producer_epoch == ProducerEpoch{1});
    CHECK(rig.sent.at(0).request.parts[0].batch.base_sequence == Sequence{0});
}

TEST_CASE("a transaction and its end are told to history, and counted over all lives") {
    ProducerConfig config = transactional();
    TxnRig rig(config);
    rig.producer = Producer(rig.topology, rig.settings, ProcessId{{0}, 0}, 0, 7, 41);
    rig.producer.tell(ProducerRig::leaders());
    rig.begun();
    const TxnRef txn{{{0}, 0}, 42};

    const auto current = rig.producer.current_transaction();
    rig.write(a0);
    rig.answer(0, ErrorCode::none, Offset{0});
    rig.commit();
    rig.end();

    CHECK(current == txn);
    CHECK(rig.producer.transactions_begun() == 42);
    CHECK_FALSE(rig.producer.current_transaction());
    REQUIRE(rig.observed<TxnBegan>().size() == 1);
    CHECK(rig.observed<TxnBegan>()[0].txn == txn);
    CHECK(rig.observed<TxnInitialised>().at(0).error == ErrorCode::none);
    CHECK(rig.observed<SendInvoked>().at(0).txn == txn);
    CHECK(rig.observed<SendDone>().at(0).txn == txn);
    CHECK(rig.observed<TxnEndInvoked>().at(0).result == ControlType::commit);
    CHECK(rig.observed<TxnEndReturned>().at(0).certainty == Certainty::done);
    CHECK(rig.reported() ==
          std::vector<std::int64_t>{static_cast<std::int64_t>(TxnResult::commit)});
    REQUIRE(rig.declared.size() == 1);
    CHECK(rig.declared[0].role == role(Role::holder, 4));
    // Who held the id before is its zombie from now on.
    CHECK(rig.declared[0].former == role(Role::zombie, 4));
}

TEST_CASE("while a transactional request is on its way no batch is sent") {
    TxnRig rig(transactional());
    rig.begun();
    rig.write(a0);
    rig.answer(0, ErrorCode::none, Offset{0});

    rig.post(a1);
    rig.post(a0);
    const auto sent_meanwhile = rig.sent.size();
    rig.add();

    CHECK(sent_meanwhile == 0);
    CHECK(rig.sent.size() == 2);
}

TEST_CASE("offsets are added and then given to the group's coordinator") {
    TxnRig rig(transactional());
    rig.begun();

    const auto call =
        rig.producer.send_offsets(rig.ctx(), group, {}, {{a0, Offset{9}, {}}}, rig.fx);
    rig.run();
    REQUIRE(rig.asks<AddOffsetsToTxnRequest>());
    rig.tell(AddOffsetsToTxnResponse{.who = {}, .group = group});
    rig.find();
    const auto* offsets = rig.asks<TxnOffsetCommitRequest>();
    REQUIRE(offsets);
    const auto node = rig.asked.front().peer.node;
    const auto parts = offsets->parts;
    TxnOffsetCommitResponse done;
    done.parts.push_back({.log = a0, .error = ErrorCode::none});
    rig.tell(done);

    CHECK(call == pending);
    CHECK(node == BrokerId{1});
    CHECK(parts.at(0).offset == Offset{9});
    CHECK(rig.returned() == ErrorCode::none);
    CHECK(rig.observed<TxnOffsetsSent>().at(0).offset == Offset{9});
}

TEST_CASE("enrol adds a partition without writing, under TV2 as well") {
    for (const auto version : {TransactionVersion::tv1, TransactionVersion::tv2}) {
        CAPTURE(static_cast<int>(version));
        TxnRig rig(transactional(version));
        rig.begun();

        const auto call = rig.producer.enrol(rig.ctx(), a1, rig.fx);
        rig.run();
        rig.add();
        const auto returned = rig.returned();
        rig.commit();

        CHECK(call == pending);
        CHECK(returned == ErrorCode::none);
        CHECK(rig.sent.empty());
        CHECK(rig.asks<EndTxnRequest>());
    }
}

// --- what EndTxn waits for -----------------------------------------------------------------------

TEST_CASE("EndTxn waits until every batch is final") {
    TxnRig rig(transactional());
    rig.begun();
    rig.write(a0);

    rig.commit();
    const bool early = rig.asks<EndTxnRequest>();
    rig.answer(0, ErrorCode::none, Offset{0});

    CHECK_FALSE(early);
    CHECK(rig.asks<EndTxnRequest>());
}

TEST_CASE("without flush-before-end EndTxn overtakes a batch that is on its way") {
    ProducerConfig config = transactional();
    config.safeguards.remove(Safeguard::flush_before_end);
    TxnRig rig(config);
    rig.begun();
    rig.write(a0);

    rig.commit();

    CHECK(rig.asks<EndTxnRequest>());
    CHECK(rig.sent.size() == 1);
    CHECK(rig.spared(Safeguard::flush_before_end));
}

TEST_CASE("a failed batch leaves nothing but the abort") {
    TxnRig rig(transactional());
    rig.begun();
    rig.write(a0);

    rig.answer(0, ErrorCode::invalid_record);
    const auto commit = rig.commit();
    const bool must_abort = rig.producer.must_abort();
    const auto refused_end = rig.observed<TxnEndReturned>();
    rig.abort();

    CHECK(commit.kind == ProducerCall::Kind::refused);
    CHECK(commit.error == ErrorCode::invalid_record);
    CHECK(must_abort);
    REQUIRE(refused_end.size() == 1);
    CHECK(refused_end[0].certainty == Certainty::not_done);
    REQUIRE(rig.asks<EndTxnRequest>());
    CHECK(rig.asks<EndTxnRequest>()->result == ControlType::abort);
}

TEST_CASE("without failed-batch-aborts the transaction commits what is left") {
    ProducerConfig config = transactional();
    config.safeguards.remove(Safeguard::failed_batch_aborts);
    TxnRig rig(config);
    rig.begun();
    rig.write(a0);

    rig.answer(0, ErrorCode::invalid_record);
    rig.commit();

    REQUIRE(rig.asks<EndTxnRequest>());
    CHECK(rig.asks<EndTxnRequest>()->result == ControlType::commit);
    CHECK(rig.spared(Safeguard::failed_batch_aborts));
}

TEST_CASE("an abort drops what was not sent yet, certainly") {
    TxnRig rig(transactional());
    rig.begun();
    rig.post(a0);

    rig.abort();
    rig.add();

    CHECK(rig.sent.empty());
    REQUIRE(rig.ended.size() == 1);
    CHECK(rig.ended[0].error == ErrorCode::transaction_aborted);
    CHECK(rig.ended[0].certainty == Certainty::not_done);
    CHECK(rig.asks<EndTxnRequest>());
}

TEST_CASE("a late answer about an expired batch changes nothing more") {
    ProducerConfig config = transactional();
    config.delivery_timeout = seconds(2);
    TxnRig rig(config);
    rig.begun();
    rig.write(a0);

    rig.pass(seconds(3));
    const auto before = rig.producer.sender().last_error();
    rig.answer(0, ErrorCode::producer_fenced);

    CHECK(before == ErrorCode::request_timed_out);
    CHECK(rig.producer.sender().last_error() == ErrorCode::request_timed_out);
    CHECK(rig.producer.must_abort());
}

TEST_CASE("send is refused outside a transaction and leaves nothing behind") {
    TxnRig rig(transactional());
    rig.initialise();

    const auto early = rig.post(a0);
    rig.begin();
    const auto good = rig.post(a0);

    CHECK(early.kind == SendResult::Kind::refused);
    CHECK(early.error == ErrorCode::illegal_state);
    CHECK(good.kind == SendResult::Kind::taken);
    CHECK(rig.producer.open_sends() == 1);
}

TEST_CASE("a record too large for any request makes the transaction abort") {
    ProducerConfig config = transactional();
    config.max_request_size = 500;
    TxnRig rig(config);
    rig.begun();

    const auto result = rig.post(a0, 500);

    CHECK(result.error == ErrorCode::message_too_large);
    CHECK(rig.producer.must_abort());
}

// --- calls that take long ------------------------------------------------------------------------

TEST_CASE("a commit that times out may only be repeated, and then tells how it ended") {
    TxnRig rig(transactional());
    rig.begun();
    rig.write(a0);
    rig.answer(0, ErrorCode::none, Offset{0});
    rig.commit();
    for (int i = 0; i < 3; ++i) {  // the coordinator is slow, not gone
        rig.pass(seconds(20));
        if (rig.asks<EndTxnRequest>() && i < 2) rig.end(ErrorCode::coordinator_load_in_progress);
    }

    const auto timed_out = rig.returned();
    const auto abort = rig.abort();
    const auto send = rig.post(a0);
    rig.pass(seconds(1));
    rig.end();
    const auto unasked = rig.returned();
    const auto again = rig.commit();

    CHECK(timed_out == ErrorCode::request_timed_out);
    CHECK(abort.error == ErrorCode::illegal_state);
    CHECK(send.error == ErrorCode::illegal_state);
    CHECK_FALSE(unasked);
    CHECK(again == ProducerCall{});
    const auto told = rig.observed<TxnEndReturned>();
    REQUIRE(told.size() == 3);
    CHECK(told[0].certainty == Certainty::ambiguous);
    CHECK(told[1].certainty == Certainty::not_done);  // the abort
    CHECK(told[2].certainty == Certainty::done);
    CHECK(rig.reported().front() == unknown);
}

TEST_CASE("a fenced commit is certain only if no EndTxn was lost before") {
    for (const bool lost : {false, true}) {
        CAPTURE(lost);
        TxnRig rig(transactional());
        rig.begun();
        rig.write(a0);
        rig.answer(0, ErrorCode::none, Offset{0});
        rig.commit();
        if (lost) {
            rig.cut({{2}, 0});
            rig.find();
            rig.pass(milliseconds(100));  // the connection had to wait as well
        }
        REQUIRE(rig.asks<EndTxnRequest>());

        const auto attempt = rig.asks<EndTxnRequest>()->attempt;
        rig.end(ErrorCode::producer_fenced);

        CHECK(attempt == (lost ? 2 : 1));
        REQUIRE(rig.observed<TxnEndReturned>().size() == 1);
        CHECK(rig.observed<TxnEndReturned>()[0].certainty ==
              (lost ? Certainty::ambiguous : Certainty::not_done));
        CHECK(rig.producer.fatal());
        CHECK(rig.observed<Fenced>().size() == 1);
        CHECK(rig.times(Mile::producer_fenced) == 1);
    }
}

TEST_CASE("the first add of a transaction is repeated after 20 ms, everything else after 100") {
    TxnRig rig(transactional());
    rig.begun();
    rig.post(a0);

    rig.add(ErrorCode::concurrent_transactions);
    rig.pass(milliseconds(19));
    const bool early = !rig.asked.empty();
    rig.pass(milliseconds(1));
    REQUIRE(rig.asks<AddPartitionsToTxnRequest>());
    const auto attempt = rig.asks<AddPartitionsToTxnRequest>()->attempt;
    rig.add(ErrorCode::coordinator_load_in_progress);
    rig.pass(milliseconds(99));
    const bool early_again = !rig.asked.empty();
    rig.pass(milliseconds(1));

    CHECK_FALSE(early);
    CHECK(attempt == 2);
    CHECK_FALSE(early_again);
    CHECK(rig.asks<AddPartitionsToTxnRequest>());
}

TEST_CASE("a coordinator that refuses connections is looked up again") {
    TxnRig rig(transactional());
    rig.begun();
    rig.write(a0);
    rig.answer(0, ErrorCode::none, Offset{0});
    rig.cut({{2}, 0});
    rig.pass(milliseconds(60));
    rig.connections_open = false;

    rig.post(a1);
    const bool asked_before = !rig.asked.empty();
    rig.producer.on_link(rig.ctx(), {{2}, 0}, sim::LinkEvent::refused, rig.fx);
    rig.run();

    CHECK_FALSE(asked_before);
    CHECK(rig.asks<FindCoordinatorRequest>());
}

// --- leaving -------------------------------------------------------------------------------------

TEST_CASE("close aborts the open transaction first") {
    TxnRig rig(transactional());
    rig.begun();
    rig.write(a0);
    rig.answer(0, ErrorCode::none, Offset{0});

    rig.producer.close();
    rig.run();
    REQUIRE(rig.asks<EndTxnRequest>());
    const auto result = rig.asks<EndTxnRequest>()->result;
    const bool closed_before = rig.producer.closed();
    rig.end();

    CHECK(result == ControlType::abort);
    CHECK_FALSE(closed_before);
    CHECK(rig.producer.closed());
}

TEST_CASE("a forced close leaves open how a commit on its way ends") {
    TxnRig rig(transactional());
    rig.begun();
    rig.write(a0);
    rig.answer(0, ErrorCode::none, Offset{0});
    rig.commit();

    rig.producer.force_close(rig.ctx(), rig.fx);
    rig.carry_out();

    REQUIRE(rig.observed<TxnEndReturned>().size() == 1);
    CHECK(rig.observed<TxnEndReturned>()[0].certainty == Certainty::ambiguous);
    CHECK(rig.reported() == std::vector<std::int64_t>{unknown});
}

TEST_CASE("a copied transactional producer goes on exactly like the original") {
    TxnRig rig(transactional());
    rig.begun();
    rig.post(a0);

    TxnRig other = rig;
    rig.add();
    other.add();

    CHECK(rig.producer == other.producer);
    CHECK(sim::state_hash(rig.producer) == sim::state_hash(other.producer));
}
