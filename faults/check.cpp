#include "faults/check.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "faults/catalogue.hpp"

namespace eos::faults {
namespace {

using TargetKind = Target::Kind;

bool is_event(const Target& target) {
    return target.kind == TargetKind::event || target.kind == TargetKind::event_from ||
           target.kind == TargetKind::event_to;
}

bool stands_for_log(const Target& target) {
    switch (target.kind) {
        case TargetKind::leader:
        case TargetKind::follower:
        case TargetKind::followers:
        case TargetKind::replicas:
        case TargetKind::owner:
        case TargetKind::log:
        case TargetKind::group_coordinator:
        case TargetKind::event:
            return true;
        case TargetKind::event_from:
        case TargetKind::event_to:
        case TargetKind::broker:
        case TargetKind::brokers:
        case TargetKind::random_broker:
        case TargetKind::controller:
        case TargetKind::app_instance:
        case TargetKind::app_any:
        case TargetKind::app_all:
        case TargetKind::random_app:
        case TargetKind::apps:
        case TargetKind::everyone:
        case TargetKind::others:
        case TargetKind::group:
        case TargetKind::txid:
        case TargetKind::holder:
        case TargetKind::zombie:
        case TargetKind::store:
        case TargetKind::stores:
        case TargetKind::job_manager:
            return false;
    }
    return false;
}

bool may_be_an_app(const Target& target) {
    return target.kind != TargetKind::broker && target.kind != TargetKind::brokers &&
           target.kind != TargetKind::random_broker && target.kind != TargetKind::controller &&
           target.kind != TargetKind::leader && target.kind != TargetKind::follower &&
           target.kind != TargetKind::followers && target.kind != TargetKind::replicas &&
           target.kind != TargetKind::group_coordinator && target.kind != TargetKind::txid &&
           target.kind != TargetKind::store && target.kind != TargetKind::stores;
}

bool may_be_a_broker(const Target& target) {
    switch (target.kind) {
        case TargetKind::event:
        case TargetKind::event_from:
        case TargetKind::event_to:
        case TargetKind::broker:
        case TargetKind::brokers:
        case TargetKind::random_broker:
        case TargetKind::leader:
        case TargetKind::follower:
        case TargetKind::followers:
        case TargetKind::replicas:
        case TargetKind::group_coordinator:
            return true;
        case TargetKind::controller:
        case TargetKind::app_instance:
        case TargetKind::app_any:
        case TargetKind::app_all:
        case TargetKind::random_app:
        case TargetKind::apps:
        case TargetKind::owner:
        case TargetKind::everyone:
        case TargetKind::others:
        case TargetKind::log:
        case TargetKind::group:
        case TargetKind::txid:
        case TargetKind::holder:
        case TargetKind::zombie:
        case TargetKind::store:
        case TargetKind::stores:
        case TargetKind::job_manager:
            return false;
    }
    return false;
}

bool ordered(const sim::Spread& spread) { return spread.low <= spread.high; }
bool not_negative(const sim::Spread& spread) {
    return ordered(spread) && spread.low >= sim::Duration{};
}

/// Everything about one fault.
class Checking {
  public:
    Checking(const Plan& plan, FaultIndex index, std::vector<Problem>& problems)
        : plan_(plan),
          index_(index),
          fault_(plan.faults[static_cast<std::size_t>(index.value)]),
          problems_(problems) {}

    void all() {
        trigger();
        filters();
        action(fault_.act, fault_.targets, fault_.lasts, fault_.until, false);
    }

  private:
    void say(std::string field, std::string what) {
        problems_.push_back({index_, std::move(field), std::move(what)});
    }
    [[nodiscard]] const trigger::When* when() const {
        return std::get_if<trigger::When>(&fault_.trigger);
    }
    [[nodiscard]] bool on_frame() const {
        const Marks& marks = plan_.words.marks;
        return when() != nullptr && (when()->kind == marks.rpc_sent ||
                                     when()->kind == marks.rpc_delivered || on_handoff());
    }
    [[nodiscard]] bool on_handoff() const {
        return when() != nullptr && when()->kind == plan_.words.marks.handoff_queued;
    }
    [[nodiscard]] bool names_fault(FaultIndex fault) const {
        return fault.value >= 0 && fault.value < static_cast<std::int32_t>(plan_.faults.size());
    }

    void trigger() {
        if (const auto* every = std::get_if<trigger::Every>(&fault_.trigger))
            if (!not_negative(every->gap) || every->gap.high.count() == 0)
                say("every", "the gap must be longer than nothing");
        if (const auto* at = std::get_if<trigger::At>(&fault_.trigger))
            if (!not_negative(at->time)) say("at", "the time must not be negative");
    }

