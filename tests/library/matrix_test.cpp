// The matrix anomaly x delivery mode is a claim, and this is its test: what matrix.txt says can be
// seen is seen in the run it names, what it says cannot is not seen in its sweeps, and nothing is
// left out.

#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "model/counts.hpp"
#include "scenarios/load.hpp"
#include "tools/run/run.hpp"

namespace {

using namespace eos;

/// The file, variant and overrides of a run: "start/delivery-modes.yaml",
/// "chaos/exactly-once.yaml:tv1", "start/delivery-modes.yaml apps.*.mode=idempotent".
struct Which {
    std::string file;
    std::string variant;
    std::vector<scenarios::Override> overrides;
};
struct Evidence {
    std::string anomaly;
    std::string mode;
    Which which;
    std::uint64_t seed = 1;
};
struct Sweep {
    std::string mode;
    std::uint64_t seeds = 0;
    Which which;
};
struct Matrix {
    std::map<std::pair<std::string, std::string>, bool> cells;  ///< anomaly, mode: it may be seen
    std::vector<Evidence> evidence;
    std::vector<Sweep> sweeps;
};

Which which(std::istream& words) {
    Which result;
    words >> result.file;
    if (const auto colon = result.file.find(':'); colon != std::string::npos) {
        result.variant = result.file.substr(colon + 1);
        result.file.resize(colon);
    }
    for (std::string word; words >> word;) {
        const auto equals = word.find('=');
        REQUIRE(equals != std::string::npos);
        result.overrides.push_back({word.substr(0, equals), word.substr(equals + 1)});
    }
    return result;
}

const Matrix& matrix() {
    static const Matrix read = [] {
        Matrix result;
        std::ifstream file(EOSIM_SOURCE_DIR "/tests/library/matrix.txt");
        REQUIRE(file.is_open());
        for (std::string line; std::getline(file, line);) {
            if (line.empty() || line.front() == '#') continue;
            CAPTURE(line);
            std::istringstream words(line);
            std::string first;
            std::string mode;
            std::string claim;
            words >> first >> mode;
            if (first == "sweep") {
                Sweep sweep{mode, 0, {}};
                words >> sweep.seeds;
                sweep.which = which(words);
                result.sweeps.push_back(std::move(sweep));
                continue;
            }
            words >> claim;
            if (claim == "if") {
                words >> claim;  // the condition, in the file's own words
            } else {
                CHECK((claim == "never" || claim == "-" || claim == "may" || claim == "shown"));
                const bool may = claim == "may" || claim == "shown";
                CHECK(result.cells.try_emplace({first, mode}, may).second);
                if (claim != "shown") continue;
            }
            Evidence evidence{first, mode, {}, 1};
            words >> evidence.seed;
            evidence.which = which(words);
            result.evidence.push_back(std::move(evidence));
        }
        return result;
    }();
    return read;
}

scenarios::Scenario scenario(const Which& run, std::uint64_t seed) {
    const auto loaded = scenarios::load_file(EOSIM_SOURCE_DIR "/scenarios/" + run.file);
    scenarios::Request request;
    request.seed = seed;
    request.overrides = run.overrides;
    if (!run.variant.empty()) request.cell = scenarios::cells(loaded, run.variant).at(0);
    auto instance = scenarios::instantiate(loaded, request);
    REQUIRE_MESSAGE(instance.scenario.has_value(),
                    scenarios::print(instance.diagnostics, scenarios::DiagnosticFormat::text));
    return std::move(*instance.scenario);
}

reports::Findings findings(const scenarios::Scenario& scenario) {
    RunOptions options;
    options.operations = true;
    return run(scenario, options).report.findings;
}

/// In exactly-once what a plain reader repeats is not the mode's: its effect is in no transaction.
std::int64_t times(const reports::Findings& findings, const scenarios::Scenario& scenario,
                   const std::string& anomaly, const std::string& mode) {
    const auto count = model::count_named(anomaly);
    if (!count) {
        const auto kind = model::jepsen_named(anomaly);
        REQUIRE_MESSAGE(kind.has_value(), anomaly);
        return findings.black_box[*kind];
    }
    auto sum = findings.total(*count);
    if (*count != model::Count::duplicates || mode != "exactly-once") return sum;
    for (const auto& app : scenario.apps)
        if (const auto found = findings.per_app.find(app.config.id);
            found != findings.per_app.end() && !app.config.produces())
            sum -= found->second[static_cast<std::size_t>(*count)];
    return sum;
}

constexpr std::array modes{
    std::pair{"at-most-once", model::Mode::at_most_once},
    std::pair{"at-least-once", model::Mode::at_least_once},
    std::pair{"idempotent", model::Mode::idempotent},
    std::pair{"exactly-once", model::Mode::exactly_once},
};

/// Whether some application that writes, or one that reads, runs in the mode.
bool has_mode(const scenarios::Scenario& scenario, const std::string& mode) {
    for (const auto& [name, value] : modes)
        for (const auto& app : scenario.apps)
            if (name == mode && app.config.mode == value) return true;
    return false;
}

}  // namespace

TEST_CASE("the matrix has one cell for every anomaly and mode") {
    std::set<std::string> anomalies;
    for (const auto& entry : model::count_entries)
        if (entry.name != "fenced") anomalies.emplace(entry.name);  // an event, not an anomaly
    for (const auto& entry : model::jepsen_entries) anomalies.emplace(entry.name);

    for (const auto& anomaly : anomalies)
        for (const auto& [mode, value] : modes)
            CHECK_MESSAGE(matrix().cells.contains({anomaly, mode}), anomaly, " in ", mode);
    CHECK(matrix().cells.size() == anomalies.size() * modes.size());
}

TEST_CASE("what may be seen is seen where the matrix says") {
    for (const auto& [anomaly, mode, which, seed] : matrix().evidence) {
        CAPTURE(anomaly);
        CAPTURE(mode);
        CAPTURE(which.file);
        const auto chosen = scenario(which, seed);
        CHECK(has_mode(chosen, mode));
        CHECK(times(findings(chosen), chosen, anomaly, mode) > 0);
    }
}

TEST_CASE("what is forbidden is never seen in the sweeps of its mode") {
    std::map<std::string, std::uint64_t> swept;
    for (const auto& sweep : matrix().sweeps) {
        swept[sweep.mode] += sweep.seeds;
        for (std::uint64_t seed = 1; seed <= sweep.seeds; ++seed) {
            const auto chosen = scenario(sweep.which, seed);
            CHECK(has_mode(chosen, sweep.mode));
            const auto found = findings(chosen);
            CAPTURE(sweep.which.file);
            CAPTURE(sweep.which.variant);
            CAPTURE(seed);
            for (const auto& [cell, may] : matrix().cells) {
                const auto& [anomaly, mode] = cell;
                if (mode == sweep.mode && !may)
                    CHECK_MESSAGE(times(found, chosen, anomaly, mode) == 0, anomaly);
            }
        }
    }
    for (const auto& [mode, value] : modes) CHECK(swept[mode] >= 20);
}
