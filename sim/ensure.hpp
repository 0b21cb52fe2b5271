#pragma once
// Broken contracts. ensure(condition, "claim") is on in every build. A failed claim throws
// BrokenContract, an exception and not an abort, so that a sweep loses one seed and keeps its
// results; the engine adds the virtual time, the run layer the words by which to replay the run.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "sim/time.hpp"

namespace eos::sim {

/// A line of the source. (std::source_location is not there with clang 14.)
struct SourceLine {
    const char* file;
    int line;
};

/// A claim of the program itself was false. Never a protocol error, never a finding.
class BrokenContract : public std::logic_error {
  public:
    BrokenContract(std::string_view claim, SourceLine where);

    /// The engine says when it happened; the first report stands.
    void happened_at(Instant when);

    [[nodiscard]] const std::string& claim() const { return claim_; }
    [[nodiscard]] std::optional<Instant> when() const { return when_; }
    /// Claim, place, virtual time, and what was running.
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

  private:
    std::string claim_;
    std::string place_;
    std::string running_;
    std::optional<Instant> when_;
    std::string text_;
    void write();
};

/// Says what this thread is running ("seed 17 of bank.yaml") while it is in scope. Scopes nest.
class Running {
  public:
    explicit Running(std::string what);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    /// What the innermost scope of this thread said; empty outside of any.
    [[nodiscard]] static const std::string& what();

  private:
    std::string outer_;
};

namespace detail {
[[noreturn]] void broken(std::string_view claim, SourceLine where);
}

/// Throws BrokenContract unless the condition holds.
inline void ensure(bool condition, std::string_view claim, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
    if (!condition) [[unlikely]]
        detail::broken(claim, {file, line});
}

}  // namespace eos::sim
