#pragma once
// The workshop of one node: who waits for a handler thread, and what its disk does to it.

#include <cstdint>
#include <tuple>

#include "sim/config.hpp"
#include "sim/parcel.hpp"
#include "sim/rng.hpp"
#include "sim/time.hpp"
#include "sim/vocabulary.hpp"

namespace eos::sim {

struct Workshop {
    std::int32_t busy = 0;  ///< threads
    Chain line;             ///< parcels that wait for one
    Rng disk;
    Duration slower{};  ///< added to every write and every fsync
    bool fsync_lies = false;
    /// Thread time given to requests so far, begun services whole. Of the past: it decides nothing,
    /// so it is no part of the state.
    Duration spent{};

    /// What storing costs; draws once per write and once per fsync.
    [[nodiscard]] Duration storing(const Station& station, const Cost& cost) {
        Duration time{};
        for (std::int32_t i = 0; i < cost.appends; ++i) {
            time += station.per_append + slower;
            time += disk.duration(station.write);
            if (!station.fsync_every_write || fsync_lies) continue;
            time += slower;
            time += disk.duration(station.fsync);
        }
        time += station.per_record * cost.records;
        if (station.bytes_per_second > 0) {
            const auto scaled =
                static_cast<__int128>(cost.bytes) * 1'000'000'000 / station.bytes_per_second;
            time += Duration{static_cast<std::int64_t>(scaled)};
        }
        return time;
    }
    /// How long a thread needs for a request.
    [[nodiscard]] Duration serving(const Station& station, const Cost& cost) {
        const Duration time = station.per_request * cost.requests + storing(station, cost);
        spent += time;
        return time;
    }
    /// The process is gone; the disk is not.
    void abandon() {
        busy = 0;
        line = {};
    }
    [[nodiscard]] auto fields() const { return std::tie(busy, line, disk, slower, fsync_lies); }
    friend bool operator==(const Workshop& a, const Workshop& b) {
        return a.fields() == b.fields();
    }
};

}  // namespace eos::sim
