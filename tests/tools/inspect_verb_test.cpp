// inspect: the state of everything at a chosen moment, found by time, event or milestone, without
// disturbing the run.

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/tools/cli_rig.hpp"
#include "tests/tools/schema_check.hpp"

namespace eos::tests {
namespace {

/// The second transaction of a producer is decided, and one of its two markers is held up.
constexpr const char* books = R"(eosim: 1
name: books
duration: 20s
settle: 60s
topics:
  debits: { placement: [[1, 2, 3]] }
  credits: { placement: [[2, 3, 1]] }
  __transaction_state: { partitions: 1, placement: [[3, 1, 2]] }
apps:
  bank:
    { kind: producer, to: [debits, credits], workload: transfers, mode: exactly-once,
      records: 40, batch: 10 }
  audit: { kind: consumer, from: [debits, credits], isolation: read-committed }
faults:
  - name: marker-held
    when: rpc.sent
    match: { api: WriteTxnMarkers, side: request, to: "leader:credits/0", txn: 2 }
    times: 1
    do: hold
    for: 2s
)";

/// What follows on the screen of `run` after a word, up to the next space.
std::string number_before(const std::string& text, const std::string& word) {
    const auto end = text.find(word);
    if (end == std::string::npos) return "";
    const auto begin = text.rfind(' ', end - 1) + 1;
    return text.substr(begin, end - begin);
}

}  // namespace

TEST_CASE("inspect shows a transaction between its two markers") {
    const Cli cli;
    cli.write("books.yaml", books);

    const auto ran = cli.eosim(
        "inspect books.yaml --event txn.marker_written --nth 3 "
        "--only messages,transactions,partitions,producers");

    CHECK_MESSAGE(ran.code == 0, ran.err);
    CHECK(ran.err.empty());
    CHECK(ran.out == R"(books · seed 1 · at 0.270715 s, after 319 events · txn.marker_written #3

partitions
  debits/0  leader broker 1, leader epoch 0, in sync 1 2 3
    replica   start  stable  watermark  end  on disk  last epoch
    broker 1      0      21         21   21        0           0  leads
    broker 2      0      11         20   21        0           0
    broker 3      0      11         20   21        0           0
  credits/0  leader broker 2, leader epoch 0, in sync 2 3 1
    replica   start  stable  watermark  end  on disk  last epoch
    broker 2      0      11         20   20        0           0  leads
    broker 3      0      11         11   20        0           0
    broker 1      0      11         11   20        0           0
    open from 11: producer 0 epoch 1, bank-0
    first unstable offset 11
  __transaction_state/0  leader broker 3, leader epoch 0, in sync 3 1 2
    replica   start  stable  watermark  end  on disk  last epoch
    broker 3      0       8          8    8        0           0  leads
    broker 1      0       7          7    8        0           0
    broker 2      0       7          7    8        0           0
  and 4 internal partitions without a record

producers, as the leaders know them
  partition  leader  producer  epoch  sequences  last offset  open from  coord epoch
  debits/0        1         0      2          -            -          -            0
  credits/0       2         0      1       0..8           19         11            0

transactions, as their coordinators know them
  bank-0  PrepareCommit, CompleteCommit pending
    producer 0 epoch 2, last epoch 1, transaction #2, began 0.214234 s, changed 0.256950 s,
    timeout 60.0 s
    coordinator broker 3, coordinator epoch 0, __transaction_state/0
    partitions credits/0 (marker sent)

messages under way
  0.260804 s  broker 3 -> broker 2  WriteTxnMarkers bank-0#2 commit credits/0, held by marker-held
)");
}

TEST_CASE("inspect is as wide as a screen") {
    const Cli cli;
    cli.write("books.yaml", books);

    const auto ran = cli.eosim("inspect books.yaml --at 300ms");

    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 98, line);
}

