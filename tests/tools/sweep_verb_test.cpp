// sweep and compare: the same bytes whatever the number of jobs, results that can be resumed, and
// rows that lead back to a run.

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/tools/cli_rig.hpp"

namespace eos::tests {
namespace {

const std::string failing = " --set expect.duplicates=none ";

}  // namespace

TEST_CASE("a sweep says how soon one finds what it found") {
    const Cli cli;
    const auto always = cli.eosim("sweep one.yaml --seeds 1..6");
    const auto never = cli.eosim(
        "sweep one.yaml --seeds 1..6 --set 'faults=[]' --set 'expect.reached=[]' --set "
        "expect.duplicates=none");

    CHECK(holds(always.out, "duplicates in 6 of 6 runs, the next one after 1 (median)"));
    CHECK_FALSE(holds(never.out, "found "));
}

TEST_CASE("a seed whose drawn values do not go together is left out and told") {
    const Cli cli;
    cli.write("drawn.yaml",
              cli.read("one.yaml") +
                  "  draw:\n    apps.shop.mode: [at-least-once, idempotent]\n"
                  "    apps.shop.config.acks: [all, 1]\n");
    const std::string loose = " --variant plain --set expect.duplicates=any --set expect.lost=any";

    const auto one = cli.eosim("sweep drawn.yaml --seeds 1..20 --jobs 1" + loose);
    const auto two = cli.eosim("sweep drawn.yaml --seeds 1..20 --jobs 2" + loose);
    const auto compared = cli.eosim("compare drawn.yaml --seeds 1..20 --modes idempotent");

    CHECK_MESSAGE(one.code == 0, one.out, one.err);
    CHECK(holds(one.out, "left out of plain: "));
    CHECK(holds(one.out, "of 20 seeds draw values that do not"));
    CHECK_FALSE(holds(one.out, "20 of 20 runs"));
    CHECK(one.out == two.out);
    CHECK(compared.code == 3);
}

TEST_CASE("a sweep writes the same bytes with one job and with two") {
    const Cli cli;

    const auto one = cli.eosim(
        "sweep one.yaml --seeds 1..12 --jobs 1 --out 1.jsonl --out 1.csv "
        "--out 1.json --out 1.junit.xml --out 1.md" +
        failing);
    const auto two = cli.eosim(
        "sweep one.yaml --seeds 1..12 --jobs 2 --out 2.jsonl --out 2.csv "
        "--out 2.json --out 2.junit.xml --out 2.md" +
        failing);

    CHECK(one.code == 1);
    CHECK(two.code == 1);
    CHECK(one.out.size() > 500);
    CHECK(one.out.substr(0, one.out.find("wrote")) == two.out.substr(0, two.out.find("wrote")));
    for (const char* ending : {".jsonl", ".json", ".junit.xml", ".md"})
        CHECK_MESSAGE(cli.read(std::string("1") + ending) == cli.read(std::string("2") + ending),
                      ending);
    const auto rows = cli.read("1.csv");
    CHECK(rows.substr(rows.find('\n')) == cli.read("2.csv").substr(cli.read("2.csv").find('\n')));
}

TEST_CASE("a row of a sweep is reproduced by the command that is printed for it") {
    const Cli cli;

    const auto swept =
        cli.eosim("sweep one.yaml --seeds 5..6 --variant plain --out r.jsonl" + failing);
    const auto row =
        nlohmann::json::parse(cli.read("r.jsonl").substr(0, cli.read("r.jsonl").find('\n')));
    const auto again = cli.shell(command_after(swept.out, "rerun") + " --json");

    CHECK(again.code == 1);
    const auto result = nlohmann::json::parse(again.out);
    CHECK(result.at("digest") == row.at("digest"));
    CHECK(result.at("seed") == row.at("seed"));
}

TEST_CASE("the kept failures of a sweep replay as recorded") {
    const Cli cli;

    const auto swept = cli.eosim("sweep one.yaml --seeds 1..5 --variant plain --keep 2" + failing);
    const auto replayed = cli.eosim("run .eosim");
    const auto direct = cli.eosim(
        "run .eosim/one-duplicate-plain-1.repro.yaml "
        ".eosim/one-duplicate-plain-2.repro.yaml");

    CHECK(swept.code == 1);
    CHECK(cli.files_named(".repro.yaml") == 2);
    CHECK(replayed.code == 0);
    CHECK_MESSAGE(direct.code == 0, direct.out, direct.err);
}

TEST_CASE("a resumed sweep ends with the rows of an uninterrupted one") {
    const Cli cli;
    (void)cli.eosim("sweep one.yaml --seeds 1..12 --out whole.jsonl --keep 0" + failing);
    (void)cli.eosim("sweep one.yaml --seeds 4..7 --out part.jsonl --keep 0" + failing);

    const auto resumed =
        cli.eosim("sweep one.yaml --seeds 1..12 --resume --out part.jsonl --keep 0" + failing);

    CHECK(resumed.code == 1);
    CHECK(holds(resumed.out, "8 runs read back"));
    CHECK(cli.read("part.jsonl") == cli.read("whole.jsonl"));
}

TEST_CASE("rows of another scenario are not resumed from") {
    const Cli cli;
    (void)cli.eosim("sweep one.yaml --seeds 1..2 --out r.jsonl");
    const auto before = cli.read("r.jsonl");
    cli.write("one.yaml", std::string(one_duplicate) + "# changed\n");

    const auto ran = cli.eosim("sweep one.yaml --seeds 1..4 --resume --out r.jsonl");

    CHECK(ran.code == 2);
    CHECK(holds(ran.err, "made from another scenario"));
    CHECK(cli.read("r.jsonl") == before);
}

TEST_CASE("--stop-after ends a sweep at the same run with any number of jobs") {
    const Cli cli;

    const auto one =
        cli.eosim("sweep one.yaml --seeds 1..40 --stop-after 3 --jobs 1 --keep 0" + failing);
    const auto two =
        cli.eosim("sweep one.yaml --seeds 1..40 --stop-after 3 --jobs 2 --keep 0" + failing);

    CHECK(one.code == 1);
    CHECK(one.out == two.out);
    CHECK(holds(one.out, "stopped by --stop-after 3 after 3 of 80 runs"));
}

TEST_CASE("--time ends a sweep and keeps what was computed") {
    const Cli cli;

    const auto ran =
        cli.eosim("sweep one.yaml --seeds 1..1000000 --time 700ms --out r.jsonl --keep 0");

    CHECK(holds(ran.out, "stopped by --time 700ms"));
    const auto rows = cli.read("r.jsonl");
    CHECK((ran.code == 0 || ran.code == 4));
    CHECK((ran.code == 4) == rows.empty());
    CHECK((rows.empty() || rows.back() == '\n'));
}

TEST_CASE("Ctrl-C ends a sweep with exit 130 and whole rows") {
    const Cli cli;

    const auto ran = cli.shell(
        "eosim sweep one.yaml --seeds 1..1000000 --out r.jsonl --keep 0 & "
        "pid=$!; sleep 0.7; kill -INT $pid; wait $pid");

    // A shell without job control starts background programs with SIGINT ignored: the handler of
    // the program is set all the same.
    CHECK(ran.code == 130);
    CHECK(holds(ran.out, "interrupted after"));
    CHECK(cli.exists("r.jsonl"));
    CHECK(cli.files_named(".tmp") == 0);
}

TEST_CASE("a sweep whose rows cannot be written says so, stops, and leaves no half file") {
    const Cli cli;
    cli.write("kept.jsonl", "before");

    const auto ran = cli.shell(
        "ulimit -f 1; trap '' XFSZ; eosim sweep one.yaml --seeds 1..200 --keep 0 "
        "--out kept.jsonl");

    CHECK(ran.code == 74);
    CHECK(holds(ran.err, "cannot write kept.jsonl: File too large"));
    CHECK(cli.read("kept.jsonl") == "before");
    CHECK(cli.files_named(".tmp") == 0);
}

TEST_CASE("a stored sweep is summed up as the sweep itself was") {
    const Cli cli;
    const auto swept = cli.eosim(
        "sweep one.yaml --seeds 1..4 --keep 0 --out r.jsonl --out r.json "
        "--out r.junit.xml" +
        failing);

    const auto from_lines = cli.eosim("report r.jsonl --out l.csv --out l.junit.xml");
    const auto from_document = cli.eosim("report r.json --out d.csv");

    CHECK(from_lines.code == 0);
    CHECK(from_document.code == 0);
    CHECK(cli.read("l.junit.xml") == cli.read("r.junit.xml"));
    CHECK(holds(cli.read("r.junit.xml"), "name=\"plain seed 4\""));
    CHECK(holds(cli.read("r.junit.xml"), "name=\"idempotent (4 seeds)\""));
    const auto csv = cli.read("l.csv");
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 10);
    CHECK(csv.substr(csv.find('\n')) == cli.read("d.csv").substr(cli.read("d.csv").find('\n')));
    CHECK(holds(swept.out, "FAIL  4 of 8 runs as expected, 4 not, 0 undecided"));
}

