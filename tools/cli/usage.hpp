#pragma once
// Exit codes, and the two ways a command ends early: the user asked for something that does not
// exist, or a result cannot be written.

#include <stdexcept>
#include <string>
#include <utility>

namespace eos::cli {

namespace exit_code {
inline constexpr int met = 0;  ///< every expectation met
inline constexpr int not_met = 1;
inline constexpr int usage = 2;
inline constexpr int invalid_file = 3;
inline constexpr int inconclusive = 4;
inline constexpr int differs = 5;  ///< replay does not follow the recorded run
inline constexpr int internal = 70;
inline constexpr int cannot_write = 74;
inline constexpr int interrupted = 130;
}  // namespace exit_code

/// A wrong flag or value: exit 2. `hint` says what to do, may be empty.
class UsageError : public std::runtime_error {
  public:
    explicit UsageError(const std::string& what, std::string hint = {})
        : std::runtime_error(what), hint_(std::move(hint)) {}
    [[nodiscard]] const std::string& hint() const { return hint_; }

  private:
    std::string hint_;
};

/// A result cannot be written: exit 74.
class OutputError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace eos::cli
