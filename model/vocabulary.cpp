#include "model/vocabulary.hpp"

#include <type_traits>

namespace eos::model {
namespace {

// A message without a member has a default; `requires` keeps one loop for all of them.
template <class M>
void describe_parts(const M& message, sim::Facts& facts) {
    if constexpr (requires { message.parts; }) {
        for (const auto& part : message.parts) {
            if constexpr (requires { part.log; }) {
                facts.add(number(Fact::log), part.log.value);
            }
            if constexpr (requires { part.batch; }) {
                if (part.batch.txn) facts.add(number(Fact::txn), part.batch.txn->number);
                if (part.batch.producer_id) {
                    facts.add(number(Fact::pid), part.batch.producer_id->value);
                    facts.add(number(Fact::epoch), part.batch.producer_epoch.value);
                }
            }
            if constexpr (requires { part.producer_id; }) {
                if (part.producer_id) {
                    facts.add(number(Fact::pid), part.producer_id->value);
                    facts.add(number(Fact::epoch), part.producer_epoch.value);
                }
            }
            if constexpr (requires { part.error; }) {
                facts.add(number(Fact::error), static_cast<std::int64_t>(part.error));
            }
        }
    }
}

struct Describe {
    sim::Facts& facts;

    template <class M>
    void operator()(const M& message) const {
        if constexpr (requires { message.attempt; }) {
            facts.add(number(Fact::attempt), message.attempt);
        }
        if constexpr (requires { message.acks; }) {
            facts.add(number(Fact::acks), static_cast<std::int64_t>(message.acks));
        }
        if constexpr (requires { message.group.has_value(); }) {
            if (message.group) facts.add(number(Fact::group), message.group->value);
        } else if constexpr (requires { message.group; }) {
            facts.add(number(Fact::group), message.group.value);
        }
        if constexpr (requires { message.txid; }) {
            if (message.txid) facts.add(number(Fact::txid), message.txid->value);
        }
        if constexpr (requires { message.result; }) {
            facts.add(number(Fact::result), static_cast<std::int64_t>(result_of(message.result)));
        }
        if constexpr (requires { message.who; }) describe(message.who);
        if constexpr (requires { message.entries; }) {
            for (const auto& entry : message.entries) {
                describe(entry.who);
                if constexpr (requires { entry.result; }) {
                    facts.add(number(Fact::result),
                              static_cast<std::int64_t>(result_of(entry.result)));
                }
                if constexpr (requires { entry.logs; }) {
                    for (const auto log : entry.logs) facts.add(number(Fact::log), log.value);
                }
                describe_parts(entry, facts);
            }
        }
        if constexpr (requires { message.log; }) {
            facts.add(number(Fact::log), message.log.value);
        }
        if constexpr (requires { message.statement; }) {
            facts.add(number(Fact::statement), static_cast<std::int64_t>(message.statement));
        }
        if constexpr (requires { message.checkpoint.has_value(); }) {
            if (message.checkpoint) facts.add(number(Fact::checkpoint), message.checkpoint->value);
        } else if constexpr (requires { message.checkpoint; }) {
            facts.add(number(Fact::checkpoint), message.checkpoint.value);
        }
        if constexpr (requires { message.subtask; }) {
            facts.add(number(Fact::subtask), message.subtask);
        }
        if constexpr (requires { message.task; }) {
            facts.add(number(Fact::task), static_cast<std::int64_t>(message.task));
        }
        if constexpr (requires { message.error; }) {
            facts.add(number(Fact::error), static_cast<std::int64_t>(message.error));
        }
        if constexpr (requires { message.member.generation; }) {
            if (message.member.generation) {
                facts.add(number(Fact::generation), message.member.generation->value);
            }
        }
        describe_parts(message, facts);
    }
    void describe(const TxnIdentity& who) const {
        facts.add(number(Fact::txid), who.txid.value);
        if (who.txn) facts.add(number(Fact::txn), who.txn->number);
        facts.add(number(Fact::pid), who.producer_id.value);
        facts.add(number(Fact::epoch), who.producer_epoch.value);
    }
};

std::int64_t batch_bytes(const std::vector<Batch>& batches) {
    std::int64_t bytes = 0;
    for (const auto& batch : batches) bytes += batch.bytes;
    return bytes;
}

// What the wire carries besides records: a header, and something per partition or member.
constexpr std::int64_t header_bytes = 64;
constexpr std::int64_t part_bytes = 32;

struct Size {
    template <class M>
    std::int64_t operator()(const M& message) const {
        std::int64_t bytes = header_bytes;
        if constexpr (requires { message.parts; }) {
            for (const auto& part : message.parts) {
                bytes += part_bytes;
                if constexpr (requires { part.batch; }) bytes += part.batch.bytes;
                if constexpr (requires { part.batches; }) bytes += batch_bytes(part.batches);
            }
        }
        if constexpr (requires { message.rows; })
            bytes += part_bytes * static_cast<std::int64_t>(message.rows.size());
        return bytes;
    }
};

struct Costs {
    sim::Cost operator()(const ProduceRequest& request) const {
        sim::Cost cost{.requests = 1};
        for (const auto& part : request.parts) {
            ++cost.appends;
            cost.bytes += part.batch.bytes;
            cost.records += part.batch.count;
        }
        return cost;
    }
    sim::Cost operator()(const FetchResponse& response) const {
        sim::Cost cost;
        for (const auto& part : response.parts) {
            if (response.to_replica && !part.batches.empty()) ++cost.appends;
            cost.bytes += batch_bytes(part.batches);
            for (const auto& batch : part.batches) cost.records += batch.count;
        }
        return cost;
    }
    sim::Cost operator()(const OffsetCommitRequest&) const {
        return {.requests = 1, .appends = 1};
    }
    sim::Cost operator()(const TxnOffsetCommitRequest&) const {
        return {.requests = 1, .appends = 1};
    }
    sim::Cost operator()(const WriteTxnMarkersRequest& request) const {
        sim::Cost cost{.requests = 1};
        for (const auto& entry : request.entries)
            cost.appends += static_cast<std::int32_t>(entry.logs.size());
        return cost;
    }
    // Each of these is one record of the transaction log (costs.md).
    sim::Cost operator()(const EndTxnRequest&) const { return {.requests = 1, .appends = 1}; }
    sim::Cost operator()(const AddOffsetsToTxnRequest&) const {
        return {.requests = 1, .appends = 1};
    }
    sim::Cost operator()(const AddPartitionsToTxnRequest& request) const {
        sim::Cost cost{.requests = 1};
        for (const auto& entry : request.entries)
            if (!entry.verify_only) ++cost.appends;
        return cost;
    }
    // What makes something durable waits for the store's disk once (B14).
    sim::Cost operator()(const StoreRequest& request) const {
        const bool ends = request.statement == Statement::prepare ||
                          request.statement == Statement::commit ||
                          request.statement == Statement::decide;
        return {.requests = request.rounds, .appends = ends || request.alone ? 1 : 0};
    }
    template <class M>
    sim::Cost operator()(const M&) const {
        return {.requests = 1};
    }
};

struct Refuse {
    ErrorCode error;

