#include "faults/wiring.hpp"

#include <algorithm>

#include "faults/catalogue.hpp"

namespace eos::faults {

Wiring::Wiring(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
    const Marks& marks = plan_->words.marks;
    for (std::size_t i = 0; i < plan_->faults.size(); ++i) {
        const FaultIndex index{static_cast<std::int32_t>(i)};
        const Fault& fault = plan_->faults[i];
        if (!fault.enabled) continue;
        if (const auto* when = std::get_if<trigger::When>(&fault.trigger)) {
            triggers_[when->kind].push_back(index);
            watch(when->kind, fault.matches);
        }
        if (fault.since)
            waiting_[fault_milestone(marks, fault.since->fault, fault.since->ended)].push_back(
                index);
        if (fault.until) watch(fault.until->kind, fault.until->matches);
        watch_action(fault, fault.act);
    }
}

void Wiring::watch_action(const Fault& fault, const Action& action) {
    if (on_messages(action) && !std::holds_alternative<trigger::When>(fault.trigger))
        watch_frames(fault.matches);  // a rule
    const bool stops = std::holds_alternative<action::Stop>(action) ||
                       std::holds_alternative<action::Restart>(action) ||
                       std::holds_alternative<action::RollingRestart>(action);
    if (stops) {
        const Marks& marks = plan_->words.marks;
        for (const auto kind : {marks.node_crashed, marks.node_lost_power, marks.node_stopped})
            set(milestones_, kind.value);
    }
    const auto* mix = std::get_if<action::Mix>(&action);
    const auto* swizzle = std::get_if<action::Swizzle>(&action);
    if (mix == nullptr && swizzle == nullptr) return;
    for (const auto& choice : mix != nullptr ? mix->of : swizzle->of) {
        if (choice.until) watch(choice.until->kind, choice.until->matches);
        watch_action(fault, choice.act);
    }
}

void Wiring::watch(sim::MilestoneKind kind, const Matches& matches) {
    const Marks& marks = plan_->words.marks;
    if (kind == marks.rpc_sent || kind == marks.rpc_delivered || kind == marks.handoff_queued) {
        watch_frames(matches);
    } else if (!is_fault_milestone(kind)) {
        // The injector hears of its own faults without the engine.
        set(milestones_, kind.value);
    }
}

void Wiring::watch_frames(const Matches& matches) {
    const auto api = std::find_if(matches.begin(), matches.end(), [&](const Match& match) {
        return match.fact == plan_->words.facts.api;
    });
    if (api == matches.end()) {
        every_frame_ = true;
        return;
    }
    for (const auto& value : api->any_of)
        if (const auto* number = std::get_if<std::int64_t>(&value))
            set(frames_, static_cast<std::uint16_t>(*number));
}

void Wiring::set(Bits& bits, std::uint16_t number) {
    const std::size_t word = number / 64;
    if (word >= bits.size()) bits.resize(word + 1);
    bits[word] |= std::uint64_t{1} << (number % 64);
}

std::span<const FaultIndex> Wiring::triggered_by(sim::MilestoneKind kind) const {
    const auto found = triggers_.find(kind);
    if (found == triggers_.end()) return {};
    return found->second;
}

std::span<const FaultIndex> Wiring::waiting_for(FaultIndex fault, bool ended) const {
    const auto found = waiting_.find(fault_milestone(plan_->words.marks, fault, ended));
    if (found == waiting_.end()) return {};
    return found->second;
}

sim::MilestoneKind Wiring::mark(sim::Moment moment) const {
    const Marks& marks = plan_->words.marks;
    switch (moment) {
        case sim::Moment::sent:
            return marks.rpc_sent;
        case sim::Moment::delivered:
            return marks.rpc_delivered;
        case sim::Moment::handoff:
            return marks.handoff_queued;
    }
    return marks.rpc_sent;
}

bool Wiring::is_fault_milestone(sim::MilestoneKind kind) const {
    const int first = plan_->words.marks.fault_first.value;
    const int past = first + 2 * static_cast<int>(plan_->faults.size());
    return kind.value >= first && kind.value < past;
}

}  // namespace eos::faults
