#include "reports/render/json.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/render/jsonl.hpp"

namespace eos::reports {
namespace {

using Json = nlohmann::ordered_json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::int64_t us(sim::Duration duration) { return duration.count() / 1000; }
std::int64_t us(sim::Instant at) { return us(at.time_since_epoch()); }
sim::Instant instant(const Json& json) {
    return sim::time_zero + sim::microseconds(json.get<std::int64_t>());
}

// --- writing
// --------------------------------------------------------------------------------------

Json pairs_json(const Pairs& pairs) {
    auto json = Json::object();
    for (const auto& [key, value] : pairs) json[key] = value;
    return json;
}

// A plain number stays a number: jq and notebooks compare it.
Json number_or_text(const std::string& text) {
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && rest == end && std::to_string(value) == text) return value;
    return text;
}

Json expect_json(const ExpectRow& row) {
    Json json;
    json["name"] = row.name;
    json["want"] = row.want;
    json["got"] = number_or_text(row.got);
    json["ok"] = row.state == ExpectRow::State::ok;
    if (row.state == ExpectRow::State::undecided) json["undecided"] = true;
    if (row.implied) json["implied"] = true;
    if (!row.anomalies.empty()) json["anomalies"] = row.anomalies;
    return json;
}

void put_log(const RunReport& report, model::LogId id, Json& json) {
    const auto& log = report.log_names.at(static_cast<std::size_t>(id.value));
    const auto slash = log.rfind('/');
    json["topic"] = log.substr(0, slash);
    json["partition"] = std::stoi(log.substr(slash + 1));
}

Json anomaly_json(const RunReport& report, std::size_t index) {
    const auto& anomaly = report.findings.anomalies[index];
    Json json;
    json["id"] = fmt::format("A{}", index + 1);
    json["class"] = name(anomaly.count);
    if (anomaly.app)
        json["app"] = report.app_names.at(static_cast<std::size_t>(anomaly.app->value));
    json["amount"] = anomaly.amount;
    json["summary"] = anomaly.summary;
    if (anomaly.at) json["at_us"] = us(*anomaly.at);
    auto records = Json::array();
    for (const auto& e : anomaly.evidence) {
        Json record;
        if (e.log.value >= 0) put_log(report, e.log, record);
        if (e.offset) record["offset"] = e.offset->value;
        if (e.record.value != 0) record["record"] = fmt::format("{:x}", e.record.value);
        records.push_back(std::move(record));
    }
    json["records"] = std::move(records);
    return json;
}

Json counts_json(const std::array<std::int64_t, count_kinds>& counts) {
    Json json;
    for (std::size_t i = 0; i < count_kinds; ++i)
        json[std::string(name(static_cast<Count>(i)))] = counts[i];
    return json;
}

Json measured_json(const RunReport& report) {
    const auto& m = report.findings.measured;
    Json json;
    json["records_offered"] = m.records_offered;
    json["records_acked"] = m.records_acked;
    json["records_visible"] = m.records_visible;
    json["records_polled"] = m.records_polled;
    json["effects"] = m.effects;
    json["sends_failed"] = m.sends_failed;
    json["rebalances"] = m.rebalances;
    json["deduplicated"] = m.deduplicated;
    json["requests"] = report.counters.requests;
    json["log_bytes"] = report.counters.log_bytes;
    return json;
}

Json latency_json(const Measurements& m) {
    auto json = Json::object();
    const auto put = [&](const char* key, const std::optional<sim::Duration>& time) {
        if (time) json[key] = us(*time);
    };
    put("p50", m.latency_p50);
    put("p95", m.latency_p95);
    put("p99", m.latency_p99);
    put("max", m.latency_max);
    put("ack_p50", m.ack_p50);
    put("ack_p99", m.ack_p99);
    return json;
}

Json black_box_json(const BlackBoxCounts& box) {
    Json json;
    for (std::size_t i = 0; i < model::jepsen_kinds; ++i) {
        const auto kind = static_cast<Jepsen>(i);
        json[std::string(model::name(kind))] = box[kind];
    }
    return json;
}

Json cycle_json(const RunReport& report, const Cycle& cycle) {
    auto steps = Json::array();
    for (const auto& step : cycle.steps) {
        Json json;
        json["app"] = report.app_names.at(static_cast<std::size_t>(step.process.app.value));
        json["instance"] = step.process.instance;
        json["operation"] = step.operation;
        json["next"] = name(step.next);
        if (step.log.value >= 0) {
            put_log(report, step.log, json);
            json["offset"] = step.offset.value;
        }
        steps.push_back(std::move(json));
    }
    return Json{{"kind", model::name(cycle.kind)}, {"steps", std::move(steps)}};
}

void put_findings(const RunReport& report, Json& json) {
    const auto& findings = report.findings;
    std::array<std::int64_t, count_kinds> totals{};
    for (std::size_t i = 0; i < count_kinds; ++i) totals[i] = findings.total(static_cast<Count>(i));
    json["counts"] = counts_json(totals);
    auto per_app = Json::object();
    for (const auto& [app, counts] : findings.per_app)
        per_app[report.app_names.at(static_cast<std::size_t>(app.value))] = counts_json(counts);
    json["counts_per_app"] = std::move(per_app);
    json["black_box"] = black_box_json(findings.black_box);
    auto cycles = Json::array();
    for (const auto& cycle : findings.cycles) cycles.push_back(cycle_json(report, cycle));
    if (!cycles.empty()) json["cycles"] = std::move(cycles);
    json["disagreements"] = findings.disagreements;
    auto invariants = Json::array();
    for (const auto& row : findings.invariants)
        invariants.push_back(
            Json{{"name", row.name}, {"want", row.want}, {"got", row.got}, {"ok", row.holds}});
    json["invariants"] = std::move(invariants);
    auto errors = Json::object();
    for (const auto& [error, times] : findings.errors) errors[error] = times;
    json["errors"] = std::move(errors);
}

void put_tapes(const RunReport& report, Json& json) {
    auto story = Json::array();
    for (const auto& line : report.story) {
        Json row;
        row["at_us"] = us(line.at);
        if (!line.label.empty()) row["fault"] = line.label;
        row["text"] = line.text;
        story.push_back(std::move(row));
    }
    json["story"] = std::move(story);
    if (report.events_listed.empty()) return;
    auto events = Json::array();
    for (const auto& event : report.events_listed) {
        Json row;
        row["at_us"] = us(event.at);
        if (event.arrives != event.at) row["arrives_us"] = us(event.arrives);
        row["from"] = event.from;
        if (!event.to.empty()) row["to"] = event.to;
        row["what"] = event.what;
        if (event.response) row["response"] = true;
        if (event.lost) row["lost"] = true;
        if (event.ghost) row["ghost"] = true;
        if (event.key) row["key"] = true;
        events.push_back(std::move(row));
    }
    json["events_listed"] = std::move(events);
}

Json document(const RunReport& report, const std::optional<Timing>& timing) {
    Json json;
    json["schema"] = "eosim.result/1";
    json["engine"] = report.engine;
    json["scenario"] =
        Json{{"name", report.scenario}, {"file", report.file}, {"digest", report.file_digest}};
    if (!report.variant.empty()) json["variant"] = report.variant;
    json["seed"] = report.seed;
    json["overrides"] = pairs_json(report.overrides);
    if (!report.draws.empty()) json["draws"] = pairs_json(report.draws);
    json["brokers"] = report.brokers;
    json["apps"] = report.app_names;
    json["logs"] = report.log_names;
    json["verdict"] = name(report.verdict);
    if (!report.undecided_because.empty()) json["undecided_because"] = report.undecided_because;
    auto expect = Json::array();
    for (const auto& row : report.expect) expect.push_back(expect_json(row));
    json["expect"] = std::move(expect);
    auto anomalies = Json::array();
    for (std::size_t i = 0; i < report.findings.anomalies.size(); ++i)
        anomalies.push_back(anomaly_json(report, i));
    json["anomalies"] = std::move(anomalies);
    put_findings(report, json);
    json["counters"] = measured_json(report);
    json["latency_us"] = latency_json(report.findings.measured);
    json["unavailable_us"] = us(report.findings.measured.unavailable);
    auto apis = Json::object();
    for (const auto& [api, times] : report.counters.apis) apis[api] = times;
    json["requests"] = std::move(apis);
    auto milestones = Json::object();
    for (const auto& [milestone, times] : report.counters.milestones)
        if (times > 0) milestones[milestone] = times;
    json["milestones"] = std::move(milestones);
    auto faults = Json::array();
    for (const auto& fault : report.fault_rows) {
        auto fired = Json::array();
        for (const auto& [at, event] : fault.firings) {
            Json row{{"at_us", us(at)}};
            if (event != 0) row["event"] = event;
            fired.push_back(std::move(row));
        }
        faults.push_back(Json{{"name", fault.name},
                              {"times", fault.fired},
                              {"touched", fault.touched},
                              {"fired", std::move(fired)},
                              {"did", fault.did}});
    }
    json["faults"] = std::move(faults);
    put_tapes(report, json);
    json["reproduce"] = report.reproduce;
    if (!report.saved.empty()) json["saved"] = report.saved;
    json["digest"] = fmt::format("{:016x}", report.digest);
    json["simulated_us"] = us(report.simulated);
    json["events"] = report.events;
    if (timing) json["timing"] = Json{{"wall_us", timing->wall_us}};
    return json;
}

std::string printed(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// --- reading
// --------------------------------------------------------------------------------------

Pairs pairs_from(const Json& json) {
    Pairs pairs;
    for (const auto& [key, value] : json.items()) pairs.emplace_back(key, value.get<std::string>());
    return pairs;
}

std::array<std::int64_t, count_kinds> counts_from(const Json& json) {
    std::array<std::int64_t, count_kinds> counts{};
    for (std::size_t i = 0; i < count_kinds; ++i)
        counts[i] = json.at(std::string(name(static_cast<Count>(i)))).get<std::int64_t>();
    return counts;
}

std::size_t index_of(const std::vector<std::string>& known, const std::string& name) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) throw std::runtime_error(fmt::format("there is no '{}' here", name));
    return static_cast<std::size_t>(found - known.begin());
}

