#include "config/describe.h"

#include "base/units.h"
#include "config/suggest.h"

namespace fanfare {
namespace {

std::string from_to(const std::string& min, const std::string& max) { return min + " to " + max; }

struct Bounds {
    std::string operator()(const IntegerKind& kind) const {
        return from_to(std::to_string(kind.min), std::to_string(kind.max));
    }
    std::string operator()(const DurationKind& kind) const {
        return from_to(format_duration(kind.min), format_duration(kind.max));
    }
    std::string operator()(const SizeKind& kind) const {
        return from_to(format_size(kind.min), format_size(kind.max));
    }
    std::string operator()(const ChoiceKind& kind) const { return join(kind.names); }
    std::string operator()(const TextListKind& kind) const {
        return (kind.takes_empty ? "up to " : "1 to ") + std::to_string(kind.items_max) + " items";
    }
    std::string operator()(const auto&) const { return {}; }
};

struct Type {
    std::string operator()(const BooleanKind&) const { return "boolean"; }
    std::string operator()(const IntegerKind&) const { return "integer"; }
    std::string operator()(const DurationKind&) const { return "duration"; }
    std::string operator()(const SizeKind&) const { return "size"; }
    std::string operator()(const ChoiceKind&) const { return "choice"; }
    std::string operator()(const TextKind& kind) const {
        return kind.expected == "the path of a file" ? "file" : "text";
    }
    std::string operator()(const TextListKind& kind) const {
        return kind.takes_scalar ? "text or list of text" : "list of text";
    }
    std::string operator()(const MappingKind&) const { return "mapping"; }
    std::string operator()(const SpecialKind& kind) const { return kind.type; }
    std::string operator()(const EndpointsKind& kind) const {
        return kind.form == EndpointsKind::Form::list ? "list of mappings" : "mapping";
    }
};

struct Expected {
    std::string bounds;

    std::string operator()(const BooleanKind&) const { return "true or false, without quotes"; }
    std::string operator()(const IntegerKind& kind) const {
        const std::string range =
            kind.takes_default ? "up to " + std::to_string(kind.max) : "from " + bounds;
        return "an integer " + range;
    }
    std::string operator()(const DurationKind&) const { return "a duration from " + bounds; }
    std::string operator()(const SizeKind&) const { return "a size from " + bounds; }
    std::string operator()(const ChoiceKind& kind) const { return one_of(kind.names); }
    std::string operator()(const TextKind& kind) const { return kind.expected; }
    std::string operator()(const TextListKind& kind) const {
        return kind.takes_scalar ? kind.expected + ", or a list" : "a list of text";
    }
    std::string operator()(const MappingKind&) const { return "a mapping"; }
    std::string operator()(const SpecialKind& kind) const { return "a " + kind.type; }
    std::string operator()(const EndpointsKind& kind) const {
        const bool is_list = kind.form == EndpointsKind::Form::list;
        return is_list ? "a list of endpoints (it may be empty: [])" : "a mapping";
    }
};

struct Default {
    Target& target;

    std::string operator()(const BooleanKind& kind) const {
        return kind.at(target) ? "true" : "false";
    }
    std::string operator()(const IntegerKind& kind) const {
        return std::to_string(kind.get(target));
    }
    std::string operator()(const DurationKind& kind) const {
        return format_duration(kind.at(target));
    }
    std::string operator()(const SizeKind& kind) const { return format_size(kind.at(target)); }
    std::string operator()(const ChoiceKind& kind) const {
        const std::optional<std::size_t> index = kind.get(target);
        if (!index) return {};
        const std::string& name = kind.names[*index];
        return name.find('.') == std::string::npos ? name : in_quotes(name);
    }
    std::string operator()(const TextKind& kind) const { return kind.at(target); }
    std::string operator()(const TextListKind& kind) const {
        const std::vector<std::string> texts = kind.get(target);
        if (kind.takes_scalar && texts.size() == 1) return texts[0];
        return "[" + join(texts) + "]";
    }
    std::string operator()(const auto&) const { return {}; }
};

}  // namespace

std::string bounds_text(const Key& key) { return std::visit(Bounds{}, key.kind); }

std::string type_text(const Key& key) { return std::visit(Type{}, key.kind); }

std::string expected_text(const Key& key) {
    return std::visit(Expected{bounds_text(key)}, key.kind);
}

std::string default_value(const Key& key) {
    if (key.is_required) return {};
    Config config;
    EndpointConfig endpoint;
    Target target{config, endpoint};
    const std::string value = std::visit(Default{target}, key.kind);
    return value.empty() ? key.default_text : value;
}

std::string default_text(const Key& key) {
    return key.default_text.empty() ? default_value(key) : key.default_text;
}

}  // namespace fanfare
