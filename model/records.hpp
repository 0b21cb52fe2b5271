#pragma once
// What logs hold: batches (v2 record batches, REC-1) whose header is plain numbers and whose records
// are an immutable block shared by every copy of the batch: replicas, requests and forks of the world
// share it, and equality and hashing look at its content, never at its address.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "model/ids.hpp"
#include "sim/time.hpp"

namespace eos::model {

/// One record as the ledger knows it. `amount` is what invariants add up (payments: cents).
struct Record {
    RecordId id;
    std::uint32_t key = 0;
    std::int32_t amount = 0;
    friend constexpr auto operator<=>(const Record&, const Record&) = default;
};

/// What the group coordinator writes to __consumer_offsets (G5).
struct OffsetRecord {
    GroupId group;
    LogId log;
    std::optional<Offset> offset;  ///< none: tombstone
    std::int32_t leader_epoch = -1;
    sim::Instant commit_time{};
    friend bool operator==(const OffsetRecord&, const OffsetRecord&) = default;
};
struct GroupMemberRecord {
    MemberId member;
    std::optional<GroupInstanceId> instance;
    sim::Duration session_timeout{};
    sim::Duration rebalance_timeout{};
    std::vector<TopicId> subscription;
    std::vector<LogId> assignment;
    std::vector<LogId> owned = {};  ///< with the subscription: the chosen protocol's metadata
    std::optional<Generation> owned_since = {};
    friend bool operator==(const GroupMemberRecord&, const GroupMemberRecord&) = default;
};
struct GroupMetadataRecord {
    GroupId group;
    bool tombstone = false;
    Generation generation;
    std::int32_t protocol = -1;  ///< AssignorKind of the chosen assignor, -1 when Empty
    std::optional<MemberId> leader;
    sim::Instant state_since{};
    std::vector<GroupMemberRecord> members;
    friend bool operator==(const GroupMetadataRecord&, const GroupMetadataRecord&) = default;
};

/// Where a member of a KIP-848 group is on its way to its target (G35). `unknown`: a newer
/// coordinator wrote it.
enum class ModernState : std::uint8_t { stable, unrevoked, unreleased, unknown };
/// "UNREVOKED_PARTITIONS": Kafka's spelling.
[[nodiscard]] std::string_view name(ModernState state);
/// A member that still speaks the classic protocol: what its JoinGroup said.
struct ClassicSide {
    sim::Duration session_timeout{};
    std::vector<std::int32_t> protocols;  ///< AssignorKind, in order of preference
    friend bool operator==(const ClassicSide&, const ClassicSide&) = default;
};
struct ModernMember {
    MemberId member;
    std::optional<GroupInstanceId> instance;
    sim::Duration rebalance_timeout{};
    std::vector<TopicId> subscription;     ///< sorted, as are the logs
    std::optional<std::uint8_t> assignor;  ///< ServerAssignor it asks for
    bool away = false;                     ///< static, left for now: its epoch is -2 (G37)
    Generation epoch{0};
    Generation previous_epoch{0};
    ModernState state = ModernState::stable;
    std::vector<LogId> assigned;
    std::vector<LogId> revoking;           ///< told to give up, not acknowledged
    std::vector<LogId> target;
    std::optional<ClassicSide> classic = {};  ///< none: it speaks the consumer protocol
    friend bool operator==(const ModernMember&, const ModernMember&) = default;
};
/// A KIP-848 group. Simplified: Kafka writes records for what changed about epoch, members, target
/// and assignments, as one atomic batch; here every change writes the group whole.
struct ModernGroupRecord {
    GroupId group;
    bool tombstone = false;
    Generation epoch{0};
    Generation target_epoch{0};
    std::vector<ModernMember> members;
    friend bool operator==(const ModernGroupRecord&, const ModernGroupRecord&) = default;
};
using GroupRecord = std::variant<OffsetRecord, GroupMetadataRecord, ModernGroupRecord>;

/// States of a transactional id (TXS-3, 12.2).
enum class TxnState : std::uint8_t {
    empty, ongoing, prepare_commit, prepare_abort, complete_commit, complete_abort, dead,
    prepare_epoch_fence,
};
/// "PrepareCommit": Kafka's spelling.
[[nodiscard]] std::string_view name(TxnState state);

/// What the transaction coordinator writes to __transaction_state (TXS-2, TLG-1).
struct TransactionRecord {
    TransactionalId txid;
    bool tombstone = false;
    ProducerId producer_id{-1};
    std::optional<ProducerId> previous_producer_id;  ///< with last_epoch: PSD-10 persists them
    std::optional<ProducerId> next_producer_id;
    ProducerEpoch epoch{-1};
    ProducerEpoch last_epoch{-1};
    sim::Duration timeout{};
    TxnState state = TxnState::empty;
    std::vector<LogId> logs;                         ///< sorted
    std::optional<sim::Instant> start;
    sim::Instant last_update{};
    TransactionVersion client_version = TransactionVersion::tv0;
    std::optional<TxnRef> txn;                       ///< ledger: whose EndTxn or first add this is
    friend bool operator==(const TransactionRecord&, const TransactionRecord&) = default;
};

/// The records of a batch: immutable, shared, compared by content. Empty by default.
class Payload {
  public:
    using Content =
        std::variant<std::vector<Record>, std::vector<GroupRecord>, std::vector<TransactionRecord>>;

