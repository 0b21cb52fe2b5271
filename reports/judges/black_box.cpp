#include "reports/judges/black_box.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace eos::reports {

BlackBoxJudge::BlackBoxJudge(const JudgeConfig& config)
    : config_(config), views_(config.topology->logs.size()) {}

bool BlackBoxJudge::LogView::counts(std::size_t offset, bool for_committed) const {
    const auto in = [&](const std::vector<bool>& flags) {
        return offset < flags.size() && flags[offset];
    };
    return for_committed ? in(read_committed) || in(promised) : in(polled) || in(promised);
}

void BlackBoxJudge::note(LogView& view, model::Offset offset, std::uint64_t id, bool polled) {
    const auto index = static_cast<std::size_t>(offset.value);
    if (view.by_offset.size() <= index) {
        view.by_offset.resize(index + 1);
        view.polled.resize(index + 1);
    }
    if (view.by_offset[index] == 0) {
        view.by_offset[index] = id + 1;
    } else if (view.by_offset[index] != id + 1) {
        ++view.inconsistent;
        if (polled) view.by_offset[index] = id + 1;
    }
    if (polled) view.polled[index] = true;
}

void BlackBoxJudge::on(sim::Instant, const model::SendDone& o) {
    if (o.error != model::ErrorCode::none) return;
    if (o.txn) {
        undecided_[*o.txn].push_back(o);
    } else {
        acknowledged(o);
    }
}

void BlackBoxJudge::on(sim::Instant, const model::TxnEndReturned& o) {
    if (o.error != model::ErrorCode::none) return;
    const auto found = undecided_.find(o.txn);
    if (found == undecided_.end()) return;
    for (const auto& send : found->second) {
        if (o.result == model::ControlType::commit) {
            acknowledged(send);
        } else if (send.offset) {
            aborted_.emplace_back(send.log, *send.offset);
        }
    }
    undecided_.erase(found);
}

void BlackBoxJudge::acknowledged(const model::SendDone& o) {
    auto& view = views_[static_cast<std::size_t>(o.log.value)];
    view.acked.emplace_back(o.record.id.value, o.offset);
    if (!o.offset) return;
    note(view, *o.offset, o.record.id.value, false);
    const auto index = static_cast<std::size_t>(o.offset->value);
    if (view.promised.size() <= index) view.promised.resize(index + 1);
    view.promised[index] = true;
    sends_[{o.process, o.session, o.log}].emplace(o.order, *o.offset);
}

void BlackBoxJudge::on(sim::Instant, const model::Polled& o) {
    auto& view = views_[static_cast<std::size_t>(o.log.value)];
    view.read = true;
    const auto& records = o.payload.records();
    for (std::int32_t i = o.first; i < o.first + o.count; ++i)
        note(view, o.base + i, records[static_cast<std::size_t>(i)].id.value, true);

    const bool committed =
        config_.apps[static_cast<std::size_t>(o.process.app.value)].wants_committed;
    if (committed) {
        const auto end = static_cast<std::size_t>((o.base + o.first + o.count).value);
        if (view.read_committed.size() < end) view.read_committed.resize(end);
        for (auto i = end - static_cast<std::size_t>(o.count); i < end; ++i)
            view.read_committed[i] = true;
    }
    auto [found, inserted] = next_.try_emplace({o.process, o.log}, 0);
    const auto first = o.base.value + o.first;
    if (!inserted) {
        if (first > found->second) view.jumps.push_back({found->second, first, committed});
        if (first < found->second) ++counts_[Jepsen::nonmonotonic_poll];
    }
    found->second = first + o.count;
}

// Memory of a partition is dropped when it is assigned anew or its position is set on purpose.
void BlackBoxJudge::on(sim::Instant, const model::Assigned& o) {
    std::erase_if(next_, [&](const auto& entry) { return entry.first.process == o.process; });
}
void BlackBoxJudge::on(sim::Instant, const model::PositionSet& o) {
    next_.erase({o.process, o.log});
}

