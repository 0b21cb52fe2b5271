#include "reports/render/csv.hpp"

#include <fmt/format.h>

namespace eos::reports {
namespace {

// RFC 4180: quoted if it holds a comma, a quote or a line end, quotes doubled.
std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

std::string csv_time(const std::optional<sim::Duration>& time) {
    return time ? std::to_string(time->count() / 1000) : "";
}

}  // namespace

std::string csv_header(std::string_view file) {
    // A name that would end the quoted command is left to the reader.
    const auto named = file.find_first_of("'\"\\\n\r") == file.npos ? file : "FILE.csv";
    std::string text = fmt::format(
        "# gnuplot -p -e \"set datafile separator ','; set key autotitle columnhead; "
        "plot '{}' using 'seed':'p99_us' with points\"\n",
        named);
    text += "scenario,variant,seed,verdict";
    for (std::size_t i = 0; i < count_kinds; ++i)
        text += fmt::format(",{}", name(static_cast<Count>(i)));
    return text +
           ",records_offered,records_acked,records_visible,effects,p50_us,p95_us,p99_us,max_us,"
           "ack_p50_us,ack_p99_us,unavailable_us,rebalances,deduplicated,log_bytes,requests,"
           "events,digest,because,set\n";
}

std::string csv_line(const StoredRow& stored) {
    const auto& row = stored.row;
    const auto& m = row.measured;
    auto text = fmt::format("{},{},{},{}", csv_field(stored.scenario), csv_field(row.variant),
                            row.seed, name(row.verdict));
    for (const auto count : row.counts) text += fmt::format(",{}", count);
    text += fmt::format(",{},{},{},{}", m.records_offered, m.records_acked, m.records_visible,
                        m.effects);
    for (const auto& time :
         {m.latency_p50, m.latency_p95, m.latency_p99, m.latency_max, m.ack_p50, m.ack_p99})
        text += "," + csv_time(time);
    std::string set;
    for (const auto& [path, value] : stored.overrides)
        set += fmt::format("{}{}={}", set.empty() ? "" : " ", path, value);
    text += fmt::format(",{},{},{},{},{},{},{:016x},{},{}\n", m.unavailable.count() / 1000,
                        m.rebalances, m.deduplicated, m.log_bytes, row.requests, row.events,
                        row.digest, csv_field(row.because), csv_field(set));
    return text;
}

}  // namespace eos::reports
