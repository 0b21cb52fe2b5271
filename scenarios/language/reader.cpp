#include "scenarios/language/reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace eos::scenarios {
namespace {

/// Thrown through yaml-cpp to stop it, caught in read_yaml.
struct Stop {};

/// yaml-cpp's messages, said so that one can act on them.
struct Rewrite {
    std::string_view from, text, hint;
};
constexpr std::array rewrites{
    Rewrite{"end of map flow not found", "this '{' is never closed, or a ',' is missing inside",
            "close it with '}', and separate entries with ','"},
    Rewrite{"end of sequence flow not found",
            "this '[' is never closed, or a ',' is missing inside",
            "close it with ']', and separate entries with ','"},
    Rewrite{"end of map not found", "this line does not fit the map around it",
            "a map line is 'key: value', indented like its neighbours"},
    Rewrite{"end of sequence not found", "this line does not fit the list around it",
            "a list line starts with '- ', indented like its neighbours"},
    Rewrite{"illegal tab when looking for indentation", "a tab cannot indent", "use spaces"},
    Rewrite{"unknown token", "this character cannot start a value",
            "'%', '@' and '`' need quotes here; a tab cannot indent"},
    Rewrite{"illegal flow end", "a '}' or ']' that closes nothing", "remove it, or open it before"},
    Rewrite{"illegal block entry", "a list cannot start here",
            "put each '- ' on a line of its own, or write '[a, b]'"},
    Rewrite{"illegal map key", "a key cannot start here", "check the indentation of this line"},
    Rewrite{"illegal map value", "a second ':' in one line, or a key that is no plain word",
            "put text with ': ' in quotes"},
    Rewrite{"illegal EOF in scalar", "the file ends inside a quoted text", "close the quote"},
    Rewrite{"illegal document indicator in scalar", "'---' or '...' inside a quoted text",
            "close the quote before this line"},
    Rewrite{"illegal character in scalar", "this character cannot stand here", "use quotes"},
    Rewrite{"unexpected character in block scalar",
            "only '|', '>', '+', '-' and a comment may follow",
            "write '>= 1' as { min: 1 }, and text after '|' on the next line"},
    Rewrite{"cannot set zero indentation for a block scalar",
            "a block of text cannot have indent 0", "remove the 0"},
    Rewrite{"the referenced anchor is not defined", "this alias names no anchor",
            "define it before with '&name'"},
    Rewrite{"alias not found after *", "a '*' must be followed by the name of an anchor",
            "put text that starts with '*' in quotes"},
    Rewrite{"anchor not found after &", "a '&' must be followed by a name",
            "put text that starts with '&' in quotes"},
    Rewrite{"illegal character found while scanning alias", "this is no name of an anchor",
            "put text that starts with '*' in quotes"},
    Rewrite{"illegal character found while scanning anchor", "this is no name for an anchor",
            "put text that starts with '&' in quotes"},
    Rewrite{"bad file", "the structure is too deep or cannot be read", "simplify it"},
};

/// Builds the tree from the parser's events.
class Builder final : public YAML::EventHandler {
  public:
    Builder(Diagnostics& diagnostics, std::int32_t source, const Budgets& budgets)
        : diagnostics_(diagnostics), source_(source), budgets_(budgets) {}

    [[nodiscard]] std::optional<Node>& root() { return root_; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
        Node node;
        node.mark = mark(at);
        add(std::move(node), anchor);
    }

    void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
        const auto where = mark(at);
        if (++aliases_ > budgets_.aliases)
            stop(where, fmt::format("more than {} aliases", budgets_.aliases),
                 "write some of the values out");
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            stop(where, "an alias inside the value it stands for",
                 "anchors cannot contain themselves");
        Node copy = found->second.node;
        count(found->second.nodes - 1, where);  // add() counts the node itself
        if (frames_.size() + found->second.depth > budgets_.depth) too_deep(where);
        copy.mark = where;
        add(std::move(copy), 0, found->second.nodes, found->second.depth);
    }

    void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_tag(at, tag);
        auto where = mark(at);
        const auto begin = skip_properties(position(where));
        const auto& text = diagnostics_.source(source_).text();
        const char first = begin < text.size() ? text[begin] : ' ';
        Node node = Node::scalar(value, where, tag == "!");
        if (first == '"' || first == '\'') {
            const auto end = closing_quote(begin);
            if (end == std::string::npos) {
                diagnostics_.error(where, "this quote is never closed",
                                   fmt::format("add the closing {}", first));
                throw Stop{};
            }
            node.mark.length = static_cast<std::int32_t>(std::min(end, text.find('\n', begin)) + 1 -
                                                         position(where));
        } else if (!node.quoted) {
            node.mark.length = static_cast<std::int32_t>(std::max<std::size_t>(1, value.size()));
        }
        add(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(at, tag, anchor, NodeKind::sequence);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(at, tag, anchor, NodeKind::map);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        Node node;
        YAML::anchor_t anchor = 0;
        std::size_t nodes_before = 0;
        std::size_t depth = 1;  ///< of what it holds
        bool expects_key = true;
        bool drop_value = false;  ///< the value of a repeated or impossible key
        std::optional<Key> key;
        std::map<std::string, Mark> known;
    };
    struct Anchored {
        Node node;
        std::size_t nodes = 1;
        std::size_t depth = 1;
    };

