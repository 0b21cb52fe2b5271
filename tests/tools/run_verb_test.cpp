// run and replay: verdicts as exit codes, commands that reproduce, output that is whole or not
// there.

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/tools/cli_rig.hpp"
#include "tests/tools/schema_check.hpp"

namespace eos::tests {

TEST_CASE("a lint the file expects and check does not give fails the run") {
    const Cli cli;
    const auto with = [&](const char* lints) {
        auto text = std::string(one_duplicate);
        text.insert(text.find("  reached:"), std::string("  lints: ") + lints + "\n");
        return text;
    };
    cli.write("taught.yaml", with("[never-judged]"));   // nobody reads orders
    cli.write("untaught.yaml", with("[short-settle]"));

    const auto taught = cli.eosim("run taught.yaml");
    const auto untaught = cli.eosim("run untaught.yaml");

    CHECK_MESSAGE(taught.code == 0, taught.out, taught.err);
    CHECK(holds(taught.out, "lint never-judged"));
    CHECK_MESSAGE(untaught.code == 1, untaught.out, untaught.err);
    CHECK(holds(untaught.out, "not given"));
}

TEST_CASE("throughput is a matter of the time in which load is offered") {
    const Cli cli;
    // Ten records in 5 s: two a second, however long the system settles.
    const std::string bound = " --set 'expect.metrics={throughput: {min: 2, max: 2}}'";

    const auto brief = cli.eosim("run one.yaml --set settle=1s" + bound);
    const auto long_after = cli.eosim("run one.yaml --set settle=60s" + bound);

    CHECK_MESSAGE(brief.code == 0, brief.out, brief.err);
    CHECK_MESSAGE(long_after.code == 0, long_after.out, long_after.err);
}

TEST_CASE("a seed of 64 bits goes into a repro file and comes back") {
    const Cli cli;

    const auto failed =
        cli.eosim("run one.yaml --seed 18446744073709551615 --set expect.duplicates=none");
    const auto replayed =
        cli.eosim("replay .eosim/one-duplicate-18446744073709551615.repro.yaml");

    CHECK(failed.code == 1);
    CHECK_MESSAGE(replayed.code == 0, replayed.out, replayed.err);
}

TEST_CASE("a step that waits for a fault goes on when it has ended, also after a crash") {
    const Cli cli;
    const std::string scenario = R"(eosim: 1
name: waits
duration: 10s
settle: 20s
topics: { orders: {} }
apps:
  shop: { kind: producer, to: orders, mode: at-least-once, repeat: 2, restart: 1s,
          steps: [produce: { records: 3 }, flush, wait_for: { when: fault.cut.ended, after: 500ms }, produce: { records: 4 }, flush] }
  audit: { kind: consumer, from: orders }
faults:
  - { name: cut, at: 2s, do: slow-disk, target: brokers, by: 1ms, for: LASTS }
  - { name: down, at: CRASH, do: crash, target: app:shop/0 }
expect:
  invariants: [{ name: all, count: id, over: [orders], equals: WRITTEN }]
  reached: [cut, down, fault.cut.ended]
)";
    const auto with = [&](const char* lasts, const char* crash, const char* written) {
        auto text = scenario;
        text.replace(text.find("LASTS"), 5, lasts);
        text.replace(text.find("CRASH"), 5, crash);
        text.replace(text.find("WRITTEN"), 7, written);
        return text;
    };
    // The first loop writes three records and dies waiting; the second, in a new life, three and four.
    cli.write("before.yaml", with("3s", "3s", "10"));
    cli.write("at.yaml", with("3s", "4900ms", "10"));
    cli.write("healed.yaml", with("forever", "3s", "10"));

    const auto before = cli.eosim("run before.yaml");
    const auto at = cli.eosim("run at.yaml");
    const auto healed = cli.eosim("run healed.yaml");

