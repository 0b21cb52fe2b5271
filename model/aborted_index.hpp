#pragma once
// The transaction index of one segment (Kafka: TransactionIndex): aborted transactions whose marker
// lies in the segment, so that a read_committed consumer can be told what to drop (LSO-11, FET-6).

#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "model/ids.hpp"

namespace eos::model {

struct AbortedTxn {
    ProducerId producer_id;
    Offset first;        ///< of the transaction's first record
    Offset last;         ///< of its ABORT marker
    Offset last_stable;  ///< last stable offset once this transaction is out of the way
    friend bool operator==(const AbortedTxn&, const AbortedTxn&) = default;
};

class AbortedIndex {
  public:
    /// False, and nothing appended, if `last` does not increase.
    [[nodiscard]] bool append(const AbortedTxn& txn);
    /// Removes entries whose marker is at or behind `offset` (LSO-12).
    void truncate(Offset offset);
    void reset() { entries_.clear(); }
    /// Adds to `found` the entries that overlap [from, to); true if no later segment can hold more.
    bool collect(Offset from, Offset to, std::vector<AbortedTxn>& found) const;
    [[nodiscard]] std::span<const AbortedTxn> entries() const { return entries_; }

    friend bool operator==(const AbortedIndex&, const AbortedIndex&) = default;
    [[nodiscard]] auto fields() const { return std::tie(entries_); }

  private:
    std::vector<AbortedTxn> entries_;  // `last` ascends
};

}  // namespace eos::model
