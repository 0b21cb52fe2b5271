// A TaskManager and its subtask, step by step: source, sink, checkpoints, what a restart cleans up.

#include <doctest/doctest.h>

#include "tests/model/job_rig.hpp"

namespace eos::model {
namespace {

using testing::in_log;
using testing::job_setup;
using testing::JobRig;
using Calls = std::vector<std::string>;

struct Rig : JobRig<TaskManager> {
    explicit Rig(DeliveryGuarantee guarantee, JobConfig job = {})
        : JobRig(job_setup(guarantee, job), TaskManager(job_setup(guarantee, job), {{0}, 0}),
                 testing::task_manager_0) {
        start();
    }
    void deploy(std::int64_t restored = 0, SubtaskState state = {{{in_log, std::nullopt}}, {}},
                std::int32_t execution = 1) {
        ask(DeployRequest{.session = session,
                          .execution = execution,
                          .subtask = 0,
                          .parallelism = 2,
                          .restored = {restored},
                          .state = std::move(state)});
    }
    void trigger(std::int64_t n) { ask(TriggerRequest{1, 0, {n}}); }
    void notify(std::int64_t n) {
        ask(NotifyRequest{1, 0, {n}});
        hand_over();
    }
    [[nodiscard]] std::vector<TaskState> states() const {
        std::vector<TaskState> result;
        for (const auto& told : said<TaskStateRequest>()) result.push_back(told.state);
        return result;
    }
};

TEST_CASE("a TaskManager offers its slot, runs what it is given, and says so") {
    Rig rig(DeliveryGuarantee::at_least_once);

    REQUIRE(rig.said<RegisterTaskManagerRequest>().size() == 1);
    CHECK(rig.node.task() == nullptr);

    rig.deploy();

    CHECK(rig.states() == std::vector{TaskState::running});
    CHECK(rig.cluster.produced == 3);
}

TEST_CASE("F27: a fresh job probes its own ids and those behind the last subtask, then begins") {
    Rig rig(DeliveryGuarantee::exactly_once);

    rig.deploy();

    // An id that was never used ends the search; then the same id is the first one's.
    CHECK(rig.cluster.calls == Calls{"init job-0-1", "init job-0-1"});
    CHECK(rig.states() == std::vector{TaskState::running});
}

TEST_CASE("F27: ids in use are probed up to the first unused one, of every subtask there was") {
    Rig rig(DeliveryGuarantee::exactly_once);
    for (const std::int64_t counter : {3, 4})
        rig.cluster.epochs[Topology::job_transactional_id(0, 0, counter)] = 0;

    rig.deploy(2);

    CHECK(rig.cluster.calls == Calls{"init job-0-3", "init job-0-4", "init job-0-5",
                                     "init job-2-3",  // parallelism 2: subtask 2 would be ours
                                     "init job-0-3"});
}

TEST_CASE(
    "F22: at a checkpoint everything is flushed, noted and passed on before it is acknowledged") {
    Rig rig(DeliveryGuarantee::exactly_once);
    rig.deploy();
    rig.cluster.calls.clear();

    rig.trigger(1);

    CHECK(rig.reached(Mile::checkpoint_barrier_passed));
    CHECK(rig.reached(Mile::checkpoint_snapshotted));
    CHECK(rig.said<AckRequest>().empty());              // the upload is under way
    CHECK(rig.cluster.calls == Calls{"init job-0-2"});  // the next transaction has begun
    rig.hand_over();

    const auto acks = rig.said<AckRequest>();
    REQUIRE(acks.size() == 1);
    CHECK(acks.front().state.splits == std::vector<SplitState>{{in_log, Offset{3}}});
    REQUIRE(acks.front().state.committables.size() == 1);
    CHECK(acks.front().state.committables.front().checkpoint == CheckpointId{1});
    CHECK(rig.cluster.calls == Calls{"init job-0-2"});  // nothing is committed
}

TEST_CASE("F22: a checkpoint waits for answers that are out; F21: NONE does not") {
    for (const auto guarantee : {DeliveryGuarantee::exactly_once, DeliveryGuarantee::at_least_once,
                                 DeliveryGuarantee::none}) {
        Rig rig(guarantee);
        rig.cluster.acks_produce = false;
        rig.deploy();

        rig.trigger(1);
        rig.hand_over();

        CHECK(rig.said<AckRequest>().empty() == (guarantee != DeliveryGuarantee::none));
    }
}

TEST_CASE("F23: the transaction is committed when the checkpoint is complete, and offsets follow") {
    Rig rig(DeliveryGuarantee::exactly_once);
    rig.deploy();
    rig.trigger(1);
    rig.hand_over();
    rig.cluster.calls.clear();

    rig.notify(1);

    CHECK(rig.reached(Mile::committable_committed));
    CHECK(rig.cluster.calls == Calls{"commit job-0-1", "offset 3"});
    rig.notify(1);  // told again
    CHECK(rig.cluster.calls.size() == 2);
}

TEST_CASE("a transaction without records is no committable, and its id is not ended") {
    Rig rig(DeliveryGuarantee::exactly_once);
    rig.cluster.records = 0;
    rig.deploy();

    rig.trigger(1);
    rig.hand_over();
    rig.notify(1);

    CHECK(rig.said<AckRequest>().at(0).state.committables.empty());
    CHECK_FALSE(rig.reached(Mile::committable_committed));
}

TEST_CASE("F12: what an aborted checkpoint flushed is committed with the next one") {
    Rig rig(DeliveryGuarantee::exactly_once);
    rig.deploy();
    rig.trigger(1);
    rig.ask(AbortRequest{1, 0, {1}});
    rig.hand_over();
    CHECK(rig.said<AckRequest>().empty());

    rig.trigger(2);
    rig.hand_over();
    rig.cluster.calls.clear();
    rig.notify(2);

    CHECK(rig.said<AckRequest>().at(0).state.committables.at(0).checkpoint == CheckpointId{1});
    CHECK(rig.cluster.calls.front() == "commit job-0-1");
}

TEST_CASE("F24: restored committables are committed first, by producers that resume them") {
    Rig rig(DeliveryGuarantee::exactly_once);
    const auto id = Topology::job_transactional_id(0, 0, 1);
    rig.cluster.epochs[id] = 0;

    rig.deploy(1, {{{in_log, Offset{3}}}, {{{1}, id, {id.value}, {0}, {{{0}, 0}, 4}}}});

    CHECK(rig.cluster.calls == Calls{"commit job-0-1", "init job-0-2", "init job-0-2"});
    CHECK(rig.reached(Mile::committable_committed));
    CHECK(rig.cluster.produced == 0);  // it stands behind what the checkpoint covers
}

TEST_CASE("F25: a fenced committable is dropped and the job goes on; anything unknown ends it") {
    const auto id = Topology::job_transactional_id(0, 0, 1);
    const SubtaskState state{{{in_log, Offset{3}}}, {{{1}, id, {id.value}, {0}, {{{0}, 0}, 4}}}};
    for (const auto error : {ErrorCode::producer_fenced, ErrorCode::invalid_txn_state}) {
        Rig rig(DeliveryGuarantee::exactly_once);
        rig.cluster.end_txn = error;
        rig.deploy(1, state);
        CHECK(rig.reached(Mile::committable_refused));
        CHECK(rig.states() == std::vector{TaskState::running});
    }
    Rig rig(DeliveryGuarantee::exactly_once);
    rig.cluster.end_txn = ErrorCode::invalid_producer_id_mapping;
    rig.deploy(1, state);
    CHECK(rig.states() == std::vector{TaskState::failed});
    CHECK(rig.node.task() == nullptr);
}

TEST_CASE("F26: ids of checkpoints that never came are initialised, so that there is no gap") {
    Rig rig(DeliveryGuarantee::exactly_once);
    rig.deploy();
    rig.cluster.calls.clear();

    rig.trigger(4);

    CHECK(rig.cluster.calls ==
          Calls{"init job-0-2", "init job-0-3", "init job-0-4", "init job-0-5"});
}

TEST_CASE("an upload that fails is declined") {
    Rig rig(DeliveryGuarantee::at_least_once);
    rig.deploy();
    rig.trigger(1);
    std::get<HandOff>(rig.hand_offs.at(0)).error = ErrorCode::unknown_server_error;

    rig.hand_over();

    CHECK(rig.said<AckRequest>().empty());
    CHECK(rig.said<DeclineRequest>().size() == 1);
}

TEST_CASE("messages for another execution change nothing; a cancelled task says so") {
    Rig rig(DeliveryGuarantee::at_least_once);
    rig.deploy();

    rig.ask(TriggerRequest{9, 0, {1}});
    rig.ask(CancelRequest{9});
    CHECK_FALSE(rig.reached(Mile::checkpoint_barrier_passed));
    REQUIRE(rig.node.task() != nullptr);

    rig.ask(CancelRequest{1});
    CHECK(rig.node.task() == nullptr);
    CHECK(rig.states().back() == TaskState::canceled);
}

TEST_CASE("a JobManager of a newer session ends what the older one deployed") {
    Rig rig(DeliveryGuarantee::at_least_once);
    rig.deploy();

    rig.ask(TaskManagerHeartbeatRequest{1});
    CHECK(rig.node.task() != nullptr);
    rig.ask(TaskManagerHeartbeatRequest{2});
    CHECK(rig.node.task() == nullptr);
}

TEST_CASE("a TaskManager that hears nothing for heartbeat.timeout gives its task up (F34)") {
    JobConfig job;
    job.heartbeat_interval = seconds(2);
    job.heartbeat_timeout = seconds(6);
    Rig rig(DeliveryGuarantee::at_least_once, job);
    rig.deploy();
    rig.answers_job = false;

    for (int i = 0; i < 2; ++i) REQUIRE(rig.ring(Tick::job_manager_watch));
    CHECK(rig.node.task() != nullptr);
    REQUIRE(rig.ring(Tick::job_manager_watch));

    CHECK(rig.node.task() == nullptr);
}

TEST_CASE(
    "a TaskManager that dies keeps nothing but the numbers of its sessions and transactions") {
    Rig rig(DeliveryGuarantee::exactly_once);
    rig.deploy();
    const auto before = rig.node.task()->counters();
    CHECK(before.transactions == 1);

    auto next = std::move(rig.node).reborn({});

    CHECK(next.task() == nullptr);
    CHECK_FALSE(next.registered());
    rig.node = std::move(next);
    rig.life = 1;
    rig.start();
    rig.deploy();
    CHECK(rig.node.task()->counters().transactions == 2);
    CHECK(rig.node.task()->counters().sessions > before.sessions);
}

}  // namespace
}  // namespace eos::model
