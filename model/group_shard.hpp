#pragma once
// One partition of __consumer_offsets as its coordinator sees it: the groups that hash to it, their
// replicated offsets, and the operations that wait for their records to be replicated (G2). An
// operation changes the groups at once; offsets become readable when the high watermark has passed
// them (G26). Owned by GroupCoordinator, which brings requests, timers and the log's news.

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <variant>
#include <vector>

#include "model/classic_group.hpp"
#include "model/modern_group.hpp"
#include "model/offset_store.hpp"
#include "sim/rng.hpp"

namespace eos::model {

/// What a step asks of the host besides effects. The host first does the appends, telling each
/// one's fate back (`appended` or `append_failed`, which may ask for more), then sends the replies.
struct GroupOutput {
    struct Append {
        LogId shard;
        std::int64_t token = 0;
        std::vector<GroupRecord> records;
        std::optional<TxnIdentity> who = {};  ///< offsets in a transaction
        friend bool operator==(const Append&, const Append&) = default;
    };
    std::vector<Append> appends;
    std::vector<GroupReply> replies;
    friend bool operator==(const GroupOutput&, const GroupOutput&) = default;
};

/// The parts of the coordinator that a shard works with during one step.
struct ShardStep {
    const Context& ctx;
    const ClusterConfig& config;
    const Topology& topology;
    sim::Rng& member_ids;
    Guard& guard;
    GroupOutput& out;
    Fx& fx;

    /// What a group of the consumer protocol works with.
    [[nodiscard]] ModernStep modern() const { return {ctx, config, topology, guard, fx}; }
};

/// The answer to a group request that carries nothing but an error. Where parts have errors of
/// their own, all of them.
[[nodiscard]] Message refuse_group_request(const Message& request, ErrorCode error);
/// An answer of the kinds that wait for a write, once the write has failed.
[[nodiscard]] Message with_error(Message answer, ErrorCode error);
/// Errors that tell a member it is not, or no longer, what it believes to be.
[[nodiscard]] bool fences_member(ErrorCode error);
/// A committed offset as it stands in the log; without an offset a tombstone.
[[nodiscard]] OffsetRecord offset_record(GroupId group, LogId log, std::optional<Offset> offset,
                                         sim::Instant commit_time);
/// What clients are told when the log could not take a record (G3).
[[nodiscard]] ErrorCode coordinator_error(ErrorCode log_error);

/// What a load has come to so far.
struct GroupFold {
    OffsetStore offsets;
    std::map<GroupId, GroupRecord> groups;  ///< the last record of each
    std::int32_t batches = 0;
    Offset chunk_first;  ///< where the present read of the load began (KAFKA-5600)
};

class GroupShard {
  public:
    GroupShard() = default;
    /// Tokens carry the epoch, so that news of a former leadership's appends means nothing here.
    GroupShard(LogId log, LeaderEpoch epoch)
        : log_(log), epoch_(epoch), next_token_(std::int64_t{epoch.value} << 32) {}

    [[nodiscard]] LogId log() const { return log_; }
    [[nodiscard]] LeaderEpoch epoch() const { return epoch_; }
    void set_epoch(LeaderEpoch epoch) { epoch_ = epoch; }
    [[nodiscard]] bool loading() const { return loading_; }

    void replay(Guard& guard, const Batch& batch, Offset high_watermark);
    /// What was replayed so far, if all of it was replicated; and going on from there.
    [[nodiscard]] GroupFold folded() const {
        return {offsets_, replayed_, replayed_batches_, chunk_first_};
    }
    void resume(GroupFold fold);
    void loaded(ShardStep& step);
    void unload(ShardStep& step);

    void on_request(ShardStep& step, const ReplyTo& to, const Message& message);
    void on_group_timer(ShardStep& step, const sim::TimerKey& key);
    void on_timeout(ShardStep& step);
    void on_pending_expiry(ShardStep& step);
    void expire_offsets(ShardStep& step, std::optional<GroupId> only, Duration retention);
    /// -2: the start of the log.
    void reset_offsets(ShardStep& step, GroupId group, std::optional<LogId> log,
                       std::int64_t offset);
    /// KIP-496 (OffsetDelete): an administrator takes offsets away, of which none is in use.
    [[nodiscard]] std::vector<OffsetCommitResponse::Part> delete_offsets(
        ShardStep& step, GroupId group, const std::vector<LogId>& logs);
    /// KIP-229 (DeleteGroups): a group that nobody is in goes with all its offsets.
    [[nodiscard]] ErrorCode delete_group(ShardStep& step, GroupId group);
    /// The partitions are gone, whoever read them: their offsets go too.
    void on_partitions_deleted(ShardStep& step, const std::vector<LogId>& logs);
    void rebalance(ShardStep& step, GroupId group);
    void expel(ShardStep& step, GroupId group, std::optional<std::int64_t> node,
               std::optional<std::int64_t> member);

