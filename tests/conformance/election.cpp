// Harness election: what the controller makes of one partition.

#include <vector>

#include "model/election.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

[[nodiscard]] std::vector<BrokerId> broker_list(const Args& args, const char* key) {
    std::vector<BrokerId> list;
    for (const auto id : args.get<std::vector<std::int32_t>>(key, {})) list.push_back({id});
    return list;
}

[[nodiscard]] RecoveryState recovery_of(const Args& args) {
    return args.get<std::string>("recovery", "RECOVERED") == "RECOVERING"
               ? RecoveryState::recovering
               : RecoveryState::recovered;
}

class ElectionHarness {
  public:
    explicit ElectionHarness(const Args& config)
        : min_insync_(config.get<std::int32_t>("min_isr", 1)) {
        state_.log = {0};
        state_.replicas = broker_list(config, "replicas");
        state_.isr = broker_list(config, "isr");
        state_.elr = broker_list(config, "elr");
        state_.last_known_elr = broker_list(config, "last_known");
        if (const auto leader = config.get<std::int32_t>("leader", -1); leader >= 0)
            state_.leader = BrokerId{leader};
        state_.leader_epoch = {config.get<std::int32_t>("leader_epoch", 0)};
        state_.partition_epoch = {config.get<std::int32_t>("partition_epoch", 0)};
        state_.recovery = recovery_of(config);
        if (!config.get<bool>("elr_enabled", false))
            guard_.set.remove(Safeguard::eligible_leader_replicas);
        const YAML::Node states = config.raw("brokers");
        for (const BrokerId id : state_.replicas) {
            BrokerRegistration broker{.broker = id, .epoch = {7}, .fenced = false};
            if (states.IsDefined()) {
                for (const auto& entry : states) {
                    if (entry.first.as<std::int32_t>() != id.value) continue;
                    broker.fenced = entry.second.as<std::string>() == "fenced";
                    broker.in_controlled_shutdown = entry.second.as<std::string>() == "shutdown";
                }
            }
            brokers_.push_back(broker);
        }
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "elect") return elect_only(args);
        if (op == "change") return apply(args);
        if (op == "alter_partition") return alter(args);
        throw std::invalid_argument("harness election has no operation " + op);
    }

  private:
    [[nodiscard]] ElectionOrder order_of(const Args& args) const {
        ElectionOrder order;
        const auto type = args.get<std::string>("type", "ONLINE");
        if (type == "PREFERRED") order.type = ElectionType::preferred;
        if (type == "UNCLEAN") order.type = ElectionType::unclean;
        order.alive = broker_list(args, "alive");
        if (args.has("target_isr")) order.isr = broker_list(args, "target_isr");
        if (args.has("target_replicas")) order.replicas = broker_list(args, "target_replicas");
        order.unclean_shutdown = broker_list(args, "unclean_shutdown");
        order.min_insync = min_insync_;
        order.last_known_recovery = args.get<bool>("last_known_recovery", true);
        return order;
    }

    Observed elect_only(const Args& args) {
        const Elected elected = elect(state_, order_of(args), guard_);
        Observed seen = empty_map();
        seen["leader"] = elected.leader ? elected.leader->value : -1;
        seen["unclean"] = elected.unclean;
        return seen;
    }

    [[nodiscard]] Observed show() const {
        Observed seen = empty_map();
        seen["leader"] = state_.leader ? state_.leader->value : -1;
        seen["isr"] = values_of(state_.isr);
        seen["elr"] = values_of(state_.elr);
        seen["last_known"] = values_of(state_.last_known_elr);
        seen["recovery"] =
            state_.recovery == RecoveryState::recovering ? "RECOVERING" : "RECOVERED";
        seen["leader_epoch"] = state_.leader_epoch.value;
        seen["partition_epoch"] = state_.partition_epoch.value;
        return seen;
    }

    Observed apply(const Args& args) {
        if (const auto changed = change(state_, order_of(args), guard_)) state_ = changed->state;
        return show();
    }

    Observed alter(const Args& args) {
        if (args.get<int>("version", 3) < 2)
            throw NotModelled("AlterPartition below version 2 is not modelled");
        AlterPartitionRequest request;
        request.broker = {args.get<std::int32_t>("sender")};
        request.log = state_.log;
        request.leader_epoch = {args.get<std::int32_t>("leader_epoch")};
        request.partition_epoch = {args.get<std::int32_t>("partition_epoch")};
        request.recovery = recovery_of(args);
        for (const BrokerId id : broker_list(args, "isr"))
            request.isr.push_back({.broker = id, .epoch = {-1}});
        request.broker_epoch = {args.get<std::int64_t>("broker_epoch", 7)};
        const ErrorCode error = validate_alter_partition(state_, request, brokers_, guard_);
        if (error != ErrorCode::none) return outcome(error);
        ElectionOrder order;
        order.min_insync = min_insync_;
        for (const BrokerRegistration& broker : brokers_)
            if (!broker.fenced && !broker.in_controlled_shutdown)
                order.alive.push_back(broker.broker);
        if (const auto changed = apply_alter_partition(state_, request, order, guard_))
            state_ = changed->state;
        return show();
    }

    PartitionState state_;
    std::vector<BrokerRegistration> brokers_;
    std::int32_t min_insync_;
    Guard guard_;
};

}  // namespace

Harness make_election(const Args& config) {
    return driven<ElectionHarness>(config, {.sets = {"isr", "elr", "last_known"}});
}

}  // namespace eos::conformance
