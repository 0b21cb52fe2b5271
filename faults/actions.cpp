#include "faults/actions.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace eos::faults {
namespace {

using namespace action;
using sim::Fate;

// ---- Messages and hand-offs ---------------------------------------------------------------------

/// False if there is no frame (then the action is a rule from now on) or its fate is already
/// decided.
bool may_decide(Firing& f) {
    if (f.hand == nullptr) {
        f.impose(burden::Window{}, f.end());
        return false;
    }
    if (f.hand->fate.kind != Fate::Kind::pass) {
        f.overruled = true;
        return false;
    }
    return true;
}

Fate& decide(Firing& f, Fate::Kind kind) {
    ++f.deed.messages;
    f.hand->fate.kind = kind;
    return f.hand->fate;
}

void freeze(Firing& f, End end) {
    const auto hold = f.burdens.fresh_hold();
    decide(f, Fate::Kind::hold).hold = hold;
    f.impose(burden::Held{hold}, end);
}

void act(const Hold&, Firing& f) {
    if (!may_decide(f)) return;
    // Under a rule the frame is released with the rule.
    freeze(f, f.rule ? End{} : f.end());
}

void act(const Delay& delay, Firing& f) {
    if (!may_decide(f)) return;
    sim::Duration by = f.rolls.spread(Drawn::Kind::by, Purpose::act, delay.by);
    if (f.rule) {
        // Nothing waits for the end of one message of a rule, so the engine may release it.
        by = std::min(by, f.plan.chaos_end - f.around.now());
        decide(f, Fate::Kind::delay).by = by;
        return;
    }
    End end = f.end();
    end.due = std::min(end.due, f.around.now() + by);
    freeze(f, end);
}

void act(const Drop& drop, Firing& f) {
    if (!may_decide(f)) return;
    const bool closes = drop.notice == Notice::disconnect;
    decide(f, closes ? Fate::Kind::disconnect : Fate::Kind::lose).executes = false;
}

void act(const Disconnect&, Firing& f) {
    if (!may_decide(f)) return;
    decide(f, Fate::Kind::disconnect).executes = true;
}

void act(const Duplicate& duplicate, Firing& f) {
    if (!may_decide(f)) return;
    Fate& fate = decide(f, Fate::Kind::duplicate);
    fate.by = f.rolls.spread(Drawn::Kind::by, Purpose::act, duplicate.by);
    fate.copies = duplicate.copies;
}

void act(const Error& error, Firing& f) {
    if (!may_decide(f) || error.codes.empty()) return;
    const std::vector<std::int64_t> codes(error.codes.begin(), error.codes.end());
    const auto code = f.rolls.pick(Drawn::Kind::code, Purpose::act, codes);
    decide(f, Fate::Kind::refuse).code = static_cast<std::int32_t>(code);
}

// ---- Links --------------------------------------------------------------------------------------

using Pairs = std::set<std::pair<sim::NodeId, sim::NodeId>>;

/// Both directions, or one, between two nodes; a node is never cut off from itself.
void join(Pairs& pairs, sim::NodeId target, sim::NodeId other, Oneway oneway) {
    if (target == other) return;
    if (oneway != Oneway::in) pairs.insert({target, other});
    if (oneway != Oneway::out) pairs.insert({other, target});
}

std::vector<sim::NodeId> far_ends(const Targets& from, const std::vector<sim::NodeId>& near,
                                  Firing& f) {
    if (from.empty()) return remaining_nodes(f.plan, near);
    return resolve_nodes(from, {f.plan, f.around, f.scene}, f.rolls);
}

void cut(const Pairs& pairs, Style style, Firing& f) {
    const End end = f.end();
    for (const auto& [from, to] : pairs) {
        burden::Link link{from, to};
        (style == Style::silent ? link.silent : link.refused) = true;
        f.impose(link, end);
    }
}

void act(const Isolate& isolate, Firing& f) {
    const auto targets = f.nodes();
    Pairs pairs;
    for (const auto other : far_ends(isolate.from, targets, f))
        for (const auto target : targets) join(pairs, target, other, isolate.oneway);
    cut(pairs, isolate.style, f);
}

void act(const Partition& partition, Firing& f) {
    std::vector<std::vector<sim::NodeId>> sides;
    std::vector<sim::NodeId> named;
    std::vector<std::size_t> others;
    for (const auto& group : partition.groups) {
        const bool rest = std::any_of(group.begin(), group.end(), [](const Target& t) {
            return t.kind == Target::Kind::others;
        });
        if (rest) others.push_back(sides.size());
        sides.push_back(resolve_nodes(group, {f.plan, f.around, f.scene}, f.rolls));
        named.insert(named.end(), sides.back().begin(), sides.back().end());
    }
    const auto rest = remaining_nodes(f.plan, named);
    for (const auto side : others) sides[side].insert(sides[side].end(), rest.begin(), rest.end());
    if (!sides.empty()) f.deed.nodes = sides.front();
    Pairs pairs;
    for (std::size_t a = 0; a < sides.size(); ++a) {
        // Cut in one direction, only the first group has an inside and an outside.
        if (partition.oneway != Oneway::both && a > 0) break;
        for (std::size_t b = a + 1; b < sides.size(); ++b)
            for (const auto x : sides[a])
                for (const auto y : sides[b]) join(pairs, x, y, partition.oneway);
    }
    f.aimless = pairs.empty();
    cut(pairs, partition.style, f);
}

void act(const SlowLink& slow, Firing& f) {
    const auto targets = f.nodes();
    Pairs pairs;
    auto others = far_ends(slow.from, targets, f);
    if (slow.from.empty()) others.insert(others.end(), targets.begin(), targets.end());
    for (const auto other : others)
        for (const auto target : targets) join(pairs, target, other, Oneway::both);
    const auto extra = f.rolls.spread(Drawn::Kind::by, Purpose::act, slow.by);
    const End end = f.end();
    for (const auto& [from, to] : pairs)
        f.impose(burden::Link{from, to, false, false, extra, slow.bytes_per_second}, end);
}

// ---- Nodes --------------------------------------------------------------------------------------

void kill(const sim::Loss& loss, Firing& f) {
    for (const auto node : f.nodes()) {
        // What is down already can still lose its page cache or its disk.
        const bool harmed = loss.power || loss.wipe;
        if (harmed || f.around.state(node) != sim::NodeState::down)
            f.acts.push_back(sim::act::Crash{.node = node, .loss = loss});
        f.impose(burden::Down{node}, f.downtime(node));
    }
}

void act(const Crash&, Firing& f) { kill({}, f); }
void act(const PowerLoss& power, Firing& f) { kill({true, power.files, power.torn, false}, f); }
void act(const WipeDisk& wipe, Firing& f) { kill({true, 0, wipe.torn, true}, f); }

/// A drawn time or its absence. `never` counts as forever: there is nothing to heal in a grace.
std::optional<sim::Duration> draw(const Lasting& lasting, Firing& f) {
    if (lasting.kind != Lasting::Kind::time) return std::nullopt;
    return f.rolls.spread(Drawn::Kind::gap, Purpose::lasts, lasting.time);
}

/// How long a node stays down after a graceful end: counted from the moment it is down.
burden::Turn turn_of(sim::NodeId node, Lasting lasting, Firing& f) {
    burden::Turn turn{node, {}, lasting.kind, {}};
    if (lasting.kind == Lasting::Kind::time)
        turn.downtime = f.rolls.spread(Drawn::Kind::lasts, Purpose::lasts, lasting.time);
    return turn;
}

Lasting restart_time(sim::NodeId node, const Firing& f) {
    if (f.lasts->has_value()) return **f.lasts;
    if (f.until->has_value()) return Lasting::forever();
    const Lasting& own = f.plan.nodes[static_cast<std::size_t>(node.value)].restart;
    // A node that is restarted on purpose comes back even if no supervisor would do it.
    return own.kind == Lasting::Kind::time ? own : Lasting::of(sim::Spread::fixed(sim::seconds(5)));
}

void act(const Stop& stop, Firing& f) {
    for (const auto node : f.nodes()) {
        const Lasting lasting = f.lasts->value_or(Lasting::forever());
        auto turn = turn_of(node, lasting, f);
        if (f.release && *f.release != sim::time_never)
            turn = {node, {}, Lasting::Kind::time, *f.release - f.around.now()};
        begin_stop(node, turn.back, turn.downtime, draw(stop.grace, f), f);
    }
}

void act(const Restart& restart, Firing& f) {
    for (const auto node : f.nodes()) {
        const auto turn = turn_of(node, restart_time(node, f), f);
        begin_stop(node, turn.back, turn.downtime, draw(restart.grace, f), f);
    }
}

void act(const RollingRestart& rolling, Firing& f) {
    burden::Rolling plan;
    for (const auto node : f.nodes()) {
        auto turn = turn_of(node, restart_time(node, f), f);
        turn.gap = f.rolls.spread(Drawn::Kind::gap, Purpose::lasts, rolling.gap);
        plan.left.push_back(turn);
    }
    if (plan.left.empty()) return;
    plan.grace = draw(rolling.grace, f);
    f.impose(plan, {f.around.now(), true});
}

void act(const Start&, Firing& f) {
    for (const auto node : f.nodes())
        if (f.around.state(node) == sim::NodeState::down) f.acts.push_back(sim::act::Start{node});
}

void act(const Pause&, Firing& f) {
    const End end = f.end();
    for (const auto node : f.nodes()) f.impose(burden::Paused{node}, end);
}

void act(const Stall&, Firing& f) {
    const End end = f.end();
    for (const auto node : f.nodes()) {
        f.tell(node, f.plan.words.orders.stall);
        f.impose(burden::Stalled{node}, end);
    }
}

void act(const SlowDisk& slow, Firing& f) {
    const End end = f.end();
    const auto extra = f.rolls.spread(Drawn::Kind::by, Purpose::act, slow.by);
    for (const auto node : f.nodes()) f.impose(burden::Disk{node, extra}, end);
}

void act(const LieFsync&, Firing& f) {
    const End end = f.end();
    for (const auto node : f.nodes()) f.impose(burden::Lie{node}, end);
}

/// What the event or a swizzle points at may be no broker: it has no past to answer from.
void act(const StaleMetadata& stale, Firing& f) {
    const End end = f.end();
    bool told = false;
    for (const auto node : f.nodes()) {
        if (f.plan.nodes[static_cast<std::size_t>(node.value)].kind != NodeKind::broker) continue;
        told = true;
        sim::Facts facts;
        if (stale.hide) facts.add(f.plan.words.facts.topic, *stale.hide);
        f.tell(node, f.plan.words.orders.stale_metadata, facts);
        f.impose(burden::StaleMetadata{node, stale.hide}, end);
    }
    if (!told) f.aimless = true;
}

void act(const ClockJump& jump, Firing& f) {
    const auto by = f.rolls.signed_spread(Drawn::Kind::by, jump.by);
    for (const auto node : f.nodes()) f.acts.push_back(sim::act::ShiftClock{node, by});
}

void act(const ClockDrift& drift, Firing& f) {
    const End end = f.end();
    const auto ppm = f.rolls.number(Drawn::Kind::by, Purpose::act, drift.parts_per_million);
    for (const auto node : f.nodes()) f.impose(burden::Drift{node, ppm}, end);
}

// ---- Partitions and groups ----------------------------------------------------------------------

std::optional<sim::NodeId> leader(std::int32_t log, const Firing& f) {
    const auto found = f.around.holders({f.plan.words.roles.leader, log});
    if (found.empty()) return std::nullopt;
    return found.front();
}

void act(const Elect& elect, Firing& f) {
    std::optional<sim::NodeId> to;
    if (elect.to) {
        const auto found = resolve_nodes({*elect.to}, {f.plan, f.around, f.scene}, f.rolls);
        if (found.empty()) {
            f.aimless = true;
            return;
        }
        to = found.front();
    }
    for (const auto log : f.logs()) {
        const auto former = leader(log, f);
        order_election(log, to, elect.unclean, f.plan, f.around, f.acts);
        if (former && f.lasts_or_until()) f.impose(burden::Moved{log, *former}, f.end());
    }
}

/// An order that concerns a log and goes to its leader, or to every replica.
void tell_log(sim::OrderKind kind, bool every_replica, std::optional<std::int64_t> offset,
              Firing& f) {
    for (const auto log : f.logs()) {
        sim::Facts facts;
        facts.add(f.plan.words.facts.log, log);
        if (offset) facts.add(f.plan.words.facts.offset, *offset);
        Target target;
        target.kind = every_replica ? Target::Kind::replicas : Target::Kind::leader;
        target.log = {LogPick::Kind::one, log};
        const auto nodes = resolve_nodes({target}, {f.plan, f.around, f.scene}, f.rolls);
        if (nodes.empty()) f.aimless = true;
        for (const auto node : nodes) f.tell(node, kind, facts);
    }
}

void act(const ExpireProducers&, Firing& f) {
    tell_log(f.plan.words.orders.expire_producers, true, std::nullopt, f);
}
void act(const RollSegment&, Firing& f) {
    tell_log(f.plan.words.orders.roll_segment, true, std::nullopt, f);
}
void act(const DeleteRecords& records, Firing& f) {
    tell_log(f.plan.words.orders.delete_records, false, records.up_to, f);
}

void act(const AbortTxn&, Firing& f) {
    tell_log(f.plan.words.orders.abort_txn, false, std::nullopt, f);
}

/// Orders about transactional ids go to whoever coordinates each.
void tell_txn_coordinators(sim::OrderKind kind, Firing& f) {
    for (const auto txid : f.txids()) {
        const auto holders = f.around.holders({f.plan.words.roles.txn_coordinator, txid});
        if (holders.empty()) {
            f.aimless = true;
            continue;
        }
        sim::Facts facts;
        facts.add(f.plan.words.facts.txid, txid);
        f.tell(holders.front(), kind, facts);
    }
}

void act(const FenceProducer&, Firing& f) {
    tell_txn_coordinators(f.plan.words.orders.fence_producer, f);
}
void act(const ExpireTransactionalIds&, Firing& f) {
    tell_txn_coordinators(f.plan.words.orders.expire_transactional_ids, f);
}

void tell_coordinator(sim::OrderKind kind, std::int32_t group, sim::Facts facts, Firing& f) {
    const auto holders = f.around.holders({f.plan.words.roles.group_coordinator, group});
    if (holders.empty()) {
        f.aimless = true;
        return;
    }
    facts.add(f.plan.words.facts.group, group);
    f.tell(holders.front(), kind, facts);
}

void act(const ExpireOffsets&, Firing& f) {
    for (const auto group : f.groups())
        tell_coordinator(f.plan.words.orders.expire_offsets, group, {}, f);
}

void act(const Rebalance&, Firing& f) {
    for (const auto group : f.groups())
        tell_coordinator(f.plan.words.orders.rebalance, group, {}, f);
}

/// A member is named to the coordinator by the node it runs on; without one the coordinator picks.
void act(const Kick& kick, Firing& f) {
    const auto kicks_from = [&](std::int32_t group, std::optional<sim::NodeId> member) {
        sim::Facts facts;
        if (member) facts.add(f.plan.words.facts.node, member->value);
        tell_coordinator(f.plan.words.orders.kick, group, facts, f);
    };
    if (kick.member) {
        const auto members = resolve_nodes({*kick.member}, {f.plan, f.around, f.scene}, f.rolls);
        if (members.empty()) f.aimless = true;
        for (const auto group : f.groups())
            for (const auto member : members) kicks_from(group, member);
        return;
    }
    for (const auto& target : *f.targets) {
        using K = Target::Kind;
        const Site site{f.plan, f.around, f.scene};
        if (target.kind == K::group || target.kind == K::group_coordinator) {
            for (const auto group : resolve_groups({target}, site, f.rolls))
                kicks_from(group, std::nullopt);
            continue;
        }
        const auto members = resolve_nodes({target}, site, f.rolls);
        if (members.empty()) f.aimless = true;
        for (const auto member : members) {
            const auto& entry = f.plan.nodes[static_cast<std::size_t>(member.value)];
            const auto group = target.kind == K::owner ? target.number : entry.group;
            if (group) kicks_from(*group, member);
        }
    }
}

/// An order about a group's offsets: one for each log that is named, else one for all.
void tell_of_offsets(sim::OrderKind kind, const std::optional<LogPick>& pick,
                     std::optional<std::int64_t> offset, Firing& f) {
    for (const auto group : f.groups()) {
        std::vector<std::optional<std::int32_t>> logs{std::nullopt};
        if (pick) {
            logs.clear();
            for (const auto log : logs_of(*pick, f.plan)) logs.emplace_back(log);
        }
        for (const auto log : logs) {
            sim::Facts facts;
            if (log) facts.add(f.plan.words.facts.log, *log);
            if (offset) facts.add(f.plan.words.facts.offset, *offset);
            tell_coordinator(kind, group, facts, f);
        }
    }
}

void act(const ResetOffsets& reset, Firing& f) {
    // Kafka's own special offsets: -2 earliest, -1 latest (ListOffsets).
    std::int64_t offset = reset.offset;
    if (reset.to == ResetOffsets::To::earliest) offset = -2;
    if (reset.to == ResetOffsets::To::end) offset = -1;
    tell_of_offsets(f.plan.words.orders.reset_offsets, reset.log, offset, f);
}

void act(const DeleteOffsets& deletion, Firing& f) {
    tell_of_offsets(f.plan.words.orders.delete_offsets, deletion.log, std::nullopt, f);
}
void act(const DeleteGroup&, Firing& f) {
    for (const auto group : f.groups())
        tell_coordinator(f.plan.words.orders.delete_group, group, {}, f);
}

// ---- Generators ---------------------------------------------------------------------------------

void act(const Nothing&, Firing&) {}

std::vector<std::int32_t> weights(const std::vector<Choice>& choices) {
    std::vector<std::int32_t> result;
    for (const auto& choice : choices) result.push_back(choice.weight);
    return result;
}

void act(const Mix& mix, Firing& f) {
    const auto index = f.rolls.weighted(weights(mix.of));
    const Choice& choice = mix.of[index];
    f.burdens.find(f.activity)->path.push_back(static_cast<std::int32_t>(index));
    if (choice.targets) f.targets = &*choice.targets;
    if (choice.lasts) f.lasts = &choice.lasts;
    if (choice.until) f.until = &choice.until;
    perform(choice.act, f);
}

void shuffle(std::vector<sim::NodeId>& nodes, std::size_t count, Firing& f) {
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<std::int64_t> left;
        for (std::size_t j = i; j < nodes.size(); ++j) left.push_back(nodes[j].value);
        const auto drawn = f.rolls.pick(Drawn::Kind::node, Purpose::choice, left);
        const auto found = std::find(nodes.begin() + static_cast<std::ptrdiff_t>(i), nodes.end(),
                                     sim::NodeId{static_cast<std::int32_t>(drawn)});
        if (found != nodes.end()) std::swap(nodes[i], *found);
    }
}

