// What a fault does: `do` and the fields of its action, by the catalogue of faults/.

#include <algorithm>

#include <fmt/format.h>

#include "model/error_codes.hpp"
#include "model/partition_log.hpp"
#include "scenarios/language/read_faults.hpp"

namespace eos::scenarios {
namespace {

using namespace faults;

/// Fills the fields of one action. One overload for each struct that has fields.
class ActionFields {
  public:
    ActionFields(Reading& reading, const Form& form, const SettingScope& scope,
                 const ActionEntry& entry)
        : reading_(reading), form_(form), scope_(scope), entry_(entry) {}

    template <class A>
    void operator()(A& act) {
        if constexpr (requires { fill(act); }) fill(act);
    }

  private:
    /// The field, which must be there.
    const Node* need(std::string_view name, std::string_view example) {
        const auto* node = form_.get(name);
        if (node == nullptr && form_.mark(name) == form_.mark())
            reading_.error(form_.mark("do"),
                           fmt::format("'{}' needs '{}' {}", entry_.word, name, form_.where()),
                           fmt::format("for example {}: {}", name, example));
        return node;
    }
    sim::Spread spread(std::string_view name, std::string_view example) {
        const auto* node = need(name, example);
        return node ? read_relative(reading_, *node, scope_).value_or(sim::Spread{})
                    : sim::Spread{};
    }
    sim::Spread spread_or(std::string_view name, sim::Spread fallback) {
        const auto* node = form_.get(name);
        return node ? read_relative(reading_, *node, scope_).value_or(fallback) : fallback;
    }
    Targets targets(std::string_view name) {
        const auto* node = form_.get(name);
        const SelectorUse use{.event = true, .others = false, .partition = false, .group = false};
        return node ? read_selectors(reading_, *node, use) : Targets{};
    }
    Oneway oneway() {
        const auto text = form_.text("oneway");
        return text == "in" ? Oneway::in : text == "out" ? Oneway::out : Oneway::both;
    }
    Style style() { return form_.text("style") == "refused" ? Style::refused : Style::silent; }
    Lasting grace() {
        const auto* node = form_.get("grace");
        return node ? read_lasting(reading_, *node, scope_).value_or(Lasting{}) : Lasting{};
    }