    [[nodiscard]] Mark mark(const YAML::Mark& at) const {
        return {source_, std::max(at.line, 0) + 1, std::max(at.column, 0) + 1, 1};
    }
    [[nodiscard]] std::size_t position(const Mark& at) const {
        return diagnostics_.source(source_).position(at.line, at.column);
    }
    [[noreturn]] void stop(const Mark& at, std::string text, std::string hint) {
        diagnostics_.error(at, std::move(text), std::move(hint));
        throw Stop{};
    }
    [[noreturn]] void too_deep(const Mark& at) {
        stop(at, fmt::format("nested more than {} levels deep", budgets_.depth), "make it flatter");
    }
    void count(std::size_t nodes, const Mark& at) {
        nodes_ += nodes;
        if (nodes_ > budgets_.nodes)
            stop(at, fmt::format("more than {} values, aliases expanded", budgets_.nodes),
                 "split the file");
    }
    void check_tag(const YAML::Mark& at, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!")
            diagnostics_.error(mark(at), fmt::format("a tag ('{}') means nothing here", tag),
                               "remove it");
    }

    /// Anchors and tags stand before the value whose mark they take.
    [[nodiscard]] std::size_t skip_properties(std::size_t at) const {
        const auto& text = diagnostics_.source(source_).text();
        while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
            at = text.find_first_of(" \n\t", at);
            if (at == std::string::npos) return text.size();
            while (at < text.size()) {
                if (text[at] == '#')
                    at = std::min(text.find('\n', at), text.size());
                else if (text[at] == ' ' || text[at] == '\n' || text[at] == '\t')
                    ++at;
                else
                    break;
            }
        }
        return at;
    }

    /// yaml-cpp takes the end of the file for a closing double quote.
    [[nodiscard]] std::size_t closing_quote(std::size_t open) const {
        const auto& text = diagnostics_.source(source_).text();
        const char quote = text[open];
        for (std::size_t i = open + 1; i < text.size(); ++i) {
            if (quote == '"' && text[i] == '\\') {
                ++i;
            } else if (text[i] == quote) {
                if (quote == '\'' && i + 1 < text.size() && text[i + 1] == '\'')
                    ++i;
                else
                    return i;
            }
        }
        return std::string::npos;
    }

    void open(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor, NodeKind kind) {
        check_tag(at, tag);
        count(1, mark(at));
        if (frames_.size() >= budgets_.depth) too_deep(mark(at));
        Frame frame;
        frame.node.kind = kind;
        frame.node.mark = mark(at);
        frame.anchor = anchor;
        frame.nodes_before = nodes_ - 1;
        frames_.push_back(std::move(frame));
    }

    void close() {
        Frame done = std::move(frames_.back());
        frames_.pop_back();
        const auto nodes = nodes_ - done.nodes_before;
        place(std::move(done.node), done.anchor, nodes, done.depth);
    }

    void add(Node node, YAML::anchor_t anchor, std::size_t nodes = 1, std::size_t depth = 1) {
        count(1, node.mark);
        place(std::move(node), anchor, nodes, depth);
    }

    /// Puts a complete value where it belongs.
    void place(Node node, YAML::anchor_t anchor, std::size_t nodes, std::size_t depth) {
        if (anchor != 0) anchors_[anchor] = {node, nodes, depth};
        if (frames_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& frame = frames_.back();
        frame.depth = std::max(frame.depth, depth + 1);
        if (!frame.node.is_map()) {
            frame.node.items.push_back(std::move(node));
        } else if (frame.expects_key) {
            frame.expects_key = false;
            take_key(frame, node);
        } else {
            frame.expects_key = true;
            if (frame.drop_value) {
                frame.drop_value = false;
                return;
            }
            frame.node.keys.push_back(std::move(*frame.key));
            frame.node.items.push_back(std::move(node));
        }
    }

    void take_key(Frame& frame, const Node& node) {
        frame.key = Key{node.text, node.mark};
        if (!node.is_scalar() || node.text.empty()) {
            diagnostics_.error(node.mark, "a key must be a word", "write 'key: value'");
            frame.drop_value = true;
            return;
        }
        if (node.text == "<<") {
            diagnostics_.error(node.mark, "merge keys ('<<') are not part of the language",
                               "repeat the fields, or give a whole value with an alias");
            frame.drop_value = true;
            return;
        }
        const auto [known, fresh] = frame.known.emplace(node.text, node.mark);
        if (!fresh) {
            diagnostics_.error(node.mark, fmt::format("'{}' is given twice", node.text),
                               fmt::format("first given at line {}", known->second.line));
            frame.drop_value = true;
        }
    }

    Diagnostics& diagnostics_;
    std::int32_t source_;
    Budgets budgets_;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, Anchored> anchors_;
    std::optional<Node> root_;
    std::size_t nodes_ = 0;
    std::size_t aliases_ = 0;
};

