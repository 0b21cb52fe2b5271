#pragma once
// Who is connected to whom. A *path* is one ordered pair of nodes with its luck and its condition;
// a *channel* is what (client, server, lane) names; a *connection* is one life of a channel. An
// ended connection lives on while frames of it are under way or being executed: those are the
// ghosts.

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "sim/config.hpp"
#include "sim/effects.hpp"
#include "sim/ordinal.hpp"
#include "sim/parcel.hpp"
#include "sim/rng.hpp"
#include "sim/slab.hpp"
#include "sim/time.hpp"

namespace eos::sim {

/// The two directions of a connection.
enum class Direction : std::uint8_t { there, back };

/// One direction of one connection.
struct Pipe {
    Instant last_arrival;    ///< nothing may arrive earlier: FIFO
    Chain outbox;            ///< stopped before they left: held, or the link is silent
    Chain parked;            ///< stopped when they arrived
    bool mute = false;       ///< nothing more leaves (a frame was lost when sent)
    bool deaf = false;       ///< nothing more arrives (a frame was lost when delivered)
    bool unparking = false;  ///< an unpark event is on its way
    friend bool operator==(const Pipe&, const Pipe&) = default;
};

/// A request whose caller still waits for its answer.
struct Outstanding {
    Correlation correlation;
    std::uint16_t api = 0;
    Slot next = no_slot;
    std::optional<Facts> facts;  ///< what described the request, if anybody looked
    friend bool operator==(const Outstanding&, const Outstanding&) = default;
};

/// A SYN that silence swallowed is sent again after a second, then after twice as long each time;
/// 127 s after the first the attempt has failed (Linux, tcp_syn_retries = 6).
inline constexpr Duration syn_pause = seconds(1);
inline constexpr std::uint8_t syn_repeats = 6;

/// One life of a channel.
struct Connection {
    NodeId client;
    NodeId server;
    std::uint8_t lane = 0;
    std::uint32_t life = 0;         ///< of the channel; 1 for the first
    std::int32_t server_life = -1;  ///< the life of the server that accepted it; -1: not yet
    std::int32_t references = 0;    ///< parcels, events and ends that still name it
    Slot older = no_slot;           ///< the former life of its channel, if still alive
    bool open = false;              ///< its client was told that it is
    bool severed = false;           ///< broken: the client knows, or is about to be told
    bool client_gone = false;       ///< its client has closed it, or died
    bool server_gone = false;       ///< its server has closed it, or died
    bool extra = false;             ///< carries a duplicate: neither end opened it
    std::uint8_t syns = 0;          ///< how often its SYN was repeated

    bool busy = false;       ///< a request was taken up and not yet answered
    Correlation current;     ///< of that request
    Slot serving = no_slot;  ///< its parcel, until the handler runs
    Chain waiting;           ///< delivered requests that have to wait for it (N2)
    Chain outstanding;       ///< at the client
    Instant paid_until;      ///< when the receiver has paid for the responses so far
    Pipe there;
    Pipe back;

    [[nodiscard]] Pipe& pipe(Direction d) { return d == Direction::there ? there : back; }
    friend bool operator==(const Connection&, const Connection&) = default;
};

/// The connections one client opened to one server on one lane.
struct Channel {
    std::uint8_t lane = 0;
    std::uint32_t lives = 0;
    Slot current = no_slot;  ///< the one its client uses
    Slot newest = no_slot;   ///< first of the chain through Connection::older
    friend bool operator==(const Channel&, const Channel&) = default;
};

/// From one node to another.
struct Path {
    NodeId from;
    NodeId to;
    std::uint32_t config = 0;  ///< index of its LinkConfig; see Network::config
    Spread latency;
    Rng latencies, spikes, disconnects, ghosts;
    bool silent = false;
    bool refused = false;
    Duration extra{};
    std::int64_t narrowed_to = 0;  ///< bytes per second by fault; 0: as configured
    boost::container::small_vector<Channel, 2> channels;  ///< opened by `from`, by lane
    friend bool operator==(const Path&, const Path&) = default;
};

class Network {
  public:
    Network() = default;
    Network(std::uint64_t seed, LinkConfig usual) : seed_(seed), configs_{usual} {}

    void add_node(std::optional<Spread> latency);
    void configure(NodeId from, NodeId to, const LinkConfig& config);

    [[nodiscard]] Path& path(NodeId from, NodeId to);
    [[nodiscard]] const LinkConfig& config(const Path& path) const { return configs_[path.config]; }
    [[nodiscard]] Connection& operator[](Slot slot) { return connections_[slot]; }
    [[nodiscard]] const Connection& operator[](Slot slot) const { return connections_[slot]; }
    [[nodiscard]] Slab<Outstanding>& outstanding() { return outstanding_; }
    /// Connections that are open or still have frames under way.
    [[nodiscard]] std::size_t size() const { return connections_.size(); }

    /// The connection a client uses to speak to a peer.
    [[nodiscard]] Slot current(NodeId client, Peer to);
    /// The connection an answer belongs to, if it is still alive.
    [[nodiscard]] Slot find(NodeId server, const ReplyTo& to);
    /// A new life of the channel. `extra`: beside the one its client uses.
    [[nodiscard]] Slot open(NodeId client, Peer to, bool extra);
    /// Its client stops using it.
    void detach(Slot slot);
    void refer(Slot slot) { ++connections_[slot].references; }
    /// One reference less; the last one frees the connection.
    void release(Slot slot);

    /// How long this frame takes; draws.
    [[nodiscard]] Duration transit(Path& path, std::int64_t bytes);
    /// Every connection from one node to another, newest first lane by lane.
    [[nodiscard]] boost::container::small_vector<Slot, 8> between(NodeId client, NodeId server);

    [[nodiscard]] auto fields() const {
        return std::tie(seed_, paths_, connections_, outstanding_);
    }
    friend bool operator==(const Network&, const Network&) = default;

  private:
    struct Pair {
        NodeId from;
        NodeId to;
        std::uint32_t config = 0;
        friend bool operator==(const Pair&, const Pair&) = default;
    };
    [[nodiscard]] Channel& channel(NodeId client, Peer to);
    Slot add_path(NodeId from, NodeId to);

    std::uint64_t seed_ = 0;
    std::size_t nodes_ = 0;
    std::vector<LinkConfig> configs_;  ///< the usual one, then those of single pairs
    std::vector<Pair> pairs_;
    std::vector<std::optional<Spread>> latencies_;  ///< by node
    std::vector<Slot> index_;                       ///< [from * nodes + to], none: not used yet
    std::vector<Path> paths_;
    Slab<Connection> connections_;
    Slab<Outstanding> outstanding_;
};

}  // namespace eos::sim
