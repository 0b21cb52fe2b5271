#include "sim/ensure.hpp"

#include <utility>

#include <fmt/format.h>

namespace eos::sim {
namespace {

std::string& note() {
    thread_local std::string text;
    return text;
}

/// The file name from its project folder on, so that messages do not depend on the checkout.
std::string_view short_name(std::string_view path) {
    const auto file = path.rfind('/');
    if (file == std::string_view::npos || file == 0) return path;
    const auto folder = path.rfind('/', file - 1);
    return folder == std::string_view::npos ? path : path.substr(folder + 1);
}

}  // namespace

BrokenContract::BrokenContract(std::string_view claim, SourceLine where)
    : std::logic_error(std::string(claim)),
      claim_(claim),
      place_(fmt::format("{}:{}", short_name(where.file), where.line)),
      running_(note()) {
    write();
}

void BrokenContract::happened_at(Instant when) {
    if (when_) return;
    when_ = when;
    write();
}

void BrokenContract::write() {
    text_ = fmt::format("broken contract: {} ({})", claim_, place_);
    if (when_) text_ += fmt::format(" at {} ns", when_->time_since_epoch().count());
    if (!running_.empty()) text_ += fmt::format(" while running {}", running_);
}

Running::Running(std::string what) : outer_(std::exchange(note(), std::move(what))) {}
Running::~Running() { note() = std::move(outer_); }
const std::string& Running::what() { return note(); }

void detail::broken(std::string_view claim, SourceLine where) {
    throw BrokenContract(claim, where);
}

}  // namespace eos::sim
