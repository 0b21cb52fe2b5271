#include "model/modern_membership.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {

namespace {

using sim::Instant;
using CallbackKind = ModernMembership::Callback::Kind;

constexpr std::int32_t epoch_join = 0;
constexpr std::int32_t epoch_leave = -1;
constexpr std::int32_t epoch_leave_for_now = -2;

/// What is in `logs` and not in `others`; both sorted.
std::vector<LogId> only_in(const std::vector<LogId>& logs, const std::vector<LogId>& others) {
    std::vector<LogId> result;
    std::set_difference(logs.begin(), logs.end(), others.begin(), others.end(),
                        std::back_inserter(result));
    return result;
}

}  // namespace

std::string_view name(MembershipState state) {
    switch (state) {
        case MembershipState::unsubscribed:
            return "UNSUBSCRIBED";
        case MembershipState::joining:
            return "JOINING";
        case MembershipState::reconciling:
            return "RECONCILING";
        case MembershipState::acknowledging:
            return "ACKNOWLEDGING";
        case MembershipState::stable:
            return "STABLE";
        case MembershipState::fenced:
            return "FENCED";
        case MembershipState::prepare_leaving:
            return "PREPARE_LEAVING";
        case MembershipState::leaving:
            return "LEAVING";
        case MembershipState::stale:
            return "STALE";
        case MembershipState::fatal:
            return "FATAL";
    }
    return "";
}

ModernMembership::ModernMembership(std::shared_ptr<const ConsumerConfig> config, MemberId id)
    : config_(std::move(config)), id_(id) {}

bool ModernMembership::outside() const {
    return state_ == MembershipState::unsubscribed || state_ == MembershipState::fenced ||
           state_ == MembershipState::stale || state_ == MembershipState::fatal;
}

/// May be given an assignment.
bool ModernMembership::joined() const {
    return state_ == MembershipState::joining || state_ == MembershipState::reconciling ||
           state_ == MembershipState::acknowledging || state_ == MembershipState::stable;
}

MemberRef ModernMembership::ref() const {
    MemberRef result{std::nullopt, id_, config_->instance};
    if (epoch_ > 0) result.generation = Generation{epoch_};
    return result;
}

std::optional<ErrorCode> ModernMembership::take_failure() { return std::exchange(failure_, {}); }

// --- joining and leaving -------------------------------------------------------------------------

void ModernMembership::join() {
    if (state_ == MembershipState::fatal) return;
    if (phase_ != Phase::idle) abandoned_ = true;
    epoch_ = epoch_join;
    state_ = MembershipState::joining;
    current_.reset();
    target_.reset();
    told_.reset();
    beat_at_ = {};
}

void ModernMembership::polled(Instant now) {
    poll_deadline_ = now + config_->max_poll_interval;
    if (poll_expired_) {
        poll_expired_ = false;
        if (state_ == MembershipState::stale) {
            const bool releasing = std::any_of(
                callbacks_.begin(), callbacks_.end(),
                [](const Callback& callback) { return callback.kind == CallbackKind::lost; });
            if (releasing)
                rejoin_after_lost_ = true;
            else
                join();
        }
    }
    if (state_ == MembershipState::unsubscribed) join();
}

void ModernMembership::leave() {
    switch (state_) {
        case MembershipState::fenced:
            owned_.clear();
            state_ = MembershipState::unsubscribed;
            return;
        case MembershipState::stale:
            rejoin_after_lost_ = false;
            state_ = MembershipState::unsubscribed;
            return;
        case MembershipState::unsubscribed:
        case MembershipState::fatal:
        case MembershipState::prepare_leaving:
        case MembershipState::leaving:
            return;
        case MembershipState::joining:
        case MembershipState::reconciling:
        case MembershipState::acknowledging:
        case MembershipState::stable:
            break;
    }
    state_ = MembershipState::prepare_leaving;
    if (phase_ == Phase::committing) (void)abort_reconciliation();
    if (owned_.empty()) {
        send_farewell();
        return;
    }
    callbacks_.push_back({epoch_ > 0 ? CallbackKind::revoked : CallbackKind::lost, owned_});
}

/// The next heartbeat says that this member leaves.
void ModernMembership::send_farewell() {
    epoch_ = config_->instance ? epoch_leave_for_now : epoch_leave;
    current_.reset();
    state_ = MembershipState::leaving;
}

void ModernMembership::no_coordinator() {
    if (state_ == MembershipState::leaving) state_ = MembershipState::unsubscribed;
}

/// K5: out of the group without having left it.
void ModernMembership::fence() {
    switch (state_) {
        case MembershipState::prepare_leaving:
        case MembershipState::leaving:
            // It wanted to leave anyway.
            state_ = MembershipState::unsubscribed;
            return;
        case MembershipState::unsubscribed:
            return;
        case MembershipState::joining:
        case MembershipState::reconciling:
        case MembershipState::acknowledging:
        case MembershipState::stable:
        case MembershipState::fenced:
        case MembershipState::stale:
        case MembershipState::fatal:
            break;
    }
    state_ = MembershipState::fenced;
    epoch_ = epoch_join;
    lose();
}

