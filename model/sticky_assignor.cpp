#include "model/sticky_assignor.hpp"

#include <algorithm>
#include <map>

namespace eos::model {
namespace {

using Logs = std::vector<LogId>;

/// Who owns what by the members' claims (Z5), by index into the members.
struct Claims {
    std::vector<Logs> valid;
    std::map<LogId, std::size_t> owner;
    Logs disputed;  ///< claimed twice in one generation: nobody's
};

[[nodiscard]] bool contains(const Logs& logs, LogId log) {
    return std::find(logs.begin(), logs.end(), log) != logs.end();
}

[[nodiscard]] bool subscribes(const StickyMember& member, TopicId topic) {
    return std::find(member.subscription.begin(), member.subscription.end(), topic) !=
           member.subscription.end();
}

[[nodiscard]] TopicId topic_of(const Topology& topology, LogId log) {
    return topology.logs[static_cast<std::size_t>(log.value)].topic;
}

[[nodiscard]] Claims judge_claims(std::span<const StickyMember> members, const Topology& topology) {
    Claims claims;
    claims.valid.resize(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
        for (const auto log : members[i].owned) {
            const auto known = static_cast<std::size_t>(log.value) < topology.logs.size();
            if (!known || !subscribes(members[i], topic_of(topology, log))) continue;
            const auto [rival, first] = claims.owner.try_emplace(log, i);
            if (first) continue;
            const auto& theirs = members[rival->second].generation;
            if (theirs == members[i].generation) {
                if (!contains(claims.disputed, log)) claims.disputed.push_back(log);
            } else if (theirs < members[i].generation) {
                rival->second = i;
                std::erase(claims.disputed, log);
            }
        }
    }
    for (const auto log : claims.disputed) claims.owner.erase(log);
    for (std::size_t i = 0; i < members.size(); ++i)
        for (const auto log : members[i].owned)
            if (const auto found = claims.owner.find(log);
                found != claims.owner.end() && found->second == i)
                claims.valid[i].push_back(log);
    return claims;
}

/// Every log of a subscribed topic, by topic and partition.
[[nodiscard]] Logs subscribed_logs(std::span<const StickyMember> members,
                                   const Topology& topology) {
    Logs result;
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const auto topic = topology.logs[i].topic;
        if (std::any_of(members.begin(), members.end(),
                        [&](const StickyMember& m) { return subscribes(m, topic); }))
            result.push_back({static_cast<std::int32_t>(i)});
    }
    return result;
}

[[nodiscard]] std::vector<std::size_t> by_member_id(std::span<const StickyMember> members) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return members[a].member < members[b].member; });
    return order;
}

/// All members subscribe to the same topics: everybody gets floor(n/m) logs, n mod m one more.
class Constrained {
  public:
    Constrained(std::span<const StickyMember> members, const Claims& claims, const Logs& logs)
        : order_(by_member_id(members)),
          least_(logs.size() / members.size()),
          most_(least_ + (logs.size() % members.size() == 0 ? 0 : 1)),
          larger_left_(logs.size() % members.size()),
          result_(members.size()) {
        keep(claims);
        hand_out(logs);
    }
    [[nodiscard]] std::vector<Logs> take() { return std::move(result_); }

