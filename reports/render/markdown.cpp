#include "reports/render/markdown.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "reports/render/shell.hpp"
#include "reports/render/words.hpp"

namespace eos::reports {
namespace {

std::string table_cell(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '|' || c == '\\' || c == '<' || c == '`' || c == '*' || c == '_') result += '\\';
        result += c == '\n' ? ' ' : c;
    }
    return result;
}

std::string label(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "PASS";
        case Verdict::fail:
            return "FAIL";
        case Verdict::inconclusive:
            return "INCONCLUSIVE";
    }
    return "";
}

// Mermaid ends a message at ';' and starts an entity at '#'.
std::string mermaid_text(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '#')
            result += "#35;";
        else if (c == ';')
            result += "#59;";
        else if (c == '\n')
            result += ' ';
        else
            result += c;
    }
    return result;
}

// Polling goes on all the time; a diagram shows it only where something happened to it.
bool background(const EventRow& row) {
    constexpr std::array<std::string_view, 6> apis{
        "Fetch ", "Heartbeat ", "BrokerHeartbeat ", "MetadataFetch ", "Metadata ", "HandOff "};
    if (row.lost || row.ghost || row.what.find(" is held") != row.what.npos) return false;
    return std::any_of(apis.begin(), apis.end(),
                       [&](std::string_view api) { return row.what.starts_with(api); });
}

// What the diagram is about: the first thing a fault did, else the first anomaly.
std::optional<sim::Instant> first_trouble(const RunReport& report) {
    std::optional<sim::Instant> at;
    const auto earliest = [&](sim::Instant when) { at = at ? std::min(*at, when) : when; };
    for (const auto& fault : report.fault_rows)
        if (!fault.firings.empty()) earliest(fault.firings.front().first);
    if (at) return at;
    for (const auto& anomaly : report.findings.anomalies)
        if (anomaly.at) earliest(*anomaly.at);
    return at;
}

std::vector<const EventRow*> diagram_slice(const RunReport& report) {
    std::vector<const EventRow*> rows;
    for (const auto& row : report.events_listed)
        if (!background(row)) rows.push_back(&row);
    if (rows.size() <= messages_most) return rows;
    const auto trouble = first_trouble(report).value_or(rows.front()->at);
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&](const EventRow* row) { return row->at >= trouble; });
    const auto center = static_cast<std::size_t>(found - rows.begin());
    constexpr std::size_t before = messages_most / 4;
    auto first = center > before ? center - before : 0;
    first = std::min(first, rows.size() - messages_most);
    return {rows.begin() + static_cast<std::ptrdiff_t>(first),
            rows.begin() + static_cast<std::ptrdiff_t>(first + messages_most)};
}

std::string diagram(const RunReport& report) {
    const auto rows = diagram_slice(report);
    if (rows.empty()) return "";
    std::vector<std::string> lanes;
    const auto lane = [&](const std::string& who) {
        auto found = std::find(lanes.begin(), lanes.end(), who);
        if (found == lanes.end()) found = lanes.insert(lanes.end(), who);
        return fmt::format("n{}", found - lanes.begin());
    };
    std::string body;
    for (const auto* row : rows) {
        const auto at = seconds_text(row->at.time_since_epoch());
        const auto from = lane(row->from);
        if (row->to.empty()) {
            body += fmt::format("    Note over {}: {} {}\n", from, at, mermaid_text(row->what));
            continue;
        }
        const auto* arrow = row->lost ? "-x" : row->response ? "-->>" : "->>";
        body += fmt::format("    {}{}{}: {} {}\n", from, arrow, lane(row->to), at,
                            mermaid_text(row->what));
    }
    std::string text = "```mermaid\nsequenceDiagram\n";
    for (std::size_t i = 0; i < lanes.size(); ++i)
        text += fmt::format("    participant n{} as {}\n", i, mermaid_text(lanes[i]));
    return text + body + "```\n";
}

// "shop-0#3 ww orders/0@17 -> biller-1#2 ..." back to where it began.
std::string circle(const RunReport& report, const Cycle& cycle) {
    std::string text;
    const auto name_of = [&](const Cycle::Step& step) {
        return fmt::format("{}-{}#{}",
                           report.app_names[static_cast<std::size_t>(step.process.app.value)],
                           step.process.instance, step.operation);
    };
    constexpr std::size_t told_most = 8;
    const auto told = std::min(cycle.steps.size(), told_most);
    for (const auto& step : std::span(cycle.steps).first(told)) {
        text += fmt::format("{} {}", name_of(step), name(step.next));
        if (step.log.value >= 0)
            text +=
                fmt::format(" {}@{}", report.log_names[static_cast<std::size_t>(step.log.value)],
                            step.offset.value);
        text += ", ";
    }
    if (told < cycle.steps.size())
        text += fmt::format("{} more, ", cycle.steps.size() - told);
    return text + name_of(cycle.steps.front());
}

// In Jepsen's and Elle's words, which say nothing of what was promised.
std::string seen_by_clients(const RunReport& report) {
    std::string rows;
    for (std::size_t i = 0; i < model::jepsen_kinds; ++i) {
        const auto kind = static_cast<Jepsen>(i);
        if (report.findings.black_box[kind] == 0) continue;
        const auto& cycles = report.findings.cycles;
        const auto cycle = std::find_if(cycles.begin(), cycles.end(),
                                        [&](const Cycle& c) { return c.kind == kind; });
        rows += fmt::format("| {} | {} | {} | {} |\n", model::name(kind),
                            report.findings.black_box[kind], model::jepsen_entries[i].help,
                            cycle == cycles.end() ? "" : table_cell(circle(report, *cycle)));
    }
    if (rows.empty()) return "";
    return "\n| seen by clients | times | what it is | shortest circle |\n"
           "| --- | ---: | --- | --- |\n" +
           rows;
}

