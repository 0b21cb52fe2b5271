#pragma once
// Operations as Jepsen and Elle see them: what a process did as one - a transaction, or a poll and
// the sends that followed it, or a send alone - with what it read and wrote (anomalies.md, sections
// 1 and 2). Made from what clients saw and nothing else. Within operations it counts skips and
// steps back; between them it looks for cycles, which is information: a cycle of writes is normal
// in Kafka, whose read_committed is weaker than Elle's. Only reading each other in a circle is
// excluded, between transactions that read committed data; that is held against the truth.

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "reports/judges/black_box.hpp"

namespace eos::reports {

struct Operation {
    enum class Outcome : std::uint8_t { open, ok, failed, unknown };
    struct Read {
        model::LogId log;
        model::Offset first;
        std::int32_t count = 0;
        bool afresh = false;  ///< assigned or positioned since the read before
    };
    struct Write {
        model::LogId log;
        model::RecordId record;
        std::optional<model::Offset> offset;
    };

    model::ProcessId process;
    std::int32_t number = 0;  ///< of its process, from 1
    std::optional<model::TxnRef> txn;
    Outcome outcome = Outcome::open;
    bool committed_reads = false;
    sim::Instant began{};
    sim::Instant ended{};
    std::vector<Read> reads;
    std::vector<Write> writes;
};

/// How one operation depends on another: `to` comes behind `from`.
struct DependencyEdge {
    std::size_t from = 0;
    std::size_t to = 0;
    Dependency kind = Dependency::ww;
    model::LogId log{-1};
    model::Offset offset;
};

/// Counts the strong components that hold a cycle of each kind, and gives the shortest cycle of
/// each. `edges` without realtime, which is read off the operations' times.
void find_cycles(const std::vector<Operation>& operations, std::vector<DependencyEdge> edges,
                 BlackBoxCounts& counts, std::vector<Cycle>& cycles);

class OperationJudge {
  public:
    explicit OperationJudge(const JudgeConfig& config) : config_(config) {}

    void on(sim::Instant now, const model::TxnInitialised& o);
    void on(sim::Instant now, const model::TxnBegan& o);
    void on(sim::Instant now, const model::TxnEndReturned& o);
    void on(sim::Instant now, const model::SendInvoked& o);
    void on(sim::Instant now, const model::SendDone& o);
    void on(sim::Instant now, const model::Polled& o);
    void on(sim::Instant now, const model::Assigned& o);
    void on(sim::Instant now, const model::PositionSet& o);

    /// After the black box has concluded, whose order of versions is used.
    void conclude(const BlackBoxJudge& box, Findings& findings);

  private:
    struct Process {
        std::optional<std::size_t> current;
        std::int32_t operations = 0;
        sim::Instant last_ended{};
        std::optional<sim::Instant> polled_at;  ///< of the current operation
        std::map<model::LogId, bool> afresh;    ///< logs not read since they were placed
    };
    struct Sent {
        std::size_t operation = 0;
        std::size_t write = 0;
    };
    using SendKey = std::tuple<model::ProcessId, std::int32_t, std::int64_t>;
    /// For each observed offset of a log, in order: where, and which operation wrote it, if known.
    struct Version {
        model::Offset offset;
        std::optional<std::size_t> writer;
        /// Values before it, and of those the ones that a reader of committed data is given.
        std::int64_t index = 0;
        std::int64_t committed_index = 0;
    };
    using Versions = std::vector<Version>;

    Operation& open(sim::Instant now, model::ProcessId process);
    void close(sim::Instant now, Process& process, Operation::Outcome outcome);
    [[nodiscard]] std::vector<Versions> versions(const BlackBoxJudge& box) const;
    void judge_within(const std::vector<Versions>& versions, BlackBoxCounts& counts) const;
    [[nodiscard]] std::vector<DependencyEdge> edges(const std::vector<Versions>& versions) const;
    void compare(const BlackBoxCounts& counts, Findings& findings) const;

    JudgeConfig config_;
    std::vector<Operation> operations_;
    std::map<model::ProcessId, Process> processes_;
    std::map<model::TxnRef, std::size_t> transactions_;
    std::map<SendKey, Sent> sent_;
};

}  // namespace eos::reports
