#pragma once
// One member of a KIP-848 group as its client sees it (K1-K10; ConsumerMembershipManager and
// ConsumerHeartbeatRequestManager): state, member epoch, what it owns and what it shall own. It
// says what is due and what an answer means; the consumer sends, commits and runs the callbacks.
//
//   unsubscribed --poll--> joining --answer--> reconciling --callbacks--> acknowledging
//        ^                  ^  ^                 ^    |                         | heartbeat
//        |        rejoin    |  |                 '----+------ new target -------+
//        |  fenced ---------'  '--- stale        stable <-----------------------'
//        |  (any member)            ^ no poll
//        '-- leaving <--- prepare_leaving <--- unsubscribe, close               fatal: the end

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/classic_member.hpp"
#include "model/config.hpp"
#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/safeguards.hpp"
#include "sim/time.hpp"

namespace eos::model {

enum class MembershipState : std::uint8_t {
    unsubscribed,
    joining,
    reconciling,
    acknowledging,
    stable,
    fenced,
    prepare_leaving,
    leaving,
    stale,
    fatal,
};
/// "PREPARE_LEAVING": Kafka's spelling.
[[nodiscard]] std::string_view name(MembershipState state);

class ModernMembership {
  public:
    /// `id`: drawn by the client, kept for its life (KIP-1082).
    ModernMembership(std::shared_ptr<const ConsumerConfig> config, MemberId id);

    // --- asking ----------------------------------------------------------------------------------
    [[nodiscard]] MembershipState state() const { return state_; }
    [[nodiscard]] std::int32_t epoch() const { return epoch_; }
    [[nodiscard]] const std::vector<LogId>& owned() const { return owned_; }
    /// Neither joined nor about to: there is nothing to say to the coordinator.
    [[nodiscard]] bool outside() const;
    /// Who speaks (K10): without a generation while there is no member epoch.
    [[nodiscard]] MemberRef ref() const;
    /// An error for the application's next poll(); forgotten once taken.
    [[nodiscard]] std::optional<ErrorCode> take_failure();

    // --- the application's thread ----------------------------------------------------------------
    /// In poll(): a fresh subscriber joins, a stale member joins again (K6).
    void polled(sim::Instant now);
    /// unsubscribe() and close(): gives up what is owned, then says farewell.
    void leave();
    /// The coordinator is unknown: whoever leaves does so without a word.
    void no_coordinator();

    /// A callback that poll() has to run; they are run in order.
    struct Callback {
        enum class Kind : std::uint8_t { revoked, assigned, lost };
        Kind kind = Kind::assigned;
        std::vector<LogId> logs;  ///< given up, or newly owned; owned() has the whole assignment
        friend bool operator==(const Callback&, const Callback&) = default;
    };
    [[nodiscard]] const std::vector<Callback>& callbacks() const { return callbacks_; }
    /// The first callback of that kind has returned.
    void callback_done(Callback::Kind kind);

    // --- reconciliation (K4) ---------------------------------------------------------------------
    /// What the coordinator wants it to own and it has not taken yet; empty: nothing is new.
    [[nodiscard]] std::vector<LogId> wanted() const;
    /// Those of them, sorted, whose topics the client has no metadata of: an assignment names
    /// topics by id, and these have no name yet. They wait; the rest is reconciled without them.
    void unresolved(std::vector<LogId> logs);
    /// The target differs, there is metadata for what differs, and nothing is being reconciled.
    [[nodiscard]] bool reconcile_due() const;
    /// Begins: the logs to be given up. They must not be read any more, their offsets are committed
    /// if the consumer does so by itself; then committed().
    [[nodiscard]] std::vector<LogId> reconcile(Guard& guard);
    void committed();

