#pragma once
// What became of each batch of a log: a batch of a transaction stands or falls with the first marker
// of its producer behind it (REC-7, LSO-1). Read off the log alone, as a replica replays it.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/records.hpp"

namespace eos::reports {

struct Fate {
    enum class Kind : std::uint8_t {
        plain,      ///< not part of a transaction
        committed,
        aborted,
        open,       ///< no marker below the high watermark
        control,    ///< the batch is a marker itself
    };
    Kind kind = Kind::plain;
    /// Of a decided batch: the transaction whose end the marker is; none: the coordinator's own.
    std::optional<model::TxnRef> decided_by;
    /// A read_committed reader is given its records.
    [[nodiscard]] bool readable() const { return kind == Kind::plain || kind == Kind::committed; }
};

/// One fate per batch; batches above the high watermark are open or plain and never read.
[[nodiscard]] std::vector<Fate> fates_of(std::span<const model::Batch> batches,
                                         model::Offset high_watermark);

}  // namespace eos::reports
