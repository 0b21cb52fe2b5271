#include <map>

#include <doctest/doctest.h>

#include "sim/rng.hpp"
#include "tests/model/log_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::rig;

namespace {

Batch in_transaction(std::int32_t sequence, std::int16_t epoch = 0) {
    Batch result = batch(1, sequence, 1, epoch);
    result.transactional = true;
    return result;
}
Batch marker_of(std::int16_t epoch, ControlType type = ControlType::commit,
                std::int32_t coordinator = 0) {
    Batch result = batch(1, 0, 1, epoch);
    result.base_sequence.reset();
    result.transactional = true;
    result.control = type;
    result.coordinator_epoch = {coordinator};
    return result;
}
Guard all_but(Safeguard removed) {
    Guard guard;
    guard.set.remove(removed);
    return guard;
}
/// Verified as the broker does it, then appended.
AppendResult verified(PartitionLog& log, const Batch& data, Guard& guard) {
    const auto entry =
        log.start_verification(*data.producer_id, data.producer_epoch, *data.base_sequence, at(0));
    const std::optional<VerificationGuard> shown =
        entry ? std::optional(entry->guard) : std::nullopt;
    return log.append_as_leader(data, {0}, {.verified = shown, .transaction_v2 = true}, guard);
}
AppendResult mark(PartitionLog& log, const Batch& marker, Guard& guard, bool v2 = true) {
    return log.append_as_leader(
        marker, {0}, {.origin = AppendOrigin::coordinator, .verified = {}, .transaction_v2 = v2},
        guard);
}
PartitionLog cluster_log() { return PartitionLog(log_rules(ClusterConfig{})); }

}  // namespace

TEST_CASE("a log that was scanned before is scanned on to what a first scan of it would find") {
    sim::Rng rng(5);
    for (int round = 0; round < 40; ++round) {
        Guard guard;
        PartitionLog often(log_rules(ClusterConfig{}));
        std::map<std::int64_t, std::int32_t> next;
        for (int crash = 0; crash < 12; ++crash) {
            if (rng.below(6) == 0)
                static_cast<void>(often.truncate_to(
                    Offset{static_cast<std::int64_t>(
                        rng.below(static_cast<std::uint64_t>(often.log_end().value) + 1))},
                    at(0)));
            for (auto i = rng.below(12); i > 0; --i) {
                const auto producer = static_cast<std::int64_t>(rng.below(3));
                auto data = in_transaction(next[producer]++);
                if (rng.below(3) == 0)
                    data =
                        marker_of(0, rng.below(2) == 0 ? ControlType::abort : ControlType::commit);
                data.producer_id = ProducerId{producer};
                data.base = often.log_end();
                data.leader_epoch = {crash};
                REQUIRE(often.append_as_follower(data, at(0), guard).error == ErrorCode::none);
            }
            if (rng.below(3) == 0) often.flush();
            often = std::move(often).recover({.power = rng.below(3) == 0}, at(1));

            PartitionLog once(log_rules(ClusterConfig{}));
            for (const auto& batch : often.batches())
                REQUIRE(once.append_as_follower(batch, at(0), guard).error == ErrorCode::none);
            once = std::move(once).recover({}, at(1));
            CHECK(often.aborted_index() == once.aborted_index());
            CHECK(often.producers().producers() == once.producers().producers());
            CHECK(often.producers().first_undecided() == once.producers().first_undecided());
        }
    }
}

TEST_CASE("the logs of a cluster refuse a transaction that was not verified") {
    Guard guard;
    auto log = cluster_log();

    CHECK(lead(log, in_transaction(0), guard).error == ErrorCode::invalid_txn_state);
    CHECK(verified(log, in_transaction(0), guard).error == ErrorCode::none);
    CHECK(lead(log, in_transaction(1), guard).error == ErrorCode::none);
}

TEST_CASE("a bumped producer enrols again although its former transaction is open here") {
    Guard guard;
    auto log = cluster_log();
    CHECK(verified(log, in_transaction(0), guard).error == ErrorCode::none);

    CHECK_FALSE(log.start_verification({1}, {0}, {1}, at(0)));
    CHECK(log.start_verification({1}, {1}, {0}, at(0)));
    CHECK(lead(log, in_transaction(0, 1), guard).error == ErrorCode::invalid_txn_state);
}

