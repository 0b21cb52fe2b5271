#include "model/task_manager.hpp"

#include <utility>

namespace eos::model {
namespace {

constexpr std::int32_t job_in_flight = 100;

/// Connections of the job: no timeout is shorter than that of the heartbeat.
ClientConfig link_config(const JobConfig& job) {
    ClientConfig config;
    config.request_timeout = job.heartbeat_timeout;
    return config;
}

}  // namespace

TaskManager::TaskManager(std::shared_ptr<const ClientSetup> setup, ProcessId process)
    : setup_(std::move(setup)), process_(process) {}

sim::Peer TaskManager::job_manager() const {
    const auto app = static_cast<std::size_t>(process_.app.value);
    return {*setup_->topology->job_managers[app], job_lane};
}

void TaskManager::on_start(const Context& ctx, Fx& fx) {
    const auto& job = setup_->app->job;
    const auto node = static_cast<std::uint64_t>(ctx.self.value);
    link_.emplace(
        link_config(job), job_in_flight, job_lane,
        sim::Rng::stream(setup_->seed, "task manager", node, static_cast<std::uint64_t>(ctx.life)));
    heard_ = ctx.now;
    fx.arm(key(Tick::job_manager_watch), job.heartbeat_interval);
    go_on(ctx, fx);
}

void TaskManager::go_on(const Context& ctx, Fx& fx) {
    std::vector<CheckpointId> acked;
    if (task_) {
        for (const auto& news : task_->take_news()) {
            report(news);
            if (news.kind == TaskNews::Kind::acked) acked.push_back(news.checkpoint);
            if (news.kind == TaskNews::Kind::failed) {
                drop_task(ctx, fx);
                break;
            }
        }
    }
    link_->want(ctx, job_manager(), fx);
    if (link_->ready(job_manager()) && !registered_ && !asked_) {
        asked_ = true;
        link_->send(ctx, job_manager(),
                    RegisterTaskManagerRequest{.task_manager = process_.instance, .life = ctx.life},
                    setup_->app->job.heartbeat_timeout, 0, fx);
    }
    if (registered_ && link_->ready(job_manager()))
        for (auto& message : std::exchange(outbox_, {}))
            link_->send(ctx, job_manager(), std::move(message), setup_->app->job.heartbeat_timeout,
                        0, fx);
    for (const auto checkpoint : acked)
        if (task_)
            fx.reach(number(Mile::checkpoint_acked), told({{Fact::app, process_.app.value},
                                                           {Fact::instance, process_.instance},
                                                           {Fact::subtask, task_->subtask()},
                                                           {Fact::checkpoint, checkpoint.value}}));
}

void TaskManager::report(const TaskNews& news) {
    const auto execution = task_->execution();
    const auto subtask = task_->subtask();
    switch (news.kind) {
        case TaskNews::Kind::running:
            outbox_.emplace_back(TaskStateRequest{execution, subtask, TaskState::running});
            return;
        case TaskNews::Kind::acked:
            outbox_.emplace_back(AckRequest{execution, subtask, news.checkpoint, news.state});
            return;
        case TaskNews::Kind::declined:
            outbox_.emplace_back(DeclineRequest{execution, subtask, news.checkpoint});
            return;
        case TaskNews::Kind::failed:
            outbox_.emplace_back(TaskStateRequest{execution, subtask, TaskState::failed});
            return;
    }
}

void TaskManager::drop_task(const Context& ctx, Fx& fx) {
    if (!task_) return;
    task_->close(ctx, fx);
    counters_ = task_->counters();
    task_.reset();
}

void TaskManager::hear(const Context& ctx, std::int32_t session, Fx& fx) {
    heard_ = ctx.now;
    if (session_ && *session_ >= session) return;
    if (session_) {
        drop_task(ctx, fx);
        outbox_.clear();
    }
    session_ = session;
}

// --- from the JobManager ------------------------------------------------------------------------

void TaskManager::on_request(const Context& ctx, const sim::ReplyTo& from, Message&& message,
                             Fx& fx) {
    std::visit(
        [&](const auto& request) {
            using Request = std::decay_t<decltype(request)>;
            if constexpr (std::is_same_v<Request, TaskManagerHeartbeatRequest>) {
                fx.reply(from, beat(ctx, request, fx));
            } else if constexpr (requires { on(ctx, request, fx); }) {
                fx.reply(from, typename Request::Response{});
                on(ctx, request, fx);
            } else {
                sim::ensure(false, "a TaskManager is asked by its JobManager only");
            }
        },
        message);
    go_on(ctx, fx);
}

void TaskManager::on(const Context& ctx, const DeployRequest& request, Fx& fx) {
    if (session_ && request.session < *session_) return;
    hear(ctx, request.session, fx);
    drop_task(ctx, fx);
    task_.emplace(setup_, process_, request, counters_);
    task_->start(ctx, fx);
}

void TaskManager::on(const Context& ctx, const CancelRequest& request, Fx& fx) {
    if (!runs(request.execution)) return;
    const auto subtask = task_->subtask();
    drop_task(ctx, fx);
    outbox_.emplace_back(TaskStateRequest{request.execution, subtask, TaskState::canceled});
}

void TaskManager::on(const Context& ctx, const TriggerRequest& request, Fx& fx) {
    if (runs(request.execution)) task_->trigger(ctx, request.checkpoint, fx);
}

void TaskManager::on(const Context& ctx, const NotifyRequest& request, Fx& fx) {
    if (runs(request.execution)) task_->notify(ctx, request.checkpoint, fx);
}

void TaskManager::on(const Context& /*ctx*/, const AbortRequest& request, Fx& /*fx*/) {
    if (runs(request.execution)) task_->abort(request.checkpoint);
}

TaskManagerHeartbeatResponse TaskManager::beat(const Context& ctx,
                                               const TaskManagerHeartbeatRequest& request, Fx& fx) {
    hear(ctx, request.session, fx);
    return {.error = ErrorCode::none,
            .execution = task_ ? task_->execution() : 0,
            .running = task_ && task_->running()};
}

// --- from the world -----------------------------------------------------------------------------

void TaskManager::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                           Message&& message, Fx& fx) {
    if (from.lane == job_lane) {
        const auto* registered = std::get_if<RegisterTaskManagerResponse>(&message);
        if (link_->on_reply(from, correlation) && registered != nullptr) {
            asked_ = false;
            registered_ = registered->error == ErrorCode::none;
            if (registered_) hear(ctx, registered->session, fx);
        }
    } else if (task_) {
        task_->on_reply(ctx, from, correlation, std::move(message), fx);
    }
    go_on(ctx, fx);
}

