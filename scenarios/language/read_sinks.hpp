#pragma once
// What an application writes into which store: the fields of a sink, its programs by mode
// (language.md 4.1), and the options of steps at stores.

#include <optional>
#include <string>
#include <vector>

#include "scenarios/language/reading.hpp"

namespace eos::scenarios {

/// Defaults of the steps at stores.
struct SinkFields {
    std::optional<model::StoreId> store;
    model::EffectKind effect = model::EffectKind::insert;
    model::IdentityKind identity = model::IdentityKind::none;
};

[[nodiscard]] constexpr bool at_store(model::StepKind kind) {
    return kind >= model::StepKind::db_begin;
}
/// Fields of a sink; of other kinds only what a step without options would mean.
[[nodiscard]] SinkFields read_sink_fields(Reading& reading, const Form& form,
                                          model::AppConfig& app);
/// The program of a sink that writes none of its own.
[[nodiscard]] std::vector<model::Step> sink_program(const model::AppConfig& app,
                                                    const SinkFields& sink, const Reading& reading);
/// `store`, `effect`, `identity` of one step; reports what its store cannot do.
void read_store_step(Reading& reading, const SinkFields& sink, model::Step& step, const Node& name,
                     const Node* options, const std::string& where);

}  // namespace eos::scenarios
