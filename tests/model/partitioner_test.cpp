#include "model/partitioner.hpp"

#include <set>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::model;

namespace {

std::int32_t hash_of(std::string_view text) {
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    return murmur2(bytes);
}

}  // namespace

TEST_CASE("murmur2 gives the hashes that Kafka's clients give") {
    CHECK(hash_of("21") == -973932308);
    CHECK(hash_of("foobar") == -790332482);
    CHECK(hash_of("a-little-bit-long-string") == -985981536);
    CHECK(hash_of("a-little-bit-longer-string") == -1486304829);
    CHECK(hash_of("abc") == 479470107);
}

TEST_CASE("a key always goes to the same partition, and keys spread over all") {
    std::set<std::int32_t> seen;
    for (std::uint32_t k = 0; k < 100; ++k) {
        const auto partition = partition_of_key(k, 6);
        CHECK(partition == partition_of_key(k, 6));
        CHECK(partition.value >= 0);
        seen.insert(partition.value);
    }

    CHECK(seen == std::set<std::int32_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a longer queue makes a partition less likely, no leader impossible") {
    sim::Rng rng = sim::Rng::stream(3, "test");
    StickyPartitioner sticky;
    const std::vector<StickyPartitioner::Candidate> candidates{
        {.partition = {0}, .queued = 9, .available = true},
        {.partition = {1}, .queued = 0, .available = true},
        {.partition = {2}, .queued = 0, .available = false}};
    std::vector<int> chosen(3);
    for (int i = 0; i < 1000; ++i)
        ++chosen[static_cast<std::size_t>(sticky.choose(candidates, rng).value)];

    CHECK(chosen[0] > 40);
    CHECK(chosen[0] < 160);
    CHECK(chosen[2] == 0);
}

TEST_CASE("the choice moves after batch.size bytes with a full batch, at twice that in any case") {
    sim::Rng rng = sim::Rng::stream(3, "test");
    StickyPartitioner sticky;
    const std::vector<StickyPartitioner::Candidate> candidates{{.partition = {0}}};
    (void)sticky.choose(candidates, rng);

    CHECK_FALSE(sticky.produced(90, 100, true));
    CHECK_FALSE(sticky.produced(20, 100, false));
    CHECK(sticky.produced(0, 100, true));
    CHECK(sticky.produced(90, 100, false));
}
