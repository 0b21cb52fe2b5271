// Harness classic_group: one ClassicGroup with its timers; what it wants to persist is answered at
// once, with success or with the error that the case prescribes.

#include "model/classic_group.hpp"

#include <array>
#include <map>

#include "model/group_shard.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/conformance/names.hpp"
#include "tests/model/group_rig.hpp"

namespace eos::conformance {

Harness make_classic_group(const Args& config);

namespace {

using namespace eos::model;

/// Protocol names as the cases and Kafka write them, by AssignorKind.
constexpr std::array<std::string_view, 4> protocol_names{"range", "roundrobin", "sticky",
                                                         "cooperative-sticky"};
[[nodiscard]] AssignorKind assignor_named(const std::string& name) {
    for (std::size_t i = 0; i < protocol_names.size(); ++i)
        if (protocol_names[i] == name) return static_cast<AssignorKind>(i);
    throw NotModelled("assignor " + name + " is not modelled");
}
[[nodiscard]] std::string_view protocol_name(AssignorKind kind) {
    return protocol_names[static_cast<std::size_t>(kind)];
}

class ClassicGroupHarness {
  public:
    explicit ClassicGroupHarness(const Args& config) {
        config_.group_initial_rebalance_delay =
            sim::milliseconds(config.get<std::int64_t>("initial_delay_ms", 3000));
        config_.group_new_member_timeout =
            sim::milliseconds(config.get<std::int64_t>("new_member_timeout_ms", 300'000));
        config_.group_max_size = config.get<std::int32_t>("max_size", 2147483647);
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "given_group") return given_group(args);
        if (op == "join") return join(args);
        if (op == "sync") return sync(args);
        if (op == "answer") return look(args);
        if (op == "heartbeat") return heartbeat(args);
        if (op == "leave") return leave(args);
        if (op == "check_group") return check_group();
        if (op == "advance") return advance(args);
        if (op == "failover") return fail_over();
        if (op == "mark_dead") {
            group_->die();
        } else if (op == "log_result") {
            const auto error = error_named(args.get<std::string>("error", "NONE"));
            log_error_ = error == ErrorCode::none ? std::nullopt : std::optional(error);
        } else {
            throw std::invalid_argument("unknown operation " + op);
        }
        return empty_map();
    }

  private:
    template <class Action>
    void step(Action action) {
        Fx fx;
        std::vector<GroupReply> replies;
        std::vector<GroupWrite> writes;
        const auto ctx = world_.context();
        GroupStep inner{ctx, config_, topology_, guard_, fx, replies, writes};
        action(*group_, inner);
        for (std::size_t i = 0; i < writes.size(); ++i) {
            const auto write = writes[i];
            if (log_error_) {
                group_->persist_failed(inner, write.persist, coordinator_error(*log_error_));
            } else {
                stored_ = write.record;
                group_->persisted(inner, write.persist, write.record);
            }
        }
        for (const auto& reply : replies)
            answers_.insert_or_assign(reply.to.correlation.value, reply.message);
        world_.take(fx);
    }

    /// Protocol metadata is opaque in the cases: a subscription that stands for its content.
    void read_protocols(const Args& args, std::vector<AssignorKind>& protocols,
                        std::vector<TopicId>& subscription) {
        YAML::Node list = args.raw("protocols");
        if (!list.IsDefined()) list = YAML::Load("[[range, v]]");
        for (const YAML::Node& pair : list) {
            const auto name = pair[0].as<std::string>();
            protocols.push_back(assignor_named(name));
            subscription.push_back({metadata_.number(name + " " + pair[1].as<std::string>())});
        }
    }

    Observed given_group(const Args& args) {
        std::vector<GroupMember> members;
        for (const auto& entry : args.raw("members")) {
            const Args given(entry.second);
            GroupMember m;
            m.id = *numbered<MemberId>(ids_, entry.first.as<std::string>());
            m.instance =
                numbered<GroupInstanceId>(instances_, given.maybe<std::string>("instance"));
            m.session_timeout = sim::milliseconds(given.get<std::int64_t>("session", 5000));
            m.rebalance_timeout = sim::milliseconds(given.get<std::int64_t>("rebalance", 10000));
            read_protocols(given, m.protocols, m.subscription);
            if (const auto text = given.maybe<std::string>("assignment"))
                m.assignment.push_back({assignments_.number(*text)});
            members.push_back(std::move(m));
        }
        group_ = ClassicGroup(
            GroupId{0}, GroupState::stable, Generation{args.get<std::int32_t>("generation")},
            numbered<MemberId>(ids_, args.maybe<std::string>("leader")),
            assignor_named(args.get<std::string>("protocol", "range")), std::move(members));
        stored_ = group_->record();
        step([](ClassicGroup& group, GroupStep& s) { group.resume(s); });
        return empty_map();
    }

    [[nodiscard]] ReplyTo reply_to(const Args& args) {
        const auto ref = args.get<std::string>("ref");
        return {{9}, 0, 0, {static_cast<std::uint32_t>(refs_.number(ref))}};
    }
    [[nodiscard]] MemberRef member_of(const Args& args) {
        MemberRef ref;
        if (const auto generation = args.maybe<std::int32_t>("generation"))
            ref.generation = Generation{*generation};
        ref.member = numbered<MemberId>(ids_, args.maybe<std::string>("member"));
        ref.instance = numbered<GroupInstanceId>(instances_, args.maybe<std::string>("instance"));
        return ref;
    }

    Observed join(const Args& args) {
        JoinGroupRequest request;
        request.group = {0};
        request.member = numbered<MemberId>(ids_, args.maybe<std::string>("member"));
        request.instance =
            numbered<GroupInstanceId>(instances_, args.maybe<std::string>("instance"));
        request.session_timeout = sim::milliseconds(args.get<std::int64_t>("session", 5000));
        request.rebalance_timeout = sim::milliseconds(args.get<std::int64_t>("rebalance", 10000));
        read_protocols(args, request.protocols, request.subscription);
        const auto fresh = numbered<MemberId>(ids_, args.maybe<std::string>("new_id"));
        if (!group_) group_ = ClassicGroup(GroupId{0});
        step([&](ClassicGroup& group, GroupStep& s) {
            group.join(s, reply_to(args), request, fresh.value_or(MemberId{}),
                       args.get<bool>("require_known", false));
        });
        return look(args);
    }

    Observed sync(const Args& args) {
        SyncGroupRequest request;
        request.group = {0};
        request.member = member_of(args);
        if (const auto name = args.maybe<std::string>("protocol"))
            request.protocol = assignor_named(*name);
        if (args.has("assignments"))
            for (const auto& entry : args.raw("assignments"))
                request.assignments.push_back(
                    {*numbered<MemberId>(ids_, entry.first.as<std::string>()),
                     {{assignments_.number(entry.second.as<std::string>())}}});
        step([&](ClassicGroup& group, GroupStep& s) { group.sync(s, reply_to(args), request); });
        return look(args);
    }

    Observed look(const Args& args) {
        const auto found = answers_.find(reply_to(args).correlation.value);
        Observed result = empty_map();
        result["status"] = found == answers_.end() ? "PENDING" : "DONE";
        if (found == answers_.end()) return result;
        if (const auto* sync = std::get_if<SyncGroupResponse>(&found->second)) {
            if (sync->error != ErrorCode::none) result["error"] = std::string(name(sync->error));
            result["assignment"] = null();
            if (!sync->assignment.empty())
                result["assignment"] = assignments_.name(sync->assignment.front().value);
            return result;
        }
        const auto& joined = std::get<JoinGroupResponse>(found->second);
        if (joined.error != ErrorCode::none) result["error"] = std::string(name(joined.error));
        result["generation"] = joined.generation ? joined.generation->value : -1;
        result["leader"] = name_or_empty(ids_, joined.leader);
        result["member"] = name_or_empty(ids_, joined.member);
        result["skip_assignment"] = joined.skip_assignment;
        result["protocol"] = null();
        if (joined.protocol) result["protocol"] = std::string(protocol_name(*joined.protocol));
        result["members"] = empty_list();
        for (const auto& m : joined.members)
            result["members"].push_back(ids_.name(static_cast<std::int64_t>(m.member.value)));
        return result;
    }

    Observed heartbeat(const Args& args) {
        auto error = ErrorCode::unknown_member_id;
        step([&](ClassicGroup& group, GroupStep& s) {
            error = group.heartbeat(s, member_of(args), {9});
        });
        return outcome(error);
    }

    Observed leave(const Args& args) {
        LeaveGroupRequest request;
        request.group = {0};
        for (const YAML::Node& entry : args.raw("members"))
            request.members.push_back(member_of(Args(entry)));
        LeaveGroupResponse answer;
        step([&](ClassicGroup& group, GroupStep& s) { answer = group.leave(s, request); });
        Observed result = outcome(answer.error);
        result["results"] = empty_list();
        for (const auto error : answer.members)
            result["results"].push_back(std::string(name(error)));
        return result;
    }

    Observed advance(const Args& args) {
        const auto until = world_.now + sim::milliseconds(args.get<std::int64_t>("ms"));
        while (const auto timer = world_.next_timer(until)) {
            step([&](ClassicGroup& group, GroupStep& s) {
                switch (tick(*timer)) {
                    case Tick::group_join:
                        group.on_join_timer(s);
                        break;
                    case Tick::group_sync:
                        group.on_sync_timer(s);
                        break;
                    case Tick::group_session:
                        group.on_session_timer(s, timer->b);
                        break;
                    case Tick::group_pending_member:
                        group.on_pending_timer(s, timer->b);
                        break;
                    default:
                        throw std::logic_error("a timer that is not a group's");
                }
            });
        }
        world_.now = until;
        return empty_map();
    }

    Observed fail_over() {
        step([](ClassicGroup& group, GroupStep& s) { group.unload(s); });
        if (!world_.timers.empty()) throw std::logic_error("an unloaded group left a timer");
        group_.reset();
        if (!stored_) return empty_map();
        group_ = ClassicGroup::restored(*stored_);
        step([](ClassicGroup& group, GroupStep& s) { group.resume(s); });
        return empty_map();
    }

    Observed check_group() {
        Observed result = empty_map();
        result["state"] = "absent";
        if (!group_) return result;
        result["state"] = std::string(name(group_->state()));
        result["generation"] = group_->generation().value;
        result["leader"] = name_or_empty(ids_, group_->leader());
        result["protocol"] = null();
        if (group_->protocol())
            result["protocol"] = std::string(protocol_name(*group_->protocol()));
        result["members"] = empty_list();
        result["pending"] = empty_list();
        result["pending_sync"] = empty_list();
        for (const auto& m : group_->members()) {
            const auto name = ids_.name(static_cast<std::int64_t>(m.id.value));
            result["members"].push_back(name);
            if (m.pending_sync) result["pending_sync"].push_back(name);
        }
        for (const auto& p : group_->pending())
            result["pending"].push_back(ids_.name(static_cast<std::int64_t>(p.id.value)));
        return result;
    }

    ClusterConfig config_;
    Topology topology_ = model::testing::group_topology();
    model::testing::GroupWorld world_;
    Guard guard_;
    std::optional<ClassicGroup> group_;
    std::optional<GroupMetadataRecord> stored_;
    std::optional<ErrorCode> log_error_;
    std::map<std::uint32_t, Message> answers_;
    Names ids_;
    Names instances_;
    Names metadata_;
    Names assignments_;
    Names refs_;
};

}  // namespace

Harness make_classic_group(const Args& config) {
    return driven<ClassicGroupHarness>(config, {.sets = {"members", "pending", "pending_sync"}});
}

}  // namespace eos::conformance
