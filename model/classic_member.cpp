#include "model/classic_member.hpp"

#include <algorithm>
#include <utility>

#include "model/assignors.hpp"

namespace eos::model {

namespace {

using sim::Instant;

bool asks_for_another_coordinator(ErrorCode error) {
    return error == ErrorCode::coordinator_not_available || error == ErrorCode::not_coordinator;
}
/// The member's generation or the member itself is over.
bool names_a_stranger(ErrorCode error) {
    return error == ErrorCode::unknown_member_id || error == ErrorCode::illegal_generation;
}

}  // namespace

ClassicMember::ClassicMember(std::shared_ptr<const ConsumerConfig> config)
    : config_(std::move(config)) {}

MemberRef ClassicMember::ref() const {
    return {identity_.generation, identity_.member, config_->instance};
}

std::optional<MemberRef> ClassicMember::ref_if_stable() const {
    if (state_ != MemberState::stable) return std::nullopt;
    return ref();
}

std::optional<ErrorCode> ClassicMember::take_failure() { return std::exchange(failure_, {}); }

// --- rejoining -----------------------------------------------------------------------------------

ClassicMember::Step ClassicMember::step(Instant now) {
    if (in_flight_) return Step::wait;
    if (needs_prepare_) return Step::prepare;
    if (now < retry_at_) return Step::wait;
    if (complete_due_) {
        if (state_ == MemberState::stable && identity_.generation) return Step::complete;
        // The heartbeat thread was told meanwhile that this generation is over.
        complete_due_ = false;
        joining_ = false;
        rejoin_needed_ = true;
    }
    if (sync_due_ && state_ == MemberState::completing_rebalance) return Step::sync;
    sync_due_ = false;
    return Step::join;
}

bool ClassicMember::lists(AssignorKind assignor) const {
    const auto& list = config_->assignors;
    return std::find(list.begin(), list.end(), assignor) != list.end();
}

bool ClassicMember::cooperative() const {
    const auto& list = config_->assignors;
    return std::all_of(list.begin(), list.end(), [](AssignorKind assignor) {
        return assignor == AssignorKind::cooperative_sticky;
    });
}

void ClassicMember::remember() {
    if (!lists(AssignorKind::sticky)) return;
    remembered_ = assignment_;
    remembered_since_ = identity_.generation;
}

JoinGroupRequest ClassicMember::join_request(const std::vector<TopicId>& subscription,
                                             std::vector<LogId> owned) {
    state_ = MemberState::preparing_rebalance;
    joining_ = true;
    in_flight_ = true;
    sync_due_ = false;
    complete_due_ = false;
    JoinGroupRequest request{.group = *config_->group,
                             .member = identity_.member,
                             .instance = config_->instance,
                             .session_timeout = config_->session_timeout,
                             .rebalance_timeout = config_->max_poll_interval,
                             .protocols = config_->assignors,
                             .subscription = subscription,
                             .owned = {}};
    // Eager: everything was given up before (M8), but `sticky` tells what it remembers.
    // Simplified: one claim for all assignors, so a member that lists both sticky ones claims
    // nothing.
    if (cooperative()) {
        request.owned = std::move(owned);
        request.owned_since = identity_.generation;
    } else if (!lists(AssignorKind::cooperative_sticky)) {
        request.owned = remembered_;
        request.owned_since = remembered_since_;
    }
    return request;
}

SyncGroupRequest ClassicMember::sync_request(const Topology& topology) {
    sync_due_ = false;
    in_flight_ = true;
    SyncGroupRequest request{.group = *config_->group,
                             .member = ref(),
                             .protocol = identity_.protocol,
                             .assignments = {}};
    // M11: only the leader assigns; a returning static leader keeps the old assignment.
    if (leader_ == identity_.member && !skip_assignment_ && identity_.protocol)
        request.assignments = assign(*identity_.protocol, members_, topology);
    return request;
}

void ClassicMember::completed() {
    complete_due_ = false;
    joining_ = false;
    needs_prepare_ = true;
    failures_ = 0;
    members_.clear();
}

void ClassicMember::end_join(Instant now, Duration backoff) {
    joining_ = false;
    in_flight_ = false;
    sync_due_ = false;
    rejoin_needed_ = true;
    retry_at_ = now + backoff;
}

void ClassicMember::join_failed(Instant now, Duration backoff) {
    end_join(now, backoff);
    ++failures_;
}

CoordinatorVerdict ClassicMember::joined(Instant now, const JoinGroupResponse& answer,
                                         const Identity& sent, Duration backoff) {
    const bool unchanged = identity_ == sent;
    if (answer.error == ErrorCode::none) {
        if (state_ != MemberState::preparing_rebalance) {
            // Left the group while the answer was on its way: not to be continued.
            end_join(now, {});
            return CoordinatorVerdict::keep;
        }
        state_ = MemberState::completing_rebalance;
        identity_ = {answer.generation, answer.member, answer.protocol};
        in_flight_ = false;
        sync_due_ = true;
        leader_ = answer.leader;
        members_ = answer.members;
        skip_assignment_ = answer.skip_assignment;
        beat_in_flight_ = false;
        beat_failures_ = 0;
        beat_at_ = now + config_->heartbeat_interval;
        session_deadline_ = now + config_->session_timeout;
        polled(now);
        return CoordinatorVerdict::keep;
    }
    end_join(now, {});
    if (answer.error == ErrorCode::member_id_required) {
        identity_ = {std::nullopt, answer.member, std::nullopt};
        return CoordinatorVerdict::keep;
    }
    if (answer.error == ErrorCode::unknown_member_id && unchanged) reset(false);
    return join_refused(now, answer.error, backoff);
}

/// What JoinGroup and SyncGroup errors have in common; the rejoin is asked for already.
CoordinatorVerdict ClassicMember::join_refused(Instant now, ErrorCode error, Duration backoff) {
    // Tried again at once.
    if (names_a_stranger(error) || error == ErrorCode::rebalance_in_progress)
        return CoordinatorVerdict::keep;
    if (!asks_for_another_coordinator(error) && !retriable(error)) {
        failure_ = error;
        return CoordinatorVerdict::keep;
    }
    join_failed(now, backoff);
    return asks_for_another_coordinator(error) ? CoordinatorVerdict::forget
                                               : CoordinatorVerdict::keep;
}

CoordinatorVerdict ClassicMember::synced(Instant now, const SyncGroupResponse& answer,
                                         const Identity& sent, Duration backoff) {
    const bool unchanged = identity_ == sent;
    if (answer.error == ErrorCode::none) {
        if (state_ != MemberState::completing_rebalance || !identity_.generation) {
            end_join(now, {});
            return CoordinatorVerdict::keep;
        }
        state_ = MemberState::stable;
        in_flight_ = false;
        rejoin_needed_ = false;
        complete_due_ = true;
        assignment_ = answer.assignment;
        return CoordinatorVerdict::keep;
    }
    end_join(now, {});
    if (names_a_stranger(answer.error) && unchanged)
        reset(answer.error == ErrorCode::illegal_generation);
    return join_refused(now, answer.error, backoff);
}

// --- the heartbeat thread ------------------------------------------------------------------------

bool ClassicMember::beating() const {
    return state_ == MemberState::completing_rebalance || state_ == MemberState::stable;
}

ClassicMember::Beat ClassicMember::beat(Instant now, bool coordinator_known) const {
    if (!beating()) return Beat::rest;
    // Simplified: the thread misses the coordinator when it wants to beat; Kafka's looks every
    // retry.backoff.ms.
    if (!coordinator_known) return now >= beat_at_ ? Beat::find : Beat::rest;
    if (now >= session_deadline_) return Beat::forget;
    if (now >= poll_deadline_) return Beat::leave;
    if (!beat_in_flight_ && now >= beat_at_) return Beat::heartbeat;
    return Beat::rest;
}

Instant ClassicMember::beat_due(bool coordinator_known) const {
    if (!beating()) return sim::time_never;
    if (!coordinator_known) return beat_at_;
    const Instant deadline = std::min(session_deadline_, poll_deadline_);
    return beat_in_flight_ ? deadline : std::min(deadline, beat_at_);
}

HeartbeatRequest ClassicMember::heartbeat_request(Instant now) {
    beat_in_flight_ = true;
    beat_at_ = now + config_->heartbeat_interval;
    return {*config_->group, ref()};
}

void ClassicMember::beat_failed(Instant now, Duration backoff) {
    beat_in_flight_ = false;
    beat_at_ = now + backoff;
    ++beat_failures_;
}

CoordinatorVerdict ClassicMember::beaten(Instant now, ErrorCode error, const Identity& sent,
                                         Duration backoff) {
    if (error == ErrorCode::none || error == ErrorCode::rebalance_in_progress) {
        if (error != ErrorCode::none && state_ == MemberState::stable) request_rejoin();
        beat_in_flight_ = false;
        beat_failures_ = 0;
        session_deadline_ = now + config_->session_timeout;
        return CoordinatorVerdict::keep;
    }
    if (names_a_stranger(error) || error == ErrorCode::fenced_instance_id) {
        beat_in_flight_ = false;
        // About an identity this member no longer has: as good as no error.
        if (identity_ != sent) return CoordinatorVerdict::keep;
        reset(error == ErrorCode::illegal_generation);
        if (error == ErrorCode::fenced_instance_id) failure_ = error;
        return CoordinatorVerdict::keep;
    }
    beat_failed(now, backoff);
    return asks_for_another_coordinator(error) ? CoordinatorVerdict::forget
                                               : CoordinatorVerdict::keep;
}

// --- leaving -------------------------------------------------------------------------------------

void ClassicMember::reset(bool keep_member) {
    state_ = MemberState::unjoined;
    identity_ = {std::nullopt, keep_member ? identity_.member : std::nullopt, std::nullopt};
    rejoin_needed_ = true;
    if (cooperative()) needs_prepare_ = true;  // what it kept while rejoining is lost now (M8)
}

std::optional<LeaveGroupRequest> ClassicMember::leave(bool coordinator_known) {
    std::optional<LeaveGroupRequest> request;
    if (dynamic() && coordinator_known && state_ != MemberState::unjoined && identity_.member) {
        request = LeaveGroupRequest{*config_->group, {}};
        request->members.push_back({std::nullopt, identity_.member, config_->instance});
    }
    reset(false);
    return request;
}

void ClassicMember::forget_rebalance() {
    needs_prepare_ = true;
    sync_due_ = false;
    complete_due_ = false;
    if (!in_flight_) joining_ = false;
    failure_.reset();
}

ClassicMember::CommitVerdict ClassicMember::commit_refused(ErrorCode error, const Identity& sent) {
    const bool rejoining = identity_ != sent && state_ == MemberState::preparing_rebalance;
    if (error == ErrorCode::rebalance_in_progress) {
        request_rejoin();
        return CommitVerdict::rebalance_in_progress;
    }
    if (names_a_stranger(error)) {
        if (rejoining) return CommitVerdict::rebalance_in_progress;
        reset(error == ErrorCode::illegal_generation);
        return CommitVerdict::failed;
    }
    if (error == ErrorCode::fenced_instance_id && identity_ != sent)
        return rejoining ? CommitVerdict::rebalance_in_progress : CommitVerdict::failed;
    return CommitVerdict::fatal;
}

ClassicMember::CommitVerdict ClassicMember::verdict_for_outsider(ErrorCode error) {
    return names_a_stranger(error) ? CommitVerdict::failed : CommitVerdict::fatal;
}

}  // namespace eos::model
