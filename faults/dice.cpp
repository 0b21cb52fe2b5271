#include "faults/dice.hpp"

#include <algorithm>
#include <numeric>

#include "sim/ensure.hpp"

namespace eos::faults {
namespace {

auto key(const Decision& d) { return std::tuple(d.fault, d.occurrence, d.step); }

std::string called(const Plan& plan, FaultIndex fault) {
    const auto i = static_cast<std::size_t>(fault.value);
    return i < plan.faults.size() ? plan.faults[i].name : std::to_string(fault.value);
}

constexpr std::array kinds{
    std::string_view{"after"},       std::string_view{"for"},    std::string_view{"until-nth"},
    std::string_view{"until-after"}, std::string_view{"node"},   std::string_view{"log"},
    std::string_view{"group"},       std::string_view{"choice"}, std::string_view{"gap"},
    std::string_view{"by"},          std::string_view{"code"},   std::string_view{"txid"},
};

}  // namespace

std::string_view name(Drawn::Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }

std::optional<Drawn::Kind> drawn_named(std::string_view name) {
    const auto* found = std::find(kinds.begin(), kinds.end(), name);
    if (found == kinds.end()) return std::nullopt;
    return static_cast<Drawn::Kind>(found - kinds.begin());
}

Dice::Dice(const Plan& plan, std::shared_ptr<const Script> script, bool record)
    : script_(std::move(script)), record_(record) {
    for (const auto& fault : plan.faults) {
        auto& row = streams_.emplace_back();
        for (std::size_t p = 0; p < purposes; ++p)
            row[p] = sim::Rng::stream(plan.seed, "fault:" + fault.name, p);
    }
    if (!script_) return;
    std::vector<std::size_t> order(script_->size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return key((*script_)[a]) < key((*script_)[b]);
    });
    order_ = std::make_shared<const std::vector<std::size_t>>(std::move(order));
    followed_.assign(script_->size(), false);
}

std::vector<Dice::Firing> Dice::firings_of(FaultIndex fault) const {
    std::vector<Firing> result;
    if (!script_) return result;
    for (const auto position : *order_) {
        const Decision& d = (*script_)[position];
        if (d.fault == fault && d.step == 0) result.push_back({d.occurrence, d.at});
    }
    return result;
}

sim::Rng& Dice::stream(FaultIndex fault, Purpose purpose) {
    return streams_[static_cast<std::size_t>(fault.value)][static_cast<std::size_t>(purpose)];
}

namespace {

std::optional<std::size_t> find(const Script& script, const std::vector<std::size_t>& order,
                                const std::tuple<FaultIndex, std::int64_t, std::int64_t>& wanted) {
    const auto found = std::lower_bound(
        order.begin(), order.end(), wanted,
        [&](std::size_t position, const auto& k) { return key(script[position]) < k; });
    if (found == order.end() || key(script[*found]) != wanted) return std::nullopt;
    return *found;
}

}  // namespace

bool Dice::foresees(FaultIndex fault, std::int64_t occurrence, std::int64_t step) const {
    return script_ && find(*script_, *order_, {fault, occurrence, step}).has_value();
}

Sheet Dice::open(FaultIndex fault, std::int64_t occurrence, std::int64_t step, sim::Instant now) {
    Sheet sheet;
    if (record_) {
        sheet.recorded = recorded_.size();
        recorded_.push_back({fault, occurrence, step, now, {}, {}});
    }
    if (!script_) return sheet;
    sheet.scripted = find(*script_, *order_, {fault, occurrence, step});
    if (!sheet.scripted) {
        diverge(next_, "a decision was due that the script does not have");
    } else {
        if (*sheet.scripted != next_) diverge(next_, "another decision came first");
        followed_[*sheet.scripted] = true;
        next_ = *sheet.scripted + 1;
    }
    return sheet;
}

void Dice::hit(const Sheet& sheet, std::span<const sim::NodeId> nodes) {
    if (sheet.recorded) recorded_[*sheet.recorded].nodes.assign(nodes.begin(), nodes.end());
    if (!sheet.scripted) return;
    const auto& foreseen = (*script_)[*sheet.scripted].nodes;
    if (!std::equal(foreseen.begin(), foreseen.end(), nodes.begin(), nodes.end()))
        diverge(*sheet.scripted, "it hit other nodes");
}

void Dice::diverge(std::size_t step, std::string what) {
    if (!divergence_) divergence_ = Divergence{step, std::move(what)};
}

