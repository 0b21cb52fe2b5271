#include "scenarios/language/draws.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scenarios/language/values.hpp"
#include "sim/rng.hpp"

namespace eos::scenarios {

std::string short_text(const Node& node) {
    if (node.is_scalar()) return node.text;
    std::string text = write_yaml(node);
    std::replace(text.begin(), text.end(), '\n', ' ');
    while (text.ends_with(' ')) text.pop_back();
    return text;
}

std::optional<Node> draw(const Node& values, const std::string& path, std::uint64_t seed) {
    auto rng = sim::Rng::stream(seed, "draw:" + path);
    if (values.is_sequence() && !values.items.empty())
        return values.items[static_cast<std::size_t>(rng.below(values.items.size()))];
    if (const auto range = parse_integer_range(values.text); values.is_scalar() && range)
        return Node::scalar(fmt::format("{}", rng.between(range.value->low, range.value->high)),
                            values.mark);
    if (const auto range = parse_spread(values.text); values.is_scalar() && range) {
        constexpr std::int64_t us = 1000;
        const auto drawn =
            rng.between(range.value->low.count() / us, range.value->high.count() / us);
        return Node::scalar(duration_text(sim::microseconds(drawn)), values.mark);
    }
    return std::nullopt;
}

}  // namespace eos::scenarios
