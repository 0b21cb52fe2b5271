#include "scenarios/catalogue.hpp"

#include <array>

#include <fmt/format.h>

#include "faults/catalogue.hpp"
#include "model/bugs.hpp"
#include "model/milestones.hpp"
#include "scenarios/language/protocols.hpp"
#include "scenarios/language/read_program.hpp"
#include "scenarios/language/settings.hpp"
#include "scenarios/language/tables.hpp"

namespace eos::scenarios {
namespace {

std::vector<CatalogueRow> of_words(const Words& words) {
    std::vector<CatalogueRow> result;
    for (const auto& word : words.rows)
        result.push_back(
            {std::string(word.name), std::string(word.help), "", std::string(word.missing)});
    return result;
}

std::vector<CatalogueRow> list_modes() {
    auto result = of_words(modes);
    for (std::size_t i = 0; i < result.size(); ++i) {
        if (!result[i].missing.empty()) continue;
        std::string program;
        for (const auto& step : program_of(model::AppKind::processor, static_cast<model::Mode>(i)))
            program += (program.empty() ? "" : " ") + std::string(model::name(step.kind));
        result[i].detail = fmt::format("a processor: {}", program);
    }
    return result;
}

std::vector<CatalogueRow> list_faults() {
    std::vector<CatalogueRow> result;
    for (const auto& row : faults::actions()) {
        std::string fields;
        for (const auto& field : row.fields)
            fields +=
                fmt::format("{}{} ({})", fields.empty() ? "" : ", ", field.word, field.preset);
        result.push_back({std::string(row.word), std::string(row.help), fields,
                          row.modelled ? "" : "a part not built yet"});
    }
    return result;
}

std::vector<CatalogueRow> list_events() {
    std::vector<CatalogueRow> result;
    for (const auto& row : model::milestones()) {
        std::string facts = "node";
        for (const auto fact : row.facts)
            facts += fmt::format(" {}", model::facts()[static_cast<std::size_t>(fact)].name);
        result.push_back({std::string(row.name), std::string(row.help), facts, ""});
    }
    for (const auto name : model::milestones_not_modelled())
        result.push_back({std::string(name), "", "", "a part not built yet"});
    return result;
}

std::vector<CatalogueRow> list_fields(const Section& section, bool counts_only) {
    std::vector<CatalogueRow> result;
    for (const auto& field : section.fields) {
        if (counts_only && field.type != Type::count) continue;
        result.push_back({std::string(field.name), std::string(field.help),
                          field.fallback.empty() ? "" : fmt::format("default {}", field.fallback),
                          std::string(field.missing)});
    }
    return result;
}

/// What the name of a bug stands for.
std::string switch_of(const model::BugEntry& row) {
    std::string text;
    for (const auto safeguard : row.removes)
        text += (text.empty() ? "without " : ", ") + std::string(model::entry(safeguard).name);
    if (row.newest)
        text += fmt::format("{}transaction_version {} or older", text.empty() ? "" : ", ",
                            static_cast<int>(*row.newest));
    if (!row.mistake.empty()) text += fmt::format("the mistake {}", row.mistake);
    return text;
}

std::vector<CatalogueRow> list_bugs() {
    std::vector<CatalogueRow> result;
    for (const auto& row : model::bugs())
        result.push_back(
            {std::string(row.name), fmt::format("{} ({})", row.claim, row.versions),
             fmt::format("window: {}; {}: {}; example scenarios/{}", row.window,
                         row.side == model::Side::cluster ? "cluster.bugs" : "apps.NAME.bugs",
                         switch_of(row), row.scenario),
             ""});
    return result;
}

std::vector<CatalogueRow> list_safeguards() {
    std::vector<CatalogueRow> result;
    for (const auto& row : model::safeguards())
        result.push_back(
            {std::string(row.name), std::string(row.claim),
             fmt::format("{}; {}",
                         row.side == model::Side::cluster ? "cluster.without" : "apps.NAME.without",
                         row.source),
             ""});
    return result;
}

std::vector<CatalogueRow> list_protocols() {
    std::vector<CatalogueRow> result;
    for (const auto& row : protocols()) {
        std::string lacks;
        for (const auto safeguard : row.lacks)
            lacks += (lacks.empty() ? "" : ", ") + std::string(model::entry(safeguard).name);
        result.push_back(
            {std::string(row.name), std::string(row.help),
             fmt::format("{}{}{}",
                         row.metadata == model::MetadataMode::kraft ? "kraft" : "zookeeper",
                         lacks.empty() ? "" : "; without ", lacks),
             ""});
    }
    return result;
}

std::vector<CatalogueRow> list_targets() {
    return {{"broker:N", "a broker, from 1", "", ""},
            {"brokers", "all brokers", "", ""},
            {"random-broker", "one broker, drawn", "", ""},
            {"controller", "the controller", "", ""},
            {"leader:T/P", "who leads a partition; T, P may be *", "", ""},
            {"follower:T/P", "one follower, drawn", "", ""},
            {"followers:T/P", "all followers", "", ""},
            {"replicas:T/P", "all replicas", "", ""},
            {"group-coordinator:G", "the coordinator of a group; G may be *", "", ""},
            {"app:NAME/I", "one instance of an app", "", ""},
            {"app:NAME/*", "all its instances", "", ""},
            {"app:NAME", "one of them, drawn", "", ""},
            {"random-app", "one instance of any app, drawn", "", ""},
            {"apps", "all instances of all apps", "", ""},
            {"owner:G/T/P", "the member that owns a partition", "", ""},
            {"holder:TXID", "the process that initialised a transactional id last; * is one, drawn",
             "", ""},
            {"zombie:TXID", "the process that held it before that one", "", ""},
            {"store:NAME", "a store", "", ""},
            {"stores", "all stores", "", ""},
            {"everyone", "all nodes", "", ""},
            {"others", "in groups: whoever is not named", "", ""},
            {"event", "the message itself, or the node where it happened", "", ""},
            {"event.from", "who sent the message", "", ""},
            {"event.to", "who receives it", "", ""},
            {"T/P, group-log:G, txn-log:TXID", "a partition, for actions on partitions", "", ""},
            {"GROUP", "a group, for actions on groups", "", ""},
            {"TXID", "a transactional id, for actions on those; * is one, drawn", "", ""},
            {"txn-coordinator:TXID", "the coordinator of a transactional id", "", ""}};
}

std::vector<CatalogueRow> list_settings() {
    std::vector<CatalogueRow> result;
    for (const auto& row : settings()) {
        std::string who;
        if (row.broker != nullptr) who += " brokers";
        if (row.producer != nullptr) who += " producers";
        if (row.consumer != nullptr) who += " consumers";
        if (row.topic) who += " topics";
        result.push_back({std::string(row.name), std::string(row.help),
                          row.missing.empty()
                              ? fmt::format("default {}, {};{}", row.fallback, name(row.unit), who)
                              : "",
                          std::string(row.missing)});
    }
    return result;
}

std::vector<CatalogueRow> list_all_fields() {
    std::vector<CatalogueRow> result;
    for (const auto* section : all_sections())
        for (auto& row : list_fields(*section, false)) {
            row.name = fmt::format("{}.{}", section->name, row.name);
            result.push_back(std::move(row));
        }
    return result;
}

constexpr std::array<std::string_view, 16> topics{
    "modes",      "faults",    "events",    "expectations", "mistakes", "bugs",
    "safeguards", "protocols", "clients",   "steps",        "targets",  "settings",
    "metrics",    "warnings",  "workloads", "fields"};

}  // namespace

std::vector<std::string_view> catalogue_topics() { return {topics.begin(), topics.end()}; }

std::vector<CatalogueRow> catalogue(std::string_view what) {
    if (what == "modes") return list_modes();
    if (what == "faults") return list_faults();
    if (what == "events") return list_events();
    if (what == "expectations") return list_fields(expect_section, true);
    if (what == "mistakes") return of_words(mistakes);
    if (what == "bugs") return list_bugs();
    if (what == "safeguards") return list_safeguards();
    if (what == "protocols") return list_protocols();
    if (what == "clients") return of_words(clients);
    if (what == "steps") return of_words(steps);
    if (what == "targets") return list_targets();
    if (what == "settings") return list_settings();
    if (what == "metrics") return of_words(metrics);
    if (what == "warnings") return of_words(warnings);
    if (what == "workloads") return of_words(workloads);
    if (what == "fields") return list_all_fields();
    return {};
}

std::string reference() {
    std::string result;
    for (const auto* section : all_sections()) {
        result += fmt::format("### {}\n\n| field | default | help |\n| --- | --- | --- |\n",
                              section->name);
        for (const auto& field : section->fields) {
            if (!field.missing.empty()) continue;
            const auto fallback = field.required           ? "required"
                                  : field.fallback.empty() ? "-"
                                                           : fmt::format("`{}`", field.fallback);
            result += fmt::format("| `{}` | {} | {} |\n", field.name, fallback, field.help);
        }
        result += "\n";
    }
    return result;
}

}  // namespace eos::scenarios
