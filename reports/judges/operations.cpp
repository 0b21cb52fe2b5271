#include "reports/judges/operations.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace eos::reports {
namespace {

using model::Jepsen;
using Outcome = Operation::Outcome;

/// Where in the order the first value at or behind an offset stands.
template <class Versions>
std::size_t place_of(const Versions& versions, model::Offset offset) {
    const auto found = std::partition_point(versions.begin(), versions.end(),
                                            [&](const auto& v) { return v.offset < offset; });
    return static_cast<std::size_t>(found - versions.begin());
}
/// How many values lie before an offset, for a reader of committed data or of all.
template <class Versions>
std::int64_t index_of(const Versions& versions, model::Offset offset, bool committed = false) {
    if (versions.size() < 2) return 0;  // the last one only closes the order
    const auto place = std::min(place_of(versions, offset), versions.size() - 1);
    return committed ? versions[place].committed_index : versions[place].index;
}

}  // namespace

// --- what a process does as one ------------------------------------------------------------------

Operation& OperationJudge::open(sim::Instant now, model::ProcessId id) {
    auto& process = processes_[id];
    if (!process.current) {
        process.current = operations_.size();
        process.polled_at.reset();
        Operation next;
        next.process = id;
        next.number = ++process.operations;
        next.began = next.ended = now;
        next.committed_reads = config_.apps[static_cast<std::size_t>(id.app.value)].wants_committed;
        operations_.push_back(std::move(next));
    }
    return operations_[*process.current];
}

void OperationJudge::close(sim::Instant now, Process& process, Outcome outcome) {
    if (!process.current) return;
    auto& operation = operations_[*process.current];
    // A transaction whose end nobody reported (its process died) is nobody's knowledge.
    if (operation.outcome == Outcome::open)
        operation.outcome = operation.txn ? Outcome::unknown : outcome;
    operation.ended = std::max(operation.ended, now);
    process.last_ended = now;
    process.current.reset();
}

// A new client: what its predecessor had open it does not go on with.
void OperationJudge::on(sim::Instant, const model::TxnInitialised& o) {
    auto& process = processes_[o.process];
    if (process.current) close(operations_[*process.current].ended, process, Outcome::unknown);
}

// What was polled before the transaction began, and not used yet, is what it will process.
void OperationJudge::on(sim::Instant now, const model::TxnBegan& o) {
    auto& process = processes_[o.process];
    if (process.current && !operations_[*process.current].writes.empty())
        close(now, process, Outcome::ok);
    auto& operation = open(now, o.process);
    operation.txn = o.txn;
    transactions_[o.txn] = *process.current;
}

void OperationJudge::on(sim::Instant now, const model::TxnEndReturned& o) {
    const auto found = transactions_.find(o.txn);
    if (found == transactions_.end()) return;
    auto& operation = operations_[found->second];
    const bool commit = o.result == model::ControlType::commit;
    if (o.error != model::ErrorCode::none)
        operation.outcome = Outcome::unknown;
    else
        operation.outcome = commit ? Outcome::ok : Outcome::failed;
    auto& process = processes_[o.process];
    if (process.current == found->second) close(now, process, operation.outcome);
}

void OperationJudge::on(sim::Instant now, const model::SendInvoked& o) {
    auto& process = processes_[o.process];
    const bool plain = !o.txn;
    // A producer that never polls does each send for itself.
    if (plain && process.current && operations_[*process.current].reads.empty())
        close(now, process, Outcome::ok);
    std::size_t index = 0;
    if (const auto found = o.txn ? transactions_.find(*o.txn) : transactions_.end();
        found != transactions_.end()) {
        index = found->second;
    } else {
        open(now, o.process);
        index = *process.current;
    }
    auto& writes = operations_[index].writes;
    sent_[{o.process, o.session, o.order}] = {index, writes.size()};
    writes.push_back({o.log, o.record.id, {}});
}

void OperationJudge::on(sim::Instant now, const model::SendDone& o) {
    const auto found = sent_.find({o.process, o.session, o.order});
    if (found == sent_.end()) return;
    auto& operation = operations_[found->second.operation];
    if (o.error == model::ErrorCode::none) {
        operation.writes[found->second.write].offset = o.offset;
    } else if (!operation.txn) {
        const bool alone = operation.writes.size() == 1 && operation.reads.empty();
        operation.outcome =
            alone && o.certainty == model::Certainty::not_done ? Outcome::failed : Outcome::unknown;
    }
    if (!operation.txn) operation.ended = std::max(operation.ended, now);
    sent_.erase(found);
}

