#include "faults/injector.hpp"

#include <algorithm>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::faults {
namespace {

/// A chain of faults that trigger each other in one instant is longer than this only if it is a
/// ring.
constexpr std::size_t chain_max = 1000;

/// Whether a rule with this action looks at frames at this moment.
bool rule_applies(const Action& action, const sim::Frame& frame, sim::Moment moment) {
    if (std::holds_alternative<action::Error>(action))
        return moment == (frame.response ? sim::Moment::sent : sim::Moment::delivered);
    return moment == sim::Moment::sent;
}

}  // namespace

Injector::Injector(std::shared_ptr<const Plan> plan, std::shared_ptr<const Script> script,
                   bool record)
    : wiring_(std::make_shared<const Wiring>(plan)),
      states_(plan->faults.size()),
      dice_(*plan, std::move(script), record) {
    for (const auto& fault : plan->faults) {
        auto& entry = ledger_.emplace_back();
        entry.name = fault.name;
        entry.word = word_of(fault.act);
        entry.enabled = fault.enabled;
        entry.quiet = std::holds_alternative<action::Nothing>(fault.act);
    }
}

bool Injector::watches_frame(std::uint16_t kind) const {
    return wiring_ && wiring_->watches_frame(kind);
}
bool Injector::watches(sim::MilestoneKind kind) const { return wiring_ && wiring_->watches(kind); }

std::optional<Divergence> Injector::divergence(bool over) const {
    if (!wiring_) return std::nullopt;
    return dice_.divergence(plan(), over);
}

std::optional<FaultIndex> Injector::fault_behind(sim::HoldId hold) const {
    for (const auto& activity : burdens_.all())
        for (const auto& burden : activity.burdens)
            if (const auto* held = std::get_if<burden::Held>(&burden.what);
                held && held->hold == hold)
                return activity.fault;
    return std::nullopt;
}

bool operator==(const Injector& a, const Injector& b) {
    const bool same_plan =
        a.wiring_ == b.wiring_ || (a.wiring_ && b.wiring_ && a.plan() == b.plan());
    return same_plan && a.fields() == b.fields() && a.ledger_ == b.ledger_;
}

const Fault& Injector::fault(FaultIndex index) const {
    return plan().faults[static_cast<std::size_t>(index.value)];
}
Injector::State& Injector::state(FaultIndex index) {
    return states_[static_cast<std::size_t>(index.value)];
}
FaultReport& Injector::report(FaultIndex index) {
    return ledger_[static_cast<std::size_t>(index.value)];
}
bool Injector::chaos(const Now& now) const { return !over_ && now.around.now() < plan().chaos_end; }
bool Injector::may_fire(FaultIndex index, const Now& now) const {
    return chaos(now) || fault(index).tells.has_value();
}

// ---- The four calls of the engine ---------------------------------------------------------------

void Injector::begin(const sim::Surroundings& around, sim::Acts& acts) {
    if (!wiring_) return;
    const Now now{around, acts};
    if (plan().chaos_end != sim::time_never)
        acts.push_back(sim::act::Wake{plan().chaos_end, tag_of(Wake::chaos_end, 0)});
    for (std::size_t i = 0; i < plan().faults.size(); ++i) {
        const FaultIndex index{static_cast<std::int32_t>(i)};
        const Fault& one = fault(index);
        if (!one.enabled) continue;
        state(index).open = !one.since.has_value();
        if (one.nth) {
            auto& luck = dice_.stream(index, Purpose::nth);
            const Number range = *one.nth;
            state(index).nth =
                range.low == range.high ? range.low : luck.between(range.low, range.high);
        }
        arm_timer(index, now);
    }
}

sim::Fate Injector::on_frame(const sim::Frame& frame, sim::Moment moment,
                             const sim::Surroundings& around, sim::Acts& acts) {
    sim::Fate fate;
    if (!wiring_) return fate;
    const Now now{around, acts};
    const auto mark = wiring_->mark(moment);
    const Happening happening(frame, moment);
    const FrameInHand hand{frame, moment, fate};
    // What begins with this very frame is not ended by it.
    const std::int64_t before = burdens_.next_id();
    trigger_all(wiring_->triggered_by(mark), happening, &hand, now);
    apply_rules(hand, happening, before, now);
    count_untils(mark, happening, before, now);
    spread_news(now);
    return fate;
}

void Injector::on_milestone(const sim::Milestone& milestone, const sim::Surroundings& around,
                            sim::Acts& acts) {
    if (!watches(milestone.kind)) return;
    const Now now{around, acts};
    const Marks& marks = plan().words.marks;
    const Happening happening(milestone);
    const std::int64_t before = burdens_.next_id();
    if (milestone.kind == marks.node_crashed || milestone.kind == marks.node_lost_power ||
        milestone.kind == marks.node_stopped)
        node_went_down(milestone.node, now);
    trigger_all(wiring_->triggered_by(milestone.kind), happening, nullptr, now);
    count_untils(milestone.kind, happening, before, now);
    spread_news(now);
}

