#pragma once
// What a store holds durably: which effects it knows by identity, the value of each key, the
// offsets and fencing tokens kept beside them, prepared transactions. It survives a crash; open
// transactions and locks (store_sessions.hpp) do not.

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "model/store_messages.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

/// One thing that can be locked: an identity, a row, an offset, a token. Each application has
/// tables of its own for what it writes; offsets and tokens are a group's.
struct Cell {
    enum class Table : std::uint8_t {
        by_offset,
        by_event,
        by_business,
        by_random,
        row,
        offset,
        token,
    };
    Table table = Table::row;
    std::int32_t owner = 0;  ///< an application; of offsets and tokens a group
    std::uint64_t a = 0;
    std::int64_t b = 0;
    friend constexpr auto operator<=>(const Cell&, const Cell&) = default;
};
[[nodiscard]] Cell identity_cell(AppId app, const EffectKey& key);
[[nodiscard]] Cell row_cell(AppId app, const Record& record);
[[nodiscard]] Cell offset_cell(GroupId group, LogId log);
[[nodiscard]] Cell token_cell(GroupId group, LogId log);

/// One thing a transaction will have done when it commits.
struct Change {
    enum class Kind : std::uint8_t { effect, identity, offset, token };
    Kind kind = Kind::effect;
    ProcessId process;
    GroupId group{-1};
    Cell cell;  ///< of an identity, an offset or a token
    EffectKind effect = EffectKind::insert;
    StoreRow row;            ///< of an effect
    std::int64_t value = 0;  ///< offset or token
    friend bool operator==(const Change&, const Change&) = default;
};

/// A transaction that is durable and undecided (XA: prepared).
struct Prepared {
    ProcessId process;
    GroupId group{-1};
    std::vector<StorePart> parts;  ///< the offsets it stands for
    std::vector<Change> changes;
    std::int64_t number = 0;  ///< of this store, for its timer
    friend bool operator==(const Prepared&, const Prepared&) = default;
};

class StoreTables {
  public:
    /// What is known of an identity.
    struct Known {
        sim::Instant since{};
        ErrorCode answer = ErrorCode::none;  ///< http: what is answered again
        friend bool operator==(const Known&, const Known&) = default;
    };
    /// The value of a key.
    struct Row {
        Record record;
        LogId log{-1};
        Offset offset;
        std::int64_t stamp = 0;  ///< kv: the write's timestamp
        friend bool operator==(const Row&, const Row&) = default;
    };

    explicit StoreTables(std::shared_ptr<const StoreConfig> config);

    /// Looks an identity up; one that is older than `remember` is forgotten first, and `expired`
    /// set.
    [[nodiscard]] const Known* known(const Cell& cell, sim::Instant now, bool& expired);
    void remember(const Cell& cell, sim::Instant now, ErrorCode answer);
    [[nodiscard]] std::optional<Offset> offset(const Cell& cell) const;
    [[nodiscard]] std::optional<Generation> token(const Cell& cell) const;

    /// Carries a transaction's changes out and tells the history.
    void apply(const Context& ctx, const std::vector<Change>& changes, Fx& fx);

    // Prepared transactions, by name; and how those ended that are over.
    std::map<TransactionName, Prepared> prepared;
    std::map<TransactionName, bool> decided;  ///< true: committed

    [[nodiscard]] std::size_t identities() const { return identities_.size(); }
    [[nodiscard]] const std::map<Cell, Row>& rows() const { return rows_; }
    [[nodiscard]] std::int64_t effects() const { return effects_; }

    friend bool operator==(const StoreTables&, const StoreTables&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(prepared, decided, identities_, rows_, offsets_, tokens_, effects_);
    }

  private:
    [[nodiscard]] bool put(const Context& ctx, const Change& change);

    std::shared_ptr<const StoreConfig> config_;
    std::map<Cell, Known> identities_;
    std::map<Cell, Row> rows_;
    std::map<Cell, Offset> offsets_;
    std::map<Cell, Generation> tokens_;
    std::int64_t effects_ = 0;
};

}  // namespace eos::model