std::optional<Divergence> Dice::divergence(const Plan& plan, bool over) const {
    std::optional<Divergence> first = divergence_;
    const auto missed = std::find(followed_.begin(), followed_.end(), false);
    if (over && missed != followed_.end()) {
        const auto step = static_cast<std::size_t>(missed - followed_.begin());
        if (!first || step < first->step) first = Divergence{step, "it was never reached"};
    }
    if (first && first->step < script_->size()) {
        const Decision& d = (*script_)[first->step];
        first->what = "fault " + called(plan, d.fault) + ", occurrence " +
                      std::to_string(d.occurrence) + ": " + first->what;
    }
    return first;
}

bool operator==(const Dice& a, const Dice& b) {
    const bool same_script =
        a.script_ == b.script_ || (a.script_ && b.script_ && *a.script_ == *b.script_);
    return same_script && a.streams_ == b.streams_ && a.followed_ == b.followed_ &&
           a.next_ == b.next_ && a.recorded_ == b.recorded_ && a.divergence_ == b.divergence_;
}

std::optional<std::int64_t> Rolls::read(Drawn::Kind kind) {
    if (!sheet_->scripted) return std::nullopt;
    const auto& drawn = (*dice_->script_)[*sheet_->scripted].drawn;
    if (sheet_->read >= drawn.size()) {
        dice_->diverge(*sheet_->scripted, "the script has no value for " + std::string(name(kind)));
        return std::nullopt;
    }
    const Drawn& value = drawn[sheet_->read];
    if (value.kind != kind) {
        dice_->diverge(*sheet_->scripted, "the script has " + std::string(name(value.kind)) +
                                              " where the run asks for " + std::string(name(kind)));
        return std::nullopt;
    }
    ++sheet_->read;
    return value.value;
}

std::int64_t Rolls::note(Drawn::Kind kind, std::int64_t value) {
    if (sheet_->recorded) dice_->recorded_[*sheet_->recorded].drawn.push_back({kind, value});
    return value;
}

sim::Duration Rolls::spread(Drawn::Kind kind, Purpose purpose, const sim::Spread& spread) {
    if (spread.low == spread.high) return spread.low;
    const auto scripted = read(kind);
    const std::int64_t value = scripted ? *scripted : stream(purpose).duration(spread).count();
    return sim::Duration{note(kind, value)};
}

sim::Duration Rolls::signed_spread(Drawn::Kind kind, const sim::Spread& spread) {
    return sim::Duration{number(kind, Purpose::act, {spread.low.count(), spread.high.count()})};
}

std::int64_t Rolls::number(Drawn::Kind kind, Purpose purpose, Number range) {
    if (range.low == range.high) return range.low;
    const auto scripted = read(kind);
    return note(kind, scripted ? *scripted : stream(purpose).between(range.low, range.high));
}

std::int64_t Rolls::pick(Drawn::Kind kind, Purpose purpose,
                         std::span<const std::int64_t> candidates) {
    sim::ensure(!candidates.empty(), "something can be picked");
    if (candidates.size() == 1) return candidates.front();
    if (const auto scripted = read(kind)) {
        if (std::find(candidates.begin(), candidates.end(), *scripted) == candidates.end())
            dice_->diverge(*sheet_->scripted, "what the script picked could not be picked now");
        return note(kind, *scripted);
    }
    const auto index = static_cast<std::size_t>(stream(purpose).below(candidates.size()));
    return note(kind, candidates[index]);
}

std::size_t Rolls::weighted(std::span<const std::int32_t> weights) {
    sim::ensure(!weights.empty(), "a generator has entries");
    if (weights.size() == 1) return 0;
    if (const auto scripted = read(Drawn::Kind::choice)) {
        const auto last = static_cast<std::int64_t>(weights.size()) - 1;
        return static_cast<std::size_t>(
            note(Drawn::Kind::choice, std::clamp<std::int64_t>(*scripted, 0, last)));
    }
    std::uint64_t total = 0;
    for (const auto w : weights) total += static_cast<std::uint64_t>(std::max(w, 0));
    std::uint64_t draw = stream(Purpose::choice).below(total);
    std::size_t index = 0;
    while (index + 1 < weights.size() && draw >= static_cast<std::uint64_t>(weights[index])) {
        draw -= static_cast<std::uint64_t>(weights[index]);
        ++index;
    }
    return static_cast<std::size_t>(note(Drawn::Kind::choice, static_cast<std::int64_t>(index)));
}

}  // namespace eos::faults
