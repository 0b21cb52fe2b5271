#pragma once
// An application as a program of protocol steps (poll, process, produce, flush, commit_offsets, ...).
// Delivery modes are programs: they differ by the order of the steps and by configuration, so every
// crash point between two steps is a milestone and addressable. The interpreter below runs on the
// application's thread: it starts a step, and goes on when the client it called has answered.
//
//            start                 answer, timer, input
//   at a step ----> waiting for it ------------------> next step ... end of the program
//                        | error: a class (failed_send, abortable, generation, unknown, fatal, poison, store)
//                        '----> the reaction of `on_error` for that class

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "model/config.hpp"
#include "model/consumer.hpp"
#include "model/input_source.hpp"
#include "model/producer.hpp"
#include "model/store_client.hpp"
#include "model/store_work.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

/// What the application's thread has in its hands while it runs; lent for one call.
struct Hands {
    Producer* producer = nullptr;
    Consumer* consumer = nullptr;
    StoreClient* store = nullptr;
    InputSource& source;
    std::int32_t& loops;   ///< how many times the program has begun, over all lives
};

class Application {
  public:
    Application(std::shared_ptr<const AppConfig> config, std::shared_ptr<const Topology> topology,
                ProcessId process, sim::Rng rng);

    void start(const Context& ctx, Hands hands, Fx& fx);
    /// Takes the events of its clients and goes on as far as it can.
    void advance(const Context& ctx, Hands hands, Fx& fx);
    void on_timer(const Context& ctx, const sim::TimerKey& key, Hands hands, Fx& fx);
    /// The application's thread stands still; client threads go on (M2).
    void stall(bool stalled) { stalled_ = stalled; }
    [[nodiscard]] bool stalled() const { return stalled_; }
    /// A trigger that a wait_for step names has fired.
    void signal(std::int32_t number) { signals_.insert(number); }
    /// Ends the program and closes the clients, as on a graceful shutdown.
    void stop(const Context& ctx, Hands hands, Fx& fx);

    [[nodiscard]] static bool owns(const sim::TimerKey& key);
    /// The client objects are to be replaced by new ones (restart, reopen).
    [[nodiscard]] bool wants_new_clients() const { return wants_new_clients_; }
    void clients_replaced(const Context& ctx, Hands hands, Fx& fx);
    /// Whether the program has ended and its clients are closed.
    [[nodiscard]] bool finished() const { return wait_ == Wait::ended; }
    [[nodiscard]] bool dead() const { return dead_; }

    [[nodiscard]] ClientAudit audit(const Context& ctx, const Hands& hands) const;

    /// Where its thread stands.
    struct Standing {
        std::optional<StepKind> step;     ///< none: the program has ended, or not begun
        bool in_setup = false;
        std::string_view waits_for;       ///< "records", "its timer"; empty: for nothing
        sim::Instant since{};             ///< when that wait began
        bool in_transaction = false;      ///< between begin and the end of commit or abort
        bool stalled = false;
    };
    [[nodiscard]] Standing standing() const;

    friend bool operator==(const Application&, const Application&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(process_, rng_, pc_, in_setup_, wait_, chunks_, processed_, polled_,
                        outgoing_, next_outgoing_, sends_, legs_, failed_, resend_, signals_,
                        ends_, bounded_, stalled_, wants_new_clients_, dead_, stopping_, commit_,
                        since_, end_queries_, in_txn_, call_, retry_call_, after_abort_,
                        txn_sent_, began_, refused_, seen_, owes_commit_, db_);
    }

  private:
    /// What the thread stands at.
    enum class Wait : std::uint8_t {
        none, input, blocked, poll, work, flush, commit, rewind, end_offset, timer, signal, backoff,
        clients, closing, ended, txn_call, store,
    };
    /// What follows an abort: the next step, the next loop, or the same input once more.
    enum class AfterAbort : std::uint8_t { step, next_loop, rewind };
    /// A record on its way, and the input it came from (writers).
    struct Outgoing {
        TopicId to;
        std::optional<PartitionIndex> partition;
        Record record;
        std::optional<std::int64_t> input;
        bool in_transaction = false;
        friend bool operator==(const Outgoing&, const Outgoing&) = default;
    };
    struct Failed {
        Outgoing what;
        ErrorCode error = ErrorCode::none;
        friend bool operator==(const Failed&, const Failed&) = default;
    };

    // The program.
    [[nodiscard]] static std::string_view word(Wait wait);
    [[nodiscard]] const Step& step() const;
    [[nodiscard]] bool has_step(StepKind kind) const;
    void begin_program(const Context& ctx, Hands hands, Fx& fx);
    void begin_loop(const Context& ctx, Hands hands, Fx& fx);
    void run(const Context& ctx, Hands hands, Fx& fx);
    void begin_step(const Context& ctx, Hands hands, Fx& fx);
    void end_step(Hands hands, Fx& fx);
    void end_program(const Context& ctx, Hands hands, Fx& fx);
    void close_clients(const Context& ctx, Hands hands, Fx& fx);

    // Steps (application_steps.cpp).
    void begin_poll(const Context& ctx, Hands hands, Fx& fx);
    void begin_process(const Context& ctx, Hands hands, Fx& fx);
    void finish_process(const Context& ctx, Hands hands, Fx& fx);
    /// Whether the filter knows this record; from now on it does.
    [[nodiscard]] bool seen_before(const Context& ctx, LogId log, Offset offset,
                                   const Record& record);
    void begin_produce(const Context& ctx, Hands hands, Fx& fx);
    void gather_inputs(const Context& ctx, Hands hands, Fx& fx);
    void gather_outputs();
    void send_outgoing(const Context& ctx, Hands hands, Fx& fx);
    /// send() threw for the record under way: it was never taken.
    void send_refused(ErrorCode error, const Context& ctx, Hands hands, Fx& fx);
    void begin_commit(const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] bool commits_before_processing() const;
    [[nodiscard]] std::vector<CommitOffset> offsets_of_step(
        const std::map<LogId, Offset>& offsets) const;
    void begin_seek(const Context& ctx, Hands hands, Fx& fx);
    void ask_end_offset(const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] bool reached_ends(const Hands& hands) const;

