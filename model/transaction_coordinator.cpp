#include "model/transaction_coordinator.hpp"

#include <utility>

#include "model/spared.hpp"

namespace eos::model {
namespace {

[[nodiscard]] sim::Facts reign_facts(const Context& ctx, LogId log, LeaderEpoch epoch) {
    return told({{Fact::kind, static_cast<std::int64_t>(CoordinatorKind::txn)},
                 {Fact::log, log.value},
                 {Fact::broker, ctx.self.value},
                 {Fact::epoch, epoch.value}});
}

/// The transactional id a request is about, except AddPartitionsToTxn, which may be about several.
[[nodiscard]] TransactionalId subject_of(const Message& message) {
    if (const auto* init = std::get_if<InitProducerIdRequest>(&message)) return *init->txid;
    if (const auto* offsets = std::get_if<AddOffsetsToTxnRequest>(&message))
        return offsets->who.txid;
    return std::get<EndTxnRequest>(message).who.txid;
}

}  // namespace

TransactionCoordinator::TransactionCoordinator(std::shared_ptr<const Topology> topology,
                                               std::shared_ptr<const ClusterConfig> config)
    : topology_(std::move(topology)), config_(std::move(config)) {
    guard_.set = config_->safeguards;
    std::vector<LogId> homes;
    for (std::size_t i = 0; i < topology_->transactional_ids.size(); ++i) {
        const auto log = topology_->transaction_log({static_cast<std::int32_t>(i)});
        homes.push_back(log.value_or(LogId{-1}));
    }
    homes_ = std::make_shared<const std::vector<LogId>>(std::move(homes));
}

std::optional<LogId> TransactionCoordinator::home(TransactionalId txid) const {
    const auto i = static_cast<std::size_t>(txid.value);
    if (i >= homes_->size()) return topology_->transaction_log(txid);
    if ((*homes_)[i].value < 0) return std::nullopt;
    return (*homes_)[i];
}

const TransactionShard* TransactionCoordinator::shard(LogId log) const {
    const auto found = shards_.find(log);
    return found == shards_.end() ? nullptr : &found->second;
}

template <class Action>
void TransactionCoordinator::step(const Context& ctx, LogId log, ProducerIdPool& ids,
                                  TransactionOutput& out, Fx& fx, Action action) {
    const auto found = shards_.find(log);
    if (found == shards_.end()) return;
    TransactionStep inner{ctx, *config_, *topology_, guard_, ids, batched_, out, fx};
    action(found->second, inner);
    reach_spared(guard_, fx);
}

// --- leadership ----------------------------------------------------------------------------------

bool TransactionCoordinator::lead(const Context& ctx, LogId log, LeaderEpoch epoch,
                                  TransactionOutput& out, Fx& fx) {
    const auto [place, added] = shards_.try_emplace(log, TransactionShard(log, epoch));
    if (!added) {
        if (epoch <= place->second.epoch()) return place->second.loading();
        place->second.reload(epoch, out);
    }
    if (!scans_armed_) {
        scans_armed_ = true;
        fx.arm(key(Tick::txn_timeout_scan), config_->transaction_timeout_check);
        fx.arm(key(Tick::txn_id_expiry), config_->transactional_id_check);
    }
    fx.reach(number(Mile::coordinator_loading), reign_facts(ctx, log, epoch));
    return true;
}

void TransactionCoordinator::replay(LogId log, const Batch& batch) {
    const auto found = shards_.find(log);
    if (found != shards_.end()) found->second.replay(batch);
}

void TransactionCoordinator::resume(LogId log, const TransactionShard::Fold& fold) {
    const auto found = shards_.find(log);
    if (found != shards_.end()) found->second.resume(fold);
}

void TransactionCoordinator::loaded(const Context& ctx, LogId log, ProducerIdPool& ids,
                                    TransactionOutput& out, Fx& fx) {
    step(ctx, log, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
        if (!shard.loading()) return;
        shard.loaded(s);
        fx.reach(number(Mile::coordinator_loaded), reign_facts(ctx, log, shard.epoch()));
        declare(ctx, log, fx);
    });
}

