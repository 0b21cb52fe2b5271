#include "model/metadata_log.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {

MetadataLog::MetadataLog(const Topology& topology) : image_(topology), readable_(topology) {
    for (auto& record : formation(topology)) append(std::move(record), sim::time_zero);
    reveal(sim::time_zero);
}

std::int64_t MetadataLog::append(MetadataRecord record, sim::Instant visible) {
    const auto offset = end();
    last_visible_ = std::max(last_visible_, visible);
    image_.apply(record);
    hidden_.push_back({std::move(record), last_visible_});
    return offset;
}

bool MetadataLog::reveal(sim::Instant now) {
    bool moved = false;
    while (!hidden_.empty() && hidden_.front().visible <= now) {
        readable_.apply(hidden_.front().record);
        tail_.push_back(std::move(hidden_.front().record));
        hidden_.pop_front();
        moved = true;
    }
    while (tail_.size() > tail_max) {
        tail_.pop_front();
        ++tail_first_;
    }
    return moved;
}

std::optional<sim::Instant> MetadataLog::next_reveal() const {
    if (hidden_.empty()) return std::nullopt;
    return hidden_.front().visible;
}

MetadataLog::Slice MetadataLog::read(std::int64_t from) const {
    Slice slice;
    if (from < tail_first_) {
        slice.records = readable_.records();
        slice.from = readable_end() - static_cast<std::int64_t>(slice.records.size());
        return slice;
    }
    slice.from = from;
    const auto skip =
        std::min<std::int64_t>(from - tail_first_, static_cast<std::int64_t>(tail_.size()));
    slice.records.assign(tail_.begin() + skip, tail_.end());
    return slice;
}

}  // namespace eos::model
