#pragma once
// What may go wrong in a run, as plain data: typed faults with every name already an index, every
// relative duration already a time. Made by the scenario reader or by a test, read by the injector,
// immutable afterwards. Faults know no Kafka: milestones, facts, roles and orders are numbers of a
// vocabulary, and the few numbers the injector itself must know are handed over in `Words`.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/facts.hpp"
#include "sim/ordinal.hpp"
#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::faults {

/// Position of a fault in Plan::faults.
using FaultIndex = sim::Ordinal<struct FaultIndexTag, std::int32_t>;

// ---- Numbers of the vocabulary ------------------------------------------------------------------

/// Facts the injector reads from frames and milestones, or writes into orders.
struct FactNames {
    sim::FactName api;   ///< equals Frame::kind
    sim::FactName side;  ///< 0 request, 1 response
    sim::FactName from;
    sim::FactName to;
    sim::FactName node;
    sim::FactName log;
    sim::FactName group;
    sim::FactName member;
    sim::FactName offset;
    sim::FactName unclean;
    sim::FactName txid;
    sim::FactName topic;
    friend bool operator==(const FactNames&, const FactNames&) = default;
};

/// Roles of the directory; the subject in brackets.
struct Roles {
    std::uint16_t leader = 0;             ///< [log]
    std::uint16_t followers = 0;          ///< [log] every other replica
    std::uint16_t in_sync = 0;            ///< [log]
    std::uint16_t controller = 0;         ///< [0]
    std::uint16_t group_coordinator = 0;  ///< [group]
    std::uint16_t owner = 0;              ///< [group << 32 | log]
    std::uint16_t txn_coordinator = 0;    ///< [transactional id]
    std::uint16_t holder = 0;             ///< [transactional id] last to initialise it
    std::uint16_t zombie = 0;             ///< [transactional id] the one before
    friend bool operator==(const Roles&, const Roles&) = default;
};

/// What can be asked of a role.
struct Orders {
    sim::OrderKind stop, stall, unstall, elect, rebalance, kick, expire_producers, expire_offsets,
        roll_segment, reset_offsets, delete_records, abort_txn, fence_producer,
        expire_transactional_ids, delete_offsets, delete_group, stale_metadata, fresh_metadata;
    friend bool operator==(const Orders&, const Orders&) = default;
};

/// Milestones with a meaning of their own. The first three are never announced to an adversary: it
/// sees them as Moment::sent, ::delivered and ::handoff of a frame.
struct Marks {
    sim::MilestoneKind rpc_sent, rpc_delivered, handoff_queued;
    sim::MilestoneKind node_crashed, node_lost_power, node_stopped;
    /// fault.NAME is fault_first + 2 * index, fault.NAME.ended the number after it.
    sim::MilestoneKind fault_first{1000};
    friend bool operator==(const Marks&, const Marks&) = default;
};

struct Words {
    FactNames facts;
    Roles roles;
    Orders orders;
    Marks marks;
    friend bool operator==(const Words&, const Words&) = default;
};

// ---- Who exists ---------------------------------------------------------------------------------

/// How long something lasts.
struct Lasting {
    enum class Kind : std::uint8_t {
        time,     ///< the time `time`
        forever,  ///< until the faults heal, at Plan::chaos_end
        never,    ///< not even then (an application with `restart: never`)
    };
    Kind kind = Kind::forever;
    sim::Spread time;
    friend bool operator==(const Lasting&, const Lasting&) = default;
    [[nodiscard]] static constexpr Lasting of(sim::Spread spread) { return {Kind::time, spread}; }
    [[nodiscard]] static constexpr Lasting forever() { return {Kind::forever, {}}; }
    [[nodiscard]] static constexpr Lasting never() { return {Kind::never, {}}; }
};

/// `job_manager`: of the application `app`, and none of its instances.
enum class NodeKind : std::uint8_t { controller, broker, app, store, job_manager };

