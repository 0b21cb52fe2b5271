#include "scenarios/language/form.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace eos::scenarios {
namespace {

std::string in(std::string_view where) {
    return where.empty() ? std::string() : fmt::format(" {}", where);
}

bool slug(std::string_view text) {
    const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= 64 && alnum(text[0]) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return alnum(c) || c == '-'; });
}

/// Reports what a parser said.
template <class T>
bool checked(Diagnostics& diagnostics, const Parsed<T>& parsed, const Field& field,
             const Node& node) {
    if (parsed) return true;
    auto hint = parsed.hint;
    if (hint.empty() && !field.example.empty())
        hint = fmt::format("for example {}: {}", field.name, field.example);
    diagnostics.error(node.mark, fmt::format("{}: {}", field.name, parsed.problem), hint);
    return false;
}

bool wrong_shape(Diagnostics& diagnostics, const Field& field, const Node& node,
                 std::string_view wanted) {
    const auto example = field.example.empty() ? field.fallback : field.example;
    diagnostics.error(
        node.mark, fmt::format("'{}' must be {}, not {}", field.name, wanted, shape(node)),
        example.empty() ? "" : fmt::format("for example {}: {}", field.name, example));
    return false;
}

bool between(Diagnostics& diagnostics, const Field& field, const Node& node, std::int64_t value) {
    if (value >= field.min && value <= field.max) return true;
    diagnostics.error(node.mark, fmt::format("{}: {} is not between {} and {}", field.name, value,
                                             field.min, field.max));
    return false;
}

/// Numbers in quotes are text.
bool unquoted(Diagnostics& diagnostics, const Field& field, const Node& node) {
    if (!node.quoted) return true;
    diagnostics.error(node.mark, fmt::format("{}: a number in quotes is text", field.name),
                      fmt::format("write {}: {}", field.name, node.text));
    return false;
}

bool check_scalar(Diagnostics& diagnostics, const Field& field, const Node& node) {
    const std::string_view text = node.text;
    if (field.nothing && text == "none") return true;
    if (field.words != nullptr && word_named(*field.words, text) != nullptr)
        return check_word(diagnostics, *field.words, node, "");
    switch (field.type) {
        case Type::slug:
            if (slug(text)) return true;
            diagnostics.error(node.mark, fmt::format("'{}' is not a name", text.substr(0, 80)),
                              "small letters, digits and '-', at most 64, e.g. hello-duplicates");
            return false;
        case Type::flag:
            if (!node.quoted && (text == "true" || text == "false")) return true;
            diagnostics.error(node.mark,
                              fmt::format("{}: '{}' is neither true nor false", field.name, text),
                              "only true and false are truth values here");
            return false;
        case Type::integer: {
            if (!unquoted(diagnostics, field, node)) return false;
            const auto value = parse_integer(text);
            return checked(diagnostics, value, field, node) &&
                   between(diagnostics, field, node, *value.value);
        }
        case Type::seed:
            return unquoted(diagnostics, field, node) &&
                   checked(diagnostics, parse_unsigned(text), field, node);
        case Type::integer_range: {
            if (!unquoted(diagnostics, field, node)) return false;
            const auto value = parse_integer_range(text);
            return checked(diagnostics, value, field, node) &&
                   between(diagnostics, field, node, value.value->low) &&
                   between(diagnostics, field, node, value.value->high);
        }
        case Type::seed_range: {
            const auto value = parse_integer_range(text);
            if (!checked(diagnostics, value, field, node)) return false;
            if (value.value->low >= 0) return true;
            diagnostics.error(node.mark, "a seed is not negative", "for example seeds: 1..200");
            return false;
        }
        case Type::duration:
            // A bound may be given up, as every count may: `any` takes the file's away.
            if ((field.name == "unavailable" || field.name == "latency_p99") && text == "any")
                return true;
            return checked(diagnostics, parse_duration(text), field, node);
        case Type::spread:
            if ((field.name == "start" && text == "manual") ||
                (field.name == "restart" && text == "never"))
                return true;
            return checked(diagnostics, parse_spread(text), field, node);
        case Type::tail:
            return checked(diagnostics, parse_spread(text), field, node);
        case Type::lasting:
            if (text == "forever") return true;
            if (looks_like_multiple(text))
                return checked(diagnostics, parse_multiple(text), field, node);
            return checked(diagnostics, parse_spread(text), field, node);
        case Type::chance:
            return checked(diagnostics, parse_chance(text), field, node);
        case Type::rate:
            return checked(diagnostics, parse_rate(text), field, node);
        case Type::size: {
            const auto value = parse_size(text);
            return checked(diagnostics, value, field, node) &&
                   between(diagnostics, field, node, *value.value);
        }
        case Type::bandwidth:
            return checked(diagnostics, parse_bandwidth(text), field, node);
        case Type::word:
            if (field.name == "flush" && parse_duration(text)) return true;
            return check_word(diagnostics, *field.words, node, "");
        case Type::text:
        case Type::name:
        case Type::names:
        case Type::count:
        case Type::word_list:
        case Type::text_list:
        case Type::section:
        case Type::sections:
        case Type::named:
        case Type::settings:
        case Type::step_list:
        case Type::paths:
        case Type::custom:
            return true;
    }
    return true;
}

