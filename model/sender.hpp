#pragma once
// The half of a producer that speaks with brokers (Kafka's Sender thread): obtains a producer id,
// drains ready batches into Produce requests, and judges every answer: done, again, split, failed,
// fatal (P6-P22, I2-I17). Runs when its host says so, until nothing more can be done without an
// answer or time. What became of each record goes to the history and to the list of events.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "model/client_metadata.hpp"
#include "model/history.hpp"
#include "model/network_client.hpp"
#include "model/producer_transactions.hpp"
#include "model/record_accumulator.hpp"
#include "model/sequences.hpp"

namespace eos::model {

/// What a producer tells its application. `order`, `log`, `record` name a send (acked, failed).
struct ProducerEvent {
    enum class Kind : std::uint8_t {
        acked,        ///< `offset` empty: acks=0, or a duplicate whose offset is not known
        failed,       ///< `error`, and by `certainty` whether the record may be in the log
        flush_done,   ///< everything that was incomplete at flush() is final
        unblocked,    ///< send() would no longer block for the reason it last gave
        initialised,  ///< the producer id is known
        fatal,        ///< nothing can be sent any more; `error` says why
        closed,       ///< close() has finished
        call_done,    ///< the pending transactional call `call` returned: `error`, `certainty`
    };
    Kind kind = Kind::acked;
    ErrorCode error = ErrorCode::none;
    Certainty certainty = Certainty::done;
    LogId log;
    std::int64_t order = 0;
    Record record;
    std::optional<Offset> offset;
    TxnCall call = TxnCall::init;
    friend bool operator==(const ProducerEvent&, const ProducerEvent&) = default;
};

class Sender {
  public:
    /// Where it stands with its producer id and transaction (section 3.1).
    using State = ProducerTransactions::State;
    /// Who it is, in history and milestones; `session` counts the client objects of a process.
    struct Owner {
        ProcessId process;
        std::int32_t session = 0;
        friend bool operator==(const Owner&, const Owner&) = default;
    };

    Sender(std::shared_ptr<const Topology> topology, std::shared_ptr<const ProducerConfig> config,
           const Owner& owner, std::uint8_t lane, std::uint64_t seed,
           std::int32_t transactions_begun = 0);

    // --- being told; none of these runs the loop -------------------------------------------------
    void on_reply(const Context& ctx, Peer peer, Correlation correlation, const Message& message,
                  Fx& fx);
    void on_link(const Context& ctx, Peer peer, sim::LinkEvent event, Fx& fx);
    /// False: not a timer of this sender.
    bool on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx);
    /// While on, everything is ready, linger or not (flush, close).
    void hurry(bool on) { hurry_ = on; }
    /// Somebody waits for memory: everything is ready until some is free (P6).
    void memory_exhausted() { exhausted_ = true; }

    // --- doing -----------------------------------------------------------------------------------
    /// The sender loop, until it can do nothing more without an answer or time.
    void run(const Context& ctx, Fx& fx);
    /// Ends every incomplete batch here and now, whatever becomes of it at the brokers (P25).
    void abort_all(ErrorCode error, Fx& fx);
    /// Closes the connections and its timer.
    void shut_down(Fx& fx);
    /// Tells history and application of the transactional calls that returned.
    void return_calls(const Context& ctx, Fx& fx);

    // --- asking ----------------------------------------------------------------------------------
    [[nodiscard]] State state() const { return txn_ ? txn_->state() : state_; }
    [[nodiscard]] ErrorCode last_error() const { return txn_ ? txn_->last_error() : last_error_; }
    /// Nothing waits to be sent or answered.
    [[nodiscard]] bool idle() const {
        return open_ == 0 && requests_.empty() && !transactional_request();
    }
    /// The transactional request that waits for its answer (T5: there is one at most).
    [[nodiscard]] std::optional<Api> transactional_request() const;
    /// Null: not a transactional producer.
    [[nodiscard]] const ProducerTransactions* transactions() const {
        return txn_ ? &*txn_ : nullptr;
    }
    /// Records taken and not final.
    [[nodiscard]] std::int64_t open_sends() const { return open_; }
    [[nodiscard]] const Sequences& sequences() const { return sequences_; }
    [[nodiscard]] const RecordAccumulator& accumulator() const { return accumulator_; }
    [[nodiscard]] const BatchStore& batches() const { return batches_; }
    [[nodiscard]] const NetworkClient& network() const { return net_; }
    [[nodiscard]] const ClientMetadata& metadata() const { return metadata_; }

    // --- for the producer that owns it -----------------------------------------------------------
    [[nodiscard]] ClientMetadata& metadata() { return metadata_; }
    [[nodiscard]] Sequences& sequences() { return sequences_; }
    [[nodiscard]] ProducerTransactions* transactions() { return txn_ ? &*txn_ : nullptr; }
    /// What reports about a transaction call it.
    [[nodiscard]] sim::Facts txn_facts(const std::optional<TxnRef>& txn) const;
    /// Takes one record; false if there is no memory for it.
    [[nodiscard]] bool append(const Context& ctx, LogId log, const Record& record,
                              std::int64_t order, std::int32_t bytes);
    /// Takes these records as one batch of their own, closed.
    void append_batch(const Context& ctx, LogId log, std::vector<Record> records,
                      std::int64_t first_order, std::int32_t bytes_each);
    [[nodiscard]] std::vector<ProducerEvent>& events() { return events_; }
    [[nodiscard]] bool has_events() const { return !events_.empty(); }

