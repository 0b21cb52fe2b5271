// Operations of clients and the cycles between them, on histories written by hand.

#include <doctest/doctest.h>

#include "tests/reports/history_rig.hpp"

namespace {

using namespace eos;
using namespace eos::model;
using reports::Dependency;

constexpr LogId x{0};
constexpr LogId y{1};
constexpr ProcessId alice{{0}, 0};
constexpr ProcessId bob{{1}, 0};
constexpr ProcessId carol{{2}, 0};

reports::JudgeConfig config() {
    Topology topology;
    topology.topics.push_back({.name = "x", .first = x});
    topology.topics.push_back({.name = "y", .first = y});
    for (std::int32_t topic = 0; topic < 2; ++topic)
        topology.logs.push_back({.topic = {topic}, .partition = {0}, .replicas = {{1}}});
    topology.apps = {"alice", "bob", "carol"};
    topology.app_first_node = {{4}, {5}, {6}};
    reports::JudgeConfig result;
    result.topology = std::make_shared<const Topology>(topology);
    for (std::int32_t app = 0; app < 3; ++app)
        result.apps.push_back({.id = {app},
                               .writes = true,
                               .reads = true,
                               .from = {{0}, {1}},
                               .to = {{0}, {1}},
                               .wants_committed = app < 2});
    result.operations = true;
    return result;
}

class History : public reports::testing::ToldHistory<History> {
  public:
    History() : ToldHistory(config()) {}

    History& begins(ProcessId who, std::int32_t number) {
        return tell(TxnBegan{who, {who.app.value}, {who, number}});
    }
    /// Sends the record and is told its offset.
    History& sends(ProcessId who, LogId log, std::int64_t offset, std::uint64_t id,
                   std::optional<std::int32_t> txn = {}) {
        const Record record{{id}, 0, 1};
        std::optional<TxnRef> ref;
        if (txn) ref = TxnRef{who, *txn};
        ++order_;
        tell(SendInvoked{who, 0, order_, log, record, ref});
        SendDone done;
        done.process = who;
        done.order = order_;
        done.log = log;
        done.record = record;
        done.txn = ref;
        done.offset = Offset{offset};
        return tell(done);
    }
    History& reads(ProcessId who, LogId log, std::int64_t offset, std::uint64_t id) {
        return tell(Polled{who, log, {offset}, 0, 1, Payload(std::vector<Record>{{{id}, 0, 1}})});
    }
    /// The leader says that everything below is decided.
    History& decided(LogId log, std::int64_t end) {
        return tell(WatermarkMoved{{1}, log, true, {end}}).tell(StableOffsetMoved{{1}, log, {end}});
    }
    History& ends(ProcessId who, std::int32_t number, ControlType how = ControlType::commit) {
        return tell(TxnEndReturned{who, {who, number}, how});
    }

  private:
    std::int64_t order_ = 0;
};

std::string circle(const reports::Findings& findings, Jepsen kind) {
    std::string text;
    for (const auto& cycle : findings.cycles) {
        if (cycle.kind != kind) continue;
        for (const auto& step : cycle.steps)
            text += std::string(name(step.next)) + (step.process == alice ? " alice " : " bob ");
    }
    return text;
}

}  // namespace

TEST_CASE("transactions one behind the other make no circle") {
    History history;
    history.begins(alice, 1).sends(alice, x, 0, 1, 1).sends(alice, y, 0, 2, 1).ends(alice, 1);
    history.reads(bob, x, 0, 1).begins(bob, 1).sends(bob, y, 1, 3, 1).ends(bob, 1);
    const auto found = history.findings();

    CHECK(found.black_box.of == std::array<std::int64_t, jepsen_kinds>{});
    CHECK(found.cycles.empty());
}

TEST_CASE("two transactions that write through each other are G0 and nothing worse") {
    History history;
    history.begins(alice, 1).begins(bob, 1);
    history.sends(alice, x, 0, 1, 1).sends(bob, x, 1, 2, 1);
    history.sends(bob, y, 0, 3, 1).sends(alice, y, 1, 4, 1);
    const auto found = history.ends(alice, 1).ends(bob, 1).findings();

    CHECK(found.black_box[Jepsen::g0] == 1);
    CHECK(found.black_box[Jepsen::g0_process] == 0);
    CHECK(found.black_box[Jepsen::g1c] == 0);
    CHECK(found.black_box[Jepsen::g2] == 0);
    CHECK(circle(found, Jepsen::g0).find("ww") == 0);
    CHECK(found.disagreements.empty());
}

TEST_CASE("an aborted transaction is part of no circle") {
    History history;
    history.begins(alice, 1).begins(bob, 1);
    history.sends(alice, x, 0, 1, 1).sends(bob, x, 1, 2, 1);
    history.sends(bob, y, 0, 3, 1).sends(alice, y, 1, 4, 1);
    const auto found = history.ends(alice, 1).ends(bob, 1, ControlType::abort).findings();

    CHECK(found.black_box[Jepsen::g0] == 0);
    CHECK(found.cycles.empty());
}

TEST_CASE("transactions that read each other are a circle that the truth has to explain") {
    History history;
    history.begins(alice, 1).begins(bob, 1);
    history.sends(alice, x, 0, 1, 1).sends(bob, y, 0, 2, 1);
    auto explained = history;
    explained.reads(alice, y, 0, 2).reads(bob, x, 0, 1).ends(alice, 1).ends(bob, 1);
    CHECK(explained.findings().disagreements.empty());  // they count as dirty reads
    history.decided(x, 1).decided(y, 1).reads(alice, y, 0, 2).reads(bob, x, 0, 1);
    const auto found = history.ends(alice, 1).ends(bob, 1).findings();

    CHECK(found.black_box[Jepsen::g1c_wr] == 1);
    CHECK(found.black_box[Jepsen::g1c] == 1);
    REQUIRE(found.disagreements.size() == 1);
    CHECK(found.disagreements.front().find("circle") != std::string::npos);
}

