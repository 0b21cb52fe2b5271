#pragma once
// The boundary between a role and the world. A role is told one thing at a time (start, request,
// reply, link, timer, order) and answers by filling a list of effects; it sees no clock, no socket,
// no other role. The engine applies the list in order, so a crash that a milestone triggers cuts off
// everything behind that milestone. V is the vocabulary: V::Message, V::Observation.

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "sim/facts.hpp"
#include "sim/ordinal.hpp"
#include "sim/time.hpp"

namespace eos::sim {

/// All a role may know about the world.
struct Context {
    Instant now;        ///< virtual time: what timers and timeouts are measured in
    Instant wall;       ///< this node's own wall clock (drifts and jumps by fault): timestamps only
    NodeId self;
    std::int32_t life;  ///< 0 for the first start, one more after every crash
    /// Its disk says yes to every fsync and does nothing (act::LyingFsync): what the node believes
    /// flushed is not. For the part of a role that models the disk, not for its protocol.
    bool fsync_lies = false;
};

/// The far end of a connection as its opener names it. Two lanes to one node are two connections.
struct Peer {
    NodeId node;
    std::uint8_t lane = 0;
    friend constexpr auto operator<=>(const Peer&, const Peer&) = default;
};

/// Chosen by the caller, returned with the answer.
using Correlation = Ordinal<struct CorrelationTag, std::uint32_t>;

/// Where an answer goes: one request on one life of one connection. Kept by the server until it
/// answers; the connection's next request is not handled before that (Kafka mutes the channel; N2).
struct ReplyTo {
    NodeId client;
    std::uint8_t lane = 0;
    std::uint32_t connection = 0;  ///< which life of the connection
    Correlation correlation;
    friend constexpr auto operator<=>(const ReplyTo&, const ReplyTo&) = default;
};

/// News of a connection this node opened.
enum class LinkEvent : std::uint8_t {
    opened,
    refused,  ///< nobody listens there (node down or connection reset during set-up)
    closed,   ///< the other side or the network closed it: every request in flight has failed
};

/// Names a timer of a node; arming an armed timer moves it. Packed by the vocabulary.
struct TimerKey {
    std::uint16_t kind = 0;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    friend constexpr auto operator<=>(const TimerKey&, const TimerKey&) = default;
};

namespace effect {
struct Connect { Peer to; };
struct Close { Peer to; };
template <class M> struct Request { Peer to; Correlation correlation; M message; };
template <class M> struct Reply { ReplyTo to; M message; };
struct NoReply { ReplyTo to; };
struct HangUp { ReplyTo to; };
template <class M> struct HandOff { M message; Duration after; };
struct Arm { TimerKey key; Duration after; };
struct Disarm { TimerKey key; };
template <class O> struct Observe { O observation; };
struct Reach { MilestoneKind kind; Facts facts; };
struct Declare { RoleKey role; std::vector<NodeId> holders; std::optional<RoleKey> former = {}; };
struct Exit { bool failed; };
}  // namespace effect

/// The list a handler fills. Reused between events; order is kept.
template <class V>
class Effects {
  public:
    using Message = typename V::Message;
    using Observation = typename V::Observation;
    using Any = std::variant<effect::Connect, effect::Close, effect::Request<Message>,
                             effect::Reply<Message>, effect::NoReply, effect::HangUp,
                             effect::HandOff<Message>, effect::Arm, effect::Disarm,
                             effect::Observe<Observation>, effect::Reach, effect::Declare,
                             effect::Exit>;

    /// Opens a connection; on_link tells opened or refused. An already open one is closed first.
    void connect(Peer to) { list_.emplace_back(effect::Connect{to}); }
    /// Closes this node's connection. Bytes already sent may still be executed (ghosts, N5).
    void close(Peer to) { list_.emplace_back(effect::Close{to}); }
    /// Sends over an open connection; FIFO per connection. Without one the request is dropped.
    void request(Peer to, Correlation correlation, Message message) {
        list_.emplace_back(effect::Request<Message>{to, correlation, std::move(message)});
    }
    /// Answers a request; dropped if that life of the connection is over.
    void reply(ReplyTo to, Message message) {
        list_.emplace_back(effect::Reply<Message>{to, std::move(message)});
    }
    /// Ends a request that gets no answer (acks=0); frees the connection for the next one.
    void no_reply(ReplyTo to) { list_.emplace_back(effect::NoReply{to}); }
    /// The server closes the connection instead of answering (APP-14).
    void hang_up(ReplyTo to) { list_.emplace_back(effect::HangUp{to}); }
    /// A message to oneself: where a real node gives up its thread or lock between two steps.
    void hand_off(Message message, Duration after = {}) {
        list_.emplace_back(effect::HandOff<Message>{std::move(message), after});
    }
    void arm(TimerKey key, Duration after) { list_.emplace_back(effect::Arm{key, after}); }
    void disarm(TimerKey key) { list_.emplace_back(effect::Disarm{key}); }
    /// Speaks to the history (what a client saw, what a broker durably did).
    void observe(Observation observation) {
        list_.emplace_back(effect::Observe<Observation>{std::move(observation)});
    }
    /// Names a protocol moment. Faults triggered by it act here, before the effects behind it.
    void reach(MilestoneKind kind, Facts facts = {}) {
        list_.emplace_back(effect::Reach{kind, facts});
    }
    /// Keeps the directory: who holds a role now (an empty list: nobody).
    void declare(RoleKey role, std::vector<NodeId> holders) {
        list_.emplace_back(effect::Declare{role, std::move(holders)});
    }
    /// The same, of a role that passes on: whoever held it, and is not this node, now holds `former`.
    void succeed(RoleKey role, NodeId holder, RoleKey former) {
        list_.emplace_back(effect::Declare{role, {holder}, former});
    }
    /// The process ends by itself; `failed` means it crashed on an error (a supervisor restarts it).
    void exit(bool failed) { list_.emplace_back(effect::Exit{failed}); }

    [[nodiscard]] bool empty() const { return list_.empty(); }
    [[nodiscard]] const std::vector<Any>& list() const { return list_; }
    [[nodiscard]] std::vector<Any>& list() { return list_; }
    void clear() { list_.clear(); }

  private:
    std::vector<Any> list_;
};

/// What a crash leaves behind: a process crash keeps the page cache, a power loss only what was
/// flushed; `torn` leaves half of the first lost write. Which files lose is the vocabulary's bits.
struct Loss {
    bool power = false;
    std::uint32_t files = 0;  ///< bit set of what loses its unflushed bytes; 0 = all of it
    bool torn = false;
    bool wipe = false;        ///< the disk is empty afterwards
    friend bool operator==(const Loss&, const Loss&) = default;
};

}  // namespace eos::sim