    // --- the background thread -------------------------------------------------------------------
    enum class Beat : std::uint8_t { rest, send };
    /// The poll timer may expire here, then the member leaves (K6).
    [[nodiscard]] Beat beat(sim::Instant now);
    [[nodiscard]] sim::Instant beat_due() const;
    /// The heartbeat that leaves now; what is told has an effect on the state (K2, K3).
    [[nodiscard]] ConsumerGroupHeartbeatRequest request(sim::Instant now,
                                                        const std::vector<TopicId>& subscription);
    /// Counts the requests; an answer to an older one than the last is not listened to.
    [[nodiscard]] std::int32_t serial() const { return serial_; }
    [[nodiscard]] CoordinatorVerdict answered(sim::Instant now, std::int32_t serial,
                                              const ConsumerGroupHeartbeatResponse& answer,
                                              Duration backoff);
    /// No answer came.
    void beat_failed(sim::Instant now, std::int32_t serial, Duration backoff);
    [[nodiscard]] std::int32_t failures() const { return failures_; }

    /// O11: the same verdicts as for a classic member. A stale epoch is no fence (K10).
    [[nodiscard]] static ClassicMember::CommitVerdict commit_refused(ErrorCode error);

    friend bool operator==(const ModernMembership&, const ModernMembership&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(id_, state_, epoch_, owned_, current_, target_, target_epoch_, unresolved_,
                        resolving_, phase_, abandoned_, callbacks_, told_, beat_in_flight_,
                        beat_at_, heartbeat_interval_, retry_at_, failures_, serial_,
                        poll_deadline_, poll_expired_, rejoin_after_lost_, failure_);
    }

  private:
    /// An assignment and which one it is: the same logs given again are another assignment.
    struct Local {
        std::int32_t number = 0;
        std::vector<LogId> logs;
        friend bool operator==(const Local&, const Local&) = default;
    };
    /// What the coordinator was told last; none of it after an error (K3).
    struct Told {
        Duration rebalance_timeout{};
        std::vector<TopicId> subscription;
        std::vector<LogId> owned;
        std::optional<ServerAssignor> assignor;
        friend bool operator==(const Told&, const Told&) = default;
    };
    enum class Phase : std::uint8_t { idle, committing, revoking, assigning };

    [[nodiscard]] bool joined() const;
    [[nodiscard]] bool reconciled() const { return current_ && current_ == target_; }
    [[nodiscard]] std::vector<LogId> resolved() const;
    [[nodiscard]] bool abort_reconciliation();
    void assign();
    void join();
    void fence();
    void lose();
    void send_farewell();
    void take_assignment(std::vector<LogId> logs);
    void fail(ErrorCode error);
    [[nodiscard]] CoordinatorVerdict refused(sim::Instant now, ErrorCode error, Duration backoff);

    std::shared_ptr<const ConsumerConfig> config_;
    MemberId id_;
    MembershipState state_ = MembershipState::unsubscribed;
    std::int32_t epoch_ = 0;
    std::vector<LogId> owned_;      ///< what the application holds, sorted
    std::optional<Local> current_;  ///< the last assignment reconciled
    std::optional<Local> target_;
    std::int32_t target_epoch_ = 0;  ///< numbers the targets
    std::vector<LogId> unresolved_;  ///< of the target: waits for metadata
    std::optional<Local> resolving_;
    Phase phase_ = Phase::idle;
    bool abandoned_ = false;  ///< it rejoined while it reconciled
    std::vector<Callback> callbacks_;
    std::optional<Told> told_;
    bool beat_in_flight_ = false;
    sim::Instant beat_at_{};
    Duration heartbeat_interval_{};  ///< as the coordinator says
    sim::Instant retry_at_{};
    std::int32_t failures_ = 0;
    std::int32_t serial_ = 0;
    sim::Instant poll_deadline_ = sim::time_never;
    bool poll_expired_ = false;
    bool rejoin_after_lost_ = false;  ///< stale, and polled before the callback had run
    std::optional<ErrorCode> failure_;
};

}  // namespace eos::model
