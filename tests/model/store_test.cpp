// A sql store: transactions, unique keys, lock waits, prepared transactions, crashes.

#include "tests/model/store_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

TEST_CASE("effects are durable when their transaction commits, and not before") {
    StoreRig rig;

    rig.begin_write(1, {row(0), row(1)});
    CHECK(rig.applied().empty());
    const auto end = rig.commit(1);

    CHECK(rig.error(end) == ErrorCode::none);
    CHECK(rig.applied().size() == 2);
    CHECK(rig.reached(Mile::store_committed) == 1);
    CHECK(rig.store->open_transactions() == 0);
}

TEST_CASE("a crash takes open transactions and keeps committed rows") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    rig.commit(1);
    rig.begin_write(2, {row(1, 8)});

    rig.crash();
    const auto lost = rig.commit(2);
    const auto again = rig.begin_write(3, {row(0, 7), row(1, 8)});

    CHECK(rig.error(lost) == ErrorCode::no_active_transaction);
    CHECK(rig.answer(again)->fresh == std::vector<std::uint8_t>{0, 1});
}

TEST_CASE("a wiped disk says so, and knows nothing any more") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    rig.commit(1);

    rig.crash({.wipe = true});
    const auto again = rig.begin_write(2, {row(0, 7)});

    CHECK(rig.answer(again)->fresh == std::vector<std::uint8_t>{1});
}

TEST_CASE("a second insert of a committed key is seen and does nothing") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    rig.commit(1);

    const auto again = rig.begin_write(1, {row(0, 7)});
    rig.commit(1);

    CHECK(rig.answer(again)->fresh == std::vector<std::uint8_t>{0});
    CHECK(rig.applied().size() == 1);
    CHECK(rig.reached(Mile::store_duplicate_seen) == 1);
}

TEST_CASE("a key that stands twice in one statement is inserted once") {
    StoreRig rig;

    rig.begin_write(1, {row(0, 7), row(1, 7)});
    rig.commit(1);

    CHECK(rig.applied().size() == 1);
}

TEST_CASE("where a duplicate is an error it rolls everything back") {
    StoreConfig settings;
    settings.on_duplicate = OnDuplicate::error;
    StoreRig rig(settings);
    rig.begin_write(1, {row(0, 7)});
    rig.commit(1);

    const auto again = rig.begin_write(1, {row(1, 8), row(0, 7)});

    CHECK(rig.error(again) == ErrorCode::unique_violation);
    CHECK(rig.error(rig.commit(1)) == ErrorCode::no_active_transaction);
    CHECK(rig.applied().size() == 1);
}

TEST_CASE("a second insert of an uncommitted key waits for the first transaction") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});

    const auto second = rig.begin_write(2, {row(0, 7)}, EffectKind::insert, writer1);
    CHECK_FALSE(rig.answer(second));

    SUBCASE("that commits: the key is known") {
        rig.commit(1);
        CHECK(rig.answer(second)->fresh == std::vector<std::uint8_t>{0});
    }
    SUBCASE("that is rolled back: the key is free") {
        StoreRequest request;
        request.statement = Statement::rollback;
        rig.ask(1, request);
        CHECK(rig.answer(second)->fresh == std::vector<std::uint8_t>{1});
    }
    SUBCASE("that makes no statement for five seconds: the key is free") {
        rig.ring(Tick::store_idle);
        CHECK(rig.answer(second)->fresh == std::vector<std::uint8_t>{1});
        CHECK(rig.error(rig.commit(1)) == ErrorCode::no_active_transaction);
    }
    SUBCASE("that takes too long: an error") {
        rig.ring(Tick::store_lock);
        CHECK(rig.error(second) == ErrorCode::lock_not_available);
        CHECK(rig.error(rig.commit(1)) == ErrorCode::none);
    }
}

TEST_CASE("two transactions that wait for each other: one is given up") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    rig.begin_write(2, {row(1, 8)}, EffectKind::insert, writer1);
    StoreRequest more;
    more.rows = {row(1, 8)};
    const auto first = rig.ask(1, more);
    more.rows = {row(0, 7)};

    const auto second = rig.ask(2, more, writer1);

    CHECK(rig.error(second) == ErrorCode::deadlock_detected);
    CHECK(rig.answer(first)->fresh == std::vector<std::uint8_t>{1});
}

