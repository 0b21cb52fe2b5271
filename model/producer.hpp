#pragma once
// A Kafka producer as its application sees it (KafkaProducer): send, flush, close, and events that
// tell what became of each record. Lane 0 of its node, or the one it is given. Its host passes on replies, links and timers
// of that lane and calls run_sender() AT THE END OF EVERY HANDLER of the node (start included),
// also when only the application ran: it is the turn of Kafka's sender thread, nothing is sent
// before it. It may leave events for the application; if that sends more, run_sender() comes once
// more.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "model/partitioner.hpp"
#include "model/sender.hpp"

namespace eos::model {

/// What send() made of a record.
struct SendResult {
    enum class Kind : std::uint8_t {
        taken,        ///< `order` names it in events and history
        would_block,  ///< no metadata yet, or no memory: try again at `unblocked`, up to max.block
        refused,      ///< never taken: `error` (closed, fatal, too large)
    };
    Kind kind = Kind::taken;
    std::int64_t order = 0;
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const SendResult&, const SendResult&) = default;
};

class Producer {
  public:
    static constexpr std::uint8_t lane = 0;

    /// `session` counts the producers a process has had, `transactions_begun` its transactions,
    /// over all its lives; `seed` is the run's.
    Producer(std::shared_ptr<const Topology> topology, std::shared_ptr<const ProducerConfig> config,
             ProcessId process, std::int32_t session, std::uint64_t seed,
             std::int32_t transactions_begun = 0, std::uint8_t own_lane = lane);

    // --- for the application ---------------------------------------------------------------------
    /// Takes a record of `bytes` payload bytes. Partition: the given one, else by key, else sticky.
    SendResult send(const Context& ctx, TopicId topic, std::optional<PartitionIndex> partition,
                    const Record& record, bool has_key, std::int32_t bytes, Fx& fx);
    /// Makes everything ready; `flush_done` follows when all that is incomplete now is final (P24).
    void flush();
    /// Takes no more, sends the rest, then `closed` (P25).
    void close();
    /// Ends everything unfinished as failed, here and now; it may still land in a log (P25).
    void force_close(const Context& ctx, Fx& fx);
    /// The application gave up a send() that would block: as any send() that throws (P3).
    void give_up_send(ErrorCode error);
    // Transactions (3.2): producer_calls.cpp. The same call repeated after a timeout waits for the
    // same operation (T10).
    ProducerCall init_transactions(const Context& ctx, Fx& fx);
    ProducerCall begin_transaction(const Context& ctx, Fx& fx);
    /// Adds a partition to the transaction and writes nothing.
    ProducerCall enrol(const Context& ctx, LogId log, Fx& fx);
    ProducerCall send_offsets(const Context& ctx, GroupId group, const MemberRef& member,
                              std::vector<OffsetCommitRequest::Part> offsets, Fx& fx);
    /// Takes over a transaction that another object with this transactional id has begun and written,
    /// under that one's producer id and epoch and without a word to the coordinator. What is left to do
    /// is to end it. No method of Kafka's client: Flink sets the fields by reflection (F23).
    void resume_transaction(ProducerId producer_id, ProducerEpoch epoch, const TxnRef& txn);
    /// Producer id and epoch, once known.
    [[nodiscard]] std::optional<Sequences::Identity> identity() const {
        return sender_.sequences().identity();
    }
    ProducerCall commit_transaction(const Context& ctx, Fx& fx);
    ProducerCall abort_transaction(const Context& ctx, Fx& fx);
    /// The application waits no longer for the call that is pending, as after max.block.ms.
    void stop_waiting();
    /// The transaction under way, by the ledger's name.
    [[nodiscard]] std::optional<TxnRef> current_transaction() const;
    /// How many transactions this process has begun, over all its lives.
    [[nodiscard]] std::int32_t transactions_begun() const;
    /// The transaction can only be aborted (ABORTABLE_ERROR).
    [[nodiscard]] bool must_abort() const;
    /// Whether take_events() would give anything.
    [[nodiscard]] bool has_events() const { return sender_.has_events(); }
    /// What happened since the last call, in order.
    [[nodiscard]] std::vector<ProducerEvent> take_events();
    [[nodiscard]] std::int64_t open_sends() const { return sender_.open_sends(); }
    /// Empty: not a transactional producer.
    [[nodiscard]] std::optional<TransactionalId> txid() const { return config_->txid; }
    [[nodiscard]] bool closed() const { return phase_ == Phase::closed; }
    [[nodiscard]] bool fatal() const { return sender_.state() == Sender::State::fatal_error; }

