#include "model/application.hpp"

#include <algorithm>

namespace eos::model {
namespace {

/// Steps that call the consumer; a closed one throws IllegalStateException.
bool uses_consumer(StepKind kind) {
    return kind == StepKind::subscribe || kind == StepKind::unsubscribe || kind == StepKind::poll ||
           kind == StepKind::commit_offsets || kind == StepKind::rewind || kind == StepKind::seek ||
           kind == StepKind::end_offset;
}

}  // namespace

Application::Application(std::shared_ptr<const AppConfig> config,
                         std::shared_ptr<const Topology> topology, ProcessId process, sim::Rng rng)
    : config_(std::move(config)), topology_(std::move(topology)), process_(process), rng_(rng) {}

bool Application::owns(const sim::TimerKey& key) {
    const auto kind = tick(key);
    return kind == Tick::app_work || kind == Tick::app_rate || kind == Tick::app_wait ||
           kind == Tick::app_flush_timeout || kind == Tick::app_retry || kind == Tick::app_store;
}

const Step& Application::step() const {
    return in_setup_ ? config_->setup[pc_] : config_->steps[pc_];
}

bool Application::has_step(StepKind kind) const {
    const auto is = [&](const Step& s) { return s.kind == kind; };
    return std::any_of(config_->steps.begin(), config_->steps.end(), is) ||
           std::any_of(config_->setup.begin(), config_->setup.end(), is);
}

sim::Facts Application::step_facts(const Hands& hands) const {
    return told({{Fact::app, process_.app.value},
                 {Fact::instance, process_.instance},
                 {Fact::step, static_cast<std::int64_t>(step().kind)},
                 {Fact::loop, hands.loops}});
}

void Application::start(const Context& ctx, Hands hands, Fx& fx) {
    begin_program(ctx, hands, fx);
    run(ctx, hands, fx);
}

void Application::begin_program(const Context& ctx, Hands hands, Fx& fx) {
    // A program that does not speak of membership is subscribed by its first line.
    if (hands.consumer && !has_step(StepKind::subscribe))
        hands.consumer->subscribe(ctx, config_->from, fx);
    in_setup_ = !config_->setup.empty();
    pc_ = 0;
    wait_ = Wait::none;
    began_ = ctx.now;
    if (!in_setup_) begin_loop(ctx, hands, fx);
}

void Application::begin_loop(const Context& ctx, Hands hands, Fx& fx) {
    in_setup_ = false;
    pc_ = 0;
    chunks_.clear();
    outgoing_.clear();
    next_outgoing_ = 0;
    db_.begin_loop();
    if (config_->repeat && hands.loops >= *config_->repeat) {
        end_program(ctx, hands, fx);
        return;
    }
    ++hands.loops;
    began_ = ctx.now;
    wait_ = Wait::none;
}

// Runs steps until one has to wait. A program without a waiting step would spin: the reader of the
// language refuses it (every loop polls, produces or waits).
void Application::run(const Context& ctx, Hands hands, Fx& fx) {
    while (wait_ == Wait::none && !stalled_ && !dead_) {
        const auto& program = in_setup_ ? config_->setup : config_->steps;
        if (pc_ >= program.size()) {
            const bool futile = refused_ == ctx.now;
            begin_loop(ctx, hands, fx);
            if (futile) let_time_pass(fx);
            continue;
        }
        begin_step(ctx, hands, fx);
    }
}

void Application::begin_step(const Context& ctx, Hands hands, Fx& fx) {
    since_ = ctx.now;
    fx.reach(number(Mile::app_step_started), step_facts(hands));
    if (uses_consumer(step().kind) && hands.consumer->closed()) {
        react(ErrorClass::fatal, ErrorCode::illegal_state, ctx, hands, fx);
        return;
    }
    switch (step().kind) {
        case StepKind::subscribe:
            hands.consumer->subscribe(ctx, config_->from, fx);
            end_step(hands, fx);
            break;
        case StepKind::unsubscribe:
            hands.consumer->unsubscribe(ctx, fx);
            end_step(hands, fx);
            break;
        case StepKind::poll: begin_poll(ctx, hands, fx); break;
        case StepKind::process: begin_process(ctx, hands, fx); break;
        case StepKind::produce: begin_produce(ctx, hands, fx); break;
        case StepKind::flush:
            wait_ = Wait::flush;
            if (step().timeout) fx.arm(key(Tick::app_flush_timeout), *step().timeout);
            hands.producer->flush();
            break;
        case StepKind::commit_offsets: begin_commit(ctx, hands, fx); break;
        case StepKind::rewind:
        case StepKind::seek: begin_seek(ctx, hands, fx); break;
        case StepKind::wait:
            wait_ = Wait::timer;
            fx.arm(key(Tick::app_wait), step().wait);
            break;
        case StepKind::wait_for:
            if (signals_.contains(step().trigger)) {
                end_step(hands, fx);
            } else {
                wait_ = Wait::signal;
            }
            break;
        case StepKind::end_offset: {
            const auto owned = hands.consumer->assignment();
            end_queries_ = owned;
            if (owned.empty()) {
                for (const auto topic : config_->from) {
                    const auto& entry = topology_->topics[static_cast<std::size_t>(topic.value)];
                    for (std::int32_t p = 0; p < entry.partitions; ++p)
                        end_queries_.push_back(entry.first + p);
                }
            }
            std::reverse(end_queries_.begin(), end_queries_.end());
            ask_end_offset(ctx, hands, fx);
            break;
        }
        case StepKind::close:
            wait_ = Wait::closing;
            close_clients(ctx, hands, fx);
            break;
        case StepKind::reopen:
            wait_ = Wait::clients;
            wants_new_clients_ = true;
            break;
        case StepKind::init:
        case StepKind::begin:
        case StepKind::commit:
        case StepKind::abort:
        case StepKind::enrol:
        case StepKind::send_offsets: begin_txn_step(ctx, hands, fx); break;
        case StepKind::db_begin:
        case StepKind::claim:
        case StepKind::write:
        case StepKind::write_offset:
        case StepKind::db_prepare:
        case StepKind::db_commit:
        case StepKind::db_rollback: begin_store_step(ctx, hands, fx); break;
    }
}

void Application::end_step(Hands hands, Fx& fx) {
    wait_ = Wait::none;
    fx.reach(number(Mile::app_step_done), step_facts(hands));
    ++pc_;
}

void Application::end_program(const Context& ctx, Hands hands, Fx& fx) {
    wait_ = Wait::closing;
    since_ = ctx.now;
    stopping_ = true;
    close_clients(ctx, hands, fx);
}

void Application::close_clients(const Context& ctx, Hands hands, Fx& fx) {
    if (hands.consumer && !hands.consumer->closed()) hands.consumer->close(ctx, fx);
    if (hands.producer) hands.producer->close();
    if (hands.store) hands.store->abandon(fx);
}

void Application::stop(const Context& ctx, Hands hands, Fx& fx) {
    if (wait_ == Wait::ended) {
        fx.exit(false);
        return;
    }
    if (!stopping_) end_program(ctx, hands, fx);
}

void Application::clients_replaced(const Context& ctx, Hands hands, Fx& fx) {
    wants_new_clients_ = false;
    // The old producer forgot what it carried; a writer's inputs are offered again.
    for (const auto& [order, outgoing] : sends_)
        if (outgoing.input) hands.source.offer_again(*outgoing.input);
    for (const auto& outgoing : resend_)
        if (outgoing.input) hands.source.offer_again(*outgoing.input);
    for (const auto& outgoing : txn_sent_)
        if (outgoing.input) hands.source.offer_again(*outgoing.input);
    txn_sent_.clear();
    in_txn_ = false;
    retry_call_ = false;
    after_abort_ = AfterAbort::step;
    sends_.clear();
    legs_.clear();
    resend_.clear();
    failed_.clear();
    processed_.clear();
    polled_.clear();
    db_ = db_.of_new_clients();
    if (wait_ == Wait::clients && !in_setup_ && pc_ < config_->steps.size() &&
        step().kind == StepKind::reopen) {
        if (hands.consumer && !has_step(StepKind::subscribe))
            hands.consumer->subscribe(ctx, config_->from, fx);
        end_step(hands, fx);
    } else {
        const bool took_no_time = began_ == ctx.now;
        begin_program(ctx, hands, fx);
        if (took_no_time) let_time_pass(fx);
    }
    run(ctx, hands, fx);
}

void Application::on_timer(const Context& ctx, const sim::TimerKey& key, Hands hands, Fx& fx) {
    const auto kind = tick(key);
    if (kind == Tick::app_work && wait_ == Wait::work) {
        finish_process(ctx, hands, fx);
    } else if (kind == Tick::app_rate && wait_ == Wait::input) {
        begin_produce(ctx, hands, fx);
    } else if (kind == Tick::app_wait && wait_ == Wait::timer) {
        end_step(hands, fx);
    } else if (kind == Tick::app_flush_timeout && wait_ == Wait::flush) {
        // flush(timeout) gave up: what is still open counts as failed, outcome unknown.
        for (const auto& [order, outgoing] : sends_)
            failed_.push_back({outgoing, ErrorCode::request_timed_out});
        flush_returned(ctx, hands, fx);
    } else if (kind == Tick::app_retry && wait_ == Wait::blocked) {
        send_refused(ErrorCode::request_timed_out, ctx, hands, fx);  // max.block.ms is over (P1)
    } else if (kind == Tick::app_store && wait_ == Wait::store) {
        if (db_.again) ask_store(*std::exchange(db_.again, {}), ctx, hands, fx);
    } else if (kind == Tick::app_retry && wait_ == Wait::backoff) {
        wait_ = Wait::none;
        begin_step(ctx, hands, fx);
    }
    advance(ctx, hands, fx);
}

void Application::advance(const Context& ctx, Hands hands, Fx& fx) {
    if (stalled_ || dead_) return;
    if (wait_ == Wait::signal && signals_.contains(step().trigger)) end_step(hands, fx);
    // A step may be answered on the spot, and its answer may start another: until nothing moves.
    for (;;) {
        if (hands.producer) take_producer_events(ctx, hands, fx);
        if (hands.consumer) take_consumer_events(ctx, hands, fx);
        if (hands.store) take_store_answer(ctx, hands, fx);
        if (dead_ || wants_new_clients_ || wait_ != Wait::none) break;
        run(ctx, hands, fx);
    }
    if (wait_ == Wait::closing) {
        const bool consumer_closed = !hands.consumer || !hands.consumer->call_open();
        const bool producer_closed = !hands.producer || hands.producer->closed();
        if (!consumer_closed || !producer_closed) return;
        if (stopping_) {
            wait_ = Wait::ended;
            fx.reach(number(Mile::app_finished), told({{Fact::app, process_.app.value},
                                                       {Fact::instance, process_.instance}}));
        } else {
            end_step(hands, fx);
            run(ctx, hands, fx);
        }
    }
}

Application::Standing Application::standing() const {
    Standing standing;
    const bool ended = wait_ == Wait::closing || wait_ == Wait::ended || dead_;
    const auto& program = in_setup_ ? config_->setup : config_->steps;
    if (!ended && pc_ < program.size()) standing.step = program[pc_].kind;
    standing.in_setup = in_setup_;
    standing.waits_for = word(wait_);
    standing.since = since_;
    standing.in_transaction = in_txn_;
    standing.stalled = stalled_;
    return standing;
}

std::string_view Application::word(Wait wait) {
    switch (wait) {
        case Wait::none:
            return "";
        case Wait::input:
            return "input";
        case Wait::blocked:
            return "room or metadata";
        case Wait::poll:
            return "poll";
        case Wait::work:
            return "its work";
        case Wait::flush:
            return "flush";
        case Wait::commit:
            return "the offset commit";
        case Wait::rewind:
            return "the committed offsets";
        case Wait::end_offset:
            return "the end offset";
        case Wait::timer:
            return "its timer";
        case Wait::signal:
            return "a trigger";
        case Wait::backoff:
            return "its backoff";
        case Wait::clients:
            return "new clients";
        case Wait::closing:
            return "close";
        case Wait::ended:
            return "";
        case Wait::txn_call:
            return "the transaction call";
        case Wait::store:
            return "the store";
    }
    return "";
}

ClientAudit Application::audit(const Context& ctx, const Hands& hands) const {
    ClientAudit audit;
    audit.process = process_;
    audit.finished = finished();
    audit.sends_open = static_cast<std::int32_t>(sends_.size() + resend_.size());
    // A call that began in the last seconds of the run is on its way, not stuck.
    constexpr auto patience = seconds(30);
    const bool blocking = wait_ == Wait::flush || wait_ == Wait::commit || wait_ == Wait::rewind ||
                          wait_ == Wait::end_offset || wait_ == Wait::blocked ||
                          wait_ == Wait::closing || wait_ == Wait::txn_call || wait_ == Wait::store;
    audit.call_open = blocking && ctx.now - since_ > patience;
    audit.call_since = since_;
    // Calls that fail again and again are as good as one that does not return.
    if (db_.failing_since && !finished() && ctx.now - *db_.failing_since > patience) {
        audit.call_open = true;
        audit.call_since = *db_.failing_since;
    }
    const bool writer = hands.producer && !hands.consumer;
    if (writer && !finished())
        audit.inputs_unsent = hands.source.available(*config_, ctx.now);
    if (hands.consumer && !finished())
        for (const auto log : hands.consumer->assignment())
            audit.positions.push_back({log, hands.consumer->position(log)});
    return audit;
}

}  // namespace eos::model