/// Somebody else may own the partitions by now (M16).
void ModernMembership::lose() {
    if (!owned_.empty())
        callbacks_.push_back({CallbackKind::lost, owned_});
    else if (state_ == MembershipState::fenced)
        join();
}

void ModernMembership::fail(ErrorCode error) {
    const bool member = !outside();
    failure_ = error;
    state_ = MembershipState::fatal;
    if (member) lose();
}

// --- callbacks and reconciliation ----------------------------------------------------------------

void ModernMembership::callback_done(CallbackKind kind) {
    const auto found =
        std::find_if(callbacks_.begin(), callbacks_.end(),
                     [&](const Callback& callback) { return callback.kind == kind; });
    sim::ensure(found != callbacks_.end(), "a callback that ends has begun");
    callbacks_.erase(found);
    const bool leaving = state_ == MembershipState::prepare_leaving;
    switch (kind) {
        case CallbackKind::revoked:
            if (leaving && phase_ != Phase::revoking) {
                owned_.clear();
                send_farewell();
            } else if (phase_ == Phase::revoking && !abort_reconciliation()) {
                assign();
            }
            return;
        case CallbackKind::assigned:
            if (phase_ != Phase::assigning || abort_reconciliation()) return;
            current_ = std::exchange(resolving_, std::nullopt);
            phase_ = Phase::idle;
            state_ = MembershipState::acknowledging;
            return;
        case CallbackKind::lost:
            owned_.clear();
            if (leaving)
                send_farewell();
            else if (state_ == MembershipState::fenced ||
                     (state_ == MembershipState::stale && rejoin_after_lost_))
                join();
            rejoin_after_lost_ = false;
            return;
    }
}

std::vector<LogId> ModernMembership::wanted() const {
    if (state_ != MembershipState::reconciling || !target_) return {};
    return only_in(target_->logs, owned_);
}

void ModernMembership::unresolved(std::vector<LogId> logs) { unresolved_ = std::move(logs); }

/// The part of the target that can be reconciled now.
std::vector<LogId> ModernMembership::resolved() const {
    return only_in(target_->logs, unresolved_);
}

bool ModernMembership::reconcile_due() const {
    if (state_ != MembershipState::reconciling || phase_ != Phase::idle || reconciled())
        return false;
    // Simplified: a part is acknowledged once; Kafka acknowledges it again with every heartbeat,
    // one after the other, for as long as the rest waits for metadata.
    return unresolved_.empty() || !current_ || current_->number != target_->number ||
           current_->logs != resolved();
}

std::vector<LogId> ModernMembership::reconcile(Guard& guard) {
    sim::ensure(reconcile_due(), "there is something to reconcile");
    Local next{target_->number, resolved()};
    // KAFKA-16198: what had no name was kept apart, and when it got one it was taken for the whole
    // assignment. What is owned of the target already was revoked, here only: the coordinator still
    // counts it as this member's.
    const bool part_owned = current_ && current_->number == next.number &&
                            !current_->logs.empty() && current_->logs != next.logs;
    if (part_owned && !guard.trips(Safeguard::reconcile_full_target, part_owned)) {
        next.logs = only_in(next.logs, current_->logs);
        target_->logs = only_in(target_->logs, current_->logs);
    }
    if (current_ && current_->logs == next.logs) {
        // Given, taken and given again before anything was done, or what is new has no name yet:
        // nothing to do but to say so.
        current_ = std::move(next);
        state_ = MembershipState::acknowledging;
        return {};
    }
    resolving_ = std::move(next);
    phase_ = Phase::committing;
    return only_in(owned_, resolving_->logs);
}

void ModernMembership::committed() {
    if (phase_ != Phase::committing || abort_reconciliation()) return;
    auto revoked = only_in(owned_, resolving_->logs);
    if (revoked.empty()) {
        assign();
        return;
    }
    phase_ = Phase::revoking;
    callbacks_.push_back({CallbackKind::revoked, std::move(revoked)});
}

void ModernMembership::assign() {
    phase_ = Phase::assigning;
    auto added = only_in(resolving_->logs, owned_);
    owned_ = resolving_->logs;
    callbacks_.push_back({CallbackKind::assigned, std::move(added)});
}

/// True if what was being reconciled no longer matters.
bool ModernMembership::abort_reconciliation() {
    if (!abandoned_ && state_ == MembershipState::reconciling) return false;
    abandoned_ = false;
    phase_ = Phase::idle;
    resolving_.reset();
    return true;
}

void ModernMembership::take_assignment(std::vector<LogId> logs) {
    std::sort(logs.begin(), logs.end());
    if (!target_ || target_->logs != logs) target_ = Local{++target_epoch_, std::move(logs)};
    if (!reconciled())
        state_ = MembershipState::reconciling;
    else if (state_ == MembershipState::reconciling || state_ == MembershipState::joining)
        state_ = MembershipState::stable;
}

// --- heartbeats ----------------------------------------------------------------------------------

