#pragma once
// Produce requests on a broker: the order of checks (APP), the answer by acks, and the wait of
// acks=all for the high watermark (ACK-3, Kafka's DelayedProduce).

#include <tuple>

#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/purgatory.hpp"

namespace eos::model {

/// The leader this broker knows of, told with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (N11).
[[nodiscard]] std::optional<LeaderHint> leader_hint(const MetadataImage& image, LogId log,
                                                    ErrorCode error);

class ProduceDesk {
  public:
    void on_request(const BrokerStep& step, Replicas& replicas, const sim::ReplyTo& to,
                    const ProduceRequest& request);
    /// The log moved, or this broker stopped leading it (ACK-7).
    void on_moved(const BrokerStep& step, Replicas& replicas, LogId log);
    /// The step from "it is done" to the answer, which another thread takes (Task::delayed_answer).
    void on_handoff(const BrokerStep& step, const HandOff& handoff);
    /// The producer's timeout: what is not done is REQUEST_TIMED_OUT (ACK-4).
    void on_timeout(const BrokerStep& step, WaitId id);

    [[nodiscard]] std::size_t waiting() const { return purgatory_.size(); }
    [[nodiscard]] auto fields() const { return std::tie(purgatory_, answering_); }
    friend bool operator==(const ProduceDesk&, const ProduceDesk&) = default;

  private:
    ProducePurgatory purgatory_;
    boost::container::flat_map<WaitId, DelayedProduce> answering_;  ///< done, not yet answered
};

}  // namespace eos::model
