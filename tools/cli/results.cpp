#include "tools/cli/results.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "reports/render/csv.hpp"
#include "reports/render/json.hpp"
#include "reports/render/jsonl.hpp"
#include "reports/render/junit.hpp"
#include "reports/render/markdown.hpp"
#include "reports/render/shell.hpp"
#include "scenarios/repro.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/usage.hpp"
#include "tools/run/sweep.hpp"

namespace eos::cli {
namespace {

std::string_view ending(Format format) {
    switch (format) {
        case Format::json:
            return ".json";
        case Format::jsonl:
            return ".jsonl";
        case Format::csv:
            return ".csv";
        case Format::junit:
            return ".junit.xml";
        case Format::markdown:
            return ".md";
    }
    return "";
}

constexpr std::string_view endings_to_come[] = {".html", ".trace.json", ".shiviz.log", ".dot"};

Format format_of(const std::string& path, const std::vector<Format>& allowed) {
    std::string known;
    for (const auto format : allowed)
        known += (known.empty() ? "" : ", ") + std::string(ending(format));
    const auto hint = "expected a name ending in " + known;
    for (const auto to_come : endings_to_come)
        if (path.ends_with(to_come))
            throw UsageError(fmt::format("--out: {} files are not available yet", to_come), hint);
    for (const auto format : allowed)
        if (path.ends_with(ending(format)) && path.size() > ending(format).size()) return format;
    throw UsageError(fmt::format("--out: the ending of '{}' names no format", path), hint);
}

// Names of people's scenarios go into file names.
std::string file_word(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (plain)
            result += c;
        else if (!result.ends_with('-'))
            result += '-';
    }
    return result.substr(0, 80);
}

std::vector<std::string> failed_classes(const reports::RunReport& report) {
    std::vector<std::string> classes;
    for (const auto& row : report.expect) {
        if (row.state != reports::ExpectRow::State::failed) continue;
        for (std::size_t i = 0; i < report.findings.anomalies.size(); ++i) {
            const auto id = fmt::format("A{}", i + 1);
            if (std::find(row.anomalies.begin(), row.anomalies.end(), id) == row.anomalies.end())
                continue;
            const std::string word(reports::name(report.findings.anomalies[i].count));
            if (std::find(classes.begin(), classes.end(), word) == classes.end())
                classes.push_back(word);
        }
    }
    return classes;
}

}  // namespace

std::vector<Sink> open_sinks(const std::vector<std::string>& paths,
                             const std::vector<Format>& allowed) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        (void)format_of(paths[i], allowed);
        if (std::find(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(i), paths[i]) !=
            paths.begin() + static_cast<std::ptrdiff_t>(i))
            throw UsageError(fmt::format("--out: {} is given twice", paths[i]));
    }
    std::vector<Sink> sinks;
    for (const auto& path : paths) sinks.push_back({format_of(path, allowed), OutputFile(path)});
    return sinks;
}

bool wants(const std::vector<Sink>& sinks, Format format) {
    return std::any_of(sinks.begin(), sinks.end(),
                       [&](const Sink& sink) { return sink.format == format; });
}

reports::StoredRow stored_row(const reports::RunReport& report) {
    return {row_of(report), report.engine,      report.scenario,
            report.file,    report.file_digest, report.overrides};
}

reports::RunReport shown(const reports::RunReport& report, EventLevel asked) {
    auto copy = report;
    if (asked == EventLevel::none) copy.story.clear();
    if (asked == EventLevel::none || asked == EventLevel::key) copy.events_listed.clear();
    return copy;
}

void write_runs(std::vector<Sink>& sinks, const std::vector<reports::RunReport>& full,
                EventLevel asked) {
    std::vector<reports::RunReport> runs;
    for (const auto& run : full) runs.push_back(shown(run, asked));
    for (auto& sink : sinks) {
        switch (sink.format) {
            case Format::json:
                sink.file.write(reports::json(runs));
                break;
            case Format::junit:
                sink.file.write(reports::junit(runs));
                break;
            case Format::markdown:
                sink.file.write(reports::markdown(full));
                break;
            case Format::jsonl:
                for (const auto& run : runs) sink.file.write(reports::jsonl_line(stored_row(run)));
                break;
            case Format::csv:
                sink.file.write(reports::csv_header(sink.file.path()));
                for (const auto& run : runs) sink.file.write(reports::csv_line(stored_row(run)));
                break;
        }
        sink.file.commit();
    }
}

