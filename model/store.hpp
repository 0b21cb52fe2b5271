#pragma once
// An external store as a process: sessions over connections, transactions with locks, durable
// tables. Which of its three kinds it is decides how a write is carried out:
//
//   sql   BEGIN with the first statement ... COMMIT; a second insert of an uncommitted key waits
//   for
//         the first transaction, as in PostgreSQL; a circle of waits, or a wait that takes too
//         long, ends in an error that rolls back
//   kv    one row a call, at once (store_calls.cpp)
//   http  a call runs for `work`, then its effect and its answer are stored together
//   (store_calls.cpp)
//
//              begins            commit
//   (nothing) -------> active ------------> durable, told to the history, answered
//                       | | '--- prepare --> prepared ---- decide ----> durable, or rolled back
//                       | '----- error, rollback, no statement for 5 s ---> rolled back
//                       '------- crash ---> gone
//
// X1: a request whose caller gave up is executed all the same; what became of it only the tables
// know.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "model/store_tables.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

class Store {
  public:
    Store(std::shared_ptr<const StoreConfig> config, std::shared_ptr<const Topology> topology);

    void on_start(const Context& ctx, Fx& fx);
    void on_request(const Context& ctx, const sim::ReplyTo& from, Message&& message, Fx& fx);
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, sim::TimerKey key, Fx& fx);
    void on_handoff(const Context& ctx, Message&& message, Fx& fx);
    void on_order(const Context& ctx, const sim::Order& order, Fx& fx);
    /// What is committed or prepared is on its disk, and stays unless that is wiped.
    [[nodiscard]] Store reborn(const sim::Loss& loss) &&;

    void audit(const Context& ctx, Fx& fx) const;

    [[nodiscard]] const StoreConfig& config() const { return *config_; }
    [[nodiscard]] const StoreTables& tables() const { return tables_; }
    /// Transactions that hold locks or changes, and statements that wait for a lock.
    [[nodiscard]] std::size_t open_transactions() const { return transactions_.size(); }
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

    friend bool operator==(const Store&, const Store&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(tables_, wiped_, next_, lines_, sessions_, transactions_, locks_, waiting_,
                        running_, queued_);
    }

  private:
    using TxnNumber = std::int64_t;
    /// A connection of a client: its transaction is the server's.
    struct Session {
        sim::NodeId client;
        std::uint8_t lane = 0;
        std::uint32_t connection = 0;
        friend constexpr auto operator<=>(const Session&, const Session&) = default;
    };
    /// What came over a connection, and after how many requests its client has closed it.
    struct Line {
        std::int32_t received = 0;
        std::optional<std::int32_t> ends_after = {};
        friend bool operator==(const Line&, const Line&) = default;
        [[nodiscard]] auto fields() const { return std::tie(received, ends_after); }
    };
    struct Transaction {
        ProcessId process;
        sim::NodeId client;
        std::optional<Session> session;  ///< none: of one statement alone
        std::vector<Change> changes;
        std::set<Cell> locks;
        friend bool operator==(const Transaction&, const Transaction&) = default;
    };
    /// A statement that is carried out row by row, and may wait in between.
    struct Work {
        TxnNumber transaction = 0;
        sim::ReplyTo reply;
        StoreRequest request;
        std::size_t next = 0;
        std::vector<std::uint8_t> fresh = {};
        Cell blocked_at = {};
        friend bool operator==(const Work&, const Work&) = default;
    };
    struct Verdict {
        enum class Kind : std::uint8_t { done, blocked, failed };
        Kind kind = Kind::done;
        ErrorCode error = ErrorCode::none;
    };
    /// A call that an http store carries out.
    struct Call {
        sim::ReplyTo reply;
        StoreRequest request;
        friend bool operator==(const Call&, const Call&) = default;
    };

    // Statements (store_statements.cpp).
    [[nodiscard]] static Session session_of(const sim::ReplyTo& reply);
    void execute(const Context& ctx, const sim::ReplyTo& from, StoreRequest request, Fx& fx);
    [[nodiscard]] TxnNumber open(const sim::ReplyTo& from, const StoreRequest& request);
    void carry_on(const Context& ctx, Work work, Fx& fx);
    [[nodiscard]] Verdict one(const Context& ctx, Work& work, Transaction& transaction, Fx& fx);
    [[nodiscard]] Verdict write_row(const Context& ctx, Work& work, Transaction& transaction,
                                    const StoreRow& row, Fx& fx);
    [[nodiscard]] Verdict check_token(Work& work, Transaction& transaction, LogId log);
    [[nodiscard]] bool take(const Cell& cell, Work& work, Transaction& transaction);
    [[nodiscard]] bool in_circle(const Work& work) const;
    void wait(const Context& ctx, Work work, Fx& fx);
    void finish(const Context& ctx, Work work, Fx& fx);
    void fail(const Work& work, ErrorCode error, Fx& fx);
    void read(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request, Fx& fx);

    // Ends of transactions (store.cpp).
    void prepare(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request, Fx& fx);
    void supersede(const Session& session, const StoreRequest& request);
    void end_dead_sessions(Fx& fx);
    void end_session_transaction(const Context& ctx, const sim::ReplyTo& from,
                                 const StoreRequest& request, Fx& fx);
    void decide(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request, Fx& fx);
    void commit(const Context& ctx, TxnNumber number, Fx& fx);
    void roll_back(TxnNumber number, Fx& fx);
    void end_prepared(const Context& ctx, const TransactionName& name, bool commits, Fx& fx);
    void release(TxnNumber number);
    void wake(const Context& ctx, Fx& fx);
    void answer(const sim::ReplyTo& to, Statement statement, ErrorCode error, Fx& fx);
    void tell_executed(const sim::ReplyTo& from, const StoreRequest& request, ErrorCode error,
                       Fx& fx) const;
    void tell_end(Mile mile, const Transaction& transaction, Fx& fx) const;
    void tell_duplicate(Mile mile, const sim::ReplyTo& from, const StoreRequest& request,
                        const StoreRow& row, Fx& fx) const;

    // Calls that stand alone (store_calls.cpp).
    void write_now(const Context& ctx, const sim::ReplyTo& from, const StoreRequest& request,
                   Fx& fx);
    void take_call(const Context& ctx, const sim::ReplyTo& from, StoreRequest request, Fx& fx);
    void call_done(const Context& ctx, std::int64_t number, ErrorCode error, Fx& fx);
    [[nodiscard]] bool knows(const Context& ctx, const sim::ReplyTo& from,
                             const StoreRequest& request, const StoreRow& row, ErrorCode& answer,
                             Fx& fx);

    std::shared_ptr<const StoreConfig> config_;
    std::shared_ptr<const Topology> topology_;
    StoreTables tables_;
    bool wiped_ = false;     ///< and nobody was told yet
    std::int64_t next_ = 1;  ///< transactions and calls are numbered together
    std::map<Session, Line> lines_;
    std::map<Session, TxnNumber> sessions_;
    std::map<TxnNumber, Transaction> transactions_;
    std::map<Cell, TxnNumber> locks_;       ///< of prepared ones too
    std::vector<Work> waiting_;             ///< in the order in which they began to wait
    std::map<std::int64_t, Call> running_;  ///< http: begun, without effect yet
    std::vector<Call> queued_;              ///< http: behind a call with the same key
};

}  // namespace eos::model
