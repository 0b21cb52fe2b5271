#include "scenarios/language/overlay.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "scenarios/language/form.hpp"

namespace eos::scenarios {
namespace {

struct Split {
    std::string head;
    std::string_view tail;  ///< without the dot; empty: this was the last part
    bool last = false;
};

Split at_dot(std::string_view path) {
    const auto dot = path.find('.');
    if (dot == path.npos) return {std::string(path), {}, true};
    return {std::string(path.substr(0, dot)), path.substr(dot + 1), false};
}

/// The next part of a path within a map. Keys may hold dots: the longest existing one wins, and
/// after `config` the rest is one key.
Split next_key(const Node& map, std::string_view path, bool in_config) {
    if (in_config) return {std::string(path), {}, true};
    std::optional<Split> best;
    for (const auto& key : map.keys) {
        if (path == key.text) return {key.text, {}, true};
        if (path.starts_with(key.text) && path.size() > key.text.size() &&
            path[key.text.size()] == '.' && (!best || key.text.size() > best->head.size()))
            best = Split{key.text, path.substr(key.text.size() + 1), false};
    }
    return best ? *best : at_dot(path);
}

/// Name of an entry of a list of maps: its `name`, fault-N, or its number.
std::string item_name(const Node& list, std::size_t index, bool faults) {
    const auto* name = list.items[index].find("name");
    if (name != nullptr && name->is_scalar()) return name->text;
    return faults ? fmt::format("fault-{}", index + 1) : fmt::format("{}", index);
}

class Walker {
  public:
    Walker(Diagnostics& diagnostics, const Key& key, const Node& value)
        : diagnostics_(diagnostics), key_(key), value_(value) {}

    bool walk(Node& node, std::string_view path, std::string_view parent, int depth) {
        if (path.empty()) return fail("", {});
        if (node.is_sequence()) return in_list(node, path, parent, depth);
        if (!node.is_map()) {
            // A word on the way: a map may replace it only as a whole.
            return fail(fmt::format("'{}' is not a map", parent), {});
        }
        if (path == "*" || path.starts_with("*.")) {
            const auto tail = path.size() > 2 ? path.substr(2) : std::string_view();
            bool good = !node.items.empty() || fail(fmt::format("'{}' is empty", parent), {});
            for (std::size_t i = 0; i < node.items.size(); ++i)
                good = (tail.empty() ? lay(node.items[i])
                                     : walk(node.items[i], tail, node.keys[i].text, depth + 1)) &&
                       good;
            return good;
        }
        const auto next = next_key(node, path, parent == "config");
        if (next.head.empty()) return fail("a part of the path is empty", {});
        auto* child = node.find(next.head);
        if (next.last) {
            if (value_.is_null()) {
                if (child == nullptr) return fail(fmt::format("there is no '{}'", next.head), {});
                node.erase(next.head);
                return true;
            }
            if (child != nullptr) {
                rekey(node, next.head);
                return lay(*child);
            }
            if (names_things(parent, depth) && !value_.is_map())
                return unknown(node, next.head, parent);
            node.put({next.head, key_.mark}, value_);
            return true;
        }
        if (child == nullptr || child->is_null()) {
            if (names_things(parent, depth)) return unknown(node, next.head, parent);
            if (depth == 0 && next.head == "faults") return fail("there are no faults", {});
            child = &node.put({next.head, key_.mark}, Node::map(key_.mark));
        }
        return walk(*child, next.tail, next.head, depth + 1);
    }

  private:
    /// Maps whose keys are names the file invents.
    static bool names_things(std::string_view parent, int depth) {
        return depth == 1 && (parent == "apps" || parent == "topics");
    }

    bool lay(Node& node) {
        lay_over(node, value_);
        return true;
    }

    /// A replaced value is spoken of where the overlay stands.
    void rekey(Node& map, std::string_view name) const {
        for (auto& key : map.keys)
            if (key.text == name) key.mark = key_.mark;
    }

