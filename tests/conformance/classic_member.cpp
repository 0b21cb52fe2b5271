// Harness classic_member: one member of a classic group, driven through a whole Consumer whose
// network is scripted.

#include <map>
#include <set>

#include "tests/conformance/harness.hpp"
#include "tests/conformance/names.hpp"
#include "tests/model/consumer_rig.hpp"

namespace eos::conformance {

Harness make_classic_member(const Args& config);

namespace {

using namespace eos::model;
using Rig = eos::model::test::ConsumerRig;

ConsumerConfig config_of(const Args& config, Names& instances) {
    ConsumerConfig result = Rig::config();
    if (config.get<std::string>("protocol", "EAGER") == "COOPERATIVE")
        result.assignors = {AssignorKind::cooperative_sticky};
    result.client.retry_backoff = {};
    result.client.retry_backoff_max = {};
    result.client.reconnect_backoff = {};
    result.client.reconnect_backoff_max = {};
    result.instance = numbered<GroupInstanceId>(instances, config.maybe<std::string>("instance"));
    return result;
}

class ClassicMemberHarness {
  public:
    explicit ClassicMemberHarness(const Args& config)
        : rig_(config_of(config, instances_), 4), with_instance_(config.has("instance")) {
        rig_.answer_lookups = true;
        rig_.answer_fetches = true;
    }

    Observed perform(const std::string& op, const Args& args) {
        rig_.sent.clear();
        rig_.events.clear();
        if (op == "check") return check();
        if (op == "result") return result(args.get<std::string>("ref"));
        if (op == "set_identity") return set_identity(args);
        if (op == "leader_assignment")
            throw NotModelled(
                "there are no custom assignors; Kafka does not validate its own (Z7)");
        if (op == "request_rejoin")
            throw NotModelled("no application asks for a rebalance (enforceRebalance)");
        if (op == "given_stable") return given_stable(args);
        if (op == "subscribe") {
            rig_.subscribe();
        } else if (op == "unsubscribe") {
            rig_.step([](Consumer& c, const Context& ctx, Fx& fx) { c.unsubscribe(ctx, fx); });
        } else if (op == "assign") {
            std::vector<LogId> logs;
            for (const YAML::Node& tp : args.raw("tps")) logs.push_back(log_named(tp));
            rig_.assign(logs);
        } else if (op == "poll") {
            poll();
        } else if (op == "heartbeat") {
            rig_.advance(seconds(3));
        } else if (op == "stall") {
            stall(sim::milliseconds(args.get<std::int64_t>("ms")));
        } else if (op == "commit") {
            commit(args);
        } else if (op == "respond") {
            respond(args);
        } else {
            throw std::invalid_argument("unknown operation " + op);
        }
        rig_.advance({});  // backoffs of no length end at once
        return observed();
    }

  private:
    [[nodiscard]] static LogId log_named(const YAML::Node& tp) {
        return {std::stoi(tp.as<std::string>().substr(2))};
    }
    [[nodiscard]] static std::string log_name(LogId log) {
        return "t-" + std::to_string(log.value);
    }
    [[nodiscard]] std::optional<MemberId> member_named(const std::optional<std::string>& name) {
        return numbered<MemberId>(members_, name);
    }

    /// An application poll. The coordinator is known at the start, so its first lookup is hidden.
    void poll() {
        rig_.poll();
        if (started_) return;
        started_ = true;
        rig_.poll();
        rig_.answer_lookups = false;
        std::erase_if(rig_.sent, [](const Message& message) {
            return std::holds_alternative<FindCoordinatorRequest>(message);
        });
    }

    Observed given_stable(const Args& args) {
        rig_.subscribe();
        poll();
        rig_.answer_join(Generation{args.get<std::int32_t>("generation")},
                         *member_named(args.get<std::string>("member")), MemberId{0});
        poll();
        std::vector<LogId> owned;
        for (const YAML::Node& tp : args.raw("owned")) owned.push_back(log_named(tp));
        rig_.answer_sync(owned);
        poll();
        settle_positions();
        return empty_map();
    }
    /// Committed offsets are none of the case's business.
    void settle_positions() {
        if (rig_.waiting<OffsetFetchRequest>()) rig_.answer_committed(Offset{0});
    }

