#include "model/partitioner.hpp"

#include <algorithm>
#include <array>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

constexpr std::uint32_t multiplier = 0x5bd1e995;
constexpr std::uint32_t kafka_seed = 0x9747b28c;

}  // namespace

std::int32_t murmur2(std::span<const std::uint8_t> bytes) {
    auto hash = kafka_seed ^ static_cast<std::uint32_t>(bytes.size());
    while (bytes.size() >= 4) {
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i) word |= std::uint32_t{bytes[i]} << (8 * i);
        word *= multiplier;
        word ^= word >> 24;
        word *= multiplier;
        hash = (hash * multiplier) ^ word;
        bytes = bytes.subspan(4);
    }
    if (!bytes.empty()) {
        for (std::size_t i = 0; i < bytes.size(); ++i) hash ^= std::uint32_t{bytes[i]} << (8 * i);
        hash *= multiplier;
    }
    hash ^= hash >> 13;
    hash *= multiplier;
    hash ^= hash >> 15;
    return static_cast<std::int32_t>(hash);
}

PartitionIndex partition_of_key(std::uint32_t key, std::int32_t partitions) {
    const std::array<std::uint8_t, 4> bytes{
        static_cast<std::uint8_t>(key >> 24), static_cast<std::uint8_t>(key >> 16),
        static_cast<std::uint8_t>(key >> 8), static_cast<std::uint8_t>(key)};
    return {(murmur2(bytes) & 0x7fffffff) % partitions};
}

PartitionIndex StickyPartitioner::choose(std::span<const Candidate> candidates, sim::Rng& rng) {
    sim::ensure(!candidates.empty(), "a topic has partitions");
    bytes_ = 0;
    const bool any_available = std::any_of(candidates.begin(), candidates.end(),
                                           [](const Candidate& c) { return c.available; });
    std::int64_t longest = 0;
    for (const auto& c : candidates) longest = std::max<std::int64_t>(longest, c.queued);
    const auto weight = [&](const Candidate& c) -> std::int64_t {
        return c.available || !any_available ? longest + 1 - c.queued : 0;
    };
    std::int64_t total = 0;
    for (const auto& c : candidates) total += weight(c);
    auto drawn = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(total)));
    for (const auto& c : candidates) {
        drawn -= weight(c);
        if (drawn < 0) {
            current_ = c.partition;
            break;
        }
    }
    return *current_;
}

bool StickyPartitioner::produced(std::int32_t bytes, std::int32_t batch_size,
                                 bool last_batch_full) {
    bytes_ += bytes;
    return (bytes_ >= batch_size && last_batch_full) || bytes_ >= std::int64_t{2} * batch_size;
}

}  // namespace eos::model