void OperationJudge::on(sim::Instant now, const model::Polled& o) {
    auto& process = processes_[o.process];
    const bool in_transaction = process.current && operations_[*process.current].txn;
    // Logs of one poll are told one by one, at one time.
    if (!in_transaction && process.polled_at != now)
        close(process.last_ended, process, Outcome::ok);
    const auto since = process.last_ended;
    const bool begins = !process.current;
    auto& operation = open(now, o.process);
    if (begins) operation.began = since;  // the call was made some time before
    if (!operation.txn) operation.ended = now;
    process.polled_at = now;
    operation.reads.push_back(
        {o.log, o.base + o.first, o.count, std::exchange(process.afresh[o.log], false)});
}

void OperationJudge::on(sim::Instant, const model::Assigned& o) {
    auto& afresh = processes_[o.process].afresh;
    for (auto& [log, flag] : afresh) flag = true;
    for (const auto log : o.logs) afresh[log] = true;
}
void OperationJudge::on(sim::Instant, const model::PositionSet& o) {
    processes_[o.process].afresh[o.log] = true;
}

// --- judgement -----------------------------------------------------------------------------------

std::vector<OperationJudge::Versions> OperationJudge::versions(const BlackBoxJudge& box) const {
    // A record sent by several operations has no known writer unless an answer told the offset.
    std::map<std::pair<model::LogId, model::RecordId>, std::set<std::size_t>> senders;
    std::map<std::pair<model::LogId, model::Offset>, std::size_t> told;
    for (std::size_t i = 0; i < operations_.size(); ++i)
        for (const auto& write : operations_[i].writes) {
            senders[{write.log, write.record}].insert(i);
            if (write.offset) told[{write.log, *write.offset}] = i;
        }
    const auto& topology = *config_.topology;
    std::vector<Versions> result(topology.logs.size());
    for (std::size_t l = 0; l < result.size(); ++l) {
        const auto topic = topology.logs[l].topic;
        if (topology.topics[static_cast<std::size_t>(topic.value)].internal) continue;
        const model::LogId log{static_cast<std::int32_t>(l)};
        const auto values = box.values(log);
        std::int64_t all = 0;
        std::int64_t committed = 0;
        for (std::size_t o = 0; o < values.size(); ++o) {
            if (values[o] == 0) continue;
            Version version{{static_cast<std::int64_t>(o)}, {}, all, committed};
            const auto by_answer = told.find({log, version.offset});
            const auto by_record = senders.find({log, {values[o] - 1}});
            if (by_answer != told.end())
                version.writer = by_answer->second;
            else if (by_record != senders.end() && by_record->second.size() == 1)
                version.writer = *by_record->second.begin();
            result[l].push_back(version);
            ++all;
            if (box.stands(log, version.offset, true)) ++committed;
        }
        result[l].push_back({{static_cast<std::int64_t>(values.size())}, {}, all, committed});
    }
    return result;
}

void OperationJudge::judge_within(const std::vector<Versions>& versions,
                                  BlackBoxCounts& counts) const {
    for (std::size_t i = 0; i < operations_.size(); ++i) {
        const auto& operation = operations_[i];
        std::map<model::LogId, std::int64_t> read_up_to;  // the index behind the last value
        for (const auto& read : operation.reads) {
            const auto& log = versions[static_cast<std::size_t>(read.log.value)];
            const auto committed = operation.committed_reads;
            const auto first = index_of(log, read.first, committed);
            const auto end = index_of(log, read.first + read.count, committed);
            const auto before = read_up_to.find(read.log);
            if (before != read_up_to.end() && !read.afresh) {
                if (first > before->second) ++counts[Jepsen::int_poll_skip];
                if (first < before->second) ++counts[Jepsen::int_nonmonotonic_poll];
            }
            read_up_to[read.log] = end;
            const auto behind = place_of(log, read.first + read.count);
            for (auto v = place_of(log, read.first); v < behind; ++v)
                if (log[v].writer == i) ++counts[Jepsen::precommitted_read];
        }
        std::map<model::LogId, model::Offset> written;
        for (const auto& write : operation.writes) {
            if (!write.offset || operation.outcome == Outcome::failed) continue;
            const auto [before, first] = written.try_emplace(write.log, *write.offset);
            if (first) continue;
            const auto& log = versions[static_cast<std::size_t>(write.log.value)];
            if (*write.offset <= before->second) ++counts[Jepsen::int_nonmonotonic_send];
            if (index_of(log, *write.offset) > index_of(log, before->second) + 1)
                ++counts[Jepsen::int_send_skip];
            before->second = *write.offset;
        }
    }
}

