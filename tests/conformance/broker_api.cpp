// Harness broker_api: what a whole broker says to requests, alone in its cluster.

#include <memory>
#include <optional>
#include <set>

#include "model/broker.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

constexpr BrokerId the_broker{1};
constexpr BrokerId elsewhere{2};

class BrokerApi {
  public:
    explicit BrokerApi(const Args& config)
        : hosted_(config.get<std::vector<std::string>>("hosted", {})),
          transaction_partitions_(config.get<std::int32_t>("partitions", 1)) {}

    Observed perform(const std::string& op, const Args& args) {
        if (op == "map_error")
            throw NotModelled("clients before 2.7 (KIP-588), which know no PRODUCER_FENCED");
        if (op == "add_partitions_request")
            throw NotModelled("a request cannot name a partition that does not exist");
        if (op == "write_txn_markers") return write_txn_markers(args);
        if (op == "produce_shape") return produce_shape(args);
        if (op == "txn_partition") return txn_partition(args);
        throw std::invalid_argument("harness broker_api has no operation " + op);
    }

  private:
    /// A topic of one partition for each name; those in `hosted` are on the broker.
    [[nodiscard]] static Topology topics(const std::vector<std::string>& names,
                                         const std::set<std::string>& hosted) {
        Topology result;
        result.brokers = 2;
        for (const auto& name : names) {
            const TopicId topic{static_cast<std::int32_t>(result.topics.size())};
            result.topics.push_back({.name = name, .first = {topic.value}});
            result.logs.push_back({topic, {0}, {hosted.contains(name) ? the_broker : elsewhere}});
        }
        return result;
    }

    /// What a broker of a freshly formed cluster answers.
    [[nodiscard]] static Message ask(Topology topology, Message request) {
        Broker broker({.self = the_broker,
                       .config = std::make_shared<const ClusterConfig>(),
                       .topology = std::make_shared<const Topology>(std::move(topology)),
                       .seed = 1});
        const Context ctx{.now = {}, .wall = {}, .self = the_broker, .life = 0};
        Fx fx;
        broker.on_start(ctx, fx);
        fx.clear();
        broker.on_request(ctx, {}, std::move(request), fx);
        while (true) {
            Fx next;
            for (auto& effect : fx.list()) {
                if (auto* reply = std::get_if<sim::effect::Reply<Message>>(&effect))
                    return std::move(reply->message);
                if (auto* step = std::get_if<sim::effect::HandOff<Message>>(&effect))
                    broker.on_handoff(ctx, std::move(step->message), next);
            }
            if (next.empty()) throw std::invalid_argument("the broker did not answer");
            fx = std::move(next);
        }
    }

    Observed write_txn_markers(const Args& args) {
        const auto names = args.get<std::vector<std::string>>("partitions");
        WriteTxnMarkersRequest request;
        auto& entry = request.entries.emplace_back();
        entry.who.producer_id = {args.get<std::int64_t>("pid")};
        entry.who.producer_epoch = {args.get<std::int16_t>("epoch")};
        entry.result = args.get<std::string>("result") == "COMMIT" ? ControlType::commit
                                                                   : ControlType::abort;
        entry.coordinator_epoch = {args.get<std::int32_t>("coord_epoch")};
        for (std::size_t i = 0; i < names.size(); ++i)
            entry.logs.push_back({static_cast<std::int32_t>(i)});
        const auto answer = ask(topics(names, {hosted_.begin(), hosted_.end()}), request);
        Observed seen = empty_map();
        seen["results"] = empty_map();
        for (const auto& part : std::get<WriteTxnMarkersResponse>(answer).entries.at(0).parts)
            seen["results"][names.at(static_cast<std::size_t>(part.log.value))] =
                std::string(name(part.error));
        return seen;
    }

    /// Two batches of one partition are two parts of the request that name it.
    Observed produce_shape(const Args& args) {
        Batch batch;
        batch.base = {args.get<std::int64_t>("base_offset", 0)};
        batch.bytes = 100;
        if (args.get<bool>("control", false)) batch.control = ControlType::commit;
        if (const auto pid = args.maybe<std::int64_t>("pid")) {
            batch.producer_id = ProducerId{*pid};
            batch.producer_epoch = {args.get<std::int16_t>("epoch")};
            const auto sequence = args.get<std::int32_t>("seq");
            if (sequence >= 0) batch.base_sequence = Sequence{sequence};
        }
        ProduceRequest request;
        request.timeout = sim::seconds(30);
        for (int i = 0; i < args.get<int>("batches", 1); ++i) request.parts.push_back({{0}, batch});
        const auto answer = ask(topics({"a-0"}, {"a-0"}), request);
        for (const auto& part : std::get<ProduceResponse>(answer).parts)
            if (part.error != ErrorCode::none) return outcome(part.error);
        return empty_map();
    }

    Observed txn_partition(const Args& args) {
        Topology topology;
        topology.topics.push_back({.name = "__transaction_state",
                                   .first = {0},
                                   .partitions = transaction_partitions_,
                                   .internal = true});
        topology.transaction_topic = TopicId{0};
        topology.transactional_ids = {args.get<std::string>("txn_id")};
        Observed seen = empty_map();
        seen["partition"] = value_or_null(topology.transaction_log({0}));
        return seen;
    }

    std::vector<std::string> hosted_;
    std::int32_t transaction_partitions_;
};

}  // namespace

Harness make_broker_api(const Args& config) { return driven<BrokerApi>(config); }

}  // namespace eos::conformance
