// The judges against histories written by hand: good ones they must leave alone, bad ones they must
// name, and the borders between.

#include <doctest/doctest.h>

#include "tests/reports/history_rig.hpp"

namespace {

using namespace eos;
using namespace eos::model;
using reports::Count;

constexpr LogId log0{0};
constexpr ProcessId writer{{0}, 0};
constexpr ProcessId reader{{1}, 0};
constexpr GroupId group{0};

// One topic, one partition; application 0 writes it, application 1 reads it in group 0.
reports::JudgeConfig config() {
    Topology topology;
    topology.brokers = 3;
    topology.topics.push_back({.name = "orders", .first = log0, .partitions = 1, .min_insync = 2});
    topology.logs.push_back({.topic = {0}, .partition = {0}, .replicas = {{1}, {2}, {3}}});
    topology.apps = {"shop", "audit"};
    topology.groups = {"audit"};
    topology.app_first_node = {{4}, {5}};
    reports::JudgeConfig result{std::make_shared<const Topology>(topology), {}, {}};
    result.apps.push_back({.id = {0}, .writes = true, .to = {{0}}});
    result.apps.push_back({.id = {1}, .reads = true, .group = group, .from = {{0}}});
    return result;
}

Batch batch(std::int64_t base, std::vector<std::uint64_t> ids, std::int32_t epoch = 0) {
    std::vector<Record> records;
    for (const auto id : ids) records.push_back({{id}, 0, 1});
    Batch result;
    result.base = {base};
    result.count = static_cast<std::int32_t>(ids.size());
    result.leader_epoch = {epoch};
    result.payload = Payload(std::move(records));
    return result;
}

class History : public reports::testing::ToldHistory<History> {
  public:
    History() : ToldHistory(config()) {}

    History& send(std::uint64_t id, std::int64_t order) {
        return tell(InputOffered{writer, {{id}, 0, 1}, false})
            .tell(SendInvoked{writer, 0, order, log0, {{id}, 0, 1}});
    }
    History& acked(std::uint64_t id, std::int64_t order, std::int64_t offset) {
        return tell(SendDone{writer, 0, order, log0, {{id}, 0, 1}, ErrorCode::none, Certainty::done,
                             Offset{offset}, now()});
    }
    History& watermark(std::int64_t offset) {
        return tell(WatermarkMoved{{1}, log0, true, {offset}});
    }
    History& polled(const Batch& b) {
        return tell(Polled{reader, log0, b.base, 0, b.count, b.payload});
    }
    History& effect(std::uint64_t id, std::int64_t offset) {
        return tell(Effect{reader, group, log0, {offset}, {{id}, 0, 1}});
    }
    History& committed(std::int64_t offset, bool loaded = false) {
        return tell(OffsetCommitted{{1}, group, log0, Offset{offset}, {}, loaded});
    }
    History& leader_holds(std::vector<Batch> batches, std::int64_t watermark) {
        const auto end = batches.empty() ? Offset{0} : batches.back().next_offset();
        return tell(ReplicaAudit{{1}, log0, true, {0}, {watermark}, end, std::move(batches)});
    }
    History& follower_holds(std::vector<Batch> batches, std::int64_t watermark) {
        const auto end = batches.empty() ? Offset{0} : batches.back().next_offset();
        return tell(ReplicaAudit{{2}, log0, false, {0}, {watermark}, end, std::move(batches)});
    }
};

std::int64_t total(const reports::Findings& findings) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < reports::count_kinds; ++i)
        sum += findings.total(static_cast<Count>(i));
    return sum;
}

}  // namespace

TEST_CASE("a history in which everything went well has no findings") {
    const auto b = batch(0, {10, 11});
    History history;
    history.send(10, 0).send(11, 1).watermark(2).acked(10, 0, 0).acked(11, 1, 1);
    history.polled(b).effect(10, 0).effect(11, 1).committed(2);

    const auto findings = history.leader_holds({b}, 2).follower_holds({b}, 2).findings();

    CHECK(total(findings) == 0);
    CHECK(findings.disagreements.empty());
    CHECK(findings.measured.records_acked == 2);
}

TEST_CASE("an acknowledged record that is not in the log is lost") {
    History history;
    history.send(10, 0).send(11, 1).watermark(1).acked(10, 0, 0).acked(11, 1, 1);

    const auto findings = history.leader_holds({batch(0, {10})}, 1).findings();

    CHECK(findings.total(Count::lost) == 1);
    CHECK(findings.per_app.at({0})[static_cast<std::size_t>(Count::lost)] == 1);
}

