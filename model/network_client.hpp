#pragma once
// The connections of one component of a node (producer, consumer, replica fetcher, controller
// channel): a value that its owner steps. It opens connections when they are wanted, keeps the
// requests in flight of each in order, and turns a late answer into what Kafka makes of it: the
// connection closes and EVERY request on it fails at once (N4), while the bytes already sent may
// still be executed (N5). The owner passes on its links, replies and timers, and gets outcomes.

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "model/config.hpp"
#include "model/vocabulary.hpp"
#include "sim/rng.hpp"

namespace eos::model {

using sim::Correlation;
using sim::Instant;
using sim::Peer;

/// N7, N8: min(max, rand(0.8..1.2) * initial * 2^attempt); constant if max <= initial. Draws once
/// unless the result is constant or zero. `attempt` counts from 0.
[[nodiscard]] Duration backoff(sim::Rng& rng, Duration initial, Duration max, std::int32_t attempt);

/// How one request ended for its caller.
struct Outcome {
    enum class Kind : std::uint8_t { reply, disconnect, timeout };
    Peer peer;
    Correlation correlation;
    std::int64_t tag = 0;  ///< what the owner gave to send()
    Api api = Api::produce;
    Kind kind = Kind::reply;
    friend bool operator==(const Outcome&, const Outcome&) = default;

    /// What a caller reads instead of an answer: none, NETWORK_EXCEPTION or REQUEST_TIMED_OUT.
    [[nodiscard]] ErrorCode error() const;
};
/// In the order the requests were sent.
using Outcomes = boost::container::small_vector<Outcome, 6>;

class NetworkClient {
  public:
    enum class State : std::uint8_t { disconnected, connecting, ready, backoff };

    /// `component` keeps the timers of two network clients of one node apart (use the lane).
    NetworkClient(const ClientConfig& config, std::int32_t max_in_flight, std::uint8_t component,
                  sim::Rng rng);

    // --- asking ----------------------------------------------------------------------------------
    [[nodiscard]] State state(Peer peer) const;
    /// Connected and below max in flight (N3): send() may be called.
    /// Simplified: a sent request has left the buffer at once.
    [[nodiscard]] bool ready(Peer peer) const;
    [[nodiscard]] std::int32_t in_flight(Peer peer) const;
    [[nodiscard]] std::int32_t in_flight() const;
    /// When the connection was last tried; time_zero if never.
    [[nodiscard]] Instant last_attempt(Peer peer) const;
    /// Whether any connection is being set up.
    [[nodiscard]] bool connecting() const;
    /// How many connections were refused, lost or given up so far: each is a reason to refresh
    /// metadata (N9); ClientMetadata watches this number.
    [[nodiscard]] std::int64_t losses() const { return losses_; }
    /// Whether a timer belongs to this client.
    [[nodiscard]] bool owns(const sim::TimerKey& key) const;

    // --- doing -----------------------------------------------------------------------------------
    /// Opens the connection unless it is open or opening; in backoff, as soon as that is over.
    void want(const Context& ctx, Peer peer, Fx& fx);
    /// Sends over a ready connection. The deadline counts from now.
    Correlation send(const Context& ctx, Peer peer, Message request, Duration timeout,
                     std::int64_t tag, Fx& fx);
    /// Sends a request that gets no answer (acks=0): it is never in flight.
    void send_unanswered(Peer peer, Message request, Fx& fx);
    /// Closes one connection on our own account: its requests end as disconnected, and the
    /// reconnect backoff runs, but it counts as no loss and no reason to refresh metadata.
    Outcomes close(const Context& ctx, Peer peer, Fx& fx);
    /// Closes everything without a word to anybody: the owner is going away.
    void close_all(Fx& fx);

    // --- being told ------------------------------------------------------------------------------
    /// An answer came; empty if nothing waits for it.
    [[nodiscard]] std::optional<Outcome> on_reply(Peer peer, Correlation correlation);
    [[nodiscard]] Outcomes on_link(const Context& ctx, Peer peer, sim::LinkEvent event, Fx& fx);
    /// A timer that this client owns() rang. After it the owner should look again at what it wants
    /// to send: a backoff may have ended.
    [[nodiscard]] Outcomes on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx);

    friend bool operator==(const NetworkClient&, const NetworkClient&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(max_in_flight_, component_, rng_, connections_, next_, losses_);
    }

  private:
    struct Pending {
        Correlation correlation;
        std::int64_t tag = 0;
        Api api = Api::produce;
        Instant deadline{};
        sim::Facts facts;
        friend bool operator==(const Pending&, const Pending&) = default;
        [[nodiscard]] auto fields() const {
            return std::tie(correlation, tag, api, deadline, facts);
        }
    };
    struct Connection {
        Peer peer;
        State state = State::disconnected;
        bool wanted = false;        ///< reopen when the backoff is over
        std::int32_t failures = 0;  ///< since it was last open: exponent of the backoff (N8)
        std::int32_t setup_failures = 0;
        Instant last_attempt{};
        Instant ready_at{};               ///< end of the backoff
        Instant armed = sim::time_never;  ///< when the request timeout timer rings; never: unarmed
        std::vector<Pending> pending;
        friend bool operator==(const Connection&, const Connection&) = default;
        [[nodiscard]] auto fields() const {
            return std::tie(peer, state, wanted, failures, setup_failures, last_attempt, ready_at,
                            armed, pending);
        }
    };

    [[nodiscard]] const Connection* find(Peer peer) const;
    Connection& at(Peer peer);
    [[nodiscard]] sim::TimerKey timer(Tick tick, const Connection& connection) const;
    void open(const Context& ctx, Connection& connection, Fx& fx);
    void watch(const Context& ctx, Connection& connection, Fx& fx);
    /// The connection is gone: its requests fail, the backoff begins.
    Outcomes lose(const Context& ctx, Connection& connection, Outcome::Kind kind, Fx& fx);
    Outcomes fail_pending(const Context& ctx, Connection& connection, Outcome::Kind kind, Fx& fx);

    ClientConfig config_;
    std::int32_t max_in_flight_;
    std::uint8_t component_;
    sim::Rng rng_;
    std::vector<Connection> connections_;  ///< in order of first use: the index names the timers
    Correlation next_{1};
    std::int64_t losses_ = 0;
};

}  // namespace eos::model
