#pragma once
// Runs of a sweep as lines of JSON (`eosim.row/1`): one object a line, streamed as runs finish,
// read back to resume a sweep or to convert its results.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "reports/render/rows.hpp"

namespace eos::reports {

/// With its line end.
[[nodiscard]] std::string jsonl_line(const StoredRow& row);

[[nodiscard]] nlohmann::ordered_json row_json(const StoredRow& row);
/// Throws nlohmann's exceptions, or std::runtime_error with words, if it is no such row.
[[nodiscard]] StoredRow row_from(const nlohmann::ordered_json& json);
/// Words back into values; throw std::runtime_error with the reason.
[[nodiscard]] Verdict verdict_named(std::string_view text);
[[nodiscard]] std::uint64_t digest_from(std::string_view text);

}  // namespace eos::reports
