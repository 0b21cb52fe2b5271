#include "reports/judges/recovery.hpp"

#include <algorithm>

namespace eos::reports {

using model::ErrorCode;
using model::LogId;
using model::Mile;

RecoveryMeter::RecoveryMeter(const JudgeConfig& config)
    : config_(config), leaders_(config.topology->logs.size()) {}

// --- what is lost
// ---------------------------------------------------------------------------------

void RecoveryMeter::reached(sim::Instant now, const sim::Milestone& milestone) {
    const auto is = [&](Mile mile) { return milestone.kind == model::number(mile); };
    if (is(Mile::coordinator_loaded)) {
        const auto log = milestone.facts.find(model::number(model::Fact::log));
        if (log) serve({static_cast<std::int32_t>(*log)});
        return;
    }
    if (!is(Mile::node_crashed) && !is(Mile::node_lost_power) && !is(Mile::node_stopped)) return;
    if (const auto process = config_.topology->process_of(milestone.node)) {
        dead_.try_emplace(*process, now);
        return;
    }
    for (std::size_t i = 0; i < leaders_.size(); ++i)
        if (leaders_[i] == milestone.node) lose(now, {static_cast<std::int32_t>(i)});
}

void RecoveryMeter::lose(sim::Instant now, LogId log) {
    // One that is lost again before it was of use is lost since the first time.
    lost_.try_emplace(log, Loss{now}).first->second.served = false;
}

void RecoveryMeter::on(sim::Instant now, const model::LeadershipTaken& o) {
    auto& leader = leaders_[static_cast<std::size_t>(o.log.value)];
    const bool moved = leader && *leader != o.broker;
    leader = o.broker;
    if (!config_.topology->topic_of(o.log).internal) return serve(o.log);
    if (moved) lose(now, o.log);  // its coordinator has to load it first
}

void RecoveryMeter::serve(LogId log) {
    if (const auto found = lost_.find(log); found != lost_.end()) found->second.served = true;
}

// --- what is asked
// --------------------------------------------------------------------------------

std::optional<LogId> RecoveryMeter::home(model::GroupId group) const {
    if (lost_.empty()) return std::nullopt;
    return config_.topology->offsets_log(group);
}

std::optional<LogId> RecoveryMeter::home(model::ProcessId process) const {
    const auto id = ids_.find(process);
    if (lost_.empty() || id == ids_.end()) return std::nullopt;
    return config_.topology->transaction_log(id->second);
}

void RecoveryMeter::ask(std::optional<LogId> log) {
    if (lost_.empty() || !log) return;
    if (const auto found = lost_.find(*log); found != lost_.end()) found->second.asked = true;
}

void RecoveryMeter::on(sim::Instant, const model::SendInvoked& o) { ask(o.log); }

void RecoveryMeter::on(sim::Instant, const model::TxnBegan& o) {
    ids_[o.process] = o.txid;
    offsets_.erase(o.process);
}

void RecoveryMeter::on(sim::Instant, const model::TxnOffsetsSent& o) {
    offsets_[o.process] = o.group;
    ask(home(o.group));
}

void RecoveryMeter::on(sim::Instant, const model::TxnEndInvoked& o) { ask(home(o.process)); }

// --- what succeeds
// --------------------------------------------------------------------------------

void RecoveryMeter::succeed(sim::Instant now, std::optional<LogId> log) {
    if (lost_.empty() || !log) return;
    const auto found = lost_.find(*log);
    // What was on its way when the old one died is no success of the new one.
    if (found == lost_.end() || !found->second.served) return;
    recovered(now - found->second.at);
    lost_.erase(found);
}

void RecoveryMeter::succeed(sim::Instant now, model::ProcessId process) {
    if (dead_.empty()) return;
    const auto found = dead_.find(process);
    if (found == dead_.end()) return;
    recovered(now - found->second);
    dead_.erase(found);
}

void RecoveryMeter::recovered(sim::Duration time) {
    longest_ = std::max(longest_.value_or(time), time);
}

void RecoveryMeter::on(sim::Instant now, const model::SendDone& o) {
    if (o.error != ErrorCode::none || !o.offset) return;  // acks=0 is told nothing
    succeed(now, o.log);
    succeed(now, o.process);
}

void RecoveryMeter::on(sim::Instant now, const model::Effect& o) { succeed(now, o.process); }

void RecoveryMeter::on(sim::Instant now, const model::CommitReturned& o) {
    const auto log = home(o.group);
    ask(log);
    if (o.error != ErrorCode::none) return;
    succeed(now, log);
    succeed(now, o.process);
}

void RecoveryMeter::on(sim::Instant now, const model::Assigned& o) {
    if (!o.logs.empty()) succeed(now, home(o.group));
}

void RecoveryMeter::on(sim::Instant now, const model::TxnEndReturned& o) {
    if (o.error != ErrorCode::none) return;
    succeed(now, o.process);
    succeed(now, home(o.process));
    const auto offsets = offsets_.find(o.process);
    if (offsets == offsets_.end()) return;
    if (o.result == model::ControlType::commit) succeed(now, home(offsets->second));
    offsets_.erase(offsets);
}

void RecoveryMeter::on(sim::Instant now, const model::TxnInitialised& o) {
    ids_[o.process] = o.txid;
    ask(home(o.process));
    if (o.error == ErrorCode::none) succeed(now, home(o.process));
}

void RecoveryMeter::conclude(sim::Instant end, Findings& findings) const {
    auto longest = longest_;
    for (const auto& [log, loss] : lost_)
        if (loss.asked) longest = std::max(longest.value_or(end - loss.at), end - loss.at);
    findings.measured.recovery_max = longest;
}

}  // namespace eos::reports
