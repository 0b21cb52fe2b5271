// The serialization graph: which operation comes before which, and where that goes round. Elle's
// kinds (anomalies.md, section 2) are cycles of certain edges only; every edge inside a strong
// component lies on a cycle, so a kind is found by looking at the components of its subgraph.

#include <algorithm>
#include <deque>
#include <numeric>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/strong_components.hpp>

#include "reports/judges/operations.hpp"

namespace eos::reports {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property,
                                    DependencyEdge>;
using Edge = boost::graph_traits<Graph>::edge_descriptor;
using Mask = unsigned;

constexpr Mask bit(Dependency kind) { return 1U << static_cast<unsigned>(kind); }
constexpr Mask ww = bit(Dependency::ww);
constexpr Mask wr = bit(Dependency::wr);
constexpr Mask rw = bit(Dependency::rw);
constexpr Mask in_process = bit(Dependency::process);
constexpr Mask in_time = bit(Dependency::realtime);

struct Kind {
    Jepsen name;
    Mask edges;
    Mask needed;  ///< one of these lies on the cycle
};
constexpr std::array kinds_of_cycles{
    Kind{Jepsen::g0, ww, ww},
    Kind{Jepsen::g0_process, ww | in_process, in_process},
    Kind{Jepsen::g0_realtime, ww | in_time, in_time},
    Kind{Jepsen::g1c, ww | wr, wr},
    Kind{Jepsen::g1c_process, ww | wr | in_process, wr},
    Kind{Jepsen::g1c_realtime, ww | wr | in_time, wr},
    Kind{Jepsen::g1c_wr, wr, wr},
};

struct Allowed {
    const Graph* graph = nullptr;
    Mask mask = 0;
    bool operator()(const Edge& edge) const { return (bit((*graph)[edge].kind) & mask) != 0; }
};
using Subgraph = boost::filtered_graph<Graph, Allowed>;

/// Operations are the first vertices. "Ended before it began" would take an edge for every pair; a
/// chain of moments, one per end, says the same with a few edges per operation.
Graph graph_of(const std::vector<Operation>& operations, const std::vector<DependencyEdge>& edges) {
    Graph graph(operations.size());
    for (const auto& edge : edges) boost::add_edge(edge.from, edge.to, edge, graph);
    std::vector<std::size_t> by_end;
    for (std::size_t i = 0; i < operations.size(); ++i)
        if (operations[i].outcome == Operation::Outcome::ok) by_end.push_back(i);
    std::stable_sort(by_end.begin(), by_end.end(), [&](std::size_t a, std::size_t b) {
        return operations[a].ended < operations[b].ended;
    });
    const auto later = [&](std::size_t from, std::size_t to) {
        boost::add_edge(from, to, {from, to, Dependency::realtime, {-1}, {}}, graph);
    };
    const auto moment = [&](std::size_t n) { return operations.size() + n; };
    for (std::size_t n = 0; n < by_end.size(); ++n) boost::add_vertex(graph);
    for (std::size_t n = 0; n < by_end.size(); ++n) {
        later(by_end[n], moment(n));
        if (n > 0) later(moment(n - 1), moment(n));
    }
    for (std::size_t i = 0; i < operations.size(); ++i) {
        if (operations[i].outcome == Operation::Outcome::failed) continue;
        const auto ended_before = std::partition_point(
            by_end.begin(), by_end.end(),
            [&](std::size_t other) { return operations[other].ended < operations[i].began; });
        if (ended_before == by_end.begin()) continue;
        later(moment(static_cast<std::size_t>(ended_before - by_end.begin() - 1)), i);
    }
    return graph;
}

/// The way from one vertex to another over allowed edges, shortest first; empty: there is none.
/// Every edge looked at is taken off the budget.
std::vector<Edge> way(const Subgraph& graph, std::size_t from, std::size_t to,
                      std::int64_t& budget) {
    std::vector<std::optional<Edge>> reached_by(boost::num_vertices(graph));
    std::deque<std::size_t> next{from};
    while (!next.empty() && budget > 0) {
        const auto at = next.front();
        next.pop_front();
        for (const auto& edge : boost::make_iterator_range(boost::out_edges(at, graph))) {
            --budget;
            const auto target = boost::target(edge, graph);
            if (target == from || reached_by[target]) continue;
            reached_by[target] = edge;
            if (target != to) {
                next.push_back(target);
                continue;
            }
            std::vector<Edge> path;
            for (auto v = to; v != from; v = boost::source(path.back(), graph))
                path.push_back(*reached_by[v]);
            std::reverse(path.begin(), path.end());
            return path;
        }
    }
    return {};
}

class Search {
  public:
    explicit Search(const std::vector<Operation>& operations,
                    const std::vector<DependencyEdge>& edges)
        : operations_(operations), graph_(graph_of(operations, edges)) {}