bool check_scalars(Diagnostics& diagnostics, const Field& field, const Node& node) {
    bool good = true;
    for (const auto& item : node.items) {
        if (!item.is_scalar() || item.text.empty()) {
            good = wrong_shape(diagnostics, field, item, "a list of words");
        } else if (field.type == Type::word_list) {
            good = check_word(diagnostics, *field.words, item, "") && good;
        }
    }
    for (std::size_t i = 0; good && i < node.items.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (node.items[i].text == node.items[j].text && field.type == Type::word_list) {
                diagnostics.error(node.items[i].mark,
                                  fmt::format("'{}' is listed twice", node.items[i].text));
                return false;
            }
    return good;
}

}  // namespace

std::string shape(const Node& node) {
    switch (node.kind) {
        case NodeKind::null:
            return "nothing";
        case NodeKind::scalar:
            return fmt::format("'{}'", std::string_view(node.text).substr(0, 40));
        case NodeKind::sequence:
            return "a list";
        case NodeKind::map:
            return "a map";
    }
    return "";
}

std::string suggestion(std::string_view given, const std::vector<std::string>& candidates) {
    std::vector<std::string_view> views(candidates.begin(), candidates.end());
    const auto meant = did_you_mean(given, views);
    return meant ? fmt::format("did you mean '{}'?", *meant) : std::string();
}

void refuse_unmodelled(Diagnostics& diagnostics, const Mark& mark, std::string_view what,
                       std::string_view missing) {
    diagnostics.error(mark, fmt::format("not modelled yet: {} (needs {})", what, missing),
                      "this version cannot simulate it, so it refuses the file");
}

bool check_word(Diagnostics& diagnostics, const Words& words, const Node& node,
                std::string_view where) {
    if (!node.is_scalar()) {
        diagnostics.error(node.mark,
                          fmt::format("{} must be a word, not {}", words.noun, shape(node)));
        return false;
    }
    if (const auto* word = word_named(words, node.text)) {
        if (word->missing.empty()) return true;
        refuse_unmodelled(diagnostics, node.mark, fmt::format("'{}'{}", word->name, in(where)),
                          word->missing);
        return false;
    }
    std::vector<std::string> names;
    std::string modelled;
    for (const auto& word : words.rows) {
        names.emplace_back(word.name);
        if (word.missing.empty())
            modelled += (modelled.empty() ? "" : ", ") + std::string(word.name);
    }
    auto hint = suggestion(node.text, names);
    if (hint.empty()) hint = fmt::format("one of {}", modelled);
    diagnostics.error(node.mark,
                      fmt::format("'{}' is not {}{}", std::string_view(node.text).substr(0, 80),
                                  words.noun, in(where)),
                      hint);
    return false;
}

std::optional<Bounds> read_bounds(Diagnostics& diagnostics, const Node& node,
                                  std::string_view what) {
    if (node.is_scalar()) {
        auto parsed = parse_count(node.text);
        if (parsed && !node.quoted) return parsed.value;
        diagnostics.error(
            node.mark,
            fmt::format("{}: {}", what, parsed ? "a count in quotes is text" : parsed.problem),
            "write none, some, any, a number or { min: 1, max: 5 }");
        return std::nullopt;
    }
    if (!node.is_map() || node.items.empty()) {
        diagnostics.error(node.mark, fmt::format("{}: {} is not a count", what, shape(node)),
                          "write none, some, any, a number or { min: 1, max: 5 }");
        return std::nullopt;
    }
    const auto errors = diagnostics.reported();
    const Form form(diagnostics, &node, count_section, fmt::format("in {}", what));
    if (diagnostics.reported() > errors) return std::nullopt;
    Bounds result{form.optional_integer("min"), form.optional_integer("max"), {}};
    if (result.min && result.max && *result.max < *result.min) {
        diagnostics.error(node.mark, fmt::format("{}: max is below min", what),
                          "a variant takes a bound of the file away with ~, as in "
                          "{ min: 1, max: ~ }");
        return std::nullopt;
    }
    if (result.min && result.max)
        result.text = fmt::format("{}..{}", *result.min, *result.max);
    else if (result.min)
        result.text = fmt::format(">= {}", *result.min);
    else if (result.max)
        result.text = fmt::format("<= {}", *result.max);
    return result;
}

