// The judge of transactions against histories written by hand: one that is as it should be, and one
// for each promise that can be broken.

#include <doctest/doctest.h>

#include "tests/reports/history_rig.hpp"

namespace {

using namespace eos;
using namespace eos::model;
using reports::Count;

constexpr LogId debits{0};
constexpr LogId credits{1};
constexpr LogId offsets{2};
constexpr ProcessId bank{{0}, 0};
constexpr ProcessId audit{{1}, 0};
constexpr TransactionalId txid{0};
constexpr TxnRef first{bank, 1};
constexpr TxnRef second{bank, 2};

reports::JudgeConfig config() {
    Topology topology;
    topology.topics.push_back({.name = "debits", .first = debits});
    topology.topics.push_back({.name = "credits", .first = credits});
    topology.topics.push_back({.name = "__consumer_offsets", .first = offsets, .internal = true});
    for (std::int32_t topic = 0; topic < 3; ++topic)
        topology.logs.push_back({.topic = {topic}, .partition = {0}, .replicas = {{1}}});
    topology.apps = {"bank", "audit"};
    topology.groups = {"audit"};
    topology.app_first_node = {{4}, {5}};
    topology.transactional_ids = {"bank-0"};
    reports::JudgeConfig result;
    result.topology = std::make_shared<const Topology>(topology);
    result.apps.push_back({.id = {0}, .writes = true, .to = {{0}, {1}}});
    result.apps.push_back({.id = {1}, .reads = true, .from = {{0}, {1}}, .wants_committed = true});
    return result;
}

Batch data(std::int64_t base, std::uint64_t id, TxnRef txn) {
    Batch batch;
    batch.base = {base};
    batch.producer_id = ProducerId{7};
    batch.producer_epoch = {0};
    batch.transactional = true;
    batch.txn = txn;
    batch.payload = Payload(std::vector<Record>{{{id}, 0, 1}});
    return batch;
}
Batch marker(std::int64_t base, ControlType type, std::optional<TxnRef> txn) {
    Batch batch;
    batch.base = {base};
    batch.producer_id = ProducerId{7};
    batch.transactional = true;
    batch.control = type;
    batch.txn = txn;
    return batch;
}
constexpr auto committed = ControlType::commit;
constexpr auto aborted = ControlType::abort;

class History : public reports::testing::ToldHistory<History> {
  public:
    History() : ToldHistory(config()) {}

    History& begins(TxnRef txn) { return tell(TxnBegan{bank, txid, txn}); }
    History& sends(LogId log, std::uint64_t id, TxnRef txn) {
        const Record record{{id}, 0, 1};
        return tell(SendInvoked{bank, 0, static_cast<std::int64_t>(id), log, record, txn});
    }
    History& told(TxnRef txn, ControlType result) {
        return tell(TxnEndInvoked{bank, txn, result}).tell(TxnEndReturned{bank, txn, result});
    }
    /// The leader's watermark and last stable offset.
    History& stable(LogId log, std::int64_t watermark, std::int64_t last_stable) {
        return tell(WatermarkMoved{{1}, log, true, {watermark}})
            .tell(StableOffsetMoved{{1}, log, {last_stable}});
    }
    History& reads(LogId log, std::int64_t offset, std::uint64_t id) {
        return tell(Polled{audit, log, {offset}, 0, 1,
                           Payload(std::vector<Record>{{{id}, 0, 1}})});
    }
    History& is(TxnState state, std::optional<sim::Instant> begun = {}) {
        TxnChanged change;
        change.txid = txid;
        change.state = state;
        change.producer_id = {7};
        change.begun = begun;
        return tell(change);
    }
    History& ends_with(LogId log, std::vector<Batch> batches, std::int32_t open = 0) {
        ReplicaAudit held;
        held.broker = {1};
        held.log = log;
        held.leader = true;
        held.log_end = {static_cast<std::int64_t>(batches.size())};
        held.high_watermark = held.log_end;
        held.last_stable = open > 0 ? Offset{0} : held.log_end;
        held.open_transactions = open;
        held.batches = std::move(batches);
        return tell(held);
    }
    std::int64_t count(Count count) { return findings().total(count); }
    sim::Duration stall() { return findings().measured.transactions.stall_max; }
    /// Everything a correct system may never show.
    std::int64_t violations() {
        const auto found = findings();
        std::int64_t sum = 0;
        for (const auto c : {Count::lost, Count::duplicates, Count::aborted_visible,
                             Count::dirty_reads, Count::torn, Count::offset_tear,
                             Count::misattributed, Count::false_ack, Count::zombie_writes,
                             Count::illegal, Count::stuck})
            sum += found.total(c);
        return sum;
    }
};

/// One transaction over two partitions, reported committed.
History transfer() {
    History history;
    history.begins(first).sends(debits, 1, first).sends(credits, 2, first).told(first, committed);
    return history;
}

}  // namespace

