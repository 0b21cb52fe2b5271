// Every file in malformed/ is refused, with exactly the findings its .expected file lists. Set
// EOSIM_REWRITE=1 to write the findings anew, and read them before committing.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "scenarios/load.hpp"

namespace {

namespace fs = std::filesystem;
using namespace eos::scenarios;

std::vector<fs::path> corpus() {
    std::vector<fs::path> result;
    for (const auto& entry : fs::directory_iterator(EOSIM_SOURCE_DIR "/tests/scenarios/malformed"))
        if (entry.path().extension() == ".yaml") result.push_back(entry.path());
    std::sort(result.begin(), result.end());
    return result;
}

std::string findings(const fs::path& file) {
    const auto diagnostics = check(load_file(file.string()));
    std::string result;
    for (const auto& d : diagnostics.sorted())
        if (d.severity == Severity::error)
            result += fmt::format("{}:{} {}{}\n", d.line, d.column, d.text,
                                  d.hint.empty() ? "" : " = " + d.hint);
    return result;
}

std::string content(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("the corpus of malformed scenarios holds at least a hundred different mistakes") {
    CHECK(corpus().size() >= 100);
}

TEST_CASE("every malformed scenario is refused with the findings written down beside it") {
    const bool rewrite = std::getenv("EOSIM_REWRITE") != nullptr;
    for (const auto& file : corpus()) {
        CAPTURE(file.filename().string());
        auto expected = file;
        expected.replace_extension(".expected");

        const auto found = findings(file);
        if (rewrite) std::ofstream(expected, std::ios::binary) << found;

        CHECK_FALSE(found.empty());
        CHECK(found == content(expected));
    }
}
