// Consumer: offset commits (O1-O10). Every commit is a CommitWork until it has ended; they leave in
// the order of the calls, over one connection (O4).

#include <algorithm>
#include <utility>

#include "model/consumer.hpp"
#include "sim/ensure.hpp"

namespace eos::model {

using namespace consumer_part;

std::int32_t Consumer::start_commit(const Context& ctx, CommitWork::Origin origin,
                                    std::vector<CommitOffset> offsets) {
    sim::ensure(config_->group.has_value(), "a commit needs a group");
    sim::ensure(!closed_, "a closed consumer is not called");
    CommitWork work;
    work.number = ++number_;
    work.origin = origin;
    work.begun = ctx.now;
    work.offsets = std::move(offsets);
    commits_.push_back(std::move(work));
    return number_;
}

CommitWork* Consumer::find_commit(std::int32_t number) {
    const auto found = std::find_if(commits_.begin(), commits_.end(),
                                    [&](const CommitWork& work) { return work.number == number; });
    return found == commits_.end() ? nullptr : &*found;
}

/// Sends what can be sent. Sync commits are repeated by the application's thread only.
void Consumer::step_commits(const Context& ctx, Fx& fx) {
    // Ends of commits remove entries: the numbers are what stays valid.
    std::vector<std::int32_t> due;
    for (const auto& work : commits_) {
        const bool by_application = work.origin != CommitWork::Origin::async &&
                                    work.origin != CommitWork::Origin::automatic;
        if (work.ended || work.attempt.asking || work.attempt.retry_at > ctx.now) continue;
        // With KIP-848 the background thread repeats them.
        if (by_application && stalled_ && !modern()) continue;
        due.push_back(work.number);
    }
    for (const auto number : due) {
        CommitWork* work = find_commit(number);
        if (work == nullptr) continue;
        if (work->offsets.empty()) {
            end_commit(number, CallResult::ok, ErrorCode::none, fx);
            continue;
        }
        if (!find_coordinator(ctx, fx)) return;
        MemberRef speaker;
        if (subscriptions_.automatic() && modern()) {
            speaker = modern_.ref();  // K10
        } else if (subscriptions_.automatic()) {
            const auto stable = member_.ref_if_stable();
            if (!stable) {
                // O9: fails without a request; only a poll can bring the member back.
                const bool joining = member_.rebalancing();
                end_commit(
                    number, joining ? CallResult::rebalance_in_progress : CallResult::commit_failed,
                    joining ? ErrorCode::rebalance_in_progress : ErrorCode::unknown_member_id, fx);
                continue;
            }
            speaker = *stable;
        }
        OffsetCommitRequest request{.group = *config_->group,
                                    .member = speaker,
                                    .parts = {},
                                    .version = config_->offset_commit_version};
        for (const auto& part : work->offsets)
            request.parts.push_back(
                {part.log, part.offset, part.leader_epoch, part.metadata_bytes});
        work->attempt.asking = true;
        send(ctx, coordinator_peer(), std::move(request), config_->client.request_timeout,
             sent::Commit{number, subscriptions_.automatic(), member_.identity()}, fx);
    }
}

/// O5: what earlier polls returned, because it runs before this one hands anything out.
void Consumer::step_auto_commit(const Context& ctx, Fx& fx) {
    if (!config_->auto_commit || !config_->group || ctx.now < auto_commit_at_) return;
    auto_commit_at_ = ctx.now + config_->auto_commit_interval;
    auto offsets = subscriptions_.consumed();
    if (offsets.empty()) return;
    start_commit(ctx, CommitWork::Origin::automatic, std::move(offsets));
    step_commits(ctx, fx);
}

void Consumer::ended(const Context& ctx, const sent::Commit& sent, const Outcome& outcome,
                     Message* answer, Fx& fx) {
    const auto* response = answer ? std::get_if<OffsetCommitResponse>(answer) : nullptr;
    ErrorCode error = response ? ErrorCode::none : outcome.error();
    if (response)
        for (const auto& part : response->parts)
            if (error == ErrorCode::none) error = part.error;

    CallResult result = CallResult::ok;
    bool forget = false;
    if (error == ErrorCode::none) {
    } else if (!response || error == ErrorCode::not_coordinator ||
               error == ErrorCode::coordinator_not_available ||
               error == ErrorCode::request_timed_out) {
        result = CallResult::retriable_commit_failed;
        forget = true;
    } else if (error == ErrorCode::coordinator_load_in_progress ||
               error == ErrorCode::unknown_topic_or_partition) {
        result = CallResult::retriable_commit_failed;
    } else {
        // Also what speaks for nobody may be refused (G20): then there is no state to follow.
        switch (!sent.member ? ClassicMember::verdict_for_outsider(error)
                : modern()   ? ModernMembership::commit_refused(error)
                             : member_.commit_refused(error, sender_of(sent.identity, error))) {
            case ClassicMember::CommitVerdict::failed:
                result = CallResult::commit_failed;
                break;
            case ClassicMember::CommitVerdict::rebalance_in_progress:
                result = CallResult::rebalance_in_progress;
                error = ErrorCode::rebalance_in_progress;
                break;
            case ClassicMember::CommitVerdict::fatal:
                result = CallResult::fatal;
                break;
        }
    }
    if (CommitWork* work = find_commit(sent.number)) {
        work->attempt.asking = false;
        if (result == CallResult::ok)
            end_commit(sent.number, result, error, fx);
        else
            refuse_commit(ctx, *work, result, error, fx);
    }
    if (forget) apply(ctx, CoordinatorVerdict::forget, outcome, fx);
}

void Consumer::refuse_commit(const Context& ctx, CommitWork& work, CallResult result,
                             ErrorCode error, Fx& fx) {
    const bool again = result == CallResult::retriable_commit_failed;
    switch (work.origin) {
        case CommitWork::Origin::prepare:
            // O11: the heartbeat that raised the epoch overtook it (K10).
            if (error == ErrorCode::stale_member_epoch) {
                failed(ctx, work.attempt);
                return;
            }
            [[fallthrough]];
        case CommitWork::Origin::sync:
        case CommitWork::Origin::closing:
            if (again) {
                failed(ctx, work.attempt);
                return;
            }
            break;
        case CommitWork::Origin::automatic:
            if (again) auto_commit_at_ = ctx.now + config_->client.retry_backoff;
            if (error == ErrorCode::fenced_instance_id) fail(CallResult::fatal, error);
            break;
        case CommitWork::Origin::async:
            break;  // O3
    }
    end_commit(work.number, result, error, fx);
}

void Consumer::end_commit(std::int32_t number, CallResult result, ErrorCode error, Fx& fx) {
    CommitWork* work = find_commit(number);
    if (work == nullptr) return;
    switch (work->origin) {
        case CommitWork::Origin::prepare:
        case CommitWork::Origin::closing:
            work->ended = true;
            return;
        case CommitWork::Origin::automatic:
            break;
        case CommitWork::Origin::sync:
        case CommitWork::Origin::async: {
            const bool async = work->origin == CommitWork::Origin::async;
            for (const auto& part : work->offsets)
                fx.observe(CommitReturned{process_, *config_->group, part.log, part.offset, error,
                                          work->begun});
            consumer_event::CommitDone done{number, async, result, error, std::move(work->offsets)};
            if (!async) call_.reset();
            events_.emplace_back(std::move(done));
            break;
        }
    }
    std::erase_if(commits_, [&](const CommitWork& w) { return w.number == number; });
}

void Consumer::run_commit_sync(const Context& ctx, std::int32_t number, Fx& fx) {
    step_commits(ctx, fx);
    if (!call_ || ctx.now < call_->deadline) return;
    // An answer may still come, and the commit may still become effective.
    end_commit(number, CallResult::timed_out, ErrorCode::request_timed_out, fx);
}

/// A lookup failed: commits that wait for it without anybody to repeat them end here.
void Consumer::fail_unsent_commits(ErrorCode error, Fx& fx) {
    std::vector<std::int32_t> unsent;
    for (const auto& work : commits_)
        if (!work.attempt.asking && (work.origin == CommitWork::Origin::async ||
                                     work.origin == CommitWork::Origin::automatic))
            unsent.push_back(work.number);
    for (const auto number : unsent)
        end_commit(number, CallResult::retriable_commit_failed, error, fx);
}

}  // namespace eos::model
