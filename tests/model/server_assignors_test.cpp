#include "model/server_assignors.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/model/group_rig.hpp"

using namespace eos::model;

namespace {

const Topology topology = testing::group_topology();
constexpr TopicId t{0};  // logs 0 .. 3
constexpr TopicId u{1};  // logs 4, 5

std::vector<LogId> logs(std::initializer_list<std::int32_t> numbers) {
    std::vector<LogId> result;
    for (const auto n : numbers) result.push_back({n});
    return result;
}
ServerMember member(std::uint64_t id, std::vector<TopicId> topics, std::vector<LogId> target = {}) {
    return {{id}, {}, std::move(topics), std::move(target)};
}

}  // namespace

TEST_CASE("uniform moves no log when it is computed again with nothing changed") {
    std::vector members{member(3, {t, u}), member(1, {t, u}), member(2, {t, u})};
    const auto first = assign(ServerAssignor::uniform, members, topology);
    for (std::size_t i = 0; i < members.size(); ++i) members[i].target = first[i].logs;

    const auto second = assign(ServerAssignor::uniform, members, topology);

    CHECK(second == first);
    for (const auto& entry : first) CHECK(entry.logs.size() == 2);
}

TEST_CASE("uniform gives what a member left behind to those below their share") {
    const std::vector members{member(1, {t}, logs({0, 1})), member(2, {t}, {})};

    const auto result = assign(ServerAssignor::uniform, members, topology);

    CHECK(result[0].logs == logs({0, 1}));
    CHECK(result[1].logs == logs({2, 3}));
}

TEST_CASE("uniform gives a log only to a member that subscribes to its topic") {
    const std::vector members{member(1, {t, u}), member(2, {u})};

    const auto result = assign(ServerAssignor::uniform, members, topology);

    CHECK(result[0].logs == logs({0, 1, 2, 3}));
    CHECK(result[1].logs == logs({4, 5}));
}

TEST_CASE("the server's range keeps what a member had when another one joins") {
    const std::vector members{member(2, {t, u}, logs({0, 1, 2, 3, 4, 5})), member(1, {t, u})};

    const auto result = assign(ServerAssignor::range, members, topology);

    CHECK(result[0].logs == logs({0, 1, 4}));
    CHECK(result[1].logs == logs({2, 3, 5}));
}

TEST_CASE("static members come first in the server's range") {
    auto late = member(9, {t});
    late.instance = GroupInstanceId{1};
    const std::vector members{member(1, {t}), late, member(2, {t})};

    const auto result = assign(ServerAssignor::range, members, topology);

    CHECK(result[1].logs == logs({0, 1}));
    CHECK(result[0].logs == logs({2}));
    CHECK(result[2].logs == logs({3}));
}

TEST_CASE("a group without members or subscriptions gets empty targets") {
    CHECK(assign(ServerAssignor::uniform, {}, topology).empty());
    const std::vector members{member(1, {}), member(2, {})};

    CHECK(assign(ServerAssignor::uniform, members, topology)[1].logs.empty());
    CHECK(assign(ServerAssignor::range, members, topology)[0].logs.empty());
}
