#pragma once
// A world for faults alone: nodes that are up, down or paused, a directory, a clock, and a list of
// wake-ups. It carries out the acts of an injector as the engine does and writes them down in
// words.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "faults/injector.hpp"

namespace eos::faults::test {

using sim::milliseconds;
using sim::NodeId;
using sim::seconds;

namespace fact {
inline constexpr sim::FactName api{1}, side{2}, from{3}, to{4}, node{5}, log{6}, group{7},
    member{8}, offset{9}, unclean{10}, txid{11}, topic{12}, step{20};
}
namespace mile {
inline constexpr sim::MilestoneKind sent{1}, delivered{2}, handoff{3}, crashed{4}, lost_power{5},
    stopped{6}, appended{10}, loop{11};
}
namespace order {
inline constexpr sim::OrderKind stop{1}, stall{2}, unstall{3}, elect{4}, rebalance{5}, kick{6},
    expire_producers{7}, expire_offsets{8}, roll_segment{9}, reset_offsets{10}, delete_records{11},
    abort_txn{12}, fence_producer{13}, expire_txids{14}, delete_offsets{15}, delete_group{16},
    stale_metadata{17}, fresh_metadata{18};
}
inline constexpr std::uint16_t leader = 1, followers = 2, in_sync = 3, controller = 4,
                               coordinator = 5, owner = 6, txn_coordinator = 7, holder = 8,
                               zombie = 9;
inline constexpr std::uint16_t produce = 7, fetch = 8;

inline Words words() {
    Words w;
    w.facts = {fact::api,   fact::side,   fact::from,   fact::to,      fact::node, fact::log,
               fact::group, fact::member, fact::offset, fact::unclean, fact::txid, fact::topic};
    w.roles = {leader, followers,       in_sync, controller, coordinator,
               owner,  txn_coordinator, holder,  zombie};
    w.orders = {
        order::stop,         order::stall,         order::unstall,          order::elect,
        order::rebalance,    order::kick,          order::expire_producers, order::expire_offsets,
        order::roll_segment, order::reset_offsets, order::delete_records,   order::abort_txn,
        order::fence_producer, order::expire_txids, order::delete_offsets, order::delete_group,
        order::stale_metadata, order::fresh_metadata};
    w.marks = {mile::sent,       mile::delivered, mile::handoff, mile::crashed,
               mile::lost_power, mile::stopped,   {1000}};
    return w;
}

/// Node 0 the controller, 1..3 brokers, 4 and 5 application 0 with group 0. Topic 0 has logs 0 and
/// 1, log 2 is internal and holds group 0. Transactional ids 0 and 1.
inline Plan plan_of(std::vector<Fault> faults) {
    Plan plan;
    plan.words = words();
    plan.faults = std::move(faults);
    plan.chaos_end = sim::time_zero + seconds(60);
    plan.nodes.push_back({.kind = NodeKind::controller, .group = {}, .name = "controller"});
    for (int i = 1; i <= 3; ++i)
        plan.nodes.push_back(
            {.kind = NodeKind::broker, .group = {}, .name = "broker " + std::to_string(i)});
    for (int i = 0; i < 2; ++i)
        plan.nodes.push_back({.kind = NodeKind::app,
                              .app = 0,
                              .instance = i,
                              .group = 0,
                              .restart = Lasting::of(sim::Spread::fixed(seconds(1))),
                              .name = "shop/" + std::to_string(i)});
    plan.logs = {{0, false, "orders/0"}, {0, false, "orders/1"}, {1, true, "offsets/0"}};
    plan.groups = {{2, "billing"}};
    plan.txn_logs = {2, 2};
    return plan;
}

// ---- Short words for plans
// ------------------------------------------------------------------------

inline Target target(Target::Kind kind, std::optional<std::int32_t> number = {}) {
    Target t;
    t.kind = kind;
    t.number = number;
    return t;
}
inline Target broker(std::int32_t n) { return target(Target::Kind::broker, n); }
inline Target app(std::int32_t instance) {
    Target t = target(Target::Kind::app_instance, 0);
    t.instance = instance;
    return t;
}
inline Target of_log(Target::Kind kind, LogPick log) {
    Target t = target(kind);
    t.log = log;
    return t;
}
inline LogPick log(std::int32_t index) { return {LogPick::Kind::one, index}; }
inline sim::Spread fixed(sim::Duration d) { return sim::Spread::fixed(d); }
inline Lasting lasting(sim::Duration d) { return Lasting::of(fixed(d)); }

inline Fault at(std::string name, sim::Duration time, Action act, Targets targets = {}) {
    Fault f;
    f.name = std::move(name);
    f.trigger = trigger::At{fixed(time)};
    f.act = std::move(act);
    if (!targets.empty()) f.targets = std::move(targets);
    return f;
}
inline Fault every(std::string name, sim::Spread gap, Action act, Targets targets = {}) {
    Fault f = at(std::move(name), {}, std::move(act), std::move(targets));
    f.trigger = trigger::Every{gap};
    return f;
}
inline Fault when(std::string name, sim::MilestoneKind kind, Action act, Targets targets = {}) {
    Fault f = at(std::move(name), {}, std::move(act), std::move(targets));
    f.trigger = trigger::When{kind};
    return f;
}
inline Match equals(sim::FactName fact, std::int64_t value) {
    return {fact, {std::variant<std::int64_t, Target>{value}}};
}
inline Match means(sim::FactName fact, Target t) {
    return {fact, {std::variant<std::int64_t, Target>{t}}};
}
inline Until until(sim::MilestoneKind kind, Matches matches = {}) {
    Until u;
    u.kind = kind;
    u.matches = std::move(matches);
    return u;
}
inline sim::MilestoneKind fired(int index) {
    return fault_milestone(words().marks, {index}, false);
}
inline sim::MilestoneKind ended(int index) { return fault_milestone(words().marks, {index}, true); }

inline sim::Milestone milestone(sim::MilestoneKind kind, std::int32_t node = 1,
                                std::vector<std::pair<sim::FactName, std::int64_t>> facts = {}) {
    sim::Milestone m{kind, {node}, {}};
    for (const auto& [name, value] : facts) m.facts.add(name, value);
    return m;
}
inline sim::Frame request(std::int32_t from, std::int32_t to, std::uint16_t api = produce) {
    return {{from}, {to}, false, api, {}};
}
inline sim::Frame response(std::int32_t from, std::int32_t to, std::uint16_t api = produce) {
    return {{from}, {to}, true, api, {}};
}

// ---- The stage
// ------------------------------------------------------------------------------------

class Stage final : public sim::Surroundings {
  public:
    explicit Stage(Plan plan, std::shared_ptr<const Script> script = {})
        : injector(std::make_shared<const Plan>(std::move(plan)), std::move(script)) {
        states.assign(16, sim::NodeState::running);
        directory[{leader, 0}] = {NodeId{1}};
        directory[{followers, 0}] = {NodeId{2}, NodeId{3}};
        directory[{leader, 1}] = {NodeId{2}};
        directory[{followers, 1}] = {NodeId{1}, NodeId{3}};
        directory[{leader, 2}] = {NodeId{3}};
        directory[{controller, 0}] = {NodeId{0}};
        directory[{coordinator, 0}] = {NodeId{3}};
        directory[{owner, 0}] = {NodeId{5}};
        directory[{txn_coordinator, 0}] = {NodeId{3}};
        directory[{txn_coordinator, 1}] = {NodeId{2}};
        sim::Acts acts;
        injector.begin(*this, acts);
        carry_out(acts);
    }
    Stage(const Stage&) = default;

