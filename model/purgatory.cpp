#include "model/purgatory.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {

void Watchers::watch(LogId log, WaitId id) { watched_[log].push_back(id); }

void Watchers::forget(LogId log, WaitId id) {
    const auto found = watched_.find(log);
    if (found == watched_.end()) return;
    std::erase(found->second, id);
    if (found->second.empty()) watched_.erase(found);
}

std::vector<WaitId> Watchers::of(LogId log) const {
    const auto found = watched_.find(log);
    if (found == watched_.end()) return {};
    return found->second;
}

WaitId ProducePurgatory::park(DelayedProduce produce) {
    const auto id = next_;
    next_ = next_.next();
    for (const auto& part : produce.waiting) watchers_.watch(part.log, id);
    parked_.emplace(id, std::move(produce));
    return id;
}

DelayedProduce* ProducePurgatory::find(WaitId id) {
    const auto found = parked_.find(id);
    return found == parked_.end() ? nullptr : &found->second;
}

void ProducePurgatory::settle(WaitId id, LogId log) {
    auto* produce = find(id);
    if (!produce) return;
    std::erase_if(produce->waiting, [&](const auto& part) { return part.log == log; });
    watchers_.forget(log, id);
}

std::optional<DelayedProduce> ProducePurgatory::take(WaitId id) {
    const auto found = parked_.find(id);
    if (found == parked_.end()) return std::nullopt;
    auto produce = std::move(found->second);
    parked_.erase(found);
    for (const auto& part : produce.waiting) watchers_.forget(part.log, id);
    return produce;
}

WaitId FetchPurgatory::park(DelayedFetch fetch) {
    const auto id = next_;
    next_ = next_.next();
    for (const auto& part : fetch.request.parts) watchers_.watch(part.log, id);
    parked_.emplace(id, std::move(fetch));
    return id;
}

const DelayedFetch* FetchPurgatory::find(WaitId id) const {
    const auto found = parked_.find(id);
    return found == parked_.end() ? nullptr : &found->second;
}

std::optional<DelayedFetch> FetchPurgatory::take(WaitId id) {
    const auto found = parked_.find(id);
    if (found == parked_.end()) return std::nullopt;
    auto fetch = std::move(found->second);
    parked_.erase(found);
    for (const auto& part : fetch.request.parts) watchers_.forget(part.log, id);
    return fetch;
}

}  // namespace eos::model
