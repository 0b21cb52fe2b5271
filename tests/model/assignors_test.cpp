#include "model/assignors.hpp"

#include <doctest/doctest.h>

#include "tests/model/group_rig.hpp"

using namespace eos::model;

namespace {

JoinGroupResponse::Member member(std::uint64_t id, std::vector<TopicId> topics,
                                 std::optional<GroupInstanceId> instance = {}) {
    return {{id}, instance, std::move(topics), {}};
}

std::vector<LogId> logs(std::initializer_list<std::int32_t> numbers) {
    std::vector<LogId> result;
    for (const auto n : numbers) result.push_back({n});
    return result;
}

const Topology topology = testing::group_topology();
constexpr TopicId t{0};
constexpr TopicId u{1};

}  // namespace

TEST_CASE("range gives the first members of a topic one partition more") {
    const std::vector members{member(30, {t}), member(10, {t}), member(20, {t})};

    const auto result = assign(AssignorKind::range, members, topology);

    CHECK(result[1].logs == logs({0, 1}));
    CHECK(result[2].logs == logs({2}));
    CHECK(result[0].logs == logs({3}));
}

TEST_CASE("range shares every topic out anew, so the first member is ahead in each") {
    const std::vector members{member(1, {t, u}), member(2, {t, u}), member(3, {t, u})};

    const auto result = assign(AssignorKind::range, members, topology);

    CHECK(result[0].logs == logs({0, 1, 4}));
    CHECK(result[1].logs == logs({2, 5}));
    CHECK(result[2].logs == logs({3}));
}

TEST_CASE("a static member comes before a dynamic one whatever their member ids") {
    const std::vector members{member(1, {u}), member(99, {u}, GroupInstanceId{5})};

    const auto result = assign(AssignorKind::range, members, topology);

    CHECK(result[1].logs == logs({4}));
    CHECK(result[0].logs == logs({5}));
}

TEST_CASE("round robin deals on where the topic before ended") {
    const std::vector members{member(1, {t, u}), member(2, {t, u}), member(3, {t, u})};

    const auto result = assign(AssignorKind::round_robin, members, topology);

    CHECK(result[0].logs == logs({0, 3}));
    CHECK(result[1].logs == logs({1, 4}));
    CHECK(result[2].logs == logs({2, 5}));
}

TEST_CASE("round robin skips a member that does not subscribe to the topic") {
    const std::vector members{member(1, {t}), member(2, {u}), member(3, {t, u})};

    const auto result = assign(AssignorKind::round_robin, members, topology);

    CHECK(result[0].logs == logs({0, 2}));
    CHECK(result[1].logs == logs({4}));
    CHECK(result[2].logs == logs({1, 3, 5}));
}

TEST_CASE("both assignors give every partition of every subscribed topic to exactly one member") {
    for (const auto kind : {AssignorKind::range, AssignorKind::round_robin}) {
        for (std::uint64_t count = 1; count <= 7; ++count) {
            std::vector<JoinGroupResponse::Member> members;
            for (std::uint64_t i = 0; i < count; ++i)
                members.push_back(member(i, i % 2 == 0 ? std::vector{t, u} : std::vector{u}));

            std::vector<LogId> given;
            for (const auto& entry : assign(kind, members, topology))
                given.insert(given.end(), entry.logs.begin(), entry.logs.end());
            std::sort(given.begin(), given.end());

            CHECK(given == logs({0, 1, 2, 3, 4, 5}));
        }
    }
}

TEST_CASE("a group without members or subscriptions is assigned nothing") {
    CHECK(assign(AssignorKind::round_robin, {}, topology).empty());

    const std::vector members{member(1, {})};

    CHECK(assign(AssignorKind::range, members, topology)[0].logs.empty());
}
