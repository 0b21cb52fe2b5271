#pragma once
// The words of the language as tables: every field with its type, default, help and example, and
// every closed list of words. Parsing, defaults, validation, did-you-mean, the JSON Schema, `list`
// and the docs all read these rows; nothing about a field is written anywhere else. A row with
// `missing` belongs to a part that is not built yet and is refused by name.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eos::scenarios {

/// Parts that are not built yet, as a refusal names them.
inline constexpr std::string_view services = "services with an outbox", queues = "queues as stores",
                                  streams = "Kafka Streams", flink = "Flink jobs";

enum class Type : std::uint8_t {
    text,     ///< any scalar
    slug,     ///< [a-z0-9][a-z0-9-]*
    name,     ///< of something in this file, or free
    names,    ///< one or a list
    flag,     ///< true or false
    integer,  ///< within min and max
    integer_range,
    duration,
    spread,   ///< duration or range
    tail,     ///< spread, or { p50, p99 }
    lasting,  ///< spread, multiple of a setting, or forever
    chance,
    rate,
    size,
    bandwidth,
    count,      ///< none some any N { min, max }
    word,       ///< one of `words`
    word_list,  ///< list of `words`
    text_list,
    seed,        ///< the whole of 64 bits
    seed_range,  ///< 1..200
    section,     ///< a map with the fields of `section`
    sections,    ///< a list of such maps
    named,       ///< a map from names to such maps
    settings,    ///< Kafka settings by name
    step_list,   ///< steps of a program
    paths,       ///< a map from paths to values
    custom,      ///< read by hand; `schema` says what it looks like
};

/// One word of a closed list.
struct Word {
    std::string_view name;
    std::string_view help;
    std::string_view missing = {};  ///< the part it waits for; empty: modelled
};
struct Words {
    std::string_view noun;  ///< "a delivery mode"
    std::span<const Word> rows;
};

struct Section;
struct Field {
    std::string_view name;
    Type type = Type::text;
    std::string_view fallback = {};  ///< default as it would be written; "" = none
    std::string_view help = {};
    std::string_view missing = {};
    std::string_view example = {};
    std::int64_t min = 0;
    std::int64_t max = 1'000'000'000;
    const Words* words = nullptr;
    const Section* section = nullptr;
    bool required = false;
    bool nothing = false;    ///< may also be written `none`
    /// App fields: 1 producer, 2 consumer, 4 processor, 8 sink, 128 flink-job.
    std::uint8_t kinds = 143;
};
inline constexpr std::uint8_t for_producers = 1, for_consumers = 2, for_readers = 142,
                              for_writers = 133, for_sinks = 8, for_transactions = 13,
                              for_jobs = 128, with_steps = 15;

struct Section {
    std::string_view name;   ///< "fault"
    std::string_view place;  ///< "in a fault", for messages
    std::span<const Field> fields;
};

[[nodiscard]] const Field* field_named(const Section& section, std::string_view name);
[[nodiscard]] const Word* word_named(const Words& words, std::string_view name);

// Sections.
extern const Section scenario_section, limits_section, cluster_section, network_section,
    spikes_section, link_section, datagrams_section, disk_section, costs_section, tail_section,
    topic_section, store_section, app_section, burst_section, dedup_section, fault_section, until_section,
    wait_section,
    choice_section, count_section, expect_section, invariant_section, fold_section, sweep_section,
    variant_section, claim_section, metric_section;
[[nodiscard]] std::span<const Section* const> all_sections();

// Closed lists.
extern const Words kinds, modes, clients, metadata_modes, group_protocols, flush_policies, cost_presets, sources,
    workloads, mistakes, steps, error_classes, reactions, isolations, txid_policies, fold_kinds,
    fold_fields, fold_times, claim_stats, seek_targets, key_words, oneways, styles, notices,
    metrics, jepsen_names, warnings, lose_words, dedup_keys, store_kinds, duplicate_answers,
    in_flight_answers, kept_answers, write_times, in_doubt_words, effects, identities, checks,
    offset_places, fencing_tokens, commit_phases,
    job_ids, job_lingering;

/// The closest of `candidates`, if one is close enough: synonyms first, then spelling variants,
/// then Damerau-Levenshtein within max(1, length / 3), ties alphabetical.
[[nodiscard]] std::optional<std::string> did_you_mean(std::string_view given,
                                                      std::span<const std::string_view> candidates);
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace eos::scenarios
