// The transactional steps of a program: init, begin, enrol, send_offsets, commit, abort; and what an
// application does when one of them fails. What it sent in a transaction is settled by the end of the
// transaction, never by the acknowledgement of a send.

#include "model/application.hpp"

namespace eos::model {

void Application::begin_txn_step(const Context& ctx, Hands hands, Fx& fx) {
    if (retry_call_) {  // the same call again, not the same decision
        retry_call_ = false;
        call_txn(call_, ctx, hands, fx);
        return;
    }
    const bool sure = step().chance == sim::Chance::always();
    if (!sure && !rng_.chance(step().chance)) {
        end_step(hands, fx);
        return;
    }
    auto call = step().kind;
    if (call == StepKind::commit && config_->aborts != sim::Chance{}) {
        if (rng_.chance(config_->aborts)) {
            call = StepKind::abort;
            if (hands.consumer && config_->rewinds_after_abort) after_abort_ = AfterAbort::rewind;
        }
    }
    call_txn(call, ctx, hands, fx);
}

void Application::call_txn(StepKind call, const Context& ctx, Hands hands, Fx& fx) {
    call_ = call;
    since_ = ctx.now;
    wait_ = Wait::txn_call;
    ProducerCall result;
    switch (call) {
        case StepKind::init: result = hands.producer->init_transactions(ctx, fx); break;
        case StepKind::begin: result = hands.producer->begin_transaction(ctx, fx); break;
        case StepKind::commit: result = hands.producer->commit_transaction(ctx, fx); break;
        case StepKind::abort: result = hands.producer->abort_transaction(ctx, fx); break;
        case StepKind::send_offsets: result = send_offsets(ctx, hands, fx); break;
        case StepKind::enrol: {
            const auto topic = step().to.value_or(config_->to.front());
            const auto log = topology_->log(topic, step().partition.value_or(PartitionIndex{0}));
            result = hands.producer->enrol(ctx, log, fx);
            break;
        }
        case StepKind::subscribe:
        case StepKind::unsubscribe:
        case StepKind::poll:
        case StepKind::process:
        case StepKind::produce:
        case StepKind::flush:
        case StepKind::commit_offsets:
        case StepKind::rewind:
        case StepKind::seek:
        case StepKind::wait:
        case StepKind::wait_for:
        case StepKind::end_offset:
        case StepKind::close:
        case StepKind::db_begin:
        case StepKind::claim:
        case StepKind::write:
        case StepKind::write_offset:
        case StepKind::db_prepare:
        case StepKind::db_commit:
        case StepKind::db_rollback:
        case StepKind::reopen: break;  // no transactional calls
    }
    if (result.kind != ProducerCall::Kind::pending) txn_call_ended(result.error, ctx, hands, fx);
}

ProducerCall Application::send_offsets(const Context& ctx, Hands hands, Fx& fx) {
    std::vector<OffsetCommitRequest::Part> parts;
    for (const auto& part : offsets_of_step(step().at_position ? polled_ : processed_))
        parts.push_back({part.log, part.offset, part.leader_epoch, part.metadata_bytes});
    if (parts.empty()) return {};
    // Without the group's metadata the coordinator cannot know an old member from a new one (KIP-447).
    const auto member = step().group_only ? MemberRef{} : hands.consumer->group_metadata();
    return hands.producer->send_offsets(ctx, *config_->consumer.group, member, std::move(parts), fx);
}

void Application::txn_call_ended(ErrorCode error, const Context& ctx, Hands hands, Fx& fx) {
    if (error != ErrorCode::none) {
        react(txn_error_class(error, hands), error, ctx, hands, fx);
        return;
    }
    if (call_ == StepKind::abort) {
        aborted(ctx, hands, fx);
        return;
    }
    if (call_ == StepKind::begin) {
        in_txn_ = true;
        txn_sent_.clear();
        failed_.clear();
    } else if (call_ == StepKind::commit) {
        in_txn_ = false;
        for (const auto& outgoing : txn_sent_) settle(outgoing, hands);
        txn_sent_.clear();
        processed_.clear();
        polled_.clear();
    }
    end_step(hands, fx);
}

// What an application can tell from the exception it gets (T34, language.md 4.2).
ErrorClass Application::txn_error_class(ErrorCode error, const Hands& hands) const {
    if (hands.producer->fatal() || error == ErrorCode::illegal_state) return ErrorClass::fatal;
    if (error == ErrorCode::illegal_generation || error == ErrorCode::unknown_member_id ||
        error == ErrorCode::fenced_instance_id || error == ErrorCode::stale_member_epoch)
        return ErrorClass::generation;
    const bool blocking = wait_ == Wait::txn_call;
    if (blocking && error == ErrorCode::request_timed_out && !hands.producer->must_abort())
        return ErrorClass::unknown;
    return ErrorClass::abortable;
}

void Application::give_up_transaction(AfterAbort after, const Context& ctx, Hands hands, Fx& fx) {
    after_abort_ = after;
    if (in_txn_) {
        call_txn(StepKind::abort, ctx, hands, fx);
    } else {
        aborted(ctx, hands, fx);
    }
}

void Application::aborted(const Context& ctx, Hands hands, Fx& fx) {
    in_txn_ = false;
    failed_.clear();
    switch (std::exchange(after_abort_, AfterAbort::step)) {
        case AfterAbort::step:
            withdraw(hands, fx);
            processed_.clear();
            end_step(hands, fx);
            return;
        case AfterAbort::next_loop:
            withdraw(hands, fx);
            processed_.clear();
            polled_.clear();
            give_up_loop(ctx, hands, fx);
            return;
        case AfterAbort::rewind:
            for (const auto& outgoing : std::exchange(txn_sent_, {})) {
                if (!outgoing.input) continue;
                legs_.erase(*outgoing.input);
                hands.source.offer_again(*outgoing.input);
            }
            rewind(ctx, hands, fx);
            return;
    }
}

void Application::withdraw(Hands hands, Fx& fx) {
    for (const auto& outgoing : std::exchange(txn_sent_, {})) {
        if (outgoing.input) fx.observe(InputWithdrawn{process_, outgoing.to, outgoing.record});
        settle(outgoing, hands);
    }
}

}  // namespace eos::model
