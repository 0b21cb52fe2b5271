#pragma once
// Stored results: which formats --out knows, and the repro file of a failing run.

#include <string>
#include <string_view>
#include <vector>

#include "reports/render/rows.hpp"
#include "scenarios/load.hpp"
#include "tools/cli/output.hpp"
#include "tools/run/run.hpp"

namespace eos::cli {

enum class Format { json, jsonl, csv, junit, markdown };

/// An --out option: its format is told by the name, its temporary file is open.
struct Sink {
    Format format;
    OutputFile file;
};
/// Throws UsageError for a name whose ending is not among `allowed`.
[[nodiscard]] std::vector<Sink> open_sinks(const std::vector<std::string>& paths,
                                           const std::vector<Format>& allowed);
[[nodiscard]] bool wants(const std::vector<Sink>& sinks, Format format);

/// A run without the tapes nobody asked for: they are kept when another output needs them.
[[nodiscard]] reports::RunReport shown(const reports::RunReport& report, EventLevel asked);
/// Writes runs into every sink and commits them. Only Markdown draws more than was asked for.
void write_runs(std::vector<Sink>& sinks, const std::vector<reports::RunReport>& reports,
                EventLevel asked);
/// A run as a row.
[[nodiscard]] reports::StoredRow stored_row(const reports::RunReport& report);
/// The summary of rows: sums, verdict; scenario and file are those of the first row.
[[nodiscard]] reports::SweepReport summary_of(const std::vector<reports::StoredRow>& rows);
/// Groups what is not decided into sentences, and names the commands that run failures again.
void explain_rows(const std::vector<reports::StoredRow>& bad, reports::SweepReport& report);

/// Saves a failing run as .eosim/NAME-VARIANT-SEED.repro.yaml (a placed one ends in its `place`) and
/// gives the path; says so on standard error and gives an empty text if that is not possible.
[[nodiscard]] std::string save_repro(const scenarios::Instance& instance, const RunOutcome& outcome,
                                     std::string_view place = {});

/// Exit code of a verdict.
[[nodiscard]] int code_of(reports::Verdict verdict);

}  // namespace eos::cli
