// eosim sweep: seeds x variants x matrix on all cores. Rows reach the files in the order of the
// plan, so the same bytes are written whatever --jobs is.

#include "tools/run/sweep.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "reports/render/csv.hpp"
#include "reports/render/json.hpp"
#include "reports/render/jsonl.hpp"
#include "reports/render/junit.hpp"
#include "reports/render/markdown.hpp"
#include "reports/render/shell.hpp"
#include "reports/render/words.hpp"
#include "sim/ensure.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/progress.hpp"
#include "tools/cli/results.hpp"
#include "tools/cli/run_many.hpp"
#include "tools/cli/stop.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

using RowKey = std::pair<std::string, std::uint64_t>;

std::string read_all(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

class SweepCommand {
  public:
    SweepCommand(const Options& options, Input input, Screen& screen)
        : options_(options), input_(std::move(input)), screen_(screen) {}

    int act() {
        if (const int code = make_plan(); code != exit_code::met) return code;
        if (options_.resume) resume();
        sinks_ = open_sinks(options_.outs, {Format::jsonl, Format::csv, Format::json,
                                            Format::markdown, Format::junit});
        // Rows of an earlier sweep are sorted in between; a document needs all of them at once.
        keep_rows_ = options_.resume || wants(sinks_, Format::json);
        if (!keep_rows_)
            for (auto& sink : sinks_)
                if (sink.format == Format::csv)
                    sink.file.write(reports::csv_header(sink.file.path()));
        bool complete = false;
        {
            Watchdog watchdog(time_);
            if (!plan_.placed.empty()) place();
            Progress progress(report_.planned, static_cast<std::int64_t>(resumed_.size()));
            const auto swept = sweep(input_.loaded, plan_, [&](const SweepRun& run) {
                if (!enough()) take(run);
                progress.tell(report_.resumed + taken_, undecided_);
            });
            complete = swept.complete;
            tell_left_out(swept.left_out);
            timed_out_ = watchdog.barked();
        }
        if (output_problem_) throw OutputError(*output_problem_);
        return conclude(complete);
    }

  private:
    int make_plan() {
        plan_.overrides = overrides_of(options_);
        const auto file_sweep = scenarios::sweep_of(input_.loaded);
        plan_.placed = file_sweep.place;
        if (options_.limit && plan_.placed.empty())
            throw UsageError("--limit is for files with sweep.place",
                             "this file has none; --seeds and --stop-after bound the runs");
        if (options_.resume && !plan_.placed.empty())
            throw UsageError("--resume cannot go on with placed faults (sweep.place)",
                             "sweep again, with fewer --seeds at a time");
        if (options_.seeds)
            plan_.seeds = seed_list("--seeds", *options_.seeds);
        else if (file_sweep.seeds)
            plan_.seeds = seed_list(
                "seeds", fmt::format("{}..{}", file_sweep.seeds->first, file_sweep.seeds->second));
        else
            plan_.seeds = seed_list("seeds", "1..1000");
        plan_.jobs = jobs_of(options_);
        if (options_.stop_after)
            plan_.stop_after = static_cast<std::int64_t>(
                whole_number("--stop-after", *options_.stop_after, 1, 1'000'000'000));
        if (options_.keep) keep_most_ = whole_number("--keep", *options_.keep, 0, 1'000'000);
        if (options_.time) time_ = duration("--time", *options_.time);
        if (options_.resume && resume_file().empty())
            throw UsageError("--resume needs a file of an earlier sweep",
                             "name it with --out FILE.jsonl");
        plan_.stop = &stop_flag();

        for (auto& cell : cells_named(input_, options_.variant)) {
            const auto instance = first_valid(cell, file_sweep.draws);
            if (!instance.scenario) {
                // In a matrix some combinations make no sense: they are left out, and listed.
                if (cell.matrix.empty() || !plain_is_valid(cell))
                    return say_invalid(instance.diagnostics);
                skipped_.push_back(cell_name(input_.loaded, cell));
                if (!first_skipped_) first_skipped_ = instance.diagnostics;
                continue;
            }
            report_.scenario = instance.scenario->name;
            names_.push_back(cell_name(input_.loaded, cell));
            plan_.cells.push_back(std::move(cell));
        }
        if (plan_.cells.empty()) return say_invalid(*first_skipped_);
        report_.file = input_.path;
        report_.seeds = static_cast<std::int64_t>(plan_.seeds.size());
        report_.planned = report_.seeds * static_cast<std::int64_t>(plan_.cells.size());
        sums_.emplace(names_);
        return exit_code::met;
    }

    // One run for each occurrence, so the fault-free runs come first.
    void place() {
        std::optional<std::int64_t> limit;
        if (options_.limit)
            limit = static_cast<std::int64_t>(
                whole_number("--limit", *options_.limit, 1, 1'000'000));
        constexpr std::size_t most = 1'000'000;
        auto places = find_places(input_.loaded, plan_, limit, most);
        if (places.wanted > most)
            throw UsageError(fmt::format("sweep.place makes {} runs of this, at most {} are made",
                                         places.wanted, most),
                             "--limit N tries N places per fault, --seeds takes fewer seeds");
        plan_.places = std::move(places.all);
        report_.planned = static_cast<std::int64_t>(plan_.places.size());
        for (const auto& name : plan_.placed)
            report_.placed += (report_.placed.empty() ? "" : " and ") + name;
        constexpr std::size_t shown_most = 8;
        const auto tell_some = [](const std::vector<std::string>& all, std::string_view what,
                                  std::vector<std::string>& into) {
            for (std::size_t i = 0; i < all.size() && i < shown_most; ++i)
                into.push_back(fmt::format("{}{}", what, all[i]));
            if (all.size() > shown_most)
                into.push_back(fmt::format("{}{} more", what, all.size() - shown_most));
        };
        tell_left_out(places.left_out);
        tell_some(places.nowhere, "no place to try: ", report_.undecided);
        tell_some(places.thinned, "tried by --limit: ", report_.notes);
        unplaced_ = !places.nowhere.empty();
    }

    void tell_left_out(const std::vector<LeftOut>& all) {
        for (const auto& one : all)
            report_.notes.push_back(fmt::format(
                "left out{}: {} of {} draw values that do not go together; the first is seed {}: {}",
                names_[one.cell].empty() ? "" : " of " + names_[one.cell], one.seeds,
                reports::counted(report_.seeds, "seed"), one.seed, one.because));
    }

    /// Of the first seed whose drawn values go together; of the first of all if none do.
    [[nodiscard]] scenarios::Instance first_valid(const scenarios::Cell& cell, bool draws) const {
        scenarios::Request request;
        request.cell = cell;
        request.overrides = plan_.overrides;
        request.seed = plan_.seeds.front();
        auto first = scenarios::instantiate(input_.loaded, request);
        for (const auto seed : plan_.seeds) {
            if (first.scenario || !draws) break;
            request.seed = seed;
            if (auto other = scenarios::instantiate(input_.loaded, request); other.scenario)
                return other;
        }
        return first;
    }

    [[nodiscard]] bool plain_is_valid(const scenarios::Cell& cell) const {
        scenarios::Request request;
        request.cell.variant = cell.variant;
        request.overrides = plan_.overrides;
        return scenarios::instantiate(input_.loaded, request).scenario.has_value();
    }

    [[nodiscard]] std::string resume_file() const {
        for (const auto& out : options_.outs)
            if (out.ends_with(".jsonl")) return out;
        return "";
    }

    [[nodiscard]] reports::StoredRow stored(const reports::RunRow& row) const {
        reports::StoredRow result{
            row, std::string(engine_version()), report_.scenario, input_.path, input_.digest, {}};
        for (const auto& option : plan_.overrides)
            result.overrides.emplace_back(option.path, option.value);
        return result;
    }

    void resume() {
        const auto path = resume_file();
        const auto text = read_all(path);
        if (text.empty()) return;  // nothing was done yet
        const auto results = reports::read_results(text);
        if (!results.problem.empty() || results.rows.empty())
            throw UsageError(fmt::format("--resume: {}: {}", path,
                                         results.problem.empty() ? "it holds no rows of a sweep"
                                                                 : results.problem),
                             "choose another --out FILE.jsonl");
        std::map<std::string, std::size_t> cells;
        for (std::size_t i = 0; i < names_.size(); ++i) cells.emplace(names_[i], i);
        const std::set<std::uint64_t> seeds(plan_.seeds.begin(), plan_.seeds.end());
        for (const auto& row : results.rows) {
            const auto same = stored(row.row);
            if (row.file_digest != same.file_digest || row.engine != same.engine ||
                row.overrides != same.overrides)
                throw UsageError(
                    fmt::format("--resume: {} was made from another scenario, --set or engine",
                                path),
                    "choose another --out FILE.jsonl, or remove it");
            const auto cell = cells.find(row.row.variant);
            if (cell == cells.end() || !seeds.contains(row.row.seed))
                throw UsageError(
                    fmt::format("--resume: {} holds {} seed {}, which is not asked for", path,
                                row.row.variant, row.row.seed),
                    "sweep at least the variants and seeds of the earlier sweep");
            if (!plan_.done.insert({row.row.variant, row.row.seed}).second) continue;
            resumed_.emplace(RowKey{row.row.variant, row.row.seed}, row);
            sums_->add(cell->second, row.row);
            judge(cell->second, row);
        }
        report_.resumed = static_cast<std::int64_t>(resumed_.size());
    }

    [[nodiscard]] bool enough() const { return plan_.stop_after && failing_ >= *plan_.stop_after; }

    void judge(std::size_t cell, const reports::StoredRow& row,
               const std::vector<scenarios::Override>& place = {}) {
        if (row.row.verdict == reports::Verdict::pass) return;
        if (row.row.verdict == reports::Verdict::fail) {
            ++failing_;
            if (failed_.size() < keep_most_) failed_.push_back({cell, row.row.seed, place});
        } else {
            ++undecided_;
        }
        bad_.push_back(row);
    }

    void take(const SweepRun& run) {
        ++taken_;
        sums_->add(run);
        auto row = stored(run.row);
        for (const auto& option : run.place) row.overrides.emplace_back(option.path, option.value);
        judge(run.cell, row, run.place);
        if (run.broken && !broken_) broken_ = {*run.broken, reports::reproduce(row)};
        if (keep_rows_ && resumed_.empty()) in_order_.push_back(row);
        if (keep_rows_ && !resumed_.empty())
            fresh_.emplace(RowKey{row.row.variant, row.row.seed}, row);
        if (keep_rows_) return;
        if (output_problem_) return;
        try {
            for (auto& sink : sinks_) {
                if (sink.format == Format::jsonl) sink.file.write(reports::jsonl_line(row));
                if (sink.format == Format::csv) sink.file.write(reports::csv_line(row));
            }
        } catch (const OutputError& error) {
            // Not worth computing what cannot be kept.
            output_problem_ = error.what();
            stop_flag().store(true);
        }
    }

    // In the order of the plan.
    [[nodiscard]] std::vector<reports::StoredRow> all_rows() const {
        if (resumed_.empty()) return in_order_;
        std::vector<reports::StoredRow> rows;
        for (const auto& name : names_)
            for (const auto seed : plan_.seeds) {
                if (const auto old = resumed_.find({name, seed}); old != resumed_.end())
                    rows.push_back(old->second);
                else if (const auto made = fresh_.find({name, seed}); made != fresh_.end())
                    rows.push_back(made->second);
            }
        return rows;
    }

    void cover() {
        for (const auto& [name, times] : sums_->reached()) {
            if (name.starts_with("safeguard.") || name.ends_with(".ended")) continue;
            const bool fault = name.starts_with("fault.");
            ++(fault ? report_.faults_total : report_.milestones_total);
            if (times > 0) ++(fault ? report_.faults_fired : report_.milestones_seen);
            constexpr std::size_t most = 8;
            if (times == 0 && report_.never_reached.size() < most)
                report_.never_reached.push_back(fault ? name.substr(6) : name);
        }
    }

    void check_claims(const scenarios::Sweep& file_sweep) {
        for (const auto& claim : file_sweep.compare) {
            auto needs = claim.variants;
            if (!claim.of.empty()) needs.push_back(claim.of);
            if (!claim.against.empty()) needs.push_back(claim.against);
            const auto missing = std::find_if(needs.begin(), needs.end(), [&](const auto& name) {
                return std::find(names_.begin(), names_.end(), name) == names_.end();
            });
            if (missing != needs.end() || report_.interrupted) {
                report_.undecided.push_back(fmt::format(
                    "the claim about {} is not checked: {}",
                    claim.metric ? scenarios::name_of(*claim.metric) : "effects",
                    report_.interrupted ? "not every run was made"
                                        : fmt::format("no runs of variant {} alone", *missing)));
                // Who asks for one variant knows that there is nothing to compare it with.
                unchecked_claim_ = unchecked_claim_ || !options_.variant;
                continue;
            }
            report_.claims.push_back(check_claim(claim, names_, *sums_));
        }
    }

    // A row tells that a run failed; its decisions are had by running it again.
    void save_failures() {
        for (const auto& [cell, seed, place] : failed_) {
            if (interrupted()) return;
            scenarios::Request request;
            request.cell = plan_.cells[cell];
            request.overrides = plan_.overrides;
            request.overrides.insert(request.overrides.end(), place.begin(), place.end());
            request.seed = seed;
            const auto instance = scenarios::instantiate(input_.loaded, request);
            if (!instance.scenario) continue;
            try {
                const auto outcome = run(*instance.scenario, {});
                if (outcome.report.verdict != reports::Verdict::fail) continue;
                std::string at;
                for (const auto& option : place)
                    at += option.path.substr(7, option.path.size() - 10) + option.value;
                if (auto path = save_repro(instance, outcome, at); !path.empty())
                    report_.kept.push_back(std::move(path));
            } catch (const sim::BrokenContract&) {
                // Told already, with its command.
            }
        }
    }

    [[nodiscard]] reports::Verdict verdict() const {
        if (failing_ > 0) return reports::Verdict::fail;
        for (const auto& [claim, held] : report_.claims)
            if (!held) return reports::Verdict::fail;
        const bool none = report_.resumed + taken_ == 0;
        const bool open = undecided_ > 0 || none || unchecked_claim_ || unplaced_;
        return open ? reports::Verdict::inconclusive : reports::Verdict::pass;
    }

    void write_sinks() {
        const auto rows = keep_rows_ ? all_rows() : bad_;
        for (auto& sink : sinks_) {
            auto& file = sink.file;
            switch (sink.format) {
                case Format::jsonl:
                    if (keep_rows_)
                        for (const auto& row : rows) file.write(reports::jsonl_line(row));
                    break;
                case Format::csv:
                    if (!keep_rows_) break;
                    file.write(reports::csv_header(file.path()));
                    for (const auto& row : rows) file.write(reports::csv_line(row));
                    break;
                case Format::json:
                    file.write(reports::json(report_, rows));
                    break;
                case Format::markdown:
                    file.write(reports::markdown(report_, rows));
                    break;
                case Format::junit:
                    file.write(reports::junit(report_, rows));
                    break;
            }
            file.commit();
        }
    }

    int conclude(bool complete) {
        report_.rows = sums_->rows();
        report_.interrupted = !complete || enough();
        if (interrupted())
            report_.cut_short = "interrupted";
        else if (enough())
            report_.cut_short = fmt::format("stopped by --stop-after {}", *plan_.stop_after);
        else if (!complete)
            report_.cut_short = fmt::format("stopped by --time {}", options_.time.value_or(""));
        explain_rows(bad_, report_);
        for (const auto& name : skipped_)
            report_.undecided.push_back(fmt::format("left out, makes no sense: {}", name));
        check_claims(scenarios::sweep_of(input_.loaded));
        cover();
        if (!timed_out_)
            save_failures();
        else if (!failed_.empty()) {
            stop_flag().store(false);  // the time is over for the sweep, not for keeping its finds
            save_failures();
        }
        report_.verdict = verdict();
        for (const auto& sink : sinks_) report_.wrote.push_back(sink.file.path());
        // A closed screen keeps no file from being written, nor a full disk the screen from telling.
        std::optional<OutputError> lost;
        try {
            write_sinks();
        } catch (const OutputError& error) {
            lost = error;
            report_.wrote.clear();
        }
        screen_.print(reports::text(report_));
        screen_.finish();
        if (lost) throw *lost;
        if (broken_) {
            tell(
                fmt::format("eosim: internal error: {}\n"
                            "this is a bug of eosim, please report it with the scenario and the "
                            "command\n      reproduce  {}\n",
                            broken_->first, reports::shell_lines(broken_->second, 17)));
            return exit_code::internal;
        }
        return interrupted() ? exit_code::interrupted : code_of(report_.verdict);
    }

    const Options& options_;
    Input input_;
    Screen& screen_;
    SweepPlan plan_;
    std::vector<std::string> names_;
    std::vector<std::string> skipped_;
    std::optional<scenarios::Diagnostics> first_skipped_;
    std::optional<SweepSums> sums_;
    std::vector<Sink> sinks_;
    bool keep_rows_ = false;
    std::map<RowKey, reports::StoredRow> resumed_;
    std::map<RowKey, reports::StoredRow> fresh_;
    std::vector<reports::StoredRow> bad_;
    std::vector<reports::StoredRow> in_order_;  ///< of a sweep that resumes nothing
    struct Failed {
        std::size_t cell;
        std::uint64_t seed;
        std::vector<scenarios::Override> place;
    };
    std::vector<Failed> failed_;
    std::size_t keep_most_ = 10;
    std::optional<sim::Duration> time_;
    bool timed_out_ = false;
    bool unchecked_claim_ = false;
    bool unplaced_ = false;
    std::int64_t taken_ = 0;
    std::int64_t failing_ = 0;
    std::int64_t undecided_ = 0;
    std::optional<std::string> output_problem_;
    std::optional<std::pair<std::string, std::vector<std::string>>> broken_;
    reports::SweepReport report_;
};

}  // namespace

int sweep_verb(const Options& options, Screen& screen) {
    const auto& path = only_file(options, "scenarios/start/delivery-modes.yaml");
    auto input = open_input(path);
    if (input.repro)
        throw UsageError("a repro file is a single run, it cannot be swept",
                         fmt::format("eosim replay {}", reports::shell_word(path)));
    if (!input.loaded.root || input.loaded.diagnostics.failed())
        return say_invalid(input.loaded.diagnostics);
    const auto wrong = scenarios::check_sweep(input.loaded);
    if (wrong.failed()) return say_invalid(wrong);
    const auto problems = scenarios::check(input.loaded);
    if (problems.failed() && !options.variant &&
        scenarios::cells(input.loaded).front().matrix.empty())
        return say_invalid(problems);
    SweepCommand command(options, std::move(input), screen);
    return command.act();
}

}  // namespace eos::cli
