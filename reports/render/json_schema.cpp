// The schema of eosim.result/1, beside the writer whose keys it describes.

#include "reports/judges/finding.hpp"
#include "reports/render/json.hpp"
#include "reports/render/schema_parts.hpp"

namespace eos::reports {
namespace {

Schema sixteen_digits(const char* help) {
    auto schema = typed("string", help);
    schema["pattern"] = "^[0-9a-f]{16}$";
    return schema;
}
Schema word_of_verdict() { return Schema{{"enum", {"pass", "fail", "inconclusive"}}}; }

Schema counts_schema() {
    auto properties = Schema::object();
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count_kinds; ++i) {
        all.emplace_back(name(static_cast<Count>(i)));
        properties[all.back()] = whole();
    }
    return object(std::move(properties), std::move(all));
}

}  // namespace

std::string result_schema() {
    Schema p;
    p["schema"] = Schema{{"const", "eosim.result/1"}};
    p["engine"] = typed("string", "version of eosim");
    p["scenario"] =
        object({{"name", typed("string")},
                {"file", typed("string", "as it was named")},
                {"digest", typed("string", "of the file's bytes; empty for a repro file")}},
               {"name", "file", "digest"});
    p["variant"] = typed("string", "absent: the file as it is");
    p["seed"] = whole();
    p["overrides"] = map_of(typed("string", "the value of --set"));
    p["draws"] = map_of(typed("string", "drawn from the seed by sweep.draw"));
    p["brokers"] = whole();
    p["apps"] = list_of(typed("string"));
    p["logs"] = list_of(typed("string", "topic/partition"));
    p["verdict"] = word_of_verdict();
    p["undecided_because"] = typed("string");
    p["expect"] = list_of(
        object({{"name", typed("string")},
                {"want", typed("string", "as written")},
                {"got", Schema{{"type", {"integer", "string"}}}},
                {"ok", typed("boolean")},
                {"undecided", typed("boolean", "true: neither met nor broken")},
                {"implied",
                 typed("boolean", "true: the promise of a delivery mode, not written in the file")},
                {"anomalies", list_of(typed("string", "ids of anomalies"))}},
               {"name", "want", "got", "ok"}));
    p["anomalies"] = list_of(
        object({{"id", typed("string")},
                {"class", typed("string", "a count of the scenario language")},
                {"app", typed("string", "whose promise it touches; absent: the cluster's")},
                {"amount", whole()},
                {"summary", typed("string")},
                {"at_us", whole()},
                {"records", list_of(object({{"topic", typed("string")},
                                            {"partition", whole()},
                                            {"offset", typed("integer")},
                                            {"record", typed("string", "ledger id, hexadecimal")}},
                                           {}))}},
               {"id", "class", "amount", "summary", "records"}));
    p["counts"] = counts_schema();
    p["counts_per_app"] = map_of(counts_schema());
    p["black_box"] = map_of(whole("by the judge that sees clients only"));
    p["cycles"] = list_of(object(
        {{"kind", typed("string")},
         {"steps", list_of(object({{"app", typed("string")},
                                   {"instance", whole()},
                                   {"operation", whole("the n-th of the instance, from 1")},
                                   {"next", typed("string", "ww, wr, rw, process, realtime")},
                                   {"topic", typed("string")},
                                   {"partition", whole()},
                                   {"offset", whole()}},
                                  {"app", "instance", "operation", "next"}))}},
        {"kind", "steps"}));
    p["disagreements"] = list_of(typed("string", "where the two judges differ"));
    p["invariants"] = list_of(object({{"name", typed("string")},
                                      {"want", typed("string")},
                                      {"got", typed("string")},
                                      {"ok", typed("boolean")}},
                                     {"name", "want", "got", "ok"}));
    p["errors"] = map_of(whole("seen by applications"));
    p["counters"] = map_of(whole());
    p["latency_us"] = map_of(whole("virtual time; absent = not measured"));
    p["unavailable_us"] = whole("longest gap without a success under load");
    p["requests"] = map_of(whole("client to broker, by API"));
    p["milestones"] = map_of(whole("how often each was reached"));
    p["faults"] = list_of(
        object({{"name", typed("string")},
                {"times", whole()},
                {"touched", whole()},
                {"fired", list_of(object({{"at_us", whole()}, {"event", whole()}}, {"at_us"}))},
                {"did", typed("string", "one sentence")}},
               {"name", "times", "touched", "fired", "did"}));
    p["story"] =
        list_of(object({{"at_us", whole()}, {"fault", typed("string")}, {"text", typed("string")}},
                       {"at_us", "text"}));
    p["events_listed"] = list_of(object({{"at_us", whole()},
                                         {"arrives_us", whole()},
                                         {"from", typed("string")},
                                         {"to", typed("string", "absent: not a message")},
                                         {"what", typed("string")},
                                         {"response", typed("boolean")},
                                         {"lost", typed("boolean")},
                                         {"ghost", typed("boolean")},
                                         {"key", typed("boolean")}},
                                        {"at_us", "from", "what"}));
    p["reproduce"] = list_of(typed("string", "a word of the command"));
    p["saved"] = typed("string", "repro file");
    p["digest"] = sixteen_digits("of the trace");
    p["simulated_us"] = whole();
    p["events"] = whole("events of the simulation");
    p["timing"] = object({{"wall_us", whole()}}, {"wall_us"});
    const auto schema = object(
        std::move(p),
        {"schema",         "engine",         "scenario",      "seed",       "overrides", "brokers",
         "apps",           "logs",           "verdict",       "expect",     "anomalies", "counts",
         "counts_per_app", "black_box",      "disagreements", "invariants", "errors",    "counters",
         "latency_us",     "unavailable_us", "requests",      "milestones", "faults",    "story",
         "reproduce",      "digest",         "simulated_us",  "events"});
    return document("eosim.result/1: one judged run; times in microseconds", schema);
}

}  // namespace eos::reports
