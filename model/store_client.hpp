#pragma once
// The blocking session of an application with its stores: a driver or an HTTP client. One call at a
// time, over one connection a store. A call ends with an answer, with the connection, or when its
// time is over; after the last two nobody knows what became of it, unless it was never sent (X1).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include "model/network_client.hpp"
#include "model/store_messages.hpp"
#include "model/topology.hpp"

namespace eos::model {

/// How a call ended.
struct StoreAnswer {
    ErrorCode error = ErrorCode::none;  ///< the store's own, or of the call
    Certainty certainty = Certainty::done;
    StoreResponse response;
    friend bool operator==(const StoreAnswer&, const StoreAnswer&) = default;
};

class StoreClient {
  public:
    static constexpr std::uint8_t lane = 3;

    StoreClient(const ClientConfig& config, std::shared_ptr<const Topology> topology,
                ProcessId process, sim::Rng rng);

    /// Begins a call; connects first if need be. Its time is request.timeout.ms, the way to the
    /// connection included. A call that is still open is given up.
    void call(const Context& ctx, StoreId store, StoreRequest request, Fx& fx);
    /// The call has ended; asked once.
    [[nodiscard]] std::optional<StoreAnswer> take_answer();
    [[nodiscard]] bool open() const { return pending_.has_value(); }
    /// Drops every connection without a word: a server learns of it by itself.
    void abandon(Fx& fx);

    [[nodiscard]] bool owns(const sim::TimerKey& key) const;
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation, Message message,
                  Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx);

    friend bool operator==(const StoreClient&, const StoreClient&) = default;
    [[nodiscard]] auto fields() const { return std::tie(process_, net_, pending_, answer_, sent_); }

  private:
    struct Pending {
        StoreId store;
        StoreRequest request;
        Instant began{};
        bool sent = false;
        friend bool operator==(const Pending&, const Pending&) = default;
    };
    [[nodiscard]] Peer peer_of(StoreId store) const;
    void send_if_ready(const Context& ctx, Fx& fx);
    void take(const Context& ctx, const Outcomes& outcomes, Fx& fx);
    void end(const Context& ctx, StoreAnswer answer, Fx& fx);

    ClientConfig config_;
    std::shared_ptr<const Topology> topology_;
    ProcessId process_;
    NetworkClient net_;
    std::optional<Pending> pending_;
    std::optional<StoreAnswer> answer_;
    /// Requests over the present connection and over the one before; none: there was none.
    struct Sent {
        std::int32_t now = 0;
        std::optional<std::int32_t> before;
        friend bool operator==(const Sent&, const Sent&) = default;
        [[nodiscard]] auto fields() const { return std::tie(now, before); }
    };
    std::map<StoreId, Sent> sent_;
};

}  // namespace eos::model
