#include "reports/judges/lag.hpp"

#include <doctest/doctest.h>

namespace {

using namespace eos;
using namespace eos::model;

constexpr LogId orders{0};
constexpr ProcessId audit{{0}, 0};

reports::LagMeter meter(bool committed) {
    Topology topology;
    topology.topics.push_back({.name = "orders", .first = orders});
    topology.logs.push_back({.topic = {0}, .partition = {0}, .replicas = {{1}}});
    reports::JudgeConfig config;
    config.topology = std::make_shared<const Topology>(topology);
    config.apps.push_back({.id = {0}, .reads = true, .from = {{0}}, .wants_committed = committed});
    return reports::LagMeter(config);
}
reports::Measurements after_ten_undecided(bool committed) {
    auto lag = meter(committed);
    lag.on({}, PositionSet{audit, orders, {0}, PositionSet::Why::reset});
    lag.on({}, WatermarkMoved{{1}, orders, true, {4}});
    lag.on({}, Polled{audit, orders, {0}, 0, 3, {}});
    lag.on({}, StableOffsetMoved{{1}, orders, {4}});
    lag.on({}, WatermarkMoved{{1}, orders, true, {14}});
    lag.on({}, WatermarkMoved{{2}, orders, false, {99}});  // a follower's
    reports::Findings findings;
    lag.conclude(findings);
    return findings.measured;
}

}  // namespace

TEST_CASE("a reader of committed data is behind what is decided, another behind the watermark") {
    const auto committed = after_ten_undecided(true);
    const auto all = after_ten_undecided(false);

    CHECK(committed.transactions.undecided_max == 10);
    CHECK(committed.reader_lag_max == 4);
    CHECK(all.transactions.undecided_max == 10);
    CHECK(all.reader_lag_max == 11);
}
