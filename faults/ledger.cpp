#include "faults/ledger.hpp"

namespace eos::faults {
namespace {

std::string times(std::int64_t n, std::string_view thing) {
    return std::to_string(n) + " " + std::string(thing) + (n == 1 ? "" : "s");
}

}  // namespace

std::string_view name(Bite bite) {
    switch (bite) {
        case Bite::switched_off:
            return "switched off";
        case Bite::never_triggered:
            return "never triggered";
        case Bite::never_fired:
            return "never fired";
        case Bite::changed_nothing:
            return "changed nothing";
        case Bite::bit:
            return "bit";
    }
    return "";
}

Bite FaultReport::bite() const {
    if (!enabled) return Bite::switched_off;
    if (matched == 0) return Bite::never_triggered;
    if (fired == 0) return Bite::never_fired;
    if (messages == 0 && acts == 0 && !quiet) return Bite::changed_nothing;
    return Bite::bit;
}

std::string sentence(const FaultReport& report, const Plan& plan) {
    std::string text = report.name + " (" + std::string(report.word) + ") ";
    switch (report.bite()) {
        case Bite::switched_off:
            return text + "was switched off";
        case Bite::never_triggered:
            return text + "was configured and never triggered";
        case Bite::never_fired:
            return text + "matched " + times(report.matched, "time") + " and never fired" +
                   (report.late > 0 ? ": the faults healed first" : "");
        case Bite::changed_nothing:
            text += "fired " + times(report.fired, "time") + " and changed nothing";
            if (report.aimless > 0) text += "; nobody held the role it aimed at";
            if (report.overruled > 0) text += "; another fault had already decided";
            return text;
        case Bite::bit:
            break;
    }
    text += "fired " + times(report.fired, "time");
    if (report.messages > 0) text += ", touched " + times(report.messages, "message");
    if (report.acts > 0) text += ", made " + times(report.acts, "change");
    for (std::size_t i = 0; i < report.nodes.size(); ++i) {
        const auto node = static_cast<std::size_t>(report.nodes[i].value);
        text += (i == 0 ? ", hit " : ", ");
        text += node < plan.nodes.size() && !plan.nodes[node].name.empty()
                    ? plan.nodes[node].name
                    : "node " + std::to_string(node);
    }
    return text;
}

}  // namespace eos::faults
