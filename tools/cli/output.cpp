#include "tools/cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "tools/cli/usage.hpp"

namespace eos::cli {
namespace {

constexpr std::size_t buffered_most = 64 * 1024;

[[noreturn]] void screen_failed(int error) {
    throw OutputError(fmt::format("cannot write to standard output: {}", std::strerror(error)));
}

}  // namespace

void Screen::print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) screen_failed(errno);
}

void Screen::finish() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) screen_failed(errno);
}

void tell(std::string_view text) {
    (void)std::fflush(stdout);
    (void)!std::fwrite(text.data(), 1, text.size(), stderr);
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)), target_(path_) {
    std::error_code ignored;
    if (const auto real = std::filesystem::canonical(path_, ignored); !ignored)
        target_ = real.string();
    struct stat found {};
    const bool exists = ::stat(target_.c_str(), &found) == 0;
    if (exists && S_ISDIR(found.st_mode)) fail(EISDIR);
    if (exists && !S_ISREG(found.st_mode)) {
        descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
        if (descriptor_ < 0) fail(errno);
        return;
    }
    // The new file takes the place of the old one: refuse where writing to the old one is refused.
    if (exists && ::access(target_.c_str(), W_OK) != 0) fail(errno);
    const std::filesystem::path whole(target_);
    temporary_ =
        (whole.parent_path() / fmt::format(".{}.{}.tmp", whole.filename().string(), ::getpid()))
            .string();
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                         exists ? found.st_mode & 0777 : 0666);
    if (descriptor_ < 0) {
        const int error = errno;
        temporary_.clear();
        fail(error);
    }
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      buffer_(std::move(other.buffer_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::fail(int error) {
    throw OutputError(fmt::format("cannot write {}: {}", path_, std::strerror(error)));
}

void OutputFile::flush() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
        const auto written = ::write(descriptor_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(errno);
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
}

void OutputFile::write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= buffered_most) flush();
}

void OutputFile::commit() {
    flush();
    const auto descriptor = std::exchange(descriptor_, -1);
    // Some file systems tell of a full disk only here. Pipes and devices cannot be synchronised.
    const bool synced = temporary_.empty() || ::fsync(descriptor) == 0 || errno == EINVAL;
    const int sync_error = errno;
    if (::close(descriptor) != 0) fail(errno);
    if (!synced) fail(sync_error);
    if (temporary_.empty()) return;
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
    temporary_.clear();
}

void write_file(const std::string& path, std::string_view text) {
    OutputFile file(path);
    file.write(text);
    file.commit();
}

}  // namespace eos::cli
