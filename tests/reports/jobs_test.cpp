// Flink jobs before the judges: what a job has passed is told by its checkpoints, and by nothing
// else.

#include <doctest/doctest.h>

#include "tests/reports/history_rig.hpp"

namespace {

using namespace eos;
using namespace eos::model;
using reports::Count;

constexpr LogId job_in{0};
constexpr LogId job_out{1};
constexpr GroupId job_group{0};

// Application 0 is a Flink job from "orders" to "bills"; nobody writes "orders": it was there.
reports::JudgeConfig job_config() {
    Topology topology;
    topology.brokers = 1;
    topology.topics.push_back({.name = "orders", .first = job_in, .partitions = 1});
    topology.topics.push_back({.name = "bills", .first = job_out, .partitions = 1});
    topology.logs.push_back({.topic = {0}, .partition = {0}, .replicas = {{1}}});
    topology.logs.push_back({.topic = {1}, .partition = {0}, .replicas = {{1}}});
    topology.apps = {"job"};
    topology.groups = {"job"};
    topology.app_first_node = {{2}};
    reports::JudgeConfig result{std::make_shared<const Topology>(topology), {}, {}};
    reports::JudgedApp app;
    app.id = {0};
    app.writes = app.reads = app.checkpoints = true;
    app.group = job_group;
    app.from = {{0}};
    app.to = {{1}};
    result.apps.push_back(app);
    return result;
}

class JobHistory : public reports::testing::ToldHistory<JobHistory> {
  public:
    JobHistory() : ToldHistory(job_config()) {}

    JobHistory& completed(std::int64_t checkpoint, std::int64_t position, int milliseconds = 5) {
        return tell(CheckpointCompleted{
            {0}, {checkpoint}, sim::milliseconds(milliseconds), {{job_in, {position}}}});
    }
    JobHistory& restored(std::int64_t checkpoint, std::vector<CheckpointPart> positions) {
        return tell(JobRestored{{0}, {checkpoint}, std::move(positions)});
    }
    JobHistory& group_committed(std::int64_t offset) {
        return tell(OffsetCommitted{{1}, job_group, job_in, Offset{offset}, {}, false});
    }
    /// The log holds these records at the end.
    JobHistory& holds(LogId log, std::vector<std::uint64_t> ids) {
        std::vector<Record> records;
        for (const auto id : ids) records.push_back({{id}, 0, 1});
        Batch batch;
        batch.count = static_cast<std::int32_t>(ids.size());
        batch.payload = Payload(std::move(records));
        const auto end = batch.next_offset();
        return tell(ReplicaAudit{{1}, log, true, {0}, end, end, {batch}, end});
    }
};

}  // namespace

TEST_CASE("an input behind the newest checkpoint and without output is lost") {
    JobHistory history;
    history.completed(1, 2).holds(job_in, {10, 11, 12}).holds(job_out, {10});

    const auto findings = history.findings();

    CHECK(findings.total(Count::lost) == 1);  // 11; 12 will still be read
}

TEST_CASE("offsets of a job's group say nothing about what it has passed (F16)") {
    JobHistory history;
    history.group_committed(3).holds(job_in, {10, 11, 12}).holds(job_out, {10});

    CHECK(history.findings().total(Count::lost) == 0);
}

TEST_CASE("a job that begins from scratch will read everything again") {
    JobHistory history;
    history.completed(4, 3).restored(0, {}).holds(job_in, {10, 11, 12}).holds(job_out, {10});

    CHECK(history.findings().total(Count::lost) == 0);
}

TEST_CASE("an output written again after a restart is a duplicate") {
    JobHistory history;
    history.completed(1, 1).restored(1, {{job_in, {1}}}).completed(2, 2);
    history.holds(job_in, {10, 11}).holds(job_out, {10, 11, 11});

    const auto findings = history.findings();

    CHECK(findings.total(Count::duplicates) == 1);
    CHECK(findings.total(Count::lost) == 0);
}

TEST_CASE("checkpoints are measured: how long they took, and how many came to nothing") {
    JobHistory none;
    CHECK_FALSE(none.findings().measured.checkpoint_p99);

    JobHistory history;
    history.completed(1, 0, 5).tell(CheckpointFailed{{0}, {2}}).completed(3, 0, 20);
    const auto measured = history.findings().measured;

    CHECK(measured.checkpoints_completed == 2);
    CHECK(measured.checkpoints_failed == 1);
    REQUIRE(measured.checkpoint_p99);
    CHECK(*measured.checkpoint_p99 >= sim::milliseconds(19));
}
