// The scalars of the language.

#include "scenarios/language/values.hpp"

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "scenarios/language/tables.hpp"

using namespace eos::scenarios;
using eos::sim::Duration;
using eos::sim::microseconds;
using eos::sim::milliseconds;
using eos::sim::seconds;

TEST_CASE("a duration has a unit and is exact") {
    struct Row {
        std::string_view text;
        Duration value;
    };
    for (const auto& row : std::vector<Row>{{"250us", microseconds(250)},
                                            {"5ms", milliseconds(5)},
                                            {"1.5s", milliseconds(1500)},
                                            {"0s", seconds(0)},
                                            {"2m", seconds(120)},
                                            {"1h", seconds(3600)},
                                            {"7d", seconds(7 * 86400)}}) {
        CAPTURE(row.text);
        const auto parsed = parse_duration(row.text);
        REQUIRE(parsed);
        CHECK(*parsed.value == row.value);
    }
}

TEST_CASE("what only looks like a duration is refused") {
    for (const std::string_view text :
         {"5", "", "s", "5 s", "5sec", "-5s", "+5s", "1e3s", "05s", "5.s", ".5s", "0x5s",
          "99999999999999999999s", "366d", "0.0000001us", "1_0s", "5S", "1..2s"}) {
        CAPTURE(text);
        const auto parsed = parse_duration(text);
        CHECK_FALSE(parsed);
        CHECK_FALSE(parsed.problem.empty());
    }
}

TEST_CASE("the text of a duration reads back as the same duration") {
    for (const auto value : {seconds(0), seconds(90), milliseconds(1500), microseconds(3),
                             Duration{1500}, Duration{86'400'000'000'000}}) {
        const auto parsed = parse_duration(duration_text(value));
        REQUIRE(parsed);
        CHECK(*parsed.value == value);
    }
}

TEST_CASE("a range runs forwards and its ends may be equal") {
    CHECK(*parse_spread("1ms..5ms").value ==
          eos::sim::Spread::uniform(milliseconds(1), milliseconds(5)));
    CHECK(*parse_spread("5ms").value == eos::sim::Spread::fixed(milliseconds(5)));
    CHECK_FALSE(parse_spread("5ms..1ms"));
    CHECK_FALSE(parse_spread("1ms..5"));
    CHECK_FALSE(parse_spread("1ms...5ms"));
    CHECK(*parse_integer_range("3..9").value == IntegerRange{3, 9});
}

TEST_CASE("integers are strict") {
    CHECK(*parse_unsigned("0").value == 0);
    CHECK(*parse_unsigned("18446744073709551615").value == 18446744073709551615ULL);
    CHECK(*parse_integer("-5").value == -5);
    for (const std::string_view text :
         {"", "-", "+5", "007", "1_000", "0x10", "1e3", "1.0", " 1", "18446744073709551616"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_unsigned(text));
    }
    CHECK_FALSE(parse_integer("9223372036854775808"));
}

TEST_CASE("a chance is an exact ratio of at most one") {
    CHECK(parse_chance("0.5%").value->numerator * 200 == parse_chance("0.5%").value->denominator);
    CHECK(*parse_chance("100%").value == eos::sim::Chance{100'000'000, 100'000'000});
    CHECK(parse_chance("0%").value->numerator == 0);
    for (const std::string_view text : {"0.5", "101%", "-1%", "%", "1 %", "100.000001%"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_chance(text));
    }
}

TEST_CASE("rates, sizes and bandwidths have units") {
    CHECK(*parse_rate("100/s").value == 100'000);
    CHECK(*parse_rate("2/ms").value == 2'000'000);
    CHECK(*parse_rate("60/m").value == 1'000);
    CHECK_FALSE(parse_rate("100"));
    CHECK_FALSE(parse_rate("0/s"));
    CHECK(*parse_size("1KB").value == 1000);
    CHECK(*parse_size("1.5KB").value == 1500);
    CHECK_FALSE(parse_size("100"));
    CHECK_FALSE(parse_size("1GB"));
    CHECK(*parse_bandwidth("80MB/s").value == 80'000'000);
    CHECK_FALSE(parse_bandwidth("80MB"));
}

TEST_CASE("a multiple names a setting") {
    CHECK(*parse_multiple("1.5x session.timeout.ms").value ==
          Multiple{1500, 1500, "session.timeout.ms"});
    CHECK(*parse_multiple("0.5x..2x request.timeout.ms").value ==
          Multiple{500, 2000, "request.timeout.ms"});
    CHECK_FALSE(parse_multiple("1.5x"));
    CHECK_FALSE(parse_multiple("2x..1x session.timeout.ms"));
    CHECK(looks_like_multiple("3x a"));
    CHECK_FALSE(looks_like_multiple("x a"));
    CHECK_FALSE(looks_like_multiple("3s"));
}

TEST_CASE("a count is a word or a number") {
    CHECK(parse_count("none").value->holds(0));
    CHECK_FALSE(parse_count("none").value->holds(1));
    CHECK(parse_count("some").value->holds(1));
    CHECK_FALSE(parse_count("some").value->holds(0));
    CHECK(parse_count("any").value->any());
    CHECK_FALSE(parse_count("3").value->holds(2));
    CHECK_FALSE(parse_count("few"));
    CHECK_FALSE(parse_count("-1"));
}

TEST_CASE("clocks move both ways") {
    CHECK(*parse_signed_duration("-5s").value == -seconds(5));
    CHECK(*parse_drift("+1%").value == IntegerRange{10'000, 10'000});
    CHECK(*parse_drift("-200ppm").value == IntegerRange{-200, -200});
    CHECK_FALSE(parse_drift("1"));
    CHECK_FALSE(parse_drift("90%"));
}

TEST_CASE("the distance counts a swap of neighbours as one") {
    CHECK(edit_distance("topcis", "topics") == 1);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("same", "same") == 0);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("synonyms come before spelling, ties are alphabetical, and far words are not guessed") {
    const std::vector<std::string_view> words{"faults", "expect", "cat", "bat"};

    CHECK(did_you_mean("nemesis", words) == "faults");
    CHECK(did_you_mean("falts", words) == "faults");
    CHECK(did_you_mean("rat", words) == "bat");
    CHECK(did_you_mean("completely", words) == std::nullopt);
    CHECK(did_you_mean("", words) == std::nullopt);
}