ModernMembership::Beat ModernMembership::beat(Instant now) {
    if (outside() || state_ == MembershipState::prepare_leaving) return Beat::rest;
    if (now >= poll_deadline_ && state_ != MembershipState::leaving) {
        // K6. Nobody waits for the heartbeat in flight nor for the answer to this one.
        poll_expired_ = true;
        beat_in_flight_ = false;
        send_farewell();
        return Beat::send;
    }
    if (beat_in_flight_ || now < retry_at_) return Beat::rest;
    // K2: joining, acknowledging and leaving are told at once.
    const bool urgent = state_ == MembershipState::joining ||
                        state_ == MembershipState::acknowledging ||
                        state_ == MembershipState::leaving;
    return urgent || now >= beat_at_ ? Beat::send : Beat::rest;
}

Instant ModernMembership::beat_due() const {
    if (outside() || state_ == MembershipState::prepare_leaving) return sim::time_never;
    const Instant deadline = state_ == MembershipState::leaving ? sim::time_never : poll_deadline_;
    if (beat_in_flight_) return deadline;
    const bool urgent = state_ == MembershipState::joining ||
                        state_ == MembershipState::acknowledging ||
                        state_ == MembershipState::leaving;
    return std::min(deadline, urgent ? retry_at_ : std::max(beat_at_, retry_at_));
}

ConsumerGroupHeartbeatRequest ModernMembership::request(Instant now,
                                                        const std::vector<TopicId>& subscription) {
    ConsumerGroupHeartbeatRequest request;
    request.group = *config_->group;
    request.member = id_;
    request.member_epoch = epoch_;
    request.instance = config_->instance;
    ++serial_;
    beat_at_ = now + heartbeat_interval_;
    if (state_ == MembershipState::leaving) {
        told_.reset();
        // K6: the application still holds what this member no longer owns.
        if (poll_expired_) {
            state_ = MembershipState::stale;
            lose();
        } else {
            state_ = MembershipState::unsubscribed;
        }
        return request;
    }
    beat_in_flight_ = true;
    // K3: everything at first and after an error, else what has changed.
    Told telling{config_->max_poll_interval, subscription,
                 current_ ? current_->logs : std::vector<LogId>{}, config_->remote_assignor};
    if (!told_ || told_->rebalance_timeout != telling.rebalance_timeout)
        request.rebalance_timeout = telling.rebalance_timeout;
    if (!told_ || told_->subscription != telling.subscription)
        request.subscription = telling.subscription;
    if (!told_ || told_->owned != telling.owned || state_ == MembershipState::acknowledging)
        request.owned = telling.owned;
    if (!told_ || told_->assignor != telling.assignor) request.assignor = telling.assignor;
    told_ = std::move(telling);
    if (state_ == MembershipState::acknowledging)
        state_ = reconciled() ? MembershipState::stable : MembershipState::reconciling;
    return request;
}

CoordinatorVerdict ModernMembership::answered(Instant now, std::int32_t serial,
                                              const ConsumerGroupHeartbeatResponse& answer,
                                              Duration backoff) {
    if (serial != serial_) return CoordinatorVerdict::keep;
    beat_in_flight_ = false;
    if (answer.error != ErrorCode::none) {
        told_.reset();
        return refused(now, answer.error, backoff);
    }
    failures_ = 0;
    retry_at_ = {};
    // Also late answers to a farewell.
    if (!joined() || answer.member_epoch < 0) return CoordinatorVerdict::keep;
    epoch_ = answer.member_epoch;
    heartbeat_interval_ = answer.heartbeat_interval;
    beat_at_ = now + heartbeat_interval_;
    if (answer.assignment)
        take_assignment(*answer.assignment);
    else if (state_ == MembershipState::joining)
        state_ = MembershipState::stable;
    return CoordinatorVerdict::keep;
}

CoordinatorVerdict ModernMembership::refused(Instant now, ErrorCode error, Duration backoff) {
    if (error == ErrorCode::not_coordinator || error == ErrorCode::coordinator_not_available) {
        // K8: heard again as soon as the coordinator is found.
        beat_at_ = now;
        return CoordinatorVerdict::forget;
    }
    if (error == ErrorCode::fenced_member_epoch || error == ErrorCode::unknown_member_id) {
        retry_at_ = {};
        fence();
        return CoordinatorVerdict::keep;
    }
    if (retriable(error)) {
        retry_at_ = now + backoff;
        ++failures_;
        return CoordinatorVerdict::keep;
    }
    fail(error);  // K7, K8
    return CoordinatorVerdict::keep;
}

void ModernMembership::beat_failed(Instant now, std::int32_t serial, Duration backoff) {
    if (serial != serial_) return;
    beat_in_flight_ = false;
    told_.reset();
    beat_at_ = now;
    retry_at_ = now + backoff;
    ++failures_;
}

ClassicMember::CommitVerdict ModernMembership::commit_refused(ErrorCode error) {
    return error == ErrorCode::unknown_member_id || error == ErrorCode::stale_member_epoch
               ? ClassicMember::CommitVerdict::failed
               : ClassicMember::CommitVerdict::fatal;
}

}  // namespace eos::model
