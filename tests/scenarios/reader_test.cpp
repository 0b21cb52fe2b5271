// Bytes to a tree with positions; diagnostics and how they look.

#include "scenarios/language/reader.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace eos::scenarios;

namespace {

struct Read {
    Diagnostics diagnostics;
    std::optional<Node> root;
};
Read read(std::string_view text) {
    Read result;
    const auto source = result.diagnostics.add_source("t.yaml", text);
    result.root = read_yaml(result.diagnostics, source);
    return result;
}

}  // namespace

TEST_CASE("keys and values carry the position of their first character") {
    const auto r = read("a: 1\nb:\n  c: [x, y]\n");

    REQUIRE(r.root);
    CHECK(r.root->keys[1].mark == Mark{0, 2, 1, 1});
    const auto* c = r.root->find("b")->find("c");
    CHECK(c->mark.line == 3);
    CHECK(c->items[1].mark == Mark{0, 3, 10, 1});
}

TEST_CASE("a scalar in quotes is text and knows its length with the quotes") {
    const auto r = read("a: \"b c\"\nd: 'it''s'\n");

    REQUIRE(r.root);
    CHECK(r.root->find("a")->quoted);
    CHECK(r.root->find("a")->mark.length == 5);
    CHECK(r.root->find("d")->text == "it's");
    CHECK(r.root->find("d")->mark.length == 7);
}

TEST_CASE("an alias is a copy that stands where the alias stands") {
    const auto r = read("a: &x { k: 1 }\nb: *x\n");

    REQUIRE(r.root);
    CHECK(r.root->find("b")->find("k")->text == "1");
    CHECK(r.root->find("b")->mark.line == 2);
}

TEST_CASE("carriage returns, a byte order mark and tabs after text change nothing") {
    const auto r = read(
        "\xef\xbb\xbf"
        "a: 1\t# note\r\nb: 2\r\n");

    REQUIRE(r.root);
    CHECK_FALSE(r.diagnostics.failed());
    CHECK(r.root->find("b")->mark.line == 2);
}

TEST_CASE("both positions of a repeated key are said") {
    const auto r = read("a: 1\nb: 2\na: 3\n");

    const auto all = r.diagnostics.sorted();
    REQUIRE(all.size() == 1);
    CHECK(all[0].line == 3);
    CHECK(all[0].hint == "first given at line 1");
}

TEST_CASE("budgets stop the reader at the value that is too much") {
    Diagnostics diagnostics;
    const auto source = diagnostics.add_source("t", "[1, 2, 3, 4]");

    const auto root =
        read_yaml(diagnostics, source, {.bytes = 100, .nodes = 3, .aliases = 1, .depth = 4});

    CHECK_FALSE(root);
    CHECK(diagnostics.sorted()[0].column == 8);
}

TEST_CASE("columns count characters, not bytes") {
    const auto r = read("a: { \xc3\xa9\xc3\xa9: 1, b: 1, b: 2 }\n");

    const auto all = r.diagnostics.sorted();
    REQUIRE(all.size() == 1);
    CHECK(all[0].column == 19);
}

TEST_CASE("findings are printed with the line, a caret of the right length, and the hint") {
    Diagnostics d;
    const auto source = d.add_source("bad.yaml", "eosim: 1\ntopcs: {}\n");
    d.error({source, 2, 1, 5}, "unknown field 'topcs'", "did you mean 'topics'?");

    CHECK(print(d, DiagnosticFormat::text) ==
          "bad.yaml:2:1: error: unknown field 'topcs'\n"
          "    2 | topcs: {}\n"
          "      | ^~~~~\n"
          "      = did you mean 'topics'?\n"
          "bad.yaml: 1 error\n");
}

TEST_CASE("findings are sorted by position, and only the first twenty are printed") {
    Diagnostics d;
    const auto source = d.add_source("bad.yaml", std::string(100, '\n'));
    for (int line = 30; line > 0; --line) d.error({source, line, 1, 1}, "wrong");

    const auto text = print(d, DiagnosticFormat::text);

    CHECK(text.starts_with("bad.yaml:1:1"));
    CHECK(text.find("bad.yaml:20:1") != std::string::npos);
    CHECK(text.find("bad.yaml:21:1") == std::string::npos);
    CHECK(text.ends_with("... and 10 more\nbad.yaml: 30 errors\n"));
}

TEST_CASE("GitHub annotations escape what would end them") {
    Diagnostics d;
    const auto source = d.add_source("a,b.yaml", "x");
    d.error({source, 1, 1, 1}, "100%\nwrong");

    CHECK(print(d, DiagnosticFormat::github) ==
          "::error file=a%2Cb.yaml,line=1,col=1,endColumn=2::100%25%0Awrong\n");
}

TEST_CASE("JSON names the severity and the warning of each finding") {
    Diagnostics d;
    const auto source = d.add_source("a.yaml", "x");
    d.warn({source, 1, 1, 1}, "short-settle", "too short");

    const auto text = print(d, DiagnosticFormat::json);

    CHECK(text.find("\"errors\": 0") != std::string::npos);
    CHECK(text.find("\"warning\": \"short-settle\"") != std::string::npos);
    CHECK_FALSE(d.failed());
}

TEST_CASE("what is written reads back as the same tree") {
    const auto r = read(
        "a: \"1\"\nb: [x, {c: d}, [1, 2]]\ne: {}\nf: \"two\\nlines: # {x}\"\n"
        "g: -5\nh: true\ni: \"true\"\nj: ''\n\"k: l\": '*'\n");
    REQUIRE(r.root);

    const auto again = read(write_yaml(*r.root));

    REQUIRE(again.root);
    CHECK(same_content(*r.root, *again.root));
    CHECK(again.root->find("a")->quoted);
    CHECK_FALSE(again.root->find("g")->quoted);
    CHECK(again.root->find("i")->quoted);
}

TEST_CASE("a directory, a missing file and an endless file are refused with a reason") {
    CHECK(read_file("/").problem == "this is a directory, not a file");
    CHECK(read_file("/no/such/file").problem == "there is no such file");
    CHECK(read_file("/dev/zero").bytes.size() <= 1024 * 1024 + 4);
}