std::optional<sim::Spread> tail_of(const Node& node) {
    if (node.is_scalar()) return parse_spread(node.text).value;
    const auto* p50 = node.find("p50");
    const auto* p99 = node.find("p99");
    if (p50 == nullptr || p99 == nullptr) return std::nullopt;
    const auto low = parse_duration(p50->text);
    const auto high = parse_duration(p99->text);
    if (!low || !high) return std::nullopt;
    return sim::Spread{*low.value, *high.value, true};
}

bool check_value(Diagnostics& diagnostics, const Field& field, const Node& node,
                 std::string_view where) {
    if (node.is_null()) {
        diagnostics.error(node.mark, fmt::format("'{}' has no value{}", field.name, in(where)),
                          "give it one, or remove the line");
        return false;
    }
    switch (field.type) {
        case Type::section:
        case Type::paths:
        case Type::settings:
            return node.is_map() || wrong_shape(diagnostics, field, node, "a map");
        case Type::named: {
            if (!node.is_map()) return wrong_shape(diagnostics, field, node, "a map of names");
            if (!node.items.empty()) return true;
            diagnostics.error(node.mark, fmt::format("'{}' is empty", field.name),
                              "name at least one");
            return false;
        }
        case Type::sections:
            return node.is_sequence() || wrong_shape(diagnostics, field, node, "a list");
        case Type::step_list:
            return node.is_sequence() || wrong_shape(diagnostics, field, node, "a list of steps");
        case Type::text_list:
        case Type::word_list:
            if (!node.is_sequence()) return wrong_shape(diagnostics, field, node, "a list");
            return check_scalars(diagnostics, field, node);
        case Type::names:
            if (node.is_scalar() && !node.text.empty()) return true;
            if (!node.is_sequence() || node.items.empty())
                return wrong_shape(diagnostics, field, node, "a name or a list of names");
            return check_scalars(diagnostics, field, node);
        case Type::count:
            return read_bounds(diagnostics, node, field.name).has_value();
        case Type::custom:
            return true;
        case Type::tail:
            if (node.is_map()) {
                const auto errors = diagnostics.reported();
                const Form form(diagnostics, &node, tail_section, fmt::format("in {}", field.name));
                if (diagnostics.reported() > errors) return false;
                if (form.duration("p50") <= form.duration("p99")) return true;
                diagnostics.error(node.mark, "p50 is above p99");
                return false;
            }
            break;
        case Type::text:
        case Type::slug:
        case Type::name:
        case Type::flag:
        case Type::integer:
        case Type::integer_range:
        case Type::duration:
        case Type::spread:
        case Type::lasting:
        case Type::chance:
        case Type::rate:
        case Type::size:
        case Type::bandwidth:
        case Type::word:
        case Type::seed:
        case Type::seed_range:
            break;
    }
    if (!node.is_scalar()) return wrong_shape(diagnostics, field, node, "a single value");
    if (node.text.empty() && field.type != Type::text) {
        diagnostics.error(node.mark, fmt::format("'{}' is empty", field.name));
        return false;
    }
    return check_scalar(diagnostics, field, node);
}

