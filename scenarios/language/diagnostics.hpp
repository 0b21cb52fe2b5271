#pragma once
// What is wrong with a file, and where. Everything found is collected, sorted by position and
// printed at once; nothing is thrown. A Source is one text that positions refer to: the file
// itself, or the text of one --set option.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eos::scenarios {

/// A place in a source; line and column count from 1, columns and length in bytes.
struct Mark {
    std::int32_t source = 0;
    std::int32_t line = 1;
    std::int32_t column = 1;
    std::int32_t length = 1;
    friend bool operator==(const Mark&, const Mark&) = default;
};

enum class Severity : std::uint8_t { error, warning };

/// One finding about a text. `length` and `column` are in characters, as an editor counts.
struct Diagnostic {
    std::string file;
    std::int32_t source = 0;
    std::int32_t line = 1;
    std::int32_t column = 1;
    std::int32_t length = 1;
    Severity severity = Severity::error;
    std::string text;
    std::string hint;     ///< what to do; may be empty
    std::string warning;  ///< name of the warning (language.md, section 8); empty for errors
    std::string line_text;
    friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

/// A text with a name. Line ends are normalised, a byte order mark is removed.
class Source {
  public:
    Source(std::string name, std::string_view bytes);
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& text() const { return text_; }
    /// Without its line end; empty beyond the end.
    [[nodiscard]] std::string_view line(std::int32_t number) const;
    /// Byte position of a mark, at most the size of the text.
    [[nodiscard]] std::size_t position(std::int32_t line, std::int32_t column) const;
    [[nodiscard]] std::int32_t lines() const { return static_cast<std::int32_t>(starts_.size()); }

  private:
    std::string name_;
    std::string text_;
    std::vector<std::size_t> starts_;
};

/// The findings about a scenario and the texts they refer to.
class Diagnostics {
  public:
    /// Adds a text; returns its number for Mark::source.
    std::int32_t add_source(std::string name, std::string_view bytes);
    [[nodiscard]] const Source& source(std::int32_t number) const;
    [[nodiscard]] bool has_source() const { return !sources_.empty(); }

    void error(const Mark& mark, std::string text, std::string hint = {});
    void warn(const Mark& mark, std::string warning, std::string text, std::string hint = {});

    /// Appended to the text of everything reported from now on: " (variant 'tv1')".
    void set_suffix(std::string suffix) { suffix_ = std::move(suffix); }
    /// Adds what `other` has and this one has not; compares without suffixes.
    void merge(const Diagnostics& other);

    [[nodiscard]] bool failed() const { return reported_ > 0; }
    /// Errors reported so far, repeated ones counted again: cheap, to see whether one was added.
    [[nodiscard]] std::size_t reported() const { return reported_; }
    [[nodiscard]] std::size_t errors() const;
    [[nodiscard]] std::size_t warnings() const;
    /// Sorted by source, line, column; equal ones once.
    [[nodiscard]] std::vector<Diagnostic> sorted() const;

  private:
    void add(const Mark& mark, Severity severity, std::string text, std::string hint,
             std::string warning);

    std::vector<Source> sources_;
    std::vector<Diagnostic> list_;
    std::string suffix_;
    std::size_t reported_ = 0;
};

enum class DiagnosticFormat : std::uint8_t { text, json, github };

/// The `check` screen, JSON (one document), or GitHub annotations. Text shows at most `limit`.
[[nodiscard]] std::string print(const Diagnostics& diagnostics, DiagnosticFormat format,
                                std::size_t limit = 20);

/// Number of characters of a UTF-8 text.
[[nodiscard]] std::int32_t characters(std::string_view utf8);

}  // namespace eos::scenarios
