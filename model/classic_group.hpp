#pragma once
// One classic consumer group at its coordinator: the membership state machine of section 9.2
// (ClassicGroup and the classic half of GroupMetadataManager). A value owned by a GroupShard; it
// answers requests, sets timers, and asks its shard to persist a record. Rules G9-G18.
//
//             join (initial delay)          all joined, or join timer
//    Empty ---------------------> Preparing --------------------------> Completing
//      ^                          ^  ^  |                                 |    |
//      |     nobody left          |  |  |      join, leave, expiry        |    | leader's sync
//      '--------------------------|--|--'  <------------------------------'    | persisted
//                                 |  '--------------- Stable <-----------------'
//    any --> Dead (unloaded)      '-- join, leave, expiry --'

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "model/config.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/records.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

using sim::ReplyTo;

enum class GroupState : std::uint8_t {
    empty,
    preparing_rebalance,
    completing_rebalance,
    stable,
    dead,
};
/// "PreparingRebalance": Kafka's spelling.
[[nodiscard]] std::string_view name(GroupState state);

/// An answer to be sent by the host after the effects of the same step.
struct GroupReply {
    ReplyTo to;
    Message message;
    friend bool operator==(const GroupReply&, const GroupReply&) = default;
};

/// A member as the coordinator knows it.
struct GroupMember {
    MemberId id;
    std::optional<GroupInstanceId> instance;
    Duration session_timeout{};
    Duration rebalance_timeout{};
    std::vector<AssignorKind> protocols;
    std::vector<TopicId> subscription;
    std::vector<LogId> owned;
    std::vector<LogId> assignment;
    bool is_new = false;          ///< has never completed a join (G15)
    bool pending_sync = false;    ///< got its JoinGroup answer, SyncGroup not seen yet (G12)
    std::optional<ReplyTo> join;  ///< parked JoinGroup
    std::optional<ReplyTo> sync;  ///< parked SyncGroup
    std::optional<NodeId> node;   ///< where it last spoke from; none after a load
    std::uint32_t slot = 0;       ///< names its session timer
    std::optional<Generation> owned_since = {};  ///< of `owned` (KIP-792)
    friend bool operator==(const GroupMember&, const GroupMember&) = default;
};

/// A newcomer that was given an id and has not come back with it (G9).
struct PendingMember {
    MemberId id;
    std::uint32_t slot = 0;
    friend bool operator==(const PendingMember&, const PendingMember&) = default;
};

/// Why a group writes its metadata (G5), and what it does when the write is replicated or fails.
struct GroupPersist {
    enum class Why : std::uint8_t { assignment, static_member, emptied, removed, deleted };
    Why why = Why::emptied;
    Generation generation;
    MemberId member;                    ///< assignment: the leader; static_member: the new id
    std::optional<GroupMember> before;  ///< static_member: what it replaced
    friend bool operator==(const GroupPersist&, const GroupPersist&) = default;
};
struct GroupWrite {
    GroupMetadataRecord record;
    GroupPersist persist;
    friend bool operator==(const GroupWrite&, const GroupWrite&) = default;
};

/// What a group works with during one step.
struct GroupStep {
    const Context& ctx;
    const ClusterConfig& config;
    const Topology& topology;
    Guard& guard;
    Fx& fx;
    std::vector<GroupReply>& replies;
    std::vector<GroupWrite>& writes;
};

class ClassicGroup {
  public:
    ClassicGroup() = default;
    explicit ClassicGroup(GroupId id) : id_(id) {}
    /// A group in a given state, as a load or a test finds it. Members' slots are given here.
    ClassicGroup(GroupId id, GroupState state, Generation generation,
                 std::optional<MemberId> leader, std::optional<AssignorKind> protocol,
                 std::vector<GroupMember> members);
    /// From its record: Stable with members, Empty without; a rebalance in progress is forgotten
    /// (G6).
    [[nodiscard]] static ClassicGroup restored(const GroupMetadataRecord& record);

    /// Restarts every session at full length after a load (G6).
    void resume(GroupStep& step);
    /// The shard is given up: parked requests answered NOT_COORDINATOR, timers dropped (G7).
    void unload(GroupStep& step);
    /// Nothing is accepted any more.
    void die() { state_ = GroupState::dead; }
    /// The group goes on as one of KIP-848, or is deleted: parked requests are answered
    /// REBALANCE_IN_PROGRESS, timers dropped, newcomers that have not come back forgotten.
    void step_aside(GroupStep& step);
    /// For members that came together elsewhere: what they vote for is its protocol (Z1).
    void choose_protocol() { protocol_ = select_protocol(); }
    /// That failed: whoever was sent away is waited for.
    void come_back(GroupStep& step);

    /// `fresh` is the id a newcomer would get; `require_known_id`: JoinGroup v4 and later (G9).
    void join(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request, MemberId fresh,
              bool require_known_id = true);
    void sync(GroupStep& step, const ReplyTo& to, const SyncGroupRequest& request);
    [[nodiscard]] ErrorCode heartbeat(GroupStep& step, const MemberRef& member, NodeId from);
    [[nodiscard]] LeaveGroupResponse leave(GroupStep& step, const LeaveGroupRequest& request);

    /// G14 order, then G20 b-e; `transactional`: inside a transaction. Does not touch the session.
    [[nodiscard]] ErrorCode validate_commit(const MemberRef& member, bool transactional) const;
    /// G15: a commit in Stable or PreparingRebalance counts as a sign of life.
    void committed_by(GroupStep& step, const MemberRef& member);

