// The platform: cluster, disk, costs, topics, links.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "model/bugs.hpp"
#include "scenarios/language/protocols.hpp"
#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

/// costs.preset: what is not written out takes these values. Round trips as in costs.md, section 2:
/// 0.5 ms within a zone, 1 to 2 ms across zones, 50 to 150 ms over a WAN.
struct PresetValue {
    std::string_view preset, section, field, value;
};
constexpr std::array preset_values{
    PresetValue{"one-az", "network", "latency", "200us..400us"},
    PresetValue{"one-az", "disk", "write", "20us..60us"},
    PresetValue{"one-az", "disk", "fsync", "200us..1ms"},
    PresetValue{"one-az", "costs", "byte_rate", "200MB/s"},
    PresetValue{"cross-az", "network", "latency", "500us..1ms"},
    PresetValue{"cross-az", "disk", "write", "20us..60us"},
    PresetValue{"cross-az", "disk", "fsync", "200us..1ms"},
    PresetValue{"cross-az", "costs", "byte_rate", "200MB/s"},
    PresetValue{"wan", "network", "latency", "25ms..75ms"},
    PresetValue{"wan", "disk", "fsync", "200us..1ms"},
    PresetValue{"laptop", "network", "latency", "50us..150us"},
    PresetValue{"laptop", "costs", "threads", "4"},
    PresetValue{"slow-disks", "network", "latency", "200us..400us"},
    PresetValue{"slow-disks", "disk", "write", "100us..500us"},
    PresetValue{"slow-disks", "disk", "fsync", "5ms..12ms"},
};

void prefer_preset(const Reading& reading, Form& form, std::string_view section) {
    const auto* costs = reading.top.get("costs");
    const auto* preset = costs ? costs->find("preset") : nullptr;
    if (preset == nullptr) return;
    for (const auto& row : preset_values)
        if (row.preset == preset->text && row.section == section) form.prefer(row.field, row.value);
}

void read_disk_and_costs(Reading& reading) {
    Form disk(reading.diagnostics, reading.top.get("disk"), disk_section, "in disk");
    prefer_preset(reading, disk, "disk");
    auto& scenario = reading.scenario;
    scenario.disk.write = disk.spread("write");
    scenario.disk.fsync = disk.spread("fsync");
    if (disk.text("flush") == "every-write") {
        scenario.disk.flush = Disk::Flush::every_write;
        scenario.cluster.flush_every_write = true;
    } else if (const auto interval = disk.optional_duration("flush")) {
        scenario.disk.flush = Disk::Flush::interval;
        scenario.disk.flush_interval = scenario.cluster.flush_interval = *interval;
        if (*interval == sim::Duration{})
            reading.error(disk.mark("flush"), "flush: an interval of 0 never ends",
                          "write every-write");
    }
    Form costs(reading.diagnostics, reading.top.get("costs"), costs_section, "in costs");
    prefer_preset(reading, costs, "costs");
    scenario.costs = {.request = costs.duration("request"),
                      .append = costs.duration("append"),
                      .byte_rate = costs.bandwidth("byte_rate").value_or(0),
                      .threads = static_cast<std::int32_t>(costs.integer("threads")),
                      .client_record = costs.duration("client_record"),
                      .checkpoint = costs.spread("checkpoint")};
}

bool legal_topic(std::string_view name) {
    return !name.empty() && name.size() <= 249 && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
           });
}

struct Copies {
    std::int32_t replication;
    std::int32_t min_insync;
};

/// Copies of the cluster, laid under those of a topic.
Copies cluster_copies(const Reading& reading) {
    const auto* cluster = reading.top.get("cluster");
    Diagnostics silent;
    const Form form(silent, cluster, cluster_section, "");
    const auto brokers = static_cast<std::int32_t>(form.integer("brokers"));
    const auto replication = form.has("replication")
                                 ? static_cast<std::int32_t>(form.integer("replication"))
                                 : std::min(3, brokers);
    const auto min_insync = form.has("min_insync")
                                ? static_cast<std::int32_t>(form.integer("min_insync"))
                                : std::min(2, replication);
    return {replication, min_insync};
}