    template <class M>
    std::optional<Message> in_place(const M& message) const {
        M answer = message;
        if constexpr (requires { answer.error; }) answer.error = error;
        if constexpr (requires { answer.parts; }) {
            for (auto& part : answer.parts) {
                if constexpr (requires { part.error; }) part.error = error;
                if constexpr (requires { part.batches; }) part.batches.clear();
                if constexpr (requires { part.base; }) part.base.reset();
            }
        }
        if constexpr (requires { answer.entries.front().parts.front().error; }) {
            for (auto& entry : answer.entries)
                for (auto& part : entry.parts) part.error = error;
        }
        return answer;
    }

    std::optional<Message> operator()(const ProduceRequest& request) const {
        ProduceResponse answer{.acks = request.acks, .attempt = request.attempt, .parts = {}};
        for (const auto& part : request.parts)
            answer.parts.push_back({.log = part.log,
                                    .error = error,
                                    .base = {},
                                    .log_start = {},
                                    .hint = {},
                                    .producer_id = part.batch.producer_id,
                                    .producer_epoch = part.batch.producer_epoch});
        return answer;
    }
    std::optional<Message> operator()(const FetchRequest& request) const {
        FetchResponse answer{.to_replica = request.replica.has_value(), .parts = {}};
        for (const auto& part : request.parts) {
            FetchResponse::Part refused;
            refused.log = part.log;
            refused.error = error;
            refused.fetch_offset = part.offset;
            answer.parts.push_back(std::move(refused));
        }
        return answer;
    }
    std::optional<Message> operator()(const ListOffsetsRequest& request) const {
        ListOffsetsResponse answer;
        for (const auto& part : request.parts)
            answer.parts.push_back({.log = part.log, .error = error, .offset = {}, .leader_epoch = {}});
        return answer;
    }
    std::optional<Message> operator()(const OffsetForLeaderEpochRequest& request) const {
        OffsetForLeaderEpochResponse answer;
        for (const auto& part : request.parts)
            answer.parts.push_back({.log = part.log, .error = error, .end = {}});
        return answer;
    }
    std::optional<Message> operator()(const MetadataRequest&) const {
        return MetadataResponse{.error = error, .brokers = {}, .parts = {}};
    }
    std::optional<Message> operator()(const FindCoordinatorRequest& request) const {
        return FindCoordinatorResponse{.group = request.group,
                                       .error = error,
                                       .coordinator = {},
                                       .txid = request.txid};
    }
    std::optional<Message> operator()(const InitProducerIdRequest& request) const {
        return InitProducerIdResponse{.error = error, .txid = request.txid};
    }
    std::optional<Message> operator()(const AddPartitionsToTxnRequest& request) const {
        AddPartitionsToTxnResponse answer;
        for (const auto& entry : request.entries) {
            auto& refused = answer.entries.emplace_back();
            refused.who = entry.who;
            for (const auto log : entry.logs) refused.parts.push_back({log, error});
        }
        return answer;
    }
    std::optional<Message> operator()(const AddOffsetsToTxnRequest& request) const {
        return AddOffsetsToTxnResponse{.who = request.who, .group = request.group, .error = error};
    }
    std::optional<Message> operator()(const TxnOffsetCommitRequest& request) const {
        TxnOffsetCommitResponse answer{.who = request.who, .group = request.group, .parts = {}};
        for (const auto& part : request.parts)
            answer.parts.push_back({.log = part.log, .error = error});
        return answer;
    }
    std::optional<Message> operator()(const EndTxnRequest& request) const {
        return EndTxnResponse{.who = request.who, .result = request.result, .error = error};
    }
    std::optional<Message> operator()(const WriteTxnMarkersRequest& request) const {
        WriteTxnMarkersResponse answer;
        for (const auto& entry : request.entries) {
            auto& refused = answer.entries.emplace_back();
            refused.who = entry.who;
            refused.result = entry.result;
            refused.coordinator_epoch = entry.coordinator_epoch;
            for (const auto log : entry.logs) refused.parts.push_back({log, error});
        }
        return answer;
    }
    std::optional<Message> operator()(const ConsumerGroupHeartbeatRequest& request) const {
        return ConsumerGroupHeartbeatResponse{
            .group = request.group, .error = error, .member = request.member, .assignment = {}};
    }
    std::optional<Message> operator()(const OffsetCommitRequest& request) const {
        OffsetCommitResponse answer{.group = request.group, .parts = {}};
        for (const auto& part : request.parts)
            answer.parts.push_back({.log = part.log, .error = error});
        return answer;
    }
    std::optional<Message> operator()(const OffsetFetchRequest& request) const {
        return OffsetFetchResponse{.group = request.group, .error = error, .parts = {}};
    }
    std::optional<Message> operator()(const JoinGroupRequest& request) const {
        JoinGroupResponse answer;
        answer.group = request.group;
        answer.error = error;
        answer.member = request.member;
        return answer;
    }
    std::optional<Message> operator()(const SyncGroupRequest& request) const {
        return SyncGroupResponse{.group = request.group, .error = error, .assignment = {}};
    }
    std::optional<Message> operator()(const HeartbeatRequest& request) const {
        return HeartbeatResponse{.group = request.group, .error = error};
    }
    std::optional<Message> operator()(const LeaveGroupRequest& request) const {
        return LeaveGroupResponse{.group = request.group, .error = error, .members = {}};
    }
    std::optional<Message> operator()(const BrokerRegistrationRequest&) const {
        return BrokerRegistrationResponse{.error = error};
    }
    std::optional<Message> operator()(const BrokerHeartbeatRequest&) const {
        return BrokerHeartbeatResponse{.error = error};
    }
    std::optional<Message> operator()(const AlterPartitionRequest& request) const {
        return AlterPartitionResponse{.log = request.log, .error = error, .state = {}};
    }
    std::optional<Message> operator()(const MetadataFetchRequest& request) const {
        return MetadataFetchResponse{.error = error, .from = request.from, .records = {}};
    }
    std::optional<Message> operator()(const AllocateProducerIdsRequest&) const {
        return AllocateProducerIdsResponse{.error = error};
    }
    std::optional<Message> operator()(const StoreRequest& request) const {
        return StoreResponse{.statement = request.statement, .error = error};
    }
    std::optional<Message> operator()(const HandOff& step) const {
        HandOff failed = step;
        failed.error = error;
        return failed;
    }
    template <class M>
    std::optional<Message> operator()(const M& message) const {
        if constexpr (requires { typename M::Response; })
            return typename M::Response{.error = error};
        else
            return in_place(message);  // a response
    }
};

constexpr std::uint64_t fold(std::uint64_t hash, std::uint64_t value) {
    const auto product = static_cast<unsigned __int128>(hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^
           0xd1b54a32d192ed03ULL;
}

template <class Number>
constexpr std::uint64_t raw(Number n) {
    return static_cast<std::uint64_t>(n);
}

struct Print {
    template <class M>
    std::uint64_t operator()(const M& message) const {
        std::uint64_t hash = 0x8ebc6af09c88c6e3ULL;
        if constexpr (requires { message.error; }) hash = fold(hash, raw(message.error));
        if constexpr (requires { message.group.has_value(); }) {
            if (message.group) hash = fold(hash, raw(message.group->value));
        } else if constexpr (requires { message.group; }) {
            hash = fold(hash, raw(message.group.value));
        }
        if constexpr (requires { message.result; }) hash = fold(hash, raw(message.result));
        if constexpr (requires { message.who; }) hash = fold(hash, of(message.who));
        if constexpr (requires { message.entries; }) {
            for (const auto& entry : message.entries) {
                hash = fold(hash, of(entry.who));
                if constexpr (requires { entry.logs; })
                    for (const auto log : entry.logs) hash = fold(hash, raw(log.value));
                if constexpr (requires { entry.parts; })
                    for (const auto& part : entry.parts) hash = fold(hash, raw(part.error));
            }
        }
        if constexpr (requires { message.statement; }) hash = fold(hash, raw(message.statement));
        if constexpr (requires { message.rows; })
            for (const auto& row : message.rows) hash = fold(hash, row.record.id.value);
        if constexpr (requires { message.fresh; })
            for (const auto fresh : message.fresh) hash = fold(hash, raw(fresh));
        if constexpr (requires { message.log; }) hash = fold(hash, raw(message.log.value));
        if constexpr (requires { message.epoch.value; }) hash = fold(hash, raw(message.epoch.value));
        if constexpr (requires { message.checkpoint.has_value(); }) {
            if (message.checkpoint) hash = fold(hash, raw(message.checkpoint->value));
        } else if constexpr (requires { message.checkpoint; }) {
            hash = fold(hash, raw(message.checkpoint.value));
        }
        if constexpr (requires { message.execution; }) hash = fold(hash, raw(message.execution));
        if constexpr (requires { message.subtask; }) hash = fold(hash, raw(message.subtask));
        if constexpr (requires { message.parts; }) {
            for (const auto& part : message.parts) {
                if constexpr (requires { part.log; }) hash = fold(hash, raw(part.log.value));
                if constexpr (requires { part.error; }) hash = fold(hash, raw(part.error));
                if constexpr (requires { part.offset.value; })
                    hash = fold(hash, raw(part.offset.value));
                if constexpr (requires { part.high_watermark; })
                    hash = fold(hash, raw(part.high_watermark.value));
                if constexpr (requires { part.batch; }) {
                    hash = fold(hash, raw(part.batch.count));
                    if (part.batch.base_sequence)
                        hash = fold(hash, raw(part.batch.base_sequence->value));
                }
                if constexpr (requires { part.batches; })
                    for (const auto& batch : part.batches)
                        hash = fold(hash, raw(batch.base.value * 64 + batch.count));
            }
        }
        return hash;
    }
    static std::uint64_t of(const TxnIdentity& who) {
        return fold(raw(who.txid.value),
                    fold(raw(who.producer_id.value), raw(who.producer_epoch.value)));
    }
};

struct PrintObservation {
    template <class O>
    std::uint64_t operator()(const O& o) const {
        std::uint64_t hash = 0xa0761d6478bd642fULL;
        if constexpr (requires { o.process; })
            hash = fold(hash, raw(o.process.app.value * 1024 + o.process.instance));
        if constexpr (requires { o.broker; }) hash = fold(hash, raw(o.broker.value));
        if constexpr (requires { o.log; }) hash = fold(hash, raw(o.log.value));
        if constexpr (requires { o.store; }) hash = fold(hash, raw(o.store.value));
        if constexpr (requires { o.statement; }) hash = fold(hash, raw(o.statement));
        if constexpr (requires { o.kept; }) hash = fold(hash, raw(o.kept));
        if constexpr (requires { o.record; }) hash = fold(hash, o.record.id.value);
        if constexpr (requires { o.error; }) hash = fold(hash, raw(o.error));
        if constexpr (requires { o.offset.value; }) hash = fold(hash, raw(o.offset.value));
        if constexpr (requires { o.order; }) hash = fold(hash, raw(o.order));
        if constexpr (requires { o.base; }) hash = fold(hash, raw(o.base.value));
        if constexpr (requires { o.count; }) hash = fold(hash, raw(o.count));
        if constexpr (requires { o.checkpoint; }) hash = fold(hash, raw(o.checkpoint.value));
        if constexpr (requires { o.high_watermark; })
            hash = fold(hash, raw(o.high_watermark.value));
        if constexpr (requires { o.txid.value; }) hash = fold(hash, raw(o.txid.value));
        if constexpr (requires { o.state; }) hash = fold(hash, raw(o.state));
        if constexpr (requires { o.result; }) hash = fold(hash, raw(o.result));
        if constexpr (requires { o.batch; })
            hash = fold(hash, raw(o.batch.base.value * 64 + o.batch.count));
        if constexpr (requires { o.batches; })
            for (const auto& batch : o.batches)
                for (const auto& record : batch.payload.records())
                    hash = fold(hash, record.id.value);
        return hash;
    }
};

}  // namespace

std::uint16_t Vocabulary::kind(const Message& message) {
    return static_cast<std::uint16_t>(api_of(message));
}

void Vocabulary::describe(const Message& message, sim::Facts& facts) {
    std::visit(Describe{facts}, message);
}

sim::Cost Vocabulary::cost(const Message& message) { return std::visit(Costs{}, message); }

std::int64_t Vocabulary::size(const Message& message) { return std::visit(Size{}, message); }

std::optional<Message> Vocabulary::refusal(const Message& message, std::int32_t error) {
    return std::visit(Refuse{static_cast<ErrorCode>(error)}, message);
}

std::uint64_t Vocabulary::fingerprint(const Message& message) {
    return fold(message.index(), std::visit(Print{}, message));
}

std::uint64_t Vocabulary::fingerprint(const Observation& observation) {
    return fold(observation.index(), std::visit(PrintObservation{}, observation));
}

}  // namespace eos::model
