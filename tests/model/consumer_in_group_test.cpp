// Consumers and a group coordinator together, with every group protocol: members come and go, the
// coordinator fails over, and at no moment two members hold a partition (V4, V9).

#include <algorithm>
#include <deque>
#include <memory>

#include <doctest/doctest.h>

#include "model/consumer.hpp"
#include "tests/model/consumer_rig.hpp"
#include "tests/model/group_rig.hpp"

using namespace eos::model;
using Rig = eos::model::test::ConsumerRig;
using eos::model::testing::GroupRig;
namespace sim = eos::sim;

namespace {

constexpr std::int32_t partitions = 4;

/// A rig's requests to the coordinator go there one after the other (N2); it polls all the time.
struct Member {
    Member(ConsumerConfig config, NodeId at)
        : rig(std::move(config), partitions, static_cast<std::uint64_t>(at.value)), node(at) {
        rig.answer_lookups = true;
    }
    Rig rig;
    NodeId node;
    bool closed = false;
    std::optional<std::uint32_t> asked;  ///< the request the coordinator has not answered
    sim::Peer peer;
    sim::Correlation correlation;
    std::vector<LogId> given_up;
};

class Scene {
  public:
    explicit Scene(ConsumerConfig config) : config_(std::move(config)) { group.start(); }

    Member& join() {
        members.push_back(std::make_unique<Member>(config_, NodeId{4 + next_++}));
        members.back()->rig.subscribe();
        return *members.back();
    }
    void close(Member& member) {
        member.closed = true;
        if (member.rig.consumer.call_open())
            member.rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.wakeup(ctx, fx); });
        member.rig.step([](Consumer& c, const Context& ctx, Fx& fx) { c.close(ctx, fx); });
    }
    void run(Duration span) {
        for (Duration at{}; at < span; at += milliseconds(100)) {
            for (auto& member : members) {
                if (!member->closed && !member->rig.consumer.call_open())
                    member->rig.poll(milliseconds(100));
                pump(*member);
                read(member->rig);
                member->rig.advance(milliseconds(100));
                pump(*member);
                for (auto& gone : member->rig.taken<consumer_event::PartitionsRevoked>())
                    member->given_up.insert(member->given_up.end(), gone.logs.begin(),
                                            gone.logs.end());
            }
            group.advance(milliseconds(100));
            look();
        }
    }
    /// How many partitions each open member holds, sorted.
    [[nodiscard]] std::vector<std::size_t> shares() const {
        std::vector<std::size_t> result;
        for (const auto& member : members)
            if (!member->closed) result.push_back(member->rig.consumer.assignment().size());
        std::sort(result.begin(), result.end());
        return result;
    }

    GroupRig group{[] {
        ClusterConfig config;
        config.group_initial_rebalance_delay = {};
        return config;
    }()};
    std::vector<std::unique_ptr<Member>> members;
    int double_owners = 0;

  private:
    /// The logs are empty: fetches are answered once in a while, in turn with what waits for them.
    static void read(Rig& rig) {
        for (bool fetched = false;;) {
            const auto first = std::find_if(
                rig.requests.begin(), rig.requests.end(),
                [](const Rig::Pending& p) { return p.peer.lane == Consumer::fetch_lane; });
            if (first == rig.requests.end()) return;
            if (std::holds_alternative<ListOffsetsRequest>(first->message)) {
                rig.answer_end(Offset{0});
            } else if (std::holds_alternative<FetchRequest>(first->message) && !fetched) {
                fetched = true;
                rig.answer_fetch({});
            } else {
                return;
            }
        }
    }
    void pump(Member& member) {
        for (;;) {
            if (!member.asked) {
                const auto next =
                    std::find_if(member.rig.requests.begin(), member.rig.requests.end(),
                                 [](const Rig::Pending& p) {
                                     return p.peer.lane == Consumer::coordinator_lane;
                                 });
                if (next == member.rig.requests.end()) return;
                member.peer = next->peer;
                member.correlation = next->correlation;
                member.asked = group.request(next->message, member.node);
            }
            if (!group.answered(*member.asked)) return;
            const auto message = group.answers.at(*member.asked);
            member.asked.reset();
            std::erase_if(member.rig.requests, [&](const Rig::Pending& p) {
                return p.peer == member.peer && p.correlation == member.correlation;
            });
            member.rig.step([&](Consumer& c, const Context& ctx, Fx& fx) {
                c.on_reply(ctx, member.peer, member.correlation, message, fx);
            });
        }
    }
    void look() {
        std::vector<LogId> held;
        for (const auto& member : members) {
            const auto logs = member->rig.consumer.assignment();
            held.insert(held.end(), logs.begin(), logs.end());
        }
        std::sort(held.begin(), held.end());
        if (std::adjacent_find(held.begin(), held.end()) != held.end()) ++double_owners;
    }

    ConsumerConfig config_;
    std::int32_t next_ = 0;
};

