// Every row the library promises to show has its file: the table of scenarios/README.md is held
// against rows.txt, and against the files that are there.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct Row {
    std::string due;  ///< shown, waits, note
    std::string item;
};

std::map<std::string, Row> rows_due() {
    std::map<std::string, Row> rows;
    std::ifstream file(EOSIM_SOURCE_DIR "/tests/library/rows.txt");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream words(line);
        std::string id;
        Row row;
        words >> id >> row.due;
        std::getline(words >> std::ws, row.item);
        CHECK_MESSAGE(rows.emplace(id, row).second, "row ", id, " is listed once");
    }
    return rows;
}

/// The last cell of each row of the table, by the id in its first.
std::map<std::string, std::string> table() {
    std::map<std::string, std::string> cells;
    std::ifstream file(EOSIM_SOURCE_DIR "/scenarios/README.md");
    for (std::string line; std::getline(file, line);) {
        const bool row =
            line.size() > 3 && line.starts_with("| ") && line[2] >= '0' && line[2] <= '9';
        if (!row) continue;
        const auto id = line.substr(2, line.find(' ', 2) - 2);
        const auto last = line.rfind("| ", line.size() - 2);
        const auto cell = line.substr(last + 2, line.rfind(" |") - last - 2);
        CHECK_MESSAGE(cells.emplace(id, cell).second, "row ", id, " is in the table once");
    }
    return cells;
}

/// What stands in backticks.
std::vector<std::string> files_in(const std::string& cell) {
    std::vector<std::string> files;
    for (auto at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
        const auto end = cell.find('`', at + 1);
        files.push_back(cell.substr(at + 1, end - at - 1));
        at = end;
    }
    return files;
}

}  // namespace

TEST_CASE("every row of the promised sections is in the table of the library") {
    const auto due = rows_due();
    const auto given = table();

    CHECK(due.size() == 104);
    for (const auto& [id, row] : due) {
        CAPTURE(id);
        CAPTURE(row.item);
        const auto cell = given.find(id);
        const bool early = id.starts_with("1.") || id.starts_with("2.") || id.starts_with("3.");
        if (early || row.due == "shown") REQUIRE(cell != given.end());
        if (cell == given.end()) continue;
        const auto files = files_in(cell->second);
        if (row.due == "shown") {
            CHECK_FALSE(files.empty());
        } else if (row.due == "waits") {
            CHECK(cell->second.starts_with("waits for "));
        } else {
            CHECK(row.due == "note");
            CHECK(cell->second == "-");
        }
    }
}

TEST_CASE("every file the table names is in the library, and every row it names is due") {
    const auto due = rows_due();

    for (const auto& [id, cell] : table()) {
        CAPTURE(id);
        CHECK(due.contains(id));
        for (const auto& file : files_in(cell)) {
            CAPTURE(file);
            CHECK(fs::is_regular_file(fs::path(EOSIM_SOURCE_DIR "/scenarios") / file));
        }
    }
}
