#pragma once
// What an application and a store say to each other: one request and one answer for all statements,
// as one socket carries them. A session is a connection; its transaction lives on the server.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/records.hpp"
#include "model/store_config.hpp"

namespace eos::model {

enum class Statement : std::uint8_t {
    write,         ///< effects, one per row
    claim,         ///< identities alone, one per row
    look_up,       ///< which identities are known; takes no lock
    write_offset,  ///< the next offset to read, per log (N6)
    read_offset,   ///< the committed ones
    fence,         ///< writes the fencing token, refused by a greater one (S17)
    prepare,       ///< makes the session's transaction durable under an id, undecided (N7)
    commit,
    rollback,
    decide,   ///< commits or rolls back a prepared transaction, from any session
    recover,  ///< the prepared transactions of a group's logs
};
inline constexpr std::size_t statement_count = 11;
[[nodiscard]] std::string_view name(Statement statement);

/// Names an effect within the tables of one application.
struct EffectKey {
    IdentityKind kind = IdentityKind::event;
    std::uint64_t a = 0;
    std::int64_t b = 0;
    friend constexpr auto operator<=>(const EffectKey&, const EffectKey&) = default;
};

/// One record on its way into a store.
struct StoreRow {
    Record record;
    LogId log{-1};
    Offset offset;
    std::optional<EffectKey> key;
    friend bool operator==(const StoreRow&, const StoreRow&) = default;
};

/// The name of a prepared transaction: who, and the how-manieth of that process.
struct TransactionName {
    ProcessId process;
    std::int64_t number = 0;
    friend constexpr auto operator<=>(const TransactionName&, const TransactionName&) = default;
};

struct StorePart {
    LogId log;
    Offset offset;  ///< the next to read
    friend bool operator==(const StorePart&, const StorePart&) = default;
};

struct StoreRequest {
    Statement statement = Statement::write;
    std::int32_t attempt = 1;
    ProcessId process;
    GroupId group{-1};
    /// The first over its connection. `sent_before`: how many went over the one before, none:
    /// nobody knows, the process is new. Stands for what ends that connection behind the last of
    /// them.
    bool opens = false;
    std::optional<std::int32_t> sent_before = {};
    /// The first of a transaction: BEGIN goes with it, as drivers do it.
    bool begins = false;
    /// In a transaction of its own, whatever the session has open.
    bool alone = false;
    EffectKind effect = EffectKind::insert;
    std::vector<StoreRow> rows;
    std::vector<StorePart> parts;              ///< offsets, or the logs that are fenced
    std::optional<Generation> token;           ///< fencing token that goes with the statement
    std::optional<TransactionName> name = {};  ///< prepare, decide
    bool commits = true;                       ///< decide
    std::int32_t rounds = 1;  ///< quorum round trips it takes inside the store (S9)
    friend bool operator==(const StoreRequest&, const StoreRequest&) = default;
};
struct StoreResponse {
    Statement statement = Statement::write;
    ErrorCode error = ErrorCode::none;
    std::vector<std::uint8_t> fresh = {};  ///< per row: 1 if its identity was not known
    std::vector<StorePart> parts = {};     ///< read_offset: those that have one
    struct InDoubt {
        TransactionName name;
        std::vector<StorePart> parts;
        friend bool operator==(const InDoubt&, const InDoubt&) = default;
    };
    std::vector<InDoubt> in_doubt = {};  ///< recover
    friend bool operator==(const StoreResponse&, const StoreResponse&) = default;
};

}  // namespace eos::model
