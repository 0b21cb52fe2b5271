#pragma once
// One flag that ends the work early and keeps what was computed: set by Ctrl-C, or by a watchdog
// when the time a user gave is over. A second Ctrl-C ends the program at once.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "sim/time.hpp"

namespace eos::cli {

[[nodiscard]] std::atomic<bool>& stop_flag();
/// Whether it was Ctrl-C (or SIGTERM).
[[nodiscard]] bool interrupted();
/// Handlers for SIGINT and SIGTERM; a closed pipe becomes an error of the write.
void handle_signals();

/// Sets the flag after a time, unless it is destroyed before.
class Watchdog {
  public:
    explicit Watchdog(std::optional<sim::Duration> time);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    [[nodiscard]] bool barked() const { return barked_.load(); }

  private:
    std::mutex mutex_;
    std::condition_variable over_;
    bool done_ = false;
    std::atomic<bool> barked_{false};
    std::thread thread_;
};

}  // namespace eos::cli
