#include "model/sticky_assignor.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "sim/rng.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos;
using namespace eos::model;

namespace {

const Topology topology = testing::group_topology();
constexpr TopicId t{0};
constexpr TopicId u{1};

std::vector<LogId> logs(std::initializer_list<std::int32_t> numbers) {
    std::vector<LogId> result;
    for (const auto n : numbers) result.push_back({n});
    return result;
}
StickyMember member(std::uint64_t id, std::vector<LogId> owned, std::int32_t generation = 1) {
    return {{id}, {t, u}, std::move(owned), Generation{generation}};
}
/// What the members report when they rejoin after `given`.
std::vector<StickyMember> after(std::vector<StickyMember> members, const StickyAssignment& given,
                                std::int32_t generation) {
    for (std::size_t i = 0; i < members.size(); ++i) {
        members[i].owned = given.members[i].logs;
        members[i].generation = Generation{generation};
    }
    return members;
}

}  // namespace

TEST_CASE("a newcomer takes only what evens the members out") {
    const std::vector members{member(1, logs({0, 1, 2, 3, 4, 5})), member(2, {})};

    const auto given = assign_sticky(members, topology);

    CHECK(given.members[0].logs == logs({0, 1, 2}));
    CHECK(given.members[1].logs == logs({3, 4, 5}));
    CHECK(given.transferring.size() == 3);
}

TEST_CASE("the cooperative assignor gives a log that moves to nobody until its owner let it go") {
    const std::vector members{member(1, logs({0, 1, 2, 3, 4, 5})), member(2, {})};

    const auto first = assign_cooperative(members, topology);
    const auto second = assign_cooperative(after(members, first, 2), topology);

    CHECK(first.members[0].logs == logs({0, 1, 2}));
    CHECK(first.members[1].logs.empty());
    CHECK(second.members[1].logs == logs({3, 4, 5}));
    CHECK(second.transferring.empty());
}

TEST_CASE("a claim of a newer generation beats an older one, and equal ones void each other") {
    const std::vector newer{member(1, logs({0, 1, 2}), 4), member(2, logs({0, 1, 2}), 5)};
    const std::vector equal{member(1, logs({0, 1, 2}), 5), member(2, logs({0, 4, 5}), 5)};

    CHECK(assign_sticky(newer, topology).members[1].logs == logs({0, 1, 2}));
    CHECK(assign_cooperative(equal, topology).members[0].logs != logs({0, 1, 2}));
    for (const auto& entry : assign_cooperative(equal, topology).members)
        CHECK(std::find(entry.logs.begin(), entry.logs.end(), LogId{0}) == entry.logs.end());
}

TEST_CASE("every subscribed log is assigned once, evenly where all subscribe alike") {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        CAPTURE(seed);
        auto luck = sim::Rng::stream(seed, "sticky");
        const bool alike = luck.below(2) == 0;
        std::vector<StickyMember> members;
        const auto count = 1 + luck.below(8);
        for (std::uint64_t i = 0; i < count; ++i) {
            auto m = member(i, {}, static_cast<std::int32_t>(luck.below(3)));
            if (!alike && i > 0)
                m.subscription = luck.below(2) == 0 ? std::vector{t} : std::vector{u};
            for (std::int32_t log = 0; log < 6; ++log)
                if (luck.below(3) == 0) m.owned.push_back({log});
            members.push_back(std::move(m));
        }

        const auto given = assign_sticky(members, topology);
        const auto first = assign_cooperative(members, topology);
        const auto second = assign_cooperative(after(members, first, 7), topology);

        std::vector<LogId> all;
        std::size_t least = 6;
        std::size_t most = 0;
        for (const auto& entry : given.members) {
            all.insert(all.end(), entry.logs.begin(), entry.logs.end());
            least = std::min(least, entry.logs.size());
            most = std::max(most, entry.logs.size());
        }
        std::sort(all.begin(), all.end());
        CHECK(all == logs({0, 1, 2, 3, 4, 5}));
        if (alike) CHECK(most <= least + 1);
        // The second cooperative round moves nothing any more.
        if (alike) CHECK(second.transferring.empty());
        CHECK(assign_sticky(members, topology) == given);
    }
}
