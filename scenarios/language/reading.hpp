#pragma once
// One typed reading of a tree: the scenario in the making and the names in it. The parts are read
// in the order below, each by a file of its own; warnings come last, when everything is known.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/bugs.hpp"
#include "scenarios/language/form.hpp"
#include "scenarios/language/settings.hpp"
#include "scenarios/scenario.hpp"

namespace eos::scenarios {

struct Reading {
    Diagnostics& diagnostics;
    const Node& root;
    Form top;
    Scenario scenario;
    model::Topology topology;
    std::vector<std::string> topic_names;  ///< user topics, in the order of the file
    std::vector<std::string> app_names;
    std::vector<std::string> store_names;
    std::vector<std::string> fault_names;
    model::GroupProtocol group_protocol = model::GroupProtocol::classic;  ///< cluster's default
    bool has_consumer_groups = true;  ///< the protocol knows KIP-848
    /// Triggers that steps wait for; Step::trigger is the position. Read with the faults, which
    /// they may name.
    struct Wait {
        model::AppId app;
        Node options;
    };
    std::vector<Wait> waits;

    Reading(Diagnostics& d, const Node& r)
        : diagnostics(d), root(r), top(d, &r, scenario_section, "", true) {}

    void error(const Mark& mark, std::string text, std::string hint = {}) {
        diagnostics.error(mark, std::move(text), std::move(hint));
    }
    /// A warning has a name (words.cpp), so that expect.lints can demand it.
    void warn(const Mark& mark, std::string warning, std::string text, std::string hint = {}) {
        scenario.warnings.push_back(warning);
        diagnostics.warn(mark, std::move(warning), std::move(text), std::move(hint));
    }
    [[nodiscard]] std::optional<model::TopicId> topic(std::string_view name) const {
        return topology.topic_named(name);
    }
    [[nodiscard]] std::optional<model::AppId> app(std::string_view name) const;
    [[nodiscard]] std::optional<model::GroupId> group(std::string_view name) const;
    /// A topic that must exist; reports.
    [[nodiscard]] std::optional<model::TopicId> need_topic(const Node& node);
    /// A store that must exist; reports.
    [[nodiscard]] std::optional<model::StoreId> need_store(const Node& node);
};

void read_cluster(Reading& reading);  ///< cluster, disk, costs, limits, times
void read_topics(Reading& reading);   ///< topics; after the cluster
void read_stores(Reading& reading);   ///< stores; after topics, whose names they share
void read_apps(Reading& reading);     ///< apps and groups; after topics and stores
void add_transaction_topic(Reading& reading);  ///< if somebody needs it; after apps
void read_network(Reading& reading);  ///< links name apps
void read_faults(Reading& reading);
void read_expect(Reading& reading);  ///< reached names faults
void add_warnings(Reading& reading);
/// Of them: what stores cannot know, or keep.
void add_store_warnings(Reading& reading);
/// Of them: transactional ids, what a processor commits, who reads without isolation.
void add_transaction_warnings(Reading& reading);
/// Of them: what a Flink job's checkpoints and restarts mean for its transactions (F30, F31).
void add_job_warnings(Reading& reading);

/// The whole reading. Empty if there is any error.
[[nodiscard]] std::optional<Scenario> read_scenario(Diagnostics& diagnostics, const Node& root,
                                                    std::uint64_t* seed_of_file = nullptr);

/// Lays `config:` over model structs; unknown settings and settings of another role are reported.
/// Returns the names that were set.
struct SettingTargets {
    model::ClusterConfig* cluster = nullptr;
    model::ProducerConfig* producer = nullptr;
    model::ConsumerConfig* consumer = nullptr;
    model::JobConfig* job = nullptr;
    bool topic = false;
};
std::set<std::string, std::less<>> apply_settings(Reading& reading, const Node* config,
                                                  const SettingTargets& targets,
                                                  std::string_view where);

/// Adds or removes safeguards and bugs by name; reports what is unknown or on the wrong side.
/// Returns the bugs, which may consist of more than safeguards.
std::vector<const model::BugEntry*> apply_safeguards(Reading& reading, const Form& form,
                                                     model::Side side, model::SafeguardSet& set);

/// A metric or a count by name; reports what is neither, and what is not measured yet.
[[nodiscard]] std::optional<Measure> read_measure(Diagnostics& diagnostics, const Node& name,
                                                  std::string_view where);

[[nodiscard]] std::string_view name_of(model::AppKind kind);
[[nodiscard]] std::string_view name_of(model::Mode mode);

}  // namespace eos::scenarios
