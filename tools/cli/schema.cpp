// eosim schema: what editors and other programs need to know about our files.

#include <fmt/format.h>

#include "reports/render/json.hpp"
#include "reports/render/state.hpp"
#include "scenarios/catalogue.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/results.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {

int schema_verb(const Options& options, Screen& screen) {
    if (options.words.size() > 1)
        throw UsageError(fmt::format("schema takes one word, '{}' is too many", options.words[1]));
    const auto what = options.words.empty() ? std::string("scenario") : options.words.front();
    if (what != "scenario" && what != "result" && what != "state")
        throw UsageError(fmt::format("there is no schema of '{}'", what),
                         suggest_or_list(what, {"scenario", "result", "state"}));
    const auto text = what == "scenario" ? scenarios::schema()
                      : what == "result" ? reports::result_schema()
                                         : reports::state_schema();
    if (options.outs.empty()) screen.print(text);
    for (auto& sink : open_sinks(options.outs, {Format::json})) {
        sink.file.write(text);
        sink.file.commit();
    }
    return exit_code::met;
}

}  // namespace eos::cli