void check_copies(Reading& reading, const Form& form, const Copies& copies) {
    if (copies.replication > reading.topology.brokers)
        reading.error(
            form.mark("replication"),
            fmt::format("replication {} is above the {} brokers{}", copies.replication,
                        reading.topology.brokers, form.where().empty() ? "" : " " + form.where()),
            "every copy needs a broker of its own");
    if (copies.min_insync > copies.replication)
        reading.error(form.mark(form.has("min_insync") ? "min_insync" : "replication"),
                      fmt::format("min_insync {} is above replication {} {}", copies.min_insync,
                                  copies.replication, form.where()),
                      "nothing could ever be acknowledged with acks=all");
}

/// placement: a list of lists of broker ids.
std::vector<std::vector<model::BrokerId>> read_placement(Reading& reading, const Form& form,
                                                         std::int32_t partitions) {
    std::vector<std::vector<model::BrokerId>> result;
    const auto* node = form.get("placement");
    if (node == nullptr) return result;
    const auto hint = fmt::format("for example placement: [[1, 2, 3]], one list per partition");
    if (!node->is_sequence()) {
        reading.error(node->mark, "placement must be a list of lists", hint);
        return result;
    }
    if (static_cast<std::int32_t>(node->items.size()) != partitions)
        reading.error(node->mark,
                      fmt::format("placement names {} partitions, the topic has {}",
                                  node->items.size(), partitions),
                      hint);
    for (const auto& list : node->items) {
        auto& row = result.emplace_back();
        if (!list.is_sequence() || list.items.empty()) {
            reading.error(list.mark, "placement must be a list of lists of broker ids", hint);
            continue;
        }
        for (const auto& item : list.items) {
            const auto id = parse_unsigned(item.text);
            const auto brokers = static_cast<std::uint64_t>(reading.topology.brokers);
            if (!id || *id.value < 1 || *id.value > brokers) {
                reading.error(item.mark, fmt::format("placement names broker {}, there are 1 to {}",
                                                     shape(item), brokers));
                continue;
            }
            const model::BrokerId broker{static_cast<std::int32_t>(*id.value)};
            if (std::find(row.begin(), row.end(), broker) != row.end())
                reading.error(item.mark, fmt::format("placement names broker {} twice", item.text));
            row.push_back(broker);
        }
    }
    return result;
}

/// Adds a topic and its logs. Without a placement leaders go round the brokers.
void add_topic(Reading& reading, const std::string& name, const Form& form, Copies copies,
               std::int32_t partitions, bool internal) {
    auto& topology = reading.topology;
    const auto placement = read_placement(reading, form, partitions);
    if (!placement.empty() && !form.has("replication")) {
        copies.replication = static_cast<std::int32_t>(placement.front().size());
        if (!form.has("min_insync"))
            copies.min_insync = std::min(copies.min_insync, copies.replication);
    }
    if (form.has("replication") && !form.has("min_insync"))
        copies.min_insync = std::min(copies.min_insync, copies.replication);
    if (form.has("replication") || form.has("min_insync") || form.has("config"))
        check_copies(reading, form, copies);
    for (const auto& row : placement)
        if (!row.empty() && static_cast<std::int32_t>(row.size()) != copies.replication)
            reading.error(form.mark("placement"),
                          fmt::format("placement gives {} copies, replication is {}", row.size(),
                                      copies.replication));
    const auto index = static_cast<std::int32_t>(topology.topics.size());
    model::Topic topic;
    topic.name = name;
    topic.first = {static_cast<std::int32_t>(topology.logs.size())};
    topic.partitions = partitions;
    topic.min_insync = std::min(copies.min_insync, copies.replication);
    topic.internal = internal;
    topic.preload = internal ? 0 : form.integer("preload");
    for (std::int32_t p = 0; p < partitions; ++p) {
        model::Log log{.topic = {index}, .partition = {p}, .replicas = {}};
        if (static_cast<std::size_t>(p) < placement.size()) {
            log.replicas = placement[static_cast<std::size_t>(p)];
        } else {
            for (std::int32_t r = 0; r < copies.replication; ++r)
                log.replicas.push_back({(index + p + r) % topology.brokers + 1});
        }
        topology.logs.push_back(std::move(log));
    }
    topology.topics.push_back(std::move(topic));
}

