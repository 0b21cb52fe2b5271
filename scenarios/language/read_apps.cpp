// Applications: kind, mode, client profile, mistakes and config become the model's settings;
// programs are in read_program.cpp.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "model/bugs.hpp"
#include "scenarios/language/protocols.hpp"
#include "scenarios/language/read_jobs.hpp"
#include "scenarios/language/read_program.hpp"
#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

using model::AppKind;
using model::Mode;

template <class E>
std::optional<E> enumerator(const Words& words, std::string_view text, std::size_t modelled) {
    for (std::size_t i = 0; i < modelled; ++i)
        if (words.rows[i].name == text) return static_cast<E>(i);
    return std::nullopt;
}

std::uint8_t bit(AppKind kind) {
    switch (kind) {
        case AppKind::producer:
            return 1;
        case AppKind::consumer:
            return 2;
        case AppKind::processor:
            return 4;
        case AppKind::sink:
            return 8;
        case AppKind::flink_job:
            return for_jobs;
    }
    return 0;
}

/// Fields that this kind does not have are errors, not decoration.
void check_fields_of_kind(Reading& reading, const Form& form, AppKind kind) {
    for (const auto& field : app_section.fields)
        if ((field.kinds & bit(kind)) == 0 && form.has(field.name))
            reading.error(
                form.key_mark(field.name),
                fmt::format("a {} has no '{}' ({})", name_of(kind), field.name, form.where()),
                std::string(field.help));
    const bool reads = kind != AppKind::producer;
    const bool writes = kind == AppKind::producer || kind == AppKind::processor;
    if (reads && !form.has("from"))
        reading.error(form.mark(), fmt::format("'from' is missing {}", form.where()),
                      fmt::format("a {} reads at least one topic", name_of(kind)));
    if (writes && !form.has("to") && !form.has("steps") && !form.has("workload"))
        reading.error(form.mark(), fmt::format("'to' is missing {}", form.where()),
                      fmt::format("a {} writes at least one topic", name_of(kind)));
}

void lay_client(const ClientEntry& client, model::AppConfig& app) {
    app.producer.acks = client.acks;
    app.producer.linger = client.linger;
    app.producer.retries = client.retries;
    app.consumer.session_timeout = client.session;
    for (const auto lacking : client.lacks) {
        app.producer.safeguards.remove(lacking);
        app.consumer.safeguards.remove(lacking);
    }
}

void lay_mode(Mode mode, model::AppConfig& app) {
    constexpr std::int32_t unlimited = 2147483647;
    app.consumer.auto_commit = mode == Mode::client_defaults;
    switch (mode) {
        case Mode::client_defaults:
            return;
        case Mode::at_most_once:
            app.producer.acks = model::Acks::leader;
            app.producer.retries = 0;
            app.producer.idempotence = false;
            return;
        case Mode::at_least_once:
        case Mode::idempotent:
        case Mode::exactly_once:
            app.producer.acks = model::Acks::all;
            app.producer.retries = unlimited;
            app.producer.idempotence = mode != Mode::at_least_once;
            if (mode == Mode::exactly_once)
                app.consumer.isolation = model::Isolation::read_committed;
            return;
    }
}

void lay_mistakes(const std::vector<std::string>& mistakes, model::AppConfig& app) {
    for (const auto& mistake : mistakes) {
        if (mistake == "auto-commit-on") app.consumer.auto_commit = true;
        if (mistake == "random-transactional-id") app.txid = model::TxidPolicy::per_start;
        if (mistake == "shared-transactional-id") app.txid = model::TxidPolicy::shared;
        if (mistake == "no-rewind-after-abort") app.rewinds_after_abort = false;
        if (mistake == "read-uncommitted")
            app.consumer.isolation = model::Isolation::read_uncommitted;
        if (mistake == "unsafe-inflight") {
            app.producer.idempotence = false;
            app.producer.max_in_flight = 5;
        }
    }
}

