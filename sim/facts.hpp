#pragma once
// What a fault or a breakpoint may know of a message, a milestone or an order: a handful of named
// integers. The names belong to whoever speaks the vocabulary; sim and faults see only the numbers.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "sim/ordinal.hpp"

namespace eos::sim {

/// The name of a fact, as a small number of the vocabulary (model/milestones.hpp gives the words).
using FactName = Ordinal<struct FactTag, std::uint8_t>;

/// Up to `capacity` (name, value) pairs in the order given. Copyable, comparable, no allocation.
class Facts {
  public:
    static constexpr std::size_t capacity = 16;

    /// Adds a fact; beyond the capacity it is dropped (a vocabulary keeps its tables below it).
    constexpr Facts& add(FactName name, std::int64_t value) {
        if (size_ < capacity) {
            names_[size_] = name.value;
            values_[size_] = value;
            ++size_;
        }
        return *this;
    }
    [[nodiscard]] constexpr std::optional<std::int64_t> find(FactName name) const {
        for (std::size_t i = 0; i < size_; ++i)
            if (names_[i] == name.value) return values_[i];
        return std::nullopt;
    }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr FactName name(std::size_t i) const { return {names_[i]}; }
    [[nodiscard]] constexpr std::int64_t value(std::size_t i) const { return values_[i]; }

    friend constexpr bool operator==(const Facts& a, const Facts& b) {
        return a.size_ == b.size_ &&
               std::equal(a.names_.begin(), a.names_.begin() + a.size_, b.names_.begin()) &&
               std::equal(a.values_.begin(), a.values_.begin() + a.size_, b.values_.begin());
    }

  private:
    std::uint8_t size_ = 0;
    std::array<std::uint8_t, capacity> names_;
    std::array<std::int64_t, capacity> values_;
};

/// The kind of a milestone, as a small number of the vocabulary.
using MilestoneKind = Ordinal<struct MilestoneTag, std::uint16_t>;

/// A named protocol moment that was reached, and the integers that describe it.
struct Milestone {
    MilestoneKind kind;
    NodeId node;
    Facts facts;
    friend bool operator==(const Milestone&, const Milestone&) = default;
};

/// A wish from outside that only the role itself can carry out (hand over leadership, rebalance,
/// stop gracefully, ...). Kinds are numbers of the vocabulary, like milestones.
using OrderKind = Ordinal<struct OrderTag, std::uint16_t>;
struct Order {
    OrderKind kind;
    Facts facts;
    friend bool operator==(const Order&, const Order&) = default;
};

/// "Who leads log 7", "who coordinates group 2": a question the directory answers with nodes.
struct RoleKey {
    std::uint16_t role = 0;  ///< a number of the vocabulary
    std::int64_t subject = 0;
    friend constexpr auto operator<=>(const RoleKey&, const RoleKey&) = default;
};

}  // namespace eos::sim