TEST_CASE("a record above the high watermark is not readable") {
    History history;
    history.send(10, 0).acked(10, 0, 0);

    const auto findings = history.leader_holds({batch(0, {10})}, 0).findings();

    CHECK(findings.total(Count::lost) == 1);
}

TEST_CASE("an input that was offered and never sent is lost") {
    History history;
    history.tell(InputOffered{writer, {{10}, 0, 1}, false});

    const auto findings = history.leader_holds({}, 0).findings();

    CHECK(findings.total(Count::lost) == 1);
}

TEST_CASE("a record that stands twice is one duplicate of its writer") {
    History history;
    history.send(10, 0).watermark(2).acked(10, 0, 0);

    const auto findings = history.leader_holds({batch(0, {10}), batch(1, {10})}, 2).findings();

    CHECK(findings.total(Count::duplicates) == 1);
    CHECK(findings.total(Count::lost) == 0);
}

TEST_CASE("being polled twice is not a duplicate, two effects are") {
    const auto b = batch(0, {10});
    History history;
    history.send(10, 0).watermark(1).acked(10, 0, 0).polled(b).polled(b).effect(10, 0);
    SUBCASE("polled twice") {
        CHECK(history.leader_holds({b}, 1).findings().total(Count::duplicates) == 0);
    }
    SUBCASE("processed twice") {
        history.effect(10, 0);
        const auto findings = history.leader_holds({b}, 1).findings();
        CHECK(findings.per_app.at({1})[static_cast<std::size_t>(Count::duplicates)] == 1);
    }
}

TEST_CASE("an input is lost to its reader only once the group has committed past it") {
    const auto b = batch(0, {10, 11});
    History history;
    history.send(10, 0).send(11, 1).watermark(2).acked(10, 0, 0).acked(11, 1, 1);
    history.polled(b).effect(11, 1);
    SUBCASE("not committed: it will be read again") {
        history.committed(0);
        CHECK(history.leader_holds({b}, 2).findings().total(Count::lost) == 0);
    }
    SUBCASE("committed past") {
        history.committed(2);
        CHECK(history.leader_holds({b}, 2).findings().total(Count::lost) == 1);
    }
}

TEST_CASE("the second copy of a record that had its effect is no lost input") {
    const auto b = batch(0, {10, 10, 11});
    History history;
    history.send(10, 0).send(11, 1).watermark(3).acked(10, 0, 0).acked(11, 1, 2);
    history.polled(b).effect(10, 0).committed(3);
    SUBCASE("the copy was stepped over, and so was another record") {
        const auto findings = history.leader_holds({b}, 3).findings();
        CHECK(findings.per_app.at({1})[static_cast<std::size_t>(Count::lost)] == 1);
    }
    SUBCASE("only the copy was stepped over") {
        const auto findings = history.effect(11, 2).leader_holds({b}, 3).findings();
        CHECK_FALSE(findings.per_app.contains({1}));  // nothing to charge the reader with
    }
}

TEST_CASE("records of one session behind a later send are reordered") {
    History history;
    history.send(10, 0).send(11, 1).send(12, 2).watermark(3);

    const auto findings = history.leader_holds({batch(0, {11, 12, 10})}, 3).findings();

    CHECK(findings.total(Count::reordered) == 1);
}

TEST_CASE("a resend may stand behind what was sent before it") {
    History history;
    history.send(10, 0).send(11, 1).watermark(2);
    history.tell(SendInvoked{writer, 0, 2, log0, {{10}, 0, 1}});

    const auto findings = history.leader_holds({batch(0, {11, 10})}, 2).findings();

    CHECK(findings.total(Count::reordered) == 0);
}

// An event that stands twice in its input is sent twice by whoever processes it.
TEST_CASE("of two sends of one record the earlier one explains the earlier place") {
    constexpr ProcessId other{{0}, 1};
    const TxnRef first{writer, 1};
    const TxnRef second{writer, 2};
    const auto sent = [](ProcessId process, std::uint64_t id, std::int64_t order, TxnRef txn) {
        return SendInvoked{process, 0, order, log0, {{id}, 0, 1}, txn};
    };
    auto early = batch(0, {10, 11});
    early.txn = first;
    auto late = batch(2, {12, 13, 10});
    late.txn = second;
    History history;
    // The other one's transaction was aborted before anything was written.
    history.tell(sent(other, 10, 0, {other, 1})).tell(sent(other, 11, 1, {other, 1}));
    history.tell(sent(writer, 10, 0, first)).tell(sent(writer, 11, 1, first));
    history.tell(sent(writer, 12, 2, second)).tell(sent(writer, 13, 3, second));
    history.tell(sent(writer, 10, 4, second)).watermark(5);

    SUBCASE("in order") {
        const auto findings = history.leader_holds({early, late}, 5).findings();
        CHECK(findings.total(Count::reordered) == 0);
    }
    SUBCASE("what was sent last stands first") {
        late.payload = batch(2, {13, 12, 10}).payload;
        const auto findings = history.leader_holds({early, late}, 5).findings();
        CHECK(findings.total(Count::reordered) == 1);
    }
}

