#pragma once
// The smallest vocabulary: pings, pongs and notes to oneself, a client that follows a list of
// things to do, a server that answers in one of a few ways, an adversary that follows rules, an
// audience that writes everything down. For the tests of the engine.

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "sim/world.hpp"

namespace toy {

using namespace eos::sim;  // the toy speaks of nothing else

enum class Word : std::uint16_t { ping, note };

struct Message {
    Word word = Word::ping;
    bool answer = false;
    std::int32_t number = 0;
    std::int32_t error = 0;
    std::int64_t bytes = 0;
    std::int32_t appends = 0;
    friend bool operator==(const Message&, const Message&) = default;
};

struct Observation {
    std::int32_t number = 0;
    friend bool operator==(const Observation&, const Observation&) = default;
};

struct Vocabulary {
    using Message = toy::Message;
    using Observation = toy::Observation;
    static std::uint16_t kind(const Message& m) { return static_cast<std::uint16_t>(m.word); }
    static void describe(const Message& m, Facts& facts) {
        if (!m.answer) facts.add(fact_number, m.number);
        if (m.error != 0) facts.add(fact_error, m.error);
    }
    static Cost cost(const Message& m) { return {1, m.appends, m.bytes, 0}; }
    static std::int64_t size(const Message& m) { return m.bytes; }
    static std::optional<Message> refusal(const Message& m, std::int32_t error) {
        Message result = m;
        result.answer = true;
        result.error = error;
        return result;
    }
    static std::uint64_t fingerprint(const Message& m) {
        return static_cast<std::uint64_t>(m.number) << 1 | (m.answer ? 1 : 0);
    }
    static std::uint64_t fingerprint(const Observation& o) {
        return static_cast<std::uint64_t>(o.number);
    }
    static constexpr MilestoneKind rpc_sent{0}, rpc_delivered{1}, rpc_failed{2}, link_opened{3},
        link_closed{4}, handoff_queued{5}, node_crashed{6}, node_lost_power{7}, node_started{8},
        node_stopped{9}, node_paused{10}, node_resumed{11}, reached{12};
    static constexpr FactName fact_api{0}, fact_side{1}, fact_from{2}, fact_to{3}, fact_kind{4},
        fact_error{5}, fact_number{6}, fact_clean{7};
};
using V = Vocabulary;
using Fx = Effects<Vocabulary>;

enum class Heard : std::uint8_t {
    start,
    ping,
    pong,
    opened,
    refused,
    closed,
    timer,
    note,
    order,
};
/// One thing a role was told.
struct Entry {
    Instant when;
    Heard what = Heard::start;
    std::int32_t number = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
};

enum class Do : std::uint8_t { connect, close, send, arm, disarm, hand_off, reach, exit, fail };
struct Todo {
    Duration at{};
    Do what = Do::connect;
    Peer to{};
    std::int32_t number = 0;
    Duration after{};
    std::int64_t bytes = 0;
    friend bool operator==(const Todo&, const Todo&) = default;
};

constexpr std::uint16_t todo_timer = 0;
constexpr std::uint16_t own_timer = 1;
constexpr std::uint16_t answer_timer = 2;

struct Client;
struct Server;
using Node = std::variant<Client, Server>;

/// Does what it was told to do when, and remembers what it heard.
struct Client {
    std::vector<Todo> todos{};
    std::vector<Entry> heard{};

