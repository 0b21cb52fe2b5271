#include "scenarios/language/read_program.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "scenarios/language/read_faults.hpp"
#include "scenarios/language/read_sinks.hpp"

namespace eos::scenarios {
namespace {

using model::AppKind;
using model::ErrorClass;
using model::Mode;
using model::Reaction;
using model::Step;
using model::StepKind;

/// Of a step's options that count something.
constexpr std::int64_t most_counted = 1'000'000;

std::optional<StepKind> step_kind(std::string_view name) {
    // The modelled words of the table stand for the model's kinds by name.
    for (std::size_t i = 0; i < model::step_kind_count; ++i)
        if (model::name(static_cast<StepKind>(i)) == name) return static_cast<StepKind>(i);
    return std::nullopt;
}

template <class E>
std::optional<E> named(std::string_view name, int last) {
    for (int i = 0; i <= last; ++i)
        if (model::name(static_cast<E>(i)) == name) return static_cast<E>(i);
    return std::nullopt;
}

Step step_of(StepKind kind) {
    Step step;
    step.kind = kind;
    return step;
}

/// One option of a step: its value, or the report that it is no such thing.
class StepReader {
  public:
    StepReader(Reading& reading, const model::AppConfig& app, const SinkFields& sink,
               std::string where)
        : reading_(reading),
          sink_(sink),
          app_(app.id),
          kind_(app.kind),
          produces_(app.produces()),
          from_(app.from),
          where_(std::move(where)) {}

    std::optional<Step> read(const Node& node) {
        if (node.is_scalar()) return word(node, nullptr);
        if (node.is_map() && node.items.size() == 1)
            return word(Node::scalar(node.keys[0].text, node.keys[0].mark), &node.items[0]);
        reading_.error(node.mark,
                       fmt::format("a step is a word or a map with one key, not {}", shape(node)),
                       "for example poll, or poll: { max: 10 }");
        return std::nullopt;
    }

  private:
    std::optional<Step> word(const Node& name, const Node* options) {
        if (!check_word(reading_.diagnostics, steps, name, where_)) return std::nullopt;
        const auto kind = step_kind(name.text);
        if (!kind) return std::nullopt;
        if (!fits(*kind, name)) return std::nullopt;
        Step step = step_of(*kind);
        if (at_store(*kind)) {
            // An identity of its own makes a write independent of a claim before it (N5).
            const auto* own = options != nullptr ? options->find("identity") : nullptr;
            step.unconditional = *kind == StepKind::write && own != nullptr;
            read_store_step(reading_, sink_, step, name, options, where_);
            return step;
        }
        if (*kind == StepKind::wait) {
            wait(step, name, options);
        } else if (*kind == StepKind::wait_for) {
            wait_for(step, name, options);
        } else if (options != nullptr && options->is_map()) {
            for (std::size_t i = 0; i < options->items.size(); ++i)
                option(step, options->keys[i], options->items[i]);
        } else if (options != nullptr && !options->is_null()) {
            reading_.error(options->mark, fmt::format("the options of '{}' are a map, not {}",
                                                      name.text, shape(*options)));
        }
        return step;
    }

    bool fits(StepKind kind, const Node& name) {
        const bool reads = kind == StepKind::subscribe || kind == StepKind::unsubscribe ||
                           kind == StepKind::poll || kind == StepKind::commit_offsets ||
                           kind == StepKind::rewind || kind == StepKind::seek ||
                           kind == StepKind::end_offset || kind == StepKind::send_offsets;
        const bool writes = kind == StepKind::produce || kind == StepKind::flush ||
                            kind == StepKind::init || kind == StepKind::begin ||
                            kind == StepKind::commit || kind == StepKind::abort ||
                            kind == StepKind::enrol || kind == StepKind::send_offsets;
        const bool stores = at_store(kind);
        const bool transaction = kind == StepKind::init || kind == StepKind::begin ||
                                 kind == StepKind::commit || kind == StepKind::abort ||
                                 kind == StepKind::send_offsets;
        const bool mute = kind_ == AppKind::consumer ||
                          (kind_ == AppKind::sink && !(transaction && produces_));
        if (((reads || stores) && kind_ == AppKind::producer) || (writes && mute)) {
            reading_.error(name.mark,
                           fmt::format("a {} cannot '{}' ({})", name_of(kind_), name.text, where_),
                           kind_ == AppKind::producer ? "it reads nothing" : "it writes nothing");
            return false;
        }
        return true;
    }