    void on_join_timer(GroupStep& step);
    void on_sync_timer(GroupStep& step);
    void on_session_timer(GroupStep& step, std::uint32_t slot);
    void on_pending_timer(GroupStep& step, std::uint32_t slot);

    /// The record that `persist` asked for is replicated, or could not be written (mapped error).
    void persisted(GroupStep& step, const GroupPersist& persist, const GroupMetadataRecord& record);
    void persist_failed(GroupStep& step, const GroupPersist& persist, ErrorCode error);

    /// An operator forces a rebalance; nothing happens without members.
    void force_rebalance(GroupStep& step);
    /// An operator removes a member (RemoveMembersFromConsumerGroup).
    void expel(GroupStep& step, MemberId member);

    [[nodiscard]] GroupId id() const { return id_; }
    [[nodiscard]] GroupState state() const { return state_; }
    [[nodiscard]] Generation generation() const { return generation_; }
    [[nodiscard]] std::optional<MemberId> leader() const { return leader_; }
    [[nodiscard]] std::optional<AssignorKind> protocol() const { return protocol_; }
    [[nodiscard]] const std::vector<GroupMember>& members() const { return members_; }
    [[nodiscard]] const std::vector<PendingMember>& pending() const { return pending_; }
    [[nodiscard]] const GroupMember* find(MemberId id) const;
    /// When it entered its present state, by the coordinator's wall clock (G31).
    [[nodiscard]] sim::Instant state_since() const { return state_since_; }
    /// Whether a member of the last generation subscribes to the topic; while the group rebalances
    /// nobody knows about the next (G31).
    [[nodiscard]] bool subscribed(TopicId topic) const;
    /// Whether offsets of the topic are in use (KIP-496): what the members read is not known before
    /// the first generation, so it may be anything.
    [[nodiscard]] bool may_read(TopicId topic) const;
    /// Created by a commit without a member: never had a generation (G20 a).
    [[nodiscard]] bool simple() const;
    [[nodiscard]] GroupMetadataRecord record() const;

    friend bool operator==(const ClassicGroup&, const ClassicGroup&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(id_, state_, empty_before_, generation_, leader_, protocol_, members_,
                        pending_, new_member_added_, initial_delay_, initial_remaining_,
                        state_since_, owned_, next_slot_);
    }

  private:
    [[nodiscard]] GroupMember* member(MemberId id);
    /// `preferred` counts first, where one instance has two members (KAFKA-8500).
    [[nodiscard]] const GroupMember* with_instance(GroupInstanceId instance,
                                                   std::optional<MemberId> preferred = {}) const;
    [[nodiscard]] ErrorCode validate_member(const MemberRef& ref) const;
    [[nodiscard]] ErrorCode validate(const MemberRef& ref) const;
    [[nodiscard]] bool accepts(const JoinGroupRequest& request, const ClusterConfig& config) const;
    [[nodiscard]] bool supports(const std::vector<AssignorKind>& protocols) const;
    [[nodiscard]] std::optional<AssignorKind> select_protocol() const;
    [[nodiscard]] Duration rebalance_timeout() const;
    [[nodiscard]] bool all_joined() const;
    [[nodiscard]] JoinGroupResponse current_answer(const GroupMember& member) const;

    void join_newcomer(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request,
                       MemberId fresh, bool require_known_id);
    void join_known(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request);
    void add(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request, MemberId id);
    void update(GroupMember& member, const ReplyTo& to, const JoinGroupRequest& request);
    void replace_static(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request,
                        MemberId old, MemberId fresh);
    void sync_completing(GroupStep& step, const ReplyTo& to, const SyncGroupRequest& request);

    void rebalance_or_complete(GroupStep& step);
    void prepare_rebalance(GroupStep& step);
    void complete_if_joined(GroupStep& step);
    void complete_join(GroupStep& step);
    void become_empty(GroupStep& step);
    void become_stable(GroupStep& step);
    [[nodiscard]] bool elect_joined_leader();
    void enter(GroupStep& step, GroupState state);
    void declare_owners(GroupStep& step);

    void remove(GroupStep& step, MemberId id);
    void drop_pending(GroupStep& step, MemberId id);
    void answer_syncs(GroupStep& step, ErrorCode error);
    void send_away(GroupStep& step, ErrorCode error);
    void answer_join(GroupStep& step, GroupMember& member, JoinGroupResponse answer);
    void refuse_join(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request,
                     ErrorCode error, std::optional<MemberId> member);
    void arm_session(GroupStep& step, const GroupMember& member, Duration timeout);
    void tell(GroupStep& step, Mile mile, std::optional<MemberId> member) const;
    void tell_fenced(GroupStep& step, ErrorCode error, std::optional<MemberId> member) const;

    GroupId id_;
    GroupState state_ = GroupState::empty;
    bool empty_before_ = false;  ///< the present PreparingRebalance began in Empty (G10)
    Generation generation_{0};
    std::optional<MemberId> leader_;
    std::optional<AssignorKind> protocol_;
    std::vector<GroupMember> members_;  ///< in the order they first joined
    std::vector<PendingMember> pending_;
    bool new_member_added_ = false;  ///< extends the initial delay
    Duration initial_delay_{};       ///< of the running join timer, while empty_before_
    Duration initial_remaining_{};
    sim::Instant state_since_{};
    std::vector<LogId> owned_;  ///< logs with an owner in the directory
    std::uint32_t next_slot_ = 0;
};

}  // namespace eos::model