    bool in_list(Node& list, std::string_view path, std::string_view parent, int depth) {
        const auto next = at_dot(path);
        const bool all = next.head == "*";
        const bool faults = parent == "faults" && depth == 1;
        std::vector<std::string> names;
        bool found = false;
        bool good = true;
        for (std::size_t i = 0; i < list.items.size(); ++i) {
            names.push_back(item_name(list, i, faults));
            if (!all && names.back() != next.head) continue;
            found = true;
            good = (next.last ? lay(list.items[i])
                              : walk(list.items[i], next.tail, next.head, depth + 1)) &&
                   good;
        }
        if (found) return good;
        if (all) return fail(fmt::format("'{}' is empty", parent), {});
        if (faults && next.last && value_.is_map()) {
            Node fault = value_;
            if (fault.find("name") == nullptr)
                fault.put({"name", key_.mark}, Node::scalar(next.head, key_.mark));
            list.items.push_back(std::move(fault));
            return true;
        }
        return fail(fmt::format("there is no '{}' in {}", next.head, parent),
                    suggestion(next.head, names));
    }

    bool unknown(const Node& map, std::string_view name, std::string_view parent) {
        std::vector<std::string> names;
        for (const auto& key : map.keys) names.push_back(key.text);
        return fail(fmt::format("there is no '{}' in {}", name, parent), suggestion(name, names));
    }

    bool fail(std::string_view why, std::string hint) {
        diagnostics_.error(
            key_.mark,
            fmt::format("path '{}' leads nowhere{}{}", std::string_view(key_.text).substr(0, 120),
                        why.empty() ? "" : ": ", why),
            std::move(hint));
        return false;
    }

    Diagnostics& diagnostics_;
    const Key& key_;
    const Node& value_;
};

void expand(const Node& node, std::string_view path, std::string_view parent, std::string prefix,
            std::vector<std::string>& out) {
    const auto join = [&](std::string_view part) {
        return prefix.empty() ? std::string(part) : fmt::format("{}.{}", prefix, part);
    };
    if (path.empty()) {
        out.push_back(std::move(prefix));
        return;
    }
    const bool star = path == "*" || path.starts_with("*.");
    const auto tail = star ? (path.size() > 2 ? path.substr(2) : std::string_view()) : path;
    if (node.is_sequence()) {
        const auto next = at_dot(path);
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            const auto name = item_name(node, i, parent == "faults");
            if (star)
                expand(node.items[i], tail, name, join(name), out);
            else if (name == next.head)
                expand(node.items[i], next.tail, name, join(name), out);
        }
        return;
    }
    if (node.is_map() && star) {
        for (std::size_t i = 0; i < node.items.size(); ++i)
            expand(node.items[i], tail, node.keys[i].text, join(node.keys[i].text), out);
        return;
    }
    if (path.find('*') == path.npos) {  // the rest may not exist yet: set_path makes it
        out.push_back(join(path));
        return;
    }
    if (!node.is_map()) return;
    const auto next = next_key(node, path, parent == "config");
    if (const auto* child = node.find(next.head))
        expand(*child, next.tail, next.head, join(next.head), out);
}

}  // namespace

bool set_path(Diagnostics& diagnostics, Node& root, const Key& key, const Node& value) {
    return Walker(diagnostics, key, value).walk(root, key.text, "", 0);
}

std::vector<std::string> expand_path(const Node& root, std::string_view path) {
    std::vector<std::string> result;
    expand(root, path, "", "", result);
    return result;
}

const Node* at_path(const Node& root, std::string_view path) {
    const Node* node = &root;
    std::string parent;
    while (!path.empty()) {
        if (node->is_sequence()) {
            const auto next = at_dot(path);
            const Node* found = nullptr;
            for (std::size_t i = 0; i < node->items.size() && found == nullptr; ++i)
                if (item_name(*node, i, parent == "faults") == next.head) found = &node->items[i];
            if (found == nullptr) return nullptr;
            node = found;
            parent = next.head;
            path = next.tail;
        } else if (node->is_map()) {
            const auto next = next_key(*node, path, parent == "config");
            node = node->find(next.head);
            if (node == nullptr) return nullptr;
            parent = next.head;
            path = next.tail;
        } else {
            return nullptr;
        }
    }
    return node;
}

}  // namespace eos::scenarios
