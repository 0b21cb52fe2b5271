#include "scenarios/language/read_jobs.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scenarios/language/tables.hpp"

namespace eos::scenarios {
namespace {

using model::DeliveryGuarantee;

Mark mark_of_job(const Reading& reading, std::size_t app) {
    const auto* apps = reading.top.get("apps");
    return apps != nullptr && app < apps->keys.size() ? apps->keys[app].mark : Mark{};
}

Mark mark_of_setting(const Form& form, std::string_view name) {
    const auto* config = form.get("config");
    const auto* node = config ? config->find(name) : nullptr;
    return node ? node->mark : form.mark(form.has("mode") ? "mode" : "kind");
}

}  // namespace

void lay_job(Reading& reading, const Form&, model::AppConfig& app) {
    switch (app.mode) {
        case model::Mode::client_defaults:
        case model::Mode::at_most_once: {
            // F21: NONE changes nothing of the producer, it only does not wait for it.
            app.job.guarantee = DeliveryGuarantee::none;
            const model::ProducerConfig defaults;
            app.producer.acks = defaults.acks;
            app.producer.retries = defaults.retries;
            app.producer.idempotence = defaults.idempotence;
            break;
        }
        case model::Mode::at_least_once:
        case model::Mode::idempotent:
            app.job.guarantee = DeliveryGuarantee::at_least_once;
            break;
        case model::Mode::exactly_once:
            app.job.guarantee = DeliveryGuarantee::exactly_once;
            app.producer.transaction_timeout = sim::seconds(3600);  // F30: KafkaSinkBuilder
            break;
    }
    app.consumer.auto_commit = false;  // KafkaSourceBuilder
    app.consumer.protocol = model::GroupProtocol::classic;
    app.job.checkpoint = reading.scenario.costs.checkpoint;
}

void check_job(Reading& reading, const Form& form, const model::AppConfig& app,
               const std::set<std::string, std::less<>>& set) {
    if (app.job.guarantee != DeliveryGuarantee::none && app.job.interval == sim::Duration{})
        reading.error(mark_of_setting(form, "execution.checkpointing.interval"),
                      fmt::format("this job never completes a checkpoint {}", form.where()),
                      "config: { execution.checkpointing.interval: 10s }; its sink flushes and "
                      "commits by checkpoints");
    if (set.contains("transactional.id"))
        reading.error(mark_of_setting(form, "transactional.id"),
                      fmt::format("a KafkaSink makes its own transactional ids {}", form.where()),
                      "use sink.transactional-id-prefix");
    for (const std::string_view name :
         {"group.protocol", "group.instance.id", "enable.auto.commit", "session.timeout.ms",
          "heartbeat.interval.ms", "partition.assignment.strategy", "group.remote.assignor"})
        if (set.contains(name))
            reading.error(mark_of_setting(form, name),
                          fmt::format("{} means nothing {}", name, form.where()),
                          "a KafkaSource assigns its partitions itself and is in no group");
    if (app.instances > model::Topology::job_subtasks_most / 2)
        reading.error(form.mark("instances"),
                      fmt::format("{} subtasks are more than a job can have here", app.instances),
                      fmt::format("at most {}", model::Topology::job_subtasks_most / 2));
    if (app.to.size() > 1)
        reading.error(form.mark("to"), fmt::format("a KafkaSink writes one topic {}", form.where()),
                      "for several: workload: { fan-out: { to: [...] } }");
}

void read_job_prefix(Reading& reading, const Form& form, model::AppConfig& app) {
    app.producer.transaction_version = reading.scenario.cluster.transaction_version;
    if (app.job.guarantee != DeliveryGuarantee::exactly_once) return;
    const auto* config = form.get("config");
    const auto* given = config ? config->find("sink.transactional-id-prefix") : nullptr;
    const auto name = given && given->is_scalar() && !given->text.empty() ? given->text : app.name;
    auto& prefixes = reading.topology.job_prefixes;
    const auto found = std::find(prefixes.begin(), prefixes.end(), name);
    app.job.prefix = static_cast<std::int32_t>(found - prefixes.begin());
    if (found == prefixes.end()) prefixes.push_back(name);
    if (prefixes.size() > model::Topology::job_prefixes_most)
        reading.error(form.mark(), fmt::format("more than {} prefixes of transactional ids",
                                               model::Topology::job_prefixes_most));
}

// F29, F30, F31.
void add_job_warnings(Reading& reading) {
    const auto& apps = reading.scenario.apps;
    for (std::size_t i = 0; i < apps.size(); ++i) {
        const auto& app = apps[i].config;
        if (!app.is_job() || !app.transactional()) continue;
        const auto warn = [&](std::string warning, std::string text, std::string hint) {
            reading.warn(mark_of_job(reading, i), std::move(warning), std::move(text),
                         std::move(hint));
        };
        const auto timeout = app.producer.transaction_timeout;
        if (timeout > reading.scenario.cluster.transaction_max_timeout)
            warn("timeout-order",
                 fmt::format("'{}': transaction.timeout.ms is above transaction.max.timeout.ms",
                             app.name),
                 "the coordinator refuses it: INVALID_TRANSACTION_TIMEOUT; the default of a "
                 "KafkaSink is an hour");
        const auto& job = app.job;
        const auto delay = job.restart == model::RestartStrategy::fixed_delay ? job.fixed_delay
                                                                              : job.initial_backoff;
        const auto down = app.restart ? app.restart->high : sim::Duration{};
        if (job.interval + job.checkpoint.high + delay + down >= timeout)
            warn("timeout-order",
                 fmt::format("'{}': checkpoint interval, duration and restart take {}, and "
                             "transaction.timeout.ms is {}",
                             app.name,
                             duration_text(job.interval + job.checkpoint.high + delay + down),
                             duration_text(timeout)),
                 "what a completed checkpoint wrote may be aborted before it is committed");
        for (std::size_t other = 0; other < i; ++other)
            if (apps[other].config.is_job() && apps[other].config.transactional() &&
                apps[other].config.job.prefix == job.prefix)
                warn("shared-id",
                     fmt::format("'{}' and '{}' share a prefix of transactional ids",
                                 apps[other].config.name, app.name),
                     "each fences and aborts the other: sink.transactional-id-prefix");
    }
}

}  // namespace eos::scenarios
