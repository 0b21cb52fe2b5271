#include "model/consumer.hpp"

#include <doctest/doctest.h>

#include "sim/state_hash.hpp"
#include "tests/model/consumer_rig.hpp"

using namespace eos::model;
using Rig = eos::model::test::ConsumerRig;
namespace sim = eos::sim;

namespace {

constexpr LogId log0{0};
constexpr LogId log1{1};

/// A consumer without a group, whose logs stand at `offset` after a seek. Its first fetch is out.
Rig reading_at(Offset offset, std::vector<LogId> logs = {log0}, ConsumerConfig config = {}) {
    Rig rig(std::move(config));
    rig.assign(logs);
    for (const LogId log : logs)
        rig.step([&](Consumer& c, const Context& ctx, Fx& fx) { c.seek(ctx, log, offset, fx); });
    rig.poll_on();
    rig.taken<consumer_event::PollReturned>();
    return rig;
}

Rig::Leader leader(std::int32_t broker, std::int32_t epoch) { return {{broker}, {epoch}}; }

/// Metadata tells of another leader: an answer says that the old one is not.
void move_leader(Rig& rig, LogId log, Rig::Leader to, Offset asked) {
    rig.leaders[log] = to;
    rig.answer_fetch({Rig::refusal(log, asked, ErrorCode::not_leader_or_follower)});
    rig.poll();
    rig.advance(seconds(2));
    rig.poll_on();
    rig.taken<consumer_event::PollReturned>();
}

}  // namespace

TEST_CASE("without a committed offset reading starts where the reset policy says") {
    Rig rig(Rig::config());
    rig.answer_lookups = true;
    rig.assign({log0});

    rig.poll(seconds(1));
    rig.answer_committed(std::nullopt);
    CHECK(rig.waiting<ListOffsetsRequest>()->parts.at(0).spec == OffsetSpec::earliest);
    rig.answer_end(Offset{7});

    CHECK(rig.consumer.position(log0) == Offset{7});
    const auto set = rig.told<PositionSet>();
    REQUIRE(set.size() == 1);
    CHECK(set[0].why == PositionSet::Why::reset);
    CHECK(rig.reached(Mile::offsets_reset) == 1);
    CHECK(rig.waiting<FetchRequest>()->parts.at(0).offset == Offset{7});
}

TEST_CASE("a committed offset is where reading starts and it is validated by its epoch") {
    Rig rig(Rig::config());
    rig.answer_lookups = true;
    rig.assign({log0});

    rig.poll(seconds(1));
    CHECK(rig.waiting<OffsetFetchRequest>()->require_stable);
    rig.answer_committed(Offset{40}, LeaderEpoch{0});

    CHECK_FALSE(rig.consumer.position(log0));
    REQUIRE(rig.waiting<OffsetForLeaderEpochRequest>());
    CHECK(rig.waiting<FetchRequest>() == nullptr);
    rig.answer<OffsetForLeaderEpochRequest>(
        OffsetForLeaderEpochResponse{{{log0, ErrorCode::none, {LeaderEpoch{0}, Offset{50}}}}});
    CHECK(rig.consumer.position(log0) == Offset{40});
    CHECK(rig.waiting<FetchRequest>()->parts.at(0).offset == Offset{40});
}

TEST_CASE("with no reset policy and no committed offset poll throws") {
    auto config = Rig::config();
    config.offset_reset = OffsetReset::none;
    Rig rig(config);
    rig.answer_lookups = true;
    rig.assign({log0});

    rig.poll(seconds(1));
    rig.answer_committed(std::nullopt);

    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE(returned.size() == 1);
    CHECK(returned[0].result == CallResult::no_offset);
}

TEST_CASE("committed offsets of pending transactions hold up the start until they are stable") {
    Rig rig(Rig::config());
    rig.answer_lookups = true;
    rig.assign({log0});
    rig.poll(seconds(5));

    rig.answer_committed(Offset{3}, {}, ErrorCode::unstable_offset_commit);
    CHECK(rig.waiting<OffsetFetchRequest>() == nullptr);
    rig.advance(seconds(1));

    REQUIRE(rig.waiting<OffsetFetchRequest>());
    rig.answer_committed(Offset{3});
    CHECK(rig.consumer.position(log0) == Offset{3});
}

TEST_CASE("poll returns what a fetch brought and the next fetch has left by then") {
    Rig rig = reading_at(Offset{10});

    rig.answer_fetch({Rig::data(log0, Offset{10}, Offset{10}, 5)});
    CHECK(rig.waiting<FetchRequest>() == nullptr);
    rig.poll(seconds(1));

    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE(returned.size() == 1);
    REQUIRE(returned[0].chunks.size() == 1);
    CHECK(returned[0].chunks[0].base == Offset{10});
    CHECK(returned[0].chunks[0].count == 5);
    CHECK(rig.consumer.position(log0) == Offset{15});
    REQUIRE(rig.waiting<FetchRequest>());
    CHECK(rig.waiting<FetchRequest>()->parts.at(0).offset == Offset{15});
    const auto polled = rig.told<Polled>();
    REQUIRE(polled.size() == 1);
    CHECK(polled[0].payload == returned[0].chunks[0].payload);
}

