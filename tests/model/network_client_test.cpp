#include "model/network_client.hpp"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::model;
using sim::milliseconds;
using sim::seconds;
using State = NetworkClient::State;

namespace {

constexpr Peer near{{1}, 0};
constexpr Peer far{{2}, 0};

ClientConfig steady() {
    ClientConfig config;
    config.reconnect_backoff_max = config.reconnect_backoff;
    config.connection_setup_timeout_max = config.connection_setup_timeout;
    return config;
}

/// A client with both connections open, at a time of the test's choosing.
struct Rig {
    explicit Rig(std::int32_t max_in_flight = 5)
        : net(steady(), max_in_flight, 3, sim::Rng::stream(1, "test")) {
        for (const Peer peer : {near, far}) open(peer);
    }
    [[nodiscard]] Context ctx() const { return {.now = now, .wall = now, .self = {9}, .life = 0}; }
    void open(Peer peer) {
        net.want(ctx(), peer, fx);
        (void)net.on_link(ctx(), peer, sim::LinkEvent::opened, fx);
    }
    Correlation send(Peer peer, Duration timeout = seconds(30), std::int64_t tag = 0) {
        return net.send(ctx(), peer, MetadataRequest{}, timeout, tag, fx);
    }
    [[nodiscard]] std::vector<sim::effect::Reach> failures() const {
        std::vector<sim::effect::Reach> found;
        for (const auto& effect : fx.list())
            if (const auto* reach = std::get_if<sim::effect::Reach>(&effect))
                if (reach->kind == number(Mile::rpc_failed)) found.push_back(*reach);
        return found;
    }
    /// The delay with which a timer was last armed.
    [[nodiscard]] std::optional<Duration> armed(sim::TimerKey key) const {
        std::optional<Duration> found;
        for (const auto& effect : fx.list())
            if (const auto* arm = std::get_if<sim::effect::Arm>(&effect))
                if (arm->key == key) found = arm->after;
        return found;
    }

    NetworkClient net;
    Fx fx;
    Instant now{};
};

constexpr sim::TimerKey timeout_of_near = key(Tick::request_timeout, 0, 3);
constexpr sim::TimerKey reconnect_of_near = key(Tick::reconnect, 0, 3);

}  // namespace

TEST_CASE("one late answer fails every request of its connection at once") {
    Rig rig;
    const auto first = rig.send(near, seconds(1), 11);
    rig.now += milliseconds(600);
    const auto second = rig.send(near, seconds(1), 12);
    const auto other = rig.send(far, seconds(1), 13);
    rig.now += milliseconds(400);
    rig.fx.clear();

    const auto outcomes = rig.net.on_timer(rig.ctx(), timeout_of_near, rig.fx);

    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].correlation == first);
    CHECK(outcomes[1].correlation == second);
    CHECK(outcomes[1].tag == 12);
    CHECK(outcomes[1].error() == ErrorCode::request_timed_out);
    CHECK(rig.failures().size() == 2);
    const auto* closed = std::get_if<sim::effect::Close>(&rig.fx.list().front());
    REQUIRE(closed != nullptr);
    CHECK(closed->to == near);
    CHECK(rig.net.state(near) == State::backoff);
    CHECK_FALSE(rig.net.on_reply(near, second).has_value());
    CHECK(rig.net.on_reply(far, other).has_value());
}

TEST_CASE("an answer in time leaves nothing for the timer to fail") {
    Rig rig;
    const auto first = rig.send(near, seconds(1));
    rig.now += milliseconds(500);
    const auto second = rig.send(near, seconds(1));
    CHECK(rig.net.on_reply(near, first).has_value());
    rig.now += milliseconds(500);
    rig.fx.clear();

    const auto outcomes = rig.net.on_timer(rig.ctx(), timeout_of_near, rig.fx);

    CHECK(outcomes.empty());
    CHECK(rig.armed(timeout_of_near) == milliseconds(500));
    CHECK(rig.net.on_reply(near, second).has_value());
}

TEST_CASE("a connection closed from afar fails its requests as disconnected and counts as a loss") {
    Rig rig;
    (void)rig.send(near);
    rig.fx.clear();

    const auto outcomes = rig.net.on_link(rig.ctx(), near, sim::LinkEvent::closed, rig.fx);

    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].error() == ErrorCode::network_exception);
    CHECK(rig.net.losses() == 1);
    const auto failures = rig.failures();
    REQUIRE(failures.size() == 1);
    CHECK(failures[0].facts.find(number(Fact::api)) == static_cast<std::int64_t>(Api::metadata));
    CHECK(failures[0].facts.find(number(Fact::from)) == 9);
    CHECK(failures[0].facts.find(number(Fact::to)) == 1);
    CHECK(failures[0].facts.find(number(Fact::kind)) ==
          static_cast<std::int64_t>(FailKind::disconnect));
}

