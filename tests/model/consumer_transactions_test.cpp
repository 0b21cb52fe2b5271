// What a consumer does for exactly-once pipelines: isolation, stable offsets (KIP-447).

#include <doctest/doctest.h>

#include "model/consumer.hpp"
#include "tests/model/consumer_rig.hpp"

using namespace eos::model;
using Rig = eos::model::test::ConsumerRig;

namespace {

constexpr LogId log0{0};
constexpr LogId log1{1};
constexpr MemberId me{5};

}  // namespace

TEST_CASE("a read_committed consumer says so in Fetch and ListOffsets") {
    auto config = Rig::config();
    config.isolation = Isolation::read_committed;
    config.group = std::nullopt;
    Rig rig(config);
    rig.assign({log0});

    rig.poll_on();
    REQUIRE(rig.waiting<ListOffsetsRequest>());
    CHECK(rig.waiting<ListOffsetsRequest>()->isolation == Isolation::read_committed);
    rig.answer_end(Offset{0});
    rig.poll();

    REQUIRE(rig.waiting<FetchRequest>());
    CHECK(rig.waiting<FetchRequest>()->isolation == Isolation::read_committed);
}

TEST_CASE("one pending transactional offset holds up all partitions until its transaction ends") {
    Rig rig(Rig::config());
    rig.become_stable(Generation{3}, me, {log0, log1});
    REQUIRE(rig.waiting<OffsetFetchRequest>());
    CHECK(rig.waiting<OffsetFetchRequest>()->require_stable);
    OffsetFetchResponse unstable;
    unstable.group = Rig::group;
    unstable.parts.push_back({log0, ErrorCode::unstable_offset_commit, {}, {}});
    unstable.parts.push_back({log1, ErrorCode::none, Offset{7}, {}});
    for (int i = 0; i < 3; ++i) {
        rig.answer<OffsetFetchRequest>(unstable);
        CHECK_FALSE(rig.consumer.position(log1));
        CHECK_FALSE(rig.waiting<OffsetFetchRequest>());
        rig.advance(milliseconds(600));
        rig.poll();
        REQUIRE(rig.waiting<OffsetFetchRequest>());
    }

    rig.answer_committed(Offset{9});

    CHECK(rig.consumer.position(log0) == Offset{9});
    CHECK(rig.taken<consumer_event::PollReturned>().size() >= 3);
}

TEST_CASE("seek_to_committed gives up when the offsets stay unstable for the API timeout") {
    auto config = Rig::config();
    config.default_api_timeout = seconds(3);
    Rig rig(config);
    rig.become_stable(Generation{3}, me, {log0});
    rig.answer_committed(Offset{4});
    rig.events.clear();

    rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.seek_to_committed(ctx, fx); });
    for (int i = 0; i < 40; ++i) {
        if (rig.waiting<OffsetFetchRequest>())
            rig.answer_committed({}, {}, ErrorCode::unstable_offset_commit);
        rig.advance(milliseconds(100));
    }

    const auto done = rig.taken<consumer_event::RewindDone>();
    REQUIRE(done.size() == 1);
    CHECK(done[0].result == CallResult::timed_out);
    CHECK(rig.consumer.position(log0) == Offset{4});
}

TEST_CASE("group metadata is that of the last completed rebalance also during the next one") {
    Rig rig(Rig::config());
    rig.become_stable(Generation{3}, me, {log0});
    rig.answer_committed(Offset{0});
    rig.advance(seconds(3));
    rig.answer_beat(ErrorCode::rebalance_in_progress);
    rig.poll();

    rig.answer_join(Generation{4}, me, MemberId{9});

    CHECK(rig.consumer.group_metadata() == MemberRef{Generation{3}, me, {}});
}