TEST_CASE("a transaction committed in all its partitions is as it should be") {
    auto history = transfer();
    history.stable(debits, 2, 2)
        .reads(debits, 0, 1)
        .ends_with(debits, {data(0, 1, first), marker(1, committed, first)})
        .ends_with(credits, {data(0, 2, first), marker(1, committed, first)})
        .ends_with(offsets, {});

    CHECK(history.violations() == 0);
}

TEST_CASE("a transaction committed in one partition and aborted in the other is torn") {
    auto history = transfer();
    history.ends_with(debits, {data(0, 1, first), marker(1, committed, first)})
        .ends_with(credits, {data(0, 2, first), marker(1, aborted, first)});

    CHECK(history.count(Count::torn) == 1);
}

TEST_CASE("a transaction reported committed whose records are aborted is a false answer") {
    auto history = transfer();
    history.ends_with(debits, {data(0, 1, first), marker(1, aborted, first)})
        .ends_with(credits, {data(0, 2, first), marker(1, aborted, first)});

    CHECK(history.count(Count::false_ack) == 1);
    CHECK(history.count(Count::torn) == 0);
}

TEST_CASE("a transaction reported aborted whose records are committed is a false answer") {
    History history;
    history.begins(first).sends(debits, 1, first).told(first, aborted);
    history.ends_with(debits, {data(0, 1, first), marker(1, committed, first)});

    CHECK(history.count(Count::false_ack) == 1);
}

TEST_CASE("records decided by the end of another transaction are misattributed") {
    History history;
    history.begins(first).begins(second).sends(debits, 1, second);
    SUBCASE("by a committed that was meant for the first") {
        history.ends_with(debits, {data(0, 1, second), marker(1, committed, first)});
        CHECK(history.count(Count::misattributed) == 1);
    }
    SUBCASE("not by the coordinator's own abort") {
        history.ends_with(debits, {data(0, 1, second), marker(1, aborted, std::nullopt)});
        CHECK(history.count(Count::misattributed) == 0);
    }
}

TEST_CASE("an aborted record given to a reader that wants committed data is counted") {
    History history;
    history.begins(first).sends(debits, 1, first).told(first, aborted).reads(debits, 0, 1);
    history.ends_with(debits, {data(0, 1, first), marker(1, aborted, first)});

    CHECK(history.count(Count::aborted_visible) == 1);
}

TEST_CASE("a record given to such a reader before its transaction is decided is a dirty read") {
    auto history = transfer();
    history.stable(debits, 1, 0).reads(debits, 0, 1);
    history.ends_with(debits, {data(0, 1, first), marker(1, committed, first)});

    CHECK(history.count(Count::dirty_reads) == 1);
}

