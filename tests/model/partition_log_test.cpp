#include <doctest/doctest.h>

#include "sim/state_hash.hpp"
#include "tests/model/log_rig.hpp"

using namespace eos::model;
using namespace eos::model::rig;
using eos::sim::Loss;

TEST_CASE("a process crash keeps records that were never flushed") {
    Guard guard;
    PartitionLog log;
    lead(log, batch(1, 0, 3), guard);

    const PartitionLog after = std::move(log).recover({.power = false}, at(10));

    CHECK(after.log_end() == Offset{3});
    CHECK(after.flushed() == Offset{0});
}

TEST_CASE("a power loss cuts the log to what was flushed, whole batches at a time") {
    Guard guard;
    PartitionLog log;
    lead(log, batch(1, 0, 3), guard);
    log.flush();
    lead(log, batch(1, 3, 4), guard);
    PartitionLog torn = log;

    const PartitionLog after = std::move(log).recover({.power = true}, at(10));
    const PartitionLog after_torn = std::move(torn).recover({.power = true, .torn = true}, at(10));

    CHECK(after.log_end() == Offset{3});
    CHECK(after.batches().size() == 1);
    CHECK(after_torn == after);  // a half batch fails its checksum
}

TEST_CASE("after a power loss the producer table knows only the batches that survived") {
    Guard guard;
    PartitionLog log;
    lead(log, batch(1, 0), guard);
    log.flush();
    lead(log, batch(1, 1), guard);

    PartitionLog after = std::move(log).recover({.power = true}, at(10));

    CHECK(after.producers().find({1})->last_sequence() == Sequence{0});
    const AppendResult again = lead(after, batch(1, 1), guard);
    CHECK(again.error == ErrorCode::none);
    CHECK_FALSE(again.duplicate);
    CHECK(again.base == Offset{1});
}

TEST_CASE("the high watermark after a restart is the checkpointed one, bounded by the log") {
    Guard guard;
    PartitionLog log;
    lead(log, plain(5), guard);
    log.set_high_watermark({3});
    log.checkpoint_high_watermark();
    log.flush();
    lead(log, plain(5), guard);
    log.set_high_watermark({10});
    PartitionLog crashed = log;
    PartitionLog without = log;
    log.checkpoint_high_watermark();

    const PartitionLog process = std::move(crashed).recover({.power = false}, at(1));
    const PartitionLog power = std::move(log).recover({.power = true}, at(1));
    const auto lose = static_cast<std::uint32_t>(DiskFiles::checkpoints);
    const PartitionLog lost = std::move(without).recover({.power = true, .files = lose}, at(1));

    CHECK(process.high_watermark() == Offset{3});
    CHECK(power.high_watermark() == Offset{5});
    CHECK(lost.high_watermark() == Offset{0});
    CHECK(lost.log_end() == Offset{10});  // only the named files lose
}

TEST_CASE("leader epochs behind the surviving log are forgotten at recovery") {
    Guard guard;
    PartitionLog log;
    lead(log, plain(2), guard, 1);
    log.flush();
    log.begin_epoch({2});
    lead(log, plain(2), guard, 2);

    const PartitionLog after = std::move(log).recover({.power = true}, at(1));

    REQUIRE(after.epochs().entries().size() == 1);
    CHECK(after.epochs().latest() == LeaderEpoch{1});
}

TEST_CASE("lost leader epoch files are rebuilt from the batches") {
    Guard guard;
    PartitionLog log;
    lead(log, plain(2), guard, 1);
    lead(log, plain(2), guard, 4);
    log.flush();
    const LeaderEpochs before = log.epochs();

    const auto lose = static_cast<std::uint32_t>(DiskFiles::checkpoints);
    const PartitionLog after = std::move(log).recover({.power = true, .files = lose}, at(1));

    CHECK(after.epochs() == before);
}

TEST_CASE("a snapshot taken at a segment roll is lost with the power until it is flushed") {
    Guard guard;
    PartitionLog log;
    lead(log, batch(1, 0), guard);
    CHECK(log.roll());
    lead(log, batch(1, 1), guard);
    PartitionLog flushed = log;
    flushed.flush_to({1});
    const auto snapshots_only = static_cast<std::uint32_t>(DiskFiles::snapshots);

    auto lost = log.producers();
    lost.drop_unflushed_snapshots();
    auto kept = flushed.producers();
    kept.drop_unflushed_snapshots();

    CHECK(lost.snapshots().empty());
    CHECK(kept.snapshots().size() == 1);
    // Whatever is lost, recovery leads to the same table.
    const auto a = std::move(log).recover({.power = true, .files = snapshots_only}, at(1));
    const auto b = std::move(flushed).recover({.power = true, .files = snapshots_only}, at(1));
    CHECK(a.producers().producers() == b.producers().producers());
}

