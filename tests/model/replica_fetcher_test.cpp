#include <doctest/doctest.h>

#include "tests/model/log_rig.hpp"

using namespace eos::model;
using namespace eos::model::rig;

namespace {

constexpr BrokerId b1{1};
constexpr BrokerId b2{2};

/// Broker 1 leads epoch `epoch`, broker 2 follows; both with their own history.
struct Pair {
    std::vector<BrokerRegistration> brokers = alive(2);
    Guard guard;
    PartitionLog leader_log;
    LeaderPartition leader{{.self = b1}};
    PartitionLog log;
    ReplicaFetcher fetcher;
    std::int64_t now = 0;

    ReplicaFetcher::Handled start(std::int32_t epoch) {
        static_cast<void>(leader.lead(partition({b1, b2}, {b1, b2}, b1, epoch, epoch), leader_log,
                                      brokers, at(now), guard));
        return fetcher.follow(log, the_log, b1, {epoch}, at(now), guard);
    }
    bool round() {
        now += 1000;
        return exchange(leader, leader_log, b2, fetcher, log, brokers, at(now), guard);
    }
    void rounds(int count) {
        for (int i = 0; i < count; ++i) static_cast<void>(round());
    }
    [[nodiscard]] bool matches() const { return log.batches() == leader_log.batches(); }
};

/// Gives a log records of one epoch; `id` tells histories apart.
void write(PartitionLog& log, std::int32_t epoch, std::uint64_t id, int count = 1) {
    Guard guard;
    for (int i = 0; i < count; ++i)
        static_cast<void>(lead(log, plain(1, id + static_cast<std::uint64_t>(i)), guard, epoch));
}

/// KAFKA-1211: both replicas hold x and y, the watermark of the follower lags behind.
void both_hold_two(Pair& pair) {
    write(pair.leader_log, 0, 10, 2);
    write(pair.log, 0, 10, 2);
    pair.leader_log.set_high_watermark({2});
    pair.log.set_high_watermark({1});
}

/// KAFKA-6361: broker 1 wrote x in epoch 1 and z in epoch 3; broker 2 wrote y in epoch 2.
void two_fast_changes(Pair& pair) {
    write(pair.leader_log, 0, 1);
    write(pair.log, 0, 1);
    write(pair.leader_log, 1, 10);
    write(pair.log, 2, 20, 2);
    write(pair.leader_log, 3, 30, 2);
}

}  // namespace

TEST_CASE("a follower that may have more than its watermark says keeps it (KIP-101)") {
    Pair pair;
    both_hold_two(pair);

    const auto started = pair.start(1);

    CHECK_FALSE(started.truncated_to);
    CHECK(pair.log.log_end() == Offset{2});
    CHECK(pair.fetcher.fetch_offset() == Offset{2});
}

TEST_CASE("before KIP-101 a follower cuts its log to its own watermark") {
    Pair pair;
    both_hold_two(pair);
    pair.guard.set.remove(Safeguard::truncate_by_leader_epoch);

    const auto started = pair.start(1);

    CHECK(started.truncated_to == Offset{1});
    CHECK(pair.guard.spared.has(Safeguard::truncate_by_leader_epoch));
    CHECK_FALSE(pair.fetcher.request(pair.log, at(1))->last_fetched_epoch);
    pair.rounds(1);
    CHECK(pair.matches());
}

TEST_CASE("before KIP-101 records of another history above the watermark are cut as well") {
    Pair pair;
    write(pair.leader_log, 0, 10, 2);
    write(pair.log, 0, 10, 1);
    write(pair.log, 1, 99, 1);
    pair.log.set_high_watermark({2});  // it believes its own record committed
    pair.guard.set.remove(Safeguard::truncate_by_leader_epoch);

    static_cast<void>(pair.start(2));
    pair.rounds(2);

    CHECK(pair.log.log_end() == pair.leader_log.log_end());
    CHECK_FALSE(pair.matches());  // nothing was found out: the logs differ for ever
}

TEST_CASE("after two fast leader changes the follower walks back to the common epoch (KIP-279)") {
    Pair pair;
    two_fast_changes(pair);

    static_cast<void>(pair.start(4));
    pair.rounds(4);

    CHECK(pair.matches());
}

TEST_CASE("before KIP-279 the logs diverge after two fast leader changes") {
    Pair pair;
    two_fast_changes(pair);
    pair.guard.set.remove(Safeguard::epoch_end_offset_with_epoch);

    static_cast<void>(pair.start(4));
    CHECK(pair.fetcher.state(at(0)) == FetcherState::truncating);
    pair.rounds(4);

    CHECK(pair.guard.spared.has(Safeguard::epoch_end_offset_with_epoch));
    CHECK(pair.log.log_end() == pair.leader_log.log_end());
    CHECK_FALSE(pair.matches());
}