reports::SweepReport summary_of(const std::vector<reports::StoredRow>& rows) {
    std::vector<std::string> variants;
    for (const auto& stored : rows)
        if (std::find(variants.begin(), variants.end(), stored.row.variant) == variants.end())
            variants.push_back(stored.row.variant);
    SweepSums sums(variants);
    std::vector<reports::StoredRow> bad;
    for (const auto& stored : rows) {
        const auto at = std::find(variants.begin(), variants.end(), stored.row.variant);
        sums.add(static_cast<std::size_t>(at - variants.begin()), stored.row);
        if (stored.row.verdict != reports::Verdict::pass) bad.push_back(stored);
    }
    reports::SweepReport report;
    if (!rows.empty()) {
        report.scenario = rows.front().scenario;
        report.file = rows.front().file;
    }
    report.rows = sums.rows();
    report.planned = static_cast<std::int64_t>(rows.size());
    for (const auto& row : report.rows) report.seeds = std::max(report.seeds, row.runs);
    explain_rows(bad, report);
    report.verdict = reports::Verdict::pass;
    for (const auto& stored : bad) {
        if (stored.row.verdict == reports::Verdict::fail)
            report.verdict = stored.row.verdict;
        else if (report.verdict == reports::Verdict::pass)
            report.verdict = stored.row.verdict;
    }
    return report;
}

void explain_rows(const std::vector<reports::StoredRow>& bad, reports::SweepReport& report) {
    struct Group {
        std::string because;
        std::vector<std::uint64_t> seeds;
    };
    std::map<std::string, std::vector<Group>> undecided;
    std::map<std::string, std::size_t> failing;
    constexpr std::size_t commands_most = 8;
    for (const auto& stored : bad) {
        const auto& row = stored.row;
        if (row.verdict == reports::Verdict::fail) {
            if (failing[row.variant]++ == 0 && report.failing.size() < commands_most)
                report.failing.push_back(reports::shell_lines(reports::reproduce(stored), 13));
            continue;
        }
        auto& groups = undecided[row.variant];
        auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const Group& g) { return g.because == row.because; });
        if (found == groups.end()) found = groups.insert(groups.end(), Group{row.because, {}});
        // Several places of one seed are told once.
        if (found->seeds.empty() || found->seeds.back() != row.seed)
            found->seeds.push_back(row.seed);
    }
    for (const auto& [variant, groups] : undecided)
        for (const auto& group : groups) {
            constexpr std::size_t seeds_most = 8;
            std::string seeds;
            for (std::size_t i = 0; i < group.seeds.size() && i < seeds_most; ++i)
                seeds += fmt::format("{}{}", i > 0 ? ", " : "", group.seeds[i]);
            if (group.seeds.size() > seeds_most)
                seeds += fmt::format(" and {} more", group.seeds.size() - seeds_most);
            report.undecided.push_back(fmt::format(
                "{}{}{}, seeds {}", variant, variant.empty() ? "" : ": ", group.because, seeds));
        }
}

std::string save_repro(const scenarios::Instance& instance, const RunOutcome& outcome,
                       std::string_view place) {
    const auto& scenario = *instance.scenario;
    scenarios::Repro repro;
    repro.engine = std::string(engine_version());
    repro.variant = scenario.variant;
    repro.cell = scenario.cell;
    repro.seed = scenario.seed;
    repro.drawn = scenario.drawn;
    repro.decisions = outcome.decisions;
    repro.anomalies = failed_classes(outcome.report);
    repro.verdict = std::string(reports::name(outcome.report.verdict));
    repro.digest = fmt::format("{:016x}", outcome.report.digest);
    repro.scenario = instance.tree;
    auto name = file_word(scenario.name);
    const auto full = scenario.variant + (scenario.cell.empty() ? "" : " " + scenario.cell);
    if (!full.empty()) name += "-" + file_word(full);
    const auto at = place.empty() ? std::string() : "-" + file_word(place);
    const auto path = fmt::format(".eosim/{}-{}{}.repro.yaml", name, scenario.seed, at);
    try {
        std::error_code error;
        std::filesystem::create_directories(".eosim", error);
        write_file(path, scenarios::write_repro(repro));
        return path;
    } catch (const OutputError& error) {
        tell(fmt::format("eosim: the repro file is not saved: {}\n", error.what()));
        return "";
    }
}

int code_of(reports::Verdict verdict) {
    switch (verdict) {
        case reports::Verdict::pass:
            return exit_code::met;
        case reports::Verdict::fail:
            return exit_code::not_met;
        case reports::Verdict::inconclusive:
            return exit_code::inconclusive;
    }
    return exit_code::internal;
}

}  // namespace eos::cli
