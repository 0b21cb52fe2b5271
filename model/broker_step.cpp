#include "model/broker_step.hpp"

namespace eos::model {

AppendKind append_kind(const Batch& batch) {
    if (batch.control) return AppendKind::marker;
    const auto& states = batch.payload.transaction_records();
    if (!states.empty())
        return states.front().tombstone ? AppendKind::tombstone : AppendKind::txn_state;
    const auto& records = batch.payload.group_records();
    if (records.empty()) return AppendKind::data;
    if (const auto* offset = std::get_if<OffsetRecord>(&records.front()))
        return offset->offset ? AppendKind::offsets : AppendKind::tombstone;
    const auto* classic = std::get_if<GroupMetadataRecord>(&records.front());
    const bool tombstone =
        classic ? classic->tombstone : std::get<ModernGroupRecord>(records.front()).tombstone;
    return tombstone ? AppendKind::tombstone : AppendKind::group_metadata;
}

sim::Facts about(const Topology& topology, LogId log, const Batch& batch) {
    auto facts = about(topology, log);
    facts.add(number(Fact::kind), static_cast<std::int64_t>(append_kind(batch)));
    if (batch.producer_id) {
        facts.add(number(Fact::pid), batch.producer_id->value);
        facts.add(number(Fact::epoch), batch.producer_epoch.value);
    }
    if (batch.txid) facts.add(number(Fact::txid), batch.txid->value);
    if (batch.txn) facts.add(number(Fact::txn), batch.txn->number);
    if (batch.control) facts.add(number(Fact::result), static_cast<std::int64_t>(result_of(*batch.control)));
    if (const auto& states = batch.payload.transaction_records(); !states.empty()) {
        facts.add(number(Fact::entry), static_cast<std::int64_t>(states.front().state));
        facts.add(number(Fact::txid), states.front().txid.value);
        if (states.front().txn) facts.add(number(Fact::txn), states.front().txn->number);
    }
    facts.add(number(Fact::offset), batch.base.value);
    facts.add(number(Fact::count), batch.count);
    return facts;
}

}  // namespace eos::model
