#pragma once
// The running digest of a run: two 64-bit words folded per step, always on. Equal runs give equal
// digests with any compiler and on any machine; it is no cryptographic hash.

#include <cstdint>

namespace eos::sim {

/// The two halves of a 64x64->128 product, folded by xor.
[[nodiscard]] constexpr std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// What was folded so far. The former state only ever passes through a bijection, so nothing that
/// was folded can be wiped out by what follows.
class Digest {
  public:
    constexpr void fold(std::uint64_t a, std::uint64_t b) {
        const std::uint64_t news =
            folded_product(a ^ 0x9e3779b97f4a7c15ULL, b ^ 0xd1b54a32d192ed03ULL);
        state_ = (((state_ << 23) | (state_ >> 41)) * 0xbf58476d1ce4e5b9ULL) ^ news;
        state_ += a + (b << 1);
    }
    /// The digest as printed: finished, so that near states look far apart.
    [[nodiscard]] constexpr std::uint64_t value() const {
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    friend constexpr bool operator==(const Digest&, const Digest&) = default;

  private:
    std::uint64_t state_ = 0x243f6a8885a308d3ULL;
};

}  // namespace eos::sim
