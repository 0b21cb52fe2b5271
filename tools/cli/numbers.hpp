#pragma once
// Numbers of the command line, read strictly: all of the text, no sign, no rounding, no clamping.
// Each throws UsageError naming the flag.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/time.hpp"

namespace eos::cli {

/// Decimal, or hexadecimal after 0x.
[[nodiscard]] std::uint64_t whole_number(std::string_view flag, std::string_view text,
                                         std::uint64_t min, std::uint64_t max);
/// `A..B` (both ends included), `a,b,c`, or a mixture.
[[nodiscard]] std::vector<std::uint64_t> seed_list(std::string_view flag, std::string_view text);
/// As in scenario files: 500ms, 60s, 5m.
[[nodiscard]] sim::Duration duration(std::string_view flag, std::string_view text);
/// `a,b,c`; empty parts are errors.
[[nodiscard]] std::vector<std::string> word_list(std::string_view flag, std::string_view text);

/// "did you mean 'x'?", or nothing.
[[nodiscard]] std::string suggest(std::string_view given, const std::vector<std::string>& known);
/// The same, or else the whole list: "one of: a, b, c".
[[nodiscard]] std::string suggest_or_list(std::string_view given,
                                          const std::vector<std::string>& known);

}  // namespace eos::cli