TEST_CASE("a poll takes no more than max.poll.records and the rest needs no fetch") {
    Rig rig = reading_at(Offset{0});
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 5)});

    rig.poll(seconds(1), 3);
    CHECK(rig.waiting<FetchRequest>() == nullptr);
    rig.poll(seconds(1), 3);

    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE(returned.size() == 2);
    CHECK(returned[0].chunks.at(0).first == 0);
    CHECK(returned[0].chunks.at(0).count == 3);
    CHECK(returned[1].chunks.at(0).first == 3);
    CHECK(returned[1].chunks.at(0).count == 2);
    CHECK(rig.waiting<FetchRequest>()->parts.at(0).offset == Offset{5});
}

TEST_CASE("a batch that begins before the position is handed out from the position on") {
    Rig rig = reading_at(Offset{12});

    rig.answer_fetch({Rig::data(log0, Offset{12}, Offset{10}, 5)});
    rig.poll();

    const auto chunk = rig.taken<consumer_event::PollReturned>().at(0).chunks.at(0);
    CHECK(chunk.base == Offset{10});
    CHECK(chunk.first == 2);
    CHECK(chunk.count == 3);
}

TEST_CASE("an answer for a position that was left by a seek is dropped") {
    Rig rig = reading_at(Offset{0});
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.seek(ctx, log0, Offset{3}, fx); });

    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 5)});
    rig.poll();

    CHECK(rig.taken<consumer_event::PollReturned>().at(0).chunks.empty());
    CHECK(rig.consumer.position(log0) == Offset{3});
    CHECK(rig.waiting<FetchRequest>()->parts.at(0).offset == Offset{3});
}

TEST_CASE("control batches are hidden but move the position") {
    Rig rig = reading_at(Offset{0});
    auto part = Rig::data(log0, Offset{0}, Offset{0}, 1);
    part.batches[0].control = ControlType::commit;
    part.batches[0].payload = {};

    rig.answer_fetch({part});
    rig.poll(seconds(1));

    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE(returned.size() == 1);
    CHECK(returned[0].chunks.empty());
    CHECK(rig.consumer.position(log0) == Offset{1});
}

TEST_CASE("a broker has one fetch at a time, over its logs without waiting data") {
    Rig rig = reading_at(Offset{0}, {log0, log1});
    REQUIRE(rig.count<FetchRequest>() == 1);
    REQUIRE(rig.waiting<FetchRequest>()->parts.size() == 2);
    rig.answer_fetch(
        {Rig::data(log0, Offset{0}, Offset{0}, 5), Rig::data(log1, Offset{0}, Offset{0}, 5)});

    rig.poll(seconds(1), 5);

    REQUIRE(rig.count<FetchRequest>() == 1);
    REQUIRE(rig.waiting<FetchRequest>()->parts.size() == 1);
    CHECK(rig.waiting<FetchRequest>()->parts[0].log == log0);
    rig.poll(seconds(1), 5);
    CHECK(rig.count<FetchRequest>() == 1);
}

TEST_CASE("poll returns empty when its timeout passes") {
    Rig rig = reading_at(Offset{0});

    rig.poll(milliseconds(500));
    rig.advance(milliseconds(499));
    CHECK(rig.consumer.call_open());
    rig.advance(milliseconds(1));

    const auto returned = rig.taken<consumer_event::PollReturned>();
    REQUIRE(returned.size() == 1);
    CHECK(returned[0].result == CallResult::ok);
    CHECK(returned[0].chunks.empty());
}

TEST_CASE("an offset out of range is reset by the policy, or thrown if there is none") {
    for (const auto policy : {OffsetReset::latest, OffsetReset::none}) {
        CAPTURE(static_cast<int>(policy));
        ConsumerConfig config;
        config.offset_reset = policy;
        Rig rig = reading_at(Offset{100}, {log0}, config);

        rig.answer_fetch({Rig::refusal(log0, Offset{100}, ErrorCode::offset_out_of_range)});
        rig.poll();

        const auto result = rig.taken<consumer_event::PollReturned>().at(0).result;
        if (policy == OffsetReset::none) {
            CHECK(result == CallResult::offset_out_of_range);
            CHECK(rig.consumer.position(log0) == Offset{100});
        } else {
            CHECK(result == CallResult::ok);
            REQUIRE(rig.waiting<ListOffsetsRequest>());
            CHECK(rig.waiting<ListOffsetsRequest>()->parts.at(0).spec == OffsetSpec::latest);
        }
    }
}