void settle_topic_config(Reading& reading, const Form& form, Copies& copies) {
    const auto* config = form.get("config");
    if (config == nullptr) return;
    const auto set = apply_settings(reading, config, {.topic = true}, form.where());
    if (!set.contains("min.insync.replicas")) return;
    const auto* value = config->find("min.insync.replicas");
    if (form.has("min_insync"))
        reading.error(value->mark, "min.insync.replicas is given beside min_insync",
                      "remove one of them");
    copies.min_insync =
        static_cast<std::int32_t>(parse_integer(value->text).value.value_or(copies.min_insync));
}

void add_user_topic(Reading& reading, const Key& key, const Node& node) {
    const auto where = fmt::format("in topic '{}'", key.text);
    const Form form(reading.diagnostics, &node, topic_section, where);
    auto copies = cluster_copies(reading);
    if (form.has("replication"))
        copies.replication = static_cast<std::int32_t>(form.integer("replication"));
    if (form.has("min_insync"))
        copies.min_insync = static_cast<std::int32_t>(form.integer("min_insync"));
    settle_topic_config(reading, form, copies);
    add_topic(reading, key.text, form, copies,
              static_cast<std::int32_t>(form.integer("partitions")), false);
}

constexpr std::string_view offsets_name = "__consumer_offsets";
constexpr std::string_view transactions_name = "__transaction_state";

model::TopicId add_internal_topic(Reading& reading, std::string_view name) {
    const auto* topics = reading.top.get("topics");
    const auto* node = topics ? topics->find(name) : nullptr;
    const auto where = fmt::format("in topic '{}'", name);
    const Form form(reading.diagnostics, node, topic_section, where);
    auto copies = cluster_copies(reading);
    if (form.has("replication"))
        copies.replication = static_cast<std::int32_t>(form.integer("replication"));
    if (form.has("min_insync"))
        copies.min_insync = static_cast<std::int32_t>(form.integer("min_insync"));
    settle_topic_config(reading, form, copies);
    if (form.has("preload"))
        reading.error(form.key_mark("preload"), fmt::format("{} cannot be preloaded", name));
    constexpr std::int32_t usual = 4;  // language.md 3: instead of Kafka's 50
    const auto partitions =
        form.has("partitions") ? static_cast<std::int32_t>(form.integer("partitions")) : usual;
    const model::TopicId id{static_cast<std::int32_t>(reading.topology.topics.size())};
    add_topic(reading, std::string(name), form, copies, partitions, true);
    return id;
}

}  // namespace

