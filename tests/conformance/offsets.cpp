// Harness offsets: the committed offsets of one group, driven through a GroupShard whose log
// replicates every write at once.

#include <map>

#include "model/group_shard.hpp"
#include "tests/conformance/harness.hpp"
#include "tests/conformance/names.hpp"
#include "tests/model/group_rig.hpp"

namespace eos::conformance {

Harness make_offsets(const Args& config);

namespace {

using namespace eos::model;

constexpr GroupId group_id{0};
constexpr std::int32_t partitions_per_topic = 10;

class OffsetsHarness {
  public:
    explicit OffsetsHarness(const Args& config) {
        config_.offsets_retention =
            sim::milliseconds(config.get<std::int64_t>("retention_ms", 604'800'000));
        config_.offset_metadata_max = config.get<std::int32_t>("metadata_max", 4096);
        config_.group_min_session = {};
        // Room for every topic a case may name.
        for (std::int32_t topic = 0; topic < 8; ++topic) {
            topology_.topics.push_back({.name = std::to_string(topic),
                                        .first = {topic * partitions_per_topic},
                                        .partitions = partitions_per_topic});
            for (std::int32_t p = 0; p < partitions_per_topic; ++p)
                topology_.logs.push_back({{topic}, {p}, {{1}}});
        }
        restart();
    }

    Observed perform(const std::string& op, const Args& args) {
        if (op == "given_group") return given_group(args);
        if (op == "commit") return commit(args);
        if (op == "txn_commit") return txn_commit(args);
        if (op == "marker") return marker(args);
        if (op == "fetch") return fetch(args);
        if (op == "expire") return expire();
        if (op == "advance") return advance(args);
        if (op == "failover") {
            restart();
            return empty_map();
        }
        if (op == "check_offset") return check_offset(args);
        if (op == "check_group") return check_group();
        if (op == "delete") return delete_offsets(args);
        if (op == "delete_group") return delete_group();
        if (op == "topic_deleted") return topic_deleted(args);
        throw std::invalid_argument("unknown operation " + op);
    }

  private:
    template <class Action>
    void step(Action action) {
        Fx fx;
        GroupOutput out;
        const auto ctx = world_.context();
        ShardStep inner{ctx, config_, topology_, rng_, guard_, out, fx};
        action(shard_, inner);
        for (std::size_t i = 0; i < out.appends.size(); ++i) {
            const auto append = out.appends[i];
            Batch batch;
            batch.base = end_;
            batch.count = static_cast<std::int32_t>(append.records.size());
            batch.payload = Payload(append.records);
            if (append.who) {
                batch.transactional = true;
                batch.producer_id = append.who->producer_id;
                batch.producer_epoch = append.who->producer_epoch;
            }
            log_.push_back(batch);
            end_ = batch.next_offset();
            shard_.appended(inner, append.token, batch.base);
            shard_.on_high_watermark(inner, end_);
        }
        for (const auto& reply : out.replies) last_ = reply.message;
        world_.take(fx);
    }

    void restart() {
        shard_ = GroupShard({0}, {0});
        for (const auto& batch : log_) shard_.replay(guard_, batch, end_);
        step([](GroupShard& shard, ShardStep& s) { shard.loaded(s); });
    }

    [[nodiscard]] LogId log_named(const std::string& tp) {
        const auto dash = tp.rfind('-');
        const auto topic = topics_.number(tp.substr(0, dash)) - 1;
        return {topic * partitions_per_topic + std::stoi(tp.substr(dash + 1))};
    }
    [[nodiscard]] std::string log_name(LogId log) const {
        return topics_.name(log.value / partitions_per_topic + 1) + "-" +
               std::to_string(log.value % partitions_per_topic);
    }

