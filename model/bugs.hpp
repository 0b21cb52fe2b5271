#pragma once
// Historical bugs by the name of their ticket. A bug is what a release lacked: safeguards, an older
// transaction version where newer ones cannot have it, or an error of the application. What each of
// them does is written at the call site of its safeguard; the library file shows it, held and
// caught.

#include <optional>
#include <span>
#include <string_view>

#include "model/ids.hpp"
#include "model/safeguards.hpp"

namespace eos::model {

struct BugEntry {
    std::string_view name;               ///< as tickets are called: "KAFKA-1211"
    Side side;                           ///< cluster.bugs or apps.NAME.bugs
    std::span<const Safeguard> removes;  ///< may be empty: then one of the last two is given
    std::string_view claim;              ///< one sentence: what goes wrong
    std::string_view versions;           ///< who had it
    std::string_view window;             ///< what must come together for it to show
    std::string_view scenario;           ///< the library file that shows it
    /// The newest transaction version that can have it; none: all.
    std::optional<TransactionVersion> newest = std::nullopt;
    /// The coding error it consists of (a word of `mistakes`); none: it is not the application's.
    std::string_view mistake = {};
};

/// In the order of the catalogue: cluster's logs, transactions, groups; clients; other brokers.
[[nodiscard]] std::span<const BugEntry> bugs();
/// Null if there is none of that name.
[[nodiscard]] const BugEntry* bug(std::string_view name);

}  // namespace eos::model
