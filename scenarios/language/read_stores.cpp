// Stores: their fields, and what `check` warns of where something is written into one.

#include <algorithm>

#include <fmt/format.h>

#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

using model::StepKind;
using model::StoreKind;

/// Fields that only one kind of store has.
struct OfKind {
    std::string_view field;
    StoreKind kind;
};
constexpr OfKind of_kind[]{{"in_flight", StoreKind::http},
                           {"keep", StoreKind::http},
                           {"timestamps", StoreKind::kv},
                           {"in_doubt", StoreKind::sql}};

void check_kind(Reading& reading, const Form& form, StoreKind kind) {
    for (const auto& row : of_kind)
        if (row.kind != kind && form.has(row.field))
            reading.error(form.key_mark(row.field),
                          fmt::format("a store of kind {} has no '{}' ({})",
                                      store_kinds.rows[static_cast<std::size_t>(kind)].name,
                                      row.field, form.where()));
    if (kind != StoreKind::http && form.text("on_duplicate") == "stored-reply")
        reading.error(form.mark("on_duplicate"),
                      fmt::format("only an http store keeps its answers {}", form.where()),
                      "ignore, or error");
}

void read_store(Reading& reading, const Key& key, const Node& node) {
    const Form form(reading.diagnostics, &node, store_section,
                    fmt::format("in store '{}'", key.text));
    model::StoreConfig store;
    store.name = key.text;
    store.id = {static_cast<std::int32_t>(reading.scenario.stores.size())};
    const auto kind = form.text("kind");
    store.kind = kind == "http" ? StoreKind::http : kind == "kv" ? StoreKind::kv : StoreKind::sql;
    if (form.has("kind")) check_kind(reading, form, store.kind);
    store.latency = form.spread("latency");
    store.work = form.duration("work");
    store.remember = form.optional_duration("remember");
    const auto& answer = form.text("on_duplicate");
    if (answer == "stored-reply") store.on_duplicate = model::OnDuplicate::stored_reply;
    if (answer == "error") store.on_duplicate = model::OnDuplicate::error;
    if (form.text("in_flight") == "conflict") store.in_flight = model::InFlight::conflict;
    if (form.text("keep") == "success") store.keep = model::KeepAnswers::success;
    if (form.text("timestamps") == "now") store.timestamps = model::WriteTime::now;
    if (form.text("in_doubt") != "wait") store.in_doubt = form.optional_duration("in_doubt");
    reading.topology.stores.push_back({store.name, store.kind});
    reading.store_names.push_back(store.name);
    reading.scenario.stores.push_back(std::move(store));
}

// --- warnings
// -------------------------------------------------------------------------------------

Mark mark_of(const Reading& reading, std::size_t app) {
    const auto* apps = reading.top.get("apps");
    return apps != nullptr && app < apps->keys.size() ? apps->keys[app].mark : Mark{};
}

/// Whether a store is written between begin and commit.
bool inside_of_transaction(const model::AppConfig& app) {
    bool open = false;
    for (const auto& step : app.steps) {
        if (step.kind == StepKind::begin) open = true;
        if (step.kind == StepKind::commit || step.kind == StepKind::abort) open = false;
        if (open && step.kind == StepKind::write) return true;
    }
    return false;
}

/// Who writes the topics of `app` and may write an event twice.
const model::AppConfig* repeating_writer(const Scenario& scenario, const model::AppConfig& app) {
    for (const auto& other : scenario.apps) {
        const auto& writer = other.config;
        if (!writer.produces() || writer.producer.idempotent() || writer.producer.retries == 0)
            continue;
        for (const auto topic : writer.to)
            if (std::find(app.from.begin(), app.from.end(), topic) != app.from.end())
                return &writer;
    }
    return nullptr;
}