/// Of every id that is known beforehand or was found in the log. The successor declares itself; the
/// predecessor says nothing when it learns of it, perhaps much later.
void TransactionCoordinator::declare(const Context& ctx, LogId log, Fx& fx) const {
    const auto known = static_cast<std::int32_t>(homes_->size());
    for (std::int32_t i = 0; i < known; ++i)
        if ((*homes_)[static_cast<std::size_t>(i)] == log)
            fx.declare(role(Role::txn_coordinator, i), {ctx.self});
    for (const auto txid : shards_.at(log).ids())
        if (txid.value >= known) fx.declare(role(Role::txn_coordinator, txid.value), {ctx.self});
}

void TransactionCoordinator::resign(const Context& ctx, LogId log, ProducerIdPool& ids,
                                    TransactionOutput& out, Fx& fx) {
    step(ctx, log, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
        shard.unload(s);
        fx.reach(number(Mile::coordinator_unloaded), reign_facts(ctx, log, shard.epoch()));
    });
    shards_.erase(log);
}

void TransactionCoordinator::resume(const Context& ctx, TransactionalId txid, ProducerIdPool& ids,
                                    TransactionOutput& out, Fx& fx) {
    if (const auto log = home(txid))
        step(ctx, *log, ids, out, fx,
             [&](TransactionShard& shard, TransactionStep& s) { shard.resume(s, txid); });
}

// --- requests ------------------------------------------------------------------------------------

bool TransactionCoordinator::handles(const Message& message) {
    if (const auto* init = std::get_if<InitProducerIdRequest>(&message))
        return init->txid.has_value();
    return std::holds_alternative<AddPartitionsToTxnRequest>(message) ||
           std::holds_alternative<AddOffsetsToTxnRequest>(message) ||
           std::holds_alternative<EndTxnRequest>(message);
}

ErrorCode TransactionCoordinator::unavailable(std::optional<LogId> log) const {
    const auto* found = log ? shard(*log) : nullptr;
    if (!found) return ErrorCode::not_coordinator;
    return found->loading() ? ErrorCode::coordinator_load_in_progress : ErrorCode::none;
}

void TransactionCoordinator::on_request(const Context& ctx, const ReplyTo& to,
                                        const Message& message, ProducerIdPool& ids,
                                        TransactionOutput& out, Fx& fx) {
    if (const auto* adds = std::get_if<AddPartitionsToTxnRequest>(&message))
        return on_add(ctx, to, *adds, ids, out, fx);
    const auto log = home(subject_of(message));
    auto error = unavailable(log);
    const auto* init = std::get_if<InitProducerIdRequest>(&message);
    if (init &&
        (init->timeout <= sim::Duration{} || init->timeout > config_->transaction_max_timeout))
        error = ErrorCode::invalid_transaction_timeout;  // INI-4
    if (error != ErrorCode::none) {
        const auto number = static_cast<std::int32_t>(error);
        out.replies.push_back({to, *Vocabulary::refusal(message, number)});
        return;
    }
    step(ctx, *log, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
        if (init) shard.init(s, to, *init);
        if (const auto* end = std::get_if<EndTxnRequest>(&message)) shard.end(s, to, *end);
        if (const auto* offsets = std::get_if<AddOffsetsToTxnRequest>(&message))
            shard.add_offsets(s, to, *offsets, *topology_->offsets_log(offsets->group));  // ADD-9
    });
}

void TransactionCoordinator::on_add(const Context& ctx, const ReplyTo& to,
                                    const AddPartitionsToTxnRequest& request, ProducerIdPool& ids,
                                    TransactionOutput& out, Fx& fx) {
    // TV2-4: what a leader enrols is a TV2 producer's (TransactionVersion in Kafka).
    const auto version = request.from_broker ? TransactionVersion::tv2 : TransactionVersion::tv0;
    const auto number = batched_.open(to, request);
    for (std::size_t i = 0; i < request.entries.size(); ++i) {
        const auto& entry = request.entries[i];
        const BatchedAnswers::Place place{number, i};
        const auto log = home(entry.who.txid);
        const auto error = unavailable(log);
        if (error != ErrorCode::none) {
            batched_.settle(place, error, out);
            continue;
        }
        step(ctx, *log, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
            shard.add(s, place, entry, version);
        });
    }
}

