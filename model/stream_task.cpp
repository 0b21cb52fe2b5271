// The thread of a subtask: its mail, its records, and what the clients tell it.

#include "model/stream_task.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

std::uint64_t task_actor(ProcessId process) {
    return (static_cast<std::uint64_t>(process.app.value) << 32) |
           static_cast<std::uint64_t>(process.instance);
}

}  // namespace

StreamTask::StreamTask(std::shared_ptr<const ClientSetup> setup, ProcessId process,
                       const DeployRequest& deploy, ProducerCounters counters)
    : setup_(std::move(setup)),
      process_(process),
      execution_(deploy.execution),
      subtask_(deploy.subtask),
      parallelism_(deploy.parallelism),
      restored_(deploy.restored),
      pool_(setup_, process, counters),
      reader_(*setup_, process, pool_.next_session(), deploy.state.splits),
      rng_(sim::Rng::stream(setup_->seed, "task", task_actor(process),
                            static_cast<std::uint64_t>(pool_.counters().sessions))),
      last_counter_(deploy.restored.value),
      target_(deploy.restored.value + 1),
      probe_{.subtask = deploy.subtask, .counter = deploy.restored.value + 1, .aborted = 0},
      committing_(deploy.restored),
      completed_(deploy.restored) {
    for (const auto& committable : deploy.state.committables)
        committables_.push_back({committable});
}

TransactionalId StreamTask::txid(std::int32_t subtask, std::int64_t counter) const {
    return Topology::job_transactional_id(setup_->app->job.prefix, subtask, counter);
}

sim::Facts StreamTask::facts(CheckpointId checkpoint) const {
    return told({{Fact::app, process_.app.value},
                 {Fact::instance, process_.instance},
                 {Fact::subtask, subtask_},
                 {Fact::checkpoint, checkpoint.value}});
}

sim::Facts StreamTask::facts(const Committable& committable) const {
    auto result = facts(committable.checkpoint);
    result.add(number(Fact::txid), committable.txid.value);
    result.add(number(Fact::txn), committable.txn.number);
    return result;
}

std::vector<Committable> StreamTask::committables() const {
    std::vector<Committable> result;
    for (const auto& pending : committables_) result.push_back(pending.what);
    return result;
}

std::string_view StreamTask::waits_for() const {
    switch (wait_) {
        case Wait::none:
            return stage_ == Stage::run ? "records" : "";
        case Wait::work:
            return "its work";
        case Wait::room:
            return "room to send";
        case Wait::flush:
            return "a flush";
        case Wait::call:
            return "a transaction coordinator";
    }
    return "";
}

// --- from the JobManager ------------------------------------------------------------------------

void StreamTask::start(const Context& ctx, Fx& fx) {
    since_ = ctx.now;
    if (!transactional()) stage_ = Stage::begin;
    go_on(ctx, fx);
}

void StreamTask::trigger(const Context& ctx, CheckpointId checkpoint, Fx& fx) {
    mail_.push_back({Mail::Kind::trigger, checkpoint});
    go_on(ctx, fx);
}

// F23: the committer is told by a mail of its own, so that there is a moment in between.
void StreamTask::notify(const Context& ctx, CheckpointId checkpoint, Fx& fx) {
    if (checkpoint <= completed_) return;
    completed_ = checkpoint;
    fx.reach(number(Mile::checkpoint_notified), facts(checkpoint));
    fx.hand_off(HandOff{
        .task = Task::commit, .token = execution_, .records = {}, .checkpoint = checkpoint});
    go_on(ctx, fx);
}

// F12: what is flushed for it stays written, and goes with the next checkpoint that completes.
void StreamTask::abort(CheckpointId checkpoint) {
    std::erase(mail_, Mail{Mail::Kind::trigger, checkpoint});
    std::erase_if(uploads_, [&](const Snapshot& s) { return s.checkpoint == checkpoint; });
}