    // Transactions (application_transactions.cpp).
    void begin_txn_step(const Context& ctx, Hands hands, Fx& fx);
    void call_txn(StepKind call, const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] ProducerCall send_offsets(const Context& ctx, Hands hands, Fx& fx);
    void txn_call_ended(ErrorCode error, const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] ErrorClass txn_error_class(ErrorCode error, const Hands& hands) const;
    void give_up_transaction(AfterAbort after, const Context& ctx, Hands hands, Fx& fx);
    void aborted(const Context& ctx, Hands hands, Fx& fx);
    /// The application gives these inputs up on purpose: they are not to be missed.
    void withdraw(Hands hands, Fx& fx);

    // Stores (application_stores.cpp, application_places.cpp).
    void begin_store_step(const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] StoreRequest statement(Statement kind) const;
    [[nodiscard]] std::optional<EffectKey> key_of(IdentityKind identity, LogId log, Offset offset,
                                                  const Record& record, std::int32_t life);
    [[nodiscard]] std::vector<StoreRow> rows_of_step(const Context& ctx);
    void begin_write(const Context& ctx, Hands hands, Fx& fx);
    void write_rows(const Context& ctx, Hands hands, Fx& fx);
    void end_db_transaction(const Context& ctx, Hands hands, Fx& fx);
    void ask_store(StoreRequest request, const Context& ctx, Hands hands, Fx& fx);
    void take_store_answer(const Context& ctx, Hands hands, Fx& fx);
    void store_answered(const StoreResponse& response, const Context& ctx, Hands hands, Fx& fx);
    void store_failed(const StoreAnswer& answer, const Context& ctx, Hands hands, Fx& fx);
    void retry_store(const Context& ctx, Hands hands, Fx& fx);
    void finish_db_commit(const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] bool begin_placing(const Context& ctx, Hands hands, Fx& fx);
    void go_on_placing(const StoreResponse* response, const Context& ctx, Hands hands, Fx& fx);
    void finish_placing(const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] StoreId store_of_program() const;

    // Events and errors (application_events.cpp).
    void take_producer_events(const Context& ctx, Hands hands, Fx& fx);
    void take_consumer_events(const Context& ctx, Hands hands, Fx& fx);
    void on_poll_returned(const consumer_event::PollReturned& event, const Context& ctx,
                          Hands hands, Fx& fx);
    void on_commit_done(const consumer_event::CommitDone& event, const Context& ctx, Hands hands,
                        Fx& fx);
    void send_ended(std::int64_t order, ErrorCode error, const Context& ctx, Hands hands, Fx& fx);
    void settle(const Outgoing& outgoing, Hands hands);
    void flush_returned(const Context& ctx, Hands hands, Fx& fx);
    void react(ErrorClass error_class, ErrorCode error, const Context& ctx, Hands hands, Fx& fx);
    void give_up_loop(const Context& ctx, Hands hands, Fx& fx);
    void let_time_pass(Fx& fx);
    void rewind(const Context& ctx, Hands hands, Fx& fx);
    [[nodiscard]] sim::Facts step_facts(const Hands& hands) const;

    std::shared_ptr<const AppConfig> config_;
    std::shared_ptr<const Topology> topology_;
    ProcessId process_;
    sim::Rng rng_;

    std::size_t pc_ = 0;
    bool in_setup_ = false;
    Wait wait_ = Wait::none;
    std::optional<sim::Instant> began_;          ///< program or loop; none: never
    std::optional<sim::Instant> refused_;        ///< when a send was refused on the spot
    sim::Instant since_{};                       ///< when the present wait began
    std::vector<Chunk> chunks_;                  ///< what the last poll returned
    std::map<LogId, Offset> processed_;          ///< next offsets, of records processed and uncommitted
    std::map<LogId, Offset> polled_;             ///< next offsets, of the last poll
    std::vector<Outgoing> outgoing_;             ///< of the produce step under way
    std::size_t next_outgoing_ = 0;
    std::map<std::int64_t, Outgoing> sends_;     ///< by the producer's order number
    std::map<std::int64_t, std::int32_t> legs_;  ///< records of an input that are not settled
    std::vector<Failed> failed_;                 ///< since the last flush
    std::vector<Outgoing> resend_;
    std::set<std::int32_t> signals_;
    std::map<LogId, Offset> ends_;               ///< told by end_offset steps
    bool bounded_ = false;                       ///< stops at ends_
    std::vector<LogId> end_queries_;
    std::vector<CommitOffset> commit_;           ///< of the commit under way, for `retry`
    bool owes_commit_ = false;                   ///< a rebalance was in the way of the last one
    bool in_txn_ = false;                        ///< between begin and the end of commit or abort
    StepKind call_ = StepKind::begin;            ///< the transactional call that is open or retried
    bool retry_call_ = false;                    ///< the step begins again with `call_`
    AfterAbort after_abort_ = AfterAbort::step;
    std::vector<Outgoing> txn_sent_;             ///< of the transaction under way
    /// AppConfig::dedup: when each event, or place, was processed.
    std::map<std::pair<std::uint64_t, std::int64_t>, sim::Instant> seen_;
    StoreWork db_;
    bool stalled_ = false;
    bool wants_new_clients_ = false;
    bool stopping_ = false;
    bool dead_ = false;                          ///< crashed on an error; the process is gone
};

}  // namespace eos::model
