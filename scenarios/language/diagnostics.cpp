#include "scenarios/language/diagnostics.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace eos::scenarios {
namespace {

/// A variant's suffix is set off by this, so that equal findings can be recognised.
constexpr std::string_view suffix_start = " (variant ";

std::string without_suffix(const std::string& text) {
    const auto at = text.rfind(suffix_start);
    return at == std::string::npos ? text : text.substr(0, at);
}

auto order(const Diagnostic& d) {
    return std::tie(d.source, d.line, d.column, d.severity, d.text, d.hint);
}

bool same_finding(const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.source, a.line, a.column, a.severity) ==
               std::tie(b.source, b.line, b.column, b.severity) &&
           without_suffix(a.text) == without_suffix(b.text);
}

/// A source line may hold anything: keep the screen in order.
std::string printable(std::string_view line, std::size_t max) {
    std::string result;
    for (const char c : line.substr(0, max)) {
        const auto byte = static_cast<unsigned char>(c);
        result += (byte < 0x20 || byte == 0x7f) ? ' ' : c;
    }
    while (!result.empty() && line.size() > max &&
           (static_cast<unsigned char>(result.back()) & 0xc0U) == 0x80)
        result.pop_back();
    return result;
}

std::string plural(std::size_t n, std::string_view word) {
    return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s");
}

/// GitHub's escapes for the message and for property values.
std::string escaped(std::string_view text, bool property) {
    std::string result;
    for (const char c : text) {
        if (c == '%')
            result += "%25";
        else if (c == '\n')
            result += "%0A";
        else if (c == '\r')
            result += "%0D";
        else if (property && c == ':')
            result += "%3A";
        else if (property && c == ',')
            result += "%2C";
        else
            result += c;
    }
    return result;
}

std::string_view name(Severity severity) {
    return severity == Severity::error ? "error" : "warning";
}

std::string text_of(const Diagnostic& d) {
    std::string result;
    const auto label =
        d.warning.empty() ? std::string(name(d.severity)) : fmt::format("warning[{}]", d.warning);
    result += fmt::format("{}:{}:{}: {}: {}\n", d.file, d.line, d.column, label, d.text);
    constexpr std::size_t widest = 160;
    const auto shown = printable(d.line_text, widest);
    if (!shown.empty()) {
        result += fmt::format("{:>5} | {}\n", d.line, shown);
        if (d.column <= characters(shown) + 1) {
            const auto room = std::max(1, characters(shown) - d.column + 1);
            const auto length = std::clamp(d.length, 1, room);
            result += fmt::format("      | {}^{}\n",
                                  std::string(static_cast<std::size_t>(d.column - 1), ' '),
                                  std::string(static_cast<std::size_t>(length - 1), '~'));
        }
    }
    if (!d.hint.empty()) result += fmt::format("      = {}\n", d.hint);
    return result;
}

}  // namespace

std::int32_t characters(std::string_view utf8) {
    return static_cast<std::int32_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
    }));
}

Source::Source(std::string name, std::string_view bytes) : name_(std::move(name)) {
    if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
    text_.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != '\r') {
            text_ += bytes[i];
        } else {
            text_ += '\n';
            if (i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
        }
    }
    starts_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i)
        if (text_[i] == '\n') starts_.push_back(i + 1);
}

std::string_view Source::line(std::int32_t number) const {
    if (number < 1 || number > lines()) return {};
    const auto begin = starts_[static_cast<std::size_t>(number - 1)];
    const auto end = text_.find('\n', begin);
    return std::string_view(text_).substr(begin, end == std::string::npos ? end : end - begin);
}

std::size_t Source::position(std::int32_t line, std::int32_t column) const {
    if (line < 1 || line > lines()) return text_.size();
    return std::min(text_.size(), starts_[static_cast<std::size_t>(line - 1)] +
                                      static_cast<std::size_t>(std::max(column, 1) - 1));
}

std::int32_t Diagnostics::add_source(std::string name, std::string_view bytes) {
    sources_.emplace_back(std::move(name), bytes);
    return static_cast<std::int32_t>(sources_.size() - 1);
}

const Source& Diagnostics::source(std::int32_t number) const {
    static const Source none{"", ""};
    if (number < 0 || number >= static_cast<std::int32_t>(sources_.size())) return none;
    return sources_[static_cast<std::size_t>(number)];
}

