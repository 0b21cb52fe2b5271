#include "model/leader_epochs.hpp"

#include <algorithm>

#include "sim/ensure.hpp"

namespace eos::model {

void LeaderEpochs::assign(LeaderEpoch epoch, Offset start) {
    sim::ensure(epoch.value >= 0, "an assigned leader epoch is not negative");
    sim::ensure(start.value >= 0, "a leader epoch begins at an offset of the log");
    // LEP-1: repeating the latest epoch further on says nothing new.
    if (!entries_.empty() && entries_.back().epoch == epoch && start >= entries_.back().start)
        return;
    std::erase_if(entries_,
                  [&](const EpochStart& e) { return e.epoch >= epoch || e.start >= start; });
    entries_.push_back({epoch, start});
}

EpochEnd LeaderEpochs::end_offset(LeaderEpoch epoch, Offset log_end) const {
    if (epoch.value < 0 || entries_.empty()) return {};
    if (entries_.back().epoch == epoch) return {epoch, log_end};
    const auto higher = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const EpochStart& e) { return e.epoch > epoch; });
    if (higher == entries_.end()) return {};
    // Nothing as old as the epoch asked for: it ended, if it ever was, where the first one began.
    if (higher == entries_.begin()) return {epoch, higher->start};
    return {std::prev(higher)->epoch, higher->start};
}

std::optional<Offset> LeaderEpochs::end_offset_before_kip279(LeaderEpoch epoch,
                                                             Offset log_end) const {
    if (epoch.value < 0 || entries_.empty()) return std::nullopt;
    if (entries_.back().epoch == epoch) return log_end;
    if (epoch < entries_.front().epoch) return std::nullopt;
    const auto higher = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const EpochStart& e) { return e.epoch > epoch; });
    if (higher == entries_.end()) return std::nullopt;
    return higher->start;
}

void LeaderEpochs::truncate_from_end(Offset offset) {
    if (offset.value < 0) return;
    std::erase_if(entries_, [&](const EpochStart& e) { return e.start >= offset; });
}

void LeaderEpochs::truncate_from_start(Offset offset) {
    if (offset.value < 0) return;
    const auto behind = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const EpochStart& e) { return e.start > offset; });
    if (behind == entries_.begin()) return;
    const auto holder = std::prev(behind);
    holder->start = offset;
    entries_.erase(entries_.begin(), holder);
}

std::optional<LeaderEpoch> LeaderEpochs::latest() const {
    if (entries_.empty()) return std::nullopt;
    return entries_.back().epoch;
}

std::optional<LeaderEpoch> LeaderEpochs::epoch_of(Offset offset) const {
    std::optional<LeaderEpoch> found;
    for (const EpochStart& e : entries_)
        if (e.start <= offset) found = e.epoch;
    return found;
}

}  // namespace eos::model