ExpectRow expect_from(const Json& json) {
    ExpectRow row;
    row.name = json.at("name").get<std::string>();
    row.want = json.at("want").get<std::string>();
    const auto& got = json.at("got");
    row.got = got.is_string() ? got.get<std::string>() : std::to_string(got.get<std::int64_t>());
    row.state = json.at("ok").get<bool>()        ? ExpectRow::State::ok
                : json.value("undecided", false) ? ExpectRow::State::undecided
                                                 : ExpectRow::State::failed;
    row.implied = json.value("implied", false);
    if (json.contains("anomalies"))
        row.anomalies = json.at("anomalies").get<std::vector<std::string>>();
    return row;
}

model::LogId log_from(const RunReport& report, const Json& json) {
    return {static_cast<std::int32_t>(
        index_of(report.log_names, fmt::format("{}/{}", json.at("topic").get<std::string>(),
                                               json.at("partition").get<int>())))};
}

Cycle cycle_from(const RunReport& report, const Json& json) {
    Cycle cycle;
    const auto kind = model::jepsen_named(json.at("kind").get<std::string>());
    if (!kind) throw std::runtime_error("a cycle of an unknown kind");
    cycle.kind = *kind;
    for (const auto& row : json.at("steps")) {
        Cycle::Step step;
        const auto app = index_of(report.app_names, row.at("app").get<std::string>());
        step.process = {{static_cast<std::int32_t>(app)}, row.at("instance").get<std::int32_t>()};
        step.operation = row.at("operation").get<std::int32_t>();
        const auto next = row.at("next").get<std::string>();
        while (name(step.next) != next) {
            if (step.next == Dependency::realtime) throw std::runtime_error("an unknown dependency");
            step.next = static_cast<Dependency>(static_cast<int>(step.next) + 1);
        }
        if (row.contains("topic")) {
            step.log = log_from(report, row);
            step.offset = {row.at("offset").get<std::int64_t>()};
        }
        cycle.steps.push_back(step);
    }
    return cycle;
}