  private:
    void keep(const Claims& claims) {
        // Kafka's order is that of a hash table; any fixed one is as good.
        for (auto i = order_.rbegin(); i != order_.rend(); ++i) {
            const auto& owned = claims.valid[*i];
            auto kept = std::min(owned.size(), least_);
            if (owned.size() >= most_ && larger_left_ > 0) {
                kept = most_;
                --larger_left_;
            }
            result_[*i].assign(owned.begin(), owned.begin() + static_cast<std::ptrdiff_t>(kept));
        }
    }
    void hand_out(const Logs& logs) {
        Logs given;
        for (const auto& member : result_) given.insert(given.end(), member.begin(), member.end());
        std::sort(given.begin(), given.end());
        std::vector<std::size_t> under, exact;  // below the least share; at it
        for (const auto i : order_) {
            if (result_[i].size() < least_)
                under.push_back(i);
            else if (result_[i].size() == least_)
                exact.push_back(i);
        }
        std::size_t turn = 0;
        for (const auto log : logs) {
            if (std::binary_search(given.begin(), given.end(), log)) continue;
            auto& waiting = under.empty() ? exact : under;
            turn = turn < waiting.size() ? turn : 0;
            const auto i = waiting[turn];
            result_[i].push_back(log);
            if (&waiting == &exact || result_[i].size() == least_) {
                waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(turn));
                if (&waiting == &under) {
                    exact.push_back(i);
                    if (under.empty()) turn = 0;
                }
            } else {
                ++turn;
            }
        }
    }

    std::vector<std::size_t> order_;
    std::size_t least_;
    std::size_t most_;
    std::size_t larger_left_;
    std::vector<Logs> result_;
};

// Members subscribe differently: keep every valid claim, give the rest to whoever has least, then
// move single logs as long as that evens two members out.
// Simplified: Kafka also tries to send a log back to its former owner, and undoes the moves when
// the overall score did not improve.
[[nodiscard]] std::vector<Logs> general(std::span<const StickyMember> members, const Claims& claims,
                                        const Logs& logs, const Topology& topology) {
    auto result = claims.valid;
    const auto order = by_member_id(members);
    const auto least_loaded = [&](LogId log) {
        std::optional<std::size_t> best;
        for (const auto i : order)
            if (subscribes(members[i], topic_of(topology, log)) &&
                (!best || result[i].size() < result[*best].size()))
                best = i;
        return best;
    };
    for (const auto log : logs) {
        if (claims.owner.contains(log)) continue;
        if (const auto to = least_loaded(log)) result[*to].push_back(log);
    }
    for (bool moved = true; moved;) {
        moved = false;
        for (const auto from : order) {
            for (std::size_t k = 0; k < result[from].size(); ++k) {
                const auto log = result[from][k];
                const auto to = least_loaded(log);
                if (!to || result[*to].size() + 1 >= result[from].size()) continue;
                result[from].erase(result[from].begin() + static_cast<std::ptrdiff_t>(k));
                result[*to].push_back(log);
                moved = true;
                break;
            }
        }
    }
    return result;
}

[[nodiscard]] bool all_subscribe_alike(std::span<const StickyMember> members) {
    const auto sorted = [](std::vector<TopicId> topics) {
        std::sort(topics.begin(), topics.end());
        return topics;
    };
    const auto first = sorted(members.front().subscription);
    return std::all_of(members.begin(), members.end(),
                       [&](const StickyMember& m) { return sorted(m.subscription) == first; });
}

}  // namespace

StickyAssignment assign_sticky(std::span<const StickyMember> members, const Topology& topology) {
    StickyAssignment result;
    if (members.empty()) return result;
    const auto claims = judge_claims(members, topology);
    const auto logs = subscribed_logs(members, topology);
    auto shares = all_subscribe_alike(members) ? Constrained(members, claims, logs).take()
                                               : general(members, claims, logs, topology);
    for (std::size_t i = 0; i < members.size(); ++i) {
        std::sort(shares[i].begin(), shares[i].end());
        for (const auto log : shares[i]) {
            const auto owner = claims.owner.find(log);
            if ((owner != claims.owner.end() && owner->second != i) ||
                contains(claims.disputed, log))
                result.transferring.emplace_back(log, members[i].member);
        }
        result.members.push_back({members[i].member, std::move(shares[i])});
    }
    std::sort(result.transferring.begin(), result.transferring.end());
    return result;
}

StickyAssignment assign_cooperative(std::span<const StickyMember> members,
                                    const Topology& topology) {
    auto result = assign_sticky(members, topology);
    for (auto& entry : result.members)
        std::erase_if(entry.logs, [&](LogId log) {
            return std::any_of(result.transferring.begin(), result.transferring.end(),
                               [&](const auto& moving) { return moving.first == log; });
        });
    return result;
}

}  // namespace eos::model
