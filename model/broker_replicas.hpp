#pragma once
// The replicas of one broker: for each its log, its leader's side and its follower's side, and who
// may touch them (Kafka: ReplicaManager's partitions). Every change to a log goes through here, so
// that it is told to the history once and at the right moment. Logs that moved are remembered until
// the broker has told those who wait for them (take_moved).

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "model/broker_step.hpp"
#include "model/leader_partition.hpp"
#include "model/partition_log.hpp"
#include "model/replica_fetcher.hpp"

namespace eos::model {

struct Replica {
    PartitionLog log;
    LeaderPartition leading;
    std::optional<ReplicaFetcher> following;        ///< while it follows a known leader
    std::optional<AlterPartitionRequest> proposal;  ///< at the controller: one at a time
    std::optional<LeaderEpoch> epoch;               ///< of the metadata applied last
    Offset told_watermark;                          ///< what the waiting know of
    Offset told_end;
    /// Has held a transaction; before that the last stable offset is the watermark and not told.
    bool transactional = false;
    Offset told_stable;
    [[nodiscard]] auto fields() const {
        return std::tie(log, leading, following, proposal, epoch, told_watermark, told_end,
                        transactional, told_stable);
    }
    friend bool operator==(const Replica&, const Replica&) = default;
};

class Replicas {
  public:
    /// What new metadata made of a replica.
    enum class Turn : std::uint8_t { same, leads, follows, idle };

    Replicas() = default;
    /// The replicas of a broker of a freshly formed cluster, with the preloaded records.
    Replicas(BrokerId self, const ClusterConfig& config, const Topology& topology);
    /// What the disk gives back after the end of a process.
    void recover(const sim::Loss& loss, const Context& ctx, BrokerId self,
                 const ClusterConfig& config, const Topology& topology);
    /// A graceful end: everything reaches the disk, with a clean marker (DUR-3).
    void close();

    [[nodiscard]] Replica* find(LogId log);
    [[nodiscard]] const Replica* find(LogId log) const;
    /// The replica if this broker leads it.
    [[nodiscard]] Replica* leading(LogId log);
    [[nodiscard]] std::map<LogId, Replica>& all() { return replicas_; }
    [[nodiscard]] const std::map<LogId, Replica>& all() const { return replicas_; }

    /// New metadata of one partition. `turn` is what changed for this broker.
    Turn apply(const BrokerStep& step, const PartitionState& state);
    /// A batch of a client or coordinator on a log that this broker leads.
    LeaderAppendResult append(const BrokerStep& step, LogId log, const Batch& batch, Acks acks,
                              const AppendAs& as);
    LeaderAppendResult append(const BrokerStep& step, LogId log, const Batch& batch, Acks acks,
                              AppendOrigin origin) {
        return append(step, log, batch, acks, AppendAs{.origin = origin});
    }
    /// Says that a batch was not appended here.
    static void refuse(const BrokerStep& step, LogId log, const Batch& batch, ErrorCode error);
    /// What a follower's fetcher did to its log.
    void told(const BrokerStep& step, LogId log, Replica& replica,
              const ReplicaFetcher::Handled& handled);
    /// Something about a log changed that others may wait for.
    void touch(LogId log);
    [[nodiscard]] std::optional<LogId> take_moved();

    // --- timers and orders ---
    void propose_shrinks(const BrokerStep& step);
    void checkpoint();
    void flush(const BrokerStep& step);
    /// The disk under all logs begins to lie about fsync, or is honest again.
    void set_disk_lies(bool lies);
    /// Producers idle at `wall` are forgotten (PSX-1), on one log or on all.
    void expire_producers(const BrokerStep& step, sim::Instant wall,
                          std::optional<LogId> only = std::nullopt);
    void roll(const BrokerStep& step, LogId log);
    void delete_records(const BrokerStep& step, LogId log, std::optional<Offset> up_to);

    [[nodiscard]] auto fields() const { return std::tie(replicas_, moved_, disk_lies_); }
    friend bool operator==(const Replicas&, const Replicas&) = default;

  private:
    void add(BrokerId self, const ClusterConfig& config, const Topology& topology, LogId log);
    Turn lead(const BrokerStep& step, Replica& replica, const PartitionState& state);
    Turn follow(const BrokerStep& step, Replica& replica, const PartitionState& state);
    void told_roll(const BrokerStep& step, LogId log, const PartitionLog& on);

    std::map<LogId, Replica> replicas_;
    std::vector<LogId> moved_;
    bool disk_lies_ = false;
};

}  // namespace eos::model
