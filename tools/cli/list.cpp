// eosim list: the words of the language, from the tables that drive parsing.

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scenarios/catalogue.hpp"
#include "tools/cli/examples.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

// Breaks at spaces before column 98; later lines are indented.
std::string folded(std::string_view text, std::size_t indent) {
    constexpr std::size_t width = 98;
    std::string result;
    auto column = indent;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (column > indent && column + 1 + end > width) {
            result += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            result += ' ';
            ++column;
        }
        result += text.substr(0, end);
        column += end;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

std::string table(const std::vector<scenarios::CatalogueRow>& rows) {
    constexpr std::size_t widest = 34;
    std::size_t width = 8;
    for (const auto& row : rows) width = std::max(width, std::min(row.name.size(), widest));
    const auto indent = width + 4;
    std::string text;
    for (const auto& row : rows) {
        auto help = row.help;
        if (!row.missing.empty())
            help += fmt::format("{}(not modelled yet: {})", help.empty() ? "" : " ", row.missing);
        if (row.name.size() > width) {
            text += fmt::format("  {}\n{}{}\n", row.name, std::string(indent, ' '),
                                folded(help, indent));
        } else {
            text += fmt::format("  {:<{}}  {}\n", row.name, width, folded(help, indent));
        }
        if (!row.detail.empty())
            text += std::string(indent, ' ') + folded(row.detail, indent) + "\n";
    }
    return text;
}

std::string as_json(const std::string& what, const std::vector<scenarios::CatalogueRow>& rows) {
    nlohmann::ordered_json json;
    json["schema"] = "eosim.list/1";
    json["list"] = what;
    json["rows"] = nlohmann::ordered_json::array();
    for (const auto& row : rows) {
        nlohmann::ordered_json one;
        one["name"] = row.name;
        if (!row.help.empty()) one["help"] = row.help;
        if (!row.detail.empty()) one["detail"] = row.detail;
        if (!row.missing.empty()) one["not_modelled_yet"] = row.missing;
        json["rows"].push_back(std::move(one));
    }
    return json.dump(2) + "\n";
}

}  // namespace

int list_verb(const Options& options, Screen& screen) {
    std::vector<std::string> topics;
    for (const auto topic : scenarios::catalogue_topics()) topics.emplace_back(topic);
    topics.emplace_back("examples");
    if (options.words.empty())
        throw UsageError("list needs to know what", suggest_or_list("", topics));
    if (options.words.size() > 1)
        throw UsageError(fmt::format("list takes one word, '{}' is too many", options.words[1]));
    const auto& what = options.words.front();
    if (std::find(topics.begin(), topics.end(), what) == topics.end())
        throw UsageError(fmt::format("there is no list of '{}'", what),
                         suggest_or_list(what, topics));
    std::vector<scenarios::CatalogueRow> rows;
    if (what == "examples") {
        for (auto& example : examples())
            rows.push_back({example.name, example.about, example.path, ""});
    } else {
        rows = scenarios::catalogue(what);
    }
    screen.print(options.json ? as_json(what, rows) : table(rows));
    return exit_code::met;
}

}  // namespace eos::cli