Anomaly anomaly_from(const RunReport& report, const Json& json) {
    Anomaly anomaly;
    const auto count = count_named(json.at("class").get<std::string>());
    if (!count) throw std::runtime_error("an anomaly of an unknown class");
    anomaly.count = *count;
    if (json.contains("app"))
        anomaly.app = model::AppId{static_cast<std::int32_t>(
            index_of(report.app_names, json.at("app").get<std::string>()))};
    anomaly.amount = json.at("amount").get<std::int64_t>();
    anomaly.summary = json.at("summary").get<std::string>();
    if (json.contains("at_us")) anomaly.at = instant(json.at("at_us"));
    for (const auto& record : json.at("records")) {
        Evidence e;
        if (record.contains("topic"))
            e.log = log_from(report, record);
        if (record.contains("offset"))
            e.offset = model::Offset{record.at("offset").get<std::int64_t>()};
        if (record.contains("record")) {
            const auto text = record.at("record").get<std::string>();
            std::uint64_t value = 0;
            std::from_chars(text.data(), text.data() + text.size(), value, 16);
            e.record.value = static_cast<decltype(e.record.value)>(value);
        }
        anomaly.evidence.push_back(e);
    }
    return anomaly;
}

void read_findings(const Json& json, RunReport& report) {
    auto& findings = report.findings;
    for (const auto& row : json.at("anomalies"))
        findings.anomalies.push_back(anomaly_from(report, row));
    auto rest = counts_from(json.at("counts"));
    for (const auto& [app, counts] : json.at("counts_per_app").items()) {
        const model::AppId id{static_cast<std::int32_t>(index_of(report.app_names, app))};
        const auto of_app = counts_from(counts);
        for (std::size_t i = 0; i < count_kinds; ++i) rest[i] -= of_app[i];
        findings.per_app[id] = of_app;
    }
    findings.cluster = rest;
    for (const auto& [name, times] : json.at("black_box").items())
        if (const auto kind = model::jepsen_named(name))
            findings.black_box[*kind] = times.get<std::int64_t>();
    if (json.contains("cycles"))
        for (const auto& row : json.at("cycles"))
            findings.cycles.push_back(cycle_from(report, row));
    findings.disagreements = json.at("disagreements").get<std::vector<std::string>>();
    for (const auto& row : json.at("invariants"))
        findings.invariants.push_back({row.at("name").get<std::string>(),
                                       row.at("want").get<std::string>(),
                                       row.at("got").get<std::string>(), row.at("ok").get<bool>()});
    for (const auto& [error, times] : json.at("errors").items())
        findings.errors[error] = times.get<std::int64_t>();
}