    void wait(Step& step, const Node& name, const Node* options) {
        const auto parsed = options != nullptr && options->is_scalar()
                                ? parse_duration(options->text)
                                : Parsed<sim::Duration>{};
        if (!parsed)
            reading_.error(options ? options->mark : name.mark,
                           options && options->is_scalar() ? fmt::format("wait: {}", parsed.problem)
                                                           : "wait needs a duration",
                           "for example wait: 500ms");
        else
            step.wait = *parsed.value;
    }

    void wait_for(Step& step, const Node& name, const Node* options) {
        if (options == nullptr || options->is_null()) {
            reading_.error(name.mark, "wait_for needs a trigger",
                           "for example wait_for: { when: fault.NAME.ended }");
            return;
        }
        step.trigger = static_cast<std::int32_t>(reading_.waits.size());
        reading_.waits.push_back({app_, *options});
    }

    std::optional<std::int64_t> number(const Key& key, const Node& value, std::int64_t max) {
        const auto parsed = parse_unsigned(value.text);
        if (value.is_scalar() && parsed && *parsed.value <= static_cast<std::uint64_t>(max))
            return static_cast<std::int64_t>(*parsed.value);
        reading_.error(value.mark, fmt::format("{} must be a number up to {}, not {}", key.text,
                                               max, shape(value)));
        return std::nullopt;
    }

    void word_of(const Key& key, const Node& value, std::string_view usual,
                 std::string_view other, bool& is_other) {
        if (value.text != usual && value.text != other)
            reading_.error(value.mark, fmt::format("{}: {} is neither {} nor {}", key.text,
                                                   shape(value), usual, other));
        is_other = value.text == other;
    }

    void chance(Step& step, const Node& value) {
        if (const auto parsed = parse_chance(value.text); value.is_scalar() && parsed)
            step.chance = *parsed.value;
        else
            reading_.error(value.mark, fmt::format("chance: {} is no chance", shape(value)),
                           "for example chance: 10%");
    }

    /// `to` and `partition`: true if it was one of them.
    bool place(Step& step, const Key& key, const Node& value) {
        if (key.text == "to") {
            step.to = reading_.need_topic(value);
        } else if (key.text == "partition") {
            if (const auto n = number(key, value, most_counted))
                step.partition = model::PartitionIndex{static_cast<std::int32_t>(*n)};
        } else {
            return false;
        }
        return true;
    }

    /// A partition that this app reads.
    std::optional<model::LogId> partition(std::string_view text, const Mark& mark) {
        const bool internal = text.find(':') != text.npos;  // txn-log:ID: not there yet
        const auto pick = internal ? std::nullopt : read_log(reading_, text, mark);
        if (!internal && !pick) return std::nullopt;
        if (!pick || pick->kind != faults::LogPick::Kind::one) {
            reading_.error(mark, fmt::format("'{}' is not one partition ({})", text, where_),
                           "write TOPIC/NUMBER");
            return std::nullopt;
        }
        const model::LogId log{pick->index};
        const auto topic = reading_.topology.logs[static_cast<std::size_t>(log.value)].topic;
        if (std::find(from_.begin(), from_.end(), topic) != from_.end()) return log;
        reading_.error(mark, fmt::format("'{}' is not read here ({})", text, where_),
                       "name a partition of a topic in 'from'");
        return std::nullopt;
    }

    std::int32_t metadata_bytes(const Node& value) {
        const auto size = parse_size(value.text);
        if (value.is_scalar() && size && *size.value <= most_counted)
            return static_cast<std::int32_t>(*size.value);
        reading_.error(value.mark,
                       fmt::format("bytes must be a size up to 1MB, not {}", shape(value)),
                       "for example bytes: 5KB, or bytes: { orders/1: 5KB }");
        return 0;
    }

