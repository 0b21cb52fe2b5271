// The judge of stores against histories written by hand.

#include <doctest/doctest.h>

#include "tests/reports/history_rig.hpp"

namespace {

using namespace eos;
using namespace eos::model;
using reports::Count;

constexpr LogId log0{0};
constexpr ProcessId sink0{{0}, 0};
constexpr ProcessId sink1{{0}, 1};
constexpr GroupId group0{0};
constexpr StoreId db{0};

reports::JudgeConfig sink_config(EffectKind effect, bool invariant = false) {
    Topology topology;
    topology.brokers = 3;
    topology.topics.push_back({.name = "orders", .first = log0, .partitions = 1, .min_insync = 2});
    topology.logs.push_back({.topic = {0}, .partition = {0}, .replicas = {{1}, {2}, {3}}});
    topology.apps = {"writer"};
    topology.groups = {"writer"};
    topology.app_first_node = {{4}};
    topology.stores = {{"db", StoreKind::sql}};
    topology.first_store = {6};
    reports::JudgeConfig result{std::make_shared<const Topology>(topology), {}, {}};
    result.apps.push_back({.id = {0},
                           .reads = true,
                           .group = group0,
                           .from = {{0}},
                           .instances = 2,
                           .writes_into = {{db, effect}}});
    if (invariant) {
        reports::InvariantSpec spec;
        spec.name = "rows";
        spec.fold.stores = {db};
        spec.equals_number = 3;
        result.invariants.push_back(spec);
    }
    return result;
}

class StoreHistory : public reports::testing::ToldHistory<StoreHistory> {
  public:
    explicit StoreHistory(EffectKind effect, bool invariant = false)
        : ToldHistory(sink_config(effect, invariant)), effect_(effect) {}

    /// The log holds these events, in this order, with these keys.
    StoreHistory& log(std::vector<Record> records) {
        ReplicaAudit audit;
        audit.broker = {1};
        audit.log = log0;
        audit.leader = true;
        audit.log_end = audit.high_watermark = {static_cast<std::int64_t>(records.size())};
        audit.last_stable = audit.log_end;
        Batch batch;
        batch.count = static_cast<std::int32_t>(records.size());
        batch.payload = Payload(records);
        records_ = std::move(records);
        audit.batches = {batch};
        return tell(audit);
    }
    StoreHistory& applied(std::int64_t offset, ProcessId who = sink0, bool kept = true) {
        const auto& record = records_.at(static_cast<std::size_t>(offset));
        return tell(StoreApplied{db, who, group0, log0, {offset}, record, effect_, kept});
    }
    StoreHistory& committed(std::int64_t offset) {
        return tell(OffsetCommitted{{1}, group0, log0, Offset{offset}, {}});
    }
    StoreHistory& offset_in_store(std::int64_t offset) {
        return tell(StoreOffsetWritten{db, sink0, group0, log0, {offset}});
    }

  private:
    EffectKind effect_;
    std::vector<Record> records_;
};

const std::vector<Record> three{{{1}, 0, 1}, {{2}, 0, 1}, {{3}, 1, 1}};

}  // namespace

TEST_CASE("one effect for each input that was passed is right") {
    StoreHistory history(EffectKind::insert, true);
    history.log(three).applied(0).applied(1).applied(2).committed(3);

    const auto found = history.findings();

    CHECK(found.total(Count::lost) == 0);
    CHECK(found.total(Count::duplicates) == 0);
    REQUIRE(found.invariants.size() == 1);
    CHECK(found.invariants.front().holds);
}

TEST_CASE("an input that was passed without an effect is lost") {
    StoreHistory history(EffectKind::insert);

    SUBCASE("by a committed offset") {
        history.log(three).applied(0).applied(2).committed(3);
        CHECK(history.findings().total(Count::lost) == 1);
    }
    SUBCASE("by an offset in the store") {
        history.log(three).applied(0).applied(2).offset_in_store(3);
        CHECK(history.findings().total(Count::lost) == 1);
    }
    SUBCASE("and one that was not passed is late") {
        history.log(three).applied(0).committed(1);
        CHECK(history.findings().total(Count::lost) == 0);
    }
}

TEST_CASE("an effect is counted by its event, whoever repeated it") {
    StoreHistory history(EffectKind::add);

    SUBCASE("a second instance") {
        history.log(three).applied(0).applied(0, sink1).applied(1).applied(2).committed(3);
        CHECK(history.findings().total(Count::duplicates) == 1);
    }
    SUBCASE("the producer, at two offsets") {
        history.log({{{1}, 0, 1}, {{1}, 0, 1}}).applied(0).applied(1).committed(2);
        CHECK(history.findings().total(Count::duplicates) == 1);
    }
    SUBCASE("a producer's copy that the store knew is nobody's loss") {
        history.log({{{1}, 0, 1}, {{1}, 0, 1}}).applied(0).committed(2);
        const auto found = history.findings();
        CHECK(found.total(Count::duplicates) == 0);
        CHECK(found.total(Count::lost) == 0);
    }
}

TEST_CASE("a value written again is no duplicate, and an older one that came last is stale") {
    StoreHistory history(EffectKind::put);

    SUBCASE("written again") {
        history.log(three).applied(0).applied(1).applied(0).applied(1).applied(2).committed(3);
        const auto found = history.findings();
        CHECK(found.total(Count::duplicates) == 0);
        CHECK(found.total(Count::state_drift) == 0);
    }
    SUBCASE("came last") {
        history.log(three).applied(0).applied(1).applied(2).applied(0, sink1).committed(3);
        const auto found = history.findings();
        CHECK(found.total(Count::state_drift) == 1);
        CHECK(found.total(Count::lost) == 0);
    }
    SUBCASE("came last, and was refused") {
        history.log(three).applied(0).applied(1).applied(2).applied(0, sink1, false).committed(3);
        CHECK(history.findings().total(Count::state_drift) == 0);
    }
    SUBCASE("the newest never came") {
        history.log(three).applied(0).applied(2).committed(3);
        const auto found = history.findings();
        CHECK(found.total(Count::lost) == 1);
        CHECK(found.total(Count::state_drift) == 0);
    }
    SUBCASE("an older one never came") {
        history.log(three).applied(1).applied(2).committed(3);
        CHECK(history.findings().total(Count::lost) == 0);
    }
}

TEST_CASE("what is in doubt at the end is stuck, and a wiped store has lost its effects") {
    StoreHistory history(EffectKind::insert);

    SUBCASE("in doubt") {
        history.log(three).tell(StoreAudit{db, 2, 1});
        CHECK(history.findings().total(Count::stuck) >= 3);
    }
    SUBCASE("wiped") {
        history.log(three).applied(0).applied(1).applied(2).committed(3).tell(StoreWiped{db});
        CHECK(history.findings().total(Count::lost) == 3);
    }
}

TEST_CASE("calls at stores are counted against the records that had an effect") {
    StoreHistory history(EffectKind::insert);
    history.log(three).applied(0).applied(1).applied(2).committed(3);
    for (int i = 0; i < 6; ++i) history.tell(StoreCallDone{sink0, db});

    const auto found = history.findings();

    CHECK(found.measured.store_calls == 6);
    CHECK(found.measured.store_records == 3);
}
