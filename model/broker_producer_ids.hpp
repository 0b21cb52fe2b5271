#pragma once
// Producer ids of a broker (PIA-1): handed out one by one from a block that the controller gave it.
// A new block is asked for when the present one is nearly used up; requests that find none wait for
// it. Simplified: they wait as before Kafka 3.6; later brokers answer COORDINATOR_LOAD_IN_PROGRESS.

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "model/messages.hpp"
#include "sim/effects.hpp"

namespace eos::model {

class ProducerIdPool {
  public:
    /// The next id, if the block has one.
    [[nodiscard]] std::optional<ProducerId> take() {
        if (left_ == 0) return std::nullopt;
        const auto id = next_;
        next_ = next_.next();
        --left_;
        return id;
    }
    void park(sim::ReplyTo to) { waiting_.push_back(to); }
    [[nodiscard]] std::vector<sim::ReplyTo> take_waiting() { return std::exchange(waiting_, {}); }
    [[nodiscard]] bool anyone_waits() const { return !waiting_.empty(); }
    /// Whether a block should be asked for now; if so, it counts as asked for.
    [[nodiscard]] bool ask() {
        if (asked_ || left_ > low_water) return false;
        asked_ = true;
        return true;
    }
    void refill(ProducerId first, std::int32_t count) {
        next_ = first;
        left_ = count;
        asked_ = false;
    }
    /// The request for a block failed; ask() may be tried again.
    void asked_in_vain() { asked_ = false; }

    [[nodiscard]] auto fields() const { return std::tie(next_, left_, asked_, waiting_); }
    friend bool operator==(const ProducerIdPool&, const ProducerIdPool&) = default;

  private:
    static constexpr std::int32_t low_water = 0;

    ProducerId next_{0};
    std::int32_t left_ = 0;
    bool asked_ = false;
    std::vector<sim::ReplyTo> waiting_;
};

}  // namespace eos::model
