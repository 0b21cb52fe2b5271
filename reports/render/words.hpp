#pragma once
// Milestones and times in words, as every text renderer prints them.

#include <string>

#include "model/topology.hpp"
#include "sim/facts.hpp"
#include "sim/time.hpp"

namespace eos::reports {

/// "broker 2 takes over orders/0 in epoch 3". One clause, no full stop.
[[nodiscard]] std::string words(const sim::Milestone& milestone, const model::Topology& topology);

/// "12.345 s", always with three digits.
[[nodiscard]] std::string seconds_text(sim::Duration duration);
/// "2.9 ms", "107 ms", "1.2 s": three significant digits, for tables.
[[nodiscard]] std::string short_text(sim::Duration duration);
/// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t number);
/// "1 record", "2 records".
[[nodiscard]] std::string counted(std::int64_t number, std::string_view word);

}  // namespace eos::reports
