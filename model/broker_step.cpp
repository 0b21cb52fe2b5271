#include "model/broker_step.hpp"

namespace eos::model {

AppendKind append_kind(const Batch& batch) {
    if (batch.control) return AppendKind::marker;
    const auto& records = batch.payload.group_records();
    if (records.empty()) return AppendKind::data;
    if (const auto* offset = std::get_if<OffsetRecord>(&records.front()))
        return offset->offset ? AppendKind::offsets : AppendKind::tombstone;
    return std::get<GroupMetadataRecord>(records.front()).tombstone ? AppendKind::tombstone
                                                                    : AppendKind::group_metadata;
}

sim::Facts about(const Topology& topology, LogId log, const Batch& batch) {
    auto facts = about(topology, log);
    facts.add(number(Fact::kind), static_cast<std::int64_t>(append_kind(batch)));
    if (batch.producer_id) {
        facts.add(number(Fact::pid), batch.producer_id->value);
        facts.add(number(Fact::epoch), batch.producer_epoch.value);
    }
    facts.add(number(Fact::offset), batch.base.value);
    facts.add(number(Fact::count), batch.count);
    return facts;
}

}  // namespace eos::model
