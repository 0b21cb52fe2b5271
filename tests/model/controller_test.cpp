#include <doctest/doctest.h>

#include "cluster_rig.hpp"
#include "model/metadata_log.hpp"

namespace eos::model {
namespace {

using sim::milliseconds;
using sim::seconds;
using testing::at;

/// A controller that is stepped by hand: three brokers, t0 led by 1, the offsets log led by 3.
struct Rig {
    std::shared_ptr<ClusterConfig> config = std::make_shared<ClusterConfig>();
    std::shared_ptr<const Topology> topology = testing::topology();
    Controller controller{config, topology};
    sim::Duration now{};
    std::int32_t life = 0;
    Fx fx;

    [[nodiscard]] Context context() const { return {at(now), at(now), {0}, life}; }
    void start() {
        fx.clear();
        controller.on_start(context(), fx);
    }
    void crash() {
        controller = std::move(controller).reborn({});
        ++life;
        start();
    }
    void ask(NodeId from, Message message, std::uint32_t connection = 1) {
        fx.clear();
        controller.on_request(context(), {from, 9, connection, {7}}, std::move(message), fx);
    }
    void timer(sim::TimerKey key) {
        fx.clear();
        controller.on_timer(context(), key, fx);
    }
    void order(Ask what, sim::Facts facts) {
        fx.clear();
        controller.on_order(context(), {number(what), facts}, fx);
    }
    [[nodiscard]] BrokerHeartbeatRequest heartbeat(std::int32_t broker, std::int64_t offset,
                                                   bool stop = false) const {
        return {.broker = {broker},
                .epoch = controller.image().broker({broker}).epoch,
                .metadata_offset = offset,
                .want_shutdown = stop};
    }
    /// Lets time pass while these brokers send their heartbeats.
    void wait(sim::Duration time, const std::vector<std::int32_t>& beating) {
        const auto end = now + time;
        while (now < end) {
            for (const auto broker : beating) ask({broker}, heartbeat(broker, 100));
            now = std::min(end, now + config->broker_heartbeat);
        }
    }
    /// Lets the session of one broker run out while the others stay.
    void silence(std::int32_t broker) {
        std::vector<std::int32_t> others{1, 2, 3};
        std::erase(others, broker);
        wait(config->broker_session, others);
        timer(key(Tick::session_check, static_cast<std::uint32_t>(broker)));
    }
    template <class M>
    [[nodiscard]] std::vector<M> replies() const {
        std::vector<M> result;
        for (const auto& effect : fx.list())
            if (const auto* reply = std::get_if<sim::effect::Reply<Message>>(&effect))
                if (const auto* message = std::get_if<M>(&reply->message))
                    result.push_back(*message);
        return result;
    }
    [[nodiscard]] bool reached(Mile mile) const {
        return std::any_of(fx.list().begin(), fx.list().end(), [&](const auto& effect) {
            const auto* reach = std::get_if<sim::effect::Reach>(&effect);
            return reach && reach->kind == number(mile);
        });
    }
    [[nodiscard]] const PartitionState& partition(std::int32_t log) const {
        return controller.image().partition({log});
    }
};

TEST_CASE("a formed cluster has its preferred leaders and every replica in sync") {
    Rig rig;

    rig.start();

    CHECK(rig.partition(0).leader == BrokerId{1});
    CHECK(rig.partition(0).leader_epoch == LeaderEpoch{0});
    CHECK(rig.partition(0).isr == std::vector<BrokerId>{{1}, {2}, {3}});
    CHECK(rig.partition(1).leader == BrokerId{3});
    CHECK(rig.controller.image().alive_brokers().size() == 3);
    CHECK_FALSE(rig.reached(Mile::controller_elected));
}

TEST_CASE("a broker whose session ends is fenced, leaves every in-sync set and leads nothing") {
    Rig rig;
    rig.start();

    rig.silence(1);

    CHECK(rig.controller.image().broker({1}).fenced);
    CHECK(rig.partition(0).leader == BrokerId{2});
    CHECK(rig.partition(0).leader_epoch == LeaderEpoch{1});
    CHECK(rig.partition(0).isr == std::vector<BrokerId>{{2}, {3}});
    CHECK(rig.partition(1).leader == BrokerId{3});
    CHECK(rig.partition(1).leader_epoch == LeaderEpoch{0});
    CHECK(rig.reached(Mile::controller_broker_fenced));
    CHECK(rig.reached(Mile::partition_isr_changed));
}

TEST_CASE("a controller that hears nobody fences nobody, and gives new sessions when it is back") {
    Rig rig;
    rig.start();

    rig.now = seconds(9);
    rig.timer(key(Tick::session_check, 1));
    rig.timer(key(Tick::session_check, 2));
    rig.now = seconds(20);
    rig.wait(rig.config->broker_session - milliseconds(1), {3});
    rig.timer(key(Tick::session_check, 1));
    const auto before = rig.controller.image().alive_brokers();
    rig.wait(milliseconds(1), {3});
    rig.timer(key(Tick::session_check, 1));

    CHECK(before.size() == 3);
    CHECK_FALSE(rig.controller.image().alive({1}));
    CHECK(rig.controller.image().alive({2}));
}

TEST_CASE("a heartbeat in time keeps the session") {
    Rig rig;
    rig.start();

    rig.now = seconds(8);
    rig.ask({1}, rig.heartbeat(1, 5));
    rig.now = seconds(9);
    rig.timer(key(Tick::session_check, 1));

    CHECK_FALSE(rig.controller.image().broker({1}).fenced);
    CHECK(rig.partition(0).leader == BrokerId{1});
}

TEST_CASE("brokers learn of an election only after the election delay") {
    Rig rig;
    rig.config->election_delay = milliseconds(5);
    rig.start();
    rig.ask({2}, MetadataFetchRequest{.broker = {2}, .from = 5});
    REQUIRE(rig.replies<MetadataFetchResponse>().empty());

    rig.silence(1);
    const auto at_once = rig.replies<MetadataFetchResponse>();
    rig.ask({2}, MetadataFetchRequest{.broker = {2}, .from = 6});
    const auto too_early = rig.replies<MetadataFetchResponse>();
    rig.now += milliseconds(5);
    rig.timer(key(Tick::election));
    const auto then = rig.replies<MetadataFetchResponse>();

    REQUIRE(at_once.size() == 1);  // the fencing itself
    CHECK(at_once[0].records.size() == 1);
    CHECK(std::holds_alternative<BrokerRegistration>(at_once[0].records[0]));
    CHECK(too_early.empty());
    REQUIRE(then.size() == 1);
    CHECK(then[0].from == 6);
    REQUIRE(then[0].records.size() == 2);
    CHECK(std::get<PartitionState>(then[0].records[0]).leader == BrokerId{2});
}

TEST_CASE("in the ZooKeeper era partitions change leaders one after the other") {
    Rig rig;
    rig.topology = testing::topology({.brokers = 3, .topics = 4});  // 1 leads t0 and t3
    rig.config->metadata = MetadataMode::zookeeper;
    rig.config->election_delay = milliseconds(10);
    rig.controller = Controller(rig.config, rig.topology);
    rig.start();

    rig.silence(1);
    rig.now += milliseconds(10);
    rig.timer(key(Tick::election));
    rig.ask({2}, MetadataFetchRequest{.broker = {2}, .from = 9});
    const auto first = rig.replies<MetadataFetchResponse>();
    rig.now += milliseconds(10);
    rig.timer(key(Tick::election));
    rig.ask({2}, MetadataFetchRequest{.broker = {2}, .from = 9});
    const auto both = rig.replies<MetadataFetchResponse>();

    auto moved = [](const std::vector<MetadataFetchResponse>& answers) {
        int count = 0;
        for (const auto& record : answers.at(0).records)
            if (const auto* state = std::get_if<PartitionState>(&record))
                count += state->leader_epoch == LeaderEpoch{1} ? 1 : 0;
        return count;
    };
    CHECK(moved(first) == 1);
    CHECK(moved(both) == 2);
}

TEST_CASE("a second process cannot take a broker's place while the first one may be alive") {
    Rig rig;
    rig.start();
    const BrokerRegistrationRequest request{.broker = {1}, .incarnation = 1};

    rig.now = seconds(5);
    rig.ask({1}, request);
    const auto early = rig.replies<BrokerRegistrationResponse>();
    rig.now = {};
    rig.silence(1);
    rig.ask({1}, request);
    const auto late = rig.replies<BrokerRegistrationResponse>();

    CHECK(early.at(0).error == ErrorCode::duplicate_broker_registration);
    CHECK(late.at(0).error == ErrorCode::none);
    CHECK(late.at(0).epoch == rig.controller.image().broker({1}).epoch);
    CHECK(rig.controller.image().broker({1}).fenced);
}

TEST_CASE("a registration whose answer was lost may be repeated") {
    Rig rig;
    rig.start();
    rig.silence(1);
    const BrokerRegistrationRequest request{.broker = {1}, .incarnation = 1};
    rig.ask({1}, request);
    const auto first = rig.replies<BrokerRegistrationResponse>();

    rig.ask({1}, request, 2);

    CHECK(rig.replies<BrokerRegistrationResponse>() == first);
}

TEST_CASE("a registered broker is unfenced once it has applied its own registration") {
    Rig rig;
    rig.start();
    rig.silence(1);
    rig.ask({1}, BrokerRegistrationRequest{.broker = {1}, .incarnation = 1});
    const auto epoch = rig.controller.image().broker({1}).epoch;

    rig.ask({1}, rig.heartbeat(1, epoch.value));
    const auto behind = rig.replies<BrokerHeartbeatResponse>();
    rig.ask({1}, rig.heartbeat(1, epoch.value + 1));
    const auto caught_up = rig.replies<BrokerHeartbeatResponse>();

    CHECK(behind.at(0).fenced);
    CHECK_FALSE(caught_up.at(0).fenced);
    CHECK(rig.controller.image().alive({1}));
}

TEST_CASE("a heartbeat of a former life is refused") {
    Rig rig;
    rig.start();
    const auto old = rig.heartbeat(1, 100);
    rig.silence(1);
    rig.ask({1}, BrokerRegistrationRequest{.broker = {1}, .incarnation = 1});

    rig.ask({1}, old);

    CHECK(rig.replies<BrokerHeartbeatResponse>().at(0).error == ErrorCode::stale_broker_epoch);
}

TEST_CASE("a partition whose last in-sync replica is lost goes offline and comes back with it") {
    Rig rig;
    rig.start();
    AlterPartitionRequest shrink{.broker = {1},
                                 .broker_epoch = rig.controller.image().broker({1}).epoch,
                                 .log = {0},
                                 .leader_epoch = {0},
                                 .partition_epoch = {0},
                                 .isr = {{.broker = {1}}},
                                 .recovery = RecoveryState::recovered};
    rig.config->safeguards.remove(Safeguard::eligible_leader_replicas);
    rig.controller = Controller(rig.config, rig.topology);
    rig.start();
    rig.ask({1}, shrink);
    REQUIRE(rig.partition(0).isr == std::vector<BrokerId>{{1}});

    rig.silence(1);
    const bool went_offline = rig.reached(Mile::partition_went_offline);
    const auto offline = rig.partition(0);
    rig.ask({1}, BrokerRegistrationRequest{.broker = {1}, .incarnation = 1});
    rig.ask({1}, rig.heartbeat(1, 1000));

    CHECK(went_offline);
    CHECK(offline.leader == std::nullopt);
    CHECK(offline.isr == std::vector<BrokerId>{{1}});
    CHECK(rig.partition(0).leader == BrokerId{1});
}

TEST_CASE("an in-sync proposal of a former broker epoch is refused") {
    Rig rig;
    rig.start();

    rig.ask({1}, AlterPartitionRequest{.broker = {1},
                                       .broker_epoch = {77},
                                       .log = {0},
                                       .leader_epoch = {0},
                                       .partition_epoch = {0},
                                       .isr = {{.broker = {1}}},
                                       .recovery = RecoveryState::recovered});

    CHECK(rig.replies<AlterPartitionResponse>().at(0).error == ErrorCode::stale_broker_epoch);
    CHECK(rig.partition(0).isr.size() == 3);
}

TEST_CASE("a broker may stop once its leaderships have moved and every other broker knows") {
    Rig rig;
    rig.start();
    rig.ask({2}, rig.heartbeat(2, 5));
    rig.ask({3}, rig.heartbeat(3, 5));

    rig.ask({1}, rig.heartbeat(1, 5, true));
    const auto first = rig.replies<BrokerHeartbeatResponse>();
    const auto leader = rig.partition(0).leader;
    rig.ask({2}, rig.heartbeat(2, 100));
    rig.ask({1}, rig.heartbeat(1, 5, true));
    const auto second = rig.replies<BrokerHeartbeatResponse>();
    rig.ask({3}, rig.heartbeat(3, 100));
    rig.ask({1}, rig.heartbeat(1, 5, true));
    const auto third = rig.replies<BrokerHeartbeatResponse>();

    CHECK(leader == BrokerId{2});
    CHECK_FALSE(first.at(0).may_shut_down);
    CHECK_FALSE(second.at(0).may_shut_down);
    CHECK(third.at(0).may_shut_down);
    CHECK(rig.controller.image().broker({1}).fenced);
}

TEST_CASE("after a clean stop a broker may register again at once") {
    Rig rig;
    rig.start();
    for (const std::int32_t other : {2, 3}) rig.ask({other}, rig.heartbeat(other, 100));
    rig.ask({1}, rig.heartbeat(1, 5, true));
    const auto epoch = rig.controller.image().broker({1}).epoch;
    REQUIRE(rig.controller.image().broker({1}).fenced);

    rig.ask({1},
            BrokerRegistrationRequest{.broker = {1}, .previous_epoch = epoch, .incarnation = 1});

    CHECK(rig.replies<BrokerRegistrationResponse>().at(0).error == ErrorCode::none);
}

TEST_CASE("blocks of producer ids do not overlap across a crash of the controller") {
    Rig rig;
    rig.start();
    const AllocateProducerIdsRequest request{.broker = {1},
                                             .epoch = rig.controller.image().broker({1}).epoch};
    rig.ask({1}, request);
    const auto first = rig.replies<AllocateProducerIdsResponse>().at(0);

    rig.crash();
    rig.ask({1}, request);
    const auto second = rig.replies<AllocateProducerIdsResponse>().at(0);

    CHECK(first.count == 1000);
    CHECK(second.first.value >= first.first.value + first.count);
}

TEST_CASE("a restarted controller keeps its decisions and gives every session its full length") {
    Rig rig;
    rig.start();
    rig.silence(1);
    const auto before = rig.controller.image();
    rig.now += seconds(100);

    rig.crash();
    const bool elected = rig.reached(Mile::controller_elected);
    rig.now += rig.config->broker_session - milliseconds(1);
    rig.timer(key(Tick::session_check, 2));

    CHECK(elected);
    CHECK(rig.controller.image() == before);
    CHECK(rig.controller.image().alive({2}));
}

TEST_CASE("an order moves leadership to a named replica or to another one in sync") {
    Rig rig;
    rig.start();

    rig.order(Ask::elect, told({{Fact::log, 0}}));
    const auto other = rig.partition(0).leader;
    rig.order(Ask::elect, told({{Fact::log, 0}, {Fact::to, 3}}));
    const auto named = rig.partition(0).leader;

    CHECK(other == BrokerId{2});
    CHECK(named == BrokerId{3});
    CHECK(rig.partition(0).leader_epoch == LeaderEpoch{2});
    CHECK(rig.partition(0).isr.size() == 3);
}

TEST_CASE("an order elects a replica that is not in sync only if it says so") {
    Rig rig;
    rig.start();
    rig.ask({1}, AlterPartitionRequest{.broker = {1},
                                       .broker_epoch = rig.controller.image().broker({1}).epoch,
                                       .log = {0},
                                       .leader_epoch = {0},
                                       .partition_epoch = {0},
                                       .isr = {{.broker = {1}}, {.broker = {2}}},
                                       .recovery = RecoveryState::recovered});

    rig.order(Ask::elect, told({{Fact::log, 0}, {Fact::to, 3}}));
    const auto clean = rig.partition(0).leader;
    rig.order(Ask::elect, told({{Fact::log, 0}, {Fact::to, 3}, {Fact::unclean, 1}}));

    CHECK(clean == BrokerId{1});
    CHECK(rig.partition(0).leader == BrokerId{3});
    CHECK(rig.partition(0).isr == std::vector<BrokerId>{{3}});
    CHECK(rig.partition(0).recovery == RecoveryState::recovering);
}

TEST_CASE("without clean elections a replica that is not in sync takes over") {
    for (const bool clean : {true, false}) {
        CAPTURE(clean);
        Rig rig;
        rig.config->safeguards.remove(Safeguard::eligible_leader_replicas);
        if (!clean) rig.config->safeguards.remove(Safeguard::clean_election);
        rig.controller = Controller(rig.config, rig.topology);
        rig.start();
        rig.ask({1}, AlterPartitionRequest{
                         .broker = {1},
                         .broker_epoch = rig.controller.image().broker({1}).epoch,
                         .log = {0},
                         .leader_epoch = {0},
                         .partition_epoch = {0},
                         .isr = {{.broker = {1}}},
                         .recovery = RecoveryState::recovered});
        REQUIRE(rig.partition(0).isr == std::vector<BrokerId>{{1}});

        rig.silence(1);

        CHECK(rig.partition(0).leader == (clean ? std::nullopt : std::optional{BrokerId{2}}));
        const auto first = static_cast<std::uint16_t>(Mile::safeguard_first);
        const auto spared = static_cast<Mile>(first + static_cast<int>(Safeguard::clean_election));
        CHECK(rig.reached(spared) == !clean);
    }
}

TEST_CASE("leadership goes back to the preferred replica at the balance check") {
    Rig rig;
    rig.start();
    rig.order(Ask::elect, told({{Fact::log, 0}}));
    REQUIRE(rig.partition(0).leader == BrokerId{2});

    rig.timer(key(Tick::leader_balance));

    CHECK(rig.partition(0).leader == BrokerId{1});
}

TEST_CASE("a broker far behind gets the image instead of every record") {
    const auto topology = testing::topology();
    MetadataLog log(*topology);
    const auto formed = log.end();
    for (int i = 0; i < 1000; ++i) {
        auto state = log.image().partition({0});
        state.partition_epoch = state.partition_epoch.next();
        log.append(state, sim::time_zero);
    }
    log.reveal(sim::time_zero);

    const auto slice = log.read(formed);
    MetadataImage image(*topology);
    for (const auto& record : slice.records) image.apply(record);

    CHECK(slice.records.size() == 5);
    CHECK(slice.from + 5 == log.end());
    CHECK(image == log.image());
}

}  // namespace
}  // namespace eos::model