TEST_CASE("a reader above the high watermark reads dirty") {
    const auto b = batch(0, {10});
    History history;
    history.send(10, 0).polled(b);

    CHECK(history.leader_holds({b}, 1).findings().total(Count::dirty_reads) == 1);
}

TEST_CASE("what was read and later cut off was read too early") {
    const auto b = batch(0, {10});
    History history;
    history.send(10, 0).send(11, 1).watermark(1).polled(b);

    const auto findings = history.leader_holds({batch(0, {11}, 1)}, 1).findings();

    CHECK(findings.total(Count::dirty_reads) == 1);
}

TEST_CASE("replicas that differ below both watermarks have diverged") {
    History history;
    history.send(10, 0).send(11, 1).watermark(1).leader_holds({batch(0, {10})}, 1);
    SUBCASE("another record at the same offset") {
        CHECK(history.follower_holds({batch(0, {11})}, 1).findings().total(Count::diverged) == 1);
    }
    SUBCASE("above the follower's watermark nothing is promised") {
        CHECK(history.follower_holds({batch(0, {11})}, 0).findings().total(Count::diverged) == 0);
    }
}

TEST_CASE("accepted sequences of one epoch neither skip nor repeat") {
    const auto numbered = [](std::int64_t base, std::int32_t sequence, std::int16_t epoch) {
        auto b = batch(base, {static_cast<std::uint64_t>(20 + base)});
        b.producer_id = ProducerId{1};
        b.producer_epoch = {epoch};
        b.base_sequence = Sequence{sequence};
        return b;
    };
    History history;
    SUBCASE("in order, over an epoch") {
        history.leader_holds({numbered(0, 0, 0), numbered(1, 1, 0), numbered(2, 0, 1)}, 3);
        CHECK(history.findings().total(Count::illegal) == 0);
    }
    SUBCASE("a gap") {
        history.leader_holds({numbered(0, 0, 0), numbered(1, 2, 0)}, 2);
        CHECK(history.findings().total(Count::illegal) == 1);
    }
    SUBCASE("a repetition") {
        history.leader_holds({numbered(0, 0, 0), numbered(1, 0, 0)}, 2);
        CHECK(history.findings().total(Count::illegal) == 1);
    }
}

TEST_CASE("a coordinator that loads another offset than the effective one is found") {
    History history;
    history.committed(5);
    SUBCASE("the same offset") {
        CHECK(history.committed(5, true).findings().total(Count::offset_regressions) == 0);
    }
    SUBCASE("an older offset") {
        CHECK(history.committed(3, true).findings().total(Count::offset_regressions) == 1);
    }
    SUBCASE("an explicit commit may go back") {
        CHECK(history.committed(3).findings().total(Count::offset_regressions) == 0);
    }
}

TEST_CASE("a loaded offset that catches up as the rest of the log is loaded is no regression") {
    History history;
    history.committed(5).committed(3, true);
    SUBCASE("it catches up") {
        CHECK(history.committed(5, true).findings().total(Count::offset_regressions) == 0);
    }
    SUBCASE("a member who commits it again does not make it good") {
        CHECK(history.committed(5).findings().total(Count::offset_regressions) == 1);
    }
}

