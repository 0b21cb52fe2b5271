// The screen of a moment: what is rare in runs is put together by hand here.

#include "reports/render/state.hpp"

#include <sstream>

#include <doctest/doctest.h>

using namespace eos;
using namespace eos::reports;

namespace {

state::Cluster quiet() {
    state::Cluster cluster;
    cluster.engine = "0";
    cluster.scenario = "by-hand";
    cluster.at = sim::time_zero + sim::milliseconds(1500);
    cluster.events = 1234;
    return cluster;
}

std::string only(const state::Cluster& cluster, Section section) {
    return text(cluster, {section});
}

}  // namespace

TEST_CASE("a deposed leader that does not know it yet stands beside the new one") {
    auto cluster = quiet();
    state::Partition orders{.name = "orders/0",
                            .internal = false,
                            .leader = 2,
                            .leader_epoch = 1,
                            .in_sync = {2, 3},
                            .elr = {1},
                            .replicas = {},
                            .first_unstable = 9,
                            .open = {}};
    orders.replicas = {{.broker = 1,
                        .condition = "alive",
                        .leads = true,
                        .in_sync = false,
                        .log_start = 0,
                        .high_watermark = 10,
                        .last_stable = 9,
                        .log_end = 12,
                        .stored = 0,
                        .last_epoch = 0},
                       {.broker = 2,
                        .condition = "paused",
                        .leads = true,
                        .in_sync = true,
                        .log_start = 0,
                        .high_watermark = 10,
                        .last_stable = 9,
                        .log_end = 11,
                        .stored = 4,
                        .last_epoch = 1},
                       {.broker = 3,
                        .condition = "down",
                        .leads = false,
                        .in_sync = true,
                        .log_start = 0,
                        .high_watermark = 0,
                        .last_stable = 0,
                        .log_end = 10,
                        .stored = 10,
                        .last_epoch = {}}};
    cluster.partitions = {orders};

    CHECK(only(cluster, Section::partitions) ==
          R"(by-hand · seed 1 · at 1.500000 s, after 1,234 events

partitions
  orders/0  leader broker 2, leader epoch 1, in sync 2 3, eligible 1
    replica   start  stable  watermark  end  on disk  last epoch
    broker 1      0       9         10   12        0           0  leads, not in sync
    broker 2      0       9         10   11        4           1  paused, leads
    broker 3      0       0          0   10       10           -  down
    first unstable offset 9, ended by a marker that is not replicated
)");
}

TEST_CASE("a KIP-848 group tells epochs, targets and what is pending in transactions") {
    auto cluster = quiet();
    state::Group group{.name = "biller",
                       .coordinator = "broker 3",
                       .log = "__consumer_offsets/0",
                       .protocol = "consumer",
                       .state = "Reconciling",
                       .generation = 4,
                       .target_epoch = 4,
                       .assignor = "uniform",
                       .members = {},
                       .offsets = {},
                       .pending = {}};
    group.members = {{.id = "00000000000000aa",
                      .client = "biller/0",
                      .instance = {},
                      .epoch = 3,
                      .state = "UNREVOKED_PARTITIONS",
                      .leads = false,
                      .assigned = {"orders/0"},
                      .revoking = {"orders/1"},
                      .target = {"orders/0"}},
                     {.id = "00000000000000bb",
                      .client = "",
                      .instance = 7,
                      .epoch = -2,
                      .state = "STABLE",
                      .leads = false,
                      .assigned = {},
                      .revoking = {},
                      .target = {"orders/1"}}};
    group.offsets = {{"orders/0", 12}, {"orders/1", 3}};
    group.pending = {{"orders/1", 13, 1000, "biller-0"}, {"orders/0", 20, 1001, ""}};
    cluster.groups = {group};
    cluster.groups_loading = {{"__consumer_offsets/1", "broker 2"}};

    CHECK(only(cluster, Section::groups) == R"(by-hand · seed 1 · at 1.500000 s, after 1,234 events

groups, as their coordinators know them
  biller  Reconciling, consumer, group epoch 4, target epoch 4, uniform,
    coordinator broker 3 (__consumer_offsets/0)
    biller/0, member epoch 3, UNREVOKED_PARTITIONS: orders/0; to give up orders/1
    00000000000000bb, instance 7, member epoch -2, STABLE: nothing; target orders/1
    committed orders/0 12, orders/1 3
    pending   orders/1 13 (producer 1000, biller-0), orders/0 20 (producer 1001)
  broker 2 is loading __consumer_offsets/1
)");
}

TEST_CASE("a long list of partitions goes on in the next line, within 98 columns") {
    auto cluster = quiet();
    state::Transaction t;
    t.txid = "shop-0";
    t.coordinator = "broker 1";
    t.log = "__transaction_state/0";
    t.state = "PrepareAbort";
    for (int i = 0; i < 12; ++i)
        t.partitions.push_back({"orders/" + std::to_string(i), "waits to be sent again"});
    cluster.transactions = {t};

    std::istringstream lines(only(cluster, Section::transactions));

    int with_partitions = 0;
    for (std::string line; std::getline(lines, line);) {
        CHECK_MESSAGE(line.size() <= 98, line);
        if (line.find("orders/") != std::string::npos) ++with_partitions;
    }
    CHECK(with_partitions == 7);
}

TEST_CASE("where nothing is known one line says so") {
    const auto cluster = quiet();

    const auto screen = text(cluster, all_sections());

    CHECK(screen.find("producers   no leader knows any\n") != std::string::npos);
    CHECK(screen.find("transactions   no coordinator knows any\n") != std::string::npos);
    CHECK(screen.find("groups   no coordinator knows any\n") != std::string::npos);
    CHECK(screen.find("messages   none is under way\n") != std::string::npos);
}
