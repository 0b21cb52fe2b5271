#include "reports/render/text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/render/shell.hpp"
#include "reports/render/words.hpp"

namespace eos::reports {
namespace {

std::string_view word(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass: return "PASS";
        case Verdict::fail: return "FAIL";
        case Verdict::inconclusive: return "INCONCLUSIVE";
    }
    return "";
}

std::string_view word(ExpectRow::State state) {
    switch (state) {
        case ExpectRow::State::ok: return "ok";
        case ExpectRow::State::failed: return "FAIL";
        case ExpectRow::State::undecided: return "?";
    }
    return "";
}

std::string heading(const RunReport& report) {
    auto line = report.scenario;
    if (!report.variant.empty()) line += " · variant " + report.variant;
    line += fmt::format(" · seed {} · {}, {}", report.seed, counted(report.brokers, "broker"),
                        counted(report.apps, "app"));
    if (report.faults > 0) line += ", " + counted(report.faults, "fault");
    for (const auto& [path, value] : report.overrides)
        line += fmt::format(" · {}={}", path, value);
    for (const auto& [path, value] : report.draws) line += fmt::format(" · drew {}={}", path, value);
    return line + "\n";
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
    std::string result;
    for (const auto& w : words) {
        if (!result.empty()) result += between;
        result += w;
    }
    return result;
}

// Breaks a text at spaces so that it ends before column 98; further lines begin at `indent`.
std::string wrapped(std::string_view text, std::size_t indent) {
    const std::size_t room = 98 - std::min<std::size_t>(indent, 60);
    std::string result;
    std::size_t used = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (used > 0 && used + 1 + word.size() > room) {
            result += "\n" + std::string(indent, ' ');
            used = 0;
        }
        if (used > 0) {
            result += ' ';
            ++used;
        }
        result += word;
        used += word.size();
    }
    return result;
}

void add_story(const RunReport& report, std::string& out) {
    if (report.story.empty()) return;
    std::size_t width = 0;
    for (const auto& line : report.story) width = std::max(width, line.label.size());
    out += "\n";
    for (const auto& line : report.story)
        out += fmt::format("  {:>10}  {:<{}}  {}\n", seconds_text(line.at.time_since_epoch()),
                           line.label, width, wrapped(line.text, width + 16));
}

void add_events(const RunReport& report, std::string& out) {
    if (report.events_listed.empty()) return;
    out += "\n";
    for (const auto& row : report.events_listed) {
        const auto us = row.at.time_since_epoch().count() / 1000;
        if (row.to.empty()) {
            out += fmt::format("  {:>4}.{:06}  {}\n", us / 1'000'000, us % 1'000'000, row.what);
        } else {
            out += fmt::format("  {:>4}.{:06}  {:<11} -> {:<11} {}\n", us / 1'000'000,
                               us % 1'000'000, row.from, row.to, row.what);
        }
    }
}

void add_numbers(const RunReport& report, std::string& out) {
    const auto& m = report.findings.measured;
    out += fmt::format("\n  records   {} offered   {} acknowledged   {} readable   {} lost   {} "
                       "duplicate{}\n",
                       grouped(m.records_offered), grouped(m.records_acked),
                       grouped(m.records_visible), grouped(report.findings.total(Count::lost)),
                       grouped(report.findings.total(Count::duplicates)),
                       report.findings.total(Count::duplicates) == 1 ? "" : "s");
    if (m.latency_p50)
        out += fmt::format("  latency   p50 {}   p99 {}   longest gap {}\n",
                           short_text(*m.latency_p50), short_text(*m.latency_p99),
                           short_text(m.unavailable));
}

