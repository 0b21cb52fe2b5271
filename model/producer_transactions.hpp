#pragma once
// The transactions of a producer (section 3; Kafka's TransactionManager): its state, what its
// transaction holds, which requests wait for their turn, which calls wait for them. A set of rules,
// no I/O: the producer calls, the sender asks for the next request and tells what became of it.
//
//   uninitialized -> initializing -> ready -> in_transaction -> committing -> ready
//         ^               |                      |      |           |
//         '- (not         v                      v      |           v
//      authorised) -- abortable_error <----------+      '-> aborting -> ready, or initializing
//                         '--------------- abort --------------^        for a client bump (T13)
//   anything -> fatal_error

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "model/config.hpp"
#include "model/messages.hpp"
#include "model/milestones.hpp"

namespace eos::model {

using sim::Instant;

/// What a transactional call came to at once. `pending`: a call_done event follows, at the latest
/// after max.block.ms with REQUEST_TIMED_OUT while the operation goes on (T10).
struct ProducerCall {
    enum class Kind : std::uint8_t { done, pending, refused };
    Kind kind = Kind::done;
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const ProducerCall&, const ProducerCall&) = default;
};

/// The calls that block.
enum class TxnCall : std::uint8_t { init, enrol, send_offsets, commit, abort };

class ProducerTransactions {
  public:
    enum class State : std::uint8_t {
        uninitialized, initializing, ready, in_transaction, committing, aborting, abortable_error,
        fatal_error,
    };
    /// "COMMITTING_TRANSACTION": Kafka's spelling.
    [[nodiscard]] static std::string_view name(State state);
    /// A request to a coordinator, or for one; it keeps its name over all its sendings.
    struct Request {
        /// In order of priority (T5); the three adds are equals.
        enum class Kind : std::uint8_t {
            find_coordinator, init, add_partitions, add_offsets, commit_offsets, end, bump,
        };
        Kind kind = Kind::end;
        std::int32_t call = 0;         ///< ends with it; 0: nobody waits
        std::int32_t attempt = 0;      ///< sendings so far
        bool retry = false;            ///< waits for retry.backoff.ms before it is sent
        bool hasten = false;           ///< ... for 20 ms (T31)
        bool looked_up = false;        ///< its coordinator was asked for since it was last sent
        bool maybe_done = false;       ///< some sending ended without telling
        std::optional<GroupId> group = {};  ///< find_coordinator without group: the transaction's
        MemberRef member = {};
        std::vector<OffsetCommitRequest::Part> offsets = {};
        std::vector<LogId> logs = {};
        ControlType result = ControlType::commit;
        std::optional<TxnRef> txn = {};
        friend bool operator==(const Request&, const Request&) = default;
    };
    /// A call and, once `ended`, what it returns.
    struct Call {
        std::int32_t number = 0;
        TxnCall what = TxnCall::init;
        std::optional<TxnRef> txn = {};
        LogId log{-1};                     ///< enrol
        Instant deadline{};                ///< of max.block.ms
        bool waited_for = true;            ///< else it timed out, or returned at once
        bool under_way = false;            ///< its EndTxn has been sent
        std::optional<ErrorCode> ended = {};
        Certainty certainty = Certainty::done;
        friend bool operator==(const Call&, const Call&) = default;
    };

    ProducerTransactions(const ProducerConfig& config, ProcessId process, std::int32_t begun);

    // --- the application's calls -----------------------------------------------------------------
    ProducerCall init(Instant now);
    ProducerCall begin();
    ProducerCall enrol(Instant now, LogId log);
    ProducerCall send_offsets(Instant now, GroupId group, const MemberRef& member,
                              std::vector<OffsetCommitRequest::Part> offsets);
    /// A transaction begun by another object of this id: it is in it, and something was written (F23).
    void resume(const TxnRef& txn);
    ProducerCall commit(Instant now) { return end(now, TxnCall::commit); }
    ProducerCall abort(Instant now) { return end(now, TxnCall::abort); }
    /// Why send() throws (P2).
    [[nodiscard]] std::optional<ErrorCode> send_refusal() const;
    /// send() took a record for this partition.
    void wrote(LogId log);
    /// The application waits no longer: what it waits for returns as timed out and goes on (T10).
    void stop_waiting();
    /// The producer is closed by force: nothing ends any more.
    void close();

    // --- for the sender --------------------------------------------------------------------------
    /// The request whose turn it is. `incomplete`: batches are not final (T7). Ends what needs no
    /// request, or cannot be asked any more.
    [[nodiscard]] std::optional<Request> next(bool incomplete, Guard& guard);
    /// Where it goes; none: first look the coordinator up.
    [[nodiscard]] std::optional<BrokerId> coordinator(const Request& request) const;
    [[nodiscard]] static bool needs_coordinator(const Request& request) {
        return request.kind != Request::Kind::find_coordinator;
    }
    /// It could not be sent: its coordinator is asked for first.
    void look_up(Request request);
    void sent(const Request& request);
    /// Its connection closed before an answer (N4).
    void lost(Request request);
    void found(Request request, ErrorCode error, BrokerId coordinator);
    /// To init and bump.
    void initialised(Request request, ErrorCode error);
    void added(Request request, const std::vector<AddPartitionsToTxnResponse::Part>& parts);
    void offsets_added(Request request, ErrorCode error);
    void offsets_committed(Request request, const std::vector<OffsetCommitResponse::Part>& parts);
    void ended(Request request, ErrorCode error);