    /// `bytes` and `only` of the two commits: true if it was one of them.
    bool part_of_offsets(Step& step, const Key& key, const Node& value) {
        if (key.text == "only") {
            const auto add = [&](const Node& node) {
                if (const auto log = partition(node.text, node.mark)) step.only.push_back(*log);
            };
            if (value.is_sequence())
                for (const auto& item : value.items) add(item);
            else
                add(value);
        } else if (key.text == "bytes" && value.is_map()) {
            for (std::size_t i = 0; i < value.items.size(); ++i)
                if (const auto log = partition(value.keys[i].text, value.keys[i].mark))
                    step.bytes_of.emplace_back(*log, metadata_bytes(value.items[i]));
        } else if (key.text == "bytes") {
            step.bytes = metadata_bytes(value);
        } else {
            return false;
        }
        return true;
    }

    void option(Step& step, const Key& key, const Node& value) {
        constexpr auto most = most_counted;
        const auto& name = key.text;
        switch (step.kind) {
            case StepKind::poll:
                if (name != "max") break;
                if (const auto n = number(key, value, most))
                    step.max = static_cast<std::int32_t>(*n);
                return;
            case StepKind::produce:
                if (place(step, key, value)) return;
                if (name == "records") {
                    if (const auto n = number(key, value, most))
                        step.records = static_cast<std::int32_t>(*n);
                    return;
                }
                if (name == "key") {
                    if (const auto n = number(key, value, most))
                        step.key = static_cast<std::uint32_t>(*n);
                    return;
                }
                break;
            case StepKind::flush:
                if (name != "timeout") break;
                if (const auto d = parse_duration(value.text))
                    step.timeout = *d.value;
                else
                    reading_.error(value.mark, fmt::format("timeout: {}", d.problem), d.hint);
                return;
            case StepKind::commit_offsets:
                if (name == "at")
                    return word_of(key, value, "processed", "position", step.at_position);
                if (name == "async") {
                    if (value.quoted || (value.text != "true" && value.text != "false"))
                        reading_.error(
                            value.mark,
                            fmt::format("async: {} is neither true nor false", shape(value)));
                    step.async = value.text == "true";
                    return;
                }
                if (part_of_offsets(step, key, value)) return;
                break;
            case StepKind::send_offsets:
                if (name == "at")
                    return word_of(key, value, "processed", "position", step.at_position);
                if (name == "metadata")
                    return word_of(key, value, "full", "group-only", step.group_only);
                if (part_of_offsets(step, key, value)) return;
                break;
            case StepKind::begin:
            case StepKind::commit:
            case StepKind::abort:
                if (name != "chance") break;
                return chance(step, value);
            case StepKind::enrol:
                if (place(step, key, value)) return;
                break;
            case StepKind::rewind:
            case StepKind::seek:
                if (name != "to") break;
                seek(step, value);
                return;
            case StepKind::subscribe:
            case StepKind::unsubscribe:
            case StepKind::process:
            case StepKind::wait:
            case StepKind::wait_for:
            case StepKind::end_offset:
            case StepKind::close:
            case StepKind::reopen:
            case StepKind::init:
            case StepKind::db_begin:
            case StepKind::claim:
            case StepKind::write:
            case StepKind::write_offset:
            case StepKind::db_prepare:
            case StepKind::db_commit:
            case StepKind::db_rollback:
                break;
        }
        reading_.error(key.mark,
                       fmt::format("step '{}' has no '{}'", model::name(step.kind), name));
    }

    void seek(Step& step, const Node& value) {
        if (value.text == "committed")
            step.seek = model::SeekTo::committed;
        else if (value.text == "earliest")
            step.seek = model::SeekTo::earliest;
        else if (value.text == "end")
            step.seek = model::SeekTo::end;
        else if (const auto n = parse_unsigned(value.text); n && value.is_scalar()) {
            step.seek = model::SeekTo::offset;
            step.offset = {static_cast<std::int64_t>(
                std::min<std::uint64_t>(*n.value, 9'000'000'000'000'000'000U))};
        } else {
            reading_.error(value.mark, fmt::format("{} is not a position", shape(value)),
                           "committed, earliest, end or an offset");
        }
    }

