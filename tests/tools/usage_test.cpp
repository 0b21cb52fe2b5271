// Wrong commands, flags and values: exit 2, named, with a suggestion; nothing is ignored or
// clamped.

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/tools/cli_rig.hpp"

namespace eos::tests {
namespace {

struct Wrong {
    const char* arguments;
    const char* says;
    const char* hint;
};

constexpr Wrong wrong_usages[] = {
    {"rnu one.yaml", "unknown command 'rnu'", "did you mean 'run'?"},
    {"run one.yaml --sed 5", "'--sed'", "did you mean '--seed'?"},
    {"sweep one.yaml --varaint plain", "'--varaint'", "did you mean '--variant'?"},
    {"run one.yaml --seed", "--seed", "eosim run --help"},
    {"run one.yaml --seed -5", "--seed: '-5' is not a whole number", "0 to 2^64 - 1"},
    {"run one.yaml --seed=-5", "--seed: '-5' is not a whole number", "0 to 2^64 - 1"},
    {"run one.yaml --seed 1e3", "--seed: '1e3' is not a whole number", "decimal or 0x"},
    {"run one.yaml --seed 1_000", "--seed: '1_000' is not a whole number", ""},
    {"run one.yaml --seed 7x", "--seed: '7x' is not a whole number", ""},
    {"run one.yaml --seed ''", "--seed: '' is not a whole number", ""},
    {"run one.yaml --seed 18446744073709551616", "too large", "2^64 - 1"},
    {"run one.yaml --seed 1 --seed 2", "--seed", ""},
    {"run", "needs a file", "for example"},
    {"run one.yaml --variant idempotnt", "no variant 'idempotnt'", "did you mean 'idempotent'?"},
    {"run one.yaml --set nonsense", "--set: 'nonsense' is not path=value", "for example"},
    {"run one.yaml --out r.html", ".html files are not available yet", ".junit.xml"},
    {"run one.yaml --out r.pdf", "names no format", ".junit.xml"},
    {"run one.yaml --events much", "'much' is not one of its values", "key, rpc"},
    {"sweep one.yaml --seeds 9..1", "ends before it begins", "1..9"},
    {"sweep one.yaml --seeds 1..2..3", "not a whole number", ""},
    {"sweep one.yaml --seeds 1,,3", "an entry of the list is empty", "a,b,c"},
    {"sweep one.yaml --seeds 1..99999999999", "more than", ""},
    {"sweep one.yaml --jobs 0", "--jobs: 0 is out of range", "1 to 1024"},
    {"sweep one.yaml --time 60", "--time: '60' is not a time", "60s"},
    {"sweep one.yaml --resume", "--resume needs a file", "--out FILE.jsonl"},
    {"sweep .", "is a directory", ""},
    {"compare one.yaml --modes at-lest-once", "not a delivery mode",
     "did you mean 'at-least-once'?"},
    {"compare one.yaml --app shpo", "no app 'shpo'", "did you mean 'shop'?"},
    {"list evnts", "no list of 'evnts'", "did you mean 'events'?"},
    {"schema thing", "no schema of 'thing'", "scenario, result, state"},
    {"completion csh", "no completion for 'csh'", ""},
    {"shrink x.repro.yaml", "'shrink' is not available yet", ""},
    {"explain x.repro.yaml", "'explain' is not available yet", ""},
    {"replay x.repro.yaml --step", "'--step' is not available yet", ""},
    {"check", "needs a file", "for example"},
    {"help rnu", "no help on 'rnu'", "did you mean 'run'?"},
    {"sweep one.yaml --limit 3", "--limit is for files with sweep.place", ""},
    {"report", "needs stored results", "for example"},
};

}  // namespace

TEST_CASE("a wrong command, flag or value is refused with exit 2, its name and a hint") {
    const Cli cli;

    for (const auto& wrong : wrong_usages) {
        CAPTURE(wrong.arguments);
        const auto ran = cli.eosim(wrong.arguments);

        CHECK(ran.code == 2);
        CHECK(ran.out.empty());
        CHECK_MESSAGE(holds(ran.err, wrong.says), ran.err);
        CHECK_MESSAGE(holds(ran.err, wrong.hint), ran.err);
    }
}

TEST_CASE("numbers may be hexadecimal and as large as 64 bits") {
    const Cli cli;

    const auto hexadecimal = cli.eosim("run one.yaml --seed 0x10");
    const auto greatest = cli.eosim("run one.yaml --seed 18446744073709551615");

    CHECK(holds(hexadecimal.out, "seed 16 "));
    CHECK(holds(greatest.out, "seed 18446744073709551615 "));
}

TEST_CASE("without a command the commands are listed") {
    const Cli cli;

    const auto alone = cli.eosim("");
    const auto help = cli.eosim("--help");

    CHECK(alone.code == 0);
    CHECK(alone.out == help.out);
    for (const char* verb : {"run", "sweep", "compare", "replay", "check", "list", "schema", "init",
                             "bench", "report", "completion"})
        CHECK_MESSAGE(holds(alone.out, verb), verb);
    CHECK_FALSE(holds(alone.out, "shrink"));
    CHECK_FALSE(holds(alone.out, "explain"));
}

TEST_CASE("every flag of the table is completed in every shell") {
    const Cli cli;

    const auto bash = cli.eosim("completion bash >c.bash && bash -n c.bash && cat c.bash");
    const auto zsh = cli.eosim("completion zsh");
    const auto fish = cli.eosim("completion fish");

    CHECK(bash.code == 0);
    for (const char* flag :
         {"seed", "stop-after", "resume", "until", "strict", "modes", "example"}) {
        CHECK(holds(bash.out, std::string("--") + flag));
        CHECK(holds(zsh.out, std::string("--") + flag));
        CHECK(holds(fish.out, std::string("-l ") + flag));
    }
}

TEST_CASE("screens fit 98 columns") {
    const Cli cli;

    for (const char* arguments :
         {"", "run --help", "sweep --help", "check --help", "run one.yaml", "list modes",
          "list faults", "list events", "list settings", "compare one.yaml --seeds 1..2",
          "sweep one.yaml --seeds 1..2 --set expect.duplicates=none --keep 1",
          "run one.yaml --set expect.duplicates=none --set expect.lost=some"}) {
        CAPTURE(arguments);
        const auto screen = cli.eosim(arguments).out;

        std::size_t characters = 0;
        std::size_t widest = 0;
        for (const char c : screen) {
            // Bytes that go on with a character of UTF-8 take no room.
            if (c == '\n')
                characters = 0;
            else if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U)
                ++characters;
            widest = std::max(widest, characters);
        }
        CHECK(widest > 20);
        CHECK(widest <= 98);
    }
}

