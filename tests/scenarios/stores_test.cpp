// Stores and sinks as the language reads them: programs by mode, what a kind of store cannot do,
// what is warned of.

#include "tests/scenarios/load_rig.hpp"

using namespace eos;
using namespace eos::scenarios;
using namespace eos::scenarios::testing;

namespace {

std::string sink_text(std::string_view fields, std::string_view store = "kind: sql",
                      std::string_view more = "") {
    return std::string(head) + "topics: { orders: { partitions: 2 } }\nstores: { db: { " +
           std::string(store) + " } }\napps:\n  writer: { kind: sink, from: orders, into: db, " +
           std::string(fields) + " }\n" + std::string(more);
}

std::string program(const Instance& instance) {
    std::string result;
    for (const auto& step : scenario(instance).apps.back().config.steps)
        result += (result.empty() ? "" : " ") + std::string(model::name(step.kind));
    return result;
}

std::string first_error(const Instance& instance) {
    const auto all = instance.diagnostics.sorted();
    return all.empty() ? "" : all.front().text;
}

}  // namespace

TEST_CASE("a sink's program follows its mode and where its offsets are") {
    CHECK(program(read(sink_text("mode: at-most-once"))) == "poll commit_offsets write");
    CHECK(program(read(sink_text("mode: at-least-once"))) ==
          "poll db_begin write db_commit commit_offsets");
    CHECK(program(read(sink_text("mode: exactly-once"))) ==
          "poll begin db_begin write db_commit send_offsets commit");
    CHECK(program(read(sink_text("mode: exactly-once, offsets: store"))) ==
          "poll db_begin write write_offset db_commit");
    CHECK(program(read(sink_text("mode: at-least-once, atomic: two-phase"))) ==
          "poll db_begin write db_prepare commit_offsets db_commit");
    CHECK(program(read(sink_text("mode: at-least-once", "kind: http"))) ==
          "poll write commit_offsets");
}

TEST_CASE("a sink has a producer only for a transaction's offsets") {
    CHECK(scenario(read(sink_text("mode: exactly-once"))).apps[0].config.produces());
    CHECK_FALSE(
        scenario(read(sink_text("mode: exactly-once, offsets: store"))).apps[0].config.produces());
    CHECK_FALSE(scenario(read(sink_text("mode: at-least-once"))).apps[0].config.produces());
}

TEST_CASE("stores stand behind the applications, and are found by name") {
    const auto instance = read(sink_text("mode: at-least-once, instances: 2"));
    const auto& topology = *scenario(instance).topology;

    const auto node = topology.node_of(model::StoreId{0});
    CHECK(node == topology.node_of(model::ProcessId{{0}, 1}) + 1);
    CHECK(topology.node_name(node) == "db");
    CHECK_FALSE(topology.process_of(node));
    CHECK(topology.store_named("db") == model::StoreId{0});
}

TEST_CASE("what a kind of store cannot do is refused") {
    CHECK(first_error(read(sink_text("effect: call"))).starts_with("a sql store takes no calls"));
    CHECK(first_error(read(sink_text("effect: insert", "kind: http")))
              .starts_with("an http store has no 'insert'"));
    CHECK(first_error(read(sink_text("effect: add, identity: event", "kind: kv")))
              .starts_with("'add' of a kv store has no identity"));
    CHECK(first_error(read(sink_text("offsets: store", "kind: kv")))
              .starts_with("'offsets: store' needs transactions"));
    CHECK(first_error(read(sink_text("checked: before")))
              .starts_with("there is no identity to check"));
    CHECK(first_error(read(sink_text("mode: at-most-once, offsets: store")))
              .starts_with("at-most-once commits before it writes"));
    CHECK(first_error(read(sink_text("effect: insert-if-absent", "kind: kv")))
              .starts_with("insert-if-absent asks for an identity"));
    CHECK(first_error(read(sink_text("steps: [poll, db_begin, write]", "kind: kv")))
              .starts_with("'db_begin' needs transactions"));
}

TEST_CASE("steps take the sink's store and identity, or their own") {
    const auto instance = read(sink_text(
        "identity: event, steps: [poll, db_begin, claim, write: { identity: none }, db_commit]"));
    const auto& steps = scenario(instance).apps[0].config.steps;

    CHECK(steps[2].identity == model::IdentityKind::event);
    CHECK(steps[3].identity == model::IdentityKind::none);
    CHECK(steps[3].unconditional);
    CHECK(steps[3].store == model::StoreId{0});
}

TEST_CASE("a processor may write into the only store there is") {
    const auto instance = read(
        std::string(head) +
        "topics: { a: {}, b: {} }\nstores: { db: { kind: sql } }\napps:\n  p: { kind: processor, "
        "from: a, to: b, steps: [poll, process, db_begin, write, db_commit, produce, flush, "
        "commit_offsets] }\n  r: { kind: consumer, from: b }\n");
    const auto& app = scenario(instance).apps[0].config;

    CHECK(app.writes_store());
    CHECK(app.uses_store());
}

TEST_CASE("folds reach over stores, targets name them, milestones carry them") {
    const auto instance = read(sink_text(
        "mode: at-least-once", "kind: sql",
        "faults:\n  - { name: f, when: store.committed, match: { store: db }, do: crash, target: "
        "store:db }\n  - { name: g, when: rpc.sent, match: { api: Store, statement: commit, to: "
        "store:db }, do: drop }\nexpect: { invariants: [{ name: i, count: id, over: [db], equals: "
        "{ count: id, over: [orders] } }] }\n"));
    const auto& read_one = scenario(instance);

    CHECK(read_one.expect.invariants[0].fold.stores.size() == 1);
    CHECK(read_one.faults.faults[0].targets[0].kind == faults::Target::Kind::store);
    CHECK(read_one.faults.nodes.back().kind == faults::NodeKind::store);
}

TEST_CASE("what a store cannot know is warned of") {
    const auto shop = "  shop: { kind: producer, to: orders, mode: at-least-once }\n";
    CHECK(warns(read(sink_text("mode: exactly-once")), "external-effect"));
    CHECK_FALSE(warns(read(sink_text("mode: exactly-once, offsets: store")), "external-effect"));
    CHECK(warns(read(sink_text("offsets: store, instances: 2")), "zombie-sink"));
    CHECK_FALSE(
        warns(read(sink_text("offsets: store, fence: generation, instances: 2")), "zombie-sink"));
    CHECK(warns(read(sink_text("identity: offset", "kind: sql", shop)), "identity-too-weak"));
    CHECK_FALSE(warns(read(sink_text("identity: event", "kind: sql", shop)), "identity-too-weak"));
    CHECK(warns(read(sink_text("identity: random")), "identity-too-weak"));
    CHECK(
        warns(read(sink_text("identity: event", "kind: sql, remember: 1s")), "identity-too-weak"));
    CHECK(warns(read(sink_text("work: 5ms")), "unused"));
}
