#pragma once
// The end of a transaction at the partitions' leaders: WriteTxnMarkers from a transaction
// coordinator (MRK-4). Each marker is appended as a control batch and answered when the high
// watermark has passed it, as a produce with acks=all; the answer goes out when all are done. On a
// log of group offsets the group coordinator is told too (OFF-7).

#include <cstddef>
#include <tuple>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "model/broker_groups.hpp"
#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/purgatory.hpp"

namespace eos::model {

class MarkerDesk {
  public:
    void on_request(const BrokerStep& step, Replicas& replicas, GroupHost& groups,
                    const sim::ReplyTo& to, const WriteTxnMarkersRequest& request);
    /// The log moved, or this broker stopped leading it.
    void on_moved(const BrokerStep& step, Replicas& replicas, LogId log);
    /// What is not replicated in time is REQUEST_TIMED_OUT.
    void on_timeout(const BrokerStep& step, WaitId id);
    /// An operator aborts the oldest open transaction of a log that this broker leads (HNG-6). The
    /// marker bears the epochs that the partition knows, so it fences nobody.
    static void abort_oldest(const BrokerStep& step, Replicas& replicas, GroupHost& groups,
                             LogId log);

    [[nodiscard]] auto fields() const { return std::tie(parked_, watchers_, next_); }
    friend bool operator==(const MarkerDesk&, const MarkerDesk&) = default;

  private:
    struct Delayed {
        sim::ReplyTo to;
        WriteTxnMarkersResponse answer;
        struct Waiting {
            LogId log;
            std::size_t entry = 0;
            std::size_t part = 0;  ///< of that entry
            Offset required;
            friend bool operator==(const Waiting&, const Waiting&) = default;
        };
        std::vector<Waiting> waiting;
        friend bool operator==(const Delayed&, const Delayed&) = default;
    };

    void settle(const BrokerStep& step, WaitId id);

    boost::container::flat_map<WaitId, Delayed> parked_;
    Watchers watchers_;
    WaitId next_;
};

}  // namespace eos::model
