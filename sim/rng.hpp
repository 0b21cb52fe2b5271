#pragma once
// Chance as a value. Every purpose and actor owns a stream of its own, named by the seed, a word and
// two numbers, so that changing one actor, fault or mode moves nobody else's luck (architecture.md,
// "Determinism"). Integers only: no floating point, no std:: distributions, one draw per statement.

#include <cstdint>
#include <string_view>
#include <tuple>

#include "sim/time.hpp"

namespace eos::sim {

/// A probability as an exact ratio.
struct Chance {
    std::uint64_t numerator = 0;
    std::uint64_t denominator = 1;
    friend constexpr bool operator==(const Chance&, const Chance&) = default;
    [[nodiscard]] static constexpr Chance never() { return {0, 1}; }
    [[nodiscard]] static constexpr Chance always() { return {1, 1}; }
};

/// How a duration is chosen: fixed (draws nothing), uniform, or a long tail given by two quantiles.
struct Spread {
    Duration low{};   ///< uniform: least value; tail: the median
    Duration high{};  ///< uniform: greatest value; tail: the 99th percentile
    bool tail = false;
    friend constexpr bool operator==(const Spread&, const Spread&) = default;
    [[nodiscard]] static constexpr Spread fixed(Duration d) { return {d, d, false}; }
    [[nodiscard]] static constexpr Spread uniform(Duration low, Duration high) {
        return {low, high, false};
    }
};

/// A splitmix64 stream: eight bytes of state, copyable, equal streams draw equal values.
class Rng {
  public:
    Rng() = default;
    explicit constexpr Rng(std::uint64_t state) : state_(state) {}

    /// The stream of one purpose ("link", "jitter") and actor; independent of every other.
    [[nodiscard]] static Rng stream(std::uint64_t seed, std::string_view purpose,
                                    std::uint64_t a = 0, std::uint64_t b = 0);

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    /// Uniform in [0, bound); bound 0 gives 0. Multiply-shift: bias below 2^-32 for bounds < 2^32.
    std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }
    /// Uniform in [low, high], both ends included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(
                         below(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1));
    }
    /// True with the given probability. Never and always draw nothing.
    bool chance(Chance p) {
        if (p.numerator == 0) return false;
        if (p.numerator >= p.denominator) return true;
        return below(p.denominator) < p.numerator;
    }
    /// A duration of the given spread. A fixed one draws nothing.
    Duration duration(const Spread& spread);
    /// Exponential with the given mean, from a table of quantiles.
    Duration exponential(Duration mean);

    friend constexpr bool operator==(const Rng&, const Rng&) = default;
    [[nodiscard]] constexpr std::uint64_t state() const { return state_; }
    [[nodiscard]] constexpr auto fields() const { return std::tie(state_); }

  private:
    std::uint64_t state_ = 0;
};

}  // namespace eos::sim
