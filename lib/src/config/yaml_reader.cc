#include "config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "base/utf8.h"

namespace fanfare {
namespace {

/// Ends the reading; it has to pass through yaml-cpp's parser, so it is thrown.
class YamlRefusal final : public std::exception {
  public:
    explicit YamlRefusal(YamlProblem problem) : problem_(std::move(problem)) {}
    const char* what() const noexcept override { return problem_.message.c_str(); }
    const YamlProblem& problem() const noexcept { return problem_; }

  private:
    YamlProblem problem_;
};

/// The lines of a text, to turn yaml-cpp's marks (which count bytes) into places.
class Lines {
  public:
    explicit Lines(std::string_view text) : text_(text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n') starts_.push_back(i + 1);
        }
    }

    /// Marks come in rising order but for a few, so this counts on from the last one: a file may be
    /// one long line.
    Place place(const YAML::Mark& mark) const {
        if (mark.line < 0 || mark.column < 0) return {};
        const auto column = static_cast<std::size_t>(mark.column);
        if (mark.line != last_line_ || column < last_column_) {
            last_line_ = mark.line;
            last_column_ = 0;
            last_characters_ = 0;
        }
        const std::string_view between =
            line(mark).substr(std::min(last_column_, line(mark).size()), column - last_column_);
        const auto starts_character = [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
        };
        last_characters_ +=
            static_cast<int>(std::count_if(between.begin(), between.end(), starts_character));
        last_column_ = column;
        return {mark.line + 1, last_characters_ + 1};
    }

    /// The line that `mark` is on.
    std::string_view line(const YAML::Mark& mark) const {
        const auto index = static_cast<std::size_t>(mark.line);
        if (mark.line < 0 || index >= starts_.size()) return {};
        const bool is_last = index + 1 == starts_.size();
        const std::size_t end = is_last ? text_.size() : starts_[index + 1] - 1;
        return text_.substr(starts_[index], end - starts_[index]);
    }

    /// Whether a null at `mark` is written (`~`, `null`), rather than nothing at all; the mark is
    /// then on whatever comes next.
    bool is_written(const YAML::Mark& mark) const {
        const std::string_view rest = line(mark).substr(
            std::min(line(mark).size(), static_cast<std::size_t>(std::max(0, mark.column))));
        return rest.starts_with('~') || rest.starts_with('!') || rest.starts_with('&') ||
               rest.starts_with("null") || rest.starts_with("Null") || rest.starts_with("NULL");
    }

    /// The `-` before `mark` if there is nothing in between, for an empty item of a list.
    std::optional<Place> dash_before(const YAML::Mark& mark) const {
        const auto index = static_cast<std::size_t>(std::max(0, mark.line));
        if (index >= starts_.size()) return std::nullopt;
        const std::size_t end = starts_[index] + static_cast<std::size_t>(std::max(0, mark.column));
        const std::size_t last = text_.substr(0, end).find_last_not_of(" \t\r\n");
        if (last == std::string_view::npos || text_[last] != '-') return std::nullopt;
        const auto line_end = std::upper_bound(starts_.begin(), starts_.end(), last);
        YAML::Mark dash;
        dash.line = static_cast<int>(line_end - starts_.begin()) - 1;
        dash.column = static_cast<int>(last - starts_[static_cast<std::size_t>(dash.line)]);
        return place(dash);
    }

  private:
    std::string_view text_;
    std::vector<std::size_t> starts_ = {0};
    mutable int last_line_ = -1;
    mutable std::size_t last_column_ = 0;  // in bytes
    mutable int last_characters_ = 0;      // before it
};

std::string kind_tag(const char* name) { return std::string("tag:yaml.org,2002:") + name; }

/// Builds the tree from yaml-cpp's events. Its own tree is of no use here: it hides duplicate keys,
/// forgets the places of keys and knows no `<<`.
class TreeBuilder final : public YAML::EventHandler {
  public:
    explicit TreeBuilder(const Lines& lines) : lines_(lines) {}

