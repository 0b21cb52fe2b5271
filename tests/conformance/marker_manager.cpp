// Harness marker_manager: the marker sender and the coordinator that judges what became of its
// markers, with connections that always open and one transaction at a time.

#include <map>
#include <string>
#include <vector>

#include "tests/conformance/harness.hpp"
#include "tests/conformance/names.hpp"
#include "tests/conformance/transactions.hpp"
#include "tests/model/transaction_rig.hpp"

namespace eos::conformance {

Harness make_marker_manager(const Args& config);

namespace {

using namespace eos::model;
using model::testing::T;
using model::testing::transaction_log;

class MarkerHarness {
  public:
    explicit MarkerHarness(const Args&)
        : image_(*rig_.topology), sender_(*rig_.config, sim::Rng(3)) {
        rig_.start();
        for (std::int32_t id = 1; id <= rig_.topology->brokers; ++id)
            image_.apply(BrokerRegistration{.broker = {id}, .epoch = {1}, .fenced = false});
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "drain") return drain(args);
        if (op == "check_markers") return check();
        if (op == "given_markers") {
            given(args);
        } else if (op == "respond") {
            respond(args);
        } else if (op == "disconnect") {
            disconnect();
        } else if (op == "set_leader") {
            set_leader(args.get<std::string>("tp"), args.get<std::string>("leader"));
        } else if (op == "remove_partition_markers") {
            sender_.forget(transaction_log);
        } else if (op == "set_coordinator") {
            set_coordinator(args);
        } else if (op == "log_result") {
            log_result(args.get<std::string>("error", "NONE"));
        } else {
            throw std::invalid_argument("unknown operation " + op);
        }
        return empty_map();
    }

  private:
    struct Sent {
        std::string ref;
        sim::Peer to;
        sim::Correlation correlation;
        WriteTxnMarkersRequest request;
    };

    /// Lets the sender act; its connections open, its requests are kept.
    template <class Action>
    void with_sender(Action action) {
        Fx fx;
        const auto context = rig_.world.context();
        const BrokerStep step{context, {1}, *rig_.config, *rig_.topology, image_, guard_, fx};
        action(step);
        for (std::size_t i = 0; i < fx.list().size(); ++i) {
            const auto effect = fx.list()[i];
            if (const auto* connect = std::get_if<sim::effect::Connect>(&effect)) {
                open_.push_back(connect->to);
                (void)sender_.on_link(step, connect->to, sim::LinkEvent::opened);
                sender_.pump(step);
            } else if (const auto* out = std::get_if<sim::effect::Request<Message>>(&effect)) {
                sent_.push_back({ref_, out->to, out->correlation,
                                 std::get<WriteTxnMarkersRequest>(out->message)});
            }
        }
    }
    void hand_over() {
        for (auto& marker : std::exchange(rig_.markers, {})) sender_.add(std::move(marker));
    }
    /// Markers of a log that this broker gives up are forgotten, as its host does.
    void reign(std::int32_t epoch, bool load) {
        sender_.forget(transaction_log);
        rig_.lead(epoch);
        if (load) rig_.load();
    }

    void given(const Args& args) {
        const auto epoch = args.get<std::int32_t>("coord_epoch", 0);
        const auto* shard = rig_.coordinator.shard(transaction_log);
        if (!shard || shard->loading() || shard->epoch().value != epoch) {
            rig_.resign();
            reign(epoch, true);
        }
        TransactionRecord known;
        known.txid = T;
        known.producer_id = {args.get<std::int64_t>("pid")};
        known.epoch = {args.get<std::int16_t>("epoch")};
        known.timeout = sim::seconds(60);
        known.state = args.get<std::string>("result") == "COMMIT" ? TxnState::prepare_commit
                                                                  : TxnState::prepare_abort;
        for (const auto& pair : args.raw("partitions")) {
            const auto partition = pair.first.as<std::string>();
            known.logs.push_back(names_.log(partition));
            set_leader(partition, pair.second.as<std::string>());
        }
        rig_.coordinator.place(transaction_log, TransactionMetadata(known));
        rig_.act([&](TransactionOutput& out, Fx& fx) {
            rig_.coordinator.resume(rig_.world.context(), T, rig_.ids, out, fx);
        });
        hand_over();
    }

    void set_leader(const std::string& partition, const std::string& leader) {
        if (leader == "NONE") throw NotModelled("partitions are never deleted");
        PartitionState state = image_.partition(names_.log(partition));
        state.leader.reset();
        if (leader != "NO_NODE") state.leader = BrokerId{std::stoi(leader)};
        image_.apply(state);
    }

