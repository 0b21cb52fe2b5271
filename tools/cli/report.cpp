// eosim report: stored results read back and rendered in other formats.

#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "reports/render/csv.hpp"
#include "reports/render/json.hpp"
#include "reports/render/jsonl.hpp"
#include "reports/render/junit.hpp"
#include "reports/render/markdown.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/results.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

void write_rows(std::vector<Sink>& sinks, const std::vector<reports::StoredRow>& rows) {
    const auto report = summary_of(rows);
    for (auto& sink : sinks) {
        auto& file = sink.file;
        switch (sink.format) {
            case Format::json:
                file.write(reports::json(report, rows));
                break;
            case Format::jsonl:
                for (const auto& row : rows) file.write(reports::jsonl_line(row));
                break;
            case Format::csv:
                file.write(reports::csv_header(file.path()));
                for (const auto& row : rows) file.write(reports::csv_line(row));
                break;
            case Format::junit:
                file.write(reports::junit(report, rows));
                break;
            case Format::markdown:
                file.write(reports::markdown(report, rows));
                break;
        }
        file.commit();
    }
}

}  // namespace

int report_verb(const Options& options, Screen& screen) {
    if (options.words.empty())
        throw UsageError("report needs stored results",
                         "for example: eosim report results.jsonl --out results.md");
    reports::StoredResults all;
    for (const auto& path : options.words) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream text;
        if (file && !is_directory(path)) text << file.rdbuf();
        if (!file || is_directory(path)) {
            tell(
                fmt::format("{}: error: it cannot be read\nname a file written by --out "
                            "FILE.json or FILE.jsonl\n",
                            path));
            return exit_code::invalid_file;
        }
        auto results = reports::read_results(text.str());
        if (!results.problem.empty()) {
            tell(
                fmt::format("{}: error: {}\nexpected a file written by --out FILE.json or "
                            "FILE.jsonl\n",
                            path, results.problem));
            return exit_code::invalid_file;
        }
        for (auto& run : results.runs) all.runs.push_back(std::move(run));
        for (auto& row : results.rows) all.rows.push_back(std::move(row));
    }
    if (!all.runs.empty() && !all.rows.empty())
        throw UsageError("these are results of single runs and of sweeps",
                         "convert them in two commands");
    auto sinks = open_sinks(
        options.outs, {Format::json, Format::jsonl, Format::csv, Format::markdown, Format::junit});
    if (all.runs.empty()) {
        if (sinks.empty()) screen.print(reports::text(summary_of(all.rows)));
        write_rows(sinks, all.rows);
        return exit_code::met;
    }
    if (sinks.empty())
        for (const auto& run : all.runs)
            screen.print(all.runs.size() == 1 ? reports::text(run) : reports::text_line(run));
    write_runs(sinks, all.runs, EventLevel::all);
    return exit_code::met;
}

}  // namespace eos::cli
