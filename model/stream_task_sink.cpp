// The Kafka sink of a subtask: transactions by checkpoint, committables, and what a restart finds
// left over (F21-F27).

#include <algorithm>
#include <utility>

#include "model/stream_task.hpp"
#include "sim/ensure.hpp"

namespace eos::model {
namespace {

/// CommitterOperator.RETRY_DELAY.
constexpr Duration commit_retry_delay = seconds(1);

/// F25: the transaction is somebody else's or nobody's by now. Logged, dropped, and the job goes
/// on.
bool known_reason(ErrorCode error) {
    return error == ErrorCode::producer_fenced || error == ErrorCode::invalid_producer_epoch ||
           error == ErrorCode::invalid_txn_state || error == ErrorCode::unknown_producer_id;
}

}  // namespace

/// initTransactions on an id, with a producer of its own.
void StreamTask::init(const Context& ctx, TransactionalId id, Fx& fx) {
    call_ = pool_.make(id);
    wait_for(ctx, Wait::call);
    const auto call = pool_.at(*call_).init_transactions(ctx, fx);
    sim::ensure(call.kind == ProducerCall::Kind::pending, "a new producer asks its coordinator");
}

void StreamTask::call_returned(const Context& ctx, ErrorCode error, Fx& fx) {
    wait_ = Wait::none;
    if (stage_ == Stage::recommit || stage_ == Stage::commit)
        commit_returned(ctx, error, fx);
    else if (error != ErrorCode::none)
        fail(error, fx);
    else if (stage_ == Stage::abort_lingering)
        probed(ctx, fx);
    else
        begun(ctx, fx);
}

// --- a checkpoint -------------------------------------------------------------------------------

// F21: NONE does not wait for what is under way, and forgets it in a crash.
void StreamTask::begin_checkpoint(const Context& ctx, CheckpointId checkpoint, Fx&) {
    checkpoint_ = checkpoint;
    stage_ = Stage::flush;
    if (setup_->app->job.guarantee == DeliveryGuarantee::none) return;
    wait_for(ctx, Wait::flush);
    pool_.at(*writer_).flush();
}

// F22 (a), (b): everything sent is acknowledged; the source notes its positions; a transaction with
// records becomes a committable, of one without the broker never hears again.
void StreamTask::prepare_commit(const Context& ctx, Fx& fx) {
    const auto checkpoint = *checkpoint_;
    positions_ = reader_.splits();
    fx.reach(number(Mile::checkpoint_barrier_passed), facts(checkpoint));
    if (transactional()) {
        auto& producer = pool_.at(*writer_);
        const auto identity = producer.identity();
        if (sent_ > 0 && identity) {
            committables_.push_back({Committable{.checkpoint = checkpoint,
                                                 .txid = *producer.txid(),
                                                 .producer_id = identity->producer_id,
                                                 .producer_epoch = identity->epoch,
                                                 .txn = *producer.current_transaction()},
                                     *writer_});
        } else {
            pool_.drop(ctx, *writer_, fx);
        }
        writer_.reset();
        target_ = checkpoint.value + 1;
    }
    stage_ = Stage::begin;
}

// F22 (d), (e). The state is uploaded beside the thread.
void StreamTask::finish_snapshot(Fx& fx) {
    const auto checkpoint = *std::exchange(checkpoint_, std::nullopt);
    fx.reach(number(Mile::checkpoint_snapshotted), facts(checkpoint));
    kept_.push_back({checkpoint, {positions_, {}}});
    uploads_.push_back({checkpoint, {std::exchange(positions_, {}), committables()}});
    const auto upload = rng_.duration(setup_->app->job.checkpoint);
    fx.hand_off(HandOff{.task = Task::checkpoint_write,
                        .token = execution_,
                        .records = {},
                        .checkpoint = checkpoint},
                upload);
}

// --- lingering transactions (F27, PROBING) ------------------------------------------------------

// Ids are used one after the other, so the first unused one ends the search; to ask is to use it.
bool StreamTask::abort_next(const Context& ctx, Fx& fx) {
    if (probe_.subtask >= Topology::job_subtasks_most) {
        stage_ = Stage::begin;
        return true;
    }
    init(ctx, txid(probe_.subtask, probe_.counter), fx);
    return false;
}

void StreamTask::probed(const Context& ctx, Fx& fx) {
    const auto identity = pool_.at(*call_).identity();
    pool_.drop(ctx, *std::exchange(call_, std::nullopt), fx);
    const bool unused = identity && identity->epoch.value == 0;
    if (!unused) {
        ++probe_.counter;
        ++probe_.aborted;
        return;
    }
    if (probe_.aborted == 0) stage_ = Stage::begin;  // no such subtask, and none behind it
    probe_ = {probe_.subtask + parallelism_, restored_.value + 1, 0};
}

// --- transactions -------------------------------------------------------------------------------

// F26, INCREMENTING: ids of checkpoints that never came are initialised, so that there is no gap.
bool StreamTask::begin_next(const Context& ctx, Fx& fx) {
    if (transactional() && !writer_) {
        init(ctx, txid(subtask_, last_counter_ + 1), fx);
        return false;
    }
    if (!writer_) writer_ = pool_.make(std::nullopt);
    stage_ = Stage::run;
    if (checkpoint_) {
        finish_snapshot(fx);
    } else {
        running_ = true;
        news_.push_back({TaskNews::Kind::running});
        reader_.open(ctx, fx);
    }
    return true;
}

void StreamTask::begun(const Context& ctx, Fx& fx) {
    const auto slot = *std::exchange(call_, std::nullopt);
    ++last_counter_;
    if (last_counter_ < target_) {
        pool_.drop(ctx, slot, fx);
        return;
    }
    writer_ = slot;
    sent_ = 0;
    const auto call = pool_.begin(ctx, slot, fx);
    sim::ensure(call.kind == ProducerCall::Kind::done, "an initialised producer begins");
}

// --- the committer ------------------------------------------------------------------------------

bool StreamTask::commit_next(const Context& ctx, Fx& fx) {
    const auto next =
        std::find_if(committables_.begin(), committables_.end(), [&](const Pending& pending) {
            return !pending.tried && pending.what.checkpoint <= committing_;
        });
    if (next == committables_.end()) {
        // What has to be tried again waits for its time, not the thread.
        const bool again =
            std::any_of(committables_.begin(), committables_.end(),
                        [&](const Pending& p) { return p.what.checkpoint <= committing_; });
        if (again) fx.arm(key(Tick::committer_retry), commit_retry_delay);
        const bool first = stage_ == Stage::recommit;
        stage_ = first ? Stage::abort_lingering : Stage::run;
        if (first || !setup_->app->job.commit_offsets) return true;
        for (const auto& kept : kept_)
            if (kept.checkpoint == committing_) reader_.commit_offsets(ctx, kept.state.splits, fx);
        std::erase_if(kept_, [&](const Snapshot& s) { return s.checkpoint <= committing_; });
        return true;
    }
    next->tried = true;
    if (!next->producer) {  // F23: written by a task before this one
        next->producer = pool_.make(next->what.txid);
        pool_.at(*next->producer)
            .resume_transaction(next->what.producer_id, next->what.producer_epoch, next->what.txn);
    }
    call_ = *next->producer;
    const auto call = pool_.at(*call_).commit_transaction(ctx, fx);
    if (call.kind == ProducerCall::Kind::pending) {
        wait_for(ctx, Wait::call);
        return false;
    }
    commit_returned(ctx, call.error, fx);
    return true;
}

void StreamTask::commit_returned(const Context& ctx, ErrorCode error, Fx& fx) {
    const auto slot = *std::exchange(call_, std::nullopt);
    const auto pending = std::find_if(committables_.begin(), committables_.end(),
                                      [&](const Pending& p) { return p.producer == slot; });
    sim::ensure(pending != committables_.end(), "a commit that returns is of a committable");
    if (retriable(error)) return;  // later, with the same producer (T10)
    const bool dropped = known_reason(error);
    if (error != ErrorCode::none && !dropped) return fail(error, fx);
    const auto what = pending->what;
    committables_.erase(pending);
    pool_.drop(ctx, slot, fx);
    auto told = facts(what);
    if (dropped) {
        told.add(number(Fact::error), static_cast<std::int64_t>(error));
        fx.observe(AppError{process_, ErrorClass::fatal, error, Reaction::ignore});
    }
    fx.reach(number(dropped ? Mile::committable_refused : Mile::committable_committed), told);
}

}  // namespace eos::model