std::vector<DependencyEdge> OperationJudge::edges(const std::vector<Versions>& versions) const {
    std::vector<DependencyEdge> result;
    const auto add = [&](std::size_t from, std::size_t to, Dependency kind, model::LogId log,
                         model::Offset offset) {
        if (from == to || operations_[from].outcome == Outcome::failed ||
            operations_[to].outcome == Outcome::failed)
            return;
        result.push_back({from, to, kind, log, offset});
    };
    for (std::size_t l = 0; l < versions.size(); ++l) {
        const model::LogId log{static_cast<std::int32_t>(l)};
        for (std::size_t v = 1; v < versions[l].size(); ++v) {
            const auto& before = versions[l][v - 1];
            const auto& after = versions[l][v];
            if (before.writer && after.writer)
                add(*before.writer, *after.writer, Dependency::ww, log, after.offset);
        }
    }
    std::map<model::ProcessId, std::size_t> previous;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
        const auto& operation = operations_[i];
        std::map<model::LogId, std::size_t> behind;
        for (const auto& read : operation.reads) {
            const auto& log = versions[static_cast<std::size_t>(read.log.value)];
            const auto end = place_of(log, read.first + read.count);
            for (auto v = place_of(log, read.first); v < end; ++v)
                if (log[v].writer) add(*log[v].writer, i, Dependency::wr, read.log, log[v].offset);
            auto& greatest = behind[read.log];
            greatest = std::max(greatest, end);
        }
        for (const auto& [log, next] : behind) {
            const auto& all = versions[static_cast<std::size_t>(log.value)];
            if (next < all.size() && all[next].writer)
                add(i, *all[next].writer, Dependency::rw, log, all[next].offset);
        }
        if (operation.outcome == Outcome::failed) continue;
        const auto [last, first] = previous.try_emplace(operation.process, i);
        if (!first) add(std::exchange(last->second, i), i, Dependency::process, {-1}, {});
    }
    const auto key = [](const DependencyEdge& e) { return std::tuple{e.from, e.to, e.kind}; };
    std::stable_sort(result.begin(), result.end(),
                     [&](const auto& a, const auto& b) { return key(a) < key(b); });
    const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
    result.erase(std::unique(result.begin(), result.end(), same), result.end());
    return result;
}

// Between transactions that read committed data: what one has read was decided before, so a circle
// of reads, or a transaction that reads itself, was given undecided records.
void OperationJudge::compare(const BlackBoxCounts& counts, Findings& findings) const {
    if (findings.total(Count::dirty_reads) + findings.total(Count::aborted_visible) > 0) return;
    const bool all_transactional =
        std::all_of(operations_.begin(), operations_.end(), [](const Operation& operation) {
            return operation.writes.empty() || operation.reads.empty() ||
                   (operation.txn && operation.committed_reads);
        });
    if (!all_transactional) return;
    if (counts[Jepsen::g1c_wr] > 0)
        findings.disagreements.push_back(
            "transactions read each other's records in a circle, and no judge of the logs saw one "
            "given before its commit");
    if (counts[Jepsen::precommitted_read] > 0)
        findings.disagreements.push_back(
            "a transaction read its own records, and no judge of the logs saw one given before its "
            "commit");
}

void OperationJudge::conclude(const BlackBoxJudge& box, Findings& findings) {
    const auto order = versions(box);
    auto& counts = findings.black_box;
    judge_within(order, counts);
    find_cycles(operations_, edges(order), counts, findings.cycles);
    compare(counts, findings);
}

}  // namespace eos::reports
