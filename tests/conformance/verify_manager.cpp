// Harness verify_manager: the questions of a partition leader to one transaction coordinator. All
// brokers of the model speak one version and are authorised, so those two failures come as the
// errors of an answer.

#include <map>
#include <optional>

#include "model/verification_desk.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

constexpr BrokerId self{1};
constexpr BrokerId coordinator{2};

Topology two_brokers() {
    Topology result;
    result.brokers = 2;
    result.topics.push_back({.name = "a", .first = {0}});
    result.topics.push_back({.name = "__transaction_state", .first = {1}, .internal = true});
    result.logs.push_back({{0}, {0}, {self}});
    result.logs.push_back({{1}, {0}, {coordinator}});
    result.transaction_topic = TopicId{1};
    result.transactional_ids = {"T"};
    return result;
}

TransactionVersion version_of_produce(int version) {
    if (version >= 12) return TransactionVersion::tv2;
    return version == 11 ? TransactionVersion::tv1 : TransactionVersion::tv0;
}

class VerifyManager {
  public:
    explicit VerifyManager(const Args& config)
        : version_(version_of_produce(config.get<int>("produce_version", 11))),
          topology_(two_brokers()),
          image_(topology_),
          desk_(config_, sim::Rng::stream(1, "verify")) {
        if (!config.get<bool>("coordinator_known", true)) return;
        for (const auto& record : formation(topology_)) image_.apply(record);
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "add") {
            add(args);
        } else if (op == "respond") {
            const auto error = args.has("error") ? args.get<std::string>("error")
                                                 : args.get<std::string>("top_level_error");
            respond(error_named(error));
        } else if (op == "version_mismatch") {
            respond(ErrorCode::unsupported_version);
        } else if (op == "disconnect") {
            with_step([&](const BrokerStep& step) {
                desk_.on_link(step, {coordinator, VerificationDesk::lane},
                              sim::LinkEvent::closed);
            });
        } else if (op == "check_ref") {
            const auto found = results_.find(args.get<std::string>("ref"));
            Observed seen = empty_map();
            seen["result"] = std::string(found->second ? name(*found->second) : "PENDING");
            return seen;
        } else {
            throw std::invalid_argument("harness verify_manager has no operation " + op);
        }
        return empty_map();
    }

  private:
    void add(const Args& args) {
        const auto ref = args.get<std::string>("ref");
        refs_.push_back(ref);
        results_[ref].reset();
        with_step([&](const BrokerStep& step) {
            desk_.ask(step, {.token = static_cast<std::int64_t>(refs_.size()) - 1,
                             .who = {.txid = {0},
                                     .producer_id = {args.get<std::int64_t>("pid")},
                                     .producer_epoch = {args.get<std::int16_t>("epoch")},
                                     .txn = {}},
                             .version = version_,
                             .logs = {{0}}});
        });
    }

    void respond(ErrorCode error) {
        const auto asked = std::exchange(request_, std::nullopt);
        if (!asked) throw std::invalid_argument("nothing was asked");
        const auto& request = std::get<AddPartitionsToTxnRequest>(asked->message);
        AddPartitionsToTxnResponse answer;
        for (const auto& entry : request.entries) {
            auto& said = answer.entries.emplace_back();
            said.who = entry.who;
            for (const auto log : entry.logs) said.parts.push_back({log, error});
        }
        with_step([&](const BrokerStep& step) {
            desk_.on_reply(step, asked->to, asked->correlation, answer);
        });
    }

    /// The world around the desk: connections open at once, and again after a loss.
    template <class Action>
    void with_step(Action action) {
        Fx fx;
        const Context ctx{.now = {}, .wall = {}, .self = self, .life = 0};
        const BrokerStep step{ctx, self, config_, topology_, image_, guard_, fx};
        action(step);
        for (std::size_t i = 0; i < fx.list().size(); ++i) {
            const auto effect = fx.list()[i];
            if (const auto* dial = std::get_if<sim::effect::Connect>(&effect))
                desk_.on_link(step, dial->to, sim::LinkEvent::opened);
            if (const auto* sent = std::get_if<sim::effect::Request<Message>>(&effect))
                request_ = *sent;
            if (const auto* timer = std::get_if<sim::effect::Arm>(&effect))
                if (tick(timer->key) == Tick::reconnect) desk_.on_timer(step, timer->key);
        }
        while (const auto answer = desk_.take_answer())
            results_[refs_.at(static_cast<std::size_t>(answer->token))] =
                answer->parts.front().error;
    }

    TransactionVersion version_;
    ClusterConfig config_;
    Topology topology_;
    MetadataImage image_;
    Guard guard_;
    VerificationDesk desk_;
    std::vector<std::string> refs_;
    std::map<std::string, std::optional<ErrorCode>> results_;
    std::optional<sim::effect::Request<Message>> request_;
};

}  // namespace

Harness make_verify_manager(const Args& config) { return driven<VerifyManager>(config); }

}  // namespace eos::conformance
