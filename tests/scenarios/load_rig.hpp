#pragma once
// What the tests of the reader share: texts to add to, and short ways to read them.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "scenarios/load.hpp"

namespace eos::scenarios::testing {

inline constexpr std::string_view head = "eosim: 1\nname: test\n";
inline constexpr std::string_view base =
    "eosim: 1\nname: test\ntopics: { orders: { partitions: 2 }, bills: {} }\napps:\n"
    "  shop: { kind: producer, to: orders, mode: at-least-once, records: 20 }\n"
    "  biller: { kind: processor, from: orders, to: bills, mode: at-most-once, instances: 2 }\n"
    "  audit: { kind: consumer, from: bills }\n";

inline Instance read(std::string_view text, const Request& request = {}) {
    return instantiate(load_text("t.yaml", text), request);
}
inline Instance read_more(std::string_view more, const Request& request = {}) {
    return read(std::string(base) + std::string(more), request);
}
inline const Scenario& scenario(const Instance& instance) {
    INFO(print(instance.diagnostics, DiagnosticFormat::text));
    REQUIRE(instance.scenario);
    return *instance.scenario;
}
inline std::vector<std::string> warned(const Instance& instance) {
    std::vector<std::string> result;
    for (const auto& d : instance.diagnostics.sorted())
        if (!d.warning.empty()) result.push_back(d.warning);
    return result;
}
inline bool warns(const Instance& instance, std::string_view warning) {
    const auto all = warned(instance);
    return std::find(all.begin(), all.end(), warning) != all.end();
}

}  // namespace eos::scenarios::testing
