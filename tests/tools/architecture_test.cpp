// The house rules that a machine can see: who may include whom, and which names would let a run
// depend on the machine (architecture.md, sections 2 and 5).

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sources(const std::string& folder) {
    std::vector<fs::path> result;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(EOSIM_SOURCE_DIR) / folder)) {
        const auto extension = entry.path().extension();
        if (extension == ".cpp" || extension == ".hpp") result.push_back(entry.path());
    }
    return result;
}

std::vector<std::string> lines(const fs::path& file) {
    std::ifstream in(file);
    std::vector<std::string> result;
    for (std::string line; std::getline(in, line);) result.push_back(line);
    return result;
}

}  // namespace

TEST_CASE("includes follow the arrows of the architecture") {
    const std::map<std::string, std::set<std::string>> may{
        {"sim", {"sim"}},
        {"model", {"model", "sim"}},
        {"faults", {"faults", "sim"}},
        {"scenarios", {"scenarios", "faults", "model", "sim"}},
        {"reports", {"reports", "model", "sim"}},
    };
    for (const auto& [folder, allowed] : may) {
        for (const auto& file : sources(folder)) {
            for (const auto& line : lines(file)) {
                if (!line.starts_with("#include \"")) continue;
                const auto target = line.substr(10, line.find('/') - 10);
                CHECK_MESSAGE(allowed.contains(target), file.string(), ": ", line);
            }
        }
    }
}

TEST_CASE("nothing in the simulator reads a clock, draws from the standard library or floats") {
    const std::vector<std::string> banned{
        "std::mt19937", "random_device",  "uniform_int_distribution", "system_clock",
        "steady_clock", "high_resolution_clock", "gettimeofday",      "std::unordered_map",
        "std::unordered_set", "std::this_thread", "double ", "float "};
    for (const auto* folder : {"sim", "model", "faults"}) {
        for (const auto& file : sources(folder)) {
            for (const auto& line : lines(file)) {
                const auto code = line.substr(0, line.find("//"));
                for (const auto& word : banned)
                    CHECK_MESSAGE(code.find(word) == std::string::npos, file.string(), ": ", line);
            }
        }
    }
}
