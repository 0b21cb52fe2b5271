#include "model/job_manager.hpp"

#include <algorithm>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

constexpr std::int32_t workers_in_flight = 100;

/// Executions of different lives of a JobManager must not be mixed up.
constexpr std::int32_t executions_per_session = 1'000'000;

std::vector<CheckpointPart> parts_of(const std::vector<SubtaskState>& subtasks) {
    std::vector<CheckpointPart> result;
    for (const auto& state : subtasks)
        for (const auto& split : state.splits)
            if (split.offset) result.push_back({split.log, *split.offset});
    return result;
}

}  // namespace

std::string_view name(JobStatus status) {
    switch (status) {
        case JobStatus::waiting:
            return "CREATED";
        case JobStatus::deploying:
            return "DEPLOYING";
        case JobStatus::running:
            return "RUNNING";
        case JobStatus::canceling:
            return "FAILING";
        case JobStatus::restarting:
            return "RESTARTING";
        case JobStatus::failed:
            return "FAILED";
    }
    return "";
}

JobManager::JobManager(std::shared_ptr<const ClientSetup> setup, ProcessId process)
    : setup_(std::move(setup)), process_(process) {}

sim::Facts JobManager::facts(CheckpointId id) const {
    return told({{Fact::app, process_.app.value}, {Fact::checkpoint, id.value}});
}

sim::Peer JobManager::peer(std::int32_t worker) const {
    return {setup_->topology->node_of({process_.app, worker}), job_lane};
}

std::optional<std::int32_t> JobManager::worker_of(NodeId node) const {
    const auto process = setup_->topology->process_of(node);
    if (!process || process->app != process_.app) return std::nullopt;
    if (std::cmp_greater_equal(process->instance, workers_.size())) return std::nullopt;
    return process->instance;
}

void JobManager::on_start(const Context& ctx, Fx& fx) {
    ClientConfig config;
    config.request_timeout = job().heartbeat_timeout;
    auto rng =
        sim::Rng::stream(setup_->seed, "job manager", static_cast<std::uint64_t>(ctx.self.value),
                         static_cast<std::uint64_t>(ctx.life));
    link_.emplace(config, workers_in_flight, job_lane, sim::Rng(rng.next()));
    rng_ = rng;
    session_ = ctx.life + 1;
    execution_ = ctx.life * executions_per_session;
    workers_.resize(static_cast<std::size_t>(process_.instance));
    backoff_ = job().initial_backoff;
    fx.arm(key(Tick::heartbeat_round), job().heartbeat_interval);
}

// --- the job ------------------------------------------------------------------------------------

/// F13: as soon as there is a slot for every subtask, from the newest entry of the store.
void JobManager::deploy(const Context& ctx, Fx& fx) {
    const auto parallelism = setup_->app->instances;
    std::vector<std::int32_t> free;
    for (std::int32_t i = 0; i < process_.instance; ++i)
        if (at(i).registered && at(i).execution == Execution::none && link_->ready(peer(i)))
            free.push_back(i);
    if (std::cmp_less(free.size(), parallelism)) {
        status_ = JobStatus::waiting;
        return;
    }
    free.resize(static_cast<std::size_t>(parallelism));
    slots_ = std::move(free);
    status_ = JobStatus::deploying;
    ++execution_;
    CompletedCheckpoint from;
    if (!store_.completed.empty()) {
        from = store_.completed.back();
    } else {
        for (std::int32_t i = 0; i < parallelism; ++i)
            from.subtasks.push_back(
                {initial_splits(*setup_->topology, setup_->app->from, i, parallelism), {}});
    }
    fx.observe(JobRestored{process_.app, from.id, parts_of(from.subtasks)});
    fx.reach(number(Mile::job_restored), facts(from.id));
    for (std::int32_t subtask = 0; subtask < parallelism; ++subtask) {
        const auto worker = slots_[static_cast<std::size_t>(subtask)];
        at(worker).execution = Execution::deploying;
        at(worker).told = false;
        send(ctx, worker,
             DeployRequest{.session = session_,
                           .execution = execution_,
                           .subtask = subtask,
                           .parallelism = parallelism,
                           .restored = from.id,
                           .state = from.subtasks[static_cast<std::size_t>(subtask)]},
             fx);
    }
}

void JobManager::check_running(const Context& ctx, Fx& fx) {
    const bool all = std::all_of(slots_.begin(), slots_.end(), [&](std::int32_t worker) {
        return at(worker).execution == Execution::running;
    });
    if (status_ != JobStatus::deploying || !all) return;
    status_ = JobStatus::running;
    running_since_ = ctx.now;
    if (job().interval == Duration{}) return;
    // CheckpointCoordinator.getRandomInitDelay.
    const auto first = rng_.duration(
        sim::Spread::uniform(std::min(job().min_pause, job().interval), job().interval));
    fx.arm(key(Tick::checkpoint_trigger), first);
}

