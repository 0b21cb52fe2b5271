// Harness producer: one Producer against scripted answers. Every partition has its own broker,
// every send is one batch, connections open at once and the loop runs until nothing more can be
// done.

#include "model/producer.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <variant>

#include "tests/conformance/harness.hpp"

namespace eos::conformance {

Harness make_producer(const Args& config);

namespace {

using namespace eos::model;
using sim::milliseconds;

constexpr std::int32_t topics = 6;
constexpr std::int32_t partitions = 4;
constexpr std::int32_t record_bytes = 100;

/// Topics a..f with four partitions each; log n is led by broker n + 1.
[[nodiscard]] std::shared_ptr<const Topology> small_cluster() {
    auto topology = std::make_shared<Topology>();
    topology->brokers = topics * partitions;
    for (std::int32_t t = 0; t < topics; ++t) {
        Topic topic;
        topic.name = std::string(1, static_cast<char>('a' + t));
        topic.first = LogId{t * partitions};
        topic.partitions = partitions;
        topology->topics.push_back(topic);
        for (std::int32_t p = 0; p < partitions; ++p)
            topology->logs.push_back(
                {.topic = {t}, .partition = {p}, .replicas = {BrokerId{t * partitions + p + 1}}});
    }
    return topology;
}

class ProducerHarness {
  public:
    explicit ProducerHarness(const Args& config) {
        if (config.has("txn_id"))
            throw NotModelled("the transactional producer is not modelled yet");
        auto settings = std::make_shared<ProducerConfig>();
        settings->idempotence = config.get<bool>("idempotent", true);
        settings->retries = config.get<std::int32_t>("retries", 2147483647);
        settings->delivery_timeout =
            milliseconds(config.get<std::int64_t>("delivery_timeout_ms", 120'000));
        settings->client.request_timeout =
            milliseconds(config.get<std::int64_t>("request_timeout_ms", 30'000));
        settings->client.retry_backoff =
            milliseconds(config.get<std::int64_t>("retry_backoff_ms", 0));
        settings->client.retry_backoff_max = settings->client.retry_backoff;
        settings->client.reconnect_backoff = {};
        settings->client.reconnect_backoff_max = {};
        settings->max_in_flight = config.get<std::int32_t>("max_in_flight", 5);
        settings->linger = {};
        settings->batch_size = record_bytes;  // so that a split batch falls into single records
        producer_.emplace(topology_, settings, ProcessId{}, 0, 1);
        MetadataResponse all;
        all.brokers = topology_->all_brokers();
        for (std::int32_t log = 0; log < topics * partitions; ++log)
            all.parts.push_back({.log = {log},
                                 .error = ErrorCode::none,
                                 .leader = BrokerId{log + 1},
                                 .epoch = {0}});
        producer_->tell(all);
    }

    Observed perform(const std::string& op, const Args& args) {
        sent_.reset(empty_list());
        Observed result = empty_map();
        if (op == "run") {
            settle();
        } else if (op == "init") {
            init(args);
        } else if (op == "send") {
            result = send(args);
        } else if (op == "pause") {
            paused_ = true;
        } else if (op == "resume") {
            paused_ = false;
            settle();
        } else if (op == "respond") {
            respond(args);
        } else if (op == "leader") {
            leader(args);
        } else if (op == "advance") {
            advance(args);
        } else if (op == "given_tp") {
            producer_->sender().sequences().place(log_named(args),
                                                  Sequence{args.get<std::int32_t>("next_seq")});
        } else if (op == "result") {
            return look(args);
        } else if (op == "check") {
            return check();
        } else if (op == "check_tp") {
            return check_partition(args);
        } else {
            throw NotModelled("operation " + op + " belongs to transactions");
        }
        result["requests"] = sent_;
        return result;
    }

  private:
    /// A request on its way, as the broker would see it.
    struct InFlight {
        Peer peer;
        Correlation correlation;
        Message request;
    };
    /// The sends of one `send` operation.
    struct Ref {
        std::string name;
        std::int64_t first = 0;
        std::int64_t count = 1;
    };

    // --- the world around the producer -----------------------------------------------------------

    [[nodiscard]] Context now() const {
        return {.now = now_, .wall = now_, .self = {100}, .life = 0};
    }

    void settle() {
        if (!paused_) producer_->run_sender(now(), fx_);
        while (carry_out() || ring(now_)) {
            if (!paused_) producer_->run_sender(now(), fx_);
        }
    }

    /// Applies what the producer asked for; true if that told it anything new.
    bool carry_out() {
        const auto list = std::exchange(fx_.list(), {});
        bool told = false;
        for (const auto& effect : list) {
            if (const auto* connect = std::get_if<sim::effect::Connect>(&effect)) {
                producer_->on_link(now(), connect->to, sim::LinkEvent::opened, fx_);
                told = true;
            } else if (const auto* close = std::get_if<sim::effect::Close>(&effect)) {
                forget(close->to);
            } else if (const auto* request = std::get_if<sim::effect::Request<Message>>(&effect)) {
                in_flight_.push_back({request->to, request->correlation, request->message});
                sent_.push_back(shown(request->message));
            } else if (const auto* arm = std::get_if<sim::effect::Arm>(&effect)) {
                timers_[arm->key] = now_ + arm->after;
            } else if (const auto* disarm = std::get_if<sim::effect::Disarm>(&effect)) {
                timers_.erase(disarm->key);
            } else if (const auto* told_history =
                           std::get_if<sim::effect::Observe<Observation>>(&effect)) {
                if (const auto* done = std::get_if<SendDone>(&told_history->observation))
                    done_[done->order] = *done;
            }
        }
        return told;
    }

    /// Rings one timer that is due.
    bool ring(Instant until) {
        const auto first =
            std::min_element(timers_.begin(), timers_.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        if (first == timers_.end() || first->second > until) return false;
        now_ = std::max(now_, first->second);
        const auto key = first->first;
        timers_.erase(first);
        producer_->on_timer(now(), key, fx_);
        return true;
    }

    void forget(Peer peer) {
        std::erase_if(in_flight_, [&](const InFlight& f) { return f.peer == peer; });
    }

    // --- operations ------------------------------------------------------------------------------

    void init(const Args& args) {
        settle();
        const auto request = take([](const InFlight& f) {
            return std::holds_alternative<InitProducerIdRequest>(f.request);
        });
        answer_init(request, args, ErrorCode::none);
        settle();
        sent_.reset(empty_list());
    }

    void answer_init(const InFlight& request, const Args& args, ErrorCode error) {
        InitProducerIdResponse response;
        response.error = error;
        if (error == ErrorCode::none) {
            response.producer_id = {args.get<std::int64_t>("pid")};
            response.producer_epoch = {args.get<std::int16_t>("epoch")};
        }
        producer_->on_reply(now(), request.peer, request.correlation, response, fx_);
    }

    Observed send(const Args& args) {
        const auto count = args.get<std::int32_t>("n", 1);
        std::vector<Record> records;
        for (std::int32_t i = 0; i < count; ++i) records.push_back({.id = {next_record_++}});
        const auto result =
            producer_->send_batch(now(), log_named(args), std::move(records), record_bytes, fx_);
        Observed observed = empty_map();
        if (result.kind == SendResult::Kind::refused) {
            next_record_ -= static_cast<std::uint64_t>(count);
            observed = failed("KAFKA_EXCEPTION");
            observed["cause"] = std::string(name(result.error));
        } else if (args.has("ref")) {
            refs_.push_back({args.get<std::string>("ref"), result.order, count});
        }
        settle();
        return observed;
    }

    void respond(const Args& args) {
        const auto error = error_named(args.get<std::string>("error", "NONE"));
        const bool disconnect = args.get<bool>("disconnect", false);
        const auto api = args.get<std::string>("api");
        InFlight request;
        if (api == "INIT_PRODUCER_ID") {
            request = take([](const InFlight& f) {
                return std::holds_alternative<InitProducerIdRequest>(f.request);
            });
            if (!disconnect) answer_init(request, args, error);
        } else if (api == "PRODUCE") {
            request = take([&](const InFlight& f) { return is_wanted(f, args); });
            if (!disconnect) answer_produce(request, args, error);
        } else {
            throw NotModelled("api " + api + " belongs to transactions");
        }
        if (disconnect) {
            forget(request.peer);
            producer_->on_link(now(), request.peer, sim::LinkEvent::closed, fx_);
        }
        settle();
    }

    [[nodiscard]] bool is_wanted(const InFlight& flight, const Args& args) const {
        const auto* request = std::get_if<ProduceRequest>(&flight.request);
        if (!request || request->parts.front().log != log_named(args)) return false;
        const Batch& batch = request->parts.front().batch;
        if (const auto seq = args.maybe<std::int32_t>("seq"))
            if (!batch.base_sequence || batch.base_sequence->value != *seq) return false;
        if (const auto ref = args.maybe<std::string>("ref")) return ref_of(batch) == *ref;
        return true;
    }

    void answer_produce(const InFlight& flight, const Args& args, ErrorCode error) {
        const auto& request = std::get<ProduceRequest>(flight.request);
        ProduceResponse response{.acks = request.acks, .attempt = request.attempt, .parts = {}};
        ProduceResponse::Part part;
        part.log = request.parts.front().log;
        part.error = error;
        part.log_start = Offset{args.get<std::int64_t>("log_start", -1)};
        if (const auto offset = args.maybe<std::int64_t>("offset"); offset && *offset >= 0)
            part.base = Offset{*offset};
        response.parts.push_back(part);
        producer_->on_reply(now(), flight.peer, flight.correlation, response, fx_);
    }

    void leader(const Args& args) {
        const LogId log = log_named(args);
        const bool up = args.get<bool>("up");
        MetadataResponse news;
        news.parts.push_back({.log = log,
                              .error = ErrorCode::none,
                              .leader = up ? std::optional(BrokerId{log.value + 1}) : std::nullopt,
                              .epoch = {0}});
        producer_->tell(news);
        settle();
    }

    void advance(const Args& args) {
        const Instant until = now_ + milliseconds(args.get<std::int64_t>("ms"));
        settle();
        while (ring(until)) settle();
        now_ = until;
        settle();
    }

    // --- observations ----------------------------------------------------------------------------

    [[nodiscard]] Observed look(const Args& args) const {
        const auto wanted = args.get<std::string>("ref");
        const auto ref = std::find_if(refs_.begin(), refs_.end(),
                                      [&](const Ref& r) { return r.name == wanted; });
        if (ref == refs_.end()) throw std::invalid_argument("no send is called " + wanted);
        Observed result = empty_map();
        result["status"] = "OK";
        for (auto order = ref->first; order < ref->first + ref->count; ++order) {
            const auto done = done_.find(order);
            if (done == done_.end()) {
                result["status"] = "PENDING";
                return result;
            }
            const SendDone& end = done->second;
            if (end.error == ErrorCode::none) {
                if (order == ref->first) result["offset"] = end.offset ? end.offset->value : -1;
            } else {
                result["status"] = "FAILED";
                result["error"] = end.error == ErrorCode::request_timed_out
                                      ? std::string("TIMEOUT")
                                      : std::string(name(end.error));
            }
        }
        return result;
    }

    [[nodiscard]] Observed check() const {
        const Sender& sender = producer_->sender();
        Observed result = empty_map();
        switch (sender.state()) {
            case Sender::State::uninitialized:
                result["state"] = "UNINITIALIZED";
                break;
            case Sender::State::initializing:
                result["state"] = "INITIALIZING";
                break;
            case Sender::State::ready:
                result["state"] = "READY";
                break;
            case Sender::State::fatal_error:
                result["state"] = "FATAL_ERROR";
                break;
        }
        const auto& identity = sender.sequences().identity();
        result["pid"] = identity ? identity->producer_id.value : -1;
        result["epoch"] = identity ? std::int32_t{identity->epoch.value} : -1;
        result["last_error"] = sender.last_error() == ErrorCode::none
                                   ? null()
                                   : YAML::Node(std::string(name(sender.last_error())));
        return result;
    }

    [[nodiscard]] Observed check_partition(const Args& args) const {
        const LogId log = log_named(args);
        const Sender& sender = producer_->sender();
        Sequences::Entry entry;
        entry.identity = sender.sequences().identity();
        if (const auto* found = sender.sequences().find(log)) entry = *found;
        Observed result = empty_map();
        result["pid"] = entry.identity ? entry.identity->producer_id.value : -1;
        result["epoch"] = entry.identity ? std::int32_t{entry.identity->epoch.value} : -1;
        result["stale"] = sender.sequences().stale(entry);
        result["next_seq"] = entry.next.value;
        result["last_acked"] = value_or_null(entry.acked);
        result["last_offset"] = value_or_null(entry.acked_offset);
        result["unresolved"] = entry.unresolved.has_value();
        result["inflight"] = empty_list();
        for (const BatchId id : entry.in_flight)
            result["inflight"].push_back(sender.batches()[id].number->base.value);
        result["queued"] = empty_list();
        if (const auto* waiting = sender.accumulator().find(log))
            for (const BatchId id : waiting->queue) {
                const auto& number = sender.batches()[id].number;
                result["queued"].push_back(number ? YAML::Node(number->base.value) : null());
            }
        return result;
    }

    [[nodiscard]] YAML::Node shown(const Message& message) const {
        YAML::Node result = empty_map();
        if (std::holds_alternative<InitProducerIdRequest>(message)) {
            result["api"] = "INIT_PRODUCER_ID";
        } else if (const auto* request = std::get_if<ProduceRequest>(&message)) {
            const auto& part = request->parts.front();
            const Batch& batch = part.batch;
            const Log& log = topology_->logs[static_cast<std::size_t>(part.log.value)];
            result["api"] = "PRODUCE";
            result["tp"] =
                topology_->topic_of(part.log).name + "-" + std::to_string(log.partition.value);
            result["pid"] = batch.producer_id ? batch.producer_id->value : -1;
            result["epoch"] = std::int32_t{batch.producer_epoch.value};
            result["seq"] = batch.base_sequence ? batch.base_sequence->value : -1;
            result["n"] = batch.count;
            result["ref"] = ref_of(batch);
        } else {
            throw std::logic_error("the producer sent something unforeseen");
        }
        return result;
    }

    // --- names -----------------------------------------------------------------------------------

    [[nodiscard]] std::string ref_of(const Batch& batch) const {
        const auto order = static_cast<std::int64_t>(batch.payload.records().front().id.value);
        for (const Ref& ref : refs_)
            if (order >= ref.first && order < ref.first + ref.count) return ref.name;
        return "";
    }

    [[nodiscard]] LogId log_named(const Args& args) const {
        const auto tp = args.get<std::string>("tp");
        const std::int32_t topic = tp.at(0) - 'a';
        const std::int32_t partition = std::stoi(tp.substr(tp.rfind('-') + 1));
        if (topic < 0 || topic >= topics || partition >= partitions)
            throw std::invalid_argument("no partition is called " + tp);
        return {topic * partitions + partition};
    }

    template <class Wanted>
    InFlight take(Wanted&& wanted) {
        const auto found = std::find_if(in_flight_.begin(), in_flight_.end(), wanted);
        if (found == in_flight_.end()) throw std::invalid_argument("no such request is in flight");
        InFlight request = std::move(*found);
        in_flight_.erase(found);
        return request;
    }

    std::shared_ptr<const Topology> topology_ = small_cluster();
    std::optional<Producer> producer_;
    Fx fx_;
    Instant now_{};
    bool paused_ = false;
    std::deque<InFlight> in_flight_;
    std::map<sim::TimerKey, Instant> timers_;
    std::vector<Ref> refs_;
    std::map<std::int64_t, SendDone> done_;
    std::uint64_t next_record_ = 0;  ///< ids follow the order of the sends
    YAML::Node sent_ = empty_list();
};

}  // namespace

Harness make_producer(const Args& config) {
    auto harness = std::make_shared<ProducerHarness>(config);
    return {.perform = [harness](const std::string& op, const Args& args) {
        return harness->perform(op, args);
    }};
}

}  // namespace eos::conformance