void StreamTask::close(const Context& ctx, Fx& fx) {
    failed_ = true;
    fx.disarm(key(Tick::task_work));
    fx.disarm(key(Tick::committer_retry));
    pool_.drop_all(ctx, fx);
    reader_.close(fx);
}

void StreamTask::stall(const Context& ctx, bool stalled, Fx& fx) {
    stalled_ = stalled;
    go_on(ctx, fx);
}

std::vector<TaskNews> StreamTask::take_news() { return std::exchange(news_, {}); }

// --- the thread ---------------------------------------------------------------------------------

void StreamTask::go_on(const Context& ctx, Fx& fx) {
    while (!failed_) {
        if (const auto error = reader_.failure()) return fail(*error, fx);
        while (!stalled_ && step(ctx, fx)) {
        }
        if (failed_) return;
        pool_.run_senders(ctx, fx);
        if (stalled_) return;
        const auto events = pool_.take_events();
        if (events.empty()) return;
        for (const auto& [slot, event] : events)
            if (!failed_) take(ctx, slot, event, fx);
    }
}

void StreamTask::wait_for(const Context& ctx, Wait what) {
    wait_ = what;
    since_ = ctx.now;
}

/// True: something was done, and more may be possible.
bool StreamTask::step(const Context& ctx, Fx& fx) {
    if (failed_ || wait_ != Wait::none) return false;
    switch (stage_) {
        case Stage::recommit:
        case Stage::commit:
            return commit_next(ctx, fx);
        case Stage::abort_lingering:
            return abort_next(ctx, fx);
        case Stage::begin:
            return begin_next(ctx, fx);
        case Stage::flush:
            prepare_commit(ctx, fx);
            return true;
        case Stage::run:
            return run(ctx, fx);
    }
    return false;
}

// Mail comes between two records, never between a record and its output: positions and outputs of a
// checkpoint always belong together.
bool StreamTask::run(const Context& ctx, Fx& fx) {
    if (!outgoing_.empty()) {
        send(ctx, fx);
        return wait_ == Wait::none;
    }
    if (!mail_.empty()) {
        const auto mail = mail_.front();
        mail_.pop_front();
        if (mail.kind == Mail::Kind::trigger) {
            begin_checkpoint(ctx, mail.checkpoint, fx);
        } else {
            committing_ = std::max(committing_, mail.checkpoint);
            for (auto& pending : committables_) pending.tried = false;
            stage_ = Stage::commit;
        }
        return true;
    }
    reader_.want(ctx, setup_->app->batch, fx);
    if (!reader_.has_records()) return false;
    process(ctx, fx);
    return wait_ == Wait::none;
}

void StreamTask::process(const Context& ctx, Fx& fx) {
    const auto& app = *setup_->app;
    std::int64_t records = 0;
    for (const auto& chunk : reader_.take()) {
        records += chunk.count;
        const auto& payload = chunk.payload.records();
        for (std::int32_t i = chunk.first; i < chunk.first + chunk.count; ++i) {
            const auto& record = payload[static_cast<std::size_t>(i)];
            const bool fan_out =
                app.workload.kind == WorkloadKind::fan_out && !app.workload.to.empty();
            if (!fan_out) outgoing_.push_back({app.to.front(), record});
            if (fan_out)
                for (const TopicId to : app.workload.to) outgoing_.push_back({to, record});
        }
    }
    Duration work = app.client_record * records;
    const auto drawn = rng_.duration(app.work);
    work += drawn;
    if (work == Duration{}) return;
    wait_for(ctx, Wait::work);
    fx.arm(key(Tick::task_work), work);
}

void StreamTask::send(const Context& ctx, Fx& fx) {
    const auto& app = *setup_->app;
    auto& producer = pool_.at(*writer_);
    while (!outgoing_.empty()) {
        const auto& next = outgoing_.front();
        const auto sent = producer.send(ctx, next.to, std::nullopt, next.record,
                                        app.keys.has_value(), app.size, fx);
        switch (sent.kind) {
            case SendResult::Kind::taken:
                ++sent_;
                outgoing_.pop_front();
                break;
            // Simplified: the thread waits as long as it takes, not max.block.ms.
            case SendResult::Kind::would_block:
                return wait_for(ctx, Wait::room);
            case SendResult::Kind::refused:
                return fail(sent.error, fx);
        }
    }
}

