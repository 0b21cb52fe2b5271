#pragma once
// A TaskManager or a JobManager in a test: connections open at once, a small cluster answers
// everything a Kafka client asks, hand-offs and timers wait until the test lets them come. Topic
// "in" has one partition with records, "out" one partition; broker 1 leads and coordinates
// everything.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/job_manager.hpp"
#include "model/task_manager.hpp"

namespace eos::model::testing {

inline constexpr LogId in_log{0};
inline constexpr LogId out_log{1};
inline constexpr NodeId task_manager_0{2};
inline constexpr NodeId job_manager_node{4};

[[nodiscard]] inline std::shared_ptr<const ClientSetup> job_setup(DeliveryGuarantee guarantee,
                                                                  JobConfig job = {}) {
    auto topology = std::make_shared<Topology>();
    topology->brokers = 1;
    Topic in;
    in.name = "in";
    in.first = in_log;
    Topic out;
    out.name = "out";
    out.first = out_log;
    topology->topics = {in, out};
    topology->logs = {{{0}, {0}, {{1}}}, {{1}, {0}, {{1}}}};
    topology->apps = {"job"};
    topology->groups = {"job"};
    topology->app_first_node = {task_manager_0};
    topology->job_managers = {job_manager_node};
    topology->job_prefixes = {"job"};
    AppConfig app;
    app.name = "job";
    app.kind = AppKind::flink_job;
    app.instances = 2;
    app.from = {{0}};
    app.to = {{1}};
    app.client_record = {};
    app.job = job;
    app.job.guarantee = guarantee;
    ConsumerConfig consumer;
    consumer.group = GroupId{0};
    ProducerConfig producer;
    producer.linger = {};
    return std::make_shared<const ClientSetup>(
        ClientSetup{std::make_shared<const AppConfig>(app),
                    std::make_shared<const ConsumerConfig>(consumer),
                    std::make_shared<const ProducerConfig>(producer),
                    topology,
                    7,
                    {},
                    {}});
}

/// What the small cluster has seen and holds.
struct SmallCluster {
    std::int64_t records = 3;                        ///< in "in"
    std::map<TransactionalId, std::int16_t> epochs;  ///< of ids that exist
    std::vector<std::string> calls;                  ///< "init job-0-1", "commit job-0-1", ...
    std::int32_t produced = 0;
    bool acks_produce = true;
    std::optional<ErrorCode> end_txn;  ///< instead of success

    [[nodiscard]] std::optional<Message> answer(const Message& message, const Topology& topology) {
        if (std::holds_alternative<MetadataRequest>(message)) {
            MetadataResponse told;
            told.brokers = {{1}};
            told.parts = {{in_log, ErrorCode::none, BrokerId{1}, {}},
                          {out_log, ErrorCode::none, BrokerId{1}, {}}};
            return told;
        }
        if (const auto* find = std::get_if<FindCoordinatorRequest>(&message))
            return FindCoordinatorResponse{find->group, ErrorCode::none, {1}, find->txid};
        if (const auto* init = std::get_if<InitProducerIdRequest>(&message)) {
            if (!init->txid) return InitProducerIdResponse{ErrorCode::none, {1}, {0}, std::nullopt};
            const auto known = epochs.find(*init->txid);
            const auto epoch =
                static_cast<std::int16_t>(known == epochs.end() ? 0 : known->second + 1);
            epochs[*init->txid] = epoch;
            calls.push_back("init " + topology.transactional_id_name(*init->txid));
            return InitProducerIdResponse{
                ErrorCode::none, {init->txid->value}, {epoch}, init->txid};
        }
        if (const auto* produce = std::get_if<ProduceRequest>(&message)) {
            if (!acks_produce) return std::nullopt;
            ProduceResponse told;
            for (const auto& part : produce->parts) {
                produced += part.batch.count;
                told.parts.push_back({.log = part.log,
                                      .error = ErrorCode::none,
                                      .base = Offset{0},
                                      .log_start = {},
                                      .hint = {},
                                      .producer_id = part.batch.producer_id,
                                      .producer_epoch = part.batch.producer_epoch});
            }
            return told;
        }
        if (const auto* end = std::get_if<EndTxnRequest>(&message)) {
            calls.push_back((end->result == ControlType::commit ? "commit " : "abort ") +
                            topology.transactional_id_name(end->who.txid));
            EndTxnResponse told{.who = end->who, .result = end->result};
            told.error = end_txn.value_or(ErrorCode::none);
            told.producer_id = end->who.producer_id;
            told.producer_epoch = end->who.producer_epoch.next();
            return told;
        }
        if (const auto* list = std::get_if<ListOffsetsRequest>(&message)) {
            ListOffsetsResponse told;
            for (const auto& part : list->parts)
                told.parts.push_back({part.log, ErrorCode::none, {0}, std::nullopt});
            return told;
        }
        if (const auto* fetch = std::get_if<FetchRequest>(&message)) return fetched(*fetch);
        if (const auto* commit = std::get_if<OffsetCommitRequest>(&message)) {
            calls.push_back("offset " + std::to_string(commit->parts.at(0).offset.value));
            return OffsetCommitResponse{commit->group, {{in_log, ErrorCode::none}}};
        }
        return std::nullopt;
    }