void BlackBoxJudge::conclude(const Ledger& ledger, Findings& findings) {
    const auto& topology = *config_.topology;
    for (std::size_t i = 0; i < views_.size(); ++i) {
        const model::LogId log{static_cast<std::int32_t>(i)};
        const auto& view = views_[i];
        const auto topic = topology.logs[i].topic;
        if (topology.topics[static_cast<std::size_t>(topic.value)].internal) continue;
        counts_[Jepsen::inconsistent_offsets] += view.inconsistent;
        // Offsets nobody was ever given are markers or aborted records, not values (version order).
        for (const auto& jump : view.jumps) {
            const auto end = std::min(static_cast<std::size_t>(jump.first), view.polled.size());
            for (auto o = static_cast<std::size_t>(jump.expected); o < end; ++o)
                if (view.polled[o] && view.counts(o, jump.committed)) {
                    ++counts_[Jepsen::poll_skip];
                    break;
                }
        }
        if (!view.read) continue;  // nobody looked: the client-only judge has no opinion

        boost::unordered_flat_map<std::uint64_t, std::int32_t> copies;
        std::int64_t last_read = -1;
        for (std::size_t o = 0; o < view.by_offset.size(); ++o) {
            if (!view.polled[o]) continue;
            ++copies[view.by_offset[o]];
            last_read = static_cast<std::int64_t>(o);
        }
        std::int64_t duplicate = 0;
        std::int64_t denied_duplicates = 0;
        for (const auto& [id, n] : copies) {
            if (n < 2) continue;
            ++duplicate;
            const auto* entry = ledger.find(topic, {id - 1});
            if (!entry || entry->written < 2) ++denied_duplicates;
        }
        counts_[Jepsen::duplicate] += duplicate;
        // What was read and later cut off is known to the truth as dirty reads, to clients as a
        // copy.
        const bool cut_off = findings.total(Count::dirty_reads) > 0;
        if (denied_duplicates > 0 && !cut_off)
            findings.disagreements.push_back(
                fmt::format("{}: clients saw {} records twice that stand in the log once",
                            topology.log_name(log), denied_duplicates));

        std::int64_t denied_losses = 0;
        std::int64_t lost = 0;
        for (const auto& [id, offset] : view.acked) {
            if (copies.contains(id + 1)) continue;
            ++counts_[Jepsen::unseen];
            if (!offset || offset->value > last_read) continue;
            ++lost;
            const auto* entry = ledger.find(topic, {id});
            if (entry && entry->visible > 0 && offset->value >= ledger.final_log(log).start.value)
                ++denied_losses;
        }
        counts_[Jepsen::lost_write] += lost;
        // Readable but never polled is a reader's loss, which the ledger counts at the reader.
        if (denied_losses > 0 && !cut_off && findings.total(Count::lost) == 0 &&
            findings.total(Count::stuck) == 0)
            findings.disagreements.push_back(
                fmt::format("{}: clients miss {} acknowledged records that the ledger finds "
                            "readable and processed",
                            topology.log_name(log), denied_losses));
    }
    for (const auto& [log, offset] : aborted_) {
        const auto& view = views_[static_cast<std::size_t>(log.value)];
        const auto index = static_cast<std::size_t>(offset.value);
        if (index < view.read_committed.size() && view.read_committed[index])
            ++counts_[Jepsen::g1a];
    }
    if (counts_[Jepsen::g1a] > 0 && findings.total(Count::aborted_visible) == 0)
        findings.disagreements.push_back(fmt::format(
            "clients read {} records of transactions that were reported aborted, the logs do not "
            "hold them as aborted",
            counts_[Jepsen::g1a]));
    for (const auto& [key, by_order] : sends_) {
        std::int64_t newest = -1;
        for (const auto& [order, offset] : by_order) {
            if (offset.value <= newest) ++counts_[Jepsen::nonmonotonic_send];
            newest = std::max(newest, offset.value);
        }
    }
    if (counts_[Jepsen::nonmonotonic_send] > 0 && findings.total(Count::reordered) == 0 &&
        findings.total(Count::lost) == 0 && findings.total(Count::duplicates) == 0)
        findings.disagreements.push_back(fmt::format(
            "clients saw {} sends acknowledged out of order, the logs hold them in order",
            counts_[Jepsen::nonmonotonic_send]));
    findings.black_box = counts_;
}

}  // namespace eos::reports
