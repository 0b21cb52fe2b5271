#pragma once
// The controller's memory of who is alive: one session per broker, kept by heartbeats. Volatile on
// purpose: after a controller restart every session starts again at its full length.

#include <cstdint>
#include <limits>
#include <optional>
#include <tuple>

#include <boost/container/flat_map.hpp>

#include "model/ids.hpp"
#include "sim/time.hpp"

namespace eos::model {

struct BrokerSession {
    sim::Instant last_contact{};
    std::int64_t metadata_offset = 0;  ///< next metadata record the broker will apply
    /// End of the metadata log when its leaderships were moved away; none: it is not shutting down.
    std::optional<std::int64_t> shutdown_offset;
    friend bool operator==(const BrokerSession&, const BrokerSession&) = default;
};

class BrokerSessions {
  public:
    void open(BrokerId broker, sim::Instant now) { sessions_[broker] = {now, 0, {}}; }
    void close(BrokerId broker) { sessions_.erase(broker); }
    [[nodiscard]] BrokerSession* find(BrokerId broker) {
        const auto found = sessions_.find(broker);
        return found == sessions_.end() ? nullptr : &found->second;
    }
    /// Whether the broker was heard of within the session's length.
    [[nodiscard]] bool valid(BrokerId broker, sim::Instant now, sim::Duration length) const {
        const auto found = sessions_.find(broker);
        return found != sessions_.end() && now - found->second.last_contact < length;
    }
    /// How far every broker that stays has applied the metadata log.
    [[nodiscard]] std::int64_t lowest_offset_of_staying() const {
        std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
        for (const auto& [broker, session] : sessions_)
            if (!session.shutdown_offset && session.metadata_offset < lowest)
                lowest = session.metadata_offset;
        return lowest;
    }

    [[nodiscard]] auto fields() const { return std::tie(sessions_); }
    friend bool operator==(const BrokerSessions&, const BrokerSessions&) = default;

  private:
    boost::container::flat_map<BrokerId, BrokerSession> sessions_;
};

}  // namespace eos::model