/// What the producer itself would refuse, with its reasons (ProducerConfig.java,
/// postProcessAndValidateIdempotenceConfigs; KafkaProducer.configureDeliveryTimeout).
void check_producer(Reading& reading, const Form& form, model::AppConfig& app, bool demanded,
                    const std::set<std::string, std::less<>>& set) {
    auto& producer = app.producer;
    const auto* config = form.get("config");
    const auto at = [&](std::string_view name) {
        const auto* node = config ? config->find(name) : nullptr;
        return node ? node->mark : form.mark(form.has("mode") ? "mode" : "kind");
    };
    constexpr std::string_view in_flight = "max.in.flight.requests.per.connection";
    constexpr std::int32_t in_flight_max = 5;
    if (producer.idempotence && demanded) {
        if (producer.acks != model::Acks::all)
            reading.error(at("acks"), fmt::format("idempotence needs acks=all {}", form.where()),
                          "the client refuses it: 'Must set acks to all in order to use the "
                          "idempotent producer'");
        if (producer.retries == 0)
            reading.error(at("retries"), fmt::format("idempotence needs retries {}", form.where()),
                          "the client refuses it: 'Must set retries to non-zero when using the "
                          "idempotent producer'");
        if (producer.max_in_flight > in_flight_max)
            reading.error(
                at(in_flight),
                fmt::format("idempotence allows at most 5 requests in flight {}", form.where()),
                "the client refuses it: 'Must set max.in.flight.requests.per.connection "
                "to at most 5 to use the idempotent producer'");
    } else if (producer.idempotent()) {
        std::string_view culprit;
        if (producer.max_in_flight > in_flight_max) culprit = in_flight;
        if (producer.retries == 0) culprit = "retries";
        if (producer.acks != model::Acks::all) culprit = "acks";
        if (!culprit.empty()) {
            producer.idempotence = false;
            reading.warn(
                at(culprit), "acks-idempotence",
                fmt::format("{} switches idempotence off {}", culprit, form.where()),
                "say enable.idempotence: false if that is meant");
        }
    }
    const auto least = producer.linger + producer.client.request_timeout;
    if (producer.delivery_timeout < least) {
        if (set.contains("delivery.timeout.ms"))
            reading.error(
                at("delivery.timeout.ms"),
                fmt::format("delivery.timeout.ms is below linger.ms + "
                            "request.timeout.ms {}",
                            form.where()),
                fmt::format("the client refuses it; the sum is {}", duration_text(least)));
        else
            producer.delivery_timeout = least;
    }
    if (app.size > producer.max_request_size)
        reading.error(form.mark("size"),
                      fmt::format("a record of {} bytes is above "
                                  "max.request.size {}",
                                  app.size, form.where()),
                      "raise max.request.size in config");
}

/// What the consumer itself would refuse about its group protocol, with its reasons
/// (ConsumerConfig, unsupported configs of each protocol; KIP-848).
void check_group_protocol(Reading& reading, const Form& form, const model::AppConfig& app,
                          const ClientEntry* client,
                          const std::set<std::string, std::less<>>& set) {
    const auto* config = form.get("config");
    const auto at = [&](std::string_view name) {
        const auto* node = config ? config->find(name) : nullptr;
        return node ? node->mark : form.mark();
    };
    const bool own = set.contains("group.protocol");
    if (app.consumer.protocol == model::GroupProtocol::classic) {
        if (set.contains("group.remote.assignor"))
            reading.error(at("group.remote.assignor"),
                          fmt::format("group.remote.assignor needs group.protocol: consumer {}",
                                      form.where()),
                          "the client refuses it: 'cannot be set when group.protocol=CLASSIC'");
        return;
    }
    for (const std::string_view name :
         {"partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"}) {
        if (!set.contains(name)) continue;
        const std::string_view instead =
            name == "partition.assignment.strategy" ? "group.remote.assignor here"
            : name == "session.timeout.ms" ? "group.consumer.session.timeout.ms in cluster.config"
                                           : "group.consumer.heartbeat.interval.ms in "
                                             "cluster.config";
        reading.error(at(name),
                      fmt::format("{} has no place beside group.protocol: consumer {}", name,
                                  form.where()),
                      fmt::format("the client refuses it: 'cannot be set when "
                                  "group.protocol=CONSUMER'; use {}, or group.protocol: classic",
                                  instead));
    }
    if (own && !reading.has_consumer_groups)
        reading.error(at("group.protocol"),
                      fmt::format("{} has no groups of KIP-848 {}", reading.scenario.protocol,
                                  form.where()),
                      "they exist since kafka-4.0; the client raises UnsupportedVersionException");
    if (client != nullptr && !client->consumer_groups)
        reading.error(own ? at("group.protocol") : form.mark("client"),
                      fmt::format("client '{}' has no group.protocol {}", client->name,
                                  form.where()),
                      "it is older than KIP-848: config: { group.protocol: classic }");
}

