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

/// REC-7: one data batch per partition, numbered from 0 by the client.
bool well_formed(const ProduceRequest& request, std::size_t index) {
    const auto& part = request.parts[index];
    for (std::size_t i = 0; i < request.parts.size(); ++i)
        if (i != index && request.parts[i].log == part.log) return false;
    return !part.batch.control && part.batch.count > 0 && part.batch.base == Offset{};
}

/// APP-3: the transactional batches of a request are of one producer and one epoch.
bool of_one_producer(const ProduceRequest& request) {
    const Batch* first = nullptr;
    for (const auto& part : request.parts) {
        if (!part.batch.transactional) continue;
        if (!first) first = &part.batch;
        if (part.batch.producer_id != first->producer_id ||
            part.batch.producer_epoch != first->producer_epoch)
            return false;
    }
    return true;
}

bool transactional(const ProduceRequest& request) {
    return request.txid && std::any_of(request.parts.begin(), request.parts.end(), [](auto& part) {
               return part.batch.transactional && part.batch.producer_id;
           });
}

/// VER-7, PSD-3: what a producer is told of a verification that failed. NOT_ENOUGH_REPLICAS is an
/// error that every client knows, and retries without a metadata refresh.
ErrorCode told_to_producer(ErrorCode error, TransactionVersion version) {
    const bool not_now = error == ErrorCode::network_exception ||
                         error == ErrorCode::coordinator_load_in_progress ||
                         error == ErrorCode::coordinator_not_available ||
                         error == ErrorCode::not_coordinator ||
                         (error == ErrorCode::concurrent_transactions &&
                          version != TransactionVersion::tv2);
    return not_now ? ErrorCode::not_enough_replicas : error;
}

sim::TimerKey produce_timer(WaitId id) { return key(Tick::delayed_produce, id.value); }

void hand_off_append(const BrokerStep& step, LogId log, std::int64_t token) {
    HandOff append;
    append.task = Task::append_after_verify;
    append.log = log;
    append.token = token;
    step.fx.hand_off(std::move(append));
}

}  // namespace

std::optional<LeaderHint> leader_hint(const MetadataImage& image, LogId log, ErrorCode error) {
    if (error != ErrorCode::not_leader_or_follower && error != ErrorCode::fenced_leader_epoch)
        return std::nullopt;
    const auto& state = image.partition(log);
    if (!state.leader) return std::nullopt;
    return LeaderHint{.leader = *state.leader, .epoch = state.leader_epoch};
}

// --- before the append ---------------------------------------------------------------------------

void ProduceDesk::on_request(const BrokerStep& step, Replicas& replicas, VerificationDesk& desk,
                             const sim::ReplyTo& to, ProduceRequest&& request) {
    if (!transactional(request)) return append(step, replicas, to, request, {});
    Admissions admissions;
    if (!of_one_producer(request)) {
        admissions.assign(request.parts.size(), {ErrorCode::invalid_producer_id_mapping, {}});
        return append(step, replicas, to, request, admissions);
    }
    if (!admit(step, replicas, request, admissions))
        return append(step, replicas, to, request, admissions);
    const auto token = next_token_++;
    auto& produce = verifying_[token];
    produce = {.to = to,
               .request = std::move(request),
               .admissions = std::move(admissions),
               .since = step.ctx.now};
    ask(step, desk, token, produce);
}

ProduceDesk::Admission ProduceDesk::admit(const BrokerStep& step, Replicas& replicas,
                                          const ProduceRequest& request,
                                          const ProduceRequest::Part& part) {
    const auto& batch = part.batch;
    if (!batch.transactional || !batch.producer_id) return {};
    auto* replica = replicas.leading(part.log);
    if (!replica) return {ErrorCode::not_leader_or_follower, {}};
    const auto& producers = replica->log.producers();
    if (producers.has_ongoing_transaction(*batch.producer_id, batch.producer_epoch)) return {};
    // A client of TV2 relies on being enrolled; for the others it is a check that can be missing.
    if (request.version != TransactionVersion::tv2 &&
        !step.guard.trips(Safeguard::partition_verification, true))
        return {};
    if (step.guard.trips(Safeguard::producer_epoch_fencing,
                         replica->log.fences(*batch.producer_id, batch.producer_epoch)))
        return {ErrorCode::invalid_producer_epoch, {}};
    const auto entry = replica->log.start_verification(
        *batch.producer_id, batch.producer_epoch, batch.base_sequence.value_or(Sequence{-1}),
        step.ctx.wall);
    return {ErrorCode::none, entry ? std::optional(entry->guard) : std::nullopt};
}