TEST_CASE("adding to the row of a key waits for who adds there") {
    StoreRig rig;
    rig.begin_write(1, {row(0, {}, 5)}, EffectKind::add);

    const auto same = rig.begin_write(2, {row(1, {}, 5)}, EffectKind::add, writer1);
    const auto other = rig.begin_write(3, {row(2, {}, 6)}, EffectKind::add, writer1);

    CHECK_FALSE(rig.answer(same));
    CHECK(rig.answer(other));
    rig.commit(1);
    CHECK(rig.answer(same));
}

TEST_CASE("BEGIN gives up what the session had open") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});

    const auto again = rig.begin_write(1, {row(0, 7)});

    CHECK(rig.answer(again)->fresh == std::vector<std::uint8_t>{1});
    CHECK(rig.store->open_transactions() == 1);
}

TEST_CASE("a client that comes over a new connection has closed the one before") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    StoreRequest again;
    again.begins = again.opens = true;
    again.rows = {row(0, 7)};

    SUBCASE("behind all it had sent: the transaction is given up") {
        again.sent_before = 1;
        const auto second = rig.ask(2, again);
        CHECK(rig.answer(second)->fresh == std::vector<std::uint8_t>{1});
    }
    SUBCASE("behind a commit that is still on its way") {
        again.sent_before = 2;
        const auto second = rig.ask(2, again);
        CHECK_FALSE(rig.answer(second));
        rig.commit(1);
        CHECK(rig.answer(second)->fresh == std::vector<std::uint8_t>{0});
        CHECK(rig.applied().size() == 1);
    }
    SUBCASE("because it died") {
        const auto second = rig.ask(2, again);
        CHECK(rig.answer(second)->fresh == std::vector<std::uint8_t>{1});
    }
}

TEST_CASE("calls that are given up while they wait do not keep their successors from the lock") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    StoreRequest again;
    again.begins = again.opens = true;
    again.rows = {row(0, 7)};
    again.sent_before = 2;
    rig.ask(2, again);
    again.sent_before = 1;
    const auto third = rig.ask(3, again);

    rig.commit(1);

    CHECK(rig.answer(third)->fresh == std::vector<std::uint8_t>{0});
    CHECK(rig.store->open_transactions() == 1);
}

TEST_CASE("an identity is forgotten after its time") {
    StoreConfig settings;
    settings.remember = seconds(10);
    StoreRig rig(settings);
    rig.begin_write(1, {row(0, 7)});
    rig.commit(1);

    rig.now += seconds(9);
    const auto known = rig.begin_write(1, {row(0, 7)});
    rig.now += seconds(1);
    const auto forgotten = rig.begin_write(1, {row(0, 7)});

    CHECK(rig.answer(known)->fresh == std::vector<std::uint8_t>{0});
    CHECK(rig.answer(forgotten)->fresh == std::vector<std::uint8_t>{1});
    CHECK(rig.reached(Mile::store_key_expired) == 1);
}

TEST_CASE("put-if-newer is refused by a greater offset, put is not") {
    StoreRig rig;
    for (const auto effect : {EffectKind::put, EffectKind::put_if_newer}) {
        rig.begin_write(1, {row(5, {}, 1)}, effect);
        rig.commit(1);
        rig.begin_write(1, {row(3, {}, 1)}, effect);
        rig.commit(1);
    }

    const auto applied = rig.applied();
    REQUIRE(applied.size() == 4);
    CHECK(applied[1].kept);
    CHECK(applied[2].kept);
    CHECK_FALSE(applied[3].kept);
}

// --- offsets, tokens
// ------------------------------------------------------------------------------

namespace {

StoreRequest offset_at(std::int64_t offset, std::optional<std::int32_t> token = {}) {
    StoreRequest request;
    request.statement = Statement::write_offset;
    request.begins = true;
    request.parts = {{orders, {offset}}};
    if (token) request.token = Generation{*token};
    return request;
}

std::optional<Offset> stored_offset(StoreRig& rig) {
    StoreRequest request;
    request.statement = Statement::read_offset;
    request.parts = {{orders, {}}};
    const auto parts = rig.answer(rig.ask(99, request))->parts;
    if (parts.empty()) return std::nullopt;
    return parts.front().offset;
}

}  // namespace

TEST_CASE("an offset is read when it is committed") {
    StoreRig rig;
    CHECK_FALSE(stored_offset(rig));

    rig.ask(1, offset_at(10));
    rig.commit(1);

    CHECK(stored_offset(rig) == Offset{10});
}