    void hear(const Context& context, Heard what, std::int32_t number = 0) {
        heard.push_back({context.now, what, number});
    }
    void on_start(const Context& context, Fx& fx) {
        hear(context, Heard::start, context.life);
        for (std::size_t i = 0; i < todos.size(); ++i)
            fx.arm({todo_timer, static_cast<std::uint32_t>(i), 0}, todos[i].at);
    }
    void on_request(const Context& context, const ReplyTo& to, Message&& m, Fx& fx) {
        hear(context, Heard::ping, m.number);
        fx.no_reply(to);
    }
    void on_reply(const Context& context, Peer, Correlation, Message&& m, Fx& fx) {
        hear(context, Heard::pong, m.error != 0 ? -m.error : m.number);
        fx.observe({m.number});
    }
    void on_link(const Context& context, Peer peer, LinkEvent event, Fx&) {
        const auto lane = static_cast<std::int32_t>(peer.lane);
        if (event == LinkEvent::opened) hear(context, Heard::opened, lane);
        if (event == LinkEvent::refused) hear(context, Heard::refused, lane);
        if (event == LinkEvent::closed) hear(context, Heard::closed, lane);
    }
    void on_timer(const Context& context, TimerKey key, Fx& fx) {
        if (key.kind == own_timer) return hear(context, Heard::timer, static_cast<int>(key.a));
        const Todo& todo = todos[key.a];
        const auto number = static_cast<std::uint32_t>(todo.number);
        switch (todo.what) {
            case Do::connect:
                fx.connect(todo.to);
                break;
            case Do::close:
                fx.close(todo.to);
                break;
            case Do::send:
                fx.request(todo.to, {number}, {Word::ping, false, todo.number, 0, todo.bytes, 0});
                break;
            case Do::arm:
                fx.arm({own_timer, number, 0}, todo.after);
                break;
            case Do::disarm:
                fx.disarm({own_timer, number, 0});
                break;
            case Do::hand_off:
                fx.hand_off({Word::note, false, todo.number, 0, 0, 0}, todo.after);
                break;
            case Do::reach:
                fx.reach(V::reached, Facts{}.add(V::fact_number, todo.number));
                fx.observe({todo.number});
                break;
            case Do::exit:
                fx.exit(false);
                break;
            case Do::fail:
                fx.exit(true);
                break;
        }
    }
    void on_handoff(const Context& context, Message&& m, Fx&) {
        hear(context, Heard::note, m.error != 0 ? -m.error : m.number);
    }
    void on_order(const Context& context, const Order& order, Fx&) {
        hear(context, Heard::order, order.kind.value);
    }
    Node reborn(const Loss&) &&;
    friend bool operator==(const Client&, const Client&) = default;
};

enum class Manner : std::uint8_t { at_once, later, never_answers, hangs_up, answers_twice };

/// Answers pings. `executed` is on its disk: a power loss with `wipe` forgets it.
struct Server {
    Manner manner = Manner::at_once;
    Duration wait{};
    std::int32_t appends = 0;  ///< of its answers
    std::vector<Entry> executed{};
    std::vector<std::pair<ReplyTo, Message>> open{};  ///< to be answered later, in order
    std::uint32_t asked = 0;

    void on_start(const Context&, Fx&) {}
    void on_request(const Context& context, const ReplyTo& to, Message&& m, Fx& fx) {
        executed.push_back({context.now, Heard::ping, m.number});
        fx.observe({m.number});
        fx.reach(V::reached, Facts{}.add(V::fact_number, m.number));
        Message answer = m;
        answer.answer = true;
        answer.appends = appends;
        switch (manner) {
            case Manner::at_once:
                fx.reply(to, answer);
                break;
            case Manner::later:
                fx.arm({answer_timer, asked++, 0}, wait);
                open.emplace_back(to, answer);
                break;
            case Manner::never_answers:
                fx.no_reply(to);
                break;
            case Manner::hangs_up:
                fx.hang_up(to);
                break;
            case Manner::answers_twice:
                fx.reply(to, answer);
                fx.reply(to, answer);
                break;
        }
    }
    void on_reply(const Context&, Peer, Correlation, Message&&, Fx&) {}
    void on_link(const Context&, Peer, LinkEvent, Fx&) {}
    void on_timer(const Context&, TimerKey, Fx& fx) {
        fx.reply(open.front().first, open.front().second);
        open.erase(open.begin());
    }
    void on_handoff(const Context&, Message&&, Fx&) {}
    void on_order(const Context& context, const Order& order, Fx&) {
        executed.push_back({context.now, Heard::order, order.kind.value});
    }
    Node reborn(const Loss& loss) && {
        Server after;
        after.manner = manner;
        after.wait = wait;
        if (!loss.wipe) after.executed = std::move(executed);
        return after;
    }
    friend bool operator==(const Server&, const Server&) = default;
};

/// A client loses nothing, so that a test can look at all its lives.
inline Node Client::reborn(const Loss&) && { return std::move(*this); }

/// Decides the fate of the n-th frame a rule fits, and acts at times and at milestones.
struct Rules {
    struct OnFrame {
        Moment moment = Moment::sent;
        bool response = false;
        std::int32_t number = -1;  ///< of the ping; -1: any
        Fate fate{};
        Acts acts{};
    };
    struct AtTime {
        Duration at{};
        Act act;
    };
    struct AtMilestone {
        MilestoneKind kind;
        Act act;
    };
    std::vector<OnFrame> frames{};
    std::vector<AtTime> times{};
    std::vector<AtMilestone> milestones{};
    std::vector<Frame> seen{};