    Reading& reading_;
    const SinkFields& sink_;
    model::AppId app_;
    AppKind kind_;
    bool produces_;
    const std::vector<model::TopicId>& from_;
    std::string where_;
};

std::vector<Step> read_steps(Reading& reading, const Form& form, std::string_view field,
                             const App& app, const SinkFields& sink) {
    std::vector<Step> result;
    for (const auto* node : form.list(field)) {
        StepReader reader(reading, app.config, sink, form.where());
        const auto step = reader.read(*node);
        if (!step) continue;
        const bool writes = step->kind == StepKind::produce || step->kind == StepKind::enrol;
        const bool nowhere = writes && !step->to &&
                             app.config.to.empty() && app.config.workload.to.empty();
        if (nowhere)
            reading.error(node->mark,
                          fmt::format("'{}' has no topic {}", model::name(step->kind),
                                      form.where()),
                          fmt::format("give the app a 'to', or write {}: {{ to: TOPIC }}",
                                      model::name(step->kind)));
        if (step->partition) {
            const auto targets = step->to ? std::vector{*step->to} : app.config.to;
            for (const auto topic : targets) {
                const auto& t = reading.topology.topics[static_cast<std::size_t>(topic.value)];
                if (step->partition->value >= t.partitions)
                    reading.error(node->mark,
                                  fmt::format("topic '{}' has partitions 0 to {}, not "
                                              "{}",
                                              t.name, t.partitions - 1, step->partition->value));
            }
        }
        result.push_back(*step);
    }
    if (form.has(field) && form.list(field).empty() && field == "steps")
        reading.error(form.mark(field), fmt::format("'{}' is empty {}", field, form.where()),
                      "write at least one step");
    return result;
}

void lay_mistakes(const App& app, std::vector<Step>& program, std::vector<Reaction>& reactions) {
    const auto react = [&](ErrorClass error_class, Reaction reaction) {
        reactions[static_cast<std::size_t>(error_class)] = reaction;
    };
    for (const auto& mistake : app.mistakes) {
        if (mistake == "auto-commit-on")
            std::erase_if(program,
                          [](const Step& s) { return s.kind == StepKind::commit_offsets; });
        if (mistake == "offsets-from-position")
            for (auto& step : program) step.at_position |= step.kind == StepKind::commit_offsets;
        if (mistake == "unchecked-send") react(ErrorClass::failed_send, Reaction::ignore);
        if (mistake == "resend-unknown") react(ErrorClass::failed_send, Reaction::resend);
        if (mistake == "retry-after-fatal") react(ErrorClass::fatal, Reaction::retry);
        if (mistake == "no-group-metadata")
            for (auto& step : program) step.group_only |= step.kind == StepKind::send_offsets;
        if (mistake == "commit-offsets-outside") {
            std::erase_if(program, [](const Step& s) { return s.kind == StepKind::send_offsets; });
            const auto commit =
                std::find_if(program.begin(), program.end(),
                             [](const Step& s) { return s.kind == StepKind::commit; });
            if (commit != program.end())
                program.insert(commit + 1, step_of(StepKind::commit_offsets));
        }
        if (mistake == "no-rewind-after-abort") {
            react(ErrorClass::abortable, Reaction::abort);
            react(ErrorClass::generation, Reaction::abort);
        }
        if (mistake == "abort-after-commit-timeout")
            react(ErrorClass::unknown, Reaction::abort_and_rewind);
    }
}

std::vector<Reaction> default_reactions(AppKind kind, Mode mode) {
    // language.md 4.2, by ErrorClass.
    std::vector<Reaction> result(model::error_class_count, Reaction::skip);
    if (mode == Mode::at_most_once) return result;
    const bool transactions_end = mode == Mode::exactly_once;
    const auto react = [&](ErrorClass error_class, Reaction reaction) {
        result[static_cast<std::size_t>(error_class)] = reaction;
    };
    if (kind != AppKind::producer) react(ErrorClass::failed_send, Reaction::rewind);
    if (kind == AppKind::producer && mode == Mode::at_least_once)
        react(ErrorClass::failed_send, Reaction::resend);
    const auto again = transactions_end ? Reaction::abort_and_rewind : Reaction::rewind;
    react(ErrorClass::abortable, again);
    react(ErrorClass::generation, again);
    react(ErrorClass::unknown, Reaction::retry);
    react(ErrorClass::fatal, Reaction::restart);
    react(ErrorClass::poison, Reaction::crash);
    react(ErrorClass::store, Reaction::retry);
    return result;
}

void read_reactions(Reading& reading, const Form& form, std::vector<Reaction>& reactions) {
    const auto* node = form.get("on_error");
    if (node == nullptr) return;
    if (!node->is_map()) {
        reading.error(node->mark, fmt::format("'on_error' must be a map, not {}", shape(*node)),
                      "for example on_error: { failed_send: resend }");
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const auto& key = node->keys[i];
        const bool known = check_word(reading.diagnostics, error_classes,
                                      Node::scalar(key.text, key.mark), form.where());
        const bool possible =
            check_word(reading.diagnostics, scenarios::reactions, node->items[i], form.where());
        if (!known || !possible) continue;
        const auto error_class = named<ErrorClass>(key.text, static_cast<int>(ErrorClass::store));
        const auto reaction =
            named<Reaction>(node->items[i].text, static_cast<int>(Reaction::abort_and_rewind));
        if (error_class && reaction) reactions[static_cast<std::size_t>(*error_class)] = *reaction;
    }
}

}  // namespace

std::vector<Step> program_of(AppKind kind, Mode mode) {
    std::vector<StepKind> program;
    const bool before = mode == Mode::at_most_once;
    const bool commits = mode != Mode::client_defaults;
    const bool transactions_end = mode == Mode::exactly_once;
    switch (kind) {
        case AppKind::producer:
            if (transactions_end)
                program = {StepKind::begin, StepKind::produce, StepKind::commit};
            else
                program = {StepKind::produce};
            break;
        case AppKind::consumer:
            if (before)
                program = {StepKind::poll, StepKind::commit_offsets, StepKind::process};
            else
                program = {StepKind::poll, StepKind::process, StepKind::commit_offsets};
            break;
        case AppKind::processor:
            if (before)
                program = {StepKind::poll, StepKind::commit_offsets, StepKind::process,
                           StepKind::produce};
            else if (transactions_end)
                program = {StepKind::poll,         StepKind::begin,  StepKind::process,
                           StepKind::produce,      StepKind::send_offsets,
                           StepKind::commit};
            else
                program = {StepKind::poll, StepKind::process, StepKind::produce, StepKind::flush,
                           StepKind::commit_offsets};
            break;
        case AppKind::sink:
            break;  // its program depends on its store: read_sinks.cpp
        case AppKind::flink_job: break;  // a chain of operators, no program (4.1)
    }
    if (!commits) std::erase(program, StepKind::commit_offsets);
    std::vector<Step> result;
    for (const auto step : program) result.push_back(step_of(step));
    return result;
}

void read_program(Reading& reading, const Form& form, App& app) {
    auto& config = app.config;
    if (config.is_job()) return;
    const auto sink = read_sink_fields(reading, form, config);
    if (form.has("steps"))
        config.steps = read_steps(reading, form, "steps", app, sink);
    else
        config.steps = config.kind == AppKind::sink ? sink_program(config, sink, reading)
                                                    : program_of(config.kind, config.mode);
    if (form.has("setup"))
        config.setup = read_steps(reading, form, "setup", app, sink);
    else if (config.consumes())
        config.setup = {step_of(StepKind::subscribe)};
    const auto is_init = [](const Step& s) { return s.kind == StepKind::init; };
    if (config.produces() && config.mode == Mode::exactly_once && !form.has("setup") &&
        std::none_of(config.steps.begin(), config.steps.end(), is_init))
        config.setup.push_back(step_of(StepKind::init));
    if (const auto repeat = form.optional_integer("repeat"))
        config.repeat = static_cast<std::int32_t>(*repeat);
    config.on_error = default_reactions(config.kind, config.mode);
    lay_mistakes(app, config.steps, config.on_error);
    read_reactions(reading, form, config.on_error);
}

}  // namespace eos::scenarios
