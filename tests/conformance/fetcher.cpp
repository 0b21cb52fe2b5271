// Harness fetcher: one follower (broker 2) against a leader (broker 1) whose log and watermark are
// scripted; the answers come from the model's leader.

#include <optional>
#include <vector>

#include "model/leader_partition.hpp"
#include "model/replica_fetcher.hpp"
#include "tests/conformance/batches.hpp"

namespace eos::conformance {

using namespace eos::model;

namespace {

constexpr BrokerId leader_id{1};
constexpr BrokerId follower_id{2};
constexpr LogId the_log{0};
constexpr sim::Duration backoff = sim::milliseconds(1000);

/// A log of one-record batches [offset, epoch].
[[nodiscard]] PartitionLog log_of(const YAML::Node& list, std::int64_t log_start) {
    PartitionLog log{LogRules{}, Offset{log_start}};
    Guard guard;
    for (const YAML::Node& pair : list) {
        Batch batch;
        batch.base = {pair[0].as<std::int64_t>()};
        batch.leader_epoch = {pair[1].as<std::int32_t>()};
        batch.bytes = 100;
        const auto result = log.append_as_follower(batch, {}, guard);
        if (result.error != ErrorCode::none) throw std::invalid_argument("the log has a fold");
    }
    return log;
}

class FetcherHarness {
  public:
    Observed perform(const std::string& op, const Args& args) {
        if (op == "given") {
            given(args);
        } else if (op == "mutate_leader") {
            set_leader(args, "log", "epoch", "hw", "start");
        } else if (op == "fetch_round") {
            round();
        } else if (op == "run_until_equal") {
            for (int rounds = 0; !equal(); ++rounds) {
                if (rounds == 100) throw std::invalid_argument("the logs never become equal");
                round();
            }
        } else if (op == "check_fetcher") {
            return check();
        } else {
            throw std::invalid_argument("harness fetcher has no operation " + op);
        }
        return empty_map();
    }

  private:
    [[nodiscard]] sim::Instant now() const { return at_ms(now_); }

    void given(const Args& args) {
        set_leader(args, "leader_log", "leader_epoch", "leader_hw", "leader_start");
        const YAML::Node list = args.raw("replica_log");
        const bool any = list.IsDefined() && list.size() > 0;
        log_ = log_of(any ? list : empty_list(), any ? list[0][0].as<std::int64_t>() : 0);
        log_.set_high_watermark(Offset{args.get<std::int64_t>("replica_hw", 0)});
        const LeaderEpoch epoch{args.get<std::int32_t>("replica_epoch")};
        static_cast<void>(fetcher_.follow(log_, the_log, leader_id, epoch, now(), guard_));
        const auto start = args.maybe<std::int64_t>("fetch_offset");
        if (start && *start != fetcher_.fetch_offset().value)
            throw NotModelled("a follower begins to fetch at its log end (TRN-1), not elsewhere");
    }

    void set_leader(const Args& args, const char* log, const char* epoch, const char* watermark,
                    const char* start) {
        const YAML::Node list = args.raw(log);
        leader_log_ =
            log_of(list.IsDefined() ? list : empty_list(), args.get<std::int64_t>(start, 0));
        leader_watermark_ = Offset{args.get<std::int64_t>(watermark, 0)};
        PartitionState state;
        state.log = the_log;
        state.replicas = state.isr = {leader_id, follower_id};
        state.leader = leader_id;
        state.leader_epoch = {args.get<std::int32_t>(epoch)};
        leader_ = LeaderPartition{{.self = leader_id}};
        static_cast<void>(leader_.lead(state, leader_log_, brokers_, now(), guard_));
    }

    /// One request and its answer. Backoffs pass before it.
    void round() {
        now_ += backoff / sim::milliseconds(1);
        const auto request = fetcher_.request(log_, now());
        if (!request) return;
        leader_log_.set_high_watermark(leader_watermark_);
        const LeaderFetchResult result =
            leader_.fetch_by_follower(leader_log_, follower_id, *request, std::nullopt, 1 << 20,
                                      brokers_, now(), guard_);
        FetchResponse::Part answer;
        answer.log = the_log;
        answer.error = result.error;
        answer.fetch_offset = request->offset;
        answer.high_watermark = result.high_watermark;
        answer.last_stable_offset = result.last_stable_offset;
        answer.log_start = result.log_start;
        answer.diverging = result.diverging;
        answer.batches = result.read.batches;
        static_cast<void>(
            fetcher_.on_answer(log_, *request, answer, now(), now(), backoff, guard_));
        if (fetcher_.state(now()) == FetcherState::asking_offsets) ask_offsets();
    }

    void ask_offsets() {
        const LeaderEpoch epoch = fetcher_.leader_epoch();
        const auto latest =
            leader_.list_offset(leader_log_, OffsetSpec::latest, std::nullopt, epoch, guard_);
        const auto earliest =
            leader_.list_offset(leader_log_, OffsetSpec::earliest, std::nullopt, epoch, guard_);
        static_cast<void>(fetcher_.on_leader_offsets(log_, epoch, latest.error, earliest.offset,
                                                     latest.offset, now(), now(), backoff));
    }

    [[nodiscard]] bool equal() const {
        if (log_.log_end() != leader_log_.log_end()) return false;
        return log_.batches() == leader_log_.batches();
    }

    Observed check() {
        Observed seen = empty_map();
        seen["leo"] = log_.log_end().value;
        seen["hw"] = log_.high_watermark().value;
        seen["log_start"] = log_.log_start().value;
        seen["last_fetched_epoch"] = value_or_null(fetcher_.last_fetched_epoch(log_));
        seen["log"] = empty_list();
        for (const Batch& batch : log_.batches()) {
            YAML::Node pair = empty_list();
            pair.push_back(batch.base.value);
            pair.push_back(batch.leader_epoch.value);
            seen["log"].push_back(pair);
        }
        switch (fetcher_.state(now())) {
            case FetcherState::truncating: seen["state"] = "TRUNCATING"; break;
            case FetcherState::fetching:
            case FetcherState::asking_offsets: seen["state"] = "FETCHING"; break;
            case FetcherState::backoff: seen["state"] = "BACKOFF"; break;
            case FetcherState::failed: seen["state"] = "FAILED"; break;
        }
        return seen;
    }

    std::vector<BrokerRegistration> brokers_{
        {.broker = leader_id, .epoch = {0}, .fenced = false},
        {.broker = follower_id, .epoch = {0}, .fenced = false}};
    LeaderPartition leader_{LeaderRules{.self = leader_id}};
    PartitionLog leader_log_;
    Offset leader_watermark_;
    PartitionLog log_;
    ReplicaFetcher fetcher_;
    Guard guard_;
    std::int64_t now_ = 0;
};

}  // namespace

Harness make_fetcher(const Args& config) { return driven<FetcherHarness>(config); }

}  // namespace eos::conformance
