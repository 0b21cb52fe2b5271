#include "model/subscription_state.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {

bool SubscriptionState::subscribe(std::vector<TopicId> topics) {
    std::sort(topics.begin(), topics.end());
    topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
    const bool changed = automatic_ && topics != topics_;
    automatic_ = true;
    topics_ = std::move(topics);
    return changed;
}

void SubscriptionState::unsubscribe() {
    automatic_ = false;
    topics_.clear();
    assigned_.clear();
}

void SubscriptionState::assign(std::vector<LogId> logs) {
    std::sort(logs.begin(), logs.end());
    logs.erase(std::unique(logs.begin(), logs.end()), logs.end());
    std::vector<AssignedLog> next;
    next.reserve(logs.size());
    for (const LogId log : logs) {
        const auto* known = std::as_const(*this).find(log);
        next.push_back(known ? *known : AssignedLog{});
        next.back().log = log;
    }
    assigned_ = std::move(next);
}

std::vector<LogId> SubscriptionState::logs() const {
    std::vector<LogId> result;
    result.reserve(assigned_.size());
    for (const auto& part : assigned_) result.push_back(part.log);
    return result;
}

const AssignedLog* SubscriptionState::find(LogId log) const {
    const auto found =
        std::lower_bound(assigned_.begin(), assigned_.end(), log,
                         [](const AssignedLog& part, LogId wanted) { return part.log < wanted; });
    return found != assigned_.end() && found->log == log ? &*found : nullptr;
}

AssignedLog* SubscriptionState::find(LogId log) {
    return const_cast<AssignedLog*>(std::as_const(*this).find(log));
}

void SubscriptionState::mark_pending_revocation() {
    for (auto& part : assigned_) part.pending_revocation = true;
}

bool SubscriptionState::any(FetchState state) const {
    return std::any_of(assigned_.begin(), assigned_.end(),
                       [&](const AssignedLog& part) { return part.state == state; });
}

std::vector<CommitOffset> SubscriptionState::consumed() const {
    std::vector<CommitOffset> result;
    for (const auto& part : assigned_)
        if (part.state == FetchState::fetching)
            result.push_back({part.log, part.position->offset, part.position->offset_epoch});
    return result;
}

void SubscriptionState::seek(AssignedLog& part, FetchPosition position, Guard& guard) {
    // C23: without an epoch on both sides there is nothing to compare.
    const bool comparable = position.offset_epoch && position.leader.epoch;
    part.state = guard.trips(Safeguard::position_validation, comparable)
                     ? FetchState::await_validation
                     : FetchState::fetching;
    part.position = position;
    part.reset.reset();
    part.asked = false;
    part.retry_at = {};
}

void SubscriptionState::reset(AssignedLog& part, PendingReset how) {
    part.state = FetchState::await_reset;
    part.position.reset();
    part.reset = how;
    part.asked = false;
    part.retry_at = {};
}

void SubscriptionState::update_leader(AssignedLog& part, const LeaderAndEpoch& leader,
                                      Guard& guard) {
    if (!part.position || !leader.leader || part.position->leader == leader) return;
    FetchPosition moved = *part.position;
    moved.leader = leader;
    seek(part, moved, guard);
}

SubscriptionState::Validation SubscriptionState::validate(AssignedLog& part,
                                                          const FetchPosition& asked,
                                                          const EpochEnd& end) {
    if (part.state != FetchState::await_validation || part.position != asked)
        return Validation::stale;
    if (!end.epoch || !end.end) return Validation::undefined;
    if (*end.end < part.position->offset) return Validation::truncated;
    part.state = FetchState::fetching;
    return Validation::valid;
}

std::optional<PendingReset> reset_by(OffsetReset policy) {
    switch (policy) {
        case OffsetReset::earliest:
            return PendingReset{OffsetSpec::earliest, true};
        case OffsetReset::latest:
            return PendingReset{OffsetSpec::latest, true};
        case OffsetReset::none:
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace eos::model