void TaskManager::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    if (peer.lane == job_lane) {
        (void)link_->on_link(ctx, peer, event, fx);
        if (event != sim::LinkEvent::opened) registered_ = asked_ = false;
    } else if (task_) {
        task_->on_link(ctx, peer, event, fx);
    }
    go_on(ctx, fx);
}

void TaskManager::on_timer(const Context& ctx, sim::TimerKey timer, Fx& fx) {
    if (tick(timer) == Tick::job_manager_watch) {
        const auto& job = setup_->app->job;
        fx.arm(key(Tick::job_manager_watch), job.heartbeat_interval);
        if (ctx.now - heard_ >= job.heartbeat_timeout) {
            heard_ = ctx.now;
            drop_task(ctx, fx);
            outbox_.clear();
            (void)link_->close(ctx, job_manager(), fx);
            registered_ = asked_ = false;
        }
    } else if (link_->owns(timer)) {
        if (!link_->on_timer(ctx, timer, fx).empty()) registered_ = asked_ = false;
    } else if (task_) {
        (void)task_->on_timer(ctx, timer, fx);
    }
    go_on(ctx, fx);
}

void TaskManager::on_handoff(const Context& ctx, Message&& message, Fx& fx) {
    if (task_) task_->on_handoff(ctx, std::get<HandOff>(message), fx);
    go_on(ctx, fx);
}

void TaskManager::on_order(const Context& ctx, const sim::Order& order, Fx& fx) {
    if (order.kind == number(Ask::stop)) {
        drop_task(ctx, fx);
        fx.exit(false);
        return;
    }
    const bool stalled = order.kind == number(Ask::stall);
    if (task_ && (stalled || order.kind == number(Ask::unstall))) task_->stall(ctx, stalled, fx);
    go_on(ctx, fx);
}

TaskManager TaskManager::reborn(const sim::Loss&) && {
    TaskManager next(setup_, process_);
    next.counters_ = task_ ? task_->counters() : counters_;
    return next;
}

void TaskManager::audit(const Context& ctx, Fx& fx) const {
    ClientAudit told;
    told.process = process_;
    if (task_) {
        told.sends_open = static_cast<std::int32_t>(task_->pool().open_sends());
        // A job takes checkpoints for ever: a call that has just begun is no sign of anything.
        const auto patience = setup_->producer->client.request_timeout;
        told.call_open = task_->call_open() && ctx.now - task_->since() >= patience;
        told.call_since = task_->since();
        for (const auto& split : task_->reader().splits())
            told.positions.push_back({split.log, task_->reader().position(split.log)});
    }
    fx.observe(told);
}

}  // namespace eos::model