    void find(const Kind& kind, BlackBoxCounts& counts, std::vector<Cycle>& cycles) {
        const auto inside = edges_inside(kind.edges);
        Cycle shortest{kind.name, {}};
        std::vector<bool> counted(boost::num_vertices(graph_));
        for (const auto& edge : inside) {
            if ((bit(graph_[edge].kind) & kind.needed) == 0) continue;
            const auto component = component_[boost::source(edge, graph_)];
            if (!counted[component]) ++counts[kind.name];
            counted[component] = true;
            close(edge, kind.edges, shortest);
        }
        if (!shortest.steps.empty()) cycles.push_back(std::move(shortest));
    }

    /// One read that missed the next value, or several of them.
    void find_missed_reads(BlackBoxCounts& counts, std::vector<Cycle>& cycles) {
        std::map<std::size_t, bool> single;  // by component
        Cycle one{Jepsen::g_single, {}};
        Cycle several{Jepsen::g2, {}};
        for (const auto& edge : edges_inside(ww | wr | rw)) {
            if (graph_[edge].kind != Dependency::rw) continue;
            auto& found = single[component_[boost::source(edge, graph_)]];
            if (!found) found = close(edge, ww | wr, one);
            if (!found) close(edge, ww | wr | rw, several);
        }
        for (const auto& entry : single) ++counts[entry.second ? Jepsen::g_single : Jepsen::g2];
        if (!one.steps.empty()) cycles.push_back(std::move(one));
        if (counts[Jepsen::g2] > 0 && !several.steps.empty()) cycles.push_back(std::move(several));
    }

  private:
    std::vector<Edge> edges_inside(Mask mask) {
        const Subgraph sub(graph_, {&graph_, mask});
        component_.assign(boost::num_vertices(graph_), 0);
        boost::strong_components(
            sub, boost::make_iterator_property_map(component_.begin(),
                                                   boost::get(boost::vertex_index, sub)));
        std::vector<Edge> inside;
        for (const auto& edge : boost::make_iterator_range(boost::edges(sub)))
            if (component_[boost::source(edge, sub)] == component_[boost::target(edge, sub)])
                inside.push_back(edge);
        return inside;
    }

    /// A cycle through the edge, kept if it is shorter than the one so far. False: none over
    /// `mask`, or the budget is used up, and what remains is counted as the weaker kind.
    bool close(const Edge& edge, Mask mask, Cycle& shortest) {
        if (budget_ <= 0) return false;
        const Subgraph sub(graph_, {&graph_, mask});
        auto path = way(sub, boost::target(edge, graph_), boost::source(edge, graph_), budget_);
        if (path.empty()) return false;
        path.insert(path.begin(), edge);
        auto steps = steps_of(path);
        if (shortest.steps.empty() || steps.size() < shortest.steps.size())
            shortest.steps = std::move(steps);
        return true;
    }

    [[nodiscard]] std::vector<Cycle::Step> steps_of(const std::vector<Edge>& path) const {
        std::vector<Cycle::Step> steps;
        for (const auto& edge : path) {
            const auto from = boost::source(edge, graph_);
            if (from >= operations_.size()) continue;  // a moment between two operations
            const auto& by = graph_[edge];
            const auto& operation = operations_[from];
            steps.push_back({operation.process, operation.number, by.kind, by.log, by.offset});
        }
        return steps;
    }

    const std::vector<Operation>& operations_;
    Graph graph_;
    std::vector<std::size_t> component_;
    std::int64_t budget_ = 2'000'000;
};

}  // namespace

std::string_view name(Dependency dependency) {
    constexpr std::array<std::string_view, 5> names{"ww", "wr", "rw", "process", "realtime"};
    return names[static_cast<std::size_t>(dependency)];
}

void find_cycles(const std::vector<Operation>& operations, std::vector<DependencyEdge> edges,
                 BlackBoxCounts& counts, std::vector<Cycle>& cycles) {
    Search search(operations, edges);
    for (const auto& kind : kinds_of_cycles) search.find(kind, counts, cycles);
    search.find_missed_reads(counts, cycles);
}

}  // namespace eos::reports
