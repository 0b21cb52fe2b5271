#pragma once
// Fetching of a consumer: which fetch to send next to whom (C7), the answers that wait for poll()
// (C9), and what poll() hands out of them (C10, C11, C18-C20). Answers are kept as they came:
// batches whose payloads are shared with the log, so nothing is done per record. For read_committed
// the filter drops what aborted transactions wrote, batch by batch (C15).

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "model/client_metadata.hpp"
#include "model/config.hpp"
#include "model/consumer_events.hpp"
#include "model/messages.hpp"
#include "model/safeguards.hpp"
#include "model/subscription_state.hpp"
#include "sim/time.hpp"

namespace eos::model {

class Fetcher {
  public:
    /// One Fetch request and whom it goes to.
    struct Plan {
        BrokerId broker;
        FetchRequest request;
    };

    /// The next fetch of every broker that has none in flight: every fetchable log it leads that
    /// has no data waiting. `blocked`: logs without a known leader were found.
    [[nodiscard]] std::vector<Plan> plan(sim::Instant now, const SubscriptionState& subscriptions,
                                         const ConsumerConfig& config, bool& leaderless) const;
    void sent(BrokerId broker) { in_flight_.push_back(broker); }
    /// The answer, or null if there is none.
    void answered(BrokerId broker, FetchResponse* response);

    /// What one poll() got.
    struct Harvest {
        std::vector<Chunk> chunks;
        bool advanced = false;               ///< a position moved, maybe without a record (C11)
        CallResult result = CallResult::ok;  ///< an error, only if there are no chunks
        ErrorCode error = ErrorCode::none;
        std::vector<LogId> reset;  ///< out of range, to be reset by the policy
        bool refresh = false;      ///< metadata is stale
        std::vector<std::pair<LogId, LeaderHint>> hints;
    };
    /// Hands out up to `max_records` and moves the positions past them (C3).
    [[nodiscard]] Harvest collect(sim::Instant now, std::int32_t max_records,
                                  SubscriptionState& subscriptions, const ConsumerConfig& config,
                                  Guard& guard);
    /// Data of logs no longer assigned is dropped.
    void retain(const SubscriptionState& subscriptions);
    [[nodiscard]] bool idle() const { return in_flight_.empty() && waiting_.empty(); }

    friend bool operator==(const Fetcher&, const Fetcher&) = default;
    [[nodiscard]] auto fields() const { return std::tie(in_flight_, waiting_); }

  private:
    /// One log's part of an answer, from its arrival until poll() has drained it.
    struct Completed {
        FetchResponse::Part part;
        bool parsed = false;      ///< C10 was checked
        std::uint32_t batch = 0;  ///< the next batch to hand out of
        Offset next;              ///< the next offset to hand out
        std::uint32_t begun = 0;  ///< how many of part.aborted (by first offset) have begun
        std::vector<ProducerId> aborting = {};  ///< producers inside an aborted transaction here
        friend bool operator==(const Completed&, const Completed&) = default;
        [[nodiscard]] auto fields() const {
            return std::tie(part, parsed, batch, next, begun, aborting);
        }
    };

    [[nodiscard]] bool waiting(LogId log) const;
    /// False: the answer is of no use and was dropped or dealt with.
    [[nodiscard]] bool parse(sim::Instant now, Completed& answer, AssignedLog& log,
                             const ConsumerConfig& config, Harvest& harvest);
    /// Takes from the answer until it is drained (true) or the poll is full (false).
    [[nodiscard]] static bool drain(Completed& answer, AssignedLog& log, std::int32_t& room,
                                    Harvest& harvest, Guard& guard);
    /// C15: whether an aborted transaction wrote the batch. To be asked of every batch in order;
    /// asking again about the same batch changes nothing until the batch is passed.
    [[nodiscard]] static bool aborted(Completed& answer, const Batch& batch);

    std::vector<BrokerId> in_flight_;  ///< brokers with a fetch on its way: at most one each
    std::vector<Completed> waiting_;   ///< in the order the answers came
};

}  // namespace eos::model
