#include "sim/trace.hpp"

#include <fmt/format.h>

namespace eos::sim {

std::string_view name(EventKind kind) {
    switch (kind) {
        case EventKind::start:
            return "start";
        case EventKind::dial:
            return "dial";
        case EventKind::news:
            return "news";
        case EventKind::arrival:
            return "arrival";
        case EventKind::unpark:
            return "unpark";
        case EventKind::serve:
            return "serve";
        case EventKind::paid:
            return "paid";
        case EventKind::timer:
            return "timer";
        case EventKind::handoff:
            return "handoff";
        case EventKind::order:
            return "order";
        case EventKind::unfreeze:
            return "unfreeze";
        case EventKind::wake:
            return "wake";
        case EventKind::undelay:
            return "undelay";
    }
    return "?";
}

std::string text(const TraceEntry& entry) {
    return fmt::format("{:>14} ns  #{:<8} node {:<3} {:<8} {:016x}",
                       entry.time.time_since_epoch().count(), entry.serial, entry.node.value,
                       name(entry.kind), entry.fingerprint);
}

std::optional<Divergence> first_divergence(const TraceTape& a, const TraceTape& b) {
    const auto& left = a.entries();
    const auto& right = b.entries();
    const auto [i, j] = std::ranges::mismatch(left, right);
    if (i == left.end() && j == right.end()) return std::nullopt;
    Divergence found{
        .index = static_cast<std::uint64_t>(i - left.begin()), .left = {}, .right = {}};
    if (i != left.end()) found.left = *i;
    if (j != right.end()) found.right = *j;
    return found;
}

}  // namespace eos::sim
