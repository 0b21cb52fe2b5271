#include "model/fetcher.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {

namespace {

using sim::Instant;

/// C18: the belief about the leader is wrong or the leader is not ready; the position stays.
bool leader_is_stale(ErrorCode error) {
    return invalid_metadata(error) || error == ErrorCode::not_leader_or_follower ||
           error == ErrorCode::kafka_storage_error || error == ErrorCode::fenced_leader_epoch ||
           error == ErrorCode::offset_not_available ||
           error == ErrorCode::unknown_topic_or_partition || error == ErrorCode::unknown_topic_id;
}

/// Records that can be handed out: none of a control batch (C13), nor what compaction removed.
/// Simplified: it removes from the end only, so records keep their place in the payload.
std::int32_t readable(const Batch& batch) {
    if (batch.control) return 0;
    const auto present = static_cast<std::int32_t>(batch.payload.records().size());
    return std::min(present, batch.count);
}

}  // namespace

std::vector<Fetcher::Plan> Fetcher::plan(Instant now, const SubscriptionState& subscriptions,
                                         const ConsumerConfig& config, bool& leaderless) const {
    std::vector<Plan> plans;
    for (const auto& part : subscriptions.assigned()) {
        if (!part.fetchable() || part.retry_at > now || waiting(part.log)) continue;
        const auto& leader = part.position->leader.leader;
        if (!leader) {
            leaderless = true;
            continue;
        }
        if (std::find(in_flight_.begin(), in_flight_.end(), *leader) != in_flight_.end()) continue;
        auto plan = std::find_if(plans.begin(), plans.end(),
                                 [&](const Plan& p) { return p.broker == *leader; });
        if (plan == plans.end()) {
            plans.push_back({*leader, {}});
            plan = std::prev(plans.end());
            plan->request.max_wait = config.fetch_max_wait;
            plan->request.min_bytes = config.fetch_min_bytes;
            plan->request.max_bytes = config.fetch_max_bytes;
            plan->request.isolation = config.isolation;
        }
        plan->request.parts.push_back({.log = part.log,
                                       .offset = part.position->offset,
                                       .current_leader_epoch = part.position->leader.epoch,
                                       .last_fetched_epoch = std::nullopt,
                                       .log_start = {},
                                       .max_bytes = config.max_partition_fetch_bytes});
    }
    return plans;
}

void Fetcher::answered(BrokerId broker, FetchResponse* response) {
    std::erase(in_flight_, broker);
    if (response == nullptr) return;
    for (auto& part : response->parts) {
        // Simplified: no fetch sessions (KIP-227); a part without news is what a session leaves
        // out.
        if (part.error == ErrorCode::none && part.batches.empty()) continue;
        const Offset from = part.fetch_offset;
        waiting_.push_back({std::move(part), false, 0, from});
    }
}

Fetcher::Harvest Fetcher::collect(Instant now, std::int32_t max_records,
                                  SubscriptionState& subscriptions, const ConsumerConfig& config,
                                  Guard& guard) {
    Harvest harvest;
    std::int32_t room = max_records;
    std::size_t done = 0;
    while (room > 0 && done < waiting_.size()) {
        Completed& answer = waiting_[done];
        AssignedLog* log = subscriptions.find(answer.part.log);
        // C10: dropped without a word after a rebalance, a seek or while the log may not be read.
        if (log == nullptr || !log->fetchable() || log->position->offset != answer.next) {
            ++done;
            continue;
        }
        if (!answer.parsed && !parse(now, answer, *log, config, harvest)) {
            // An error waits for a poll of its own if this one has records to return (C9).
            if (harvest.result != CallResult::ok && !harvest.chunks.empty()) {
                harvest.result = CallResult::ok;
                harvest.error = ErrorCode::none;
                break;
            }
            ++done;
            if (harvest.result != CallResult::ok) break;
            continue;
        }
        if (!drain(answer, *log, room, harvest, guard)) break;
        ++done;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
    return harvest;
}

bool Fetcher::parse(Instant now, Completed& answer, AssignedLog& log, const ConsumerConfig& config,
                    Harvest& harvest) {
    const ErrorCode error = answer.part.error;
    if (error == ErrorCode::none) {
        answer.parsed = true;
        if (answer.part.aborted)
            std::sort(answer.part.aborted->begin(), answer.part.aborted->end(),
                      [](const AbortedTxn& a, const AbortedTxn& b) { return a.first < b.first; });
        return true;
    }
    if (answer.part.hint) harvest.hints.emplace_back(log.log, *answer.part.hint);
    // Simplified: after an error the log waits retry.backoff.ms; Kafka asks again at once.
    log.retry_at = now + config.client.retry_backoff;
    if (leader_is_stale(error)) {
        harvest.refresh = true;
    } else if (error == ErrorCode::offset_out_of_range) {
        // C19. The position is the one that was asked for: collect() has compared them.
        if (config.offset_reset == OffsetReset::none) {
            harvest.result = CallResult::offset_out_of_range;
            harvest.error = error;
        } else {
            harvest.reset.push_back(log.log);
        }
    } else if (error != ErrorCode::unknown_leader_epoch &&
               error != ErrorCode::unknown_server_error) {
        // C20, and answers that no broker gives: the Java client throws IllegalStateException.
        harvest.result = CallResult::fatal;
        harvest.error = error;
    }
    return false;
}

bool Fetcher::drain(Completed& answer, AssignedLog& log, std::int32_t& room, Harvest& harvest,
                    Guard& guard) {
    auto& batches = answer.part.batches;
    for (; answer.batch < batches.size(); ++answer.batch) {
        const Batch& batch = batches[answer.batch];
        const bool dropped = guard.trips(Safeguard::aborted_filter, aborted(answer, batch));
        if (batch.next_offset() <= answer.next) continue;
        const auto end = dropped ? 0 : readable(batch);
        const auto first =
            static_cast<std::int32_t>(std::max<std::int64_t>(answer.next - batch.base, 0));
        answer.next = batch.next_offset();
        if (first < end) {
            if (room == 0) {
                answer.next = batch.base + first;
                return false;
            }
            const auto count = std::min(end - first, room);
            harvest.chunks.push_back(
                {log.log, batch.base, first, count, batch.leader_epoch, batch.payload});
            room -= count;
            if (first + count < end) answer.next = batch.base + (first + count);
        }
        log.position->offset = answer.next;
        log.position->offset_epoch = batch.leader_epoch;
        harvest.advanced = true;
        if (answer.next < batch.next_offset()) return false;
    }
    return true;
}

bool Fetcher::aborted(Completed& answer, const Batch& batch) {
    if (!answer.part.aborted || !batch.producer_id) return false;
    const auto& list = *answer.part.aborted;
    for (; answer.begun < list.size() && list[answer.begun].first <= batch.last_offset();
         ++answer.begun)
        answer.aborting.push_back(list[answer.begun].producer_id);
    if (batch.control) {
        // A COMMIT marker changes nothing: its transaction is not in the list.
        if (batch.control == ControlType::abort) std::erase(answer.aborting, *batch.producer_id);
        return false;
    }
    return batch.transactional && std::find(answer.aborting.begin(), answer.aborting.end(),
                                            *batch.producer_id) != answer.aborting.end();
}

void Fetcher::retain(const SubscriptionState& subscriptions) {
    std::erase_if(waiting_, [&](const Completed& answer) {
        return subscriptions.find(answer.part.log) == nullptr;
    });
}

bool Fetcher::waiting(LogId log) const {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [&](const Completed& answer) { return answer.part.log == log; });
}

}  // namespace eos::model
