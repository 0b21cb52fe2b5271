#pragma once
// Hashing of state by content: equal values hash equal in every run, build and process. No address,
// capacity or padding takes part. A class with private members offers `fields()` returning
// std::tie(...), or `hash_to(Hasher&)`; aggregates are taken apart by boost::pfr.

#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/pfr.hpp>

#include "sim/digest.hpp"
#include "sim/facts.hpp"

namespace eos::sim {

/// Collects words; two words a multiplication.
class Hasher {
  public:
    constexpr void add(std::uint64_t word) {
        if (half_) {
            digest_.fold(pending_, word);
            half_ = false;
        } else {
            pending_ = word;
            half_ = true;
        }
        ++words_;
    }
    [[nodiscard]] constexpr std::uint64_t value() const {
        Digest finished = digest_;
        finished.fold(half_ ? pending_ : 0, words_);
        return finished.value();
    }

  private:
    Digest digest_;
    std::uint64_t pending_ = 0;
    std::uint64_t words_ = 0;
    bool half_ = false;
};

template <class T>
void hash_into(Hasher& hasher, const T& value);

namespace detail {
template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_a<Template<Args...>, Template> = true;
template <class T>
inline constexpr bool is_bitset = false;
template <std::size_t n>
inline constexpr bool is_bitset<std::bitset<n>> = true;
template <class T>
inline constexpr bool unhashable = false;

template <class T>
concept HashesItself = requires(const T& value, Hasher& hasher) {
    value.hash_to(hasher);
};
template <class T>
concept NamesItsFields = requires(const T& value) {
    value.fields();
};
template <class T>
concept TupleLike = requires {
    std::tuple_size<T>::value;
};

template <class Tuple>
void hash_tuple(Hasher& hasher, const Tuple& tuple) {
    std::apply([&](const auto&... field) { (hash_into(hasher, field), ...); }, tuple);
}
}  // namespace detail

/// Adds a value, by content, to the hasher.
template <class T>
void hash_into(Hasher& hasher, const T& value) {
    static_assert(!std::is_floating_point_v<T>, "state has no floating point (determinism)");
    static_assert(!std::is_pointer_v<T>, "state has no pointers (the world is a value)");
    if constexpr (detail::HashesItself<T>) {
        value.hash_to(hasher);
    } else if constexpr (detail::NamesItsFields<T>) {
        detail::hash_tuple(hasher, value.fields());
    } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
        hasher.add(static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_same_v<T, Facts>) {
        hasher.add(value.size());
        for (std::size_t i = 0; i < value.size(); ++i) {
            hasher.add(value.name(i).value);
            hasher.add(static_cast<std::uint64_t>(value.value(i)));
        }
    } else if constexpr (detail::is_a<T, std::chrono::time_point>) {
        hasher.add(static_cast<std::uint64_t>(value.time_since_epoch().count()));
    } else if constexpr (detail::is_a<T, std::optional> || detail::is_a<T, std::shared_ptr>) {
        hasher.add(value ? 1 : 0);
        if (value) hash_into(hasher, *value);
    } else if constexpr (detail::is_a<T, std::variant>) {
        hasher.add(value.index());
        std::visit([&](const auto& held) { hash_into(hasher, held); }, value);
    } else if constexpr (std::ranges::input_range<const T>) {
        std::uint64_t count = 0;
        for (const auto& element : value) {
            // std::vector<bool> gives proxies; every other range gives the element itself.
            if constexpr (std::is_same_v<std::ranges::range_value_t<const T>, bool>)
                hasher.add(static_cast<bool>(element) ? 1 : 0);
            else
                hash_into(hasher, element);
            ++count;
        }
        hasher.add(count);
    } else if constexpr (detail::TupleLike<T>) {
        detail::hash_tuple(hasher, value);
    } else if constexpr (detail::is_bitset<T>) {
        hasher.add(value.to_ullong());
    } else if constexpr (requires {
                             value.count();
                             typename T::period;
                         }) {
        hasher.add(static_cast<std::uint64_t>(value.count()));
    } else if constexpr (std::is_empty_v<T>) {
        // Nothing to tell: std::monostate, tags, messages without content.
    } else if constexpr (std::is_aggregate_v<T>) {
        boost::pfr::for_each_field(value, [&](const auto& field) { hash_into(hasher, field); });
    } else {
        static_assert(detail::unhashable<T>, "give the class fields() or hash_to(Hasher&)");
    }
}

/// The hash of one value.
template <class T>
[[nodiscard]] std::uint64_t state_hash(const T& value) {
    Hasher hasher;
    hash_into(hasher, value);
    return hasher.value();
}

}  // namespace eos::sim
