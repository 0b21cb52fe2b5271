// The sections together, and how a field is found.

#include <algorithm>
#include <array>

#include "scenarios/language/tables.hpp"

namespace eos::scenarios {
namespace {
constexpr std::array<const Section*, 27> section_list{
    &scenario_section, &limits_section,    &cluster_section, &network_section, &spikes_section,
    &link_section,     &datagrams_section, &disk_section,    &costs_section,   &tail_section,
    &topic_section,    &app_section,       &burst_section,   &fault_section,   &until_section,
    &wait_section,     &choice_section,    &count_section,   &expect_section,  &invariant_section,
    &fold_section,     &sweep_section,     &variant_section, &claim_section,   &metric_section,
    &dedup_section,    &store_section};
}  // namespace

std::span<const Section* const> all_sections() { return section_list; }

const Field* field_named(const Section& section, std::string_view name) {
    const auto found = std::find_if(section.fields.begin(), section.fields.end(),
                                    [&](const Field& f) { return f.name == name; });
    return found == section.fields.end() ? nullptr : &*found;
}

}  // namespace eos::scenarios
