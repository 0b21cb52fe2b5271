#include "model/offset_store.hpp"

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::model;

namespace {

constexpr GroupId g{0};
constexpr LogId t0{0};
constexpr ProducerId first{5};
constexpr ProducerId second{6};

OffsetRecord record(std::int64_t offset) {
    return {.group = g, .log = t0, .offset = Offset{offset}, .leader_epoch = -1, .commit_time = {}};
}
std::optional<Offset> committed(const OffsetStore& store) {
    const auto* entry = store.find(g, t0);
    return entry ? std::optional(entry->offset) : std::nullopt;
}

}  // namespace

TEST_CASE("of two transactions the one that wrote later wins, whichever marker comes last") {
    OffsetStore store;
    store.suspend(record(100), {0}, first, {});
    store.suspend(record(200), {1}, second, {});

    const auto later = store.end_transaction(second, ControlType::commit, {2});
    const auto earlier = store.end_transaction(first, ControlType::commit, {3});

    CHECK(later.size() == 1);
    CHECK(earlier.empty());
    CHECK(committed(store) == Offset{200});
    CHECK(!store.any_pending(g));
}

TEST_CASE("a plain commit that stands later in the log survives the transaction's marker") {
    OffsetStore store;
    store.suspend(record(100), {0}, first, {});
    CHECK(store.apply(record(50), {1}));

    CHECK(store.end_transaction(first, ControlType::commit, {2}).empty());

    CHECK(committed(store) == Offset{50});
}

TEST_CASE("an aborted transaction leaves nothing behind") {
    OffsetStore store;
    store.suspend(record(100), {0}, first, {});
    CHECK(store.unstable(g, t0));

    CHECK(store.end_transaction(first, ControlType::abort, {1}).empty());

    CHECK(!store.unstable(g, t0));
    CHECK(!committed(store));
}

TEST_CASE("late news of a marker leaves the producer's next transaction alone") {
    OffsetStore store;
    store.suspend(record(100), {7}, first, {});

    CHECK(store.end_transaction(first, ControlType::commit, {5}).empty());

    CHECK(store.unstable(g, t0));
    CHECK(store.end_transaction(first, ControlType::commit, {8}).size() == 1);
    CHECK(committed(store) == Offset{100});
}

TEST_CASE("a tombstone takes what is pending with it, and what is pending does not expire") {
    OffsetStore store;
    CHECK(store.apply(record(1), {0}));
    store.suspend(record(2), {1}, first, {});
    const OffsetRetention now{sim::time_zero + sim::seconds(10), sim::seconds(1), {}};
    CHECK(store.expired(g, now).empty());

    auto gone = record(0);
    gone.offset = std::nullopt;
    CHECK(store.apply(gone, {2}));

    CHECK(store.end_transaction(first, ControlType::commit, {3}).empty());
    CHECK(!committed(store));
    CHECK(!store.any(g));
}
