#pragma once
// Fetch requests on a broker, of consumers and of followers: what may be read (FET), and the wait
// for data (FET-10, Kafka's DelayedFetch). A follower's position is counted once, when its fetch
// arrives. Also the small reads beside it: ListOffsets and OffsetForLeaderEpoch.

#include <tuple>

#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/purgatory.hpp"

namespace eos::model {

class FetchDesk {
  public:
    void on_request(const BrokerStep& step, Replicas& replicas, const sim::ReplyTo& to,
                    FetchRequest&& request);
    /// The log moved, or this broker stopped leading it.
    void on_moved(const BrokerStep& step, Replicas& replicas, LogId log);
    /// Max wait is over: the answer is what there is.
    void on_timeout(const BrokerStep& step, Replicas& replicas, WaitId id);

    [[nodiscard]] std::size_t waiting() const { return purgatory_.size(); }
    [[nodiscard]] auto fields() const { return std::tie(purgatory_); }
    friend bool operator==(const FetchDesk&, const FetchDesk&) = default;

  private:
    FetchPurgatory purgatory_;
};

[[nodiscard]] ListOffsetsResponse list_offsets(const BrokerStep& step, Replicas& replicas,
                                               const ListOffsetsRequest& request);
[[nodiscard]] OffsetForLeaderEpochResponse ends_of_epochs(
    const Replicas& replicas, const OffsetForLeaderEpochRequest& request);

}  // namespace eos::model