    [[nodiscard]] bool watches_frame(std::uint16_t) const { return !frames.empty(); }
    [[nodiscard]] bool watches(MilestoneKind kind) const {
        for (const auto& rule : milestones)
            if (rule.kind == kind) return true;
        return false;
    }
    void begin(const Surroundings&, Acts& acts) {
        for (std::size_t i = 0; i < times.size(); ++i)
            acts.push_back(act::Wake{time_zero + times[i].at, i});
    }
    Fate on_frame(const Frame& frame, Moment moment, const Surroundings&, Acts& acts) {
        seen.push_back(frame);
        for (const auto& rule : frames) {
            const auto number = frame.facts.find(V::fact_number);
            if (rule.moment != moment || rule.response != frame.response) continue;
            if (rule.number >= 0 && number != rule.number) continue;
            acts.insert(acts.end(), rule.acts.begin(), rule.acts.end());
            return rule.fate;
        }
        return {};
    }
    void on_milestone(const Milestone& milestone, const Surroundings&, Acts& acts) {
        for (const auto& rule : milestones)
            if (rule.kind == milestone.kind) acts.push_back(rule.act);
    }
    void on_wake(std::uint64_t tag, const Surroundings&, Acts& acts) {
        acts.push_back(times[tag].act);
    }
    /// The rules never change; how much it saw is all its state.
    [[nodiscard]] auto fields() const { return std::make_tuple(seen.size()); }
    friend bool operator==(const Rules& a, const Rules& b) {
        return a.seen.size() == b.seen.size();
    }
};

/// Writes everything down.
struct Ledger {
    struct Told {
        Instant when;
        Milestone milestone;
    };
    std::vector<Told> milestones;
    std::vector<std::pair<NodeId, Observation>> observations;
    std::vector<FrameNews> frames;

    void observe(Instant, NodeId node, const Observation& o) { observations.emplace_back(node, o); }
    void reached(Instant when, const Milestone& milestone) {
        milestones.push_back({when, milestone});
    }
    void frame(Instant, const FrameNews& news) { frames.push_back(news); }

    [[nodiscard]] std::int32_t count(MilestoneKind kind) const {
        std::int32_t result = 0;
        for (const auto& told : milestones) result += told.milestone.kind == kind ? 1 : 0;
        return result;
    }
};

using ToyWorld = eos::sim::World<Vocabulary, Node, Rules, Ledger>;

/// One client (node 0) and one server (node 1), links of exactly one millisecond.
struct Setup {
    WorldConfig config{};
    std::vector<Todo> todos{};
    Server server{};
    NodeConfig client_config{};
    NodeConfig server_config{};
    Rules rules{};

    [[nodiscard]] ToyWorld world() const {
        ToyWorld result(config, rules, Ledger{});
        static_cast<void>(result.add_node(Client{todos, {}}, client_config));
        static_cast<void>(result.add_node(server, server_config));
        result.begin();
        return result;
    }
};

inline constexpr NodeId client_node{0};
inline constexpr NodeId server_node{1};
inline constexpr Peer to_server{server_node, 0};
[[nodiscard]] constexpr Duration ms(std::int64_t n) { return milliseconds(n); }
[[nodiscard]] constexpr Instant at_ms(std::int64_t n) { return time_zero + milliseconds(n); }
[[nodiscard]] constexpr Todo connect_at(std::int64_t t) { return {ms(t), Do::connect, to_server}; }
[[nodiscard]] constexpr Todo send_at(std::int64_t t, std::int32_t number) {
    return {ms(t), Do::send, to_server, number};
}

[[nodiscard]] inline const Client& client(const ToyWorld& world, NodeId id = client_node) {
    return std::get<Client>(world.node(id));
}
[[nodiscard]] inline const Server& server(const ToyWorld& world, NodeId id = server_node) {
    return std::get<Server>(world.node(id));
}
/// What was heard of one sort, as (milliseconds, number).
using Times = std::vector<std::pair<std::int64_t, std::int32_t>>;
[[nodiscard]] inline Times times(const std::vector<Entry>& entries, Heard what) {
    Times result;
    for (const Entry& entry : entries)
        if (entry.what == what)
            result.emplace_back(entry.when.time_since_epoch() / milliseconds(1), entry.number);
    return result;
}

}  // namespace toy
