#include <doctest/doctest.h>

#include "model/leader_epochs.hpp"
#include "model/producer_state.hpp"
#include "tests/model/log_rig.hpp"

using namespace eos::model;
using namespace eos::model::rig;
namespace sim = eos::sim;

namespace {

/// Appends at the map end, as the log does once the bytes are written.
ErrorCode add(ProducerState& state, Batch data, Guard& guard) {
    data.base = state.map_end();
    ProducerAppend append = state.prepare(*data.producer_id);
    const ErrorCode error = append.append(data, {}, guard);
    if (error != ErrorCode::none) return error;
    state.update(append);
    state.set_map_end(data.next_offset());
    return error;
}

}  // namespace

TEST_CASE("the dedup window is as long as the cluster is told") {
    Guard guard;
    ProducerState state{ProducerRules{.dedup_batches = 2}};
    for (std::int32_t sequence = 0; sequence < 3; ++sequence)
        CHECK(add(state, batch(1, sequence), guard) == ErrorCode::none);

    CHECK(state.find_duplicate(batch(1, 1), guard) != nullptr);
    CHECK(state.find_duplicate(batch(1, 0), guard) == nullptr);
}

TEST_CASE("a partial overlap is not a duplicate") {
    Guard guard;
    ProducerState state;
    CHECK(add(state, batch(1, 0, 3), guard) == ErrorCode::none);

    CHECK(state.find_duplicate(batch(1, 0, 3), guard) != nullptr);
    CHECK(state.find_duplicate(batch(1, 0, 2), guard) == nullptr);
    CHECK(state.find_duplicate(batch(1, 1, 2), guard) == nullptr);
}

TEST_CASE("expiry names the producers it drops and spares open transactions") {
    Guard guard;
    ProducerState state{ProducerRules{.expiration = sim::milliseconds(100)}};
    CHECK(add(state, batch(1, 0), guard) == ErrorCode::none);
    Batch open = batch(2, 0);
    open.transactional = true;
    CHECK(add(state, open, guard) == ErrorCode::none);

    CHECK(state.expire(at(99)).empty());
    CHECK(state.expire(at(100)) == std::vector{ProducerId{1}});
    CHECK(state.has_ongoing_transaction({2}, {0}));
}

TEST_CASE("a snapshot keeps the newest batch of each producer and nothing in flight") {
    Guard guard;
    ProducerState state;
    for (std::int32_t sequence = 0; sequence < 3; ++sequence)
        CHECK(add(state, batch(1, sequence), guard) == ErrorCode::none);
    static_cast<void>(state.start_verification({9}, {0}, {0}, at(0)));
    CHECK(state.take_snapshot());
    CHECK_FALSE(state.take_snapshot());  // nothing new since

    ProducerState loaded = state.reopened({0});
    loaded.truncate_and_reload({0}, state.map_end(), at(1));

    REQUIRE(loaded.find({1}) != nullptr);
    CHECK(loaded.find({1})->batches.size() == 1);
    CHECK(loaded.find({1})->last_sequence() == Sequence{2});
    CHECK(loaded.verification({9}) == nullptr);
    CHECK(loaded.map_end() == Offset{3});
}

TEST_CASE("a verification guard is never handed out twice, not even after a restart") {
    ProducerState state;
    const auto first = state.start_verification({1}, {0}, {0}, at(0)).guard;
    ProducerState restarted = state.reopened({0});

    CHECK(state.start_verification({1}, {0}, {0}, at(0)).guard == first);
    CHECK(restarted.start_verification({1}, {0}, {0}, at(0)).guard != first);
}

TEST_CASE("before KIP-279 the end of an epoch came without the epoch it belongs to") {
    LeaderEpochs epochs;
    epochs.assign({1}, {10});
    epochs.assign({3}, {20});

    struct Row {
        std::int32_t asked;
        std::optional<Offset> then;
        EpochEnd now;
    };
    for (const Row& row :
         {Row{1, Offset{20}, {LeaderEpoch{1}, Offset{20}}},
          Row{2, Offset{20}, {LeaderEpoch{1}, Offset{20}}},  // of epoch 1, which was not asked for
          Row{3, Offset{30}, {LeaderEpoch{3}, Offset{30}}},
          Row{0, std::nullopt, {LeaderEpoch{0}, Offset{10}}},
          Row{4, std::nullopt, {}}}) {
        CAPTURE(row.asked);
        CHECK(epochs.end_offset_before_kip279({row.asked}, {30}) == row.then);
        CHECK(epochs.end_offset({row.asked}, {30}) == row.now);
    }
}
