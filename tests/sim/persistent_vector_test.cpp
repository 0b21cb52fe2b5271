#include "sim/persistent_vector.hpp"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "sim/rng.hpp"

namespace {

using namespace eos::sim;
using Vector = PersistentVector<int, 4>;

Vector counting(int from, int to) {
    Vector result;
    for (int i = from; i < to; ++i) result.push_back(i);
    return result;
}
std::vector<int> plain(const Vector& vector) { return {vector.begin(), vector.end()}; }

TEST_CASE("a copy does not see what its original does later, nor the other way round") {
    Vector original = counting(0, 10);
    Vector copy = original;

    original.push_back(10);
    original.set(1, -1);
    copy.truncate_to(9);
    copy.push_back(99);

    CHECK(plain(original) == std::vector<int>{0, -1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    CHECK(plain(copy) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 99});
}

TEST_CASE("copies share memory until they differ") {
    const Vector original = counting(0, 100);
    Vector copy = original;
    copy.push_back(100);

    CHECK(&copy[0] == &original[0]);
    CHECK(copy[99] == original[99]);
}

TEST_CASE("equality and hash see the elements, not the chunks they lie in") {
    Vector late = counting(0, 11);
    late.erase_prefix(3);

    CHECK(late == counting(3, 11));
    CHECK(state_hash(late) == state_hash(counting(3, 11)));
    CHECK_FALSE(late == counting(3, 10));
    CHECK(state_hash(late) != state_hash(counting(4, 12)));
}

TEST_CASE("any sequence of changes agrees with a plain vector, forks included") {
    Rng rng(11);
    for (int round = 0; round < 50; ++round) {
        Vector vector;
        std::vector<int> model;
        std::vector<std::pair<Vector, std::vector<int>>> forks;
        for (int i = 0; i < 300; ++i) {
            switch (rng.below(8)) {
                case 0: {
                    const auto keep = static_cast<std::size_t>(rng.below(model.size() + 1));
                    vector.truncate_to(keep);
                    model.resize(keep);
                    break;
                }
                case 1: {
                    const auto gone = static_cast<std::size_t>(rng.below(model.size() / 2 + 1));
                    vector.erase_prefix(gone);
                    model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(gone));
                    break;
                }
                case 2:
                    if (!model.empty()) {
                        const auto place = static_cast<std::size_t>(rng.below(model.size()));
                        vector.set(place, -i);
                        model[place] = -i;
                    }
                    break;
                case 3:
                    forks.emplace_back(vector, model);
                    break;
                default:
                    vector.push_back(i);
                    model.push_back(i);
            }
            REQUIRE(plain(vector) == model);
        }
        for (const auto& [fork, expected] : forks) REQUIRE(plain(fork) == expected);
    }
}

TEST_CASE("how a vector begins is seen by its elements, whatever chunks are shared") {
    Rng rng(12);
    for (int round = 0; round < 200; ++round) {
        auto vector = counting(0, 1 + static_cast<int>(rng.below(40)));
        auto prefix = vector;
        if (rng.below(2) == 0)
            prefix.truncate_to(static_cast<std::size_t>(rng.below(vector.size())));
        for (auto i = rng.below(20); i > 0; --i) vector.push_back(100);
        CHECK(vector.begins_with(prefix));
        CHECK(vector.begins_with(vector));
        CHECK((prefix.size() == vector.size() || !prefix.begins_with(vector)));
        if (prefix.empty()) continue;
        const auto place = static_cast<std::size_t>(rng.below(prefix.size()));
        vector.set(place, -1);
        CHECK_FALSE(vector.begins_with(prefix));
        vector.erase_prefix(place + 1);
        prefix.erase_prefix(place + 1);
        CHECK(vector.begins_with(prefix));
    }
}

TEST_CASE("iterators search as those of a vector do") {
    const Vector vector = counting(0, 50);

    const auto found = std::ranges::lower_bound(vector, 33);

    CHECK(found - vector.begin() == 33);
    CHECK(*found == 33);
}

}  // namespace
