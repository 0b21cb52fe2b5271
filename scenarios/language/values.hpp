#pragma once
// The scalars of the language (language.md, section 1): strict readers that say what is wrong. They
// know text only; positions are the caller's. Integers inside, never floating point.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "scenarios/scenario.hpp"
#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::scenarios {

/// A value, or the reason why there is none.
template <class T>
struct Parsed {
    std::optional<T> value;
    std::string problem;  ///< "'5' has no unit"
    std::string hint;     ///< "write 5s or 5ms"
    [[nodiscard]] explicit operator bool() const { return value.has_value(); }
};

struct IntegerRange {
    std::int64_t low = 0;
    std::int64_t high = 0;
    friend bool operator==(const IntegerRange&, const IntegerRange&) = default;
};

/// A multiple of a setting, in thousandths: `0.5x..2x session.timeout.ms` is 500..2000.
struct Multiple {
    std::int64_t low = 1000;
    std::int64_t high = 1000;
    std::string setting;
    friend bool operator==(const Multiple&, const Multiple&) = default;
};

/// Digits only: no sign, no leading zero, no underscore, no exponent.
[[nodiscard]] Parsed<std::uint64_t> parse_unsigned(std::string_view text);
/// With an optional '-'.
[[nodiscard]] Parsed<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] Parsed<IntegerRange> parse_integer_range(std::string_view text);
[[nodiscard]] Parsed<sim::Duration> parse_duration(std::string_view text);
/// `-5s`, `+5s`, `5s`.
[[nodiscard]] Parsed<sim::Duration> parse_signed_duration(std::string_view text);
/// A duration or a range of durations.
[[nodiscard]] Parsed<sim::Spread> parse_spread(std::string_view text);
[[nodiscard]] Parsed<sim::Spread> parse_signed_spread(std::string_view text);
[[nodiscard]] Parsed<Multiple> parse_multiple(std::string_view text);
[[nodiscard]] bool looks_like_multiple(std::string_view text);
/// `0.5%`, at most 100%.
[[nodiscard]] Parsed<sim::Chance> parse_chance(std::string_view text);
/// `+1%`, `-200ppm` as parts per million, or a range of them.
[[nodiscard]] Parsed<IntegerRange> parse_drift(std::string_view text);
/// `100/s` as records per 1000 seconds.
[[nodiscard]] Parsed<std::int64_t> parse_rate(std::string_view text);
/// `100B`, `1KB`, `80MB` (powers of 1000).
[[nodiscard]] Parsed<std::int64_t> parse_size(std::string_view text);
/// `80MB/s` as bytes per second.
[[nodiscard]] Parsed<std::int64_t> parse_bandwidth(std::string_view text);
/// `none some any N`; maps are read by the caller.
[[nodiscard]] Parsed<Bounds> parse_count(std::string_view text);
/// A decimal number in thousandths: `0.9` is 900.
[[nodiscard]] Parsed<std::int64_t> parse_milli(std::string_view text);

/// As one would write it: "1.5s", "250us".
[[nodiscard]] std::string duration_text(sim::Duration duration);

}  // namespace eos::scenarios