TEST_CASE("an older epoch is told that it is stale, not that it was not verified") {
    Guard guard;
    auto log = cluster_log();
    CHECK(mark(log, marker_of(3), guard).error == ErrorCode::none);

    CHECK(lead(log, in_transaction(0, 2), guard).error == ErrorCode::invalid_producer_epoch);
}

TEST_CASE("under TV2 a marker of the epoch it should end is refused, unless nothing is open") {
    struct Row {
        std::optional<Safeguard> removed;
        ErrorCode while_open;
        ErrorCode again;
    };
    for (const auto& row : {Row{std::nullopt, ErrorCode::invalid_producer_epoch, ErrorCode::none},
                            Row{Safeguard::marker_epoch_above, ErrorCode::none, ErrorCode::none},
                            Row{Safeguard::marker_retry_accepted, ErrorCode::invalid_producer_epoch,
                                ErrorCode::invalid_producer_epoch}}) {
        CAPTURE(row.removed.has_value());
        Guard guard = row.removed ? all_but(*row.removed) : Guard{};
        auto log = cluster_log();
        REQUIRE(verified(log, in_transaction(0), guard).error == ErrorCode::none);

        CHECK(mark(log, marker_of(0), guard).error == row.while_open);
        CHECK(mark(log, marker_of(1), guard).error == ErrorCode::none);
        CHECK(mark(log, marker_of(1), guard).error == row.again);
        // Clients before TV2 end a transaction under its own epoch.
        CHECK(mark(log, marker_of(1), guard, false).error == ErrorCode::none);
    }
}

TEST_CASE("a follower that checks sequences for itself refuses a producer it does not know") {
    Guard trusting;
    Guard checking = all_but(Safeguard::replicas_trust_the_leader);
    PartitionLog log;
    PartitionLog other;
    Batch later = batch(1, 17);

    CHECK(log.append_as_follower(later, at(0), trusting).error == ErrorCode::none);
    CHECK(other.append_as_follower(later, at(0), checking).error ==
          ErrorCode::out_of_order_sequence_number);
    CHECK(checking.spared.has(Safeguard::replicas_trust_the_leader));
    Batch first = batch(1, 0);
    CHECK(other.append_as_follower(first, at(0), checking).error == ErrorCode::none);
}

TEST_CASE("deleting records does not make a partition forget where a producer stands") {
    for (const bool remembers : {true, false}) {
        Guard guard = remembers ? Guard{} : all_but(Safeguard::unknown_sequence_after_marker);
        auto log = cluster_log();
        REQUIRE(verified(log, in_transaction(0), guard).error == ErrorCode::none);
        log.set_high_watermark(log.log_end());
        REQUIRE(log.delete_records(log.log_end(), guard) == ErrorCode::none);
        REQUIRE(mark(log, marker_of(0), guard, false).error == ErrorCode::none);

        const auto next = verified(log, in_transaction(1), guard);

        CHECK(next.error ==
              (remembers ? ErrorCode::none : ErrorCode::out_of_order_sequence_number));
    }
}

TEST_CASE("a read_committed reader is told of an abort, and stops at an open transaction") {
    Guard guard;
    auto log = cluster_log();
    REQUIRE(verified(log, in_transaction(0), guard).error == ErrorCode::none);
    REQUIRE(mark(log, marker_of(1, ControlType::abort), guard).error == ErrorCode::none);
    REQUIRE(verified(log, in_transaction(0, 1), guard).error == ErrorCode::none);
    log.set_high_watermark(log.log_end());

    const auto seen = log.read_for_consumer({0}, Isolation::read_committed, plenty, guard);
    const auto everything = log.read_for_consumer({0}, Isolation::read_uncommitted, plenty, guard);

    CHECK(seen.batches.size() == 2);
    REQUIRE(seen.aborted);
    REQUIRE(seen.aborted->size() == 1);
    CHECK(seen.aborted->front().first == Offset{0});
    CHECK(everything.batches.size() == 3);
    CHECK_FALSE(everything.aborted);
}
