#pragma once
// Commands as a person can paste them: words quoted for a POSIX shell where they need it.

#include <string>
#include <string_view>
#include <vector>

namespace eos::reports {

/// A word as a shell reads it back: unchanged if nothing in it is special, else in single quotes.
[[nodiscard]] std::string shell_word(std::string_view word);
/// The words of a command, quoted, on one line.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);
/// The same, broken with a backslash where a line would pass 98 columns; `indent` is where the
/// first line begins, the others begin four columns further.
[[nodiscard]] std::string shell_lines(const std::vector<std::string>& words, std::size_t indent);

}  // namespace eos::reports
