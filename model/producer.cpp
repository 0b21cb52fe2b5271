#include "model/producer.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

sim::Rng partitioner_stream(std::uint64_t seed, ProcessId process, std::int32_t session) {
    const auto who = (static_cast<std::uint64_t>(process.app.value) << 32) |
                     static_cast<std::uint32_t>(process.instance);
    return sim::Rng::stream(seed, "producer.partitioner", who, static_cast<std::uint64_t>(session));
}

ProducerEvent event(ProducerEvent::Kind kind) {
    ProducerEvent result;
    result.kind = kind;
    return result;
}

}  // namespace

Producer::Producer(std::shared_ptr<const Topology> topology,
                   std::shared_ptr<const ProducerConfig> config, ProcessId process,
                   std::int32_t session, std::uint64_t seed, std::int32_t transactions_begun,
                   std::uint8_t own_lane)
    : topology_(std::move(topology)),
      config_(std::move(config)),
      process_(process),
      session_(session),
      sender_(topology_, config_, {.process = process, .session = session}, own_lane, seed,
              transactions_begun),
      rng_(partitioner_stream(seed, process, session)) {}

// --- send ----------------------------------------------------------------------------------------

std::optional<ErrorCode> Producer::refusal() const {
    // Kafka throws without a code for a closed producer; this is what such an exception maps to.
    if (phase_ != Phase::open) return ErrorCode::unknown_server_error;
    if (const auto* transactions = sender_.transactions()) return transactions->send_refusal();
    if (fatal()) return sender_.last_error();
    return std::nullopt;
}

SendResult Producer::send(const Context& ctx, TopicId topic,
                          std::optional<PartitionIndex> partition, const Record& record,
                          bool has_key, std::int32_t bytes, Fx& fx) {
    using Kind = SendResult::Kind;
    // Simplified: Kafka finds out that no transaction is open only after the record is in the
    // accumulator, and the next transaction may take it along (P2). Here nothing is left behind.
    if (const auto error = refusal()) return {.kind = Kind::refused, .order = 0, .error = *error};
    ClientMetadata& metadata = sender_.metadata();
    metadata.watch(topic);
    if (!metadata.knows(topic)) {
        metadata.request_refresh();
        blocked_topic_ = topic;
        return {.kind = Kind::would_block, .order = 0, .error = ErrorCode::none};
    }
    const std::int32_t size = batch_header_bytes + bytes;
    if (size > config_->max_request_size ||
        std::max(size, config_->batch_size) > config_->buffer_memory) {
        give_up_send(ErrorCode::message_too_large);
        return {.kind = Kind::refused, .order = 0, .error = ErrorCode::message_too_large};
    }

    StickyPartitioner* stick = nullptr;
    if (!partition && has_key) {
        const Topic& to = topology_->topics[static_cast<std::size_t>(topic.value)];
        partition = partition_of_key(record.key, to.partitions);
    } else if (!partition) {
        stick = &sticky(topic);
        if (!stick->current()) choose(topic, *stick);
        partition = stick->current();
    }
    const LogId log = topology_->log(topic, *partition);
    if (!sender_.append(ctx, log, record, next_order_, bytes)) {
        blocked_bytes_ = std::max(config_->batch_size, size);
        sender_.memory_exhausted();
        return {.kind = Kind::would_block, .order = 0, .error = ErrorCode::none};
    }
    invoked(ctx, log, record, fx);
    if (stick) {
        const bool full = sender_.accumulator().last_batch_full(sender_.batches(), log);
        if (stick->produced(bytes, config_->batch_size, full)) choose(topic, *stick);
    }
    return {.kind = Kind::taken, .order = next_order_++, .error = ErrorCode::none};
}

void Producer::give_up_send(ErrorCode error) {
    auto* transactions = sender_.transactions();
    if (transactions && transactions->state() == Sender::State::in_transaction)
        transactions->failed(error);
}

SendResult Producer::send_batch(const Context& ctx, LogId log, std::vector<Record> records,
                                std::int32_t bytes_each, Fx& fx) {
    using Kind = SendResult::Kind;
    if (const auto error = refusal()) return {.kind = Kind::refused, .order = 0, .error = *error};
    const std::int64_t first = next_order_;
    for (const Record& record : records) {
        invoked(ctx, log, record, fx);
        ++next_order_;
    }
    sender_.append_batch(ctx, log, std::move(records), first, bytes_each);
    return {.kind = Kind::taken, .order = first, .error = ErrorCode::none};
}

