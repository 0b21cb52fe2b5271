// What is allowed and probably not meant (language.md, section 8). Every warning has a name, a row
// in words.cpp, and can be demanded by `expect.lints`.

#include <algorithm>

#include <fmt/format.h>

#include "faults/catalogue.hpp"
#include "model/milestones.hpp"
#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

using model::AppConfig;
using model::StepKind;

/// Where an app stands in the file.
Mark app_mark(const Reading& reading, std::size_t app) {
    const auto* apps = reading.top.get("apps");
    return apps != nullptr && app < apps->keys.size() ? apps->keys[app].mark : Mark{};
}

bool has_step(const AppConfig& app, StepKind kind) {
    return std::any_of(app.steps.begin(), app.steps.end(),
                       [&](const model::Step& s) { return s.kind == kind; });
}

void warn_app(Reading& reading, std::size_t index) {
    const auto& scenario = reading.scenario;
    const auto& app = scenario.apps[index].config;
    const auto mark = app_mark(reading, index);
    const auto warn = [&](std::string_view warning, std::string text, std::string hint) {
        reading.warn(mark, std::string(warning), std::move(text), std::move(hint));
    };
    if (app.kind == model::AppKind::processor && app.consumer.auto_commit)
        warn("auto-commit-in-loop",
             fmt::format("'{}' commits offsets in the background of a consume-produce loop",
                         app.name),
             "an offset may be committed before its output is safe: choose a mode");
    if (app.consumes() && !app.is_job()) {
        const auto& consumer = app.consumer;
        const bool classic = consumer.protocol == model::GroupProtocol::classic;
        if (classic && consumer.heartbeat_interval >= consumer.session_timeout)
            warn("timeout-order",
                 fmt::format("'{}': heartbeat.interval.ms is not below session.timeout.ms",
                             app.name),
                 "the member is expelled between two heartbeats");
        if (classic && (consumer.session_timeout < scenario.cluster.group_min_session ||
                        consumer.session_timeout > scenario.cluster.group_max_session))
            warn("timeout-order",
                 fmt::format("'{}': the broker refuses a session.timeout.ms of {}", app.name,
                             duration_text(consumer.session_timeout)),
                 fmt::format("it accepts {} to {}",
                             duration_text(scenario.cluster.group_min_session),
                             duration_text(scenario.cluster.group_max_session)));
        if (app.work.high >= consumer.max_poll_interval)
            warn("timeout-order",
                 fmt::format("'{}': work is not below max.poll.interval.ms", app.name),
                 "the member leaves the group while it works");
    }
    if (app.produces()) {
        const bool may_reorder = !app.producer.idempotent() && app.producer.max_in_flight > 1 &&
                                 app.producer.retries > 0;
        const auto& per_app = scenario.expect.per_app[index];
        const auto found = per_app.find(Count::reordered);
        const auto total = scenario.expect.total.find(Count::reordered);
        const auto none = [](const Bounds& b) { return b.max && *b.max == 0; };
        if (may_reorder && ((found != per_app.end() && none(found->second)) ||
                            (total != scenario.expect.total.end() && none(total->second))))
            warn(
                "in-flight",
                fmt::format("'{}' may reorder: retries, several requests in flight, no idempotence",
                            app.name),
                "reordered: none needs idempotence or max.in.flight 1");
        if (app.source == model::SourceKind::push && app.mode != model::Mode::at_most_once)
            warn("push-source", fmt::format("the input of '{}' is gone when it crashes", app.name),
                 "no mode can bring it back: source: replay");
        if (app.source == model::SourceKind::push && has_step(app, StepKind::rewind))
            warn("push-source", fmt::format("'{}' cannot rewind a pushed input", app.name), "");
    }
}

/// lost: none promises more than the storage does.
void warn_storage(Reading& reading) {
    const auto& scenario = reading.scenario;
    const auto none = [](const Counts& counts) {
        const auto found = counts.find(Count::lost);
        return found != counts.end() && found->second.max && *found->second.max == 0;
    };
    const bool promised =
        none(scenario.expect.total) ||
        std::any_of(scenario.expect.per_app.begin(), scenario.expect.per_app.end(), none);
    if (!promised) return;
    const auto* topics = reading.top.get("topics");
    if (scenario.cluster.unclean_election ||
        !scenario.cluster.safeguards.has(model::Safeguard::clean_election))
        reading.warn(reading.top.mark("cluster"), "promise-without-storage",
                                 "lost: none although an out-of-sync replica may lead",
                                 "unclean elections lose acknowledged records");
    for (const auto& topic : reading.topology.topics) {
        if (topic.internal) continue;
        const auto& log = reading.topology.logs[static_cast<std::size_t>(topic.first.value)];
        if (topic.min_insync > 1 && log.replicas.size() > 1) continue;
        Mark mark = reading.top.mark("topics");
        for (const auto& key : topics->keys)
            if (key.text == topic.name) mark = key.mark;
        reading.warn(mark, "promise-without-storage",
                                 fmt::format("lost: none although '{}' has {}", topic.name,
                                             log.replicas.size() > 1 ? "min_insync 1" : "one copy"),
                                 "one failure may take acknowledged records");
    }
}

