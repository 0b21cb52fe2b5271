#pragma once
// A producer in a test: connections open when asked (or never), requests wait for the answer the
// test gives, timers ring when the test lets time pass. Two topics: "a" with two partitions led by
// brokers 1 and 2, "b" with four partitions all led by broker 1.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "model/producer.hpp"

namespace eos::model::testing {

[[nodiscard]] inline std::shared_ptr<Topology> two_topics() {
    auto topology = std::make_shared<Topology>();
    topology->brokers = 2;
    Topic a;
    a.name = "a";
    a.first = {0};
    a.partitions = 2;
    Topic b;
    b.name = "b";
    b.first = {2};
    b.partitions = 4;
    topology->topics = {a, b};
    topology->logs = {{{0}, {0}, {{1}, {2}}}, {{0}, {1}, {{2}, {1}}}, {{1}, {0}, {{1}, {2}}},
                      {{1}, {1}, {{1}, {2}}}, {{1}, {2}, {{1}, {2}}}, {{1}, {3}, {{1}, {2}}}};
    return topology;
}

/// Settings that make a test short: no idempotence, no linger, no jitter, backoff 100 ms.
[[nodiscard]] inline ProducerConfig plain_config() {
    ProducerConfig config;
    config.idempotence = false;
    config.linger = {};
    config.client.retry_backoff_max = config.client.retry_backoff;
    config.client.reconnect_backoff_max = config.client.reconnect_backoff;
    config.client.connection_setup_timeout_max = config.client.connection_setup_timeout;
    return config;
}

inline constexpr LogId a0{0};
inline constexpr LogId a1{1};
inline constexpr LogId b0{2};

struct ProducerRig {
    /// A request of a transactional producer that is no Produce.
    struct Asked {
        Peer peer;
        Correlation correlation;
        Message message;
    };
    struct Sent {
        Peer peer;
        Correlation correlation;
        ProduceRequest request;
        sim::Instant at{};
        [[nodiscard]] RecordId first_record(std::size_t part = 0) const {
            return request.parts.at(part).batch.payload.records().front().id;
        }
    };

    explicit ProducerRig(ProducerConfig config, bool tell_leaders = true)
        : settings(std::make_shared<const ProducerConfig>(std::move(config))),
          producer(topology, settings, ProcessId{{0}, 0}, 0, 7),
          answers_metadata(tell_leaders) {
        if (tell_leaders) producer.tell(leaders());
    }

    [[nodiscard]] static MetadataResponse leaders(std::int32_t epoch = 0) {
        MetadataResponse response;
        response.brokers = {{1}, {2}};
        for (std::int32_t log = 0; log < 6; ++log)
            response.parts.push_back({.log = {log},
                                      .error = ErrorCode::none,
                                      .leader = BrokerId{log == 1 ? 2 : 1},
                                      .epoch = {epoch}});
        return response;
    }
    [[nodiscard]] Context ctx() const { return {.now = now, .wall = now, .self = {3}, .life = 0}; }

    // --- the application -------------------------------------------------------------------------
    SendResult send(LogId log, std::int32_t bytes = 100) {
        const Log& where = topology->logs.at(static_cast<std::size_t>(log.value));
        return producer.send(ctx(), where.topic, where.partition, {.id = {next_record++}}, false,
                             bytes, fx);
    }
    /// Sends and lets the sender run.
    SendResult post(LogId log, std::int32_t bytes = 100) {
        const auto result = send(log, bytes);
        run();
        return result;
    }
    [[nodiscard]] std::vector<ProducerEvent> events() {
        auto fresh = producer.take_events();
        return fresh;
    }
    [[nodiscard]] std::size_t count(ProducerEvent::Kind kind) {
        const auto list = events();
        return static_cast<std::size_t>(
            std::count_if(list.begin(), list.end(), [&](const auto& e) { return e.kind == kind; }));
    }

