#pragma once
// Who listens to a run: the judges, the counters, and, only if somebody asked, tapes of key moments
// and of frames. Copied when the world is forked, like everything else of a run.

#include <array>
#include <cstdint>
#include <vector>

#include "model/milestones.hpp"
#include "model/vocabulary.hpp"
#include "reports/judges/court.hpp"
#include "reports/render/tapes.hpp"

namespace eos {

/// How much of a run is kept for printing (--events).
enum class EventLevel : std::uint8_t { none, key, rpc, all };

class Audience {
  public:
    Audience(const reports::JudgeConfig& config, EventLevel level, std::int32_t brokers)
        : court_(config), level_(level), brokers_(brokers) {}

    void observe(sim::Instant now, sim::NodeId node, const model::Observation& observation) {
        court_.observe(now, node, observation);
    }
    [[nodiscard]] bool watches(sim::MilestoneKind kind) const {
        return kept(kind) || reports::Court::measures(kind);
    }
    void reached(sim::Instant now, const sim::Milestone& milestone) {
        if (reports::Court::measures(milestone.kind)) court_.reached(now, milestone);
        if (kept(milestone.kind)) moments_.push_back({now, milestone});
    }
    void counted(sim::MilestoneKind kind) {
        const auto index = slot(kind);
        if (index >= counts_.size()) counts_.resize(index + 1);
        ++counts_[index];
    }
    void frame(sim::Instant now, const sim::FrameNews& news) {
        if (news.fate == sim::FrameNews::Fate::sent && !news.response &&
            news.from.value > brokers_)
            ++requests_[news.api];
        if (level_ == EventLevel::rpc || level_ == EventLevel::all) frames_.push_back({now, news});
    }

    [[nodiscard]] std::int64_t times(sim::MilestoneKind kind) const {
        const auto index = slot(kind);
        return index < counts_.size() ? counts_[index] : 0;
    }
    /// Client requests by API number.
    [[nodiscard]] const auto& requests() const { return requests_; }
    [[nodiscard]] const reports::Moments& moments() const { return moments_; }
    [[nodiscard]] const reports::Frames& frames() const { return frames_; }
    [[nodiscard]] reports::Court& court() { return court_; }

    /// Moments worth a line in the story of a run.
    [[nodiscard]] static bool key(sim::MilestoneKind kind);

  private:
    static std::size_t slot(sim::MilestoneKind kind) { return kind.value; }
    [[nodiscard]] bool kept(sim::MilestoneKind kind) const {
        return level_ == EventLevel::all || (level_ != EventLevel::none && key(kind));
    }

    reports::Court court_;
    EventLevel level_;
    std::int32_t brokers_;
    std::vector<std::int64_t> counts_;
    std::array<std::int64_t, model::api_count> requests_{};
    reports::Moments moments_;
    reports::Frames frames_;
};

}  // namespace eos
