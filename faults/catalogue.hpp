#pragma once
// The words of `do:` as a table: what each may hit, its own fields, its sentence, and whether the
// model can do it. The reader, validation, `list faults`, the JSON Schema and completion read these
// rows; a word whose row says `modelled = false` is refused by name.

#include <cstdint>
#include <span>
#include <string_view>

#include "faults/plan.hpp"

namespace eos::faults {

/// What an action may be aimed at; a bit set, because a few may be aimed at several things.
enum class Hits : std::uint8_t {
    nothing = 0,
    messages = 1,  ///< a request or an answer, by rpc.sent or rpc.delivered
    handoffs = 2,  ///< a step between two threads of one node, by handoff.queued
    nodes = 4,
    apps = 8,  ///< nodes, but only application instances
    partitions = 16,
    groups = 32,
    txids = 64,
    brokers = 128,  ///< nodes, but only brokers
};
[[nodiscard]] constexpr Hits operator|(Hits a, Hits b) {
    return static_cast<Hits>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
[[nodiscard]] constexpr bool may_hit(Hits set, Hits one) {
    return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(one)) != 0;
}

/// How long an action lasts that names neither `for` nor `until`.
enum class Span : std::uint8_t {
    instant,   ///< it does not last: `for` and `until` are refused
    forever,   ///< until the faults heal
    downtime,  ///< 5 s, applications their `restart`
    own,       ///< by its own field (`by` of delay, `gap` of swizzle)
    stays,     ///< not undone unless `for` or `until` is written (elect moves back)
};

struct FieldEntry {
    std::string_view word;
    std::string_view preset;  ///< the default as written, "-" if required
    std::string_view help;
};

struct ActionEntry {
    std::string_view word;  ///< as written after `do:`
    Hits hits = Hits::nothing;
    Span span = Span::instant;
    std::span<const FieldEntry> fields;  ///< beyond those every fault has
    std::string_view help;               ///< one sentence
    bool modelled = true;
    Action (*make)() = nullptr;  ///< the action with its defaults; null if not modelled
};

/// Every word of the language, modelled ones first, in the order of Action's alternatives.
[[nodiscard]] std::span<const ActionEntry> actions();
[[nodiscard]] const ActionEntry* action_named(std::string_view word);
/// The row of an action.
[[nodiscard]] const ActionEntry& entry_of(const Action& action);
[[nodiscard]] std::string_view word_of(const Action& action);
/// Whether it acts on frames, and so is decided while a frame is looked at.
[[nodiscard]] bool on_messages(const Action& action);

}  // namespace eos::faults