    [[nodiscard]] sim::Instant now() const override { return clock; }
    [[nodiscard]] sim::NodeState state(NodeId node) const override {
        return states[static_cast<std::size_t>(node.value)];
    }
    [[nodiscard]] std::span<const NodeId> holders(sim::RoleKey role) const override {
        const auto found = directory.find(role);
        if (found == directory.end()) return {};
        return found->second;
    }

    /// Lets every wake-up until then happen.
    void run_to(sim::Duration time) {
        const sim::Instant end = sim::time_zero + time;
        for (;;) {
            const auto next =
                std::min_element(wakes.begin(), wakes.end(),
                                 [](const auto& a, const auto& b) { return a.at < b.at; });
            if (next == wakes.end() || next->at > end) break;
            const sim::act::Wake wake = *next;
            wakes.erase(next);
            clock = std::max(clock, wake.at);
            sim::Acts acts;
            injector.on_wake(wake.tag, *this, acts);
            carry_out(acts);
        }
        clock = end;
    }
    void reach(const sim::Milestone& milestone) {
        if (!injector.watches(milestone.kind)) return;
        sim::Acts acts;
        injector.on_milestone(milestone, *this, acts);
        carry_out(acts);
    }
    sim::Fate pass(const sim::Frame& frame, sim::Moment moment = sim::Moment::sent) {
        if (!injector.watches_frame(frame.kind)) return {};
        sim::Acts acts;
        const auto fate = injector.on_frame(frame, moment, *this, acts);
        carry_out(acts);
        return fate;
    }
    /// A node that was told to stop is down.
    void stopped(std::int32_t node) {
        states[static_cast<std::size_t>(node)] = sim::NodeState::down;
        reach(milestone(mile::stopped, node));
    }
    /// What was said since the last call, without announcements unless asked for.
    std::vector<std::string> said(bool announcements = false) {
        std::vector<std::string> result;
        for (const auto& line : log)
            if (announcements || line.find(" fault") == std::string::npos) result.push_back(line);
        log.clear();
        return result;
    }
    [[nodiscard]] const FaultReport& report(std::size_t i = 0) const {
        return injector.reports()[i];
    }