/// F13: any error ends the task, and with it the job.
void StreamTask::fail(ErrorCode error, Fx& fx) {
    failed_ = true;
    fx.observe(AppError{process_, ErrorClass::fatal, error, Reaction::restart});
    fx.reach(number(Mile::app_failed),
             told({{Fact::app, process_.app.value},
                   {Fact::instance, process_.instance},
                   {Fact::error, static_cast<std::int64_t>(error)},
                   {Fact::error_class, static_cast<std::int64_t>(ErrorClass::fatal)}}));
    news_.push_back({TaskNews::Kind::failed});
}

// --- what clients tell --------------------------------------------------------------------------

void StreamTask::take(const Context& ctx, ProducerSlot slot, const ProducerEvent& event, Fx& fx) {
    using Kind = ProducerEvent::Kind;
    const bool current = slot == writer_;
    switch (event.kind) {
        case Kind::failed:
            if (current) fail(event.error, fx);
            return;
        case Kind::fatal:
            // Of a call that waits, its end says more.
            if (current && slot != call_) fail(event.error, fx);
            return;
        case Kind::unblocked:
            if (current && wait_ == Wait::room) wait_ = Wait::none;
            return;
        case Kind::flush_done:
            if (current && wait_ == Wait::flush) wait_ = Wait::none;
            return;
        case Kind::call_done:
            if (slot == call_) call_returned(ctx, event.error, fx);
            return;
        case Kind::acked:
        case Kind::initialised:
        case Kind::closed:
            return;
    }
}

void StreamTask::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                          Message&& message, Fx& fx) {
    if (ProducerPool::owns(from))
        pool_.on_reply(ctx, from, correlation, message, fx);
    else
        reader_.on_reply(ctx, from, correlation, std::move(message), fx);
    go_on(ctx, fx);
}

void StreamTask::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    if (ProducerPool::owns(peer))
        pool_.on_link(ctx, peer, event, fx);
    else
        reader_.on_link(ctx, peer, event, fx);
    go_on(ctx, fx);
}

bool StreamTask::on_timer(const Context& ctx, const sim::TimerKey& timer, Fx& fx) {
    if (tick(timer) == Tick::task_work) {
        if (wait_ == Wait::work) wait_ = Wait::none;
    } else if (tick(timer) == Tick::committer_retry) {
        mail_.push_back({Mail::Kind::commit, committing_});
    } else if (reader_.owns(timer)) {
        reader_.on_timer(ctx, timer, fx);
    } else if (!pool_.on_timer(ctx, timer, fx)) {
        return false;
    }
    go_on(ctx, fx);
    return true;
}

void StreamTask::on_handoff(const Context& ctx, const HandOff& step, Fx& fx) {
    if (step.token != execution_ || !step.checkpoint) return;  // of a task before this one
    const auto checkpoint = *step.checkpoint;
    if (step.task == Task::checkpoint_write) {
        const auto upload = std::find_if(uploads_.begin(), uploads_.end(), [&](const Snapshot& s) {
            return s.checkpoint == checkpoint;
        });
        if (upload == uploads_.end()) return;  // aborted meanwhile
        const bool stored = step.error == ErrorCode::none;
        news_.push_back({stored ? TaskNews::Kind::acked : TaskNews::Kind::declined, checkpoint,
                         stored ? std::move(upload->state) : SubtaskState{}});
        uploads_.erase(upload);
    } else if (step.error != ErrorCode::none) {
        fail(step.error, fx);  // F25: a commit that throws something unknown
    } else {
        mail_.push_back({Mail::Kind::commit, checkpoint});
    }
    go_on(ctx, fx);
}

}  // namespace eos::model
