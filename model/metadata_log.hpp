#pragma once
// The controller's append-only log of metadata records (KRaft's __cluster_metadata), and the images
// folded from it. A record changes the controller's image at once and may be read by brokers from
// its time of visibility on, in order. Only a bounded tail is kept; a reader behind it gets a
// snapshot, so memory does not grow with the length of the run.

#include <cstdint>
#include <deque>
#include <optional>
#include <tuple>
#include <vector>

#include "model/metadata_image.hpp"
#include "sim/time.hpp"

namespace eos::model {

class MetadataLog {
  public:
    MetadataLog() = default;
    /// The log of a freshly formed cluster.
    explicit MetadataLog(const Topology& topology);

    /// Appends a record that brokers may read from `visible` on, never before an earlier record.
    /// Returns its offset.
    std::int64_t append(MetadataRecord record, sim::Instant visible);
    /// Makes readable what is due. True if something became readable.
    bool reveal(sim::Instant now);
    /// When the next record becomes readable, if one is waiting.
    [[nodiscard]] std::optional<sim::Instant> next_reveal() const;
    /// The time of visibility of the last record.
    [[nodiscard]] sim::Instant last_visible() const { return last_visible_; }

    /// The controller's own image: every record, readable or not.
    [[nodiscard]] const MetadataImage& image() const { return image_; }
    [[nodiscard]] std::int64_t end() const {
        return readable_end() + static_cast<std::int64_t>(hidden_.size());
    }
    [[nodiscard]] std::int64_t readable_end() const {
        return tail_first_ + static_cast<std::int64_t>(tail_.size());
    }

    /// Records from an offset on, or a snapshot that replaces everything up to readable_end(). A
    /// snapshot has at most as many records as the log, so its `from` is never negative.
    struct Slice {
        std::int64_t from = 0;
        std::vector<MetadataRecord> records;
    };
    [[nodiscard]] Slice read(std::int64_t from) const;

    [[nodiscard]] auto fields() const {
        return std::tie(image_, readable_, tail_first_, tail_, hidden_, last_visible_);
    }
    friend bool operator==(const MetadataLog&, const MetadataLog&) = default;

  private:
    static constexpr std::size_t tail_max = 256;
    struct Hidden {
        MetadataRecord record;
        sim::Instant visible{};
        friend bool operator==(const Hidden&, const Hidden&) = default;
    };

    MetadataImage image_;
    MetadataImage readable_;
    std::int64_t tail_first_ = 0;
    std::deque<MetadataRecord> tail_;
    std::deque<Hidden> hidden_;
    sim::Instant last_visible_{};
};

}  // namespace eos::model
