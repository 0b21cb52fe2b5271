// Durations that refer to settings, and the ends of faults.

#include <algorithm>

#include <fmt/format.h>

#include "model/milestones.hpp"
#include "scenarios/language/read_faults.hpp"

namespace eos::scenarios {
namespace {

using model::Fact;

/// The values a setting has for some roles.
std::vector<sim::Duration> values_of(Reading& reading, std::string_view name,
                                     const std::vector<model::AppId>& apps, bool cluster) {
    std::vector<sim::Duration> result;
    const auto note = [&](const std::optional<sim::Duration>& value) {
        if (value && std::find(result.begin(), result.end(), *value) == result.end())
            result.push_back(*value);
    };
    for (const auto* row : settings_named(name)) {
        for (const auto id : apps) {
            auto& app = reading.scenario.apps[static_cast<std::size_t>(id.value)].config;
            if (row->producer != nullptr && app.produces())
                note(duration_in(row->producer(app.producer)));
            // In groups of KIP-848 these two are the broker's.
            const bool of_broker =
                app.consumer.protocol == model::GroupProtocol::consumer &&
                (name == "session.timeout.ms" || name == "heartbeat.interval.ms");
            if (row->consumer != nullptr && app.consumes() && !of_broker)
                note(duration_in(row->consumer(app.consumer)));
        }
        for (const auto id : apps) {
            auto& app = reading.scenario.apps[static_cast<std::size_t>(id.value)].config;
            if (row->job != nullptr && app.is_job()) note(duration_in(row->job(app.job)));
        }
        if (row->broker != nullptr && cluster)
            note(duration_in(row->broker(reading.scenario.cluster)));
    }
    return result;
}

std::optional<sim::Duration> resolve(Reading& reading, const Multiple& multiple, const Mark& mark,
                                     const SettingScope& scope) {
    const auto rows = settings_named(multiple.setting);
    if (rows.empty() || !rows.front()->missing.empty()) {
        if (!rows.empty()) {
            refuse_unmodelled(reading.diagnostics, mark,
                              fmt::format("setting '{}'", multiple.setting), rows.front()->missing);
            return std::nullopt;
        }
        std::vector<std::string> names;
        for (const auto& row : settings())
            if (row.unit == SettingUnit::ms || row.unit == SettingUnit::time) names.emplace_back(row.name);
        reading.error(mark, fmt::format("'{}' is not a setting", multiple.setting),
                      suggestion(multiple.setting, names));
        return std::nullopt;
    }
    std::vector<model::AppId> everyone;
    for (std::size_t i = 0; i < reading.scenario.apps.size(); ++i)
        everyone.push_back({static_cast<std::int32_t>(i)});
    for (const auto& [apps, cluster] :
         {std::pair{scope.targets, false}, std::pair{scope.matched, false},
          std::pair{std::vector<model::AppId>{}, true}, std::pair{everyone, false}}) {
        const auto values = values_of(reading, multiple.setting, apps, cluster);
        if (values.size() == 1) return values.front();
        if (values.size() > 1) {
            reading.error(mark, fmt::format("'{}' is not unique here", multiple.setting),
                          "the apps it could mean differ: write the duration out");
            return std::nullopt;
        }
    }
    reading.error(mark,
                  fmt::format("nothing here has the setting '{}' as a time", multiple.setting),
                  "write the duration out");
    return std::nullopt;
}

void note_app(std::vector<model::AppId>& apps, const faults::Target& target) {
    using Kind = faults::Target::Kind;
    if (target.kind == Kind::app_any || target.kind == Kind::app_all ||
        target.kind == Kind::app_instance || target.kind == Kind::job_manager)
        apps.push_back({*target.number});
}

}  // namespace

SettingScope scope_of(const faults::Targets& targets, const faults::Matches& matches) {
    SettingScope scope;
    for (const auto& target : targets) note_app(scope.targets, target);
    for (const auto& match : matches)
        for (const auto& value : match.any_of) {
            if (const auto* target = std::get_if<faults::Target>(&value))
                note_app(scope.matched, *target);
            else if (match.fact == model::number(Fact::app))
                scope.matched.push_back({static_cast<std::int32_t>(std::get<std::int64_t>(value))});
        }
    return scope;
}

std::optional<sim::Spread> read_relative(Reading& reading, const Node& node,
                                         const SettingScope& scope) {
    if (!looks_like_multiple(node.text)) {
        const auto spread = parse_spread(node.text);
        if (!node.is_scalar() || !spread) {
            reading.error(node.mark,
                          node.is_scalar()
                              ? spread.problem
                              : fmt::format("a duration is needed, not {}", shape(node)),
                          spread.hint);
            return std::nullopt;
        }
        return spread.value;
    }
    const auto multiple = parse_multiple(node.text);
    if (!multiple) {
        reading.error(node.mark, multiple.problem, multiple.hint);
        return std::nullopt;
    }
    const auto base = resolve(reading, *multiple.value, node.mark, scope);
    if (!base) return std::nullopt;
    const auto times = [&](std::int64_t milli) {
        constexpr std::int64_t year = 365LL * 86'400 * 1'000'000'000;
        __extension__ using Wide = __int128;
        const Wide product = static_cast<Wide>(base->count()) * milli / 1000;
        return sim::nanoseconds(product > year ? year : static_cast<std::int64_t>(product));
    };
    return sim::Spread::uniform(times(multiple.value->low), times(multiple.value->high));
}

std::optional<faults::Lasting> read_lasting(Reading& reading, const Node& node,
                                            const SettingScope& scope) {
    if (node.text == "forever") return faults::Lasting::forever();
    const auto spread = read_relative(reading, node, scope);
    if (!spread) return std::nullopt;
    return faults::Lasting::of(*spread);
}

std::optional<faults::Until> read_until(Reading& reading, const Node& node,
                                        const SettingScope& scope) {
    faults::Until until;
    if (node.is_scalar()) {
        const auto milestone = read_milestone(reading, node);
        if (!milestone) return std::nullopt;
        until.kind = milestone->kind;
        until.matches = read_match(reading, nullptr, *milestone);
        return until;
    }
    const Form form(reading.diagnostics, &node, until_section, "in until");
    const auto* when = form.get("when");
    if (when == nullptr) return std::nullopt;
    const auto milestone = read_milestone(reading, *when);
    if (!milestone) return std::nullopt;
    until.kind = milestone->kind;
    until.matches = read_match(reading, form.get("match"), *milestone);
    const auto nth = parse_integer_range(form.text("nth"));
    if (nth) until.nth = {nth.value->low, nth.value->high};
    if (const auto* after = form.get("after"))
        until.after = read_relative(reading, *after, scope).value_or(sim::Spread{});
    return until;
}

}  // namespace eos::scenarios
