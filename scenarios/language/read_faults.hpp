#pragma once
// The parts of a fault: selectors of nodes, logs and groups, milestones with their facts, durations
// that refer to settings.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "faults/catalogue.hpp"
#include "model/milestones.hpp"
#include "scenarios/language/reading.hpp"

namespace eos::scenarios {

// ---- Selectors (language.md 5.5)
// -----------------------------------------------------------------

/// What a selector may stand for where it is written.
struct SelectorUse {
    bool event = false;  ///< event, event.from, event.to
    bool others = false;
    bool partition = false;  ///< a bare partition
    bool group = false;      ///< a bare group
    bool txid = false;       ///< a bare transactional id
};
[[nodiscard]] std::optional<faults::Target> read_selector(Reading& reading, const Node& node,
                                                          const SelectorUse& use);
/// One selector or a list of them.
[[nodiscard]] faults::Targets read_selectors(Reading& reading, const Node& node,
                                             const SelectorUse& use);
/// `orders/0`, `orders/*`, `*/*`, `group-log:GROUP`; reports on behalf of `mark`.
[[nodiscard]] std::optional<faults::LogPick> read_log(Reading& reading, std::string_view text,
                                                      const Mark& mark);

// ---- Milestones
// ----------------------------------------------------------------------------------

/// A milestone by name, with what older spellings add to the match.
struct Milestone {
    sim::MilestoneKind kind;
    std::string name;  ///< canonical
    std::span<const model::Fact> facts;
    bool rpc = false;  ///< side: request unless written
    faults::Matches implied;
};
[[nodiscard]] std::optional<Milestone> read_milestone(Reading& reading, const Node& node);
[[nodiscard]] faults::Matches read_match(Reading& reading, const Node* node,
                                         const Milestone& milestone);

// ---- Durations
// -----------------------------------------------------------------------------------

/// Apps a multiple of a setting may refer to: the targets', then the match's.
struct SettingScope {
    std::vector<model::AppId> targets;
    std::vector<model::AppId> matched;
};
[[nodiscard]] SettingScope scope_of(const faults::Targets& targets, const faults::Matches& matches);
/// A spread or a multiple of a setting; `forever` is reported unless it is asked for by the caller.
[[nodiscard]] std::optional<sim::Spread> read_relative(Reading& reading, const Node& node,
                                                       const SettingScope& scope);
[[nodiscard]] std::optional<faults::Lasting> read_lasting(Reading& reading, const Node& node,
                                                          const SettingScope& scope);
[[nodiscard]] std::optional<faults::Until> read_until(Reading& reading, const Node& node,
                                                      const SettingScope& scope);

// ---- Actions (read_actions.cpp)
// ------------------------------------------------------------------

/// The action of a fault or of a generator's entry, with its own fields.
[[nodiscard]] std::optional<faults::Action> read_action(Reading& reading, const Form& form,
                                                        const SettingScope& scope);
/// What a target may be for an action.
[[nodiscard]] SelectorUse use_for(const faults::ActionEntry& entry);

}  // namespace eos::scenarios
