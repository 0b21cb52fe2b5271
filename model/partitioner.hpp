#pragma once
// Which partition a record goes to (P4, KIP-480, KIP-794): an explicit one wins (the caller's
// business), a key decides by its hash, and without a key the choice sticks to one partition for
// batch.size bytes, then moves to a random one.

#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "model/ids.hpp"
#include "sim/rng.hpp"

namespace eos::model {

/// MurmurHash2, 32 bit, with the seed Kafka uses.
[[nodiscard]] std::int32_t murmur2(std::span<const std::uint8_t> bytes);

/// The partition of a record with a key: the hash of its four bytes, big endian, made positive,
/// modulo the partitions.
[[nodiscard]] PartitionIndex partition_of_key(std::uint32_t key, std::int32_t partitions);

/// The sticky choice of one topic.
class StickyPartitioner {
  public:
    /// A partition that may be chosen next; a longer queue makes it less likely (KIP-794).
    struct Candidate {
        PartitionIndex partition;
        std::int32_t queued = 0;
        bool available = true;  ///< has a leader; if none has, all count
    };

    [[nodiscard]] std::optional<PartitionIndex> current() const { return current_; }
    /// Chooses anew. Draws once.
    PartitionIndex choose(std::span<const Candidate> candidates, sim::Rng& rng);
    /// Tells of bytes appended to the current partition. True if a new choice is due: batch.size
    /// bytes were produced and the last batch is full, or twice that (fewer half-filled batches).
    [[nodiscard]] bool produced(std::int32_t bytes, std::int32_t batch_size, bool last_batch_full);

    friend bool operator==(const StickyPartitioner&, const StickyPartitioner&) = default;
    [[nodiscard]] auto fields() const { return std::tie(current_, bytes_); }

  private:
    std::optional<PartitionIndex> current_;
    std::int64_t bytes_ = 0;
};

}  // namespace eos::model