void read_workload(Reading& reading, const Form& form, model::AppConfig& app) {
    const auto* node = form.get("workload");
    if (node == nullptr) return;
    const bool map = node->is_map() && node->items.size() == 1;
    if (!node->is_scalar() && !map) {
        reading.error(
            node->mark,
            fmt::format("a workload is a word or a map with one key, not {}", shape(*node)),
            "for example workload: { transfers: { accounts: 10 } }");
        return;
    }
    const Node word = map ? Node::scalar(node->keys[0].text, node->keys[0].mark) : *node;
    if (!check_word(reading.diagnostics, workloads, word, form.where())) return;
    app.workload.kind = *enumerator<model::WorkloadKind>(workloads, word.text, 4);
    if (!map) return;
    const auto& options = node->items[0];
    for (std::size_t i = 0; i < options.keys.size(); ++i) {
        const auto& key = options.keys[i];
        const auto& value = options.items[i];
        const bool transfers = app.workload.kind == model::WorkloadKind::transfers;
        if (transfers && (key.text == "accounts" || key.text == "amount")) {
            const auto number = parse_unsigned(value.text);
            if (!value.is_scalar() || !number || *number.value < 1 || *number.value > 1'000'000)
                reading.error(value.mark, fmt::format("{} must be between 1 and 1000000, not {}",
                                                      key.text, shape(value)));
            else
                (key.text == "accounts" ? app.workload.accounts : app.workload.amount) =
                    static_cast<std::int32_t>(*number.value);
        } else if (app.workload.kind == model::WorkloadKind::fan_out && key.text == "to") {
            if (value.is_scalar()) {
                if (const auto topic = reading.need_topic(value)) app.workload.to.push_back(*topic);
            }
            for (const auto& item : value.items)
                if (const auto topic = reading.need_topic(item)) app.workload.to.push_back(*topic);
        } else {
            reading.error(key.mark, fmt::format("workload '{}' has no '{}'", word.text, key.text));
        }
    }
    if (!options.is_map())
        reading.error(options.mark, "the options of a workload are a map",
                      "for example { accounts: 10, amount: 100 }");
}

std::vector<model::TopicId> read_topic_list(Reading& reading, const Form& form,
                                            std::string_view field) {
    std::vector<model::TopicId> result;
    for (const auto* node : form.list(field)) {
        const auto topic = reading.need_topic(*node);
        if (topic && std::find(result.begin(), result.end(), *topic) != result.end())
            reading.error(node->mark, fmt::format("'{}' is named twice", node->text));
        else if (topic)
            result.push_back(*topic);
    }
    return result;
}

void read_group(Reading& reading, const Form& form, model::AppConfig& app) {
    if (!app.consumes()) return;
    const auto name = form.has("group") ? form.text("group") : app.name;
    auto& groups = reading.topology.groups;
    const auto found = std::find(groups.begin(), groups.end(), name);
    app.consumer.group = model::GroupId{static_cast<std::int32_t>(found - groups.begin())};
    if (found == groups.end()) groups.push_back(name);
}

void read_writing(const Form& form, model::AppConfig& app) {
    app.records = form.optional_integer("records");
    app.rate_per_kilosecond = form.rate("rate");
    app.size = static_cast<std::int32_t>(form.size("size"));
    if (form.text("keys") == "none")
        app.keys.reset();
    else
        app.keys = static_cast<std::uint32_t>(form.integer("keys"));
    app.source =
        form.text("source") == "push" ? model::SourceKind::push : model::SourceKind::replay;
    if (const auto* node = form.get("burst")) {
        Diagnostics silent;  // its problems are reported by the caller
        const Form burst(silent, node, burst_section, "");
        app.burst_size = static_cast<std::int32_t>(burst.integer("size"));
        app.burst_every = burst.duration("every");
    }
}

bool transactional(const model::AppConfig& app) {
    const auto speaks = [](const model::Step& step) {
        return step.kind == model::StepKind::init || step.kind == model::StepKind::begin;
    };
    return app.produces() && (app.mode == Mode::exactly_once ||
                              std::any_of(app.steps.begin(), app.steps.end(), speaks) ||
                              std::any_of(app.setup.begin(), app.setup.end(), speaks));
}