void add_expectations(const RunReport& report, std::string& out) {
    std::size_t name_width = 6;
    std::size_t want_width = 4;
    std::size_t got_width = 1;
    std::int64_t kept = 0;
    std::vector<const ExpectRow*> shown;
    for (const auto& row : report.expect) {
        if (row.implied && row.state == ExpectRow::State::ok) {
            ++kept;
            continue;
        }
        shown.push_back(&row);
        name_width = std::max(name_width, row.name.size());
        want_width = std::max(want_width, row.want.size());
        got_width = std::max(got_width, row.got.size());
    }
    out += "\n";
    bool first = true;
    for (const auto* row : shown) {
        out += fmt::format("  {:<9} {:<{}}  {:<{}}  {:<{}}  {}", first ? "expect" : "", row->name,
                           name_width, row->want, want_width, row->got, got_width,
                           word(row->state));
        // A label points to what is told below, and only what failed is.
        if (row->state == ExpectRow::State::failed && !row->anomalies.empty())
            out += "   " + join(row->anomalies, " ");
        out += "\n";
        first = false;
    }
    if (kept > 0)
        out += fmt::format("  {:<9} {} of the delivery modes kept\n", first ? "expect" : "",
                           counted(kept, "promise"));
}

void add_faults(const RunReport& report, std::string& out) {
    for (const auto& row : report.fault_rows) {
        if (row.fired > 0 && row.touched > 0) continue;
        out += fmt::format("  note      {}\n", wrapped(row.did, 12));
    }
}

std::string place(const RunReport& report, const Evidence& e) {
    std::string text;
    if (e.log.value >= 0) text += report.log_names[static_cast<std::size_t>(e.log.value)];
    if (e.offset) text += fmt::format(" offset {}", e.offset->value);
    if (e.record.value != 0)
        text += fmt::format("{}record {:x}", text.empty() ? "" : ", ", e.record.value);
    return text;
}

void add_anomalies(const RunReport& report, std::string& out) {
    // Those nobody objected to are counted above; those that failed are told.
    std::vector<std::string> wanted;
    for (const auto& row : report.expect)
        if (row.state == ExpectRow::State::failed)
            wanted.insert(wanted.end(), row.anomalies.begin(), row.anomalies.end());
    for (std::size_t i = 0; i < report.findings.anomalies.size(); ++i) {
        const auto id = fmt::format("A{}", i + 1);
        if (std::find(wanted.begin(), wanted.end(), id) == wanted.end()) continue;
        const auto& anomaly = report.findings.anomalies[i];
        const auto whose =
            anomaly.app
                ? report.app_names[static_cast<std::size_t>(anomaly.app->value)] + ": "
                : std::string();
        const auto begin = fmt::format("{} {}   ", id, name(anomaly.count));
        out += fmt::format("\n  {}{}\n", begin, wrapped(whose + anomaly.summary, begin.size() + 2));
        std::size_t shown = 0;
        for (const auto& e : anomaly.evidence) {
            const auto text = place(report, e);
            if (text.empty() || shown++ == 3) continue;
            out += fmt::format("     {}\n", text);
        }
        if (shown > 4) out += fmt::format("     and {} more\n", shown - 3);
    }
    for (const auto& difference : report.findings.disagreements)
        out += fmt::format("\n  the two judges disagree: {}\n", wrapped(difference, 4));
}

}  // namespace

std::string_view name(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass: return "pass";
        case Verdict::fail: return "fail";
        case Verdict::inconclusive: return "inconclusive";
    }
    return "";
}

std::string text(const RunReport& report) {
    std::string out = heading(report);
    add_story(report, out);
    add_events(report, out);
    add_numbers(report, out);
    add_expectations(report, out);
    add_faults(report, out);
    add_anomalies(report, out);

    const auto total = static_cast<std::int64_t>(report.expect.size());
    const auto not_met = std::count_if(report.expect.begin(), report.expect.end(), [](const auto& r) {
        return r.state == ExpectRow::State::failed;
    });
    std::string line;
    switch (report.verdict) {
        case Verdict::pass:
            line = fmt::format("PASS  {} of {} expectations met", total, total);
            break;
        case Verdict::fail:
            line = fmt::format("FAIL  {} of {} expectations not met", not_met, total);
            break;
        case Verdict::inconclusive:
            line = fmt::format("INCONCLUSIVE  {}", report.undecided_because);
            break;
    }
    const auto right = fmt::format("{} simulated, {} events",
                                   seconds_text(report.simulated),
                                   grouped(static_cast<std::int64_t>(report.events)));
    const auto gap = line.size() + right.size() < 96 ? 96 - line.size() - right.size() : 2;
    out += "\n" + line + std::string(gap, ' ') + right + "\n";
    out += fmt::format("      trace digest {:016x}\n", report.digest);
    if (report.verdict != Verdict::pass && !report.reproduce.empty())
        out += "      reproduce  " + shell_lines(report.reproduce, 17) + "\n";
    if (!report.saved.empty()) {
        out += "      saved      " + report.saved + "\n";
        out += "      next       " + shell_lines({"eosim", "replay", report.saved}, 17) + "\n";
    }
    return out;
}

