#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/render/state.hpp"
#include "reports/render/words.hpp"

namespace eos::reports {
namespace {

constexpr std::size_t state_width = 98;

/// "1.234567 s": a state belongs to one event, three digits are too few to tell events apart.
std::string moment(sim::Instant at) {
    const auto us = at.time_since_epoch().count() / 1000;
    return fmt::format("{}.{:06} s", us / 1'000'000, us % 1'000'000);
}

template <class T>
std::string or_dash(const std::optional<T>& value) {
    return value ? fmt::format("{}", *value) : "-";
}

/// Columns as wide as their widest cell; the first is flush left, so are those with words.
class Columns {
  public:
    explicit Columns(std::vector<std::string> head, std::string_view left = "l") : left_(left) {
        rows_.push_back(std::move(head));
    }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const { return rows_.size() == 1; }
    [[nodiscard]] std::string print(std::string_view indent) const {
        std::vector<std::size_t> widths(rows_.front().size());
        for (const auto& row : rows_)
            for (std::size_t i = 0; i < row.size(); ++i)
                widths[i] = std::max(widths[i], row[i].size());
        std::string out;
        for (const auto& row : rows_) {
            std::string line(indent);
            for (std::size_t i = 0; i < row.size(); ++i) {
                const bool flush_left = i < left_.size() && left_[i] == 'l';
                line += flush_left ? fmt::format("{:<{}}", row[i], widths[i])
                                   : fmt::format("{:>{}}", row[i], widths[i]);
                if (i + 1 < row.size()) line += "  ";
            }
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
        return out;
    }

  private:
    std::string left_;  ///< an l for each column that is flush left
    std::vector<std::vector<std::string>> rows_;
};

/// Parts one after the other, a new line where the next would not fit.
std::string flow(std::string_view first, std::size_t indent, const std::vector<std::string>& parts,
                 std::string_view between = ", ") {
    std::string out(first);
    std::size_t used = first.size();
    bool begun = false;
    for (const auto& part : parts) {
        if (begun && used + between.size() + part.size() > state_width) {
            out += between.substr(0, between.find(' '));
            out += "\n" + std::string(indent, ' ');
            used = indent;
        } else if (begun) {
            out += between;
            used += between.size();
        }
        out += part;
        used += part.size();
        begun = true;
    }
    return out + "\n";
}

bool shown(const state::Partition& partition) {
    return !partition.internal ||
           std::any_of(partition.replicas.begin(), partition.replicas.end(),
                       [](const auto& replica) { return replica.log_end > 0; });
}

std::string nodes_text(const state::Cluster& cluster) {
    std::string out = "nodes\n";
    std::size_t width = 0;
    for (const auto& node : cluster.nodes) width = std::max(width, node.name.size());
    for (const auto& node : cluster.nodes) {
        auto line = fmt::format("  {:<{}}  {:<6}", node.name, width, node.condition);
        if (node.broker_epoch) line += fmt::format("  broker epoch {}", *node.broker_epoch);
        if (node.fenced) line += ", fenced";
        if (node.ended > 0) line += fmt::format("  ended {}", counted(node.ended, "time"));
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string role_of(const state::Replica& replica) {
    std::string words;
    if (replica.condition != "alive") words = replica.condition;
    if (replica.leads) words += (words.empty() ? "" : ", ") + std::string("leads");
    if (!replica.in_sync) words += (words.empty() ? "" : ", ") + std::string("not in sync");
    return words;
}

std::string partition_text(const state::Partition& partition) {
    std::vector<std::string> head;
    head.push_back(partition.leader ? fmt::format("leader broker {}", *partition.leader)
                                    : std::string("no leader"));
    head.push_back(fmt::format("leader epoch {}", partition.leader_epoch));
    head.push_back(fmt::format("in sync {}", fmt::join(partition.in_sync, " ")));
    if (!partition.elr.empty())
        head.push_back(fmt::format("eligible {}", fmt::join(partition.elr, " ")));
    auto out = flow(fmt::format("  {}  ", partition.name), 4, head);
    Columns replicas(
        {"replica", "start", "stable", "watermark", "end", "on disk", "last epoch", ""},
        "l      l");
    for (const auto& r : partition.replicas)
        replicas.add({fmt::format("broker {}", r.broker), fmt::format("{}", r.log_start),
                      fmt::format("{}", r.last_stable), fmt::format("{}", r.high_watermark),
                      fmt::format("{}", r.log_end), fmt::format("{}", r.stored),
                      or_dash(r.last_epoch), role_of(r)});
    out += replicas.print("    ");
    for (const auto& open : partition.open)
        out += fmt::format("    open from {}: producer {} epoch {}{}\n", open.first_offset,
                           open.producer_id, open.epoch, open.txid.empty() ? "" : ", " + open.txid);
    if (partition.first_unstable)
        out +=
            fmt::format("    first unstable offset {}{}\n", *partition.first_unstable,
                        partition.open.empty() ? ", ended by a marker that is not replicated" : "");
    return out;
}

std::string partitions_text(const state::Cluster& cluster) {
    std::string out = "partitions\n";
    std::int64_t hidden = 0;
    for (const auto& partition : cluster.partitions) {
        if (shown(partition))
            out += partition_text(partition);
        else
            ++hidden;
    }
    if (hidden > 0)
        out += fmt::format("  and {} without a record\n", counted(hidden, "internal partition"));
    return out;
}

std::string producers_text(const state::Cluster& cluster) {
    Columns table({"partition", "leader", "producer", "epoch", "sequences", "last offset",
                   "open from", "coord epoch"});
    for (const auto& p : cluster.producers) {
        const auto sequences =
            p.last_sequence ? fmt::format("{}..{}", p.first_sequence.value_or(*p.last_sequence),
                                          *p.last_sequence)
                            : std::string("-");
        table.add({p.partition, fmt::format("{}", p.broker), fmt::format("{}", p.producer_id),
                   fmt::format("{}", p.epoch), sequences, or_dash(p.last_offset),
                   or_dash(p.open_from), or_dash(p.coordinator_epoch)});
    }
    if (table.empty()) return "producers   no leader knows any\n";
    return "producers, as the leaders know them\n" + table.print("  ");
}

std::string loading_text(const std::vector<state::Loading>& loading) {
    std::string out;
    for (const auto& row : loading) out += fmt::format("  {} is loading {}\n", row.broker, row.log);
    return out;
}

std::string transaction_text(const state::Transaction& t) {
    auto line = fmt::format("  {}  {}", t.txid, t.state);
    if (!t.pending.empty()) line += fmt::format(", {} pending", t.pending);
    line += "\n";
    std::vector<std::string> parts{fmt::format("producer {} epoch {}", t.producer_id, t.epoch)};
    if (t.last_epoch >= 0) parts.push_back(fmt::format("last epoch {}", t.last_epoch));
    if (t.number > 0) parts.push_back(fmt::format("transaction #{}", t.number));
    if (t.began) parts.push_back("began " + moment(*t.began));
    parts.push_back("changed " + moment(t.last_update));
    parts.push_back("timeout " + short_text(t.timeout));
    line += flow("    ", 4, parts);
    line += fmt::format("    coordinator {}, coordinator epoch {}, {}\n", t.coordinator,
                        t.coordinator_epoch, t.log);
    if (t.partitions.empty()) return line;
    std::vector<std::string> logs;
    for (const auto& p : t.partitions)
        logs.push_back(p.marker.empty() ? p.partition : p.partition + " (marker " + p.marker + ")");
    return line + flow("    partitions ", 15, logs);
}

std::string transactions_text(const state::Cluster& cluster) {
    if (cluster.transactions.empty() && cluster.transactions_loading.empty())
        return "transactions   no coordinator knows any\n";
    std::string out = "transactions, as their coordinators know them\n";
    for (const auto& t : cluster.transactions) out += transaction_text(t);
    return out + loading_text(cluster.transactions_loading);
}

std::string member_text(const state::Member& m) {
    auto line = fmt::format("    {}", m.client.empty() ? m.id : m.client);
    if (m.instance) line += fmt::format(", instance {}", *m.instance);
    if (m.leads) line += ", group leader";
    if (m.epoch) line += fmt::format(", member epoch {}", *m.epoch);
    if (!m.state.empty()) line += ", " + m.state;
    line += m.assigned.empty() ? std::string(": nothing")
                               : fmt::format(": {}", fmt::join(m.assigned, " "));
    if (!m.revoking.empty()) line += fmt::format("; to give up {}", fmt::join(m.revoking, " "));
    if (m.target != m.assigned)
        line += m.target.empty() ? "" : fmt::format("; target {}", fmt::join(m.target, " "));
    return line + "\n";
}

std::string group_text(const state::Group& g) {
    std::vector<std::string> head{g.state, g.protocol};
    if (g.protocol == "classic") {
        head.push_back(fmt::format("generation {}", g.generation));
    } else {
        head.push_back(fmt::format("group epoch {}", g.generation));
        if (g.target_epoch) head.push_back(fmt::format("target epoch {}", *g.target_epoch));
    }
    if (!g.assignor.empty()) head.push_back(g.assignor);
    head.push_back(fmt::format("coordinator {} ({})", g.coordinator, g.log));
    auto out = flow(fmt::format("  {}  ", g.name), 4, head);
    for (const auto& m : g.members) out += member_text(m);
    std::vector<std::string> offsets;
    for (const auto& o : g.offsets) offsets.push_back(fmt::format("{} {}", o.partition, o.offset));
    if (!offsets.empty()) out += flow("    committed ", 14, offsets);
    std::vector<std::string> pending;
    for (const auto& o : g.pending)
        pending.push_back(fmt::format("{} {} (producer {}{})", o.partition, o.offset, o.producer_id,
                                      o.txid.empty() ? "" : ", " + o.txid));
    if (!pending.empty()) out += flow("    pending   ", 14, pending);
    return out;
}

std::string groups_text(const state::Cluster& cluster) {
    if (cluster.groups.empty() && cluster.groups_loading.empty())
        return "groups   no coordinator knows any\n";
    std::string out = "groups, as their coordinators know them\n";
    for (const auto& g : cluster.groups) out += group_text(g);
    return out + loading_text(cluster.groups_loading);
}

std::string client_producer_text(const state::ClientProducer& p) {
    std::vector<std::string> parts;
    if (!p.txid.empty()) parts.push_back(p.txid);
    if (!p.state.empty()) parts.push_back(p.state);
    if (p.number > 0) parts.push_back(fmt::format("transaction #{}", p.number));
    parts.push_back(p.producer_id ? fmt::format("producer {} epoch {}", *p.producer_id, *p.epoch)
                                  : std::string("no producer id"));
    if (p.open_sends > 0) parts.push_back(counted(p.open_sends, "record") + " not final");
    if (!p.waits_for.empty()) parts.push_back(p.waits_for + " is not answered");
    if (!p.error.empty()) parts.push_back(p.error);
    auto out = flow("    producer  ", 14, parts);
    if (!p.enrolled.empty()) out += flow("    enrolled  ", 14, p.enrolled);
    if (!p.to_enrol.empty()) out += flow("    to enrol  ", 14, p.to_enrol);
    std::vector<std::string> numbers;
    for (const auto& n : p.partitions) {
        auto line = fmt::format("{} next sequence {}", n.partition, n.next_sequence);
        if (n.in_flight > 0) line += fmt::format(", {} in flight", n.in_flight);
        numbers.push_back(std::move(line));
    }
    if (!numbers.empty()) out += flow("    numbers   ", 14, numbers, "; ");
    return out;
}

std::string client_text(const state::Client& c) {
    std::vector<std::string> parts;
    if (c.condition != "alive") parts.push_back(c.condition);
    if (c.stalled) parts.push_back("stalled");
    if (c.condition != "down") {
        parts.push_back(c.step.empty() ? std::string("at no step") : "step " + c.step);
        if (c.loop > 0) parts.push_back(fmt::format("loop {}", c.loop));
        if (!c.waits_for.empty())
            parts.push_back(fmt::format("waits for {} since {}", c.waits_for, moment(c.since)));
    }
    auto out = flow(fmt::format("  {}  ", c.name), 4, parts);
    if (c.producer) out += client_producer_text(*c.producer);
    if (!c.consumer) return out;
    std::vector<std::string> consumer;
    if (!c.consumer->group.empty()) consumer.push_back("group " + c.consumer->group);
    if (!c.consumer->state.empty()) consumer.push_back(c.consumer->state);
    if (c.consumer->generation)
        consumer.push_back(fmt::format("generation {}", *c.consumer->generation));
    out += flow("    consumer  ", 14, consumer);
    std::vector<std::string> positions;
    for (const auto& p : c.consumer->positions)
        positions.push_back(fmt::format("{} {}{}", p.partition, or_dash(p.offset),
                                        p.state == "FETCHING" ? "" : " " + p.state));
    if (!positions.empty()) out += flow("    position  ", 14, positions);
    return out;
}

std::string clients_text(const state::Cluster& cluster) {
    std::string out = "clients, as they know themselves\n";
    for (const auto& c : cluster.clients) out += client_text(c);
    return out;
}

std::string messages_text(const state::Cluster& cluster) {
    if (cluster.messages.empty()) return "messages   none is under way\n";
    std::string out = "messages under way\n";
    for (const auto& m : cluster.messages) {
        std::vector<std::string> parts{m.what};
        if (m.where != "on its way") parts.push_back(m.where);
        if (m.ghost) parts.push_back("a ghost");
        out += flow(fmt::format("  {:>10}  {} -> {}  ", moment(m.sent), m.from, m.to), 16, parts);
    }
    return out;
}

std::string section_text(const state::Cluster& cluster, Section section) {
    switch (section) {
        case Section::nodes:
            return nodes_text(cluster);
        case Section::partitions:
            return partitions_text(cluster);
        case Section::producers:
            return producers_text(cluster);
        case Section::transactions:
            return transactions_text(cluster);
        case Section::groups:
            return groups_text(cluster);
        case Section::clients:
            return clients_text(cluster);
        case Section::messages:
            return messages_text(cluster);
    }
    return "";
}

}  // namespace

std::optional<Section> section_named(std::string_view name) {
    const auto* found = std::find(section_names.begin(), section_names.end(), name);
    if (found == section_names.end()) return std::nullopt;
    return static_cast<Section>(found - section_names.begin());
}

std::vector<Section> all_sections() {
    std::vector<Section> all;
    for (std::size_t i = 0; i < section_names.size(); ++i) all.push_back(static_cast<Section>(i));
    return all;
}

std::string text(const state::Cluster& cluster, const std::vector<Section>& sections) {
    auto out = cluster.scenario;
    if (!cluster.variant.empty()) out += " · variant " + cluster.variant;
    out += fmt::format(" · seed {} · at {}, after {}", cluster.seed, moment(cluster.at),
                       counted(static_cast<std::int64_t>(cluster.events), "event"));
    if (!cluster.stopped_at.empty())
        out += fmt::format(" · {} #{}", cluster.stopped_at, cluster.occurrence);
    out += "\n";
    for (const auto section : sections) out += "\n" + section_text(cluster, section);
    return out;
}

}  // namespace eos::reports
