// The shipped scenarios: every file is valid, every variant is as expected with the seed of the file
// and a few more.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "reports/render/text.hpp"
#include "scenarios/load.hpp"
#include "tools/run/run.hpp"

namespace {

using namespace eos;

std::vector<std::string> library() {
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(EOSIM_SOURCE_DIR "/scenarios"))
        if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

TEST_CASE("every shipped scenario is valid and says what must have happened") {
    const auto files = library();
    CHECK(files.size() >= 35);
    for (const auto& file : files) {
        CAPTURE(file);
        const auto loaded = scenarios::load_file(file);
        const auto diagnostics = scenarios::check(loaded);
        CHECK_MESSAGE(diagnostics.errors() == 0,
                      scenarios::print(diagnostics, scenarios::DiagnosticFormat::text));
    }
}

TEST_CASE("every variant of every shipped scenario is as expected") {
    for (const auto& file : library()) {
        const auto loaded = scenarios::load_file(file);
        for (const auto& cell : scenarios::cells(loaded)) {
            for (std::uint64_t seed = 1; seed <= 3; ++seed) {
                scenarios::Request request;
                request.cell = cell;
                request.seed = seed;
                const auto instance = scenarios::instantiate(loaded, request);
                REQUIRE(instance.scenario.has_value());

                const auto outcome = run(*instance.scenario);

                CHECK_MESSAGE(outcome.report.verdict == reports::Verdict::pass, file, " ",
                              reports::text(outcome.report));
            }
        }
    }
}
