#include "model/modern_group_reconcile.hpp"

#include <algorithm>

namespace eos::model {
namespace {

[[nodiscard]] bool contains_log(std::span<const LogId> logs, LogId log) {
    return std::find(logs.begin(), logs.end(), log) != logs.end();
}

/// Whether the member may still work on one of `logs`; silence counts as yes.
[[nodiscard]] bool may_own(const std::optional<std::vector<LogId>>& owned,
                           std::span<const LogId> logs) {
    return !owned || std::any_of(owned->begin(), owned->end(),
                                 [&](LogId log) { return contains_log(logs, log); });
}

[[nodiscard]] ModernMember next_of(const ModernMember& member, Generation epoch,
                                   Generation target_epoch, std::span<const LogId> busy,
                                   const std::optional<std::vector<LogId>>& owned) {
    std::vector<LogId> keep;
    std::vector<LogId> revoke;
    for (const auto log : member.assigned)
        (contains_log(member.target, log) ? keep : revoke).push_back(log);
    ModernMember next = member;
    next.previous_epoch = member.epoch;
    if (!revoke.empty() && may_own(owned, revoke)) {
        next.state = ModernState::unrevoked;
        next.epoch = epoch;
        next.assigned = std::move(keep);
        next.revoking = std::move(revoke);
        return next;
    }
    next.state = ModernState::stable;
    next.epoch = target_epoch;
    next.revoking.clear();
    // The safety core (V4): nothing is granted that an earlier owner has not given up.
    for (const auto log : member.target) {
        if (contains_log(member.assigned, log)) continue;
        if (contains_log(busy, log))
            next.state = ModernState::unreleased;
        else
            keep.push_back(log);
    }
    std::sort(keep.begin(), keep.end());
    next.assigned = std::move(keep);
    return next;
}

}  // namespace

std::optional<ModernMember> reconciled(const ModernMember& member, Generation target_epoch,
                                       std::span<const LogId> busy,
                                       const std::optional<std::vector<LogId>>& owned) {
    switch (member.state) {
        case ModernState::stable:
            if (member.epoch == target_epoch) return member;
            return next_of(member, member.epoch, target_epoch, busy, owned);
        case ModernState::unrevoked:
            if (may_own(owned, member.revoking)) return member;
            return next_of(member, member.epoch.next(), target_epoch, busy, owned);
        case ModernState::unreleased:
            return next_of(member, member.epoch, target_epoch, busy, owned);
        case ModernState::unknown:
            if (!owned || !owned->empty()) return std::nullopt;
            return next_of(member, target_epoch, target_epoch, busy, owned);
    }
    return std::nullopt;
}

}  // namespace eos::model
