// Harness assignor: the assignors as pure functions of members and partitions.

#include <algorithm>
#include <map>
#include <set>

#include "model/assignors.hpp"
#include "model/server_assignors.hpp"
#include "model/sticky_assignor.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

Harness make_assignor(const Args& config);

namespace {

using namespace eos::model;

/// The members and topics of one operation, numbered in the order of their names, which is the
/// order that the assignors sort by (Z2, Z4).
class Scene {
  public:
    explicit Scene(const Args& args) {
        for (const auto& entry : args.raw("partitions"))
            topics_.push_back(entry.first.as<std::string>());
        std::sort(topics_.begin(), topics_.end());
        for (const auto& topic : topics_) {
            Topic added;
            added.name = topic;
            added.first = {static_cast<std::int32_t>(topology.logs.size())};
            added.partitions = args.raw("partitions")[topic].as<std::int32_t>();
            for (std::int32_t p = 0; p < added.partitions; ++p)
                topology.logs.push_back(
                    {{static_cast<std::int32_t>(topology.topics.size())}, {p}, {{1}}});
            topology.topics.push_back(added);
        }
        std::set<std::string> instances;
        for (const auto& entry : args.raw("members")) {
            names_.push_back(entry.first.as<std::string>());
            if (entry.second["instance"])
                instances.insert(entry.second["instance"].as<std::string>());
        }
        std::sort(names_.begin(), names_.end());
        for (std::size_t i = 0; i < names_.size(); ++i) {
            const Args given(args.raw("members")[names_[i]]);
            JoinGroupResponse::Member m;
            m.member = {i};
            for (const YAML::Node& topic : given.raw("topics"))
                m.subscription.push_back(*topology.topic_named(topic.as<std::string>()));
            if (const auto instance = given.maybe<std::string>("instance"))
                m.instance = GroupInstanceId{static_cast<std::int32_t>(
                    std::distance(instances.begin(), instances.find(*instance)))};
            StickyMember owner{m.member, m.subscription, {}, {}};
            if (given.has("owned"))
                for (const YAML::Node& tp : given.raw("owned"))
                    owner.owned.push_back(log_named(tp.as<std::string>()));
            if (const auto generation = given.maybe<std::int32_t>("generation"))
                owner.generation = Generation{*generation};
            sticky.push_back(std::move(owner));
            members.push_back(std::move(m));
        }
    }

    [[nodiscard]] std::string name(MemberId id) const { return names_[id.value]; }
    [[nodiscard]] std::string name(LogId log) const {
        const auto& entry = topology.logs[static_cast<std::size_t>(log.value)];
        return topology.topic_of(log).name + "-" + std::to_string(entry.partition.value);
    }

    /// Previous targets are what the case calls owned.
    [[nodiscard]] std::vector<ServerMember> server() const {
        std::vector<ServerMember> result;
        for (std::size_t i = 0; i < members.size(); ++i)
            result.push_back(
                {members[i].member, members[i].instance, members[i].subscription, sticky[i].owned});
        return result;
    }

    Topology topology;
    std::vector<JoinGroupResponse::Member> members;
    std::vector<StickyMember> sticky;

  private:
    [[nodiscard]] LogId log_named(const std::string& tp) const {
        const auto dash = tp.rfind('-');
        return topology.log(*topology.topic_named(tp.substr(0, dash)),
                            {std::stoi(tp.substr(dash + 1))});
    }

    std::vector<std::string> topics_;
    std::vector<std::string> names_;
};

/// What an assignor of the case's name gives; range and round robin know no ownership.
[[nodiscard]] StickyAssignment assigned(const std::string& which, const Scene& scene) {
    if (which == "sticky") return assign_sticky(scene.sticky, scene.topology);
    if (which == "cooperative-sticky") return assign_cooperative(scene.sticky, scene.topology);
    if (which == "range") return {assign(AssignorKind::range, scene.members, scene.topology), {}};
    if (which == "roundrobin")
        return {assign(AssignorKind::round_robin, scene.members, scene.topology), {}};
    if (which == "server-range")
        return {assign(ServerAssignor::range, scene.server(), scene.topology), {}};
    if (which == "server-uniform")
        return {assign(ServerAssignor::uniform, scene.server(), scene.topology), {}};
    throw std::invalid_argument("unknown assignor " + which);
}

[[nodiscard]] bool owns(const StickyMember& member, LogId log) {
    return std::find(member.owned.begin(), member.owned.end(), log) != member.owned.end();
}

void show_invariants(const Scene& scene, const StickyAssignment& given, Observed& result) {
    std::map<LogId, int> times;
    std::size_t least = scene.topology.logs.size();
    std::size_t most = 0;
    bool kept = true;
    bool no_owned_moved = true;
    for (std::size_t i = 0; i < scene.sticky.size(); ++i) {
        const auto& logs = given.members[i].logs;
        least = std::min(least, logs.size());
        most = std::max(most, logs.size());
        for (const auto log : scene.sticky[i].owned)
            kept &= std::find(logs.begin(), logs.end(), log) != logs.end();
        for (const auto log : logs) {
            ++times[log];
            for (const auto& other : scene.sticky)
                if (other.member != scene.sticky[i].member && owns(other, log))
                    no_owned_moved = false;
        }
    }
    // Every topic of these cases is subscribed.
    result["complete"] = times.size() == scene.topology.logs.size() &&
                         std::all_of(times.begin(), times.end(),
                                     [](const auto& entry) { return entry.second == 1; });
    result["balanced"] = most <= least + 1;
    result["kept"] = kept;
    result["no_owned_moved"] = no_owned_moved;
    result["unassigned_count"] = scene.topology.logs.size() - times.size();
}

Observed perform(const std::string& op, const Args& args) {
    const Scene scene(args);
    const auto given = assigned(args.get<std::string>("assignor"), scene);
    Observed result = empty_map();
    result["transferring"] = empty_map();
    for (const auto& [log, to] : given.transferring)
        result["transferring"][scene.name(log)] = scene.name(to);
    if (op == "invariants") {
        show_invariants(scene, given, result);
        return result;
    }
    if (op != "assign") throw std::invalid_argument("unknown operation " + op);
    result["assignment"] = empty_map();
    for (const auto& entry : given.members) {
        YAML::Node list = empty_list();
        for (const auto log : entry.logs) list.push_back(scene.name(log));
        result["assignment"][scene.name(entry.member)] = list;
    }
    return result;
}

}  // namespace

Harness make_assignor(const Args&) {
    Harness harness;
    harness.perform = &perform;
    harness.whole_maps = {"assignment", "transferring"};
    return harness;
}

}  // namespace eos::conformance