void JobManager::fail_job(const Context& ctx, Fx& fx) {
    if (status_ != JobStatus::deploying && status_ != JobStatus::running) return;
    status_ = JobStatus::canceling;
    fx.disarm(key(Tick::checkpoint_trigger));
    for (const auto id : coordinator_.suspend()) tell_failed(id, fx);
    for (const auto worker : slots_) {
        if (at(worker).execution == Execution::none) continue;
        at(worker).execution = Execution::canceling;
        send(ctx, worker, CancelRequest{execution_}, fx);
    }
    all_ended(ctx, fx);
}

void JobManager::task_ended(const Context& ctx, std::int32_t worker, Fx& fx) {
    if (at(worker).execution == Execution::none) return;
    at(worker).execution = Execution::none;
    fail_job(ctx, fx);
    all_ended(ctx, fx);
}

void JobManager::all_ended(const Context& ctx, Fx& fx) {
    const bool any = std::any_of(workers_.begin(), workers_.end(),
                                 [](const Worker& w) { return w.execution != Execution::none; });
    if (status_ != JobStatus::canceling || any) return;
    const bool given_up =
        job().restart == RestartStrategy::fixed_delay && restarts_ >= job().fixed_attempts;
    if (given_up) {
        status_ = JobStatus::failed;
        return;
    }
    ++restarts_;
    status_ = JobStatus::restarting;
    const auto delay = restart_delay(ctx);
    fx.arm(key(Tick::restart_delay), delay);
}

// Exponential: half as much again each time, a tenth of jitter, from the start again after a job
// that ran for long enough (ExponentialDelayRestartBackoffTimeStrategy).
Duration JobManager::restart_delay(const Context& ctx) {
    if (job().restart == RestartStrategy::fixed_delay) return job().fixed_delay;
    if (running_since_ != sim::Instant{} && ctx.now - running_since_ >= job().reset_backoff)
        backoff_ = job().initial_backoff;
    const auto delay = std::min(backoff_, job().max_backoff);
    backoff_ = std::min(delay * 3 / 2, job().max_backoff);
    const auto tenth = delay / 10;
    return rng_.duration(sim::Spread::uniform(delay - tenth, delay + tenth));
}

// --- TaskManagers -------------------------------------------------------------------------------

void JobManager::enlist(const Context& ctx, const RegisterTaskManagerRequest& request, Fx& fx) {
    auto& worker = at(request.task_manager);
    // Whatever ran there is gone, or no longer ours.
    // Simplified: a TaskManager that comes back is known again at once; Flink gives it another name
    // and finds out about the old one by its heartbeats.
    const bool again = worker.registered && worker.life != request.life;
    if (again) lose(ctx, request.task_manager, fx);
    worker.registered = true;
    worker.life = request.life;
    worker.heard = ctx.now;
    worker.failures = 0;
    link_->want(ctx, peer(request.task_manager), fx);
}

void JobManager::lose(const Context& ctx, std::int32_t worker, Fx& fx) {
    at(worker).registered = false;
    (void)link_->close(ctx, peer(worker), fx);
    task_ended(ctx, worker, fx);
}

void JobManager::beat(const Context& ctx, Fx& fx) {
    fx.arm(key(Tick::heartbeat_round), job().heartbeat_interval);
    for (std::int32_t i = 0; i < process_.instance; ++i) {
        if (!at(i).registered) continue;
        if (!link_->ready(peer(i))) {
            ++at(i).failures;
            link_->want(ctx, peer(i), fx);
        } else {
            send(ctx, i, TaskManagerHeartbeatRequest{session_}, fx);
        }
        const bool silent = ctx.now - at(i).heard >= job().heartbeat_timeout;
        if (silent || at(i).failures >= job().heartbeat_failures) lose(ctx, i, fx);
    }
}

// What a TaskManager says of itself corrects what is believed of it, should a report have been
// lost.
void JobManager::reconcile(const Context& ctx, std::int32_t worker,
                           const TaskManagerHeartbeatResponse& told, Fx& fx) {
    auto& entry = at(worker);
    entry.heard = ctx.now;
    entry.failures = 0;
    if (entry.execution == Execution::none || !entry.told) return;
    if (told.execution != execution_) {
        task_ended(ctx, worker, fx);
    } else if (told.running && entry.execution == Execution::deploying) {
        entry.execution = Execution::running;
        check_running(ctx, fx);
    } else if (entry.execution == Execution::canceling) {
        send(ctx, worker, CancelRequest{execution_}, fx);
    }
}