void warn_writer(Reading& reading, std::size_t index) {
    const auto& scenario = reading.scenario;
    const auto& app = scenario.apps[index].config;
    const auto warn = [&](std::string_view name, std::string text, std::string hint) {
        reading.warn(mark_of(reading, index), std::string(name), std::move(text), std::move(hint));
    };
    if (inside_of_transaction(app))
        warn("external-effect",
             fmt::format("'{}' writes a store inside of a Kafka transaction", app.name),
             "an abort takes nothing back there: give the effect an identity, or keep the offsets "
             "in the store");
    if (app.stores.offsets_in_store && !app.stores.fences && app.instances > 1)
        warn("zombie-sink",
             fmt::format("'{}' keeps offsets in its store and fences nobody", app.name),
             "an instance that wakes up late writes once more: fence: generation");
    const auto write = std::find_if(app.steps.begin(), app.steps.end(),
                                    [](const auto& step) { return step.kind == StepKind::write; });
    if (write == app.steps.end()) return;
    const auto weak = [&](std::string text, std::string hint) {
        warn("identity-too-weak", fmt::format("'{}': {}", app.name, text), std::move(hint));
    };
    const bool overwrites =
        write->effect == model::EffectKind::put || write->effect == model::EffectKind::put_if_newer;
    if (write->identity == model::IdentityKind::random)
        weak("a random identity names an attempt, not an effect", "identity: event");
    if (write->identity == model::IdentityKind::business && !overwrites)
        weak("two events of one key have one identity", "identity: event");
    if (const auto* writer = repeating_writer(scenario, app);
        writer != nullptr && write->identity == model::IdentityKind::offset)
        weak(fmt::format("'{}' may write an event twice, at two offsets", writer->name),
             "make it idempotent, or identity: event");
    const auto& store = scenario.stores[static_cast<std::size_t>(write->store.value)];
    const auto redelivered = app.consumer.session_timeout;
    if (store.remember && *store.remember < redelivered &&
        write->identity != model::IdentityKind::none)
        weak(fmt::format("'{}' remembers identities for {}, and a crashed member's records come "
                         "again after {}",
                         store.name, duration_text(*store.remember), duration_text(redelivered)),
             "remember longer than the longest redelivery");
}

}  // namespace

std::optional<model::StoreId> Reading::need_store(const Node& node) {
    if (node.is_scalar())
        if (const auto found = topology.store_named(node.text)) return found;
    error(node.mark,
          node.is_scalar() ? fmt::format("there is no store {}", shape(node))
                           : fmt::format("a store is needed, not {}", shape(node)),
          store_names.empty() ? "name one under stores" : suggestion(node.text, store_names));
    return std::nullopt;
}

void read_stores(Reading& reading) {
    const auto* stores = reading.top.get("stores");
    if (stores == nullptr) return;
    for (std::size_t i = 0; i < stores->items.size(); ++i) {
        const auto& key = stores->keys[i];
        static const Field name{.name = "store name", .type = Type::slug};
        Node scalar = Node::scalar(key.text, key.mark);
        (void)check_value(reading.diagnostics, name, scalar, "");
        if (reading.topic(key.text))
            reading.error(key.mark, fmt::format("'{}' is a topic and a store", key.text),
                          "topics and stores have one namespace");
        read_store(reading, key, stores->items[i]);
    }
}

void add_store_warnings(Reading& reading) {
    const auto& scenario = reading.scenario;
    for (std::size_t i = 0; i < scenario.apps.size(); ++i) warn_writer(reading, i);
    const auto* stores = reading.top.get("stores");
    for (std::size_t s = 0; s < scenario.stores.size(); ++s) {
        const auto uses = [&](const model::Step& step) {
            return step.store == scenario.stores[s].id;
        };
        const bool used =
            std::any_of(scenario.apps.begin(), scenario.apps.end(), [&](const App& app) {
                return std::any_of(app.config.steps.begin(), app.config.steps.end(), uses);
            });
        if (!used)
            reading.warn(stores->keys[s].mark, "unused",
                         fmt::format("no app writes '{}'", scenario.stores[s].name),
                         "remove it, or name it in into");
    }
    for (std::size_t i = 0; i < scenario.apps.size(); ++i) {
        const auto& app = scenario.apps[i].config;
        const bool processes =
            std::any_of(app.steps.begin(), app.steps.end(),
                        [](const model::Step& step) { return step.kind == StepKind::process; });
        const bool wasted = app.work.high > sim::Duration{} || app.poison.numerator > 0;
        if (app.kind == model::AppKind::sink && wasted && !processes)
            reading.warn(mark_of(reading, i), "unused",
                         fmt::format("'{}' has no process step that would spend work or meet "
                                     "poison",
                                     app.name),
                         "add process to its steps");
    }
}

}  // namespace eos::scenarios
