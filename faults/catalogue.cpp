#include "faults/catalogue.hpp"

#include <algorithm>
#include <array>

namespace eos::faults {
namespace {

using namespace action;

template <class A>
Action make_default() {
    return A{};
}

constexpr FieldEntry style_field{"style", "silent",
                                 "silent: a black hole; refused: connections reset"};
constexpr FieldEntry oneway_field{"oneway", "both",
                                  "in or out: cut only what travels to or from it"};
constexpr FieldEntry grace_field{"grace", "forever", "killed if it is not down by then"};

constexpr std::array delay_fields{FieldEntry{"by", "-", "how long it is late"}};
constexpr std::array drop_fields{FieldEntry{
    "notice", "timeout", "timeout: the connection goes silent; disconnect: it closes at once"}};
constexpr std::array duplicate_fields{FieldEntry{"by", "0s", "how much later the copy arrives"},
                                      FieldEntry{"copies", "1", "how many copies"}};
constexpr std::array error_fields{
    FieldEntry{"code", "-", "Kafka's error name, or a list to draw from"}};
constexpr std::array isolate_fields{FieldEntry{"from", "everyone", "who it can no longer reach"},
                                    oneway_field, style_field};
constexpr std::array partition_fields{
    FieldEntry{"groups", "-", "sides that cannot reach each other; others: whoever is not named"},
    FieldEntry{"oneway", "both", "in or out: cut only what travels to or from the first group"},
    style_field};
constexpr std::array slow_link_fields{FieldEntry{"from", "everyone", "the other ends of the links"},
                                      FieldEntry{"by", "0s", "latency added, drawn once a firing"},
                                      FieldEntry{"bandwidth", "as configured", "bytes per second"}};
constexpr std::array slow_disk_fields{FieldEntry{"by", "-", "added to each write and fsync"}};
constexpr std::array power_fields{
    FieldEntry{"lose", "all", "log, snapshots, indexes, checkpoints: which files lose their tail"},
    FieldEntry{"torn", "false", "leaves half of the first lost write"}};
constexpr std::array wipe_fields{FieldEntry{"leaves", "nothing", "nothing, or torn"}};
constexpr std::array stop_fields{grace_field};
constexpr std::array rolling_fields{
    FieldEntry{"gap", "10s", "between the start of one node and the end of the next"}, grace_field};
constexpr std::array jump_fields{FieldEntry{"by", "-", "how far, e.g. -5s"}};
constexpr std::array drift_fields{FieldEntry{"by", "-", "how fast, e.g. +1%"}};
constexpr std::array elect_fields{FieldEntry{"to", "another", "the replica that shall lead"},
                                  FieldEntry{"unclean", "false", "may a replica out of sync lead"}};
constexpr std::array delete_fields{
    FieldEntry{"up_to", "high watermark", "the first offset that stays"}};
constexpr std::array kick_fields{FieldEntry{"member", "one is drawn", "whom, as app:NAME/I"}};
constexpr std::array reset_fields{FieldEntry{"to", "earliest", "earliest, end or an offset"},
                                  FieldEntry{"log", "all", "the partition whose offset moves"}};
constexpr std::array delete_offsets_fields{
    FieldEntry{"log", "all", "the partition whose offset is deleted"}};
constexpr std::array mix_fields{
    FieldEntry{"of", "-", "weighted actions; each firing draws one; its own fields win"}};
constexpr std::array swizzle_fields{
    FieldEntry{"of", "-", "what a hit does; of several one is drawn each time"},
    FieldEntry{"gap", "0s", "between two hits, and between two releases"}};

constexpr std::array to_fields{FieldEntry{"to", "-", "the new value"}};
constexpr std::array records_fields{FieldEntry{"records", "1", "how many records"}};
constexpr std::array scale_fields{FieldEntry{"to", "-", "the new number of instances"}};
constexpr std::array savepoint_fields{FieldEntry{"stop", "false", "stop the job with it"}};
constexpr std::array fail_disk_fields{
    FieldEntry{"part", "append", "append, index, snapshot, fsync or checkpoint"}};
constexpr std::array hide_fields{FieldEntry{"hide", "none", "a topic left out of the answers"}};
constexpr std::array count_fields{FieldEntry{"count", "1", "how many"}};
constexpr std::array show_fields{
    FieldEntry{"show", "-", "txns, producers, groups, offsets or stores"}};

constexpr Hits frames = Hits::messages | Hits::handoffs;

template <class A>
constexpr ActionEntry row(std::string_view word, Hits hits, Span span,
                          std::span<const FieldEntry> fields, std::string_view help) {
    return {word, hits, span, fields, help, true, &make_default<A>};
}
constexpr ActionEntry absent(std::string_view word, Hits hits, std::span<const FieldEntry> fields,
                             std::string_view help) {
    return {word, hits, Span::instant, fields, help, false, nullptr};
}

constexpr std::span<const FieldEntry> no_fields{};

// The first rows stand in the order of Action's alternatives: entry_of() is an index.
constexpr std::array rows{
    row<Hold>("hold", frames, Span::forever, no_fields,
              "freezes it; what follows on its connection waits behind it"),
    row<Delay>("delay", frames, Span::own, delay_fields, "freezes it for a drawn time"),
    row<Drop>("drop", Hits::messages, Span::instant, drop_fields,
              "a request is never executed, an answer is lost"),
    row<Disconnect>("disconnect", Hits::messages, Span::instant, no_fields,
                    "closes its connection; what was already sent goes on as ghosts"),
    row<Duplicate>("duplicate", Hits::messages, Span::instant, duplicate_fields,
                   "it arrives again over another connection"),
    row<Error>("error", frames, Span::instant, error_fields,
               "a delivered request is refused, a sent answer replaced, a hand-off throws"),
    row<Isolate>("isolate", Hits::nodes, Span::forever, isolate_fields,
                 "cuts the target off from the others"),
    row<Partition>("partition", Hits::nothing, Span::forever, partition_fields,
                   "cuts the network into sides that cannot reach each other"),
    row<SlowLink>("slow-link", Hits::nodes, Span::forever, slow_link_fields,
                  "adds latency to its links or narrows them"),
    row<SlowDisk>("slow-disk", Hits::nodes, Span::forever, slow_disk_fields,
                  "adds to each write and fsync"),
    row<Crash>("crash", Hits::nodes, Span::downtime, no_fields,
               "the process dies, its page cache stays"),
    row<PowerLoss>("power-loss", Hits::nodes, Span::downtime, power_fields,
                   "the machine dies, unflushed bytes are gone"),
    row<WipeDisk>("wipe-disk", Hits::nodes, Span::downtime, wipe_fields,
                  "the machine dies and comes back with an empty disk"),
    row<Stop>("stop", Hits::nodes, Span::forever, stop_fields,
              "graceful end: leadership is handed over, clients close"),
    row<Start>("start", Hits::nodes, Span::instant, no_fields, "starts a node that is down"),
    row<Restart>("restart", Hits::nodes, Span::downtime, stop_fields,
                 "graceful end and start; `for` is the downtime"),
    row<RollingRestart>("rolling-restart", Hits::nodes, Span::downtime, rolling_fields,
                        "restarts one node after the other; `for` is the downtime of each"),
    row<Pause>("pause", Hits::nodes, Span::forever, no_fields,
               "freezes the whole process; its timers are late"),
    row<Stall>("stall", Hits::apps, Span::forever, no_fields,
               "freezes the application thread only; heartbeats go on"),
    row<ClockJump>("clock-jump", Hits::nodes, Span::instant, jump_fields,
                   "moves that node's wall clock; it is not moved back"),
    row<ClockDrift>("clock-drift", Hits::nodes, Span::forever, drift_fields,
                    "lets that node's wall clock run fast or slow"),
    row<LieFsync>("lie-fsync", Hits::nodes, Span::forever, no_fields,
                  "fsync answers and does nothing"),
    row<StaleMetadata>("stale-metadata", Hits::brokers, Span::forever, hide_fields,
                       "answers Metadata from its past, optionally without a topic"),
    row<Elect>("elect", Hits::partitions, Span::stays, elect_fields,
               "moves leadership; with `for` or `until` it moves back"),
    row<ExpireProducers>("expire-producers", Hits::partitions, Span::instant, no_fields,
                         "every replica forgets its idle producers now"),
    row<RollSegment>("roll-segment", Hits::partitions, Span::instant, no_fields,
                     "every replica closes its active segment"),
    row<DeleteRecords>("delete-records", Hits::partitions, Span::instant, delete_fields,
                       "the start of the log moves up"),
    row<AbortTxn>("abort-txn", Hits::partitions, Span::instant, no_fields,
                  "an operator aborts the oldest open transaction of the partition"),
    row<ExpireOffsets>("expire-offsets", Hits::groups, Span::instant, no_fields,
                       "the coordinator's expiry of committed offsets runs now"),
    row<Rebalance>("rebalance", Hits::groups, Span::instant, no_fields, "forces a rebalance"),
    row<Kick>("kick", Hits::groups | Hits::apps, Span::instant, kick_fields, "expels a member"),
    row<ResetOffsets>("reset-offsets", Hits::groups, Span::instant, reset_fields,
                      "moves the group's committed offsets"),
    row<DeleteOffsets>("delete-offsets", Hits::groups, Span::instant, delete_offsets_fields,
                       "an administrator deletes committed offsets (OffsetDelete, KIP-496)"),
    row<DeleteGroup>("delete-group", Hits::groups, Span::instant, no_fields,
                     "an administrator deletes a group without members and its offsets"),
    row<FenceProducer>("fence-producer", Hits::txids, Span::instant, no_fields,
                       "an administrator's InitProducerId: epoch up, open transaction aborted"),
    row<ExpireTransactionalIds>("expire-transactional-ids", Hits::txids, Span::instant, no_fields,
                                "the coordinator forgets an idle transactional id now"),
    row<Nothing>("none", Hits::nothing, Span::instant, no_fields, "a quiet spell"),
    row<Mix>("mix", frames | Hits::nodes | Hits::partitions | Hits::groups, Span::own, mix_fields,
             "each firing draws one of several actions"),
    row<Swizzle>("swizzle", Hits::nodes, Span::own, swizzle_fields,
                 "hits a random subset one by one and releases it in another order"),

    absent("corrupt", Hits::messages, records_fields, "a payload becomes unreadable"),
    absent("duplicate-records", Hits::messages, records_fields, "records are copied in a batch"),
    absent("scale", Hits::apps, scale_fields, "changes the number of instances"),
    absent("savepoint", Hits::apps, savepoint_fields, "takes a Flink savepoint"),
    absent("fail-disk", Hits::nodes, fail_disk_fields, "the next disk operation fails"),
    absent("reassign", Hits::partitions, to_fields, "changes the replica set"),
    absent("compact", Hits::partitions, no_fields, "the cleaner runs"),
    absent("add-partitions", Hits::partitions, count_fields, "a topic gets more partitions"),
    absent("recreate-topic", Hits::partitions, no_fields, "offsets start over"),
    absent("assign", Hits::groups, to_fields, "sets the target assignment"),
    absent("inspect", Hits::nothing, show_fields, "puts the state at this instant in the report"),
};

constexpr std::size_t modelled_rows = static_cast<std::size_t>(
    std::count_if(rows.begin(), rows.end(), [](const ActionEntry& e) { return e.modelled; }));
static_assert(modelled_rows == std::variant_size_v<Action>, "one row per action struct");

}  // namespace

std::span<const ActionEntry> actions() { return rows; }

const ActionEntry* action_named(std::string_view word) {
    const auto* found = std::find_if(rows.begin(), rows.end(),
                                     [&](const ActionEntry& e) { return e.word == word; });
    return found == rows.end() ? nullptr : found;
}

const ActionEntry& entry_of(const Action& action) { return rows[action.index()]; }

std::string_view word_of(const Action& action) { return entry_of(action).word; }

bool on_messages(const Action& action) {
    const Hits hits = entry_of(action).hits;
    return may_hit(hits, Hits::messages) && !std::holds_alternative<Mix>(action);
}

}  // namespace eos::faults
