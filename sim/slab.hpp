#pragma once
// Records that are named by small numbers instead of addresses, so that what names them can be
// copied with the world. Freed slots are used again, last in first out; nothing is allocated per
// record.

#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "sim/ensure.hpp"

namespace eos::sim {

/// The place of a record in its slab.
using Slot = std::uint32_t;
/// No record: the end of a chain.
inline constexpr Slot no_slot = ~Slot{0};

/// Records by slot.
template <class T>
class Slab {
  public:
    Slot insert(T record) {
        ++live_;
        if (free_.empty()) {
            records_.push_back(std::move(record));
            return static_cast<Slot>(records_.size() - 1);
        }
        const Slot slot = free_.back();
        free_.pop_back();
        records_[slot] = std::move(record);
        return slot;
    }
    /// Frees the slot; nothing of what was in it stays.
    void erase(Slot slot) {
        records_[slot] = T{};
        free_.push_back(slot);
        --live_;
    }
    /// Frees the slot and hands out what was in it.
    [[nodiscard]] T take(Slot slot) {
        T record = std::move(records_[slot]);
        if constexpr (!std::is_trivially_copyable_v<T>) records_[slot] = T{};
        free_.push_back(slot);
        --live_;
        return record;
    }
    [[nodiscard]] T& operator[](Slot slot) { return records_[slot]; }
    [[nodiscard]] const T& operator[](Slot slot) const { return records_[slot]; }
    /// How many records are in use.
    [[nodiscard]] std::size_t size() const { return live_; }
    /// How many slots were ever needed at once.
    [[nodiscard]] std::size_t capacity() const { return records_.size(); }

    [[nodiscard]] auto fields() const { return std::tie(records_, free_); }
    friend bool operator==(const Slab&, const Slab&) = default;

  private:
    std::vector<T> records_;
    std::vector<Slot> free_;
    std::size_t live_ = 0;
};

}  // namespace eos::sim