bool ProduceDesk::admit(const BrokerStep& step, Replicas& replicas, const ProduceRequest& request,
                        Admissions& admissions) {
    admissions.clear();
    bool asks = false;
    for (std::size_t i = 0; i < request.parts.size(); ++i) {
        admissions.push_back(well_formed(request, i)
                                 ? admit(step, replicas, request, request.parts[i])
                                 : Admission{ErrorCode::invalid_record, {}});
        asks = asks || admissions.back().verified;
    }
    return asks;
}

void ProduceDesk::ask(const BrokerStep& step, VerificationDesk& desk, std::int64_t token,
                      const Verifying& produce) {
    Verification question;
    question.token = token;
    question.version = produce.request.version;
    for (std::size_t i = 0; i < produce.admissions.size(); ++i) {
        if (!produce.admissions[i].verified) continue;
        const auto& [log, batch] = produce.request.parts[i];
        question.who = {.txid = *produce.request.txid,
                        .producer_id = *batch.producer_id,
                        .producer_epoch = batch.producer_epoch,
                        .txn = batch.txn};
        question.logs.push_back(log);
    }
    desk.ask(step, std::move(question));
}

void ProduceDesk::on_verified(const BrokerStep& step, const VerificationAnswer& answer) {
    const auto found = verifying_.find(answer.token);
    if (found == verifying_.end()) return;
    auto& produce = found->second;
    const auto version = produce.request.version;
    bool busy = false;
    for (const auto& [log, error] : answer.parts) {
        busy = busy || error == ErrorCode::concurrent_transactions;
        for (std::size_t i = 0; i < produce.request.parts.size(); ++i)
            if (produce.request.parts[i].log == log)
                produce.admissions[i].error = told_to_producer(error, version);
    }
    // PSD-2: sending the batch again would cost more than waiting for the coordinator here.
    const auto patience =
        std::min(step.config.enrol_retry_backoff_max, step.config.request_timeout);
    if (busy && version == TransactionVersion::tv2 && step.ctx.now - produce.since < patience) {
        step.fx.arm(key(Tick::verify_retry, static_cast<std::uint32_t>(answer.token)),
                    step.config.enrol_retry_backoff);
        return;
    }
    hand_off_append(step, produce.request.parts.front().log, answer.token);
}

void ProduceDesk::on_retry(const BrokerStep& step, Replicas& replicas, VerificationDesk& desk,
                           std::int64_t token) {
    const auto found = verifying_.find(token);
    if (found == verifying_.end()) return;
    auto& produce = found->second;
    if (admit(step, replicas, produce.request, produce.admissions))
        ask(step, desk, token, produce);
    else
        hand_off_append(step, produce.request.parts.front().log, token);
}

void ProduceDesk::on_append(const BrokerStep& step, Replicas& replicas, const HandOff& handoff) {
    const auto found = verifying_.find(handoff.token);
    if (found == verifying_.end()) return;
    auto produce = std::move(found->second);
    verifying_.erase(found);
    if (handoff.error != ErrorCode::none)
        for (auto& admission : produce.admissions) admission.error = handoff.error;
    append(step, replicas, produce.to, produce.request, produce.admissions);
}

// --- the append and the answer -------------------------------------------------------------------

void ProduceDesk::append(const BrokerStep& step, Replicas& replicas, const sim::ReplyTo& to,
                         const ProduceRequest& request, const Admissions& admissions) {
    DelayedProduce produce{
        .to = to,
        .answer = {.acks = request.acks, .attempt = request.attempt, .parts = {}},
        .waiting = {}};
    for (std::size_t i = 0; i < request.parts.size(); ++i) {
        const auto& part = request.parts[i];
        auto& answer = produce.answer.parts.emplace_back(answer_of(part));
        const auto admission = admissions.empty() ? Admission{} : admissions[i];
        auto* replica = replicas.leading(part.log);
        auto error = admission.error;
        if (!well_formed(request, i)) error = ErrorCode::invalid_record;
        if (error == ErrorCode::none && step.topology.topic_of(part.log).internal)
            error = ErrorCode::invalid_topic;  // APP-6
        if (error == ErrorCode::none && !replica) error = ErrorCode::not_leader_or_follower;
        if (error != ErrorCode::none) {
            fail(step, answer, error);
            if (replica) replicas.refuse(step, part.log, part.batch, error);
            continue;
        }
        const AppendAs as{.origin = AppendOrigin::client,
                          .verified = admission.verified,
                          .transaction_v2 = request.version == TransactionVersion::tv2};
        const auto result = replicas.append(step, part.log, part.batch, request.acks, as);
        answer.log_start = replica->log.log_start();
        if (result.append.error != ErrorCode::none) {
            fail(step, answer, result.append.error);
            continue;
        }
        answer.base = result.append.base;
        if (request.acks == Acks::all)  // APP-15
            produce.waiting.push_back({.log = part.log,
                                       .part = i,
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
