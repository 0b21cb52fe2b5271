#pragma once
// Flink jobs: what mode and config make of their sink, and what Flink itself would refuse.

#include <set>
#include <string>

#include "scenarios/language/reading.hpp"

namespace eos::scenarios {

/// The sink's guarantee by the mode (language.md 4.1), and what a job changes of the clients'
/// defaults.
void lay_job(Reading& reading, const Form& form, model::AppConfig& app);
/// What cannot work; `set`: the settings that were written.
void check_job(Reading& reading, const Form& form, const model::AppConfig& app,
               const std::set<std::string, std::less<>>& set);
/// The prefix of its transactional ids (F26, F29).
void read_job_prefix(Reading& reading, const Form& form, model::AppConfig& app);

}  // namespace eos::scenarios
