#include "tools/run/snapshot.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "model/assignors.hpp"
#include "tools/run/run.hpp"

namespace eos {
namespace {

namespace state = reports::state;
using model::LogId;
using model::Topology;

std::string condition_of(sim::NodeState node) {
    switch (node) {
        case sim::NodeState::down:
            return "down";
        case sim::NodeState::running:
            return "alive";
        case sim::NodeState::paused:
            return "paused";
    }
    return "";
}

std::vector<std::int32_t> numbers(const std::vector<model::BrokerId>& brokers) {
    std::vector<std::int32_t> result;
    for (const auto broker : brokers) result.push_back(broker.value);
    return result;
}

/// Reads one world into one state, section by section.
class Reader {
  public:
    Reader(const World& world, const scenarios::Scenario& scenario)
        : world_(world), scenario_(scenario), topology_(*scenario.topology) {
        name_producers();
    }

    state::Cluster read() {
        out_.engine = engine_version();
        out_.scenario = scenario_.name;
        out_.variant = scenario_.variant;
        if (!scenario_.cell.empty())
            out_.variant += (out_.variant.empty() ? "" : " ") + scenario_.cell;
        out_.seed = scenario_.seed;
        out_.at = world_.now();
        out_.events = world_.events();
        for (std::int32_t i = 0; i < static_cast<std::int32_t>(world_.node_count()); ++i)
            read_node({i});
        for (std::int32_t i = 0; i < static_cast<std::int32_t>(topology_.logs.size()); ++i)
            read_partition({i});
        for (const auto broker : topology_.all_brokers()) {
            if (world_.state(broker) == sim::NodeState::down) continue;
            read_transactions(broker);
            read_groups(broker);
        }
        read_messages();
        return std::move(out_);
    }

  private:
    // --- asking the world ------------------------------------------------------------------------
    [[nodiscard]] const model::Broker& broker(sim::NodeId id) const {
        return std::get<model::Broker>(world_.node(id));
    }
    [[nodiscard]] const model::MetadataImage& image() const {
        return std::get<model::Controller>(world_.node(Topology::controller())).image();
    }
    [[nodiscard]] std::string condition(sim::NodeId id) const {
        return condition_of(world_.state(id));
    }
    [[nodiscard]] std::vector<std::string> names(const std::vector<LogId>& logs) const {
        std::vector<std::string> result;
        for (const auto log : logs) result.push_back(topology_.log_name(log));
        return result;
    }
    [[nodiscard]] std::string client_name(const std::optional<sim::NodeId>& node) const {
        return node ? topology_.node_name(*node) : std::string();
    }

    /// Which transactional id a producer id belongs to, as any living coordinator knows it.
    void name_producers() {
        for (const auto id : topology_.all_brokers()) {
            if (world_.state(id) == sim::NodeState::down) continue;
            for (const auto& [log, shard] : broker(id).transactions().coordinator().shards())
                for (const auto& [txid, entry] : shard.entries()) {
                    const auto& now = entry.metadata.now();
                    producers_[now.producer_id] = txid;
                    if (now.previous_producer_id) producers_[*now.previous_producer_id] = txid;
                    if (now.next_producer_id) producers_[*now.next_producer_id] = txid;
                }
        }
    }
    [[nodiscard]] std::string txid_of(model::ProducerId producer) const {
        const auto found = producers_.find(producer);
        return found == producers_.end() ? std::string()
                                         : topology_.transactional_id_name(found->second);
    }

