#include "model/verification_desk.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

constexpr std::int32_t verifications_in_flight = 1;

ClientConfig verification_client_config(const ClusterConfig& config) {
    ClientConfig result;
    result.request_timeout = config.request_timeout;
    result.reconnect_backoff_max = result.reconnect_backoff;
    return result;
}

/// What the asker is told of what the coordinator said (VER-5, VER-6).
ErrorCode told(ErrorCode error, TransactionVersion version) {
    if (error == ErrorCode::unsupported_version) return ErrorCode::none;  // it cannot verify
    if (error == ErrorCode::cluster_authorization_failed) return ErrorCode::invalid_txn_state;
    if (error == ErrorCode::producer_fenced) return ErrorCode::invalid_producer_epoch;
    if (error == ErrorCode::transaction_abortable && version == TransactionVersion::tv0)
        return ErrorCode::invalid_txn_state;
    return error;
}

void reach_verified(const BrokerStep& step, const TxnIdentity& who, LogId log) {
    auto facts = about(step.topology, log);
    facts.add(number(Fact::txid), who.txid.value);
    if (who.txn) facts.add(number(Fact::txn), who.txn->number);
    facts.add(number(Fact::pid), who.producer_id.value);
    facts.add(number(Fact::epoch), who.producer_epoch.value);
    step.fx.reach(number(Mile::partition_verified), facts);
}

}  // namespace

VerificationDesk::VerificationDesk(const ClusterConfig& config, sim::Rng rng)
    : net_(verification_client_config(config), verifications_in_flight, lane, rng) {}

void VerificationDesk::ask(const BrokerStep& step, Verification question) {
    const auto log = step.topology.transaction_log(question.who.txid);
    const auto coordinator = log ? step.image.partition(*log).leader : std::nullopt;
    if (!coordinator || !step.image.alive(*coordinator))
        return answer(question, ErrorCode::coordinator_not_available);
    auto& waiting = gathered_[*coordinator];
    const auto same = std::find_if(waiting.begin(), waiting.end(), [&](const Verification& other) {
        return other.who.txid == question.who.txid;
    });
    // VER-4: of two questions about one transactional id only the newer is asked.
    if (same != waiting.end()) {
        const auto epoch = question.who.producer_epoch;
        if (same->who.producer_epoch > epoch)
            return answer(question, ErrorCode::invalid_producer_epoch);
        answer(*same, same->who.producer_epoch < epoch ? ErrorCode::invalid_producer_epoch
                                                       : ErrorCode::network_exception);
        waiting.erase(same);
    }
    waiting.push_back(std::move(question));
    pump(step, *coordinator);
}

std::optional<VerificationAnswer> VerificationDesk::take_answer() {
    if (answers_.empty()) return std::nullopt;
    auto first = std::move(answers_.front());
    answers_.pop_front();
    return first;
}

void VerificationDesk::answer(const Verification& question, ErrorCode error) {
    VerificationAnswer given{.asker = question.asker, .token = question.token, .parts = {}};
    for (const auto log : question.logs)
        given.parts.push_back({.log = log, .error = told(error, question.version)});
    answers_.push_back(std::move(given));
}

void VerificationDesk::pump(const BrokerStep& step, BrokerId coordinator) {
    const auto waiting = gathered_.find(coordinator);
    if (waiting == gathered_.end() || under_way_.contains(coordinator)) return;
    const sim::Peer peer{coordinator, lane};
    auto& request = under_way_[coordinator];
    request.questions = std::move(waiting->second);
    gathered_.erase(waiting);
    net_.want(step.ctx, peer, step.fx);
    // A connection that was lost just now fails what would be sent over it.
    if (net_.state(peer) == NetworkClient::State::backoff) return fail(step, coordinator);
    if (net_.ready(peer)) send(step, coordinator, request);
}

void VerificationDesk::send(const BrokerStep& step, BrokerId coordinator, UnderWay& request) {
    AddPartitionsToTxnRequest message;
    message.from_broker = true;
    for (const auto& question : request.questions)
        message.entries.push_back({.who = question.who,
                                   .verify_only = question.version != TransactionVersion::tv2,
                                   .logs = question.logs});
    request.sent = true;
    net_.send(step.ctx, {coordinator, lane}, std::move(message), step.config.request_timeout, 0,
              step.fx);
}

void VerificationDesk::fail(const BrokerStep& step, BrokerId coordinator) {
    const auto request = under_way_.find(coordinator);
    if (request == under_way_.end()) return;
    const auto questions = std::move(request->second.questions);
    under_way_.erase(request);
    for (const auto& question : questions) answer(question, ErrorCode::network_exception);
    pump(step, coordinator);
}

void VerificationDesk::fail(const BrokerStep& step, const Outcomes& outcomes) {
    for (const auto& outcome : outcomes) fail(step, outcome.peer.node);
}

void VerificationDesk::on_reply(const BrokerStep& step, sim::Peer from,
                                sim::Correlation correlation, const Message& message) {
    if (!net_.on_reply(from, correlation)) return;
    const auto request = under_way_.find(from.node);
    const auto& reply = std::get<AddPartitionsToTxnResponse>(message);
    const auto questions = std::move(request->second.questions);
    under_way_.erase(request);
    for (const auto& question : questions) {
        VerificationAnswer given{.asker = question.asker, .token = question.token, .parts = {}};
        const auto entry =
            std::find_if(reply.entries.begin(), reply.entries.end(),
                         [&](const auto& e) { return e.who.txid == question.who.txid; });
        for (const auto log : question.logs) {
            auto error = ErrorCode::none;
            if (entry != reply.entries.end())
                for (const auto& part : entry->parts)
                    if (part.log == log) error = told(part.error, question.version);
            given.parts.push_back({.log = log, .error = error});
            if (error == ErrorCode::none) reach_verified(step, question.who, log);
        }
        answers_.push_back(std::move(given));
    }
    pump(step, from.node);
}

void VerificationDesk::on_link(const BrokerStep& step, sim::Peer peer, sim::LinkEvent event) {
    fail(step, net_.on_link(step.ctx, peer, event, step.fx));
    const auto request = under_way_.find(peer.node);
    if (request == under_way_.end() || request->second.sent) return;
    if (net_.ready(peer))
        send(step, peer.node, request->second);
    else if (net_.state(peer) == NetworkClient::State::backoff)
        fail(step, peer.node);
}

void VerificationDesk::on_timer(const BrokerStep& step, sim::TimerKey timer) {
    fail(step, net_.on_timer(step.ctx, timer, step.fx));
    // A connection attempt that was given up fails what waited for it.
    std::vector<BrokerId> given_up;
    for (const auto& [coordinator, request] : under_way_)
        if (!request.sent && net_.state({coordinator, lane}) == NetworkClient::State::backoff)
            given_up.push_back(coordinator);
    for (const auto coordinator : given_up) fail(step, coordinator);
}

}  // namespace eos::model
