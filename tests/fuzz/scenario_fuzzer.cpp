// Any bytes, read as a scenario and as a repro file: nothing may crash, hang or throw, and whatever
// is accepted must be accepted again after it was written out. Build with clang++
// -fsanitize=fuzzer.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "scenarios/load.hpp"
#include "scenarios/repro.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace eos::scenarios;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto loaded = load_text("fuzz.yaml", text);
    const auto found = check(loaded);
    (void)print(found, DiagnosticFormat::text);
    (void)print(found, DiagnosticFormat::json);
    const auto instance = instantiate(loaded);
    if (instance.scenario) {
        const auto again = instantiate(load_text("again.yaml", write_yaml(instance.tree)));
        if (!again.scenario || !(again.scenario->apps == instance.scenario->apps)) std::abort();
    }
    (void)load_repro_text("fuzz.repro.yaml", text);
    return 0;
}
