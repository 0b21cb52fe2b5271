// What the clients tell the application, and how it reacts to errors (language.md 4.2).

#include <algorithm>
#include <type_traits>

#include "model/application.hpp"

namespace eos::model {

// --- the producer ---------------------------------------------------------------------------------

void Application::take_producer_events(const Context& ctx, Hands hands, Fx& fx) {
    for (const auto& event : hands.producer->take_events()) {
        if (dead_ || wants_new_clients_) return;
        switch (event.kind) {
            case ProducerEvent::Kind::acked:
            case ProducerEvent::Kind::failed:
                send_ended(event.order, event.error, ctx, hands, fx);
                break;
            case ProducerEvent::Kind::flush_done:
                if (wait_ == Wait::flush) flush_returned(ctx, hands, fx);
                break;
            case ProducerEvent::Kind::unblocked:
                if (wait_ == Wait::blocked) send_outgoing(ctx, hands, fx);
                break;
            case ProducerEvent::Kind::call_done:
                if (wait_ == Wait::txn_call) txn_call_ended(event.error, ctx, hands, fx);
                break;
            case ProducerEvent::Kind::fatal:
                react(ErrorClass::fatal, event.error, ctx, hands, fx);
                break;
            case ProducerEvent::Kind::initialised:
            case ProducerEvent::Kind::closed:
                break;
        }
    }
}

void Application::settle(const Outgoing& outgoing, Hands hands) {
    if (!outgoing.input) return;
    const auto found = legs_.find(*outgoing.input);
    if (found == legs_.end() || --found->second > 0) return;
    hands.source.settle(*outgoing.input);
    legs_.erase(found);
}

// With a flush in the program a failed send is raised there; without one the callback reacts.
void Application::send_ended(std::int64_t order, ErrorCode error, const Context& ctx, Hands hands,
                             Fx& fx) {
    const auto found = sends_.find(order);
    if (found == sends_.end()) return;
    const auto outgoing = found->second;
    sends_.erase(found);
    if (outgoing.in_transaction) {
        // The end of the transaction decides; a failure is raised by flush() or by that call.
        if (error != ErrorCode::none && in_txn_) failed_.push_back({outgoing, error});
    } else if (error == ErrorCode::none) {
        settle(outgoing, hands);
    } else {
        failed_.push_back({outgoing, error});
        if (!has_step(StepKind::flush)) react(ErrorClass::failed_send, error, ctx, hands, fx);
    }
    // A writer that only waited for its last answers looks again.
    if (wait_ == Wait::input) begin_produce(ctx, hands, fx);
}

void Application::flush_returned(const Context& ctx, Hands hands, Fx& fx) {
    fx.disarm(key(Tick::app_flush_timeout));
    if (!failed_.empty()) {
        const auto error = failed_.front().error;
        const auto error_class = in_txn_ ? txn_error_class(error, hands) : ErrorClass::failed_send;
        react(error_class, error, ctx, hands, fx);
        return;
    }
    end_step(hands, fx);
}

// --- the consumer ---------------------------------------------------------------------------------

void Application::take_consumer_events(const Context& ctx, Hands hands, Fx& fx) {
    for (const auto& event : hands.consumer->take_events()) {
        if (dead_ || wants_new_clients_) return;
        std::visit(
            [&](const auto& e) {
                using Event = std::decay_t<decltype(e)>;
                if constexpr (std::is_same_v<Event, consumer_event::PollReturned>) {
                    if (wait_ == Wait::poll) on_poll_returned(e, ctx, hands, fx);
                } else if constexpr (std::is_same_v<Event, consumer_event::CommitDone>) {
                    if (wait_ == Wait::commit && !e.async) on_commit_done(e, ctx, hands, fx);
                } else if constexpr (std::is_same_v<Event, consumer_event::RewindDone>) {
                    if (wait_ != Wait::rewind) return;
                    if (!in_setup_ && pc_ < config_->steps.size() &&
                        (step().kind == StepKind::rewind || step().kind == StepKind::seek)) {
                        end_step(hands, fx);
                    } else {
                        begin_loop(ctx, hands, fx);
                    }
                } else if constexpr (std::is_same_v<Event, consumer_event::EndOffsetReturned>) {
                    if (wait_ != Wait::end_offset) return;
                    if (e.offset) ends_[e.log] = *e.offset;
                    end_queries_.pop_back();
                    ask_end_offset(ctx, hands, fx);
                } else if constexpr (std::is_same_v<Event, consumer_event::PartitionsRevoked>) {
                    // What was processed of a partition that is gone is not ours to commit (M16).
                    for (const auto log : e.logs) {
                        processed_.erase(log);
                        polled_.erase(log);
                        db_.unplaced.erase(log);
                    }
                } else if constexpr (std::is_same_v<Event, consumer_event::PartitionsAssigned>) {
                    const auto& use = config_->stores;
                    if (use.offsets_in_store || use.fences || use.two_phase)
                        db_.unplaced.insert(e.logs.begin(), e.logs.end());
                }
            },
            event);
    }
}

void Application::on_poll_returned(const consumer_event::PollReturned& event, const Context& ctx,
                                   Hands hands, Fx& fx) {
    switch (event.result) {
        case CallResult::ok:
        case CallResult::interrupted:
        case CallResult::timed_out:
        case CallResult::rebalance_in_progress:
        case CallResult::retriable_commit_failed:
        case CallResult::commit_failed:
            break;
        case CallResult::no_offset:
        case CallResult::offset_out_of_range:
        case CallResult::log_truncation:
        case CallResult::fatal:
            react(ErrorClass::fatal, event.error, ctx, hands, fx);
            return;
    }
    chunks_ = event.chunks;
    for (const auto& chunk : chunks_) polled_[chunk.log] = chunk.next_offset();
    if (begin_placing(ctx, hands, fx)) return;
    if (chunks_.empty() && !in_setup_ && !bounded_ && !owes_commit_) {
        // Nothing came: the rest of the loop would do nothing, so the program polls again.
        wait_ = Wait::poll;
        hands.consumer->poll(ctx, step().max > 0 ? step().max : config_->batch,
                             milliseconds(500), fx);
        return;
    }
    end_step(hands, fx);
}

void Application::on_commit_done(const consumer_event::CommitDone& event, const Context& ctx,
                                 Hands hands, Fx& fx) {
    switch (event.result) {
        case CallResult::ok:
            for (const auto& part : event.offsets) {
                processed_.erase(part.log);
                polled_.erase(part.log);
            }
            owes_commit_ = false;
            end_step(hands, fx);
            break;
        case CallResult::timed_out:
        case CallResult::retriable_commit_failed:
            react(ErrorClass::unknown, event.error, ctx, hands, fx);
            break;
        case CallResult::commit_failed:
        case CallResult::rebalance_in_progress:
            react(ErrorClass::generation, event.error, ctx, hands, fx);
            break;
        case CallResult::interrupted:
            end_step(hands, fx);
            break;
        case CallResult::no_offset:
        case CallResult::offset_out_of_range:
        case CallResult::log_truncation:
        case CallResult::fatal:
            react(ErrorClass::fatal, event.error, ctx, hands, fx);
            break;
    }
}

// --- errors ---------------------------------------------------------------------------------------

void Application::react(ErrorClass error_class, ErrorCode error, const Context& ctx, Hands hands,
                        Fx& fx) {
    const auto reaction = config_->on_error[static_cast<std::size_t>(error_class)];
    fx.observe(AppError{process_, error_class, error, reaction});
    fx.reach(number(Mile::app_failed),
             told({{Fact::app, process_.app.value},
                   {Fact::instance, process_.instance},
                   {Fact::error, static_cast<std::int64_t>(error)},
                   {Fact::error_class, static_cast<std::int64_t>(error_class)}}));
    const bool raised_by_flush = wait_ == Wait::flush;
    const auto failed = std::exchange(failed_, {});
    switch (reaction) {
        case Reaction::retry:
            if (error_class == ErrorClass::failed_send) {
                // "The same call" of a send is the send.
                for (const auto& f : failed) resend_.push_back(f.what);
            } else if (wait_ == Wait::store) {
                retry_store(ctx, hands, fx);
                return;
            } else if (wait_ != Wait::none) {
                retry_call_ = wait_ == Wait::txn_call;
                wait_ = Wait::backoff;
                fx.arm(key(Tick::app_retry), config_->consumer.client.retry_backoff);
                return;
            }
            break;
        case Reaction::resend:
            for (const auto& f : failed) resend_.push_back(f.what);
            break;
        case Reaction::skip:
            for (const auto& f : failed) settle(f.what, hands);
            if (error_class == ErrorClass::poison) return;  // the next record
            if (error_class != ErrorClass::failed_send || raised_by_flush) {
                give_up_loop(ctx, hands, fx);
                return;
            }
            break;
        case Reaction::rewind:
            if (error_class == ErrorClass::generation) {
                // The next poll rejoins, and positions start anew at the committed offsets (M8, C4).
                // A rebalance under way is completed by polls; the commit may follow it, of what is
                // then still owned (KafkaConsumer.commitSync).
                owes_commit_ = error == ErrorCode::rebalance_in_progress;
                if (!owes_commit_) {
                    processed_.clear();
                    polled_.clear();
                }
                give_up_loop(ctx, hands, fx);
            } else {
                for (const auto& f : failed)
                    if (f.what.input) {
                        legs_.erase(*f.what.input);
                        hands.source.offer_again(*f.what.input);
                    }
                rewind(ctx, hands, fx);
            }
            return;
        case Reaction::abort:
            give_up_transaction(AfterAbort::next_loop, ctx, hands, fx);
            return;
        case Reaction::abort_and_rewind:
            give_up_transaction(AfterAbort::rewind, ctx, hands, fx);
            return;
        case Reaction::restart:
            wait_ = Wait::clients;
            wants_new_clients_ = true;
            return;
        case Reaction::crash:
            dead_ = true;
            fx.exit(true);
            return;
        case Reaction::stop:
            end_program(ctx, hands, fx);
            return;
        case Reaction::ignore:
            for (const auto& f : failed) settle(f.what, hands);
            if (error_class == ErrorClass::poison) return;
            if (wait_ == Wait::commit) {
                end_step(hands, fx);
                return;
            }
            if (wait_ == Wait::store) {
                store_answered(StoreResponse{.statement = db_.asked.statement}, ctx, hands, fx);
                return;
            }
            if (wait_ == Wait::txn_call) {
                // It is taken for done: what was sent counts as delivered.
                txn_call_ended(ErrorCode::none, ctx, hands, fx);
                return;
            }
            break;
    }
    if (!raised_by_flush) return;
    if (resend_.empty()) {
        end_step(hands, fx);
        return;
    }
    // Sent again inside the same flush, which returns when these are final. What cannot be taken now
    // fails again at once.
    for (const auto& outgoing : std::exchange(resend_, {})) {
        const auto sent = hands.producer->send(ctx, outgoing.to, outgoing.partition,
                                               outgoing.record, config_->keys.has_value(),
                                               config_->size, fx);
        if (sent.kind == SendResult::Kind::taken) {
            sends_.emplace(sent.order, outgoing);
        } else {
            failed_.push_back({outgoing, sent.error});
        }
    }
    wait_ = Wait::flush;
    hands.producer->flush();
}

void Application::give_up_loop(const Context& ctx, Hands hands, Fx& fx) {
    chunks_.clear();
    const bool took_no_time = began_ == ctx.now;
    begin_loop(ctx, hands, fx);
    if (took_no_time) let_time_pass(fx);
}

// A call that fails at once, every time, would keep the thread busy for ever, and virtual time with
// it. Simplified: such a loop takes a retry.backoff.ms, where a real one burns a core.
void Application::let_time_pass(Fx& fx) {
    if (wait_ != Wait::none) return;
    wait_ = Wait::backoff;
    fx.arm(key(Tick::app_retry), config_->consumer.client.retry_backoff);
}

void Application::rewind(const Context& ctx, Hands hands, Fx& fx) {
    processed_.clear();
    polled_.clear();
    chunks_.clear();
    pc_ = 0;
    in_setup_ = false;
    if (!hands.consumer) {
        give_up_loop(ctx, hands, fx);
        return;
    }
    if (config_->stores.offsets_in_store)  // the group's offsets are only advice
        for (const auto log : hands.consumer->assignment()) db_.unplaced.insert(log);
    wait_ = Wait::rewind;
    since_ = ctx.now;
    hands.consumer->seek_to_committed(ctx, fx);
}

}  // namespace eos::model