    void set_coordinator(const Args& args) {
        const auto status = args.get<std::string>("status");
        const auto* shard = rig_.coordinator.shard(transaction_log);
        const auto epoch = args.get<std::int32_t>("epoch", shard ? shard->epoch().value + 1 : 0);
        if (status == "not_coordinator") {
            sender_.forget(transaction_log);
            rig_.resign();
        } else {
            reign(epoch, status == "active");
        }
    }

    /// The case names the error as clients would hear it (TLG-5); the log has its own word.
    void log_result(const std::string& error) {
        rig_.refuse.reset();
        if (error == "NOT_COORDINATOR")
            rig_.refuse = ErrorCode::not_leader_or_follower;
        else if (error == "COORDINATOR_NOT_AVAILABLE")
            rig_.refuse = ErrorCode::not_enough_replicas;
        else if (error != "NONE")
            rig_.refuse = error_named(error);
    }

    Observed drain(const Args& args) {
        ref_ = args.get<std::string>("ref", "");
        rig_.timer(key(Tick::txn_marker_retry, transaction_log.value, 1));
        const auto before = sent_.size();
        with_sender([&](const BrokerStep& step) {
            sender_.unpark();
            sender_.pump(step);
        });
        Observed seen = empty_map();
        seen["requests"] = empty_map();
        for (std::size_t i = before; i < sent_.size(); ++i)
            for (const auto& entry : sent_[i].request.entries)
                for (const auto log : entry.logs)
                    seen["requests"][sent_[i].to.node.value].push_back(names_.partition(log));
        return seen;
    }

    void respond(const Args& args) {
        const auto log = names_.log(args.get<std::string>("tp"));
        const auto ref = args.get<std::string>("ref", "");
        for (auto i = sent_.rbegin(); i != sent_.rend(); ++i) {
            if (!ref.empty() && i->ref != ref) continue;
            WriteTxnMarkersResponse answer;
            for (const auto& entry : i->request.entries) {
                auto& told = answer.entries.emplace_back();
                told.who = entry.who;
                told.result = entry.result;
                told.coordinator_epoch = entry.coordinator_epoch;
                for (const auto one : entry.logs)
                    if (one == log)
                        told.parts.push_back({log, error_named(args.get<std::string>("error"))});
            }
            const auto number = sender_.on_reply(i->to, i->correlation, std::move(answer));
            if (!number) throw std::invalid_argument("nobody waits for this answer");
            judge(sender_.take_answer(*number));
            return;
        }
        throw std::invalid_argument("no such request was sent");
    }

    void disconnect() {
        MarkerResults lost;
        with_sender([&](const BrokerStep& step) {
            for (const auto peer : std::exchange(open_, {}))
                for (auto& result : sender_.on_link(step, peer, sim::LinkEvent::closed))
                    lost.push_back(std::move(result));
        });
        judge(lost);
    }

    void judge(const MarkerResults& results) {
        rig_.tell(results);
        hand_over();
    }

    Observed check() {
        const auto* entry = rig_.entry();
        const bool complete = entry && (entry->metadata.now().state == TxnState::complete_commit ||
                                        entry->metadata.now().state == TxnState::complete_abort);
        Observed seen = empty_map();
        seen["remaining"] = entry ? names_.partitions(entry->metadata.now().logs) : empty_list();
        seen["queued"] = empty_list();
        for (const auto* queue : {&sender_.ready(), &sender_.parked()})
            for (const auto& marker : *queue)
                if (image_.partition(marker.log).leader)
                    seen["queued"].push_back(names_.partition(marker.log));
        seen["unknown_queue"] = empty_list();
        for (const auto* queue : {&sender_.ready(), &sender_.parked()})
            for (const auto& marker : *queue)
                if (!image_.partition(marker.log).leader)
                    seen["unknown_queue"].push_back(names_.partition(marker.log));
        seen["completion_written"] = complete;
        seen["cancelled"] = !complete && !(entry && entry->completing);
        return seen;
    }

    model::testing::TransactionRig rig_;
    MetadataImage image_;
    MarkerSender sender_;
    Guard guard_;
    PartitionNames names_;
    std::vector<Sent> sent_;
    std::vector<sim::Peer> open_;
    std::string ref_;
};

}  // namespace

Harness make_marker_manager(const Args& config) {
    return driven<MarkerHarness>(
        config, {.sets = {"remaining", "queued", "unknown_queue"}, .whole_maps = {"requests"}});
}

}  // namespace eos::conformance
