#include <doctest/doctest.h>

#include "cluster_rig.hpp"

namespace eos::model {
namespace {

using namespace testing;
using sim::milliseconds;
using sim::seconds;

std::shared_ptr<ClusterConfig> defaults() { return std::make_shared<ClusterConfig>(); }

Offset end_of(const ClusterWorld& world, std::int32_t id, std::int32_t log = 0) {
    return broker(world, id).replicas().find({log})->log.log_end();
}
Offset watermark_of(const ClusterWorld& world, std::int32_t id, std::int32_t log = 0) {
    return broker(world, id).replicas().find({log})->log.high_watermark();
}
bool leads(const ClusterWorld& world, std::int32_t id, std::int32_t log = 0) {
    return broker(world, id).replicas().find({log})->leading.leading();
}
void crash(ClusterWorld& world, std::int32_t id, sim::Loss loss = {}) {
    world.intervene(sim::act::Crash{{id}, loss});
}
void cut(ClusterWorld& world, std::int32_t id, bool silent) {
    for (std::int32_t other = 0; other <= 3; ++other) {
        if (other == id) continue;
        world.intervene(sim::act::SetLink{.from = {id}, .to = {other}, .silent = silent});
        world.intervene(sim::act::SetLink{.from = {other}, .to = {id}, .silent = silent});
    }
}

TEST_CASE("a formed cluster is quiet: it leads and follows without a milestone") {
    auto world = cluster(defaults(), topology({.brokers = 3, .topics = 1, .preload = 250}), {});

    world.run_until(at(milliseconds(1)));

    CHECK(leads(world, 1));
    CHECK_FALSE(leads(world, 2));
    CHECK(world.audience().times(Mile::partition_leader_changed) == 0);
    CHECK(world.audience().times(Mile::coordinator_loaded) == 0);
    CHECK(world.audience().all<LeadershipTaken>().size() == 2);
    CHECK(world.directory().holders(role(Role::leader, 0)).size() == 1);
    for (const std::int32_t id : {1, 2, 3}) {
        CHECK(end_of(world, id) == Offset{250});
        CHECK(watermark_of(world, id) == Offset{250});
    }
    const auto& records =
        broker(world, 2).replicas().find({0})->log.batches().front().payload.records();
    CHECK(records.at(7).id == RecordId{(std::uint64_t{1} << 63) | 7});
}

TEST_CASE("a produce with acks=all is answered once every in-sync replica has it") {
    auto world =
        cluster(defaults(), topology(), {{milliseconds(50), {1}, produce(0, batch(1, 3))}});

    world.run_until(at(seconds(1)));

    const auto* answer = speaker(world).answer<ProduceResponse>(0);
    REQUIRE(answer);
    CHECK(answer->parts.at(0).error == ErrorCode::none);
    CHECK(answer->parts.at(0).base == Offset{0});
    CHECK(end_of(world, 2) == Offset{3});
    CHECK(end_of(world, 3) == Offset{3});
    CHECK(watermark_of(world, 1) == Offset{3});
    CHECK(world.audience().times(Mile::partition_appended) == 1);
    CHECK(world.audience().times(Mile::partition_replicated) == 2);
    CHECK(broker(world, 1).replicas().find({0})->leading.isr().size() == 3);
}

TEST_CASE(
    "a produce that is not replicated in time ends as REQUEST_TIMED_OUT but stays in the log") {
    auto request = produce(0, batch(1));
    request.timeout = seconds(1);
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, request},
                          {milliseconds(60), {1}, produce(0, batch(2), Acks::leader)}});
    cut(world, 2, true);

    world.run_until(at(seconds(3)));

    const auto* all = speaker(world).answer<ProduceResponse>(0);
    const auto* one = speaker(world).answer<ProduceResponse>(1);
    REQUIRE(all);
    REQUIRE(one);
    CHECK(all->parts.at(0).error == ErrorCode::request_timed_out);
    CHECK(one->parts.at(0).error == ErrorCode::none);
    CHECK(end_of(world, 1) == Offset{2});
    CHECK(watermark_of(world, 1) == Offset{0});
}

TEST_CASE("a produce to a follower is refused and names the leader") {
    auto world = cluster(defaults(), topology(), {{milliseconds(50), {2}, produce(0, batch(1))}});

    world.run_until(at(seconds(1)));

    const auto* answer = speaker(world).answer<ProduceResponse>(0);
    REQUIRE(answer);
    CHECK(answer->parts.at(0).error == ErrorCode::not_leader_or_follower);
    CHECK(answer->parts.at(0).hint == LeaderHint{.leader = {1}, .epoch = {0}});
    CHECK(end_of(world, 1) == Offset{0});
}

