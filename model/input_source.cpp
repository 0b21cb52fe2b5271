#include "model/input_source.hpp"

#include <algorithm>

namespace eos::model {
namespace {

// Keys and amounts are functions of the ledger id, so that every mode sees the same events.
std::uint64_t scatter(std::uint64_t value) {
    sim::Rng rng(value);
    return rng.next();
}

constexpr std::int64_t kilosecond = 1'000'000'000'000;

}  // namespace

RecordId ledger_id(ProcessId process, std::int64_t input, std::int32_t leg) {
    return {(static_cast<std::uint64_t>(process.app.value) << 52) |
            (static_cast<std::uint64_t>(process.instance) << 42) |
            (static_cast<std::uint64_t>(input) << 4) | static_cast<std::uint64_t>(leg)};
}

InputSource::InputSource(ProcessId process, sim::Instant begins, sim::Instant ends)
    : process_(process), begins_(begins), ends_(ends) {}

sim::Instant InputSource::arrival(const AppConfig& app, std::int64_t input) const {
    if (app.burst_size) return begins_ + app.burst_every * (input / *app.burst_size);
    const auto whole = static_cast<__int128>(input) * kilosecond / app.rate_per_kilosecond;
    return begins_ + sim::nanoseconds(static_cast<std::int64_t>(whole));
}

std::int64_t InputSource::available(const AppConfig& app, sim::Instant now) const {
    const auto until = std::min(now, ends_ - sim::nanoseconds(1));
    std::int64_t arrived = 0;
    if (until >= begins_) {
        if (app.burst_size) {
            arrived = ((until - begins_) / app.burst_every + 1) * *app.burst_size;
        } else {
            const auto span = static_cast<__int128>((until - begins_).count());
            arrived = static_cast<std::int64_t>(span * app.rate_per_kilosecond / kilosecond) + 1;
        }
    }
    if (app.records) arrived = std::min(arrived, *app.records);
    return std::max<std::int64_t>(0, arrived - next_) + static_cast<std::int64_t>(again_.size());
}

sim::Instant InputSource::next_at(const AppConfig& app, sim::Instant now) const {
    if (available(app, now) > 0) return now;
    if (app.records && next_ >= *app.records) return sim::time_never;
    // The division in available() rounds down, so the arrival may be a nanosecond short.
    const auto at = std::max(arrival(app, next_) + sim::nanoseconds(1), now);
    return at < ends_ ? at : sim::time_never;
}

InputSource::Taken InputSource::take(const AppConfig&) {
    Taken taken;
    if (!again_.empty()) {
        taken = {*again_.begin(), true};
        again_.erase(again_.begin());
    } else {
        taken = {next_++, false};
    }
    open_.insert(taken.input);
    return taken;
}

void InputSource::settle(std::int64_t input) { open_.erase(input); }

void InputSource::offer_again(std::int64_t input) {
    if (open_.erase(input) > 0) again_.insert(input);
}

void InputSource::process_died(const AppConfig& app) {
    // A push source keeps nothing: its callers are gone with the process.
    if (app.source == SourceKind::replay) {
        again_.insert(open_.begin(), open_.end());
    }
    open_.clear();
}

void InputSource::process_started(const AppConfig& app, sim::Instant now) {
    if (app.source == SourceKind::push && now > begins_) next_ += available(app, now);
}

bool InputSource::exhausted(const AppConfig& app, sim::Instant now) const {
    return again_.empty() && next_at(app, now) == sim::time_never;
}

std::vector<Wanted> records_of(const AppConfig& app, ProcessId process, std::int64_t input) {
    const auto key_of = [&](std::uint64_t number) {
        return app.keys ? static_cast<std::uint32_t>(scatter(number) % *app.keys) : 0U;
    };
    const auto id = ledger_id(process, input, 0);
    std::vector<Wanted> result;
    switch (app.workload.kind) {
        case WorkloadKind::plain:
        case WorkloadKind::counts: {
            // Without topics of its own every step of the application names one.
            const auto to = app.to.empty()
                                ? TopicId{-1}
                                : app.to[static_cast<std::size_t>(input) % app.to.size()];
            result.push_back({to, {id, key_of(id.value), app.workload.amount}});
            break;
        }
        case WorkloadKind::transfers: {
            const auto draw = scatter(id.value ^ 0x7472616e73666572ULL);
            const auto accounts = static_cast<std::uint64_t>(app.workload.accounts);
            const auto amount = static_cast<std::int32_t>(
                1 + draw % static_cast<std::uint64_t>(app.workload.amount));
            const auto payer = static_cast<std::uint32_t>((draw >> 32) % accounts);
            const auto payee = static_cast<std::uint32_t>(
                (payer + 1 + (draw >> 48) % std::max<std::uint64_t>(1, accounts - 1)) % accounts);
            result.push_back({app.to.front(), {id, payer, -amount}});
            result.push_back({app.to.back(), {ledger_id(process, input, 1), payee, amount}});
            break;
        }
        case WorkloadKind::fan_out: {
            const auto& topics = app.workload.to.empty() ? app.to : app.workload.to;
            for (const auto to : topics)
                result.push_back({to, {id, key_of(id.value), app.workload.amount}});
            break;
        }
    }
    return result;
}

}  // namespace eos::model
