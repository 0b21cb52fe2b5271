#include "reports/render/shell.hpp"

#include <algorithm>

namespace eos::reports {

std::string shell_word(std::string_view word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string(word);
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    }
    return quoted + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
    std::string line;
    for (const auto& word : words) {
        if (!line.empty()) line += ' ';
        line += shell_word(word);
    }
    return line;
}

std::string shell_lines(const std::vector<std::string>& words, std::size_t indent) {
    constexpr std::size_t width = 96;  // leaves room for " \"
    std::string result;
    std::string line;
    std::size_t start = indent;
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto word = shell_word(words[i]);
        // An option and its value stay together.
        if (words[i].starts_with("--") && i + 1 < words.size())
            word += ' ' + shell_word(words[++i]);
        if (!line.empty() && start + line.size() + 1 + word.size() > width) {
            result += line + " \\\n" + std::string(indent + 4, ' ');
            line.clear();
            start = indent + 4;
        }
        if (!line.empty()) line += ' ';
        line += word;
    }
    return result + line;
}

}  // namespace eos::reports
