#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "model/verification_desk.hpp"

namespace eos::model {
namespace {

/// A desk on broker 1; broker 2 coordinates both transactional ids. The connection opens at once.
struct Counter {
    ClusterConfig config;
    Topology topology;
    MetadataImage image;
    Guard guard;
    VerificationDesk desk{config, sim::Rng::stream(1, "verify")};
    std::vector<sim::effect::Request<Message>> sent;
    std::vector<VerificationAnswer> answers;

    Counter() {
        topology.brokers = 2;
        topology.topics.push_back({.name = "t0", .first = {0}});
        topology.topics.push_back({.name = "__transaction_state", .first = {1}, .internal = true});
        topology.logs.push_back({{0}, {0}, {{1}}});
        topology.logs.push_back({{1}, {0}, {{2}}});
        topology.transaction_topic = TopicId{1};
        topology.transactional_ids = {"a", "b"};
        image = MetadataImage(topology);
        for (const auto& record : formation(topology)) image.apply(record);
    }
    template <class Action>
    void with_step(Action action) {
        Fx fx;
        const Context ctx{.now = {}, .wall = {}, .self = {1}, .life = 0};
        const BrokerStep step{ctx, {1}, config, topology, image, guard, fx};
        action(step);
        for (std::size_t i = 0; i < fx.list().size(); ++i) {
            const auto effect = fx.list()[i];
            if (const auto* dial = std::get_if<sim::effect::Connect>(&effect))
                desk.on_link(step, dial->to, sim::LinkEvent::opened);
            if (const auto* request = std::get_if<sim::effect::Request<Message>>(&effect))
                sent.push_back(*request);
        }
        while (auto answer = desk.take_answer()) answers.push_back(*answer);
    }
    void ask(std::int64_t token, std::int32_t txid, std::int16_t epoch) {
        with_step([&](const BrokerStep& step) {
            desk.ask(step, {.token = token,
                            .who = {.txid = {txid},
                                    .producer_id = {7},
                                    .producer_epoch = {epoch},
                                    .txn = {}},
                            .version = TransactionVersion::tv2,
                            .logs = {{0}}});
        });
    }
    void answer_all(ErrorCode error) {
        const auto request = sent.back();
        AddPartitionsToTxnResponse reply;
        for (const auto& entry : std::get<AddPartitionsToTxnRequest>(request.message).entries)
            reply.entries.push_back({entry.who, {{{0}, error}}});
        with_step([&](const BrokerStep& step) {
            desk.on_reply(step, request.to, request.correlation, reply);
        });
    }
    [[nodiscard]] const std::vector<AddPartitionsToTxnRequest::Entry>& last() const {
        return std::get<AddPartitionsToTxnRequest>(sent.back().message).entries;
    }
};

TEST_CASE("one request is under way per coordinator, what gathers meanwhile goes in the next") {
    Counter counter;
    counter.ask(1, 0, 0);
    counter.ask(2, 0, 0);
    counter.ask(3, 1, 0);

    CHECK(counter.sent.size() == 1);
    counter.answer_all(ErrorCode::none);

    REQUIRE(counter.sent.size() == 2);
    CHECK(counter.last().size() == 2);
    REQUIRE(counter.answers.size() == 1);
    CHECK(counter.answers[0].token == 1);
}

TEST_CASE("of two waiting questions about one transactional id only the newer is asked") {
    Counter counter;
    counter.ask(1, 0, 0);  // under way
    counter.ask(2, 0, 0);

    counter.ask(3, 0, 0);  // the same epoch: the client sends again
    counter.ask(4, 0, 1);  // fences
    counter.ask(5, 0, 0);  // is fenced

    REQUIRE(counter.answers.size() == 3);
    CHECK(counter.answers[0].token == 2);
    CHECK(counter.answers[0].parts[0].error == ErrorCode::network_exception);
    CHECK(counter.answers[1].token == 3);
    CHECK(counter.answers[1].parts[0].error == ErrorCode::invalid_producer_epoch);
    CHECK(counter.answers[2].token == 5);
    CHECK(counter.answers[2].parts[0].error == ErrorCode::invalid_producer_epoch);
}

TEST_CASE("a lost connection fails the request under way and the questions that wait for it") {
    Counter counter;
    counter.ask(1, 0, 0);
    counter.ask(2, 1, 0);

    counter.with_step([&](const BrokerStep& step) {
        counter.desk.on_link(step, {{2}, VerificationDesk::lane}, sim::LinkEvent::closed);
    });

    REQUIRE(counter.answers.size() == 2);
    for (const auto& answer : counter.answers)
        CHECK(answer.parts[0].error == ErrorCode::network_exception);
}

}  // namespace
}  // namespace eos::model
