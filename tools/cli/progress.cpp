#include "tools/cli/progress.hpp"

#include <cstdio>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

#include "reports/render/words.hpp"

namespace eos::cli {

Progress::Progress(std::int64_t total, std::int64_t already)
    : total_(total),
      already_(already),
      terminal_(::isatty(STDERR_FILENO) == 1),
      begin_(std::chrono::steady_clock::now()),
      last_(begin_) {}

Progress::~Progress() {
    if (shown_) fmt::print(stderr, "\r{}\r", std::string(90, ' '));
}

void Progress::tell(std::int64_t done, std::int64_t undecided) {
    if (!terminal_ || total_ == 0) return;
    using namespace std::chrono;
    const auto now = steady_clock::now();
    if (now - last_ < milliseconds(100) && done != total_) return;
    last_ = now;
    shown_ = true;
    constexpr std::int64_t width = 26;
    const auto bars = static_cast<std::size_t>(done * width / total_);
    const auto ms = duration_cast<milliseconds>(now - begin_).count() + 1;
    const auto rate = (done - already_) * 1000 / ms;
    const auto left = rate > 0 ? (total_ - done) / rate : 0;
    auto line =
        fmt::format("  [{}{}] {:>3}%  {}/{}   {} runs/s", std::string(bars, '#'),
                    std::string(static_cast<std::size_t>(width) - bars, '-'), done * 100 / total_,
                    reports::grouped(done), reports::grouped(total_), rate);
    if (undecided > 0) line += fmt::format("   {} undecided", undecided);
    if (rate > 0) line += fmt::format("   {:02}:{:02} left", left / 60, left % 60);
    fmt::print(stderr, "\r{:<90}", line);
    (void)std::fflush(stderr);
}

}  // namespace eos::cli