void TransactionCoordinator::on_marker_results(const Context& ctx, const MarkerResults& results,
                                               ProducerIdPool& ids, TransactionOutput& out,
                                               Fx& fx) {
    std::map<LogId, MarkerResults> by_home;
    for (const auto& result : results) by_home[result.marker.home].push_back(result);
    for (const auto& home : by_home)
        step(ctx, home.first, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
            shard.on_marker_results(s, home.second);
        });
}

// --- timers, orders ------------------------------------------------------------------------------

bool TransactionCoordinator::owns(const sim::TimerKey& timer) {
    const auto what = tick(timer);
    return what == Tick::txn_timeout_scan || what == Tick::txn_id_expiry ||
           what == Tick::txn_append_timeout || (what == Tick::txn_marker_retry && timer.b == 1);
}

void TransactionCoordinator::on_timer(const Context& ctx, const sim::TimerKey& timer,
                                      ProducerIdPool& ids, TransactionOutput& out, Fx& fx) {
    const auto what = tick(timer);
    if (what == Tick::txn_timeout_scan) {
        fx.arm(timer, config_->transaction_timeout_check);
        for (const auto& [log, unused] : shards_)
            step(ctx, log, ids, out, fx,
                 [](TransactionShard& shard, TransactionStep& s) { shard.abort_overdue(s); });
    } else if (what == Tick::txn_id_expiry) {
        fx.arm(timer, config_->transactional_id_check);
        for (const auto& [log, unused] : shards_)
            step(ctx, log, ids, out, fx, [](TransactionShard& shard, TransactionStep& s) {
                shard.expire(s, std::nullopt);
            });
    } else {
        step(ctx, {static_cast<std::int32_t>(timer.a)}, ids, out, fx,
             [&](TransactionShard& shard, TransactionStep& s) {
                 if (what == Tick::txn_append_timeout) shard.on_timeout(s);
                 if (what == Tick::txn_marker_retry) shard.retry_completions(s);
             });
    }
}

bool TransactionCoordinator::understands(const sim::Order& order) {
    return order.kind == number(Ask::expire_transactional_ids) ||
           order.kind == number(Ask::fence_producer);
}

void TransactionCoordinator::on_order(const Context& ctx, const sim::Order& order,
                                      ProducerIdPool& ids, TransactionOutput& out, Fx& fx) {
    const auto named = order.facts.find(number(Fact::txid));
    if (!named) return;
    const TransactionalId txid{static_cast<std::int32_t>(*named)};
    const auto log = home(txid);
    if (!log) return;
    step(ctx, *log, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
        if (order.kind == number(Ask::expire_transactional_ids)) shard.expire(s, txid);
        if (order.kind == number(Ask::fence_producer)) shard.shut_out(s, txid);
    });
}

// --- news of the log -----------------------------------------------------------------------------

bool TransactionCoordinator::wants(LogId log, std::int64_t token) const {
    const auto* found = shard(log);
    return found && found->wants(token);
}

void TransactionCoordinator::appended(const Context& ctx, LogId log, std::int64_t token,
                                      Offset base, ProducerIdPool& ids, TransactionOutput& out,
                                      Fx& fx) {
    step(ctx, log, ids, out, fx,
         [&](TransactionShard& shard, TransactionStep& s) { shard.appended(s, token, base); });
}

void TransactionCoordinator::append_failed(const Context& ctx, LogId log, std::int64_t token,
                                           ErrorCode error, ProducerIdPool& ids,
                                           TransactionOutput& out, Fx& fx) {
    step(ctx, log, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
        shard.append_failed(s, token, error);
    });
}

void TransactionCoordinator::on_high_watermark(const Context& ctx, LogId log, Offset high_watermark,
                                               ProducerIdPool& ids, TransactionOutput& out,
                                               Fx& fx) {
    step(ctx, log, ids, out, fx, [&](TransactionShard& shard, TransactionStep& s) {
        shard.on_high_watermark(s, high_watermark);
    });
}

void TransactionCoordinator::audit(const Context& ctx, Fx& fx) const {
    for (const auto& [log, shard] : shards_) shard.audit(ctx, *config_, fx);
}

}  // namespace eos::model
