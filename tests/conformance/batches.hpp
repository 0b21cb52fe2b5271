#pragma once
// What the harnesses of logs share: batches made of a case's arguments, and the observations of
// producer state that harnesses psm and log have in common.

#include <map>
#include <string>

#include "model/producer_state.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

using model::Offset;

[[nodiscard]] inline sim::Instant at_ms(std::int64_t ms) {
    return sim::Instant{sim::milliseconds(ms)};
}
[[nodiscard]] inline std::int64_t in_ms(sim::Instant time) {
    return time.time_since_epoch() / sim::milliseconds(1);
}

/// Record arguments with the defaults of the case file's header; `now` in ms.
[[nodiscard]] model::Batch data_batch(const Args& args, std::int64_t now);
/// A batch without producer id.
[[nodiscard]] model::Batch plain_batch(const Args& args, std::int64_t now);
[[nodiscard]] model::Batch marker_batch(const Args& args, std::int64_t now);
[[nodiscard]] model::AppendAs append_as(const Args& args, model::AppendOrigin otherwise);
[[nodiscard]] model::ProducerRules producer_rules(const Args& config, bool verification);

/// Gives verification guards the symbolic names g1, g2, ... in order of appearance.
class GuardNames {
  public:
    [[nodiscard]] YAML::Node name(model::VerificationGuard guard);
    [[nodiscard]] Observed show(const model::VerificationEntry* entry);

  private:
    std::map<model::VerificationGuard, std::string> names_;
};

[[nodiscard]] Observed show_producer(const model::ProducerEntry* entry);
[[nodiscard]] Observed show_state(const model::ProducerState& state,
                                  std::optional<Offset> first_unstable);
[[nodiscard]] YAML::Node show_completed(const std::optional<model::CompletedTxn>& txn);

}  // namespace eos::conformance
