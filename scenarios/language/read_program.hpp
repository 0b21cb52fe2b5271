#pragma once
// Programs of applications: the ready-made ones of kinds and modes, mistakes laid over them, and
// the `steps`, `setup` and `on_error` of the file.

#include "scenarios/language/reading.hpp"

namespace eos::scenarios {

/// Fills setup, steps, repeat and on_error of an app whose kind and mode are known.
void read_program(Reading& reading, const Form& form, App& app);

/// The program of a kind and mode, for `list modes` and the docs.
[[nodiscard]] std::vector<model::Step> program_of(model::AppKind kind, model::Mode mode);

}  // namespace eos::scenarios