std::string text_so_far(const RunReport& report) {
    std::string out = heading(report);
    add_story(report, out);
    add_events(report, out);
    add_numbers(report, out);
    return out;
}

std::string text_line(const RunReport& report) {
    const auto title =
        report.variant.empty() ? report.scenario : report.scenario + " · " + report.variant;
    std::string why;
    for (const auto& row : report.expect) {
        if (row.state == ExpectRow::State::ok) continue;
        why = fmt::format("{}: wanted {}, got {}", row.name, row.want, row.got);
        break;
    }
    if (why.empty()) why = fmt::format("{} events", grouped(static_cast<std::int64_t>(report.events)));
    return fmt::format("{:<12} {:<52} {}\n", word(report.verdict), title, why);
}

std::string text(const SweepReport& report) {
    std::string out;
    out += fmt::format("{} · {} x {}{} = {}\n\n", report.scenario,
                       counted(static_cast<std::int64_t>(report.rows.size()), "variant"),
                       counted(report.seeds, "seed"),
                       report.placed.empty() ? "" : " x every place of " + report.placed,
                       counted(report.planned, "run"));
    std::size_t width = 7;
    for (const auto& row : report.rows) width = std::max(width, row.variant.size());
    constexpr std::size_t widest = 25;  // a longer name has a line of its own
    width = std::min(width, widest);
    out += fmt::format("  {:<{}}  {:>5} {:>5} {:>4} {:>3} {:>7} {:>7} {:>7} {:>6} {:>8} {:>8}\n",
                       "variant", width, "runs", "pass", "fail", "?", "lost", "dup", "reord",
                       "stuck", "gap", "p99");
    std::int64_t pass = 0;
    std::int64_t fail = 0;
    std::int64_t undecided = 0;
    std::int64_t runs = 0;
    for (const auto& row : report.rows) {
        const auto of = [&](Count count) { return grouped(row.counts[static_cast<std::size_t>(count)]); };
        auto title = row.variant.empty() ? std::string("(as written)") : row.variant;
        if (title.size() > width) {
            out += "  " + wrapped(title, 4) + "\n";
            title.clear();
        }
        out += fmt::format("  {:<{}}  {:>5} {:>5} {:>4} {:>3} {:>7} {:>7} {:>7} {:>6} {:>8} {:>8}\n",
                           title, width, row.runs, row.pass, row.fail, row.undecided,
                           of(Count::lost), of(Count::duplicates), of(Count::reordered),
                           of(Count::stuck), short_text(row.gap_max),
                           row.latency_p99 ? short_text(*row.latency_p99) : "-");
        pass += row.pass;
        fail += row.fail;
        undecided += row.undecided;
        runs += row.runs;
    }
    const auto table_end = out.size();
    for (const auto& row : report.rows)
        for (const auto& [count, found_runs, wait] : row.found)
            out += fmt::format("  found     {}\n",
                               wrapped(fmt::format("{}{} in {} of {}, the next one after {} (median)",
                                                   row.variant.empty() ? "" : row.variant + ": ",
                                                   name(count), grouped(found_runs),
                                                   counted(row.runs, "run"), grouped(wait)),
                                       12));
    for (const auto& [claim, held] : report.claims)
        out += fmt::format("  claim     {}\n",
                           wrapped(fmt::format("{:<70} {}", claim, held ? "holds" : "DOES NOT HOLD"),
                                   12));
    for (const auto& why : report.undecided)
        out += fmt::format("  undecided {}\n", wrapped(why, 12));
    for (const auto& note : report.notes) out += fmt::format("  note      {}\n", wrapped(note, 12));
    if (report.milestones_total > 0)
        out += fmt::format("  coverage  {} of {} faults fired, {} of {} milestones seen\n",
                           report.faults_fired, report.faults_total, report.milestones_seen,
                           report.milestones_total);
    if (!report.never_reached.empty())
        out += "            " + wrapped("never reached: " + join(report.never_reached, ", "), 12) + "\n";
    if (report.resumed > 0)
        out += fmt::format("  resumed   {} read back; latency and coverage are those of the runs "
                           "made now\n", counted(report.resumed, "run"));
    if (out.size() > table_end) out.insert(table_end, "\n");
    out += fmt::format("\n{}  {} of {} as expected, {} not, {} undecided\n", word(report.verdict),
                       pass, counted(runs, "run"), fail, undecided);
    if (!report.cut_short.empty())
        out += fmt::format("      {} after {} of {}\n", report.cut_short, grouped(runs),
                           counted(report.planned, "run"));
    if (fail == 0 && undecided == 0 && runs > 0) {
        // The rule of three: after n clean runs, 95 % sure that fewer than 3/n seeds fail.
        if (report.placed.empty())
            out += fmt::format("      after {} clean runs at most {}.{:02} % of the seeds fail "
                               "(95 % confidence)\n",
                               grouped(runs), 300 / runs, 30'000 / runs % 100);
    }
    for (const auto& file : report.wrote) out += "      wrote  " + file + "\n";
    for (const auto& file : report.kept) out += "      saved  " + file + "\n";
    for (const auto& rerun : report.failing) out += "      rerun  " + rerun + "\n";
    return out;
}

std::string text(const CompareReport& report) {
    std::string out = fmt::format("{} · {} · {}, the same faults for every mode\n\n",
                                  report.scenario,
                                  report.app.empty() ? "all apps" : "app " + report.app,
                                  counted(report.seeds, "seed"));
    out += fmt::format("  {:<15} {:>8} {:>11} {:>10} {:>9} {:>9} {:>9} {:>9}\n", "", "lost",
                       "duplicates", "reordered", "p50", "p99", "requests", "log bytes");
    out += fmt::format("  {:<15} {:>31} {:>19} {:>19}\n", "", "(records, over all seeds)", "latency",
                       "per record");
    for (const auto& row : report.rows) {
        const auto& s = row.sums;
        const auto of = [&](Count count) { return grouped(s.counts[static_cast<std::size_t>(count)]); };
        const auto per = [&](std::int64_t n) { return s.acked > 0 ? n * 100 / s.acked : 0; };
        const auto requests = per(s.requests);
        out += fmt::format("  {:<15} {:>8} {:>11} {:>10} {:>9} {:>9} {:>6}.{:02} {:>9}\n", row.mode,
                           of(Count::lost), of(Count::duplicates), of(Count::reordered),
                           s.latency_p50 ? short_text(*s.latency_p50) : "-",
                           s.latency_p99 ? short_text(*s.latency_p99) : "-", requests / 100,
                           requests % 100, per(s.log_bytes) / 100);
    }
    out += fmt::format("\n  of {} offered under each mode. Costs are those of the model, not "
                       "measurements.\n",
                       counted(report.rows.empty() ? 0 : report.rows.front().sums.offered, "record"));
    bool first = true;
    for (const auto& row : report.rows) {
        if (row.promise_kept) continue;
        out += fmt::format("  {} {} broke its promise: {}\n", first ? "BROKEN " : "       ",
                           row.mode, row.broken);
        first = false;
    }
    first = true;
    for (const auto& row : report.rows) {
        if (!row.sums.worst_seed || row.sums.worst == 0) continue;
        out += fmt::format("  {:<10} {}: seed {}, {} anomal{}\n", first ? "Worst seed" : "",
                           row.mode, *row.sums.worst_seed, grouped(row.sums.worst),
                           row.sums.worst == 1 ? "y" : "ies");
        if (!row.reproduce.empty())
            out += fmt::format("  {:<10} {}\n", "", shell_lines(row.reproduce, 13));
        first = false;
    }
    if (report.interrupted) out += "  interrupted: the sums cover what was finished\n";
    return out;
}

}  // namespace eos::reports