TEST_CASE("a scenario that cannot be read gives exit 3 and a position") {
    const Cli cli;
    cli.write("bad.yaml", "eosim: 1\nname: bad\ntopcs: {}\n");

    const auto missing = cli.eosim("run nowhere.yaml");
    const auto bad = cli.eosim("run bad.yaml");
    const auto swept = cli.eosim("sweep bad.yaml");
    const auto checked = cli.eosim("check bad.yaml one.yaml");
    const auto annotated = cli.eosim("check bad.yaml --format github");

    CHECK(missing.code == 3);
    CHECK(holds(missing.err, "nowhere.yaml:1:1: error"));
    CHECK(bad.code == 3);
    CHECK(holds(bad.err, "bad.yaml:3:1: error"));
    CHECK(holds(bad.err, "did you mean 'topics'?"));
    CHECK(swept.code == 3);
    CHECK(checked.code == 3);
    CHECK(holds(checked.out, "bad.yaml:3:1: error"));
    CHECK(holds(checked.out, "one.yaml: ok, 2 variants"));
    CHECK(holds(annotated.out, "::error file=bad.yaml,line=3,col=1"));
}

TEST_CASE("init writes a scenario that passes check and run, and overwrites nothing") {
    const Cli cli;

    const auto first = cli.eosim("init");
    const auto text = cli.read("scenario.yaml");
    const auto second = cli.eosim("init");
    const auto used = cli.shell("eosim check --strict scenario.yaml && eosim run scenario.yaml");

    CHECK(first.code == 0);
    CHECK(second.code == 2);
    CHECK(cli.read("scenario.yaml") == text);
    CHECK_MESSAGE(used.code == 0, used.out, used.err);
}

TEST_CASE("the man page in the tree is what the program prints, and names every flag") {
    const Cli cli;

    const auto page = cli.eosim("help --man");
    const auto zsh = cli.eosim("completion zsh");

    CHECK(page.code == 0);
    CHECK(page.out == read_text(EOSIM_SOURCE_DIR "/tools/eosim.1"));
    // The completion script holds each flag as '*--name[...]'.
    std::size_t flags = 0;
    for (auto at = zsh.out.find("'*--"); at != std::string::npos; at = zsh.out.find("'*--", at + 1)) {
        auto name = zsh.out.substr(at + 4, zsh.out.find('[', at) - at - 4);
        if (name == "help") continue;
        for (auto dash = name.find('-'); dash != std::string::npos; dash = name.find('-', dash + 2))
            name.insert(dash, "\\");
        CHECK_MESSAGE(holds(page.out, "\\fB\\-\\-" + name), name);
        ++flags;
    }
    CHECK(flags > 20);
}

TEST_CASE("help on a command is what --help says of it") {
    const Cli cli;

    CHECK(cli.eosim("help sweep").out == cli.eosim("sweep --help").out);
    CHECK(cli.eosim("help").out == cli.eosim("--help").out);
}

}  // namespace eos::tests
