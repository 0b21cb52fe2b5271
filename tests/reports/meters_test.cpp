// The meters of coordinators and of recoveries, against histories written by hand.

#include <doctest/doctest.h>

#include "reports/judges/coordination.hpp"
#include "reports/judges/recovery.hpp"

namespace {

using namespace eos;
using namespace eos::model;
using sim::milliseconds;

constexpr LogId bills_log{0};
constexpr LogId txn_log{1};
constexpr LogId group_log{2};
constexpr ProcessId till{{0}, 0};
constexpr TransactionalId till_id{0};
constexpr BrokerId one{1};
constexpr BrokerId two{2};

constexpr sim::Instant at(std::int64_t ms) { return sim::time_zero + milliseconds(ms); }

sim::Milestone moment(Mile mile, sim::NodeId node, std::optional<LogId> log = {}) {
    sim::Milestone result{number(mile), node, {}};
    if (log) result.facts.add(number(Fact::log), log->value);
    return result;
}

TxnChanged changed(BrokerId coordinator, TxnState state, std::vector<LogId> logs = {},
                   TxnCause cause = TxnCause::client) {
    TxnChanged change;
    change.broker = coordinator;
    change.txid = till_id;
    change.coordinator_epoch = {coordinator.value};
    change.state = state;
    change.producer_id = {7};
    change.cause = cause;
    change.logs = std::move(logs);
    return change;
}

Appended marker(LogId log) {
    Appended appended{two, log, true, {}};
    appended.batch.control = ControlType::commit;
    appended.batch.txid = till_id;
    appended.batch.producer_id = ProducerId{7};
    return appended;
}

reports::Measurements measured(const reports::CoordinationMeter& meter, sim::Instant end) {
    reports::Findings findings;
    meter.conclude(end, findings);
    return findings.measured;
}
reports::TxnMeasurements told(std::vector<TxnChanged> changes) {
    reports::CoordinationMeter meter;
    for (const auto& change : changes) meter.on(at(1), change);
    meter.on(at(2), Fenced{till, till_id, ErrorCode::producer_fenced});
    return measured(meter, at(3)).transactions;
}

reports::RecoveryMeter recovery() {
    Topology topology;
    topology.brokers = 2;
    topology.topics.push_back({.name = "bills", .first = bills_log});
    topology.topics.push_back({.name = "__transaction_state", .first = txn_log, .internal = true});
    topology.topics.push_back({.name = "__consumer_offsets", .first = group_log, .internal = true});
    for (std::int32_t topic = 0; topic < 3; ++topic)
        topology.logs.push_back({.topic = {topic}, .partition = {0}, .replicas = {one, two}});
    topology.apps = {"till"};
    topology.groups = {"till"};
    topology.app_first_node = {{3}};
    topology.transactional_ids = {"till-0"};
    topology.transaction_topic = TopicId{1};
    topology.offsets_topic = TopicId{2};
    reports::JudgeConfig config;
    config.topology = std::make_shared<const Topology>(topology);
    config.apps.push_back({.id = {0}, .writes = true});
    reports::RecoveryMeter meter(config);
    for (const auto log : {bills_log, txn_log, group_log})
        meter.on(at(0), LeadershipTaken{one, log, {1}, {0}, {0}});
    return meter;
}
SendDone acked() {
    SendDone done;
    done.process = till;
    done.log = bills_log;
    done.offset = Offset{5};
    return done;
}
std::optional<sim::Duration> longest(const reports::RecoveryMeter& meter, sim::Instant end) {
    reports::Findings findings;
    meter.conclude(end, findings);
    return findings.measured.recovery_max;
}

}  // namespace

TEST_CASE("a marker is in the queue from the decision until it is written") {
    reports::CoordinationMeter meter;

    meter.on(at(1), changed(one, TxnState::prepare_commit, {{0}, {3}, {4}}));
    meter.on(at(2), marker({3}));
    meter.on(at(2), marker({3}));  // repeated
    meter.on(at(3), changed(one, TxnState::complete_commit));
    meter.on(at(4), changed(one, TxnState::prepare_commit, {{0}, {3}}));

    CHECK(measured(meter, at(5)).transactions.marker_queue_max == 3);
}

TEST_CASE("a successor owes all markers again, its predecessor none any more") {
    reports::CoordinationMeter meter;

    meter.on(at(1), changed(one, TxnState::prepare_commit, {{0}, {3}}));
    meter.on(at(2), marker({0}));
    meter.on(at(3), changed(two, TxnState::prepare_commit, {{0}, {3}}));
    meter.on(at(4), changed(one, TxnState::prepare_commit, {{0}, {3}, {4}, {5}}));  // deposed

    CHECK(measured(meter, at(5)).transactions.marker_queue_max == 2);
}