/// Only looks whether there is a second document.
class SecondDocument final : public YAML::EventHandler {
  public:
    std::optional<YAML::Mark> start;
    void OnDocumentStart(const YAML::Mark& at) override {
        start = at;
        throw Stop{};
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

/// Length of the UTF-8 sequence at `at`, 0 if it is malformed (RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(at);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(at + i) & 0xc0U) != 0x80) return 0;
    const unsigned second = byte(at + 1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return length;
}

/// Refuses what is no text before YAML sees it.
bool check_bytes(Diagnostics& diagnostics, std::int32_t source, const Budgets& budgets) {
    const auto& text = diagnostics.source(source).text();
    if (text.size() > budgets.bytes) {
        diagnostics.error({source, 1, 1, 1},
                          fmt::format("the file is larger than {} bytes", budgets.bytes),
                          "a scenario is a page or two of text");
        return false;
    }
    Mark at{source, 1, 1, 1};
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto length = utf8_length(text, i);
        if (length == 0) {
            diagnostics.error(
                at, fmt::format("byte 0x{:02x} is not UTF-8: is this a binary file?", byte),
                "save the file as UTF-8 text");
            return false;
        }
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) {
            diagnostics.error(
                at, fmt::format("control character 0x{:02x}: is this a binary file?", byte),
                "remove it");
            return false;
        }
        if (byte == '\n') {
            ++at.line;
            at.column = 1;
        } else {
            at.column += static_cast<std::int32_t>(length);
        }
        i += length;
    }
    return true;
}

void report(Diagnostics& diagnostics, std::int32_t source, const YAML::Exception& error) {
    const Mark at{source, std::max(error.mark.line, 0) + 1, std::max(error.mark.column, 0) + 1, 1};
    // yaml-cpp blames what follows a tab, not the tab.
    const auto line = diagnostics.source(source).line(at.line);
    const auto indent = line.substr(0, line.find_first_not_of(" \t"));
    if (const auto tab = indent.find('\t'); tab != indent.npos) {
        diagnostics.error({source, at.line, static_cast<std::int32_t>(tab) + 1, 1},
                          "a tab cannot indent", "use spaces");
        return;
    }
    for (const auto& rewrite : rewrites) {
        if (!error.msg.starts_with(rewrite.from)) continue;
        diagnostics.error(at, std::string(rewrite.text), std::string(rewrite.hint));
        return;
    }
    diagnostics.error(at, fmt::format("this is not YAML: {}", error.msg));
}

}  // namespace

std::optional<Node> read_yaml(Diagnostics& diagnostics, std::int32_t source,
                              const Budgets& budgets) {
    if (!check_bytes(diagnostics, source, budgets)) return std::nullopt;
    Builder builder(diagnostics, source, budgets);
    try {
        std::istringstream stream(diagnostics.source(source).text());
        YAML::Parser parser(stream);
        const bool found = parser.HandleNextDocument(builder);
        if (!found || !builder.root() || builder.root()->is_null()) {
            diagnostics.error({source, 1, 1, 1}, "the file is empty",
                              "'eosim init' writes a scenario to start from");
            return std::nullopt;
        }
        SecondDocument second;
        try {
            (void)parser.HandleNextDocument(second);
        } catch (const Stop&) {
            diagnostics.error({source, second.start->line + 1, second.start->column + 1, 1},
                              "a second document starts here", "one file holds one scenario");
        }
    } catch (const Stop&) {
        return std::nullopt;
    } catch (const YAML::Exception& error) {
        report(diagnostics, source, error);
        return std::nullopt;
    } catch (const std::exception& error) {
        diagnostics.error({source, 1, 1, 1}, fmt::format("this cannot be read: {}", error.what()));
        return std::nullopt;
    }
    return std::move(builder.root());
}

FileText read_file(const std::string& path, const Budgets& budgets) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) return {{}, "there is no such file"};
    if (std::filesystem::is_directory(status)) return {{}, "this is a directory, not a file"};
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return {{}, fmt::format("cannot be opened: {}", std::strerror(errno))};
    // One byte more than allowed shows that there is too much; a pipe or device is bounded
    // likewise.
    std::string bytes(budgets.bytes + 4, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (stream.bad()) return {{}, "cannot be read"};
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
    return {std::move(bytes), {}};
}

}  // namespace eos::scenarios