    void filters() {
        if (fault_.name.empty()) say("name", "a fault needs a name");
        if (fault_.since && !names_fault(fault_.since->fault))
            say("since", "there is no such fault");
        if (fault_.since && fault_.since->fault == index_)
            say("since", "a fault that waits for itself never fires");
        if (fault_.nth && (fault_.nth->low < 1 || fault_.nth->low > fault_.nth->high))
            say("nth", "counting begins at 1");
        if (fault_.chance.denominator == 0) say("chance", "not a chance");
        if (fault_.times && *fault_.times < 1)
            say("times", "at least 1; use enabled: false for none");
        if (!not_negative(fault_.after)) say("after", "must not be negative");
        if (when() == nullptr && !fault_.matches.empty() && !has_rule(fault_.act))
            say("match", "only a milestone or a message rule has something to match");
    }

    [[nodiscard]] static bool has_rule(const Action& act) {
        if (on_messages(act)) return true;
        const auto* mix = std::get_if<action::Mix>(&act);
        return mix != nullptr &&
               std::any_of(mix->of.begin(), mix->of.end(),
                           [](const auto& choice) { return has_rule(choice.act); });
    }

    void action(const Action& act, const Targets& targets, const std::optional<Lasting>& lasts,
                const std::optional<Until>& until, bool in_swizzle) {
        const ActionEntry& entry = entry_of(act);
        const std::string word(entry.word);
        if (until &&
            (until->nth.low < 1 || until->nth.low > until->nth.high || !not_negative(until->after)))
            say("until", "nth counts from 1, after must not be negative");
        if (lasts && lasts->kind == Lasting::Kind::time && !not_negative(lasts->time))
            say("for", "must not be negative");
        if (on_messages(act)) {
            message(act, targets, word);
            if (entry.span == Span::instant && when() != nullptr && (lasts || until))
                say("for", word + " does not last; with `at` or `every` it is a rule that does");
        } else {
            if (entry.span == Span::instant && (lasts || until) && word != "none")
                say("for", word + " does not last");
            if (!in_swizzle) aim(entry, targets, word);
        }
        details(act, targets, lasts, until, word);
    }

    void message(const Action& act, const Targets& targets, const std::string& word) {
        const bool only_event = targets.size() == 1 && targets.front().kind == TargetKind::event;
        if (!only_event)
            say("target", word + " acts on the message itself; say which with `match`");
        if (when() == nullptr) return;  // a rule
        if (!on_frame())
            say("when", word + " needs a message: rpc.sent, rpc.delivered or handoff.queued");
        if (fault_.after.high.count() != 0)
            say("after", "a message does not wait for its fault; hold it, or use at with for");
        if (on_handoff() && !may_hit(entry_of(act).hits, Hits::handoffs))
            say("do", word + " needs a connection; a hand-off has none");
        if (std::holds_alternative<action::Error>(act)) error_side();
    }

    /// language.md 5.4: a delivered request is refused, a sent answer is replaced.
    void error_side() {
        if (on_handoff() || !on_frame()) return;
        const bool sent = when()->kind == plan_.words.marks.rpc_sent;
        const auto side =
            std::find_if(fault_.matches.begin(), fault_.matches.end(),
                         [&](const Match& match) { return match.fact == plan_.words.facts.side; });
        const std::int64_t wanted = sent ? 1 : 0;
        const bool right =
            side != fault_.matches.end() && !side->any_of.empty() &&
            std::all_of(side->any_of.begin(), side->any_of.end(), [&](const auto& value) {
                const auto* number = std::get_if<std::int64_t>(&value);
                return number != nullptr && *number == wanted;
            });
        if (right) return;
        say("do",
            sent ? "error at rpc.sent needs side: response; refuse a request at rpc.delivered"
                 : "error at rpc.delivered needs side: request; replace an answer at rpc.sent");
    }

    void aim(const ActionEntry& entry, const Targets& targets, const std::string& word) {
        if (entry.hits == Hits::nothing || word == "mix") return;
        if (targets.empty()) say("target", word + " needs a target");
        for (const auto& target : targets) {
            if (is_event(target) && when() == nullptr)
                say("target", "without `when` there is no event; name a target");
            if (target.kind == TargetKind::others)
                say("target", "others is a side of a partition, not a target");
            if (entry.hits == Hits::partitions && !stands_for_log(target))
                say("target", word + " needs a partition, or a role of one such as leader:T/P");
            if (may_hit(entry.hits, Hits::nodes) &&
                (target.kind == TargetKind::log || target.kind == TargetKind::group ||
                 target.kind == TargetKind::txid))
                say("target", word + " needs nodes; name a role such as leader:T/P");
            if (entry.hits == Hits::apps && !may_be_an_app(target))
                say("target", word + " needs an application");
            if (entry.hits == Hits::brokers && !may_be_a_broker(target))
                say("target", word + " needs a broker, or a role of one such as leader:T/P");
            if (entry.hits == Hits::groups &&
                (target.kind == TargetKind::log || target.kind == TargetKind::txid))
                say("target", word + " needs a group");
            if (entry.hits == Hits::txids && target.kind != TargetKind::txid &&
                target.kind != TargetKind::event)
                say("target", word + " needs a transactional id");
        }
    }