    const YamlPtr& root() const noexcept { return root_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (root_) refuse(mark, "a second document begins; expected one");
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const std::shared_ptr<YamlNode> made = node(YamlNode::Kind::null, mark);
        if (!lines_.is_written(mark) && !stack_.empty()) {
            const Open& parent = stack_.back();
            made->place =
                parent.key ? parent.key_place : lines_.dash_before(mark).value_or(made->place);
        }
        add(made, anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) refuse(mark, "the alias is inside of what it stands for");
        place(found->second, lines_.place(mark));
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        const std::shared_ptr<YamlNode> made = node(YamlNode::Kind::scalar, mark);
        made->text = value;
        made->is_quoted = tag == "!" || tag == kind_tag("str");
        if (tag == kind_tag("null")) made->kind = YamlNode::Kind::null;
        check_tag(*made, tag, {"str", "null", "bool", "int", "float"});
        add(made, anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(YamlNode::Kind::sequence, mark, anchor);
        check_tag(*stack_.back().node, tag, {"seq"});
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(YamlNode::Kind::mapping, mark, anchor);
        check_tag(*stack_.back().node, tag, {"map"});
    }
    void OnMapEnd() override {
        carry_out_merges(stack_.back());
        close();
    }

  private:
    /// A sequence or mapping that has begun and not ended.
    struct Open {
        std::shared_ptr<YamlNode> node;
        YAML::anchor_t anchor = 0;
        YamlPtr key;  ///< that waits for its value
        Place key_place;
        std::vector<YamlPtr> merges;  ///< what stands behind `<<`
        std::unordered_map<std::string, Place> seen;
    };

    [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
        throw YamlRefusal({lines_.place(mark), {}, std::move(message)});
    }

    std::shared_ptr<YamlNode> node(YamlNode::Kind kind, const YAML::Mark& mark) const {
        auto made = std::make_shared<YamlNode>();
        made->kind = kind;
        made->place = lines_.place(mark);
        return made;
    }

    static void check_tag(YamlNode& node, const std::string& tag,
                          std::initializer_list<const char*> known) {
        const bool is_known = tag.empty() || tag == "?" || tag == "!" ||
                              std::any_of(known.begin(), known.end(),
                                          [&](const char* k) { return tag == kind_tag(k); });
        if (is_known) return;
        node.problems.push_back({node.place, {}, "has a tag that is not known; expected no tag"});
    }

    void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (stack_.size() == yaml_depth_max) {
            refuse(mark, "nested deeper than " + std::to_string(yaml_depth_max) + " levels");
        }
        stack_.push_back({node(kind, mark), anchor, {}, {}, {}, {}});
    }

    void close() {
        const Open done = std::move(stack_.back());
        stack_.pop_back();
        YamlNode& node = *done.node;
        for (const YamlPtr& item : node.items) count(node, item->values);
        for (const YamlEntry& entry : node.entries) count(node, entry.value->values);
        add(done.node, done.anchor);
    }

    /// Adds to the number of values in `node`, which an alias bomb drives beyond all measure.
    static void count(YamlNode& node, std::uint64_t values) {
        node.values += values;
        if (node.values > yaml_values_max) refuse_size(node.place);
    }

    [[noreturn]] static void refuse_size(Place place) {
        throw YamlRefusal({place,
                           {},
                           "holds more than " + std::to_string(yaml_values_max) +
                               " values, counting what aliases repeat"});
    }

    void add(const YamlPtr& node, YAML::anchor_t anchor) {
        if (anchor != 0) anchors_[anchor] = node;
        place(node, node->place);
    }

    /// Puts a finished node where it belongs; `at` is where it, or its alias, stands.
    void place(const YamlPtr& node, Place at) {
        if (stack_.empty()) {
            root_ = node;
            return;
        }
        Open& parent = stack_.back();
        if (parent.node->kind == YamlNode::Kind::sequence) {
            parent.node->items.push_back(node);
        } else if (!parent.key) {
            parent.key = node;
            parent.key_place = at;
        } else {
            add_entry(parent, node);
            parent.key = nullptr;
        }
    }