    /// A batch or a send failed for good (T12).
    void failed(ErrorCode error);
    /// Errors of a batch after which an idempotent producer is of no use (table 1.5).
    [[nodiscard]] static bool ends_producer(ErrorCode error);
    /// Batches that nobody acknowledged left a hole in the numbering (I14).
    void gap_found();
    /// T1, T3: from the sender's thread; not allowed from this state: the producer is done for.
    void become_abortable(ErrorCode error);
    void become_fatal(ErrorCode error);
    /// InitProducerId was not authorised: the state goes back and init may be tried again.
    [[nodiscard]] bool not_authorised() const;
    void start_over();
    void expire_calls(Instant now);
    /// When the call that is waited for times out.
    [[nodiscard]] Instant deadline() const;
    /// The calls that returned since it was last asked, in order.
    [[nodiscard]] std::vector<Call> take_returned() { return std::exchange(returned_, {}); }

    // --- asking ----------------------------------------------------------------------------------
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] ErrorCode last_error() const { return last_error_; }
    [[nodiscard]] bool completing() const {
        return state_ == State::committing || state_ == State::aborting;
    }
    /// From begin to its end, unless that cannot be reached any more.
    [[nodiscard]] bool ongoing() const {
        return completing() || state_ == State::in_transaction || state_ == State::abortable_error;
    }
    [[nodiscard]] const std::optional<TxnRef>& current() const { return txn_; }
    [[nodiscard]] std::int32_t begun() const { return begun_; }
    /// The transaction that commit and abort are about: it may be over, and the call repeated.
    [[nodiscard]] std::optional<TxnRef> ending() const {
        return transition_ && transition_->txn ? transition_->txn : txn_;
    }
    [[nodiscard]] bool has_returned() const { return !returned_.empty(); }
    /// Part of the transaction, sorted: their batches may be drained.
    [[nodiscard]] const std::vector<LogId>& enrolled() const { return enrolled_; }
    /// Not part of it yet: to be asked for, or asked for.
    [[nodiscard]] std::vector<LogId> to_enrol() const;
    [[nodiscard]] TransactionVersion version() const { return version_; }

    friend bool operator==(const ProducerTransactions&, const ProducerTransactions&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(state_, last_error_, txn_, begun_, started_, bump_required_, queue_,
                        to_add_, adding_, enrolled_, offsets_, txn_coordinator_,
                        group_coordinator_, transition_, detour_, returned_, calls_);
    }

  private:
    enum class Verdict : std::uint8_t {
        done, again, look_up, fenced, fatal, abortable, recoverable,
    };
    [[nodiscard]] static Verdict judge(Request::Kind kind, ErrorCode error);
    /// Does what the verdict says about a request that was not done.
    void act(Verdict verdict, Request&& request, ErrorCode error);

    ProducerCall end(Instant now, TxnCall what);
    [[nodiscard]] bool in_error() const {
        return state_ == State::abortable_error || state_ == State::fatal_error;
    }
    [[nodiscard]] bool may_enter(State target) const;
    void enter(State target, ErrorCode error = ErrorCode::none);
    /// KIP-360 from the client's side: before TV2, and if the coordinator can (T14).
    [[nodiscard]] bool client_bumps() const {
        return coordinator_bumps_ && version_ < TransactionVersion::tv2;
    }
    void recover_or_die(ErrorCode error);
    void complete();

    void enqueue(Request request);
    void retry(Request&& request);
    void ask_for_coordinator(const Request& request);
    [[nodiscard]] Request add_partitions();
    [[nodiscard]] Request commit_offsets(std::int32_t call, GroupId group, const MemberRef& member,
                                         const std::vector<OffsetCommitRequest::Part>& offsets);

    Call& open_call(std::optional<Call>& slot, Instant now, TxnCall what);
    /// After a timed-out call: this one is its repetition, or out of turn until that came (T10).
    [[nodiscard]] std::optional<ProducerCall> repeated(Instant now, TxnCall what);
    /// Why no call but an abort is possible, if so (T3, T10).
    [[nodiscard]] std::optional<ErrorCode> out_of_turn() const;
    /// Ends whatever call waits for this request.
    void finish(const Request& request, ErrorCode error, Certainty certainty);
    void finish(std::optional<Call>& slot, ErrorCode error, Certainty certainty);

    TransactionVersion version_;
    bool coordinator_bumps_;
    Duration max_block_;
    ProcessId process_;
    State state_ = State::uninitialized;
    ErrorCode last_error_ = ErrorCode::none;
    std::optional<TxnRef> txn_;
    std::int32_t begun_;
    bool started_ = false;              ///< something was enrolled: EndTxn has to be sent (T8)
    bool bump_required_ = false;        ///< T13
    std::vector<Request> queue_;        ///< by priority, then age
    std::vector<LogId> to_add_;         ///< sorted; for the next AddPartitionsToTxn
    std::vector<LogId> adding_;         ///< sorted; asked for
    std::vector<LogId> enrolled_;       ///< sorted
    std::vector<OffsetCommitRequest::Part> offsets_;  ///< sorted; not accepted by the group yet
    std::optional<BrokerId> txn_coordinator_;
    std::optional<BrokerId> group_coordinator_;       ///< of whichever group was asked for last
    std::optional<Call> transition_;    ///< init, commit, abort: until it has returned for good
    std::optional<Call> detour_;        ///< enrol, send_offsets
    std::vector<Call> returned_;
    std::int32_t calls_ = 0;
};

}  // namespace eos::model