TEST_CASE("a client may not write to an internal topic") {
    auto world = cluster(defaults(), topology(), {{milliseconds(50), {3}, produce(1, batch(1))}});

    world.run_until(at(seconds(1)));

    const auto* answer = speaker(world).answer<ProduceResponse>(0);
    REQUIRE(answer);
    CHECK(answer->parts.at(0).error == ErrorCode::invalid_topic);  // APP-6
    CHECK(end_of(world, 3, 1) == Offset{0});
}

TEST_CASE("a failed produce with acks=0 closes the connection, a good one is not answered") {
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {2}, produce(0, batch(1), Acks::none)},
                          {milliseconds(50), {1}, produce(0, batch(2), Acks::none)}});

    world.run_until(at(seconds(1)));

    CHECK(speaker(world).closed == std::vector<NodeId>{{2}});
    CHECK(speaker(world).heard.empty());
    CHECK(end_of(world, 1) == Offset{1});
}

TEST_CASE("a repeated idempotent batch is answered with its first offset and appended once") {
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, produce(0, numbered(batch(1), 5, 0))},
                          {milliseconds(70), {1}, produce(0, numbered(batch(2), 5, 1))},
                          {milliseconds(90), {1}, produce(0, numbered(batch(1), 5, 0))}});

    world.run_until(at(seconds(1)));

    CHECK(speaker(world).answer<ProduceResponse>(2)->parts.at(0).base == Offset{0});
    CHECK(speaker(world).answer<ProduceResponse>(2)->parts.at(0).error == ErrorCode::none);
    CHECK(end_of(world, 1) == Offset{2});
    CHECK(world.audience().all<Deduplicated>().size() == 1);
    CHECK(world.audience().times(Mile::partition_deduplicated) == 1);
}

TEST_CASE("a removed safeguard whose condition held leaves its milestone") {
    auto config = defaults();
    config->safeguards.remove(Safeguard::sequence_check);
    auto world = cluster(config, topology(),
                         {{milliseconds(50), {1}, produce(0, numbered(batch(1), 5, 0))},
                          {milliseconds(70), {1}, produce(0, numbered(batch(2), 5, 9))}});

    world.run_until(at(seconds(1)));

    const sim::MilestoneKind spared{static_cast<std::uint16_t>(
        static_cast<int>(Mile::safeguard_first) + static_cast<int>(Safeguard::sequence_check))};
    const auto& reached = world.audience().milestones;
    CHECK(end_of(world, 1) == Offset{2});
    CHECK(std::count_if(reached.begin(), reached.end(),
                        [&](const auto& m) { return m.kind == spared; }) == 1);
}

TEST_CASE("a waiting fetch is answered when its data is committed, not before") {
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, fetch(0, 0, seconds(5))},
                          {milliseconds(51), {2}, fetch(0, 0, seconds(5))},
                          {milliseconds(3000), {1}, fetch(0, 1)}});
    world.run_until(at(milliseconds(200)));
    REQUIRE_FALSE(speaker(world).answer<FetchResponse>(0));

    world.run_until(at(seconds(10)));

    const auto& heard = speaker(world).heard;
    CHECK(speaker(world).answer<FetchResponse>(1)->parts.at(0).error ==
          ErrorCode::not_leader_or_follower);
    CHECK(speaker(world).answer<FetchResponse>(0)->parts.at(0).batches.empty());
    CHECK(std::find_if(heard.begin(), heard.end(), [](const auto& h) { return h.line == 0; })->at >=
          at(seconds(5)));
    CHECK(speaker(world).answer<FetchResponse>(2)->parts.at(0).error ==
          ErrorCode::offset_out_of_range);
}

TEST_CASE("a consumer is never given what is above the high watermark") {
    auto world = cluster(
        defaults(), topology(),
        {{milliseconds(50), {1}, produce(0, batch(1))}, {milliseconds(500), {1}, fetch(0, 0)}});
    cut(world, 2, true);

    world.run_until(at(milliseconds(2000)));

    // The connection is served in order: the fetch waits behind the produce, which waits for all.
    CHECK_FALSE(speaker(world).answer<ProduceResponse>(0));
    CHECK_FALSE(speaker(world).answer<FetchResponse>(1));
    CHECK(end_of(world, 1) == Offset{1});
    CHECK(watermark_of(world, 1) == Offset{0});
}

