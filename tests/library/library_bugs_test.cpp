// Every bug the library promises to show has its row in the table of bugs and its scenario: the
// table is held against bugs.txt, and each scenario against the bug it is named for.

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "model/bugs.hpp"

using namespace eos;

namespace {

namespace fs = std::filesystem;

/// What each bug of the list waits for; empty: it is due.
std::map<std::string, std::string> bugs_listed() {
    std::map<std::string, std::string> bugs;
    std::ifstream file(EOSIM_SOURCE_DIR "/tests/library/bugs.txt");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream columns(line);
        std::string id, component, invariants, waits;
        std::getline(columns, id, '\t');
        std::getline(columns, component, '\t');
        std::getline(columns, invariants, '\t');
        std::getline(columns, waits);
        CHECK_MESSAGE(bugs.emplace(id, waits).second, "bug ", id, " is listed once");
    }
    return bugs;
}

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("every promised bug is in the table of bugs, unless it says what it waits for") {
    const auto listed = bugs_listed();

    CHECK(listed.size() == 34);
    for (const auto& [id, waits] : listed) {
        CAPTURE(id);
        CAPTURE(waits);
        CHECK((model::bug(id) != nullptr) == waits.empty());
    }
}

TEST_CASE("every bug has a switch, a sentence, its versions and its window") {
    std::set<std::string_view> names;
    for (const auto& row : model::bugs()) {
        CAPTURE(row.name);
        CHECK(names.insert(row.name).second);
        CHECK((!row.removes.empty() || row.newest || !row.mistake.empty()));
        CHECK_FALSE(row.claim.empty());
        CHECK_FALSE(row.versions.empty());
        CHECK_FALSE(row.window.empty());
        for (const auto removed : row.removes) CHECK(model::entry(removed).side == row.side);
        if (!row.mistake.empty()) CHECK(row.side == model::Side::client);
    }
}

TEST_CASE("the scenario of every bug switches that bug on, in one variant beside one that holds") {
    for (const auto& row : model::bugs()) {
        CAPTURE(row.name);
        const auto path = fs::path(EOSIM_SOURCE_DIR "/scenarios") / row.scenario;
        REQUIRE(fs::is_regular_file(path));
        const auto text = text_of(path);
        const auto written = text.find("bugs: [" + std::string(row.name));
        CHECK(written != std::string::npos);
        CHECK(text.find("variants:") < written);
    }
}