void Producer::invoked(const Context& /*ctx*/, LogId log, const Record& record, Fx& fx) {
    fx.observe(SendInvoked{.process = process_,
                           .session = session_,
                           .order = next_order_,
                           .log = log,
                           .record = record,
                           .txn = current_transaction()});
}

StickyPartitioner& Producer::sticky(TopicId topic) {
    const auto place = std::lower_bound(sticky_.begin(), sticky_.end(), topic,
                                        [](const Sticky& s, TopicId id) { return s.topic < id; });
    if (place != sticky_.end() && place->topic == topic) return place->partitioner;
    return sticky_.insert(place, Sticky{.topic = topic, .partitioner = {}})->partitioner;
}

void Producer::choose(TopicId topic, StickyPartitioner& partitioner) {
    const Topic& to = topology_->topics[static_cast<std::size_t>(topic.value)];
    boost::container::small_vector<StickyPartitioner::Candidate, 16> candidates;
    for (std::int32_t i = 0; i < to.partitions; ++i) {
        const LogId log = to.first + i;
        const auto* waiting = sender_.accumulator().find(log);
        candidates.push_back(
            {.partition = {i},
             .queued = waiting ? static_cast<std::int32_t>(waiting->queue.size()) : 0,
             .available = sender_.metadata().leader(log).has_value()});
    }
    partitioner.choose(candidates, rng_);
}

// --- flush, close --------------------------------------------------------------------------------

void Producer::flush() {
    digest_events();
    flush_before_ = next_order_;
    flush_open_ = sender_.open_sends();
    sender_.hurry(true);
    digest_events();
}

void Producer::close() {
    if (phase_ != Phase::open) return;
    phase_ = Phase::closing;
    sender_.hurry(true);
}

void Producer::force_close(const Context& ctx, Fx& fx) {
    if (phase_ == Phase::closed) return;
    sender_.abort_all(ErrorCode::unknown_server_error, fx);
    if (auto* transactions = sender_.transactions()) {
        transactions->close();
        sender_.return_calls(ctx, fx);
    }
    phase_ = Phase::closed;
    sender_.shut_down(fx);
    digest_events();
    sender_.events().push_back(event(ProducerEvent::Kind::closed));
}

void Producer::run_sender(const Context& ctx, Fx& fx) {
    if (phase_ == Phase::closed) return;
    sender_.run(ctx, fx);
    digest_events();
    if (phase_ == Phase::closing && sender_.idle()) {
        auto* transactions = sender_.transactions();
        if (transactions && transactions->ongoing()) {  // P25: an open transaction is aborted
            if (transactions->completing()) return;
            if (transactions->abort(ctx.now).kind == ProducerCall::Kind::refused) {
                force_close(ctx, fx);
                return;
            }
            sender_.run(ctx, fx);
            digest_events();
            if (transactions->ongoing() || !sender_.idle()) return;
        }
        phase_ = Phase::closed;
        sender_.shut_down(fx);
        sender_.events().push_back(event(ProducerEvent::Kind::closed));
    }
}

// --- events --------------------------------------------------------------------------------------

void Producer::digest_events() {
    auto& events = sender_.events();
    if (flushing()) {
        for (std::size_t i = digested_; i < events.size(); ++i) {
            const auto& e = events[i];
            const bool ended =
                e.kind == ProducerEvent::Kind::acked || e.kind == ProducerEvent::Kind::failed;
            if (ended && e.order < *flush_before_) --flush_open_;
        }
        if (flush_open_ == 0) {
            flush_before_.reset();
            sender_.hurry(phase_ == Phase::closing);
            events.push_back(event(ProducerEvent::Kind::flush_done));
        }
    }
    const bool knows = blocked_topic_ && sender_.metadata().knows(*blocked_topic_);
    const bool fits = blocked_bytes_ && sender_.accumulator().memory_free() >= *blocked_bytes_;
    if (knows || fits || (fatal() && (blocked_topic_ || blocked_bytes_))) {
        blocked_topic_.reset();
        blocked_bytes_.reset();
        events.push_back(event(ProducerEvent::Kind::unblocked));
    }
    digested_ = events.size();
}

std::vector<ProducerEvent> Producer::take_events() {
    digest_events();
    digested_ = 0;
    return std::exchange(sender_.events(), {});
}

}  // namespace eos::model
