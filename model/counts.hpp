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
    state_drift,
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
    CountEntry{"state_drift", "keys whose stored value is not the newest of its inputs"},
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

/// What the judge that sees only clients counts, by the names of the Jepsen kafka workload and of Elle
/// (anomalies.md, sections 1 and 2).
enum class Jepsen : std::uint8_t {
    inconsistent_offsets,
    duplicate,
    lost_write,
    unseen,
    g1a,
    precommitted_read,
    poll_skip,
    int_poll_skip,
    nonmonotonic_poll,
    int_nonmonotonic_poll,
    nonmonotonic_send,
    int_send_skip,
    int_nonmonotonic_send,
    g0,
    g0_process,
    g0_realtime,
    g1c,
    g1c_process,
    g1c_realtime,
    g1c_wr,
    g_single,
    g2,
};
/// By Jepsen.
inline constexpr std::array jepsen_entries{
    CountEntry{"inconsistent-offsets", "one offset, two values"},
    CountEntry{"duplicate", "one value at two offsets"},
    CountEntry{"lost-write", "an acknowledged value below the highest read that nobody read"},
    CountEntry{"unseen", "acknowledged values nobody has seen at the end"},
    CountEntry{"G1a", "a value of an aborted transaction was read as committed"},
    CountEntry{"precommitted-read", "an operation read what it wrote itself"},
    CountEntry{"poll-skip", "successive operations skip values"},
    CountEntry{"int-poll-skip", "the polls of one operation skip values"},
    CountEntry{"nonmonotonic-poll", "successive operations read back"},
    CountEntry{"int-nonmonotonic-poll", "the polls of one operation go back"},
    CountEntry{"nonmonotonic-send", "a later send lands before an earlier one"},
    CountEntry{"int-send-skip", "foreign values between two sends of one operation"},
    CountEntry{"int-nonmonotonic-send", "the same within one operation"},
    CountEntry{"G0", "operations that overwrite each other in a circle"},
    CountEntry{"G0-process", "the same, with the order of each process"},
    CountEntry{"G0-realtime", "the same, with the order of time"},
    CountEntry{"G1c", "a circle of reading and overwriting"},
    CountEntry{"G1c-process", "the same, with the order of each process"},
    CountEntry{"G1c-realtime", "the same, with the order of time"},
    CountEntry{"G1c-wr", "operations that read each other's values in a circle"},
    CountEntry{"G-single", "a circle with one read that missed the next value"},
    CountEntry{"G2-item", "a circle with several such reads"},
};
inline constexpr std::size_t jepsen_kinds = jepsen_entries.size();

[[nodiscard]] constexpr std::string_view name(Jepsen kind) {
    return jepsen_entries[static_cast<std::size_t>(kind)].name;
}
[[nodiscard]] constexpr std::optional<Jepsen> jepsen_named(std::string_view name) {
    for (std::size_t i = 0; i < jepsen_kinds; ++i)
        if (jepsen_entries[i].name == name) return static_cast<Jepsen>(i);
    return std::nullopt;
}

}  // namespace eos::model
