// Harness modern_member: one member of a KIP-848 group as its client sees it. Callbacks run until
// the case says that they have returned; heartbeats leave when the case lets them.

#include <memory>
#include <optional>

#include "model/modern_membership.hpp"
#include "tests/conformance/harness.hpp"

namespace eos::conformance {

Harness make_modern_member(const Args& config);

namespace {

using namespace eos::model;
using Kind = ModernMembership::Callback::Kind;

[[nodiscard]] std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::revoked:
            return "revoked";
        case Kind::assigned:
            return "assigned";
        case Kind::lost:
            return "lost";
    }
    return "";
}

[[nodiscard]] YAML::Node shown_logs(const std::vector<LogId>& logs) {
    YAML::Node list = empty_list();
    for (const LogId log : logs) list.push_back("t-" + std::to_string(log.value));
    return list;
}
[[nodiscard]] std::vector<LogId> logs_named(const YAML::Node& tps) {
    std::vector<LogId> logs;
    for (const YAML::Node& tp : tps) logs.push_back({std::stoi(tp.as<std::string>().substr(2))});
    return logs;
}

[[nodiscard]] std::shared_ptr<const ConsumerConfig> config_of(const Args& args) {
    ConsumerConfig config;
    config.group = GroupId{0};
    config.protocol = GroupProtocol::consumer;
    if (args.has("instance")) config.instance = GroupInstanceId{1};
    return std::make_shared<const ConsumerConfig>(config);
}

class ModernMemberHarness {
  public:
    explicit ModernMemberHarness(const Args& args)
        : config_(config_of(args)), member_(config_, MemberId{7}) {}

    Observed perform(const std::string& op, const Args& args) {
        if (op == "check") return check();
        if (op == "given") {
            given(args);
            return empty_map();
        }
        before_ = member_.callbacks().size();
        Observed shown = empty_map();
        shown["heartbeat"] = null();
        if (op == "heartbeat_response") {
            answer(args.get<std::int32_t>("epoch"),
                   args.has("assignment") ? std::optional(logs_named(args.raw("assignment")))
                                          : std::nullopt);
            reconcile();
        } else if (op == "heartbeat_error") {
            ConsumerGroupHeartbeatResponse response;
            response.error = error_named(args.get<std::string>("error"));
            static_cast<void>(member_.answered(now_, member_.serial(), response, {}));
        } else if (op == "callback_done") {
            callback_done(args.maybe<std::string>("which"));
            reconcile();
        } else if (op == "heartbeat_sent") {
            if (member_.beat_due() > now_) now_ = member_.beat_due();
            shown["heartbeat"] = send();
        } else if (op == "poll") {
            member_.polled(now_);
            shown["heartbeat"] = send();
        } else if (op == "poll_timer_expired") {
            now_ += config_->max_poll_interval;
            shown["heartbeat"] = send();
        } else if (op == "unsubscribe") {
            member_.leave();
            shown["heartbeat"] = send();
        } else {
            throw std::invalid_argument("unknown operation " + op);
        }
        shown["callbacks"] = empty_list();
        for (std::size_t i = before_; i < member_.callbacks().size(); ++i) {
            const auto& callback = member_.callbacks()[i];
            YAML::Node one = empty_list();
            one.push_back(std::string(name_of(callback.kind)));
            one.push_back(shown_logs(callback.logs));
            shown["callbacks"].push_back(one);
        }
        return shown;
    }

  private:
    void answer(std::int32_t epoch, std::optional<std::vector<LogId>> assignment) {
        ConsumerGroupHeartbeatResponse response;
        response.member_epoch = epoch;
        response.heartbeat_interval = seconds(5);
        response.assignment = std::move(assignment);
        static_cast<void>(member_.answered(now_, member_.serial(), response, {}));
    }
    void reconcile() {
        if (!member_.reconcile_due()) return;
        static_cast<void>(member_.reconcile(guard_));
        member_.committed();
    }
    void callback_done(const std::optional<std::string>& which) {
        for (const auto& callback : member_.callbacks()) {
            if (which && *which != name_of(callback.kind)) continue;
            const Kind kind = callback.kind;
            member_.callback_done(kind);
            --before_;
            return;
        }
        // Kafka runs no callback for no partitions: nothing is left to end.
    }
    /// The heartbeat that leaves at once, or null.
    [[nodiscard]] YAML::Node send() {
        if (member_.beat(now_) != ModernMembership::Beat::send) return null();
        const auto request = member_.request(now_, {TopicId{0}});
        YAML::Node shown = empty_map();
        shown["epoch"] = request.member_epoch;
        shown["owned"] = request.owned ? shown_logs(*request.owned) : null();
        return shown;
    }

    /// A member that came to this state by itself.
    void given(const Args& args) {
        const auto state = args.get<std::string>("state");
        const auto owned = logs_named(args.raw("owned"));
        member_.polled(now_);
        static_cast<void>(send());
        if (state == "JOINING") return;
        answer(std::max(args.get<std::int32_t>("epoch"), 1), owned);
        reconcile();
        while (!member_.callbacks().empty()) callback_done(std::nullopt);
        static_cast<void>(send());
        answer(std::max(args.get<std::int32_t>("epoch"), 1), std::nullopt);
        if (state == "STABLE") return;
        if (state == "RECONCILING") {
            auto more = owned;
            more.push_back({9});
            answer(args.get<std::int32_t>("epoch"), more);
        } else if (state == "LEAVING") {
            member_.leave();
            while (!member_.callbacks().empty()) callback_done(std::nullopt);
        } else {
            throw NotModelled("no way is known to state " + state);
        }
    }

    Observed check() {
        Observed shown = empty_map();
        shown["state"] = std::string(name(member_.state()));
        shown["epoch"] = member_.epoch();
        shown["owned"] = shown_logs(member_.owned());
        return shown;
    }

    std::shared_ptr<const ConsumerConfig> config_;
    ModernMembership member_;
    Guard guard_;
    sim::Instant now_{};
    std::size_t before_ = 0;  ///< callbacks that ran before this operation
};

}  // namespace

Harness make_modern_member(const Args& config) {
    return driven<ModernMemberHarness>(config, {.sets = {"owned"}});
}

}  // namespace eos::conformance