    void appended(ShardStep& step, std::int64_t token, Offset base);
    void append_failed(ShardStep& step, std::int64_t token, ErrorCode error);
    void on_high_watermark(ShardStep& step, Offset high_watermark);
    /// The end of a producer's transaction stands in the log at `at`; it counts when replicated.
    void on_marker(ShardStep& step, ProducerId producer, ControlType type, Offset at);

    void audit(const Context& ctx, Fx& fx) const;

    /// Puts a group in place, as a load does.
    void place(ClassicGroup group);
    void place(ModernGroup group);
    [[nodiscard]] const ClassicGroup* group(GroupId id) const;
    [[nodiscard]] const ModernGroup* modern(GroupId id) const;
    [[nodiscard]] const std::map<GroupId, ClassicGroup>& classic_groups() const { return groups_; }
    [[nodiscard]] const std::map<GroupId, ModernGroup>& modern_groups() const { return modern_; }
    [[nodiscard]] const OffsetStore& offsets() const { return offsets_; }
    /// Every log that the group has an offset for: committed, pending or on its way.
    [[nodiscard]] std::vector<LogId> logs_of(GroupId group) const;

    friend bool operator==(const GroupShard&, const GroupShard&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(log_, epoch_, loading_, high_watermark_, groups_, modern_, offsets_,
                        replayed_, replayed_batches_, replayed_end_, chunk_first_, writes_, reads_,
                        next_token_);
    }

  private:
    using AnyGroup = std::variant<ClassicGroup, ModernGroup>;
    /// A client that waits, and what it is told if all goes well.
    struct Waiting {
        ReplyTo to;
        Message answer;
        friend bool operator==(const Waiting&, const Waiting&) = default;
    };
    struct Marker {
        ProducerId producer;
        ControlType type = ControlType::abort;
        friend bool operator==(const Marker&, const Marker&) = default;
    };
    /// Records on their way: not appended yet (no base), or appended and not replicated.
    struct Write {
        std::int64_t token = 0;
        std::vector<GroupRecord> records;
        std::optional<Offset> base;
        std::optional<sim::Instant> deadline;  ///< none: nobody waits any more
        std::optional<Waiting> waiting;
        std::optional<MemberId> member;
        std::optional<TxnIdentity> who;       ///< offsets inside a transaction
        std::optional<Marker> marker;         ///< instead of records
        std::optional<GroupPersist> persist;  ///< a classic group's metadata
        std::optional<AnyGroup> before;       ///< what the group becomes again if this fails
        bool replayed = false;
        [[nodiscard]] Offset next_offset() const {
            return *base + (marker ? 1 : static_cast<std::int64_t>(records.size()));
        }
        friend bool operator==(const Write&, const Write&) = default;
    };
    /// An answer that waits for the writes before it (G26): an OffsetFetch, read when it is its
    /// turn, or the finished answer to a member whose request changed nothing.
    struct Read {
        std::int64_t before = 0;  ///< waits for tokens below this one
        sim::Instant deadline{};
        ReplyTo to;
        std::variant<OffsetFetchRequest, Message> what;
        friend bool operator==(const Read&, const Read&) = default;
    };

    /// Lets a group act, if it is known, and writes what it wants to persist.
    template <class Action>
    void with_group(ShardStep& step, GroupId id, Action action);
    void on(ShardStep& step, const ReplyTo& to, const JoinGroupRequest& request);
    void on(ShardStep& step, const ReplyTo& to, const SyncGroupRequest& request);
    void on(ShardStep& step, const ReplyTo& to, const HeartbeatRequest& request);
    void on(ShardStep& step, const ReplyTo& to, const LeaveGroupRequest& request);
    void on(ShardStep& step, const ReplyTo& to, const OffsetCommitRequest& request);
    void on(ShardStep& step, const ReplyTo& to, const TxnOffsetCommitRequest& request);
    void on(ShardStep& step, const ReplyTo& to, const OffsetFetchRequest& request);
    void on(ShardStep& step, const ReplyTo& to, const ConsumerGroupHeartbeatRequest& request);

