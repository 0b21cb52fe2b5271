#include "sim/state_hash.hpp"

#include <array>
#include <bitset>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <boost/container/flat_map.hpp>
#include <doctest/doctest.h>

#include "sim/ensure.hpp"
#include "sim/ordinal.hpp"
#include "sim/persistent_vector.hpp"
#include "sim/time.hpp"

namespace {

using namespace eos::sim;

enum class Colour : std::uint8_t { red, green };
struct Inner {
    std::optional<int> maybe;
    std::variant<int, std::string> either;
};
struct Outer {
    Colour colour = Colour::red;
    NodeId node;
    Instant when;
    Duration span{};
    std::vector<Inner> inner;
    std::array<std::int64_t, 2> pair{};
    bool flag = false;
};
class Hidden {
  public:
    explicit Hidden(int value) : value_(value) {}
    [[nodiscard]] auto fields() const { return std::tie(value_); }

  private:
    int value_;
};

TEST_CASE("every field of an aggregate takes part in its hash") {
    const Outer base;
    std::vector<Outer> variants(8, base);
    variants[0].colour = Colour::green;
    variants[1].node = {1};
    variants[2].when = time_zero + nanoseconds(1);
    variants[3].span = nanoseconds(1);
    variants[4].inner.push_back({});
    variants[5].inner.push_back({3, 0});
    variants[6].pair[1] = 1;
    variants[7].flag = true;

    std::set<std::uint64_t> hashes{state_hash(base)};
    for (const Outer& variant : variants) hashes.insert(state_hash(variant));

    CHECK(hashes.size() == 9);
}

TEST_CASE("equal content hashes equal whatever its container went through") {
    std::vector<int> grown;
    for (int i = 0; i < 100; ++i) grown.push_back(i);
    grown.resize(3);

    CHECK(state_hash(grown) == state_hash(std::vector<int>{0, 1, 2}));
    CHECK(state_hash(std::deque<int>{0, 1, 2}) == state_hash(grown));
    CHECK(state_hash(std::span<const int>(grown)) == state_hash(grown));
    CHECK(state_hash(std::make_shared<const int>(4)) == state_hash(std::make_shared<const int>(4)));
    CHECK(state_hash(std::make_shared<const int>(4)) != state_hash(std::make_shared<const int>(5)));
    CHECK(state_hash(Hidden(1)) == state_hash(Hidden(1)));
    CHECK(state_hash(Hidden(1)) != state_hash(Hidden(2)));
}

TEST_CASE("where one list ends and the next begins takes part in the hash") {
    using Lists = std::pair<std::vector<int>, std::vector<int>>;

    CHECK(state_hash(Lists{{1}, {2}}) != state_hash(Lists{{1, 2}, {}}));
    CHECK(state_hash(Lists{{}, {0}}) != state_hash(Lists{{0}, {}}));
}

TEST_CASE("maps, sets, bit sets, strings, tuples and facts are hashed by content") {
    CHECK(state_hash(std::map<int, int>{{1, 2}}) != state_hash(std::map<int, int>{{1, 3}}));
    CHECK(state_hash(boost::container::flat_map<int, int>{{1, 2}}) ==
          state_hash(std::map<int, int>{{1, 2}}));
    CHECK(state_hash(std::set<int>{1}) != state_hash(std::set<int>{2}));
    CHECK(state_hash(std::bitset<9>(5)) != state_hash(std::bitset<9>(6)));
    CHECK(state_hash(std::string("ab")) != state_hash(std::string("ba")));
    CHECK(state_hash(std::tuple(1, 2)) != state_hash(std::tuple(2, 1)));
    CHECK(state_hash(std::vector<bool>{true}) != state_hash(std::vector<bool>{false}));
    CHECK(state_hash(Facts{}.add({1}, 2)) != state_hash(Facts{}.add({1}, 3)));
    CHECK(state_hash(Facts{}.add({1}, 2)) == state_hash(Facts{}.add({1}, 2)));
}

TEST_CASE("no zero word swallows what was hashed before it") {
    std::set<std::uint64_t> hashes;
    for (std::size_t zeros = 0; zeros < 50; ++zeros)
        for (int last = 0; last < 2; ++last) {
            std::vector<int> values(zeros, 0);
            values.push_back(last);
            hashes.insert(state_hash(values));
        }

    // n zeros and a zero are n + 1 zeros: only their number and the last value count.
    CHECK(hashes.size() == 100);
}

TEST_CASE("the hash of a value is the same on every machine") {
    CHECK(state_hash(std::vector<int>{1, 2, 3}) == 0xd79ebb45ba56b879ULL);
}

}  // namespace
