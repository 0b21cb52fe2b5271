#pragma once
// Kafka's settings by Kafka's names: which role has them, their unit and bounds, and the field of
// the model they set. `config:` of cluster, topics and apps, relative durations and `list settings`
// read these rows.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/config.hpp"

namespace eos::scenarios {

/// How the value is written, and what a number counts.
/// `time`: with a unit, as Flink writes durations.
enum class SettingUnit : std::uint8_t { ms, minutes, bytes, number, flag, word, time };

/// The field of a model struct that a setting sets.
using Slot =
    std::variant<std::monostate, sim::Duration*, std::int32_t*, std::int64_t*, bool*, model::Acks*,
                 model::OffsetReset*, model::Isolation*, std::vector<model::AssignorKind>*,
                 model::GroupProtocol*, std::optional<model::ServerAssignor>*,
                 model::GroupMigration*, model::RestartStrategy*,
                 model::HighAvailability*>;

struct Setting {
    std::string_view name;
    SettingUnit unit = SettingUnit::ms;
    std::string_view fallback;  ///< Kafka's default, as Kafka writes it
    std::string_view help;
    std::int64_t min = 0;
    std::int64_t max = 2'147'483'647;
    Slot (*broker)(model::ClusterConfig&) = nullptr;
    Slot (*producer)(model::ProducerConfig&) = nullptr;
    Slot (*consumer)(model::ConsumerConfig&) = nullptr;
    Slot (*job)(model::JobConfig&) = nullptr;
    bool topic = false;  ///< a topic has it
    std::string_view missing = {};
    std::span<const std::string_view> words = {};  ///< of unit `word`
};

[[nodiscard]] std::span<const Setting> settings();
/// The rows of one name: one setting may exist for brokers and for clients with other defaults.
[[nodiscard]] std::vector<const Setting*> settings_named(std::string_view name);

/// A value as it goes into a slot.
struct SettingValue {
    std::int64_t number = 0;  ///< as written; of flags 0 or 1; of words the position in `words`
};
/// Reads a value as strictly as Kafka's own parser; the problem says what Kafka expects.
struct SettingParsed {
    std::optional<SettingValue> value;
    std::string problem, hint;
};
[[nodiscard]] SettingParsed parse_setting(const Setting& setting, std::string_view text,
                                          bool quoted);
void assign(const Slot& slot, const Setting& setting, SettingValue value);
/// The duration a slot holds now, if it is one.
[[nodiscard]] std::optional<sim::Duration> duration_in(const Slot& slot);
[[nodiscard]] std::string_view name(SettingUnit unit);

}  // namespace eos::scenarios