    static void add_entry(Open& parent, YamlPtr value) {
        YamlNode& mapping = *parent.node;
        const YamlNode& key = *parent.key;
        if (key.kind != YamlNode::Kind::scalar) {
            mapping.problems.push_back({parent.key_place, {}, "a key is no text; expected a name"});
            return;
        }
        const auto [first, is_new] = parent.seen.emplace(key.text, parent.key_place);
        if (!is_new) {
            const std::string line = std::to_string(first->second.line);
            mapping.problems.push_back(
                {parent.key_place, key.text, "duplicate key; the first is in line " + line});
            return;
        }
        if (key.text == "<<" && !key.is_quoted) {
            add_merge(parent, value);
            return;
        }
        mapping.entries.push_back({key.text, parent.key_place, std::move(value)});
    }

    static void add_merge(Open& parent, const YamlPtr& value) {
        const auto add_one = [&](const YamlPtr& source) {
            if (source->kind == YamlNode::Kind::mapping) {
                parent.merges.push_back(source);
                return;
            }
            parent.node->problems.push_back(
                {source->place, "<<",
                 "cannot be merged; expected a mapping or a list of mappings"});
        };
        if (value->kind != YamlNode::Kind::sequence) {
            add_one(value);
        } else {
            std::for_each(value->items.begin(), value->items.end(), add_one);
        }
    }

    /// A mapping's own keys win over merged ones, and the earlier of several merged mappings wins.
    void carry_out_merges(Open& done) {
        for (const YamlPtr& source : done.merges) {
            // Many mappings that merge one large mapping are a bomb, too.
            merged_ += source->entries.size() + source->problems.size();
            if (merged_ > yaml_values_max) refuse_size(done.node->place);
            for (const YamlEntry& entry : source->entries) {
                if (done.seen.emplace(entry.key, entry.place).second) {
                    done.node->entries.push_back(entry);
                }
            }
            std::vector<YamlProblem>& problems = done.node->problems;
            problems.insert(problems.end(), source->problems.begin(), source->problems.end());
        }
    }

    const Lines& lines_;
    std::vector<Open> stack_;
    std::unordered_map<YAML::anchor_t, YamlPtr> anchors_;
    YamlPtr root_;
    std::uint64_t merged_ = 0;
};

/// The first character that a YAML file must not hold.
std::optional<YamlProblem> find_bad_character(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    Place place;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t size = utf8_length(text.substr(i));
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool is_blank = byte == '\n' || byte == '\r' || byte == '\t';
        if (size == 0 || (byte < 0x20 && !is_blank) || byte == 0x7f) {
            const std::string code = {'0', 'x', hex[byte >> 4U], hex[byte & 15U]};
            const std::string what = size == 0 ? "is not UTF-8" : "has a control character";
            return YamlProblem{place, {}, "the file " + what + " here (byte " + code + ")"};
        }
        ++place.column;
        if (byte == '\n') place = {place.line + 1, 1};
        i += size;
    }
    return std::nullopt;
}

YamlProblem syntax_problem(const YAML::Exception& exception, const Lines& lines) {
    std::string message = "not valid YAML: " + exception.msg;
    // In flow style the brace of an unquoted "${" is YAML's own: easily met, hard to guess.
    if (lines.line(exception.mark).find("${") != std::string_view::npos) {
        message += R"(; inside of [] and {}, text with "${" must be quoted)";
    }
    return {lines.place(exception.mark), {}, std::move(message)};
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const noexcept {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const YamlEntry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

std::variant<YamlPtr, YamlProblem> read_yaml(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    if (std::optional<YamlProblem> bad = find_bad_character(text)) return *std::move(bad);
    const Lines lines(text);
    try {
        // A quote that is never closed goes unnoticed if the file ends with its line; a comment
        // without a line end makes yaml-cpp look.
        const char* const comment = text.ends_with('\n') ? "#" : "\n#";
        std::istringstream stream(std::string(text).append(comment));
        YAML::Parser parser(stream);
        TreeBuilder builder(lines);
        while (parser.HandleNextDocument(builder)) {
        }
        if (builder.root()) return builder.root();
        return YamlProblem{{}, {}, "the file is empty; expected at least \"endpoints\""};
    } catch (const YamlRefusal& refusal) {
        return refusal.problem();
    } catch (const YAML::Exception& exception) {
        return syntax_problem(exception, lines);
    }
}

}  // namespace fanfare
