#pragma once
// One partition of __transaction_state as its coordinator sees it: the transactional ids that hash
// to it, the records on their way to the log, and who waits for them (Kafka:
// TransactionStateManager, TransactionCoordinator). A change is true when the high watermark has
// passed its record (TXS-4). Owned by TransactionCoordinator, which brings requests and news.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "model/marker_sender.hpp"
#include "model/transaction_metadata.hpp"
#include "sim/effects.hpp"

namespace eos::model {

using sim::ReplyTo;

/// What a step asks of the host besides effects. The host first does the appends, telling each
/// one's fate back (`appended` or `append_failed`, which may ask for more), then sends the replies,
/// forgets the markers of logs that are no longer ours, and takes on the new ones.
struct TransactionOutput {
    struct Append {
        LogId log;
        std::int64_t token = 0;
        TransactionRecord record;
        friend bool operator==(const Append&, const Append&) = default;
    };
    struct Reply {
        ReplyTo to;
        Message message;
        friend bool operator==(const Reply&, const Reply&) = default;
    };
    std::vector<Append> appends;
    std::vector<Reply> replies;
    std::vector<LogId> forget;
    std::vector<Marker> markers;
    std::vector<Marker> markers_again;  ///< refused or lost: a moment later
    friend bool operator==(const TransactionOutput&, const TransactionOutput&) = default;
};

/// AddPartitionsToTxn of a broker asks for several ids at once; the answer waits for all of them.
class BatchedAnswers {
  public:
    /// One entry of one request.
    struct Place {
        std::int64_t request = 0;
        std::size_t entry = 0;
        friend bool operator==(const Place&, const Place&) = default;
    };
    [[nodiscard]] std::int64_t open(const ReplyTo& to, const AddPartitionsToTxnRequest& request);
    void settle(const Place& place, ErrorCode error, TransactionOutput& out);
    void settle(const Place& place, const std::vector<ErrorCode>& errors, TransactionOutput& out);

    [[nodiscard]] auto fields() const { return std::tie(open_, next_); }
    friend bool operator==(const BatchedAnswers&, const BatchedAnswers&) = default;

  private:
    struct Open {
        ReplyTo to;
        AddPartitionsToTxnResponse answer;
        std::size_t missing = 0;
        friend bool operator==(const Open&, const Open&) = default;
    };
    std::map<std::int64_t, Open> open_;
    std::int64_t next_ = 0;
};

/// The parts of the coordinator that a shard works with during one step.
struct TransactionStep {
    const Context& ctx;
    const ClusterConfig& config;
    const Topology& topology;
    Guard& guard;
    ProducerIdPool& ids;
    BatchedAnswers& batched;
    TransactionOutput& out;
    Fx& fx;
};

/// What the log's errors mean to clients (TLG-5).
[[nodiscard]] ErrorCode transaction_log_error(ErrorCode log_error);

class TransactionShard {
  public:
    /// A transactional id here. `completing`: its markers are being written, this record follows.
    struct Entry {
        TransactionMetadata metadata;
        std::optional<TransactionRecord> completing;
        TxnCause cause = TxnCause::client;  ///< who ended the transaction, as far as known
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    TransactionShard() = default;
    /// Tokens carry the epoch, so that news of a former leadership's appends means nothing here.
    TransactionShard(LogId log, LeaderEpoch epoch)
        : log_(log), epoch_(epoch), next_token_(std::int64_t{epoch.value} << 32) {}

    [[nodiscard]] LeaderEpoch epoch() const { return epoch_; }
    [[nodiscard]] bool loading() const { return loading_; }
    /// A new leadership of the same broker: everything is read again (FOV-2).
    void reload(LeaderEpoch epoch, TransactionOutput& out);
    void replay(const Batch& batch);
    /// What was replayed so far: the last record of each id; and going on from there.
    using Fold = std::map<TransactionalId, TransactionRecord>;
    [[nodiscard]] const Fold& folded() const { return replayed_; }
    void resume(Fold fold) { replayed_ = std::move(fold); }
    void loaded(TransactionStep& step);
    void unload(TransactionStep& step);

    void init(TransactionStep& step, const ReplyTo& to, const InitProducerIdRequest& request);
    void add(TransactionStep& step, const BatchedAnswers::Place& place,
             const AddPartitionsToTxnRequest::Entry& entry, TransactionVersion version);
    void add_offsets(TransactionStep& step, const ReplyTo& to,
                     const AddOffsetsToTxnRequest& request, LogId offsets);
    void end(TransactionStep& step, const ReplyTo& to, const EndTxnRequest& request);
    void on_marker_results(TransactionStep& step, const MarkerResults& results);

