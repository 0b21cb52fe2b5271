// Harness modern_group: one ModernGroup with its timers, and reconciliation as the pure function it
// is. The case says what the server assignor returns.

#include "model/modern_group.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "model/modern_group_reconcile.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/conformance/names.hpp"
#include "tests/model/group_rig.hpp"

namespace eos::conformance {

Harness make_modern_group(const Args& config);

namespace {

using namespace eos::model;

constexpr std::int32_t logs_per_topic = 100;

/// Kafka's names of member states, by ModernState.
constexpr std::array<std::string_view, 4> state_names{"STABLE", "UNREVOKED_PARTITIONS",
                                                      "UNRELEASED_PARTITIONS", "UNKNOWN"};

class ModernGroupHarness {
  public:
    explicit ModernGroupHarness(const Args& config) {
        config_.consumer_group_session =
            sim::milliseconds(config.get<std::int64_t>("session_ms", 45'000));
        config_.consumer_group_heartbeat =
            sim::milliseconds(config.get<std::int64_t>("heartbeat_ms", 5'000));
        config_.consumer_group_max_size = config.get<std::int32_t>("max_size", 2147483647);
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "reconcile") return reconcile(args);
        if (op == "given_group") return given_group(args);
        if (op == "set_target") return set_target(args);
        if (op == "heartbeat") return heartbeat(args);
        if (op == "advance") return advance(args);
        if (op == "failover") return fail_over();
        if (op == "check_group") return check_group();
        if (op == "check_member") return check_member(args);
        if (op == "check_partition") return check_partition(args);
        throw std::invalid_argument("unknown operation " + op);
    }

  private:
    // --- names ----------------------------------------------------------------------------------

    [[nodiscard]] LogId log_of(const std::string& topic, std::int32_t partition) {
        return {topics_.number(topic) * logs_per_topic + partition};
    }
    [[nodiscard]] std::vector<LogId> logs_in(const YAML::Node& assignment) {
        std::vector<LogId> logs;
        for (const auto& entry : assignment)
            for (const YAML::Node& partition : entry.second)
                logs.push_back(log_of(entry.first.as<std::string>(), partition.as<std::int32_t>()));
        std::sort(logs.begin(), logs.end());
        return logs;
    }
    [[nodiscard]] YAML::Node shown(const std::vector<LogId>& logs) const {
        YAML::Node result = empty_map();
        for (const auto log : logs)
            result[topics_.name(log.value / logs_per_topic)].push_back(log.value % logs_per_topic);
        return result;
    }
    [[nodiscard]] std::vector<TopicId> topics_in(const YAML::Node& names) {
        std::vector<TopicId> topics;
        for (const YAML::Node& name : names)
            topics.push_back({topics_.number(name.as<std::string>())});
        std::sort(topics.begin(), topics.end());
        return topics;
    }
    [[nodiscard]] std::optional<std::vector<LogId>> maybe_logs(const Args& args,
                                                               const std::string& key) {
        if (!args.has(key)) return std::nullopt;
        return logs_in(args.raw(key));
    }
    [[nodiscard]] static ModernState state_named(const std::string& name) {
        for (std::size_t i = 0; i < state_names.size(); ++i)
            if (state_names[i] == name) return static_cast<ModernState>(i);
        throw std::invalid_argument("no member state is called " + name);
    }
    /// {state, epoch, prev, assigned, revoking} of a case.
    [[nodiscard]] ModernMember member_of(const Args& args, std::int32_t epoch) {
        ModernMember m;
        m.state = state_named(args.get<std::string>("state", "STABLE"));
        m.epoch = Generation{args.get<std::int32_t>("epoch", epoch)};
        m.previous_epoch = Generation{args.get<std::int32_t>("prev", m.epoch.value)};
        m.assigned = maybe_logs(args, "assigned").value_or(std::vector<LogId>{});
        m.revoking = maybe_logs(args, "revoking").value_or(std::vector<LogId>{});
        return m;
    }
    [[nodiscard]] Observed shown(const ModernMember& m) const {
        Observed result = empty_map();
        result["state"] = std::string(state_names[static_cast<std::size_t>(m.state)]);
        result["epoch"] = told_epoch(m);
        result["prev"] = m.previous_epoch.value;
        result["assigned"] = shown(m.assigned);
        result["revoking"] = shown(m.revoking);
        return result;
    }

    // --- operations -----------------------------------------------------------------------------

    Observed reconcile(const Args& args) {
        auto current = member_of(Args(args.raw("current")), 0);
        current.target = logs_in(args.raw("target"));
        std::vector<LogId> busy;
        const YAML::Node given = args.raw("busy");
        if (given.IsSequence()) {
            for (const YAML::Node& tp : given) busy.push_back(log_named(tp.as<std::string>()));
        } else if (given.as<std::string>() == "all") {
            busy = current.target;
        }
        const auto next = reconciled(current, Generation{args.get<std::int32_t>("target_epoch")},
                                     busy, maybe_logs(args, "owned"));
        return next ? shown(*next) : outcome(ErrorCode::fenced_member_epoch);
    }

    Observed given_group(const Args& args) {
        ModernGroupRecord record;
        record.group = {0};
        record.epoch = Generation{args.get<std::int32_t>("epoch")};
        record.target_epoch =
            Generation{args.get<std::int32_t>("target_epoch", record.epoch.value)};
        for (const auto& entry : args.raw("members")) {
            const auto id = entry.first.as<std::string>();
            const Args given(entry.second);
            auto m = member_of(given, record.epoch.value);
            m.member = *numbered<MemberId>(ids_, id);
            m.instance =
                numbered<GroupInstanceId>(instances_, given.maybe<std::string>("instance"));
            m.subscription = topics_in(given.has("subscribed") ? given.raw("subscribed")
                                                               : YAML::Load("[foo, bar]"));
            m.rebalance_timeout = sim::milliseconds(given.get<std::int64_t>("rebalance_ms", 5000));
            m.target = m.assigned;
            if (args.has("target") && args.raw("target")[id])
                m.target = logs_in(args.raw("target")[id]);
            record.members.push_back(std::move(m));
        }
        if (ModernGroup::owned_twice(record)) return failed("ILLEGAL_STATE");
        group_ = ModernGroup::restored(std::move(record));
        step([](ModernGroup& group, ModernStep& s) { group.resume(s); });
        return empty_map();
    }

    Observed set_target(const Args& args) {
        target_.clear();
        for (const auto& entry : args.all())
            target_.push_back(
                {*numbered<MemberId>(ids_, entry.first.as<std::string>()), logs_in(entry.second)});
        return empty_map();
    }

    Observed heartbeat(const Args& args) {
        ConsumerGroupHeartbeatRequest request;
        request.group = {0};
        request.member = numbered<MemberId>(ids_, args.maybe<std::string>("member"));
        request.member_epoch = args.get<std::int32_t>("epoch");
        if (const auto instance = args.maybe<std::string>("instance"))
            request.instance = instance->empty() ? GroupInstanceId{-1}
                                                 : *numbered<GroupInstanceId>(instances_, instance);
        request.owned = maybe_logs(args, "owned");
        if (args.has("subscribed")) request.subscription = topics_in(args.raw("subscribed"));
        if (const auto ms = args.get<std::int64_t>("rebalance_ms", -1); ms >= 0)
            request.rebalance_timeout = sim::milliseconds(ms);
        if (args.get<bool>("full", false)) {
            request.rebalance_timeout = sim::milliseconds(5000);
            request.subscription = topics_in(YAML::Load("[foo, bar]"));
            request.owned.emplace();
        }
        if (const auto name = args.maybe<std::string>("assignor"))
            request.assignor = *name == "uniform" ? ServerAssignor::uniform
                               : *name == "range" ? ServerAssignor::range
                                                  : static_cast<ServerAssignor>(2);
        const auto answer = answer_to(request);
        Observed result = outcome(answer.error);
        if (answer.error != ErrorCode::none) return result;
        result["epoch"] = answer.member_epoch;
        result["assignment"] = answer.assignment ? shown(*answer.assignment) : null();
        return result;
    }

    /// As a shard does it, with the case's target.
    ConsumerGroupHeartbeatResponse answer_to(const ConsumerGroupHeartbeatRequest& request) {
        ConsumerGroupHeartbeatResponse answer;
        answer.error = ModernGroup::malformed(request);
        if (answer.error != ErrorCode::none) return answer;
        if (!group_ && request.member_epoch != 0) {
            answer.error = ErrorCode::group_id_not_found;
            return answer;
        }
        const auto before = group_;
        if (!group_) group_ = ModernGroup(GroupId{0});
        step([&](ModernGroup& group, ModernStep& s) {
            if (request.member_epoch < 0) {
                answer = group.leave(s, request);
                return;
            }
            answer.error = group.admit(s, request, *request.member, {9});
            if (answer.error != ErrorCode::none) return;
            if (group.needs_target()) group.set_target(target_);
            answer = group.advance(s, request, *request.member);
        });
        if (answer.error != ErrorCode::none) group_ = before;
        return answer;
    }

    Observed advance(const Args& args) {
        Observed result = empty_map();
        result["removed"] = empty_list();
        const auto until = world_.now + sim::milliseconds(args.get<std::int64_t>("ms"));
        while (const auto timer = world_.next_timer(until)) {
            const auto before = group_->members();
            step([&](ModernGroup& group, ModernStep& s) {
                if (tick(*timer) == Tick::modern_session)
                    group.on_session_timer(s, timer->b);
                else if (tick(*timer) == Tick::modern_rebalance)
                    group.on_rebalance_timer(s, timer->b);
                else
                    throw std::logic_error("a timer that is not a group's");
            });
            for (const auto& m : before)
                if (!group_->find(m.member)) result["removed"].push_back(name_of(m.member));
        }
        world_.now = until;
        return result;
    }

    Observed fail_over() {
        step([](ModernGroup& group, ModernStep& s) { group.unload(s); });
        if (!world_.timers.empty()) throw std::logic_error("an unloaded group left a timer");
        group_ = ModernGroup::restored(group_->record());
        step([](ModernGroup& group, ModernStep& s) { group.resume(s); });
        return empty_map();
    }

    // --- checks ---------------------------------------------------------------------------------

    Observed check_group() {
        Observed result = empty_map();
        result["state"] = group_ ? std::string(name(group_->state())) : "absent";
        if (!group_) return result;
        result["epoch"] = group_->record().epoch.value;
        result["target_epoch"] = group_->record().target_epoch.value;
        result["members"] = empty_list();
        for (const auto& m : group_->members()) result["members"].push_back(name_of(m.member));
        return result;
    }

    Observed check_member(const Args& args) {
        const auto id = *numbered<MemberId>(ids_, args.maybe<std::string>("member"));
        const auto* m = group_ ? group_->find(id) : nullptr;
        Observed result = m ? shown(*m) : empty_map();
        result["present"] = m != nullptr;
        if (m)
            result["instance"] =
                m->instance ? YAML::Node(instances_.name(m->instance->value)) : null();
        return result;
    }

    Observed check_partition(const Args& args) {
        const auto epoch = group_->owner_epoch(log_named(args.get<std::string>("tp")));
        Observed result = empty_map();
        result["epoch"] = epoch ? epoch->value : -1;
        return result;
    }

    [[nodiscard]] LogId log_named(const std::string& tp) {
        const auto dash = tp.rfind('-');
        return log_of(tp.substr(0, dash), std::stoi(tp.substr(dash + 1)));
    }
    [[nodiscard]] std::string name_of(MemberId id) const {
        return ids_.name(static_cast<std::int64_t>(id.value));
    }

    template <class Action>
    void step(Action action) {
        Fx fx;
        const auto ctx = world_.context();
        ModernStep inner{ctx, config_, topology_, guard_, fx};
        action(*group_, inner);
        world_.take(fx);
    }

    ClusterConfig config_;
    Guard guard_;
    Topology topology_ = model::testing::group_topology();
    model::testing::GroupWorld world_;
    std::optional<ModernGroup> group_;
    std::vector<MemberAssignment> target_;
    Names ids_;
    Names instances_;
    Names topics_;
};

}  // namespace

Harness make_modern_group(const Args& config) {
    return driven<ModernGroupHarness>(
        config, {.sets = {"members"}, .whole_maps = {"assigned", "revoking", "assignment"}});
}

}  // namespace eos::conformance