Form::Form(Diagnostics& diagnostics, const Node* node, const Section& section, std::string where,
           bool allow_extensions)
    : node_(node),
      section_(&section),
      where_(std::move(where)),
      good_(section.fields.size(), nullptr) {
    if (node_ == nullptr) return;
    if (!node_->is_map()) {
        diagnostics.error(
            node_->mark,
            fmt::format("a map of fields is needed{}, not {}", in(where_), shape(*node_)),
            "write { field: value } or indented lines");
        node_ = nullptr;
        return;
    }
    std::vector<std::string> names;
    for (const auto& field : section.fields) names.emplace_back(field.name);
    std::string hints;  // a field that is misspelt is not missing too
    for (std::size_t i = 0; i < node_->items.size(); ++i) {
        const auto& key = node_->keys[i];
        if (allow_extensions && key.text.starts_with("x-")) continue;
        const auto* field = field_named(section, key.text);
        if (field == nullptr) {
            auto hint = suggestion(key.text, names);
            diagnostics.error(key.mark,
                              fmt::format("unknown field '{}'{}",
                                          std::string_view(key.text).substr(0, 80), in(where_)),
                              hint);
            hints += hint;
        } else if (!field->missing.empty()) {
            refuse_unmodelled(diagnostics, key.mark, fmt::format("'{}'{}", field->name, in(where_)),
                              field->missing);
        } else if (check_value(diagnostics, *field, node_->items[i], where_)) {
            good_[static_cast<std::size_t>(field - section.fields.data())] = &node_->items[i];
        }
    }
    for (const auto& field : section.fields)
        if (field.required && node_->find(field.name) == nullptr &&
            hints.find(fmt::format("'{}'", field.name)) == std::string::npos)
            diagnostics.error(node_->mark, fmt::format("'{}' is missing{}", field.name, in(where_)),
                              field.example.empty()
                                  ? std::string(field.help)
                                  : fmt::format("for example {}: {}", field.name, field.example));
}

const Node* Form::get(std::string_view name) const {
    const auto* field = field_named(*section_, name);
    return field == nullptr ? nullptr
                            : good_[static_cast<std::size_t>(field - section_->fields.data())];
}

Mark Form::mark(std::string_view name) const {
    const auto* node = node_ == nullptr ? nullptr : node_->find(name);
    return node == nullptr ? mark() : node->mark;
}

Mark Form::key_mark(std::string_view name) const {
    if (node_ != nullptr)
        for (const auto& key : node_->keys)
            if (key.text == name) return key.mark;
    return mark();
}

void Form::prefer(std::string_view name, std::string_view fallback) {
    preferred_.emplace_back(name, fallback);
}

std::string Form::written(std::string_view name) const {
    if (const auto* node = get(name)) return node->text;
    for (const auto& [field, fallback] : preferred_)
        if (field == name) return std::string(fallback);
    const auto* field = field_named(*section_, name);
    return field == nullptr ? std::string() : std::string(field->fallback);
}

std::string Form::text(std::string_view name) const { return written(name); }
bool Form::flag(std::string_view name) const { return written(name) == "true"; }
std::int64_t Form::integer(std::string_view name) const {
    return parse_integer(written(name)).value.value_or(0);
}
std::uint64_t Form::seed(std::string_view name) const {
    return parse_unsigned(written(name)).value.value_or(0);
}
std::optional<std::int64_t> Form::optional_integer(std::string_view name) const {
    return parse_integer(written(name)).value;
}
sim::Duration Form::duration(std::string_view name) const {
    return parse_duration(written(name)).value.value_or(sim::Duration{});
}
std::optional<sim::Duration> Form::optional_duration(std::string_view name) const {
    return parse_duration(written(name)).value;
}
sim::Spread Form::spread(std::string_view name) const {
    if (const auto* node = get(name))
        if (const auto tail = tail_of(*node)) return *tail;
    return parse_spread(written(name)).value.value_or(sim::Spread{});
}
sim::Chance Form::chance(std::string_view name) const {
    return parse_chance(written(name)).value.value_or(sim::Chance::never());
}
std::int64_t Form::rate(std::string_view name) const {
    return parse_rate(written(name)).value.value_or(0);
}
std::int64_t Form::size(std::string_view name) const {
    return parse_size(written(name)).value.value_or(0);
}
std::optional<std::int64_t> Form::bandwidth(std::string_view name) const {
    return parse_bandwidth(written(name)).value;
}
std::optional<Bounds> Form::count(std::string_view name) const {
    const auto* node = get(name);
    if (node == nullptr) return std::nullopt;
    Diagnostics silent;
    return read_bounds(silent, *node, name);
}
std::vector<const Node*> Form::list(std::string_view name) const {
    std::vector<const Node*> result;
    if (const auto* node = get(name)) {
        if (node->is_scalar())
            result.push_back(node);
        else
            for (const auto& item : node->items) result.push_back(&item);
    }
    return result;
}
std::vector<std::string> Form::texts(std::string_view name) const {
    std::vector<std::string> result;
    for (const auto* node : list(name)) result.push_back(node->text);
    return result;
}

}  // namespace eos::scenarios