void act(const Swizzle& swizzle, Firing& f) {
    auto hits = f.nodes();
    if (hits.empty()) return;
    const auto size = f.rolls.number(Drawn::Kind::choice, Purpose::choice,
                                     {1, static_cast<std::int64_t>(hits.size())});
    const auto count = std::min(static_cast<std::size_t>(size), hits.size());
    shuffle(hits, count, f);
    hits.resize(count);
    auto releases = hits;
    shuffle(releases, count, f);
    // The order must be another one, else nothing is swizzled.
    if (count > 1 && releases == hits)
        std::rotate(releases.begin(), releases.begin() + 1, releases.end());
    const auto gap = [&] { return f.rolls.spread(Drawn::Kind::gap, Purpose::choice, swizzle.gap); };

    std::vector<sim::Instant> hit_at{f.around.now()};
    for (std::size_t i = 1; i < count; ++i) hit_at.push_back(hit_at.back() + gap());
    sim::Instant release_at = hit_at.back();
    if (f.lasts->has_value()) {
        const Lasting& lasting = **f.lasts;
        release_at =
            lasting.kind == Lasting::Kind::time
                ? release_at + f.rolls.spread(Drawn::Kind::lasts, Purpose::lasts, lasting.time)
                : sim::time_never;
    }
    std::vector<sim::Instant> release(count, sim::time_never);
    for (const auto node : releases) {
        if (release_at == sim::time_never) break;
        release_at += gap();
        const auto i = std::find(hits.begin(), hits.end(), node) - hits.begin();
        release[static_cast<std::size_t>(i)] = release_at;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto choice = f.rolls.weighted(weights(swizzle.of));
        f.impose(burden::Planned{hits[i], static_cast<std::int32_t>(choice),
                                 static_cast<std::int64_t>(i) + 1, release[i]},
                 {hit_at[i], true});
    }
    f.deed.nodes = hits;
}

}  // namespace

void begin_stop(sim::NodeId node, Lasting::Kind back, sim::Duration downtime,
                std::optional<sim::Duration> grace, Firing& f) {
    const sim::Instant now = f.around.now();
    const bool heals = back != Lasting::Kind::never;
    if (f.around.state(node) == sim::NodeState::down) {
        const auto due = back == Lasting::Kind::time ? now + downtime : sim::time_never;
        f.impose(burden::Down{node}, {due, heals});
        return;
    }
    f.tell(node, f.plan.words.orders.stop);
    f.impose(burden::Stopping{node, back, downtime},
             {grace ? now + *grace : sim::time_never, heals});
}

void perform(const Action& action, Firing& firing) {
    firing.deed.word = word_of(action);
    std::visit([&](const auto& one) { act(one, firing); }, action);
}

}  // namespace eos::faults