/// One node of the world; its NodeId is its position in Plan::nodes.
struct NodeEntry {
    NodeKind kind = NodeKind::broker;
    std::int32_t app = -1;              ///< index of the application; -1: none
    std::int32_t instance = 0;          ///< of the application
    std::optional<std::int32_t> group;  ///< consumer group it is a member of
    /// Downtime after a crash that names none: 5 s, for applications their `restart`.
    Lasting restart = Lasting::of(sim::Spread::fixed(sim::seconds(5)));
    std::string name;  ///< "broker 2", "shop/0": for reports
    friend bool operator==(const NodeEntry&, const NodeEntry&) = default;
};

/// One log; its number is its position in Plan::logs.
struct LogEntry {
    std::int32_t topic = 0;
    bool internal = false;  ///< left out where `*/*` draws one
    std::string name;       ///< "orders/0": for reports
    friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

/// One consumer group; its number is its position in Plan::groups.
struct GroupEntry {
    std::int32_t log = -1;  ///< the log of the offsets topic that holds it
    std::string name;
    friend bool operator==(const GroupEntry&, const GroupEntry&) = default;
};

// ---- Targets (language.md 5.5) ------------------------------------------------------------------

/// Which log a target means. Where several fit, one is drawn when the fault fires.
struct LogPick {
    enum class Kind : std::uint8_t {
        one,        ///< `orders/0`, and `group-log:billing`, which the reader resolves
        topic,      ///< `orders/*`: `index` is the topic
        any,        ///< `*/*`: any log that is not internal
        any_group,  ///< `group-log:*`
        any_txn,    ///< `txn-log:*`
    };
    Kind kind = Kind::one;
    std::int32_t index = 0;
    friend bool operator==(const LogPick&, const LogPick&) = default;
};

/// Who. Roles and draws are resolved when the fault fires; in a `match`, at that moment, and a
/// target that would be drawn stands there for every node it could be.
struct Target {
    enum class Kind : std::uint8_t {
        event,  ///< the message or hand-off itself, or the node where it happened
        event_from,
        event_to,
        broker,  ///< `number` is the NodeId
        brokers,
        random_broker,
        controller,
        leader,    ///< of `log`
        follower,  ///< of `log`, one is drawn
        followers,
        replicas,           ///< of `log`
        group_coordinator,  ///< of `number`, a group; empty: one is drawn
        app_instance,       ///< app `number`, `instance`
        app_any,            ///< app `number`, one instance is drawn
        app_all,            ///< app `number`, every instance
        random_app,         ///< any instance of any application
        apps,               ///< all of them
        owner,              ///< of `log` in group `number`
        everyone,
        others,  ///< only in partition groups: whoever no group names
        log,     ///< a partition itself: elect, roll-segment, ...
        group,   ///< a group itself: rebalance, kick, ...; empty `number`: one is drawn
        txid,    ///< a transactional id: fence-producer, ...; empty `number`: one is drawn
        holder,  ///< last to initialise transactional id `number`; empty: one is drawn
        zombie,  ///< the holder before that one
        store,   ///< `number` is the NodeId
        stores,
        job_manager,  ///< of app `number`
    };
    Kind kind = Kind::event;
    std::optional<std::int32_t> number;
    std::int32_t instance = 0;
    LogPick log;
    friend bool operator==(const Target&, const Target&) = default;
};
using Targets = std::vector<Target>;

// ---- Triggers (language.md 5.1) -----------------------------------------------------------------

/// A fact that must be carried, with any of these values. A Target stands for the numbers of the
/// nodes it could mean at that moment.
struct Match {
    sim::FactName fact;
    std::vector<std::variant<std::int64_t, Target>> any_of;
    friend bool operator==(const Match&, const Match&) = default;
};
using Matches = std::vector<Match>;

/// A whole number, fixed (low == high: draws nothing) or drawn.
struct Number {
    std::int64_t low = 1;
    std::int64_t high = 1;
    friend bool operator==(const Number&, const Number&) = default;
};

namespace trigger {
/// Once, at a time (drawn once if it is a range).
struct At {
    sim::Spread time;
    friend bool operator==(const At&, const At&) = default;
};
/// Again and again; the gap is drawn anew each time, the first runs from time zero.
struct Every {
    sim::Spread gap;
    friend bool operator==(const Every&, const Every&) = default;
};
/// When a milestone is reached. Where the language has a default (`side: request` for rpc.*), the
/// reader writes it into the matches.
struct When {
    sim::MilestoneKind kind;
    friend bool operator==(const When&, const When&) = default;
};
}  // namespace trigger
using Trigger = std::variant<trigger::At, trigger::Every, trigger::When>;

/// Count only after another fault has fired, or has ended.
struct Since {
    FaultIndex fault;
    bool ended = false;
    friend bool operator==(const Since&, const Since&) = default;
};

/// An end that is a trigger again; counted from the start of the action.
struct Until {
    sim::MilestoneKind kind;
    Matches matches;
    Number nth;         ///< the n-th match ends it
    sim::Spread after;  ///< and so much later
    friend bool operator==(const Until&, const Until&) = default;
};

// ---- Actions (language.md 5.4) ------------------------------------------------------------------

enum class Notice : std::uint8_t { timeout, disconnect };
enum class Oneway : std::uint8_t {
    both,
    in,   ///< only what travels to the target (partition: to the first group) is cut
    out,  ///< only what leaves it
};
enum class Style : std::uint8_t { silent, refused };

namespace action {

// On messages and hand-offs. With `at` and `every` they are rules, active for `for`.
struct Hold {
    friend bool operator==(const Hold&, const Hold&) = default;
};
struct Delay {
    sim::Spread by;
    friend bool operator==(const Delay&, const Delay&) = default;
};
struct Drop {
    Notice notice = Notice::timeout;
    friend bool operator==(const Drop&, const Drop&) = default;
};
struct Disconnect {
    friend bool operator==(const Disconnect&, const Disconnect&) = default;
};
struct Duplicate {
    sim::Spread by;
    std::int32_t copies = 1;
    friend bool operator==(const Duplicate&, const Duplicate&) = default;
};
struct Error {
    std::vector<std::int32_t> codes;  ///< one is drawn; a single one draws nothing
    friend bool operator==(const Error&, const Error&) = default;
};

// On links.
struct Isolate {
    Targets from;  ///< empty: everyone who is not a target
    Oneway oneway = Oneway::both;
    Style style = Style::silent;
    friend bool operator==(const Isolate&, const Isolate&) = default;
};
struct Partition {
    std::vector<Targets> groups;  ///< sides that cannot reach each other
    Oneway oneway = Oneway::both;
    Style style = Style::silent;
    friend bool operator==(const Partition&, const Partition&) = default;
};
struct SlowLink {
    Targets from;                       ///< the other ends; empty: everyone
    sim::Spread by;                     ///< extra latency, drawn once per firing
    std::int64_t bytes_per_second = 0;  ///< 0: not narrowed
    friend bool operator==(const SlowLink&, const SlowLink&) = default;
};

// On nodes.
struct SlowDisk {
    sim::Spread by;
    friend bool operator==(const SlowDisk&, const SlowDisk&) = default;
};
struct Crash {
    friend bool operator==(const Crash&, const Crash&) = default;
};
struct PowerLoss {
    std::uint32_t files = 0;  ///< vocabulary's bits of what loses its unflushed bytes; 0: all
    bool torn = false;
    friend bool operator==(const PowerLoss&, const PowerLoss&) = default;
};
struct WipeDisk {
    bool torn = false;
    friend bool operator==(const WipeDisk&, const WipeDisk&) = default;
};
/// Graceful end; killed if not down within `grace`; without a `for` it stays down until the heal.
struct Stop {
    Lasting grace;
    friend bool operator==(const Stop&, const Stop&) = default;
};
struct Start {
    friend bool operator==(const Start&, const Start&) = default;
};
/// Graceful end and start; `for` is the downtime.
struct Restart {
    Lasting grace;
    friend bool operator==(const Restart&, const Restart&) = default;
};
/// One node after the other; the next one stops `gap` after the former one was started again.
struct RollingRestart {
    sim::Spread gap = sim::Spread::fixed(sim::seconds(10));
    Lasting grace;
    friend bool operator==(const RollingRestart&, const RollingRestart&) = default;
};
struct Pause {
    friend bool operator==(const Pause&, const Pause&) = default;
};
struct Stall {
    friend bool operator==(const Stall&, const Stall&) = default;
};
struct ClockJump {
    sim::Spread by;  ///< may be negative
    friend bool operator==(const ClockJump&, const ClockJump&) = default;
};
struct ClockDrift {
    Number parts_per_million;  ///< `+1%` is 10'000
    friend bool operator==(const ClockDrift&, const ClockDrift&) = default;
};
struct LieFsync {
    friend bool operator==(const LieFsync&, const LieFsync&) = default;
};
/// On brokers. Metadata is answered as it was when the fault began; a process that restarts has
/// forgotten the past.
struct StaleMetadata {
    std::optional<std::int32_t> hide;  ///< a topic that is unknown to the answers; empty: none
    friend bool operator==(const StaleMetadata&, const StaleMetadata&) = default;
};

// On partitions. A target that names a role of a partition (`leader:P`) stands for the partition.
struct Elect {
    std::optional<Target> to;  ///< empty: another replica, the controller's choice
    bool unclean = false;
    friend bool operator==(const Elect&, const Elect&) = default;
};
struct ExpireProducers {
    friend bool operator==(const ExpireProducers&, const ExpireProducers&) = default;
};
struct RollSegment {
    friend bool operator==(const RollSegment&, const RollSegment&) = default;
};
struct DeleteRecords {
    std::optional<std::int64_t> up_to;  ///< first offset kept; empty: the high watermark
    friend bool operator==(const DeleteRecords&, const DeleteRecords&) = default;
};

/// An operator aborts the oldest open transaction of a partition, whoever owns it.
struct AbortTxn {
    friend bool operator==(const AbortTxn&, const AbortTxn&) = default;
};

// On groups. A target that is a coordinator or a member stands for its group.
struct ExpireOffsets {
    friend bool operator==(const ExpireOffsets&, const ExpireOffsets&) = default;
};
struct Rebalance {
    friend bool operator==(const Rebalance&, const Rebalance&) = default;
};
struct Kick {
    std::optional<Target> member;  ///< an application instance; empty: the target, or a draw of
                                   ///< the coordinator if the target is a group
    friend bool operator==(const Kick&, const Kick&) = default;
};
struct ResetOffsets {
    enum class To : std::uint8_t { earliest, end, offset };
    To to = To::earliest;
    std::int64_t offset = 0;
    std::optional<LogPick> log;  ///< empty: every log the group has committed
    friend bool operator==(const ResetOffsets&, const ResetOffsets&) = default;
};
/// An administrator's OffsetDelete; refused for topics that somebody reads.
struct DeleteOffsets {
    std::optional<LogPick> log;  ///< empty: every log the group has an offset for
    friend bool operator==(const DeleteOffsets&, const DeleteOffsets&) = default;
};
/// An administrator's DeleteGroups; refused while the group has members.
struct DeleteGroup {
    friend bool operator==(const DeleteGroup&, const DeleteGroup&) = default;
};

// On transactional ids.
struct FenceProducer {
    friend bool operator==(const FenceProducer&, const FenceProducer&) = default;
};
struct ExpireTransactionalIds {
    friend bool operator==(const ExpireTransactionalIds&, const ExpireTransactionalIds&) = default;
};

// Generators (language.md 5.6).
struct Nothing {
    friend bool operator==(const Nothing&, const Nothing&) = default;
};  ///< `none`
struct Choice;
/// Each firing draws one entry; the entry's own fields win over the fault's.
struct Mix {
    std::vector<Choice> of;
    friend bool operator==(const Mix& a, const Mix& b);
};
/// A random subset of the target's nodes is hit one by one and released one by one in another
/// order. `for` runs between the last hit and the first release; without one it is a gap more.
struct Swizzle {
    std::vector<Choice>
        of;  ///< what a hit does: lasting actions on one node; several: one is drawn
    sim::Spread gap;
    friend bool operator==(const Swizzle& a, const Swizzle& b);
};

}  // namespace action

/// The closed set of what a fault does. One struct here, one overload in actions.cpp, one row in
/// catalogue.cpp. Words that are rows without a struct are not modelled.
using Action =
    std::variant<action::Hold, action::Delay, action::Drop, action::Disconnect, action::Duplicate,
                 action::Error, action::Isolate, action::Partition, action::SlowLink,
                 action::SlowDisk, action::Crash, action::PowerLoss, action::WipeDisk, action::Stop,
                 action::Start, action::Restart, action::RollingRestart, action::Pause,
                 action::Stall, action::ClockJump, action::ClockDrift, action::LieFsync,
                 action::StaleMetadata, action::Elect, action::ExpireProducers, action::RollSegment,
                 action::DeleteRecords, action::AbortTxn, action::ExpireOffsets, action::Rebalance,
                 action::Kick, action::ResetOffsets, action::DeleteOffsets, action::DeleteGroup,
                 action::FenceProducer, action::ExpireTransactionalIds, action::Nothing,
                 action::Mix, action::Swizzle>;

namespace action {
/// One entry of a generator. Empty fields are the fault's.
struct Choice {
    std::int32_t weight = 1;
    Action act;
    std::optional<Targets> targets;
    std::optional<Lasting> lasts;
    std::optional<Until> until;
    friend bool operator==(const Choice&, const Choice&) = default;
};
inline bool operator==(const Mix& a, const Mix& b) { return a.of == b.of; }
inline bool operator==(const Swizzle& a, const Swizzle& b) {
    return a.of == b.of && a.gap == b.gap;
}
}  // namespace action

// ---- A fault, and all of them -------------------------------------------------------------------

/// No harm: nodes that wait for a trigger are told that it has come (step `wait_for`). Draws
/// nothing, decides nothing, and goes on when the faults have healed.
struct Telling {
    std::vector<sim::NodeId> nodes;
    sim::Order order;
    friend bool operator==(const Telling&, const Telling&) = default;
};

/// Trigger, filter, action, end. Filters are evaluated in the order match, since, nth, chance,
/// times.
struct Fault {
    std::string name;  ///< names its random streams: renaming changes its luck
    Trigger trigger;
    Matches matches;  ///< of the milestone; of each message for a rule
    std::optional<Since> since;
    std::optional<Number> nth;                   ///< only the n-th match, once; a range is drawn
    sim::Chance chance = sim::Chance::always();  ///< per match; for a rule per message
    std::optional<std::int64_t> times;           ///< stop after so many firings
    sim::Spread after;                           ///< between trigger and action
    Action act;
    Targets targets{Target{}};     ///< a list is hit together
    std::optional<Lasting> lasts;  ///< `for`; empty: the action's own default
    std::optional<Until> until;    ///< whichever comes first
    bool heal = true;              ///< undone at Plan::chaos_end
    bool enabled = true;
    std::optional<Telling> tells;  ///< then `act` is Nothing, and no report speaks of it
    friend bool operator==(const Fault&, const Fault&) = default;
};

struct Plan {
    std::uint64_t seed = 1;
    sim::Instant chaos_end =
        sim::time_never;  ///< no fault fires from here on; those that heal, heal
    std::vector<Fault> faults;
    std::vector<NodeEntry> nodes;
    std::vector<LogEntry> logs;
    std::vector<GroupEntry> groups;
    std::vector<std::int32_t> txn_logs;  ///< by transactional id: the log that holds it
    std::vector<std::int32_t> more_txn_logs;  ///< logs of ids that are made up during the run
    Words words;
    friend bool operator==(const Plan&, const Plan&) = default;
};

/// The milestone fault.NAME (or fault.NAME.ended) of a plan.
[[nodiscard]] constexpr sim::MilestoneKind fault_milestone(const Marks& marks, FaultIndex fault,
                                                           bool ended) {
    return {
        static_cast<std::uint16_t>(marks.fault_first.value + 2 * fault.value + (ended ? 1 : 0))};
}

}  // namespace eos::faults