TEST_CASE("a coordinator loads until it is ready, and the end of its process ends the load") {
    reports::CoordinationMeter meter;
    meter.reached(at(0), moment(Mile::coordinator_loading, one, txn_log));
    meter.reached(at(30), moment(Mile::coordinator_loaded, one, txn_log));
    meter.reached(at(100), moment(Mile::coordinator_loading, one, txn_log));
    meter.reached(at(150), moment(Mile::node_crashed, one));
    meter.reached(at(200), moment(Mile::coordinator_loading, two, txn_log));
    meter.reached(at(270), moment(Mile::coordinator_unloaded, two, txn_log));
    CHECK(measured(meter, at(1000)).coordinator_load_max == milliseconds(30));

    meter.reached(at(900), moment(Mile::coordinator_loading, two, group_log));

    CHECK(measured(meter, at(1000)).coordinator_load_max == milliseconds(100));
}

TEST_CASE("who is fenced is so by what took its id last") {
    using enum TxnState;
    const auto timeout = told({changed(one, empty), changed(one, ongoing),
                               changed(one, prepare_abort, {}, TxnCause::timeout),
                               changed(one, complete_abort, {}, TxnCause::timeout)});
    const auto takeover = told({changed(one, empty), changed(one, ongoing),
                                changed(one, prepare_abort, {}, TxnCause::fence)});
    const auto idle = told({changed(one, prepare_abort, {}, TxnCause::timeout),
                            changed(one, complete_abort), changed(one, empty)});

    CHECK(timeout.fences_by_timeout == 1);
    CHECK(timeout.fences_by_init == 0);
    CHECK(takeover.fences_by_init == 1);
    CHECK(takeover.fences_by_timeout == 0);
    CHECK(idle.fences_by_init == 1);
}

TEST_CASE("a member is fenced by its group, one that only has to ask again is not") {
    reports::CoordinationMeter meter;
    for (const auto error : {ErrorCode::illegal_generation, ErrorCode::fenced_instance_id,
                             ErrorCode::stale_member_epoch, ErrorCode::rebalance_in_progress})
        meter.on(at(1), AppError{till, ErrorClass::generation, error, Reaction::rewind});

    CHECK(measured(meter, at(2)).transactions.fences_by_group == 2);
}

TEST_CASE("a partition recovers with the first send acknowledged under a new leader") {
    auto meter = recovery();
    meter.reached(at(100), moment(Mile::node_crashed, one));

    meter.on(at(101), acked());  // was on its way
    CHECK(longest(meter, at(102)) == std::nullopt);
    meter.on(at(4000), LeadershipTaken{two, bills_log, {2}, {0}, {0}});
    meter.on(at(4100), acked());
    meter.on(at(9000), acked());

    CHECK(longest(meter, at(10'000)) == milliseconds(4000));
}

TEST_CASE("a coordinator that moved recovers when it has loaded and answered") {
    auto meter = recovery();
    meter.on(at(10), TxnBegan{till, till_id, {till, 1}});
    meter.on(at(1000), LeadershipTaken{two, txn_log, {2}, {0}, {0}});
    meter.on(at(1100), TxnEndReturned{till, {till, 1}});  // by the old one
    meter.reached(at(3000), moment(Mile::coordinator_loaded, two, txn_log));
    meter.on(at(3500), TxnEndReturned{till, {till, 2}});

    CHECK(longest(meter, at(9000)) == milliseconds(2500));
}

TEST_CASE("an instance recovers with its own first success, a loss nobody notices does not count") {
    auto meter = recovery();
    meter.reached(at(100), moment(Mile::node_crashed, {3}));
    meter.reached(at(200), moment(Mile::node_stopped, two));  // led nothing
    meter.reached(at(300), moment(Mile::node_lost_power, one));
    meter.on(at(1300), CommitReturned{till, {0}, bills_log, {4}, ErrorCode::request_timed_out});
    CHECK(longest(meter, at(1400)) == milliseconds(1100));  // the offsets log was asked

    meter.reached(at(1500), moment(Mile::coordinator_loaded, two, group_log));
    meter.on(at(1600), CommitReturned{till, {0}, bills_log, {4}});

    CHECK(longest(meter, at(60'000)) == milliseconds(1500));  // the instance, since 100
}
