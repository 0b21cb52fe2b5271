#include "model/leader_partition.hpp"

#include <algorithm>
#include <array>

namespace eos::model {

namespace {

[[nodiscard]] bool lists(const std::vector<BrokerId>& list, BrokerId id) {
    return std::find(list.begin(), list.end(), id) != list.end();
}

[[nodiscard]] const BrokerRegistration* registration(BrokerView brokers, BrokerId id) {
    const auto found = std::find_if(brokers.begin(), brokers.end(),
                                    [&](const BrokerRegistration& b) { return b.broker == id; });
    return found == brokers.end() ? nullptr : &*found;
}

/// ReplicaState.isBrokerEpochIsrEligible: -1 comes from brokers before KIP-903 and is not compared.
[[nodiscard]] bool differs(std::optional<BrokerEpoch> told, BrokerEpoch registered) {
    return told && told->value != -1 && *told != registered;
}

}  // namespace

// --- leadership ----------------------------------------------------------------------------------

LeadResult LeaderPartition::lead(const PartitionState& state, PartitionLog& log,
                                 BrokerView brokers, sim::Instant now, Guard& guard) {
    if (state.partition_epoch < state_.partition_epoch) return {};
    LeadResult result{.applied = true,
                      .new_leader = !leading_,
                      .new_epoch = state.leader_epoch > state_.leader_epoch,
                      .watermark_moved = false};
    state_ = state;
    pending_.reset();
    leading_ = true;
    std::erase_if(replicas_, [&](const auto& r) { return !lists(state.replicas, r.first); });
    for (const BrokerId id : state.replicas)
        if (id != rules_.self) replicas_.try_emplace(id);
    if (result.new_epoch) {
        epoch_start_ = log.log_end();
        log.begin_epoch(state.leader_epoch);
        for (auto& [id, replica] : replicas_) {
            const auto caught_up = lists(state.isr, id) ? std::optional{now} : std::nullopt;
            // A leader that stays keeps what it knows of its followers' logs.
            if (result.new_leader) {
                replica = {.last_caught_up = caught_up};
            } else {
                replica.leader_end_at_fetch = epoch_start_;
                replica.last_fetch = replica.last_caught_up = caught_up;
            }
        }
    }
    result.watermark_moved = advance_watermark(log, brokers, now, guard);
    return result;
}

bool LeaderPartition::follow(const PartitionState& state) {
    if (state.partition_epoch < state_.partition_epoch) return false;
    state_ = state;
    pending_.reset();
    epoch_start_.reset();
    leading_ = false;
    return true;
}

ErrorCode LeaderPartition::check_epoch(std::optional<LeaderEpoch> current) const {
    if (current && *current < state_.leader_epoch) return ErrorCode::fenced_leader_epoch;
    if (current && *current > state_.leader_epoch) return ErrorCode::unknown_leader_epoch;
    return leading_ ? ErrorCode::none : ErrorCode::not_leader_or_follower;
}

// --- produce -------------------------------------------------------------------------------------

std::int32_t LeaderPartition::effective_min_isr() const {
    return std::min(rules_.min_insync, static_cast<std::int32_t>(state_.replicas.size()));
}

bool LeaderPartition::under_min_isr() const {
    return std::cmp_less(state_.isr.size(), effective_min_isr());
}

LeaderAppendResult LeaderPartition::append(PartitionLog& log, const Batch& batch, Acks acks,
                                           const AppendAs& as, BrokerView brokers,
                                           sim::Instant now, Guard& guard) {
    LeaderAppendResult result;
    if (!leading_) {
        result.append.error = ErrorCode::not_leader_or_follower;
        return result;
    }
    if (acks == Acks::all && under_min_isr()) {  // APP-7
        result.append.error = ErrorCode::not_enough_replicas;
        const bool numbered = batch.producer_id && !batch.transactional;
        if (numbered && !guard.trips(Safeguard::dedup_after_append, true))
            log.count_unwritten(batch, as, guard);
        return result;
    }
    result.append = log.append_as_leader(batch, state_.leader_epoch, as, guard);
    if (result.append.error != ErrorCode::none) return result;
    result.required = result.append.last.next();  // APP-15: of the original, if a duplicate
    // PULSAR-5218: a batch that was counted and never written has nothing to wait for.
    result.required = std::min(result.required, log.log_end());
    result.watermark_moved = advance_watermark(log, brokers, now, guard);  // APP-13
    return result;
}

ProduceStatus LeaderPartition::status(const PartitionLog& log, Offset required) const {
    if (!leading_) return {.done = true, .error = ErrorCode::not_leader_or_follower};
    if (log.high_watermark() < required) return {};
    const bool enough = std::cmp_greater_equal(maximal_isr().size(), effective_min_isr());
    return {.done = true,
            .error = enough ? ErrorCode::none : ErrorCode::not_enough_replicas_after_append};
}

// --- fetch ---------------------------------------------------------------------------------------

namespace {

/// TRN-2: how the fetcher's last epoch relates to this log. An error, a divergence, or neither.
struct EpochCheck {
    ErrorCode error = ErrorCode::none;
    std::optional<EpochEnd> diverging = {};
};

[[nodiscard]] EpochCheck check_last_epoch(const PartitionLog& log,
                                          const FetchRequest::Part& part, Guard& guard) {
    if (!part.last_fetched_epoch) return {};
    const LeaderEpoch last = *part.last_fetched_epoch;
    const EpochEnd ours = log.end_of_epoch(last);
    const auto before = log.epochs().end_offset_before_kip279(last, log.log_end());
    const bool other_answer = before != ours.end || (ours.epoch && *ours.epoch != last);
    if (other_answer && !guard.trips(Safeguard::epoch_end_offset_with_epoch, true)) {
        // Before KIP-279 the end offset came without its epoch, and possibly not at all.
        if (!before) return {.diverging = EpochEnd{}};
        if (*before < part.offset) return {.diverging = EpochEnd{std::nullopt, before}};
        return {};
    }
    if (!ours.end || part.offset < log.log_start())
        return {.error = ErrorCode::offset_out_of_range};
    if (*ours.epoch < last || *ours.end < part.offset) return {.diverging = ours};
    return {};
}

[[nodiscard]] LeaderFetchResult begin_fetch(const PartitionLog& log) {
    LeaderFetchResult result;
    result.high_watermark = log.high_watermark();
    result.last_stable_offset = log.last_stable_offset();
    result.log_start = log.log_start();
    return result;
}

}  // namespace

LeaderFetchResult LeaderPartition::fetch_by_follower(
    PartitionLog& log, BrokerId replica, const FetchRequest::Part& part,
    std::optional<BrokerEpoch> broker_epoch, std::int64_t max_bytes, BrokerView brokers,
    sim::Instant now, Guard& guard) {
    LeaderFetchResult result = begin_fetch(log);
    result.error = check_epoch(part.current_leader_epoch);
    if (result.error != ErrorCode::none) return result;
    const auto known = replicas_.find(replica);
    if (known == replicas_.end()) {  // ISR-9
        result.error = part.current_leader_epoch ? ErrorCode::unknown_leader_epoch
                                                 : ErrorCode::not_leader_or_follower;
        return result;
    }
    const EpochCheck check = check_last_epoch(log, part, guard);
    result.error = check.error;
    result.diverging = check.diverging;
    if (result.error != ErrorCode::none || result.diverging) return result;
    result.read = log.read(part.offset, ReadBound::log_end, max_bytes);
    result.error = result.read.error;
    if (result.error != ErrorCode::none) return result;

    // ISR-8: what a broker fetched before it was reborn proves nothing about it now.
    const BrokerRegistration* broker = registration(brokers, replica);
    const bool stale = broker && broker_epoch && broker_epoch->value != -1 &&
                       broker->epoch > *broker_epoch;
    if (guard.trips(Safeguard::broker_epoch_in_isr, stale)) {
        result.read = {};
        result.error = ErrorCode::not_leader_or_follower;
        return result;
    }
    RemoteReplica& state = known->second;
    const std::optional<Offset> before = state.log_end;
    if (part.offset >= log.log_end())  // ISR-2
        state.last_caught_up = now;
    else if (state.leader_end_at_fetch && state.last_fetch &&
             part.offset >= *state.leader_end_at_fetch)
        state.last_caught_up = std::max(state.last_caught_up.value_or(*state.last_fetch),
                                        *state.last_fetch);
    state.log_end = part.offset;
    state.leader_end_at_fetch = log.log_end();
    state.last_fetch = now;
    state.broker_epoch = broker_epoch.value_or(BrokerEpoch{-1});
    propose_expansion(log, replica, brokers, guard);
    if (before != state.log_end)
        result.watermark_moved = advance_watermark(log, brokers, now, guard);
    return result;
}

LeaderFetchResult LeaderPartition::fetch_by_consumer(const PartitionLog& log,
                                                     const FetchRequest::Part& part,
                                                     Isolation isolation, std::int64_t max_bytes,
                                                     Guard& guard) const {
    LeaderFetchResult result = begin_fetch(log);
    result.error = check_epoch(part.current_leader_epoch);
    if (result.error != ErrorCode::none) return result;
    const EpochCheck check = check_last_epoch(log, part, guard);
    result.error = check.error;
    result.diverging = check.diverging;
    if (result.error != ErrorCode::none || result.diverging) return result;
    result.read = log.read_for_consumer(part.offset, isolation, max_bytes, guard);
    result.error = result.read.error;
    return result;
}

ListOffsetResult LeaderPartition::list_offset(const PartitionLog& log, OffsetSpec spec,
                                              std::optional<Isolation> isolation,
                                              std::optional<LeaderEpoch> current,
                                              Guard& guard) const {
    if (const ErrorCode error = check_epoch(current); error != ErrorCode::none)
        return {.error = error, .offset = {}, .leader_epoch = {}};
    if (spec == OffsetSpec::earliest)
        return {.offset = log.log_start(), .leader_epoch = log.epochs().epoch_of(log.log_start())};
    Offset latest = log.log_end();
    if (isolation) {
        // FET-11, KIP-207: a fresh leader's watermark may be behind what its predecessor told.
        const bool behind = epoch_start_ && *epoch_start_ > log.high_watermark();
        if (guard.trips(Safeguard::offset_not_available, behind))
            return {.error = ErrorCode::offset_not_available, .offset = {}, .leader_epoch = {}};
        latest = *isolation == Isolation::read_committed ? log.last_stable_offset()
                                                         : log.high_watermark();
    }
    return {.offset = latest, .leader_epoch = state_.leader_epoch};
}

OffsetForLeaderEpochResponse::Part LeaderPartition::end_of_epoch(
    const PartitionLog& log, const OffsetForLeaderEpochRequest::Part& part) const {
    OffsetForLeaderEpochResponse::Part result{.log = part.log, .error = {}, .end = {}};
    result.error = check_epoch(part.current_leader_epoch);
    if (result.error == ErrorCode::none) result.end = log.end_of_epoch(part.epoch);
    return result;
}

// --- watermark -----------------------------------------------------------------------------------

std::vector<BrokerId> LeaderPartition::maximal_isr() const {
    std::vector<BrokerId> all = state_.isr;
    if (pending_ && pending_->added) all.push_back(*pending_->added);
    return all;
}

bool LeaderPartition::in_maximal_isr(BrokerId id) const {
    return lists(state_.isr, id) || (pending_ && pending_->added == id);
}

bool LeaderPartition::caught_up(const RemoteReplica& replica, Offset leader_end,
                                sim::Instant now) const {
    if (replica.log_end == leader_end) return true;
    return replica.last_caught_up && now - *replica.last_caught_up <= rules_.replica_lag_max;
}

bool LeaderPartition::eligible(BrokerId id, const RemoteReplica& replica, BrokerView brokers,
                               Guard& guard) const {
    const BrokerRegistration* broker = registration(brokers, id);
    if (!broker || broker->fenced || broker->in_controlled_shutdown) return false;
    if (!replica.broker_epoch) return false;  // it has not fetched from this leader
    return !guard.trips(Safeguard::broker_epoch_in_isr,
                        differs(replica.broker_epoch, broker->epoch));
}

bool LeaderPartition::advance_watermark(PartitionLog& log, BrokerView brokers, sim::Instant now,
                                        Guard& guard) {
    if (!leading_) return false;
    // LSO-7: the slowest of those in sync, and of those that are about to be.
    Offset candidate = log.log_end();
    for (const auto& [id, replica] : replicas_) {
        if (replica.log_end && *replica.log_end >= candidate) continue;
        const bool counts = in_maximal_isr(id) || (caught_up(replica, log.log_end(), now) &&
                                                   eligible(id, replica, brokers, guard));
        if (!counts) continue;
        if (!replica.log_end) return false;
        candidate = *replica.log_end;
    }
    if (candidate <= log.high_watermark()) return false;
    if (guard.trips(Safeguard::hw_needs_min_isr, under_min_isr())) return false;  // LSO-8
    return log.raise_high_watermark(candidate);
}

// --- in-sync set ---------------------------------------------------------------------------------

void LeaderPartition::propose_expansion(const PartitionLog& log, BrokerId id, BrokerView brokers,
                                        Guard& guard) {
    if (pending_ || lists(state_.isr, id)) return;
    const RemoteReplica& replica = replicas_.at(id);
    const bool in_sync = replica.log_end && *replica.log_end >= log.high_watermark() &&
                         epoch_start_ && *replica.log_end >= *epoch_start_;  // ISR-3
    if (!in_sync || !eligible(id, replica, brokers, guard)) return;
    pending_ = Pending{.isr = state_.isr, .added = id};
    pending_->isr.push_back(id);
}

bool LeaderPartition::propose_shrink(const PartitionLog& log, sim::Instant now) {
    if (!leading_ || pending_) return false;
    std::vector<BrokerId> kept;
    for (const BrokerId id : state_.isr) {
        const RemoteReplica* known = replica(id);
        if (id == rules_.self || (known && caught_up(*known, log.log_end(), now)))
            kept.push_back(id);
    }
    if (kept.size() == state_.isr.size()) return false;
    pending_ = Pending{.isr = kept, .added = std::nullopt};
    return true;
}

std::optional<AlterPartitionRequest> LeaderPartition::take_proposal(BrokerView brokers,
                                                                    Guard& guard) {
    if (!leading_ || !pending_ || pending_->phase != Pending::Phase::waiting) return std::nullopt;
    pending_->phase = Pending::Phase::in_flight;
    AlterPartitionRequest request{.broker = rules_.self,
                                  .broker_epoch = {-1},
                                  .log = state_.log,
                                  .leader_epoch = state_.leader_epoch,
                                  .partition_epoch = state_.partition_epoch,
                                  .isr = {},
                                  .recovery = RecoveryState::recovered};  // ELE-9
    const bool with_epochs = guard.set.has(Safeguard::broker_epoch_in_isr);
    for (const BrokerId id : pending_->isr) {
        AlterPartitionRequest::Member member{.broker = id, .epoch = {-1}};
        if (with_epochs) {  // KIP-903
            const BrokerRegistration* broker = registration(brokers, id);
            const RemoteReplica* known = replica(id);
            if (id == rules_.self && broker) member.epoch = broker->epoch;
            if (known && known->broker_epoch) member.epoch = *known->broker_epoch;
        }
        request.isr.push_back(member);
    }
    return request;
}

std::optional<std::vector<BrokerId>> LeaderPartition::proposed() const {
    if (!pending_ || pending_->phase == Pending::Phase::given_up) return std::nullopt;
    return pending_->isr;
}

namespace {

// ISR-6. Every error that is in neither list is worth another try.
constexpr std::array reverting{ErrorCode::operation_not_attempted, ErrorCode::ineligible_replica};
constexpr std::array hopeless{ErrorCode::unknown_topic_or_partition, ErrorCode::unknown_topic_id,
                              ErrorCode::fenced_leader_epoch, ErrorCode::invalid_update_version,
                              ErrorCode::invalid_request, ErrorCode::new_leader_elected};

[[nodiscard]] bool contains(std::span<const ErrorCode> list, ErrorCode code) {
    return std::find(list.begin(), list.end(), code) != list.end();
}

}  // namespace

AlterOutcome LeaderPartition::on_alter_result(const AlterPartitionRequest& sent,
                                              const AlterPartitionResponse& response,
                                              PartitionLog& log, BrokerView brokers,
                                              sim::Instant now, Guard& guard) {
    const bool current = leading_ && pending_ && pending_->phase == Pending::Phase::in_flight &&
                         sent.leader_epoch == state_.leader_epoch &&
                         sent.partition_epoch == state_.partition_epoch;
    if (!current) return AlterOutcome::ignored;
    if (contains(reverting, response.error)) {
        pending_.reset();
        return AlterOutcome::reverted;
    }
    if (contains(hopeless, response.error)) {
        pending_->phase = Pending::Phase::given_up;
        return AlterOutcome::given_up;
    }
    if (response.error != ErrorCode::none) {
        pending_->phase = Pending::Phase::waiting;
        return AlterOutcome::retry;
    }
    if (!response.state || response.state->leader_epoch != state_.leader_epoch ||
        response.state->partition_epoch < state_.partition_epoch)
        return AlterOutcome::ignored;
    state_ = *response.state;
    pending_.reset();
    advance_watermark(log, brokers, now, guard);
    return AlterOutcome::committed;
}

const RemoteReplica* LeaderPartition::replica(BrokerId id) const {
    const auto found = replicas_.find(id);
    return found == replicas_.end() ? nullptr : &found->second;
}

}  // namespace eos::model
