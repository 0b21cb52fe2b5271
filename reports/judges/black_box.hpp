#pragma once
// The second judge: it knows only what clients saw (sends and their answers, polls), like the Jepsen
// kafka workload (anomalies.md section 1). Its verdict is compared with the ledger's in every run; a
// difference is itself a finding.

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <span>
#include <vector>

#include "reports/judges/ledger.hpp"

namespace eos::reports {

class BlackBoxJudge {
  public:
    explicit BlackBoxJudge(const JudgeConfig& config);

    void on(sim::Instant now, const model::SendDone& o);
    void on(sim::Instant now, const model::TxnEndReturned& o);
    void on(sim::Instant now, const model::Polled& o);
    void on(sim::Instant now, const model::Assigned& o);
    void on(sim::Instant now, const model::PositionSet& o);

    void conclude(const Ledger& ledger, Findings& findings);
    /// Whether a value stands at this offset for a reader, of committed data or of all.
    [[nodiscard]] bool stands(model::LogId log, model::Offset offset, bool for_committed) const {
        return views_[static_cast<std::size_t>(log.value)].counts(
            static_cast<std::size_t>(offset.value), for_committed);
    }
    /// Ledger id + 1 of what was seen at each offset of a log; 0: nothing (the order of versions).
    [[nodiscard]] std::span<const std::uint64_t> values(model::LogId log) const {
        return views_[static_cast<std::size_t>(log.value)].by_offset;
    }

  private:
    struct LogView {
        std::vector<std::uint64_t> by_offset;   ///< id + 1 as polled or acknowledged; 0: a gap
        std::vector<bool> polled;               ///< by offset
        std::int64_t inconsistent = 0;
        std::vector<std::pair<std::uint64_t, std::optional<model::Offset>>> acked;
        bool read = false;
        /// Polls of one reader that went on behind its last one: [expected, first).
        struct Jump {
            std::int64_t expected = 0;
            std::int64_t first = 0;
            bool committed = false;             ///< of a reader that wants committed data
        };
        std::vector<Jump> jumps;
        std::vector<bool> read_committed;       ///< by offset: given to a reader that wants that
        std::vector<bool> promised;             ///< by offset: acknowledged, if in one, by its commit
        /// A reader of committed data passes over what is neither read so nor promised.
        [[nodiscard]] bool counts(std::size_t offset, bool for_committed) const;
    };
    struct SessionKey {
        model::ProcessId process;
        std::int32_t session = 0;
        model::LogId log;
        friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
    };
    struct ReaderKey {
        model::ProcessId process;
        model::LogId log;
        friend auto operator<=>(const ReaderKey&, const ReaderKey&) = default;
    };
    void note(LogView& view, model::Offset offset, std::uint64_t id, bool polled);
    void acknowledged(const model::SendDone& o);

    JudgeConfig config_;
    std::vector<LogView> views_;
    std::map<SessionKey, std::map<std::int64_t, model::Offset>> sends_;  ///< by order
    std::map<ReaderKey, std::int64_t> next_;  ///< expected offset; forgotten on reassignment or seek
    /// Sends of transactions whose end was not reported yet: nothing "must have committed".
    std::map<model::TxnRef, std::vector<model::SendDone>> undecided_;
    std::vector<std::pair<model::LogId, model::Offset>> aborted_;  ///< their ends were reported so
    BlackBoxCounts counts_;
};

}  // namespace eos::reports
