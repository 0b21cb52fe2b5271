// The tables: complete, consistent, and the same for parsing, the schema and the lists.

#include "faults/catalogue.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "scenarios/catalogue.hpp"
#include "scenarios/language/form.hpp"
#include "scenarios/language/reader.hpp"
#include "scenarios/language/reading.hpp"
#include "scenarios/language/settings.hpp"
#include "scenarios/language/tables.hpp"
#include "scenarios/scenario.hpp"

using namespace eos;
using namespace eos::scenarios;

TEST_CASE("every field has a name of its own and a sentence") {
    for (const auto* section : all_sections()) {
        std::set<std::string_view> names;
        for (const auto& field : section->fields) {
            CAPTURE(section->name);
            CAPTURE(field.name);
            CHECK(names.insert(field.name).second);
            CHECK_FALSE(field.help.empty());
        }
    }
}

TEST_CASE("every default and every example passes its own field's check") {
    for (const auto* section : all_sections())
        for (const auto& field : section->fields) {
            if (!field.missing.empty()) continue;
            for (const auto text : {field.fallback, field.example}) {
                if (text.empty()) continue;
                CAPTURE(section->name);
                CAPTURE(field.name);
                Diagnostics diagnostics;
                const auto source =
                    diagnostics.add_source("x", std::string("v: ") + std::string(text));
                const auto tree = read_yaml(diagnostics, source);
                REQUIRE(tree);
                CHECK(check_value(diagnostics, field, tree->items[0], ""));
            }
        }
}

TEST_CASE("closed lists name each word once and say what it means") {
    for (const auto* words : {&kinds, &modes, &clients, &steps, &mistakes, &reactions,
                              &error_classes, &metrics, &jepsen_names, &warnings, &workloads}) {
        std::set<std::string_view> names;
        for (const auto& word : words->rows) {
            CAPTURE(word.name);
            CHECK(names.insert(word.name).second);
            CHECK_FALSE(word.help.empty());
        }
    }
}

TEST_CASE("the modelled words stand in the order of the model's enumerations") {
    CHECK(kinds.rows[static_cast<std::size_t>(model::AppKind::processor)].name == "processor");
    CHECK(modes.rows[static_cast<std::size_t>(model::Mode::idempotent)].name == "idempotent");
    CHECK(workloads.rows[static_cast<std::size_t>(model::WorkloadKind::counts)].name == "counts");
    CHECK(fold_kinds.rows[static_cast<std::size_t>(Fold::Kind::min)].name == "min");
    CHECK(kinds.rows[static_cast<std::size_t>(model::AppKind::sink)].name == "sink");
    CHECK(store_kinds.rows[static_cast<std::size_t>(model::StoreKind::http)].name == "http");
    CHECK(checks.rows[static_cast<std::size_t>(model::Checked::after)].name == "after");
    for (std::size_t i = 0; i < effects.rows.size(); ++i)
        CHECK(effects.rows[i].name == model::name(static_cast<model::EffectKind>(i)));
    for (std::size_t i = 0; i < identities.rows.size(); ++i)
        CHECK(identities.rows[i].name == model::name(static_cast<model::IdentityKind>(i)));
}

TEST_CASE("each modelled metric is measured, and what nothing measures is refused by name") {
    std::size_t measured = 0;
    for (const auto& word : metrics.rows) {
        CAPTURE(word.name);
        const auto measure = measure_named(word.name);
        CHECK(measure.has_value() == word.missing.empty());
        if (!measure) continue;
        CHECK(std::get<Metric>(*measure) == static_cast<Metric>(measured++));
        CHECK(name_of(*measure) == word.name);
    }
    CHECK(measured >= 15);
    CHECK(measure_named("lost") == Measure{Count::lost});

    Diagnostics diagnostics;
    CHECK_FALSE(read_measure(diagnostics, Node::scalar("money"), "in metrics"));
    CHECK(diagnostics.sorted().at(0).text.starts_with("not modelled yet: 'money'"));
}

TEST_CASE("the fields of expect begin with the counts of the judges") {
    for (std::size_t i = 0; i < model::count_kinds; ++i)
        CHECK(expect_section.fields[i].name == model::name(static_cast<Count>(i)));
    CHECK(expect_section.fields[model::count_kinds].type != Type::count);
}

TEST_CASE("every modelled step is a step of the model, and the reverse") {
    std::set<std::string_view> words;
    for (const auto& word : steps.rows)
        if (word.missing.empty()) words.insert(word.name);
    for (std::size_t i = 0; i < model::step_kind_count; ++i) {
        const auto kind = static_cast<model::StepKind>(i);
        CHECK(words.erase(model::name(kind)) == 1);
    }
    CHECK(words.empty());
}

TEST_CASE("every field of an action is a field of a fault") {
    for (const auto& row : faults::actions())
        for (const auto& field : row.fields) {
            CAPTURE(row.word);
            CAPTURE(field.word);
            CHECK(field_named(fault_section, field.word) != nullptr);
        }
}

TEST_CASE("the default of a setting is what the model has without it") {
    model::ClusterConfig cluster;
    model::ProducerConfig producer;
    model::ConsumerConfig consumer;
    const auto agrees = [](const Setting& row, const Slot& slot, auto& config, auto pristine) {
        CAPTURE(row.name);
        const auto parsed = parse_setting(row, row.fallback, false);
        REQUIRE(parsed.value);
        assign(slot, row, *parsed.value);
        CHECK(config == pristine);
        config = pristine;
    };
    consumer.auto_commit = true;  // Kafka's default; modes decide here
    for (const auto& row : settings()) {
        if (!row.missing.empty() || row.fallback.empty()) continue;
        if (row.broker != nullptr) agrees(row, row.broker(cluster), cluster, cluster);
        if (row.producer != nullptr) agrees(row, row.producer(producer), producer, producer);
        if (row.consumer != nullptr) agrees(row, row.consumer(consumer), consumer, consumer);
    }
}

TEST_CASE("the schema is JSON, closed, and every reference in it leads somewhere") {
    const auto document = nlohmann::json::parse(schema());

    CHECK(document["additionalProperties"] == false);
    CHECK(document["required"] == nlohmann::json::array({"eosim", "name", "topics", "apps"}));
    std::set<std::string> names;
    for (const auto& [key, value] : document["definitions"].items()) names.insert(key);
    std::size_t references = 0;
    const std::string text = schema();
    const std::string start = "#/definitions/";
    for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
        const auto name = text.substr(at + start.size(), text.find('"', at) - at - start.size());
        CAPTURE(name);
        CHECK(names.contains(name));
        ++references;
    }
    CHECK(references > 50);
}

TEST_CASE("what is not modelled is in no schema") {
    const auto text = schema();

    CHECK(text.find("connect-source") == std::string::npos);
    CHECK(text.find("visibility") == std::string::npos);
    CHECK(text.find("put-if-newer") != std::string::npos);
    CHECK(text.find("exactly-once") != std::string::npos);
}

TEST_CASE("every list has rows, and a list nobody knows has none") {
    for (const auto what : catalogue_topics()) {
        CAPTURE(what);
        CHECK_FALSE(catalogue(what).empty());
    }
    CHECK(catalogue("nothing").empty());
    CHECK(reference().find("| `brokers` | `3` |") != std::string::npos);
}
