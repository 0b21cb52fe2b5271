// The JobManager and its checkpoint coordinator, step by step.

#include <doctest/doctest.h>

#include "tests/model/job_rig.hpp"

namespace eos::model {
namespace {

using testing::job_setup;
using testing::JobRig;

JobConfig every_ten_seconds() {
    JobConfig job;
    job.interval = seconds(10);
    return job;
}

struct Rig : JobRig<JobManager> {
    explicit Rig(JobConfig job = every_ten_seconds())
        : JobRig(job_setup(DeliveryGuarantee::exactly_once, job),
                 JobManager(job_setup(DeliveryGuarantee::exactly_once, job), {{0}, 2}),
                 testing::job_manager_node) {
        start();
    }
    void enlist(std::int32_t worker, std::int32_t worker_life = 0) {
        ask(RegisterTaskManagerRequest{worker, worker_life});
    }
    /// Both TaskManagers are there and their tasks run.
    void run() {
        enlist(0);
        enlist(1);
        for (std::int32_t i = 0; i < 2; ++i)
            ask(TaskStateRequest{node.execution(), i, TaskState::running});
    }
    CheckpointId trigger() {
        REQUIRE(ring(Tick::checkpoint_trigger));
        return said<TriggerRequest>().back().checkpoint;
    }
    void ack(CheckpointId id, std::int32_t subtask, std::int64_t offset = 5) {
        ask(AckRequest{node.execution(), subtask, id, {{{{0}, Offset{offset}}}, {}}});
    }
    CheckpointId complete() {
        const auto id = trigger();
        ack(id, 0);
        ack(id, 1);
        hand_over();  // the metadata
        hand_over();  // the notifications
        return id;
    }
};

TEST_CASE("a job is deployed when there is a slot for every subtask") {
    Rig rig;

    rig.enlist(0);
    CHECK(rig.said<DeployRequest>().empty());
    rig.enlist(1);

    REQUIRE(rig.said<DeployRequest>().size() == 2);
    CHECK(rig.said<DeployRequest>().at(1).subtask == 1);
    CHECK(rig.reached(Mile::job_restored));
    CHECK(rig.node.status() == JobStatus::deploying);
}

TEST_CASE("the splits of a fresh job are shared among its subtasks, each to one") {
    Rig rig;
    rig.run();

    std::size_t splits = 0;
    for (const auto& deploy : rig.said<DeployRequest>()) splits += deploy.state.splits.size();

    CHECK(splits == 1);  // one partition, two subtasks
}

TEST_CASE("F4: checkpoints begin when all tasks run, one at a time") {
    Rig rig;
    rig.enlist(0);
    rig.enlist(1);
    CHECK_FALSE(rig.ring(Tick::checkpoint_trigger));
    for (std::int32_t i = 0; i < 2; ++i)
        rig.ask(TaskStateRequest{rig.node.execution(), i, TaskState::running});

    CHECK(rig.trigger() == CheckpointId{1});
    CHECK(rig.said<TriggerRequest>().size() == 2);
    REQUIRE(rig.ring(Tick::checkpoint_trigger));  // due again, and the first is still under way
    CHECK(rig.said<TriggerRequest>().size() == 2);
}

TEST_CASE("F11: the entry in the store is the decision; notifications follow it") {
    Rig rig;
    rig.run();
    const auto id = rig.trigger();

    rig.ack(id, 0);
    CHECK(rig.hand_offs.empty());
    rig.ack(id, 1);
    CHECK(rig.node.store().completed.empty());  // its metadata is being written
    rig.hand_over();
    REQUIRE(rig.node.store().completed.size() == 1);
    CHECK(rig.reached(Mile::checkpoint_decided));
    CHECK(rig.said<NotifyRequest>().empty());
    rig.hand_over();
    CHECK(rig.said<NotifyRequest>().size() == 2);
}

TEST_CASE("F14: completed checkpoints survive the JobManager, if they are kept outside") {
    for (const auto availability : {HighAvailability::kubernetes, HighAvailability::none}) {
        auto job = every_ten_seconds();
        job.availability = availability;
        Rig rig(job);
        rig.run();
        const auto id = rig.complete();

        rig.node = std::move(rig.node).reborn({});
        rig.life = 1;
        rig.job_messages.clear();
        rig.timers.clear();
        rig.start();
        rig.enlist(0);
        rig.enlist(1);

        const bool kept = availability != HighAvailability::none;
        REQUIRE(rig.said<DeployRequest>().size() == 2);
        CHECK(rig.said<DeployRequest>().front().restored == (kept ? id : CheckpointId{0}));
        CHECK(rig.said<DeployRequest>().front().session == 2);
    }
}

TEST_CASE("a crash between acknowledgements and the store leaves no checkpoint (F14)") {
    Rig rig;
    rig.run();
    const auto id = rig.trigger();
    rig.ack(id, 0);
    rig.ack(id, 1);

    const auto next = std::move(rig.node).reborn({});

    CHECK(next.store().completed.empty());
    CHECK(next.store().next == CheckpointId{2});  // its number is used up
}

TEST_CASE(
    "F13: a failed task restarts the job, after a pause, from the newest completed checkpoint") {
    Rig rig;
    rig.run();
    const auto id = rig.complete();
    rig.job_messages.clear();

    rig.ask(TaskStateRequest{rig.node.execution(), 1, TaskState::failed});
    REQUIRE(rig.said<CancelRequest>().size() == 1);  // the other one
    CHECK(rig.node.status() == JobStatus::canceling);
    rig.ask(TaskStateRequest{rig.node.execution(), 0, TaskState::canceled});
    CHECK(rig.node.status() == JobStatus::restarting);
    CHECK(rig.said<DeployRequest>().empty());
    REQUIRE(rig.ring(Tick::restart_delay));

    REQUIRE(rig.said<DeployRequest>().size() == 2);
    CHECK(rig.said<DeployRequest>().front().restored == id);
    CHECK(rig.said<DeployRequest>().front().state.splits.front().offset == Offset{5});
}

TEST_CASE("a TaskManager that registers with another life has lost its task") {
    Rig rig;
    rig.run();

    rig.enlist(0, 1);

    CHECK(rig.node.status() == JobStatus::canceling);
    CHECK(rig.said<CancelRequest>().size() == 1);
}

TEST_CASE(
    "F12: a checkpoint that takes too long is given up; more than tolerated restart the job") {
    for (const std::int32_t tolerated : {0, 1}) {
        auto job = every_ten_seconds();
        job.tolerable_failures = tolerated;
        Rig rig(job);
        rig.run();
        const auto id = rig.trigger();

        REQUIRE(rig.ring(Tick::checkpoint_timeout, static_cast<std::uint32_t>(id.value)));

        CHECK(rig.reached(Mile::checkpoint_failed));
        CHECK(rig.said<AbortRequest>().size() == 2);
        CHECK((rig.node.status() == JobStatus::running) == (tolerated == 1));
        rig.ack(id, 0);  // late
        rig.ack(id, 1);
        rig.hand_over();
        CHECK(rig.node.store().completed.empty());
    }
}

TEST_CASE("failures in a row count, a success forgives them") {
    auto job = every_ten_seconds();
    job.tolerable_failures = 1;
    CheckpointCoordinator coordinator;
    CheckpointStore store;
    const auto fail = [&] {
        return coordinator.fail(coordinator.trigger(store, 1, sim::time_zero), true, job);
    };

    CHECK_FALSE(fail());
    const auto id = coordinator.trigger(store, 1, sim::time_zero);
    CHECK(coordinator.ack(id, 0, {}));
    CHECK(coordinator.complete(id, job, store, sim::time_zero).empty());
    CHECK_FALSE(fail());
    CHECK(fail());
}

TEST_CASE("min-pause runs from the end of the last completed checkpoint") {
    auto job = every_ten_seconds();
    job.min_pause = seconds(3);
    CheckpointCoordinator coordinator;
    CheckpointStore store;
    coordinator.due();
    CHECK(coordinator.may_trigger(job, sim::time_zero));
    const auto id = coordinator.trigger(store, 1, sim::time_zero);
    CHECK(coordinator.ack(id, 0, {}));
    (void)coordinator.complete(id, job, store, sim::time_zero + seconds(1));

    CHECK_FALSE(coordinator.may_trigger(job, sim::time_zero + seconds(9)));  // none is due
    coordinator.due();
    CHECK_FALSE(coordinator.may_trigger(job, sim::time_zero + seconds(3)));
    CHECK(coordinator.may_trigger(job, sim::time_zero + seconds(4)));
}

TEST_CASE("older attempts are subsumed by a newer one that completes, and num-retained are kept") {
    auto job = every_ten_seconds();
    job.concurrent = 2;
    CheckpointCoordinator coordinator;
    CheckpointStore store;
    const auto first = coordinator.trigger(store, 1, sim::time_zero);
    const auto second = coordinator.trigger(store, 1, sim::time_zero);
    CHECK(coordinator.ack(second, 0, {}));

    CHECK(coordinator.complete(second, job, store, sim::time_zero) == std::vector{first});

    CHECK_FALSE(coordinator.ack(first, 0, {}));
    const auto third = coordinator.trigger(store, 1, sim::time_zero);
    CHECK(coordinator.ack(third, 0, {}));
    (void)coordinator.complete(third, job, store, sim::time_zero);
    REQUIRE(store.completed.size() == 1);
    CHECK(store.completed.front().id == third);
}

TEST_CASE("fixed-delay gives a job up after its attempts") {
    auto job = every_ten_seconds();
    job.restart = RestartStrategy::fixed_delay;
    Rig rig(job);
    const auto fail = [&] {
        for (std::int32_t i = 0; i < 2; ++i)
            rig.ask(TaskStateRequest{rig.node.execution(), i, TaskState::failed});
    };
    rig.run();
    fail();
    REQUIRE(rig.ring(Tick::restart_delay));
    fail();

    CHECK(rig.node.status() == JobStatus::failed);
    CHECK_FALSE(rig.ring(Tick::restart_delay));
}

TEST_CASE("partitions of a topic go to the subtasks in turn, from where the topic's name says") {
    Topology topology;
    Topic topic;
    topic.name = "orders";
    topic.partitions = 5;
    topology.topics = {topic};

    std::vector<std::int32_t> owners(5, -1);
    for (std::int32_t subtask = 0; subtask < 3; ++subtask)
        for (const auto& split : initial_splits(topology, {{0}}, subtask, 3)) {
            CHECK(owners.at(static_cast<std::size_t>(split.log.value)) == -1);
            CHECK_FALSE(split.offset);
            owners.at(static_cast<std::size_t>(split.log.value)) = subtask;
        }

    for (std::size_t i = 1; i < owners.size(); ++i) CHECK(owners[i] == (owners[i - 1] + 1) % 3);
}

TEST_CASE("names of a job's transactional ids and their numbers are one and the same") {
    Topology topology;
    topology.transactional_ids = {"shop-0"};
    topology.job_prefixes = {"bills", "bills-2"};

    const auto id = Topology::job_transactional_id(1, 17, 4096);

    CHECK(topology.transactional_id_name(id) == "bills-2-17-4096");
    CHECK(topology.transactional_id_named("bills-2-17-4096") == id);
    CHECK(topology.transactional_id_named("shop-0") == TransactionalId{0});
    CHECK_FALSE(topology.transactional_id_named("bills-x-1"));
}

}  // namespace
}  // namespace eos::model
