#include "model/broker_produce.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

ProduceResponse::Part answer_of(const ProduceRequest::Part& part) {
    ProduceResponse::Part answer;
    answer.log = part.log;
    answer.producer_id = part.batch.producer_id;
    answer.producer_epoch = part.batch.producer_epoch;
    return answer;
}

void fail(const BrokerStep& step, ProduceResponse::Part& answer, ErrorCode error) {
    answer.error = error;
    answer.base.reset();
    answer.hint = leader_hint(step.image, answer.log, error);
}

sim::TimerKey produce_timer(WaitId id) { return key(Tick::delayed_produce, id.value); }

}  // namespace

std::optional<LeaderHint> leader_hint(const MetadataImage& image, LogId log, ErrorCode error) {
    if (error != ErrorCode::not_leader_or_follower && error != ErrorCode::fenced_leader_epoch)
        return std::nullopt;
    const auto& state = image.partition(log);
    if (!state.leader) return std::nullopt;
    return LeaderHint{.leader = *state.leader, .epoch = state.leader_epoch};
}

void ProduceDesk::on_request(const BrokerStep& step, Replicas& replicas, const sim::ReplyTo& to,
                             const ProduceRequest& request) {
    DelayedProduce produce{
        .to = to,
        .answer = {.acks = request.acks, .attempt = request.attempt, .parts = {}},
        .waiting = {}};
    for (const auto& part : request.parts) {
        auto& answer = produce.answer.parts.emplace_back(answer_of(part));
        auto* replica = replicas.leading(part.log);
        if (!replica) {  // APP-6
            fail(step, answer, ErrorCode::not_leader_or_follower);
            continue;
        }
        const auto result =
            replicas.append(step, part.log, part.batch, request.acks, AppendOrigin::client);
        answer.log_start = replica->log.log_start();
        if (result.append.error != ErrorCode::none) {
            fail(step, answer, result.append.error);
            continue;
        }
        answer.base = result.append.base;
        if (request.acks == Acks::all)  // APP-15
            produce.waiting.push_back({.log = part.log,
                                       .part = produce.answer.parts.size() - 1,
                                       .required = result.required});
    }
    if (request.acks == Acks::none) {  // APP-14
        const bool failed = std::any_of(produce.answer.parts.begin(), produce.answer.parts.end(),
                                        [](const auto& p) { return p.error != ErrorCode::none; });
        if (failed)
            step.fx.hang_up(to);
        else
            step.fx.no_reply(to);
        return;
    }
    if (produce.waiting.empty()) {
        step.fx.reply(to, std::move(produce.answer));
        return;
    }
    std::vector<LogId> waiting_for;
    for (const auto& waits : produce.waiting) waiting_for.push_back(waits.log);
    const auto id = purgatory_.park(std::move(produce));
    step.fx.arm(produce_timer(id), request.timeout);
    // A repeated batch may be done already, and nothing in the log will move for it.
    for (const auto log : waiting_for) on_moved(step, replicas, log);
}

void ProduceDesk::on_moved(const BrokerStep& step, Replicas& replicas, LogId log) {
    for (const auto id : purgatory_.watching(log)) {
        auto* produce = purgatory_.find(id);
        const auto* replica = replicas.leading(log);
        const auto waits = std::find_if(produce->waiting.begin(), produce->waiting.end(),
                                        [&](const auto& w) { return w.log == log; });
        const auto status =
            replica ? replica->leading.status(replica->log, waits->required)
                    : ProduceStatus{.done = true, .error = ErrorCode::not_leader_or_follower};
        if (!status.done) continue;
        if (status.error != ErrorCode::none)
            fail(step, produce->answer.parts[waits->part], status.error);
        purgatory_.settle(id, log);
        if (!produce->waiting.empty()) continue;
        auto done = purgatory_.take(id);
        step.fx.disarm(produce_timer(id));
        answering_.emplace(id, std::move(*done));
        HandOff answer;
        answer.task = Task::delayed_answer;
        answer.log = log;
        answer.token = id.value;
        step.fx.hand_off(std::move(answer));
    }
}

void ProduceDesk::on_handoff(const BrokerStep& step, const HandOff& handoff) {
    const auto found = answering_.find({static_cast<std::uint32_t>(handoff.token)});
    if (found == answering_.end()) return;
    auto done = std::move(found->second);
    answering_.erase(found);
    if (handoff.error != ErrorCode::none)
        for (auto& part : done.answer.parts) fail(step, part, handoff.error);
    step.fx.reply(done.to, std::move(done.answer));
}

void ProduceDesk::on_timeout(const BrokerStep& step, WaitId id) {
    auto late = purgatory_.take(id);
    if (!late) return;
    for (const auto& part : late->waiting)
        fail(step, late->answer.parts[part.part], ErrorCode::request_timed_out);
    step.fx.reply(late->to, std::move(late->answer));
}

}  // namespace eos::model
