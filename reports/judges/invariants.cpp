#include "reports/judges/invariants.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "reports/judges/ledger.hpp"
#include "reports/judges/stores.hpp"

namespace eos::reports {
namespace {

std::int64_t value_of(Fold::Field field, const model::Record& record) {
    switch (field) {
        case Fold::Field::id:
        case Fold::Field::value:
            return static_cast<std::int64_t>(record.id.value);
        case Fold::Field::key:
            return record.key;
        case Fold::Field::amount:
            return record.amount;
    }
    return 0;
}

// The result of a fold for one group of records.
struct Folded {
    std::int64_t number = 0;
    std::set<std::int64_t> members;  ///< of a set
    bool empty = true;
    friend bool operator==(const Folded&, const Folded&) = default;
};
using Result = std::map<std::int64_t, Folded>;  ///< by the value of `by`; one entry without

Result fold(const Fold& spec, const Ledger& ledger, const StoreJudge& stores) {
    Result result;
    if (!spec.by) result[0];
    const auto add = [&](const model::Record& record) {
        auto& folded = result[spec.by ? value_of(*spec.by, record) : 0];
        const auto value = value_of(spec.field, record);
        switch (spec.kind) {
            case Fold::Kind::count:
                ++folded.number;
                break;
            case Fold::Kind::set:
                folded.members.insert(value);
                break;
            case Fold::Kind::sum:
                folded.number += value;
                break;
            case Fold::Kind::min:
                folded.number = folded.empty ? value : std::min(folded.number, value);
                break;
        }
        folded.empty = false;
    };
    const auto& topology = *ledger.config().topology;
    for (const auto topic : spec.over) {
        const auto& entry = topology.topics[static_cast<std::size_t>(topic.value)];
        for (std::int32_t p = 0; p < entry.partitions; ++p) {
            const auto& log = ledger.final_log(entry.first + p);
            log.for_each_readable([&](model::Offset, const model::Record& record) { add(record); });
        }
    }
    for (const auto store : spec.stores)
        for (const auto& record : stores.rows(store)) add(record);
    for (auto& [by, folded] : result) folded.empty = false;
    return result;
}

std::string text(const Fold& spec, const Result& result) {
    if (spec.by) return fmt::format("{} groups", result.size());
    const auto& folded = result.at(0);
    if (spec.kind == Fold::Kind::set) return fmt::format("{} values", folded.members.size());
    return std::to_string(folded.number);
}

}  // namespace

InvariantOutcome evaluate(const InvariantSpec& spec, const Ledger& ledger,
                          const StoreJudge& stores) {
    InvariantOutcome outcome;
    outcome.name = spec.name;
    const auto got = fold(spec.fold, ledger, stores);
    outcome.got = text(spec.fold, got);
    if (spec.equals_number) {
        outcome.want = std::to_string(*spec.equals_number);
        for (const auto& [by, folded] : got) {
            const auto number = spec.fold.kind == Fold::Kind::set
                                    ? static_cast<std::int64_t>(folded.members.size())
                                    : folded.number;
            if (number == *spec.equals_number) continue;
            outcome.holds = false;
            if (spec.fold.by) outcome.got = fmt::format("{} for {}", number, by);
            break;
        }
        return outcome;
    }
    const auto want = fold(*spec.equals_fold, ledger, stores);
    outcome.want = text(*spec.equals_fold, want);
    outcome.holds = got == want;
    if (!outcome.holds && outcome.got == outcome.want) {
        for (const auto& [by, folded] : want) {
            const auto found = got.find(by);
            if (found != got.end() && found->second == folded) continue;
            outcome.got = fmt::format("{} differs at {}", outcome.got, by);
            break;
        }
    }
    return outcome;
}

}  // namespace eos::reports
