#pragma once
// One KIP-848 consumer group at its coordinator (section 9.4; Kafka's ConsumerGroup and the modern
// half of GroupMetadataManager). Whatever makes the group epoch rise makes a new target assignment;
// each member then walks to its target by itself (modern_group_reconcile.hpp), no barrier (K9). A
// value owned by a GroupShard: what the log keeps of it is its state, the rest is timers.
//
// A heartbeat is handled in three steps: admit() the member and what it says of itself; if the
// epoch rose, set_target() to what the assignor says; advance() the member and answer.

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

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

    /// G21: whether an offset commit of this member counts; the epoch must match exactly.
    [[nodiscard]] ErrorCode validate_commit(const MemberRef& member) const;
    /// G27.
    [[nodiscard]] ErrorCode validate_fetch(const OffsetFetchRequest& request) const;

    void on_session_timer(ModernStep& step, std::uint32_t slot);
    void on_rebalance_timer(ModernStep& step, std::uint32_t slot);
    /// An operator removes a member, or wants a new assignment.
    void expel(ModernStep& step, MemberId member);
    void force_rebalance(ModernStep& step);
    /// Tells the world how the group differs from what it was.
    void tell_changes(ModernStep& step, const ModernGroup& before);

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
        friend bool operator==(const Seat&, const Seat&) = default;
    };

    [[nodiscard]] ModernMember* member(MemberId id);
    [[nodiscard]] ModernMember* with_instance(GroupInstanceId instance);
    [[nodiscard]] Seat& seat(MemberId id);
    [[nodiscard]] std::optional<MemberId> at_slot(std::uint32_t slot) const;
    void leave_seat(ModernStep& step, MemberId id);
    [[nodiscard]] ErrorCode check(const ConsumerGroupHeartbeatRequest& request, MemberId speaker,
                                  const ClusterConfig& config);
    void remove(ModernStep& step, MemberId id);
    [[nodiscard]] std::vector<LogId> busy() const;
    void give_back(ModernStep& step, ModernMember& member);
    void arm_session(ModernStep& step, MemberId id);
    void arm_rebalance(ModernStep& step, const ModernMember& member);
    void declare_owners(ModernStep& step);
    void tell(ModernStep& step, Mile mile, std::optional<MemberId> member) const;

    ModernGroupRecord record_;
    std::vector<Seat> seats_;
    std::vector<LogId> owned_;  ///< logs with an owner in the directory
    std::uint32_t next_slot_ = 0;
    std::vector<LogId> unguarded_;  ///< owned, but taken for free (KAFKA-16147)
};

}  // namespace eos::model
