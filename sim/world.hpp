#pragma once
// The world of a run as one value: nodes, links, everything under way, chance, the adversary and
// the audience. Copying it forks the run; nothing in it points into it. The engine is this class
// template in seven rooms: world_step (order and handlers), world_effects (what roles ask for),
// world_frames and world_receiving (how a frame travels), world_links, world_lives, world_acts (the
// adversary).

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "sim/adversary.hpp"
#include "sim/config.hpp"
#include "sim/digest.hpp"
#include "sim/directory.hpp"
#include "sim/effects.hpp"
#include "sim/ensure.hpp"
#include "sim/event.hpp"
#include "sim/event_queue.hpp"
#include "sim/network.hpp"
#include "sim/parcel.hpp"
#include "sim/seat.hpp"
#include "sim/state_hash.hpp"
#include "sim/vocabulary.hpp"

namespace eos::sim {

/// The four types a world is made of.
/// - Node: a std::variant of roles, or one role. A role is copyable and offers
///     bool on_start(const Turn& turn);
///     void on_request(const Context&, const ReplyTo&, Message&&, Fx&);
///     void on_reply(const Context&, Peer, Correlation, Message&&, Fx&);
///     void on_link(const Context&, Peer, LinkEvent, Fx&);
///     void on_timer(const Context&, TimerKey, Fx&);
///     void on_handoff(const Context&, Message&&, Fx&);
///     void on_order(const Context&, const Order&, Fx&);
///     Node reborn(const Loss&) &&;        // what is left of it after a crash
/// - Adversary: see Quiet in adversary.hpp.
/// - Audience: a copyable value that offers
///     void observe(Instant, NodeId, const Observation&);
///     void reached(Instant, const Milestone&);
///   and, only if it cares,
///     bool watches(MilestoneKind) const;  // without it, every milestone is built and told
///     void counted(MilestoneKind);        // every milestone, watched or not, without its facts
///     void frame(Instant, const FrameNews&);
///     void handled(const TraceEntry&);
template <class V, class Node_, class Adversary_, class Audience_>
struct Setting {
    using Vocabulary = V;
    using Node = Node_;
    using Adversary = Adversary_;
    using Audience = Audience_;
};

template <class S>
class BasicWorld {
  public:
    using V = typename S::Vocabulary;
    using Node = typename S::Node;
    using Adversary = typename S::Adversary;
    using Audience = typename S::Audience;
    using Message = typename V::Message;
    using Observation = typename V::Observation;
    using Fx = Effects<V>;
    static_assert(Vocabulary<V>);

    explicit BasicWorld(WorldConfig config, Adversary adversary = {}, Audience audience = {})
        : config_(config),
          network_(config.seed, config.link),
          adversary_(std::move(adversary)),
          audience_(std::move(audience)) {}

    // ---- Furnishing, before begin() -------------------------------------------------------------
    NodeId add_node(Node node, NodeConfig config = {});
    /// The link from one node to another, instead of WorldConfig::link.
    void configure_link(NodeId from, NodeId to, const LinkConfig& config) {
        network_.configure(from, to, config);
    }
    /// Starts the adversary and schedules the nodes.
    void begin();

    // ---- Running --------------------------------------------------------------------------------
    /// Handles the next event, and what must come before any other (orders, what a pause kept);
    /// false if there is none, or none up to this time.
    bool step(Instant latest = time_never) { return step_until(latest); }
    /// Handles every event up to and including this time; the time is then reached.
    void run_until(Instant end);
    /// Handles so many events, or a few more where one step is several; returns how many.
    std::uint64_t run(std::uint64_t limit);
    /// Carries out an act between two events: what the adversary would do here.
    void intervene(Act act);

    // ---- Looking --------------------------------------------------------------------------------
    [[nodiscard]] Instant now() const { return now_; }
    /// How many events were handled.
    [[nodiscard]] std::uint64_t events() const { return events_; }
    /// Of everything that happened so far.
    [[nodiscard]] std::uint64_t digest() const { return digest_.value(); }
    /// The event that was handled last.
    [[nodiscard]] const TraceEntry& last() const { return last_; }
    /// Of everything that decides what happens next: not of the past, nor of the audience.
    [[nodiscard]] std::uint64_t state_hash() const { return sim::state_hash(*this); }
    [[nodiscard]] std::size_t node_count() const { return seats_.size(); }
    [[nodiscard]] const Node& node(NodeId id) const { return seat(id).node; }
    [[nodiscard]] NodeState state(NodeId id) const { return seat(id).state; }
    [[nodiscard]] std::int32_t life(NodeId id) const { return seat(id).life; }
    /// Time the handler threads of a node with a station were given to requests, in all its lives.
    [[nodiscard]] Duration served(NodeId id) const { return seat(id).workshop.spent; }
    [[nodiscard]] const Directory& directory() const { return directory_; }
    [[nodiscard]] const Adversary& adversary() const { return adversary_; }
    [[nodiscard]] Adversary& adversary() { return adversary_; }
    [[nodiscard]] const Audience& audience() const { return audience_; }
    [[nodiscard]] Audience& audience() { return audience_; }
    [[nodiscard]] std::uint64_t seed() const { return config_.seed; }
    /// What is under way: for tests of the engine and for reports on its memory.
    struct Live {
        std::size_t events, parcels, connections;
    };
    [[nodiscard]] Live live() const { return {queue_.size(), parcels_.size(), network_.size()}; }
    /// A message that is not handled yet: on its way, stopped, or in its receiver's queue.
    struct UnderWay {
        NodeId from;
        NodeId to;
        std::uint16_t kind = 0;
        bool response = false;
        bool handoff = false;  ///< of a node to itself
        bool arrived = false;
        bool delayed = false;
        std::optional<HoldId> hold;  ///< stopped until this is released
        bool ghost = false;          ///< its connection is over
        Instant sent;
        Facts facts;  ///< of the message alone
    };
    /// Every such message, the oldest first.
    [[nodiscard]] std::vector<UnderWay> under_way() const;

