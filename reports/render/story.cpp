#include "reports/render/story.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/messages.hpp"
#include "model/milestones.hpp"
#include "reports/render/words.hpp"

namespace eos::reports {
namespace {

std::string deed_words(const Deed& deed, const model::Topology& topology) {
    std::string whom;
    for (std::size_t i = 0; i < deed.nodes.size() && i < 3; ++i) {
        if (i > 0) whom += ", ";
        whom += topology.node_name(deed.nodes[i]);
    }
    if (deed.nodes.size() > 3) whom += fmt::format(" and {} more", deed.nodes.size() - 3);
    for (const auto log : deed.logs) {
        if (!whom.empty()) whom += ", ";
        whom += topology.log_name({log});
    }
    auto text = whom.empty() ? deed.word : fmt::format("{}: {}", deed.word, whom);
    if (deed.messages > 0)
        text += fmt::format(" ({})", counted(deed.messages, "message"));
    if (deed.ended && *deed.ended > deed.at)
        text += fmt::format(", for {}", short_text(*deed.ended - deed.at));
    return text;
}

// Milestones that say the same of many partitions at one instant become one line.
bool same_kind_at_once(const Moment& a, const Moment& b) {
    return a.at == b.at && a.milestone.kind == b.milestone.kind &&
           a.milestone.node == b.milestone.node;
}

}  // namespace

std::vector<StoryLine> story(const std::vector<Deed>& deeds, const Moments& moments,
                             const model::Topology& topology) {
    std::vector<StoryLine> lines;
    for (const auto& deed : deeds)
        lines.push_back({deed.at, 0, deed.fault, deed_words(deed, topology)});
    // Starting up is not part of the story: nothing has gone wrong before the first fault.
    const auto begins = deeds.empty() ? sim::time_never : deeds.front().at;
    for (std::size_t i = 0; i < moments.size(); ++i) {
        if (moments[i].at < begins) continue;
        if (moments[i].milestone.kind.value >= static_cast<int>(model::Mile::fault_first)) continue;
        std::size_t same = i + 1;
        while (same < moments.size() && same_kind_at_once(moments[i], moments[same])) ++same;
        auto text = words(moments[i].milestone, topology);
        if (same - i > 1) text += fmt::format(", and {} like it", same - i - 1);
        lines.push_back({moments[i].at, 0, "", std::move(text)});
        i = same - 1;
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const StoryLine& a, const StoryLine& b) { return a.at < b.at; });
    if (lines.size() > lines_most) {
        const auto left_out = lines.size() - lines_most;
        const auto at = lines[lines_most].at;
        lines.resize(lines_most);
        lines.push_back({at, 0, "", fmt::format("... and {} more lines (--events key)", left_out)});
    }
    return lines;
}

std::vector<EventRow> listed_events(const Frames& frames, const Moments& moments,
                                    const model::Topology& topology) {
    std::vector<EventRow> rows;
    for (const auto& [at, news] : frames) {
        using FrameFate = sim::FrameNews::Fate;
        if (news.fate == FrameFate::delivered) continue;  // told with its sending
        EventRow row;
        row.at = at;
        row.arrives = news.fate == FrameFate::sent ? news.arrives : at;
        row.from = topology.node_name(news.from);
        row.to = topology.node_name(news.to);
        row.response = news.response;
        row.lost = news.fate == FrameFate::lost;
        row.ghost = news.fate == FrameFate::ghost;
        row.what = fmt::format("{}{} #{}{}", model::name(static_cast<model::Api>(news.api)),
                               news.response ? " answer" : "", news.correlation.value,
                               news.fate == FrameFate::lost    ? " is lost"
                               : news.fate == FrameFate::held  ? " is held"
                               : news.fate == FrameFate::ghost ? " arrives as a ghost"
                                                          : "");
        rows.push_back(std::move(row));
    }
    for (const auto& [at, milestone] : moments) {
        if (milestone.kind.value >= static_cast<int>(model::Mile::fault_first)) continue;
        EventRow row;
        row.at = row.arrives = at;
        row.from = topology.node_name(milestone.node);
        row.what = words(milestone, topology);
        row.key = true;
        rows.push_back(std::move(row));
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const EventRow& a, const EventRow& b) { return a.at < b.at; });
    return rows;
}

}  // namespace eos::reports
