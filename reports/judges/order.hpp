#pragma once
// Order and sequence: sends of one producer session in order within a partition (the log is read as
// the leader holds it at the end), sequences of one producer epoch without gap or repetition
// (E-SEQ-GAP, E-DEDUP-MISS), no append of an older epoch after a newer one (E-ZOMBIE-APPEND).

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "reports/judges/ledger.hpp"

namespace eos::reports {

class OrderJudge {
  public:
    explicit OrderJudge(const JudgeConfig&) {}

    void on(sim::Instant now, const model::SendInvoked& o);
    void on(sim::Instant now, const model::LeadershipTaken& o);
    void on(sim::Instant now, const model::Appended& o);

    void conclude(const Ledger& ledger, Findings& findings) const;

  private:
    void conclude_order(const Ledger& ledger, Findings& findings) const;
    static void conclude_sequences(const Ledger& ledger, Findings& findings);

    struct Send {
        model::ProcessId process;
        std::int32_t session = 0;
        std::int64_t order = 0;
        std::optional<model::TxnRef> txn;
    };
    /// One client object: what it sends to a partition stands there in order.
    using Session = std::pair<model::ProcessId, std::int32_t>;
    struct PlaceKey {
        model::LogId log;
        model::RecordId record;
        friend auto operator<=>(const PlaceKey&, const PlaceKey&) = default;
    };
    struct PlaceHash {
        std::size_t operator()(const PlaceKey& key) const {
            return static_cast<std::size_t>(
                (key.record.value ^ (static_cast<std::uint64_t>(key.log.value) << 50)) *
                0x9e3779b97f4a7c15ULL);
        }
    };
    struct Epochs {
        model::ProducerEpoch newest{-1};
        std::int64_t zombie_appends = 0;
        model::Offset first_zombie;
    };

    /// Which send brought a record of this batch to its place: the first of those of the batch's
    /// transaction that does not stand behind a later one of its session (`newest`), or the first of
    /// all; null if nobody was seen to send it.
    [[nodiscard]] const Send* sender(const PlaceKey& key, const model::Batch& batch,
                                     const std::map<Session, std::int64_t>& newest) const;

    boost::unordered_flat_map<PlaceKey, Send, PlaceHash> first_send_;
    std::map<PlaceKey, std::vector<Send>> more_sends_;  ///< of records sent more than once
    std::map<std::pair<model::LogId, model::ProducerId>, Epochs> epochs_;
    std::map<model::LogId, model::BrokerId> leaders_;   ///< who took a log last
};

}  // namespace eos::reports
