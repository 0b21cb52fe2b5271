#pragma once
// Durations counted in buckets 1/16 of their magnitude wide: quantiles within 6 %, integers only,
// memory independent of the number of samples.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "sim/time.hpp"

namespace eos::reports {

class Histogram {
  public:
    void add(sim::Duration sample) {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, sample.count()));
        ++buckets_[bucket(value)];
        ++count_;
        greatest_ = std::max(greatest_, sample);
    }
    void add(const Histogram& other) {
        for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
        count_ += other.count_;
        greatest_ = std::max(greatest_, other.greatest_);
    }
    [[nodiscard]] std::int64_t count() const { return count_; }

    /// The value below which `per_mille` of the samples lie; none without samples.
    [[nodiscard]] std::optional<sim::Duration> quantile(std::int64_t per_mille) const {
        if (count_ == 0) return std::nullopt;
        const auto rank = (count_ * per_mille + 999) / 1000;
        std::int64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (seen >= rank) return std::min(greatest_, sim::Duration{upper(i)});
        }
        return greatest_;
    }
    [[nodiscard]] std::optional<sim::Duration> greatest() const {
        if (count_ == 0) return std::nullopt;
        return greatest_;
    }
    friend bool operator==(const Histogram&, const Histogram&) = default;

  private:
    static constexpr std::size_t per_power = 16;
    static constexpr std::size_t powers = 60;

    static std::size_t bucket(std::uint64_t value) {
        if (value < per_power) return static_cast<std::size_t>(value);
        const auto power = static_cast<std::size_t>(std::bit_width(value)) - 5;  // value >> power: 16..31
        return (power + 1) * per_power + static_cast<std::size_t>((value >> power) - per_power);
    }
    static std::int64_t upper(std::size_t index) {
        if (index < per_power) return static_cast<std::int64_t>(index);
        const auto power = index / per_power - 1;
        const auto step = index % per_power + per_power;
        return static_cast<std::int64_t>(((step + 1) << power) - 1);
    }

    std::array<std::int32_t, per_power * powers> buckets_{};
    std::int64_t count_ = 0;
    sim::Duration greatest_{};
};

}  // namespace eos::reports
