#include "tools/cli/numbers.hpp"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "scenarios/language/tables.hpp"
#include "scenarios/language/values.hpp"
#include "tools/cli/usage.hpp"

namespace eos::cli {

std::uint64_t whole_number(std::string_view flag, std::string_view text, std::uint64_t min,
                           std::uint64_t max) {
    auto digits = text;
    int base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
        digits.remove_prefix(2);
        base = 16;
    }
    std::uint64_t value = 0;
    const auto* end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value, base);
    const auto range = max == UINT64_MAX ? fmt::format("a whole number from {} to 2^64 - 1", min)
                                         : fmt::format("a whole number from {} to {}", min, max);
    if (error == std::errc::result_out_of_range)
        throw UsageError(fmt::format("{}: {} is too large", flag, text), "expected " + range);
    if (error != std::errc() || rest != end)
        throw UsageError(fmt::format("{}: '{}' is not a whole number", flag, text),
                         "expected " + range + ", decimal or 0x...");
    if (value < min || value > max)
        throw UsageError(fmt::format("{}: {} is out of range", flag, text), "expected " + range);
    return value;
}

std::vector<std::string> word_list(std::string_view flag, std::string_view text) {
    std::vector<std::string> words;
    for (;;) {
        const auto comma = std::min(text.find(','), text.size());
        if (comma == 0)
            throw UsageError(fmt::format("{}: an entry of the list is empty", flag),
                             "expected entries with commas between them: a,b,c");
        words.emplace_back(text.substr(0, comma));
        if (comma == text.size()) return words;
        text.remove_prefix(comma + 1);
    }
}

std::vector<std::uint64_t> seed_list(std::string_view flag, std::string_view text) {
    constexpr std::size_t most = 10'000'000;
    std::vector<std::uint64_t> seeds;
    for (const auto& part : word_list(flag, text)) {
        const auto dots = part.find("..");
        const std::string_view first = std::string_view(part).substr(0, dots);
        const auto low = whole_number(flag, first, 0, UINT64_MAX);
        const auto high =
            dots == std::string::npos
                ? low
                : whole_number(flag, std::string_view(part).substr(dots + 2), 0, UINT64_MAX);
        if (high < low)
            throw UsageError(fmt::format("{}: {} ends before it begins", flag, part),
                             fmt::format("expected {}..{}", high, low));
        if (high - low >= most || seeds.size() + (high - low) + 1 > most)
            throw UsageError(fmt::format("{}: {} names more than {} seeds", flag, text, most),
                             "sweep in several parts");
        for (auto seed = low;; ++seed) {
            seeds.push_back(seed);
            if (seed == high) break;
        }
    }
    return seeds;
}

sim::Duration duration(std::string_view flag, std::string_view text) {
    const auto parsed = scenarios::parse_duration(text);
    if (!parsed || parsed.value->count() <= 0)
        throw UsageError(fmt::format("{}: '{}' is not a time", flag, text),
                         "expected a number and a unit, for example 60s, 5m or 500ms");
    return *parsed.value;
}

std::string suggest(std::string_view given, const std::vector<std::string>& known) {
    const std::vector<std::string_view> names(known.begin(), known.end());
    const auto best = scenarios::did_you_mean(given, names);
    return best ? fmt::format("did you mean '{}'?", *best) : "";
}

std::string suggest_or_list(std::string_view given, const std::vector<std::string>& known) {
    auto hint = suggest(given, known);
    if (!hint.empty() || known.empty()) return hint;
    return fmt::format("one of: {}", fmt::join(known, ", "));
}

}  // namespace eos::cli