void warn_settle(Reading& reading) {
    const auto& scenario = reading.scenario;
    sim::Duration need{};
    std::string_view why = "broker sessions";
    for (const auto& app : scenario.apps) {
        if (!app.config.consumes() || app.config.is_job()) continue;
        const auto& consumer = app.config.consumer;
        const bool classic = consumer.protocol == model::GroupProtocol::classic;
        const auto session =
            classic ? consumer.session_timeout : scenario.cluster.consumer_group_session;
        if (session <= need) continue;
        need = session;
        why = classic ? "session.timeout.ms" : "group.consumer.session.timeout.ms";
    }
    if (scenario.cluster.broker_session > need) need = scenario.cluster.broker_session;
    // A lost message heals at once; a node that was away is waited for.
    const bool faulty =
        std::any_of(scenario.faults.faults.begin(), scenario.faults.faults.end(),
                    [](const faults::Fault& f) { return !f.tells && !faults::on_messages(f.act); });
    if (!faulty || scenario.settle >= need) return;
    reading.warn(reading.top.mark("settle"), "short-settle",
                             fmt::format("settle ({}) is below {} ({}): liveness cannot be judged",
                                         duration_text(scenario.settle), why, duration_text(need)),
                             "make settle longer, or the timeout shorter");
}

using faults::Target;

bool may_hit_reader(const Scenario& scenario, const faults::Targets& targets) {
    const auto reads = [&](std::size_t app) { return scenario.apps[app].config.consumes(); };
    return std::any_of(targets.begin(), targets.end(), [&](const Target& target) {
        switch (target.kind) {
            case Target::Kind::app_instance:
            case Target::Kind::app_any:
            case Target::Kind::app_all:
                return reads(static_cast<std::size_t>(*target.number));
            case Target::Kind::random_app:
            case Target::Kind::apps:
            case Target::Kind::owner:
            case Target::Kind::holder:
            case Target::Kind::zombie:
            case Target::Kind::job_manager:
            case Target::Kind::everyone:
                return true;
            case Target::Kind::event:
            case Target::Kind::event_from:
            case Target::Kind::event_to:
            case Target::Kind::broker:
            case Target::Kind::brokers:
            case Target::Kind::random_broker:
            case Target::Kind::controller:
            case Target::Kind::leader:
            case Target::Kind::follower:
            case Target::Kind::followers:
            case Target::Kind::replicas:
            case Target::Kind::group_coordinator:
            case Target::Kind::others:
            case Target::Kind::log:
            case Target::Kind::group:
            case Target::Kind::txid:
            case Target::Kind::store:
            case Target::Kind::stores:
                return false;
        }
        return false;
    });
}

/// How long an action may keep a reader away; none if it keeps nobody away.
sim::Duration absence(const Scenario& scenario, const faults::Action& act,
                      const faults::Targets& targets, const std::optional<faults::Lasting>& lasts) {
    namespace fa = faults::action;
    sim::Duration most{};
    const auto note = [&](sim::Duration d) { most = std::max(most, d); };
    if (const auto* mix = std::get_if<fa::Mix>(&act))
        for (const auto& choice : mix->of)
            note(absence(scenario, choice.act, choice.targets.value_or(targets),
                         choice.lasts ? choice.lasts : lasts));
    const bool down =
        std::holds_alternative<fa::Crash>(act) || std::holds_alternative<fa::PowerLoss>(act);
    const bool away =
        down || std::holds_alternative<fa::Stop>(act) || std::holds_alternative<fa::Restart>(act) ||
        std::holds_alternative<fa::Pause>(act) || std::holds_alternative<fa::Isolate>(act);
    if (!away || !may_hit_reader(scenario, targets)) return most;
    if (lasts && lasts->kind == faults::Lasting::Kind::time) {
        note(lasts->time.high);
    } else if (!lasts && down) {  // the supervisor brings it back
        for (const auto& app : scenario.apps)
            if (app.config.consumes() && app.config.restart) note(app.config.restart->high);
    } else {
        note(scenario.duration);  // until the faults heal
    }
    return most;
}

/// Offsets of a group nobody is in are forgotten (OffsetsRetentionMs).
void warn_retention(Reading& reading) {
    const auto& scenario = reading.scenario;
    const auto kept = scenario.cluster.offsets_retention;
    const auto* list = reading.top.get("faults");
    for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
        const auto& fault = scenario.faults.faults[i];
        const auto away = absence(scenario, fault.act, fault.targets, fault.lasts);
        if (!fault.enabled || away <= kept) continue;
        const auto* lasts = list->items[i].find("for");
        reading.warn(lasts ? lasts->mark : list->items[i].mark, "retention",
                     fmt::format("offsets are kept for {}, and '{}' may keep a reader away for {}",
                                 duration_text(kept), fault.name, duration_text(away)),
                     "it comes back to auto.offset.reset: raise offsets.retention.minutes");
    }
}

