#include "model/client.hpp"

#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

std::uint64_t actor(ProcessId process) {
    return (static_cast<std::uint64_t>(process.app.value) << 32) |
           static_cast<std::uint64_t>(process.instance);
}

}  // namespace

Client::Client(std::shared_ptr<const ClientSetup> setup, ProcessId process)
    : setup_(std::move(setup)),
      process_(process),
      source_(process, setup_->load_begins, setup_->load_ends) {}

Hands Client::hands() {
    return {producer_ ? &*producer_ : nullptr, consumer_ ? &*consumer_ : nullptr,
            stores_ ? &*stores_ : nullptr, source_, loops_};
}

void Client::make_clients(const Context&) {
    const auto session = static_cast<std::uint64_t>(sessions_++);
    if (setup_->app->produces()) {
        const auto begun = transactions_begun();
        producer_.emplace(setup_->topology, producer_config(), process_, sessions_ - 1,
                          setup_->seed, begun);
    }
    if (setup_->app->consumes())
        consumer_.emplace(setup_->consumer, setup_->topology, process_,
                          sim::Rng::stream(setup_->seed, "consumer", actor(process_), session));
    if (setup_->app->uses_store())
        stores_.emplace(setup_->consumer->client, setup_->topology, process_,
                        sim::Rng::stream(setup_->seed, "stores", actor(process_), session));
}

std::int32_t Client::transactions_begun() const {
    return producer_ ? producer_->transactions_begun() : transactions_;
}

std::shared_ptr<const ProducerConfig> Client::producer_config() const {
    if (setup_->app->txid != TxidPolicy::per_start || !setup_->producer->txid)
        return setup_->producer;
    auto own = *setup_->producer;
    own.txid = setup_->topology->random_transactional_id(setup_->topology->node_of(process_),
                                                         sessions_ - 1);
    return std::make_shared<const ProducerConfig>(std::move(own));
}

void Client::on_start(const Context& ctx, Fx& fx) {
    make_clients(ctx);
    source_.process_started(*setup_->app, ctx.now);
    application_.emplace(setup_->app, setup_->topology, process_,
                         sim::Rng::stream(setup_->seed, "application", actor(process_),
                                          static_cast<std::uint64_t>(ctx.life)));
    for (const auto number : signals_) application_->signal(number);
    application_->start(ctx, hands(), fx);
    go_on(ctx, fx);
}

void Client::go_on(const Context& ctx, Fx& fx) {
    // The application runs, then the sender's thread, until neither has anything for the other.
    for (;;) {
        application_->advance(ctx, hands(), fx);
        if (application_->dead()) return;
        if (!application_->wants_new_clients()) {
            if (!producer_) break;
            producer_->run_sender(ctx, fx);
            // A stalled application takes its events later.
            if (application_->stalled() || !producer_->has_events()) break;
            continue;
        }
        // The objects are dropped without a word: their requests may still be executed.
        if (producer_) producer_->force_close(ctx, fx);
        if (consumer_) consumer_->abandon(fx);
        if (stores_) stores_->abandon(fx);
        make_clients(ctx);
        application_->clients_replaced(ctx, hands(), fx);
    }
    if (stopping_ && application_->finished()) {
        stopping_ = false;
        fx.exit(false);
    }
}

void Client::on_request(const Context&, const sim::ReplyTo&, Message&&, Fx&) {
    sim::ensure(false, "a client is not asked anything");
}

void Client::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                      Message&& message, Fx& fx) {
    if (from.lane == Producer::lane) {
        producer_->on_reply(ctx, from, correlation, message, fx);
    } else if (from.lane == StoreClient::lane) {
        stores_->on_reply(ctx, from, correlation, std::move(message), fx);
    } else {
        consumer_->on_reply(ctx, from, correlation, std::move(message), fx);
    }
    go_on(ctx, fx);
}

void Client::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    if (peer.lane == Producer::lane) {
        producer_->on_link(ctx, peer, event, fx);
    } else if (peer.lane == StoreClient::lane) {
        stores_->on_link(ctx, peer, event, fx);
    } else {
        consumer_->on_link(ctx, peer, event, fx);
    }
    go_on(ctx, fx);
}

void Client::on_timer(const Context& ctx, sim::TimerKey key, Fx& fx) {
    if (Application::owns(key)) {
        application_->on_timer(ctx, key, hands(), fx);
    } else if (stores_ && stores_->owns(key)) {
        stores_->on_timer(ctx, key, fx);
    } else if (consumer_ && consumer_->owns(key)) {
        consumer_->on_timer(ctx, key, fx);
    } else if (producer_) {
        producer_->on_timer(ctx, key, fx);
    }
    go_on(ctx, fx);
}

void Client::on_handoff(const Context&, Message&&, Fx&) {
    sim::ensure(false, "a client hands nothing on to itself");
}

void Client::on_order(const Context& ctx, const sim::Order& order, Fx& fx) {
    if (order.kind == number(Ask::stop)) {
        stopping_ = true;
        application_->stop(ctx, hands(), fx);
    } else if (order.kind == number(Ask::stall) || order.kind == number(Ask::unstall)) {
        const bool stalled = order.kind == number(Ask::stall);
        application_->stall(stalled);
        if (consumer_) consumer_->stall(ctx, stalled, fx);
    } else if (order.kind == number(Ask::signal)) {
        const auto told = order.facts.find(number(Fact::count)).value_or(0);
        signals_.insert(static_cast<std::int32_t>(told));
        application_->signal(static_cast<std::int32_t>(told));
    }
    go_on(ctx, fx);
}

Client Client::reborn(const sim::Loss&) && {
    Client next(setup_, process_);
    next.source_ = std::move(source_);
    next.source_.process_died(*setup_->app);
    next.loops_ = loops_;
    next.sessions_ = sessions_;
    next.transactions_ = transactions_begun();
    next.signals_ = std::move(signals_);
    return next;
}

void Client::audit(const Context& ctx, Fx& fx) const {
    if (!application_) return;
    auto source = source_;
    auto loops = loops_;
    auto producer = producer_;
    auto consumer = consumer_;
    const Hands lent{producer ? &*producer : nullptr, consumer ? &*consumer : nullptr, nullptr,
                     source, loops};
    fx.observe(application_->audit(ctx, lent));
}

}  // namespace eos::model
