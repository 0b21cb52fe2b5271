// Harness fetch_filter: the fetch side of a consumer with one partition. Answers are given to a
// Fetcher as they come; poll() collects from it.

#include "model/fetcher.hpp"
#include "model/subscription_state.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

Harness make_fetch_filter(const Args& config);

namespace {

using namespace eos::model;

constexpr LogId only{0};
constexpr BrokerId leader{1};

/// The record at offset o has ledger id o. Offsets that compaction removed from the end are absent.
[[nodiscard]] Batch batch_of(const Args& given) {
    Batch batch;
    batch.base = {given.get<std::int64_t>("b")};
    batch.count = given.get<std::int32_t>("n", 1);
    if (const auto id = given.maybe<std::int64_t>("pid")) batch.producer_id = ProducerId{*id};
    batch.transactional = given.get<bool>("txn", false);
    if (const auto control = given.maybe<std::string>("control")) {
        // An EMPTY control batch decides nothing, and neither does a COMMIT marker.
        batch.control = *control == "ABORT" ? ControlType::abort : ControlType::commit;
        batch.transactional = true;
        return batch;
    }
    std::int32_t present = batch.count;
    if (given.has("offs")) {
        present = static_cast<std::int32_t>(given.raw("offs").size());
        for (std::int32_t i = 0; i < present; ++i)
            if (given.raw("offs")[i].as<std::int64_t>() != batch.base.value + i)
                throw NotModelled("compaction inside a batch");
    }
    std::vector<Record> records;
    for (std::int32_t i = 0; i < present; ++i)
        records.push_back({RecordId{static_cast<std::uint64_t>(batch.base.value + i)}, 0, 0});
    batch.payload = Payload(std::move(records));
    return batch;
}

class FetchFilterHarness {
  public:
    explicit FetchFilterHarness(const Args& args) {
        config_.isolation = args.get<std::string>("isolation", "READ_COMMITTED") == "READ_COMMITTED"
                                ? Isolation::read_committed
                                : Isolation::read_uncommitted;
        config_.offset_reset = args.get<std::string>("reset", "EARLIEST") == "NONE"
                                   ? OffsetReset::none
                                   : OffsetReset::earliest;
        config_.client.retry_backoff = {};
        subscriptions_.assign({only});
        seek(0);
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "given") {
            if (args.has("preferred")) throw NotModelled("fetching from followers (KIP-392)");
            seek(args.get<std::int64_t>("position", 0));
        } else if (op == "seek") {
            seek(args.get<std::int64_t>("offset"));
        } else if (op == "paused") {
            // The model's applications never pause; a partition that is about to be revoked may not
            // be fetched either (C2).
            subscriptions_.find(only)->pending_revocation = args.get<bool>("paused");
        } else if (op == "unassign") {
            subscriptions_.assign({});
            fetcher_.retain(subscriptions_);
        } else if (op == "fetched") {
            fetched(args);
        } else if (op == "poll") {
            return poll(args.get<std::int32_t>("max", 500));
        } else if (op == "check") {
            return check();
        } else {
            throw std::invalid_argument("unknown operation " + op);
        }
        return empty_map();
    }

  private:
    void seek(std::int64_t offset) {
        subscriptions_.seek(*subscriptions_.find(only),
                            {Offset{offset}, std::nullopt, {leader, std::nullopt}}, guard_);
    }
    [[nodiscard]] YAML::Node position() const {
        const auto* part = subscriptions_.find(only);
        return part && part->position ? YAML::Node(part->position->offset.value) : null();
    }

    void fetched(const Args& args) {
        FetchResponse response;
        FetchResponse::Part part;
        part.log = only;
        part.error = error_named(args.get<std::string>("error", "NONE"));
        part.fetch_offset = args.has("offset") ? Offset{args.get<std::int64_t>("offset")}
                                               : subscriptions_.find(only)->position->offset;
        if (args.has("batches"))
            for (const YAML::Node& batch : args.raw("batches"))
                part.batches.push_back(batch_of(Args(batch)));
        if (config_.isolation == Isolation::read_committed) {
            part.aborted.emplace();
            if (args.has("aborted"))
                for (const YAML::Node& txn : args.raw("aborted"))
                    part.aborted->push_back(
                        {{txn[0].as<std::int64_t>()}, {txn[1].as<std::int64_t>()}, {}, {}});
        }
        response.parts.push_back(std::move(part));
        fetcher_.answered(leader, &response);
    }

    Observed poll(std::int32_t max) {
        auto harvest = fetcher_.collect({}, max, subscriptions_, config_, guard_);
        refresh_ = harvest.refresh;
        for (const LogId log : harvest.reset)
            subscriptions_.reset(*subscriptions_.find(log), *reset_by(config_.offset_reset));
        Observed shown =
            harvest.result == CallResult::ok ? empty_map() : failed(name(harvest.error));
        shown["records"] = empty_list();
        for (const auto& chunk : harvest.chunks)
            for (std::int32_t i = chunk.first; i < chunk.first + chunk.count; ++i)
                shown["records"].push_back(
                    chunk.payload.records()[static_cast<std::size_t>(i)].id.value);
        shown["position"] = position();
        shown["advanced"] = harvest.advanced;
        return shown;
    }

    Observed check() {
        Observed shown = empty_map();
        const auto* part = subscriptions_.find(only);
        shown["position"] = position();
        shown["state"] = part->state == FetchState::await_reset ? "AWAIT_RESET" : "FETCHING";
        shown["preferred"] = null();
        shown["metadata_refresh"] = refresh_;
        return shown;
    }

    ConsumerConfig config_;
    SubscriptionState subscriptions_;
    Fetcher fetcher_;
    Guard guard_;
    bool refresh_ = false;
};

}  // namespace

Harness make_fetch_filter(const Args& config) { return driven<FetchFilterHarness>(config); }

}  // namespace eos::conformance