TEST_CASE("a transaction that reads itself read before the commit") {
    History history;
    history.begins(alice, 1).sends(alice, x, 0, 1, 1).decided(x, 1);
    history.reads(alice, x, 0, 1).ends(alice, 1);
    const auto found = history.findings();

    CHECK(found.black_box[Jepsen::precommitted_read] == 1);
    CHECK(found.disagreements.size() == 1);
}

TEST_CASE("one read that missed the next value closes a G-single") {
    History history;
    // Bob reads x before alice writes on to it, and alice's other write is behind bob's.
    history.begins(alice, 1).sends(alice, x, 0, 1, 1).ends(alice, 1);
    history.begins(alice, 2).begins(bob, 1).reads(bob, x, 0, 1);
    history.sends(alice, y, 0, 2, 2).sends(alice, x, 1, 3, 2).sends(bob, y, 1, 4, 1);
    const auto found = history.ends(alice, 2).ends(bob, 1).findings();

    CHECK(found.black_box[Jepsen::g_single] == 1);
    CHECK(found.black_box[Jepsen::g2] == 0);
    CHECK(circle(found, Jepsen::g_single) == "rw bob ww alice ");
}

TEST_CASE("two reads that both missed what the other wrote are G2") {
    History history;
    history.sends(alice, x, 0, 1).sends(alice, y, 0, 2);
    history.begins(alice, 1).begins(bob, 1).reads(alice, x, 0, 1).reads(bob, y, 0, 2);
    history.sends(alice, y, 1, 3, 1).sends(bob, x, 1, 4, 1);
    const auto found = history.ends(alice, 1).ends(bob, 1).findings();

    CHECK(found.black_box[Jepsen::g2] == 1);
    CHECK(found.black_box[Jepsen::g_single] == 0);
}

TEST_CASE("a write that lands behind one that began when it had ended is G0 in real time only") {
    History history;
    history.begins(alice, 1).sends(alice, x, 1, 1, 1).ends(alice, 1);
    history.begins(bob, 1).sends(bob, x, 0, 2, 1).ends(bob, 1);
    const auto found = history.findings();

    CHECK(found.black_box[Jepsen::g0] == 0);
    CHECK(found.black_box[Jepsen::g0_process] == 0);
    CHECK(found.black_box[Jepsen::g0_realtime] == 1);
}

TEST_CASE("within an operation polls may neither skip nor go back, unless they were placed anew") {
    const auto three = [](bool placed, std::int64_t second) {
        History history;
        for (std::uint64_t id = 0; id < 4; ++id)
            history.sends(bob, x, static_cast<std::int64_t>(id), id + 1);
        history.begins(alice, 1).reads(alice, x, 0, 1);
        if (placed) history.tell(PositionSet{alice, x, {second}, PositionSet::Why::seek});
        history.reads(alice, x, second, static_cast<std::uint64_t>(second) + 1).ends(alice, 1);
        return history.findings().black_box;
    };
    CHECK(three(false, 1)[Jepsen::int_poll_skip] == 0);
    CHECK(three(false, 2)[Jepsen::int_poll_skip] == 1);
    CHECK(three(false, 0)[Jepsen::int_nonmonotonic_poll] == 1);
    CHECK(three(true, 2)[Jepsen::int_poll_skip] == 0);
    CHECK(three(true, 0)[Jepsen::int_nonmonotonic_poll] == 0);
}

TEST_CASE("within an operation sends may be parted by others, and stand in order") {
    History history;
    history.begins(alice, 1).sends(alice, x, 0, 1, 1).sends(bob, x, 1, 2);
    history.sends(alice, x, 2, 3, 1).sends(alice, y, 1, 4, 1).sends(alice, y, 0, 5, 1);
    const auto found = history.ends(alice, 1).findings().black_box;

    CHECK(found[Jepsen::int_send_skip] == 1);
    CHECK(found[Jepsen::int_nonmonotonic_send] == 1);
}

TEST_CASE("a reader of committed data does not skip what only others were given") {
    History history;
    history.begins(bob, 1).sends(bob, x, 0, 1, 1).ends(bob, 1);
    history.begins(bob, 2).sends(bob, x, 2, 2, 2).ends(bob, 2, ControlType::abort);
    history.begins(bob, 3).sends(bob, x, 4, 3, 3).ends(bob, 3);
    history.begins(alice, 1).reads(alice, x, 0, 1).reads(alice, x, 4, 3).ends(alice, 1);
    history.reads(carol, x, 2, 2);  // wants everything
    const auto found = history.findings().black_box;

    CHECK(found[Jepsen::int_poll_skip] == 0);
    CHECK(found[Jepsen::poll_skip] == 0);
}

TEST_CASE("a process that starts again does not go on with the transaction it died in") {
    const auto in_real_time = [](bool again) {
        History history;
        history.begins(alice, 1).sends(alice, y, 0, 2, 1).reads(carol, y, 0, 2);
        history.begins(bob, 1).sends(bob, x, 0, 1, 1).ends(bob, 1).reads(carol, x, 0, 1);
        if (again) history.tell(TxnInitialised{alice, {0}});
        history.reads(alice, x, 0, 1).begins(alice, 2).ends(alice, 2);
        return history.findings().black_box[Jepsen::g1c_realtime];
    };
    CHECK(in_real_time(false) == 1);
    CHECK(in_real_time(true) == 0);
}
