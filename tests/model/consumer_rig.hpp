#pragma once
// A consumer alone with a scripted cluster: connections open at once, requests wait in order until
// the test answers them, timers ring when the test lets time pass. Metadata answers itself, and so
// does whatever the test asks for.

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "model/consumer.hpp"
#include "model/topology.hpp"
#include "sim/rng.hpp"

namespace eos::model::test {

class ConsumerRig {
  public:
    struct Pending {
        sim::Peer peer;
        sim::Correlation correlation;
        Message message;
    };
    struct Leader {
        BrokerId broker{1};
        LeaderEpoch epoch{0};
    };

    static constexpr GroupId group{0};
    static constexpr TopicId topic{0};
    static constexpr ProcessId process{{0}, 0};
    static constexpr sim::NodeId self{9};

    /// Two brokers; logs 0 .. partitions - 1 of topic 0 are led by broker 1, which coordinates too.
    explicit ConsumerRig(ConsumerConfig config, std::int32_t partitions = 2,
                         std::uint64_t seed = 7)
        : topology_(make_topology(partitions)),
          consumer(std::make_shared<const ConsumerConfig>(std::move(config)), topology_, process,
                   sim::Rng(seed)) {
        for (std::int32_t i = 0; i < partitions; ++i) leaders[{i}] = {};
    }

