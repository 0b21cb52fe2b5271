#pragma once
// Who holds which role now, as the roles themselves declare it: "who leads log 7". Faults aim by
// it.

#include <span>
#include <tuple>
#include <vector>

#include <boost/container/flat_map.hpp>
#include <boost/container/small_vector.hpp>

#include "sim/facts.hpp"
#include "sim/ordinal.hpp"

namespace eos::sim {

class Directory {
  public:
    [[nodiscard]] std::span<const NodeId> holders(RoleKey role) const {
        const auto found = roles_.find(role);
        if (found == roles_.end()) return {};
        return {found->second.data(), found->second.size()};
    }
    void declare(RoleKey role, std::span<const NodeId> holders) {
        if (holders.empty()) {
            roles_.erase(role);
            return;
        }
        roles_[role].assign(holders.begin(), holders.end());
    }
    [[nodiscard]] auto fields() const { return std::tie(roles_); }
    friend bool operator==(const Directory&, const Directory&) = default;

  private:
    boost::container::flat_map<RoleKey, boost::container::small_vector<NodeId, 4>> roles_;
};

}  // namespace eos::sim
