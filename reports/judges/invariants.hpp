#pragma once
// What must hold over the data itself: a count, a set, a sum or a least value over what is readable in
// some topics, or stands in some stores, at the end equals a number or the same fold over other topics ("books balance", "one
// bill for each order").

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.hpp"

namespace eos::reports {

class Ledger;
class StoreJudge;

struct Fold {
    enum class Kind : std::uint8_t { count, set, sum, min };
    enum class Field : std::uint8_t { id, key, value, amount };
    Kind kind = Kind::count;
    Field field = Field::id;
    std::vector<model::TopicId> over;
    std::vector<model::StoreId> stores;
    std::optional<Field> by;  ///< done for each value of this field
};
struct InvariantSpec {
    std::string name;
    Fold fold;
    std::optional<std::int64_t> equals_number;
    std::optional<Fold> equals_fold;
};
struct InvariantOutcome {
    std::string name;
    std::string want;
    std::string got;
    bool holds = true;
};

[[nodiscard]] InvariantOutcome evaluate(const InvariantSpec& spec, const Ledger& ledger,
                                        const StoreJudge& stores);

}  // namespace eos::reports
