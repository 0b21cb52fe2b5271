#include "model/consumer.hpp"

#include <algorithm>
#include <utility>

#include "model/spared.hpp"
#include "sim/ensure.hpp"

namespace eos::model {

using namespace consumer_part;

namespace {

/// KafkaConsumer.DEFAULT_CLOSE_TIMEOUT_MS.
constexpr Duration close_timeout = seconds(30);
/// ConsumerConfig sets the consumer's own limit; five is the producer's (N3).
constexpr std::int32_t max_in_flight = 100;

template <class... Handlers>
struct Overload : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overload(Handlers...) -> Overload<Handlers...>;

}  // namespace

std::string_view name(CallResult result) {
    switch (result) {
        case CallResult::ok:
            return "ok";
        case CallResult::timed_out:
            return "timed-out";
        case CallResult::retriable_commit_failed:
            return "retriable-commit-failed";
        case CallResult::commit_failed:
            return "commit-failed";
        case CallResult::rebalance_in_progress:
            return "rebalance-in-progress";
        case CallResult::no_offset:
            return "no-offset";
        case CallResult::offset_out_of_range:
            return "offset-out-of-range";
        case CallResult::log_truncation:
            return "log-truncation";
        case CallResult::interrupted:
            return "interrupted";
        case CallResult::fatal:
            return "fatal";
    }
    return "";
}

Consumer::Consumer(std::shared_ptr<const ConsumerConfig> config,
                   std::shared_ptr<const Topology> topology, ProcessId process, sim::Rng rng)
    : config_(std::move(config)),
      topology_(std::move(topology)),
      process_(process),
      rng_(rng),
      guard_{config_->safeguards, {}},
      net_(config_->client, max_in_flight, fetch_lane, sim::Rng(rng_.next())),
      metadata_(topology_, config_->client, fetch_lane, fetch_lane, sim::Rng(rng_.next())),
      member_(config_),
      modern_(config_, modern() ? MemberId{rng_.next()} : MemberId{}) {}

// --- calls that return at once -------------------------------------------------------------------

void Consumer::subscribe(const Context& ctx, std::vector<TopicId> topics, Fx& fx) {
    sim::ensure(config_->group.has_value(), "a subscription needs a group");
    sim::ensure(subscriptions_.automatic() || subscriptions_.assigned().empty(),
                "subscription and manual assignment exclude each other");
    for (const TopicId topic : topics) metadata_.watch(topic);
    // With KIP-848 the next heartbeat tells.
    if (subscriptions_.subscribe(std::move(topics)) && !modern()) member_.request_rejoin();
    go_on(ctx, fx);
}

void Consumer::assign(const Context& ctx, std::vector<LogId> logs, Fx& fx) {
    sim::ensure(!subscriptions_.automatic(),
                "subscription and manual assignment exclude each other");
    // There is no rebalance before which what is given up could be committed.
    if (!subscriptions_.assigned().empty()) step_auto_commit(ctx, fx);
    for (const LogId log : logs)
        metadata_.watch(topology_->logs[static_cast<std::size_t>(log.value)].topic);
    subscriptions_.assign(std::move(logs));
    fetcher_.retain(subscriptions_);
    auto_commit_at_ = ctx.now + config_->auto_commit_interval;
    go_on(ctx, fx);
}

void Consumer::unsubscribe(const Context& ctx, Fx& fx) {
    if (subscriptions_.automatic()) {
        if (modern()) {
            modern_.leave();
            run_callbacks(fx);
        } else {
            give_up_all(member_.lost(), fx);
            leave_group(ctx, fx);
            member_.forget_rebalance();
        }
        if (prepare_)
            std::erase_if(commits_,
                          [&](const CommitWork& work) { return work.number == prepare_->commit; });
        prepare_.reset();
    }
    subscriptions_.unsubscribe();
    fetcher_.retain(subscriptions_);
    go_on(ctx, fx);
}

void Consumer::seek(const Context& ctx, LogId log, Offset offset, Fx& fx) {
    auto* part = subscriptions_.find(log);
    sim::ensure(part != nullptr, "only an assigned log can be sought in");
    subscriptions_.seek(*part, {offset, std::nullopt, leader_of(log)}, guard_);
    tell_position(log, offset, PositionSet::Why::seek, fx);
    go_on(ctx, fx);
}

void Consumer::seek_to_beginning(const Context& ctx, const std::vector<LogId>& logs, Fx& fx) {
    seek_to(ctx, logs, OffsetSpec::earliest, fx);
}

void Consumer::seek_to_end(const Context& ctx, const std::vector<LogId>& logs, Fx& fx) {
    seek_to(ctx, logs, OffsetSpec::latest, fx);
}

std::int32_t Consumer::commit_async(const Context& ctx, std::vector<CommitOffset> offsets, Fx& fx) {
    const auto number = start_commit(ctx, CommitWork::Origin::async, std::move(offsets));
    go_on(ctx, fx);
    return number;
}

// --- calls that end with an event ----------------------------------------------------------------

void Consumer::begin(const Context& ctx, Duration timeout, decltype(Call::what) what) {
    sim::ensure(!closed_, "a closed consumer is not called");
    sim::ensure(!call_, "a consumer has one open call");
    call_ = Call{ctx.now, ctx.now + timeout, std::move(what)};
}

void Consumer::finish(ConsumerEvent event) {
    call_.reset();
    events_.push_back(std::move(event));
}

void Consumer::poll(const Context& ctx, std::int32_t max_records, Duration timeout, Fx& fx) {
    begin(ctx, timeout, call::Poll{max_records > 0 ? max_records : config_->max_poll_records});
    go_on(ctx, fx);
}

std::int32_t Consumer::commit_sync(const Context& ctx, std::vector<CommitOffset> offsets, Fx& fx) {
    const auto number = start_commit(ctx, CommitWork::Origin::sync, std::move(offsets));
    begin(ctx, config_->default_api_timeout, call::CommitSync{number});
    go_on(ctx, fx);
    return number;
}

void Consumer::seek_to_committed(const Context& ctx, Fx& fx) {
    begin(ctx, config_->default_api_timeout, call::Rewind{++number_});
    go_on(ctx, fx);
}

void Consumer::end_offset(const Context& ctx, LogId log, Fx& fx) {
    metadata_.watch(topology_->logs[static_cast<std::size_t>(log.value)].topic);
    begin(ctx, config_->default_api_timeout, call::EndOffset{log, ++number_, {}});
    go_on(ctx, fx);
}

void Consumer::close(const Context& ctx, Fx& fx) {
    if (call_) {
        if (const auto* sync = std::get_if<call::CommitSync>(&call_->what))
            std::erase_if(commits_,
                          [&](const CommitWork& work) { return work.number == sync->number; });
        call_.reset();
    }
    begin(ctx, close_timeout, call::Close{});
    go_on(ctx, fx);
}

void Consumer::wakeup(const Context& ctx, Fx& fx) {
    if (!call_ || !std::holds_alternative<call::Poll>(call_->what)) return;
    finish(consumer_event::PollReturned{CallResult::interrupted, ErrorCode::none, {}});
    go_on(ctx, fx);
}

void Consumer::abandon(Fx& fx) {
    net_.close_all(fx);
    fx.disarm(key(Tick::consumer_poll));
    fx.disarm(key(Tick::heartbeat));
    sent_.clear();
    call_.reset();
    closed_ = true;
}

void Consumer::stall(const Context& ctx, bool stalled, Fx& fx) {
    stalled_ = stalled;
    go_on(ctx, fx);
}

// --- queries -------------------------------------------------------------------------------------

std::vector<ConsumerEvent> Consumer::take_events() { return std::exchange(events_, {}); }
bool Consumer::call_open() const { return call_.has_value(); }
sim::Instant Consumer::call_since() const { return call_ ? call_->since : sim::time_zero; }
std::vector<LogId> Consumer::assignment() const { return subscriptions_.logs(); }
std::vector<CommitOffset> Consumer::positions() const { return subscriptions_.consumed(); }
MemberRef Consumer::group_metadata() const { return group_metadata_; }

std::optional<Offset> Consumer::position(LogId log) const {
    const auto* part = subscriptions_.find(log);
    if (part == nullptr || part->state != FetchState::fetching) return std::nullopt;
    return part->position->offset;
}

bool Consumer::owns(const sim::TimerKey& timer) const {
    return tick(timer) == Tick::consumer_poll || tick(timer) == Tick::heartbeat ||
           net_.owns(timer) || metadata_.owns(timer);
}

// --- being told ----------------------------------------------------------------------------------

void Consumer::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                        Message message, Fx& fx) {
    if (closed_) return;
    const auto outcome = net_.on_reply(from, correlation);
    if (!outcome) return;
    settle(ctx, *outcome, &message, fx);
    go_on(ctx, fx);
}