model::TransactionalId intern_txid(Reading& reading, const std::string& name) {
    auto& ids = reading.topology.transactional_ids;
    const auto found = std::find(ids.begin(), ids.end(), name);
    const model::TransactionalId id{static_cast<std::int32_t>(found - ids.begin())};
    if (found == ids.end()) ids.push_back(name);
    return id;
}

/// Names of transactional ids are known beforehand, except those drawn at every start.
void read_transactional_id(Reading& reading, const Form& form, App& result) {
    auto& app = result.config;
    const auto* config = form.get("config");
    const auto* given = config ? config->find("transactional.id") : nullptr;
    if (given != nullptr && given->is_scalar() && !given->text.empty()) {
        app.txid = model::TxidPolicy::given;
        app.first_txid = intern_txid(reading, given->text);
    } else if (transactional(app) && app.txid == model::TxidPolicy::shared) {
        app.first_txid = intern_txid(reading, app.name);
    } else if (transactional(app)) {
        // Consecutive, so that instance i has first_txid + i.
        auto& ids = reading.topology.transactional_ids;
        app.first_txid = model::TransactionalId{static_cast<std::int32_t>(ids.size())};
        for (std::int32_t i = 0; i < app.instances; ++i)
            ids.push_back(fmt::format("{}-{}", app.name, i));
    }
    app.producer.transaction_version = reading.scenario.cluster.transaction_version;
    const auto& cluster = reading.scenario.cluster;
    if (app.first_txid && app.producer.transaction_timeout > cluster.transaction_max_timeout)
        reading.warn(config ? config->mark : form.mark(), "timeout-order",
                     fmt::format("transaction.timeout.ms is above transaction.max.timeout.ms {}",
                                 form.where()),
                     "the coordinator refuses it: INVALID_TRANSACTION_TIMEOUT");
}

/// Before the program is read: whether a sink will have a producer for its offsets.
bool speaks_of_transactions(const Form& form, Mode mode) {
    if (!form.has("steps")) return mode == Mode::exactly_once && form.text("offsets") == "kafka";
    const auto steps = form.list("steps");
    return std::any_of(steps.begin(), steps.end(), [](const Node* step) {
        const auto& word = step->is_map() && !step->keys.empty() ? step->keys[0].text : step->text;
        return word == "init" || word == "begin" || word == "send_offsets";
    });
}