/// A topic nobody reads is judged for nothing its readers would see.
void warn_unjudged(Reading& reading) {
    const auto& scenario = reading.scenario;
    const auto* topics = reading.top.get("topics");
    for (std::size_t t = 0; t < reading.topology.topics.size(); ++t) {
        const auto& topic = reading.topology.topics[t];
        if (topic.internal) continue;
        const model::TopicId id{static_cast<std::int32_t>(t)};
        const auto names = [&](const std::vector<model::TopicId>& list) {
            return std::find(list.begin(), list.end(), id) != list.end();
        };
        bool read = false;
        bool used = false;
        for (const auto& app : scenario.apps) {
            read = read || names(app.config.from);
            used = used || names(app.config.to) || names(app.config.workload.to);
            for (const auto& step : app.config.steps) used = used || step.to == id;
        }
        Mark mark = reading.top.mark("topics");
        for (const auto& key : topics->keys)
            if (key.text == topic.name) mark = key.mark;
        if (!read && used)
            reading.warn(mark, "never-judged",
                                     fmt::format("no app reads '{}'", topic.name),
                                     "add a consumer, so that somebody sees what is in it");
        if (!read && !used)
            reading.warn(mark, "unused", fmt::format("no app uses '{}'", topic.name),
                                     "remove it, or name it in from or to");
    }
    const auto any = [](const Counts& counts) {
        return std::all_of(counts.begin(), counts.end(),
                           [](const auto& row) { return row.second.any(); });
    };
    const auto& expect = scenario.expect;
    const bool nothing = any(expect.total) && expect.invariants.empty() && expect.metrics.empty() &&
                         expect.errors.empty() && expect.jepsen.empty() && !expect.unavailable &&
                         !expect.latency_p99 &&
                         std::all_of(expect.per_app.begin(), expect.per_app.end(), any);
    if (nothing)
        reading.warn(reading.top.mark("expect"), "never-judged",
                                 "every count is any: no run can fail",
                                 "expect something that could be violated");
}

/// Triggers nothing in this file can cause.
void warn_triggers(Reading& reading) {
    const auto& scenario = reading.scenario;
    const bool readers = std::any_of(scenario.apps.begin(), scenario.apps.end(),
                                     [](const App& a) { return a.config.consumes(); });
    const bool writers = std::any_of(scenario.apps.begin(), scenario.apps.end(),
                                     [](const App& a) { return a.config.produces(); });
    const bool idempotent = std::any_of(
        scenario.apps.begin(), scenario.apps.end(),
        [](const App& a) { return a.config.produces() && a.config.producer.idempotent(); });
    const auto* faults = reading.top.get("faults");
    for (std::size_t i = 0; i < scenario.faults.faults.size(); ++i) {
        if (scenario.faults.faults[i].tells) continue;
        const auto* when = std::get_if<faults::trigger::When>(&scenario.faults.faults[i].trigger);
        if (when == nullptr) continue;
        for (const auto& row : model::milestones()) {
            if (model::number(row.mile) != when->kind) continue;
            const bool needs_reader =
                row.name.starts_with("group.") || row.name.starts_with("offsets.");
            const bool needs_writer = row.name.starts_with("producer.");
            const bool needs_store = row.name.starts_with("store.");
            const bool needs_ids = row.name == "producer.initialised" ||
                                   row.name == "producer.epoch_bumped" ||
                                   row.name == "partition.deduplicated";
            const bool idle = (needs_reader && !readers) || (needs_writer && !writers) ||
                              (needs_ids && !idempotent) ||
                              (needs_store && scenario.stores.empty());
            if (!idle) continue;
            const auto* node = faults->items[i].find("when");
            reading.warn(node ? node->mark : faults->items[i].mark, "cannot-fire",
                                     fmt::format("nothing in this scenario can reach {}", row.name),
                                     needs_store                ? "there is no store"
                                     : needs_reader             ? "no app reads"
                                     : needs_writer && !writers ? "no app writes"
                                                                : "no producer is idempotent");
        }
    }
}

}  // namespace

void add_warnings(Reading& reading) {
    if (reading.diagnostics.failed()) return;  // half a scenario warns of what is not there
    for (std::size_t i = 0; i < reading.scenario.apps.size(); ++i) warn_app(reading, i);
    add_transaction_warnings(reading);
    add_store_warnings(reading);
    add_job_warnings(reading);
    warn_storage(reading);
    warn_settle(reading);
    warn_retention(reading);
    warn_unjudged(reading);
    warn_triggers(reading);
}

}  // namespace eos::scenarios