    [[nodiscard]] static ConsumerConfig config() {
        ConsumerConfig result;
        result.group = group;
        result.max_poll_interval = milliseconds(300'000);
        return result;
    }

    /// Calls the consumer and carries out what it asks for.
    template <class Action>
    auto step(Action action) {
        Fx fx;
        if constexpr (std::is_void_v<decltype(action(consumer, context(), fx))>) {
            action(consumer, context(), fx);
            take(fx);
        } else {
            auto result = action(consumer, context(), fx);
            take(fx);
            return result;
        }
    }
    void poll(Duration timeout = {}, std::int32_t records = 0) {
        step([&](Consumer& c, const Context& ctx, Fx& fx) { c.poll(ctx, records, timeout, fx); });
    }
    /// Polls until connections are open and the requests that follow have left.
    void poll_on() {
        for (int i = 0; i < 3; ++i) poll();
    }
    void subscribe() {
        step([&](Consumer& c, const Context& ctx, Fx& fx) { c.subscribe(ctx, {topic}, fx); });
    }
    void assign(std::vector<LogId> logs) {
        step([&](Consumer& c, const Context& ctx, Fx& fx) { c.assign(ctx, logs, fx); });
    }

    /// Lets time pass; timers ring in order.
    void advance(Duration by) {
        const auto end = now + by;
        for (;;) {
            auto due = timers.end();
            for (auto it = timers.begin(); it != timers.end(); ++it)
                if (it->second <= end && (due == timers.end() || it->second < due->second))
                    due = it;
            if (due == timers.end()) break;
            const auto key = due->first;
            now = std::max(now, due->second);
            timers.erase(due);
            step([&](Consumer& c, const Context& ctx, Fx& fx) { c.on_timer(ctx, key, fx); });
        }
        now = end;
    }

    /// The oldest request of that type that was not answered; null if there is none.
    template <class Request>
    [[nodiscard]] const Request* waiting() const {
        for (const auto& pending : requests)
            if (const auto* found = std::get_if<Request>(&pending.message)) return found;
        return nullptr;
    }
    template <class Request>
    [[nodiscard]] int count() const {
        int result = 0;
        for (const auto& pending : requests)
            result += std::holds_alternative<Request>(pending.message) ? 1 : 0;
        return result;
    }
    /// Answers the oldest request of that type; it must be the first on its connection (N2).
    template <class Request>
    Request answer(Message response) {
        for (auto it = requests.begin(); it != requests.end(); ++it) {
            const auto* found = std::get_if<Request>(&it->message);
            if (found == nullptr) continue;
            for (auto before = requests.begin(); before != it; ++before)
                if (before->peer == it->peer)
                    throw std::logic_error("another request of that connection comes first");
            const Request request = *found;
            const auto peer = it->peer;
            const auto correlation = it->correlation;
            requests.erase(it);
            step([&](Consumer& c, const Context& ctx, Fx& fx) {
                c.on_reply(ctx, peer, correlation, std::move(response), fx);
            });
            return request;
        }
        throw std::logic_error("no such request is waiting");
    }
    /// The connection is lost with everything on it.
    void disconnect(sim::Peer peer) {
        std::erase_if(requests, [&](const Pending& p) { return p.peer == peer; });
        step([&](Consumer& c, const Context& ctx, Fx& fx) {
            c.on_link(ctx, peer, sim::LinkEvent::closed, fx);
        });
    }

    // --- frequent answers ------------------------------------------------------------------------
    void answer_join(Generation generation, MemberId member, MemberId leader,
                     std::vector<JoinGroupResponse::Member> members = {}) {
        JoinGroupResponse response;
        response.group = group;
        response.generation = generation;
        response.protocol = AssignorKind::range;
        response.member = member;
        response.leader = leader;
        response.members = std::move(members);
        answer<JoinGroupRequest>(response);
    }
    void answer_join(ErrorCode error, std::optional<MemberId> member = {}) {
        JoinGroupResponse response;
        response.group = group;
        response.error = error;
        response.member = member;
        answer<JoinGroupRequest>(response);
    }
    void answer_sync(std::vector<LogId> logs, ErrorCode error = ErrorCode::none) {
        answer<SyncGroupRequest>(SyncGroupResponse{group, error, std::move(logs)});
    }
    void answer_beat(ErrorCode error) { answer<HeartbeatRequest>(HeartbeatResponse{group, error}); }
    OffsetCommitRequest answer_commit(ErrorCode error) {
        OffsetCommitResponse response;
        response.group = group;
        for (const auto& part : waiting<OffsetCommitRequest>()->parts)
            response.parts.push_back({part.log, error});
        return answer<OffsetCommitRequest>(response);
    }
    void answer_committed(std::optional<Offset> offset, std::optional<LeaderEpoch> epoch = {},
                          ErrorCode error = ErrorCode::none) {
        OffsetFetchResponse response;
        response.group = group;
        for (const auto log : waiting<OffsetFetchRequest>()->logs)
            response.parts.push_back({log, error, offset, epoch});
        answer<OffsetFetchRequest>(response);
    }
    void answer_end(Offset offset, ErrorCode error = ErrorCode::none) {
        ListOffsetsResponse response;
        for (const auto& part : waiting<ListOffsetsRequest>()->parts)
            response.parts.push_back({part.log, error, offset, LeaderEpoch{0}});
        answer<ListOffsetsRequest>(response);
    }
    /// One log's part of a Fetch answer with one batch of `count` records at `base`.
    [[nodiscard]] static FetchResponse::Part data(LogId log, Offset asked, Offset base,
                                                  std::int32_t count, LeaderEpoch epoch = {0}) {
        std::vector<Record> records;
        for (std::int32_t i = 0; i < count; ++i)
            records.push_back({RecordId{static_cast<std::uint64_t>(base.value + i)}, 0, 0});
        Batch batch;
        batch.base = base;
        batch.count = count;
        batch.leader_epoch = epoch;
        batch.payload = Payload(std::move(records));
        FetchResponse::Part part;
        part.log = log;
        part.fetch_offset = asked;
        part.batches.push_back(std::move(batch));
        return part;
    }
    [[nodiscard]] static FetchResponse::Part refusal(LogId log, Offset asked, ErrorCode error) {
        FetchResponse::Part part;
        part.log = log;
        part.fetch_offset = asked;
        part.error = error;
        return part;
    }
    FetchRequest answer_fetch(std::vector<FetchResponse::Part> parts) {
        FetchResponse response;
        response.parts = std::move(parts);
        return answer<FetchRequest>(response);
    }

    /// Events of one kind, in order; they are taken out of `events`.
    template <class Event>
    std::vector<Event> taken() {
        std::vector<Event> result;
        std::vector<ConsumerEvent> rest;
        for (auto& event : events) {
            if (auto* found = std::get_if<Event>(&event))
                result.push_back(std::move(*found));
            else
                rest.push_back(std::move(event));
        }
        events = std::move(rest);
        return result;
    }
    template <class Told>
    [[nodiscard]] std::vector<Told> told() const {
        std::vector<Told> result;
        for (const auto& observation : observations)
            if (const auto* found = std::get_if<Told>(&observation)) result.push_back(*found);
        return result;
    }
    [[nodiscard]] int reached(Mile mile) const {
        return static_cast<int>(std::count(milestones.begin(), milestones.end(), number(mile)));
    }

    /// A member of the given generation that owns `logs`, positions not initialised yet.
    void become_stable(Generation generation, MemberId member, std::vector<LogId> logs) {
        answer_lookups = true;
        subscribe();
        poll_on();
        answer_join(generation, member, MemberId{0});
        poll();
        answer_sync(std::move(logs));
        poll();
    }

    [[nodiscard]] Context context() const { return {now, now, self, 0}; }

  private:
    [[nodiscard]] static std::shared_ptr<const Topology> make_topology(std::int32_t partitions) {
        Topology result;
        result.brokers = 2;
        Topic t;
        t.name = "t";
        t.partitions = partitions;
        result.topics.push_back(t);
        for (std::int32_t i = 0; i < partitions; ++i)
            result.logs.push_back({topic, {i}, {{1}, {2}}});
        result.groups = {"g"};
        result.apps = {"a"};
        result.app_first_node = {self};
        return std::make_shared<const Topology>(std::move(result));
    }

    void take(Fx& fx) {
        std::vector<std::pair<sim::Peer, sim::LinkEvent>> links;
        for (const auto& any : fx.list()) {
            if (const auto* connect = std::get_if<sim::effect::Connect>(&any)) {
                links.emplace_back(connect->to, unreachable.contains(connect->to)
                                                    ? sim::LinkEvent::refused
                                                    : sim::LinkEvent::opened);
            } else if (const auto* close = std::get_if<sim::effect::Close>(&any)) {
                std::erase_if(requests, [&](const Pending& p) { return p.peer == close->to; });
                std::erase_if(links, [&](const auto& link) { return link.first == close->to; });
            } else if (const auto* request = std::get_if<sim::effect::Request<Message>>(&any)) {
                requests.push_back({request->to, request->correlation, request->message});
                sent.push_back(request->message);
            } else if (const auto* arm = std::get_if<sim::effect::Arm>(&any)) {
                timers[arm->key] = now + arm->after;
            } else if (const auto* disarm = std::get_if<sim::effect::Disarm>(&any)) {
                timers.erase(disarm->key);
            } else if (const auto* observe = std::get_if<sim::effect::Observe<Observation>>(&any)) {
                observations.push_back(observe->observation);
            } else if (const auto* reach = std::get_if<sim::effect::Reach>(&any)) {
                milestones.push_back(reach->kind);
            }
        }
        for (auto& event : consumer.take_events()) events.push_back(std::move(event));
        for (const auto& [peer, event] : links)
            step([&, p = peer, e = event](Consumer& c, const Context& ctx, Fx& inner) {
                c.on_link(ctx, p, e, inner);
            });
        answer_by_itself();
    }

    void answer_by_itself() {
        for (auto it = requests.begin(); it != requests.end(); ++it) {
            std::optional<Message> response;
            if (std::holds_alternative<MetadataRequest>(it->message) && answer_metadata) {
                MetadataResponse answer;
                answer.brokers = {{1}, {2}};
                for (const auto& [log, leader] : leaders)
                    answer.parts.push_back({log, ErrorCode::none, leader.broker, leader.epoch});
                response = answer;
            } else if (std::holds_alternative<FindCoordinatorRequest>(it->message) &&
                       answer_lookups) {
                response = FindCoordinatorResponse{group, ErrorCode::none, {1}};
            } else if (const auto* fetch = std::get_if<FetchRequest>(&it->message);
                       fetch != nullptr && answer_fetches) {
                FetchResponse answer;
                for (const auto& part : fetch->parts) {
                    FetchResponse::Part empty;
                    empty.log = part.log;
                    empty.fetch_offset = part.offset;
                    answer.parts.push_back(empty);
                }
                response = answer;
            }
            if (!response) continue;
            bool first = true;
            for (auto before = requests.begin(); before != it; ++before)
                first = first && before->peer != it->peer;
            if (!first) continue;
            const auto pending = *it;
            requests.erase(it);
            step([&](Consumer& c, const Context& ctx, Fx& fx) {
                c.on_reply(ctx, pending.peer, pending.correlation, *response, fx);
            });
            return;  // step() has looked at the rest
        }
    }

    std::shared_ptr<const Topology> topology_;

  public:
    Consumer consumer;
    sim::Instant now{};
    std::map<LogId, Leader> leaders;
    std::map<sim::Peer, bool> unreachable;
    bool answer_metadata = true;
    bool answer_lookups = false;
    bool answer_fetches = false;
    std::deque<Pending> requests;
    std::vector<Message> sent;  ///< every request, answered or not
    std::map<sim::TimerKey, sim::Instant> timers;
    std::vector<ConsumerEvent> events;
    std::vector<Observation> observations;
    std::vector<sim::MilestoneKind> milestones;
};

}  // namespace eos::model::test
