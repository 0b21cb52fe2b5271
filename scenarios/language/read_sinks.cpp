#include "scenarios/language/read_sinks.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace eos::scenarios {
namespace {

using model::EffectKind;
using model::IdentityKind;
using model::Mode;
using model::Step;
using model::StepKind;
using model::StoreKind;

template <class E>
E word_of(const Words& words, std::string_view text) {
    for (std::size_t i = 0; i < words.rows.size(); ++i)
        if (words.rows[i].name == text) return static_cast<E>(i);
    return E{};
}

const model::StoreConfig& config_of(const Reading& reading, model::StoreId store) {
    return reading.scenario.stores[static_cast<std::size_t>(store.value)];
}

std::string_view kind_name(StoreKind kind) {
    return store_kinds.rows[static_cast<std::size_t>(kind)].name;
}

/// What a store of this kind cannot do (pipelines-and-sinks.md, N10..N16).
void check_effect(Reading& reading, model::StoreId store, EffectKind effect, IdentityKind identity,
                  const Mark& mark, const std::string& where) {
    const auto kind = config_of(reading, store).kind;
    const auto problem = [&](std::string text, std::string hint) {
        reading.error(mark, fmt::format("{} {}", text, where), std::move(hint));
    };
    if (kind == StoreKind::http && effect != EffectKind::call)
        problem(fmt::format("an http store has no '{}'", model::name(effect)), "effect: call");
    if (kind != StoreKind::http && effect == EffectKind::call)
        problem(fmt::format("a {} store takes no calls", kind_name(kind)),
                "effect: insert, add, put, put-if-newer or insert-if-absent");
    if (effect == EffectKind::insert_if_absent && identity == IdentityKind::none)
        problem("insert-if-absent asks for an identity", "identity: event, or offset");
    const bool by_key = effect == EffectKind::add || effect == EffectKind::put ||
                        effect == EffectKind::put_if_newer;
    if (kind == StoreKind::kv && by_key && identity != IdentityKind::none)
        problem(fmt::format("'{}' of a kv store has no identity beside the record's key",
                            model::name(effect)),
                "a counter cannot tell a repetition; leave identity out, or use a sql store");
}

void need_transactions(Reading& reading, model::StoreId store, const Mark& mark,
                       std::string_view what, const std::string& where) {
    const auto kind = config_of(reading, store).kind;
    if (kind == StoreKind::sql) return;
    reading.error(mark,
                  fmt::format("'{}' needs transactions, a {} store has none {}", what,
                              kind_name(kind), where),
                  "only sql stores have them");
}

Step step_at(StepKind kind, const SinkFields& sink) {
    Step step;
    step.kind = kind;
    if (!at_store(kind)) return step;
    step.store = *sink.store;
    step.effect = sink.effect;
    step.identity = sink.identity;
    return step;
}

}  // namespace

SinkFields read_sink_fields(Reading& reading, const Form& form, model::AppConfig& app) {
    SinkFields sink;
    if (app.kind != model::AppKind::sink) {
        if (reading.scenario.stores.size() == 1) sink.store = model::StoreId{0};
        return sink;
    }
    if (const auto* into = form.get("into"))
        sink.store = reading.need_store(*into);
    else
        reading.error(form.mark(), fmt::format("'into' is missing {}", form.where()),
                      "a sink writes into a store");
    sink.effect = word_of<EffectKind>(effects, form.text("effect"));
    sink.identity = word_of<IdentityKind>(identities, form.text("identity"));
    app.stores.checked = word_of<model::Checked>(checks, form.text("checked"));
    app.stores.offsets_in_store = form.text("offsets") == "store";
    app.stores.fences = form.text("fence") == "generation";
    app.stores.two_phase = form.text("atomic") == "two-phase";
    if (!sink.store) return sink;
    if (config_of(reading, *sink.store).kind == StoreKind::http && !form.has("effect"))
        sink.effect = EffectKind::call;
    check_effect(reading, *sink.store, sink.effect, sink.identity,
                 form.mark(form.has("effect") ? "effect" : "into"), form.where());
    if (app.stores.checked != model::Checked::with_effect && sink.identity == IdentityKind::none)
        reading.error(form.mark("checked"),
                      fmt::format("there is no identity to check {}", form.where()),
                      "identity: event, or offset");
    if (app.stores.offsets_in_store)
        need_transactions(reading, *sink.store, form.mark("offsets"), "offsets: store",
                          form.where());
    if (app.stores.fences)
        need_transactions(reading, *sink.store, form.mark("fence"), "fence: generation",
                          form.where());
    if (app.stores.two_phase)
        need_transactions(reading, *sink.store, form.mark("atomic"), "atomic: two-phase",
                          form.where());
    const bool before = app.mode == Mode::at_most_once;
    if (before && (app.stores.offsets_in_store || app.stores.two_phase))
        reading.error(form.mark("mode"),
                      fmt::format("at-most-once commits before it writes, so nothing can be "
                                  "committed with the effect {}",
                                  form.where()),
                      "choose at-least-once");
    if (app.stores.offsets_in_store && app.stores.two_phase)
        reading.error(form.mark("atomic"),
                      fmt::format("offsets in the store are committed with the effect: there are "
                                  "no two parties {}",
                                  form.where()),
                      "leave atomic out");
    return sink;
}