    CHECK_MESSAGE(before.code == 0, before.out, before.err);
    CHECK_MESSAGE(at.code == 0, at.out, at.err);
    CHECK_MESSAGE(healed.code == 0, healed.out, healed.err);
    CHECK_FALSE(holds(before.out, "wait_for"));
}

TEST_CASE("a program whose first call fails every time lets time pass all the same") {
    const Cli cli;
    cli.write("spins.yaml", R"(eosim: 1
name: spins
duration: 5s
settle: 5s
topics: { orders: {} }
apps:
  shop: { kind: producer, to: orders, mode: at-most-once, records: 10, steps: [begin, produce, commit] }
  audit: { kind: consumer, from: orders }
expect: { stuck: any, lost: any, errors: { IllegalStateException: any } }
)");
    for (const auto* mode : {"at-most-once", "at-least-once", "idempotent"}) {  // skips, restarts
        const auto ran = cli.eosim(std::string("run spins.yaml --set apps.shop.mode=") + mode);

        CHECK_MESSAGE(ran.code <= 1, ran.out, ran.err);
        CHECK(holds(ran.out, "10.000 s simulated"));
    }
    // A transactional id and no transaction: every send is refused on the spot, and sent again.
    const auto refused = cli.eosim(
        "run spins.yaml --set apps.shop.mode=at-least-once --set 'apps.shop.steps=[produce]' "
        "--set 'apps.shop.config={transactional.id: shop}'");
    CHECK_MESSAGE(refused.code <= 1, refused.out, refused.err);
    CHECK(holds(refused.out, "10.000 s simulated"));
}

TEST_CASE("the same run prints the same bytes twice") {
    const Cli cli;

    const auto first =
        cli.eosim("run one.yaml --events all --out a.json --out a.md --out a.junit.xml");
    const auto second =
        cli.eosim("run one.yaml --events all --out b.json --out b.md --out b.junit.xml");

    CHECK(first.code == 0);
    CHECK(first.out == second.out);
    CHECK(cli.read("a.json") == cli.read("b.json"));
    CHECK(cli.read("a.md") == cli.read("b.md"));
    CHECK(cli.read("a.junit.xml") == cli.read("b.junit.xml"));
}

TEST_CASE("the digest does not depend on how much of the run is printed") {
    const Cli cli;

    const auto none = cli.eosim("run one.yaml --events none --json");
    const auto all = cli.eosim("run one.yaml --events all --json");

    const auto quiet = nlohmann::json::parse(none.out);
    const auto loud = nlohmann::json::parse(all.out);
    CHECK(quiet.at("digest") == loud.at("digest"));
    CHECK_FALSE(quiet.contains("events_listed"));
    CHECK(loud.at("events_listed").size() > 10);
}

TEST_CASE("a failing run gives exit 1 and the printed command reproduces it") {
    const Cli cli;
    cli.write("it's one.yaml", one_duplicate);

    const auto ran = cli.eosim("run \"it's one.yaml\" --seed 3 --set 'expect.duplicates=none'");
    const auto again = cli.shell(command_after(ran.out, "reproduce"));

    CHECK(ran.code == 1);
    CHECK(holds(ran.out, "FAIL  1 of"));
    CHECK_FALSE(command_after(ran.out, "reproduce").empty());
    CHECK(again.code == 1);
    CHECK(again.out == ran.out);
}

TEST_CASE("a failing run is saved, and replaying it follows the record") {
    const Cli cli;

    const auto ran =
        cli.eosim("run one.yaml --variant plain --seed 3 --set expect.duplicates=none");
    const auto next = cli.shell(command_after(ran.out, "next"));
    const auto batch = cli.eosim("run .eosim/one-duplicate-plain-3.repro.yaml");

    CHECK(cli.exists(".eosim/one-duplicate-plain-3.repro.yaml"));
    CHECK_MESSAGE(next.code == 0, next.out, next.err);
    CHECK(holds(next.out, "REPLAYED  fail as recorded, 1 decision, the same trace"));
    CHECK(batch.code == 0);
}

