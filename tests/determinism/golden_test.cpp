// Digests that every compiler, optimisation level and sanitizer must reproduce (golden.txt). A change
// of the model changes them: EOSIM_REWRITE=1 writes the file anew, and the diff is read by a person.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "scenarios/load.hpp"
#include "tools/run/run.hpp"

namespace {

using namespace eos;

struct Row {
    std::string file;
    std::string variant;  ///< "-": as written
    std::uint64_t seed = 1;
    std::string digest;
};

const std::string path = EOSIM_SOURCE_DIR "/tests/determinism/golden.txt";

std::vector<Row> rows() {
    std::ifstream in(path);
    std::vector<Row> result;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::istringstream words(line);
        Row row;
        words >> row.file >> row.variant >> row.seed >> row.digest;
        result.push_back(std::move(row));
    }
    return result;
}

std::string digest_of(const Row& row) {
    const auto loaded = scenarios::load_file(EOSIM_SOURCE_DIR "/scenarios/" + row.file);
    scenarios::Request request;
    if (row.variant != "-") request.cell.variant = row.variant;
    request.seed = row.seed;
    const auto instance = scenarios::instantiate(loaded, request);
    REQUIRE_MESSAGE(instance.scenario.has_value(), row.file);
    return fmt::format("{:016x}", run(*instance.scenario).report.digest);
}

}  // namespace

TEST_CASE("runs have the digests they had everywhere else") {
    auto golden = rows();
    REQUIRE(golden.size() >= 12);

    const bool rewrite = std::getenv("EOSIM_REWRITE") != nullptr;
    for (auto& row : golden) {
        const auto got = digest_of(row);
        if (rewrite) row.digest = got;
        CHECK_MESSAGE(row.digest == got, row.file, " ", row.variant, " seed ", row.seed);
    }

    if (!rewrite) return;
    std::ofstream out(path);
    out << "# file, variant, seed, trace digest\n";
    for (const auto& row : golden)
        out << fmt::format("{} {} {} {}\n", row.file, row.variant, row.seed, row.digest);
}