    /// The identity cannot be replaced from outside; a member really loses it and joins again. The
    /// answer that tells it comes before the commit's, so the heartbeat left before the commit did.
    Observed set_identity(const Args& args) {
        if (args.get<std::string>("state") != "PREPARING_REBALANCE")
            throw NotModelled("only a member that rejoins can have a new identity");
        rig_.answer_beat(ErrorCode::unknown_member_id);
        poll();
        return empty_map();
    }

    void commit(const Args& args) {
        if (with_instance_) rig_.advance(seconds(3));
        std::vector<CommitOffset> offsets;
        for (const auto& entry : args.raw("offsets"))
            offsets.push_back({log_named(entry.first), {entry.second.as<std::int64_t>()}, {}});
        const bool sync = args.get<bool>("sync", false);
        const auto number = rig_.step([&](Consumer& c, const Context& ctx, Fx& fx) {
            return sync ? c.commit_sync(ctx, offsets, fx) : c.commit_async(ctx, offsets, fx);
        });
        refs_[args.get<std::string>("ref")] = number;
    }

    /// No poll; heartbeats are sent and succeed, which the case does not look at.
    void stall(Duration span) {
        for (auto left = span; left > Duration{}; left -= seconds(1)) {
            rig_.advance(std::min<Duration>(left, seconds(1)));
            while (rig_.waiting<HeartbeatRequest>()) rig_.answer_beat(ErrorCode::none);
        }
        std::erase_if(rig_.sent, [](const Message& message) {
            return std::holds_alternative<HeartbeatRequest>(message);
        });
    }

    void respond(const Args& args) {
        const auto api = args.get<std::string>("api");
        const auto error = error_named(args.get<std::string>("error", "NONE"));
        std::vector<LogId> assigned;
        if (args.has("assigned"))
            for (const YAML::Node& tp : args.raw("assigned")) assigned.push_back(log_named(tp));
        if (api == "JOIN_GROUP" && error != ErrorCode::none) {
            rig_.answer_join(error, member_named(args.maybe<std::string>("member")));
        } else if (api == "JOIN_GROUP") {
            rig_.answer_join(Generation{args.get<std::int32_t>("generation")},
                             *member_named(args.get<std::string>("member")),
                             *member_named(args.get<std::string>("leader")));
        } else if (api == "SYNC_GROUP") {
            rig_.answer_sync(assigned, error);
        } else if (api == "HEARTBEAT") {
            rig_.answer_beat(error);
        } else if (api == "LEAVE_GROUP") {
            rig_.answer<LeaveGroupRequest>(LeaveGroupResponse{Rig::group, error, {}});
        } else if (api == "OFFSET_COMMIT") {
            rig_.answer_commit(error);
        } else if (api == "FIND_COORDINATOR") {
            rig_.answer<FindCoordinatorRequest>(FindCoordinatorResponse{Rig::group, error, {1}});
        } else {
            throw std::invalid_argument("no answer is known for " + api);
        }
    }

    // --- what is shown ---------------------------------------------------------------------------
    [[nodiscard]] YAML::Node request(const Message& message) {
        YAML::Node shown = empty_map();
        const auto speaker = [&](const MemberRef& ref) {
            shown["generation"] = ref.generation ? ref.generation->value : -1;
            shown["member"] = name_or_empty(members_, ref.member);
        };
        if (const auto* join = std::get_if<JoinGroupRequest>(&message)) {
            shown["api"] = "JOIN_GROUP";
            shown["member"] = name_or_empty(members_, join->member);
            shown["owned"] = logs(join->owned);
        } else if (const auto* sync = std::get_if<SyncGroupRequest>(&message)) {
            shown["api"] = "SYNC_GROUP";
            speaker(sync->member);
            shown["assignments"] = empty_map();
            for (const auto& share : sync->assignments)
                shown["assignments"][name_or_empty(members_, std::optional(share.member))] =
                    logs(share.logs);
        } else if (const auto* beat = std::get_if<HeartbeatRequest>(&message)) {
            shown["api"] = "HEARTBEAT";
            speaker(beat->member);
        } else if (const auto* leave = std::get_if<LeaveGroupRequest>(&message)) {
            shown["api"] = "LEAVE_GROUP";
            shown["member"] = name_or_empty(members_, leave->members.front().member);
        } else if (const auto* commit = std::get_if<OffsetCommitRequest>(&message)) {
            shown["api"] = "OFFSET_COMMIT";
            speaker(commit->member);
        } else if (std::holds_alternative<FindCoordinatorRequest>(message)) {
            shown["api"] = "FIND_COORDINATOR";
        } else {
            return YAML::Node(YAML::NodeType::Undefined);
        }
        return shown;
    }
    [[nodiscard]] static YAML::Node logs(const std::vector<LogId>& list) {
        YAML::Node shown = empty_list();
        for (const LogId log : list) shown.push_back(log_name(log));
        return shown;
    }

