// eosim completion: scripts for three shells, generated from the table of verbs and flags.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/cli/numbers.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

// Help texts inside single quotes; brackets and colons mean something to zsh.
std::string quiet(std::string_view help) {
    std::string result;
    for (const char c : help) {
        if (c == '\'' || c == '[' || c == ']' || c == ':' || c == '\\')
            result += ' ';
        else
            result += c;
    }
    return result;
}

std::string bash(const std::vector<VerbInfo>& all) {
    std::string names;
    for (const auto& verb : all) names += (names.empty() ? "" : " ") + verb.name;
    auto text = std::string(
        "# eosim: source this file, or put it into /etc/bash_completion.d\n"
        "_eosim() {\n"
        "  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n"
        "  COMPREPLY=()\n"
        "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n");
    text +=
        fmt::format("    COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n    return\n  fi\n", names);
    text += "  case \"${COMP_WORDS[1]} $last\" in\n";
    for (const auto& verb : all)
        for (const auto& flag : verb.flags) {
            if (!flag.takes_value) continue;
            const auto with = flag.choices.empty()
                                  ? std::string("-f")
                                  : fmt::format("-W '{}'", fmt::join(flag.choices, " "));
            text += fmt::format("    '{} {}') COMPREPLY=($(compgen {} -- \"$word\")); return ;;\n",
                                verb.name, flag.name, with);
        }
    text += "  esac\n  case \"${COMP_WORDS[1]}\" in\n";
    for (const auto& verb : all) {
        std::string words;
        for (const auto& flag : verb.flags) words += (words.empty() ? "" : " ") + flag.name;
        for (const auto& choice : verb.choices) words += " " + choice;
        text += fmt::format("    {}) COMPREPLY=($(compgen {}-W '{}' -- \"$word\")) ;;\n", verb.name,
                            verb.takes_files ? "-f " : "", words);
    }
    return text + "  esac\n}\ncomplete -o filenames -F _eosim eosim\n";
}

std::string zsh(const std::vector<VerbInfo>& all) {
    std::string text =
        "#compdef eosim\n_eosim() {\n  if (( CURRENT == 2 )); then\n"
        "    local -a verbs=(\n";
    for (const auto& verb : all)
        text += fmt::format("      '{}:{}'\n", verb.name, quiet(verb.help));
    text +=
        "    )\n    _describe command verbs\n    return\n  fi\n"
        "  local verb=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $verb in\n";
    for (const auto& verb : all) {
        text += fmt::format("    {})\n      _arguments", verb.name);
        for (const auto& flag : verb.flags) {
            std::string value;
            if (flag.takes_value)
                value = flag.choices.empty()
                            ? ":value:_files"
                            : fmt::format(":value:({})", fmt::join(flag.choices, " "));
            text += fmt::format(" \\\n        '*{}[{}]{}'", flag.name, quiet(flag.help), value);
        }
        if (!verb.choices.empty())
            text += fmt::format(" \\\n        '*:word:({})'", fmt::join(verb.choices, " "));
        else if (verb.takes_files)
            text += " \\\n        '*:file:_files'";
        text += "\n      ;;\n";
    }
    return text + "  esac\n}\n_eosim \"$@\"\n";
}

std::string fish(const std::vector<VerbInfo>& all) {
    std::string text = "complete -c eosim -f\n";
    for (const auto& verb : all) {
        text += fmt::format("complete -c eosim -n __fish_use_subcommand -a {} -d '{}'\n", verb.name,
                            quiet(verb.help));
        const auto here =
            fmt::format("complete -c eosim -n '__fish_seen_subcommand_from {}'", verb.name);
        if (verb.takes_files) text += here + " -F\n";
        if (!verb.choices.empty())
            text += fmt::format("{} -a '{}'\n", here, fmt::join(verb.choices, " "));
        for (const auto& flag : verb.flags) {
            text += fmt::format("{} -l {} -d '{}'", here, flag.name.substr(2), quiet(flag.help));
            if (flag.takes_value && flag.choices.empty()) text += " -r -F";
            if (!flag.choices.empty())
                text += fmt::format(" -x -a '{}'", fmt::join(flag.choices, " "));
            text += "\n";
        }
    }
    return text;
}

}  // namespace

int completion_verb(const Options& options, Screen& screen) {
    const std::vector<std::string> shells{"bash", "zsh", "fish"};
    if (options.words.size() != 1)
        throw UsageError("completion needs the name of one shell", suggest_or_list("", shells));
    const auto& shell = options.words.front();
    const auto all = verbs();
    if (shell == "bash")
        screen.print(bash(all));
    else if (shell == "zsh")
        screen.print(zsh(all));
    else if (shell == "fish")
        screen.print(fish(all));
    else
        throw UsageError(fmt::format("there is no completion for '{}'", shell),
                         suggest_or_list(shell, shells));
    return exit_code::met;
}

}  // namespace eos::cli
