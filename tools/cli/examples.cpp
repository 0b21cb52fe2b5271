#include "tools/cli/examples.hpp"

#include "scenarios/load.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/usage.hpp"

namespace eos::cli {

std::vector<Example> examples() {
    const auto root = library();
    if (!root)
        throw UsageError("the example scenarios are not found near this program",
                         "set EOSIM_LIBRARY to the folder 'scenarios' of the source tree");
    std::vector<Example> result;
    for (const auto& path : scenario_files(*root)) {
        const auto loaded = scenarios::load_file(path);
        if (!loaded.root || !loaded.root->is_map() || path.ends_with(".repro.yaml")) continue;
        Example example;
        example.path = path;
        example.name = path.substr(root->size() + 1);
        example.name.resize(example.name.rfind('.'));
        if (const auto* about = loaded.root->find("about"); about != nullptr) {
            const auto end = about->text.find_first_of(".\n");
            example.about = about->text.substr(0, end);
        }
        result.push_back(std::move(example));
    }
    return result;
}

std::string_view starter() {
    return R"(# A scenario of eosim. What exists, what happens, what must hold.
# Editors: eosim schema scenario --out scenario.schema.json  completes and checks the fields.
eosim: 1
name: my-scenario
about: A shop writes orders; one acknowledgement gets lost and the shop sends again.
duration: 20s                  # virtual time in which faults may happen
settle: 30s                    # then everything heals and drains, and the judges look

topics:
  orders: { partitions: 1 }

apps:
  shop:
    kind: producer
    to: orders
    mode: at-least-once        # eosim list modes
    records: 100
    rate: 20/s
    config: { request.timeout.ms: 1000 }   # any Kafka setting by its own name
  audit:
    kind: consumer
    from: orders

faults:
  - name: ack-lost
    when: rpc.sent             # eosim list events
    match: { api: Produce, side: response, to: app:shop/0 }
    nth: 5                     # the fifth answer ...
    do: drop                   # ... never arrives (eosim list faults)
    notice: disconnect
    target: event

expect:
  lost: none                   # eosim list expectations
  duplicates: some             # change the mode to 'idempotent' and make this 'none'
  reached: [ack-lost]          # a run in which nothing happened proves nothing
)";
}

}  // namespace eos::cli
