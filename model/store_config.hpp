#pragma once
// What a store is and what is asked of it, as settings and as words (language.md 3 "Stores", 4.1
// row `sink`; pipelines-and-sinks.md section 2). Plain data.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/ids.hpp"
#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::model {

enum class StoreKind : std::uint8_t {
    sql,   ///< transactions, unique keys with lock waits, prepared transactions
    kv,    ///< last write wins by timestamp, counters, compare-and-set (N13..N16)
    http,  ///< calls with an idempotency key (N10..N12, S7)
};

/// What a row that is written does.
enum class EffectKind : std::uint8_t {
    insert,            ///< a row of its own (N1, N4)
    add,               ///< x = x + d of the record's key (N1, N15)
    put,               ///< the value of the record's key is overwritten (N2, N13)
    put_if_newer,      ///< only by a greater offset (N3)
    insert_if_absent,  ///< a row unless its identity is there (N16)
    call,              ///< one HTTP call (N10)
};
[[nodiscard]] std::string_view name(EffectKind effect);

/// The key that names an effect (X2).
enum class IdentityKind : std::uint8_t {
    none,
    offset,  ///< topic, partition, offset: knows redelivery, not what the producer wrote twice (S1)
    event,   ///< the event's own id
    business,  ///< the record's key: two events of one key are one effect
    random,    ///< drawn for every attempt: protects from nothing (N12)
};
[[nodiscard]] std::string_view name(IdentityKind identity);

/// When the identity is looked up.
enum class Checked : std::uint8_t {
    with_effect,  ///< by the statement that makes the effect
    before,       ///< claimed first, in a transaction of its own (N9: key set first)
    after,        ///< looked up first, set when the effect is committed (N9: key set last)
};

enum class OnDuplicate : std::uint8_t { ignore, stored_reply, error };
enum class InFlight : std::uint8_t { block, conflict };
enum class KeepAnswers : std::uint8_t { all, success };
enum class WriteTime : std::uint8_t { record, now };

struct StoreConfig {
    std::string name;
    StoreId id;
    StoreKind kind = StoreKind::sql;
    sim::Spread latency;                    ///< one way, of every link that ends here
    sim::Duration work{1'000'000};          ///< per statement, or per call
    std::optional<sim::Duration> remember;  ///< of identities; none: for ever (S6)
    OnDuplicate on_duplicate = OnDuplicate::ignore;
    InFlight in_flight = InFlight::block;      ///< http: a known key whose call still runs
    KeepAnswers keep = KeepAnswers::all;       ///< http: which answers are stored (S7)
    WriteTime timestamps = WriteTime::record;  ///< kv
    std::optional<sim::Duration>
        in_doubt;  ///< sql: prepared for longer is rolled back; none: never
    /// A transaction without a statement for so long is rolled back, as by PostgreSQL's
    /// idle_in_transaction_session_timeout.
    sim::Duration idle_transaction = sim::seconds(5);
    sim::Duration lock_timeout = sim::seconds(10);  ///< PostgreSQL's lock_timeout
    friend bool operator==(const StoreConfig&, const StoreConfig&) = default;
};

}  // namespace eos::model