    // --- nodes -----------------------------------------------------------------------------------
    void read_node(sim::NodeId id) {
        state::Node node;
        node.name = topology_.node_name(id);
        node.condition = condition(id);
        node.ended = world_.life(id);
        if (std::holds_alternative<model::Controller>(world_.node(id))) {
            node.kind = "controller";
        } else if (std::holds_alternative<model::Broker>(world_.node(id))) {
            node.kind = "broker";
            const auto& registration = image().broker(id);
            node.fenced = registration.fenced;
            if (registration.epoch.value >= 0) node.broker_epoch = registration.epoch.value;
        } else if (std::holds_alternative<model::Store>(world_.node(id))) {
            node.kind = "store";
        } else if (const auto* job = std::get_if<model::JobManager>(&world_.node(id))) {
            node.kind = "jobmanager";
            read_job(id, *job);
        } else if (const auto* task = std::get_if<model::TaskManager>(&world_.node(id))) {
            node.kind = "taskmanager";
            read_task(id, *task);
        } else {
            node.kind = "app";
            read_client(id);
        }
        out_.nodes.push_back(std::move(node));
    }

    // --- partitions and producers ----------------------------------------------------------------
    void read_partition(LogId log) {
        const auto& known = image().partition(log);
        state::Partition partition;
        partition.name = topology_.log_name(log);
        partition.internal = topology_.topic_of(log).internal;
        if (known.leader) partition.leader = known.leader->value;
        partition.leader_epoch = known.leader_epoch.value;
        partition.in_sync = numbers(known.isr);
        partition.elr = numbers(known.elr);
        for (const auto id : topology_.logs[static_cast<std::size_t>(log.value)].replicas) {
            const auto* replica = broker(id).replicas().find(log);
            if (replica) read_replica(id, *replica, known, partition);
        }
        out_.partitions.push_back(std::move(partition));
    }

    void read_replica(sim::NodeId id, const model::Replica& replica,
                      const model::PartitionState& known, state::Partition& partition) {
        const auto& log = replica.log;
        state::Replica told;
        told.broker = id.value;
        told.condition = condition(id);
        told.leads = told.condition != "down" && replica.leading.leading();
        told.in_sync = std::find(known.isr.begin(), known.isr.end(), id) != known.isr.end();
        told.log_start = log.log_start().value;
        told.high_watermark = log.high_watermark().value;
        told.last_stable = log.last_stable_offset().value;
        told.log_end = log.log_end().value;
        told.stored = log.stored().value;
        if (const auto epoch = log.epochs().latest()) told.last_epoch = epoch->value;
        partition.replicas.push_back(told);
        if (!told.leads) return;
        // A deposed leader that does not know it yet speaks only where nobody else does.
        if (known.leader == id || !known.leader) read_open(log, partition);
        for (const auto& [producer, entry] : log.producers().producers())
            read_producer(partition.name, id, producer, entry);
    }