TEST_CASE("a replay that does not follow the record gives exit 5 and the first difference") {
    const Cli cli;
    (void)cli.eosim("run one.yaml --seed 3 --set expect.duplicates=none");
    const std::string path = ".eosim/one-duplicate-3.repro.yaml";
    const auto record = cli.read(path);

    auto other_decision = record;
    other_decision.replace(other_decision.find("occurrence: 3"), 13, "occurrence: 999");
    cli.write("decision.repro.yaml", other_decision);
    auto other_digest = record;
    const auto digest = other_digest.find("digest: ") + 8;
    const auto quoted = other_digest[digest] == '"' ? 1U : 0U;
    other_digest.replace(digest + quoted, 16, "0000000000000bad");
    cli.write("digest.repro.yaml", other_digest);
    auto cured = record;
    cured.replace(cured.find("mode: at-least-once"), 19, "mode: idempotent");
    cli.write("cured.repro.yaml", cured);

    const auto decision = cli.eosim("replay decision.repro.yaml");
    const auto trace = cli.eosim("replay digest.repro.yaml");
    const auto well = cli.eosim("run cured.repro.yaml");

    CHECK(decision.code == 5);
    CHECK(holds(decision.out, "leaves the record at decision 1 of 1"));
    CHECK(trace.code == 5);
    CHECK(holds(trace.out, "the digest was 0000000000000bad"));
    CHECK(well.code == 5);
    CHECK(holds(well.out, "DIFFERS"));
}

TEST_CASE("replay --until stops at that virtual time and gives no verdict") {
    const Cli cli;
    (void)cli.eosim("run one.yaml --seed 3 --set expect.duplicates=none");

    const auto ran = cli.eosim("replay .eosim/one-duplicate-3.repro.yaml --until 250ms");

    CHECK(ran.code == 0);
    CHECK(holds(ran.out, "STOPPED  at 0.250 s"));
    CHECK_FALSE(holds(ran.out, "FAIL"));
}

TEST_CASE("what was never reached is inconclusive, exit 4") {
    const Cli cli;

    const auto ran =
        cli.eosim("run one.yaml --set faults.ack-lost.nth=1000 --set expect.duplicates=any");

    CHECK(ran.code == 4);
    CHECK(holds(ran.out, "INCONCLUSIVE"));
    CHECK(holds(ran.out, "reached ack-lost"));
}

TEST_CASE("a run that exceeds its budget is inconclusive, whatever it has shown so far") {
    const Cli cli;

    const auto ran = cli.eosim("run one.yaml --set limits.events=200");

    CHECK(ran.code == 4);
    CHECK(holds(ran.out, "limits.events (200) was reached"));
}

