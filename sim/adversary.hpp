#pragma once
// The one narrow boundary at which things go wrong: what happens to a frame in flight, to a node's
// life, to a link, to a disk. The engine asks an Adversary (a copyable value) and carries out its
// acts; the adversary sees envelopes, milestones and the directory, never a message body.

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "sim/effects.hpp"
#include "sim/facts.hpp"
#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::sim {

/// A frame that the adversary froze, until an act::Release names it.
using HoldId = Ordinal<struct HoldTag, std::uint32_t>;

/// The two moments of a frame at which the adversary is asked (language.md 5.2: the four moments of
/// a call are these two for the request and these two for the response); hand-offs have one.
enum class Moment : std::uint8_t { sent, delivered, handoff };

/// A frame as the adversary sees it.
struct Frame {
    NodeId from;
    NodeId to;
    bool response = false;
    std::uint16_t kind = 0;  ///< the API, a number of the vocabulary
    Facts facts;             ///< filled only if the adversary watches this kind
};

/// What the adversary decides for one frame at one moment.
struct Fate {
    enum class Kind : std::uint8_t {
        pass,        ///< nothing
        hold,        ///< frozen until released; FIFO: what follows on the connection waits behind it
        delay,       ///< a hold released by itself after `by`
        lose,        ///< never arrives, and the connection goes silent until the caller gives up
        disconnect,  ///< the connection closes now; `executes`: the frame still arrives, as a ghost
        refuse,      ///< the receiver does not execute it: answered with error `code` (requests
                     ///< delivered), or the answer is replaced by one with `code` (responses sent),
                     ///< or the hand-off fails with `code`
        duplicate,   ///< arrives, and `copies` more times over other connections `by` later
    };
    Kind kind = Kind::pass;
    Duration by{};
    HoldId hold{};
    std::int32_t code = 0;
    std::int32_t copies = 1;
    bool executes = true;
};

/// What the adversary does to the world besides frames. Carried out at once, in order.
namespace act {
/// Whoever crashes a node starts it again, unless `supervised`: then its supervisor does, as after a
/// failure of its own (NodeConfig::restart).
struct Crash { NodeId node; Loss loss{}; bool supervised = false; };
struct Start { NodeId node; };
struct Pause { NodeId node; };
struct Resume { NodeId node; };
struct Release { HoldId hold; };
/// One direction of a link: silent (frames wait for the heal, as TCP retransmits), refused
/// (connections are reset and cannot be opened), slower, narrower. Replaces the former state.
struct SetLink {
    NodeId from;
    NodeId to;
    bool silent = false;
    bool refused = false;
    Duration extra{};
    std::int64_t bytes_per_second = 0;  ///< 0: as configured
};
struct SlowDisk { NodeId node; Duration extra; };  ///< zero heals
struct LyingFsync { NodeId node; bool lies; };
struct ShiftClock { NodeId node; Duration by; };
struct DriftClock { NodeId node; std::int64_t parts_per_million; };
struct Tell { NodeId node; Order order; };         ///< on_order of a living node
struct Wake { Instant at; std::uint64_t tag; };    ///< calls on_wake(tag) at that time
struct Announce { Milestone milestone; };          ///< fault.NAME and fault.NAME.ended
}  // namespace act
using Act = std::variant<act::Crash, act::Start, act::Pause, act::Resume, act::Release,
                         act::SetLink, act::SlowDisk, act::LyingFsync, act::ShiftClock,
                         act::DriftClock, act::Tell, act::Wake, act::Announce>;
using Acts = std::vector<Act>;

/// What a node is doing, as the adversary may know it.
enum class NodeState : std::uint8_t { down, running, paused };

/// What the adversary may ask while it decides.
class Surroundings {
  public:
    virtual ~Surroundings() = default;
    [[nodiscard]] virtual Instant now() const = 0;
    [[nodiscard]] virtual NodeState state(NodeId node) const = 0;
    /// Who holds a role now; empty if nobody.
    [[nodiscard]] virtual std::span<const NodeId> holders(RoleKey role) const = 0;
};

/// An adversary that does nothing: the shape of the concept, and the quiet world of unit tests.
/// Any adversary is a copyable value with these members.
struct Quiet {
    /// Whether frames of this API, or milestones of this kind, are to be shown at all.
    [[nodiscard]] bool watches_frame(std::uint16_t /*kind*/) const { return false; }
    [[nodiscard]] bool watches(MilestoneKind) const { return false; }
    /// Called once, before the first event.
    void begin(const Surroundings&, Acts&) {}
    Fate on_frame(const Frame&, Moment, const Surroundings&, Acts&) { return {}; }
    void on_milestone(const Milestone&, const Surroundings&, Acts&) {}
    void on_wake(std::uint64_t /*tag*/, const Surroundings&, Acts&) {}
    friend bool operator==(const Quiet&, const Quiet&) = default;
};

}  // namespace eos::sim