    void read_open(const model::PartitionLog& log, state::Partition& partition) {
        if (const auto offset = log.first_unstable()) partition.first_unstable = offset->value;
        partition.open.clear();
        for (const auto& [producer, entry] : log.producers().producers())
            if (entry.txn_first)
                partition.open.push_back(
                    {producer.value, entry.epoch.value, entry.txn_first->value, txid_of(producer)});
        std::sort(partition.open.begin(), partition.open.end(),
                  [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
    }

    void read_producer(const std::string& partition, sim::NodeId id, model::ProducerId producer,
                       const model::ProducerEntry& entry) {
        state::Producer told;
        told.partition = partition;
        told.broker = id.value;
        told.producer_id = producer.value;
        told.epoch = entry.epoch.value;
        if (const auto last = entry.last_sequence()) told.last_sequence = last->value;
        told.batches = static_cast<std::int32_t>(entry.batches.size());
        if (!entry.batches.empty()) {
            if (const auto first = entry.batches.front().first_sequence())
                told.first_sequence = first->value;
            told.last_offset = entry.batches.back().last_offset.value;
        }
        if (entry.txn_first) told.open_from = entry.txn_first->value;
        if (entry.coordinator_epoch.value >= 0)
            told.coordinator_epoch = entry.coordinator_epoch.value;
        out_.producers.push_back(std::move(told));
    }

    // --- coordinators ----------------------------------------------------------------------------
    [[nodiscard]] static std::string marker_of(const model::MarkerSender& sender,
                                               const model::TransactionRecord& now, LogId log) {
        const auto ours = [&](const model::Marker& marker) {
            return marker.who.txid == now.txid && marker.who.producer_epoch == now.epoch &&
                   marker.log == log;
        };
        const auto among = [&](const std::vector<model::Marker>& markers) {
            return std::any_of(markers.begin(), markers.end(), ours);
        };
        if (among(sender.under_way())) return "sent";
        if (among(sender.parked())) return "waits to be sent again";
        return "to be sent";
    }

    void read_transactions(sim::NodeId id) {
        const auto& host = broker(id).transactions();
        for (const auto& [log, shard] : host.coordinator().shards()) {
            if (shard.loading()) {
                out_.transactions_loading.push_back(
                    {topology_.log_name(log), topology_.node_name(id)});
                continue;
            }
            for (const auto& [txid, entry] : shard.entries()) {
                const auto& now = entry.metadata.now();
                state::Transaction t;
                t.txid = topology_.transactional_id_name(txid);
                t.coordinator = topology_.node_name(id);
                t.log = topology_.log_name(log);
                t.coordinator_epoch = shard.epoch().value;
                t.state = model::name(now.state);
                if (const auto pending = entry.metadata.pending())
                    t.pending = model::name(*pending);
                t.producer_id = now.producer_id.value;
                t.epoch = now.epoch.value;
                t.last_epoch = now.last_epoch.value;
                if (now.txn) t.number = now.txn->number;
                t.began = now.start;
                t.last_update = now.last_update;
                t.timeout = now.timeout;
                for (const auto part : now.logs)
                    t.partitions.push_back(
                        {topology_.log_name(part), entry.metadata.prepared()
                                                       ? marker_of(host.sender(), now, part)
                                                       : std::string()});
                out_.transactions.push_back(std::move(t));
            }
        }
    }

    void read_groups(sim::NodeId id) {
        for (const auto& [log, shard] : broker(id).groups().shards()) {
            if (shard.loading()) {
                out_.groups_loading.push_back({topology_.log_name(log), topology_.node_name(id)});
                continue;
            }
            for (const auto& [group, classic] : shard.classic_groups())
                add(read_group(classic), id, log, group, shard.offsets());
            for (const auto& [group, modern] : shard.modern_groups())
                add(read_group(modern), id, log, group, shard.offsets());
        }
    }

    void add(state::Group told, sim::NodeId id, LogId log, model::GroupId group,
             const model::OffsetStore& offsets) {
        told.name = topology_.groups[static_cast<std::size_t>(group.value)];
        told.coordinator = topology_.node_name(id);
        told.log = topology_.log_name(log);
        for (const auto& [partition, committed] : offsets.of(group))
            told.offsets.push_back({topology_.log_name(partition), committed.offset.value});
        for (const auto& [producer, entries] : offsets.pending())
            for (const auto& [key, entry] : entries)
                if (key.first == group)
                    told.pending.push_back({topology_.log_name(key.second), entry.offset.value,
                                            producer.value, txid_of(producer)});
        out_.groups.push_back(std::move(told));
    }

    [[nodiscard]] state::Group read_group(const model::ClassicGroup& group) const {
        state::Group told;
        told.protocol = "classic";
        told.state = model::name(group.state());
        told.generation = group.generation().value;
        if (group.protocol()) told.assignor = model::name(*group.protocol());
        for (const auto& known : group.members()) {
            state::Member member;
            member.id = fmt::format("{:016x}", known.id.value);
            member.client = client_name(known.node);
            if (known.instance) member.instance = known.instance->value;
            if (known.join)
                member.state = "waits in JoinGroup";
            else if (known.sync)
                member.state = "waits in SyncGroup";
            else if (known.pending_sync)
                member.state = "has to sync";
            member.leads = group.leader() == known.id;
            member.assigned = names(known.assignment);
            told.members.push_back(std::move(member));
        }
        return told;
    }

    [[nodiscard]] state::Group read_group(const model::ModernGroup& group) const {
        state::Group told;
        told.protocol = "consumer";
        told.state = model::name(group.state());
        told.generation = group.epoch().value;
        told.target_epoch = group.record().target_epoch.value;
        told.assignor = model::name(group.assignor());
        for (const auto& known : group.members()) {
            state::Member member;
            member.id = fmt::format("{:016x}", known.member.value);
            member.client = client_name(group.node_of(known.member));
            if (known.instance) member.instance = known.instance->value;
            member.epoch = model::told_epoch(known);
            member.state = model::name(known.state);
            member.assigned = names(known.assigned);
            member.revoking = names(known.revoking);
            member.target = names(known.target);
            told.members.push_back(std::move(member));
        }
        return told;
    }

    // --- clients ---------------------------------------------------------------------------------
    void read_client(sim::NodeId id) {
        const auto& client = std::get<model::Client>(world_.node(id));
        state::Client told;
        told.name = topology_.node_name(id);
        told.condition = condition(id);
        told.loop = client.loops();
        if (const auto* application = client.application()) {
            const auto standing = application->standing();
            if (standing.step) {
                told.step = model::name(*standing.step);
                if (standing.in_setup) told.step += " of the setup";
            }
            told.waits_for = standing.waits_for;
            told.since = standing.since;
            told.stalled = standing.stalled;
        }
        if (const auto* producer = client.producer()) told.producer = read_producer(*producer);
        if (const auto* consumer = client.consumer())
            told.consumer = read_consumer(*consumer, client.process().app);
        out_.clients.push_back(std::move(told));
    }

    /// What a JobManager would show on its page.
    void read_job(sim::NodeId id, const model::JobManager& job) {
        state::Client told;
        told.name = topology_.node_name(id);
        told.condition = condition(id);
        told.step = model::name(job.status());
        const auto& completed = job.store().completed;
        told.loop = completed.empty() ? 0 : static_cast<std::int32_t>(completed.back().id.value);
        if (!job.coordinator().pending().empty())
            told.waits_for = fmt::format("checkpoint {}", job.coordinator().pending().front().id.value);
        out_.clients.push_back(std::move(told));
    }
    void read_task(sim::NodeId id, const model::TaskManager& manager) {
        state::Client told;
        told.name = topology_.node_name(id);
        told.condition = condition(id);
        if (const auto* task = manager.task()) {
            told.step = fmt::format("subtask {}", task->subtask());
            told.waits_for = task->waits_for();
            told.since = task->since();
            state::ClientConsumer reader;
            for (const auto& split : task->reader().splits()) {
                state::Position position;
                position.partition = topology_.log_name(split.log);
                if (split.offset) position.offset = split.offset->value;
                reader.positions.push_back(std::move(position));
            }
            told.consumer = std::move(reader);
        }
        out_.clients.push_back(std::move(told));
    }

    [[nodiscard]] state::ClientProducer read_producer(const model::Producer& producer) const {
        const auto& sender = producer.sender();
        state::ClientProducer told;
        // Without idempotence it never asks for an id, and its state means nothing.
        if (producer.txid() || sender.sequences().identity() || producer.fatal())
            told.state = model::ProducerTransactions::name(sender.state());
        if (const auto txid = producer.txid()) told.txid = topology_.transactional_id_name(*txid);
        if (const auto& identity = sender.sequences().identity()) {
            told.producer_id = identity->producer_id.value;
            told.epoch = identity->epoch.value;
        }
        if (sender.last_error() != model::ErrorCode::none)
            told.error = model::name(sender.last_error());
        if (const auto api = sender.transactional_request()) told.waits_for = model::name(*api);
        told.open_sends = sender.open_sends();
        if (const auto* transactions = sender.transactions()) {
            if (const auto& txn = transactions->current()) told.number = txn->number;
            told.enrolled = names(transactions->enrolled());
            told.to_enrol = names(transactions->to_enrol());
        }
        for (const auto& entry : sender.sequences().entries()) {
            state::Numbered numbered;
            numbered.partition = topology_.log_name(entry.log);
            numbered.next_sequence = entry.next.value;
            if (entry.acked) numbered.acked_sequence = entry.acked->value;
            numbered.in_flight = static_cast<std::int32_t>(entry.in_flight.size());
            told.partitions.push_back(std::move(numbered));
        }
        return told;
    }

    [[nodiscard]] state::ClientConsumer read_consumer(const model::Consumer& consumer,
                                                      model::AppId app) const {
        state::ClientConsumer told;
        const auto& subscriptions = consumer.subscriptions();
        const auto group =
            scenario_.apps[static_cast<std::size_t>(app.value)].config.consumer.group;
        if (group && subscriptions.automatic()) {
            told.group = topology_.groups[static_cast<std::size_t>(group->value)];
            if (consumer.protocol() == model::GroupProtocol::classic) {
                told.state = model::name(consumer.member().state());
                if (const auto generation = consumer.member().identity().generation)
                    told.generation = generation->value;
            } else {
                told.state = model::name(consumer.modern_member().state());
                told.generation = consumer.modern_member().epoch();
            }
        }
        for (const auto& part : subscriptions.assigned()) {
            state::Position position;
            position.partition = topology_.log_name(part.log);
            if (part.position) position.offset = part.position->offset.value;
            position.state = model::name(part.state);
            told.positions.push_back(std::move(position));
        }
        return told;
    }

    // --- messages --------------------------------------------------------------------------------
    [[nodiscard]] std::string words_of(const World::UnderWay& message) const {
        using model::Fact;
        const auto fact = [&](Fact name) { return message.facts.find(model::number(name)); };
        std::string words;
        if (message.handoff) {
            words = "hand-off";
            if (const auto task = fact(Fact::task))
                words += fmt::format(" {}", model::name(static_cast<model::Task>(*task)));
        } else {
            words = model::name(static_cast<model::Api>(message.kind));
            if (message.response) words += " answer";
        }
        if (const auto txid = fact(Fact::txid)) {
            words += " " + topology_.transactional_id_name({static_cast<std::int32_t>(*txid)});
            if (const auto txn = fact(Fact::txn)) words += fmt::format("#{}", *txn);
        }
        if (const auto result = fact(Fact::result))
            words += fmt::format(" {}", model::name(static_cast<model::TxnResult>(*result)));
        if (const auto group = fact(Fact::group))
            words += " " + topology_.groups[static_cast<std::size_t>(*group)];
        if (const auto log = fact(Fact::log))
            words += " " + topology_.log_name({static_cast<std::int32_t>(*log)});
        if (const auto error = fact(Fact::error); error && *error != 0)
            words += fmt::format(" {}", model::name(static_cast<model::ErrorCode>(*error)));
        if (const auto attempt = fact(Fact::attempt); attempt && *attempt > 1)
            words += fmt::format(", attempt {}", *attempt);
        return words;
    }

    [[nodiscard]] std::string where(const World::UnderWay& message) const {
        if (message.hold) {
            const auto fault = world_.adversary().fault_behind(*message.hold);
            if (!fault) return "held";
            return "held by " +
                   scenario_.faults.faults[static_cast<std::size_t>(fault->value)].name;
        }
        if (message.delayed) return "delayed by a fault";
        if (message.handoff) return "is next";
        return message.arrived ? "has arrived" : "on its way";
    }

    void read_messages() {
        for (const auto& message : world_.under_way())
            out_.messages.push_back({words_of(message), topology_.node_name(message.from),
                                     topology_.node_name(message.to), message.sent, where(message),
                                     message.ghost});
    }

    const World& world_;
    const scenarios::Scenario& scenario_;
    const Topology& topology_;
    std::map<model::ProducerId, model::TransactionalId> producers_;
    state::Cluster out_;
};

}  // namespace

reports::state::Cluster snapshot(const World& world, const scenarios::Scenario& scenario) {
    return Reader(world, scenario).read();
}

}  // namespace eos