    Injector injector;
    std::vector<sim::NodeState> states;
    std::map<sim::RoleKey, std::vector<NodeId>> directory;
    sim::Instant clock;
    std::vector<sim::act::Wake> wakes;
    std::vector<std::string> log;

  private:
    void carry_out(const sim::Acts& acts) {
        for (const auto& act : acts) std::visit([this](const auto& one) { on(one); }, act);
    }
    [[nodiscard]] sim::NodeState& state_of(NodeId node) {
        return states[static_cast<std::size_t>(node.value)];
    }
    void say(const std::string& text) {
        log.push_back(std::to_string(clock.time_since_epoch().count() / 1'000'000) + "ms " + text);
    }
    static std::string text(NodeId node) { return std::to_string(node.value); }

    void on(const sim::act::Crash& a) {
        say("crash " + text(a.node) + (a.loss.power ? " power" : "") +
            (a.loss.torn ? " torn" : "") + (a.loss.wipe ? " wipe" : ""));
        if (state_of(a.node) == sim::NodeState::down) return;
        state_of(a.node) = sim::NodeState::down;
        reach(milestone(a.loss.power ? mile::lost_power : mile::crashed, a.node.value));
    }
    void on(const sim::act::Start& a) {
        say("start " + text(a.node));
        state_of(a.node) = sim::NodeState::running;
    }
    void on(const sim::act::Pause& a) {
        say("pause " + text(a.node));
        state_of(a.node) = sim::NodeState::paused;
    }
    void on(const sim::act::Resume& a) {
        say("resume " + text(a.node));
        state_of(a.node) = sim::NodeState::running;
    }
    void on(const sim::act::Release& a) { say("release " + std::to_string(a.hold.value)); }
    void on(const sim::act::SetLink& a) {
        std::string line = "link " + text(a.from) + ">" + text(a.to);
        if (a.silent) line += " silent";
        if (a.refused) line += " refused";
        if (a.extra.count() > 0) line += " +" + std::to_string(a.extra.count() / 1'000'000) + "ms";
        if (a.bytes_per_second > 0) line += " " + std::to_string(a.bytes_per_second) + "B/s";
        say(line);
    }
    void on(const sim::act::SlowDisk& a) {
        say("disk " + text(a.node) + " +" + std::to_string(a.extra.count() / 1'000'000) + "ms");
    }
    void on(const sim::act::LyingFsync& a) {
        say("fsync " + text(a.node) + (a.lies ? " lies" : " honest"));
    }
    void on(const sim::act::ShiftClock& a) {
        say("clock " + text(a.node) + " " + std::to_string(a.by.count() / 1'000'000) + "ms");
    }
    void on(const sim::act::DriftClock& a) {
        say("drift " + text(a.node) + " " + std::to_string(a.parts_per_million));
    }
    void on(const sim::act::Tell& a) {
        std::string line = "tell " + text(a.node) + " order " + std::to_string(a.order.kind.value);
        for (std::size_t i = 0; i < a.order.facts.size(); ++i)
            line += " " + std::to_string(a.order.facts.name(i).value) + "=" +
                    std::to_string(a.order.facts.value(i));
        say(line);
    }
    void on(const sim::act::Wake& a) { wakes.push_back(a); }
    void on(const sim::act::Announce& a) {
        const int number = a.milestone.kind.value - 1000;
        say("fault " + std::to_string(number / 2) + (number % 2 == 1 ? " ended" : " fired"));
    }
};

using Lines = std::vector<std::string>;

}  // namespace eos::faults::test
