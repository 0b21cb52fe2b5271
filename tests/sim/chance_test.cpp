#include <algorithm>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "sim/ensure.hpp"
#include "sim/rng.hpp"

namespace {

using namespace eos::sim;

TEST_CASE("streams of different names, actors or seeds begin differently") {
    std::set<std::uint64_t> firsts;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        for (const char* purpose : {"link-latency", "link-ghost", "disk"})
            for (std::uint64_t a = 0; a < 10; ++a)
                for (std::uint64_t b = 0; b < 10; ++b)
                    firsts.insert(Rng::stream(seed, purpose, a, b).next());

    CHECK(firsts.size() == 20U * 3 * 10 * 10);
}

TEST_CASE("a stream is the same on every machine") {
    Rng rng = Rng::stream(1, "golden", 2, 3);

    CHECK(rng.next() == 0x4fdf6162e2a9696cULL);
    CHECK(rng.exponential(milliseconds(10)).count() == 11431602);
}

TEST_CASE("an exponential duration has the mean it was asked for") {
    Rng rng(5);
    std::int64_t sum = 0;
    constexpr int draws = 200'000;
    for (int i = 0; i < draws; ++i) sum += rng.exponential(microseconds(1'000)).count();

    const std::int64_t mean = sum / draws;

    CHECK(mean > 990'000);
    CHECK(mean < 1'010'000);
}

TEST_CASE("a long tail has the median and the 99th percentile it was given") {
    Rng rng(6);
    const Spread tail{milliseconds(2), milliseconds(20), true};
    std::vector<Duration> drawn;
    for (int i = 0; i < 100'000; ++i) drawn.push_back(rng.duration(tail));

    std::ranges::sort(drawn);

    CHECK(drawn[50'000] > microseconds(1'950));
    CHECK(drawn[50'000] < microseconds(2'100));
    CHECK(drawn[99'000] > microseconds(18'500));
    CHECK(drawn[99'000] < microseconds(21'500));
    CHECK(drawn.front() >= milliseconds(1));
}

TEST_CASE("a uniform duration reaches both its ends and a fixed one draws nothing") {
    Rng rng(7);
    std::set<std::int64_t> drawn;
    for (int i = 0; i < 1'000; ++i)
        drawn.insert(rng.duration(Spread::uniform(nanoseconds(3), nanoseconds(6))).count());
    const Rng before = rng;

    CHECK(rng.duration(Spread::fixed(milliseconds(4))) == milliseconds(4));

    CHECK(drawn == std::set<std::int64_t>{3, 4, 5, 6});
    CHECK(rng == before);
}

TEST_CASE("a spread that goes backwards is a broken contract") {
    Rng rng(8);

    CHECK_THROWS_AS(static_cast<void>(rng.duration({seconds(2), seconds(1), false})),
                    BrokenContract);
}

}  // namespace
