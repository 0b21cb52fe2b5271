// What is allowed and probably not meant: each warning where it is due, and not beside it.

#include "tests/scenarios/load_rig.hpp"

using namespace eos;
using namespace eos::scenarios;
using namespace eos::scenarios::testing;

TEST_CASE("warnings are given for what is allowed and probably not meant") {
    CHECK(warns(read_more("settle: 1s\nfaults: [{ at: 1s, do: crash, target: broker:1 }]\n"),
                "short-settle"));
    CHECK_FALSE(warns(read_more("settle: 60s\nfaults: [{ at: 1s, do: crash, target: broker:1 }]\n"),
                      "short-settle"));
    CHECK(warns(read_more("cluster: { min_insync: 1 }\n"), "promise-without-storage"));
    CHECK_FALSE(warns(read_more(""), "promise-without-storage"));
    CHECK(warns(
        read(std::string(head) + "topics: { a: {} }\napps: { p: { kind: producer, to: a } }\n"),
        "never-judged"));
    CHECK(warns(read(std::string(head) +
                     "topics: { a: {} }\napps: { p: { kind: processor, from: a, to: a } }\n"),
                "auto-commit-in-loop"));
    CHECK(warns(
        read(std::string(head) + "topics: { a: {} }\napps: { p: { kind: consumer, from: a, config: "
                                 "{ heartbeat.interval.ms: 6000, session.timeout.ms: 6000 } } }\n"),
        "timeout-order"));
    CHECK(
        warns(read(std::string(head) + "topics: { a: {} }\napps: { p: { kind: producer, to: a } }\n"
                                       "faults: [{ when: group.rebalanced, do: crash }]\n"),
              "cannot-fire"));
    CHECK(warns(read_more("expect: { reordered: none }\n"), "in-flight"));
}

TEST_CASE("what is risky about transactions is warned of, and what is right is not") {
    const auto with = [](std::string_view biller, std::string_view more = "") {
        return read(std::string(head) +
                    "topics: { a: {}, b: {} }\napps:\n  biller: { kind: "
                    "processor, from: a, to: b, mode: exactly-once" +
                    std::string(biller) +
                    " }\n  audit: { kind: consumer, from: b, mode: exactly-once }\n" +
                    std::string(more));
    };
    const auto plain = with("");
    for (const auto* name :
         {"offsets-outside", "no-group-metadata", "no-rewind", "shared-id", "random-id",
          "one-id-many-instances", "timeout-order", "read-uncommitted-downstream"})
        CHECK_FALSE_MESSAGE(warns(plain, name), name);
    CHECK(warns(with(", mistakes: [commit-offsets-outside]"), "offsets-outside"));
    CHECK(warns(with(", mistakes: [no-group-metadata]"), "no-group-metadata"));
    CHECK(warns(with(", mistakes: [no-rewind-after-abort]"), "no-rewind"));
    CHECK(warns(with(", mistakes: [random-transactional-id]"), "random-id"));
    CHECK(warns(with(", instances: 2, mistakes: [shared-transactional-id]"), "shared-id"));
    CHECK_FALSE(warns(with(", mistakes: [shared-transactional-id]"), "shared-id"));
    CHECK(warns(with(", instances: 2, config: { transactional.id: x }"), "one-id-many-instances"));
    CHECK(warns(with(", config: { transaction.timeout.ms: 1000000 }"), "timeout-order"));
    CHECK(warns(with(", work: 61s"), "timeout-order"));
    CHECK_FALSE(warns(with(", work: 59s"), "timeout-order"));
    CHECK(warns(with("", "  next: { kind: processor, from: b, to: a, mode: at-least-once }\n"),
                "read-uncommitted-downstream"));
    // A consumer may look at what is not decided, unless an invariant is about the topic.
    const std::string onlooker = "  look: { kind: consumer, from: b, mode: at-least-once }\n";
    CHECK_FALSE(warns(with("", onlooker), "read-uncommitted-downstream"));
    CHECK(warns(with("", onlooker + "expect: { invariants: [{ name: n, count: id, over: [b], "
                                    "equals: 1 }] }\n"),
                "read-uncommitted-downstream"));
    CHECK(warns(with(", config: { transactional.id: x }",
                     "  other: { kind: producer, to: a, mode: exactly-once, config: { "
                     "transactional.id: x } }\n"),
                "shared-id"));
}

TEST_CASE("offsets kept for less than a reader may be away are warned of") {
    const std::string kept = "cluster: { config: { offsets.retention.minutes: 1 } }\nduration: 5m\n";
    const auto away = [&](const char* fault) { return kept + "faults: [" + fault + "]\n"; };

    CHECK(warns(read_more(away("{ at: 1s, do: crash, target: app:audit/0, for: 2m }")),
                "retention"));
    CHECK(warns(read_more(away("{ at: 1s, do: pause, target: apps }")), "retention"));
    CHECK(warns(read_more(away("{ every: 9s, do: mix, for: 61s, of: [{ do: stop, target: "
                               "random-app }, { do: none }] }")),
                "retention"));
    CHECK_FALSE(warns(read_more(away("{ at: 1s, do: crash, target: app:audit/0, for: 50s }")),
                      "retention"));
    CHECK_FALSE(warns(read_more(away("{ at: 1s, do: crash, target: app:audit/0 }")), "retention"));
    CHECK_FALSE(warns(read_more(away("{ at: 1s, do: crash, target: app:shop/0, for: 2m }")),
                      "retention"));
    CHECK_FALSE(warns(read_more(away("{ at: 1s, do: crash, target: broker:1, for: 2m }")),
                      "retention"));
    CHECK_FALSE(
        warns(read_more("duration: 5m\nfaults: [{ at: 1s, do: crash, target: apps, for: 2m }]\n"),
              "retention"));
}

TEST_CASE("a scenario keeps the names of its warnings, and check holds every variant's lints to them") {
    const std::string text =
        std::string(base) + "cluster: { min_insync: 1 }\n"
                            "expect: { lints: [promise-without-storage] }\nsweep:\n  variants:\n"
                            "    weak: {}\n    strong: { set: { cluster.min_insync: 2 }";

    const auto weak = read_more("cluster: { min_insync: 1 }\n");
    const auto good = check(load_text("t.yaml", text + ", expect: { lints: [] } }\n"));
    const auto bad = check(load_text("t.yaml", text + " }\n"));

    const auto& given = scenario(weak).warnings;
    CHECK(std::find(given.begin(), given.end(), "promise-without-storage") != given.end());
    CHECK_FALSE(good.failed());
    REQUIRE(bad.failed());
    CHECK(print(bad, DiagnosticFormat::text).find("(variant 'strong')") != std::string::npos);
}