void read_measured(const Json& json, RunReport& report) {
    auto& m = report.findings.measured;
    const auto& counters = json.at("counters");
    m.records_offered = counters.at("records_offered").get<std::int64_t>();
    m.records_acked = counters.at("records_acked").get<std::int64_t>();
    m.records_visible = counters.at("records_visible").get<std::int64_t>();
    m.records_polled = counters.at("records_polled").get<std::int64_t>();
    m.effects = counters.at("effects").get<std::int64_t>();
    m.sends_failed = counters.at("sends_failed").get<std::int64_t>();
    m.rebalances = counters.at("rebalances").get<std::int64_t>();
    m.deduplicated = counters.at("deduplicated").get<std::int64_t>();
    m.log_bytes = counters.at("log_bytes").get<std::int64_t>();
    report.counters.log_bytes = m.log_bytes;
    report.counters.requests = counters.at("requests").get<std::int64_t>();
    const auto& latency = json.at("latency_us");
    const auto time = [&](const char* key) -> std::optional<sim::Duration> {
        if (!latency.contains(key)) return std::nullopt;
        return sim::microseconds(latency.at(key).get<std::int64_t>());
    };
    m.latency_p50 = time("p50");
    m.latency_p95 = time("p95");
    m.latency_p99 = time("p99");
    m.latency_max = time("max");
    m.ack_p50 = time("ack_p50");
    m.ack_p99 = time("ack_p99");
    m.unavailable = sim::microseconds(json.at("unavailable_us").get<std::int64_t>());
    for (const auto& [api, times] : json.at("requests").items())
        report.counters.apis.emplace_back(api, times.get<std::int64_t>());
    for (const auto& [milestone, times] : json.at("milestones").items())
        report.counters.milestones.emplace_back(milestone, times.get<std::int64_t>());
}

