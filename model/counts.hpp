#pragma once
// What the judges count (language.md, section 6): the words that expectations and findings share.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace eos::model {

enum class Count : std::uint8_t {
    lost,
    duplicates,
    aborted_visible,
    dirty_reads,
    torn,
    offset_tear,
    misattributed,
    false_ack,
    zombie_writes,
    double_owners,
    reordered,
    diverged,
    offset_regressions,
    illegal,
    stuck,
    fenced,
};

struct CountEntry {
    std::string_view name;
    std::string_view help;
};
/// By Count.
inline constexpr std::array count_entries{
    CountEntry{"lost", "records nobody can ever read, inputs without effect"},
    CountEntry{"duplicates", "records or effects that exist more than once"},
    CountEntry{"aborted_visible", "records of aborted transactions given to readers"},
    CountEntry{"dirty_reads", "records returned undecided, or later truncated"},
    CountEntry{"torn", "transactions decided differently in their partitions"},
    CountEntry{"offset_tear", "transactions whose outputs and offsets parted"},
    CountEntry{"misattributed", "records decided by the end of another transaction"},
    CountEntry{"false_ack", "calls told committed or aborted that were not"},
    CountEntry{"zombie_writes", "appends from a fenced epoch or generation"},
    CountEntry{"double_owners", "partitions two members own and both commit"},
    CountEntry{"reordered", "sends of one session out of order"},
    CountEntry{"diverged", "one offset, two values"},
    CountEntry{"offset_regressions", "offsets or watermarks that went back"},
    CountEntry{"illegal", "gaps, illegal transitions, retries appended twice"},
    CountEntry{"stuck", "things without progress after settle"},
    CountEntry{"fenced", "clients told fenced"},
};
inline constexpr std::size_t count_kinds = count_entries.size();

[[nodiscard]] constexpr std::string_view name(Count count) {
    return count_entries[static_cast<std::size_t>(count)].name;
}
[[nodiscard]] constexpr std::optional<Count> count_named(std::string_view name) {
    for (std::size_t i = 0; i < count_kinds; ++i)
        if (count_entries[i].name == name) return static_cast<Count>(i);
    return std::nullopt;
}

}  // namespace eos::model
