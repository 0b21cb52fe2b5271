#pragma once
// A client process: one instance of an application with its producer and consumer. It passes what the
// engine tells it to the component concerned and lets the application go on. What outlives a crash is
// outside the process: the source it writes from, and how often it has begun.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <variant>

#include "model/application.hpp"
#include "model/consumer.hpp"
#include "model/producer.hpp"
#include "model/store_client.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

/// What all instances of an application share, and the run's seed. Immutable.
struct ClientSetup {
    std::shared_ptr<const AppConfig> app;
    std::shared_ptr<const ConsumerConfig> consumer;  ///< of this instance (group.instance.id)
    std::shared_ptr<const ProducerConfig> producer;
    std::shared_ptr<const Topology> topology;
    std::uint64_t seed = 1;
    sim::Instant load_begins{};
    sim::Instant load_ends{};   ///< the source offers nothing from then on
};

class Client {
  public:
    Client(std::shared_ptr<const ClientSetup> setup, ProcessId process);

    void on_start(const Context& ctx, Fx& fx);
    void on_request(const Context& ctx, const sim::ReplyTo& from, Message&& message, Fx& fx);
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, sim::TimerKey key, Fx& fx);
    void on_handoff(const Context& ctx, Message&& message, Fx& fx);
    void on_order(const Context& ctx, const sim::Order& order, Fx& fx);
    /// A process crash and a power loss are the same to a client: it has no disk.
    [[nodiscard]] Client reborn(const sim::Loss& loss) &&;

    /// Tells the history what it still waits for.
    void audit(const Context& ctx, Fx& fx) const;

    // What it has, while the process lives.
    [[nodiscard]] ProcessId process() const { return process_; }
    /// How often its program has begun, over all lives.
    [[nodiscard]] std::int32_t loops() const { return loops_; }
    [[nodiscard]] const Producer* producer() const { return producer_ ? &*producer_ : nullptr; }
    [[nodiscard]] const Consumer* consumer() const { return consumer_ ? &*consumer_ : nullptr; }
    [[nodiscard]] const Application* application() const {
        return application_ ? &*application_ : nullptr;
    }

    friend bool operator==(const Client&, const Client&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(process_, source_, loops_, sessions_, transactions_, producer_, consumer_,
                        application_, stopping_, signals_, stores_);
    }

  private:
    [[nodiscard]] Hands hands();
    void make_clients(const Context& ctx);
    [[nodiscard]] std::int32_t transactions_begun() const;
    /// As configured, or with a transactional id of this start alone (TxidPolicy::per_start).
    [[nodiscard]] std::shared_ptr<const ProducerConfig> producer_config() const;
    /// Lets the application go on after any of its clients may have an event for it.
    void go_on(const Context& ctx, Fx& fx);

    std::shared_ptr<const ClientSetup> setup_;
    ProcessId process_;
    InputSource source_;
    std::int32_t loops_ = 0;
    std::int32_t sessions_ = 0;      ///< client objects made so far, over all lives
    std::int32_t transactions_ = 0;  ///< begun by former lives
    std::optional<Producer> producer_;
    std::optional<Consumer> consumer_;
    std::optional<StoreClient> stores_;
    std::optional<Application> application_;
    bool stopping_ = false;
    std::set<std::int32_t> signals_;  ///< what a wait_for step may pass, over all lives
};

}  // namespace eos::model