  private:
    [[nodiscard]] std::optional<Message> fetched(const FetchRequest& fetch) const {
        FetchResponse told;
        for (const auto& part : fetch.parts) {
            if (part.offset.value >= records) return std::nullopt;  // a long poll
            FetchResponse::Part data;
            data.log = part.log;
            data.fetch_offset = part.offset;
            data.high_watermark = data.last_stable_offset = {records};
            Batch batch;
            batch.base = part.offset;
            batch.count = static_cast<std::int32_t>(records - part.offset.value);
            std::vector<Record> content;
            for (std::int64_t i = part.offset.value; i < records; ++i)
                content.push_back({.id = {static_cast<std::uint64_t>(i)}});
            batch.payload = Payload(std::move(content));
            data.batches = {batch};
            told.parts.push_back(std::move(data));
        }
        return told;
    }
};

/// One node and what it asked for.
template <class Node>
struct JobRig {
    JobRig(std::shared_ptr<const ClientSetup> setup_, Node node_, NodeId self_)
        : setup(std::move(setup_)), node(std::move(node_)), self(self_) {}

    [[nodiscard]] Context ctx() const {
        return {.now = now, .wall = now, .self = self, .life = life};
    }

    void start() {
        node.on_start(ctx(), fx);
        settle();
    }
    /// A request of another node.
    void ask(Message message) {
        node.on_request(ctx(), {}, std::move(message), fx);
        settle();
    }
    /// Carries out everything that takes no time, and the short pauses of producers.
    void settle() {
        for (;;) {
            while (!fx.empty())
                for (auto& effect : std::exchange(fx.list(), {})) carry_out(effect);
            const auto due = std::find_if(timers.begin(), timers.end(), [&](const auto& timer) {
                return tick(timer.first) == Tick::producer_wake &&
                       timer.second <= now + milliseconds(200);
            });
            if (due == timers.end()) return;
            const auto [which, at] = *due;
            now = std::max(now, at);
            timers.erase(due);
            node.on_timer(ctx(), which, fx);
        }
    }
    /// The hand-offs that wait, in order.
    void hand_over() {
        for (auto& message : std::exchange(hand_offs, {})) {
            node.on_handoff(ctx(), std::move(message), fx);
            settle();
        }
    }
    /// Rings a timer that is armed.
    bool ring(Tick kind, std::uint32_t a = 0) {
        for (const auto& [timer, at] : timers) {
            if (tick(timer) != kind || timer.a != a) continue;
            const auto which = timer;
            now = std::max(now, at);
            timers.erase(which);
            node.on_timer(ctx(), which, fx);
            settle();
            return true;
        }
        return false;
    }
    [[nodiscard]] bool reached(Mile mile) const {
        return std::find(miles.begin(), miles.end(), mile) != miles.end();
    }
    /// What was sent to other nodes of the job, of one kind.
    template <class M>
    [[nodiscard]] std::vector<M> said() const {
        std::vector<M> result;
        for (const auto& message : job_messages)
            if (const auto* found = std::get_if<M>(&message)) result.push_back(*found);
        return result;
    }

    std::shared_ptr<const ClientSetup> setup;
    Node node;
    NodeId self;
    std::int32_t life = 0;
    sim::Instant now = sim::time_zero + seconds(1);
    Fx fx;
    SmallCluster cluster;
    std::vector<Message> hand_offs;
    std::vector<Message> job_messages;
    std::map<sim::TimerKey, sim::Instant> timers;
    std::vector<Mile> miles;
    std::int32_t session = 1;
    bool answers_job = true;

  private:
    void carry_out(Fx::Any& effect) {
        if (const auto* connect = std::get_if<sim::effect::Connect>(&effect)) {
            node.on_link(ctx(), connect->to, sim::LinkEvent::opened, fx);
        } else if (auto* request = std::get_if<sim::effect::Request<Message>>(&effect)) {
            std::optional<Message> told;
            if (request->to.lane == job_lane) {
                job_messages.push_back(request->message);
                if (!answers_job) return;
                if (std::holds_alternative<RegisterTaskManagerRequest>(request->message))
                    told = RegisterTaskManagerResponse{ErrorCode::none, session};
                else
                    told = Vocabulary::refusal(request->message, 0);
            } else {
                told = cluster.answer(request->message, *setup->topology);
            }
            if (told) node.on_reply(ctx(), request->to, request->correlation, std::move(*told), fx);
        } else if (auto* step = std::get_if<sim::effect::HandOff<Message>>(&effect)) {
            hand_offs.push_back(std::move(step->message));
        } else if (const auto* arm = std::get_if<sim::effect::Arm>(&effect)) {
            timers[arm->key] = now + arm->after;
        } else if (const auto* disarm = std::get_if<sim::effect::Disarm>(&effect)) {
            timers.erase(disarm->key);
        } else if (const auto* reach = std::get_if<sim::effect::Reach>(&effect)) {
            miles.push_back(static_cast<Mile>(reach->kind.value));
        }
    }
};

}  // namespace eos::model::testing