void Consumer::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    if (closed_) return;
    const auto outcomes = net_.on_link(ctx, peer, event, fx);
    // The second connection serves the coordinator alone: without it there is none (N13).
    if (event != sim::LinkEvent::opened && coordinator_.node && peer == coordinator_peer())
        forget_coordinator(ctx, fx);
    for (const auto& outcome : outcomes) settle(ctx, outcome, nullptr, fx);
    go_on(ctx, fx);
}

void Consumer::on_timer(const Context& ctx, const sim::TimerKey& timer, Fx& fx) {
    if (closed_) return;
    if (net_.owns(timer)) {
        const auto down = [&] {
            return coordinator_.node &&
                   net_.state(coordinator_peer()) == NetworkClient::State::backoff;
        };
        const bool was_down = down();
        const auto outcomes = net_.on_timer(ctx, timer, fx);
        // Also a connection that could not be set up in time and had nothing in flight.
        if (!was_down && down()) forget_coordinator(ctx, fx);
        for (const auto& outcome : outcomes) settle(ctx, outcome, nullptr, fx);
    } else if (tick(timer) == Tick::consumer_poll) {
        wake_at_ = sim::time_never;
    } else if (tick(timer) == Tick::heartbeat) {
        beat_at_ = sim::time_never;
    }
    go_on(ctx, fx);
}

