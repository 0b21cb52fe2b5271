#include "tests/conformance/batches.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

[[nodiscard]] ControlType control_type(const std::string& name) {
    if (name == "ABORT") return ControlType::abort;
    if (name == "COMMIT") return ControlType::commit;
    throw std::invalid_argument("no control type is called " + name);
}

[[nodiscard]] Batch identified(const Args& args, std::int64_t now) {
    Batch batch;
    batch.producer_id = ProducerId{args.get<std::int64_t>("pid", 1)};
    batch.producer_epoch = ProducerEpoch{args.get<std::int16_t>("epoch", 0)};
    batch.timestamp = at_ms(args.get<std::int64_t>("ts", now));
    batch.leader_epoch = LeaderEpoch{args.get<std::int32_t>("leader_epoch", 0)};
    batch.bytes = 100;
    return batch;
}

}  // namespace

Batch data_batch(const Args& args, std::int64_t now) {
    Batch batch = identified(args, now);
    batch.transactional = args.get<bool>("txn", false);
    const auto first = args.get<std::int64_t>("offset", args.get<std::int64_t>("base", 0));
    batch.base = Offset{first};
    const auto sequence = args.maybe<std::int32_t>("seq");
    if (sequence && *sequence >= 0) batch.base_sequence = Sequence{*sequence};
    if (args.has("count"))
        batch.count = args.get<std::int32_t>("count");
    else if (args.has("last_offset"))
        batch.count = static_cast<std::int32_t>(args.get<std::int64_t>("last_offset") - first + 1);
    else if (args.has("last_seq") && batch.base_sequence)
        batch.count =
            Sequence{args.get<std::int32_t>("last_seq")}.minus(batch.base_sequence->value).value +
            1;
    return batch;
}

Batch plain_batch(const Args& args, std::int64_t now) {
    Batch batch;
    batch.count = args.get<std::int32_t>("count", 1);
    batch.base = Offset{args.get<std::int64_t>("base", 0)};
    batch.timestamp = at_ms(args.get<std::int64_t>("ts", now));
    batch.leader_epoch = LeaderEpoch{args.get<std::int32_t>("leader_epoch", 0)};
    batch.bytes = 100;
    return batch;
}

Batch marker_batch(const Args& args, std::int64_t now) {
    Batch batch = identified(args, now);
    batch.transactional = true;
    batch.base = Offset{args.get<std::int64_t>("offset", args.get<std::int64_t>("base", 0))};
    const char* const type = args.has("control") ? "control" : "type";
    batch.control = control_type(args.get<std::string>(type));
    batch.coordinator_epoch = CoordinatorEpoch{args.get<std::int32_t>("coord_epoch", 0)};
    return batch;
}

AppendAs append_as(const Args& args, AppendOrigin otherwise) {
    AppendAs as{.origin = otherwise};
    const auto name = args.get<std::string>("origin", "");
    if (name == "CLIENT") as.origin = AppendOrigin::client;
    if (name == "COORDINATOR") as.origin = AppendOrigin::coordinator;
    if (name == "REPLICATION") as.origin = AppendOrigin::replication;
    as.transaction_v2 = args.get<bool>("tv2", false);
    return as;
}

ProducerRules producer_rules(const Args& config, bool verification) {
    ProducerRules rules;
    rules.expiration = sim::milliseconds(config.get<std::int64_t>("pid_expiration_ms", 86'400'000));
    rules.max_txn_timeout =
        sim::milliseconds(config.get<std::int64_t>("max_txn_timeout_ms", 300'000));
    rules.late_buffer = sim::milliseconds(config.get<std::int64_t>("late_buffer_ms", 300'000));
    rules.verification = config.get<bool>("verification", verification);
    rules.strict_first_sequence = config.get<bool>("tv2_strict_first_seq", false);
    rules.strict_marker_epoch = config.get<bool>("tv2_marker_check", false);
    return rules;
}

YAML::Node GuardNames::name(VerificationGuard guard) {
    const auto number = names_.size() + 1;
    return YAML::Node(names_.try_emplace(guard, "g" + std::to_string(number)).first->second);
}

Observed GuardNames::show(const VerificationEntry* entry) {
    Observed seen = empty_map();
    seen["guard"] = entry ? name(entry->guard) : null();
    seen["lowest_seq"] = entry ? YAML::Node(entry->lowest.value) : null();
    seen["entry_epoch"] = entry ? YAML::Node(entry->epoch.value) : null();
    return seen;
}

Observed show_producer(const ProducerEntry* entry) {
    Observed seen = empty_map();
    seen["present"] = entry != nullptr;
    if (!entry) return seen;
    seen["epoch"] = entry->epoch.value;
    seen["coord_epoch"] = entry->coordinator_epoch.value;
    seen["batches"] = entry->batches.size();
    const auto sequence = [](const std::optional<Sequence>& s) { return s ? s->value : -1; };
    const bool none = entry->batches.empty();
    seen["first_seq"] = none ? -1 : sequence(entry->batches.front().first_sequence());
    seen["last_seq"] = sequence(entry->last_sequence());
    seen["first_offset"] = none ? -1 : entry->batches.front().first_offset().value;
    seen["last_offset"] = none ? -1 : entry->batches.back().last_offset.value;
    seen["txn_first"] = value_or_null(entry->txn_first);
    seen["last_ts"] = in_ms(entry->last_timestamp);
    return seen;
}

Observed show_state(const ProducerState& state, std::optional<Offset> first_unstable) {
    Observed seen = empty_map();
    seen["first_unstable"] = value_or_null(first_unstable);
    seen["first_undecided"] = value_or_null(state.first_undecided());
    seen["map_end"] = state.map_end().value;
    seen["pids"] = empty_list();
    for (const auto& [producer_id, entry] : state.producers())
        seen["pids"].push_back(producer_id.value);
    seen["snapshots"] = empty_list();
    for (const auto& snapshot : state.snapshots())
        seen["snapshots"].push_back(snapshot.offset.value);
    return seen;
}

YAML::Node show_completed(const std::optional<CompletedTxn>& txn) {
    if (!txn) return null();
    YAML::Node seen = empty_map();
    seen["first"] = txn->first.value;
    seen["last"] = txn->last.value;
    seen["aborted"] = txn->aborted;
    return seen;
}

}  // namespace eos::conformance
