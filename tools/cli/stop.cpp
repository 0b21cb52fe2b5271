#include "tools/cli/stop.hpp"

#include <csignal>
#include <unistd.h>

#include "tools/cli/usage.hpp"

namespace eos::cli {
namespace {

std::atomic<bool> stop{false};
std::atomic<bool> by_signal{false};
static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers need it");

void on_signal(int) {
    if (by_signal.exchange(true)) ::_exit(exit_code::interrupted);
    stop.store(true);
}

}  // namespace

std::atomic<bool>& stop_flag() { return stop; }
bool interrupted() { return by_signal.load(); }

void handle_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

Watchdog::Watchdog(std::optional<sim::Duration> time) {
    if (!time) return;
    thread_ = std::thread([this, limit = std::chrono::nanoseconds(time->count())] {
        std::unique_lock lock(mutex_);
        if (over_.wait_for(lock, limit, [this] { return done_; })) return;
        barked_.store(true);
        stop.store(true);
    });
}

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
    }
    over_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace eos::cli
