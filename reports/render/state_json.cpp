#include <algorithm>

#include <nlohmann/json.hpp>

#include "reports/render/state.hpp"

namespace eos::reports {
namespace {

using StateJson = nlohmann::ordered_json;

std::int64_t micros_of(sim::Instant at) { return at.time_since_epoch().count() / 1000; }
std::int64_t micros_of(sim::Duration time) { return time.count() / 1000; }

template <class T>
void put(StateJson& json, const char* key, const std::optional<T>& value) {
    if (value) json[key] = *value;
}
void put(StateJson& json, const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
}

template <class Rows, class Each>
StateJson each(const Rows& rows, Each one) {
    auto list = StateJson::array();
    for (const auto& row : rows) list.push_back(one(row));
    return list;
}

StateJson json_of(const state::Node& node) {
    StateJson json;
    json["name"] = node.name;
    json["kind"] = node.kind;
    json["condition"] = node.condition;
    json["ended"] = node.ended;
    put(json, "broker_epoch", node.broker_epoch);
    if (node.kind == "broker") json["fenced"] = node.fenced;
    return json;
}

StateJson json_of(const state::Replica& r) {
    StateJson json;
    json["broker"] = r.broker;
    json["condition"] = r.condition;
    json["leads"] = r.leads;
    json["in_sync"] = r.in_sync;
    json["log_start"] = r.log_start;
    json["last_stable_offset"] = r.last_stable;
    json["high_watermark"] = r.high_watermark;
    json["log_end"] = r.log_end;
    json["stored"] = r.stored;
    put(json, "last_epoch", r.last_epoch);
    return json;
}

StateJson json_of(const state::OpenTransaction& open) {
    StateJson json;
    json["producer_id"] = open.producer_id;
    json["epoch"] = open.epoch;
    json["first_offset"] = open.first_offset;
    put(json, "txid", open.txid);
    return json;
}

StateJson json_of(const state::Partition& p) {
    StateJson json;
    json["name"] = p.name;
    json["internal"] = p.internal;
    put(json, "leader", p.leader);
    json["leader_epoch"] = p.leader_epoch;
    json["in_sync"] = p.in_sync;
    if (!p.elr.empty()) json["elr"] = p.elr;
    put(json, "first_unstable", p.first_unstable);
    json["open"] = each(p.open, [](const auto& row) { return json_of(row); });
    json["replicas"] = each(p.replicas, [](const auto& row) { return json_of(row); });
    return json;
}

StateJson json_of(const state::Producer& p) {
    StateJson json;
    json["partition"] = p.partition;
    json["broker"] = p.broker;
    json["producer_id"] = p.producer_id;
    json["epoch"] = p.epoch;
    put(json, "first_sequence", p.first_sequence);
    put(json, "last_sequence", p.last_sequence);
    put(json, "last_offset", p.last_offset);
    json["batches"] = p.batches;
    put(json, "open_from", p.open_from);
    put(json, "coordinator_epoch", p.coordinator_epoch);
    return json;
}

StateJson json_of(const state::Transaction& t) {
    StateJson json;
    json["txid"] = t.txid;
    json["state"] = t.state;
    put(json, "pending", t.pending);
    json["producer_id"] = t.producer_id;
    json["epoch"] = t.epoch;
    if (t.last_epoch >= 0) json["last_epoch"] = t.last_epoch;
    if (t.number > 0) json["txn"] = t.number;
    if (t.began) json["began_us"] = micros_of(*t.began);
    json["last_update_us"] = micros_of(t.last_update);
    json["timeout_us"] = micros_of(t.timeout);
    json["coordinator"] = t.coordinator;
    json["coordinator_epoch"] = t.coordinator_epoch;
    json["log"] = t.log;
    json["partitions"] = each(t.partitions, [](const auto& row) {
        StateJson part;
        part["name"] = row.partition;
        put(part, "marker", row.marker);
        return part;
    });
    return json;
}

StateJson json_of(const state::Member& m) {
    StateJson json;
    json["id"] = m.id;
    put(json, "client", m.client);
    put(json, "instance", m.instance);
    put(json, "epoch", m.epoch);
    put(json, "state", m.state);
    if (m.leads) json["leads"] = true;
    json["assigned"] = m.assigned;
    if (!m.revoking.empty()) json["revoking"] = m.revoking;
    if (m.epoch) json["target"] = m.target;
    return json;
}

StateJson json_of(const state::Group& g) {
    StateJson json;
    json["name"] = g.name;
    json["state"] = g.state;
    json["protocol"] = g.protocol;
    json["generation"] = g.generation;
    put(json, "target_epoch", g.target_epoch);
    put(json, "assignor", g.assignor);
    json["coordinator"] = g.coordinator;
    json["log"] = g.log;
    json["members"] = each(g.members, [](const auto& row) { return json_of(row); });
    json["committed"] = each(g.offsets, [](const auto& row) {
        StateJson offset;
        offset["partition"] = row.partition;
        offset["offset"] = row.offset;
        return offset;
    });
    json["pending"] = each(g.pending, [](const auto& row) {
        StateJson offset;
        offset["partition"] = row.partition;
        offset["offset"] = row.offset;
        offset["producer_id"] = row.producer_id;
        put(offset, "txid", row.txid);
        return offset;
    });
    return json;
}

StateJson json_of(const state::Loading& loading) {
    StateJson json;
    json["log"] = loading.log;
    json["broker"] = loading.broker;
    return json;
}

StateJson json_of(const state::ClientProducer& p) {
    StateJson json;
    put(json, "state", p.state);
    put(json, "txid", p.txid);
    put(json, "producer_id", p.producer_id);
    put(json, "epoch", p.epoch);
    if (p.number > 0) json["txn"] = p.number;
    put(json, "error", p.error);
    put(json, "waits_for", p.waits_for);
    json["open_sends"] = p.open_sends;
    if (!p.txid.empty()) {
        json["enrolled"] = p.enrolled;
        json["to_enrol"] = p.to_enrol;
    }
    json["partitions"] = each(p.partitions, [](const auto& row) {
        StateJson part;
        part["name"] = row.partition;
        part["next_sequence"] = row.next_sequence;
        put(part, "acked_sequence", row.acked_sequence);
        part["in_flight"] = row.in_flight;
        return part;
    });
    return json;
}

StateJson json_of(const state::Client& c) {
    StateJson json;
    json["name"] = c.name;
    json["condition"] = c.condition;
    put(json, "step", c.step);
    json["loop"] = c.loop;
    if (!c.waits_for.empty()) {
        json["waits_for"] = c.waits_for;
        json["since_us"] = micros_of(c.since);
    }
    if (c.stalled) json["stalled"] = true;
    if (c.producer) json["producer"] = json_of(*c.producer);
    if (!c.consumer) return json;
    StateJson consumer;
    put(consumer, "group", c.consumer->group);
    put(consumer, "state", c.consumer->state);
    put(consumer, "generation", c.consumer->generation);
    consumer["positions"] = each(c.consumer->positions, [](const auto& row) {
        StateJson position;
        position["partition"] = row.partition;
        put(position, "offset", row.offset);
        position["state"] = row.state;
        return position;
    });
    json["consumer"] = std::move(consumer);
    return json;
}

StateJson json_of(const state::Message& m) {
    StateJson json;
    json["sent_us"] = micros_of(m.sent);
    json["from"] = m.from;
    json["to"] = m.to;
    json["what"] = m.what;
    json["where"] = m.where;
    if (m.ghost) json["ghost"] = true;
    return json;
}

template <class Rows>
StateJson rows_of(const Rows& rows) {
    return each(rows, [](const auto& row) { return json_of(row); });
}

}  // namespace

std::string json(const state::Cluster& cluster, const std::vector<Section>& sections) {
    StateJson document;
    document["schema"] = "eosim.state/1";
    document["engine"] = cluster.engine;
    document["scenario"] = cluster.scenario;
    document["variant"] = cluster.variant;
    document["seed"] = cluster.seed;
    document["at_us"] = micros_of(cluster.at);
    document["events"] = cluster.events;
    if (!cluster.stopped_at.empty()) {
        document["stopped_at"] = cluster.stopped_at;
        document["occurrence"] = cluster.occurrence;
    }
    for (const auto section : sections) {
        switch (section) {
            case Section::nodes:
                document["nodes"] = rows_of(cluster.nodes);
                break;
            case Section::partitions:
                document["partitions"] = rows_of(cluster.partitions);
                break;
            case Section::producers:
                document["producers"] = rows_of(cluster.producers);
                break;
            case Section::transactions:
                document["transactions"] = rows_of(cluster.transactions);
                document["transactions_loading"] = rows_of(cluster.transactions_loading);
                break;
            case Section::groups:
                document["groups"] = rows_of(cluster.groups);
                document["groups_loading"] = rows_of(cluster.groups_loading);
                break;
            case Section::clients:
                document["clients"] = rows_of(cluster.clients);
                break;
            case Section::messages:
                document["messages"] = rows_of(cluster.messages);
                break;
        }
    }
    return document.dump(2) + "\n";
}

}  // namespace eos::reports