ConsumerConfig classic(AssignorKind assignor) {
    auto config = Rig::config();
    config.assignors = {assignor};
    return config;
}
ConsumerConfig modern(ServerAssignor assignor, bool auto_commit = false) {
    auto config = Rig::config();
    config.protocol = GroupProtocol::consumer;
    config.remote_assignor = assignor;
    config.auto_commit = auto_commit;
    return config;
}

}  // namespace

TEST_CASE("with every protocol members share all partitions, evenly, and never one at a time two") {
    struct Row {
        std::string_view what;
        ConsumerConfig config;
    };
    const Row rows[] = {
        {"range", classic(AssignorKind::range)},
        {"sticky", classic(AssignorKind::sticky)},
        {"cooperative-sticky", classic(AssignorKind::cooperative_sticky)},
        {"KIP-848 uniform", modern(ServerAssignor::uniform)},
        {"KIP-848 range", modern(ServerAssignor::range)},
        {"KIP-848 uniform, auto-commit", modern(ServerAssignor::uniform, true)},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        Scene scene(row.config);
        using Shares = std::vector<std::size_t>;

        auto& first = scene.join();
        scene.run(seconds(20));
        CHECK(scene.shares() == Shares{4});
        scene.join();
        scene.run(seconds(30));
        CHECK(scene.shares() == Shares{2, 2});
        scene.join();
        scene.run(seconds(30));
        CHECK(scene.shares() == Shares{1, 1, 2});
        scene.close(first);
        scene.run(seconds(30));
        CHECK(scene.shares() == Shares{2, 2});
        CHECK(first.rig.taken<consumer_event::Closed>().size() == 1);
        scene.group.fail_over(1);
        scene.run(seconds(30));
        scene.join();
        scene.run(seconds(60));
        CHECK(scene.shares() == Shares{1, 1, 2});
        CHECK(scene.double_owners == 0);
    }
}

TEST_CASE("incremental protocols take from an owner only what moves") {
    const ConsumerConfig configs[] = {classic(AssignorKind::cooperative_sticky),
                                      modern(ServerAssignor::uniform)};
    for (const auto& config : configs) {
        Scene scene(config);
        auto& owner = scene.join();
        scene.run(seconds(20));

        scene.join();
        scene.run(seconds(30));

        CHECK(owner.given_up.size() == 2);
        CHECK(owner.rig.consumer.assignment().size() == 2);
    }
}

TEST_CASE("an eager member gives everything up whenever another one comes") {
    Scene scene(classic(AssignorKind::sticky));
    auto& owner = scene.join();
    scene.run(seconds(20));
    const auto before = owner.rig.consumer.assignment();

    scene.join();
    scene.run(seconds(30));

    CHECK(owner.given_up.size() == 4);
    for (const auto log : owner.rig.consumer.assignment())
        CHECK(std::find(before.begin(), before.end(), log) != before.end());
}
