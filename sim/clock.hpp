#pragma once
// A node's own wall clock: it may be off, jump and drift. Timers of a drifting node run at its
// pace.

#include <cstdint>
#include <tuple>

#include "sim/ensure.hpp"
#include "sim/time.hpp"

namespace eos::sim {

class Clock {
  public:
    Clock() = default;
    explicit Clock(Duration offset) : offset_(offset) {}

    [[nodiscard]] Instant wall(Instant now) const {
        return now + offset_ + gained(now - since_, parts_per_million_);
    }
    /// The virtual time a timer of this node takes that was armed for `after`.
    [[nodiscard]] Duration timer(Duration after) const {
        if (parts_per_million_ == 0) return after;
        const auto scaled =
            static_cast<__int128>(after.count()) * million / (million + parts_per_million_);
        return Duration{static_cast<std::int64_t>(scaled)};
    }
    void shift(Duration by) { offset_ += by; }
    void drift(Instant now, std::int64_t parts_per_million) {
        ensure(parts_per_million > -million, "a drifting clock goes forwards");
        offset_ += gained(now - since_, parts_per_million_);
        since_ = now;
        parts_per_million_ = parts_per_million;
    }
    [[nodiscard]] auto fields() const { return std::tie(offset_, since_, parts_per_million_); }
    friend bool operator==(const Clock&, const Clock&) = default;

  private:
    static constexpr std::int64_t million = 1'000'000;
    [[nodiscard]] static Duration gained(Duration time, std::int64_t parts_per_million) {
        if (parts_per_million == 0) return {};
        return Duration{static_cast<std::int64_t>(static_cast<__int128>(time.count()) *
                                                  parts_per_million / million)};
    }

    Duration offset_{};
    Instant since_;  ///< when the present drift began
    std::int64_t parts_per_million_ = 0;
};

}  // namespace eos::sim