void JobManager::ended(const Context& ctx, const Outcome& outcome, const Message* answer, Fx& fx) {
    const auto worker = worker_of(outcome.peer.node);
    if (!worker) return;
    if (answer == nullptr) {
        if (outcome.api == Api::task_manager_heartbeat) ++at(*worker).failures;
        if (outcome.api == Api::trigger) expire(ctx, {outcome.tag}, fx);
        // A deployment that did not arrive, or nobody knows: the TaskManager is asked to forget it.
        if (outcome.api == Api::deploy && !at(*worker).told) {
            at(*worker).told = true;
            fail_job(ctx, fx);
        }
        return;
    }
    if (const auto* told = std::get_if<TaskManagerHeartbeatResponse>(answer))
        reconcile(ctx, *worker, *told, fx);
    if (const auto* told = std::get_if<DeployResponse>(answer)) {
        at(*worker).told = true;
        if (told->error != ErrorCode::none) task_ended(ctx, *worker, fx);
    }
}

bool JobManager::send(const Context& ctx, std::int32_t worker, Message message, Fx& fx,
                      std::int64_t tag) {
    if (!link_->ready(peer(worker))) {
        link_->want(ctx, peer(worker), fx);
        return false;
    }
    link_->send(ctx, peer(worker), std::move(message), job().heartbeat_timeout, tag, fx);
    return true;
}

// --- checkpoints --------------------------------------------------------------------------------

template <class Request>
bool JobManager::tell_all(const Context& ctx, CheckpointId id, Fx& fx) {
    bool all = true;
    for (std::size_t subtask = 0; subtask < slots_.size(); ++subtask) {
        Request request;
        request.execution = execution_;
        request.subtask = static_cast<std::int32_t>(subtask);
        request.checkpoint = id;
        all = send(ctx, slots_[subtask], std::move(request), fx, id.value) && all;
    }
    return all;
}

/// F12: it took too long, or a trigger did not arrive (TRIGGER_CHECKPOINT_FAILURE).
void JobManager::expire(const Context& ctx, CheckpointId id, Fx& fx) {
    if (coordinator_.find(id) != nullptr) fail_checkpoint(ctx, id, true, fx);
}

void JobManager::trigger_if_due(const Context& ctx, Fx& fx) {
    if (status_ != JobStatus::running) return;
    const auto at = coordinator_.allowed_at(job());
    if (at == sim::time_never) return;
    if (at > ctx.now) {
        fx.arm(key(Tick::checkpoint_trigger, 1), at - ctx.now);
        return;
    }
    const auto id = coordinator_.trigger(store_, setup_->app->instances, ctx.now);
    fx.arm(key(Tick::checkpoint_timeout, static_cast<std::uint32_t>(id.value)), job().timeout);
    fx.reach(number(Mile::checkpoint_triggered), facts(id));
    if (!tell_all<TriggerRequest>(ctx, id, fx)) expire(ctx, id, fx);
}

void JobManager::on(const Context&, const AckRequest& request, Fx& fx) {
    if (request.execution != execution_ || status_ != JobStatus::running) return;
    if (!coordinator_.ack(request.checkpoint, request.subtask, request.state)) return;
    // F11: first the metadata file, then the entry in the store.
    fx.hand_off(HandOff{.task = Task::checkpoint_write,
                        .token = execution_,
                        .records = {},
                        .checkpoint = request.checkpoint});
}

void JobManager::on(const Context& ctx, const DeclineRequest& request, Fx& fx) {
    if (request.execution == execution_ && coordinator_.find(request.checkpoint) != nullptr)
        fail_checkpoint(ctx, request.checkpoint, true, fx);
}

void JobManager::complete(const Context& ctx, const HandOff& step, Fx& fx) {
    const auto id = *step.checkpoint;
    const auto* attempt = coordinator_.find(id);
    if (attempt == nullptr || status_ != JobStatus::running) return;
    if (step.error != ErrorCode::none) return fail_checkpoint(ctx, id, true, fx);
    const auto took = ctx.now - attempt->triggered;
    for (const auto subsumed : coordinator_.complete(id, job(), store_, ctx.now))
        tell_failed(subsumed, fx);
    fx.disarm(key(Tick::checkpoint_timeout, static_cast<std::uint32_t>(id.value)));
    fx.observe(
        CheckpointCompleted{process_.app, id, took, parts_of(store_.completed.back().subtasks)});
    fx.reach(number(Mile::checkpoint_decided), facts(id));
    fx.hand_off(
        HandOff{.task = Task::notify, .token = execution_, .records = {}, .checkpoint = id});
}