void Injector::on_wake(std::uint64_t tag, const sim::Surroundings& around, sim::Acts& acts) {
    if (!wiring_) return;
    const Now now{around, acts};
    const auto number = static_cast<std::int64_t>(tag >> 2);
    switch (static_cast<Wake>(tag & 3)) {
        case Wake::chaos_end:
            heal(now);
            break;
        case Wake::timer:
            tick({static_cast<std::int32_t>(number)}, now);
            break;
        case Wake::activity:
            advance(number, now);
            break;
        case Wake::pending: {
            const auto found = std::find_if(pending_.begin(), pending_.end(),
                                            [&](const Pending& p) { return p.id == number; });
            if (found == pending_.end()) break;
            const Pending firing = *found;
            pending_.erase(found);
            fire(firing, nullptr, now);
            break;
        }
    }
    spread_news(now);
}

// ---- Triggers -----------------------------------------------------------------------------------

void Injector::arm_timer(FaultIndex index, const Now& now) {
    const Fault& one = fault(index);
    const auto* at = std::get_if<trigger::At>(&one.trigger);
    const auto* every = std::get_if<trigger::Every>(&one.trigger);
    if (at == nullptr && every == nullptr) return;
    sim::Instant due = now.around.now();
    if (one.tells) {
        if (at != nullptr && state(index).ticks == 0)
            now.acts.push_back(sim::act::Wake{std::max(due, sim::time_zero + at->time.low),
                                              tag_of(Wake::timer, index.value)});
        return;
    }
    if (dice_.scripted()) {
        const auto firings = dice_.firings_of(index);
        const auto next = static_cast<std::size_t>(state(index).ticks);
        if (next >= firings.size()) return;
        due = std::max(due, firings[next].at);
    } else {
        auto& luck = dice_.stream(index, Purpose::gap);
        if (at != nullptr) {
            due = std::max(due, sim::time_zero + luck.duration(at->time));
        } else {
            const sim::Duration gap = luck.duration(every->gap);
            due += std::max(gap, sim::nanoseconds(1));
        }
    }
    if (due < plan().chaos_end)
        now.acts.push_back(sim::act::Wake{due, tag_of(Wake::timer, index.value)});
}

void Injector::tick(FaultIndex index, const Now& now) {
    if (!may_fire(index, now)) return;
    State& mine = state(index);
    std::optional<std::int64_t> occurrence;
    if (dice_.scripted() && !fault(index).tells)
        occurrence = dice_.firings_of(index)[static_cast<std::size_t>(mine.ticks)].occurrence;
    ++mine.ticks;
    ++report(index).matched;
    if (mine.open || occurrence) consider(index, occurrence, std::nullopt, nullptr, now);
    const bool again = std::holds_alternative<trigger::Every>(fault(index).trigger);
    const auto& times = fault(index).times;
    if (again && (!times || state(index).fired < *times)) arm_timer(index, now);
}

void Injector::trigger_all(std::span<const FaultIndex> listeners, const Happening& happening,
                           const FrameInHand* hand, const Now& now) {
    for (const auto index : listeners) {
        if (!may_fire(index, now)) continue;
        if (!satisfied(fault(index).matches, happening, plan(), now.around)) continue;
        ++report(index).matched;
        if (!state(index).open) continue;
        consider(index, std::nullopt, happening.scene(plan().words.facts), hand, now);
    }
}

bool Injector::passes(FaultIndex index, std::int64_t occurrence) {
    if (dice_.scripted()) return dice_.foresees(index, occurrence, 0);
    const Fault& one = fault(index);
    const State& mine = state(index);
    if (mine.nth != 0 && occurrence != mine.nth) return false;
    // The chance of a rule is drawn per message, not for the rule.
    const bool rule = on_messages(one.act) && !std::holds_alternative<trigger::When>(one.trigger);
    if (!rule && !dice_.stream(index, Purpose::chance).chance(one.chance)) return false;
    return !one.times || mine.fired < *one.times;
}

