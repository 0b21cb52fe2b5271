#pragma once
// One KIP-848 consumer group at its coordinator (section 9.4; Kafka's ConsumerGroup and the modern
// half of GroupMetadataManager). Whatever makes the group epoch rise makes a new target assignment;
// each member then walks to its target by itself (modern_group_reconcile.hpp), no barrier (K9). A
// value owned by a GroupShard: what the log keeps of it is its state, the rest is timers.
//
// Members may speak the classic protocol while the group is on its way from one to the other
// (KIP-848, online migration; modern_group_classic.cpp).
//
// A heartbeat is handled in three steps: admit() the member and what it says of itself; if the
// epoch rose, set_target() to what the assignor says; advance() the member and answer.

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/classic_group.hpp"
#include "model/config.hpp"
#include "model/messages.hpp"
#include "model/records.hpp"
#include "model/server_assignors.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

enum class ModernGroupState : std::uint8_t { empty, assigning, reconciling, stable };
/// "Reconciling": Kafka's spelling.
[[nodiscard]] std::string_view name(ModernGroupState state);

/// Epochs that a member sends to leave (K2).
inline constexpr std::int32_t leave_epoch = -1;
inline constexpr std::int32_t leave_for_now_epoch = -2;
/// A member's epoch as it is told: -2 while a static member is away (G37).
[[nodiscard]] std::int32_t told_epoch(const ModernMember& member);

/// What a modern group works with during one step.
struct ModernStep {
    const Context& ctx;
    const ClusterConfig& config;
    const Topology& topology;
    Guard& guard;
    Fx& fx;
};

class ModernGroup {
  public:
    ModernGroup() = default;
    explicit ModernGroup(GroupId id) { record_.group = id; }
    [[nodiscard]] static ModernGroup restored(ModernGroupRecord record);
    /// A log with two owners, which must never be (V4).
    [[nodiscard]] static std::optional<LogId> owned_twice(const ModernGroupRecord& record);

    /// Restarts the timers at full length after a load (G39).
    void resume(ModernStep& step);
    void unload(ModernStep& step);
    /// The write of what this group has become failed: back to what it was (G2).
    void roll_back(ModernStep& step, ModernGroup before);

    /// What is wrong with a heartbeat by itself, whatever the group.
    [[nodiscard]] static ErrorCode malformed(const ConsumerGroupHeartbeatRequest& request);
    /// `member` speaks: the request's, or the id that a newcomer is given. After an error the group
    /// is unchanged.
    [[nodiscard]] ErrorCode admit(ModernStep& step, const ConsumerGroupHeartbeatRequest& request,
                                  MemberId member, NodeId from);
    [[nodiscard]] bool needs_target() const { return record_.epoch > record_.target_epoch; }
    /// What most members ask for, else uniform.
    [[nodiscard]] ServerAssignor assignor() const;
    [[nodiscard]] std::vector<ServerMember> contenders() const;
    void set_target(const std::vector<MemberAssignment>& target);
    [[nodiscard]] ConsumerGroupHeartbeatResponse advance(
        ModernStep& step, const ConsumerGroupHeartbeatRequest& request, MemberId member);
    /// A heartbeat of epoch -1 or -2.
    [[nodiscard]] ConsumerGroupHeartbeatResponse leave(
        ModernStep& step, const ConsumerGroupHeartbeatRequest& request);

    // --- members of the classic protocol: their requests, as a group of theirs would answer ---

    /// A classic group and all its members, on what they were last assigned.
    [[nodiscard]] static ModernGroup upgraded(const ClassicGroup& group);
    /// Its members, all of the classic protocol, as a classic group of that generation.
    [[nodiscard]] ClassicGroup downgraded(ModernStep& step, Generation generation);
    [[nodiscard]] bool only_classic() const;
    /// Whether all its classic members know one of the assignors.
    [[nodiscard]] bool supports(const std::vector<AssignorKind>& protocols) const;
    /// The first half of a JoinGroup, as admit(); `member` as there.
    [[nodiscard]] ErrorCode admit(ModernStep& step, const JoinGroupRequest& request,
                                  MemberId member, NodeId from);
    [[nodiscard]] JoinGroupResponse advance(ModernStep& step, const JoinGroupRequest& request,
                                            MemberId member);
    [[nodiscard]] SyncGroupResponse sync(ModernStep& step, const SyncGroupRequest& request,
                                         NodeId from);
    [[nodiscard]] ErrorCode heartbeat(ModernStep& step, const MemberRef& member, NodeId from);
    [[nodiscard]] LeaveGroupResponse leave(ModernStep& step, const LeaveGroupRequest& request);

