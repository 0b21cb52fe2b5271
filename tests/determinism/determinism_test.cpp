// The same scenario and seed give the same run: twice in a row, from a fork at any event, on every
// compiler and optimisation level (golden digests).

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "scenarios/load.hpp"
#include "tools/run/run.hpp"
#include "tools/run/world.hpp"

namespace {

using namespace eos;

scenarios::Scenario scenario(const std::string& file, std::uint64_t seed,
                             const std::string& variant = {}) {
    const auto loaded = scenarios::load_file(EOSIM_SOURCE_DIR "/scenarios/" + file);
    scenarios::Request request;
    request.cell.variant = variant;
    request.seed = seed;
    auto instance = scenarios::instantiate(loaded, request);
    REQUIRE(instance.scenario.has_value());
    return *instance.scenario;
}

const std::vector<std::string> files{"start/hello-duplicates.yaml", "start/delivery-modes.yaml",
                                     "txn/atomic-multi-partition.yaml"};

/// Forks of a world at sixty events, each run beside the original.
void forks_follow(const scenarios::Scenario& s) {
    World original = make_world(s);
    const auto end = sim::time_zero + sim::seconds(12);

    for (int n = 0; n < 60 && original.now() < end; ++n) {
        original.run(37);
        World fork = original;
        CHECK(fork.state_hash() == original.state_hash());
        fork.run_until(original.now() + sim::milliseconds(400));
        World again = original;
        again.run_until(original.now() + sim::milliseconds(400));
        CHECK(fork.digest() == again.digest());
        CHECK(fork.state_hash() == again.state_hash());
        CHECK(fork == again);
    }
    // Counting events may have carried it past the end, and left it in the middle of an instant.
    const auto last = std::max(end, original.now());
    World whole = make_world(s);
    whole.run_until(last);
    original.run_until(last);

    CHECK(whole.digest() == original.digest());
    CHECK(whole.state_hash() == original.state_hash());
}

}  // namespace

TEST_CASE("a run is the same twice in a row") {
    for (const auto& file : files) {
        CAPTURE(file);
        const auto s = scenario(file, 7);

        const auto first = run(s);
        const auto second = run(s);

        CHECK(first.report.digest == second.report.digest);
        CHECK(first.report.events == second.report.events);
        CHECK(first.decisions == second.decisions);
    }
}

TEST_CASE("another seed is another run") {
    const auto one = run(scenario("start/delivery-modes.yaml", 1));
    const auto two = run(scenario("start/delivery-modes.yaml", 2));

    CHECK(one.report.digest != two.report.digest);
}

TEST_CASE("keeping tapes does not change a run") {
    const auto s = scenario("start/delivery-modes.yaml", 3);
    RunOptions loud;
    loud.level = EventLevel::all;

    CHECK(run(s).report.digest == run(s, loud).report.digest);
}

TEST_CASE("a run that records nothing and one that looks at everything are the same run") {
    const auto s = scenario("chaos/idempotent.yaml", 3);
    RunOptions blind;
    blind.record = false;
    RunOptions curious;
    curious.level = EventLevel::all;
    curious.operations = true;

    const auto plain = run(s);
    const auto unrecorded = run(s, blind);
    const auto watched = run(s, curious);

    CHECK(unrecorded.decisions.empty());
    CHECK_FALSE(plain.decisions.empty());
    CHECK(unrecorded.report.digest == plain.report.digest);
    CHECK(watched.report.digest == plain.report.digest);
    CHECK(watched.decisions == plain.decisions);
}

TEST_CASE("a world forked anywhere goes the way the original goes") {
    forks_follow(scenario("start/hello-duplicates.yaml", 5));
}

TEST_CASE("a world in the middle of transactions can be forked like any other") {
    forks_follow(scenario("chaos/exactly-once.yaml", 5, "tv2"));
}

TEST_CASE("the state hash tells worlds apart") {
    World a = make_world(scenario("start/hello-duplicates.yaml", 5));
    World b = make_world(scenario("start/hello-duplicates.yaml", 6));
    a.run(500);
    b.run(500);

    CHECK(a.state_hash() != b.state_hash());
}

TEST_CASE("a run that replays its own decisions is the same run") {
    const auto s = scenario("start/delivery-modes.yaml", 11);
    const auto recorded = run(s);

    RunOptions replay;
    replay.script = std::make_shared<const faults::Script>(recorded.decisions);
    const auto replayed = run(s, replay);

    CHECK(replayed.report.digest == recorded.report.digest);
    CHECK(!replayed.divergence.has_value());
}