    [[nodiscard]] bool knows(GroupId id) const {
        return groups_.contains(id) || modern_.contains(id);
    }
    void ensure_group(GroupId id);
    /// What an operator is told who wants to delete of a group that cannot be touched, or is not there.
    [[nodiscard]] ErrorCode deletable(GroupId id) const;
    [[nodiscard]] ErrorCode validate(ShardStep& step, const OffsetCommitRequest& request) const;
    [[nodiscard]] ErrorCode validate(ShardStep& step, const TxnOffsetCommitRequest& request) const;
    void tell_fenced(ShardStep& step, GroupId group, const MemberRef& member) const;
    [[nodiscard]] Write write_of(ShardStep& step, GroupId group,
                                 const std::vector<OffsetCommitRequest::Part>& parts,
                                 std::vector<OffsetCommitResponse::Part>& results,
                                 std::optional<ProducerId> producer);

    /// A modern group has acted: its record is written if it changed; `waiting` hears of it then.
    /// `former`: the classic group that it was until now.
    void commit(ShardStep& step, ModernGroup before, std::optional<Waiting> waiting,
                std::optional<ClassicGroup> former = std::nullopt);
    // KIP-848, online migration.
    void join_modern(ShardStep& step, const ReplyTo& to, const JoinGroupRequest& request);
    [[nodiscard]] bool downgrades(const ShardStep& step, const ModernGroup& before) const;
    void downgrade(ShardStep& step, ModernGroup before, std::optional<Waiting> waiting);
    void roll_back(ShardStep& step, AnyGroup before);
    template <class Action>
    void with_modern(ShardStep& step, GroupId id, Action action);

    void write(ShardStep& step, Write write);
    void rearm_timeout(ShardStep& step) const;
    void release(ShardStep& step);
    void release_reads(ShardStep& step);
    void wait_for_writes(ShardStep& step, Read read);
    void apply(ShardStep& step, const Write& write);
    void apply(ShardStep& step, const Write& write, const OffsetRecord& offset, Offset at);
    void tell_committed(ShardStep& step, GroupId group, LogId log, const CommittedOffset* entry,
                        std::optional<MemberId> member, bool replayed) const;
    void tell_pending(ShardStep& step, GroupId group, LogId log, ProducerId producer,
                      const CommittedOffset& entry) const;
    void answer(ShardStep& step, const Write& write, ErrorCode error);
    void answer(ShardStep& step, const Read& read) const;
    void refuse(ShardStep& step, const Read& read) const;
    void answer(ShardStep& step, const ReplyTo& to, const OffsetFetchRequest& request) const;
    [[nodiscard]] bool in_flight(GroupId group, LogId log) const;
    [[nodiscard]] bool writes_of(GroupId group) const;
    [[nodiscard]] bool rewritten(GroupId group) const;
    void expire_offsets_of(ShardStep& step, const ClassicGroup& group, Duration retention);
    void expire_offsets_of(ShardStep& step, const ModernGroup& group, Duration retention);
    void forget(ShardStep& step, Write tombstones, const GroupRecord& of_group);
    void tell_refused(ShardStep& step, const OffsetRecord& record, std::optional<MemberId> member,
                      const TxnIdentity* who, ErrorCode error) const;
    [[nodiscard]] sim::Facts offset_facts(const ShardStep& step, GroupId group, LogId log) const;

    LogId log_;
    LeaderEpoch epoch_;
    bool loading_ = true;
    Offset high_watermark_;
    std::map<GroupId, ClassicGroup> groups_;
    std::map<GroupId, ModernGroup> modern_;  ///< a group is of one kind at a time
    OffsetStore offsets_;
    std::map<GroupId, GroupRecord> replayed_;  ///< the last record of each, while loading
    std::int32_t replayed_batches_ = 0;
    Offset replayed_end_;  ///< where the load ended
    Offset chunk_first_;  ///< where the present read of the load began (KAFKA-5600)
    std::vector<Write> writes_;
    std::vector<Read> reads_;
    std::int64_t next_token_ = 0;
};

template <class Action>
void GroupShard::with_group(ShardStep& step, GroupId id, Action action) {
    const auto found = groups_.find(id);
    if (found == groups_.end()) return;
    std::vector<GroupWrite> wanted;
    GroupStep inner{step.ctx, step.config,      step.topology, step.guard,
                    step.fx,  step.out.replies, wanted};
    action(found->second, inner);
    for (auto& w : wanted) {
        Write next;
        next.records.push_back(std::move(w.record));
        next.persist = std::move(w.persist);
        write(step, std::move(next));
    }
}

template <class Action>
void GroupShard::with_modern(ShardStep& step, GroupId id, Action action) {
    const auto found = modern_.find(id);
    if (found == modern_.end()) return;
    ModernGroup before = found->second;
    ModernStep inner{step.ctx, step.config, step.topology, step.guard, step.fx};
    action(found->second, inner);
    commit(step, std::move(before), std::nullopt);
}

}  // namespace eos::model
