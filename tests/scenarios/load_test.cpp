// The typed reading: defaults, modes, programs, faults, expectations, overlays, draws.

#include "scenarios/load.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "model/milestones.hpp"
#include "tests/scenarios/load_rig.hpp"

using namespace eos;
using namespace eos::scenarios;
using namespace eos::scenarios::testing;
using sim::milliseconds;
using sim::seconds;

namespace {

std::string program(const App& app) {
    std::string result;
    for (const auto& step : app.config.steps)
        result += (result.empty() ? "" : " ") + std::string(model::name(step.kind));
    return result;
}

}  // namespace

TEST_CASE("what is left out has the default of the language") {
    const auto instance = read_more("");
    const auto& s = scenario(instance);

    CHECK(s.seed == 1);
    CHECK(s.duration == seconds(60));
    CHECK(s.limits.events == 5'000'000);
    CHECK(s.topology->brokers == 3);
    CHECK(s.network.latency == sim::Spread::uniform(milliseconds(1), milliseconds(3)));
    CHECK(s.network.ghosts == sim::Chance{100'000'000, 100'000'000});
    CHECK(s.costs.threads == 8);
    CHECK(s.apps[0].config.rate_per_kilosecond == 100'000);
    auto of_kafka = model::SafeguardSet::all();
    of_kafka.remove(model::Safeguard::replicated_tail_before_serving);
    CHECK(s.cluster.safeguards == of_kafka);
    CHECK(s.cluster.transaction_version == model::TransactionVersion::tv2);
}

TEST_CASE("nodes are numbered controller, brokers, instances, and logs in the order of the file") {
    const auto instance = read_more("");
    const auto& topology = *scenario(instance).topology;

    CHECK(topology.node_name({0}) == "controller");
    CHECK(topology.node_name({3}) == "broker 3");
    CHECK(topology.node_name({4}) == "shop/0");
    CHECK(topology.node_name({6}) == "biller/1");
    CHECK(topology.log_name({2}) == "bills/0");
    CHECK(topology.topics[2].name == "__consumer_offsets");
    CHECK(topology.topics[2].partitions == 4);
    CHECK(topology.groups == std::vector<std::string>{"biller", "audit"});
}

TEST_CASE("copies follow the brokers when nobody asks for more") {
    const auto one = read_more("cluster: { brokers: 1 }\n");

    CHECK(scenario(one).topology->logs[0].replicas.size() == 1);
    CHECK(scenario(one).topology->topics[0].min_insync == 1);
}

TEST_CASE("placement decides who leads") {
    const auto instance = read(std::string(head) +
                               "topics: { a: { partitions: 2, placement: [[3, 1], [2, 3]] } }\n"
                               "apps: { shop: { kind: producer, to: a } }\n");
    const auto& logs = scenario(instance).topology->logs;

    CHECK(logs[0].replicas == std::vector<model::BrokerId>{{3}, {1}});
    CHECK(logs[1].replicas == std::vector<model::BrokerId>{{2}, {3}});
}

TEST_CASE("modes are settings and programs") {
    const auto instance = read_more("");
    const auto& apps = scenario(instance).apps;

    CHECK(apps[0].config.producer.acks == model::Acks::all);
    CHECK_FALSE(apps[0].config.producer.idempotent());
    CHECK(apps[1].config.producer.acks == model::Acks::leader);
    CHECK(apps[1].config.producer.retries == 0);
    CHECK(program(apps[1]) == "poll commit_offsets process produce");
    CHECK(apps[2].config.consumer.auto_commit);
    CHECK(program(apps[2]) == "poll process");
    CHECK(apps[2].config.setup.size() == 1);
}

TEST_CASE("config wins over mistakes, mistakes win over mode") {
    const auto instance = read(std::string(head) +
                               "topics: { a: {} }\napps: { p: { kind: processor, from: a, to: a, "
                               "mode: idempotent, mistakes: [unsafe-inflight, auto-commit-on], "
                               "config: { max.in.flight.requests.per.connection: 3 } } }\n");
    const auto& app = scenario(instance).apps[0];

    CHECK_FALSE(app.config.producer.idempotent());
    CHECK(app.config.producer.max_in_flight == 3);
    CHECK(app.config.consumer.auto_commit);
    CHECK(program(app) == "poll process produce flush");
}

TEST_CASE("an old client and a missing safeguard switch idempotence off by default") {
    const auto text = std::string(head) + "topics: { a: {} }\napps: { p: { kind: producer, to: a, ";
    const auto modern = read(text + "config: {} } }\n");
    const auto old = read(text + "client: java-2.4 } }\n");
    const auto bug = read(text + "bugs: [KAFKA-13598] } }\n");

    CHECK(scenario(modern).apps[0].config.producer.idempotent());
    CHECK_FALSE(scenario(old).apps[0].config.producer.idempotent());
    CHECK(scenario(old).apps[0].config.producer.acks == model::Acks::leader);
    CHECK_FALSE(scenario(bug).apps[0].config.producer.idempotent());
}

TEST_CASE("a weaker setting switches unasked idempotence off and is warned of") {
    const auto instance = read(std::string(head) +
                               "topics: { a: {} }\napps: { p: { kind: producer, "
                               "to: a, config: { acks: 1 } } }\n");

    CHECK_FALSE(scenario(instance).apps[0].config.producer.idempotent());
    CHECK(warns(instance, "acks-idempotence"));
}

TEST_CASE("delivery.timeout.ms that nobody wrote grows with the request timeout") {
    const auto instance = read(std::string(head) +
                               "topics: { a: {} }\napps: { p: { kind: producer, "
                               "to: a, config: { request.timeout.ms: 200000 } } }\n");

    CHECK(scenario(instance).apps[0].config.producer.delivery_timeout == milliseconds(200'005));
}

TEST_CASE("a protocol is a set of safeguards, laid under with, without and bugs") {
    const auto old = read_more("cluster: { protocol: kafka-1.0, with: [broker-epoch-in-isr] }\n");
    const auto bug = read_more("cluster: { bugs: [KAFKA-1211] }\n");
    using model::Safeguard;

    CHECK(scenario(old).cluster.metadata == model::MetadataMode::zookeeper);
    CHECK_FALSE(scenario(old).cluster.safeguards.has(Safeguard::epoch_end_offset_with_epoch));
    CHECK(scenario(old).cluster.safeguards.has(Safeguard::broker_epoch_in_isr));
    CHECK_FALSE(scenario(bug).cluster.safeguards.has(Safeguard::truncate_by_leader_epoch));
}

TEST_CASE("custom steps carry their options") {
    const auto instance =
        read(std::string(head) +
             "topics: { a: { partitions: 3 } }\napps: { p: { kind: producer, to: a, "
             "repeat: 1, steps: [produce: { partition: 2, records: 5 }, flush: { timeout: 5s }, "
             "wait: 500ms, close] } }\n");
    const auto& app = scenario(instance).apps[0].config;

    REQUIRE(app.steps.size() == 4);
    CHECK(app.steps[0].partition == model::PartitionIndex{2});
    CHECK(app.steps[0].records == 5);
    CHECK(app.steps[1].timeout == seconds(5));
    CHECK(app.steps[2].wait == milliseconds(500));
    CHECK(app.repeat == 1);
}

TEST_CASE("each app is held to the promise of its mode where nothing else is said") {
    const auto instance =
        read_more("expect: { stuck: any, apps: { biller: { duplicates: some } } }\n");
    const auto& expect = scenario(instance).expect;

    CHECK(expect.total.at(Count::stuck).any());
    CHECK(expect.per_app[0].at(Count::lost).holds(0));
    CHECK_FALSE(expect.per_app[0].at(Count::lost).holds(1));
    CHECK_FALSE(expect.per_app[0].contains(Count::stuck));
    CHECK(expect.per_app[1].at(Count::duplicates).holds(1));
    CHECK_FALSE(expect.per_app[1].contains(Count::lost));
    CHECK_FALSE(expect.per_app[2].contains(Count::lost));
    CHECK(expect.per_app[2].at(Count::diverged).max == 0);
}

TEST_CASE("a message fault matches requests unless it says otherwise") {
    const auto instance = read_more(
        "faults:\n  - { name: lost, when: rpc.sent, match: { api: Produce, from: \"app:shop/0\" }, "
        "nth: 5, do: drop }\n  - { when: rpc.sent, match: { side: response }, do: drop }\n");
    const auto& plan = scenario(instance).faults;

    REQUIRE(plan.faults.size() == 2);
    CHECK(plan.faults[1].name == "fault-2");
    CHECK(plan.faults[0].nth == faults::Number{5, 5});
    const auto side = model::number(model::Fact::side);
    const auto value_of = [&](const faults::Fault& fault) {
        for (const auto& m : fault.matches)
            if (m.fact == side) return std::get<std::int64_t>(m.any_of.at(0));
        return std::int64_t{-1};
    };
    CHECK(value_of(plan.faults[0]) == 0);
    CHECK(value_of(plan.faults[1]) == 1);
}

TEST_CASE(
    "a relative duration is the setting of the target, else of the match, else of the cluster") {
    const auto instance = read_more(
        "cluster: { config: { request.timeout.ms: 7000 } }\n"
        "faults:\n  - { at: 1s, do: pause, target: \"app:audit/0\", for: 0.5x..2x "
        "session.timeout.ms }\n"
        "  - { when: app.step_done, match: { app: shop }, do: pause, for: 2x delivery.timeout.ms "
        "}\n"
        "  - { at: 1s, do: pause, target: broker:1, for: 1x request.timeout.ms }\n");
    const auto& plan = scenario(instance).faults;

    CHECK(plan.faults[0].lasts->time == sim::Spread::uniform(milliseconds(22'500), seconds(90)));
    CHECK(plan.faults[1].lasts->time == sim::Spread::fixed(seconds(240)));
    CHECK(plan.faults[2].lasts->time == sim::Spread::fixed(seconds(7)));
}

TEST_CASE("faults may refer to later ones, and older spellings stay readable") {
    const auto instance = read_more(
        "faults:\n  - { name: a, at: 10s, do: isolate, target: followers:orders/0, "
        "from: leader:orders/0, until: fault.b.ended }\n"
        "  - { name: b, when: app.polled, match: { app: biller/1 }, since: a, do: crash, for: 2s "
        "}\n");
    const auto& plan = scenario(instance).faults;

    const auto first = static_cast<std::uint16_t>(model::Mile::fault_first);
    CHECK(plan.faults[0].until->kind == sim::MilestoneKind{static_cast<std::uint16_t>(first + 3)});
    CHECK(plan.faults[1].since->fault == faults::FaultIndex{0});
    CHECK(plan.faults[1].matches.size() == 3);
}

TEST_CASE("generators hold weighted entries") {
    const auto instance = read_more(
        "faults:\n  - { name: n, every: 5s..15s, do: mix, for: 2s..10s, of: [{ weight: 2, do: "
        "crash, "
        "target: leader:*/* }, { do: isolate, target: random-broker, from: apps }, { weight: 3, "
        "do: none }] }\n");
    const auto& fault = scenario(instance).faults.faults[0];

    const auto& mix = std::get<faults::action::Mix>(fault.act);
    REQUIRE(mix.of.size() == 3);
    CHECK(mix.of[0].weight == 2);
    CHECK(mix.of[1].targets->at(0).kind == faults::Target::Kind::random_broker);
    CHECK(std::holds_alternative<faults::action::Nothing>(mix.of[2].act));
}

TEST_CASE("invariants, metrics and reached names are resolved") {
    const auto instance = read_more(
        "faults:\n  - { name: cut, at: 1s, do: isolate, target: broker:1, for: 2s }\n"
        "expect:\n  invariants: [{ name: one, set: id, over: [bills], equals: { set: id, over: "
        "[orders] } }]\n"
        "  metrics: { latency_p99: { max: 10ms }, requests_per_record: { min: 0.9 } }\n"
        "  reached: { cut: 1, fault.cut.ended: some, producer.fenced: none }\n  unavailable: "
        "20s\n");
    const auto& expect = scenario(instance).expect;

    CHECK(expect.invariants[0].equals_fold->over == std::vector<model::TopicId>{{0}});
    CHECK(expect.metrics[0].metric == Measure{Metric::latency_p99});
    CHECK(expect.metrics[0].max_milli == 10'000'000);
    CHECK(expect.metrics[1].min_milli == 900);
    CHECK(expect.reached[0].fault == faults::FaultIndex{0});
    CHECK(expect.reached[2].milestone == model::number(model::Mile::producer_fenced));
    CHECK(expect.unavailable == seconds(20));
}

TEST_CASE("a variant gives up the file's bound on a gap with any") {
    const auto loaded =
        load_text("t.yaml", std::string(base) +
                                "expect: { unavailable: 20s, latency_p99: 1s }\n"
                                "sweep: { variants: { strict: {}, "
                                "lax: { expect: { unavailable: any, latency_p99: any } } } }\n");

    const auto strict =
        instantiate(loaded, {.cell = {"strict", {}}, .overrides = {}, .seed = {}, .drawn = {}});
    const auto lax =
        instantiate(loaded, {.cell = {"lax", {}}, .overrides = {}, .seed = {}, .drawn = {}});

    CHECK(scenario(strict).expect.unavailable == seconds(20));
    CHECK(scenario(strict).expect.latency_p99 == seconds(1));
    CHECK_FALSE(scenario(lax).expect.unavailable);
    CHECK_FALSE(scenario(lax).expect.latency_p99);
}

TEST_CASE("holder and zombie aim at the processes behind a transactional id") {
    const auto instance = read(
        "eosim: 1\nname: test\ntopics: { orders: {} }\napps:\n"
        "  shop: { kind: producer, to: orders, mode: exactly-once, records: 20, instances: 2 }\n"
        "  audit: { kind: consumer, from: orders }\n"
        "faults:\n"
        "  - { name: a, at: 1s, do: crash, target: 'holder:shop-1' }\n"
        "  - { name: b, at: 2s, do: pause, target: 'zombie:*', for: 1s }\n"
        "  - { name: c, when: rpc.sent, match: { api: Produce, from: 'zombie:shop-0' }, do: drop "
        "}\n");
    const auto& faults = scenario(instance).faults.faults;

    REQUIRE(faults.size() == 3);
    CHECK(faults[0].targets.front().kind == faults::Target::Kind::holder);
    CHECK(faults[0].targets.front().number == 1);
    CHECK(faults[1].targets.front().kind == faults::Target::Kind::zombie);
    CHECK_FALSE(faults[1].targets.front().number);
}

TEST_CASE("a variant lays maps over maps and replaces everything else") {
    const auto loaded = load_text(
        "t.yaml", std::string(base) +
                      "expect: { lost: none, duplicates: 1 }\nsweep:\n  variants:\n    plain: {}\n"
                      "    safe: { set: { apps.shop: { mode: idempotent, batch: 5 }, "
                      "apps.*.config.request.timeout.ms: 1000 }, expect: { duplicates: none } }\n");

    const auto safe =
        instantiate(loaded, {.cell = {"safe", {}}, .overrides = {}, .seed = {}, .drawn = {}});
    const auto& s = scenario(safe);

    CHECK(s.variant == "safe");
    CHECK(s.apps[0].config.mode == model::Mode::idempotent);
    CHECK(s.apps[0].config.records == 20);
    CHECK(s.apps[2].config.consumer.client.request_timeout == seconds(1));
    CHECK(s.expect.total.at(Count::lost).max == 0);
    CHECK(s.expect.total.at(Count::duplicates).max == 0);
    CHECK(cells(loaded).size() == 2);
}

TEST_CASE("list entries are named in paths, and a fault can be added") {
    const auto text =
        std::string(base) +
        "faults:\n  - { name: cut, at: 1s, do: isolate, target: broker:1, for: 2s }\n";
    const auto longer =
        read(text, {.cell = {}, .overrides = {{"faults.cut.for", "9s"}}, .seed = {}, .drawn = {}});
    const auto more =
        read(text, {.cell = {},
                    .overrides = {{"faults.down", "{ at: 2s, do: crash, target: broker:2 }"}},
                    .seed = {},
                    .drawn = {}});

    CHECK(scenario(longer).faults.faults[0].lasts->time == sim::Spread::fixed(seconds(9)));
    REQUIRE(scenario(more).faults.faults.size() == 2);
    CHECK(scenario(more).faults.faults[1].name == "down");
}

TEST_CASE("a wrong option is reported in the option, not in the file") {
    const auto instance = read_more(
        "", {.cell = {}, .overrides = {{"apps.shop.mode", "twice"}}, .seed = {}, .drawn = {}});

    CHECK_FALSE(instance.scenario);
    const auto all = instance.diagnostics.sorted();
    REQUIRE(all.size() == 1);
    CHECK(all[0].file == "--set");
    CHECK(all[0].column == 16);
}

TEST_CASE("a matrix is the product of its lists, for each variant") {
    const auto loaded = load_text(
        "t.yaml", std::string(base) +
                      "sweep: { variants: { a: {}, b: {} }, matrix: { apps.shop.batch: [1, 2, 3], "
                      "apps.biller.mode: [at-most-once, idempotent] } }\n");

    const auto all = cells(loaded);
    REQUIRE(all.size() == 12);
    const auto last =
        instantiate(loaded, {.cell = all.back(), .overrides = {}, .seed = {}, .drawn = {}});

    CHECK(scenario(last).apps[0].config.batch == 3);
    CHECK(scenario(last).cell == "apps.shop.batch=3 apps.biller.mode=idempotent");
    CHECK_FALSE(check(loaded).failed());
}

TEST_CASE("draws depend on the seed and the path, and on nothing else") {
    const auto faults_text = std::string(
        "faults:\n  - { name: a, at: 1s, do: crash, target: broker:1 }\n"
        "  - { name: b, at: 2s, do: crash, target: broker:2 }\n");
    const auto with = [&](std::string_view draw) {
        return load_text("t.yaml",
                         fmt::format("{}{}sweep: {{ draw: {{ {} }} }}\n", base, faults_text, draw));
    };
    const auto one = with("faults.*.enabled: [true, false]");
    const auto two = with("apps.shop.batch: 1..50, faults.*.enabled: [true, false]");

    bool differ = false;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Request request{.cell = {}, .overrides = {}, .seed = seed, .drawn = {}};
        const auto a = instantiate(one, request);
        const auto b = instantiate(two, request);
        const auto& x = scenario(a);
        const auto& y = scenario(b);
        CHECK(x.seed == seed);
        REQUIRE(x.drawn.size() == 2);
        CHECK(x.drawn[0].path == "faults.a.enabled");
        CHECK(x.faults.faults[0].enabled == y.faults.faults[0].enabled);
        CHECK(x.faults.faults[1].enabled == y.faults.faults[1].enabled);
        differ = differ || x.faults.faults[0].enabled != x.faults.faults[1].enabled;
    }
    CHECK(differ);
}

TEST_CASE("drawn values need not go together under every seed, but each under some") {
    const auto drawing = [](std::string_view draw) {
        return check(load_text(
            "t.yaml", std::string(base) + fmt::format("sweep: {{ draw: {{ {} }} }}\n", draw)));
    };

    // acks=1 goes with plain writers, idempotence with acks=all.
    const auto some = drawing(
        "apps.shop.mode: [at-least-once, idempotent], apps.shop.config.acks: [all, 1]");
    const auto never = drawing("apps.shop.batch: [5, 0]");

    CHECK_FALSE(some.failed());
    REQUIRE(never.failed());
    bool told = false;
    for (const auto& one : never.sorted())
        told = told || one.text == "no seed of 1..100 that draws apps.shop.batch=0 makes sense";
    CHECK(told);
}

TEST_CASE("drawn values of a repro file replace the drawing") {
    const auto loaded =
        load_text("t.yaml", std::string(base) + "sweep: { draw: { apps.shop.batch: 1..50 } }\n");
    const Request request{.cell = {},
                          .overrides = {},
                          .seed = 1,
                          .drawn = std::vector<DrawnValue>{{"apps.shop.batch", "77"}}};

    const auto instance = instantiate(loaded, request);

    CHECK(scenario(instance).apps[0].config.batch == 77);
}

TEST_CASE("a variant takes away what the file says by naming it with nothing") {
    const auto loaded = load_text(
        "t.yaml",
        std::string(base) +
            "expect: { duplicates: { max: 0 }, reordered: none }\nsweep:\n  variants:\n"
            "    some: { expect: { duplicates: { min: 1, max: ~ }, reordered: ~ } }\n"
            "    fewer: { set: { apps.shop.records: ~ } }\n"
            "    clash: { expect: { duplicates: { min: 1 } } }\n"
            "    typo: { set: { apps.shop.recrods: ~ } }\n");
    const auto read_variant = [&](const char* name) {
        return instantiate(loaded, {.cell = {name, {}}, .overrides = {}, .seed = {}, .drawn = {}});
    };

    const auto some = read_variant("some");
    const auto fewer = read_variant("fewer");
    const auto clash = read_variant("clash");
    const auto typo = read_variant("typo");
    const auto option = read_more("", {.cell = {},
                                       .overrides = {{"apps.shop.records", "~"}},
                                       .seed = {},
                                       .drawn = {}});

    CHECK(scenario(some).expect.total.at(Count::duplicates) == Bounds{1, {}, ">= 1"});
    CHECK_FALSE(scenario(some).expect.total.contains(Count::reordered));
    CHECK_FALSE(scenario(fewer).apps[0].config.records.has_value());
    REQUIRE(clash.diagnostics.failed());
    CHECK(clash.diagnostics.sorted().at(0).hint.find("max: ~") != std::string::npos);
    CHECK(typo.diagnostics.failed());
    CHECK_FALSE(scenario(option).apps[0].config.records.has_value());
}

TEST_CASE("the number spaces of the cluster are those of its producers") {
    const auto instance = read_more("cluster: { max_producer_epoch: 3, max_sequence: 15 }\n");
    const auto& s = scenario(instance);

    CHECK(s.apps[0].config.producer.max_producer_epoch == 3);
    CHECK(s.apps[0].config.producer.max_sequence == 15);
    CHECK(s.cluster.max_sequence == 15);
}

TEST_CASE("a seed may use all of its 64 bits") {
    const auto instance = read_more("seed: 18446744073709551615\n");

    CHECK(scenario(instance).seed == 18446744073709551615U);
}

TEST_CASE("a step waits for a trigger that draws nothing and is no fault of the file") {
    const auto instance = read(
        std::string(head) +
        "topics: { a: {} }\napps: { w: { kind: producer, to: a, instances: 2, repeat: 1, steps: "
        "[produce, wait_for: { when: fault.cut.ended, nth: 2, after: 1s }, wait_for: { at: 5s }, "
        "produce] } }\n"
        "faults: [{ name: cut, at: 1s, do: isolate, target: broker:1, for: 2s }]\n");
    const auto& s = scenario(instance);

    REQUIRE(s.faults.faults.size() == 3);
    CHECK(s.apps[0].config.steps[1].trigger == 0);
    CHECK(s.apps[0].config.steps[2].trigger == 1);
    const auto& wait = s.faults.faults[1];
    REQUIRE(wait.tells);
    CHECK(wait.tells->nodes.size() == 2);
    CHECK(wait.tells->order.facts.find(model::number(model::Fact::count)) == 0);
    CHECK(wait.nth == faults::Number{2, 2});
    CHECK(wait.after == sim::Spread::fixed(seconds(1)));
    const auto* ended = std::get_if<faults::trigger::When>(&wait.trigger);
    REQUIRE(ended);
    CHECK(ended->kind == faults::fault_milestone(s.faults.words.marks, {0}, true));
}

TEST_CASE("the sweep names seeds, placed faults and claims") {
    const auto loaded = load_text(
        "t.yaml",
        std::string(base) +
            "faults:\n  - { name: down, when: rpc.sent, match: { api: Produce }, nth: 1, do: drop "
            "}\n"
            "sweep:\n  seeds: 1..200\n  place: [down]\n  variants: { a: {}, b: {} }\n  compare:\n"
            "    - { metric: duplicates, stat: sum, of: a, against: b, difference: { min: 1 } }\n"
            "    - { metric: latency_p99, rising: [a, b] }\n    - { same: effects, of: [a, b] }\n");

    const auto sweep = sweep_of(loaded);

    CHECK_FALSE(check(loaded).failed());
    CHECK(sweep.seeds == std::pair<std::uint64_t, std::uint64_t>{1, 200});
    CHECK(sweep.place == std::vector<std::string>{"down"});
    REQUIRE(sweep.compare.size() == 3);
    CHECK(sweep.compare[0].stat == Claim::Stat::sum);
    CHECK(sweep.compare[0].min_milli == 1000);
    CHECK(sweep.compare[2].kind == Claim::Kind::same_effects);
}

TEST_CASE("a consumer may filter what it has seen, by event or by place") {
    const auto filter = [](std::string_view dedup) {
        return read(std::string(head) +
                    "topics: { a: {} }\napps: { c: { kind: consumer, from: a, "
                    "dedup: " +
                    std::string(dedup) + " } }\n");
    };
    const auto by_event = filter("{}");
    const auto by_offset = filter("{ by: offset, remember: 10m }");

    REQUIRE(scenario(by_event).apps[0].config.dedup);
    CHECK(scenario(by_event).apps[0].config.dedup->by == model::DuplicateFilter::By::event);
    CHECK_FALSE(scenario(by_event).apps[0].config.dedup->remember);
    REQUIRE(scenario(by_offset).apps[0].config.dedup);
    CHECK(scenario(by_offset).apps[0].config.dedup->by == model::DuplicateFilter::By::offset);
    CHECK(scenario(by_offset).apps[0].config.dedup->remember == seconds(600));
}

TEST_CASE("a message is matched by topic and partition through the logs it carries") {
    const auto instance = read_more(
        "faults:\n"
        "  - { when: rpc.sent, match: { api: Produce, topic: orders }, do: drop }\n"
        "  - { when: rpc.sent, match: { api: Produce, topic: orders, partition: 1 }, do: drop }\n");
    const auto& topology = *scenario(instance).topology;
    const auto logs_of = [&](std::size_t fault) {
        std::vector<std::int64_t> logs;
        for (const auto& match : scenario(instance).faults.faults[fault].matches)
            if (match.fact == model::number(model::Fact::log))
                for (const auto& value : match.any_of) logs.push_back(std::get<std::int64_t>(value));
        return logs;
    };

    const auto first = topology.topics[topology.topic_named("orders")->value].first.value;

    CHECK(logs_of(0) == std::vector<std::int64_t>{first, first + 1});
    CHECK(logs_of(1) == std::vector<std::int64_t>{first + 1});
}

TEST_CASE("transactional ids are NAME-0, NAME-1, ..., one for all, or as given") {
    const auto instance = read(
        std::string(head) +
        "topics: { orders: {} }\napps:\n"
        "  own: { kind: producer, to: orders, mode: exactly-once, instances: 2 }\n"
        "  one: { kind: producer, to: orders, mode: exactly-once, instances: 2, txid: shared }\n"
        "  set: { kind: producer, to: orders, mode: exactly-once, config: { transactional.id: x } }\n"
        "  not: { kind: producer, to: orders, mode: idempotent }\n");
    const auto& s = scenario(instance);

    CHECK(s.topology->transactional_ids == std::vector<std::string>{"own-0", "own-1", "one", "x"});
    CHECK(s.topology->transaction_topic.has_value());
    CHECK_FALSE(s.apps[3].config.first_txid.has_value());
    CHECK(program(s.apps[0]) == "begin produce commit");
}

TEST_CASE("without transactions there is no transaction log") {
    CHECK_FALSE(scenario(read(base)).topology->transaction_topic.has_value());
}

TEST_CASE("the cluster's group protocol is the default of its readers, their config wins") {
    const auto instance = read_more(
        "cluster: { group_protocol: consumer, config: { group.consumer.session.timeout.ms: 6000, "
        "group.consumer.heartbeat.interval.ms: 500 } }\n",
        {.cell = {},
         .overrides = {{"apps.audit.config.group.protocol", "classic"},
                       {"apps.biller.config.group.remote.assignor", "range"}},
         .seed = {},
         .drawn = {}});
    const auto& s = scenario(instance);

    CHECK(s.cluster.consumer_group_session == seconds(6));
    CHECK(s.cluster.consumer_group_heartbeat == milliseconds(500));
    CHECK(s.apps[1].config.consumer.protocol == model::GroupProtocol::consumer);
    CHECK(s.apps[1].config.consumer.remote_assignor == model::ServerAssignor::range);
    CHECK(s.apps[2].config.consumer.protocol == model::GroupProtocol::classic);
    CHECK_FALSE(s.apps[2].config.consumer.remote_assignor);
}

TEST_CASE("without a word about it groups are classic, under every protocol") {
    for (const std::string protocol : {"kafka-2.4", "kafka-4.0", "kafka-4.2"}) {
        CAPTURE(protocol);
        const auto instance = read_more("cluster: { protocol: " + protocol + " }\n");
        CHECK(scenario(instance).apps[1].config.consumer.protocol ==
              model::GroupProtocol::classic);
    }
}

TEST_CASE("the operator's actions are aimed at a log or at transactional ids") {
    const auto instance = read(
        std::string(head) +
        "topics: { orders: {} }\napps:\n"
        "  shop: { kind: producer, to: orders, mode: exactly-once, records: 9, instances: 2 }\n"
        "  audit: { kind: consumer, from: orders, isolation: read-committed }\n"
        "faults:\n"
        "  - { at: 1s, do: abort-txn, target: orders/0 }\n"
        "  - { at: 2s, do: fence-producer, target: [shop-1, '*'] }\n"
        "  - { when: txn.begun, nth: 2, do: expire-transactional-ids }\n");
    const auto& faults = scenario(instance).faults.faults;

    using Kind = faults::Target::Kind;
    CHECK(std::holds_alternative<faults::action::AbortTxn>(faults[0].act));
    CHECK(faults[0].targets.at(0).kind == Kind::log);
    CHECK(std::holds_alternative<faults::action::FenceProducer>(faults[1].act));
    CHECK(faults[1].targets.at(0).kind == Kind::txid);
    CHECK(faults[1].targets.at(0).number == 1);
    CHECK_FALSE(faults[1].targets.at(1).number);
    CHECK(std::holds_alternative<faults::action::ExpireTransactionalIds>(faults[2].act));
    CHECK(faults[2].targets.at(0).kind == Kind::event);
}

TEST_CASE("parts that are not modelled are refused by name") {
    const auto hello = load_text(
        "t.yaml", std::string(base) +
                      "faults:\n"
                      "  - { name: ack-lost, when: rpc.delivered, match: { api: Produce, side: "
                      "request }, nth: 5, "
                      "do: disconnect, target: event }\nexpect: { reached: [ack-lost] }\n");
    const auto later = load_text("t.yaml", std::string(base) + "expect: { metrics: { money: { max: 1 } } }\n");

    CHECK_FALSE(check(hello).failed());
    CHECK(check(later).sorted().at(0).text.starts_with("not modelled yet"));
}