    // --- for the host ----------------------------------------------------------------------------
    void on_reply(const Context& ctx, Peer peer, Correlation correlation, const Message& message,
                  Fx& fx) {
        sender_.on_reply(ctx, peer, correlation, message, fx);
    }
    void on_link(const Context& ctx, Peer peer, sim::LinkEvent event, Fx& fx) {
        sender_.on_link(ctx, peer, event, fx);
    }
    /// False: not a timer of the producer.
    bool on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx) {
        return sender_.on_timer(ctx, key, fx);
    }
    /// The sender's turn. May produce events; the application sees them afterwards.
    void run_sender(const Context& ctx, Fx& fx);

    // --- for callers with batches and knowledge of their own -------------------------------------
    /// Takes the records as one closed batch, whatever batch.size says.
    SendResult send_batch(const Context& ctx, LogId log, std::vector<Record> records,
                          std::int32_t bytes_each, Fx& fx);
    /// Beliefs about the cluster from elsewhere than its own Metadata requests.
    void tell(const MetadataResponse& response) { sender_.metadata().learn(response); }
    [[nodiscard]] const Sender& sender() const { return sender_; }
    [[nodiscard]] Sender& sender() { return sender_; }

    friend bool operator==(const Producer&, const Producer&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(process_, session_, sender_, sticky_, rng_, next_order_, phase_,
                        flush_before_, flush_open_, digested_, blocked_topic_, blocked_bytes_);
    }

  private:
    enum class Phase : std::uint8_t { open, closing, closed };
    struct Sticky {
        TopicId topic;
        StickyPartitioner partitioner;
        friend bool operator==(const Sticky&, const Sticky&) = default;
    };

    [[nodiscard]] std::optional<ErrorCode> refusal() const;
    /// Why transactional calls are out of the question.
    [[nodiscard]] bool no_transactions() const;
    [[nodiscard]] ProducerCall end_transaction(const Context& ctx, ControlType result, Fx& fx);
    StickyPartitioner& sticky(TopicId topic);
    void choose(TopicId topic, StickyPartitioner& partitioner);
    void invoked(const Context& ctx, LogId log, const Record& record, Fx& fx);
    [[nodiscard]] bool flushing() const { return flush_before_.has_value(); }
    /// Looks at events not looked at yet: ends a flush, finds that send() need not block.
    void digest_events();

    std::shared_ptr<const Topology> topology_;
    std::shared_ptr<const ProducerConfig> config_;
    ProcessId process_;
    std::int32_t session_;
    Sender sender_;
    std::vector<Sticky> sticky_;  ///< sorted by topic
    sim::Rng rng_;                ///< next sticky partition
    std::int64_t next_order_ = 0;
    Phase phase_ = Phase::open;
    std::optional<std::int64_t> flush_before_;   ///< a flush waits for open sends below this order
    std::int64_t flush_open_ = 0;                ///< how many of them are not final
    std::size_t digested_ = 0;                   ///< events the flush has been told of
    std::optional<TopicId> blocked_topic_;       ///< send() said would_block for its metadata
    std::optional<std::int32_t> blocked_bytes_;  ///< send() said would_block for this much memory
};

}  // namespace eos::model
