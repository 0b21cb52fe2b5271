#include "model/aborted_index.hpp"

namespace eos::model {

bool AbortedIndex::append(const AbortedTxn& txn) {
    if (!entries_.empty() && txn.last <= entries_.back().last) return false;
    entries_.push_back(txn);
    return true;
}

void AbortedIndex::truncate(Offset offset) {
    std::erase_if(entries_, [&](const AbortedTxn& txn) { return txn.last >= offset; });
}

bool AbortedIndex::collect(Offset from, Offset to, std::vector<AbortedTxn>& found) const {
    for (const AbortedTxn& txn : entries_) {
        if (txn.last >= from && txn.first < to) found.push_back(txn);
        if (txn.last_stable >= to) return true;  // FET-6
    }
    return false;
}

}  // namespace eos::model