void read_cluster(Reading& reading) {
    auto& scenario = reading.scenario;
    const Form form(reading.diagnostics, reading.top.get("cluster"), cluster_section, "in cluster");
    reading.topology.brokers = static_cast<std::int32_t>(form.integer("brokers"));
    if (form.has("controllers") && form.integer("controllers") != 1)
        refuse_unmodelled(reading.diagnostics, form.mark("controllers"),
                          fmt::format("controllers: {}", form.text("controllers")),
                          "a quorum of controllers; use 1");
    const auto* protocol = protocol_named(form.text("protocol"));
    if (protocol == nullptr) {
        std::vector<std::string> names;
        for (const auto& row : protocols()) names.emplace_back(row.name);
        auto hint = suggestion(form.text("protocol"), names);
        if (hint.empty()) hint = fmt::format("one of {}", fmt::join(names, ", "));
        reading.error(form.mark("protocol"),
                      fmt::format("'{}' is not a protocol", form.text("protocol")), hint);
        protocol = protocol_named("kafka-4.2");
    }
    auto& cluster = scenario.cluster;
    scenario.protocol = protocol->name;
    scenario.bugs = form.texts("bugs");
    cluster.metadata = protocol->metadata;
    cluster.broker_session = protocol->session;
    if (form.has("metadata"))
        cluster.metadata = form.text("metadata") == "zookeeper" ? model::MetadataMode::zookeeper
                                                                : model::MetadataMode::kraft;
    reading.has_consumer_groups = protocol->consumer_groups;
    if (form.text("group_protocol") == "consumer") {
        reading.group_protocol = model::GroupProtocol::consumer;
        if (!protocol->consumer_groups)
            reading.error(form.mark("group_protocol"),
                          fmt::format("{} has no groups of KIP-848", protocol->name),
                          "they exist since kafka-4.0: choose it, or group_protocol: classic");
    }
    for (const auto lacking : protocol->lacks) cluster.safeguards.remove(lacking);
    cluster.transaction_version =
        form.has("transaction_version")
            ? static_cast<model::TransactionVersion>(form.integer("transaction_version"))
            : protocol->transactions;
    for (const auto* bug :
         apply_safeguards(reading, form, model::Side::cluster, cluster.safeguards)) {
        if (!bug->newest || cluster.transaction_version <= *bug->newest) continue;
        if (form.has("transaction_version"))
            reading.error(form.mark("bugs"),
                          fmt::format("{} cannot be had with transaction_version {}", bug->name,
                                      form.integer("transaction_version")),
                          fmt::format("transaction_version {} or older, or leave it out",
                                      static_cast<int>(*bug->newest)));
        cluster.transaction_version = *bug->newest;
    }
    cluster.dedup_batches = static_cast<std::int32_t>(form.integer("dedup_batches"));
    cluster.max_producer_epoch = static_cast<std::int16_t>(form.integer("max_producer_epoch"));
    cluster.max_sequence = static_cast<std::int32_t>(form.integer("max_sequence"));
    const auto set =
        apply_settings(reading, form.get("config"), {.cluster = &cluster}, "in cluster");
    if (cluster.consumer_group_heartbeat >= cluster.consumer_group_session)
        reading.error(form.mark("config"),
                      "group.consumer.heartbeat.interval.ms is not below "
                      "group.consumer.session.timeout.ms",
                      "the broker refuses to start");
    if (form.has("unclean_election")) cluster.unclean_election = form.flag("unclean_election");
    check_copies(reading, form, cluster_copies(reading));
    read_disk_and_costs(reading);
    const Form limits(reading.diagnostics, reading.top.get("limits"), limits_section, "in limits");
    scenario.limits = {static_cast<std::uint64_t>(limits.integer("events")),
                       static_cast<std::uint64_t>(limits.integer("records")),
                       limits.optional_duration("wall")};
}

void read_topics(Reading& reading) {
    const auto* topics = reading.top.get("topics");
    if (topics == nullptr) return;
    for (std::size_t i = 0; i < topics->items.size(); ++i) {
        const auto& key = topics->keys[i];
        if (key.text == transactions_name || key.text == offsets_name) {
            continue;
        } else if (!legal_topic(key.text)) {
            reading.error(
                key.mark,
                fmt::format("'{}' is not a topic name", std::string_view(key.text).substr(0, 80)),
                "letters, digits, '.', '_' and '-', at most 249");
        } else {
            reading.topic_names.push_back(key.text);
            add_user_topic(reading, key, topics->items[i]);
        }
    }
    reading.topology.offsets_topic = add_internal_topic(reading, offsets_name);
    constexpr std::size_t most = 5000;
    if (reading.topology.logs.size() > most)
        reading.error(reading.top.mark("topics"),
                      fmt::format("{} partitions are more than a simulation can use",
                                  reading.topology.logs.size()),
                      fmt::format("at most {}", most));
}

void add_transaction_topic(Reading& reading) {
    const auto* topics = reading.top.get("topics");
    const bool listed = topics != nullptr && topics->find(transactions_name) != nullptr;
    if (listed || !reading.topology.transactional_ids.empty() ||
        !reading.topology.job_prefixes.empty())
        reading.topology.transaction_topic = add_internal_topic(reading, transactions_name);
}

