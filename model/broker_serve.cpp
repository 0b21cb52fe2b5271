// The small answers of a broker: Metadata and FindCoordinator from what it knows of the cluster,
// and producer ids.

#include <algorithm>

#include "model/broker.hpp"

namespace eos::model {

MetadataResponse Broker::metadata(const MetadataRequest& request) const {
    const MetadataImage& image = past_ ? past_->image : image_;
    MetadataResponse answer;
    answer.brokers = image.alive_brokers();
    for (const auto topic : request.topics) {
        const auto& entry = setup_.topology->topics[static_cast<std::size_t>(topic.value)];
        const bool hidden =
            past_ && std::binary_search(past_->hidden.begin(), past_->hidden.end(), topic);
        for (std::int32_t i = 0; i < entry.partitions; ++i) {
            const auto& state = image.partition(entry.first + i);
            auto& part = answer.parts.emplace_back();
            part.log = state.log;
            if (hidden) {
                part.error = ErrorCode::unknown_topic_or_partition;
                continue;
            }
            part.epoch = state.leader_epoch;
            if (state.leader && image.alive(*state.leader))
                part.leader = state.leader;
            else
                part.error = ErrorCode::leader_not_available;
        }
    }
    return answer;
}

/// The first order says which past it is; everything but Metadata goes on with the present.
void Broker::stale_metadata(std::optional<TopicId> hide) {
    if (!past_) past_ = Past{.image = image_, .hidden = {}};
    if (!hide) return;
    auto& hidden = past_->hidden;
    const auto place = std::lower_bound(hidden.begin(), hidden.end(), *hide);
    if (place == hidden.end() || *place != *hide) hidden.insert(place, *hide);
}

void Broker::fresh_metadata(std::optional<TopicId> shown) {
    if (!shown)
        past_.reset();
    else if (past_)
        std::erase(past_->hidden, *shown);
}

FindCoordinatorResponse Broker::coordinator(const FindCoordinatorRequest& request) const {
    FindCoordinatorResponse answer{.group = request.group,
                                   .error = ErrorCode::none,
                                   .coordinator = {},
                                   .txid = request.txid};
    const auto log = request.txid ? setup_.topology->transaction_log(*request.txid)
                                  : setup_.topology->offsets_log(*request.group);
    const auto leader = log ? image_.partition(*log).leader : std::nullopt;
    if (leader && image_.alive(*leader))
        answer.coordinator = *leader;
    else
        answer.error = ErrorCode::coordinator_not_available;  // G1
    return answer;
}

/// Of a producer without a transactional id (INI-2).
void Broker::init_producer_id(const BrokerStep& step, const sim::ReplyTo& to) {
    if (const auto id = ids_.take())
        step.fx.reply(to, InitProducerIdResponse{.error = ErrorCode::none,
                                                .producer_id = *id,
                                                .producer_epoch = {0},
                                                .txid = {}});
    else
        ids_.park(to);
    ask_for_ids(step);
}

/// Answered by the transaction coordinator, which may have used up the producer ids.
void Broker::coordinate_transaction(const BrokerStep& step, const sim::ReplyTo& to,
                                    const Message& message) {
    transactions_.on_request(step, ids_, to, message);
    ask_for_ids(step);
}

void Broker::ask_for_ids(const BrokerStep& step) {
    if (channel_.epoch() && ids_.ask()) channel_.allocate_producer_ids(step.ctx, step.fx);
}

}  // namespace eos::model