    Payload() = default;
    explicit Payload(std::vector<Record> records)
        : content_(std::make_shared<const Content>(std::move(records))) {}
    explicit Payload(std::vector<GroupRecord> records)
        : content_(std::make_shared<const Content>(std::move(records))) {}
    explicit Payload(std::vector<TransactionRecord> records)
        : content_(std::make_shared<const Content>(std::move(records))) {}

    /// The user records, empty if there are none.
    [[nodiscard]] const std::vector<Record>& records() const {
        static const std::vector<Record> nothing;
        const auto* found = content_ ? std::get_if<0>(content_.get()) : nullptr;
        return found ? *found : nothing;
    }
    /// The group coordinator's records, empty if there are none.
    [[nodiscard]] const std::vector<GroupRecord>& group_records() const {
        static const std::vector<GroupRecord> nothing;
        const auto* found = content_ ? std::get_if<1>(content_.get()) : nullptr;
        return found ? *found : nothing;
    }
    /// The transaction coordinator's records, empty if there are none.
    [[nodiscard]] const std::vector<TransactionRecord>& transaction_records() const {
        static const std::vector<TransactionRecord> nothing;
        const auto* found = content_ ? std::get_if<2>(content_.get()) : nullptr;
        return found ? *found : nothing;
    }
    friend bool operator==(const Payload& a, const Payload& b) {
        if (a.content_ == b.content_) return true;
        return a.records() == b.records() && a.group_records() == b.group_records() &&
               a.transaction_records() == b.transaction_records();
    }
    [[nodiscard]] auto fields() const { return std::tie(content_); }

  private:
    std::shared_ptr<const Content> content_;
};

/// What a control batch says, and what EndTxn asks for.
enum class ControlType : std::uint8_t { abort, commit };

/// Kafka's record batch v2 (REC-1..3). Offsets base .. base + count - 1; count survives compaction.
struct Batch {
    Offset base;
    std::int32_t count = 1;  ///< last offset delta + 1
    LeaderEpoch leader_epoch;
    std::optional<ProducerId> producer_id;
    ProducerEpoch producer_epoch{-1};
    std::optional<Sequence> base_sequence;  ///< none: no producer id, or a coordinator's record
    bool transactional = false;
    std::optional<ControlType> control;
    CoordinatorEpoch coordinator_epoch;  ///< of a control batch
    std::optional<TransactionalId> txid; ///< ledger, for aiming; not in Kafka's batches
    std::optional<TxnRef> txn;           ///< ledger: the transaction it belongs to; of a control
                                         ///< batch the one whose end decided it, none: the broker's
    sim::Instant timestamp{};            ///< greatest timestamp of the batch
    std::int32_t bytes = 0;
    Payload payload;

    [[nodiscard]] Offset last_offset() const { return base + (count - 1); }
    [[nodiscard]] Offset next_offset() const { return base + count; }
    [[nodiscard]] std::optional<Sequence> last_sequence() const {
        if (!base_sequence) return std::nullopt;
        return base_sequence->plus(count - 1);
    }
    friend bool operator==(const Batch&, const Batch&) = default;
};

}  // namespace eos::model