    [[nodiscard]] auto fields() const {
        return std::tie(config_.seed, now_, queue_, seats_, network_, parcels_, orders_, held_,
                        parcels_born_, directory_, adversary_);
    }
    friend bool operator==(const BasicWorld& a, const BasicWorld& b) {
        return a.fields() == b.fields();
    }

  private:
    using Any = typename Fx::Any;
    using SeatOf = Seat<V, Node>;

    /// What the adversary may ask, answered by the world.
    class Window final : public Surroundings {
      public:
        explicit Window(const BasicWorld& world) : world_(world) {}
        [[nodiscard]] Instant now() const override { return world_.now_; }
        [[nodiscard]] NodeState state(NodeId node) const override { return world_.state(node); }
        [[nodiscard]] std::span<const NodeId> holders(RoleKey role) const override {
            return world_.directory_.holders(role);
        }

      private:
        const BasicWorld& world_;
    };
    /// A parcel the adversary stopped; the number tells whether it is still the same.
    struct Held {
        HoldId hold;
        Slot parcel = no_slot;
        std::uint64_t number = 0;
        friend bool operator==(const Held&, const Held&) = default;
    };

    [[nodiscard]] SeatOf& seat(NodeId id) { return seats_[static_cast<std::size_t>(id.value)]; }
    [[nodiscard]] const SeatOf& seat(NodeId id) const {
        return seats_[static_cast<std::size_t>(id.value)];
    }
    [[nodiscard]] bool exists(NodeId id) const {
        return id.value >= 0 && static_cast<std::size_t>(id.value) < seats_.size();
    }

    // world_step.hpp
    bool step_until(Instant end);
    void finish_step();
    [[nodiscard]] static bool waits_while_paused(EventKind kind);
    bool dispatch(const Turn& turn);
    bool on_timer(const Turn& turn);
    bool on_order(const Turn& turn);
    bool on_handoff(const Turn& turn);
    bool on_wake(const Turn& turn);
    template <class Handler>
    void run(NodeId node, Handler&& handler);
    void apply_all(NodeId node);
    void note(const Turn& turn, std::uint64_t fingerprint);

    // world_effects.hpp
    void apply(NodeId node, effect::Connect& connect);
    void apply(NodeId node, effect::Close& close);
    void apply(NodeId node, effect::Request<Message>& request);
    void apply(NodeId node, effect::Reply<Message>& reply);
    void apply(NodeId node, effect::NoReply& no_reply);
    void apply(NodeId node, effect::HangUp& hang_up);
    void apply(NodeId node, effect::HandOff<Message>& hand_off);
    void apply(NodeId node, effect::Arm& arm);
    void apply(NodeId node, effect::Disarm& disarm);
    void apply(NodeId node, effect::Observe<Observation>& observe);
    void apply(NodeId node, effect::Reach& reach);
    void apply(NodeId node, effect::Declare& declare);
    void apply(NodeId node, effect::Exit& exit);
    [[nodiscard]] Slot being_answered(NodeId server, const ReplyTo& to);
    void done_with_request(Slot connection);

    // world_frames.hpp: a frame until it arrives
    [[nodiscard]] Slot new_parcel(Message&& message);
    [[nodiscard]] Slot new_frame(Slot connection, Correlation correlation, bool response,
                                 Message&& message);
    void destroy(Slot parcel);
    void destroy_all(Chain& chain);
    void destroy_unstopped(Chain& chain);
    [[nodiscard]] Fate ask(Slot parcel, Moment moment);
    [[nodiscard]] Facts facts_of(const Parcel<Message>& parcel);
    [[nodiscard]] Outstanding* outstanding_of(const Parcel<Message>& parcel);
    void send(Slot parcel);
    void stop(Slot parcel, const Fate& fate);
    void unstop(Slot parcel);
    bool on_undelay(const Turn& turn);
    void refuse(Slot parcel, std::int32_t error);
    void duplicate(Slot parcel, const Fate& fate);
    void depart_in_order(Slot parcel);
    void depart(Slot parcel);
    void flush(Slot connection, Direction direction);
    [[nodiscard]] Path& path_of(const Parcel<Message>& parcel);
    [[nodiscard]] Pipe& pipe_of(const Parcel<Message>& parcel);
    void tell_frame(FrameNews::Fate fate, const Parcel<Message>& parcel, Instant arrives);
    void tell_frame(FrameNews::Fate fate, const Parcel<Message>& parcel) {
        tell_frame(fate, parcel, now_);
    }