    void details(const Action& act, const Targets& targets, const std::optional<Lasting>& lasts,
                 const std::optional<Until>& until, const std::string& word) {
        if (const auto* error = std::get_if<action::Error>(&act))
            if (error->codes.empty()) say("code", "error needs a code");
        if (const auto* duplicate = std::get_if<action::Duplicate>(&act))
            if (duplicate->copies < 1) say("copies", "at least one copy");
        if (const auto* delay = std::get_if<action::Delay>(&act))
            if (!not_negative(delay->by) || delay->by.high.count() == 0)
                say("by", "delay needs a time");
        if (const auto* partition = std::get_if<action::Partition>(&act))
            if (partition->groups.size() < 2) say("groups", "a partition has at least two sides");
        if (const auto* slow = std::get_if<action::SlowLink>(&act))
            if (!not_negative(slow->by) || slow->bytes_per_second < 0 ||
                (slow->by.high.count() == 0 && slow->bytes_per_second == 0))
                say("by", "slow-link needs `by` or `bandwidth`");
        if (const auto* mix = std::get_if<action::Mix>(&act)) {
            weights(mix->of, word);
            for (const auto& choice : mix->of)
                action(choice.act, choice.targets.value_or(targets),
                       choice.lasts ? choice.lasts : inherited(choice.act, lasts),
                       choice.until ? choice.until : inherited(choice.act, until), false);
        }
        if (const auto* swizzle = std::get_if<action::Swizzle>(&act)) {
            weights(swizzle->of, word);
            for (const auto& choice : swizzle->of) {
                if (choice.targets || choice.lasts || choice.until)
                    say("of", "an entry of swizzle has no target and no end of its own");
                if (!swizzles(choice.act))
                    say("of", std::string(word_of(choice.act)) + " cannot be released one by one");
                action(choice.act, targets, std::nullopt, std::nullopt, true);
            }
        }
    }

    /// What a mix gives its entries; entries that do not last have no use for it.
    template <class T>
    [[nodiscard]] static std::optional<T> inherited(const Action& act,
                                                    const std::optional<T>& outer) {
        return entry_of(act).span == Span::instant ? std::nullopt : outer;
    }

    [[nodiscard]] static bool swizzles(const Action& act) {
        const ActionEntry& entry = entry_of(act);
        const bool lasts = entry.span == Span::forever || entry.span == Span::downtime;
        const bool on_nodes = may_hit(entry.hits, Hits::nodes) || may_hit(entry.hits, Hits::apps) ||
                              may_hit(entry.hits, Hits::brokers);
        return lasts && on_nodes && !std::holds_alternative<action::Restart>(act) &&
               !std::holds_alternative<action::RollingRestart>(act);
    }

    void weights(const std::vector<action::Choice>& of, const std::string& word) {
        std::int64_t total = 0;
        for (const auto& choice : of) {
            if (choice.weight < 0) say("weight", "must not be negative");
            total += choice.weight;
        }
        if (of.empty() || total <= 0) say("of", word + " needs an entry that can be drawn");
    }

    const Plan& plan_;
    FaultIndex index_;
    const Fault& fault_;
    std::vector<Problem>& problems_;
};

/// The fault whose firing or end triggers this one at once, if one does.
std::optional<FaultIndex> triggered_at_once_by(const Plan& plan, const Fault& fault) {
    const auto* when = std::get_if<trigger::When>(&fault.trigger);
    if (when == nullptr || fault.after.low.count() > 0) return std::nullopt;
    const int number = when->kind.value - plan.words.marks.fault_first.value;
    const FaultIndex found{static_cast<std::int32_t>(number / 2)};
    if (number < 0 || number / 2 >= static_cast<int>(plan.faults.size())) return std::nullopt;
    return found;
}

void check_rings(const Plan& plan, std::vector<Problem>& problems) {
    for (std::size_t i = 0; i < plan.faults.size(); ++i) {
        std::optional<FaultIndex> at = FaultIndex{static_cast<std::int32_t>(i)};
        for (std::size_t steps = 0; at && steps < plan.faults.size(); ++steps) {
            at = triggered_at_once_by(plan, plan.faults[static_cast<std::size_t>(at->value)]);
            if (at && at->value == static_cast<std::int32_t>(i)) {
                problems.push_back(
                    {*at, "when", "it triggers itself; break the ring with `after`"});
                break;
            }
        }
    }
}

}  // namespace

std::vector<Problem> check(const Plan& plan) {
    std::vector<Problem> problems;
    std::set<std::string> names;
    for (std::size_t i = 0; i < plan.faults.size(); ++i) {
        const FaultIndex index{static_cast<std::int32_t>(i)};
        Checking(plan, index, problems).all();
        if (!names.insert(plan.faults[i].name).second)
            problems.push_back({index, "name", "another fault has this name"});
    }
    check_rings(plan, problems);
    return problems;
}

}  // namespace eos::faults