    void abort_overdue(TransactionStep& step);
    void expire(TransactionStep& step, std::optional<TransactionalId> only);
    /// An administrator's InitProducerId, repeated until it has its way.
    void shut_out(TransactionStep& step, TransactionalId txid);
    void retry_completions(TransactionStep& step);
    void on_timeout(TransactionStep& step);

    void appended(TransactionStep& step, std::int64_t token, Offset base);
    void append_failed(TransactionStep& step, std::int64_t token, ErrorCode error);
    void on_high_watermark(TransactionStep& step, Offset high_watermark);

    void audit(const Context& ctx, const ClusterConfig& config, Fx& fx) const;

    /// Puts an id in place, as a load does.
    void place(TransactionMetadata metadata);
    /// Goes on with a transaction that is decided (FOV-3).
    void resume(TransactionStep& step, TransactionalId txid);
    /// Whether a record that was asked for should still go to the log.
    [[nodiscard]] bool wants(std::int64_t token) const;
    [[nodiscard]] const Entry* entry(TransactionalId txid) const;
    [[nodiscard]] std::vector<TransactionalId> ids() const;
    [[nodiscard]] const std::map<TransactionalId, Entry>& entries() const { return entries_; }

    [[nodiscard]] auto fields() const {
        return std::tie(log_, epoch_, loading_, high_watermark_, entries_, replayed_, writes_,
                        unwritten_, shutting_out_, next_token_);
    }
    friend bool operator==(const TransactionShard&, const TransactionShard&) = default;

  private:
    enum class Why : std::uint8_t {
        init,
        takeover,
        timeout,
        add,
        add_offsets,
        end,
        complete,
        expire
    };
    /// A record on its way: not appended yet (no base), or appended and not replicated.
    struct Write {
        Why why = Why::init;
        TransactionRecord record;
        bool raised_early = false;
        std::optional<ReplyTo> to = {};                   ///< init, takeover, add_offsets, end
        std::optional<BatchedAnswers::Place> place = {};  ///< add
        TxnIdentity who = {};                             ///< as asked
        std::vector<LogId> added = {};
        std::optional<GroupId> group = {};
        ControlType result = ControlType::commit;  ///< end
        std::int64_t token = 0;
        LeaderEpoch epoch = {};  ///< under which it was asked for
        std::optional<Offset> base = {};
        sim::Instant begun = {};
        std::optional<sim::Instant> deadline = {};  ///< from the append on
        friend bool operator==(const Write&, const Write&) = default;
    };

    [[nodiscard]] static TransitStep transit(TransactionStep& step) {
        return {step.config, step.guard, step.ids, step.ctx.wall};
    }
    [[nodiscard]] Entry* find(TransactionalId txid);
    void take_over(TransactionStep& step, TransactionalId txid, Entry& entry,
                   std::optional<ReplyTo> to);
    void enrol(TransactionStep& step, Write write);
    void write(TransactionStep& step, Write write);
    void rearm_timeout(TransactionStep& step) const;
    [[nodiscard]] std::optional<Write> take(std::int64_t token);
    void release(TransactionStep& step);
    /// A write has come to its end: `error` as the log says it.
    void finish(TransactionStep& step, const Write& write, ErrorCode error);
    void apply(TransactionStep& step, const Write& write, Entry& entry);
    void send_markers(TransactionStep& step, Entry& entry);
    void complete_if_done(TransactionStep& step, TransactionalId txid);
    void answer(TransactionStep& step, const Write& write, ErrorCode error);
    /// `begun`: none if it was read back.
    void tell_changed(TransactionStep& step, const TransactionRecord& record, TxnCause cause,
                      std::optional<TxnRef> txn, std::optional<sim::Instant> begun) const;

    LogId log_;
    LeaderEpoch epoch_;
    bool loading_ = true;
    Offset high_watermark_;
    std::map<TransactionalId, Entry> entries_;
    Fold replayed_;  ///< while loading
    std::vector<Write> writes_;
    std::set<TransactionalId> unwritten_;     ///< Complete* that must be tried again (MRK-8)
    std::set<TransactionalId> shutting_out_;  ///< an administrator waits to fence them
    std::int64_t next_token_ = 0;
};

}  // namespace eos::model
