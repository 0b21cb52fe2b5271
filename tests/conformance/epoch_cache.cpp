// Harness epoch_cache: one leader-epoch cache.

#include "model/leader_epochs.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

Observed perform(LeaderEpochs& cache, const std::string& op, const Args& args) {
    Observed seen = empty_map();
    const auto epoch = [&] { return LeaderEpoch{args.get<std::int32_t>("epoch")}; };
    const auto offset = [&](const char* key) { return Offset{args.get<std::int64_t>(key)}; };
    if (op == "assign") {
        if (epoch().value < 0 || offset("start").value < 0) return failed("ILLEGAL_ARGUMENT");
        cache.assign(epoch(), offset("start"));
    } else if (op == "truncate_end") {
        cache.truncate_from_end(offset("offset"));
    } else if (op == "truncate_start") {
        cache.truncate_from_start(offset("offset"));
    } else if (op == "clear") {
        cache.clear();
    } else if (op == "end_offset") {
        const EpochEnd end = cache.end_offset(epoch(), offset("leo"));
        seen["epoch"] = end.epoch ? end.epoch->value : -1;
        seen["offset"] = end.end ? end.end->value : -1;
    } else if (op == "check_cache") {
        seen["latest"] = value_or_null(cache.latest());
        seen["entries"] = empty_list();
        for (const EpochStart& entry : cache.entries()) {
            YAML::Node pair = empty_list();
            pair.push_back(entry.epoch.value);
            pair.push_back(entry.start.value);
            seen["entries"].push_back(pair);
        }
    } else {
        throw std::invalid_argument("harness epoch_cache has no operation " + op);
    }
    return seen;
}

}  // namespace

Harness make_epoch_cache(const Args& config) { return driven<LeaderEpochs>(config, {}, &perform); }

}  // namespace eos::conformance
