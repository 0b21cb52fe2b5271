#pragma once
// A moment of a run as a screen and as JSON ("schema": "eosim.state/1"). Sections nobody asked for
// are left out; on the screen also internal partitions in which nothing stands.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/state.hpp"

namespace eos::reports {

enum class Section : std::uint8_t {
    nodes,
    partitions,
    producers,
    transactions,
    groups,
    clients,
    messages,
};
inline constexpr std::array<std::string_view, 7> section_names{
    "nodes", "partitions", "producers", "transactions", "groups", "clients", "messages"};
[[nodiscard]] std::optional<Section> section_named(std::string_view name);
[[nodiscard]] std::vector<Section> all_sections();

[[nodiscard]] std::string text(const state::Cluster& cluster, const std::vector<Section>& sections);
[[nodiscard]] std::string json(const state::Cluster& cluster, const std::vector<Section>& sections);
/// JSON Schema (draft-07) of eosim.state/1.
[[nodiscard]] std::string state_schema();

}  // namespace eos::reports
