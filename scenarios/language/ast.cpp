#include "scenarios/language/ast.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace eos::scenarios {
namespace {

bool plain_safe(std::string_view text) {
    if (text.empty()) return false;
    constexpr std::string_view odd_first = "-?:,[]{}#&*!|>'\"%@`~ <=";
    if (odd_first.find(text.front()) != std::string_view::npos) {
        // A negative number is as plain as a positive one.
        if (text.front() != '-' || text.size() < 2 || text[1] < '0' || text[1] > '9') return false;
    }
    if (text.back() == ' ' || text.back() == ':') return false;
    for (const std::string_view word : {"null", "Null", "NULL", "true", "false", "..."})
        if (text == word) return false;
    return std::all_of(text.begin(), text.end(),
                       [&](char c) {
                           const auto byte = static_cast<unsigned char>(c);
                           return byte >= 0x20 && byte != 0x7f &&
                                  std::string_view(",[]{}#\"'").find(c) == std::string_view::npos;
                       }) &&
           text.find(": ") == std::string_view::npos;
}

std::string written(const std::string& text, bool quoted) {
    // Text that would read as a number or a truth value keeps its quotes.
    const bool looks_typed =
        text == "true" || text == "false" || text == "null" ||
        (!text.empty() && text.find_first_not_of("0123456789.-+eE") == std::string::npos);
    if (plain_safe(text) && !(quoted && looks_typed)) return text;
    if (!quoted && (text == "true" || text == "false")) return text;
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            result += std::string("\\") + c;
        else if (c == '\n')
            result += "\\n";
        else if (c == '\t')
            result += "\\t";
        else if (byte < 0x20 || byte == 0x7f)
            result += fmt::format("\\x{:02x}", byte);
        else
            result += c;
    }
    return result + "\"";
}

bool short_list(const Node& node) {
    std::size_t width = 0;
    for (const auto& item : node.items) {
        if (!item.is_scalar() || item.text.find('\n') != std::string::npos) return false;
        width += item.text.size() + 2;
    }
    return width <= 80;
}

void write(const Node& node, std::size_t indent, std::string& out);

void write_value(const Node& value, std::size_t indent, std::string& out) {
    switch (value.kind) {
        case NodeKind::null:
            out += " ~\n";
            return;
        case NodeKind::scalar:
            out += " " + written(value.text, value.quoted) + "\n";
            return;
        case NodeKind::sequence:
            if (value.items.empty()) {
                out += " []\n";
            } else if (short_list(value)) {
                out += " [";
                for (std::size_t i = 0; i < value.items.size(); ++i)
                    out += (i ? ", " : "") + written(value.items[i].text, value.items[i].quoted);
                out += "]\n";
            } else {
                out += "\n";
                write(value, indent + 2, out);
            }
            return;
        case NodeKind::map:
            if (value.items.empty()) {
                out += " {}\n";
            } else {
                out += "\n";
                write(value, indent + 2, out);
            }
            return;
    }
}

void write(const Node& node, std::size_t indent, std::string& out) {
    const std::string margin(indent, ' ');
    if (node.is_map() && !node.items.empty()) {
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            out += margin + written(node.keys[i].text, false) + ":";
            write_value(node.items[i], indent, out);
        }
    } else if (node.is_sequence() && !node.items.empty()) {
        for (const auto& item : node.items) {
            out += margin + "-";
            write_value(item, indent, out);
        }
    } else {
        std::string value;
        write_value(node, indent, value);
        out += margin + value.substr(std::min<std::size_t>(1, value.size()));
    }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i].text == key) return &items[i];
    return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node& Node::put(Key key, Node value) {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i].text == key.text) {
            keys[i] = std::move(key);
            return items[i] = std::move(value);
        }
    keys.push_back(std::move(key));
    items.push_back(std::move(value));
    return items.back();
}

void Node::erase(std::string_view key) {
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (keys[i].text == key) {
            keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(i));
            items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
}

Node Node::scalar(std::string text, Mark mark, bool quoted) {
    Node node;
    node.kind = NodeKind::scalar;
    node.text = std::move(text);
    node.mark = mark;
    node.quoted = quoted;
    return node;
}

Node Node::sequence(Mark mark) {
    Node node;
    node.kind = NodeKind::sequence;
    node.mark = mark;
    return node;
}

Node Node::map(Mark mark) {
    Node node;
    node.kind = NodeKind::map;
    node.mark = mark;
    return node;
}

bool same_content(const Node& a, const Node& b) {
    if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size()) return false;
    for (std::size_t i = 0; i < a.items.size(); ++i) {
        if (a.is_map() && a.keys[i].text != b.keys[i].text) return false;
        if (!same_content(a.items[i], b.items[i])) return false;
    }
    return true;
}

void lay_over(Node& base, const Node& over) {
    if (!base.is_map() || !over.is_map()) {
        base = over;
        return;
    }
    for (std::size_t i = 0; i < over.items.size(); ++i) {
        Node* existing = base.find(over.keys[i].text);
        if (over.items[i].is_null())
            base.erase(over.keys[i].text);
        else if (existing != nullptr)
            lay_over(*existing, over.items[i]);
        else
            base.put(over.keys[i], over.items[i]);
    }
}

std::string write_yaml(const Node& node) {
    std::string result;
    write(node, 0, result);
    return result;
}

}  // namespace eos::scenarios