std::vector<Step> sink_program(const model::AppConfig& app, const SinkFields& sink,
                               const Reading& reading) {
    if (!sink.store) return {};
    std::vector<StepKind> program;
    const bool commits = app.mode != Mode::client_defaults;
    if (app.mode == Mode::at_most_once) {
        program = {StepKind::poll, StepKind::commit_offsets, StepKind::write};
    } else if (app.stores.offsets_in_store) {
        program = {StepKind::poll, StepKind::db_begin, StepKind::write, StepKind::write_offset,
                   StepKind::db_commit};
    } else if (app.transactional_sink) {
        program = {StepKind::poll,      StepKind::begin,        StepKind::db_begin, StepKind::write,
                   StepKind::db_commit, StepKind::send_offsets, StepKind::commit};
    } else {
        program = {StepKind::poll, StepKind::db_begin, StepKind::write, StepKind::db_commit,
                   StepKind::commit_offsets};
    }
    if (app.stores.two_phase) {
        // Prepare, decide by committing the offsets, then let the store know (S5).
        std::erase(program, StepKind::db_commit);
        program.insert(std::find(program.begin(), program.end(), StepKind::write) + 1,
                       StepKind::db_prepare);
        program.push_back(StepKind::db_commit);
    }
    if (!commits) std::erase(program, StepKind::commit_offsets);
    if (config_of(reading, *sink.store).kind != StoreKind::sql)
        std::erase_if(program, [](StepKind kind) {
            return kind == StepKind::db_begin || kind == StepKind::db_commit;
        });
    std::vector<Step> result;
    for (const auto kind : program) result.push_back(step_at(kind, sink));
    return result;
}

void read_store_step(Reading& reading, const SinkFields& sink, Step& step, const Node& name,
                     const Node* options, const std::string& where) {
    auto mine = sink;
    if (options != nullptr && !options->is_map() && !options->is_null())
        reading.error(options->mark, fmt::format("the options of '{}' are a map, not {}", name.text,
                                                 shape(*options)));
    for (std::size_t i = 0; options != nullptr && options->is_map() && i < options->keys.size();
         ++i) {
        const auto& key = options->keys[i];
        const auto& value = options->items[i];
        const bool writes = step.kind == StepKind::write;
        if (key.text == "store") {
            mine.store = reading.need_store(value);
        } else if (key.text == "effect" && writes) {
            if (check_word(reading.diagnostics, effects, value, where))
                mine.effect = word_of<EffectKind>(effects, value.text);
        } else if (key.text == "identity" && (writes || step.kind == StepKind::claim)) {
            if (check_word(reading.diagnostics, identities, value, where))
                mine.identity = word_of<IdentityKind>(identities, value.text);
        } else {
            reading.error(key.mark, fmt::format("step '{}' has no '{}'", name.text, key.text));
        }
    }
    if (!mine.store) {
        if (options == nullptr || options->find("store") == nullptr)
            reading.error(name.mark, fmt::format("'{}' names no store {}", name.text, where),
                          fmt::format("write {}: {{ store: NAME }}", name.text));
        return;
    }
    const auto kind = config_of(reading, *mine.store).kind;
    const bool alone =
        step.kind == StepKind::write || (step.kind == StepKind::claim && kind == StoreKind::kv);
    if (!alone) need_transactions(reading, *mine.store, name.mark, name.text, where);
    if (step.kind == StepKind::claim && mine.identity == IdentityKind::none)
        reading.error(name.mark, fmt::format("'claim' has no identity {}", where),
                      "identity: event, or offset");
    if (step.kind == StepKind::write) {
        if (kind == StoreKind::http && (options == nullptr || !options->find("effect")))
            mine.effect = EffectKind::call;
        check_effect(reading, *mine.store, mine.effect, mine.identity, name.mark, where);
    }
    step.store = *mine.store;
    step.effect = mine.effect;
    step.identity = mine.identity;
}

}  // namespace eos::scenarios