    friend bool operator==(const Sender&, const Sender&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(owner_, net_, metadata_, accumulator_, sequences_, batches_, requests_,
                        events_, rng_, guard_, state_, last_error_, init_, init_not_before_,
                        init_attempt_, hurry_, exhausted_, wake_at_, open_, txn_, exchange_,
                        fatal_told_);
    }

  private:
    struct Produce {
        Correlation correlation;
        boost::container::small_vector<BatchId, 8> batches;
        friend bool operator==(const Produce&, const Produce&) = default;
    };
    using Answer = ProduceResponse::Part;
    using TxnRequest = ProducerTransactions::Request;
    /// The transactional request whose turn it is, from the queue to its answer. Until then nothing
    /// else is sent (T6).
    struct Exchange {
        TxnRequest request;
        std::optional<Peer> peer = {};        ///< where it goes
        Instant last_attempt{};               ///< to connect to it, before this request
        Instant give_up{};                    ///< waiting for the connection
        std::optional<Instant> resume = {};   ///< end of the pause before a retry
        std::optional<Correlation> correlation = {};
        friend bool operator==(const Exchange&, const Exchange&) = default;
    };

    [[nodiscard]] bool idempotent() const { return idempotent_; }
    /// One turn of the loop. True if it did something, so that another may do more.
    bool run_once(const Context& ctx, Instant& next, Fx& fx);
    /// The turn's first half. True if producing has to wait: no id yet, or fatal.
    bool keep_identity(const Context& ctx, bool& progress, Instant& next, Fx& fx);
    bool produce(const Context& ctx, Instant& next, Fx& fx);
    // Transactions: sender_transactions.cpp.
    bool keep_transaction(const Context& ctx, bool& progress, Instant& next, Fx& fx);
    bool exchange(const Context& ctx, bool& progress, Instant& next, Fx& fx);
    [[nodiscard]] bool connected(const Context& ctx, bool& progress, Instant& next, Fx& fx);
    [[nodiscard]] Message message_of(const TxnRequest& request) const;
    void on_exchanged(const Context& ctx, const Message* message, Fx& fx);
    void on_txn_init(const Context& ctx, TxnRequest request,
                     const InitProducerIdResponse& response, Fx& fx);
    void on_txn_end(TxnRequest request, const EndTxnResponse& response, Fx& fx);
    void drop_unsent(ErrorCode error, Fx& fx);
    void batch_failed(ErrorCode error, Fx& fx);
    void tell_fatal(Fx& fx);
    void send_init(const Context& ctx, Fx& fx);
    void send_produce(const Context& ctx, Peer peer, const RecordAccumulator::Drained& drained,
                      Fx& fx);
    bool expire(const Context& ctx, Fx& fx);
    [[nodiscard]] Instant next_expiry() const;
    void wake(const Context& ctx, Instant at, Fx& fx);

    void finish(const Context& ctx, const Outcome& outcome, const Message* message, Fx& fx);
    void on_produced(const Context& ctx, const Outcome& outcome, const ProduceResponse* response,
                     Fx& fx);
    void on_initialised(const Context& ctx, const Outcome& outcome,
                        const InitProducerIdResponse* response, Fx& fx);
    void judge(const Context& ctx, BatchId id, const Answer& answer, Fx& fx);
    [[nodiscard]] bool may_retry(const Context& ctx, BatchId id, const Answer& answer);
    void requeue(const Context& ctx, BatchId id, ErrorCode error, Fx& fx);
    void split(BatchId id);
    void put_back(BatchId id);
    void succeed(BatchId id, std::optional<Offset> base, Fx& fx);
    void fail(BatchId id, ErrorCode error, ProducerBatch::State state, Fx& fx);
    void report(const ProducerBatch& batch, ErrorCode error, Certainty certainty,
                std::optional<Offset> base, Fx& fx);
    void expire_one(BatchId id, Fx& fx);
    void become_fatal(ErrorCode error, Fx& fx);
    void dispose(BatchId id);
    void reach(Mile mile, const ProducerBatch* batch, ErrorCode error, Fx& fx) const;

    std::shared_ptr<const Topology> topology_;
    std::shared_ptr<const ProducerConfig> config_;
    Owner owner_;
    std::uint8_t lane_;
    NetworkClient net_;
    ClientMetadata metadata_;
    RecordAccumulator accumulator_;
    Sequences sequences_;
    BatchStore batches_;
    std::vector<Produce> requests_;  ///< waiting for their answer, in order of sending
    std::vector<ProducerEvent> events_;
    sim::Rng rng_;  ///< jitter of produce retries (N7)
    Guard guard_;
    bool idempotent_;
    State state_ = State::uninitialized;
    ErrorCode last_error_ = ErrorCode::none;
    std::optional<Correlation> init_;  ///< InitProducerId in flight
    Instant init_not_before_{};
    std::int32_t init_attempt_ = 0;
    std::optional<ProducerTransactions> txn_;
    std::optional<Exchange> exchange_;
    bool fatal_told_ = false;
    bool hurry_ = false;
    bool exhausted_ = false;
    Instant wake_at_ = sim::time_never;  ///< when the timer rings
    std::int64_t open_ = 0;
};

}  // namespace eos::model
