#include "model/transaction_metadata.hpp"

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::model;

namespace {

constexpr TransactionalId id{0};

struct Desk {
    ClusterConfig config;
    Guard guard;
    ProducerIdPool ids;
    sim::Instant wall = sim::time_zero + sim::seconds(100);

    Desk() { ids.refill({500}, 10); }
    [[nodiscard]] TransitStep step() { return {config, guard, ids, wall}; }
    void without(Safeguard safeguard) { guard.set.remove(safeguard); }
};

TransactionMetadata in(TxnState state, std::int16_t epoch = 5,
                       std::optional<TxnState> pending = std::nullopt) {
    TransactionRecord known;
    known.txid = id;
    known.producer_id = {7};
    known.epoch = {epoch};
    known.timeout = sim::seconds(60);
    known.state = state;
    if (state == TxnState::ongoing) known.logs = {{1}, {2}};
    return TransactionMetadata(known, pending);
}
EndTxnRequest ends(ControlType result, std::int16_t epoch, TransactionVersion version) {
    return {.who = {id, {7}, {epoch}, {}}, .result = result, .version = version};
}
constexpr auto commit = ControlType::commit;
constexpr auto abort_it = ControlType::abort;
constexpr auto tv0 = TransactionVersion::tv0;
constexpr auto tv2 = TransactionVersion::tv2;

}  // namespace

TEST_CASE("a state follows only those that may come before it") {
    struct Row {
        TxnState to;
        std::vector<TxnState> from;
    };
    using enum TxnState;
    const std::vector<Row> rows{
        {empty, {empty, complete_commit, complete_abort}},
        {ongoing, {empty, ongoing, complete_commit, complete_abort}},
        {prepare_commit, {ongoing}},
        {prepare_abort, {ongoing, prepare_epoch_fence, empty, complete_commit, complete_abort}},
        {complete_commit, {prepare_commit}},
        {complete_abort, {prepare_abort}},
        {dead, {empty, complete_commit, complete_abort}},
        {prepare_epoch_fence, {ongoing}},
    };

    for (const auto& row : rows)
        for (int i = 0; i <= static_cast<int>(prepare_epoch_fence); ++i) {
            const auto from = static_cast<TxnState>(i);
            const bool listed = std::find(row.from.begin(), row.from.end(), from) != row.from.end();
            CAPTURE(name(row.to));
            CAPTURE(name(from));
            CHECK(may_follow(row.to, from) == listed);
        }
}

TEST_CASE("under TV2 an id at rest answers an end by its epoch") {
    struct Row {
        TxnState state;
        ControlType result;
        bool retry;
        ErrorCode error;
        bool raises;
    };
    using enum TxnState;
    const std::vector<Row> rows{
        {empty, abort_it, true, ErrorCode::producer_fenced, false},
        {empty, abort_it, false, ErrorCode::none, true},
        {empty, commit, true, ErrorCode::producer_fenced, false},
        {empty, commit, false, ErrorCode::invalid_txn_state, false},
        {complete_abort, abort_it, true, ErrorCode::none, false},
        {complete_abort, abort_it, false, ErrorCode::none, true},
        {complete_abort, commit, true, ErrorCode::invalid_txn_state, false},
        {complete_abort, commit, false, ErrorCode::invalid_txn_state, false},
        {complete_commit, abort_it, true, ErrorCode::invalid_txn_state, false},
        {complete_commit, abort_it, false, ErrorCode::none, true},
        {complete_commit, commit, true, ErrorCode::none, false},
        {complete_commit, commit, false, ErrorCode::invalid_txn_state, false},
    };

    for (const auto& row : rows) {
        Desk desk;
        auto metadata = in(row.state);
        const std::int16_t epoch = row.retry ? 4 : 5;
        const auto answer = metadata.end(desk.step(), ends(row.result, epoch, tv2));
        CAPTURE(name(row.state));
        CAPTURE(row.retry);
        CHECK(answer.error == row.error);
        CHECK(answer.record.has_value() == row.raises);
        if (answer.record) CHECK(answer.record->epoch == ProducerEpoch{6});
    }
}

TEST_CASE("nothing is true before it is applied, and a failure leaves no trace") {
    Desk desk;
    auto metadata = in(TxnState::ongoing);
    const auto before = metadata;

    const auto asked = metadata.end(desk.step(), ends(commit, 5, tv0));

    REQUIRE(asked.record);
    CHECK(metadata.now() == before.now());
    CHECK(metadata.pending() == TxnState::prepare_commit);
    metadata.fail(desk.guard, false);
    CHECK(metadata == before);
}

TEST_CASE("a client may not end a transaction in an epoch above its own") {
    for (const auto version : {tv0, tv2}) {
        Desk desk;
        auto guarded = in(TxnState::ongoing);
        CHECK(guarded.end(desk.step(), ends(commit, 6, version)).error ==
              ErrorCode::producer_fenced);

        desk.without(Safeguard::end_txn_epoch_equality);
        auto bare = in(TxnState::ongoing);
        CHECK(bare.end(desk.step(), ends(commit, 6, version)).record);
        CHECK(desk.guard.spared.has(Safeguard::end_txn_epoch_equality));
    }
}

