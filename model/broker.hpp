#pragma once
// A broker: the parts that are hosted in one process, and who is told what. Its replicas
// (broker_replicas), the desks that serve clients (broker_produce, broker_fetch, broker_serve), the
// fetchers that follow other leaders, the conversation with the controller, the group coordinator.
// After every event it looks at the logs that moved and tells those who wait for them (settle).
//
//   metadata records -> hand-off apply -> replicas lead / follow -> fetchers, group coordinator
//   produce / follower fetch / ISR answer -> log moved -> settle -> delayed produces, fetches,
//   groups

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model/broker_channel.hpp"
#include "model/broker_fetch.hpp"
#include "model/broker_fetchers.hpp"
#include "model/broker_groups.hpp"
#include "model/broker_markers.hpp"
#include "model/broker_produce.hpp"
#include "model/broker_producer_ids.hpp"
#include "model/broker_replicas.hpp"
#include "model/broker_transactions.hpp"
#include "model/config.hpp"
#include "model/metadata_image.hpp"
#include "model/safeguards.hpp"
#include "model/topology.hpp"
#include "model/verification_desk.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

class Broker {
  public:
    /// What every life of a broker knows.
    struct Setup {
        BrokerId self;
        std::shared_ptr<const ClusterConfig> config;
        std::shared_ptr<const Topology> topology;
        std::uint64_t seed = 0;
    };
    /// What is on its disk.
    struct Durable {
        Replicas replicas;
        std::optional<BrokerEpoch> clean_epoch;  ///< the last end was clean, in this broker epoch
        // No file, but nothing that the files do not say.
        GroupHost::Memo groups;
        TransactionHost::Memo transactions;
    };

    /// A broker of a freshly formed cluster.
    explicit Broker(Setup setup);
    [[nodiscard]] Broker reborn(const sim::Loss& loss) &&;

    void on_start(const Context& ctx, Fx& fx);
    void on_request(const Context& ctx, const sim::ReplyTo& to, Message&& message, Fx& fx);
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, sim::TimerKey timer, Fx& fx);
    void on_handoff(const Context& ctx, Message&& message, Fx& fx);
    /// Ask::stop, expire_producers, roll_segment, delete_records, abort_txn, stale_metadata,
    /// fresh_metadata, and the coordinators'.
    void on_order(const Context& ctx, const sim::Order& order, Fx& fx);
    /// Tells ReplicaAudit, GroupAudit and TxnAudit, once, after the run has settled.
    void audit(const Context& ctx, Fx& fx) const;

    [[nodiscard]] const Replicas& replicas() const { return replicas_; }
    [[nodiscard]] const MetadataImage& image() const { return image_; }
    [[nodiscard]] const GroupCoordinator& groups() const { return groups_.coordinator(); }
    [[nodiscard]] const TransactionHost& transactions() const { return transactions_; }

    [[nodiscard]] auto fields() const {
        return std::tie(setup_.self, life_, replicas_, clean_epoch_, loss_, image_, applied_,
                        to_apply_, serving_, channel_, fetchers_, produces_, fetches_, markers_,
                        verification_, groups_, transactions_, ids_, past_, guard_);
    }
    friend bool operator==(const Broker& a, const Broker& b) { return a.fields() == b.fields(); }

  private:
    /// Of the timer after which a controlled shutdown is given up and the broker just stops.
    static constexpr std::uint32_t shutdown_timer = 1;
    static constexpr sim::Duration shutdown_patience = sim::seconds(300);

    Broker(Setup setup, Durable durable, std::optional<sim::Loss> loss, std::int32_t life);

    [[nodiscard]] BrokerStep step(const Context& ctx, Fx& fx);
    void settle(const BrokerStep& step);
    void settle(const BrokerStep& step, LogId log);
    void tell_stable_offset(const BrokerStep& step, Replica& replica, LogId log);
    void arm_timers(const BrokerStep& step);

    // broker_metadata.cpp: what the controller says
    void form(const Context& ctx, Fx& fx);
    void hear(const BrokerStep& step, NewsList&& list);
    void on(const BrokerStep& step, news::Registered&& news);
    void on(const BrokerStep& step, news::MayShutDown&& news);
    void on(const BrokerStep& step, news::Records&& news);
    void on(const BrokerStep& step, news::Altered&& news);
    void on(const BrokerStep& step, news::ProducerIds&& news);
    void apply_next(const BrokerStep& step);
    void on_apply(const BrokerStep& step, HandOff&& handoff);
    void apply(const BrokerStep& step, const std::vector<MetadataRecord>& records, bool at_once);
    void shut_down(const BrokerStep& step);

    // broker_serve.cpp: the small answers
    [[nodiscard]] MetadataResponse metadata(const MetadataRequest& request) const;
    void stale_metadata(std::optional<TopicId> hide);
    void fresh_metadata(std::optional<TopicId> shown);
    [[nodiscard]] FindCoordinatorResponse coordinator(const FindCoordinatorRequest& request) const;
    void init_producer_id(const BrokerStep& step, const sim::ReplyTo& to);
    void coordinate_transaction(const BrokerStep& step, const sim::ReplyTo& to,
                                const Message& message);
    void ask_for_ids(const BrokerStep& step);

    Setup setup_;
    std::int32_t life_ = 0;
    Replicas replicas_;
    std::optional<BrokerEpoch> clean_epoch_;
    std::optional<sim::Loss> loss_;  ///< how the former life ended, until on_start
    MetadataImage image_;
    std::int64_t applied_ = 0;  ///< end of the metadata records applied
    struct Pulled {
        std::int64_t end = 0;
        std::vector<MetadataRecord> records;
        friend bool operator==(const Pulled&, const Pulled&) = default;
    };
    std::deque<Pulled> to_apply_;  ///< the first one is handed off
    bool serving_ = false;
    ControllerChannel channel_;
    ReplicaFetchers fetchers_;
    ProduceDesk produces_;
    FetchDesk fetches_;
    MarkerDesk markers_;
    VerificationDesk verification_;
    GroupHost groups_;
    TransactionHost transactions_;
    ProducerIdPool ids_;
    /// A fault: what Metadata is answered from instead of image_, and topics it does not know. Gone
    /// with the process.
    struct Past {
        MetadataImage image;
        std::vector<TopicId> hidden;  ///< sorted
        friend bool operator==(const Past&, const Past&) = default;
        [[nodiscard]] auto fields() const { return std::tie(image, hidden); }
    };
    std::optional<Past> past_;
    Guard guard_;
};

}  // namespace eos::model