TEST_CASE("after a restart older batches in flight are no longer recognised") {
    Guard guard;
    PartitionLog log;
    for (std::int32_t sequence = 0; sequence < 4; ++sequence) lead(log, batch(1, sequence), guard);
    CHECK(lead(log, batch(1, 1), guard).duplicate);
    PartitionLog stopped = log;
    stopped.close();

    PartitionLog crashed = std::move(log).recover({}, at(1));
    PartitionLog clean = std::move(stopped).recover({}, at(1));

    for (PartitionLog* after : {&crashed, &clean}) {
        CHECK(lead(*after, batch(1, 3), guard).duplicate);
        CHECK(lead(*after, batch(1, 1), guard).error == ErrorCode::out_of_order_sequence_number);
    }
}

TEST_CASE("recovery of an unclean stop rebuilds what a replay of the log gives") {
    Guard guard;
    LogRules rules;
    rules.segment_batches = 3;
    PartitionLog log{rules};
    for (std::int32_t sequence = 0; sequence < 10; ++sequence)
        lead(log, batch(1 + sequence % 2, sequence / 2), guard);
    PartitionLog replica{rules};
    for (const Batch& b : log.batches())
        CHECK(replica.append_as_follower(b, at(0), guard).error == ErrorCode::none);

    const PartitionLog after = std::move(log).recover({}, at(1));

    CHECK(after.segments() == replica.segments());
    for (const auto& [producer, entry] : replica.producers().producers()) {
        REQUIRE(after.producers().find(producer) != nullptr);
        CHECK(after.producers().find(producer)->last_sequence() == entry.last_sequence());
        CHECK(after.producers().find(producer)->epoch == entry.epoch);
    }
}

TEST_CASE("a wiped disk gives an empty log") {
    Guard guard;
    PartitionLog log;
    lead(log, batch(1, 0, 3), guard);
    log.flush();

    const PartitionLog after = std::move(log).recover({.power = true, .wipe = true}, at(1));

    CHECK(after == PartitionLog{});
}

TEST_CASE("a copied log shares nothing that can change") {
    Guard guard;
    PartitionLog log;
    lead(log, batch(1, 0), guard);
    PartitionLog copy = log;
    CHECK(copy == log);
    CHECK(eos::sim::state_hash(copy) == eos::sim::state_hash(log));

    lead(copy, batch(1, 1), guard);

    CHECK(log.log_end() == Offset{1});
    CHECK(log.producers().find({1})->last_sequence() == Sequence{0});
    CHECK_FALSE(copy == log);
    CHECK(eos::sim::state_hash(copy) != eos::sim::state_hash(log));
}

TEST_CASE("every write is flushed when the disk is told so") {
    Guard guard;
    LogRules rules;
    rules.flush_every_write = true;
    PartitionLog log{rules};

    lead(log, plain(2), guard);

    CHECK(log.flushed() == Offset{2});
}

TEST_CASE("segments roll by batches and each roll snapshots the producers") {
    Guard guard;
    LogRules rules;
    rules.segment_batches = 2;
    PartitionLog log{rules};

    for (std::int32_t sequence = 0; sequence < 5; ++sequence) lead(log, batch(1, sequence), guard);

    REQUIRE(log.segments().size() == 3);
    CHECK(log.segments()[1].base == Offset{2});
    CHECK(snapshot_offsets(log) == std::vector<std::int64_t>{2, 4});
}

TEST_CASE("without the sequence check a gap is accepted and the spared check is told") {
    Guard guard;
    guard.set.remove(Safeguard::sequence_check);
    PartitionLog log;
    lead(log, batch(1, 0), guard);
    CHECK_FALSE(guard.spared.has(Safeguard::sequence_check));

    const AppendResult gap = lead(log, batch(1, 7), guard);

    CHECK(gap.error == ErrorCode::none);
    CHECK(guard.spared.has(Safeguard::sequence_check));
    CHECK(lead(log, batch(1, 8), guard).error == ErrorCode::none);
}

