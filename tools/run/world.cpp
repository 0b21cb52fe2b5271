#include "tools/run/world.hpp"

#include <algorithm>
#include <utility>

namespace eos {
namespace {

using model::NodeKind;

sim::Station station_of(const scenarios::Scenario& scenario) {
    return {.threads = scenario.costs.threads,
            .per_request = scenario.costs.request,
            .per_append = scenario.costs.append,
            .per_record = {},
            .bytes_per_second = scenario.costs.byte_rate,
            .write = scenario.disk.write,
            .fsync = scenario.disk.fsync,
            .fsync_every_write = scenario.disk.flush == scenarios::Disk::Flush::every_write};
}

sim::LinkConfig link_of(const scenarios::Network& network) {
    return {.latency = network.latency,
            .bytes_per_second = network.bandwidth.value_or(0),
            .spike = network.spike_chance,
            .spike_extra = network.spike_latency,
            .disconnect = network.disconnect,
            .ghosts = network.ghosts};
}

reports::Fold fold_of(const scenarios::Fold& fold) {
    const auto field = [](scenarios::Fold::Field f) {
        return static_cast<reports::Fold::Field>(f);
    };
    reports::Fold result;
    result.kind = static_cast<reports::Fold::Kind>(fold.kind);
    result.field = field(fold.field);
    for (const auto topic : fold.over) result.over.push_back({topic.value});
    result.stores = fold.stores;
    if (fold.by) result.by = field(*fold.by);
    return result;
}

void configure_links(World& world, const scenarios::Scenario& scenario) {
    // A broker's requests to itself (markers, verification) do not leave the machine.
    sim::LinkConfig loopback;
    loopback.latency = sim::Spread::fixed(sim::Duration{20'000});
    for (const auto broker : scenario.topology->all_brokers())
        world.configure_link(broker, broker, loopback);
    const auto base = link_of(scenario.network);
    for (const auto& rule : scenario.network.links) {
        auto link = base;
        if (rule.latency) link.latency = *rule.latency;
        if (rule.bandwidth) link.bytes_per_second = *rule.bandwidth;
        for (const auto from : rule.from) {
            for (const auto to : rule.to) {
                if (from == to) continue;
                world.configure_link(from, to, link);
                if (!rule.oneway) world.configure_link(to, from, link);
            }
        }
    }
}

void add_job_manager(World& world, const scenarios::Scenario& scenario,
                     const scenarios::App& app) {
    const auto config = std::make_shared<const model::AppConfig>(app.config);
    const auto setup = std::make_shared<const model::ClientSetup>(model::ClientSetup{
        config, nullptr, nullptr, scenario.topology, scenario.seed, sim::time_zero,
        sim::time_zero + scenario.duration});
    sim::NodeConfig node_config;
    if (app.config.start_manually) node_config.start.reset();
    node_config.restart = app.config.restart;
    node_config.kind = static_cast<std::int64_t>(NodeKind::app);
    world.add_node(model::JobManager(setup, {app.config.id, app.config.processes()}), node_config);
}

void add_clients(World& world, const scenarios::Scenario& scenario) {
    const sim::Instant ends = sim::time_zero + scenario.duration;
    for (const auto& app : scenario.apps) {
        const auto config = std::make_shared<const model::AppConfig>(app.config);
        const auto producer = std::make_shared<const model::ProducerConfig>(app.config.producer);
        const auto consumer = std::make_shared<const model::ConsumerConfig>(app.config.consumer);
        for (std::int32_t i = 0; i < app.config.processes(); ++i) {
            const model::ProcessId process{app.config.id, i};
            const auto node = scenario.topology->node_of(process);
            auto rng = sim::Rng::stream(scenario.seed, "start",
                                        static_cast<std::uint64_t>(node.value));
            const auto delay = rng.duration(app.config.start);
            auto mine = consumer;
            if (app.static_members) {
                auto own = app.config.consumer;
                own.instance = model::GroupInstanceId{node.value};
                mine = std::make_shared<const model::ConsumerConfig>(std::move(own));
            }
            auto writer = producer;
            if (app.config.first_txid) {
                auto own = app.config.producer;
                const bool apart = app.config.txid == model::TxidPolicy::per_instance;
                own.txid = *app.config.first_txid + (apart ? i : 0);
                writer = std::make_shared<const model::ProducerConfig>(std::move(own));
            }
            const auto setup = std::make_shared<const model::ClientSetup>(model::ClientSetup{
                config, mine, writer, scenario.topology, scenario.seed, sim::time_zero + delay,
                ends});
            sim::NodeConfig node_config;
            node_config.start = sim::time_zero + delay;
            if (app.config.start_manually) node_config.start.reset();
            node_config.restart = app.config.restart;
            node_config.kind = static_cast<std::int64_t>(NodeKind::app);
            if (app.config.is_job())
                world.add_node(model::TaskManager(setup, process), node_config);
            else
                world.add_node(model::Client(setup, process), node_config);
        }
        if (app.config.is_job()) add_job_manager(world, scenario, app);
    }
}

// A database makes each commit durable before it answers; an http provider spends `work` while the
// call runs, which is the role's own business.
void add_stores(World& world, const scenarios::Scenario& scenario) {
    for (const auto& store : scenario.stores) {
        sim::Station station{.threads = 64,
                             .per_request = store.work,
                             .per_append = {},
                             .per_record = {},
                             .bytes_per_second = 0,
                             .write = {},
                             .fsync = scenario.disk.fsync,
                             .fsync_every_write = true};
        if (store.kind == model::StoreKind::http) station = sim::Station{.threads = 64};
        sim::NodeConfig config;
        config.station = station;
        config.kind = static_cast<std::int64_t>(NodeKind::store);
        config.latency = store.latency;
        world.add_node(model::Store(std::make_shared<const model::StoreConfig>(store),
                                    scenario.topology),
                       config);
    }
}

}  // namespace

reports::JudgeConfig judge_config(const scenarios::Scenario& scenario) {
    reports::JudgeConfig config;
    config.topology = scenario.topology;
    config.max_sequence = scenario.cluster.max_sequence;
    config.operations = !scenario.expect.jepsen.empty();
    for (const auto& app : scenario.apps) {
        reports::JudgedApp judged;
        judged.id = app.config.id;
        judged.writes = app.config.produces();
        judged.reads = app.config.consumes();
        judged.group = app.config.consumer.group;
        judged.from = app.config.from;
        judged.to = app.config.to;
        judged.instances = app.config.instances;
        judged.checkpoints = app.config.is_job();
        judged.wants_committed = app.config.mode == model::Mode::exactly_once ||
                                 app.config.consumer.isolation == model::Isolation::read_committed;
        for (const auto& step : app.config.steps) {
            const std::pair row{step.store, step.effect};
            auto& stores = judged.writes_into;
            if (step.kind == model::StepKind::write &&
                std::find(stores.begin(), stores.end(), row) == stores.end())
                stores.push_back(row);
        }
        config.apps.push_back(std::move(judged));
    }
    for (const auto& invariant : scenario.expect.invariants) {
        reports::InvariantSpec spec{invariant.name, fold_of(invariant.fold),
                                    invariant.equals_number, {}};
        if (invariant.equals_fold) spec.equals_fold = fold_of(*invariant.equals_fold);
        config.invariants.push_back(std::move(spec));
    }
    return config;
}

World make_world(const scenarios::Scenario& scenario, const RunOptions& options) {
    const auto plan = std::make_shared<const faults::Plan>(scenario.faults);
    auto judged = judge_config(scenario);
    judged.operations = judged.operations || options.operations;
    World world({scenario.seed, link_of(scenario.network)},
                faults::Injector(plan, options.script, options.record),
                Audience(judged, options.level, scenario.topology->brokers));
    const auto cluster = std::make_shared<const model::ClusterConfig>(scenario.cluster);

    sim::NodeConfig controller;
    controller.kind = static_cast<std::int64_t>(NodeKind::controller);
    world.add_node(model::Controller(cluster, scenario.topology), controller);
    for (const auto broker : scenario.topology->all_brokers()) {
        sim::NodeConfig config;
        config.station = station_of(scenario);
        config.kind = static_cast<std::int64_t>(NodeKind::broker);
        world.add_node(model::Broker({broker, cluster, scenario.topology, scenario.seed}), config);
    }
    add_clients(world, scenario);
    add_stores(world, scenario);
    configure_links(world, scenario);
    world.begin();
    return world;
}

void audit(World& world) {
    model::Fx fx;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(world.node_count()); ++i) {
        const sim::NodeId id{i};
        if (world.state(id) == sim::NodeState::down) continue;
        const sim::Context ctx{world.now(), world.now(), id, world.life(id)};
        if (const auto* broker = std::get_if<model::Broker>(&world.node(id))) {
            broker->audit(ctx, fx);
        } else if (const auto* client = std::get_if<model::Client>(&world.node(id))) {
            client->audit(ctx, fx);
        } else if (const auto* store = std::get_if<model::Store>(&world.node(id))) {
            store->audit(ctx, fx);
        } else if (const auto* task = std::get_if<model::TaskManager>(&world.node(id))) {
            task->audit(ctx, fx);
        }
        for (const auto& effect : fx.list())
            if (const auto* told = std::get_if<sim::effect::Observe<model::Observation>>(&effect))
                world.audience().observe(world.now(), id, told->observation);
        fx.clear();
    }
}

}  // namespace eos
