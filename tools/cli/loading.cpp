#include "tools/cli/loading.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "scenarios/repro.hpp"
#include "sim/digest.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/usage.hpp"

namespace eos::cli {
namespace {

namespace fs = std::filesystem;

std::string digest_of(std::string_view bytes) {
    sim::Digest digest;
    const auto size = bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const auto part = bytes.substr(0, 8);
        for (std::size_t i = 0; i < part.size(); ++i)
            word |= std::uint64_t{static_cast<unsigned char>(part[i])} << (8 * i);
        digest.fold(word, part.size());
        bytes.remove_prefix(part.size());
    }
    digest.fold(size, 0);
    return fmt::format("{:016x}", digest.value());
}

[[noreturn]] void no_such_variant(const Input& input, const std::string& name) {
    const auto names = scenarios::variant_names(input.loaded);
    throw UsageError(fmt::format("--variant: there is no variant '{}' in {}", name, input.path),
                     names.empty() ? "the file has no variants" : suggest_or_list(name, names));
}

}  // namespace

Input open_input(const std::string& path) {
    Input input;
    input.path = path;
    if (path.ends_with(".repro.yaml")) {
        // Longer than a scenario may be: read with budgets of its own.
        input.repro = true;
        return input;
    }
    input.loaded = scenarios::load_file(path);
    input.repro = scenarios::is_repro(input.loaded);
    std::error_code ignored;
    if (input.loaded.root && fs::is_regular_file(path, ignored)) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream bytes;
        bytes << file.rdbuf();
        input.digest = digest_of(bytes.str());
    }
    return input;
}

bool is_directory(const std::string& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

std::vector<std::string> scenario_files(const std::string& path) {
    if (!is_directory(path)) return {path};
    std::vector<std::string> files;
    std::error_code error;
    fs::recursive_directory_iterator entry(path, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (entry->is_directory(error)) {
            if (name.starts_with('.')) entry.disable_recursion_pending();
            continue;
        }
        const auto extension = entry->path().extension();
        if ((extension == ".yaml" || extension == ".yml") && !name.starts_with('.'))
            files.push_back(entry->path().string());
    }
    if (error) throw UsageError(fmt::format("cannot read {}: {}", path, error.message()));
    if (files.empty())
        throw UsageError(fmt::format("there is no scenario in {}", path),
                         "expected files ending in .yaml, here or in sub-directories");
    std::sort(files.begin(), files.end());
    return files;
}

const std::string& only_file(const Options& options, const std::string& example) {
    if (options.words.empty())
        throw UsageError(fmt::format("{} needs a file", options.verb),
                         fmt::format("for example: eosim {} {}", options.verb, example));
    if (options.words.size() > 1)
        throw UsageError(
            fmt::format("{} takes one file, '{}' is too many", options.verb, options.words[1]));
    if (is_directory(options.words.front()))
        throw UsageError(
            fmt::format("{} takes a file, {} is a directory", options.verb, options.words.front()),
            "only 'run' and 'check' take directories");
    return options.words.front();
}

std::string cell_name(const scenarios::Loaded& loaded, const scenarios::Cell& cell) {
    const auto matrix = scenarios::matrix_text(loaded, cell);
    if (matrix.empty()) return cell.variant;
    return cell.variant.empty() ? matrix : cell.variant + " " + matrix;
}

std::vector<scenarios::Cell> cells_named(const Input& input,
                                         const std::optional<std::string>& name) {
    if (!name) return scenarios::cells(input.loaded);
    const auto names = scenarios::variant_names(input.loaded);
    if (std::find(names.begin(), names.end(), *name) != names.end())
        return scenarios::cells(input.loaded, *name);
    for (auto& cell : scenarios::cells(input.loaded))
        if (!cell.matrix.empty() && cell_name(input.loaded, cell) == *name) return {cell};
    no_such_variant(input, *name);
}

scenarios::Cell cell_to_run(const Input& input, const std::optional<std::string>& name) {
    if (!name) return {};
    const auto names = scenarios::variant_names(input.loaded);
    if (std::find(names.begin(), names.end(), *name) != names.end()) return {*name, {}};
    return cells_named(input, name).front();
}

std::vector<scenarios::Override> overrides_of(const Options& options) {
    std::vector<scenarios::Override> result;
    for (const auto& text : options.sets) {
        auto parsed = scenarios::parse_override(text);
        if (!parsed)
            throw UsageError(fmt::format("--set: '{}' is not path=value", text),
                             "for example --set cluster.brokers=5");
        result.push_back(std::move(*parsed));
    }
    return result;
}

int say_invalid(const scenarios::Diagnostics& diagnostics) {
    tell(scenarios::print(diagnostics, scenarios::DiagnosticFormat::text));
    return exit_code::invalid_file;
}

int jobs_of(const Options& options) {
    if (options.jobs) return static_cast<int>(whole_number("--jobs", *options.jobs, 1, 1024));
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::optional<std::string> library() {
    const auto is_library = [](const fs::path& path) {
        std::error_code ignored;
        return fs::is_directory(path / "start", ignored);
    };
    if (const char* named = std::getenv("EOSIM_LIBRARY"); named != nullptr && *named != '\0')
        return std::string(named);
    std::error_code ignored;
    if (is_library("scenarios")) return "scenarios";
    for (auto above = fs::read_symlink("/proc/self/exe", ignored).parent_path();
         !above.empty() && above != above.root_path(); above = above.parent_path()) {
        if (is_library(above / "scenarios")) return (above / "scenarios").string();
        const auto shared = above / "share" / "eosim" / "scenarios";
        if (is_library(shared)) return shared.string();
    }
    return std::nullopt;
}

}  // namespace eos::cli