    Observed given_group(const Args& args) {
        if (args.get<std::string>("type") == "consumer") return given_modern_group(args);
        const auto wanted = args.get<std::string>("state");
        std::optional<GroupState> state;
        for (const auto candidate :
             {GroupState::empty, GroupState::preparing_rebalance, GroupState::completing_rebalance,
              GroupState::stable, GroupState::dead})
            if (name(candidate) == wanted) state = candidate;
        if (!state) throw std::invalid_argument("no state is called " + wanted);
        std::vector<TopicId> subscription;
        if (args.has("subscribed"))
            for (const YAML::Node& topic : args.raw("subscribed"))
                subscription.push_back({topics_.number(topic.as<std::string>()) - 1});
        std::vector<GroupMember> members;
        for (const auto& entry : args.raw("members")) {
            const Args given(entry.second);
            GroupMember m;
            m.id = *numbered<MemberId>(ids_, entry.first.as<std::string>());
            m.instance =
                numbered<GroupInstanceId>(instances_, given.maybe<std::string>("instance"));
            m.session_timeout = sim::milliseconds(given.get<std::int64_t>("session", 45000));
            m.rebalance_timeout = sim::milliseconds(300'000);
            m.protocols = {AssignorKind::range};
            m.subscription = subscription;
            members.push_back(std::move(m));
        }
        std::optional<MemberId> leader;
        if (!members.empty()) leader = members.front().id;
        ClassicGroup group(group_id, *state, Generation{args.get<std::int32_t>("generation")},
                           leader, AssignorKind::range, std::move(members));
        Fx fx;
        std::vector<GroupReply> replies;
        std::vector<GroupWrite> writes;
        const auto ctx = world_.context();
        GroupStep inner{ctx, config_, topology_, guard_, fx, replies, writes};
        group.resume(inner);
        world_.take(fx);
        shard_.place(std::move(group));
        return empty_map();
    }

    Observed given_modern_group(const Args& args) {
        ModernGroupRecord record;
        record.group = group_id;
        for (const auto& entry : args.raw("members")) {
            const Args given(entry.second);
            ModernMember m;
            if (given.get<bool>("classic", false)) m.classic = ClassicSide{};
            m.member = *numbered<MemberId>(ids_, entry.first.as<std::string>());
            m.epoch = Generation{given.get<std::int32_t>("epoch")};
            record.epoch = std::max(record.epoch, m.epoch);
            record.members.push_back(std::move(m));
        }
        record.target_epoch = record.epoch;
        shard_.place(ModernGroup::restored(std::move(record)));
        return empty_map();
    }

    [[nodiscard]] MemberRef member_of(const Args& args) {
        MemberRef ref;
        if (const auto generation = args.get<std::int32_t>("generation", -1); generation >= 0)
            ref.generation = Generation{generation};
        ref.member = numbered<MemberId>(ids_, args.maybe<std::string>("member"));
        ref.instance = numbered<GroupInstanceId>(instances_, args.maybe<std::string>("instance"));
        return ref;
    }
    [[nodiscard]] std::vector<OffsetCommitRequest::Part> parts_of(const Args& args) {
        std::vector<OffsetCommitRequest::Part> parts;
        for (const auto& entry : args.raw("offsets"))
            parts.push_back(
                {log_named(entry.first.as<std::string>()), {entry.second.as<std::int64_t>()}, {}});
        if (args.has("metadata"))
            for (const auto& entry : args.raw("metadata"))
                for (auto& part : parts)
                    if (part.log == log_named(entry.first.as<std::string>()))
                        part.metadata_bytes =
                            static_cast<std::int32_t>(entry.second.as<std::string>().size());
        return parts;
    }
    /// An error of all parts is the error of the operation.
    [[nodiscard]] Observed outcome_of(const std::vector<OffsetCommitResponse::Part>& parts) const {
        auto common = parts.front().error;
        for (const auto& part : parts)
            if (part.error != common) common = ErrorCode::none;
        Observed result = outcome(common);
        result["results"] = empty_map();
        for (const auto& part : parts)
            result["results"][log_name(part.log)] = std::string(name(part.error));
        return result;
    }

    Observed commit(const Args& args) {
        const OffsetCommitRequest request{group_id, member_of(args), parts_of(args),
                                          args.get<std::int16_t>("version", 9)};
        step([&](GroupShard& shard, ShardStep& s) {
            shard.on_request(s, {{9}, 0, 0, {}}, request);
        });
        return outcome_of(std::get<OffsetCommitResponse>(*last_).parts);
    }

    Observed txn_commit(const Args& args) {
        TxnOffsetCommitRequest request;
        request.who.producer_id = {args.get<std::int64_t>("pid")};
        request.group = group_id;
        request.member = member_of(args);
        request.parts = parts_of(args);
        step([&](GroupShard& shard, ShardStep& s) {
            shard.on_request(s, {{9}, 0, 0, {}}, request);
        });
        return outcome_of(std::get<TxnOffsetCommitResponse>(*last_).parts);
    }

    Observed marker(const Args& args) {
        Batch batch;
        batch.base = end_;
        batch.producer_id = ProducerId{args.get<std::int64_t>("pid")};
        batch.transactional = true;
        batch.control =
            args.get<std::string>("result") == "COMMIT" ? ControlType::commit : ControlType::abort;
        log_.push_back(batch);
        end_ = batch.next_offset();
        step([&](GroupShard& shard, ShardStep& s) {
            shard.on_marker(s, *batch.producer_id, *batch.control, batch.base);
            shard.on_high_watermark(s, end_);
        });
        return empty_map();
    }

    Observed fetch(const Args& args) {
        OffsetFetchRequest request;
        request.group = group_id;
        request.require_stable = args.get<bool>("require_stable", false);
        request.member = numbered<MemberId>(ids_, args.maybe<std::string>("member"));
        request.member_epoch = args.maybe<std::int32_t>("epoch");
        if (args.raw("tps").IsScalar()) {
            for (const auto& [log, entry] : shard_.offsets().of(group_id))
                request.logs.push_back(log);
        } else {
            for (const YAML::Node& tp : args.raw("tps"))
                request.logs.push_back(log_named(tp.as<std::string>()));
        }
        step([&](GroupShard& shard, ShardStep& s) {
            shard.on_request(s, {{9}, 0, 0, {}}, request);
        });
        const auto& answer = std::get<OffsetFetchResponse>(*last_);
        Observed result = outcome(answer.error);
        result["results"] = empty_map();
        for (const auto& part : answer.parts) {
            if (part.error != ErrorCode::none)
                result["results"][log_name(part.log)] = std::string(name(part.error));
            else
                result["results"][log_name(part.log)] = part.offset ? part.offset->value : -1;
        }
        return result;
    }

    [[nodiscard]] std::vector<LogId> logs_in(const Args& args) {
        std::vector<LogId> logs;
        for (const YAML::Node& tp : args.raw("tps"))
            logs.push_back(log_named(tp.as<std::string>()));
        return logs;
    }

    Observed delete_offsets(const Args& args) {
        const auto logs = logs_in(args);
        Observed result;
        step([&](GroupShard& shard, ShardStep& s) {
            result = outcome_of(shard.delete_offsets(s, group_id, logs));
        });
        return result;
    }

    Observed delete_group() {
        const auto before = log_.size();
        auto error = ErrorCode::none;
        step([&](GroupShard& shard, ShardStep& s) { error = shard.delete_group(s, group_id); });
        Observed result = outcome(error);
        if (error == ErrorCode::none && shard_.group(group_id))
            throw std::logic_error("a deleted group is still known");
        std::int32_t deleted = 0;
        for (std::size_t i = before; i < log_.size(); ++i)
            for (const auto& record : log_[i].payload.group_records())
                if (std::holds_alternative<OffsetRecord>(record)) ++deleted;
        result["deleted_offsets"] = deleted;
        return result;
    }

    Observed topic_deleted(const Args& args) {
        const auto logs = logs_in(args);
        step([&](GroupShard& shard, ShardStep& s) { shard.on_partitions_deleted(s, logs); });
        return empty_map();
    }

    Observed expire() {
        const auto before = log_.size();
        step([&](GroupShard& shard, ShardStep& s) {
            shard.expire_offsets(s, std::nullopt, config_.offsets_retention);
        });
        Observed result = empty_map();
        result["expired"] = empty_list();
        result["deletable"] = false;
        for (std::size_t i = before; i < log_.size(); ++i) {
            for (const auto& record : log_[i].payload.group_records()) {
                if (const auto* offset = std::get_if<OffsetRecord>(&record))
                    result["expired"].push_back(log_name(offset->log));
                else
                    result["deletable"] = true;  // the shard writes no other record in expiry
            }
        }
        return result;
    }

    Observed advance(const Args& args) {
        const auto until = world_.now + sim::milliseconds(args.get<std::int64_t>("ms"));
        while (const auto timer = world_.next_timer(until))
            step([&](GroupShard& shard, ShardStep& s) { shard.on_group_timer(s, *timer); });
        world_.now = until;
        return empty_map();
    }

    Observed check_offset(const Args& args) {
        Observed result = empty_map();
        const auto* entry = shard_.offsets().find(group_id, log_named(args.get<std::string>("tp")));
        result["committed"] = entry ? YAML::Node(entry->offset.value) : null();
        result["pending"] = values_of(
            shard_.offsets().producers_of(group_id, log_named(args.get<std::string>("tp"))));
        return result;
    }

    Observed check_group() {
        Observed result = empty_map();
        const auto* group = shard_.group(group_id);
        result["state"] = group ? std::string(name(group->state())) : "absent";
        result["type"] = group && group->simple() ? "simple" : "classic";
        result["members"] = empty_list();
        if (group)
            for (const auto& m : group->members())
                result["members"].push_back(ids_.name(static_cast<std::int64_t>(m.id.value)));
        return result;
    }

    ClusterConfig config_;
    Topology topology_;
    model::testing::GroupWorld world_;
    sim::Rng rng_{1};
    Guard guard_;
    GroupShard shard_;
    std::vector<Batch> log_;
    Offset end_;
    std::optional<Message> last_;
    Names ids_;
    Names instances_;
    Names topics_;
};

}  // namespace

Harness make_offsets(const Args& config) {
    return driven<OffsetsHarness>(config, {.sets = {"members", "expired", "pending"}});
}

}  // namespace eos::conformance
