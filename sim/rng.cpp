#include "sim/rng.hpp"

#include <array>

#include "sim/digest.hpp"
#include "sim/ensure.hpp"

namespace eos::sim {
namespace {

/// ln 2 and ln 1024 in 32 fractional bits.
constexpr std::uint64_t ln_2 = 2'977'044'472;
constexpr std::uint64_t steps = 1024;

/// -ln(share / 1024) in 32 fractional bits, by repeated squaring; share in [1, 1024].
constexpr std::uint64_t minus_ln(std::uint64_t share) {
    std::uint64_t whole = 10;  // log2(1024)
    std::uint64_t log2 = 0;    // of share, 32 fractional bits
    std::uint64_t top = 0;
    while ((share >> (top + 1)) != 0) ++top;
    std::uint64_t mantissa = (share << 31) >> top;  // [1, 2) in 31 fractional bits
    for (int bit = 31; bit >= 0; --bit) {
        mantissa = (mantissa * mantissa) >> 31;
        if (mantissa >= (1ULL << 32)) {
            mantissa >>= 1;
            log2 |= 1ULL << bit;
        }
    }
    const std::uint64_t below_1024 = ((whole - top) << 32) - log2;
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(below_1024) * ln_2) >> 32);
}

/// Quantiles of the exponential distribution with mean 1 at i/1024, 32 fractional bits.
constexpr auto quantiles = [] {
    std::array<std::uint64_t, steps> table{};
    for (std::uint64_t i = 0; i < steps; ++i) table[i] = minus_ln(steps - i);
    return table;
}();

}  // namespace

Rng Rng::stream(std::uint64_t seed, std::string_view purpose, std::uint64_t a, std::uint64_t b) {
    Digest name;
    name.fold(seed, purpose.size());
    for (const char letter : purpose) name.fold(static_cast<unsigned char>(letter), 0);
    name.fold(a, b);
    return Rng(name.value());
}

Duration Rng::exponential(Duration mean) {
    ensure(mean.count() >= 0, "the mean of an exponential duration is not negative");
    unsigned __int128 value = 0;  // 32 fractional bits
    for (;;) {
        const std::uint64_t draw = next();
        const std::uint64_t step = draw >> 54;  // ten bits
        if (step + 1 < steps) {
            // Between two quantiles, linearly.
            const std::uint64_t low = quantiles[step];
            const std::uint64_t width = quantiles[step + 1] - low;
            const std::uint64_t part = (draw >> 22) & 0xffff'ffffULL;
            value += low + ((width * part) >> 32);
            break;
        }
        value += quantiles[step];  // past the last quantile: memoryless, so draw on from there
    }
    return Duration{
        static_cast<std::int64_t>((value * static_cast<std::uint64_t>(mean.count())) >> 32)};
}

Duration Rng::duration(const Spread& spread) {
    ensure(spread.low.count() >= 0, "a drawn duration is not negative");
    ensure(spread.low <= spread.high, "a spread goes from low to high");
    if (spread.low == spread.high) return spread.low;
    if (!spread.tail) return Duration{between(spread.low.count(), spread.high.count())};
    // A tail: evenly between half the median and the median, or beyond it exponentially with the
    // 99th percentile where it was asked for: (p99 - median) / ln 50.
    const std::uint64_t half = next() >> 63;
    if (half == 0) return Duration{between(spread.low.count() / 2, spread.low.count())};
    const std::int64_t above = (spread.high - spread.low).count();
    const auto mean =
        static_cast<std::int64_t>(static_cast<__int128>(above) * 1'000'000 / 3'912'023);
    const Duration excess = exponential(Duration{mean});
    return spread.low + excess;
}

}  // namespace eos::sim
