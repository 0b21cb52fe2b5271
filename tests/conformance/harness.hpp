#pragma once
// How a conformance case drives the model: a harness is one function that performs an operation on
// real model objects and shows what it observed, as a YAML map, so that the runner can compare it
// with what the case expects. One file per harness; the rows are in registry.cpp.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "model/error_codes.hpp"

namespace eos::conformance {

/// The arguments of an operation, or the configuration of a case. Absent and null are the same.
class Args {
  public:
    Args() = default;
    explicit Args(const YAML::Node& node) : node_(node) {}

    [[nodiscard]] bool has(const std::string& key) const {
        return node_.IsMap() && node_[key].IsDefined() && !node_[key].IsNull();
    }
    /// Given, and given as null.
    [[nodiscard]] bool is_null(const std::string& key) const {
        return node_.IsMap() && node_[key].IsDefined() && node_[key].IsNull();
    }
    template <class T>
    [[nodiscard]] T get(const std::string& key) const {
        if (!has(key)) throw std::invalid_argument("argument " + key + " is missing");
        return node_[key].as<T>();
    }
    template <class T>
    [[nodiscard]] T get(const std::string& key, const T& otherwise) const {
        return has(key) ? node_[key].as<T>() : otherwise;
    }
    template <class T>
    [[nodiscard]] std::optional<T> maybe(const std::string& key) const {
        if (!has(key)) return std::nullopt;
        return node_[key].as<T>();
    }
    /// All of them, for arguments whose keys are names of the case.
    [[nodiscard]] const YAML::Node& all() const { return node_; }
    /// The raw value, undefined if absent.
    [[nodiscard]] YAML::Node raw(const std::string& key) const {
        return has(key) ? node_[key] : YAML::Node(YAML::NodeType::Undefined);
    }

  private:
    YAML::Node node_{YAML::NodeType::Map};
};

/// Thrown by a harness: this case needs something that the model does not have. The case is skipped
/// by name with this reason.
struct NotModelled : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What an operation showed: a map of the keys of `expect`. A failed operation shows key "error".
using Observed = YAML::Node;

/// One run of one case.
struct Harness {
    /// Performs one operation. Unknown operations throw std::invalid_argument.
    std::function<Observed(const std::string& op, const Args& args)> perform;
    /// Keys whose lists compare as sets (the header of the case file says which).
    std::set<std::string> sets = {};
    /// Maps compare only the keys that the case gives, at any depth, unless named here.
    std::set<std::string> whole_maps = {};
};

struct HarnessRow {
    std::string_view name;
    /// Null: no counterpart in the model; `reason` says why and the cases are skipped.
    Harness (*make)(const Args& config) = nullptr;
    std::string_view reason = {};
};
[[nodiscard]] std::span<const HarnessRow> harnesses();

/// A case that is not run although its harness exists, with the argument why.
struct SkipRow {
    std::string_view id;
    std::string_view reason;
};
[[nodiscard]] std::span<const SkipRow> skipped_cases();

// --- for writing harnesses ----------------------------------------------------------------------

/// How the observations of a harness compare; see Harness.
struct Compared {
    std::set<std::string> sets = {};
    std::set<std::string> whole_maps = {};
};
template <class Driver>
[[nodiscard]] Observed by_member(Driver& driver, const std::string& op, const Args& args) {
    return driver.perform(op, args);
}
/// The harness that a driver is: an object made from the configuration, if it takes one, that
/// performs the operations, or is handed to `perform`.
template <class Driver>
[[nodiscard]] Harness driven(const Args& config, Compared compared = {},
                             Observed (*perform)(Driver&, const std::string&,
                                                 const Args&) = &by_member<Driver>) {
    std::shared_ptr<Driver> driver;
    if constexpr (std::is_constructible_v<Driver, const Args&>)
        driver = std::make_shared<Driver>(config);
    else
        driver = std::make_shared<Driver>();
    return {.perform = [driver, perform](const std::string& op,
                                         const Args& args) { return perform(*driver, op, args); },
            .sets = std::move(compared.sets),
            .whole_maps = std::move(compared.whole_maps)};
}

[[nodiscard]] inline YAML::Node null() { return YAML::Node(YAML::NodeType::Null); }
[[nodiscard]] inline YAML::Node empty_list() { return YAML::Node(YAML::NodeType::Sequence); }
[[nodiscard]] inline YAML::Node empty_map() { return YAML::Node(YAML::NodeType::Map); }

/// An observation that says "this failed": {error: NAME}.
[[nodiscard]] inline Observed failed(std::string_view name) {
    Observed result = empty_map();
    result["error"] = std::string(name);
    return result;
}
/// {error: NAME}, or an empty map if there is no error.
[[nodiscard]] inline Observed outcome(model::ErrorCode code) {
    return code == model::ErrorCode::none ? empty_map() : failed(model::name(code));
}
template <class T>
[[nodiscard]] YAML::Node or_null(const std::optional<T>& value) {
    return value ? YAML::Node(*value) : null();
}
/// The `value` of an ordinal, or null.
template <class T>
[[nodiscard]] YAML::Node value_or_null(const std::optional<T>& ordinal) {
    return ordinal ? YAML::Node(static_cast<std::int64_t>(ordinal->value)) : null();
}
template <class Range>
[[nodiscard]] YAML::Node values_of(const Range& ordinals) {
    YAML::Node list = empty_list();
    for (const auto& ordinal : ordinals) list.push_back(static_cast<std::int64_t>(ordinal.value));
    return list;
}
/// The error of that Kafka name; throws if there is none.
[[nodiscard]] inline model::ErrorCode error_named(const std::string& name) {
    if (const auto code = model::error_code(name)) return *code;
    throw std::invalid_argument("no error is called " + name);
}

}  // namespace eos::conformance
