// Fields of expectations and of the sweep.

#include <algorithm>
#include <array>

#include "model/counts.hpp"
#include "scenarios/language/tables.hpp"

namespace eos::scenarios {
namespace {

constexpr std::array count_fields{
    Field{.name = "min",
          .type = Type::integer,
          .help = "at least",
          .example = "1",
          .max = 9'000'000'000'000'000'000},
    Field{.name = "max",
          .type = Type::integer,
          .help = "at most",
          .example = "5",
          .max = 9'000'000'000'000'000'000},
};
constexpr std::array metric_fields{
    Field{.name = "min",
          .type = Type::custom,
          .help = "at least: a number or a duration",
          .example = "0.9"},
    Field{.name = "max",
          .type = Type::custom,
          .help = "at most: a number or a duration",
          .example = "10s"},
};

constexpr std::array expect_fields{
    Field{.name = "unavailable",
          .type = Type::duration,
          .help = "longest gap without a success; any: not judged",
          .example = "20s"},
    Field{.name = "latency_p99",
          .type = Type::duration,
          .help = "produce to visible; any: not judged",
          .example = "500ms"},
    Field{.name = "metrics",
          .type = Type::custom,
          .help = "bounds by metric",
          .example = "{ requests_per_record: { max: 2 } }",
          .words = &metrics},
    Field{.name = "reached",
          .type = Type::custom,
          .help = "faults and milestones that must have happened; a list, or name to count",
          .example = "[ack-lost]"},
    Field{.name = "invariants",
          .type = Type::sections,
          .help = "sums and sets over topics and stores",
          .section = &invariant_section},
    Field{.name = "errors",
          .type = Type::custom,
          .help = "errors the apps saw, by Kafka name",
          .example = "{ REQUEST_TIMED_OUT: some }"},
    Field{.name = "jepsen",
          .type = Type::custom,
          .help = "the black-box judge's anomalies",
          .example = "{ duplicate: some }",
          .words = &jepsen_names},
    Field{.name = "apps",
          .type = Type::custom,
          .help = "counts of one app",
          .example = "{ counter: { duplicates: none } }"},
    Field{.name = "lints",
          .type = Type::word_list,
          .help = "warnings `check` must give",
          .example = "[short-settle]",
          .words = &warnings},
};
constexpr std::array invariant_fields{
    Field{.name = "name",
          .type = Type::slug,
          .help = "for reports",
          .example = "books-balance",
          .required = true},
    Field{.name = "count",
          .type = Type::word,
          .help = "number of records with a",
          .example = "id",
          .words = &fold_fields},
    Field{.name = "set",
          .type = Type::word,
          .help = "set of values of a",
          .example = "id",
          .words = &fold_fields},
    Field{.name = "sum",
          .type = Type::word,
          .help = "sum of",
          .example = "amount",
          .words = &fold_fields},
    Field{.name = "min",
          .type = Type::word,
          .help = "least",
          .example = "amount",
          .words = &fold_fields},
    Field{.name = "over",
          .type = Type::names,
          .help = "topics and stores",
          .example = "[debits, credits]",
          .required = true},
    Field{.name = "by",
          .type = Type::word,
          .help = "one fold per value of",
          .example = "key",
          .words = &fold_fields},
    Field{.name = "equals",
          .type = Type::custom,
          .help = "a number, or another such map",
          .example = "0"},
    Field{.name = "at",
          .type = Type::word,
          .fallback = "end",
          .help = "when it is judged",
          .words = &fold_times},
};
constexpr std::array fold_fields_rows{
    Field{.name = "count",
          .type = Type::word,
          .help = "number of records with a",
          .words = &fold_fields},
    Field{.name = "set", .type = Type::word, .help = "set of values of a", .words = &fold_fields},
    Field{.name = "sum", .type = Type::word, .help = "sum of", .words = &fold_fields},
    Field{.name = "min", .type = Type::word, .help = "least", .words = &fold_fields},
    Field{.name = "over", .type = Type::names, .help = "topics and stores", .required = true},
    Field{.name = "by", .type = Type::word, .help = "one fold per value of", .words = &fold_fields},
};
constexpr std::array sweep_fields{
    Field{
        .name = "seeds", .type = Type::seed_range, .help = "seeds of a sweep", .example = "1..200"},
    Field{.name = "variants",
          .type = Type::named,
          .help = "named overlays; each runs every seed",
          .section = &variant_section},
    Field{.name = "matrix",
          .type = Type::paths,
          .help = "path to list; the product is run",
          .example = "{ apps.shop.mode: [at-least-once, idempotent] }"},
    Field{.name = "draw",
          .type = Type::paths,
          .help = "path to list or range; one value per seed from its own stream",
          .example = "{ faults.*.enabled: [true, false] }"},
    Field{.name = "place",
          .type = Type::names,
          .help = "faults tried at every occurrence of their trigger",
          .example = "[crash]"},
    Field{.name = "compare",
          .type = Type::sections,
          .help = "claims over all seeds",
          .section = &claim_section},
};
constexpr std::array variant_fields{
    Field{.name = "set",
          .type = Type::paths,
          .help = "path to value",
          .example = "{ apps.shop.mode: idempotent }"},
    Field{.name = "expect",
          .type = Type::section,
          .help = "laid over the file's",
          .section = &expect_section},
};
constexpr std::array claim_fields{
    Field{.name = "metric",
          .type = Type::text,
          .help = "a metric or a count",
          .example = "duplicates"},
    Field{.name = "stat",
          .type = Type::word,
          .fallback = "mean",
          .help = "over the seeds",
          .words = &claim_stats},
    Field{.name = "of",
          .type = Type::names,
          .help = "a variant; several for `same`",
          .example = "plain"},
    Field{
        .name = "against", .type = Type::name, .help = "the other variant", .example = "one-flag"},
    Field{.name = "ratio",
          .type = Type::section,
          .help = "bounds of of / against",
          .section = &metric_section},
    Field{.name = "difference",
          .type = Type::section,
          .help = "bounds of of - against",
          .section = &metric_section},
    Field{.name = "rising",
          .type = Type::names,
          .help = "variants in rising order",
          .example = "[a, b]"},
    Field{.name = "falling",
          .type = Type::names,
          .help = "variants in falling order",
          .example = "[a, b]"},
    Field{.name = "same",
          .type = Type::text,
          .help = "effects: equal in the variants `of`",
          .example = "effects"},
};

/// `expect` holds one field per count (model/counts.hpp), then its own.
constexpr auto count_row(std::string_view name, std::string_view help) {
    return Field{.name = name, .type = Type::count, .help = help, .example = "none"};
}
constexpr auto make_expect_fields() {
    constexpr auto total = model::count_kinds + expect_fields.size();
    std::array<Field, total> result{};
    auto next = result.begin();
    for (const auto& count : model::count_entries) *next++ = count_row(count.name, count.help);
    std::copy(expect_fields.begin(), expect_fields.end(), next);
    return result;
}
constexpr auto all_expect_fields = make_expect_fields();

}  // namespace

const Section count_section{"count", "in a count", count_fields};
const Section expect_section{"expect", "in expect", all_expect_fields};
const Section invariant_section{"invariant", "in an invariant", invariant_fields};
const Section fold_section{"fold", "in a fold", fold_fields_rows};
const Section sweep_section{"sweep", "in sweep", sweep_fields};
const Section variant_section{"variant", "in a variant", variant_fields};
const Section claim_section{"claim", "in a claim", claim_fields};
const Section metric_section{"metric", "in a bound", metric_fields};

}  // namespace eos::scenarios