TEST_CASE("the JSON of inspect holds the sections that were asked for, and numbers as numbers") {
    const Cli cli;
    cli.write("books.yaml", books);
    const std::string moment =
        "inspect books.yaml --event txn.marker_written --nth 3 --format json";

    const auto all = nlohmann::json::parse(cli.eosim(moment).out);
    const auto some = nlohmann::json::parse(cli.eosim(moment + " --only transactions").out);

    CHECK(all["schema"] == "eosim.state/1");
    CHECK(all["stopped_at"] == "txn.marker_written");
    CHECK(all["occurrence"] == 3);
    for (const auto* section :
         {"nodes", "partitions", "producers", "transactions", "groups", "clients", "messages"})
        CHECK_MESSAGE(all.contains(section), section);
    CHECK(some["transactions"] == all["transactions"]);
    CHECK_FALSE(some.contains("partitions"));
    const auto& bank = some["transactions"][0];
    CHECK(bank["state"] == "PrepareCommit");
    CHECK(bank["epoch"] == 2);
    CHECK(bank["partitions"][0]["name"] == "credits/0");
    CHECK(bank["partitions"][0]["marker"] == "sent");
}

TEST_CASE("a state says what its schema says, and nothing else") {
    const Cli cli;
    cli.write("books.yaml", books);
    const auto schema = Json::parse(cli.eosim("schema state").out);
    for (const auto* moment :
         {"books.yaml", "books.yaml --at 1ms", "books.yaml --event txn.marker_written --nth 3",
          "books.yaml --at 300ms --only transactions",
          "books.yaml --set cluster.group_protocol=consumer --at 1s",
          EOSIM_SOURCE_DIR "/scenarios/eos/crash-matrix.yaml --at 10s",
          EOSIM_SOURCE_DIR "/scenarios/failover/rolling-restart-eos.yaml --at 12s"}) {
        const auto printed = cli.eosim(std::string("inspect --format json ") + moment);
        REQUIRE_MESSAGE(printed.code == 0, printed.err);

        const auto found = departures(Json::parse(printed.out), schema);

        CHECK_MESSAGE(found.empty(), fmt::format("{}: {}", moment, fmt::join(found, "\n")));
    }
}

TEST_CASE("the check of a schema sees what is missing, unknown, and of another type") {
    const auto schema = Json::parse(R"({"type": "object", "required": ["seed"], "properties":
        {"seed": {"type": "integer", "minimum": 0}, "list": {"items": {"enum": ["a"]}}}})");

    CHECK(departures(Json::parse(R"({"seed": 1, "list": ["a"]})"), schema).empty());
    CHECK(departures(Json::parse(R"({"list": []})"), schema).size() == 1);
    CHECK(departures(Json::parse(R"({"seed": -1, "sed": 1})"), schema).size() == 2);
    CHECK(departures(Json::parse(R"({"seed": "1", "list": ["a", "b"]})"), schema).size() == 2);
}

TEST_CASE("a run that is looked at is the run itself") {
    const Cli cli;
    cli.write("books.yaml", books);

    const auto ran = cli.eosim("run books.yaml");
    const auto end = cli.eosim("inspect books.yaml --only nodes");
    const auto again = cli.eosim("inspect books.yaml --only nodes");
    const auto by_event = cli.eosim("inspect books.yaml --event 300");
    const auto at =
        nlohmann::json::parse(cli.eosim("inspect books.yaml --event 300 --format json").out);
    const auto by_time =
        cli.eosim("inspect books.yaml --at " + std::to_string(at["at_us"].get<long>()) + "us");

    CHECK(number_before(ran.out, " events") == number_before(end.out, " events"));
    CHECK(end.out == again.out);
    CHECK(number_before(by_event.out, " events") == "300");
    CHECK_MESSAGE(by_time.code == 0, by_time.err);
}

TEST_CASE("a repro file is inspected by its decisions") {
    const Cli cli;
    const auto failed = cli.eosim("run one.yaml --seed 3 --set expect.duplicates=none");
    REQUIRE(failed.code == 1);
    const std::string moment = " --event fault.ack-lost --format json --only partitions,clients";

    const auto of_repro = cli.eosim("inspect .eosim/one-duplicate-3.repro.yaml" + moment);
    const auto of_scenario = cli.eosim("inspect one.yaml --seed 3" + moment);
    const auto early = cli.eosim("inspect .eosim/one-duplicate-3.repro.yaml --at 1ms");
    const auto seeded = cli.eosim("inspect .eosim/one-duplicate-3.repro.yaml --seed 4");

    CHECK_MESSAGE(of_repro.code == 0, of_repro.err);
    CHECK(of_repro.out == of_scenario.out);
    // The decision that was recorded is still to come: no difference.
    CHECK_MESSAGE(early.code == 0, early.err);
    CHECK(seeded.code == 2);
    CHECK(seeded.out.empty());
}

