#include "model/marker_sender.hpp"

#include <doctest/doctest.h>

#include "tests/model/transaction_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;

namespace {

/// A sender on broker 1 of three; connections open at once, requests are kept.
struct SenderRig {
    ClusterConfig config;
    Topology topology = transaction_topology();
    MetadataImage image{topology};
    MarkerSender sender{config, sim::Rng(5)};
    GroupWorld world;
    Guard guard;
    bool reachable = true;
    std::vector<sim::effect::Request<Message>> sent;

    SenderRig() {
        for (std::int32_t id = 1; id <= 3; ++id)
            image.apply(BrokerRegistration{.broker = {id}, .epoch = {1}, .fenced = false});
        for (std::int32_t log = 0; log < 4; ++log) lead(log, log % 2 + 1);
    }
    void lead(std::int32_t log, std::optional<std::int32_t> broker) {
        auto state = image.partition({log});
        state.leader.reset();
        if (broker) state.leader = BrokerId{*broker};
        image.apply(state);
    }
    template <class Action>
    void act(Action action) {
        Fx fx;
        const auto context = world.context();
        const BrokerStep step{context, {1}, config, topology, image, guard, fx};
        action(step);
        for (std::size_t i = 0; i < fx.list().size(); ++i) {
            const auto effect = fx.list()[i];
            const auto* connect = std::get_if<sim::effect::Connect>(&effect);
            if (connect && reachable) {
                (void)sender.on_link(step, connect->to, sim::LinkEvent::opened);
                sender.pump(step);
            }
            if (const auto* request = std::get_if<sim::effect::Request<Message>>(&effect))
                sent.push_back(*request);
        }
        world.take(fx);
    }
    void pump() {
        act([&](const BrokerStep& step) { sender.pump(step); });
    }
    void advance(sim::Duration by) {
        const auto until = world.now + by;
        while (const auto timer = world.next_timer(until))
            act([&](const BrokerStep& step) {
                (void)sender.on_timer(step, *timer);
                sender.pump(step);
            });
        world.now = until;
    }
    [[nodiscard]] const WriteTxnMarkersRequest& request(std::size_t i) const {
        return std::get<WriteTxnMarkersRequest>(sent.at(i).message);
    }
};

Marker marker(std::int32_t log, TransactionalId txid = T) {
    Marker result;
    result.home = transaction_log;
    result.who = {txid, {txid.value + 7}, {1}, {}};
    result.log = {log};
    return result;
}

}  // namespace

TEST_CASE("the markers for one broker travel together, one entry a transaction") {
    SenderRig rig;
    for (std::int32_t log = 0; log < 4; ++log) rig.sender.add(marker(log));
    rig.sender.add(marker(0, U));

    rig.pump();

    REQUIRE(rig.sent.size() == 2);
    CHECK(rig.sent[0].to == sim::Peer{{1}, MarkerSender::lane});
    REQUIRE(rig.request(0).entries.size() == 2);
    CHECK(rig.request(0).entries[0].logs == std::vector<LogId>{{0}, {2}});
    CHECK(rig.request(0).entries[1].who.txid == U);
    CHECK(rig.request(1).entries.at(0).logs == std::vector<LogId>{{1}, {3}});
    CHECK(rig.world.times(Mile::txn_marker_sent) == 5);
}

TEST_CASE("a marker without a leader waits until there is one") {
    SenderRig rig;
    rig.lead(0, std::nullopt);
    rig.sender.add(marker(0));

    rig.pump();
    rig.advance(sim::milliseconds(100));
    const auto before = rig.sent.size();
    rig.lead(0, 3);
    rig.advance(sim::milliseconds(20));

    CHECK(before == 0);
    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].to.node == NodeId{3});
}

TEST_CASE("a marker that waits for a connection follows the leader") {
    SenderRig rig;
    rig.reachable = false;
    rig.sender.add(marker(0));
    rig.pump();
    rig.lead(0, 2);
    rig.reachable = true;

    rig.pump();

    REQUIRE(rig.sent.size() == 1);
    CHECK(rig.sent[0].to.node == NodeId{2});
}

TEST_CASE("the markers of a lost connection come back without an answer") {
    SenderRig rig;
    rig.sender.add(marker(0));
    rig.pump();
    const auto sent = rig.sent.at(0);

    MarkerResults lost;
    rig.act([&](const BrokerStep& step) {
        lost = rig.sender.on_link(step, sent.to, sim::LinkEvent::closed);
    });

    REQUIRE(lost.size() == 1);
    CHECK_FALSE(lost[0].error);
    CHECK_FALSE(rig.sender.on_reply(sent.to, sent.correlation, {}));
}

TEST_CASE("an answer is given out once") {
    SenderRig rig;
    rig.sender.add(marker(0));
    rig.pump();
    WriteTxnMarkersResponse answer;
    answer.entries.push_back({.who = marker(0).who,
                              .result = ControlType::commit,
                              .coordinator_epoch = {},
                              .parts = {{{0}, ErrorCode::not_leader_or_follower}}});

    const auto number = rig.sender.on_reply(rig.sent[0].to, rig.sent[0].correlation,
                                            WriteTxnMarkersResponse(answer));

    REQUIRE(number);
    const auto results = rig.sender.take_answer(*number);
    REQUIRE(results.size() == 1);
    CHECK(results[0].error == ErrorCode::not_leader_or_follower);
    CHECK(rig.sender.take_answer(*number).empty());
}

TEST_CASE("the markers of a log that is given up are forgotten") {
    SenderRig rig;
    rig.sender.add(marker(0));
    rig.sender.retry(marker(1));

    rig.sender.forget(transaction_log);

    CHECK(rig.sender.ready().empty());
    CHECK(rig.sender.parked().empty());
}