TEST_CASE("before KIP-279 an epoch the leader never saw sends the follower to its watermark") {
    Pair pair;
    write(pair.leader_log, 0, 1, 2);
    write(pair.log, 0, 1, 1);
    write(pair.log, 7, 70, 2);  // newer than anything the leader knows of
    pair.log.set_high_watermark({1});
    pair.guard.set.remove(Safeguard::epoch_end_offset_with_epoch);
    // The leader's metadata is of epoch 8, but its cache has no entry yet beyond 0.
    static_cast<void>(pair.fetcher.follow(pair.log, the_log, b1, {8}, at(0), pair.guard));
    const auto request = pair.fetcher.request(pair.log, at(0));
    REQUIRE(request);
    FetchResponse::Part undefined;
    undefined.log = the_log;
    undefined.fetch_offset = request->offset;
    undefined.diverging = EpochEnd{};

    const auto handled = pair.fetcher.on_answer(pair.log, *request, undefined, at(1), at(1),
                                                backoff, pair.guard);

    CHECK(handled.truncated_to == Offset{1});
    CHECK(pair.fetcher.state(at(1)) == FetcherState::fetching);
}

TEST_CASE("a follower takes the leader's watermark one round later, bounded by its own log") {
    Pair pair;
    static_cast<void>(pair.start(0));
    write(pair.leader_log, 0, 1, 2);

    pair.rounds(1);
    CHECK(pair.log.log_end() == Offset{2});
    CHECK(pair.log.high_watermark() == Offset{0});
    pair.rounds(1);
    CHECK(pair.leader_log.high_watermark() == Offset{2});
    CHECK(pair.log.high_watermark() == Offset{0});
    pair.rounds(1);
    CHECK(pair.log.high_watermark() == Offset{2});
}

TEST_CASE("an answer to an older position or epoch changes nothing") {
    Pair pair;
    write(pair.leader_log, 0, 1, 2);
    static_cast<void>(pair.start(1));
    const auto old = pair.fetcher.request(pair.log, at(0));
    REQUIRE(old);
    FetchResponse::Part answer;
    answer.batches = {pair.leader_log.batches()[0]};
    static_cast<void>(pair.fetcher.follow(pair.log, the_log, b1, {2}, at(0), pair.guard));
    const ReplicaFetcher before = pair.fetcher;

    const auto handled =
        pair.fetcher.on_answer(pair.log, *old, answer, at(1), at(1), backoff, pair.guard);

    CHECK(handled.batches == 0);
    CHECK(pair.log.log_end() == Offset{0});
    CHECK(pair.fetcher == before);
}

TEST_CASE("a fenced follower waits for metadata and a failed request only for its backoff") {
    Pair pair;
    static_cast<void>(pair.start(3));
    const auto request = pair.fetcher.request(pair.log, at(0));
    REQUIRE(request);
    ReplicaFetcher retried = pair.fetcher;
    FetchResponse::Part fenced;
    fenced.error = ErrorCode::fenced_leader_epoch;
    FetchResponse::Part unknown;
    unknown.error = ErrorCode::unknown_leader_epoch;

    static_cast<void>(
        pair.fetcher.on_answer(pair.log, *request, fenced, at(0), at(0), backoff, pair.guard));
    static_cast<void>(
        retried.on_answer(pair.log, *request, unknown, at(0), at(0), backoff, pair.guard));

    CHECK(pair.fetcher.state(at(900'000)) == FetcherState::failed);
    CHECK(retried.state(at(999)) == FetcherState::backoff);
    CHECK_FALSE(retried.request(pair.log, at(999)));
    CHECK(retried.request(pair.log, at(1000)));
}

TEST_CASE("a leader with a shorter log makes the follower cut down to it") {
    Pair pair;
    write(pair.log, 0, 1, 5);
    static_cast<void>(pair.start(2));
    const auto request = pair.fetcher.request(pair.log, at(0));
    REQUIRE(request);
    FetchResponse::Part out_of_range;
    out_of_range.error = ErrorCode::offset_out_of_range;
    static_cast<void>(pair.fetcher.on_answer(pair.log, *request, out_of_range, at(0), at(0),
                                             backoff, pair.guard));
    REQUIRE(pair.fetcher.state(at(0)) == FetcherState::asking_offsets);
    CHECK_FALSE(pair.fetcher.request(pair.log, at(0)));

    const auto handled = pair.fetcher.on_leader_offsets(
        pair.log, {2}, ErrorCode::none, {0}, {3}, at(0), at(0), backoff);

    CHECK(handled.truncated_to == Offset{3});
    CHECK(pair.fetcher.fetch_offset() == Offset{3});
}

TEST_CASE("a batch that does not fit fails the partition until new metadata") {
    Pair pair;
    write(pair.log, 0, 1, 2);
    static_cast<void>(pair.start(2));
    const auto request = pair.fetcher.request(pair.log, at(0));
    REQUIRE(request);
    FetchResponse::Part answer;
    answer.batches = {pair.log.batches()[0]};

    const auto handled =
        pair.fetcher.on_answer(pair.log, *request, answer, at(0), at(0), backoff, pair.guard);

    CHECK(handled.error == ErrorCode::unknown_server_error);
    CHECK(pair.fetcher.state(at(0)) == FetcherState::failed);
}
