#include <doctest/doctest.h>

#include "tests/model/producer_rig.hpp"

using namespace eos;
using namespace eos::model;
using namespace eos::model::testing;
using sim::milliseconds;
using sim::seconds;

namespace {

constexpr TopicId a{0};

struct Rig {
    Rig()
        : net(config(), 5, 0, sim::Rng::stream(1, "net")),
          metadata(two_topics(), config(), 0, 0, sim::Rng::stream(1, "metadata")) {}

    static ClientConfig config() {
        ClientConfig result;
        result.retry_backoff_max = result.retry_backoff;  // 100 ms, no jitter
        return result;
    }
    [[nodiscard]] Context ctx() const { return {.now = now, .wall = now, .self = {9}, .life = 0}; }

    /// Lets it act until it waits; true if it sent a request.
    bool refresh() {
        bool sent = false;
        bool again = true;
        while (again) {
            again = false;
            metadata.refresh(ctx(), net, fx);
            for (const auto& effect : std::exchange(fx.list(), {})) {
                if (const auto* connect = std::get_if<sim::effect::Connect>(&effect)) {
                    (void)net.on_link(ctx(), connect->to, sim::LinkEvent::opened, fx);
                    again = true;
                }
                if (const auto* request = std::get_if<sim::effect::Request<Message>>(&effect)) {
                    sent = true;
                    to = request->to;
                    correlation = request->correlation;
                }
                if (const auto* arm = std::get_if<sim::effect::Arm>(&effect))
                    if (metadata.owns(arm->key)) alarm = now + arm->after;
            }
        }
        return sent;
    }
    bool answer(const MetadataResponse& response) {
        const auto outcome = net.on_reply(to, correlation);
        return metadata.on_outcome(ctx(), *outcome, &response);
    }

    NetworkClient net;
    ClientMetadata metadata;
    Fx fx;
    Instant now{};
    Peer to{};
    Correlation correlation;
    std::optional<Instant> alarm;
};

MetadataResponse told(BrokerId leader, std::int32_t epoch) {
    MetadataResponse response;
    response.parts.push_back(
        {.log = a0, .error = ErrorCode::none, .leader = leader, .epoch = {epoch}});
    return response;
}

}  // namespace

TEST_CASE("an answer with an older leader epoch is not believed") {
    Rig rig;
    rig.metadata.learn(told({2}, 5));

    const bool changed = rig.metadata.learn(told({1}, 4));

    CHECK_FALSE(changed);
    CHECK(rig.metadata.leader(a0) == BrokerId{2});
    CHECK(rig.metadata.leader_epoch(a0) == LeaderEpoch{5});
}

TEST_CASE("a hint is believed only if its epoch is newer") {
    Rig rig;
    rig.metadata.learn(told({2}, 5));

    CHECK_FALSE(rig.metadata.hint(a0, {.leader = {1}, .epoch = {5}}));
    CHECK(rig.metadata.hint(a0, {.leader = {1}, .epoch = {6}}));

    CHECK(rig.metadata.leader(a0) == BrokerId{1});
}

TEST_CASE("a topic that a broker does not know is forgotten, but not the epoch of its leader") {
    Rig rig;
    rig.metadata.learn(told({2}, 5));
    MetadataResponse ignorant;
    ignorant.parts.push_back({.log = a0,
                              .error = ErrorCode::unknown_topic_or_partition,
                              .leader = std::nullopt,
                              .epoch = {9}});

    CHECK(rig.metadata.learn(ignorant));

    CHECK_FALSE(rig.metadata.learn(ignorant));
    CHECK_FALSE(rig.metadata.knows(a));
    CHECK_FALSE(rig.metadata.leader(a0));
    CHECK(rig.metadata.stale());
    CHECK(rig.metadata.leader_epoch(a0) == LeaderEpoch{5});
    CHECK_FALSE(rig.metadata.hint(a0, {.leader = {1}, .epoch = {6}}));
    CHECK_FALSE(rig.metadata.learn(told({1}, 4)));
    CHECK_FALSE(rig.metadata.knows(a));
    CHECK(rig.metadata.learn(told({2}, 5)));
    CHECK(rig.metadata.knows(a));
    CHECK(rig.metadata.leader(a0) == BrokerId{2});
}

TEST_CASE("a new topic is asked for at once, a wish for news waits out the backoff") {
    Rig rig;
    CHECK_FALSE(rig.refresh());
    rig.metadata.watch(a);
    REQUIRE(rig.refresh());
    CHECK(rig.answer(told({1}, 0)));
    CHECK(rig.metadata.knows(a));

    rig.metadata.request_refresh();
    CHECK_FALSE(rig.refresh());
    CHECK(rig.alarm == sim::time_zero + milliseconds(100));
    rig.metadata.watch({1});

    CHECK(rig.refresh());
}

TEST_CASE("only one refresh is in flight") {
    Rig rig;
    rig.metadata.watch(a);
    REQUIRE(rig.refresh());
    rig.metadata.request_refresh();
    rig.now += seconds(1);

    CHECK_FALSE(rig.refresh());
}

TEST_CASE("beliefs are refreshed when they are too old") {
    Rig rig;
    rig.metadata.watch(a);
    REQUIRE(rig.refresh());
    rig.answer(told({1}, 0));
    CHECK_FALSE(rig.refresh());
    CHECK(rig.alarm == sim::time_zero + seconds(300));
    rig.now += seconds(300);

    CHECK(rig.refresh());
}

TEST_CASE("a lost connection is a reason to refresh") {
    Rig rig;
    rig.metadata.watch(a);
    REQUIRE(rig.refresh());
    rig.answer(told({1}, 0));
    rig.now += seconds(1);
    CHECK_FALSE(rig.refresh());
    (void)rig.net.on_link(rig.ctx(), rig.to, sim::LinkEvent::closed, rig.fx);

    CHECK(rig.refresh());
}

TEST_CASE("a failed refresh is tried again after the backoff") {
    Rig rig;
    rig.metadata.watch(a);
    REQUIRE(rig.refresh());
    const auto lost = rig.net.on_link(rig.ctx(), rig.to, sim::LinkEvent::closed, rig.fx);
    REQUIRE(lost.size() == 1);
    rig.metadata.on_outcome(rig.ctx(), lost[0], nullptr);

    CHECK_FALSE(rig.refresh());
    rig.now += milliseconds(100);
    CHECK(rig.refresh());
}

TEST_CASE("the least loaded node is the one with fewest requests in flight") {
    Rig rig;
    for (const Peer peer : {Peer{{1}, 0}, Peer{{2}, 0}}) {
        rig.net.want(rig.ctx(), peer, rig.fx);
        (void)rig.net.on_link(rig.ctx(), peer, sim::LinkEvent::opened, rig.fx);
    }
    (void)rig.net.send(rig.ctx(), {{1}, 0}, MetadataRequest{}, seconds(1), 0, rig.fx);

    for (int i = 0; i < 20; ++i)
        CHECK(rig.metadata.least_loaded(rig.ctx(), rig.net) == Peer{{2}, 0});
}

TEST_CASE("with every known broker unreachable the bootstrap list is used") {
    Rig rig;
    MetadataResponse one_left = told({1}, 0);
    one_left.brokers = {{1}};
    rig.metadata.learn(one_left);
    rig.net.want(rig.ctx(), {{1}, 0}, rig.fx);
    (void)rig.net.on_link(rig.ctx(), {{1}, 0}, sim::LinkEvent::refused, rig.fx);

    CHECK(rig.metadata.least_loaded(rig.ctx(), rig.net) == Peer{{2}, 0});
}
