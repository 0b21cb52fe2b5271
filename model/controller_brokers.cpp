// The controller and its brokers: registration, sessions, fencing, controlled shutdown.
//
//            registers            caught up                 wants to stop
//   (gone) ------------> fenced ------------> unfenced ------------------> shutting down
//                          ^                     | session over                  | leads nothing,
//                          '---------------------'                               | all know it
//                          '-----------------------------------------------------'

#include "model/controller.hpp"

namespace eos::model {
namespace {

sim::Facts about(const BrokerRegistration& registration) {
    return told(
        {{Fact::broker, registration.broker.value}, {Fact::epoch, registration.epoch.value}});
}

/// A KRaft leader resigns when it has heard no majority of voters for 1.5 times
/// controller.quorum.fetch.timeout.ms (2 s; KAFKA-14595). Heartbeats stand in for fetches, so their
/// interval comes on top.
constexpr sim::Duration resign_after = sim::milliseconds(3000);

sim::TimerKey session_timer(BrokerId broker) {
    return key(Tick::session_check, static_cast<std::uint32_t>(broker.value));
}

}  // namespace

bool Controller::current(BrokerId broker, BrokerEpoch epoch) const {
    return image().registered(broker) && image().broker(broker).epoch == epoch;
}

bool Controller::leads_anything(BrokerId broker) const {
    for (const auto& state : image().partitions())
        if (state.leader == broker) return true;
    return false;
}

BrokerRegistrationResponse Controller::registered(const Context& ctx,
                                                  const BrokerRegistrationRequest& request,
                                                  Fx& fx) {
    const auto broker = request.broker;
    hear(ctx, broker, fx);
    const auto known = image().broker(broker);
    auto& incarnation = durable_.incarnations[static_cast<std::size_t>(broker.value - 1)];
    const bool repeated = image().registered(broker) && incarnation == request.incarnation;
    if (repeated) return {.error = ErrorCode::none, .epoch = known.epoch};
    // The id is taken as long as the former process may still be alive.
    if (image().registered(broker) && !known.in_controlled_shutdown &&
        sessions_.valid(broker, ctx.now, config_->broker_session))
        return {.error = ErrorCode::duplicate_broker_registration};

    const bool clean = !image().registered(broker) || request.previous_epoch == known.epoch;
    if (image().alive(broker)) fence(ctx, broker, fx);
    incarnation = request.incarnation;
    const BrokerRegistration registration{
        .broker = broker, .epoch = {durable_.log.end()}, .fenced = true};
    write(ctx, registration, ctx.now, fx);
    if (!clean) reconsider(ctx, {.removed = {}, .unclean = broker}, fx);  // ELE-8
    sessions_.open(broker, ctx.now);
    fx.arm(session_timer(broker), config_->broker_session);
    fx.reach(number(Mile::controller_broker_registered), about(registration));
    return {.error = ErrorCode::none, .epoch = registration.epoch};
}

BrokerHeartbeatResponse Controller::heartbeat(const Context& ctx,
                                              const BrokerHeartbeatRequest& request, Fx& fx) {
    const auto broker = request.broker;
    if (!current(broker, request.epoch)) return {.error = ErrorCode::stale_broker_epoch};
    hear(ctx, broker, fx);
    if (!sessions_.find(broker)) sessions_.open(broker, ctx.now);
    sessions_.find(broker)->last_contact = ctx.now;
    sessions_.find(broker)->metadata_offset = request.metadata_offset;
    fx.arm(session_timer(broker), config_->broker_session);

    if (image().broker(broker).fenced) {
        if (request.want_shutdown) return {.fenced = true, .may_shut_down = true};
        // Caught up: it has applied its own registration (whose offset is its epoch).
        if (request.metadata_offset > request.epoch.value) unfence(ctx, broker, fx);
        return {.fenced = image().broker(broker).fenced};
    }
    if (!request.want_shutdown) return {.fenced = false};
    if (!sessions_.find(broker)->shutdown_offset) begin_shutdown(ctx, broker, fx);
    const bool all_know =
        sessions_.lowest_offset_of_staying() >= *sessions_.find(broker)->shutdown_offset;
    if (leads_anything(broker) || !all_know) return {.fenced = false};
    fence(ctx, broker, fx);
    sessions_.close(broker);
    fx.disarm(session_timer(broker));
    return {.fenced = true, .may_shut_down = true};
}

/// Moves every leadership away and takes the broker out of every in-sync set (ELE-8).
void Controller::begin_shutdown(const Context& ctx, BrokerId broker, Fx& fx) {
    auto registration = image().broker(broker);
    registration.in_controlled_shutdown = true;
    write(ctx, registration, ctx.now, fx);
    reconsider(ctx, {.removed = broker, .unclean = {}}, fx);
    sessions_.find(broker)->shutdown_offset = durable_.log.end();
}

void Controller::unfence(const Context& ctx, BrokerId broker, Fx& fx) {
    auto registration = image().broker(broker);
    registration.fenced = false;
    write(ctx, registration, ctx.now, fx);
    elect_leaderless(ctx, fx);
}

void Controller::fence(const Context& ctx, BrokerId broker, Fx& fx) {
    auto registration = image().broker(broker);
    registration.fenced = true;
    registration.in_controlled_shutdown = false;
    write(ctx, registration, ctx.now, fx);
    fx.reach(number(Mile::controller_broker_fenced), about(registration));
    reconsider(ctx, {.removed = broker, .unclean = {}}, fx);
}

bool Controller::cut_off(const Context& ctx) const {
    return ctx.now - heard_ > config_->broker_heartbeat + resign_after;
}

/// A broker was heard of. Whoever was silent while the controller was cut off gets a new session,
/// as from a newly elected controller.
void Controller::hear(const Context& ctx, BrokerId broker, Fx& fx) {
    if (cut_off(ctx)) {
        for (const auto& other : image().brokers()) {
            if (other.broker == broker || !image().alive(other.broker)) continue;
            sessions_.open(other.broker, ctx.now);
            fx.arm(session_timer(other.broker), config_->broker_session);
        }
    }
    heard_ = ctx.now;
}

void Controller::expire_session(const Context& ctx, BrokerId broker, Fx& fx) {
    if (!sessions_.find(broker) || cut_off(ctx)) return;
    if (sessions_.valid(broker, ctx.now, config_->broker_session)) return;
    sessions_.close(broker);
    if (image().alive(broker)) fence(ctx, broker, fx);
}

}  // namespace eos::model
