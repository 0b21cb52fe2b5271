#include "model/classic_group.hpp"

#include <algorithm>

namespace eos::model {
namespace {

[[nodiscard]] std::uint32_t number_of(GroupId id) { return static_cast<std::uint32_t>(id.value); }

}  // namespace

std::string_view name(GroupState state) {
    switch (state) {
        case GroupState::empty:
            return "Empty";
        case GroupState::preparing_rebalance:
            return "PreparingRebalance";
        case GroupState::completing_rebalance:
            return "CompletingRebalance";
        case GroupState::stable:
            return "Stable";
        case GroupState::dead:
            return "Dead";
    }
    return "";
}

// --- construction and queries
// ---------------------------------------------------------------------

ClassicGroup::ClassicGroup(GroupId id, GroupState state, Generation generation,
                           std::optional<MemberId> leader, std::optional<AssignorKind> protocol,
                           std::vector<GroupMember> members)
    : id_(id),
      state_(state),
      generation_(generation),
      leader_(leader),
      protocol_(protocol),
      members_(std::move(members)) {
    for (auto& m : members_) {
        m.slot = next_slot_++;
        owned_.insert(owned_.end(), m.assignment.begin(), m.assignment.end());
    }
    std::sort(owned_.begin(), owned_.end());
}

ClassicGroup ClassicGroup::restored(const GroupMetadataRecord& record) {
    std::optional<AssignorKind> protocol;
    if (record.protocol >= 0) protocol = static_cast<AssignorKind>(record.protocol);
    std::vector<GroupMember> members;
    for (const auto& m : record.members) {
        // Only the chosen protocol's metadata is persisted (G5).
        GroupMember member{.id = m.member,
                           .instance = m.instance,
                           .session_timeout = m.session_timeout,
                           .rebalance_timeout = m.rebalance_timeout,
                           .protocols = {},
                           .subscription = m.subscription,
                           .owned = m.owned,
                           .assignment = m.assignment,
                           .is_new = false,
                           .pending_sync = false,
                           .join = {},
                           .sync = {},
                           .node = {},
                           .slot = 0,
                           .owned_since = m.owned_since};
        if (protocol) member.protocols.push_back(*protocol);
        members.push_back(std::move(member));
    }
    const auto state = members.empty() ? GroupState::empty : GroupState::stable;
    ClassicGroup group(record.group, state, record.generation, record.leader, protocol,
                       std::move(members));
    group.state_since_ = record.state_since;
    return group;
}

const GroupMember* ClassicGroup::find(MemberId id) const {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const GroupMember& m) { return m.id == id; });
    return found == members_.end() ? nullptr : &*found;
}

GroupMember* ClassicGroup::member(MemberId id) {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const GroupMember& m) { return m.id == id; });
    return found == members_.end() ? nullptr : &*found;
}

const GroupMember* ClassicGroup::with_instance(GroupInstanceId instance,
                                               std::optional<MemberId> preferred) const {
    if (const auto* m = preferred ? find(*preferred) : nullptr; m && m->instance == instance)
        return m;
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const GroupMember& m) { return m.instance == instance; });
    return found == members_.end() ? nullptr : &*found;
}

bool ClassicGroup::subscribed(TopicId topic) const {
    return std::any_of(members_.begin(), members_.end(), [&](const GroupMember& m) {
        return !m.is_new && std::find(m.subscription.begin(), m.subscription.end(), topic) !=
                                m.subscription.end();
    });
}

bool ClassicGroup::may_read(TopicId topic) const {
    return subscribed(topic) || (!members_.empty() && generation_.value == 0);
}

bool ClassicGroup::simple() const {
    return state_ == GroupState::empty && generation_.value == 0 && pending_.empty();
}

GroupMetadataRecord ClassicGroup::record() const {
    GroupMetadataRecord result{.group = id_,
                               .tombstone = false,
                               .generation = generation_,
                               .protocol = protocol_ ? static_cast<std::int32_t>(*protocol_) : -1,
                               .leader = leader_,
                               .state_since = state_since_,
                               .members = {}};
    for (const auto& m : members_)
        result.members.push_back({m.id, m.instance, m.session_timeout, m.rebalance_timeout,
                                  m.subscription, m.assignment, m.owned, m.owned_since});
    return result;
}

