#pragma once
// What an application's thread has in its hands while it writes into stores: the rows of the step,
// the transaction it is in, the partitions whose place it has to look up. Part of Application.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "model/store_messages.hpp"
#include "sim/time.hpp"

namespace eos::model {

struct StoreWork {
    /// What the call under way is for.
    enum class Phase : std::uint8_t {
        none,
        claim,         ///< the step claim
        claim_before,  ///< checked: before
        look_up,       ///< checked: after
        effect,
        remember,  ///< checked: after, the effects are committed
        offset,
        prepare,
        end,      ///< commit or rollback
        give_up,  ///< of a transaction that may be prepared
        fence,
        place,
        recover,
        decide,  ///< after partitions were assigned
    };
    Phase phase = Phase::none;
    StoreRequest asked;                  ///< the call under way
    std::optional<StoreRequest> again;   ///< to be made when the backoff is over
    std::vector<StoreRow> rows;          ///< of the write under way
    std::size_t next = 0;                ///< the one under way, where rows go one by one
    bool begun = false;                  ///< db_begin: BEGIN goes with the next statement
    bool in_transaction = false;         ///< a statement was made in it
    std::vector<StoreRow> unremembered;  ///< checked: after
    std::optional<std::set<std::pair<LogId, Offset>>> claimed;  ///< the step claim found these new
    std::optional<TransactionName> prepared;
    bool surely_prepared = false;
    std::int64_t transactions = 0;  ///< names given, of this life
    std::uint64_t draws = 0;        ///< random identities so far
    std::int32_t attempts = 0;      ///< failed ones of the present call
    std::optional<sim::Instant> failing_since;
    // Partitions whose start is to be found in the store, and what is found.
    std::set<LogId> unplaced;
    std::map<LogId, Offset> starts;
    std::vector<StoreResponse::InDoubt> in_doubt;
    std::optional<Generation> token;  ///< of the group when the records were polled

    void begin_loop() {
        rows.clear();
        next = 0;
        begun = in_transaction = false;
        unremembered.clear();
        claimed.reset();
        phase = Phase::none;
        again.reset();
    }
    /// Names and draws go on, so that nothing is named twice in one life.
    [[nodiscard]] StoreWork of_new_clients() const {
        StoreWork fresh;
        fresh.transactions = transactions;
        fresh.draws = draws;
        return fresh;
    }
    friend bool operator==(const StoreWork&, const StoreWork&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(phase, asked, again, rows, next, begun, in_transaction, unremembered,
                        claimed, prepared, surely_prepared, transactions, draws, attempts,
                        failing_since, unplaced, starts, in_doubt, token);
    }
};

}  // namespace eos::model