void Injector::consider(FaultIndex index, std::optional<std::int64_t> scripted_occurrence,
                        const std::optional<Scene>& scene, const FrameInHand* hand,
                        const Now& now) {
    State& mine = state(index);
    ++mine.considered;
    if (scripted_occurrence) mine.considered = *scripted_occurrence;
    ++report(index).considered;
    if (fault(index).tells) {
        if (mine.nth != 0 && mine.considered != mine.nth) return;
        const sim::Duration wait = fault(index).after.low;
        if (wait.count() <= 0) return tell(index, now);
        Pending later{next_pending_++, index, mine.considered, {}, {}};
        now.acts.push_back(
            sim::act::Wake{now.around.now() + wait, tag_of(Wake::pending, later.id)});
        pending_.push_back(std::move(later));
        return;
    }
    if (!passes(index, mine.considered)) return;
    ++mine.fired;
    const sim::Instant instant = now.around.now();
    Pending firing{next_pending_++, index, mine.considered, {}, scene};
    firing.sheet = dice_.open(index, mine.considered, 0, instant);
    Rolls rolls(dice_, index, firing.sheet);
    const auto after = rolls.spread(Drawn::Kind::after, Purpose::lasts, fault(index).after);
    if (after.count() <= 0) {
        fire(firing, hand, now);
        return;
    }
    now.acts.push_back(sim::act::Wake{instant + after, tag_of(Wake::pending, firing.id)});
    pending_.push_back(std::move(firing));
}

// ---- Actions ------------------------------------------------------------------------------------

void Injector::tell(FaultIndex index, const Now& now) {
    const Telling& telling = *fault(index).tells;
    bool all = true;
    for (const auto node : telling.nodes) {
        all = all && now.around.state(node) != sim::NodeState::down;
        now.acts.push_back(sim::act::Tell{node, telling.order});
    }
    if (all) return;
    // Nobody listens while it is down: said again when it may be back.
    Pending later{next_pending_++, index, state(index).considered, {}, {}};
    now.acts.push_back(sim::act::Wake{now.around.now() + sim::milliseconds(100),
                                      tag_of(Wake::pending, later.id)});
    pending_.push_back(std::move(later));
}

Firing Injector::firing_of(const Activity& activity, const std::optional<Scene>& scene,
                           Sheet& sheet, Deed& deed, const Now& now) {
    const Effective action = effective(fault(activity.fault), activity.path);
    return {.plan = plan(),
            .around = now.around,
            .rolls = Rolls(dice_, activity.fault, sheet),
            .burdens = burdens_,
            .acts = now.acts,
            .deed = deed,
            .activity = activity.id,
            .wake_tag = tag_of(Wake::activity, activity.id),
            .scene = scene,
            .targets = action.targets,
            .lasts = action.lasts,
            .until = action.until};
}

void Injector::fire(const Pending& firing, const FrameInHand* hand, const Now& now) {
    if (fault(firing.fault).tells) return tell(firing.fault, now);
    if (!chaos(now)) {
        ++report(firing.fault).late;
        return;
    }
    const Activity& begun = burdens_.open(firing.fault, firing.occurrence);
    const std::int64_t id = begun.id;
    const std::size_t position = now.acts.size();
    Sheet sheet = firing.sheet;
    Deed deed;
    deed.occurrence = firing.occurrence;
    deed.at = now.around.now();
    Firing doing = firing_of(begun, firing.scene, sheet, deed, now);
    doing.hand = hand;
    perform(fault(firing.fault).act, doing);
    dice_.hit(sheet, deed.nodes);

    Activity& activity = *burdens_.find(id);
    if (doing.until->has_value() && !activity.burdens.empty()) {
        const Until& until = **doing.until;
        activity.until_left = doing.rolls.number(Drawn::Kind::until_nth, Purpose::lasts, until.nth);
        activity.until_after =
            doing.rolls.spread(Drawn::Kind::until_after, Purpose::lasts, until.after);
    }
    activity.node = !deed.nodes.empty() ? deed.nodes.front()
                    : firing.scene      ? firing.scene->node
                                        : sim::NodeId{};
    const sim::NodeId node = activity.node;
    FaultReport& mine = report(firing.fault);
    ++mine.fired;
    if (doing.aimless) ++mine.aimless;
    if (doing.overruled) ++mine.overruled;
    deed.acts = std::count_if(
        now.acts.begin() + static_cast<std::ptrdiff_t>(position), now.acts.end(),
        [](const sim::Act& act) { return !std::holds_alternative<sim::act::Wake>(act); });
    settle(firing.fault, deed, true);
    // The story reads "fault X", then what it did.
    announce({firing.fault, false, node}, now, position);
    advance(id, now);
}

void Injector::apply_rules(const FrameInHand& hand, const Happening& happening, std::int64_t before,
                           const Now& now) {
    for (std::size_t i = 0; i < burdens_.all().size(); ++i) {
        const Activity& activity = burdens_.all()[i];
        if (activity.id >= before) break;
        const bool rule = std::any_of(
            activity.burdens.begin(), activity.burdens.end(),
            [](const Burden& b) { return std::holds_alternative<burden::Window>(b.what); });
        if (rule) apply_rule(activity.id, hand, happening, now);
    }
}

