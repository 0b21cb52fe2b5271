// Harness partition: leader's side of one partition, on broker 1. Its clock begins at 1000 s, as
// the cases expect: a follower that was never caught up must be so long ago.

#include <map>
#include <optional>
#include <vector>

#include "model/leader_partition.hpp"
#include "tests/conformance/batches.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

constexpr BrokerId self{1};
constexpr LogId the_log{0};

[[nodiscard]] std::vector<BrokerId> broker_list(const Args& args, const char* key) {
    std::vector<BrokerId> list;
    for (const auto id : args.get<std::vector<std::int32_t>>(key, {})) list.push_back({id});
    return list;
}

class PartitionHarness {
  public:
    explicit PartitionHarness(const Args& config)
        : replicas_(broker_list(config, "replicas")),
          leader_({.self = self,
                   .min_insync = config.get<std::int32_t>("min_isr", 1),
                   .replica_lag_max =
                       sim::milliseconds(config.get<std::int64_t>("lag_max_ms", 30'000))}) {
        const YAML::Node epochs = config.raw("broker_epochs");
        for (const BrokerId id : replicas_) {
            BrokerRegistration broker{.broker = id, .epoch = {0}, .fenced = false};
            if (epochs.IsDefined())
                for (const auto& entry : epochs)
                    if (entry.first.as<std::int32_t>() == id.value)
                        broker.epoch = {entry.second.as<std::int64_t>()};
            brokers_.push_back(broker);
        }
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "seed") return seed(args);
        if (op == "make_leader") return make_leader(args);
        if (op == "make_follower") return make_follower(args);
        if (op == "produce") return produce(args);
        if (op == "produce_status")
            return show_status(leader_.status(log_, produced_.at(args.get<std::string>("ref"))));
        if (op == "follower_fetch") return follower_fetch(args);
        if (op == "shrink_check") {
            static_cast<void>(leader_.propose_shrink(log_, now()));
            Observed seen = empty_map();
            seen["proposed"] = proposed();
            send_proposal();
            return seen;
        }
        if (op == "alter_result") return alter_result(args);
        if (op == "set_broker") return set_broker(args);
        if (op == "list_offset") return list_offset(args);
        if (op == "epoch_check") {
            const auto epoch = args.maybe<std::int32_t>("current_epoch");
            return outcome(leader_.check_epoch(epoch_of(epoch)));
        }
        if (op == "set_hw") {
            log_.set_high_watermark(Offset{args.get<std::int64_t>("offset")});
            return empty_map();
        }
        if (op == "delete_records")
            return outcome(log_.delete_records(Offset{args.get<std::int64_t>("offset")}, guard_));
        if (op == "advance") {
            now_ += args.get<std::int64_t>("ms");
            return empty_map();
        }
        if (op == "check_partition") return check_partition();
        if (op == "check_replica") {
            const auto* replica = leader_.replica({args.get<std::int32_t>("id")});
            if (!replica) throw std::invalid_argument("no such remote replica");
            Observed seen = empty_map();
            seen["leo"] = replica->log_end ? replica->log_end->value : -1;
            seen["caught_up_ms"] = replica->last_caught_up ? in_ms(*replica->last_caught_up) : 0;
            return seen;
        }
        throw std::invalid_argument("harness partition has no operation " + op);
    }

  private:
    [[nodiscard]] sim::Instant now() const { return at_ms(now_); }
    [[nodiscard]] static std::optional<LeaderEpoch> epoch_of(std::optional<std::int32_t> value) {
        if (!value) return std::nullopt;
        return LeaderEpoch{*value};
    }
    [[nodiscard]] YAML::Node proposed() const {
        const auto isr = leader_.proposed();
        return isr ? values_of(*isr) : null();
    }
    /// The broker sends what there is to send, at once.
    void send_proposal() {
        if (auto request = leader_.take_proposal(brokers_, guard_)) sent_ = *request;
    }

    Observed seed(const Args& args) {
        const LeaderEpoch epoch{args.get<std::int32_t>("epoch")};
        Batch batch = plain_batch(args, now_);
        return outcome(log_.append_as_leader(batch, epoch,
                                             {.origin = AppendOrigin::coordinator}, guard_)
                           .error);
    }

    [[nodiscard]] PartitionState state_of(const Args& args) const {
        PartitionState state = leader_.state();
        state.log = the_log;
        state.leader_epoch = {args.get<std::int32_t>("epoch")};
        state.partition_epoch = {args.get<std::int32_t>("partition_epoch")};
        state.replicas = args.has("replicas") ? broker_list(args, "replicas") : replicas_;
        state.isr = broker_list(args, "isr");
        return state;
    }

    Observed make_leader(const Args& args) {
        PartitionState state = state_of(args);
        state.leader = self;
        const LeadResult result = leader_.lead(state, log_, brokers_, now(), guard_);
        Observed seen = empty_map();
        seen["new_leader"] = result.new_leader;
        return seen;
    }

    Observed make_follower(const Args& args) {
        PartitionState state = state_of(args);
        if (const auto id = args.maybe<std::int32_t>("leader")) state.leader = BrokerId{*id};
        static_cast<void>(leader_.follow(state));
        return empty_map();
    }

    [[nodiscard]] static Observed show_status(const ProduceStatus& status) {
        Observed seen = outcome(status.error);
        seen["status"] = status.done ? "DONE" : "PENDING";
        return seen;
    }

    Observed produce(const Args& args) {
        const bool plain = !args.has("pid") && !args.has("seq");
        Batch batch = plain ? plain_batch(args, now_) : data_batch(args, now_);
        if (!plain && !batch.base_sequence) batch.base_sequence = Sequence{0};
        const auto acks = static_cast<Acks>(args.get<int>("acks"));
        const auto result = leader_.append(log_, batch, acks, {.origin = AppendOrigin::client},
                                           brokers_, now(), guard_);
        if (result.append.error != ErrorCode::none) return outcome(result.append.error);
        if (args.has("ref")) produced_[args.get<std::string>("ref")] = result.required;
        if (acks != Acks::all) return show_status({.done = true});
        return show_status(leader_.status(log_, result.required));
    }

    Observed follower_fetch(const Args& args) {
        FetchRequest::Part part;
        part.log = the_log;
        part.offset = {args.get<std::int64_t>("offset")};
        part.current_leader_epoch = epoch_of(args.maybe<std::int32_t>("current_epoch"));
        part.last_fetched_epoch = epoch_of(args.maybe<std::int32_t>("last_fetched_epoch"));
        std::optional<BrokerEpoch> broker_epoch;
        if (const auto told = args.maybe<std::int64_t>("broker_epoch"))
            broker_epoch = BrokerEpoch{*told};
        const auto result =
            leader_.fetch_by_follower(log_, {args.get<std::int32_t>("replica")}, part,
                                      broker_epoch, 1 << 20, brokers_, now(), guard_);
        send_proposal();
        Observed seen = outcome(result.error);
        std::int64_t records = 0;
        for (const Batch& batch : result.read.batches) records += batch.count;
        seen["records"] = records;
        seen["diverging"] = null();
        if (result.diverging) {
            seen["diverging"] = empty_list();
            seen["diverging"].push_back(value_or_null(result.diverging->epoch));
            seen["diverging"].push_back(value_or_null(result.diverging->end));
        }
        return seen;
    }

    Observed alter_result(const Args& args) {
        AlterPartitionResponse response;
        response.log = the_log;
        response.error = error_named(args.get<std::string>("error", "NONE"));
        if (!sent_) throw std::invalid_argument("there is no proposal to answer");
        if (response.error == ErrorCode::none) {
            PartitionState state = leader_.state();
            state.leader_epoch = sent_->leader_epoch;
            state.partition_epoch = {args.get<std::int32_t>(
                "partition_epoch", sent_->partition_epoch.value + 1)};
            state.isr.clear();
            for (const auto& member : sent_->isr) state.isr.push_back(member.broker);
            response.state = state;
        }
        static_cast<void>(
            leader_.on_alter_result(*sent_, response, log_, brokers_, now(), guard_));
        send_proposal();
        return empty_map();
    }

    Observed set_broker(const Args& args) {
        const BrokerId id{args.get<std::int32_t>("id")};
        const auto state = args.get<std::string>("state");
        for (BrokerRegistration& broker : brokers_) {
            if (broker.broker != id) continue;
            broker.fenced = state == "fenced";
            broker.in_controlled_shutdown = state == "shutdown";
        }
        return empty_map();
    }

    Observed list_offset(const Args& args) {
        const auto isolation = args.get<std::string>("isolation", "NONE");
        std::optional<Isolation> level;
        if (isolation == "READ_UNCOMMITTED") level = Isolation::read_uncommitted;
        if (isolation == "READ_COMMITTED") level = Isolation::read_committed;
        const bool latest = args.get<std::string>("timestamp") == "LATEST";
        const auto result =
            leader_.list_offset(log_, latest ? OffsetSpec::latest : OffsetSpec::earliest, level,
                                epoch_of(args.maybe<std::int32_t>("epoch")), guard_);
        Observed seen = outcome(result.error);
        if (result.error == ErrorCode::none) seen["offset"] = result.offset.value;
        return seen;
    }

    Observed check_partition() {
        Observed seen = empty_map();
        seen["isr"] = values_of(leader_.isr());
        seen["maximal_isr"] = values_of(leader_.maximal_isr());
        seen["hw"] = log_.high_watermark().value;
        seen["leo"] = log_.log_end().value;
        seen["partition_epoch"] = leader_.state().partition_epoch.value;
        seen["inflight"] = leader_.isr_change_pending();
        seen["under_min_isr"] = leader_.under_min_isr();
        seen["epoch_start"] = value_or_null(leader_.epoch_start());
        seen["proposed"] = proposed();
        return seen;
    }

    std::vector<BrokerId> replicas_;
    std::vector<BrokerRegistration> brokers_;
    LeaderPartition leader_;
    PartitionLog log_;
    Guard guard_;
    std::map<std::string, Offset> produced_;
    std::optional<AlterPartitionRequest> sent_;
    std::int64_t now_ = 1'000'000;
};

}  // namespace

Harness make_partition(const Args& config) {
    return driven<PartitionHarness>(config, {.sets = {"isr", "maximal_isr", "proposed"}});
}

}  // namespace eos::conformance
