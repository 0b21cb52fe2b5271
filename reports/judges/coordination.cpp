#include "reports/judges/coordination.hpp"

#include <algorithm>


namespace eos::reports {
namespace {

using model::Mile;
using model::TxnCause;
using model::TxnState;

bool is(const sim::Milestone& milestone, Mile mile) {
    return milestone.kind == model::number(mile);
}

bool decided(TxnState state) {
    return state == TxnState::prepare_commit || state == TxnState::prepare_abort;
}

}  // namespace

void CoordinationMeter::on(sim::Instant, const model::TxnChanged& o) {
    auto& id = ids_[o.txid];
    if (o.coordinator_epoch < id.epoch) return;  // a deposed one learns late
    const bool news = id.state != o.state;
    owes(id, {});
    id.coordinator = o.broker;
    id.epoch = o.coordinator_epoch;
    id.state = o.state;
    id.producer_id = o.producer_id;
    // A successor sends all of them again, whatever its predecessor has come to (FOV).
    if (decided(o.state)) owes(id, o.logs);
    if (!news) return;
    if (o.state == TxnState::empty) id.superseded_by = TxnCause::fence;
    if (o.state == TxnState::prepare_abort && o.cause != TxnCause::client)
        id.superseded_by = o.cause;
}

void CoordinationMeter::owes(Id& id, std::vector<model::LogId> logs) {
    auto& queue = queues_[id.coordinator];
    queue += static_cast<std::int64_t>(logs.size()) - static_cast<std::int64_t>(id.owed.size());
    queue_max_ = std::max(queue_max_, queue);
    id.owed = std::move(logs);
}

void CoordinationMeter::on(sim::Instant, const model::Appended& o) {
    if (!o.batch.control || !o.leader || !o.batch.txid) return;
    const auto found = ids_.find(*o.batch.txid);
    if (found == ids_.end() || found->second.producer_id != o.batch.producer_id) return;
    auto& id = found->second;
    queues_[id.coordinator] -= static_cast<std::int64_t>(std::erase(id.owed, o.log));
}

void CoordinationMeter::on(sim::Instant, const model::Fenced& o) {
    const auto found = o.txid ? ids_.find(*o.txid) : ids_.end();
    const bool timed_out = found != ids_.end() && found->second.superseded_by == TxnCause::timeout;
    ++(timed_out ? fenced_by_timeout_ : fenced_by_init_);
}

void CoordinationMeter::on(sim::Instant, const model::AppError& o) {
    using enum model::ErrorCode;
    // STALE_MEMBER_EPOCH is no fence: the member is one still, and asks again.
    if (o.error == illegal_generation || o.error == unknown_member_id ||
        o.error == fenced_instance_id || o.error == fenced_member_epoch)
        ++fenced_by_group_;
}

void CoordinationMeter::reached(sim::Instant now, const sim::Milestone& milestone) {
    if (is(milestone, Mile::node_crashed) || is(milestone, Mile::node_lost_power) ||
        is(milestone, Mile::node_stopped)) {
        std::erase_if(loading_,
                      [&](const auto& load) { return load.first.first == milestone.node; });
        return;
    }
    const bool begins = is(milestone, Mile::coordinator_loading);
    const bool ready = is(milestone, Mile::coordinator_loaded);
    if (!begins && !ready && !is(milestone, Mile::coordinator_unloaded)) return;
    const auto log = milestone.facts.find(model::number(model::Fact::log));
    const Shard shard{milestone.node, log.value_or(-1)};
    const auto found = loading_.find(shard);
    // A load that begins anew, for a newer epoch, is the same wait.
    if (begins && found == loading_.end()) loading_.emplace(shard, now);
    if (begins || found == loading_.end()) return;
    if (ready) load_max_ = std::max(load_max_, now - found->second);
    loading_.erase(found);
}

void CoordinationMeter::conclude(sim::Instant end, Findings& findings) const {
    auto& m = findings.measured.transactions;
    m.marker_queue_max = queue_max_;
    m.fences_by_timeout = fenced_by_timeout_;
    m.fences_by_init = fenced_by_init_;
    m.fences_by_group = fenced_by_group_;
    auto longest = load_max_;
    for (const auto& load : loading_) longest = std::max(longest, end - load.second);
    findings.measured.coordinator_load_max = longest;
}

}  // namespace eos::reports