void read_tapes(const Json& json, RunReport& report) {
    for (const auto& fault : json.at("faults")) {
        FaultRow row;
        row.name = fault.at("name").get<std::string>();
        row.fired = fault.at("times").get<std::int64_t>();
        row.touched = fault.at("touched").get<std::int64_t>();
        row.did = fault.at("did").get<std::string>();
        for (const auto& firing : fault.at("fired"))
            row.firings.emplace_back(instant(firing.at("at_us")),
                                     firing.value("event", std::uint64_t{0}));
        report.fault_rows.push_back(std::move(row));
    }
    report.faults = static_cast<std::int32_t>(report.fault_rows.size());
    for (const auto& line : json.at("story"))
        report.story.push_back({instant(line.at("at_us")), 0, line.value("fault", ""),
                                line.at("text").get<std::string>()});
    if (!json.contains("events_listed")) return;
    for (const auto& event : json.at("events_listed")) {
        EventRow row;
        row.at = instant(event.at("at_us"));
        row.arrives = event.contains("arrives_us") ? instant(event.at("arrives_us")) : row.at;
        row.from = event.at("from").get<std::string>();
        row.to = event.value("to", "");
        row.what = event.at("what").get<std::string>();
        row.response = event.value("response", false);
        row.lost = event.value("lost", false);
        row.ghost = event.value("ghost", false);
        row.key = event.value("key", false);
        report.events_listed.push_back(std::move(row));
    }
}

RunReport report_from(const Json& json) {
    RunReport report;
    report.engine = json.at("engine").get<std::string>();
    const auto& scenario = json.at("scenario");
    report.scenario = scenario.at("name").get<std::string>();
    report.file = scenario.at("file").get<std::string>();
    report.file_digest = scenario.at("digest").get<std::string>();
    report.variant = json.value("variant", "");
    report.seed = json.at("seed").get<std::uint64_t>();
    report.overrides = pairs_from(json.at("overrides"));
    if (json.contains("draws")) report.draws = pairs_from(json.at("draws"));
    report.brokers = json.at("brokers").get<std::int32_t>();
    report.app_names = json.at("apps").get<std::vector<std::string>>();
    report.apps = static_cast<std::int32_t>(report.app_names.size());
    report.log_names = json.at("logs").get<std::vector<std::string>>();
    report.verdict = verdict_named(json.at("verdict").get<std::string>());
    report.undecided_because = json.value("undecided_because", "");
    for (const auto& row : json.at("expect")) report.expect.push_back(expect_from(row));
    read_findings(json, report);
    read_measured(json, report);
    read_tapes(json, report);
    report.reproduce = json.at("reproduce").get<std::vector<std::string>>();
    report.saved = json.value("saved", "");
    report.digest = digest_from(json.at("digest").get<std::string>());
    report.simulated = sim::microseconds(json.at("simulated_us").get<std::int64_t>());
    report.events = json.at("events").get<std::uint64_t>();
    return report;
}

void read_document(const Json& json, StoredResults& results) {
    const auto schema = json.is_object() ? json.value("schema", "") : std::string();
    if (schema == "eosim.result/1") {
        results.runs.push_back(report_from(json));
    } else if (schema == "eosim.results/1") {
        for (const auto& one : json.at("results")) results.runs.push_back(report_from(one));
    } else if (schema == "eosim.sweep/1") {
        for (const auto& one : json.at("runs")) results.rows.push_back(row_from(one));
    } else if (schema == "eosim.row/1") {
        results.rows.push_back(row_from(json));
    } else {
        throw std::runtime_error("this is no result of eosim (\"schema\": \"eosim.result/1\")");
    }
}

