#pragma once
// Chance of the faults. Every fault owns one random stream per purpose, named by its own name, so
// changing one fault moves nobody else's luck. All draws of a decision go through Rolls, which
// writes them down, or in scripted mode reads them from the script instead of drawing.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "faults/plan.hpp"
#include "faults/script.hpp"

namespace eos::faults {

/// What a stream is for. The number is part of the stream's name: append, never reorder.
enum class Purpose : std::uint8_t { gap, chance, target, lasts, act, choice, nth };
inline constexpr std::size_t purposes = 7;

/// A decision in the making: where it is written down and how far its script was read.
struct Sheet {
    std::optional<std::size_t> recorded;
    std::optional<std::size_t> scripted;  ///< position in the script
    std::size_t read = 0;                 ///< values read from it
    friend bool operator==(const Sheet&, const Sheet&) = default;
};

class Dice {
  public:
    Dice() = default;
    /// Without `record` nothing is written down: what a run decides is had by running it again.
    Dice(const Plan& plan, std::shared_ptr<const Script> script, bool record);

    [[nodiscard]] bool scripted() const { return script_ != nullptr; }
    /// When a scripted timer fires, and as which occurrence: this fault's decisions of step 0.
    struct Firing {
        std::int64_t occurrence;
        sim::Instant at;
    };
    [[nodiscard]] std::vector<Firing> firings_of(FaultIndex fault) const;
    /// A draw that belongs to no decision (gaps, chance, the nth). Never made in scripted mode.
    [[nodiscard]] sim::Rng& stream(FaultIndex fault, Purpose purpose);
    /// Whether the script has this decision.
    [[nodiscard]] bool foresees(FaultIndex fault, std::int64_t occurrence, std::int64_t step) const;
    /// Begins to write a decision down.
    [[nodiscard]] Sheet open(FaultIndex fault, std::int64_t occurrence, std::int64_t step,
                             sim::Instant now);
    /// Whom the decision hit; a script that says otherwise is a divergence.
    void hit(const Sheet& sheet, std::span<const sim::NodeId> nodes);

    [[nodiscard]] const Script& recorded() const { return recorded_; }
    /// The first step that went another way; at the end of a run also a step never reached.
    [[nodiscard]] std::optional<Divergence> divergence(const Plan& plan, bool over) const;

    [[nodiscard]] auto fields() const { return std::tie(streams_, followed_); }
    friend bool operator==(const Dice& a, const Dice& b);

  private:
    friend class Rolls;
    void diverge(std::size_t step, std::string what);

    std::vector<std::array<sim::Rng, purposes>> streams_;
    std::shared_ptr<const Script> script_;
    std::shared_ptr<const std::vector<std::size_t>> order_;  ///< script positions, sorted by key
    std::vector<bool> followed_;                             ///< by script position
    std::size_t next_ = 0;                                   ///< script position expected next
    bool record_ = true;
    Script recorded_;
    std::optional<Divergence> divergence_;
};

/// The draws of one decision.
class Rolls {
  public:
    Rolls(Dice& dice, FaultIndex fault, Sheet& sheet)
        : dice_(&dice), fault_(fault), sheet_(&sheet) {}

    [[nodiscard]] sim::Duration spread(Drawn::Kind kind, Purpose purpose,
                                       const sim::Spread& spread);
    /// As above, but both ends may be negative (clock jumps).
    [[nodiscard]] sim::Duration signed_spread(Drawn::Kind kind, const sim::Spread& spread);
    [[nodiscard]] std::int64_t number(Drawn::Kind kind, Purpose purpose, Number range);
    /// One of several candidates; a single one draws nothing. Must not be empty.
    [[nodiscard]] std::int64_t pick(Drawn::Kind kind, Purpose purpose,
                                    std::span<const std::int64_t> candidates);
    /// An index, by weight.
    [[nodiscard]] std::size_t weighted(std::span<const std::int32_t> weights);

    [[nodiscard]] Sheet& sheet() const { return *sheet_; }
    [[nodiscard]] Dice& dice() const { return *dice_; }

  private:
    [[nodiscard]] std::optional<std::int64_t> read(Drawn::Kind kind);
    std::int64_t note(Drawn::Kind kind, std::int64_t value);
    [[nodiscard]] sim::Rng& stream(Purpose purpose) { return dice_->stream(fault_, purpose); }

    Dice* dice_;
    FaultIndex fault_;
    Sheet* sheet_;
};

}  // namespace eos::faults
