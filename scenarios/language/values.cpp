#include "scenarios/language/values.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

namespace eos::scenarios {
namespace {

constexpr std::int64_t int_max = std::numeric_limits<std::int64_t>::max();

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr std::array duration_units{
    Unit{"us", 1'000},         Unit{"ms", 1'000'000},        Unit{"s", 1'000'000'000},
    Unit{"m", 60'000'000'000}, Unit{"h", 3'600'000'000'000}, Unit{"d", 86'400'000'000'000},
};
constexpr std::array size_units{Unit{"B", 1}, Unit{"KB", 1'000}, Unit{"MB", 1'000'000}};
constexpr std::array rate_units{Unit{"ms", 1'000'000}, Unit{"s", 1'000},
                                Unit{"m", 1'000}};  // per minute: divided by 60 afterwards

/// No run lasts longer, so no duration in a file can mean more.
constexpr std::int64_t longest = 365 * duration_units[5].factor;

bool digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Splits "1.5ms" into whole, fraction and unit; false if it does not start with a number.
struct Number {
    std::string_view whole, fraction, rest;
};
std::optional<Number> split_number(std::string_view text) {
    const auto end = text.find_first_not_of("0123456789");
    Number result{text.substr(0, end), {}, end == text.npos ? "" : text.substr(end)};
    if (result.whole.empty() || (result.whole.size() > 1 && result.whole[0] == '0'))
        return std::nullopt;
    if (result.rest.starts_with('.')) {
        const auto tail = result.rest.substr(1);
        const auto stop = tail.find_first_not_of("0123456789");
        result.fraction = tail.substr(0, stop);
        result.rest = stop == tail.npos ? "" : tail.substr(stop);
        if (result.fraction.empty()) return std::nullopt;
    }
    return result;
}

/// whole.fraction * factor as an integer; empty if it overflows or is not whole.
std::optional<std::int64_t> scaled(const Number& number, std::int64_t factor) {
    if (number.whole.size() > 18 || number.fraction.size() > 12) return std::nullopt;
    __extension__ using Wide = __int128;
    Wide value = 0;
    for (const char c : number.whole) value = value * 10 + (c - '0');
    Wide scale = 1;
    for (const char c : number.fraction) {
        value = value * 10 + (c - '0');
        scale *= 10;
    }
    value *= factor;
    if (value % scale != 0 || value / scale > int_max) return std::nullopt;
    return static_cast<std::int64_t>(value / scale);
}

template <class T>
Parsed<T> bad(std::string problem, std::string hint = {}) {
    return {std::nullopt, std::move(problem), std::move(hint)};
}

template <class T>
Parsed<T> relay(std::string problem, std::string hint) {
    return {std::nullopt, std::move(problem), std::move(hint)};
}

/// Splits `a..b`; both halves are the text itself if there is no range.
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
    const auto dots = text.find("..");
    if (dots == text.npos) return {text, text};
    return {text.substr(0, dots), text.substr(dots + 2)};
}

template <class T, class Parse, class Make>
Parsed<T> range(std::string_view text, Parse parse, Make make) {
    const auto [first, last] = halves(text);
    const auto low = parse(first);
    if (!low) return relay<T>(low.problem, low.hint);
    const auto high = parse(last);
    if (!high) return relay<T>(high.problem, high.hint);
    if (*high.value < *low.value)
        return bad<T>(fmt::format("the range '{}' runs backwards", text),
                      fmt::format("write {}..{}", last, first));
    return {make(*low.value, *high.value), {}, {}};
}

Parsed<std::int64_t> with_unit(std::string_view text, std::span<const Unit> units,
                               std::string_view what, std::string_view example) {
    const auto number = split_number(text);
    if (!number)
        return bad<std::int64_t>(fmt::format("'{}' is not {}", text, what),
                                 fmt::format("write it like {}", example));
    if (number->rest.empty())
        return bad<std::int64_t>(fmt::format("'{}' has no unit", text),
                                 fmt::format("write it like {}", example));
    for (const auto& unit : units) {
        if (unit.name != number->rest) continue;
        if (const auto value = scaled(*number, unit.factor)) return {value, {}, {}};
        return bad<std::int64_t>(fmt::format("'{}' is too large or too fine", text), {});
    }
    std::string names;
    for (const auto& unit : units) names += fmt::format(" {}", unit.name);
    return bad<std::int64_t>(fmt::format("'{}' is not a unit of {}", number->rest, what),
                             fmt::format("units are{}", names));
}

}  // namespace

Parsed<std::uint64_t> parse_unsigned(std::string_view text) {
    if (!digits(text) || (text.size() > 1 && text[0] == '0'))
        return bad<std::uint64_t>(fmt::format("'{}' is not a whole number", text),
                                  "write digits only, e.g. 20");
    std::uint64_t value = 0;
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10)
            return bad<std::uint64_t>(fmt::format("'{}' is too large", text));
        value = value * 10 + digit;
    }
    return {value, {}, {}};
}

Parsed<std::int64_t> parse_integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    const auto value = parse_unsigned(negative ? text.substr(1) : text);
    if (!value)
        return bad<std::int64_t>(value.problem.ends_with("too large")
                                     ? fmt::format("'{}' is too large", text)
                                     : fmt::format("'{}' is not a whole number", text),
                                 value.hint);
    if (*value.value > static_cast<std::uint64_t>(int_max))
        return bad<std::int64_t>(fmt::format("'{}' is too large", text));
    const auto magnitude = static_cast<std::int64_t>(*value.value);
    return {negative ? -magnitude : magnitude, {}, {}};
}

Parsed<IntegerRange> parse_integer_range(std::string_view text) {
    return range<IntegerRange>(text, parse_integer, [](std::int64_t low, std::int64_t high) {
        return IntegerRange{low, high};
    });
}

Parsed<sim::Duration> parse_duration(std::string_view text) {
    const auto value = with_unit(text, duration_units, "a duration", "250us, 5ms, 30s or 2m");
    if (!value) return relay<sim::Duration>(value.problem, value.hint);
    if (*value.value > longest)
        return bad<sim::Duration>(fmt::format("'{}' is longer than a year", text));
    return {sim::nanoseconds(*value.value), {}, {}};
}

Parsed<sim::Duration> parse_signed_duration(std::string_view text) {
    const bool negative = text.starts_with('-');
    const auto value = parse_duration(negative || text.starts_with('+') ? text.substr(1) : text);
    if (!value) return value;
    return {negative ? -*value.value : *value.value, {}, {}};
}

namespace {
sim::Spread make_spread(sim::Duration low, sim::Duration high) {
    return sim::Spread::uniform(low, high);
}
}  // namespace

Parsed<sim::Spread> parse_spread(std::string_view text) {
    return range<sim::Spread>(text, parse_duration, make_spread);
}

Parsed<sim::Spread> parse_signed_spread(std::string_view text) {
    return range<sim::Spread>(text, parse_signed_duration, make_spread);
}

Parsed<Multiple> parse_multiple(std::string_view text) {
    constexpr std::string_view example = "write it like 1.5x session.timeout.ms";
    const auto space = text.find(' ');
    if (space == text.npos)
        return bad<Multiple>(fmt::format("'{}' names no setting", text), std::string(example));
    const auto setting = text.substr(text.find_last_of(' ') + 1);
    if (text.find_first_not_of(' ', space) + setting.size() != text.size())
        return bad<Multiple>(fmt::format("'{}' is not a multiple of a setting", text),
                             std::string(example));
    const auto factor = [&](std::string_view part) -> Parsed<std::int64_t> {
        if (!part.ends_with('x'))
            return bad<std::int64_t>(fmt::format("'{}' is not a multiple", part),
                                     std::string(example));
        return parse_milli(part.substr(0, part.size() - 1));
    };
    return range<Multiple>(text.substr(0, space), factor, [&](std::int64_t low, std::int64_t high) {
        return Multiple{low, high, std::string(setting)};
    });
}

bool looks_like_multiple(std::string_view text) {
    const auto end = text.find_first_not_of("0123456789.");
    return end != text.npos && end > 0 && text[end] == 'x';
}

Parsed<sim::Chance> parse_chance(std::string_view text) {
    constexpr std::string_view example = "write it like 0.5%";
    if (!text.ends_with('%'))
        return bad<sim::Chance>(fmt::format("'{}' is not a chance", text), std::string(example));
    const auto number = split_number(text.substr(0, text.size() - 1));
    if (!number || !number->rest.empty() || number->fraction.size() > 6)
        return bad<sim::Chance>(fmt::format("'{}' is not a chance", text), std::string(example));
    const auto numerator = scaled(*number, 1'000'000);
    if (!numerator || *numerator > 100'000'000)
        return bad<sim::Chance>(fmt::format("'{}' is more than 100%", text));
    return {sim::Chance{static_cast<std::uint64_t>(*numerator), 100'000'000}, {}, {}};
}

Parsed<IntegerRange> parse_drift(std::string_view text) {
    const auto one = [](std::string_view part) -> Parsed<std::int64_t> {
        const bool negative = part.starts_with('-');
        auto rest = negative || part.starts_with('+') ? part.substr(1) : part;
        std::int64_t factor = 0;
        if (rest.ends_with('%')) {
            factor = 10'000;
            rest.remove_suffix(1);
        } else if (rest.ends_with("ppm")) {
            factor = 1;
            rest.remove_suffix(3);
        }
        const auto number = split_number(rest);
        const auto value =
            factor != 0 && number && number->rest.empty() ? scaled(*number, factor) : std::nullopt;
        if (!value)
            return bad<std::int64_t>(fmt::format("'{}' is not a drift", part),
                                     "write it like +1% or -200ppm");
        if (*value > 500'000) return bad<std::int64_t>(fmt::format("'{}' is more than 50%", part));
        return {negative ? -*value : *value, {}, {}};
    };
    return range<IntegerRange>(text, one, [](std::int64_t low, std::int64_t high) {
        return IntegerRange{low, high};
    });
}

Parsed<std::int64_t> parse_rate(std::string_view text) {
    constexpr std::string_view example = "100/s";
    const auto slash = text.find('/');
    const auto number = split_number(text.substr(0, slash));
    if (slash == text.npos || !number || !number->rest.empty())
        return bad<std::int64_t>(fmt::format("'{}' is not a rate", text),
                                 fmt::format("write it like {}", example));
    for (const auto& unit : rate_units) {
        if (unit.name != text.substr(slash + 1)) continue;
        auto value = scaled(*number, unit.factor);
        if (value && unit.name == "m") value = (*value + 59) / 60;
        if (!value || *value > 1'000'000'000'000)
            return bad<std::int64_t>(fmt::format("'{}' is too fast or too fine", text));
        if (*value == 0) return bad<std::int64_t>(fmt::format("'{}' never sends anything", text));
        return {value, {}, {}};
    }
    return bad<std::int64_t>(fmt::format("'{}' is not a unit of a rate", text.substr(slash + 1)),
                             "rates are per ms, s or m");
}

Parsed<std::int64_t> parse_size(std::string_view text) {
    return with_unit(text, size_units, "a size", "100B, 1KB or 8MB");
}

Parsed<std::int64_t> parse_bandwidth(std::string_view text) {
    if (!text.ends_with("/s"))
        return bad<std::int64_t>(fmt::format("'{}' is not a bandwidth", text),
                                 "write it like 80MB/s");
    auto value = with_unit(text.substr(0, text.size() - 2), size_units, "a bandwidth", "80MB/s");
    if (value && *value.value == 0) return bad<std::int64_t>("a bandwidth of 0 moves nothing");
    return value;
}

Parsed<Bounds> parse_count(std::string_view text) {
    const std::string written(text);
    if (text == "none") return {Bounds{0, 0, written}, {}, {}};
    if (text == "some") return {Bounds{1, std::nullopt, written}, {}, {}};
    if (text == "any") return {Bounds{std::nullopt, std::nullopt, written}, {}, {}};
    const auto value = parse_unsigned(text);
    if (!value || *value.value > static_cast<std::uint64_t>(int_max))
        return bad<Bounds>(fmt::format("'{}' is not a count", text),
                           "write none, some, any, a number or { min: 1, max: 5 }");
    const auto number = static_cast<std::int64_t>(*value.value);
    return {Bounds{number, number, written}, {}, {}};
}

Parsed<std::int64_t> parse_milli(std::string_view text) {
    const auto number = split_number(text);
    if (!number || !number->rest.empty())
        return bad<std::int64_t>(fmt::format("'{}' is not a number", text), "e.g. 1.5");
    if (const auto value = scaled(*number, 1000); value && *value < int_max / 1'000'000)
        return {value, {}, {}};
    return bad<std::int64_t>(fmt::format("'{}' is too large or finer than 0.001", text));
}

std::string duration_text(sim::Duration duration) {
    const auto ns = duration.count();
    if (ns == 0) return "0s";
    for (auto unit = duration_units.rbegin(); unit != duration_units.rend(); ++unit)
        if (ns % unit->factor == 0) return fmt::format("{}{}", ns / unit->factor, unit->name);
    std::string fraction = fmt::format("{:03}", std::abs(ns % 1000));
    while (fraction.ends_with('0')) fraction.pop_back();
    return fmt::format("{}.{}us", ns / 1000, fraction);
}

}  // namespace eos::scenarios