TEST_CASE("who comes during a change is told to wait, even with another epoch") {
    Desk desk;
    auto metadata = in(TxnState::ongoing, 5, TxnState::prepare_commit);
    const TxnIdentity stranger{id, {7}, {4}, {}};

    CHECK(metadata.end(desk.step(), ends(commit, 4, tv2)).error ==
          ErrorCode::concurrent_transactions);
    CHECK(metadata.add(desk.step(), stranger, {{3}}, tv0).error ==
          ErrorCode::concurrent_transactions);

    desk.without(Safeguard::pending_before_epoch);
    CHECK(metadata.end(desk.step(), ends(commit, 4, tv2)).error == ErrorCode::producer_fenced);
    CHECK(metadata.add(desk.step(), stranger, {{3}}, tv0).error == ErrorCode::producer_fenced);
    CHECK(desk.guard.spared.has(Safeguard::pending_before_epoch));
}

TEST_CASE("under TV2 a fence raises the epoch once, and rotates an id that is used up") {
    Desk desk;
    auto metadata = in(TxnState::ongoing);
    const auto fence = metadata.fence(desk.step(), true);
    REQUIRE(fence.record);
    CHECK(fence.record->epoch == ProducerEpoch{6});
    CHECK_FALSE(fence.raised_early);
    CHECK(metadata.now().epoch == ProducerEpoch{5});

    auto last = in(TxnState::ongoing, 32766);
    const auto rotation = last.fence(desk.step(), true);
    REQUIRE(rotation.record);
    CHECK(rotation.record->epoch == ProducerEpoch{32767});
    CHECK(rotation.record->next_producer_id == ProducerId{500});
}

TEST_CASE("a fence that raises twice runs out of epochs") {
    Desk desk;
    desk.without(Safeguard::single_bump_on_fence);

    auto metadata = in(TxnState::ongoing);
    CHECK(metadata.fence(desk.step(), true).record->epoch == ProducerEpoch{7});
    auto last = in(TxnState::ongoing, 32766);
    CHECK(last.fence(desk.step(), true).error == ErrorCode::unknown_server_error);
    CHECK(desk.guard.spared.has(Safeguard::single_bump_on_fence));
}

TEST_CASE("before TV2 a fence that could not be written keeps its epoch for the next") {
    for (const bool remembers : {true, false}) {
        Desk desk;
        desk.config.transaction_version = tv0;
        if (!remembers) desk.without(Safeguard::remembers_failed_fence);
        auto metadata = in(TxnState::ongoing);

        const auto first = metadata.fence(desk.step(), true);
        metadata.fail(desk.guard, first.raised_early);
        const auto second = metadata.fence(desk.step(), true);

        CHECK(first.record->epoch == ProducerEpoch{6});
        CHECK(second.record->epoch == ProducerEpoch{static_cast<std::int16_t>(remembers ? 6 : 7)});
        CHECK(desk.guard.spared.has(Safeguard::remembers_failed_fence) == !remembers);
    }
}

TEST_CASE("when the epochs are used up the transaction ends in the name of the next id") {
    Desk desk;
    auto metadata = in(TxnState::ongoing, 32766);

    const auto prepared = metadata.end(desk.step(), ends(commit, 32766, tv2));
    metadata.apply(*prepared.record);
    metadata.apply(metadata.complete(desk.step()));

    CHECK(metadata.now().producer_id == ProducerId{500});
    CHECK(metadata.now().epoch == ProducerEpoch{0});
    CHECK(metadata.now().previous_producer_id == ProducerId{7});
    // END-9: the answer was lost, the client asks again as it knew itself.
    const auto again = metadata.end(desk.step(), ends(commit, 32766, tv2));
    CHECK(again.error == ErrorCode::none);
    CHECK_FALSE(again.record);
}

TEST_CASE("without a producer id at hand nothing changes that needs one") {
    Desk desk;
    desk.ids = {};
    auto metadata = in(TxnState::ongoing, 32766);

    const auto answer = metadata.end(desk.step(), ends(commit, 32766, tv2));

    CHECK(answer.error == ErrorCode::coordinator_load_in_progress);
    CHECK_FALSE(metadata.pending());
}

TEST_CASE("a second add keeps the start of the transaction") {
    Desk desk;
    auto metadata = in(TxnState::empty);
    const TxnIdentity who{id, {7}, {5}, TxnRef{{{0}, 0}, 3}};
    metadata.apply(*metadata.add(desk.step(), who, {{2}}, tv0).record);
    const auto start = desk.wall;
    desk.wall += sim::seconds(5);

    metadata.apply(*metadata.add(desk.step(), who, {{1}, {2}}, tv0).record);

    CHECK(metadata.now().start == start);
    CHECK(metadata.now().last_update == desk.wall);
    CHECK(metadata.now().logs == std::vector<LogId>{{1}, {2}});
    CHECK(metadata.now().txn == who.txn);
    CHECK_FALSE(metadata.add(desk.step(), who, {{1}}, tv0).record);
}