    void fill(action::Delay& act) { act.by = spread("by", "5s..9s"); }
    void fill(action::Drop& act) {
        if (form_.text("notice") == "disconnect") act.notice = Notice::disconnect;
    }
    void fill(action::Duplicate& act) {
        act.by = spread_or("by", {});
        if (form_.has("copies")) act.copies = static_cast<std::int32_t>(form_.integer("copies"));
    }
    void fill(action::Error& act) {
        if (need("code", "NOT_LEADER_OR_FOLLOWER") == nullptr) return;
        for (const auto* node : form_.list("code")) {
            const auto code = model::error_code(node->text);
            std::vector<std::string> names;
            for (const auto known : model::all_error_codes())
                if (known != model::ErrorCode::none) names.emplace_back(model::name(known));
            if (code && *code != model::ErrorCode::none)
                act.codes.push_back(static_cast<std::int32_t>(*code));
            else
                reading_.error(node->mark, fmt::format("{} is not a Kafka error", shape(*node)),
                               suggestion(node->text, names));
        }
    }
    void fill(action::Isolate& act) {
        act.from = targets("from");
        act.oneway = oneway();
        act.style = style();
    }
    void fill(action::Partition& act) {
        act.oneway = oneway();
        act.style = style();
        const auto* groups = need("groups", "[[broker:1], [others]]");
        if (groups == nullptr) return;
        if (!groups->is_sequence() || groups->items.size() < 2) {
            reading_.error(groups->mark, "groups must be a list of at least two sides",
                           "for example groups: [[broker:1], [others]]");
            return;
        }
        const SelectorUse use{.event = true, .others = true, .partition = false, .group = false};
        for (const auto& side : groups->items)
            act.groups.push_back(read_selectors(reading_, side, use));
    }
    void fill(action::SlowLink& act) {
        act.from = targets("from");
        act.by = spread_or("by", {});
        act.bytes_per_second = form_.bandwidth("bandwidth").value_or(0);
        if (act.by == sim::Spread{} && act.bytes_per_second == 0)
            reading_.error(form_.mark("do"), "slow-link slows nothing down",
                           "give it 'by' or 'bandwidth'");
    }
    void fill(action::SlowDisk& act) { act.by = spread("by", "200ms..2s"); }
    void fill(action::PowerLoss& act) {
        act.torn = form_.flag("torn");
        for (const auto& word : form_.texts("lose")) {
            if (word == "log") act.files |= static_cast<std::uint32_t>(model::DiskFiles::log);
            if (word == "snapshots")
                act.files |= static_cast<std::uint32_t>(model::DiskFiles::snapshots);
            if (word == "indexes")
                act.files |= static_cast<std::uint32_t>(model::DiskFiles::indexes);
            if (word == "checkpoints")
                act.files |= static_cast<std::uint32_t>(model::DiskFiles::checkpoints);
        }
    }
    void fill(action::WipeDisk& act) {
        const auto text = form_.text("leaves");
        if (!text.empty() && text != "nothing" && text != "torn")
            reading_.error(form_.mark("leaves"),
                           fmt::format("'{}' is neither nothing nor torn", text));
        act.torn = text == "torn";
    }
    void fill(action::Stop& act) { act.grace = grace(); }
    void fill(action::Restart& act) { act.grace = grace(); }
    void fill(action::RollingRestart& act) {
        act.grace = grace();
        if (form_.has("gap")) act.gap = form_.spread("gap");
    }
    void fill(action::ClockJump& act) {
        const auto* node = need("by", "-5s");
        if (node == nullptr) return;
        const auto parsed = parse_signed_spread(node->text);
        if (parsed)
            act.by = *parsed.value;
        else
            reading_.error(node->mark, fmt::format("by: {}", parsed.problem), parsed.hint);
    }
    void fill(action::ClockDrift& act) {
        const auto* node = need("by", "+1%");
        if (node == nullptr) return;
        const auto parsed = parse_drift(node->text);
        if (parsed)
            act.parts_per_million = {parsed.value->low, parsed.value->high};
        else
            reading_.error(node->mark, fmt::format("by: {}", parsed.problem), parsed.hint);
    }
    void fill(action::StaleMetadata& act) {
        const auto* node = form_.get("hide");
        if (node == nullptr) return;
        if (const auto topic = reading_.need_topic(*node)) act.hide = topic->value;
    }
    void fill(action::Elect& act) {
        act.unclean = form_.flag("unclean");
        const auto* node = form_.get("to");
        if (node == nullptr || node->text == "another") return;
        act.to = read_selector(
            reading_, *node, {.event = false, .others = false, .partition = false, .group = false});
    }
    void fill(action::DeleteRecords& act) { act.up_to = form_.optional_integer("up_to"); }
    void fill(action::Kick& act) {
        const auto* node = form_.get("member");
        if (node == nullptr) return;
        act.member = read_selector(
            reading_, *node, {.event = true, .others = false, .partition = false, .group = false});
        using Kind = Target::Kind;
        if (act.member && act.member->kind != Kind::app_instance &&
            act.member->kind != Kind::app_any && act.member->kind != Kind::event &&
            act.member->kind != Kind::owner)
            reading_.error(node->mark, fmt::format("{} is not a member", shape(*node)),
                           "for example member: app:audit/0");
    }
    void fill(action::ResetOffsets& act) {
        using To = action::ResetOffsets::To;
        if (const auto* node = form_.get("to")) {
            const auto number = parse_unsigned(node->text);
            if (node->text == "end")
                act.to = To::end;
            else if (number && *number.value < 9'000'000'000'000'000'000U) {
                act.to = To::offset;
                act.offset = static_cast<std::int64_t>(*number.value);
            } else if (node->text != "earliest") {
                reading_.error(node->mark, fmt::format("{} is not a position", shape(*node)),
                               "earliest, end or an offset");
            }
        }
        if (const auto* node = form_.get("log"))
            act.log = read_log(reading_, node->text, node->mark);
    }
    void fill(action::DeleteOffsets& act) {
        if (const auto* node = form_.get("log"))
            act.log = read_log(reading_, node->text, node->mark);
    }
    void fill(action::Mix& act) { act.of = choices(false); }
    void fill(action::Swizzle& act) {
        act.of = choices(true);
        if (form_.has("gap")) act.gap = form_.spread("gap");
    }

