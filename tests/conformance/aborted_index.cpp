// Harness aborted_index: the transaction index of one segment.

#include "model/aborted_index.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

Observed perform(AbortedIndex& index, const std::string& op, const Args& args) {
    Observed seen = empty_map();
    const auto offset = [&](const char* key) { return Offset{args.get<std::int64_t>(key)}; };
    if (op == "append") {
        const AbortedTxn txn{ProducerId{args.get<std::int64_t>("pid")}, offset("first"),
                             offset("last"), offset("lso")};
        if (!index.append(txn)) return failed("ILLEGAL_ARGUMENT");
    } else if (op == "truncate") {
        index.truncate(offset("offset"));
    } else if (op == "reset") {
        index.reset();
    } else if (op == "reopen") {
        index = AbortedIndex{index};  // the file holds what the value holds
    } else if (op == "collect") {
        std::vector<AbortedTxn> found;
        seen["complete"] = index.collect(offset("from"), offset("to"), found);
        seen["pids"] = empty_list();
        for (const AbortedTxn& txn : found) seen["pids"].push_back(txn.producer_id.value);
    } else {
        throw std::invalid_argument("harness aborted_index has no operation " + op);
    }
    return seen;
}

}  // namespace

Harness make_aborted_index(const Args& config) {
    return driven<AbortedIndex>(config, {}, &perform);
}

}  // namespace eos::conformance