TEST_CASE("claims of sweep.compare are checked over the runs of their variants") {
    const Cli cli;
    const std::string claim = "  compare:\n    - { metric: duplicates, difference: { min: ";
    cli.write("good.yaml",
              std::string(one_duplicate) + claim + "1 }, of: plain, against: idempotent }\n");
    cli.write("bad.yaml",
              std::string(one_duplicate) + claim + "2 }, of: plain, against: idempotent }\n");

    const auto good = cli.eosim("sweep good.yaml --seeds 1..3");
    const auto bad = cli.eosim("sweep bad.yaml --seeds 1..3");

    CHECK_MESSAGE(good.code == 0, good.out, good.err);
    CHECK(holds(good.out, "holds"));
    CHECK_MESSAGE(bad.code == 1, bad.out, bad.err);
    CHECK(holds(bad.out, "DOES NOT HOLD"));
}

TEST_CASE("a placed fault strikes at every occurrence of its trigger, and each place is a command") {
    const Cli cli;
    // Ten requests, one record each: the third acknowledgement is lost in the file, any in the sweep.
    cli.write("placed.yaml", std::string(one_duplicate) + "  place: [ack-lost]\n");

    const auto one = cli.eosim("sweep placed.yaml --variant plain --seeds 1 --jobs 1 --out 1.jsonl");
    const auto two = cli.eosim("sweep placed.yaml --variant plain --seeds 1 --jobs 2 --out 2.jsonl");
    const auto few = cli.eosim("sweep placed.yaml --variant plain --seeds 1 --limit 3 --out 3.jsonl");
    const auto fails =
        cli.eosim("sweep placed.yaml --variant plain --seeds 1 --limit 2 --out f.csv" + failing);
    const auto kept = cli.files_named(".repro.yaml");
    const auto again = cli.shell(command_after(fails.out, "rerun"));
    const auto replayed = cli.eosim("run .eosim");

    CHECK_MESSAGE(one.code == 0, one.out, one.err);
    CHECK(holds(one.out, "1 variant x 1 seed x every place of ack-lost = 10 runs"));
    CHECK(holds(one.out, "PASS  10 of 10 runs"));
    const auto rows = cli.read("1.jsonl");
    CHECK(std::count(rows.begin(), rows.end(), '\n') == 10);
    CHECK(holds(rows, "\"set\":[\"faults.ack-lost.nth=10\"]"));
    CHECK(rows == cli.read("2.jsonl"));
    CHECK_MESSAGE(few.code == 0, few.out, few.err);
    CHECK(holds(few.out, "ack-lost at 3 of 10 occurrences"));
    CHECK(holds(cli.read("3.jsonl"), "ack-lost.nth=10"));
    CHECK(fails.code == 1);
    CHECK(holds(cli.read("f.csv"), "faults.ack-lost.nth=10"));
    CHECK_MESSAGE(again.code == 1, again.out, again.err);
    CHECK(kept == 2);
    CHECK_MESSAGE(replayed.code == 0, replayed.out, replayed.err);
}

