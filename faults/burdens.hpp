#pragma once
// What the faults under way impose on the world, and how it is lifted again. Several faults may lie
// on one link, disk or node: links add up, a node goes on when the last one that holds it lets go.
// Burdens emit the acts that make the world agree with what is imposed; they decide nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "faults/plan.hpp"
#include "sim/adversary.hpp"

namespace eos::faults {

namespace burden {
struct Link {
    sim::NodeId from;
    sim::NodeId to;
    bool silent = false;
    bool refused = false;
    sim::Duration extra{};
    std::int64_t bytes_per_second = 0;
    friend bool operator==(const Link&, const Link&) = default;
};
struct Disk {
    sim::NodeId node;
    sim::Duration extra{};
    friend bool operator==(const Disk&, const Disk&) = default;
};
struct Lie {
    sim::NodeId node;
    friend bool operator==(const Lie&, const Lie&) = default;
};
struct Drift {
    sim::NodeId node;
    std::int64_t parts_per_million = 0;
    friend bool operator==(const Drift&, const Drift&) = default;
};
/// Killed or stopped; started when the last Down of the node is lifted.
struct Down {
    sim::NodeId node;
    friend bool operator==(const Down&, const Down&) = default;
};
/// Told to stop, not down yet: killed when the burden falls due, becomes Down when it is down.
struct Stopping {
    sim::NodeId node;
    Lasting::Kind back = Lasting::Kind::forever;
    sim::Duration downtime{};  ///< if it comes back after a time
    friend bool operator==(const Stopping&, const Stopping&) = default;
};
struct Paused {
    sim::NodeId node;
    friend bool operator==(const Paused&, const Paused&) = default;
};
struct Stalled {
    sim::NodeId node;
    friend bool operator==(const Stalled&, const Stalled&) = default;
};
/// A broker answers Metadata from its past; the first of several says from which.
struct StaleMetadata {
    sim::NodeId node;
    std::optional<std::int32_t> hide;  ///< a topic left out
    friend bool operator==(const StaleMetadata&, const StaleMetadata&) = default;
};
/// A frozen frame.
struct Held {
    sim::HoldId hold;
    friend bool operator==(const Held&, const Held&) = default;
};
/// Leadership was moved and goes back.
struct Moved {
    std::int32_t log = 0;
    sim::NodeId back_to;
    friend bool operator==(const Moved&, const Moved&) = default;
};
/// A message rule is in force.
struct Window {
    friend bool operator==(const Window&, const Window&) = default;
};
/// A swizzle will hit this node when the burden falls due, and release it at `release`.
struct Planned {
    sim::NodeId node;
    std::int32_t choice = 0;
    std::int64_t step = 1;
    sim::Instant release;
    friend bool operator==(const Planned&, const Planned&) = default;
};
struct Turn {
    sim::NodeId node;
    sim::Duration gap{};  ///< after the former node was started
    Lasting::Kind back = Lasting::Kind::time;
    sim::Duration downtime{};
    friend bool operator==(const Turn&, const Turn&) = default;
};
/// A rolling restart: whose turn it will be. Due when the next turn begins; never while one runs.
struct Rolling {
    std::vector<Turn> left;
    std::optional<sim::Duration> grace;
    friend bool operator==(const Rolling&, const Rolling&) = default;
};
}  // namespace burden

struct Burden {
    std::variant<burden::Link, burden::Disk, burden::Lie, burden::Drift, burden::Down,
                 burden::Stopping, burden::Paused, burden::Stalled, burden::StaleMetadata,
                 burden::Held, burden::Moved, burden::Window, burden::Planned, burden::Rolling>
        what;
    sim::Instant due = sim::time_never;  ///< lifted, or its next step, by itself
    bool heals = true;                   ///< lifted when the faults heal
    friend bool operator==(const Burden&, const Burden&) = default;
};

/// The second half of a fault that lasts: what it imposes, and the trigger that ends it.
struct Activity {
    std::int64_t id = 0;
    FaultIndex fault;
    std::int64_t occurrence = 0;
    std::vector<std::int32_t> path;  ///< which entry of which nested mix
    std::int64_t until_left = 0;     ///< matches of `until` still missing; 0: no `until`
    sim::Duration until_after{};
    std::optional<sim::Instant> ends;  ///< when a matched `until` takes effect
    std::int64_t messages = 0;         ///< of a rule: how many matched
    sim::NodeId node;                  ///< carried by fault.NAME and fault.NAME.ended
    std::vector<Burden> burdens;
    friend bool operator==(const Activity&, const Activity&) = default;
};

class Burdens {
  public:
    /// Begins an activity; ended with the last of its burdens.
    Activity& open(FaultIndex fault, std::int64_t occurrence);
    [[nodiscard]] Activity* find(std::int64_t id);
    [[nodiscard]] std::vector<Activity>& all() { return activities_; }
    [[nodiscard]] const std::vector<Activity>& all() const { return activities_; }
    void close(std::int64_t id);

    /// Adds a burden and makes the world agree; asks to be woken when it falls due.
    void impose(std::int64_t activity, Burden burden, const sim::Surroundings& around,
                sim::Acts& acts, std::uint64_t wake_tag);
    /// Lifts one burden of an activity and makes the world agree.
    void lift(std::int64_t activity, std::size_t position, const Plan& plan,
              const sim::Surroundings& around, sim::Acts& acts);
    /// Activities opened from now on have this id or a greater one.
    [[nodiscard]] std::int64_t next_id() const { return next_id_; }
    /// The next name for a frozen frame.
    [[nodiscard]] sim::HoldId fresh_hold() { return {next_hold_++}; }

    [[nodiscard]] auto fields() const { return std::tie(activities_, next_id_, next_hold_); }
    friend bool operator==(const Burdens&, const Burdens&) = default;

  private:
    std::vector<Activity> activities_;  ///< by id
    std::int64_t next_id_ = 1;
    std::uint32_t next_hold_ = 1;
};

/// Tells a controller to move leadership of a log.
void order_election(std::int32_t log, std::optional<sim::NodeId> to, bool unclean, const Plan& plan,
                    const sim::Surroundings& around, sim::Acts& acts);

}  // namespace eos::faults
