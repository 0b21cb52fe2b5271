#include "reports/render/junit.hpp"

#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "reports/render/shell.hpp"

namespace eos::reports {
namespace {

// XML 1.0 has no way to write most control characters.
std::string xml_text(std::string_view text) {
    std::string clean;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        clean += byte < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
    return clean;
}

void set(pugi::xml_node node, const char* name, std::string_view value) {
    node.append_attribute(name).set_value(xml_text(value).c_str());
}

struct Tally {
    std::int64_t tests = 0;
    std::int64_t failures = 0;
    std::int64_t errors = 0;
    void write(pugi::xml_node node) const {
        set(node, "tests", std::to_string(tests));
        set(node, "failures", std::to_string(failures));
        set(node, "errors", std::to_string(errors));
    }
};

void add_case(pugi::xml_node suite, Tally& tally, std::string_view scenario, std::string_view title,
              Verdict verdict, std::string_view message, std::string_view body) {
    auto testcase = suite.append_child("testcase");
    set(testcase, "classname", scenario);
    set(testcase, "name", title);
    ++tally.tests;
    if (verdict == Verdict::pass) return;
    const bool failed = verdict == Verdict::fail;
    ++(failed ? tally.failures : tally.errors);
    auto problem = testcase.append_child(failed ? "failure" : "error");
    set(problem, "message", message);
    set(problem, "type", failed ? "expectation" : "inconclusive");
    problem.text().set(xml_text(body).c_str());
}

std::string run_message(const RunReport& report) {
    for (const auto& row : report.expect)
        if (row.state == ExpectRow::State::failed)
            return fmt::format("{}: wanted {}, got {}", row.name, row.want, row.got);
    return report.undecided_because;
}

std::string run_body(const RunReport& report) {
    std::string body = "reproduce  " + shell_line(report.reproduce) + "\n";
    if (!report.saved.empty()) body += "saved      " + report.saved + "\n";
    for (const auto& row : report.expect)
        if (row.state != ExpectRow::State::ok)
            body += fmt::format("{}: wanted {}, got {}\n", row.name, row.want, row.got);
    for (std::size_t i = 0; i < report.findings.anomalies.size(); ++i) {
        const auto& anomaly = report.findings.anomalies[i];
        body += fmt::format("A{} {}: {}\n", i + 1, name(anomaly.count), anomaly.summary);
    }
    return body;
}

std::string finished(pugi::xml_document& document) {
    std::ostringstream out;
    document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
    return out.str();
}

pugi::xml_node begin(pugi::xml_document& document) {
    auto declaration = document.append_child(pugi::node_declaration);
    declaration.append_attribute("version") = "1.0";
    declaration.append_attribute("encoding") = "UTF-8";
    auto root = document.append_child("testsuites");
    set(root, "name", "eosim");
    return root;
}

}  // namespace

std::string junit(const std::vector<RunReport>& reports) {
    pugi::xml_document document;
    auto root = begin(document);
    Tally all;
    for (std::size_t i = 0; i < reports.size();) {
        auto suite = root.append_child("testsuite");
        set(suite, "name", reports[i].scenario);
        Tally tally;
        const auto& scenario = reports[i].scenario;
        for (; i < reports.size() && reports[i].scenario == scenario; ++i) {
            const auto& report = reports[i];
            const auto title = fmt::format(
                "{} seed {}", report.variant.empty() ? scenario : report.variant, report.seed);
            add_case(suite, tally, scenario, title, report.verdict, run_message(report),
                     run_body(report));
        }
        tally.write(suite);
        all.tests += tally.tests;
        all.failures += tally.failures;
        all.errors += tally.errors;
    }
    all.write(root);
    return finished(document);
}

std::string junit(const SweepReport& report, const std::vector<StoredRow>& rows) {
    pugi::xml_document document;
    auto root = begin(document);
    auto suite = root.append_child("testsuite");
    set(suite, "name", report.scenario);
    Tally tally;
    for (const auto& variant : report.rows) {
        const auto title = variant.variant.empty() ? report.scenario : variant.variant;
        if (variant.fail == 0 && variant.undecided == 0)
            add_case(suite, tally, report.scenario,
                     fmt::format("{} ({} seeds)", title, variant.runs), Verdict::pass, "", "");
        for (const auto& stored : rows) {
            if (stored.row.variant != variant.variant || stored.row.verdict == Verdict::pass)
                continue;
            add_case(suite, tally, report.scenario,
                     fmt::format("{} seed {}", title, stored.row.seed), stored.row.verdict,
                     stored.row.because, "reproduce  " + shell_line(reproduce(stored)) + "\n");
        }
    }
    for (const auto& [claim, held] : report.claims)
        add_case(suite, tally, report.scenario, "claim: " + claim,
                 held ? Verdict::pass : Verdict::fail, "the claim does not hold",
                 fmt::format("reproduce  eosim sweep {}\n", shell_word(report.file)));
    tally.write(suite);
    tally.write(root);
    return finished(document);
}

}  // namespace eos::reports
