#pragma once
// The trace of a run: which event was handled when. An audience that wants one keeps a TraceTape
// and hands `handled` on to it; without a tape a run pays nothing but its digest. When two runs
// that should be equal are not, first_divergence names the first event in which they differ.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/event.hpp"

namespace eos::sim {

/// "arrival", "timer": for reports.
[[nodiscard]] std::string_view name(EventKind kind);
/// One line: time, serial, node, kind and fingerprint.
[[nodiscard]] std::string text(const TraceEntry& entry);

/// Every event that was handled, in order.
class TraceTape {
  public:
    void handled(const TraceEntry& entry) { entries_.push_back(entry); }
    [[nodiscard]] const std::vector<TraceEntry>& entries() const { return entries_; }

    [[nodiscard]] auto fields() const { return std::tie(entries_); }
    friend bool operator==(const TraceTape&, const TraceTape&) = default;

  private:
    std::vector<TraceEntry> entries_;
};

/// Where two runs part. If one of them had ended, its entry is missing. Equal entries mean that the
/// events were equal and what came of them was not.
struct Divergence {
    std::uint64_t index = 0;  ///< how many events were equal before
    std::optional<TraceEntry> left;
    std::optional<TraceEntry> right;
    friend bool operator==(const Divergence&, const Divergence&) = default;
};

/// Compares two tapes; none if they are equal.
[[nodiscard]] std::optional<Divergence> first_divergence(const TraceTape& a, const TraceTape& b);

/// Runs two worlds side by side, at most `limit` events, and stops where their digests part.
template <class World>
[[nodiscard]] std::optional<Divergence> first_divergence(World left, World right,
                                                         std::uint64_t limit = ~std::uint64_t{0}) {
    for (std::uint64_t i = 0; i < limit; ++i) {
        const bool left_goes = left.step();
        const bool right_goes = right.step();
        if (!left_goes && !right_goes) return std::nullopt;
        if (left_goes && right_goes && left.digest() == right.digest()) continue;
        Divergence found{.index = i, .left = {}, .right = {}};
        if (left_goes) found.left = left.last();
        if (right_goes) found.right = right.last();
        return found;
    }
    return std::nullopt;
}

}  // namespace eos::sim