    void commits_seen() {
        for (const auto& event : rig_.events)
            if (const auto* done = std::get_if<consumer_event::CommitDone>(&event))
                results_[done->call] = *done;
    }

    Observed observed() {
        Observed shown = empty_map();
        shown["requests"] = empty_list();
        for (const auto& message : rig_.sent) {
            const YAML::Node one = request(message);
            if (one.IsDefined()) shown["requests"].push_back(one);
        }
        shown["callbacks"] = empty_list();
        for (const auto& event : rig_.events) {
            YAML::Node call = empty_list();
            if (const auto* gone = std::get_if<consumer_event::PartitionsRevoked>(&event)) {
                call.push_back(gone->lost ? "lost" : "revoked");
                call.push_back(logs(gone->logs));
            } else if (const auto* got = std::get_if<consumer_event::PartitionsAssigned>(&event)) {
                call.push_back("assigned");
                call.push_back(logs(got->logs));
            } else if (const auto* poll = std::get_if<consumer_event::PollReturned>(&event)) {
                if (poll->result != CallResult::ok) shown["error"] = std::string(name(poll->error));
                continue;
            } else {
                continue;
            }
            shown["callbacks"].push_back(call);
        }
        commits_seen();
        settle_positions();
        return shown;
    }

    Observed result(const std::string& ref) {
        Observed shown = empty_map();
        const auto found = results_.find(refs_.at(ref));
        if (found == results_.end()) {
            shown["status"] = "PENDING";
            return shown;
        }
        const auto& done = found->second;
        shown["status"] = done.result == CallResult::ok ? "OK" : "FAILED";
        switch (done.result) {
            case CallResult::ok:
                break;
            case CallResult::timed_out:
                shown["error"] = "TIMEOUT";
                break;
            case CallResult::retriable_commit_failed:
                shown["error"] = "RETRIABLE_COMMIT_FAILED";
                break;
            case CallResult::commit_failed:
                shown["error"] = "COMMIT_FAILED";
                break;
            case CallResult::rebalance_in_progress:
            case CallResult::no_offset:
            case CallResult::offset_out_of_range:
            case CallResult::log_truncation:
            case CallResult::interrupted:
            case CallResult::fatal:
                shown["error"] = std::string(name(done.error));
                break;
        }
        return shown;
    }

    Observed check() {
        const auto& member = rig_.consumer.member();
        const auto& identity = member.identity();
        Observed shown = empty_map();
        shown["state"] = std::string(name(member.state()));
        shown["generation"] = identity.generation ? identity.generation->value : -1;
        shown["member"] = name_or_empty(members_, identity.member);
        shown["rejoin_needed"] = member.rejoin_needed();
        shown["coordinator_known"] = rig_.consumer.coordinator_known();
        shown["owned"] = logs(rig_.consumer.assignment());
        return shown;
    }

    Names instances_;
    Names members_;
    Rig rig_;
    bool with_instance_;
    bool started_ = false;
    std::map<std::string, std::int32_t> refs_;
    std::map<std::int32_t, consumer_event::CommitDone> results_;
};

}  // namespace

Harness make_classic_member(const Args& config) {
    return driven<ClassicMemberHarness>(config, {.sets = {"owned"}});
}

}  // namespace eos::conformance
