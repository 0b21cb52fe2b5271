#include "model/sequences.hpp"

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::model;

namespace {

constexpr LogId here{0};
constexpr LogId there{1};

/// A producer with id 5, epoch 0, whose batches hold one record each.
struct Rig {
    Rig() { sequences.set_identity(batches, {.producer_id = {5}, .epoch = {0}}); }

    BatchId numbered(LogId log) {
        const BatchId id = waiting(log);
        sequences.number(batches, id);
        return id;
    }
    BatchId waiting(LogId log) {
        ProducerBatch batch;
        batch.log = log;
        batch.sends.resize(1);
        return batches.insert(batch);
    }
    bool retry(BatchId id, ErrorCode error, std::optional<Offset> log_start = std::nullopt) {
        return sequences.retry(batches, id, error, log_start);
    }

    BatchStore batches;
    Sequences sequences{Sequences::Limits{}};
    Guard guard;
};

}  // namespace

TEST_CASE("an unknown producer id bumps the epoch only if the log start is known") {
    Rig rig;
    const auto batch = rig.numbered(here);

    CHECK(rig.retry(batch, ErrorCode::unknown_producer_id));
    CHECK_FALSE(rig.sequences.bump_required());
    CHECK(rig.retry(batch, ErrorCode::unknown_producer_id, Offset{0}));

    CHECK(rig.sequences.bump_required());
}

TEST_CASE("the answers to the old numbers of renumbered batches bump no second time") {
    Rig rig;
    const auto first = rig.numbered(here);
    const auto second = rig.numbered(here);
    CHECK(rig.retry(first, ErrorCode::unknown_producer_id, Offset{0}));
    rig.sequences.bump(rig.batches);

    CHECK(rig.retry(second, ErrorCode::unknown_producer_id, Offset{0}));
    CHECK(rig.retry(first, ErrorCode::out_of_order_sequence_number));

    CHECK_FALSE(rig.sequences.bump_required());
    CHECK(rig.batches[second].number == Numbering{{5}, {1}, {1}});
}

TEST_CASE("an out of order answer behind an unanswered batch is retried without a bump") {
    Rig rig;
    (void)rig.numbered(here);
    const auto second = rig.numbered(here);

    CHECK(rig.retry(second, ErrorCode::out_of_order_sequence_number));

    CHECK_FALSE(rig.sequences.bump_required());
}

TEST_CASE("with an unresolved hole only the batch right behind it asks for a bump") {
    Rig rig;
    const auto expired = rig.numbered(here);
    const auto next = rig.numbered(here);
    const auto last = rig.numbered(here);
    rig.sequences.unresolved(rig.batches[expired]);
    rig.sequences.failed(rig.batches, expired, ErrorCode::request_timed_out, false);

    CHECK(rig.retry(last, ErrorCode::out_of_order_sequence_number));
    CHECK_FALSE(rig.sequences.bump_required());
    CHECK(rig.retry(next, ErrorCode::out_of_order_sequence_number));

    CHECK(rig.sequences.bump_required());
}

TEST_CASE("a partition that did not ask keeps its epoch until its batches are answered") {
    Rig rig;
    const auto theirs = rig.numbered(there);
    const auto ours = rig.numbered(here);
    CHECK(rig.retry(ours, ErrorCode::out_of_order_sequence_number));
    rig.sequences.bump(rig.batches);
    const auto later = rig.waiting(there);

    CHECK(rig.batches[theirs].number->epoch == ProducerEpoch{0});
    CHECK_FALSE(rig.sequences.may_drain(rig.batches[later], later));
    rig.sequences.succeeded(rig.batches[theirs], theirs, Offset{0});
    CHECK(rig.sequences.may_drain(rig.batches[later], later));
    rig.sequences.number(rig.batches, later);

    CHECK(rig.batches[later].number == Numbering{{5}, {1}, {0}});
}

TEST_CASE("an expired batch that later ones prove appended needs no bump") {
    Rig rig;
    const auto expired = rig.numbered(here);
    const auto next = rig.numbered(here);
    rig.sequences.unresolved(rig.batches[expired]);
    rig.sequences.failed(rig.batches, expired, ErrorCode::request_timed_out, false);
    CHECK_FALSE(rig.sequences.resolve(rig.guard));
    rig.sequences.succeeded(rig.batches[next], next, Offset{1});

    CHECK(rig.sequences.resolve(rig.guard));

    CHECK_FALSE(rig.sequences.bump_required());
}

TEST_CASE("at the greatest epoch the id is given up, and its batches wait for the new one") {
    Rig rig;
    rig.sequences.set_identity(rig.batches, {.producer_id = {5}, .epoch = {32767}});
    const auto batch = rig.numbered(here);
    CHECK(rig.retry(batch, ErrorCode::out_of_order_sequence_number));

    rig.sequences.bump(rig.batches);
    CHECK_FALSE(rig.sequences.identity().has_value());
    CHECK_FALSE(rig.sequences.may_drain(rig.batches[batch], batch));
    rig.sequences.set_identity(rig.batches, {.producer_id = {6}, .epoch = {0}});

    CHECK(rig.batches[batch].number == Numbering{{6}, {0}, {0}});
    CHECK(rig.sequences.may_drain(rig.batches[batch], batch));
}

TEST_CASE("pieces of a split batch share its numbers in order") {
    Rig rig;
    const auto before = rig.numbered(here);
    const auto whole = rig.waiting(here);
    rig.batches[whole].sends.resize(2);
    rig.sequences.number(rig.batches, whole);
    const std::vector<BatchId> pieces{rig.waiting(here), rig.waiting(here)};

    rig.sequences.split(rig.batches, whole, pieces);

    CHECK(rig.batches[pieces[0]].number->base == Sequence{1});
    CHECK(rig.batches[pieces[1]].number->base == Sequence{2});
    CHECK(rig.sequences.before(here, before, pieces[0]));
    CHECK(rig.sequences.before(here, pieces[0], pieces[1]));
    CHECK_FALSE(rig.sequences.before(here, pieces[1], pieces[0]));
}
