#include "model/marker_sender.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eos::model {
namespace {

constexpr std::int32_t marker_requests_in_flight = 50;  // as Kafka opens this channel
// Simplified: Kafka sends a refused marker again at once; a short pause spares the model requests.
constexpr sim::Duration marker_retry_pause = sim::milliseconds(20);
constexpr sim::TimerKey marker_timer = key(Tick::txn_marker_retry, 0, 0);

ClientConfig marker_client_config(const ClusterConfig& config) {
    ClientConfig result;
    result.request_timeout = config.request_timeout;
    // Simplified: a connection attempt that meets silence is lost here, where TCP would repeat its
    // SYN after 1, 2, 4 s; trying again that soon stands for it.
    result.connection_setup_timeout = sim::seconds(1);
    result.connection_setup_timeout_max = sim::seconds(4);
    return result;
}

[[nodiscard]] bool same_entry(const WriteTxnMarkersRequest::Entry& entry, const Marker& marker) {
    return entry.who == marker.who && entry.result == marker.result &&
           entry.coordinator_epoch == marker.coordinator_epoch && entry.version == marker.version;
}

/// What an answer says of one marker; none: it does not mention it.
[[nodiscard]] std::optional<ErrorCode> error_of(const WriteTxnMarkersResponse& answer,
                                                const Marker& marker) {
    for (const auto& entry : answer.entries) {
        if (entry.who.txid != marker.who.txid || entry.who.producer_id != marker.who.producer_id)
            continue;
        for (const auto& part : entry.parts)
            if (part.log == marker.log) return part.error;
    }
    return std::nullopt;
}

}  // namespace

sim::Facts about(const Topology& topology, const Marker& marker) {
    auto facts = about(topology, marker.log);
    facts.add(number(Fact::txid), marker.who.txid.value);
    if (marker.who.txn) facts.add(number(Fact::txn), marker.who.txn->number);
    facts.add(number(Fact::pid), marker.who.producer_id.value);
    facts.add(number(Fact::epoch), marker.who.producer_epoch.value);
    facts.add(number(Fact::result), static_cast<std::int64_t>(result_of(marker.result)));
    return facts;
}

MarkerSender::MarkerSender(const ClusterConfig& config, sim::Rng rng)
    : net_(marker_client_config(config), marker_requests_in_flight, lane, rng) {}

bool MarkerSender::owns(const sim::TimerKey& timer) const {
    return timer == marker_timer || net_.owns(timer);
}

void MarkerSender::forget(LogId home) {
    const auto ours = [&](const Marker& marker) { return marker.home == home; };
    std::erase_if(ready_, ours);
    std::erase_if(parked_, ours);
}

void MarkerSender::unpark() {
    std::move(parked_.begin(), parked_.end(), std::back_inserter(ready_));
    parked_.clear();
}

// Simplified: Kafka binds a marker to a broker when it is queued; here when it is sent, so that a
// marker that waits for a connection follows the leader.
std::vector<Marker> MarkerSender::under_way() const {
    std::vector<Marker> all;
    for (const auto& [number, batch] : under_way_)
        all.insert(all.end(), batch.markers.begin(), batch.markers.end());
    return all;
}

void MarkerSender::pump(const BrokerStep& step) {
    std::map<BrokerId, std::vector<Marker>> due;
    std::vector<Marker> waiting;
    for (auto& marker : ready_) {
        const auto leader = step.image.partition(marker.log).leader;
        if (!leader || !step.image.alive(*leader)) {
            parked_.push_back(std::move(marker));  // MRK-3
            continue;
        }
        const sim::Peer peer{*leader, lane};
        net_.want(step.ctx, peer, step.fx);
        (net_.ready(peer) ? due[*leader] : waiting).push_back(std::move(marker));
    }
    ready_ = std::move(waiting);
    for (auto& [leader, markers] : due) send(step, leader, std::move(markers));
    if (parked_.empty() || retry_armed_) return;
    retry_armed_ = true;
    step.fx.arm(marker_timer, marker_retry_pause);
}

void MarkerSender::send(const BrokerStep& step, BrokerId to, std::vector<Marker> markers) {
    WriteTxnMarkersRequest request;
    for (const auto& marker : markers) {
        const auto found =
            std::find_if(request.entries.begin(), request.entries.end(),
                         [&](const auto& entry) { return same_entry(entry, marker); });
        if (found != request.entries.end())
            found->logs.push_back(marker.log);
        else
            request.entries.push_back({.who = marker.who,
                                       .result = marker.result,
                                       .coordinator_epoch = marker.coordinator_epoch,
                                       .version = marker.version,
                                       .logs = {marker.log}});
        step.fx.reach(number(Mile::txn_marker_sent), about(step.topology, marker));
    }
    request.coordinator_epoch = request.entries.front().coordinator_epoch;
    const auto number = next_++;
    net_.send(step.ctx, {to, lane}, std::move(request), step.config.request_timeout, number,
              step.fx);
    under_way_.emplace(number, Batch{std::move(markers), std::nullopt});
}

std::optional<std::int64_t> MarkerSender::on_reply(sim::Peer from, sim::Correlation correlation,
                                                   WriteTxnMarkersResponse&& answer) {
    const auto outcome = net_.on_reply(from, correlation);
    if (!outcome) return std::nullopt;
    under_way_.at(outcome->tag).answer = std::move(answer);
    return outcome->tag;
}

MarkerResults MarkerSender::take_answer(std::int64_t number) {
    const auto found = under_way_.find(number);
    if (found == under_way_.end() || !found->second.answer) return {};
    const auto batch = std::move(found->second);
    under_way_.erase(found);
    MarkerResults results;
    for (const auto& marker : batch.markers)
        results.push_back({marker, error_of(*batch.answer, marker)});
    return results;
}

MarkerResults MarkerSender::on_link(const BrokerStep& step, sim::Peer peer, sim::LinkEvent event) {
    return lost(net_.on_link(step.ctx, peer, event, step.fx));
}

MarkerResults MarkerSender::on_timer(const BrokerStep& step, sim::TimerKey timer) {
    if (timer != marker_timer) return lost(net_.on_timer(step.ctx, timer, step.fx));
    retry_armed_ = false;
    unpark();
    return {};
}

MarkerResults MarkerSender::lost(const Outcomes& outcomes) {
    MarkerResults results;
    for (const auto& outcome : outcomes) {
        const auto found = under_way_.find(outcome.tag);
        if (found == under_way_.end()) continue;
        for (const auto& marker : found->second.markers) results.push_back({marker, std::nullopt});
        under_way_.erase(found);
    }
    return results;
}

}  // namespace eos::model