TEST_CASE("a new leader epoch sends the position into validation and truncation moves it back") {
    Rig rig = reading_at(Offset{0});
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 10, LeaderEpoch{0})});
    rig.poll();

    move_leader(rig, log0, leader(2, 1), Offset{10});
    REQUIRE(rig.waiting<OffsetForLeaderEpochRequest>());
    CHECK(rig.waiting<OffsetForLeaderEpochRequest>()->parts.at(0).epoch == LeaderEpoch{0});
    CHECK(rig.waiting<FetchRequest>() == nullptr);
    rig.answer<OffsetForLeaderEpochRequest>(
        OffsetForLeaderEpochResponse{{{log0, ErrorCode::none, {LeaderEpoch{0}, Offset{6}}}}});
    rig.poll();

    CHECK(rig.consumer.position(log0) == Offset{6});
    CHECK(rig.told<PositionSet>().back().why == PositionSet::Why::truncated);
    CHECK(rig.waiting<FetchRequest>()->parts.at(0).offset == Offset{6});
}

TEST_CASE("without position validation a truncation goes unnoticed and the safeguard is reported") {
    ConsumerConfig config;
    config.safeguards.remove(Safeguard::position_validation);
    Rig rig = reading_at(Offset{0}, {log0}, config);
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 10, LeaderEpoch{0})});
    rig.poll();
    const auto before = rig.milestones.size();

    move_leader(rig, log0, leader(2, 1), Offset{10});

    CHECK(rig.waiting<OffsetForLeaderEpochRequest>() == nullptr);
    REQUIRE(rig.waiting<FetchRequest>());
    CHECK(rig.waiting<FetchRequest>()->parts.at(0).offset == Offset{10});
    const auto spared = static_cast<std::uint16_t>(
        static_cast<int>(Mile::safeguard_first) + static_cast<int>(Safeguard::position_validation));
    CHECK(rig.milestones.size() > before);
    CHECK(std::count(rig.milestones.begin(), rig.milestones.end(), sim::MilestoneKind{spared}) > 0);
}

TEST_CASE("the end offset is asked again until the leader can tell it") {
    Rig rig(ConsumerConfig{});

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.end_offset(ctx, log1, fx); });
    rig.answer_end(Offset{0}, ErrorCode::offset_not_available);
    CHECK(rig.waiting<ListOffsetsRequest>() == nullptr);
    rig.advance(seconds(1));
    rig.answer_end(Offset{33});

    const auto returned = rig.taken<consumer_event::EndOffsetReturned>();
    REQUIRE(returned.size() == 1);
    CHECK(returned[0].offset == Offset{33});
    REQUIRE(rig.told<EndOffsetTold>().size() == 1);
    CHECK_FALSE(rig.consumer.call_open());
}

TEST_CASE("rewinding puts every log back to its committed offset") {
    Rig rig(Rig::config());
    rig.answer_lookups = true;
    rig.assign({log0});
    rig.poll_on();
    rig.answer_committed(Offset{2});
    rig.poll_on();
    rig.answer_fetch({Rig::data(log0, Offset{2}, Offset{2}, 8)});
    rig.poll();
    REQUIRE(rig.consumer.position(log0) == Offset{10});

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.seek_to_committed(ctx, fx); });
    rig.answer_committed(Offset{4});

    CHECK(rig.taken<consumer_event::RewindDone>().at(0).result == CallResult::ok);
    CHECK(rig.consumer.position(log0) == Offset{4});
}

TEST_CASE("a stalled application's open poll makes no progress until it runs again") {
    Rig rig = reading_at(Offset{0});
    rig.poll(milliseconds(100));

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.stall(ctx, true, fx); });
    rig.answer_fetch({Rig::data(log0, Offset{0}, Offset{0}, 5)});
    rig.advance(seconds(10));
    CHECK(rig.taken<consumer_event::PollReturned>().empty());
    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.stall(ctx, false, fx); });

    CHECK(rig.taken<consumer_event::PollReturned>().at(0).chunks.size() == 1);
}

TEST_CASE("equal consumers told the same stay equal and hash equal") {
    Rig rig = reading_at(Offset{0});
    Consumer twin = rig.consumer;
    FetchResponse response;
    response.parts.push_back(Rig::data(log0, Offset{0}, Offset{0}, 5));
    const auto pending = rig.requests.front();

    Fx first;
    Fx second;
    rig.consumer.on_reply(rig.context(), pending.peer, pending.correlation, response, first);
    CHECK_FALSE(twin == rig.consumer);
    CHECK(sim::state_hash(twin) != sim::state_hash(rig.consumer));
    twin.on_reply(rig.context(), pending.peer, pending.correlation, response, second);

    CHECK(twin == rig.consumer);
    CHECK(sim::state_hash(twin) == sim::state_hash(rig.consumer));
    CHECK(first.list().size() == second.list().size());
}