TEST_CASE("after the leader's crash an in-sync follower leads, and the crashed one follows it") {
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, produce(0, batch(1, 2))},
                          {seconds(15), {2}, produce(0, batch(10))},
                          {seconds(14), {3}, MetadataRequest{.topics = {{0}}}},
                          {seconds(40), {1}, MetadataRequest{.topics = {{0}}}}});
    world.run_until(at(seconds(1)));
    crash(world, 1);
    world.run_until(at(seconds(3)));
    world.intervene(sim::act::Start{{1}});

    world.run_until(at(seconds(45)));

    CHECK(leads(world, 2));
    CHECK_FALSE(leads(world, 1));
    CHECK(speaker(world).answer<MetadataResponse>(2)->parts.at(0).leader == BrokerId{2});
    CHECK(speaker(world).answer<MetadataResponse>(3)->brokers.size() == 3);
    CHECK(speaker(world).answer<ProduceResponse>(1)->parts.at(0).error == ErrorCode::none);
    for (const std::int32_t id : {1, 2, 3}) CHECK(end_of(world, id) == Offset{3});
    CHECK(broker(world, 2).replicas().find({0})->leading.isr().size() == 3);
    CHECK(world.audience().times(Mile::controller_broker_fenced) == 1);
    CHECK(world.audience().times(Mile::controller_broker_registered) == 1);
    CHECK(world.audience().times(Mile::partition_leader_changed) == 1);
}

TEST_CASE("a follower cuts off what only it and a dead leader had") {
    auto request = produce(0, batch(1, 2), Acks::leader);
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, request},
                          {milliseconds(500), {1}, produce(0, batch(5), Acks::leader)},
                          {seconds(15), {2}, produce(0, batch(10))}});
    world.run_until(at(milliseconds(400)));
    cut(world, 1, true);
    world.intervene(sim::act::SetLink{.from = {4}, .to = {1}});
    world.run_until(at(milliseconds(600)));
    REQUIRE(end_of(world, 1) == Offset{3});
    crash(world, 1);
    cut(world, 1, false);
    world.intervene(sim::act::Start{{1}});

    world.run_until(at(seconds(45)));

    CHECK(world.audience().all<Truncated>().size() == 1);
    for (const std::int32_t id : {1, 2, 3}) {
        REQUIRE(end_of(world, id) == Offset{3});
        CHECK(broker(world, id)
                  .replicas()
                  .find({0})
                  ->log.batches()
                  .back()
                  .payload.records()
                  .at(0)
                  .id == RecordId{10});
    }
}

TEST_CASE("a follower that falls silent leaves the in-sync set and joins it again") {
    auto config = defaults();
    config->replica_lag_max = seconds(2);
    auto world = cluster(
        config, topology(),
        {{milliseconds(600), {1}, produce(0, batch(1))}, {seconds(30), {1}, produce(0, batch(2))}});
    world.run_until(at(milliseconds(500)));
    for (const std::int32_t other : {1, 2}) {  // it still reaches the controller
        world.intervene(sim::act::SetLink{.from = {3}, .to = {other}, .silent = true});
        world.intervene(sim::act::SetLink{.from = {other}, .to = {3}, .silent = true});
    }
    world.run_until(at(seconds(6)));
    const auto shrunk = broker(world, 1).replicas().find({0})->leading.isr();
    const bool answered = speaker(world).answer<ProduceResponse>(0) != nullptr;
    cut(world, 3, false);

    world.run_until(at(seconds(50)));

    CHECK(shrunk == std::vector<BrokerId>{{1}, {2}});
    REQUIRE(answered);
    CHECK(speaker(world).answer<ProduceResponse>(0)->parts.at(0).error == ErrorCode::none);
    CHECK(broker(world, 1).replicas().find({0})->leading.isr().size() == 3);
    CHECK(controller(world).image().partition({0}).isr.size() == 3);
    CHECK(end_of(world, 3) == Offset{2});
}

