#pragma once
// What a writing application is given to write: a stream of events at a rate, each with a ledger id.
// The source outlives the process. A `replay` source offers everything unacknowledged again after a
// crash; a `push` source (an HTTP caller, say) is gone with the process that took its call.
// Ledger ids are made here and nowhere else.

#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "model/config.hpp"
#include "model/ids.hpp"
#include "model/records.hpp"
#include "sim/time.hpp"

namespace eos::model {

/// Ledger ids are unique over the run: application, instance, number of the input, leg (the records
/// one input becomes, e.g. the two sides of a transfer).
[[nodiscard]] RecordId ledger_id(ProcessId process, std::int64_t input, std::int32_t leg);

/// One record an input asks for, and the topic it goes to.
struct Wanted {
    TopicId to;
    Record record;
    friend bool operator==(const Wanted&, const Wanted&) = default;
};

class InputSource {
  public:
    InputSource() = default;
    /// `ends`: no input is offered from then on (the scenario's duration).
    InputSource(ProcessId process, sim::Instant begins, sim::Instant ends);

    /// Inputs that may be taken now, none of them taken yet.
    [[nodiscard]] std::int64_t available(const AppConfig& app, sim::Instant now) const;
    /// When the next input will be available; never if there is none to come.
    [[nodiscard]] sim::Instant next_at(const AppConfig& app, sim::Instant now) const;
    /// Takes one input: a repeated one first, then a new one. Requires available() > 0.
    struct Taken {
        std::int64_t input = 0;
        bool again = false;
    };
    Taken take(const AppConfig& app);
    /// Every record of this input is acknowledged (or given up): it will not be offered again.
    void settle(std::int64_t input);
    /// An input will be offered again to this process (a rewound writer).
    void offer_again(std::int64_t input);
    /// The process is up: a push source has lost what arrived while nobody listened.
    void process_started(const AppConfig& app, sim::Instant now);
    /// The process died: what is unsettled is offered again (replay) or lost (push).
    void process_died(const AppConfig& app);

    /// Whether nothing is left to take, now or later.
    [[nodiscard]] bool exhausted(const AppConfig& app, sim::Instant now) const;
    [[nodiscard]] std::int64_t unsettled() const {
        return static_cast<std::int64_t>(open_.size() + again_.size());
    }

    friend bool operator==(const InputSource&, const InputSource&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(process_, begins_, ends_, next_, open_, again_);
    }

  private:
    [[nodiscard]] sim::Instant arrival(const AppConfig& app, std::int64_t input) const;

    ProcessId process_;
    sim::Instant begins_{};
    sim::Instant ends_{};
    std::int64_t next_ = 0;        ///< number of the next new input
    std::set<std::int64_t> open_;  ///< taken, not settled
    std::set<std::int64_t> again_; ///< to be offered again, in order
};

/// The records one input becomes under the application's workload.
[[nodiscard]] std::vector<Wanted> records_of(const AppConfig& app, ProcessId process,
                                             std::int64_t input);

}  // namespace eos::model