std::string position(std::string_view text, std::size_t byte, std::size_t first_line) {
    const auto before = text.substr(0, std::min(byte > 0 ? byte - 1 : 0, text.size()));
    const auto line =
        first_line + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    const auto start = before.rfind('\n');
    const auto column = before.size() - (start == before.npos ? 0 : start + 1) + 1;
    return fmt::format("line {}, column {}: ", line, column);
}

// Reads one document; its problem is told with the line it begins at.
bool read_part(std::string_view text, std::size_t first_line, StoredResults& results) {
    try {
        read_document(Json::parse(text), results);
        return true;
    } catch (const Json::parse_error& error) {
        results.problem = position(text, error.byte, first_line) + "this is not JSON";
    } catch (const std::exception& error) {
        std::string_view why = error.what();
        if (const auto bracket = why.find("] "); why.starts_with("[json.") && bracket != why.npos)
            why.remove_prefix(bracket + 2);
        results.problem = fmt::format("line {}: {}", first_line, why);
    }
    return false;
}

}  // namespace

std::string json(const RunReport& report, const std::optional<Timing>& timing) {
    return printed(document(report, timing));
}

std::string json(const std::vector<RunReport>& reports) {
    if (reports.size() == 1) return json(reports.front());
    Json json;
    json["schema"] = "eosim.results/1";
    json["results"] = Json::array();
    for (const auto& report : reports) json["results"].push_back(document(report, std::nullopt));
    return printed(json);
}

std::string json(const SweepReport& report, const std::vector<StoredRow>& rows) {
    Json json;
    json["schema"] = "eosim.sweep/1";
    json["engine"] = rows.empty() ? "" : rows.front().engine;
    json["scenario"] = report.scenario;
    json["file"] = report.file;
    json["verdict"] = name(report.verdict);
    json["planned"] = report.planned;
    json["interrupted"] = report.interrupted;
    auto variants = Json::array();
    for (const auto& row : report.rows) {
        Json variant;
        variant["variant"] = row.variant;
        variant["runs"] = row.runs;
        variant["pass"] = row.pass;
        variant["fail"] = row.fail;
        variant["inconclusive"] = row.undecided;
        variant["counts"] = counts_json(row.counts);
        auto found = Json::array();
        for (const auto& [count, in_runs, wait] : row.found)
            found.push_back(Json{{"class", name(count)}, {"runs", in_runs}, {"median_wait", wait}});
        variant["found"] = std::move(found);
        variant["unavailable_us"] = us(row.gap_max);
        if (row.latency_p50) variant["p50_us"] = us(*row.latency_p50);
        if (row.latency_p99) variant["p99_us"] = us(*row.latency_p99);
        variant["records_offered"] = row.offered;
        variant["records_acked"] = row.acked;
        variant["requests"] = row.requests;
        variant["log_bytes"] = row.log_bytes;
        if (row.first_failing_seed) variant["first_failing_seed"] = *row.first_failing_seed;
        if (row.worst_seed) variant["worst_seed"] = *row.worst_seed;
        variants.push_back(std::move(variant));
    }
    json["variants"] = std::move(variants);
    auto claims = Json::array();
    for (const auto& [claim, held] : report.claims)
        claims.push_back(Json{{"claim", claim}, {"ok", held}});
    json["claims"] = std::move(claims);
    json["never_reached"] = report.never_reached;
    auto runs = Json::array();
    for (const auto& row : rows) runs.push_back(row_json(row));
    json["runs"] = std::move(runs);
    return printed(json);
}

StoredResults read_results(std::string_view text) {
    StoredResults results;
    if (text.find_first_not_of(" \t\r\n") == text.npos) {
        results.problem = "line 1: the file is empty";
        return results;
    }
    // Rows are told from a document by a first line that is complete JSON and not the last.
    const auto first_end = text.find('\n');
    const bool lines = first_end != text.npos && Json::accept(text.substr(0, first_end));
    if (!lines) {
        (void)read_part(text, 1, results);
        return results;
    }
    std::size_t number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        if (!read_part(line, number, results)) return results;
    }
    return results;
}

}  // namespace eos::reports
