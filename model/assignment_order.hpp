#pragma once
// What every assignor begins with, on the client and on the broker: the members in their order, and
// the topics anybody wants.

#include <algorithm>
#include <span>
#include <tuple>
#include <vector>

#include "model/ids.hpp"

namespace eos::model {

/// Z2: positions of the members, static ones first by instance id, then dynamic ones by member id.
template <class M>
[[nodiscard]] std::vector<std::size_t> in_order(std::span<const M> members) {
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto rank = [](const M& m) {
            return std::tuple(!m.instance.has_value(), m.instance.value_or(GroupInstanceId{}),
                              m.member);
        };
        return rank(members[a]) < rank(members[b]);
    });
    return order;
}

/// Simplified: Kafka orders topics by name; here by their number, the order of the scenario.
template <class M>
[[nodiscard]] std::vector<TopicId> subscribed_topics(std::span<const M> members) {
    std::vector<TopicId> topics;
    for (const auto& m : members)
        topics.insert(topics.end(), m.subscription.begin(), m.subscription.end());
    std::sort(topics.begin(), topics.end());
    topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
    return topics;
}

}  // namespace eos::model
