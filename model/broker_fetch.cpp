#include "model/broker_fetch.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "model/broker_produce.hpp"

namespace eos::model {
namespace {

sim::TimerKey fetch_timer(WaitId id) { return key(Tick::delayed_fetch, id.value); }

/// The bytes one answer may still carry; the first batch always fits (FET-4).
class Budget {
  public:
    explicit Budget(const FetchRequest& request)
        : left_(request.max_bytes > 0 ? request.max_bytes
                                      : std::numeric_limits<std::int64_t>::max()) {}
    [[nodiscard]] std::int64_t of(const FetchRequest::Part& part) const {
        return part.max_bytes > 0 ? std::min<std::int64_t>(part.max_bytes, left_) : left_;
    }
    [[nodiscard]] std::int64_t taken() const { return taken_; }
    /// Takes what fits; an answer that is full carries no more of this partition.
    void take(FetchResponse::Part& answer) {
        if (left_ <= 0) answer.batches.clear();
        for (const auto& batch : answer.batches) {
            left_ -= batch.bytes;
            taken_ += batch.bytes;
        }
    }

  private:
    std::int64_t left_;
    std::int64_t taken_ = 0;
};

FetchResponse::Part answer_of(const FetchRequest::Part& part) {
    FetchResponse::Part answer;
    answer.log = part.log;
    answer.fetch_offset = part.offset;
    return answer;
}

void fill(const BrokerStep& step, FetchResponse::Part& answer, LeaderFetchResult&& result) {
    answer.error = result.error != ErrorCode::none ? result.error : result.read.error;
    answer.high_watermark = result.high_watermark;
    answer.last_stable_offset = result.last_stable_offset;
    answer.log_start = result.log_start;
    answer.diverging = result.diverging;
    answer.batches = std::move(result.read.batches);
    answer.aborted = std::move(result.read.aborted);
    answer.hint = leader_hint(step.image, answer.log, answer.error);
}

/// Whether the answer may not wait for data: an error or a diverging epoch (FET-10).
bool urgent(const FetchResponse::Part& answer) {
    return answer.error != ErrorCode::none || answer.diverging.has_value();
}

/// What a follower may read now. The position was counted, and checked against the leader's epochs,
/// when the fetch arrived; under the same leader epoch neither needs to be done again.
LeaderFetchResult read_again(const Replica& replica, const FetchRequest::Part& part,
                             std::int64_t max_bytes) {
    LeaderFetchResult result;
    result.error = replica.leading.check_epoch(part.current_leader_epoch);
    result.high_watermark = replica.log.high_watermark();
    result.last_stable_offset = replica.log.last_stable_offset();
    result.log_start = replica.log.log_start();
    if (result.error == ErrorCode::none)
        result.read = replica.log.read(part.offset, ReadBound::log_end, max_bytes);
    return result;
}

/// Whether a log that moved can matter to a waiting fetch: there is something to read, or the fetch
/// must end. The cheap question, asked before everything is read.
bool matters(const Replicas& replicas, const FetchRequest& request, LogId log) {
    const auto part = std::find_if(request.parts.begin(), request.parts.end(),
                                   [&](const auto& p) { return p.log == log; });
    const auto* replica = replicas.find(log);
    if (part == request.parts.end() || !replica || !replica->leading.leading()) return true;
    if (replica->leading.check_epoch(part->current_leader_epoch) != ErrorCode::none) return true;
    if (part->offset < replica->log.log_start()) return true;
    return part->offset < replica->log.log_end();
}

struct Gathered {
    FetchResponse answer;
    bool enough = false;
};

/// Reads every partition of a waiting fetch as it stands now.
Gathered gather(const BrokerStep& step, Replicas& replicas, const FetchRequest& request) {
    Gathered gathered;
    gathered.answer.to_replica = request.replica.has_value();
    Budget budget(request);
    for (const auto& part : request.parts) {
        auto& answer = gathered.answer.parts.emplace_back(answer_of(part));
        const auto* replica = replicas.leading(part.log);
        LeaderFetchResult result;
        if (!replica) {
            result.error = ErrorCode::not_leader_or_follower;
        } else if (request.replica) {
            result = read_again(*replica, part, budget.of(part));
        } else {
            result = replica->leading.fetch_by_consumer(replica->log, part, request.isolation,
                                                        budget.of(part), step.guard);
        }
        fill(step, answer, std::move(result));
        budget.take(answer);
        gathered.enough = gathered.enough || urgent(answer);
    }
    gathered.enough = gathered.enough || budget.taken() >= request.min_bytes;
    return gathered;
}

}  // namespace

void FetchDesk::on_request(const BrokerStep& step, Replicas& replicas, const sim::ReplyTo& to,
                           FetchRequest&& request) {
    FetchResponse answer{.to_replica = request.replica.has_value(), .parts = {}};
    Budget budget(request);
    bool enough = request.parts.empty();
    std::optional<BrokerEpoch> epoch;
    if (request.broker_epoch.value >= 0) epoch = request.broker_epoch;
    for (const auto& part : request.parts) {
        auto& part_answer = answer.parts.emplace_back(answer_of(part));
        auto* replica = replicas.leading(part.log);
        LeaderFetchResult result;
        if (!replica) {
            result.error = ErrorCode::not_leader_or_follower;
        } else if (request.replica) {
            result = replica->leading.fetch_by_follower(replica->log, *request.replica, part, epoch,
                                                        budget.of(part), step.image.brokers(),
                                                        step.ctx.now, step.guard);
            replicas.touch(part.log);  // it may have moved the watermark or joined the ISR
        } else {
            result = replica->leading.fetch_by_consumer(replica->log, part, request.isolation,
                                                        budget.of(part), step.guard);
        }
        fill(step, part_answer, std::move(result));
        budget.take(part_answer);
        enough = enough || urgent(part_answer);
    }
    if (enough || budget.taken() >= request.min_bytes || request.max_wait == sim::Duration{}) {
        step.fx.reply(to, std::move(answer));
        return;
    }
    const auto wait = request.max_wait;
    const auto id = purgatory_.park({.to = to, .request = std::move(request)});
    step.fx.arm(fetch_timer(id), wait);
}

void FetchDesk::on_moved(const BrokerStep& step, Replicas& replicas, LogId log) {
    for (const auto id : purgatory_.watching(log)) {
        if (!matters(replicas, purgatory_.find(id)->request, log)) continue;
        auto gathered = gather(step, replicas, purgatory_.find(id)->request);
        if (!gathered.enough) continue;
        step.fx.disarm(fetch_timer(id));
        step.fx.reply(purgatory_.take(id)->to, std::move(gathered.answer));
    }
}

void FetchDesk::on_timeout(const BrokerStep& step, Replicas& replicas, WaitId id) {
    const auto late = purgatory_.take(id);
    if (!late) return;
    step.fx.reply(late->to, gather(step, replicas, late->request).answer);
}

ListOffsetsResponse list_offsets(const BrokerStep& step, Replicas& replicas,
                                 const ListOffsetsRequest& request) {
    ListOffsetsResponse answer;
    const auto isolation = request.replica ? std::nullopt : std::optional(request.isolation);
    for (const auto& part : request.parts) {
        ListOffsetResult result{
            .error = ErrorCode::not_leader_or_follower, .offset = {}, .leader_epoch = {}};
        if (const auto* replica = replicas.leading(part.log))
            result = replica->leading.list_offset(replica->log, part.spec, isolation,
                                                  part.current_leader_epoch, step.guard);
        answer.parts.push_back({.log = part.log,
                                .error = result.error,
                                .offset = result.offset,
                                .leader_epoch = result.leader_epoch});
    }
    return answer;
}

OffsetForLeaderEpochResponse ends_of_epochs(const Replicas& replicas,
                                            const OffsetForLeaderEpochRequest& request) {
    OffsetForLeaderEpochResponse answer;
    for (const auto& part : request.parts) {
        const auto* replica = replicas.find(part.log);
        if (replica && replica->leading.leading())
            answer.parts.push_back(replica->leading.end_of_epoch(replica->log, part));
        else
            answer.parts.push_back(
                {.log = part.log, .error = ErrorCode::not_leader_or_follower, .end = {}});
    }
    return answer;
}

}  // namespace eos::model
