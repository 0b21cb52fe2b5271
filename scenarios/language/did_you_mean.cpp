// Suggestions for misspelt words.

#include <algorithm>
#include <array>
#include <vector>

#include "scenarios/language/tables.hpp"

namespace eos::scenarios {
namespace {

/// Words people bring along from elsewhere; distance cannot bridge them.
struct Synonym {
    std::string_view given, meant;
};
constexpr std::array synonyms{
    Synonym{"invariants", "expect"},
    Synonym{"assertions", "expect"},
    Synonym{"asserts", "expect"},
    Synonym{"expectations", "expect"},
    Synonym{"checks", "expect"},
    Synonym{"nemesis", "faults"},
    Synonym{"chaos", "faults"},
    Synonym{"failures", "faults"},
    Synonym{"events", "faults"},
    Synonym{"applications", "apps"},
    Synonym{"clients", "apps"},
    Synonym{"services", "apps"},
    Synonym{"description", "about"},
    Synonym{"title", "name"},
    Synonym{"version", "eosim"},
    Synonym{"links", "refs"},
    Synonym{"exactly_once_v2", "exactly-once"},
    Synonym{"eos", "exactly-once"},
    Synonym{"amo", "at-most-once"},
    Synonym{"alo", "at-least-once"},
    Synonym{"default", "client-defaults"},
    Synonym{"on", "when"},
    Synonym{"trigger", "when"},
    Synonym{"action", "do"},
    Synonym{"type", "kind"},
    Synonym{"kill", "crash"},
    Synonym{"freeze", "pause"},
    Synonym{"suspend", "pause"},
    Synonym{"lose", "drop"},
    Synonym{"dup", "duplicate"},
    Synonym{"cut", "isolate"},
    Synonym{"split", "partition"},
    Synonym{"duration", "for"},
    Synonym{"probability", "chance"},
    Synonym{"count", "times"},
    Synonym{"nodes", "brokers"},
    Synonym{"replication_factor", "replication"},
    Synonym{"min_isr", "min_insync"},
    Synonym{"input", "from"},
    Synonym{"output", "to"},
    Synonym{"topic", "to"},
    Synonym{"subscribe", "from"},
    Synonym{"expire-producer-ids", "expire-producers"},
    Synonym{"NOT_LEADER", "NOT_LEADER_OR_FOLLOWER"},
    Synonym{"NOT_LEADER_FOR_PARTITION", "NOT_LEADER_OR_FOLLOWER"},
    Synonym{"zero", "none"},
    Synonym{"yes", "true"},
    Synonym{"no", "false"},
    Synonym{"on", "true"},
    Synonym{"off", "false"},
    Synonym{"acks_all", "acks"},
};

/// minInsync, min-insync and MIN_INSYNC are one word.
std::string folded(std::string_view text) {
    std::string result;
    for (const char c : text)
        if (c != '_' && c != '-' && c != '.' && c != ' ')
            result += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    return result;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Optimal string alignment: insert, delete, replace, swap neighbours.
    std::vector<std::vector<std::size_t>> rows(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            rows[i][j] =
                std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + differs});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    return rows[a.size()][b.size()];
}

std::optional<std::string> did_you_mean(std::string_view given,
                                        std::span<const std::string_view> candidates) {
    constexpr std::size_t longest_word = 64;
    if (given.empty() || given.size() > longest_word) return std::nullopt;
    const auto offered = [&](std::string_view word) {
        return std::find(candidates.begin(), candidates.end(), word) != candidates.end();
    };
    for (const auto& synonym : synonyms)
        if (synonym.given == given && offered(synonym.meant)) return std::string(synonym.meant);
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(1, given.size() / 3) + 1;
    for (const auto candidate : candidates) {
        if (candidate.empty() || candidate.size() > longest_word || candidate == given) continue;
        const auto distance =
            folded(candidate) == folded(given) ? 0 : edit_distance(given, candidate);
        if (distance < best_distance || (distance == best_distance && best && candidate < *best)) {
            best = candidate;
            best_distance = distance;
        }
    }
    if (!best) return std::nullopt;
    return std::string(*best);
}

}  // namespace eos::scenarios
