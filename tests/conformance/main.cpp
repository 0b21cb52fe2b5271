// The conformance runner: drives the model's classes through the cases of any number of case files
// and compares. The schema is the header of broker.yaml. Last: N passed, M failed[, K skipped].
//
//   conformance [--area AREA] [--case ID] [--list-skipped] FILE...

#include <algorithm>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "tests/conformance/compare.hpp"
#include "tests/conformance/harness.hpp"

namespace {

using namespace eos::conformance;

struct Options {
    std::vector<std::string> files;
    std::optional<std::string> area;
    std::optional<std::string> id;
    bool list_skipped = false;
};

struct Tally {
    int passed = 0;
    int failed = 0;
    int skipped = 0;
};

struct Result {
    enum class Kind { passed, failed, skipped } kind = Kind::passed;
    std::string text = {};
};

[[nodiscard]] Result run_steps(const YAML::Node& the_case, Harness& harness) {
    int number = 0;
    for (const YAML::Node& step : the_case["steps"]) {
        ++number;
        const auto op = step["op"].as<std::string>();
        const Args args = step["args"] ? Args{step["args"]} : Args{};
        const auto where = "step " + std::to_string(number) + " " + op + " " + flow(step["args"]);
        try {
            const Observed observed = harness.perform(op, args);
            const auto wrong = difference(step["expect"], observed, harness);
            if (wrong) return {Result::Kind::failed, where + ": " + *wrong};
        } catch (const NotModelled& reason) {
            return {Result::Kind::skipped, reason.what()};
        } catch (const std::exception& problem) {
            return {Result::Kind::failed, where + ": " + problem.what()};
        }
    }
    return {};
}

[[nodiscard]] Result run_case(const YAML::Node& the_case) {
    const auto id = the_case["id"].as<std::string>();
    const auto name = the_case["harness"].as<std::string>();
    for (const SkipRow& row : skipped_cases())
        if (row.id == id) return {Result::Kind::skipped, std::string(row.reason)};
    const auto rows = harnesses();
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const HarnessRow& r) { return r.name == name; });
    if (row == rows.end())
        return {Result::Kind::skipped, "harness " + name + " is unknown to this runner"};
    if (!row->make) return {Result::Kind::skipped, std::string(row->reason)};
    try {
        // Which of Kafka's times a case speaks of is a setting like any other.
        YAML::Node config = the_case["config"] ? YAML::Clone(the_case["config"]) : empty_map();
        config["profile"] = the_case["profile"];
        Harness harness = row->make(Args{config});
        return run_steps(the_case, harness);
    } catch (const NotModelled& reason) {
        return {Result::Kind::skipped, reason.what()};
    } catch (const std::exception& problem) {
        return {Result::Kind::failed, std::string("set-up: ") + problem.what()};
    }
}

[[nodiscard]] std::optional<Options> parse(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--list-skipped") {
            options.list_skipped = true;
        } else if (word == "--area" || word == "--case") {
            if (++i == count) return std::nullopt;
            (word == "--area" ? options.area : options.id) = words[i];
        } else if (word.starts_with("--")) {
            return std::nullopt;
        } else {
            options.files.push_back(word);
        }
    }
    if (options.files.empty()) return std::nullopt;
    return options;
}

void run_file(const std::string& file, const Options& options, Tally& tally) {
    const YAML::Node document = YAML::LoadFile(file);
    if (!document["cases"] || !document["cases"].IsSequence())
        throw YAML::Exception(YAML::Mark::null_mark(), "no list of cases");
    for (const YAML::Node& the_case : document["cases"]) {
        const auto id = the_case["id"].as<std::string>();
        if (options.id && *options.id != id) continue;
        if (options.area && *options.area != the_case["area"].as<std::string>()) continue;
        const Result result = run_case(the_case);
        switch (result.kind) {
            case Result::Kind::passed: ++tally.passed; break;
            case Result::Kind::failed:
                ++tally.failed;
                std::cout << "FAILED  " << id << "  " << result.text << '\n';
                break;
            case Result::Kind::skipped:
                ++tally.skipped;
                std::cout << "skipped " << id << "  " << result.text << '\n';
                break;
        }
    }
}

}  // namespace

int main(int count, char** words) {
    const auto options = parse(count, words);
    if (!options) {
        std::cerr << "usage: conformance [--area AREA] [--case ID] [--list-skipped] FILE...\n";
        return 2;
    }
    if (options->list_skipped) {
        for (const HarnessRow& row : harnesses())
            if (!row.make) std::cout << "harness " << row.name << ": " << row.reason << '\n';
        for (const SkipRow& row : skipped_cases())
            std::cout << "case " << row.id << ": " << row.reason << '\n';
        std::cout << '\n';
    }
    Tally tally;
    for (const std::string& file : options->files) {
        try {
            run_file(file, *options, tally);
        } catch (const YAML::Exception& problem) {
            std::cerr << file << ": " << problem.what() << '\n';
            return 2;
        }
    }
    std::cout << tally.passed << " passed, " << tally.failed << " failed";
    if (tally.skipped > 0) std::cout << ", " << tally.skipped << " skipped";
    std::cout << '\n';
    return tally.failed > 0 ? 1 : 0;
}
