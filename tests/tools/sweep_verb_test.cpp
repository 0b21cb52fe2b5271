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