void Diagnostics::error(const Mark& mark, std::string text, std::string hint) {
    add(mark, Severity::error, std::move(text), std::move(hint), {});
}

void Diagnostics::warn(const Mark& mark, std::string warning, std::string text, std::string hint) {
    add(mark, Severity::warning, std::move(text), std::move(hint), std::move(warning));
}

void Diagnostics::add(const Mark& mark, Severity severity, std::string text, std::string hint,
                      std::string warning) {
    if (severity == Severity::error) ++reported_;
    constexpr std::size_t most = 1000;  // a file of mistakes: nobody reads on, and sorting costs
    if (list_.size() >= most) return;
    const auto& from = source(mark.source);
    const auto line = from.line(mark.line);
    const auto column = static_cast<std::size_t>(std::max(mark.column, 1) - 1);
    const auto before = line.substr(0, std::min(column, line.size()));
    const auto marked =
        line.substr(before.size(), static_cast<std::size_t>(std::max(mark.length, 1)));
    list_.push_back({.file = from.name(),
                     .source = mark.source,
                     .line = mark.line,
                     .column = characters(before) + 1,
                     .length = std::max(1, characters(marked)),
                     .severity = severity,
                     .text = std::move(text) + suffix_,
                     .hint = std::move(hint),
                     .warning = std::move(warning),
                     .line_text = std::string(line)});
}

void Diagnostics::merge(const Diagnostics& other) {
    reported_ += other.reported_;
    if (sources_.size() < other.sources_.size()) sources_ = other.sources_;
    for (const auto& theirs : other.list_) {
        const bool known = std::any_of(list_.begin(), list_.end(), [&](const Diagnostic& mine) {
            return same_finding(mine, theirs);
        });
        if (!known) list_.push_back(theirs);
    }
}

std::size_t Diagnostics::errors() const { return sorted().size() - warnings(); }

std::size_t Diagnostics::warnings() const {
    const auto all = sorted();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const Diagnostic& d) {
        return d.severity == Severity::warning;
    }));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
    auto result = list_;
    std::stable_sort(result.begin(), result.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return order(a) < order(b); });
    result.erase(std::unique(result.begin(), result.end(), same_finding), result.end());
    return result;
}

std::string print(const Diagnostics& diagnostics, DiagnosticFormat format, std::size_t limit) {
    const auto all = diagnostics.sorted();
    std::string result;
    switch (format) {
        case DiagnosticFormat::text: {
            for (std::size_t i = 0; i < all.size() && i < limit; ++i) result += text_of(all[i]);
            if (all.size() > limit) result += fmt::format("... and {} more\n", all.size() - limit);
            if (!all.empty()) {
                std::string counted;
                if (diagnostics.errors() > 0) counted = plural(diagnostics.errors(), "error");
                if (diagnostics.warnings() > 0)
                    counted +=
                        (counted.empty() ? "" : ", ") + plural(diagnostics.warnings(), "warning");
                result += fmt::format("{}: {}\n", all.front().file, counted);
            }
            return result;
        }
        case DiagnosticFormat::json: {
            auto list = nlohmann::ordered_json::array();
            for (const auto& d : all) {
                nlohmann::ordered_json row;
                row["file"] = d.file;
                row["line"] = d.line;
                row["column"] = d.column;
                row["length"] = d.length;
                row["severity"] = name(d.severity);
                if (!d.warning.empty()) row["warning"] = d.warning;
                row["text"] = d.text;
                if (!d.hint.empty()) row["hint"] = d.hint;
                list.push_back(std::move(row));
            }
            nlohmann::ordered_json document;
            document["schema"] = "eosim.check/1";
            document["errors"] = diagnostics.errors();
            document["warnings"] = diagnostics.warnings();
            document["diagnostics"] = std::move(list);
            return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        }
        case DiagnosticFormat::github:
            for (const auto& d : all)
                result += fmt::format(
                    "::{} file={},line={},col={},endColumn={}::{}\n", name(d.severity),
                    escaped(d.file, true), d.line, d.column, d.column + d.length,
                    escaped(d.hint.empty() ? d.text : d.text + " (" + d.hint + ")", false));
            return result;
    }
    return result;
}

}  // namespace eos::scenarios
