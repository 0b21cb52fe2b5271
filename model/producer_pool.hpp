#pragma once
// The producer objects of one subtask of a Flink job: the one it writes with, those whose
// transactions wait for their checkpoint, the one of an id that is only being probed (F22-F27).
// Each has a lane of its own, so that their connections, timers and answers never meet. The
// counters outlive the objects: every object is a session of its own, every transaction has a
// number of its own in the ledger. Simplified: Flink hands one object several transactional ids in
// turn and keeps its connections; here an id is an object, which connects anew.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "model/client.hpp"
#include "model/producer.hpp"

namespace eos::model {

/// What a process has made so far, over all its lives.
struct ProducerCounters {
    std::int32_t sessions = 0;      ///< client objects
    std::int32_t transactions = 0;  ///< begun
    friend bool operator==(const ProducerCounters&, const ProducerCounters&) = default;
};

/// One producer object of the pool, by its lane.
using ProducerSlot = sim::Ordinal<struct ProducerSlotTag, std::uint8_t>;

class ProducerPool {
  public:
    /// Lanes below are those of the reader and of the link to the JobManager.
    static constexpr std::uint8_t first_lane = 16;

    ProducerPool(std::shared_ptr<const ClientSetup> setup, ProcessId process,
                 ProducerCounters counters)
        : setup_(std::move(setup)), process_(process), counters_(counters) {}

    /// A new producer; without an id it writes without transactions.
    [[nodiscard]] ProducerSlot make(std::optional<TransactionalId> txid);
    [[nodiscard]] Producer& at(ProducerSlot slot);
    /// Begins a transaction under the next number of this process.
    [[nodiscard]] ProducerCall begin(const Context& ctx, ProducerSlot slot, Fx& fx);
    /// Closes it by force: an open transaction stays open at its coordinator.
    void drop(const Context& ctx, ProducerSlot slot, Fx& fx);
    void drop_all(const Context& ctx, Fx& fx);
    [[nodiscard]] std::int32_t next_session() { return counters_.sessions++; }
    [[nodiscard]] const ProducerCounters& counters() const { return counters_; }
    [[nodiscard]] std::int64_t open_sends() const;
    [[nodiscard]] std::size_t size() const { return producers_.size(); }

    // --- for the host ----------------------------------------------------------------------------
    [[nodiscard]] static bool owns(Peer peer) { return peer.lane >= first_lane; }
    void on_reply(const Context& ctx, Peer peer, Correlation correlation, const Message& message,
                  Fx& fx);
    void on_link(const Context& ctx, Peer peer, sim::LinkEvent event, Fx& fx);
    /// False: not a timer of any of them.
    bool on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx);
    void run_senders(const Context& ctx, Fx& fx);
    /// What happened since the last call, by producer.
    [[nodiscard]] std::vector<std::pair<ProducerSlot, ProducerEvent>> take_events();

    friend bool operator==(const ProducerPool&, const ProducerPool&) = default;
    [[nodiscard]] auto fields() const { return std::tie(process_, counters_, producers_); }

  private:
    struct Entry {
        ProducerSlot slot;
        Producer producer;
        friend bool operator==(const Entry&, const Entry&) = default;
        [[nodiscard]] auto fields() const { return std::tie(slot, producer); }
    };
    [[nodiscard]] Producer* find(std::uint8_t lane);

    std::shared_ptr<const ClientSetup> setup_;
    ProcessId process_;
    ProducerCounters counters_;
    std::vector<Entry> producers_;  ///< sorted by slot
};

}  // namespace eos::model
