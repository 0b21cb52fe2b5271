// Harness coordinator: the transaction coordinator with one id "T" and a log of its own.

#include <map>
#include <string>

#include "tests/conformance/harness.hpp"
#include "tests/conformance/names.hpp"
#include "tests/conformance/transactions.hpp"
#include "tests/model/transaction_rig.hpp"

namespace eos::conformance {

Harness make_coordinator(const Args& config);

namespace {

using namespace eos::model;
using model::testing::T;
using model::testing::transaction_log;

[[nodiscard]] ClusterConfig cluster_of(const Args& config) {
    ClusterConfig result;
    result.transaction_version =
        static_cast<TransactionVersion>(config.get<std::int32_t>("server_tv", 0));
    result.transaction_max_timeout =
        sim::milliseconds(config.get<std::int64_t>("max_txn_timeout_ms", 900'000));
    result.transactional_id_expiration =
        sim::milliseconds(config.get<std::int64_t>("txn_id_expiration_ms", 604'800'000));
    if (config.get<std::string>("profile", "any") == "snap")
        for (const auto later : {Safeguard::pending_before_epoch, Safeguard::single_bump_on_fence,
                                 Safeguard::rotated_id_in_answer})
            result.safeguards.remove(later);
    return result;
}

[[nodiscard]] YAML::Node number_or_minus(const std::optional<ProducerId>& id) {
    return YAML::Node(id ? id->value : std::int64_t{-1});
}

class CoordinatorHarness {
  public:
    explicit CoordinatorHarness(const Args& config)
        : rig_(cluster_of(config), config.get<std::int64_t>("next_pid", 1000)) {
        rig_.defer_completions = true;  // until markers_done
        rig_.start();
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "init_producer_id") return init(args);
        if (op == "add_partitions") return add(args);
        if (op == "verify_partitions") return verify(args);
        if (op == "end_txn") return end(args);
        if (op == "check_txn") return check();
        if (op == "finish_log") return finish_log(args);
        if (op == "given_txn") {
            given(args);
        } else if (op == "set_coordinator") {
            set_coordinator(args);
        } else if (op == "log_result") {
            const auto error = args.get<std::string>("error", "NONE");
            rig_.hold = error == "PENDING";
            rig_.refuse.reset();
            if (error != "NONE" && !rig_.hold) rig_.refuse = error_named(error);
            rig_.refused_survive = args.get<bool>("persists", false);
        } else if (op == "markers_done") {
            markers_done();
        } else if (op == "failover") {
            rig_.fail_over(++epoch_);
        } else if (op == "timeout_scan") {
            rig_.timer(key(Tick::txn_timeout_scan));
        } else if (op == "expire_ids") {
            rig_.timer(key(Tick::txn_id_expiry));
        } else if (op == "advance") {
            // The scans come when a case asks for them.
            rig_.world.now = rig_.world.now + sim::milliseconds(args.get<std::int64_t>("ms"));
        } else {
            throw std::invalid_argument("unknown operation " + op);
        }
        return empty_map();
    }

  private:
    [[nodiscard]] TxnIdentity who(const Args& args) const {
        return {T, {args.get<std::int64_t>("pid")}, {args.get<std::int16_t>("epoch")}, {}};
    }

    void given(const Args& args) {
        TransactionRecord known;
        known.txid = T;
        known.producer_id = {args.get<std::int64_t>("pid", -1)};
        if (const auto id = args.maybe<std::int64_t>("prev_pid"); id && *id >= 0)
            known.previous_producer_id = ProducerId{*id};
        if (const auto id = args.maybe<std::int64_t>("next_pid"); id && *id >= 0)
            known.next_producer_id = ProducerId{*id};
        known.epoch = {args.get<std::int16_t>("epoch", -1)};
        known.last_epoch = {args.get<std::int16_t>("last_epoch", -1)};
        known.timeout = sim::milliseconds(args.get<std::int64_t>("timeout", 60'000));
        known.state = state_named(args.get<std::string>("state"));
        known.logs = names_.logs(args.raw("partitions"));
        known.client_version = static_cast<TransactionVersion>(args.get<std::int32_t>("ctv", 0));
        if (const auto start = args.maybe<std::int64_t>("start"))
            known.start = sim::time_zero + sim::milliseconds(*start);
        known.last_update =
            sim::time_zero + sim::milliseconds(args.get<std::int64_t>("last_update", 0));
        std::optional<TxnState> pending;
        if (const auto name = args.maybe<std::string>("pending")) pending = state_named(*name);
        rig_.coordinator.place(transaction_log, TransactionMetadata(known, pending));
        rig_.markers.clear();
        rig_.deferred.clear();
    }

    void set_coordinator(const Args& args) {
        const auto status = args.get<std::string>("status");
        const auto epoch = args.maybe<std::int32_t>("epoch");
        if (status == "not_coordinator") return rig_.resign();
        epoch_ = epoch ? *epoch : epoch_ + 1;
        rig_.lead(epoch_);
        if (status == "active") rig_.load();
    }

    Observed init(const Args& args) {
        InitProducerIdRequest request;
        request.txid = T;
        if (args.is_null("txn_id")) return idempotent();
        if (args.get<std::string>("txn_id", "T").empty())
            throw NotModelled("a transactional id is interned: none is empty");
        request.timeout = sim::milliseconds(args.get<std::int64_t>("timeout", 60'000));
        if (args.has("expected")) {
            request.expected_producer_id = ProducerId{args.raw("expected")[0].as<std::int64_t>()};
            request.expected_epoch = {args.raw("expected")[1].as<std::int16_t>()};
        }
        const auto answer = rig_.call<InitProducerIdResponse>(request);
        return named(answer.error, answer.producer_id, answer.producer_epoch);
    }
    /// INI-2: the broker hands these out itself.
    Observed idempotent() {
        const auto id = rig_.ids.take();
        return id ? named(ErrorCode::none, *id, {0})
                  : named(ErrorCode::coordinator_load_in_progress, {-1}, {-1});
    }
    [[nodiscard]] static Observed named(ErrorCode error, ProducerId id, ProducerEpoch epoch) {
        Observed seen = outcome(error);
        if (error == ErrorCode::unknown_server_error) seen = failed("ILLEGAL_STATE");  // TXS-7
        seen["pid"] = id.value;
        seen["epoch"] = static_cast<std::int32_t>(epoch.value);
        return seen;
    }

    Observed add(const Args& args) {
        AddPartitionsToTxnRequest request;
        request.entries.push_back({.who = who(args), .logs = names_.logs(args.raw("partitions"))});
        const auto before = rig_.log.size();
        last_ = rig_.request(request);
        if (!rig_.answered(last_)) return failed("PENDING");
        Observed seen = added(rig_.answer<AddPartitionsToTxnResponse>(last_));
        seen["logged"] = rig_.log.size() > before;
        return seen;
    }
    [[nodiscard]] static Observed added(const AddPartitionsToTxnResponse& answer) {
        return outcome(answer.entries.at(0).parts.at(0).error);
    }
    Observed finish_log(const Args& args) {
        if (args.get<std::string>("error", "NONE") != "NONE")
            throw NotModelled("a replicated record does not fail any more");
        rig_.hold = false;
        rig_.replicate();
        return added(rig_.answer<AddPartitionsToTxnResponse>(last_));
    }
    Observed verify(const Args& args) {
        AddPartitionsToTxnRequest request;
        request.from_broker = true;
        request.entries.push_back(
            {.who = who(args), .verify_only = true, .logs = names_.logs(args.raw("partitions"))});
        const auto answer = rig_.call<AddPartitionsToTxnResponse>(request);
        Observed seen = empty_map();
        for (const auto& part : answer.entries.at(0).parts)
            seen["results"][names_.partition(part.log)] = std::string(name(part.error));
        return seen;
    }

    Observed end(const Args& args) {
        EndTxnRequest request;
        request.who = who(args);
        request.result =
            args.get<std::string>("result") == "COMMIT" ? ControlType::commit : ControlType::abort;
        request.version = static_cast<TransactionVersion>(args.get<std::int32_t>("tv", 0));
        const auto before = rig_.log.size();
        const auto answer = rig_.call<EndTxnResponse>(request);
        Observed seen = named(answer.error, answer.producer_id, answer.producer_epoch);
        seen["logged"] = rig_.log.size() > before;
        return seen;
    }

    void markers_done() {
        // A state that a case put in place has not sent its markers yet.
        rig_.act([&](TransactionOutput& out, Fx& fx) {
            rig_.coordinator.resume(rig_.world.context(), T, rig_.ids, out, fx);
        });
        rig_.answer_markers();
        rig_.append_deferred();
    }

    Observed check() {
        const auto* entry = rig_.entry();
        Observed seen = empty_map();
        seen["present"] = entry != nullptr;
        if (!entry) return seen;
        const auto& metadata = entry->metadata;
        const auto& now = metadata.now();
        seen["pid"] = now.producer_id.value;
        seen["prev_pid"] = number_or_minus(now.previous_producer_id);
        seen["next_pid"] = number_or_minus(now.next_producer_id);
        seen["epoch"] = static_cast<std::int32_t>(now.epoch.value);
        seen["last_epoch"] = static_cast<std::int32_t>(now.last_epoch.value);
        seen["state"] = std::string(name(now.state));
        seen["pending"] =
            metadata.pending() ? YAML::Node(std::string(name(*metadata.pending()))) : null();
        seen["partitions"] = names_.partitions(now.logs);
        seen["ctv"] = static_cast<std::int32_t>(now.client_version);
        seen["failed_fence"] = metadata.failed_fence();
        seen["start"] = now.start ? now.start->time_since_epoch().count() / 1'000'000 : -1;
        seen["last_update"] = now.last_update.time_since_epoch().count() / 1'000'000;
        std::vector<LogId> resumed;
        for (const auto& marker : rig_.markers) resumed.push_back(marker.log);
        seen["resumed"] = names_.partitions(resumed);
        return seen;
    }

    model::testing::TransactionRig rig_;
    PartitionNames names_;
    std::int32_t epoch_ = 0;
    std::uint32_t last_ = 0;
};

}  // namespace

Harness make_coordinator(const Args& config) {
    return driven<CoordinatorHarness>(config, {.sets = {"partitions", "resumed"}});
}

}  // namespace eos::conformance