// --- every step ----------------------------------------------------------------------------------

void Consumer::go_on(const Context& ctx, Fx& fx) {
    step_commits(ctx, fx);
    if (modern()) step_reconciliation(ctx, false, fx);
    if (call_ && !stalled_) run_call(ctx, fx);
    if (closed_) return;
    step_commits(ctx, fx);
    step_heartbeat(ctx, fx);
    metadata_.refresh(ctx, net_, fx);
    schedule(ctx, fx);
    reach_spared(guard_, fx);
}

void Consumer::run_call(const Context& ctx, Fx& fx) {
    std::visit(Overload{
                   [&](const call::Poll& poll) { run_poll(ctx, poll.max_records, fx); },
                   [&](const call::CommitSync& sync) { run_commit_sync(ctx, sync.number, fx); },
                   [&](const call::Rewind& rewind) { run_rewind(ctx, rewind.number, fx); },
                   [&](call::EndOffset& end) { run_end_offset(ctx, end, fx); },
                   [&](call::Close& closing) { run_close(ctx, closing, fx); },
               },
               call_->what);
}

Duration Consumer::pause(std::int32_t failures) {
    return backoff(rng_, config_->client.retry_backoff, config_->client.retry_backoff_max,
                   failures);
}

void Consumer::failed(const Context& ctx, Attempt& attempt) {
    attempt.asking = false;
    attempt.retry_at = ctx.now + pause(attempt.failures);
    ++attempt.failures;
}

void Consumer::fail(CallResult result, ErrorCode error) {
    if (!failure_) failure_ = Failure{result, error};
}

bool Consumer::ready(const Context& ctx, sim::Peer peer, Fx& fx) {
    net_.want(ctx, peer, fx);
    return net_.ready(peer);
}

void Consumer::send(const Context& ctx, sim::Peer peer, Message request, Duration timeout,
                    decltype(Sent::what) what, Fx& fx) {
    sent_.push_back({++tag_, std::move(what)});
    net_.send(ctx, peer, std::move(request), timeout, tag_, fx);
}

void Consumer::settle(const Context& ctx, const Outcome& outcome, Message* answer, Fx& fx) {
    if (metadata_.owns(outcome)) {
        metadata_.on_outcome(ctx, outcome,
                             answer ? std::get_if<MetadataResponse>(answer) : nullptr);
        return;
    }
    const auto found = std::find_if(sent_.begin(), sent_.end(),
                                    [&](const Sent& sent) { return sent.tag == outcome.tag; });
    if (found == sent_.end()) return;
    const Sent sent = std::move(*found);
    sent_.erase(found);
    std::visit([&](const auto& what) { ended(ctx, what, outcome, answer, fx); }, sent.what);
}

/// The timers only ever ring early: one that finds nothing due is armed for what comes next.
void Consumer::schedule(const Context& ctx, Fx& fx) {
    const Instant wake = next_wake(ctx.now);
    if (wake < wake_at_) {
        wake_at_ = wake;
        fx.arm(key(Tick::consumer_poll), wake - ctx.now);
    }
    Instant beat = sim::time_never;
    if (modern()) {
        beat = modern_beat_due();
    } else if (subscriptions_.automatic() && member_.beating()) {
        beat = member_.beat_due(coordinator_.node.has_value());
        if (!coordinator_.node) beat = std::max(beat, coordinator_.lookup.retry_at);
    }
    if (beat > ctx.now && beat < beat_at_) {
        beat_at_ = beat;
        fx.arm(key(Tick::heartbeat), beat - ctx.now);
    }
}

Instant Consumer::next_wake(Instant now) const {
    Instant next = sim::time_never;
    const auto consider = [&](Instant at) {
        if (at > now && at < next) next = at;
    };
    const bool calling = call_ && !stalled_;
    if (!coordinator_.node && (calling || !commits_.empty()))
        consider(coordinator_.lookup.retry_at);
    for (const auto& work : commits_)
        if (!work.ended) consider(work.attempt.retry_at);
    if (!calling) return next;
    consider(call_->deadline);
    if (const auto* end = std::get_if<call::EndOffset>(&call_->what))
        consider(end->attempt.retry_at);
    consider(offset_fetch_.retry_at);
    if (!std::holds_alternative<call::Poll>(call_->what)) return next;
    consider(member_.retry_at());
    if (prepare_) consider(prepare_->deadline);
    if (config_->auto_commit) consider(auto_commit_at_);
    for (const auto& part : subscriptions_.assigned()) consider(part.retry_at);
    return next;
}

}  // namespace eos::model
