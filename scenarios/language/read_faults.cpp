#include "scenarios/language/read_faults.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "faults/check.hpp"
#include "model/milestones.hpp"

namespace eos::scenarios {
namespace {

using namespace faults;
using model::Mile;
using model::number;

/// Where a fault starts.
struct Start {
    Trigger trigger;
    std::optional<Milestone> milestone;  ///< of `when`
    bool rpc = false;
    bool handoff = false;
};

std::optional<Start> read_trigger(Reading& reading, const Form& form, const Mark& mark) {
    const int given =
        (form.has("at") ? 1 : 0) + (form.has("every") ? 1 : 0) + (form.has("when") ? 1 : 0);
    if (given != 1) {
        const auto at = given == 0 ? mark : form.key_mark(form.has("when") ? "when" : "every");
        reading.error(at,
                      given == 0 ? fmt::format("there is no trigger {}", form.where())
                                 : fmt::format("there are {} triggers {}", given, form.where()),
                      "give exactly one of at, every and when");
        return std::nullopt;
    }
    if (form.has("at")) return Start{trigger::At{form.spread("at")}, {}, false, false};
    if (form.has("every")) {
        const auto gap = form.spread("every");
        if (gap.high <= sim::Duration{}) {
            reading.error(form.mark("every"), "every: a gap of 0 never lets time pass");
            return std::nullopt;
        }
        return Start{trigger::Every{gap}, {}, false, false};
    }
    auto milestone = read_milestone(reading, *form.get("when"));
    if (!milestone) return std::nullopt;
    const bool rpc = milestone->rpc;
    const bool handoff = milestone->kind == number(Mile::handoff_queued);
    const auto kind = milestone->kind;
    return Start{trigger::When{kind}, std::move(milestone), rpc, handoff};
}

void check_message_action(Reading& reading, const Form& form, const ActionEntry& entry,
                          const Start& start, const Fault& fault) {
    const bool rule = !start.milestone;
    const auto where = form.where();
    if (!rule && !start.rpc && !start.handoff)
        reading.error(form.mark("when"),
                      fmt::format("'{}' acts on a message, '{}' is none {}", entry.word,
                                  start.milestone->name, where),
                      "trigger it with rpc.sent, rpc.delivered or handoff.queued");
    if (start.handoff && !may_hit(entry.hits, Hits::handoffs))
        reading.error(form.mark("do"),
                      fmt::format("'{}' cannot act on a hand-off {}", entry.word, where),
                      "hold, delay and error can");
    if (form.has("target") &&
        (fault.targets.size() != 1 || fault.targets[0].kind != Target::Kind::event))
        reading.error(form.mark("target"),
                      fmt::format("'{}' acts on the message itself {}", entry.word, where),
                      "leave target out, and choose the message with match");
    // language.md, section 8: a request is refused where it arrives, not where it leaves.
    if (entry.word == "error" && !rule && start.milestone->kind == number(Mile::rpc_sent)) {
        const bool request =
            std::any_of(fault.matches.begin(), fault.matches.end(), [](const Match& m) {
                return m.fact == number(model::Fact::side) && m.any_of.size() == 1 &&
                       m.any_of[0] == std::variant<std::int64_t, Target>(std::int64_t{0});
            });
        if (request)
            reading.error(form.mark("when"),
                          fmt::format("a request cannot fail while it is sent {}", where),
                          "use rpc.delivered, or side: response");
    }
}

/// What a target may be, by what the action hits.
void check_targets(Reading& reading, const Form& form, const ActionEntry& entry, const Start& start,
                   const Fault& fault) {
    if (entry.word == "partition" || entry.word == "none") {
        if (form.has("target"))
            reading.error(form.key_mark("target"),
                          fmt::format("'{}' has no target {}", entry.word, form.where()));
        return;
    }
    const bool generator = entry.word == "mix";
    if (!form.has("target") && !start.milestone && !generator) {
        reading.error(form.mark("do"),
                      fmt::format("'{}' needs a target {}", entry.word, form.where()),
                      "there is no event at a time: say who, for example random-broker");
        return;
    }
    using Kind = Target::Kind;
    for (const auto& target : fault.targets) {
        const bool event = target.kind == Kind::event || target.kind == Kind::event_from ||
                           target.kind == Kind::event_to;
        if (event && !start.milestone && form.has("target"))
            reading.error(form.mark("target"), fmt::format("there is no event {}", form.where()),
                          "a fault with 'at' or 'every' needs a target of its own");
        const bool app = target.kind == Kind::app_instance || target.kind == Kind::app_any ||
                         target.kind == Kind::app_all || target.kind == Kind::random_app ||
                         target.kind == Kind::apps || target.kind == Kind::holder ||
                         target.kind == Kind::zombie || target.kind == Kind::job_manager;
        const bool only_apps =
            may_hit(entry.hits, Hits::apps) && !may_hit(entry.hits, Hits::groups);
        if (only_apps && !app && !event && target.kind != Kind::owner)
            reading.error(form.mark("target"),
                          fmt::format("'{}' acts on apps only {}", entry.word, form.where()));
        const bool broker_role = target.kind == Kind::broker || target.kind == Kind::brokers ||
                                 target.kind == Kind::random_broker ||
                                 target.kind == Kind::leader || target.kind == Kind::follower ||
                                 target.kind == Kind::followers || target.kind == Kind::replicas ||
                                 target.kind == Kind::group_coordinator;
        if (entry.hits == Hits::brokers && !broker_role && !event)
            reading.error(form.mark("target"),
                          fmt::format("'{}' acts on brokers only {}", entry.word, form.where()),
                          "for example target: brokers, or leader:T/P");
        const bool log_role = target.kind == Kind::log || target.kind == Kind::leader ||
                              target.kind == Kind::follower || target.kind == Kind::followers ||
                              target.kind == Kind::replicas || target.kind == Kind::owner ||
                              target.kind == Kind::group_coordinator;
        if (entry.hits == Hits::partitions && !log_role && !event)
            reading.error(form.mark("target"),
                          fmt::format("'{}' acts on a partition {}", entry.word, form.where()),
                          "for example target: orders/0");
        const bool group_role = target.kind == Kind::group || target.kind == Kind::owner ||
                                target.kind == Kind::group_coordinator || app;
        if (may_hit(entry.hits, Hits::groups) && !may_hit(entry.hits, Hits::nodes) && !group_role &&
            !event)
            reading.error(form.mark("target"),
                          fmt::format("'{}' acts on a consumer group {}", entry.word, form.where()),
                          "for example the name of a group, or group-coordinator:GROUP");
        if (entry.hits == Hits::txids && target.kind != Kind::txid && !event)
            reading.error(form.mark("target"),
                          fmt::format("'{}' acts on a transactional id {}", entry.word,
                                      form.where()),
                          "for example NAME-0, the id of instance 0 of app NAME, or *");
        if (entry.word == "start" && target.kind == Kind::everyone)
            reading.error(form.mark("target"), "'start' starts nodes that are down: name them");
    }
}

void check_lasting(Reading& reading, const Form& form, const ActionEntry& entry,
                   const Start& start) {
    const bool rule = !start.milestone && may_hit(entry.hits, Hits::messages);
    const bool lasts = rule || entry.word == "mix" || entry.word == "swizzle" ||
                       entry.span == Span::forever || entry.span == Span::downtime ||
                       entry.span == Span::stays;
    if (lasts) return;
    for (const std::string_view field : {"for", "until"})
        if (form.has(field))
            reading.error(form.key_mark(field),
                          fmt::format("'{}' does not last, so it has no '{}' {}", entry.word, field,
                                      form.where()),
                          entry.word == "delay" ? "its length is 'by'" : "remove it");
}

void read_since(Reading& reading, const Form& form, Fault& fault) {
    const auto* node = form.get("since");
    if (node == nullptr) return;
    std::string_view name = node->text;
    const bool ended = name.ends_with(".ended");
    if (ended) name.remove_suffix(6);
    if (name.starts_with("fault.")) name.remove_prefix(6);
    const auto& names = reading.fault_names;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
        reading.error(node->mark, fmt::format("there is no fault '{}'", name),
                      suggestion(name, names));
    else if (name == fault.name)
        reading.error(node->mark, "a fault cannot wait for itself");
    else
        fault.since = Since{{static_cast<std::int32_t>(found - names.begin())}, ended};
}

std::optional<Fault> read_fault(Reading& reading, const Node& node, std::string name) {
    const Form form(reading.diagnostics, &node, fault_section, fmt::format("in fault '{}'", name));
    const auto start = read_trigger(reading, form, node.mark);
    Fault fault;
    fault.name = std::move(name);
    const auto* entry = form.get("do") ? action_named(form.text("do")) : nullptr;
    if (start) {
        fault.trigger = start->trigger;
        // A rule (at, every) on messages matches what they carry when they are sent.
        if (start->milestone) {
            fault.matches = read_match(reading, form.get("match"), *start->milestone);
        } else if (entry != nullptr && may_hit(entry->hits, Hits::messages)) {
            static const auto* sent = model::milestone_named("rpc.sent");
            const Milestone message{.kind = number(Mile::rpc_sent),
                                    .name = "rpc.sent",
                                    .facts = sent->facts,
                                    .rpc = entry->word != "mix",
                                    .implied = {}};
            fault.matches = read_match(reading, form.get("match"), message);
        } else if (form.has("match")) {
            reading.error(form.key_mark("match"),
                          fmt::format("there is nothing to match {}", form.where()),
                          "'match' belongs to 'when', and to actions on messages");
        }
    }
    if (const auto* target = form.get("target")) {
        SelectorUse use{.event = true, .others = false, .partition = true, .group = true};
        if (entry != nullptr && entry->modelled) use = use_for(*entry);
        if (entry != nullptr && entry->word == "mix") use.partition = use.group = true;
        fault.targets = read_selectors(reading, *target, use);
    }
    const auto scope = scope_of(fault.targets, fault.matches);
    const auto act = read_action(reading, form, scope);
    if (!start || !act || entry == nullptr) return std::nullopt;
    fault.act = *act;
    if (on_messages(*act))
        check_message_action(reading, form, *entry, *start, fault);
    else
        check_targets(reading, form, *entry, *start, fault);
    check_lasting(reading, form, *entry, *start);
    read_since(reading, form, fault);
    if (form.has("nth")) {
        const auto nth = parse_integer_range(form.text("nth"));
        fault.nth = Number{nth.value->low, nth.value->high};
        if (form.has("times"))
            reading.error(form.key_mark("times"),
                          fmt::format("'times' beside 'nth' {}", form.where()),
                          "the n-th match happens once");
    }
    fault.chance = form.chance("chance");
    fault.times = form.optional_integer("times");
    if (const auto* after = form.get("after"))
        fault.after = read_relative(reading, *after, scope).value_or(sim::Spread{});
    if (const auto* lasts = form.get("for")) fault.lasts = read_lasting(reading, *lasts, scope);
    if (const auto* until = form.get("until")) fault.until = read_until(reading, *until, scope);
    fault.heal = form.flag("heal");
    fault.enabled = form.flag("enabled");
    const auto* at = std::get_if<trigger::At>(&fault.trigger);
    if (at != nullptr && at->time.low >= reading.scenario.duration)
        reading.error(form.mark("at"),
                      fmt::format("'{}' would happen after the end of duration ({})", fault.name,
                                  duration_text(reading.scenario.duration)),
                      "no fault starts while the system settles");
    return fault;
}

/// The trigger of a wait_for step: a fault that does no harm but tells the application.
std::optional<Fault> read_wait(Reading& reading, const Reading::Wait& wait, std::size_t number_of) {
    const auto& node = wait.options;
    Node options = node;
    if (node.is_scalar()) {  // wait_for: fault.cut.ended
        options = Node::map(node.mark);
        options.put({"when", node.mark}, node);
    }
    const auto& app = reading.scenario.apps[static_cast<std::size_t>(wait.app.value)].config;
    const Form form(reading.diagnostics, &options, wait_section,
                    fmt::format("in wait_for of app '{}'", app.name));
    if (!options.is_map()) return std::nullopt;
    if (form.has("when") == form.has("at")) {
        reading.error(node.mark, fmt::format("{} {}", form.has("at") ? "there are two triggers"
                                                                      : "there is no trigger",
                                             form.where()),
                      "give exactly one of when and at");
        return std::nullopt;
    }
    Fault fault;
    fault.name = fmt::format("wait_for {}", number_of);
    fault.act = action::Nothing{};
    if (const auto* when = form.get("when")) {
        const auto milestone = read_milestone(reading, *when);
        if (!milestone) return std::nullopt;
        fault.trigger = trigger::When{milestone->kind};
        fault.matches = read_match(reading, form.get("match"), *milestone);
    } else {
        fault.trigger = trigger::At{sim::Spread::fixed(form.duration("at"))};
        for (const std::string_view field : {"match", "since", "nth"})
            if (form.has(field))
                reading.error(form.key_mark(field), fmt::format("'{}' belongs to 'when' {}", field,
                                                                form.where()));
    }
    read_since(reading, form, fault);
    fault.nth = Number{form.integer("nth"), form.integer("nth")};
    fault.after = sim::Spread::fixed(form.duration("after"));
    Telling telling;
    telling.order.kind = number(model::Ask::signal);
    telling.order.facts.add(number(model::Fact::count), static_cast<std::int64_t>(number_of));
    for (std::int32_t i = 0; i < app.instances; ++i)
        telling.nodes.push_back(reading.topology.node_of({app.id, i}));
    fault.tells = std::move(telling);
    return fault;
}

/// After all faults, so that their numbers stay.
void read_waits(Reading& reading) {
    for (std::size_t i = 0; i < reading.waits.size(); ++i)
        if (auto fault = read_wait(reading, reading.waits[i], i))
            reading.scenario.faults.faults.push_back(std::move(*fault));
}

/// Names first: faults may refer to later ones.
void read_names(Reading& reading, const Node& faults) {
    for (std::size_t i = 0; i < faults.items.size(); ++i) {
        const auto* name = faults.items[i].find("name");
        auto text = name && name->is_scalar() ? name->text : fmt::format("fault-{}", i + 1);
        const auto& names = reading.fault_names;
        const auto known = std::find(names.begin(), names.end(), text);
        if (known != names.end())
            reading.error(name ? name->mark : faults.items[i].mark,
                          fmt::format("two faults are named '{}'", text), "names are unique");
        reading.fault_names.push_back(std::move(text));
    }
}

faults::Words vocabulary_words() {
    using model::Ask;
    using model::Fact;
    using model::Role;
    const auto role = [](Role r) { return static_cast<std::uint16_t>(r); };
    return {.facts = {.api = number(Fact::api),
                      .side = number(Fact::side),
                      .from = number(Fact::from),
                      .to = number(Fact::to),
                      .node = number(Fact::node),
                      .log = number(Fact::log),
                      .group = number(Fact::group),
                      .member = number(Fact::member),
                      .offset = number(Fact::offset),
                      .unclean = number(Fact::unclean),
                      .txid = number(Fact::txid),
                      .topic = number(Fact::topic)},
            .roles = {.leader = role(Role::leader),
                      .followers = role(Role::followers),
                      .in_sync = role(Role::in_sync),
                      .controller = role(Role::controller),
                      .group_coordinator = role(Role::group_coordinator),
                      .owner = role(Role::owner),
                      .txn_coordinator = role(Role::txn_coordinator),
                      .holder = role(Role::holder),
                      .zombie = role(Role::zombie)},
            .orders = {.stop = number(Ask::stop),
                       .stall = number(Ask::stall),
                       .unstall = number(Ask::unstall),
                       .elect = number(Ask::elect),
                       .rebalance = number(Ask::rebalance),
                       .kick = number(Ask::kick),
                       .expire_producers = number(Ask::expire_producers),
                       .expire_offsets = number(Ask::expire_offsets),
                       .roll_segment = number(Ask::roll_segment),
                       .reset_offsets = number(Ask::reset_offsets),
                       .delete_records = number(Ask::delete_records),
                       .abort_txn = number(Ask::abort_txn),
                       .fence_producer = number(Ask::fence_producer),
                       .expire_transactional_ids = number(Ask::expire_transactional_ids),
                       .delete_offsets = number(Ask::delete_offsets),
                       .delete_group = number(Ask::delete_group),
                       .stale_metadata = number(Ask::stale_metadata),
                       .fresh_metadata = number(Ask::fresh_metadata)},
            .marks = {.rpc_sent = number(Mile::rpc_sent),
                      .rpc_delivered = number(Mile::rpc_delivered),
                      .handoff_queued = number(Mile::handoff_queued),
                      .node_crashed = number(Mile::node_crashed),
                      .node_lost_power = number(Mile::node_lost_power),
                      .node_stopped = number(Mile::node_stopped),
                      .fault_first = number(Mile::fault_first)}};
}

/// Who exists, as the injector knows it.
void fill_world(Reading& reading) {
    auto& plan = reading.scenario.faults;
    const auto& topology = reading.topology;
    const auto node = [&](faults::NodeKind kind, std::int32_t id) {
        NodeEntry entry;
        entry.kind = kind;
        entry.name = topology.node_name({id});
        return entry;
    };
    plan.nodes.push_back(node(faults::NodeKind::controller, 0));
    for (std::int32_t i = 1; i <= topology.brokers; ++i)
        plan.nodes.push_back(node(faults::NodeKind::broker, i));
    for (const auto& app : reading.scenario.apps)
        for (std::int32_t i = 0; i < app.config.nodes(); ++i) {
            const auto kind = i < app.config.processes() ? faults::NodeKind::app
                                                         : faults::NodeKind::job_manager;
            auto entry = node(kind, static_cast<std::int32_t>(plan.nodes.size()));
            entry.app = app.config.id.value;
            entry.instance = i;
            if (app.config.consumer.group) entry.group = app.config.consumer.group->value;
            entry.restart =
                app.config.restart ? Lasting::of(*app.config.restart) : Lasting::never();
            plan.nodes.push_back(std::move(entry));
        }
    for (std::size_t i = 0; i < topology.stores.size(); ++i)
        plan.nodes.push_back(
            node(faults::NodeKind::store, topology.first_store.value + static_cast<std::int32_t>(i)));
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const auto topic = topology.logs[i].topic;
        plan.logs.push_back(
            {.topic = topic.value,
             .internal = topology.topics[static_cast<std::size_t>(topic.value)].internal,
             .name = topology.log_name({static_cast<std::int32_t>(i)})});
    }
    for (std::size_t i = 0; i < topology.transactional_ids.size(); ++i) {
        const auto log = topology.transaction_log({static_cast<std::int32_t>(i)});
        if (log) plan.txn_logs.push_back(log->value);
    }
    if (topology.transaction_topic && !topology.job_prefixes.empty()) {
        const auto index = static_cast<std::size_t>(topology.transaction_topic->value);
        for (std::int32_t p = 0; p < topology.topics[index].partitions; ++p)
            plan.more_txn_logs.push_back(topology.topics[index].first.value + p);
    }
    for (std::size_t i = 0; i < topology.groups.size(); ++i) {
        const auto log = topology.offsets_log({static_cast<std::int32_t>(i)});
        plan.groups.push_back({.log = log ? log->value : -1, .name = topology.groups[i]});
    }
    plan.words = vocabulary_words();
    plan.seed = reading.scenario.seed;
    plan.chaos_end = sim::time_zero + reading.scenario.duration;
}

}  // namespace

void read_faults(Reading& reading) {
    fill_world(reading);
    const auto* list = reading.top.get("faults");
    if (list == nullptr) return read_waits(reading);
    constexpr std::size_t most = 1000;
    if (list->items.size() > most)
        reading.error(list->mark,
                      fmt::format("{} faults are more than a run can use", list->items.size()),
                      fmt::format("at most {}", most));
    read_names(reading, *list);
    for (std::size_t i = 0; i < list->items.size() && i < most; ++i)
        if (auto fault = read_fault(reading, list->items[i], reading.fault_names[i]))
            reading.scenario.faults.faults.push_back(std::move(*fault));
    if (reading.diagnostics.failed()) {
        read_waits(reading);
        return;
    }
    // What only the injector knows to be meaningless.
    for (const auto& problem : faults::check(reading.scenario.faults)) {
        const auto& node = list->items[static_cast<std::size_t>(problem.fault.value)];
        const auto* field = node.find(problem.field);
        reading.error(
            field ? field->mark : node.mark,
            fmt::format("{} in fault '{}'", problem.what,
                        reading.fault_names[static_cast<std::size_t>(problem.fault.value)]));
    }
    read_waits(reading);
}

}  // namespace eos::scenarios
