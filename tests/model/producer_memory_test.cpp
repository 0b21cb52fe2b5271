// What a restart leaves of the five batches that a partition remembers of a producer (PSX-5..12).
// Every row was asked of Kafka's own UnifiedLog (4.1.0, 4.2.1, 4.4.0) over a copied directory.

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/model/log_rig.hpp"

namespace eos::model {
namespace {

using namespace rig;

constexpr sim::Loss only_snapshots{.power = true,
                                   .files = static_cast<std::uint32_t>(DiskFiles::snapshots)};

PartitionLog with_batches(std::int32_t first, std::int32_t end, PartitionLog log = PartitionLog{}) {
    Guard guard;
    for (std::int32_t sequence = first; sequence < end; ++sequence)
        REQUIRE(lead(log, batch(1, sequence), guard).base == Offset{sequence});
    return log;
}
PartitionLog killed(PartitionLog log, const sim::Loss& loss = {}) {
    return std::move(log).recover(loss, at(1));
}
/// Seven batches in the first segment, three in the second.
PartitionLog two_segments() {
    auto log = with_batches(0, 7);
    REQUIRE(log.roll());
    return with_batches(7, 10, std::move(log));
}

struct Memory {
    std::string after;
    std::function<PartitionLog()> log;
    std::vector<std::int32_t> known;  ///< sequences, oldest first
};

const std::vector<Memory> memories{
    {"a process crash", [] { return killed(with_batches(0, 3)); }, {2}},
    {"a crash right behind a roll",
     [] {
         auto log = with_batches(0, 7);
         REQUIRE(log.roll());
         return killed(std::move(log));
     },
     {6}},
    {"a crash with a snapshot three batches back", [] { return killed(two_segments()); }, {9}},
    {"the same, all but the last segment flushed",
     [] {
         auto log = two_segments();
         log.flush_to({7});
         log.checkpoint_offsets();
         return killed(std::move(log));
     },
     {9}},
    {"a crash that took the snapshots",
     [] { return killed(two_segments(), only_snapshots); },
     {9}},
    {"two crashes", [] { return killed(killed(two_segments())); }, {9}},
    {"a clean stop",
     [] {
         auto log = two_segments();
         log.close();
         return killed(std::move(log));
     },
     {9}},
    {"a clean stop whose snapshot cannot be read",
     [] {
         auto log = two_segments();
         log.close();
         log.producers().corrupt_snapshot({10});
         return killed(std::move(log));
     },
     {6, 7, 8, 9}},
    {"a clean stop without any snapshot",
     [] {
         auto log = two_segments();
         log.close();
         log.producers().drop_all_snapshots();
         return killed(std::move(log));
     },
     {}},
    {"a crash and five more batches",
     [] { return with_batches(10, 15, killed(two_segments())); },
     {10, 11, 12, 13, 14}},
    {"a truncation behind that",
     [] {
         auto log = with_batches(10, 15, killed(two_segments()));
         REQUIRE(log.truncate_to({14}, at(2)));
         return log;
     },
     {9, 10, 11, 12, 13}},
};

TEST_CASE("a restart leaves of a producer's batches what Kafka leaves") {
    for (const auto& row : memories) {
        CAPTURE(row.after);

        const PartitionLog log = row.log();

        std::vector<std::int32_t> known;
        if (const auto* entry = log.producers().find({1}))
            for (const auto& b : entry->batches) known.push_back(b.last_sequence->value);
        CHECK(known == row.known);
    }
}

TEST_CASE("a forgotten batch is refused, a remembered one recognised, the next one taken") {
    Guard guard;
    PartitionLog log = killed(two_segments());

    const auto forgotten = lead(log, batch(1, 8), guard);
    const auto remembered = lead(log, batch(1, 9), guard);
    const auto next = lead(log, batch(1, 10), guard);

    CHECK(forgotten.error == ErrorCode::out_of_order_sequence_number);
    CHECK(remembered.duplicate);
    CHECK(remembered.base == Offset{9});
    CHECK(next.base == Offset{10});
}

TEST_CASE("with a clean marker and no snapshot a repeated batch is written again") {
    Guard guard;
    auto log = two_segments();
    log.close();
    log.producers().drop_all_snapshots();
    log = killed(std::move(log));

    const auto again = lead(log, batch(1, 9), guard);

    CHECK_FALSE(again.duplicate);
    CHECK(again.base == Offset{10});  // PST-10
}

TEST_CASE("without any memory of a producer its batches may begin anywhere, but not go back") {
    Guard guard;
    PartitionLog log;

    const auto third = lead(log, batch(1, 3), guard);
    const auto first = lead(log, batch(1, 0), guard);

    CHECK(third.error == ErrorCode::none);  // KAFKA-15591, still so in 4.4.0
    CHECK(first.error == ErrorCode::out_of_order_sequence_number);
}

// --- a disk that lies ----------------------------------------------------------------------------

TEST_CASE("what a lying disk said it had is gone with the power") {
    auto log = with_batches(0, 3);
    log.flush();
    log.set_disk_lies(true);
    log = with_batches(3, 6, std::move(log));
    log.flush();
    CHECK(log.flushed() == Offset{6});

    const PartitionLog crashed = killed(log);
    const PartitionLog dark = killed(log, {.power = true});

    CHECK(crashed.log_end() == Offset{6});
    CHECK(dark.log_end() == Offset{3});
    CHECK(dark.producers().find({1})->last_sequence() == Sequence{2});
}

TEST_CASE("an honest flush brings up what the disk had kept to itself") {
    auto log = with_batches(0, 3);
    log.set_disk_lies(true);
    log.flush();
    log.set_disk_lies(false);

    log = with_batches(3, 4, std::move(log));
    log.flush();

    CHECK(killed(std::move(log), {.power = true}).log_end() == Offset{4});
}

TEST_CASE("a flush of every write is worth nothing on a lying disk") {
    LogRules rules;
    rules.flush_every_write = true;
    PartitionLog log{rules};
    log.set_disk_lies(true);

    log = with_batches(0, 3, std::move(log));

    CHECK(log.flushed() == Offset{3});
    CHECK(killed(std::move(log), {.power = true}).log_end() == Offset{0});
}

TEST_CASE("the clean marker of a lying disk goes with the power, so the log is scanned again") {
    auto log = with_batches(0, 3);
    log.flush();
    log.set_disk_lies(true);
    log = with_batches(3, 6, std::move(log));
    log.close();

    const PartitionLog dark = killed(log, {.power = true});

    CHECK(dark.log_end() == Offset{3});
    CHECK(dark.flushed() == Offset{3});
    CHECK(snapshot_offsets(dark) == std::vector<std::int64_t>{3});
    REQUIRE(dark.producers().find({1}) != nullptr);
    CHECK(dark.producers().find({1})->last_sequence() == Sequence{2});
}

}  // namespace
}  // namespace eos::model
