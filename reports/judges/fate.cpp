#include "reports/judges/fate.hpp"

#include <map>

namespace eos::reports {

std::vector<Fate> fates_of(std::span<const model::Batch> batches, model::Offset high_watermark) {
    std::vector<Fate> fates(batches.size());
    std::map<model::ProducerId, std::vector<std::size_t>> open;
    for (std::size_t i = 0; i < batches.size(); ++i) {
        const auto& batch = batches[i];
        if (!batch.transactional && !batch.control) continue;
        fates[i].kind = batch.control ? Fate::Kind::control : Fate::Kind::open;
        if (batch.next_offset() > high_watermark || !batch.producer_id) continue;
        if (!batch.control) {
            open[*batch.producer_id].push_back(i);
            continue;
        }
        const auto found = open.find(*batch.producer_id);
        if (found == open.end()) continue;
        const bool commits = *batch.control == model::ControlType::commit;
        for (const auto decided : found->second)
            fates[decided] = {commits ? Fate::Kind::committed : Fate::Kind::aborted, batch.txn};
        open.erase(found);
    }
    return fates;
}

}  // namespace eos::reports
