#pragma once
// The line that moves while a sweep runs: on standard error, and only on a terminal.

#include <chrono>
#include <cstdint>

namespace eos::cli {

class Progress {
  public:
    /// `already` runs were made before and say nothing about the speed.
    Progress(std::int64_t total, std::int64_t already);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void tell(std::int64_t done, std::int64_t undecided);

  private:
    std::int64_t total_;
    std::int64_t already_;
    bool terminal_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point begin_;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace eos::cli
