#pragma once
// Brings the markers of ended transactions to the partitions' leaders (Kafka:
// TransactionMarkerChannelManager; MRK). It knows brokers and connections, not transactions: the
// host gives it markers, and it gives back what became of each. A broker's markers go out together,
// over lane 11, to this broker itself as to any other.
//
//   add() --> ready --pump: one request per leader--> sent --> answered --> the host takes them
//              ^  `--leader unknown--> parked                     `-- retry() puts some back --,
//              `------ new metadata, or a moment later --'  <-----------------------------------'

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "model/broker_step.hpp"
#include "model/network_client.hpp"

namespace eos::model {

/// One marker for one partition. `home` is the transaction log that decided it.
struct Marker {
    LogId home;
    TxnIdentity who;
    ControlType result = ControlType::commit;
    CoordinatorEpoch coordinator_epoch;
    TransactionVersion version = TransactionVersion::tv0;
    LogId log;
    friend bool operator==(const Marker&, const Marker&) = default;
};
/// What became of one; no error: nobody knows, the connection was lost.
struct MarkerResult {
    Marker marker;
    std::optional<ErrorCode> error;
    friend bool operator==(const MarkerResult&, const MarkerResult&) = default;
};
using MarkerResults = std::vector<MarkerResult>;

/// log, topic, partition, txid, txn, pid, epoch, result.
[[nodiscard]] sim::Facts about(const Topology& topology, const Marker& marker);

class MarkerSender {
  public:
    static constexpr std::uint8_t lane = 11;

    MarkerSender(const ClusterConfig& config, sim::Rng rng);

    void add(Marker marker) { ready_.push_back(std::move(marker)); }
    /// To be sent again, a moment later or when the metadata changes (MRK-5).
    void retry(Marker marker) { parked_.push_back(std::move(marker)); }
    /// This broker no longer decides for that log (FOV-5). What is under way is not called back.
    void forget(LogId home);

    /// Sends what can be sent.
    void pump(const BrokerStep& step);
    /// The metadata changed: leaders may be known now.
    void unpark();

    /// Keeps the answer until take_answer(); the number to ask for, if it was awaited.
    [[nodiscard]] std::optional<std::int64_t> on_reply(sim::Peer from, sim::Correlation correlation,
                                                       WriteTxnMarkersResponse&& answer);
    [[nodiscard]] MarkerResults take_answer(std::int64_t number);
    /// The markers whose connection was lost.
    [[nodiscard]] MarkerResults on_link(const BrokerStep& step, sim::Peer peer,
                                        sim::LinkEvent event);
    [[nodiscard]] MarkerResults on_timer(const BrokerStep& step, sim::TimerKey timer);
    [[nodiscard]] bool owns(const sim::TimerKey& timer) const;

    [[nodiscard]] const std::vector<Marker>& ready() const { return ready_; }
    [[nodiscard]] const std::vector<Marker>& parked() const { return parked_; }
    /// Those that were sent, or are answered and not taken yet.
    [[nodiscard]] std::vector<Marker> under_way() const;

    [[nodiscard]] auto fields() const {
        return std::tie(net_, ready_, parked_, under_way_, next_, retry_armed_);
    }
    friend bool operator==(const MarkerSender&, const MarkerSender&) = default;

  private:
    /// One request: its markers, and later their answer.
    struct Batch {
        std::vector<Marker> markers;
        std::optional<WriteTxnMarkersResponse> answer;
        friend bool operator==(const Batch&, const Batch&) = default;
    };

    void send(const BrokerStep& step, BrokerId to, std::vector<Marker> markers);
    [[nodiscard]] MarkerResults lost(const Outcomes& outcomes);

    NetworkClient net_;
    std::vector<Marker> ready_;
    std::vector<Marker> parked_;
    std::map<std::int64_t, Batch> under_way_;
    std::int64_t next_ = 0;
    bool retry_armed_ = false;
};

}  // namespace eos::model
