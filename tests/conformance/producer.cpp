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

/// Beyond those that lead partitions.
constexpr BrokerId txn_coordinator{topics * partitions + 1};
constexpr BrokerId group_coordinator{topics * partitions + 2};

/// Topics a..f with four partitions each; log n is led by broker n + 1. Two more coordinate.
[[nodiscard]] std::shared_ptr<const Topology> small_cluster() {
    auto topology = std::make_shared<Topology>();
    topology->brokers = topics * partitions + 2;
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
        auto settings = std::make_shared<ProducerConfig>();
        if (config.has("txn_id")) settings->txid = TransactionalId{0};
        settings->transaction_version = config.get<std::int32_t>("tv", 1) == 2
                                            ? TransactionVersion::tv2
                                            : TransactionVersion::tv1;
        settings->coordinator_bumps_epoch = config.get<bool>("can_bump", true);
        settings->max_block = sim::seconds(100'000);  // the cases say when a call times out
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
        } else if (op == "call") {
            result = call(args);
        } else if (op == "timeout_call") {
            producer_->stop_waiting();
        } else if (op == "fail_with") {
            result = fail_with(args);
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
            throw NotModelled("transaction.version does not change during a run");
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
    /// The end of one `call` operation; none: pending.
    using CallEnd = std::optional<ErrorCode>;

    // --- the world around the producer -----------------------------------------------------------

    [[nodiscard]] Context now() const {
        return {.now = now_, .wall = now_, .self = {100}, .life = 0};
    }

    void settle() {
        if (!paused_) producer_->run_sender(now(), fx_);
        while (carry_out() || ring(now_)) {
            if (!paused_) producer_->run_sender(now(), fx_);
        }
        for (const auto& event : producer_->take_events())
            if (event.kind == ProducerEvent::Kind::call_done)
                calls_[waiting_[event.call]] = event.error;
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
        if (producer_->sender().transactions()) {
            (void)producer_->init_transactions(now(), fx_);
            settle();
            answer_find(take_api<FindCoordinatorRequest>(), ErrorCode::none);
            settle();
            while (in_flight_.empty() && ring(sim::time_never)) settle();  // retry.backoff.ms
        }
        settle();
        const auto request = take_api<InitProducerIdRequest>();
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
            observed = thrown(result.error);
        } else if (args.has("ref")) {
            refs_.push_back({args.get<std::string>("ref"), result.order, count});
        }
        settle();
        return observed;
    }

    /// T4: what a call throws in an error state.
    [[nodiscard]] static Observed thrown(ErrorCode error) {
        if (error == ErrorCode::illegal_state) return failed("ILLEGAL_STATE");
        if (error == ErrorCode::producer_fenced || error == ErrorCode::invalid_producer_epoch)
            return failed(name(error));
        Observed observed = failed("KAFKA_EXCEPTION");
        observed["cause"] = exception(error);
        return observed;
    }

    /// The exception that stands for an error, as the cases call it.
    [[nodiscard]] static std::string exception(ErrorCode error) {
        if (error == ErrorCode::request_timed_out) return "TIMEOUT";
        if (error == ErrorCode::illegal_state) return "ILLEGAL_STATE";
        if (error == ErrorCode::transaction_aborted) return "TRANSACTION_ABORTED";
        if (error == ErrorCode::illegal_generation || error == ErrorCode::unknown_member_id)
            return "COMMIT_FAILED";
        return std::string(name(error));
    }

    Observed call(const Args& args) {
        const auto api = args.get<std::string>("api");
        const auto ref = args.get<std::string>("ref", api);
        if (api == "close") {
            producer_->close();
            settle();
            return empty_map();
        }
        if (api == "force_close") {
            producer_->force_close(now(), fx_);
            settle();
            return empty_map();
        }
        ProducerCall result;
        if (api == "begin") {
            result = producer_->begin_transaction(now(), fx_);
        } else {
            const auto what = called(api);
            if (what == TxnCall::init) result = producer_->init_transactions(now(), fx_);
            if (what == TxnCall::commit) result = producer_->commit_transaction(now(), fx_);
            if (what == TxnCall::abort) result = producer_->abort_transaction(now(), fx_);
            if (what == TxnCall::send_offsets) result = send_offsets(args);
            if (result.kind != ProducerCall::Kind::refused) waiting_[what] = ref;
        }
        Observed observed = empty_map();
        switch (result.kind) {
            case ProducerCall::Kind::done: calls_[ref] = ErrorCode::none; break;
            case ProducerCall::Kind::pending: calls_[ref] = std::nullopt; break;
            case ProducerCall::Kind::refused: observed = thrown(result.error); break;
        }
        settle();
        return observed;
    }

    [[nodiscard]] static TxnCall called(const std::string& api) {
        if (api == "init") return TxnCall::init;
        if (api == "commit") return TxnCall::commit;
        if (api == "abort") return TxnCall::abort;
        if (api == "send_offsets") return TxnCall::send_offsets;
        throw std::invalid_argument("no call is named " + api);
    }

    ProducerCall send_offsets(const Args& args) {
        MemberRef member;
        const auto generation = args.get<std::int32_t>("generation", -1);
        if (generation >= 0) member.generation = Generation{generation};
        if (const auto id = args.get<std::string>("member", ""); !id.empty())
            member.member = MemberId{static_cast<std::uint64_t>(id.front())};
        if (args.has("instance")) member.instance = GroupInstanceId{0};
        std::vector<OffsetCommitRequest::Part> parts;
        for (const auto& pair : args.raw("offsets")) {
            auto& part = parts.emplace_back();
            part.log = log_of(pair.first.as<std::string>());
            part.offset = Offset{pair.second.as<std::int64_t>()};
        }
        return producer_->send_offsets(now(), GroupId{0}, member, std::move(parts), fx_);
    }

    Observed fail_with(const Args& args) {
        auto& transactions = *producer_->sender().transactions();
        const auto error = error_named(args.get<std::string>("error"));
        if (args.get<std::string>("class") == "fatal")
            transactions.become_fatal(error);
        else
            transactions.become_abortable(error);
        const bool poisoned = transactions.last_error() == ErrorCode::illegal_state;
        settle();
        return poisoned ? failed("ILLEGAL_STATE") : empty_map();
    }

    void respond(const Args& args) {
        const auto error = error_named(args.get<std::string>("error", "NONE"));
        const bool disconnect = args.get<bool>("disconnect", false);
        const auto api = args.get<std::string>("api");
        InFlight request;
        if (api == "PRODUCE") {
            request = take([&](const InFlight& f) { return is_wanted(f, args); });
            if (!disconnect) answer_produce(request, args, error);
        } else if (api == "INIT_PRODUCER_ID") {
            request = take_api<InitProducerIdRequest>();
            if (!disconnect) answer_init(request, args, error);
        } else if (api == "FIND_COORDINATOR") {
            request = take_api<FindCoordinatorRequest>();
            if (!disconnect) answer_find(request, error);
        } else if (api == "ADD_PARTITIONS") {
            request = take_api<AddPartitionsToTxnRequest>();
            if (!disconnect) answer_add(request, args, error);
        } else if (api == "ADD_OFFSETS") {
            request = take_api<AddOffsetsToTxnRequest>();
            if (!disconnect) tell(request, AddOffsetsToTxnResponse{{}, {}, error});
        } else if (api == "TXN_OFFSET_COMMIT") {
            request = take_api<TxnOffsetCommitRequest>();
            if (!disconnect) answer_offsets(request, args, error);
        } else if (api == "END_TXN") {
            request = take_api<EndTxnRequest>();
            if (!disconnect) answer_end(request, args, error);
        } else {
            throw std::invalid_argument("no request is named " + api);
        }
        if (disconnect) {
            forget(request.peer);
            producer_->on_link(now(), request.peer, sim::LinkEvent::closed, fx_);
        }
        settle();
    }

    void tell(const InFlight& request, const Message& answer) {
        producer_->on_reply(now(), request.peer, request.correlation, answer, fx_);
    }

    void answer_find(const InFlight& flight, ErrorCode error) {
        const auto& request = std::get<FindCoordinatorRequest>(flight.request);
        tell(flight, FindCoordinatorResponse{
                         .group = request.group,
                         .error = error,
                         .coordinator = request.group ? group_coordinator : txn_coordinator,
                         .txid = request.txid});
    }

    void answer_add(const InFlight& flight, const Args& args, ErrorCode error) {
        const auto& asked = std::get<AddPartitionsToTxnRequest>(flight.request).entries.front();
        AddPartitionsToTxnResponse answer;
        auto& entry = answer.entries.emplace_back();
        for (const LogId log : asked.logs)
            entry.parts.push_back({.log = log, .error = error_of(args, log, error)});
        tell(flight, answer);
    }

    void answer_offsets(const InFlight& flight, const Args& args, ErrorCode error) {
        TxnOffsetCommitResponse answer;
        for (const auto& part : std::get<TxnOffsetCommitRequest>(flight.request).parts)
            answer.parts.push_back({.log = part.log, .error = error_of(args, part.log, error)});
        tell(flight, answer);
    }

    void answer_end(const InFlight& flight, const Args& args, ErrorCode error) {
        EndTxnResponse answer;
        answer.error = error;
        answer.producer_id = {args.get<std::int64_t>("pid", -1)};
        answer.producer_epoch = {args.get<std::int16_t>("epoch", -1)};
        tell(flight, answer);
    }

    /// `errors {tp: error}` instead of one error for all.
    [[nodiscard]] ErrorCode error_of(const Args& args, LogId log, ErrorCode otherwise) const {
        if (!args.has("errors")) return otherwise;
        for (const auto& pair : args.raw("errors"))
            if (log_of(pair.first.as<std::string>()) == log)
                return error_named(pair.second.as<std::string>());
        return ErrorCode::none;
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
        if (const auto ended = calls_.find(wanted); ended != calls_.end()) {
            Observed shown = empty_map();
            const bool good = ended->second == ErrorCode::none;
            shown["status"] = !ended->second ? "PENDING" : good ? "OK" : "FAILED";
            if (ended->second && !good) shown["error"] = exception(*ended->second);
            return shown;
        }
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
                result["error"] = exception(end.error);
            }
        }
        return result;
    }

    [[nodiscard]] Observed check() const {
        const Sender& sender = producer_->sender();
        Observed result = empty_map();
        result["state"] = std::string(state_name(sender.state()));
        const auto& identity = sender.sequences().identity();
        result["pid"] = identity ? identity->producer_id.value : -1;
        result["epoch"] = identity ? std::int32_t{identity->epoch.value} : -1;
        result["last_error"] = sender.last_error() == ErrorCode::none
                                   ? null()
                                   : YAML::Node(exception(sender.last_error()));
        if (const auto* transactions = sender.transactions()) {
            result["in_txn"] = shown(transactions->enrolled());
            result["pending_add"] = shown(transactions->to_enrol());
            const auto api = sender.transactional_request();
            result["txn_inflight"] = api ? YAML::Node(std::string(api_name(*api))) : null();
            result["tv"] = static_cast<int>(transactions->version());
        }
        return result;
    }

    [[nodiscard]] static std::string_view state_name(Sender::State state) {
        using enum Sender::State;
        switch (state) {
            case uninitialized: return "UNINITIALIZED";
            case initializing: return "INITIALIZING";
            case ready: return "READY";
            case in_transaction: return "IN_TRANSACTION";
            case committing: return "COMMITTING_TRANSACTION";
            case aborting: return "ABORTING_TRANSACTION";
            case abortable_error: return "ABORTABLE_ERROR";
            case fatal_error: return "FATAL_ERROR";
        }
        return "";
    }

    [[nodiscard]] static std::string_view api_name(Api api) {
        if (api == Api::find_coordinator) return "FIND_COORDINATOR";
        if (api == Api::init_producer_id) return "INIT_PRODUCER_ID";
        if (api == Api::add_partitions_to_txn) return "ADD_PARTITIONS";
        if (api == Api::add_offsets_to_txn) return "ADD_OFFSETS";
        if (api == Api::txn_offset_commit) return "TXN_OFFSET_COMMIT";
        return api == Api::end_txn ? "END_TXN" : "PRODUCE";
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
        const auto* transactions = sender.transactions();
        if (transactions) {
            const auto& logs = transactions->enrolled();
            result["sendable"] = transactions->state() != Sender::State::fatal_error &&
                                 std::find(logs.begin(), logs.end(), log) != logs.end();
        }
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
        result["api"] = std::string(api_name(api_of(message)));
        if (const auto* init = std::get_if<InitProducerIdRequest>(&message)) {
            result["pid"] = init->expected_producer_id ? init->expected_producer_id->value : -1;
            result["epoch"] = std::int32_t{init->expected_epoch.value};
        } else if (const auto* produce = std::get_if<ProduceRequest>(&message)) {
            const auto& part = produce->parts.front();
            const Batch& batch = part.batch;
            result["tp"] = tp_of(part.log);
            result["pid"] = batch.producer_id ? batch.producer_id->value : -1;
            result["epoch"] = std::int32_t{batch.producer_epoch.value};
            result["seq"] = batch.base_sequence ? batch.base_sequence->value : -1;
            result["n"] = batch.count;
            result["ref"] = ref_of(batch);
        } else if (const auto* find = std::get_if<FindCoordinatorRequest>(&message)) {
            result["type"] = find->group ? "GROUP" : "TXN";
        } else if (const auto* add = std::get_if<AddPartitionsToTxnRequest>(&message)) {
            result["partitions"] = shown(add->entries.front().logs);
        } else if (std::holds_alternative<AddOffsetsToTxnRequest>(message)) {
            result["group"] = "g";
        } else if (const auto* commit = std::get_if<TxnOffsetCommitRequest>(&message)) {
            show_identity(commit->who, result);
            result["group"] = "g";
            const auto& generation = commit->member.generation;
            result["generation"] = generation ? generation->value : -1;
            result["offsets"] = empty_map();
            for (const auto& part : commit->parts)
                result["offsets"][tp_of(part.log)] = part.offset.value;
        } else if (const auto* end = std::get_if<EndTxnRequest>(&message)) {
            show_identity(end->who, result);
            result["result"] = end->result == ControlType::commit ? "COMMIT" : "ABORT";
        } else {
            throw std::logic_error("the producer sent something unforeseen");
        }
        return result;
    }

    static void show_identity(const TxnIdentity& who, YAML::Node& result) {
        result["pid"] = who.producer_id.value;
        result["epoch"] = std::int32_t{who.producer_epoch.value};
    }

    [[nodiscard]] YAML::Node shown(const std::vector<LogId>& logs) const {
        YAML::Node list = empty_list();
        for (const LogId log : logs) list.push_back(tp_of(log));
        return list;
    }

    // --- names -----------------------------------------------------------------------------------

    [[nodiscard]] std::string ref_of(const Batch& batch) const {
        const auto order = static_cast<std::int64_t>(batch.payload.records().front().id.value);
        for (const Ref& ref : refs_)
            if (order >= ref.first && order < ref.first + ref.count) return ref.name;
        return "";
    }

    [[nodiscard]] LogId log_named(const Args& args) const {
        return log_of(args.get<std::string>("tp"));
    }

    /// Topics go by their first letter: foo is f.
    [[nodiscard]] LogId log_of(const std::string& tp) const {
        const std::int32_t topic = tp.at(0) - 'a';
        const std::int32_t partition = std::stoi(tp.substr(tp.rfind('-') + 1));
        if (topic < 0 || topic >= topics || partition >= partitions)
            throw std::invalid_argument("no partition is called " + tp);
        const LogId log{topic * partitions + partition};
        names_[log] = tp;
        return log;
    }

    [[nodiscard]] std::string tp_of(LogId log) const { return names_.at(log); }

    template <class Request>
    InFlight take_api() {
        return take([](const InFlight& f) { return std::holds_alternative<Request>(f.request); });
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
    std::map<TxnCall, std::string> waiting_;  ///< which `ref` a call's end belongs to
    std::map<std::string, CallEnd> calls_;
    mutable std::map<LogId, std::string> names_;  ///< as the case spells them
    std::uint64_t next_record_ = 0;  ///< ids follow the order of the sends
    YAML::Node sent_ = empty_list();
};

}  // namespace

Harness make_producer(const Args& config) {
    return driven<ProducerHarness>(config, {.sets = {"partitions", "in_txn", "pending_add"}});
}

}  // namespace eos::conformance