TEST_CASE("a broker that stops gracefully hands its leaderships over and comes back unfenced") {
    auto world = cluster(
        defaults(), topology(),
        {{milliseconds(50), {1}, produce(0, batch(1))}, {seconds(4), {2}, produce(0, batch(2))}});
    world.run_until(at(seconds(2)));
    world.intervene(sim::act::Tell{{1}, {number(Ask::stop), {}}});
    world.run_until(at(seconds(5)));
    const bool stopped = world.state({1}) == sim::NodeState::down;
    const bool led = leads(world, 2);
    world.intervene(sim::act::Start{{1}});

    world.run_until(at(seconds(12)));

    CHECK(stopped);
    CHECK(led);
    CHECK(speaker(world).answer<ProduceResponse>(1)->parts.at(0).error == ErrorCode::none);
    CHECK(controller(world).image().alive({1}));
    CHECK(end_of(world, 1) == Offset{2});
    CHECK(controller(world).image().partition({0}).isr.size() == 3);
}

TEST_CASE("producer ids of two brokers differ") {
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(1), {1}, InitProducerIdRequest{}},
                          {milliseconds(20), {1}, InitProducerIdRequest{}},
                          {milliseconds(20), {2}, InitProducerIdRequest{}}});

    world.run_until(at(seconds(1)));

    std::vector<ProducerId> ids;
    for (const std::size_t line : {1, 2}) {
        const auto* answer = speaker(world).answer<InitProducerIdResponse>(line);
        REQUIRE(answer);
        CHECK(answer->error == ErrorCode::none);
        CHECK(answer->producer_epoch == ProducerEpoch{0});
        ids.push_back(answer->producer_id);
    }
    CHECK(ids.at(0) != ids.at(1));
}

TEST_CASE("a committed offset is read from the next coordinator after a crash of the first") {
    OffsetCommitRequest commit;
    commit.group = {0};
    commit.parts.push_back({.log = {0}, .offset = {42}, .leader_epoch = {}});
    const OffsetFetchRequest read{.group = {0}, .logs = {{0}}, .require_stable = true};
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, FindCoordinatorRequest{GroupId{0}}},
                          {milliseconds(60), {3}, commit},
                          {milliseconds(70), {1}, read},
                          {seconds(20), {2}, FindCoordinatorRequest{GroupId{0}}},
                          {seconds(21), {1}, read}});
    world.run_until(at(seconds(1)));
    crash(world, 3);

    world.run_until(at(seconds(30)));

    const auto& said = speaker(world);
    CHECK(said.answer<FindCoordinatorResponse>(0)->coordinator == BrokerId{3});
    CHECK(said.answer<OffsetCommitResponse>(1)->parts.at(0).error == ErrorCode::none);
    CHECK(said.answer<OffsetFetchResponse>(2)->error == ErrorCode::not_coordinator);
    CHECK(said.answer<FindCoordinatorResponse>(3)->coordinator == BrokerId{1});
    REQUIRE(said.answer<OffsetFetchResponse>(4));
    CHECK(said.answer<OffsetFetchResponse>(4)->parts.at(0).offset == Offset{42});
    CHECK(world.audience().times(Mile::coordinator_loaded) == 1);
    CHECK(world.directory().holders(role(Role::group_coordinator, 0)).front() == NodeId{1});
}

TEST_CASE("power loss takes the unflushed tail, a process crash does not") {
    for (const bool power : {false, true}) {
        CAPTURE(power);
        auto world = cluster(defaults(), topology({.brokers = 1, .topics = 1, .min_insync = 1}),
                             {{milliseconds(50), {1}, produce(0, batch(1))}});
        world.run_until(at(seconds(1)));

        crash(world, 1, {.power = power});
        world.intervene(sim::act::Start{{1}});
        world.run_until(at(seconds(30)));

        CHECK(end_of(world, 1) == Offset{power ? 0 : 1});
        CHECK(leads(world, 1));
    }
}

TEST_CASE("a broker that flushes every write loses them with the power if its disk lies") {
    for (const bool lies : {false, true}) {
        CAPTURE(lies);
        auto config = *defaults();
        config.flush_every_write = true;
        auto world = cluster(std::make_shared<const ClusterConfig>(config),
                             topology({.brokers = 1, .topics = 1, .min_insync = 1}),
                             {{milliseconds(50), {1}, produce(0, batch(1))}});
        if (lies) world.intervene(sim::act::LyingFsync{{1}, true});
        world.run_until(at(seconds(1)));

        crash(world, 1, {.power = true});
        world.intervene(sim::act::LyingFsync{{1}, false});
        world.intervene(sim::act::Start{{1}});
        world.run_until(at(seconds(30)));

        CHECK(end_of(world, 1) == Offset{lies ? 0 : 1});
    }
}

