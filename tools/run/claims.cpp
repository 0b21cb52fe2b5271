// The claims of sweep.compare: statistics over the seeds of a variant, held against each other.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "tools/run/sweep.hpp"

namespace eos {
namespace {

std::optional<std::int64_t> measure_of(const scenarios::Measure& measure,
                                       const reports::RunRow& row) {
    if (const auto* count = std::get_if<model::Count>(&measure))
        return row.counts[static_cast<std::size_t>(*count)] * 1000;
    reports::RunReport report;
    report.findings.measured = row.measured;
    report.counters.requests = row.requests;
    return measure_milli(measure, report);
}

std::optional<std::int64_t> statistic(const scenarios::Claim& claim,
                                      const std::vector<reports::RunRow>& runs) {
    std::vector<std::int64_t> values;
    for (const auto& run : runs)
        if (const auto value = measure_of(*claim.metric, run)) values.push_back(*value);
    if (values.empty()) return std::nullopt;
    std::sort(values.begin(), values.end());
    const auto sum = std::accumulate(values.begin(), values.end(), std::int64_t{0});
    switch (claim.stat) {
        case scenarios::Claim::Stat::mean:
            return sum / static_cast<std::int64_t>(values.size());
        case scenarios::Claim::Stat::sum: return sum;
        case scenarios::Claim::Stat::median: return values[values.size() / 2];
        case scenarios::Claim::Stat::max: return values.back();
    }
    return std::nullopt;
}

}  // namespace

std::pair<std::string, bool> check_claim(const scenarios::Claim& claim,
                                         const std::vector<std::string>& variants,
                                         const SweepSums& sums) {
    const auto value_of = [&](const std::string& variant) -> std::optional<std::int64_t> {
        const auto found = std::find(variants.begin(), variants.end(), variant);
        if (found == variants.end()) return std::nullopt;
        return statistic(claim, sums.runs(static_cast<std::size_t>(found - variants.begin())));
    };
    const std::string measure(claim.metric ? scenarios::name_of(*claim.metric) : "effects");
    using Kind = scenarios::Claim::Kind;
    switch (claim.kind) {
        case Kind::ratio:
        case Kind::difference: {
            const auto of = value_of(claim.of);
            const auto against = value_of(claim.against);
            const auto title = fmt::format("{} of {} {} {}", measure, claim.of,
                                           claim.kind == Kind::ratio ? "over" : "minus",
                                           claim.against);
            if (!of || !against || (claim.kind == Kind::ratio && *against == 0))
                return {title + " is not measured", false};
            const auto got = claim.kind == Kind::ratio
                                 ? static_cast<std::int64_t>(static_cast<__int128>(*of) * 1000 /
                                                             *against)
                                 : *of - *against;
            const bool held = (!claim.min_milli || got >= *claim.min_milli) &&
                              (!claim.max_milli || got <= *claim.max_milli);
            return {fmt::format("{} is {}", title,
                                claim.kind == Kind::ratio ? milli_text(got)
                                                          : measure_text(*claim.metric, got)),
                    held};
        }
        case Kind::rising:
        case Kind::falling: {
            std::string text = measure + (claim.kind == Kind::rising ? " rises:" : " falls:");
            bool held = true;
            std::optional<std::int64_t> last;
            for (const auto& variant : claim.variants) {
                const auto value = value_of(variant);
                text += fmt::format("{} {} {}", last ? "," : "", variant, value ? measure_text(*claim.metric, *value) : "?");
                if (!value) held = false;
                if (value && last)
                    held = held && (claim.kind == Kind::rising ? *value > *last : *value < *last);
                if (value) last = value;
            }
            return {text, held};
        }
        case Kind::same_effects: {
            std::string text = "the same effects in";
            std::optional<std::int64_t> first;
            bool held = true;
            for (const auto& variant : claim.variants) {
                text += " " + variant;
                const auto found = std::find(variants.begin(), variants.end(), variant);
                std::int64_t effects = 0;
                if (found != variants.end())
                    for (const auto& run :
                         sums.runs(static_cast<std::size_t>(found - variants.begin())))
                        effects += run.measured.effects;
                if (first) held = held && effects == *first;
                if (!first) first = effects;
            }
            return {text, held};
        }
    }
    return {"", false};
}

}  // namespace eos
