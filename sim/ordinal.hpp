#pragma once
// Strong integers. An id, an epoch, an offset and a sequence are all numbers, and mixing them up is
// how protocol bugs are written; an Ordinal of one tag does not convert to an Ordinal of another.

#include <compare>
#include <cstdint>

namespace eos::sim {

/// A number with a meaning. Aggregate, so `Offset{5}`; counts and distances are plain `Rep`.
template <class Tag, class Rep = std::int32_t>
struct Ordinal {
    using rep = Rep;
    Rep value{};

    friend constexpr auto operator<=>(const Ordinal&, const Ordinal&) = default;

    [[nodiscard]] constexpr Ordinal next() const { return {static_cast<Rep>(value + 1)}; }
    [[nodiscard]] constexpr Ordinal prior() const { return {static_cast<Rep>(value - 1)}; }

    /// The ordinal `count` further on.
    friend constexpr Ordinal operator+(Ordinal a, Rep count) {
        return {static_cast<Rep>(a.value + count)};
    }
    friend constexpr Ordinal operator-(Ordinal a, Rep count) {
        return {static_cast<Rep>(a.value - count)};
    }
    /// The distance between two ordinals.
    friend constexpr Rep operator-(Ordinal a, Ordinal b) {
        return static_cast<Rep>(a.value - b.value);
    }
};

/// A node of the world: a broker, a controller, an application instance. Dense from 0.
using NodeId = Ordinal<struct NodeTag, std::int32_t>;

}  // namespace eos::sim