TEST_CASE("a random seed has at most six digits and is printed") {
    const Cli cli;

    const auto ran = cli.eosim("run one.yaml --seed random --json");

    const auto seed = nlohmann::json::parse(ran.out).at("seed").get<std::uint64_t>();
    CHECK(seed >= 1);
    CHECK(seed <= 999'999);
}

TEST_CASE("a directory is run whole: every variant, repro files, sub-directories, in order") {
    const Cli cli;
    cli.write("lib/b/second.yaml", one_duplicate);
    cli.write("lib/a.yaml", one_duplicate);
    (void)cli.eosim("run one.yaml --seed 3 --set expect.duplicates=none");
    (void)cli.shell("cp .eosim/one-duplicate-3.repro.yaml lib/c.repro.yaml");

    const auto good = cli.eosim("run lib --out lib.junit.xml");
    cli.write("lib/b/typo.yaml", "eosim: 1\nname: typo\ntopcs: {}\n");
    const auto bad = cli.eosim("run lib");

    CHECK_MESSAGE(good.code == 0, good.out, good.err);
    CHECK(holds(good.out, "one-duplicate · plain"));
    CHECK(holds(good.out, "one-duplicate · idempotent"));
    CHECK(holds(good.out, "PASS  5 of 5 runs as expected"));
    CHECK(holds(cli.read("lib.junit.xml"), "tests=\"5\" failures=\"0\" errors=\"0\""));
    CHECK(bad.code == 3);
    CHECK(holds(bad.out, "INVALID"));
    CHECK(holds(bad.err, "typo.yaml:3:1: error"));
}

TEST_CASE("output that cannot be written gives exit 74 and leaves no half file") {
    const Cli cli;
    cli.write("kept.json", "before");

    const auto nowhere = cli.eosim("run one.yaml --out nowhere/r.json");
    const auto full = cli.eosim("run one.yaml >/dev/full");
    const auto too_large = cli.shell(
        "ulimit -f 1; trap '' XFSZ; eosim run one.yaml --events all --json "
        "--out kept.json >/dev/null");

    CHECK(nowhere.code == 74);
    CHECK(holds(nowhere.err, "cannot write nowhere/r.json: No such file or directory"));
    CHECK(full.code == 74);
    CHECK(holds(full.err, "cannot write to standard output: No space left on device"));
    CHECK(too_large.code == 74);
    CHECK(holds(too_large.err, "cannot write kept.json: File too large"));
    CHECK(cli.read("kept.json") == "before");
    CHECK(cli.files_named(".tmp") == 0);
}

TEST_CASE("a pipe closed by its reader gives exit 74 and a message") {
    const Cli cli;

    // Opened while it had a reader, written to when it has none: no race with a program that ends.
    const auto ran = cli.shell(
        "mkfifo p; exec 3<>p 4>p 3<&-; eosim list settings >&4; echo code $? >&2");

    CHECK(holds(ran.err, "code 74"));
    CHECK(holds(ran.err, "cannot write to standard output: Broken pipe"));
}

TEST_CASE("a stored result is rendered as the run itself would have been") {
    const Cli cli;
    const auto ran = cli.eosim(
        "run one.yaml --set expect.duplicates=none --events rpc --out a.json "
        "--out a.md --out a.junit.xml");

    const auto screen = cli.eosim("report a.json");
    const auto files =
        cli.eosim("report a.json --out b.json --out b.md --out b.junit.xml --out b.csv");

    CHECK(screen.out == ran.out);
    CHECK(files.code == 0);
    CHECK(cli.read("a.json") == cli.read("b.json"));
    CHECK(cli.read("a.md") == cli.read("b.md"));
    CHECK(cli.read("a.junit.xml") == cli.read("b.junit.xml"));
    CHECK(holds(cli.read("a.md"), "sequenceDiagram"));
    CHECK(holds(cli.read("a.md"), "-xn"));
    CHECK(holds(cli.read("a.junit.xml"), "<failure message=\"duplicates: wanted none, got 1\""));
    CHECK(holds(cli.read("b.csv"), "one-duplicate,,1,fail,0,1,"));
}

TEST_CASE("a file that is no result is refused with exit 3 and a position") {
    const Cli cli;
    cli.write("broken.json", "{\n  \"schema\": \"eosim.result/1\",\n  oops\n}\n");
    cli.write("other.json", "{\n  \"schema\": \"other/1\"\n}\n");

    const auto broken = cli.eosim("report broken.json --out x.md");
    const auto other = cli.eosim("report other.json");
    const auto missing = cli.eosim("report missing.json");

    CHECK(broken.code == 3);
    CHECK(holds(broken.err, "broken.json: error: line 3, column 3"));
    CHECK(other.code == 3);
    CHECK(missing.code == 3);
    CHECK_FALSE(cli.exists("x.md"));
}

TEST_CASE("a result says what its schema says, and nothing else") {
    const Cli cli;
    const auto ran = cli.eosim("run one.yaml --set expect.duplicates=none --json");
    const auto printed = cli.eosim("schema result");

    const auto found = departures(Json::parse(ran.out), Json::parse(printed.out));

    CHECK_MESSAGE(found.empty(), fmt::format("{}", fmt::join(found, "\n")));
}

}  // namespace eos::tests