bool ClassicGroup::supports(const std::vector<AssignorKind>& protocols) const {
    if (state_ == GroupState::empty) return !protocols.empty();
    return std::any_of(protocols.begin(), protocols.end(), [&](AssignorKind p) {
        return std::all_of(members_.begin(), members_.end(), [&](const GroupMember& m) {
            return std::find(m.protocols.begin(), m.protocols.end(), p) != m.protocols.end();
        });
    });
}

// Z1: of the protocols that all members support, the one most members list first among them.
std::optional<AssignorKind> ClassicGroup::select_protocol() const {
    std::vector<std::pair<AssignorKind, std::int32_t>> votes;
    for (const auto& m : members_) {
        for (const auto p : m.protocols) {
            if (!std::all_of(members_.begin(), members_.end(), [&](const GroupMember& other) {
                    return std::find(other.protocols.begin(), other.protocols.end(), p) !=
                           other.protocols.end();
                }))
                continue;
            const auto found = std::find_if(votes.begin(), votes.end(),
                                            [&](const auto& vote) { return vote.first == p; });
            if (found == votes.end())
                votes.emplace_back(p, 1);
            else
                ++found->second;
            break;
        }
    }
    if (votes.empty()) return std::nullopt;
    // Simplified: Kafka breaks a tie by hash order; here the first protocol that got a vote wins.
    return std::max_element(votes.begin(), votes.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

Duration ClassicGroup::rebalance_timeout() const {
    Duration longest{};
    for (const auto& m : members_) longest = std::max(longest, m.rebalance_timeout);
    return longest;
}

bool ClassicGroup::all_joined() const {
    return pending_.empty() && std::all_of(members_.begin(), members_.end(),
                                           [](const GroupMember& m) { return m.join.has_value(); });
}

// --- validation (G14, G20)
// ------------------------------------------------------------------------

ErrorCode ClassicGroup::validate_member(const MemberRef& ref) const {
    if (ref.instance) {
        const auto* holder = with_instance(*ref.instance, ref.member);
        if (!holder) return ErrorCode::unknown_member_id;
        if (holder->id != ref.member) return ErrorCode::fenced_instance_id;
    }
    if (!ref.member || !find(*ref.member)) return ErrorCode::unknown_member_id;
    return ErrorCode::none;
}

ErrorCode ClassicGroup::validate(const MemberRef& ref) const {
    if (state_ == GroupState::dead) return ErrorCode::coordinator_not_available;
    if (const auto error = validate_member(ref); error != ErrorCode::none) return error;
    if (ref.generation != generation_) return ErrorCode::illegal_generation;
    return ErrorCode::none;
}

ErrorCode ClassicGroup::validate_commit(const MemberRef& ref, bool transactional) const {
    if (state_ == GroupState::dead) return ErrorCode::coordinator_not_available;
    // An administrator, or a consumer with manual assignment (G20 b).
    if (!ref.generation && state_ == GroupState::empty) return ErrorCode::none;
    if (ref.generation || ref.member || ref.instance) {
        if (const auto error = validate_member(ref); error != ErrorCode::none) return error;
        if (ref.generation != generation_) return ErrorCode::illegal_generation;
    } else if (!transactional && state_ != GroupState::empty) {
        // In a transaction such a commit is taken: the producer's epoch is all that fences it (G20
        // d).
        return ErrorCode::unknown_member_id;
    }
    // The member knows the new generation but has not been told its partitions yet (M14).
    if (!transactional && state_ == GroupState::completing_rebalance)
        return ErrorCode::rebalance_in_progress;
    return ErrorCode::none;
}

void ClassicGroup::committed_by(GroupStep& step, const MemberRef& ref) {
    if (state_ != GroupState::stable && state_ != GroupState::preparing_rebalance) return;
    if (!ref.member) return;
    if (const auto* m = find(*ref.member)) arm_session(step, *m, m->session_timeout);
}

// --- small steps
// ----------------------------------------------------------------------------------

void ClassicGroup::enter(GroupStep& step, GroupState state) {
    state_ = state;
    state_since_ = step.ctx.wall;
    step.fx.observe(GroupChanged{step.ctx.self, id_, generation_,
                                 static_cast<std::int32_t>(members_.size()),
                                 state == GroupState::stable});
}

void ClassicGroup::declare_owners(GroupStep& step) {
    const auto subject = [&](LogId log) {
        return (std::int64_t{id_.value} << 32) | std::int64_t{log.value};
    };
    std::vector<LogId> owned;
    for (const auto& m : members_) {
        for (const auto log : m.assignment) {
            owned.push_back(log);
            if (m.node) step.fx.declare(role(Role::owner, subject(log)), {*m.node});
        }
    }
    std::sort(owned.begin(), owned.end());
    for (const auto log : owned_)
        if (!std::binary_search(owned.begin(), owned.end(), log))
            step.fx.declare(role(Role::owner, subject(log)), {});
    owned_ = std::move(owned);
}

void ClassicGroup::remove(GroupStep& step, MemberId id) {
    auto* m = member(id);
    if (!m) return;
    step.fx.disarm(key(Tick::group_session, number_of(id_), m->slot));
    if (m->join)  // G16
        answer_join(step, *m,
                    {.group = id_,
                     .error = ErrorCode::unknown_member_id,
                     .generation = {},
                     .protocol = {},
                     .leader = {},
                     .member = {},
                     .skip_assignment = false,
                     .members = {}});
    if (m->sync)
        step.replies.push_back(
            {*m->sync, SyncGroupResponse{id_, ErrorCode::unknown_member_id, {}}});
    std::erase_if(members_, [&](const GroupMember& other) { return other.id == id; });
    if (leader_ == id)
        leader_ = members_.empty() ? std::nullopt : std::optional(members_.front().id);
}

void ClassicGroup::drop_pending(GroupStep& step, MemberId id) {
    for (const auto& p : pending_)
        if (p.id == id) step.fx.disarm(key(Tick::group_pending_member, number_of(id_), p.slot));
    std::erase_if(pending_, [&](const PendingMember& p) { return p.id == id; });
}

void ClassicGroup::answer_syncs(GroupStep& step, ErrorCode error) {
    for (auto& m : members_) {
        if (!m.sync) continue;
        step.replies.push_back(
            {*m.sync,
             SyncGroupResponse{id_, error,
                               error == ErrorCode::none ? m.assignment : std::vector<LogId>{}}});
        m.sync = std::nullopt;
        arm_session(step, m, m.session_timeout);
    }
}

void ClassicGroup::answer_join(GroupStep& step, GroupMember& m, JoinGroupResponse answer) {
    step.replies.push_back({*m.join, std::move(answer)});
    m.join = std::nullopt;
}

void ClassicGroup::arm_session(GroupStep& step, const GroupMember& m, Duration timeout) {
    step.fx.arm(key(Tick::group_session, number_of(id_), m.slot), timeout);
}

JoinGroupResponse ClassicGroup::current_answer(const GroupMember& m) const {
    JoinGroupResponse answer{.group = id_,
                             .error = ErrorCode::none,
                             .generation = generation_,
                             .protocol = protocol_,
                             .leader = leader_,
                             .member = m.id,
                             .skip_assignment = false,
                             .members = {}};
    if (leader_ == m.id)
        for (const auto& other : members_)
            answer.members.push_back(
                {other.id, other.instance, other.subscription, other.owned, other.owned_since});
    return answer;
}

void ClassicGroup::tell(GroupStep& step, Mile mile, std::optional<MemberId> id) const {
    auto facts = told({{Fact::group, id_.value}, {Fact::generation, generation_.value}});
    if (id) {
        facts.add(number(Fact::member), static_cast<std::int64_t>(id->value));
        const auto* m = find(*id);
        const auto process = m && m->node ? step.topology.process_of(*m->node) : std::nullopt;
        if (process) facts.add(number(Fact::app), process->app.value);
    }
    step.fx.reach(number(mile), facts);
}

void ClassicGroup::tell_fenced(GroupStep& step, ErrorCode error, std::optional<MemberId> id) const {
    if (error == ErrorCode::unknown_member_id || error == ErrorCode::illegal_generation ||
        error == ErrorCode::fenced_instance_id)
        tell(step, Mile::group_member_fenced, id);
}

}  // namespace eos::model
