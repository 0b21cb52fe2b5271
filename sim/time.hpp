#pragma once
// Virtual time: integer nanoseconds since the start of the run. The clock has no now(): time is told
// to a role in its Context, so nothing can read it behind the engine's back.

#include <chrono>
#include <cstdint>

namespace eos::sim {

struct VirtualClock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::duration<rep, period>;
    using time_point = std::chrono::time_point<VirtualClock, duration>;
    static constexpr bool is_steady = true;
};

/// A span of virtual time in integer nanoseconds.
using Duration = VirtualClock::duration;
/// A moment of virtual time in integer nanoseconds since the start of the run.
using Instant = VirtualClock::time_point;

inline constexpr Instant time_zero{};
/// Later than every event: the deadline of what never happens.
inline constexpr Instant time_never{Duration::max()};

[[nodiscard]] constexpr Duration nanoseconds(std::int64_t n) { return Duration{n}; }
[[nodiscard]] constexpr Duration microseconds(std::int64_t n) { return Duration{n * 1'000}; }
[[nodiscard]] constexpr Duration milliseconds(std::int64_t n) { return Duration{n * 1'000'000}; }
[[nodiscard]] constexpr Duration seconds(std::int64_t n) { return Duration{n * 1'000'000'000}; }

}  // namespace eos::sim
