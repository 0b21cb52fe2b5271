#pragma once
// The leader-epoch cache of one replica (Kafka: LeaderEpochFileCache): where each leader's
// reign began in this log. Truncation compares two of them (KIP-101, KIP-279). A value owned by
// PartitionLog; the file behind it is written and synced at every assignment (DUR-5).

#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "model/ids.hpp"
#include "model/messages.hpp"

namespace eos::model {

struct EpochStart {
    LeaderEpoch epoch;
    Offset start;  ///< offset of the first record written in this epoch
    friend constexpr bool operator==(const EpochStart&, const EpochStart&) = default;
};

class LeaderEpochs {
  public:
    /// Begins `epoch` at `start`; contradicting later entries are removed (LEP-1). Both are >= 0.
    void assign(LeaderEpoch epoch, Offset start);
    /// The largest known epoch that is not above `epoch`, and where it ends (LEP-2). `log_end` is
    /// where the latest one ends. Both members none: undefined.
    [[nodiscard]] EpochEnd end_offset(LeaderEpoch epoch, Offset log_end) const;
    /// What a broker before KIP-279 answered: an end offset without saying of which epoch.
    [[nodiscard]] std::optional<Offset> end_offset_before_kip279(LeaderEpoch epoch,
                                                                 Offset log_end) const;
    /// Forgets entries that begin at or behind `offset` (LEP-3); a negative offset does nothing.
    void truncate_from_end(Offset offset);
    /// Forgets entries that end before `offset`; the one that holds it now begins there (LEP-3).
    void truncate_from_start(Offset offset);
    void clear() { entries_.clear(); }

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::optional<LeaderEpoch> latest() const;
    /// The epoch in which the record at `offset` was written.
    [[nodiscard]] std::optional<LeaderEpoch> epoch_of(Offset offset) const;
    [[nodiscard]] std::span<const EpochStart> entries() const { return entries_; }

    friend bool operator==(const LeaderEpochs&, const LeaderEpochs&) = default;
    [[nodiscard]] auto fields() const { return std::tie(entries_); }

  private:
    std::vector<EpochStart> entries_;  // epochs and starts both ascend
};

}  // namespace eos::model