void Injector::apply_rule(std::int64_t id, const FrameInHand& hand, const Happening& happening,
                          const Now& now) {
    Activity& activity = *burdens_.find(id);
    const FaultIndex index = activity.fault;
    const Fault& one = fault(index);
    const Effective action = effective(one, activity.path);
    if (!rule_applies(*action.act, hand.frame, hand.moment)) return;
    if (!satisfied(one.matches, happening, plan(), now.around)) return;
    const std::int64_t number = ++activity.messages;
    // A mix has drawn the fault's chance when it fired.
    const sim::Chance chance = activity.path.empty() ? one.chance : sim::Chance::always();
    const bool chosen = dice_.scripted() ? dice_.foresees(index, activity.occurrence, number)
                                         : dice_.stream(index, Purpose::chance).chance(chance);
    if (!chosen) return;
    Sheet sheet = dice_.open(index, activity.occurrence, number, now.around.now());
    Deed deed;
    deed.occurrence = activity.occurrence;
    const std::optional<Scene> scene = happening.scene(plan().words.facts);
    Firing doing = firing_of(activity, scene, sheet, deed, now);
    doing.hand = &hand;
    doing.rule = true;
    perform(*action.act, doing);
    if (doing.overruled) ++report(index).overruled;
    settle(index, deed, false);
}

void Injector::hit(std::int64_t id, const burden::Planned& planned, const Now& now) {
    const Activity& activity = *burdens_.find(id);
    const FaultIndex index = activity.fault;
    const Effective action = effective(fault(index), activity.path);
    const auto& swizzle = std::get<action::Swizzle>(*action.act);
    const auto& choice = swizzle.of[static_cast<std::size_t>(planned.choice)];
    Sheet sheet = dice_.open(index, activity.occurrence, planned.step, now.around.now());
    Deed deed;
    deed.occurrence = activity.occurrence;
    deed.nodes = {planned.node};
    const std::optional<Scene> nowhere;
    const std::size_t position = now.acts.size();
    Firing doing = firing_of(activity, nowhere, sheet, deed, now);
    doing.only = planned.node;
    doing.release = planned.release;
    perform(choice.act, doing);
    dice_.hit(sheet, deed.nodes);
    deed.acts = static_cast<std::int64_t>(now.acts.size() - position);
    settle(index, deed, false);
}

/// Enters a deed in the ledger: a new firing, or more of one that is under way.
void Injector::settle(FaultIndex index, const Deed& deed, bool fresh) {
    FaultReport& mine = report(index);
    mine.messages += deed.messages;
    mine.acts += deed.acts;
    for (const auto node : deed.nodes) {
        const auto place = std::lower_bound(mine.nodes.begin(), mine.nodes.end(), node);
        if (place == mine.nodes.end() || *place != node) mine.nodes.insert(place, node);
    }
    if (fresh) {
        if (mine.deeds.size() < FaultReport::deeds_kept) mine.deeds.push_back(deed);
        return;
    }
    const auto kept = std::find_if(mine.deeds.begin(), mine.deeds.end(),
                                   [&](const Deed& d) { return d.occurrence == deed.occurrence; });
    if (kept == mine.deeds.end()) return;
    kept->messages += deed.messages;
    kept->acts += deed.acts;
}

// ---- Chains -------------------------------------------------------------------------------------

void Injector::announce(News news, const Now& now, std::size_t position) {
    const auto kind = fault_milestone(plan().words.marks, news.fault, news.ended);
    const sim::Act act = sim::act::Announce{sim::Milestone{kind, news.node, {}}};
    now.acts.insert(now.acts.begin() + static_cast<std::ptrdiff_t>(position), act);
    news_.push_back(news);
}

/// Faults that wait for other faults hear of them when the event is over, so what counts "only
/// after A" does not count the event that fired A, whatever the order in the file.
void Injector::spread_news(const Now& now) {
    for (std::size_t i = 0; i < news_.size(); ++i) {
        sim::ensure(i < chain_max, "faults that trigger each other in one instant form no ring");
        const News news = news_[i];
        const auto kind = fault_milestone(plan().words.marks, news.fault, news.ended);
        const sim::Milestone milestone{kind, news.node, {}};
        const Happening happening(milestone);
        const std::int64_t before = burdens_.next_id();
        for (const auto index : wiring_->waiting_for(news.fault, news.ended))
            state(index).open = true;
        trigger_all(wiring_->triggered_by(kind), happening, nullptr, now);
        count_untils(kind, happening, before, now);
    }
    news_.clear();
}

}  // namespace eos::faults