App read_app(Reading& reading, const Key& key, const Node& node, model::AppId id) {
    const Form form(reading.diagnostics, &node, app_section, fmt::format("in app '{}'", key.text));
    App result;
    auto& app = result.config;
    app.name = key.text;
    app.id = id;
    app.kind = enumerator<AppKind>(kinds, form.text("kind"), 8).value_or(AppKind::producer);
    app.mode = enumerator<Mode>(modes, form.text("mode"), 5).value_or(Mode::client_defaults);
    result.client = form.text("client");
    result.mistakes = form.texts("mistakes");
    result.bugs = form.texts("bugs");
    result.without = form.texts("without");
    if (form.has("kind")) check_fields_of_kind(reading, form, app.kind);

    app.instances = static_cast<std::int32_t>(form.integer("instances"));
    app.start_manually = form.text("start") == "manual";
    app.start = app.start_manually ? sim::Spread{} : form.spread("start");
    if (form.text("restart") == "never")
        app.restart.reset();
    else
        app.restart = form.spread("restart");
    app.from = read_topic_list(reading, form, "from");
    app.to = read_topic_list(reading, form, "to");
    app.batch = static_cast<std::int32_t>(form.integer("batch"));
    app.work = form.spread("work");
    app.poison = form.chance("poison");
    app.aborts = form.chance("aborts");
    app.transactional_sink = app.kind == AppKind::sink && speaks_of_transactions(form, app.mode);
    const auto& policy = form.text("txid");
    if (policy == "per-start") app.txid = model::TxidPolicy::per_start;
    if (policy == "shared") app.txid = model::TxidPolicy::shared;
    app.client_record = reading.scenario.costs.client_record;
    if (const auto* burst = form.get("burst"))
        (void)Form(reading.diagnostics, burst, burst_section,
                   fmt::format("{}, burst", form.where()));
    if (const auto* dedup = form.get("dedup")) {
        const Form filter(reading.diagnostics, dedup, dedup_section,
                          fmt::format("{}, dedup", form.where()));
        app.dedup = model::DuplicateFilter{.by = filter.text("by") == "offset"
                                                     ? model::DuplicateFilter::By::offset
                                                     : model::DuplicateFilter::By::event,
                                           .remember = filter.optional_duration("remember")};
    }
    read_writing(form, app);
    read_workload(reading, form, app);
    read_group(reading, form, app);

    const auto* client = client_named(result.client);
    if (client != nullptr) lay_client(*client, app);
    app.consumer.protocol = reading.group_protocol;
    if (!reading.has_consumer_groups || (client != nullptr && !client->consumer_groups))
        app.consumer.offset_commit_version = 8;  // 9 came with KIP-848
    auto safeguards = app.producer.safeguards;
    for (const auto* bug : apply_safeguards(reading, form, model::Side::client, safeguards))
        if (!bug->mistake.empty()) result.mistakes.emplace_back(bug->mistake);
    app.producer.safeguards = app.consumer.safeguards = safeguards;
    lay_mode(app.mode, app);
    if (app.is_job()) lay_job(reading, form, app);
    if (form.has("isolation"))
        app.consumer.isolation = form.text("isolation") == "read-committed"
                                     ? model::Isolation::read_committed
                                     : model::Isolation::read_uncommitted;
    lay_mistakes(result.mistakes, app);
    const auto set = apply_settings(reading, form.get("config"),
                                    {.producer = app.produces() ? &app.producer : nullptr,
                                     .consumer = app.consumes() ? &app.consumer : nullptr,
                                     .job = app.is_job() ? &app.job : nullptr},
                                    form.where());
    if (app.is_job()) check_job(reading, form, app, set);
    if (app.consumes() && !app.is_job()) check_group_protocol(reading, form, app, client, set);
    result.static_members = set.contains("group.instance.id");
    const bool demanded = app.mode == Mode::idempotent || app.mode == Mode::exactly_once ||
                          set.contains("enable.idempotence") || set.contains("transactional.id");
    app.producer.idempotence_unset =
        app.mode == Mode::client_defaults && !set.contains("enable.idempotence");
    if (app.produces()) check_producer(reading, form, app, demanded, set);
    app.producer.max_producer_epoch = reading.scenario.cluster.max_producer_epoch;
    app.producer.max_sequence = reading.scenario.cluster.max_sequence;
    read_program(reading, form, result);
    if (app.is_job())
        read_job_prefix(reading, form, app);
    else if (app.produces())
        read_transactional_id(reading, form, result);
    return result;
}

}  // namespace

std::string_view name_of(model::AppKind kind) {
    return kinds.rows[static_cast<std::size_t>(kind)].name;
}
std::string_view name_of(model::Mode mode) {
    return modes.rows[static_cast<std::size_t>(mode)].name;
}

void read_apps(Reading& reading) {
    const auto* apps = reading.top.get("apps");
    if (apps == nullptr) return;
    Diagnostics silent;
    for (std::size_t i = 0; i < apps->items.size(); ++i) {
        const auto& key = apps->keys[i];
        static const Field name{.name = "app name", .type = Type::slug};
        Node scalar = Node::scalar(key.text, key.mark);
        (void)check_value(reading.diagnostics, name, scalar, "");
        reading.app_names.push_back(key.text);
        reading.topology.apps.push_back(key.text);
    }
    std::int64_t nodes = reading.topology.brokers + 1;
    for (std::size_t i = 0; i < apps->items.size(); ++i) {
        auto app = read_app(reading, apps->keys[i], apps->items[i], {static_cast<std::int32_t>(i)});
        reading.topology.app_first_node.push_back({static_cast<std::int32_t>(nodes)});
        nodes += app.config.nodes();
        reading.topology.job_managers.push_back(
            app.config.is_job() ? std::optional(sim::NodeId{static_cast<std::int32_t>(nodes - 1)})
                                : std::nullopt);
        reading.scenario.apps.push_back(std::move(app));
    }
    reading.topology.first_store = {static_cast<std::int32_t>(nodes)};
    nodes += static_cast<std::int64_t>(reading.topology.stores.size());
    constexpr std::int64_t most = 2000;
    if (nodes > most)
        reading.error(apps->mark, fmt::format("{} nodes are more than a simulation can use", nodes),
                      fmt::format("at most {}", most));
}

}  // namespace eos::scenarios
