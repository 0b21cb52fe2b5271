// What each step of a program does. Splitting a step in begin and finish keeps the gap between them
// visible: a crash, a pause or a rebalance can fall into it.

#include <algorithm>

#include "model/application.hpp"

namespace eos::model {
namespace {

/// How long one poll() of an application waits for records.
constexpr auto poll_timeout = milliseconds(500);

// Whether processing this record fails is a property of the record, so it fails again every time.
bool poisoned(const Record& record, sim::Chance chance) {
    if (chance.numerator == 0) return false;
    sim::Rng rng(record.id.value ^ 0x706f69736f6eULL);
    return rng.chance(chance);
}

}  // namespace

// --- poll -----------------------------------------------------------------------------------------

void Application::begin_poll(const Context& ctx, Hands hands, Fx& fx) {
    if (bounded_ && reached_ends(hands)) {
        end_program(ctx, hands, fx);
        return;
    }
    wait_ = Wait::poll;
    hands.consumer->poll(ctx, step().max > 0 ? step().max : config_->batch, poll_timeout, fx);
}

bool Application::reached_ends(const Hands& hands) const {
    return std::all_of(ends_.begin(), ends_.end(), [&](const auto& end) {
        const auto position = hands.consumer->position(end.first);
        return position && *position >= end.second;
    });
}

// --- process --------------------------------------------------------------------------------------

void Application::begin_process(const Context& ctx, Hands hands, Fx& fx) {
    std::int64_t records = 0;
    for (const auto& chunk : chunks_) records += chunk.count;
    Duration work = config_->client_record * records;
    if (records > 0) {
        const auto drawn = rng_.duration(config_->work);
        work += drawn;
    }
    if (work == Duration{}) {
        finish_process(ctx, hands, fx);
        return;
    }
    wait_ = Wait::work;
    fx.arm(key(Tick::app_work), work);
}

// Check before act. One thread checks, so nothing comes in between here; what the filter cannot know
// is what another process, or an earlier life of this one, has done. Simplified: consumers only; in
// a processor an abort would have to take back what the filter has learnt.
bool Application::seen_before(const Context& ctx, LogId log, Offset offset, const Record& record) {
    if (!config_->dedup) return false;
    const bool by_event = config_->dedup->by == DuplicateFilter::By::event;
    const auto key = by_event ? std::pair{record.id.value, std::int64_t{-1}}
                              : std::pair{static_cast<std::uint64_t>(log.value), offset.value};
    return !seen_.try_emplace(key, ctx.now).second;
}

void Application::finish_process(const Context& ctx, Hands hands, Fx& fx) {
    wait_ = Wait::none;
    if (config_->dedup && config_->dedup->remember)
        std::erase_if(seen_, [&](const auto& row) {
            return row.second + *config_->dedup->remember <= ctx.now;
        });
    for (const auto& chunk : chunks_) {
        const auto& records = chunk.payload.records();
        for (std::int32_t i = chunk.first; i < chunk.first + chunk.count; ++i) {
            const auto& record = records[static_cast<std::size_t>(i)];
            if (poisoned(record, config_->poison)) {
                react(ErrorClass::poison, ErrorCode::none, ctx, hands, fx);
                if (wait_ != Wait::none || dead_ || wants_new_clients_ || pc_ == 0) return;
                continue;
            }
            if (seen_before(ctx, chunk.log, chunk.base + i, record)) continue;
            // A consumer's effect is real when it is processed, unless a store keeps it; a processor's
            // when its output is.
            if (config_->kind == AppKind::consumer && !config_->writes_store())
                fx.observe(Effect{process_, config_->consumer.group.value_or(GroupId{-1}),
                                  chunk.log, chunk.base + i, record});
        }
        processed_[chunk.log] = chunk.next_offset();
    }
    end_step(hands, fx);
}

// --- produce --------------------------------------------------------------------------------------

void Application::begin_produce(const Context& ctx, Hands hands, Fx& fx) {
    wait_ = Wait::none;
    outgoing_.clear();
    next_outgoing_ = 0;
    if (config_->kind == AppKind::producer) {
        gather_inputs(ctx, hands, fx);
        if (wait_ != Wait::none) return;
    } else {
        gather_outputs();
    }
    send_outgoing(ctx, hands, fx);
}

// A writer sends again what failed, then what its source has: what is there, up to the batch, or
// exactly as many as the step asks for.
void Application::gather_inputs(const Context& ctx, Hands hands, Fx& fx) {
    outgoing_ = std::exchange(resend_, {});
    const auto available = hands.source.available(*config_, ctx.now);
    const auto wanted = step().records > 0 ? std::int64_t{step().records} : std::int64_t{1};
    const bool enough = available >= wanted;
    if (!enough && outgoing_.empty()) {
        if (hands.source.next_at(*config_, ctx.now) != sim::time_never || available > 0) {
            const auto at = hands.source.next_at(*config_, ctx.now);
            const bool coming = at != sim::time_never;
            if (coming || available < wanted) {
                if (!coming && available > 0) {
                    // The source has ended with fewer than the step asks for: take what is left.
                } else {
                    wait_ = Wait::input;
                    // With some available already, the next one is what is missing.
                    const auto delay = at > ctx.now ? at - ctx.now : milliseconds(1);
                    fx.arm(key(Tick::app_rate), delay);
                    return;
                }
            }
        } else if (sends_.empty()) {
            end_program(ctx, hands, fx);
            return;
        } else {
            wait_ = Wait::input;  // nothing to come but answers; a failed send may come back
            return;
        }
    }
    const auto take = std::min<std::int64_t>(available, step().records > 0 ? step().records
                                                                           : config_->batch);
    for (std::int64_t n = 0; n < take; ++n) {
        const auto taken = hands.source.take(*config_);
        auto wanted_records = records_of(*config_, process_, taken.input);
        if (step().to) {
            // The step names the topic: one record, whatever the workload would spread.
            wanted_records.resize(1);
            wanted_records.front().to = *step().to;
        }
        legs_[taken.input] = static_cast<std::int32_t>(wanted_records.size());
        for (auto& record : wanted_records) {
            if (step().key) record.record.key = *step().key;
            fx.observe(InputOffered{process_, record.record, taken.again});
            outgoing_.push_back({record.to, step().partition, record.record, taken.input});
        }
    }
}

void Application::gather_outputs() {
    for (const auto& chunk : chunks_) {
        const auto& records = chunk.payload.records();
        for (std::int32_t i = chunk.first; i < chunk.first + chunk.count; ++i) {
            auto record = records[static_cast<std::size_t>(i)];
            if (poisoned(record, config_->poison)) continue;
            if (step().key) record.key = *step().key;
            if (step().to) {
                outgoing_.push_back({*step().to, step().partition, record, {}});
                continue;
            }
            // fan-out: one record per topic; otherwise one output per input.
            const bool fan_out = config_->workload.kind == WorkloadKind::fan_out;
            const auto& topics = fan_out && !config_->workload.to.empty() ? config_->workload.to
                                                                          : config_->to;
            if (fan_out) {
                for (const auto to : topics) outgoing_.push_back({to, step().partition, record, {}});
            } else {
                outgoing_.push_back({topics.front(), step().partition, record, {}});
            }
        }
    }
}

void Application::send_outgoing(const Context& ctx, Hands hands, Fx& fx) {
    while (next_outgoing_ < outgoing_.size()) {
        auto next = outgoing_[next_outgoing_];
        next.in_transaction = in_txn_;
        const auto sent = hands.producer->send(ctx, next.to, next.partition, next.record,
                                               config_->keys.has_value(), config_->size, fx);
        switch (sent.kind) {
            case SendResult::Kind::taken:
                sends_.emplace(sent.order, next);
                if (in_txn_) txn_sent_.push_back(next);
                ++next_outgoing_;
                break;
            case SendResult::Kind::would_block:
                // Metadata or memory is missing: send() blocks up to max.block.ms (P1).
                if (wait_ != Wait::blocked) {
                    wait_ = Wait::blocked;
                    since_ = ctx.now;
                    fx.arm(key(Tick::app_retry), config_->producer.max_block);
                }
                return;
            case SendResult::Kind::refused:
                send_refused(sent.error, ctx, hands, fx);
                return;
        }
    }
    if (wait_ == Wait::blocked) fx.disarm(key(Tick::app_retry));
    end_step(hands, fx);
}

void Application::send_refused(ErrorCode error, const Context& ctx, Hands hands, Fx& fx) {
    if (wait_ == Wait::blocked) fx.disarm(key(Tick::app_retry));
    wait_ = Wait::none;
    if (error == ErrorCode::request_timed_out) hands.producer->give_up_send(error);  // P3
    if (in_txn_) {  // send() throws at once when the transaction can only abort (T3)
        react(txn_error_class(error, hands), error, ctx, hands, fx);
        return;
    }
    failed_.push_back({outgoing_[next_outgoing_++], error});
    if (error != ErrorCode::request_timed_out) refused_ = ctx.now;
    const auto step_before = pc_;
    if (!has_step(StepKind::flush)) react(ErrorClass::failed_send, error, ctx, hands, fx);
    const bool still_here = wait_ == Wait::none && pc_ == step_before && !dead_;
    if (still_here) send_outgoing(ctx, hands, fx);
}

// --- offsets --------------------------------------------------------------------------------------

void Application::begin_commit(const Context& ctx, Hands hands, Fx& fx) {
    commit_ =
        offsets_of_step(step().at_position || commits_before_processing() ? polled_ : processed_);
    if (commit_.empty()) {
        end_step(hands, fx);
        return;
    }
    if (step().async) {
        (void)hands.consumer->commit_async(ctx, commit_, fx);
        processed_.clear();
        polled_.clear();
        end_step(hands, fx);
        return;
    }
    wait_ = Wait::commit;
    (void)hands.consumer->commit_sync(ctx, commit_, fx);
}

/// What the step commits, as its options say.
std::vector<CommitOffset> Application::offsets_of_step(
    const std::map<LogId, Offset>& offsets) const {
    const auto& only = step().only;
    std::vector<CommitOffset> result;
    for (const auto& [log, offset] : offsets) {
        if (!only.empty() && std::find(only.begin(), only.end(), log) == only.end()) continue;
        auto& part = result.emplace_back(CommitOffset{log, offset, {}, step().bytes});
        for (const auto& chunk : chunks_)
            if (chunk.log == log) part.leader_epoch = chunk.leader_epoch;
        for (const auto& own : step().bytes_of)
            if (own.first == log) part.metadata_bytes = own.second;
    }
    return result;
}

// At-most-once: the commit stands between poll and process and means what was polled.
bool Application::commits_before_processing() const {
    const auto& program = in_setup_ ? config_->setup : config_->steps;
    for (auto i = pc_; i-- > 0;) {
        if (program[i].kind == StepKind::process) return false;
        if (program[i].kind == StepKind::poll) return true;
    }
    return false;
}

void Application::begin_seek(const Context& ctx, Hands hands, Fx& fx) {
    const auto owned = hands.consumer->assignment();
    processed_.clear();
    polled_.clear();
    chunks_.clear();
    switch (step().seek) {
        case SeekTo::committed:
            wait_ = Wait::rewind;
            hands.consumer->seek_to_committed(ctx, fx);
            return;
        case SeekTo::earliest: hands.consumer->seek_to_beginning(ctx, owned, fx); break;
        case SeekTo::end: hands.consumer->seek_to_end(ctx, owned, fx); break;
        case SeekTo::offset:
            for (const auto log : owned) hands.consumer->seek(ctx, log, step().offset, fx);
            break;
    }
    end_step(hands, fx);
}

void Application::ask_end_offset(const Context& ctx, Hands hands, Fx& fx) {
    if (end_queries_.empty()) {
        bounded_ = has_step(StepKind::poll);
        end_step(hands, fx);
        return;
    }
    wait_ = Wait::end_offset;
    hands.consumer->end_offset(ctx, end_queries_.back(), fx);
}

}  // namespace eos::model
