// The second half of the injector: how what lasts comes to its end, by time, by `until`, by the
// node going down, or because the faults heal.

#include <algorithm>
#include <utility>

#include "faults/injector.hpp"

namespace eos::faults {

using sim::Instant;

void Injector::count_untils(sim::MilestoneKind kind, const Happening& happening,
                            std::int64_t before, const Now& now) {
    std::vector<std::int64_t> ended;
    for (auto& activity : burdens_.all()) {
        if (activity.id >= before) break;
        if (activity.until_left == 0 || activity.ends) continue;
        const auto& until = *effective(fault(activity.fault), activity.path).until;
        if (until->kind != kind) continue;
        if (!satisfied(until->matches, happening, plan(), now.around)) continue;
        if (--activity.until_left > 0) continue;
        activity.ends = now.around.now() + activity.until_after;
        if (activity.until_after.count() > 0) {
            const auto tag = tag_of(Wake::activity, activity.id);
            now.acts.push_back(sim::act::Wake{*activity.ends, tag});
        } else {
            ended.push_back(activity.id);
        }
    }
    for (const auto id : ended) advance(id, now);
}

void Injector::node_went_down(sim::NodeId node, const Now& now) {
    for (auto& activity : burdens_.all()) {
        for (auto& burden : activity.burdens) {
            const auto* stopping = std::get_if<burden::Stopping>(&burden.what);
            if (stopping != nullptr && stopping->node == node) now_down(activity, burden, now);
        }
    }
}

/// A node that was told to stop is down: its downtime begins.
void Injector::now_down(const Activity& activity, Burden& burden, const Now& now) {
    const auto stopping = std::get<burden::Stopping>(burden.what);
    burden.what = burden::Down{stopping.node};
    burden.due = sim::time_never;
    if (stopping.back != Lasting::Kind::time) return;
    // At least a tick later: it may not be started while it is still going down.
    burden.due = now.around.now() + std::max(stopping.downtime, sim::nanoseconds(1));
    now.acts.push_back(sim::act::Wake{burden.due, tag_of(Wake::activity, activity.id)});
}

void Injector::advance(std::int64_t id, const Now& now) {
    const Activity* activity = burdens_.find(id);
    if (activity == nullptr) return;
    if (activity->ends && *activity->ends <= now.around.now()) lift_all(id, false, now);
    while (advance_one(id, now)) {
    }
    finish_if_done(id, now);
}

/// Carries out one burden that is due; false if none is.
bool Injector::advance_one(std::int64_t id, const Now& now) {
    Activity& activity = *burdens_.find(id);
    const Instant instant = now.around.now();
    const auto due = std::find_if(activity.burdens.begin(), activity.burdens.end(),
                                  [&](const Burden& b) { return b.due <= instant; });
    if (due == activity.burdens.end()) return false;

    if (const auto* next = std::get_if<burden::Planned>(&due->what)) {
        const burden::Planned planned = *next;
        activity.burdens.erase(due);
        if (chaos(now)) hit(id, planned, now);
        return true;
    }
    if (auto* rolling = std::get_if<burden::Rolling>(&due->what)) {
        const burden::Turn turn = rolling->left.front();
        const auto grace = rolling->grace;
        rolling->left.erase(rolling->left.begin());
        due->due = sim::time_never;
        if (rolling->left.empty()) activity.burdens.erase(due);
        take_turn(id, turn, grace, now);
        return true;
    }
    if (const auto* stopping = std::get_if<burden::Stopping>(&due->what)) {
        // Its grace is over.
        if (now.around.state(stopping->node) != sim::NodeState::down) {
            now.acts.push_back(sim::act::Crash{.node = stopping->node, .loss = {}});
            ++report(activity.fault).acts;
        }
        now_down(activity, *due, now);
        return true;
    }
    if (std::holds_alternative<burden::Window>(due->what)) {
        // A rule lets go of everything it holds.
        lift_all(id, false, now);
        return true;
    }
    const bool was_down = std::holds_alternative<burden::Down>(due->what);
    burdens_.lift(id, static_cast<std::size_t>(due - activity.burdens.begin()), plan(), now.around,
                  now.acts);
    if (was_down) schedule_next_turn(id, now);
    return true;
}

/// A rolling restart goes on, `gap` after the former node was started.
void Injector::schedule_next_turn(std::int64_t id, const Now& now) {
    for (auto& burden : burdens_.find(id)->burdens) {
        auto* rolling = std::get_if<burden::Rolling>(&burden.what);
        if (rolling == nullptr || burden.due != sim::time_never) continue;
        burden.due = now.around.now() + rolling->left.front().gap;
        now.acts.push_back(sim::act::Wake{burden.due, tag_of(Wake::activity, id)});
    }
}

void Injector::take_turn(std::int64_t id, const burden::Turn& turn,
                         std::optional<sim::Duration> grace, const Now& now) {
    if (!chaos(now)) return;
    const Activity& activity = *burdens_.find(id);
    const FaultIndex index = activity.fault;
    Sheet sheet;  // Everything was drawn when it fired.
    Deed deed;
    deed.occurrence = activity.occurrence;
    deed.acts = 1;
    const std::optional<Scene> nowhere;
    Firing doing = firing_of(activity, nowhere, sheet, deed, now);
    begin_stop(turn.node, turn.back, turn.downtime, grace, doing);
    settle(index, deed, false);
}

void Injector::lift_all(std::int64_t id, bool healing, const Now& now) {
    std::size_t position = 0;
    for (;;) {
        Activity& activity = *burdens_.find(id);
        if (position >= activity.burdens.size()) return;
        Burden& burden = activity.burdens[position];
        auto* stopping = std::get_if<burden::Stopping>(&burden.what);
        if (healing && !burden.heals) {
            ++position;
        } else if (stopping != nullptr) {
            // It is on its way down: started as soon as it is, and no longer killed.
            stopping->back = Lasting::Kind::time;
            stopping->downtime = {};
            burden.due = sim::time_never;
            ++position;
        } else {
            burdens_.lift(id, position, plan(), now.around, now.acts);
        }
    }
}

void Injector::finish_if_done(std::int64_t id, const Now& now) {
    const Activity* activity = burdens_.find(id);
    if (activity == nullptr || !activity->burdens.empty()) return;
    const News news{activity->fault, true, activity->node};
    const std::int64_t occurrence = activity->occurrence;
    burdens_.close(id);
    FaultReport& mine = report(news.fault);
    ++mine.ended;
    const auto deed = std::find_if(mine.deeds.rbegin(), mine.deeds.rend(),
                                   [&](const Deed& d) { return d.occurrence == occurrence; });
    if (deed != mine.deeds.rend()) deed->ended = now.around.now();
    announce(news, now, now.acts.size());
}

/// The end of Plan::chaos_end: holds released, links healed, nodes started, paused ones resumed.
/// Clocks stay where they are; they no longer drift.
void Injector::heal(const Now& now) {
    over_ = true;
    std::erase_if(pending_, [&](const Pending& firing) {
        if (fault(firing.fault).tells) return false;  // who waits is told all the same
        ++report(firing.fault).late;
        return true;
    });
    std::vector<std::int64_t> ids;
    for (const auto& activity : burdens_.all()) ids.push_back(activity.id);
    for (const auto id : ids) {
        Activity& activity = *burdens_.find(id);
        if (fault(activity.fault).heal) {
            lift_all(id, true, now);
        } else {
            // What it has done stays, rules stay in force, but it hits nobody new.
            std::erase_if(activity.burdens, [](const Burden& b) {
                return std::holds_alternative<burden::Planned>(b.what) ||
                       std::holds_alternative<burden::Rolling>(b.what);
            });
        }
        finish_if_done(id, now);
    }
}

}  // namespace eos::faults