    // --- the world -------------------------------------------------------------------------------
    void run() {
        do producer.run_sender(ctx(), fx);
        while (carry_out());
    }
    bool carry_out() {
        bool told = false;
        for (const auto& effect : std::exchange(fx.list(), {})) {
            if (const auto* connect = std::get_if<sim::effect::Connect>(&effect)) {
                if (!connections_open) continue;
                producer.on_link(ctx(), connect->to, sim::LinkEvent::opened, fx);
                told = true;
            } else if (const auto* close = std::get_if<sim::effect::Close>(&effect)) {
                std::erase_if(sent, [&](const Sent& s) { return s.peer == close->to; });
                ++closed;
            } else if (const auto* request = std::get_if<sim::effect::Request<Message>>(&effect)) {
                if (const auto* produce = std::get_if<ProduceRequest>(&request->message))
                    sent.push_back({request->to, request->correlation, *produce, now});
                else if (std::holds_alternative<MetadataRequest>(request->message))
                    told = take_metadata_request(*request) || told;
                else if (std::holds_alternative<InitProducerIdRequest>(request->message) &&
                         !settings->txid)
                    init.push_back({request->to, request->correlation});
                else
                    asked.push_back({request->to, request->correlation, request->message});
            } else if (const auto* arm = std::get_if<sim::effect::Arm>(&effect)) {
                timers[arm->key] = now + arm->after;
            } else if (const auto* disarm = std::get_if<sim::effect::Disarm>(&effect)) {
                timers.erase(disarm->key);
            } else if (const auto* reach = std::get_if<sim::effect::Reach>(&effect)) {
                reached.push_back(*reach);
            } else if (const auto* observe =
                           std::get_if<sim::effect::Observe<Observation>>(&effect)) {
                if (const auto* done = std::get_if<SendDone>(&observe->observation))
                    ended.push_back(*done);
                if (std::holds_alternative<SendInvoked>(observe->observation)) ++invoked;
                history.push_back(observe->observation);
            } else if (const auto* declare = std::get_if<sim::effect::Declare>(&effect)) {
                declared.push_back(*declare);
            }
        }
        return told;
    }
    bool take_metadata_request(const sim::effect::Request<Message>& request) {
        if (!answers_metadata) {
            metadata.push_back({request.to, request.correlation});
            return false;
        }
        producer.on_reply(ctx(), request.to, request.correlation, leaders(), fx);
        return true;
    }
    void pass(Duration time) {
        const sim::Instant until = now + time;
        for (;;) {
            const auto first =
                std::min_element(timers.begin(), timers.end(),
                                 [](const auto& x, const auto& y) { return x.second < y.second; });
            if (first == timers.end() || first->second > until) break;
            now = first->second;
            const auto key = first->first;
            timers.erase(first);
            producer.on_timer(ctx(), key, fx);
            run();
        }
        now = until;
        run();
    }
    /// Answers the request at this index, every part alike; then the sender runs if `go_on`.
    void answer(std::size_t index, ErrorCode error, std::optional<Offset> base = std::nullopt,
                bool go_on = true, std::optional<LeaderHint> hint = std::nullopt) {
        const Sent request = sent.at(index);
        sent.erase(sent.begin() + static_cast<std::ptrdiff_t>(index));
        ProduceResponse response;
        for (const auto& part : request.request.parts) {
            ProduceResponse::Part told;
            told.log = part.log;
            told.error = error;
            told.base = base;
            told.hint = hint;
            response.parts.push_back(told);
        }
        producer.on_reply(ctx(), request.peer, request.correlation, response, fx);
        if (go_on) run();
    }
    void answer_metadata(const MetadataResponse& response) {
        const auto [peer, correlation] = metadata.front();
        metadata.erase(metadata.begin());
        producer.on_reply(ctx(), peer, correlation, response, fx);
        run();
    }
    void answer_init(ErrorCode error, std::int64_t pid = 5, std::int16_t epoch = 0) {
        const auto [peer, correlation] = init.front();
        init.erase(init.begin());
        producer.on_reply(
            ctx(), peer, correlation,
            InitProducerIdResponse{.error = error, .producer_id = {pid}, .producer_epoch = {epoch}},
            fx);
        run();
    }
    void cut(Peer peer) {
        std::erase_if(sent, [&](const Sent& s) { return s.peer == peer; });
        std::erase_if(asked, [&](const Asked& a) { return a.peer == peer; });
        producer.on_link(ctx(), peer, sim::LinkEvent::closed, fx);
        run();
    }
    [[nodiscard]] std::size_t times(Mile mile) const {
        return static_cast<std::size_t>(std::count_if(
            reached.begin(), reached.end(), [&](const auto& r) { return r.kind == number(mile); }));
    }
    [[nodiscard]] bool spared(Safeguard safeguard) const {
        const auto kind = static_cast<std::uint16_t>(static_cast<int>(Mile::safeguard_first) +
                                                     static_cast<int>(safeguard));
        return std::any_of(reached.begin(), reached.end(),
                           [&](const auto& r) { return r.kind.value == kind; });
    }

    std::shared_ptr<const Topology> topology = two_topics();
    std::shared_ptr<const ProducerConfig> settings;
    Producer producer;
    bool answers_metadata;  ///< at once, with leaders(); else the test does
    Fx fx;
    sim::Instant now{};
    bool connections_open = true;
    std::vector<Sent> sent;                              ///< Produce requests without answer
    std::vector<std::pair<Peer, Correlation>> metadata;  ///< likewise
    std::vector<std::pair<Peer, Correlation>> init;      ///< likewise
    std::vector<Asked> asked;                            ///< likewise
    std::map<sim::TimerKey, sim::Instant> timers;
    std::vector<sim::effect::Reach> reached;
    std::vector<SendDone> ended;
    std::vector<Observation> history;
    std::vector<sim::effect::Declare> declared;
    int invoked = 0;
    int closed = 0;
    std::uint64_t next_record = 0;
};

}  // namespace eos::model::testing
