#pragma once
// Requests that wait at a broker for something to move: produces for the high watermark (ACK-3),
// fetches for data (FET-10). A waiting request is found by its number (its timer carries it) or by
// a log it watches; whoever moves a log asks who watches it. Owned by the broker; plain values.

#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "model/ids.hpp"
#include "model/messages.hpp"
#include "sim/effects.hpp"

namespace eos::model {

using WaitId = sim::Ordinal<struct WaitTag, std::uint32_t>;

/// Which waiting requests watch which log, in order of arrival.
class Watchers {
  public:
    void watch(LogId log, WaitId id);
    void forget(LogId log, WaitId id);
    [[nodiscard]] std::vector<WaitId> of(LogId log) const;
    [[nodiscard]] bool any(LogId log) const { return watched_.contains(log); }
    [[nodiscard]] auto fields() const { return std::tie(watched_); }
    friend bool operator==(const Watchers&, const Watchers&) = default;

  private:
    boost::container::flat_map<LogId, std::vector<WaitId>> watched_;
};

/// An acks=all produce whose batches are in the leader's log but not all committed.
struct DelayedProduce {
    sim::ReplyTo to;
    ProduceResponse answer;  ///< parts that wait are filled in when they are done
    struct Waiting {
        LogId log;
        std::size_t part = 0;  ///< index into answer.parts
        Offset required;       ///< done once the high watermark is here (APP-15)
        friend bool operator==(const Waiting&, const Waiting&) = default;
    };
    std::vector<Waiting> waiting;
    friend bool operator==(const DelayedProduce&, const DelayedProduce&) = default;
};

/// A fetch that found less than min bytes.
struct DelayedFetch {
    sim::ReplyTo to;
    FetchRequest request;
    friend bool operator==(const DelayedFetch&, const DelayedFetch&) = default;
};

class ProducePurgatory {
  public:
    WaitId park(DelayedProduce produce);
    [[nodiscard]] DelayedProduce* find(WaitId id);
    /// The part stops waiting; the rest of the request goes on waiting.
    void settle(WaitId id, LogId log);
    [[nodiscard]] std::optional<DelayedProduce> take(WaitId id);
    [[nodiscard]] std::vector<WaitId> watching(LogId log) const { return watchers_.of(log); }
    [[nodiscard]] std::size_t size() const { return parked_.size(); }
    [[nodiscard]] auto fields() const { return std::tie(parked_, watchers_, next_); }
    friend bool operator==(const ProducePurgatory&, const ProducePurgatory&) = default;

  private:
    boost::container::flat_map<WaitId, DelayedProduce> parked_;
    Watchers watchers_;
    WaitId next_;
};

class FetchPurgatory {
  public:
    WaitId park(DelayedFetch fetch);
    [[nodiscard]] const DelayedFetch* find(WaitId id) const;
    [[nodiscard]] std::optional<DelayedFetch> take(WaitId id);
    [[nodiscard]] std::vector<WaitId> watching(LogId log) const { return watchers_.of(log); }
    [[nodiscard]] std::size_t size() const { return parked_.size(); }
    [[nodiscard]] auto fields() const { return std::tie(parked_, watchers_, next_); }
    friend bool operator==(const FetchPurgatory&, const FetchPurgatory&) = default;

  private:
    boost::container::flat_map<WaitId, DelayedFetch> parked_;
    Watchers watchers_;
    WaitId next_;
};

}  // namespace eos::model