TEST_CASE("a connection closed on our own account is no loss") {
    Rig rig;
    (void)rig.send(near);

    const auto outcomes = rig.net.close(rig.ctx(), near, rig.fx);

    CHECK(outcomes.size() == 1);
    CHECK(rig.net.losses() == 0);
}

TEST_CASE("a connection carries no more than max in flight") {
    Rig rig(2);
    const auto first = rig.send(near);
    (void)rig.send(near);
    CHECK_FALSE(rig.net.ready(near));

    CHECK(rig.net.on_reply(near, first).has_value());

    CHECK(rig.net.ready(near));
    CHECK(rig.net.in_flight(near) == 1);
}

TEST_CASE("what is wanted during the backoff is opened when it ends") {
    Rig rig;
    (void)rig.net.on_link(rig.ctx(), near, sim::LinkEvent::closed, rig.fx);
    rig.net.want(rig.ctx(), near, rig.fx);
    CHECK(rig.net.state(near) == State::backoff);
    CHECK(rig.armed(reconnect_of_near) == milliseconds(50));
    rig.now += milliseconds(50);

    (void)rig.net.on_timer(rig.ctx(), reconnect_of_near, rig.fx);

    CHECK(rig.net.state(near) == State::connecting);
}

TEST_CASE("the reconnect backoff doubles until the connection opens, with jitter of a fifth") {
    ClientConfig config;
    NetworkClient net(config, 5, 0, sim::Rng::stream(4, "test"));
    Fx fx;
    Context ctx{.now = {}, .wall = {}, .self = {9}, .life = 0};
    const auto reconnect = key(Tick::reconnect, 0, 0);
    std::vector<std::int64_t> pauses;
    for (int i = 0; i < 8; ++i) {
        net.want(ctx, near, fx);
        fx.clear();
        (void)net.on_link(ctx, near, sim::LinkEvent::refused, fx);
        for (const auto& effect : fx.list())
            if (const auto* arm = std::get_if<sim::effect::Arm>(&effect))
                if (arm->key == reconnect) pauses.push_back(arm->after / milliseconds(1));
        (void)net.on_timer(ctx, reconnect, fx);
    }

    REQUIRE(pauses.size() == 8);
    std::int64_t plain = 50;
    for (const auto pause : pauses) {
        CHECK(pause >= plain * 8 / 10);
        CHECK(pause <= std::min<std::int64_t>(plain * 12 / 10, 1000));
        plain = std::min<std::int64_t>(plain * 2, 1000);
    }
}

TEST_CASE("the reconnect backoff starts anew once the connection was open") {
    Rig rig;
    rig.net = NetworkClient(ClientConfig{}, 5, 3, sim::Rng::stream(4, "test"));
    rig.open(near);
    for (int i = 0; i < 6; ++i) {
        rig.fx.clear();
        (void)rig.net.on_link(rig.ctx(), near, sim::LinkEvent::closed, rig.fx);
        CHECK(*rig.armed(reconnect_of_near) <= milliseconds(60));
        (void)rig.net.on_timer(rig.ctx(), reconnect_of_near, rig.fx);
        rig.open(near);
    }
}

TEST_CASE("a set-up that takes too long is given up") {
    NetworkClient net(steady(), 5, 3, sim::Rng::stream(1, "test"));
    Fx fx;
    Context ctx{.now = {}, .wall = {}, .self = {9}, .life = 0};
    net.want(ctx, near, fx);
    ctx.now += seconds(10);

    (void)net.on_timer(ctx, key(Tick::setup_timeout, 0, 3), fx);

    CHECK(net.state(near) == State::backoff);
    CHECK(net.losses() == 1);
    // A late "opened" of the life that was closed changes nothing.
    (void)net.on_link(ctx, near, sim::LinkEvent::opened, fx);
    CHECK(net.state(near) == State::backoff);
}

TEST_CASE("a request without answer is never in flight") {
    Rig rig;

    rig.net.send_unanswered(near, ProduceRequest{.acks = Acks::none, .timeout = {}, .parts = {}},
                            rig.fx);

    CHECK(rig.net.in_flight() == 0);
}