    /// G21: whether an offset commit of this member counts; the epoch must match exactly.
    /// `version`: of an OffsetCommit; none in a transaction.
    [[nodiscard]] ErrorCode validate_commit(const MemberRef& member,
                                            std::optional<std::int16_t> version) const;
    /// G27.
    [[nodiscard]] ErrorCode validate_fetch(const OffsetFetchRequest& request) const;

    void on_session_timer(ModernStep& step, std::uint32_t slot);
    void on_rebalance_timer(ModernStep& step, std::uint32_t slot);
    /// A classic member has not joined again, or not asked for its assignment, in time.
    void on_classic_timer(ModernStep& step, std::uint32_t slot);
    /// An operator removes a member, or wants a new assignment.
    void expel(ModernStep& step, MemberId member);
    void force_rebalance(ModernStep& step);
    /// Tells the world how the group differs from what it was.
    void tell_changes(ModernStep& step, const ModernGroup& before);
    /// The same of who owns what, to the directory.
    void declare_owners(ModernStep& step);
    void tell(ModernStep& step, Mile mile, std::optional<MemberId> member) const;

    [[nodiscard]] GroupId id() const { return record_.group; }
    [[nodiscard]] ModernGroupState state() const;
    [[nodiscard]] Generation epoch() const { return record_.epoch; }
    [[nodiscard]] const std::vector<ModernMember>& members() const { return record_.members; }
    [[nodiscard]] const ModernGroupRecord& record() const { return record_; }
    [[nodiscard]] const ModernMember* find(MemberId id) const;
    [[nodiscard]] std::optional<NodeId> node_of(MemberId id) const;
    /// The epoch of the log's owner; none: free.
    [[nodiscard]] std::optional<Generation> owner_epoch(LogId log) const;
    [[nodiscard]] bool subscribed(TopicId topic) const;

    friend bool operator==(const ModernGroup&, const ModernGroup&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(record_, seats_, owned_, next_slot_, unguarded_);
    }

  private:
    /// What is known of a member while it is served here.
    struct Seat {
        MemberId member;
        std::uint32_t slot = 0;      ///< names its timers
        std::optional<NodeId> node;  ///< where it last spoke from
        bool joining = false;        ///< a classic member that was told to join again
        friend bool operator==(const Seat&, const Seat&) = default;
    };

    [[nodiscard]] ModernMember* member(MemberId id);
    [[nodiscard]] ModernMember* with_instance(GroupInstanceId instance);
    [[nodiscard]] Seat& seat(MemberId id);
    [[nodiscard]] std::optional<MemberId> at_slot(std::uint32_t slot) const;
    void leave_seat(ModernStep& step, MemberId id);
    [[nodiscard]] ErrorCode check(ModernStep& step, const ConsumerGroupHeartbeatRequest& request,
                                  MemberId speaker);
    void remove(ModernStep& step, MemberId id);
    [[nodiscard]] std::vector<LogId> busy() const;
    void give_back(ModernStep& step, ModernMember& member);
    void arm_session(ModernStep& step, MemberId id);
    void arm_rebalance(ModernStep& step, const ModernMember& member);
    /// The member as it should be told now; none: fenced.
    [[nodiscard]] bool reconcile(ModernStep& step, ModernMember& member,
                                 const std::optional<std::vector<LogId>>& owned);
    void take_seat_of(ModernStep& step, ModernMember& holder, MemberId fresh);
    void subscribe(ModernMember& member, const std::vector<TopicId>& topics);
    [[nodiscard]] ErrorCode validate_classic(const MemberRef& ref) const;
    [[nodiscard]] bool waits_for_others(const ModernMember& member) const;
    void await_join(ModernStep& step, const ModernMember& member);
    void expire(ModernStep& step, MemberId member);

    ModernGroupRecord record_;
    std::vector<Seat> seats_;
    std::vector<LogId> owned_;  ///< logs with an owner in the directory
    std::uint32_t next_slot_ = 0;
    std::vector<LogId> unguarded_;  ///< owned, but taken for free (KAFKA-16147)
};

}  // namespace eos::model