TEST_CASE("two placed faults are tried in pairs, and a place that never comes is said") {
    const Cli cli;
    const std::string second =
        "  - { name: late, when: rpc.sent, match: { api: Produce, to: leader:orders/0 }, do: delay, "
        "by: 10ms }\n";
    auto text = std::string(one_duplicate);
    text.insert(text.find("expect:"), second);
    cli.write("pairs.yaml", text + "  place: [ack-lost, late]\n");
    cli.write("never.yaml", std::string(one_duplicate) + "  place: [ack-lost]\n");

    const auto pairs =
        cli.eosim("sweep pairs.yaml --variant plain --seeds 1..2 --limit 3 --keep 0");
    const auto never =
        cli.eosim("sweep never.yaml --variant plain --seeds 1 --set apps.shop.start=manual");

    CHECK(holds(pairs.out, "every place of ack-lost and late = 18 runs"));
    CHECK(never.code == 4);
    CHECK_MESSAGE(holds(never.out, "no place to try: ack-lost (plain, seed 1)"), never.out);
}

TEST_CASE("results are kept although nobody can be told of them on the screen") {
    const Cli cli;

    const auto swept = cli.shell("eosim sweep one.yaml --seeds 1..3 --out r.jsonl > /dev/full");
    const auto ran = cli.shell("eosim run one.yaml --out r.json > /dev/full");

    CHECK(swept.code == 74);
    CHECK(holds(swept.err, "cannot write to standard output"));
    const auto rows = cli.read("r.jsonl");
    CHECK(std::count(rows.begin(), rows.end(), '\n') == 6);
    CHECK(ran.code == 74);
    CHECK(nlohmann::json::accept(cli.read("r.json")));
}

TEST_CASE("a cell of the matrix is run again by the name the sweep prints") {
    const Cli cli;
    cli.write("cells.yaml",
              std::string(one_duplicate) + "  matrix:\n    faults.ack-lost.nth: [3, 4]\n");

    const auto swept = cli.eosim("sweep cells.yaml --seeds 1 --keep 0" + failing);
    const auto again = cli.shell(command_after(swept.out, "rerun"));

    CHECK(holds(swept.out, "4 variants x 1 seed = 4 runs"));
    CHECK(holds(swept.out, "plain faults.ack-lost.nth=3"));
    CHECK_MESSAGE(again.code == 1, again.out, again.err);
    CHECK(holds(again.out, "variant plain faults.ack-lost.nth=3"));
}

TEST_CASE("compare shows the same faults under each mode, and its worst seed is reproduced") {
    const Cli cli;

    const auto one = cli.eosim("compare one.yaml --seeds 1..4 --jobs 1");
    const auto two = cli.eosim("compare one.yaml --seeds 1..4 --jobs 2");
    const auto worst = cli.shell(command_after(one.out, "1 anomaly\n"));

    CHECK(one.code == 0);
    CHECK(one.out == two.out);
    for (const char* mode : {"at-most-once", "at-least-once", "idempotent"})
        CHECK(holds(one.out, mode));
    CHECK_MESSAGE(worst.code == 0, worst.out, worst.err);
    CHECK(holds(worst.out, "1 duplicate"));
}

}  // namespace eos::tests
