#include "model/controller.hpp"

#include <algorithm>
#include <utility>

#include "model/spared.hpp"

namespace eos::model {
namespace {

constexpr std::int32_t producer_id_block = 1000;                 // PIA-1
constexpr sim::Duration metadata_wait = sim::milliseconds(500);  // a KRaft fetch waits this long

std::uint32_t number_of(BrokerId broker) { return static_cast<std::uint32_t>(broker.value); }

}  // namespace

Controller::Controller(std::shared_ptr<const ClusterConfig> config,
                       std::shared_ptr<const Topology> topology)
    : Controller(config, topology,
                 Durable{.log = MetadataLog(*topology),
                         .incarnations = std::vector<std::int32_t>(
                             static_cast<std::size_t>(topology->brokers), 0)}) {}

Controller::Controller(std::shared_ptr<const ClusterConfig> config,
                       std::shared_ptr<const Topology> topology, Durable durable)
    : config_(std::move(config)), topology_(std::move(topology)), durable_(std::move(durable)) {
    guard_.set = config_->safeguards;
}

Controller Controller::reborn(const sim::Loss&) && {
    return Controller(std::move(config_), std::move(topology_), std::move(durable_));
}

void Controller::on_start(const Context& ctx, Fx& fx) {
    // What was decided before a crash is in the log; nothing is left to wait for.
    durable_.log.reveal(sim::time_never);
    heard_ = ctx.now;
    for (const auto& broker : image().brokers()) {
        if (!image().alive(broker.broker)) continue;
        sessions_.open(broker.broker, ctx.now);
        fx.arm(key(Tick::session_check, number_of(broker.broker)), config_->broker_session);
    }
    fx.declare(role(Role::controller, 0), {ctx.self});
    for (const auto& state : image().partitions()) declare(state, fx);
    if (config_->auto_leader_rebalance)
        fx.arm(key(Tick::leader_balance), config_->leader_imbalance_check);
    // A formed cluster has its controller; only a later one is news.
    if (ctx.life > 0)
        fx.reach(number(Mile::controller_elected),
                 told({{Fact::broker, ctx.self.value}, {Fact::epoch, ctx.life}}));
}

void Controller::on_request(const Context& ctx, const sim::ReplyTo& to, Message&& message, Fx& fx) {
    if (const auto* registration = std::get_if<BrokerRegistrationRequest>(&message)) {
        const auto answer = registered(ctx, *registration, fx);
        fx.reply(to, answer);
    } else if (const auto* beat = std::get_if<BrokerHeartbeatRequest>(&message)) {
        const auto answer = heartbeat(ctx, *beat, fx);
        fx.reply(to, answer);
    } else if (const auto* fetch = std::get_if<MetadataFetchRequest>(&message)) {
        fetch_metadata(ctx, to, *fetch, fx);
    } else if (const auto* change = std::get_if<AlterPartitionRequest>(&message)) {
        auto answer = alter(ctx, *change, fx);
        fx.reply(to, std::move(answer));
    } else if (const auto* allocate = std::get_if<AllocateProducerIdsRequest>(&message)) {
        AllocateProducerIdsResponse answer;
        if (current(allocate->broker, allocate->epoch)) {
            answer.first = durable_.next_producer_id;
            answer.count = producer_id_block;
            durable_.next_producer_id = durable_.next_producer_id + producer_id_block;
        } else {
            answer.error = ErrorCode::stale_broker_epoch;
        }
        fx.reply(to, answer);
    } else {
        fx.hang_up(to);  // clients do not speak to the controller
    }
    reach_spared(guard_, fx);
}

void Controller::on_reply(const Context&, sim::Peer, sim::Correlation, Message&&, Fx&) {}
void Controller::on_link(const Context&, sim::Peer, sim::LinkEvent, Fx&) {}
void Controller::on_handoff(const Context&, Message&&, Fx&) {}

void Controller::on_timer(const Context& ctx, sim::TimerKey timer, Fx& fx) {
    const auto what = tick(timer);
    if (what == Tick::session_check) {
        expire_session(ctx, {static_cast<std::int32_t>(timer.a)}, fx);
    } else if (what == Tick::election) {
        show(ctx, fx);
    } else if (what == Tick::metadata_wait) {
        const auto found = waiting_.find({static_cast<std::int32_t>(timer.a)});
        if (found == waiting_.end()) return;
        fx.reply(found->second.to, slice(found->second.from));
        waiting_.erase(found);
    } else if (what == Tick::leader_balance) {
        balance_leaders(ctx, fx);
        fx.arm(key(Tick::leader_balance), config_->leader_imbalance_check);
    }
    reach_spared(guard_, fx);
}

void Controller::on_order(const Context& ctx, const sim::Order& order, Fx& fx) {
    if (order.kind == number(Ask::elect)) elect_on_order(ctx, order, fx);
    if (order.kind == number(Ask::stop)) fx.exit(false);
    reach_spared(guard_, fx);
}

// --- the log as brokers read it ------------------------------------------------------------------

void Controller::write(const Context& ctx, MetadataRecord record, sim::Instant visible, Fx& fx) {
    durable_.log.append(std::move(record), visible);
    show(ctx, fx);
}

/// Answers who waits for what has become readable, and comes back for what has not.
void Controller::show(const Context& ctx, Fx& fx) {
    if (durable_.log.reveal(ctx.now)) {
        for (const auto& [broker, fetch] : waiting_) {
            fx.disarm(key(Tick::metadata_wait, number_of(broker)));
            fx.reply(fetch.to, slice(fetch.from));
        }
        waiting_.clear();
    }
    if (const auto next = durable_.log.next_reveal()) fx.arm(key(Tick::election), *next - ctx.now);
}

void Controller::fetch_metadata(const Context& ctx, const sim::ReplyTo& to,
                                const MetadataFetchRequest& request, Fx& fx) {
    durable_.log.reveal(ctx.now);
    if (request.from < durable_.log.readable_end()) {
        fx.reply(to, slice(request.from));
        return;
    }
    // A second fetch of one broker comes over a new connection: the first one waits for nobody.
    waiting_[request.broker] = {to, request.from};
    fx.arm(key(Tick::metadata_wait, number_of(request.broker)), metadata_wait);
}

MetadataFetchResponse Controller::slice(std::int64_t from) const {
    auto read = durable_.log.read(from);
    return {.from = read.from, .records = std::move(read.records)};
}

}  // namespace eos::model