TEST_CASE("without the dedup window only the newest batch is recognised") {
    Guard guard;
    guard.set.remove(Safeguard::dedup_window);
    PartitionLog log;
    for (std::int32_t sequence = 0; sequence < 3; ++sequence) lead(log, batch(1, sequence), guard);

    CHECK(lead(log, batch(1, 2), guard).duplicate);
    CHECK_FALSE(guard.spared.has(Safeguard::dedup_window));
    CHECK(lead(log, batch(1, 1), guard).error == ErrorCode::out_of_order_sequence_number);
    CHECK(guard.spared.has(Safeguard::dedup_window));
}

TEST_CASE("a batch sent again is answered, and refused as out of order without the safeguard") {
    for (const bool guarded : {true, false}) {
        Guard guard;
        if (!guarded) guard.set.remove(Safeguard::duplicate_answered);
        PartitionLog log;
        lead(log, batch(1, 0), guard);

        const AppendResult again = lead(log, batch(1, 0), guard);

        CHECK(again.duplicate == guarded);
        CHECK(again.error == (guarded ? ErrorCode::none : ErrorCode::out_of_order_sequence_number));
        CHECK(guard.spared.has(Safeguard::duplicate_answered) != guarded);
        CHECK(log.log_end() == Offset{1});
    }
}

TEST_CASE("without epoch fencing a batch of an older epoch is written and the newer epoch stays") {
    Guard guard;
    guard.set.remove(Safeguard::producer_epoch_fencing);
    PartitionLog log;
    lead(log, batch(1, 0, 1, 4), guard);

    const AppendResult zombie = lead(log, batch(1, 9, 1, 3), guard);

    CHECK(zombie.error == ErrorCode::none);
    CHECK(zombie.base == Offset{1});
    CHECK(guard.spared.has(Safeguard::producer_epoch_fencing));
    CHECK(lead(log, batch(1, 1, 1, 4), guard).error == ErrorCode::none);
}

TEST_CASE("consumers see nothing above the watermark unless the bound is removed") {
    Guard guard;
    PartitionLog log;
    lead(log, plain(2), guard);
    lead(log, plain(2), guard);
    log.set_high_watermark({2});
    Guard without;
    without.set.remove(Safeguard::watermark_bounds_fetch);

    const auto bounded = log.read_for_consumer({0}, Isolation::read_uncommitted, plenty, guard);
    const auto open = log.read_for_consumer({0}, Isolation::read_committed, plenty, without);

    CHECK(bounded.batches.size() == 1);
    CHECK(open.batches.size() == 2);
    CHECK(without.spared.has(Safeguard::watermark_bounds_fetch));
}

TEST_CASE("a read gives the first batch whatever its size and stops at the byte limit") {
    Guard guard;
    PartitionLog log;
    for (int i = 0; i < 3; ++i) lead(log, plain(2), guard);

    CHECK(log.read({0}, ReadBound::log_end, 1).batches.size() == 1);
    CHECK(log.read({0}, ReadBound::log_end, 20).batches.size() == 2);
    CHECK(log.read({3}, ReadBound::log_end, plenty).batches.front().base == Offset{2});
}

TEST_CASE("a follower refuses a batch that begins below its log end") {
    Guard guard;
    PartitionLog log;
    lead(log, plain(3), guard);
    Batch below = plain(1);
    below.base = {1};

    const AppendResult result = log.append_as_follower(below, at(0), guard);

    CHECK(result.error == ErrorCode::unknown_server_error);
    CHECK(log.log_end() == Offset{3});
}

TEST_CASE("an empty log may begin inside the first batch it is given") {
    Guard guard;
    PartitionLog log{LogRules{}, Offset{5}};
    Batch straddling = plain(4);
    straddling.base = {3};

    const AppendResult result = log.append_as_follower(straddling, at(0), guard);

    CHECK(result.error == ErrorCode::none);
    CHECK(log.log_start() == Offset{5});
    CHECK(log.log_end() == Offset{7});
}

TEST_CASE("a client's control batch and an identified batch without sequence are refused") {
    Guard guard;
    PartitionLog log;
    Batch control = batch(1, 0);
    control.control = ControlType::commit;
    Batch unnumbered = batch(1, 0);
    unnumbered.base_sequence.reset();

    CHECK(lead(log, control, guard).error == ErrorCode::invalid_record);
    CHECK(lead(log, unnumbered, guard).error == ErrorCode::invalid_record);
    CHECK(log.log_end() == Offset{0});
}