    std::vector<action::Choice> choices(bool swizzle) {
        std::vector<action::Choice> result;
        if (need("of", "[{ do: crash }]") == nullptr) return result;
        if (form_.list("of").empty())
            reading_.error(form_.mark("of"), "'of' is empty", "for example of: [{ do: crash }]");
        for (const auto* node : form_.list("of")) {
            const Form entry(reading_.diagnostics, node, choice_section, "in an entry of 'of'");
            auto act = read_action(reading_, entry, scope_);
            if (!act) continue;
            const auto& row = entry_of(*act);
            if (std::holds_alternative<action::Mix>(*act) ||
                std::holds_alternative<action::Swizzle>(*act)) {
                reading_.error(entry.mark("do"), "a generator cannot hold a generator");
                continue;
            }
            const bool on_nodes =
                may_hit(row.hits, Hits::nodes) || may_hit(row.hits, Hits::brokers);
            if (swizzle && (!on_nodes || row.span == Span::instant)) {
                reading_.error(entry.mark("do"),
                               fmt::format("'{}' does not last on a node", row.word),
                               "a swizzle hits and releases nodes, for example { do: isolate }");
                continue;
            }
            result.push_back(choice(entry, row, std::move(*act)));
        }
        return result;
    }

    action::Choice choice(const Form& entry, const ActionEntry& row, Action act) {
        action::Choice result;
        result.weight = static_cast<std::int32_t>(entry.integer("weight"));
        result.act = std::move(act);
        if (const auto* target = entry.get("target")) {
            auto use = use_for(row);
            use.event = true;
            result.targets = read_selectors(reading_, *target, use);
        }
        const auto scope = scope_of(result.targets.value_or(Targets{}), {});
        const auto& known = result.targets ? scope : scope_;
        if (const auto* lasts = entry.get("for"))
            result.lasts = read_lasting(reading_, *lasts, known);
        if (const auto* until = entry.get("until"))
            result.until = read_until(reading_, *until, known);
        if (row.span == Span::instant && (entry.has("for") || entry.has("until")))
            reading_.error(entry.key_mark(entry.has("for") ? "for" : "until"),
                           fmt::format("'{}' does not last", row.word), "remove it");
        return result;
    }

    Reading& reading_;
    const Form& form_;
    const SettingScope& scope_;
    const ActionEntry& entry_;
};

bool has_field(const ActionEntry& entry, std::string_view word) {
    return std::any_of(entry.fields.begin(), entry.fields.end(),
                       [&](const FieldEntry& f) { return f.word == word; });
}

/// Fields that belong to some action, and not to this one.
void check_fields(Reading& reading, const Form& form, const ActionEntry& entry) {
    for (const auto& field : fault_section.fields) {
        if (!form.has(field.name) || has_field(entry, field.name)) continue;
        const bool anywhere =
            std::any_of(actions().begin(), actions().end(),
                        [&](const ActionEntry& e) { return has_field(e, field.name); });
        if (!anywhere) continue;
        std::string own;
        for (const auto& f : entry.fields) own += (own.empty() ? "" : ", ") + std::string(f.word);
        reading.error(
            form.key_mark(field.name),
            fmt::format("action '{}' has no '{}' {}", entry.word, field.name, form.where()),
            own.empty() ? "it has no fields of its own" : fmt::format("its own fields: {}", own));
    }
}

}  // namespace

SelectorUse use_for(const ActionEntry& entry) {
    return {.event = true,
            .others = false,
            .partition = may_hit(entry.hits, Hits::partitions),
            .group = may_hit(entry.hits, Hits::groups),
            .txid = may_hit(entry.hits, Hits::txids)};
}

std::optional<Action> read_action(Reading& reading, const Form& form, const SettingScope& scope) {
    const auto* node = form.get("do");
    if (node == nullptr) return std::nullopt;
    const auto* entry = node->is_scalar() ? action_named(node->text) : nullptr;
    if (entry == nullptr) {
        std::vector<std::string> names;
        for (const auto& row : actions()) names.emplace_back(row.word);
        auto hint = suggestion(node->text, names);
        if (hint.empty()) hint = "'eosim list faults' prints them";
        reading.error(node->mark, fmt::format("{} is not an action {}", shape(*node), form.where()),
                      hint);
        return std::nullopt;
    }
    if (!entry->modelled) {
        refuse_unmodelled(reading.diagnostics, node->mark, fmt::format("action '{}'", entry->word),
                          "a part not built yet");
        return std::nullopt;
    }
    check_fields(reading, form, *entry);
    auto act = entry->make();
    std::visit(ActionFields{reading, form, scope, *entry}, act);
    return act;
}

}  // namespace eos::scenarios
