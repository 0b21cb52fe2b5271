#pragma once
// Where results go. The screen is standard output, checked at the end. A file is written beside its
// name and renamed when it is complete: a full disk leaves what was there before, never half a
// file.

#include <string>
#include <string_view>

namespace eos::cli {

class Screen {
  public:
    /// Throws OutputError as soon as a write fails (full disk, closed pipe).
    void print(std::string_view text);
    void finish();
};

/// A line on standard error; failures are nobody's business.
void tell(std::string_view text);

class OutputFile {
  public:
    /// Opens the temporary file at once, so that a wrong directory is told before the work is done.
    explicit OutputFile(std::string path);
    ~OutputFile();
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    OutputFile(const OutputFile&) = delete;

    void write(std::string_view text);
    /// The file has its name from here on.
    void commit();
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
    std::string target_;     ///< where links lead
    std::string temporary_;  ///< empty: a device or pipe, written directly
    std::string buffer_;
    int descriptor_ = -1;

    void flush();
    [[noreturn]] void fail(int error);
};

/// Writes a whole file; throws OutputError.
void write_file(const std::string& path, std::string_view text);

}  // namespace eos::cli