TEST_CASE("an older fencing token is refused, and rolls back") {
    StoreRig rig;
    StoreRequest fence;
    fence.statement = Statement::fence;
    fence.alone = true;
    fence.token = Generation{5};
    fence.parts = {{orders, {}}};
    rig.ask(1, fence, writer1);

    const auto late = rig.ask(2, offset_at(10, 4));
    const auto own = rig.ask(3, offset_at(20, 5), writer1);

    CHECK(rig.error(late) == ErrorCode::stale_fencing_token);
    CHECK(rig.error(own) == ErrorCode::none);
    rig.commit(3, writer1);
    CHECK(stored_offset(rig) == Offset{20});
}

TEST_CASE("a new owner's token waits for the old one's transaction") {
    StoreRig rig;
    rig.ask(1, offset_at(10, 4));
    StoreRequest fence;
    fence.statement = Statement::fence;
    fence.alone = true;
    fence.token = Generation{5};
    fence.parts = {{orders, {}}};

    const auto waits = rig.ask(2, fence, writer1);
    CHECK_FALSE(rig.answer(waits));
    rig.commit(1);

    CHECK(rig.error(waits) == ErrorCode::none);
    CHECK(stored_offset(rig) == Offset{10});
}

// --- prepared transactions
// ------------------------------------------------------------------------

namespace {

constexpr TransactionName one{writer0, 1};

StoreRequest prepare_one() {
    StoreRequest request;
    request.statement = Statement::prepare;
    request.name = one;
    request.parts = {{orders, {1}}};
    return request;
}
StoreRequest decide_one(bool commits) {
    StoreRequest request;
    request.statement = Statement::decide;
    request.name = one;
    request.commits = commits;
    return request;
}

}  // namespace

TEST_CASE("what is prepared survives a crash with its locks, and anybody may decide it") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    rig.ask(1, prepare_one());
    rig.crash();

    const auto waits = rig.begin_write(2, {row(0, 7)}, EffectKind::insert, writer1);
    CHECK_FALSE(rig.answer(waits));
    CHECK(rig.applied().empty());
    const auto decided = rig.ask(3, decide_one(true), writer1);

    CHECK(rig.error(decided) == ErrorCode::none);
    CHECK(rig.applied().size() == 1);
    CHECK(rig.answer(waits)->fresh == std::vector<std::uint8_t>{0});
    CHECK(rig.error(rig.ask(3, decide_one(true), writer1)) == ErrorCode::none);
    CHECK(rig.applied().size() == 1);
}

TEST_CASE("a new owner is told what is in doubt") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    rig.ask(1, prepare_one());
    StoreRequest recover;
    recover.statement = Statement::recover;
    recover.parts = {{orders, {}}};

    const auto told = rig.answer(rig.ask(2, recover, writer1));

    REQUIRE(told->in_doubt.size() == 1);
    CHECK(told->in_doubt.front().name == one);
    CHECK(told->in_doubt.front().parts.front().offset == Offset{1});
}

TEST_CASE("a store that decides alone rolls back, and says so to who commits later") {
    StoreConfig settings;
    settings.in_doubt = seconds(3);
    StoreRig rig(settings);
    rig.begin_write(1, {row(0, 7)});
    rig.ask(1, prepare_one());

    rig.ring(Tick::store_in_doubt);
    const auto late = rig.ask(1, decide_one(true));

    CHECK(rig.error(late) == ErrorCode::heuristic_rollback);
    CHECK(rig.applied().empty());
}

TEST_CASE("what was given up cannot be prepared by a request that comes later") {
    StoreRig rig;
    rig.begin_write(1, {row(0, 7)});
    rig.ask(2, decide_one(false));

    const auto late = rig.ask(1, prepare_one());

    CHECK(rig.error(late) == ErrorCode::no_active_transaction);
    CHECK(rig.store->tables().prepared.empty());
}

TEST_CASE("the same request in the same state has the same effects") {
    StoreRig a;
    StoreRig b = a;
    for (auto* rig : {&a, &b}) {
        rig->begin_write(1, {row(0, 7), row(1, 8)});
        rig->commit(1);
    }

    CHECK(*a.store == *b.store);
    CHECK(a.applied().size() == b.applied().size());
}

TEST_CASE("who reads an offset waits for the transaction that is about to change it") {
    StoreRig rig;
    rig.ask(1, offset_at(10));
    StoreRequest request;
    request.statement = Statement::read_offset;
    request.parts = {{orders, {}}};

    const auto reads = rig.ask(2, request, writer1);
    CHECK_FALSE(rig.answer(reads));
    rig.commit(1);

    CHECK(rig.answer(reads)->parts.front().offset == Offset{10});
    CHECK(rig.store->open_transactions() == 0);
}