void JobManager::tell_failed(CheckpointId id, Fx& fx) const {
    fx.disarm(key(Tick::checkpoint_timeout, static_cast<std::uint32_t>(id.value)));
    fx.observe(CheckpointFailed{process_.app, id});
    fx.reach(number(Mile::checkpoint_failed), facts(id));
}

/// F12.
void JobManager::fail_checkpoint(const Context& ctx, CheckpointId id, bool counts, Fx& fx) {
    const bool too_many = coordinator_.fail(id, counts, job());
    tell_failed(id, fx);
    (void)tell_all<AbortRequest>(ctx, id, fx);
    if (too_many) fail_job(ctx, fx);
}

void JobManager::on(const Context& ctx, const TaskStateRequest& request, Fx& fx) {
    if (request.execution != execution_) return;
    const auto subtask = static_cast<std::size_t>(request.subtask);
    if (subtask >= slots_.size()) return;
    const auto worker = slots_[subtask];
    if (request.state != TaskState::running) {
        task_ended(ctx, worker, fx);
    } else if (at(worker).execution == Execution::deploying) {
        at(worker).execution = Execution::running;
        check_running(ctx, fx);
    }
}

// --- from the world -----------------------------------------------------------------------------

void JobManager::on_request(const Context& ctx, const sim::ReplyTo& from, Message&& message,
                            Fx& fx) {
    std::visit(
        [&](const auto& request) {
            using Request = std::decay_t<decltype(request)>;
            if constexpr (std::is_same_v<Request, RegisterTaskManagerRequest>) {
                fx.reply(from, RegisterTaskManagerResponse{ErrorCode::none, session_});
                enlist(ctx, request, fx);
            } else if constexpr (requires { on(ctx, request, fx); }) {
                fx.reply(from, typename Request::Response{});
                on(ctx, request, fx);
            } else {
                sim::ensure(false, "a JobManager is asked by its TaskManagers only");
            }
        },
        message);
    trigger_if_due(ctx, fx);
}

void JobManager::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                          Message&& message, Fx& fx) {
    if (const auto outcome = link_->on_reply(from, correlation)) ended(ctx, *outcome, &message, fx);
    trigger_if_due(ctx, fx);
}

void JobManager::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    for (const auto& outcome : link_->on_link(ctx, peer, event, fx))
        ended(ctx, outcome, nullptr, fx);
    const auto worker = worker_of(peer.node);
    if (event != sim::LinkEvent::opened && worker && at(*worker).registered)
        link_->want(ctx, peer, fx);
    if (event == sim::LinkEvent::opened && status_ == JobStatus::waiting) deploy(ctx, fx);
    trigger_if_due(ctx, fx);
}

void JobManager::on_timer(const Context& ctx, sim::TimerKey timer, Fx& fx) {
    if (link_->owns(timer)) {
        for (const auto& outcome : link_->on_timer(ctx, timer, fx)) {
            const auto worker = worker_of(outcome.peer.node);
            ended(ctx, outcome, nullptr, fx);
            // Requests wait as long as heartbeats may be silent: this TaskManager is lost.
            if (worker && outcome.kind == Outcome::Kind::timeout && at(*worker).registered)
                lose(ctx, *worker, fx);
        }
        return;
    }
    const auto what = tick(timer);
    if (what == Tick::heartbeat_round) beat(ctx, fx);
    if (what == Tick::restart_delay && status_ == JobStatus::restarting) deploy(ctx, fx);
    if (what == Tick::checkpoint_timeout) expire(ctx, {std::int64_t{timer.a}}, fx);
    // a: 1 if the pause of a due one is over.
    if (what == Tick::checkpoint_trigger && timer.a == 0 && status_ == JobStatus::running) {
        fx.arm(key(Tick::checkpoint_trigger), job().interval);
        coordinator_.due();
    }
    trigger_if_due(ctx, fx);
}

void JobManager::on_handoff(const Context& ctx, Message&& message, Fx& fx) {
    const auto& step = std::get<HandOff>(message);
    if (step.token != execution_ || !step.checkpoint) return;  // of a job before this restart
    if (step.task == Task::checkpoint_write)
        complete(ctx, step, fx);
    else if (step.error == ErrorCode::none && status_ == JobStatus::running)
        (void)tell_all<NotifyRequest>(ctx, *step.checkpoint, fx);
    trigger_if_due(ctx, fx);
}

void JobManager::on_order(const Context&, const sim::Order& order, Fx& fx) {
    if (order.kind == number(Ask::stop)) fx.exit(false);
}

JobManager JobManager::reborn(const sim::Loss&) && {
    JobManager next(setup_, process_);
    if (job().availability != HighAvailability::none) next.store_ = std::move(store_);
    return next;
}

}  // namespace eos::model