    // world_receiving.hpp: a frame from its arrival on
    bool on_arrival(const Turn& turn);
    bool on_unpark(const Turn& turn);
    [[nodiscard]] bool admits(Slot parcel);
    void advance(Slot connection, Direction direction);
    [[nodiscard]] bool delivers(Slot parcel);
    void unpark_later(Slot connection, Direction direction);
    void take_up(Slot connection);
    [[nodiscard]] bool haunts(Slot parcel);
    void serve_when_free(NodeId node, Slot parcel);
    void serve(NodeId node, Slot parcel);
    bool on_serve(const Turn& turn);
    void pay(Slot parcel);
    bool on_paid(const Turn& turn);
    void handle_response(Slot parcel);
    void forget_outstanding(Connection& connection, Correlation correlation);
    void send_response(Slot connection, Correlation correlation, Message&& message);

    // world_links.hpp
    bool on_dial(const Turn& turn);
    void dial_again(Slot connection);
    bool on_news(const Turn& turn);
    void send_news(Slot connection, LinkEvent news);
    void sever(Slot connection);
    void end_client_side(Slot connection, Ending ending, bool tell);
    void end_server_side(Slot connection, bool tell);
    void tell_failed(const Connection& connection, const Outstanding& request, Ending ending);
    void set_link(const act::SetLink& link);

    // world_lives.hpp
    bool on_start(const Turn& turn);
    bool on_unfreeze(const Turn& turn);
    void crash(const act::Crash& crash);
    void kill(NodeId node, const Loss& loss);
    void discard(const Turn& turn);
    void urge(const Event& event);
    void restart_later(NodeId node);
    void exit(NodeId node, bool failed);
    void pause(NodeId node);
    void resume(NodeId node);
    void reach_life(MilestoneKind kind, NodeId node, std::optional<bool> clean = {});

    // world_acts.hpp
    void count(MilestoneKind kind);
    [[nodiscard]] bool audience_watches(MilestoneKind kind) const;
    void reach(MilestoneKind kind, NodeId node, const Facts& facts);
    void tell(const Milestone& milestone);
    void carry_out_acts();
    void carry_out(act::Crash& act) { crash(act); }
    void carry_out(act::Start& act);
    void carry_out(act::Pause& act) { pause(act.node); }
    void carry_out(act::Resume& act) { resume(act.node); }
    void carry_out(act::Release& act);
    void carry_out(act::SetLink& act) { set_link(act); }
    void carry_out(act::SlowDisk& act) { seat(act.node).workshop.slower = act.extra; }
    void carry_out(act::LyingFsync& act) { seat(act.node).workshop.fsync_lies = act.lies; }
    void carry_out(act::ShiftClock& act) { seat(act.node).clock.shift(act.by); }
    void carry_out(act::DriftClock& act) {
        seat(act.node).clock.drift(now_, act.parts_per_million);
    }
    void carry_out(act::Tell& act);
    void carry_out(act::Wake& act);
    void carry_out(act::Announce& act) {
        reach(act.milestone.kind, act.milestone.node, act.milestone.facts);
    }

    WorldConfig config_;
    bool begun_ = false;
    Instant now_;
    std::uint64_t events_ = 0;
    Digest digest_;
    TraceEntry last_;
    EventQueue<Event> queue_;
    std::vector<SeatOf> seats_;
    Network network_;
    Slab<Parcel<Message>> parcels_;
    Slab<Order> orders_;
    std::vector<Held> held_;
    std::uint64_t parcels_born_ = 0;
    Directory directory_;
    Adversary adversary_;
    Audience audience_;

    // Empty between two events: room that is used again and again.
    Fx fx_;
    Acts acts_;
    bool acting_ = false;
    /// Handlers that acts ask for; they run when the present one is through, before any event.
    std::vector<Turn> urgent_;
};

/// A world of vocabulary V: the name the other folders use.
template <class V, class Node, class Adversary, class Audience>
using World = BasicWorld<Setting<V, Node, Adversary, Audience>>;

}  // namespace eos::sim

#include "sim/world_acts.hpp"
#include "sim/world_effects.hpp"
#include "sim/world_frames.hpp"
#include "sim/world_links.hpp"
#include "sim/world_lives.hpp"
#include "sim/world_receiving.hpp"
#include "sim/world_step.hpp"
