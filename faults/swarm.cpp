#include "faults/swarm.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "faults/catalogue.hpp"
#include "sim/rng.hpp"

namespace eos::faults {
namespace {

constexpr std::int32_t pace_max = 2;    // a quarter to four times as often
constexpr std::int32_t length_max = 1;  // half to twice as long

std::int64_t scaled(std::int64_t value, std::int32_t power) {
    return power >= 0 ? value << power : value >> -power;
}

sim::Spread scaled(sim::Spread spread, std::int32_t power) {
    spread.low = sim::Duration{scaled(spread.low.count(), power)};
    spread.high = sim::Duration{scaled(spread.high.count(), power)};
    return spread;
}

sim::Chance scaled(sim::Chance chance, std::int32_t power) {
    if (power >= 0)
        chance.numerator = std::min(chance.numerator << power, chance.denominator);
    else
        chance.denominator <<= -power;
    return chance;
}

/// Faults that another one's since, until or trigger speaks of.
std::set<std::int32_t> waited_for(const Plan& plan) {
    std::set<std::int32_t> result;
    const auto note = [&](sim::MilestoneKind kind) {
        const int number = kind.value - plan.words.marks.fault_first.value;
        if (number >= 0) result.insert(number / 2);
    };
    for (const auto& fault : plan.faults) {
        if (fault.since) result.insert(fault.since->fault.value);
        if (fault.until) note(fault.until->kind);
        if (const auto* when = std::get_if<trigger::When>(&fault.trigger)) note(when->kind);
    }
    return result;
}

std::string factor(std::int32_t power) {
    return power >= 0 ? std::to_string(1 << power) + "x" : "1/" + std::to_string(1 << -power);
}

}  // namespace

Swarm draw_swarm(const Plan& plan, std::uint64_t seed, const std::vector<std::string>& keep) {
    std::map<std::string_view, bool> kinds;
    for (const auto& fault : plan.faults)
        if (fault.enabled) kinds[word_of(fault.act)] = false;
    for (auto& [word, on] : kinds) {
        auto luck = sim::Rng::stream(seed, "swarm:" + std::string(word));
        on = luck.below(2) == 1;
    }
    const bool all_off = std::none_of(kinds.begin(), kinds.end(), [](auto& k) { return k.second; });
    if (all_off && !kinds.empty()) {
        auto luck = sim::Rng::stream(seed, "swarm");
        auto chosen = kinds.begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(luck.below(kinds.size())));
        chosen->second = true;
    }
    const auto needed = waited_for(plan);
    Swarm swarm;
    for (std::size_t i = 0; i < plan.faults.size(); ++i) {
        const Fault& fault = plan.faults[i];
        Dose& dose = swarm.doses.emplace_back();
        const bool kept = fault.tells.has_value() ||
                          std::find(keep.begin(), keep.end(), fault.name) != keep.end() ||
                          needed.contains(static_cast<std::int32_t>(i));
        dose.enabled = fault.enabled && (kept || kinds[word_of(fault.act)]);
        auto luck = sim::Rng::stream(seed, "swarm-dose:" + fault.name);
        const auto pace = luck.between(-pace_max, pace_max);
        const auto length = luck.between(-length_max, length_max);
        if (fault.nth || std::holds_alternative<trigger::At>(fault.trigger)) continue;
        const bool certain = fault.chance.numerator >= fault.chance.denominator;
        if (std::holds_alternative<trigger::Every>(fault.trigger) || !certain)
            dose.pace = static_cast<std::int32_t>(pace);
        if (fault.lasts && fault.lasts->kind == Lasting::Kind::time)
            dose.length = static_cast<std::int32_t>(length);
    }
    return swarm;
}

Plan apply(const Swarm& swarm, Plan plan) {
    for (std::size_t i = 0; i < plan.faults.size() && i < swarm.doses.size(); ++i) {
        Fault& fault = plan.faults[i];
        const Dose& dose = swarm.doses[i];
        fault.enabled = fault.enabled && dose.enabled;
        if (auto* every = std::get_if<trigger::Every>(&fault.trigger))
            every->gap = scaled(every->gap, -dose.pace);
        else if (dose.pace != 0)
            fault.chance = scaled(fault.chance, dose.pace);
        if (fault.lasts && fault.lasts->kind == Lasting::Kind::time)
            fault.lasts->time = scaled(fault.lasts->time, dose.length);
    }
    return plan;
}

std::string describe(const Swarm& swarm, const Plan& plan) {
    std::set<std::string_view> off;
    std::string doses;
    for (std::size_t i = 0; i < plan.faults.size() && i < swarm.doses.size(); ++i) {
        const Dose& dose = swarm.doses[i];
        if (!plan.faults[i].enabled) continue;
        if (!dose.enabled) {
            off.insert(word_of(plan.faults[i].act));
            continue;
        }
        if (dose.pace == 0 && dose.length == 0) continue;
        doses += (doses.empty() ? "" : "; ") + plan.faults[i].name;
        if (dose.pace != 0) doses += " " + factor(dose.pace) + " as often";
        if (dose.length != 0)
            doses +=
                std::string(dose.pace != 0 ? "," : "") + " " + factor(dose.length) + " as long";
    }
    std::string text;
    for (const auto word : off) text += (text.empty() ? "off: " : ", ") + std::string(word);
    if (!doses.empty()) text += (text.empty() ? "" : "; ") + doses;
    return text.empty() ? "as written" : text;
}

}  // namespace eos::faults