std::string title(const RunReport& report) {
    auto text = report.scenario;
    if (!report.variant.empty()) text += " · " + report.variant;
    return text + fmt::format(" · seed {}", report.seed);
}

}  // namespace

std::string markdown(const RunReport& report) {
    auto text = fmt::format("### {}  {}\n\n", label(report.verdict), table_cell(title(report)));
    if (report.verdict == Verdict::inconclusive)
        text += fmt::format("Not decided: {}\n\n", table_cell(report.undecided_because));
    text += "| expect | want | got | |\n| --- | --- | --- | --- |\n";
    for (const auto& row : report.expect) {
        const auto state = row.state == ExpectRow::State::ok       ? std::string("ok")
                           : row.state == ExpectRow::State::failed ? std::string("**FAIL**")
                                                                   : std::string("undecided");
        std::string ids;
        for (const auto& id : row.anomalies) ids += " " + id;
        text += fmt::format("| {} | {} | {} | {}{} |\n", table_cell(row.name), table_cell(row.want),
                            table_cell(row.got), state, ids);
    }
    if (!report.findings.anomalies.empty()) {
        text += "\n";
        for (std::size_t i = 0; i < report.findings.anomalies.size(); ++i) {
            const auto& anomaly = report.findings.anomalies[i];
            text += fmt::format("- A{} {}: {}\n", i + 1, table_cell(name(anomaly.count)),
                                table_cell(anomaly.summary));
        }
    }
    if (!report.story.empty()) {
        text += "\n| at | fault | what happened |\n| ---: | --- | --- |\n";
        for (const auto& line : report.story)
            text += fmt::format("| {} | {} | {} |\n", seconds_text(line.at.time_since_epoch()),
                                table_cell(line.label), table_cell(line.text));
    }
    text += seen_by_clients(report);
    const auto picture = diagram(report);
    if (!picture.empty()) text += "\n" + picture;
    text += fmt::format("\nTrace digest `{:016x}`, {} simulated, {} events, eosim {}.\n",
                        report.digest, seconds_text(report.simulated),
                        grouped(static_cast<std::int64_t>(report.events)), report.engine);
    if (!report.reproduce.empty())
        text += fmt::format("\n```sh\n{}\n```\n", shell_line(report.reproduce));
    return text;
}

std::string markdown(const std::vector<RunReport>& reports) {
    if (reports.size() == 1) return markdown(reports.front());
    std::string text =
        "| verdict | scenario | variant | seed | why |\n"
        "| --- | --- | --- | ---: | --- |\n";
    for (const auto& report : reports) {
        std::string why = report.undecided_because;
        for (const auto& row : report.expect)
            if (row.state == ExpectRow::State::failed) {
                why = fmt::format("{}: wanted {}, got {}", row.name, row.want, row.got);
                break;
            }
        text += fmt::format("| {} | {} | {} | {} | {} |\n", label(report.verdict),
                            table_cell(report.scenario), table_cell(report.variant), report.seed,
                            table_cell(why));
    }
    for (const auto& report : reports)
        if (report.verdict != Verdict::pass) text += "\n" + markdown(report);
    return text;
}

std::string markdown(const SweepReport& report, const std::vector<StoredRow>& rows) {
    auto text = fmt::format("### {}  {} · {}\n\n", label(report.verdict),
                            table_cell(report.scenario), counted(report.planned, "run"));
    text +=
        "| variant | runs | pass | fail | undecided | lost | duplicates | reordered | gap | p99 |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    for (const auto& row : report.rows) {
        const auto of = [&](Count count) { return row.counts[static_cast<std::size_t>(count)]; };
        text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                            row.variant.empty() ? "(as written)" : table_cell(row.variant),
                            row.runs, row.pass, row.fail, row.undecided, of(Count::lost),
                            of(Count::duplicates), of(Count::reordered), short_text(row.gap_max),
                            row.latency_p99 ? short_text(*row.latency_p99) : "-");
    }
    for (const auto& [claim, held] : report.claims)
        text += fmt::format("\n- {} {}", held ? "holds:" : "**does not hold:**", table_cell(claim));
    if (!report.claims.empty()) text += "\n";
    constexpr std::size_t listed_most = 20;
    std::size_t bad = 0;
    for (const auto& stored : rows) {
        if (stored.row.verdict == Verdict::pass) continue;
        if (++bad > listed_most) continue;
        if (bad == 1) text += "\n| verdict | variant | seed | why |\n| --- | --- | ---: | --- |\n";
        text += fmt::format("| {} | {} | {} | {} |\n", label(stored.row.verdict),
                            table_cell(stored.row.variant), stored.row.seed,
                            table_cell(stored.row.because));
    }
    if (bad > listed_most) text += fmt::format("\nand {} more.\n", bad - listed_most);
    for (const auto& stored : rows)
        if (stored.row.verdict == Verdict::fail) {
            text += fmt::format("\n```sh\n{}\n```\n", shell_line(reproduce(stored)));
            break;
        }
    return text;
}

}  // namespace eos::reports