TEST_CASE("outputs without their offsets, and offsets without their outputs, are a tear") {
    History history;
    history.begins(first).sends(debits, 1, first);
    history.tell(TxnOffsetsSent{bank, first, {0}, credits, {5}});
    const auto end_with = [&](ControlType of_outputs, ControlType of_offsets) {
        history.ends_with(debits, {data(0, 1, first), marker(1, of_outputs, first)})
            .ends_with(offsets, {data(0, 9, first), marker(1, of_offsets, first)});
    };
    SUBCASE("outputs alone") {
        end_with(committed, aborted);
        CHECK(history.count(Count::offset_tear) == 1);
    }
    SUBCASE("offsets alone") {
        end_with(aborted, committed);
        CHECK(history.count(Count::offset_tear) == 1);
    }
    SUBCASE("both") {
        end_with(committed, committed);
        CHECK(history.count(Count::offset_tear) == 0);
    }
}

TEST_CASE("states of a transactional id follow one another as Kafka's table says") {
    History history;
    history.is(TxnState::empty).is(TxnState::ongoing).is(TxnState::prepare_commit);
    SUBCASE("to the end") {
        CHECK(history.is(TxnState::complete_commit).count(Count::illegal) == 0);
    }
    SUBCASE("not to the other end") {
        CHECK(history.is(TxnState::complete_abort).count(Count::illegal) == 1);
    }
}

TEST_CASE("coordinator lag counts from the EndTxn, not from the decision") {
    History history;
    history.is(TxnState::empty).is(TxnState::ongoing);
    history.is(TxnState::prepare_commit, sim::Instant{}).is(TxnState::complete_commit);

    // Every word takes a millisecond.
    CHECK(history.findings().measured.transactions.coordinator_lag_p99 == sim::milliseconds(4));
}

TEST_CASE("a last stable offset that never moves again has stood still until the end") {
    auto history = transfer();
    history.stable(debits, 1, 0);
    for (int i = 0; i < 100; ++i) history.reads(credits, i, 100 + static_cast<std::uint64_t>(i));
    history.ends_with(debits, {data(0, 1, first)}, 1);

    CHECK(history.stall() >= sim::milliseconds(100));
}

TEST_CASE("a transaction that nobody will end is stuck") {
    History history;
    history.begins(first).sends(debits, 1, first);
    SUBCASE("unknown to its coordinator") {
        history.ends_with(debits, {data(0, 1, first)}, 1);
        CHECK(history.count(Count::stuck) >= 1);
    }
    SUBCASE("decided, and never completed") {
        TxnAudit decided;
        decided.txid = txid;
        decided.state = TxnState::prepare_commit;
        decided.logs = {debits};
        history.tell(decided).ends_with(debits, {data(0, 1, first)}, 1);
        history.ends_with(credits, {}).ends_with(offsets, {});
        CHECK(history.count(Count::stuck) == 1);
    }
}

TEST_CASE("a fenced epoch counts where it is accepted by the leader, not by who used to be it") {
    const auto accepted_by = [](std::int32_t broker, bool transactional) {
        History history;
        TxnChanged fenced;
        fenced.txid = txid;
        fenced.state = TxnState::complete_abort;
        fenced.producer_id = {7};
        fenced.epoch = {1};
        history.tell(LeadershipTaken{{1}, debits, {0}, {0}, {0}}).tell(fenced);
        auto batch = data(0, 1, first);
        batch.base_sequence = Sequence{0};
        batch.transactional = transactional;
        if (!transactional) {
            auto newer = batch;  // the epoch before it is fenced by what the partition holds
            newer.producer_epoch = {1};
            history.tell(Appended{{1}, debits, true, newer});
        }
        history.tell(LeadershipTaken{{2}, debits, {1}, {0}, {0}});
        return history.tell(Appended{{broker}, debits, true, batch}).count(Count::zombie_writes);
    };
    CHECK(accepted_by(2, true) == 1);
    CHECK(accepted_by(1, true) == 0);
    CHECK(accepted_by(2, false) == 1);
    CHECK(accepted_by(1, false) == 0);
}
