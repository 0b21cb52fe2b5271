// Repro files: written, read back, and refused when they are wrong.

#include "scenarios/repro.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::scenarios;

namespace {

constexpr std::string_view text =
    "eosim: 1\nname: test\ntopics: { orders: {} }\napps:\n"
    "  shop: { kind: producer, to: orders, mode: at-least-once, records: 20 }\n"
    "  audit: { kind: consumer, from: orders }\n"
    "faults: [{ name: down, every: 5s, do: crash, target: random-broker, for: 1s..4s }]\n"
    "sweep: { variants: { few: { set: { apps.shop.records: 3 } } } }\n";

Repro recorded() {
    const auto instance = instantiate(
        load_text("t.yaml", text), {.cell = {"few", {}}, .overrides = {}, .seed = 7, .drawn = {}});
    REQUIRE(instance.scenario);
    Repro repro;
    repro.engine = "0.1.0";
    repro.variant = "few";
    repro.seed = 7;
    repro.verdict = "fail";
    repro.anomalies = {"lost", "duplicates"};
    repro.digest = "9c1f04d2a7be3310";
    repro.drawn = {{"apps.shop.batch", "5"}};
    faults::Decision decision;
    decision.fault = {0};
    decision.occurrence = 2;
    decision.at = sim::time_zero + sim::seconds(10);
    decision.drawn = {{faults::Drawn::Kind::node, 2}, {faults::Drawn::Kind::lasts, 2'500'000'000}};
    decision.nodes = {{2}};
    repro.decisions = {decision};
    repro.scenario = instance.tree;
    return repro;
}

}  // namespace

TEST_CASE("a repro file reads back with the same decisions and the overlays laid in") {
    const auto repro = recorded();

    const auto again = load_repro_text("r.yaml", write_repro(repro));

    INFO(print(again.diagnostics, DiagnosticFormat::text));
    REQUIRE(again.repro);
    CHECK(again.repro->decisions == repro.decisions);
    CHECK(again.repro->digest == repro.digest);
    CHECK(again.repro->anomalies == repro.anomalies);
    CHECK(again.repro->drawn == repro.drawn);
    CHECK(again.scenario->seed == 7);
    CHECK(again.scenario->apps[0].config.records == 3);
    CHECK(write_repro(*again.repro) == write_repro(repro));
}

TEST_CASE("a repro file is told from a scenario by its first key") {
    CHECK(is_repro(load_text("r.yaml", write_repro(recorded()))));
    CHECK_FALSE(is_repro(load_text("t.yaml", text)));
}

TEST_CASE("a seed above the signed numbers stays what it is") {
    auto repro = recorded();
    repro.seed = 18446744073709551615U;

    const auto again = load_repro_text("r.yaml", write_repro(repro));

    INFO(print(again.diagnostics, DiagnosticFormat::text));
    REQUIRE(again.repro);
    CHECK(again.repro->seed == repro.seed);
    CHECK(again.scenario->seed == repro.seed);
    CHECK(again.scenario->faults.seed == repro.seed);
}

TEST_CASE("a scenario given for a repro file is told what it is, once") {
    const auto loaded = load_repro_text("t.yaml", text);

    CHECK_FALSE(loaded.repro);
    CHECK(loaded.diagnostics.errors() == 1);
    CHECK(loaded.diagnostics.sorted().at(0).text == "this is a scenario, not a repro file");
}

TEST_CASE("a digest of digits only stays a text") {
    auto repro = recorded();
    repro.digest = "1234567890123456";

    const auto again = load_repro_text("r.yaml", write_repro(repro));

    REQUIRE(again.repro);
    CHECK(again.repro->digest == repro.digest);
}

TEST_CASE("a broken repro file is refused with a position") {
    struct Row {
        std::string_view from, to, says;
    };
    for (const auto& row : {Row{"fault: down", "fault: dwon", "there is no fault 'dwon'"},
                            Row{"node:2", "nod:2", "is not a drawn value"},
                            Row{"nodes: [2]", "nodes: [99]", "there is no node"},
                            Row{"9c1f04d2a7be3310", "9c1f", "16 hexadecimal digits"},
                            Row{"eosim-repro: 1", "eosim-repro: 2", "not between 1 and 1"},
                            Row{"kind: producer", "kind: producr", "is not a kind of application"},
                            Row{"seed: 7", "sed: 7", "unknown field 'sed'"}}) {
        CAPTURE(row.from);
        auto broken = write_repro(recorded());
        const auto at = broken.find(row.from);
        REQUIRE(at != std::string::npos);
        broken.replace(at, row.from.size(), row.to);

        const auto loaded = load_repro_text("r.yaml", broken);

        CHECK_FALSE(loaded.repro);
        REQUIRE(loaded.diagnostics.failed());
        CHECK(print(loaded.diagnostics, DiagnosticFormat::text).find(row.says) !=
              std::string::npos);
    }
}