TEST_CASE("two members own a partition only if both commit while both have it") {
    const ProcessId other{{1}, 1};
    const auto commit = [](ProcessId process) {
        return CommitReturned{process, group, log0, {1}, ErrorCode::none,
                              sim::time_zero + sim::seconds(1)};
    };
    History history;
    history.tell(Assigned{reader, group, Generation{1}, {log0}}).tell(commit(reader));
    history.tell(Assigned{other, group, Generation{2}, {log0}}).tell(commit(other));
    SUBCASE("the first one committed before the second came") {
        CHECK(history.findings().total(Count::double_owners) == 0);
    }
    SUBCASE("the first one hears late of what it asked before the second came") {
        auto late = commit(reader);
        late.invoked_at = sim::time_zero;
        CHECK(history.tell(late).findings().total(Count::double_owners) == 0);
    }
    SUBCASE("the first one commits again") {
        CHECK(history.tell(commit(reader)).findings().total(Count::double_owners) == 1);
    }
    SUBCASE("the first one died, or was thrown out, and is given it again") {
        const auto later = [](ProcessId process) {
            return CommitReturned{process, group, log0, {1}, ErrorCode::none,
                                  sim::time_zero + sim::seconds(2)};
        };
        history.tell(Assigned{reader, group, Generation{3}, {log0}}).tell(later(reader));
        SUBCASE("the second one is gone without a word") {
            CHECK(history.findings().total(Count::double_owners) == 0);
        }
        SUBCASE("the second one commits as well") {
            CHECK(history.tell(later(other)).findings().total(Count::double_owners) == 1);
        }
    }
    SUBCASE("the first one commits in a transaction, which counts when it is committed") {
        const TxnRef txn{reader, 1};
        history.tell(TxnOffsetsSent{reader, txn, group, log0, {1}});
        SUBCASE("as it is") {
            history.tell(TxnEndReturned{reader, txn});
            CHECK(history.findings().total(Count::double_owners) == 1);
        }
        SUBCASE("and not when it is refused, or aborted") {
            history.tell(TxnEndReturned{reader, txn, ControlType::commit,
                                        ErrorCode::illegal_generation, Certainty::not_done});
            history.tell(TxnEndReturned{reader, txn, ControlType::abort});
            CHECK(history.findings().total(Count::double_owners) == 0);
        }
    }
}

TEST_CASE("another record at an offset that was cut off has its own effect") {
    History history;
    history.send(10, 0).send(11, 1).watermark(1).effect(10, 0).effect(11, 0);

    const auto findings = history.leader_holds({batch(0, {11}, 1)}, 1).findings();

    CHECK(findings.total(Count::duplicates) == 0);
}

TEST_CASE("a reader whose program has ended misses nothing") {
    ClientAudit audit;
    audit.process = reader;
    audit.finished = true;
    History history;
    history.send(10, 0).watermark(1).acked(10, 0, 0).leader_holds({batch(0, {10})}, 1);

    CHECK(history.tell(audit).findings().total(Count::stuck) == 0);
}

TEST_CASE("an end offset told to clients does not shrink") {
    History history;
    history.tell(EndOffsetTold{reader, log0, {10}}).tell(EndOffsetTold{reader, log0, {7}});

    CHECK(history.findings().total(Count::offset_regressions) == 1);
}

TEST_CASE("a send without an answer and a partition without a leader are stuck") {
    History history;
    history.send(10, 0);
    ClientAudit audit;
    audit.process = writer;
    audit.sends_open = 1;

    const auto findings = history.tell(audit).findings();

    CHECK(findings.total(Count::stuck) == 2);
}

TEST_CASE("the longest gap is measured only while something is waited for") {
    History history;
    history.send(10, 0).acked(10, 0, 0);
    for (int i = 0; i < 500; ++i) history.watermark(1);
    history.send(11, 1);
    for (int i = 0; i < 20; ++i) history.watermark(1);

    const auto findings = history.acked(11, 1, 1).findings();

    CHECK(findings.measured.unavailable < sim::milliseconds(40));
    CHECK(findings.measured.unavailable > sim::milliseconds(15));
}

TEST_CASE("a histogram names quantiles within a sixteenth") {
    reports::Histogram histogram;
    for (int i = 1; i <= 1000; ++i) histogram.add(sim::microseconds(i));

    const auto p50 = histogram.quantile(500)->count();
    const auto p99 = histogram.quantile(990)->count();

    CHECK(p50 >= 500'000);
    CHECK(p50 <= 535'000);
    CHECK(p99 >= 990'000);
    CHECK(p99 <= 1'000'000);
    CHECK(!reports::Histogram{}.quantile(500).has_value());
}

TEST_CASE("the watermark of a leader may not go back, what a deposed one does is its own") {
    History history;
    history.tell(LeadershipTaken{{2}, log0, {1}, {9}, {5}});
    history.tell(WatermarkMoved{{2}, log0, true, {7}});
    SUBCASE("the leader") {
        history.tell(WatermarkMoved{{2}, log0, true, {6}});
        CHECK(history.findings().total(Count::offset_regressions) == 1);
    }
    SUBCASE("the one before it") {
        history.tell(WatermarkMoved{{1}, log0, true, {6}});
        CHECK(history.findings().total(Count::offset_regressions) == 0);
    }
}
