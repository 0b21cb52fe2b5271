#include "model/producer_pool.hpp"

#include <algorithm>

#include "sim/ensure.hpp"

namespace eos::model {

ProducerSlot ProducerPool::make(std::optional<TransactionalId> txid) {
    ProducerSlot slot{first_lane};
    auto place = producers_.begin();
    while (place != producers_.end() && place->slot == slot) {
        ++place;
        slot = slot.next();
    }
    sim::ensure(slot.value >= first_lane, "a subtask has lanes for all its transactions");
    auto config = setup_->producer;
    if (txid) {
        auto own = *config;
        own.txid = txid;
        config = std::make_shared<const ProducerConfig>(std::move(own));
    }
    producers_.insert(place,
                      Entry{slot, Producer(setup_->topology, config, process_, next_session(),
                                           setup_->seed, counters_.transactions, slot.value)});
    return slot;
}

Producer* ProducerPool::find(std::uint8_t lane) {
    for (auto& entry : producers_)
        if (entry.slot.value == lane) return &entry.producer;
    return nullptr;
}

Producer& ProducerPool::at(ProducerSlot slot) {
    auto* found = find(slot.value);
    sim::ensure(found != nullptr, "a producer of the pool is asked for by its slot");
    return *found;
}

ProducerCall ProducerPool::begin(const Context& ctx, ProducerSlot slot, Fx& fx) {
    auto& producer = at(slot);
    const auto call = producer.begin_transaction(ctx, fx);
    counters_.transactions = std::max(counters_.transactions, producer.transactions_begun());
    return call;
}

void ProducerPool::drop(const Context& ctx, ProducerSlot slot, Fx& fx) {
    at(slot).force_close(ctx, fx);
    std::erase_if(producers_, [&](const Entry& entry) { return entry.slot == slot; });
}

void ProducerPool::drop_all(const Context& ctx, Fx& fx) {
    for (auto& entry : producers_) entry.producer.force_close(ctx, fx);
    producers_.clear();
}

std::int64_t ProducerPool::open_sends() const {
    std::int64_t sum = 0;
    for (const auto& entry : producers_) sum += entry.producer.open_sends();
    return sum;
}

void ProducerPool::on_reply(const Context& ctx, Peer peer, Correlation correlation,
                            const Message& message, Fx& fx) {
    if (auto* producer = find(peer.lane)) producer->on_reply(ctx, peer, correlation, message, fx);
}

void ProducerPool::on_link(const Context& ctx, Peer peer, sim::LinkEvent event, Fx& fx) {
    if (auto* producer = find(peer.lane)) producer->on_link(ctx, peer, event, fx);
}

bool ProducerPool::on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx) {
    return std::any_of(producers_.begin(), producers_.end(),
                       [&](Entry& entry) { return entry.producer.on_timer(ctx, key, fx); });
}

void ProducerPool::run_senders(const Context& ctx, Fx& fx) {
    for (auto& entry : producers_) entry.producer.run_sender(ctx, fx);
}

std::vector<std::pair<ProducerSlot, ProducerEvent>> ProducerPool::take_events() {
    std::vector<std::pair<ProducerSlot, ProducerEvent>> result;
    for (auto& entry : producers_)
        if (entry.producer.has_events())
            for (auto& event : entry.producer.take_events())
                result.emplace_back(entry.slot, std::move(event));
    return result;
}

}  // namespace eos::model
