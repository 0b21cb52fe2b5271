#pragma once
// What the leader of a partition asks of transaction coordinators before a transaction's first
// append (Kafka: AddPartitionsToTxnManager): whether the partition is part of the transaction, or,
// for clients of TV2, to make it so. Questions gather per coordinator while one request is under
// way (VER-4). Connections are lane 12 of the broker. Answers are taken by the broker when the
// event has been handled, so whoever asks is never called back from within.

#include <cstdint>
#include <deque>
#include <optional>
#include <tuple>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "model/broker_step.hpp"
#include "model/network_client.hpp"

namespace eos::model {

/// One question: about one transaction, for all partitions of one request.
struct Verification {
    enum class Asker : std::uint8_t { produce, offsets };
    Asker asker = Asker::produce;
    std::int64_t token = 0;        ///< of the asker; named in the answer
    TxnIdentity who;
    /// The client's. TV2 enrols (TV2-4). Simplified: TV0 stands for clients that do not know
    /// TRANSACTION_ABORTABLE (produce up to v10), TV1 for those that do (v11).
    TransactionVersion version = TransactionVersion::tv0;
    std::vector<LogId> logs;
    friend bool operator==(const Verification&, const Verification&) = default;
};
struct VerificationAnswer {
    Verification::Asker asker = Verification::Asker::produce;
    std::int64_t token = 0;
    std::vector<AddPartitionsToTxnResponse::Part> parts;  ///< of every partition asked for
    friend bool operator==(const VerificationAnswer&, const VerificationAnswer&) = default;
};

class VerificationDesk {
  public:
    static constexpr std::uint8_t lane = 12;

    VerificationDesk(const ClusterConfig& config, sim::Rng rng);

    void ask(const BrokerStep& step, Verification question);
    [[nodiscard]] std::optional<VerificationAnswer> take_answer();

    [[nodiscard]] static bool owns(sim::Peer peer) { return peer.lane == lane; }
    [[nodiscard]] bool owns(sim::TimerKey timer) const { return net_.owns(timer); }
    void on_reply(const BrokerStep& step, sim::Peer from, sim::Correlation correlation,
                  const Message& message);
    void on_link(const BrokerStep& step, sim::Peer peer, sim::LinkEvent event);
    void on_timer(const BrokerStep& step, sim::TimerKey timer);

    [[nodiscard]] auto fields() const { return std::tie(net_, gathered_, under_way_, answers_); }
    friend bool operator==(const VerificationDesk&, const VerificationDesk&) = default;

  private:
    using Questions = std::vector<Verification>;
    /// A request to one coordinator; not sent while the connection is being opened.
    struct UnderWay {
        Questions questions;
        bool sent = false;
        friend bool operator==(const UnderWay&, const UnderWay&) = default;
    };

    void pump(const BrokerStep& step, BrokerId coordinator);
    void send(const BrokerStep& step, BrokerId coordinator, UnderWay& request);
    void fail(const BrokerStep& step, BrokerId coordinator);
    void fail(const BrokerStep& step, const Outcomes& outcomes);
    void answer(const Verification& question, ErrorCode error);

    NetworkClient net_;
    boost::container::flat_map<BrokerId, Questions> gathered_;
    boost::container::flat_map<BrokerId, UnderWay> under_way_;
    std::deque<VerificationAnswer> answers_;
};

}  // namespace eos::model
