#pragma once
// How a world is furnished: links, stations, lives of nodes. Immutable once the world has begun,
// and shared by all its forks.

#include <cstdint>
#include <optional>

#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::sim {

/// One direction of a link between two nodes.
struct LinkConfig {
    Spread latency = Spread::fixed(milliseconds(1));
    std::int64_t bytes_per_second = 0;  ///< 0: size does not matter
    Chance spike = Chance::never();     ///< per frame: `spike_extra` is added to its latency
    Spread spike_extra{};
    Chance disconnect = Chance::never();  ///< per request: the connection breaks behind it
    /// Share of the requests already sent on a connection that ends which are still executed (N5).
    Chance ghosts = Chance::always();
    friend bool operator==(const LinkConfig&, const LinkConfig&) = default;
};

/// A server's handler threads and its disk. Handling one request takes a thread for
///   per_request * requests + per_record * records + bytes / bytes_per_second
///   + appends * (per_append + a drawn write [+ a drawn fsync]).
struct Station {
    std::int32_t threads = 8;
    Duration per_request{};
    Duration per_append{};
    Duration per_record{};
    std::int64_t bytes_per_second = 0;  ///< 0: bytes cost nothing
    Spread write{};                     ///< drawn per append
    Spread fsync{};                     ///< drawn per append if `fsync_every_write`
    bool fsync_every_write = false;
    friend bool operator==(const Station&, const Station&) = default;
};

struct NodeConfig {
    std::optional<Instant> start = time_zero;  ///< none: only act::Start starts it
    std::optional<Station> station{};          ///< none: handling takes no time
    /// How long a supervisor takes to start the node again after it failed; none: it stays down.
    std::optional<Spread> restart{};
    std::int64_t kind = 0;    ///< V::fact_kind of this node's node_* milestones
    Duration clock_offset{};  ///< its wall clock at the start of the run
    /// Instead of the latency of LinkConfig::latency on links that begin or end here; a link
    /// between two such nodes takes that of its sender.
    std::optional<Spread> latency{};
    friend bool operator==(const NodeConfig&, const NodeConfig&) = default;
};

struct WorldConfig {
    std::uint64_t seed = 0;
    LinkConfig link{};  ///< of every pair that has no own
    friend bool operator==(const WorldConfig&, const WorldConfig&) = default;
};

}  // namespace eos::sim
