// The blocking session of an application with its stores.

#include "model/store_client.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::model;

namespace {

struct SessionRig {
    SessionRig() {
        Topology topology;
        topology.stores = {{"db", StoreKind::sql}};
        topology.first_store = {6};
        ClientConfig config;
        config.request_timeout = seconds(2);
        client.emplace(config, std::make_shared<const Topology>(topology), ProcessId{{0}, 0},
                       sim::Rng::stream(1, "test"));
    }
    [[nodiscard]] Context ctx() const { return {.now = now, .wall = now, .self = {4}, .life = 0}; }
    void call() {
        StoreRequest request;
        request.statement = Statement::commit;
        client->call(ctx(), {0}, request, fx);
    }
    void link(sim::LinkEvent event) { client->on_link(ctx(), {{6}, StoreClient::lane}, event, fx); }
    /// Requests that have left so far, by correlation.
    [[nodiscard]] std::vector<sim::Correlation> sent() const {
        std::vector<sim::Correlation> result;
        for (const auto& effect : fx.list())
            if (const auto* request = std::get_if<sim::effect::Request<Message>>(&effect))
                result.push_back(request->correlation);
        return result;
    }

    std::optional<StoreClient> client;
    Fx fx;
    sim::Instant now{};
};

}  // namespace

TEST_CASE("a call waits for its connection, and ends with its answer once") {
    SessionRig rig;
    rig.call();
    CHECK(rig.sent().empty());

    rig.link(sim::LinkEvent::opened);
    REQUIRE(rig.sent().size() == 1);
    rig.client->on_reply(rig.ctx(), {{6}, StoreClient::lane}, rig.sent().front(),
                         StoreResponse{.statement = Statement::commit}, rig.fx);

    const auto answer = rig.client->take_answer();
    REQUIRE(answer);
    CHECK(answer->error == ErrorCode::none);
    CHECK_FALSE(rig.client->take_answer());
}

TEST_CASE("a call whose connection breaks may have been executed") {
    SessionRig rig;
    rig.call();
    rig.link(sim::LinkEvent::opened);

    rig.link(sim::LinkEvent::closed);

    const auto answer = rig.client->take_answer();
    REQUIRE(answer);
    CHECK(answer->error == ErrorCode::network_exception);
    CHECK(answer->certainty == Certainty::ambiguous);
}

TEST_CASE("a call that was never sent has certainly done nothing") {
    SessionRig rig;
    rig.call();

    rig.now += seconds(2);
    rig.client->on_timer(rig.ctx(), key(Tick::store_call), rig.fx);

    const auto answer = rig.client->take_answer();
    REQUIRE(answer);
    CHECK(answer->error == ErrorCode::request_timed_out);
    CHECK(answer->certainty == Certainty::not_done);
}

TEST_CASE("a late answer closes the connection, and nobody knows") {
    SessionRig rig;
    rig.call();
    rig.link(sim::LinkEvent::opened);

    rig.now += seconds(2);
    rig.client->on_timer(rig.ctx(), key(Tick::request_timeout, 0, StoreClient::lane), rig.fx);

    const auto answer = rig.client->take_answer();
    REQUIRE(answer);
    CHECK(answer->error == ErrorCode::request_timed_out);
    CHECK(answer->certainty == Certainty::ambiguous);
}
