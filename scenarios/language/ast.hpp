#pragma once
// A YAML document as plain values with positions: what the reader makes and overlays change.
// Aliases are expanded, anchors forgotten. Map keys are unique and keep their order.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/language/diagnostics.hpp"

namespace eos::scenarios {

enum class NodeKind : std::uint8_t { null, scalar, sequence, map };

struct Key {
    std::string text;
    Mark mark;
};

struct Node {
    NodeKind kind = NodeKind::null;
    std::string text;     ///< of a scalar
    bool quoted = false;  ///< a scalar in quotes or a block: text, never a number or true/false
    Mark mark;
    std::vector<Key> keys;    ///< of a map, beside `items`
    std::vector<Node> items;  ///< of a sequence; the values of a map

    [[nodiscard]] bool is_map() const { return kind == NodeKind::map; }
    [[nodiscard]] bool is_sequence() const { return kind == NodeKind::sequence; }
    [[nodiscard]] bool is_scalar() const { return kind == NodeKind::scalar; }
    [[nodiscard]] bool is_null() const { return kind == NodeKind::null; }

    /// The value of a key, null if it is absent or this is no map.
    [[nodiscard]] const Node* find(std::string_view key) const;
    [[nodiscard]] Node* find(std::string_view key);
    /// Adds or replaces a value.
    Node& put(Key key, Node value);
    /// Removes a key if it is there.
    void erase(std::string_view key);

    [[nodiscard]] static Node scalar(std::string text, Mark mark = {}, bool quoted = false);
    [[nodiscard]] static Node sequence(Mark mark = {});
    [[nodiscard]] static Node map(Mark mark = {});
};

/// Same content; positions and quoting of equal text do not count.
[[nodiscard]] bool same_content(const Node& a, const Node& b);

/// Lays `over` on `base`: a map over a map key by key, anything else replaces; nothing (`~`) removes
/// a key.
void lay_over(Node& base, const Node& over);

/// Canonical YAML text: block maps, short lists in one line, everything quoted that needs it.
[[nodiscard]] std::string write_yaml(const Node& node);

}  // namespace eos::scenarios