TEST_CASE("a leader forgets idle producers when it is ordered to, and rolls a segment") {
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, produce(0, numbered(batch(1), 5, 0))}});
    world.run_until(at(seconds(1)));

    world.intervene(sim::act::Tell{{1}, {number(Ask::expire_producers), told({{Fact::log, 0}})}});
    world.intervene(sim::act::Tell{{1}, {number(Ask::roll_segment), told({{Fact::log, 0}})}});
    world.intervene(sim::act::Tell{{1}, {number(Ask::delete_records), told({{Fact::log, 0}})}});
    world.run_until(at(seconds(2)));

    const auto& log = broker(world, 1).replicas().find({0})->log;
    CHECK(log.producers().producers().empty());
    CHECK(log.log_start() == Offset{1});
    CHECK(world.audience().times(Mile::partition_producer_expired) == 1);
    CHECK(world.audience().times(Mile::partition_segment_rolled) == 1);
}

TEST_CASE("a broker in its past answers Metadata from it, without a topic, and nothing else") {
    // Broker 3 leads topic 2 and the offsets; broker 1 takes both over.
    const MetadataRequest both{.topics = {{1}, {2}}};
    auto world = cluster(defaults(), topology({.brokers = 3, .topics = 3}),
                         {{seconds(30), {2}, both},
                          {seconds(30), {1}, both},
                          {seconds(30), {2}, FindCoordinatorRequest{.group = GroupId{0}}},
                          {seconds(32), {2}, both},
                          {seconds(34), {2}, both}});
    const auto tell = [&](Ask ask, const sim::Facts& facts) {
        world.intervene(sim::act::Tell{{2}, {number(ask), facts}});
    };
    const auto part = [&](std::size_t line, std::size_t topic) {
        const auto* answer = speaker(world).answer<MetadataResponse>(line);
        REQUIRE(answer);
        REQUIRE(answer->parts.size() == 2);
        return answer->parts[topic];
    };
    world.run_until(at(seconds(1)));
    tell(Ask::stale_metadata, {});
    world.run_until(at(seconds(2)));
    crash(world, 3);
    world.run_until(at(seconds(29)));
    tell(Ask::stale_metadata, told({{Fact::topic, 1}}));
    world.run_until(at(seconds(31)));
    tell(Ask::fresh_metadata, told({{Fact::topic, 1}}));
    world.run_until(at(seconds(33)));
    tell(Ask::fresh_metadata, {});
    world.run_until(at(seconds(35)));

    CHECK(part(0, 0).error == ErrorCode::unknown_topic_or_partition);
    CHECK_FALSE(part(0, 0).leader);
    CHECK(part(0, 1).leader == BrokerId{3});
    CHECK(part(0, 1).epoch == LeaderEpoch{0});
    CHECK(part(1, 0).leader == BrokerId{2});
    CHECK(part(1, 1).leader == BrokerId{1});
    CHECK(part(1, 1).epoch > LeaderEpoch{0});
    const auto* found = speaker(world).answer<FindCoordinatorResponse>(2);
    REQUIRE(found);
    CHECK(found->coordinator == BrokerId{1});
    CHECK(part(3, 0).leader == BrokerId{2});
    CHECK(part(3, 1).leader == BrokerId{3});
    CHECK(part(4, 1).leader == BrokerId{1});
}

TEST_CASE("a broker that restarts has left its past behind") {
    auto world = cluster(defaults(), topology(), {{seconds(30), {2}, MetadataRequest{{{0}}}}});
    world.run_until(at(seconds(1)));
    world.intervene(sim::act::Tell{{2}, {number(Ask::stale_metadata), told({{Fact::topic, 0}})}});
    world.run_until(at(seconds(2)));
    crash(world, 2, {});
    world.intervene(sim::act::Start{{2}});

    world.run_until(at(seconds(31)));

    const auto* answer = speaker(world).answer<MetadataResponse>(0);
    REQUIRE(answer);
    CHECK(answer->parts.at(0).leader == BrokerId{1});
}

TEST_CASE("the audit tells every replica whole") {
    auto world =
        cluster(defaults(), topology(), {{milliseconds(50), {1}, produce(0, batch(1, 3))}});
    world.run_until(at(seconds(2)));
    Fx fx;

    broker(world, 2).audit({world.now(), world.now(), {2}, 0}, fx);

    std::vector<ReplicaAudit> replicas;
    for (const auto& effect : fx.list())
        if (const auto* told = std::get_if<sim::effect::Observe<Observation>>(&effect))
            if (const auto* audit = std::get_if<ReplicaAudit>(&told->observation))
                replicas.push_back(*audit);
    REQUIRE(replicas.size() == 2);
    CHECK_FALSE(replicas.at(0).leader);
    CHECK(replicas.at(0).high_watermark == Offset{3});
    CHECK(replicas.at(0).batches.size() == 1);
    CHECK(replicas.at(0).batches.at(0).payload.records().size() == 3);
}