namespace {

/// One end of a link as sorted nodes.
std::vector<sim::NodeId> link_end(Reading& reading, const Node& node) {
    const auto& topology = reading.topology;
    std::vector<sim::NodeId> result;
    const std::string_view text = node.text;
    const auto add_app = [&](std::size_t app) {
        const auto nodes = reading.scenario.apps[app].config.nodes();
        for (std::int32_t i = 0; i < nodes; ++i)
            result.push_back(topology.app_first_node[app] + i);
    };
    if (text == "everyone" || text == "brokers")
        for (const auto broker : topology.all_brokers()) result.push_back(broker);
    if (text == "everyone" || text == "controller") result.push_back(model::Topology::controller());
    if (text == "everyone" || text == "apps")
        for (std::size_t i = 0; i < topology.apps.size(); ++i) add_app(i);
    for (std::size_t i = 0; i < topology.stores.size(); ++i)
        if (text == "everyone" || text == "stores" || text == "store:" + topology.stores[i].name)
            result.push_back(topology.first_store + static_cast<std::int32_t>(i));
    if (text.starts_with("broker:")) {
        const auto id = parse_unsigned(text.substr(7));
        if (id && *id.value >= 1 && *id.value <= static_cast<std::uint64_t>(topology.brokers))
            result.push_back({static_cast<std::int32_t>(*id.value)});
    }
    if (text.starts_with("app:")) {
        const auto slash = text.find('/');
        const auto app = reading.app(text.substr(4, slash == text.npos ? slash : slash - 4));
        if (app && slash == text.npos) {
            add_app(static_cast<std::size_t>(app->value));
        } else if (app) {
            const auto instance = parse_unsigned(text.substr(slash + 1));
            const auto& config = reading.scenario.apps[static_cast<std::size_t>(app->value)].config;
            if (instance && *instance.value < static_cast<std::uint64_t>(config.instances))
                result.push_back(
                    topology.node_of({*app, static_cast<std::int32_t>(*instance.value)}));
        }
    }
    if (result.empty())
        reading.error(node.mark, fmt::format("{} is nobody a link could end at", shape(node)),
                      "broker:N, brokers, controller, app:NAME, app:NAME/I, apps or everyone");
    std::sort(result.begin(), result.end());
    return result;
}

}  // namespace

void read_network(Reading& reading) {
    Form form(reading.diagnostics, reading.top.get("network"), network_section, "in network");
    prefer_preset(reading, form, "network");
    auto& network = reading.scenario.network;
    network.latency = form.spread("latency");
    network.bandwidth = form.bandwidth("bandwidth");
    network.disconnect = form.chance("disconnect");
    network.ghosts = form.chance("ghosts");
    if (const auto* spikes = form.get("spikes")) {
        const Form spike(reading.diagnostics, spikes, spikes_section, "in spikes");
        network.spike_chance = spike.chance("chance");
        network.spike_latency = spike.spread("latency");
    }
    for (const auto* node : form.list("links")) {
        const Form link(reading.diagnostics, node, link_section, "in a link");
        const auto ends = link.list("between");
        if (ends.size() != 2) {
            if (link.has("between"))
                reading.error(link.mark("between"), "a link has two ends",
                              "for example between: [broker:1, broker:2]");
            continue;
        }
        LinkRule rule;
        rule.from = link_end(reading, *ends[0]);
        rule.to = link_end(reading, *ends[1]);
        if (link.has("latency")) rule.latency = link.spread("latency");
        rule.bandwidth = link.bandwidth("bandwidth");
        rule.oneway = link.flag("oneway");
        if (!rule.latency && !rule.bandwidth)
            reading.error(node->mark, "this link differs in nothing",
                          "give it a latency or a bandwidth");
        network.links.push_back(std::move(rule));
    }
}

}  // namespace eos::scenarios
