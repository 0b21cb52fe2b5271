// What `check` warns of where transactions are used: ids that fence each other or nobody, offsets
// that are not part of the transaction, readers that do not wait for its end (language.md 8).

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

using model::AppConfig;
using model::AppKind;
using model::StepKind;

Mark mark_of_app(const Reading& reading, std::size_t app) {
    const auto* apps = reading.top.get("apps");
    return apps != nullptr && app < apps->keys.size() ? apps->keys[app].mark : Mark{};
}

bool takes(const AppConfig& app, StepKind kind) {
    return std::any_of(app.steps.begin(), app.steps.end(),
                       [&](const model::Step& step) { return step.kind == kind; });
}

/// The time between begin and commit or abort, as far as the program itself spends it.
sim::Duration time_in_transaction(const AppConfig& app) {
    sim::Duration most{};
    sim::Duration spent{};
    bool open = false;
    for (const auto& step : app.steps) {
        if (step.kind == StepKind::begin) {
            open = true;
            spent = {};
        }
        if (open && step.kind == StepKind::wait) spent += step.wait;
        if (open && step.kind == StepKind::process) spent += app.work.high;
        if (step.kind == StepKind::commit || step.kind == StepKind::abort) open = false;
        most = std::max(most, spent);
    }
    return most;
}

/// Transactional ids of an app: the first, and how many follow it.
std::pair<std::int32_t, std::int32_t> ids_of(const AppConfig& app) {
    const bool apart = app.txid == model::TxidPolicy::per_instance;
    return {app.first_txid->value, apart ? app.instances : 1};
}

bool overlap(const AppConfig& a, const AppConfig& b) {
    const auto [first_a, count_a] = ids_of(a);
    const auto [first_b, count_b] = ids_of(b);
    return first_a < first_b + count_b && first_b < first_a + count_a;
}

class TransactionWarnings {
  public:
    explicit TransactionWarnings(Reading& reading) : reading_(reading) {}

    void ids(std::size_t index) {
        const auto& app = config(index);
        if (app.txid == model::TxidPolicy::per_start)
            warn(index, "random-id",
                 fmt::format("'{}' takes a new transactional id at every start", app.name),
                 "nobody fences its former life: let the id name the instance");
        if (app.instances > 1 && app.txid == model::TxidPolicy::shared)
            warn(index, "shared-id",
                 fmt::format("the {} instances of '{}' have one transactional id", app.instances,
                             app.name),
                 "they fence each other: an id per instance");
        if (app.instances > 1 && app.txid == model::TxidPolicy::given)
            warn(index, "one-id-many-instances",
                 fmt::format("'{}' has a literal transactional.id and {} instances", app.name,
                             app.instances),
                 "they fence each other: leave it out, or name it per instance");
        for (std::size_t other = 0; other < index; ++other)
            if (config(other).first_txid && overlap(app, config(other)))
                warn(index, "shared-id",
                     fmt::format("'{}' and '{}' share a transactional id", config(other).name,
                                 app.name),
                     "whoever initialises last fences the other");
    }

    void timeouts(std::size_t index) {
        const auto& app = config(index);
        const auto timeout = app.producer.transaction_timeout;
        if (timeout > reading_.scenario.cluster.transaction_max_timeout)
            warn(index, "timeout-order",
                 fmt::format("'{}': transaction.timeout.ms is above transaction.max.timeout.ms",
                             app.name),
                 "the coordinator refuses it: INVALID_TRANSACTION_TIMEOUT");
        if (const auto spent = time_in_transaction(app); spent >= timeout)
            warn(index, "timeout-order",
                 fmt::format("'{}' may spend {} in a transaction, and transaction.timeout.ms is {}",
                             app.name, duration_text(spent), duration_text(timeout)),
                 "the coordinator aborts it");
    }

    void offsets(std::size_t index) {
        const auto& app = config(index);
        if (app.kind != AppKind::processor) return;
        if (takes(app, StepKind::commit) && takes(app, StepKind::commit_offsets))
            warn(index, "offsets-outside",
                 fmt::format("'{}' commits its offsets outside the transaction", app.name),
                 "a crash between the two repeats or skips input: send_offsets");
        const bool nameless = std::any_of(app.steps.begin(), app.steps.end(), [](const auto& step) {
            return step.kind == StepKind::send_offsets && step.group_only;
        });
        if (nameless)
            warn(index, "no-group-metadata",
                 fmt::format("'{}' sends offsets without member and generation", app.name),
                 "a zombie of the group is not fenced (KIP-447): metadata: full");
        if (!app.rewinds_after_abort)
            warn(index, "no-rewind", fmt::format("'{}' reads on after an abort", app.name),
                 "the input of the aborted transaction is skipped: rewind to what is committed");
    }

    /// Processors, and readers of a topic that an invariant is about.
    void isolation(std::size_t index) {
        const auto& app = config(index);
        if (!app.consumes() || app.consumer.isolation == model::Isolation::read_committed) return;
        for (const auto topic : app.from) {
            const auto writer = written_in_transactions(topic);
            if (!writer) continue;
            if (app.kind != AppKind::processor && app.kind != AppKind::sink && !app.is_job() &&
                !judged(topic))
                continue;
            warn(index, "read-uncommitted-downstream",
                 fmt::format(
                     "'{}' reads '{}' uncommitted, and '{}' writes it in transactions", app.name,
                     reading_.topology.topics[static_cast<std::size_t>(topic.value)].name, *writer),
                 "aborted records are taken for real: isolation: read-committed");
        }
    }

    void all() {
        for (std::size_t i = 0; i < reading_.scenario.apps.size(); ++i) {
            if (config(i).first_txid) {
                ids(i);
                timeouts(i);
                offsets(i);
            }
            isolation(i);
        }
    }

  private:
    [[nodiscard]] const AppConfig& config(std::size_t index) const {
        return reading_.scenario.apps[index].config;
    }
    void warn(std::size_t index, std::string warning, std::string text, std::string hint) {
        reading_.warn(mark_of_app(reading_, index), std::move(warning), std::move(text),
                      std::move(hint));
    }
    [[nodiscard]] std::optional<std::string> written_in_transactions(model::TopicId topic) const {
        const auto names = [&](const std::vector<model::TopicId>& list) {
            return std::find(list.begin(), list.end(), topic) != list.end();
        };
        for (const auto& app : reading_.scenario.apps) {
            if (!app.config.transactional()) continue;
            bool writes = names(app.config.to) || names(app.config.workload.to);
            for (const auto& step : app.config.steps) writes = writes || step.to == topic;
            if (writes) return app.config.name;
        }
        return std::nullopt;
    }
    [[nodiscard]] bool judged(model::TopicId topic) const {
        const auto over = [&](const Fold& fold) {
            return std::find(fold.over.begin(), fold.over.end(), topic) != fold.over.end();
        };
        const auto& invariants = reading_.scenario.expect.invariants;
        return std::any_of(invariants.begin(), invariants.end(), [&](const Invariant& invariant) {
            return over(invariant.fold) || (invariant.equals_fold && over(*invariant.equals_fold));
        });
    }

    Reading& reading_;
};

}  // namespace

void add_transaction_warnings(Reading& reading) { TransactionWarnings(reading).all(); }

}  // namespace eos::scenarios