/// Crashes, cuts and elections from a seed, one at a time, each healed before the next.
void trouble(ClusterWorld& world, std::uint64_t seed, sim::Duration until) {
    auto chance = sim::Rng::stream(seed, "trouble");
    while (world.now() < at(until)) {
        const NodeId victim{static_cast<std::int32_t>(chance.below(4))};
        const auto kind = chance.below(5);
        const auto lasting = milliseconds(chance.between(50, 12'000));
        switch (kind) {
            case 0:
                world.intervene(sim::act::Crash{victim, {}});
                break;
            case 1:
                cut(world, victim.value, true);
                break;
            case 2:
                world.intervene(sim::act::Pause{victim});
                break;
            case 3:
                world.intervene(sim::act::Tell{
                    {0}, {number(Ask::elect), told({{Fact::log, victim.value == 0 ? 1 : 0}})}});
                break;
            default:
                world.intervene(sim::act::Tell{victim, {number(Ask::stop), {}}});
                break;
        }
        world.run_until(world.now() + lasting);
        if (kind == 1) cut(world, victim.value, false);
        if (kind == 2) world.intervene(sim::act::Resume{victim});
        world.run_until(world.now() + milliseconds(chance.between(10, 3'000)));
        if (world.state(victim) == sim::NodeState::down) world.intervene(sim::act::Start{victim});
        world.run_until(world.now() + milliseconds(chance.between(10, 15'000)));
    }
}

TEST_CASE("what was acknowledged by all survives one trouble at a time, and the cluster heals") {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        CAPTURE(seed);
        std::vector<Speaker::Line> script;
        for (std::int32_t i = 0; i < 1500; ++i) {
            auto request = produce(0, batch(static_cast<std::uint64_t>(i)));
            request.timeout = seconds(1);
            script.push_back({milliseconds(40) * i, {i % 3 + 1}, std::move(request)});
        }
        auto world = cluster(defaults(), topology(), std::move(script), seed);
        trouble(world, seed, seconds(60));
        for (std::int32_t id = 0; id <= 3; ++id)
            if (world.state({id}) == sim::NodeState::down) world.intervene(sim::act::Start{{id}});

        world.run_until(world.now() + seconds(60));

        const auto& state = controller(world).image().partition({0});
        REQUIRE(state.leader);
        CHECK(state.isr.size() == 3);
        const auto& log = broker(world, state.leader->value).replicas().find({0})->log;
        CHECK(log.high_watermark() == log.log_end());
        std::vector<RecordId> kept;
        for (const auto& batch : log.batches())
            for (const auto& record : batch.payload.records()) kept.push_back(record.id);
        std::size_t acknowledged = 0;
        for (const auto& heard : speaker(world).heard) {
            const auto& part = std::get<ProduceResponse>(heard.message).parts.at(0);
            if (part.error != ErrorCode::none) continue;
            ++acknowledged;
            CHECK(std::find(kept.begin(), kept.end(), RecordId{heard.line}) != kept.end());
        }
        CHECK(acknowledged > 100);
        for (const std::int32_t id : {1, 2, 3}) {
            const auto& replica = broker(world, id).replicas().find({0})->log;
            CHECK(replica.log_end() == log.log_end());
            CHECK(replica.batches() == log.batches());
        }
    }
}

TEST_CASE("a cluster forked in the middle of a failover goes on the same way twice") {
    auto world = cluster(defaults(), topology(),
                         {{milliseconds(50), {1}, produce(0, batch(1, 2))},
                          {seconds(15), {2}, produce(0, batch(10))}});
    world.run_until(at(seconds(1)));
    crash(world, 1);
    world.run_until(at(milliseconds(9003)));

    auto fork = world;
    const bool equal = fork == world && fork.state_hash() == world.state_hash();
    world.run_until(at(seconds(20)));
    fork.run_until(at(seconds(20)));

    CHECK(equal);
    CHECK(fork.digest() == world.digest());
    CHECK(fork.state_hash() == world.state_hash());
    CHECK(fork == world);
}

}  // namespace
}  // namespace eos::model