TEST_CASE("replay --until before a recorded decision is no difference") {
    const Cli cli;
    REQUIRE(cli.eosim("run one.yaml --seed 3 --set expect.duplicates=none").code == 1);

    const auto early = cli.eosim("replay .eosim/one-duplicate-3.repro.yaml --until 1ms");

    CHECK_MESSAGE(early.code == 0, early.out, early.err);
}

TEST_CASE("a moment that does not exist is refused, and nothing is on standard output") {
    const Cli cli;
    struct Row {
        const char* arguments;
        int code;
        const char* says;
    };
    const Row rows[] = {
        {"one.yaml --at 11s", 2, "past the end of the run"},
        {"one.yaml --at 3", 2, "a number and a unit"},
        {"one.yaml --event 999999", 2, "past the end of the run"},
        {"one.yaml --event txn.complet", 2, "did you mean 'txn.completed'?"},
        {"one.yaml --event fault.ack-losd", 2, "did you mean 'fault.ack-lost'?"},
        {"one.yaml --event -3", 2, "neither a number nor a milestone"},
        {"one.yaml --event txn.completed", 4, "never reached"},
        {"one.yaml --event fault.ack-lost --nth 2", 4, "reached 1 time only"},
        {"one.yaml --event fault.ack-lost --nth 0", 2, "--nth"},
        {"one.yaml --nth 2", 2, "--event NAME"},
        {"one.yaml --event 5 --nth 2", 2, "--event NAME"},
        {"one.yaml --at 1s --event 5", 2, "two moments"},
        {"one.yaml --only partition", 2, "did you mean 'partitions'?"},
        {"one.yaml --format yaml", 2, "--format"},
        {"one.yaml --variant no-such", 2, "no variant"},
        {"one.yaml --set limits.events=50", 4, "limits.events (50)"},
        {"no-such.yaml", 3, "no-such.yaml"},
        {"", 2, "needs a file"},
        {"one.yaml one.yaml", 2, "too many"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.arguments);
        const auto ran = cli.eosim(std::string("inspect ") + row.arguments);
        CHECK_MESSAGE(ran.code == row.code, ran.err);
        CHECK(ran.out.empty());
        CHECK_MESSAGE(holds(ran.err, row.says), ran.err);
    }
}

TEST_CASE("the shipped scenario on inspection shows what its text promises") {
    const Cli cli;
    const std::string file = EOSIM_SOURCE_DIR "/scenarios/validate/inspect-state.yaml";
    const std::string ask =
        "inspect " + file + " --event fault.marker-held --format json --variant ";

    const auto now = nlohmann::json::parse(cli.eosim(ask + "new").out);
    const auto old = nlohmann::json::parse(cli.eosim(ask + "old").out);

    for (const auto& at : {now, old}) {
        const auto& bank = at["transactions"][0];
        CHECK(bank["state"] == "PrepareCommit");
        bool held = false;
        for (const auto& message : at["messages"])
            held |= message["where"] == "held by marker-held";
        CHECK(held);
        bool open = false;
        for (const auto& partition : at["partitions"])
            if (partition["name"] == "credits/0")
                open = partition["open"][0]["txid"] == "bank-0" &&
                       partition["first_unstable"] == partition["open"][0]["first_offset"];
        CHECK(open);
        for (const auto& group : at["groups"])
            if (group["name"] == "bank") CHECK(group["pending"][0]["txid"] == "bank-0");
    }
    // KIP-890: the coordinator is an epoch ahead of the partition's open transaction.
    const auto epochs = [](const nlohmann::json& at) {
        std::int64_t partition = -1;
        for (const auto& row : at["producers"])
            if (row["partition"] == "credits/0") partition = row["epoch"];
        return at["transactions"][0]["epoch"].get<std::int64_t>() - partition;
    };
    CHECK(epochs(now) == 1);
    CHECK(epochs(old) == 0);
}

}  // namespace eos::tests
