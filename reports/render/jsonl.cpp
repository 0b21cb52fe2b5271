#include "reports/render/jsonl.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace eos::reports {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t row_us(sim::Duration duration) { return duration.count() / 1000; }

void put_time(Json& json, const char* key, const std::optional<sim::Duration>& time) {
    if (time) json[key] = row_us(*time);
}

std::optional<sim::Duration> get_time(const Json& json, const char* key) {
    if (!json.contains(key)) return std::nullopt;
    return sim::microseconds(json.at(key).get<std::int64_t>());
}

}  // namespace

std::vector<std::string> reproduce(const StoredRow& row) {
    std::vector<std::string> words{"eosim", "run", row.file};
    if (!row.row.variant.empty()) words.insert(words.end(), {"--variant", row.row.variant});
    words.insert(words.end(), {"--seed", std::to_string(row.row.seed)});
    for (const auto& [path, value] : row.overrides)
        words.insert(words.end(), {"--set", path + "=" + value});
    return words;
}

Json row_json(const StoredRow& stored) {
    const auto& row = stored.row;
    const auto& m = row.measured;
    Json json;
    json["schema"] = "eosim.row/1";
    json["engine"] = stored.engine;
    json["scenario"] = stored.scenario;
    json["file"] = stored.file;
    json["file_digest"] = stored.file_digest;
    if (!stored.overrides.empty()) {
        auto list = Json::array();
        for (const auto& [path, value] : stored.overrides) list.push_back(path + "=" + value);
        json["set"] = std::move(list);
    }
    json["variant"] = row.variant;
    json["seed"] = row.seed;
    json["verdict"] = name(row.verdict);
    if (!row.because.empty()) json["because"] = row.because;
    for (std::size_t i = 0; i < count_kinds; ++i)
        json[std::string(name(static_cast<Count>(i)))] = row.counts[i];
    json["running_us"] = row_us(m.running);
    json["records_offered"] = m.records_offered;
    json["records_acked"] = m.records_acked;
    json["records_visible"] = m.records_visible;
    json["records_polled"] = m.records_polled;
    json["effects"] = m.effects;
    json["sends_failed"] = m.sends_failed;
    put_time(json, "p50_us", m.latency_p50);
    put_time(json, "p95_us", m.latency_p95);
    put_time(json, "p99_us", m.latency_p99);
    put_time(json, "max_us", m.latency_max);
    put_time(json, "ack_p50_us", m.ack_p50);
    put_time(json, "ack_p99_us", m.ack_p99);
    json["unavailable_us"] = row_us(m.unavailable);
    json["rebalances"] = m.rebalances;
    json["deduplicated"] = m.deduplicated;
    json["log_bytes"] = m.log_bytes;
    json["requests"] = row.requests;
    json["events"] = row.events;
    json["digest"] = fmt::format("{:016x}", row.digest);
    return json;
}

std::string jsonl_line(const StoredRow& row) {
    return row_json(row).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

StoredRow row_from(const Json& json) {
    if (!json.is_object() || json.value("schema", "") != "eosim.row/1")
        throw std::runtime_error(
            "this is no row of eosim (\"schema\": \"eosim.row/1\" is missing)");
    StoredRow stored;
    stored.engine = json.at("engine").get<std::string>();
    stored.scenario = json.at("scenario").get<std::string>();
    stored.file = json.at("file").get<std::string>();
    stored.file_digest = json.at("file_digest").get<std::string>();
    if (json.contains("set"))
        for (const auto& text : json.at("set")) {
            const auto option = text.get<std::string>();
            const auto equals = option.find('=');
            if (equals == option.npos) throw std::runtime_error("\"set\" must be path=value");
            stored.overrides.emplace_back(option.substr(0, equals), option.substr(equals + 1));
        }
    auto& row = stored.row;
    row.variant = json.at("variant").get<std::string>();
    row.seed = json.at("seed").get<std::uint64_t>();
    row.verdict = verdict_named(json.at("verdict").get<std::string>());
    row.because = json.value("because", "");
    for (std::size_t i = 0; i < count_kinds; ++i)
        row.counts[i] = json.at(std::string(name(static_cast<Count>(i)))).get<std::int64_t>();
    auto& m = row.measured;
    m.running = get_time(json, "running_us").value_or(sim::Duration{});
    m.records_offered = json.at("records_offered").get<std::int64_t>();
    m.records_acked = json.at("records_acked").get<std::int64_t>();
    m.records_visible = json.at("records_visible").get<std::int64_t>();
    m.records_polled = json.at("records_polled").get<std::int64_t>();
    m.effects = json.at("effects").get<std::int64_t>();
    m.sends_failed = json.at("sends_failed").get<std::int64_t>();
    m.latency_p50 = get_time(json, "p50_us");
    m.latency_p95 = get_time(json, "p95_us");
    m.latency_p99 = get_time(json, "p99_us");
    m.latency_max = get_time(json, "max_us");
    m.ack_p50 = get_time(json, "ack_p50_us");
    m.ack_p99 = get_time(json, "ack_p99_us");
    m.unavailable = sim::microseconds(json.at("unavailable_us").get<std::int64_t>());
    m.rebalances = json.at("rebalances").get<std::int64_t>();
    m.deduplicated = json.at("deduplicated").get<std::int64_t>();
    m.log_bytes = json.at("log_bytes").get<std::int64_t>();
    row.requests = json.at("requests").get<std::int64_t>();
    row.events = json.at("events").get<std::uint64_t>();
    row.digest = digest_from(json.at("digest").get<std::string>());
    return stored;
}

Verdict verdict_named(std::string_view text) {
    for (const auto verdict : {Verdict::pass, Verdict::fail, Verdict::inconclusive})
        if (name(verdict) == text) return verdict;
    throw std::runtime_error(fmt::format("'{}' is no verdict (pass, fail, inconclusive)", text));
}

std::uint64_t digest_from(std::string_view text) {
    if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != text.npos)
        throw std::runtime_error(fmt::format("'{}' is no digest (16 hexadecimal digits)", text));
    std::uint64_t value = 0;
    for (const char c : text)
        value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    return value;
}

}  // namespace eos::reports
