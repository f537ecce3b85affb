#include <nlohmann/json.hpp>

#include "config/reference.h"
#include "config/schema.h"

namespace fanfare {
namespace {

using Json = nlohmann::ordered_json;

/// What keys refer to. A variable may stand for any single value.
constexpr const char* definitions = R"json({
    "variable": {"type": "string", "pattern": "\\$\\{"},
    "text": {"type": ["string", "number", "boolean"]},
    "duration": {"type": "string", "examples": ["500ms", "1m1.5s"],
        "pattern": "^[-+]?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$|\\$\\{"},
    "size": {"anyOf": [{"type": "integer", "minimum": 0},
        {"type": "string", "examples": ["64KiB", "1GiB"],
         "pattern": "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(B|[KMGT]i?B)?$|\\$\\{"}]},
    "status": {"anyOf": [{"type": "integer", "minimum": 200, "maximum": 599},
        {"type": "string", "pattern": "^[2-5][0-9][0-9](-[2-5][0-9][0-9])?$|\\$\\{"}]},
    "rules": {"type": "array", "items": {"$ref": "#/definitions/rule"}},
    "rule": {"oneOf": [
        {"type": "object", "required": ["field", "op"], "additionalProperties": false,
         "properties": {
            "field": {"$ref": "#/definitions/text"},
            "op": {"anyOf": [{"$ref": "#/definitions/variable"},
                {"enum": ["in", "not_in", "prefix", "suffix", "glob", "exists", "absent"]}]},
            "value": {"anyOf": [{"$ref": "#/definitions/text"},
                {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/text"}}]}}},
        {"type": "object", "required": ["any"], "additionalProperties": false,
         "properties": {"any": {"type": "array", "minItems": 1,
            "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/rule"}}}}}
    ]}
})json";

Json reference(const char* name) { return {{"$ref", std::string("#/definitions/") + name}}; }

Json variable() { return reference("variable"); }

Json mapping_schema(const std::vector<Key>& keys, bool has_required);

/// The forms that a key's value may have; any one of them fits.
struct Forms {
    Json operator()(const BooleanKind&) const {
        return Json::array({{{"type", "boolean"}}, variable()});
    }
    Json operator()(const IntegerKind& kind) const {
        Json number = {{"type", "integer"}};
        if (!kind.takes_default) number["minimum"] = kind.min;
        number["maximum"] = kind.max;
        return Json::array({number, variable()});
    }
    Json operator()(const DurationKind&) const { return Json::array({reference("duration")}); }
    Json operator()(const SizeKind&) const { return Json::array({reference("size")}); }
    Json operator()(const ChoiceKind& kind) const {
        Json names = kind.names;
        // Without quotes, YAML takes "1.2" for a number.
        for (const std::string& name : kind.names) {
            const Json number = Json::parse(name, nullptr, false);
            if (number.is_number()) names.push_back(number);
        }
        return Json::array({{{"enum", names}}, variable()});
    }
    Json operator()(const TextKind&) const { return Json::array({reference("text")}); }
    Json operator()(const TextListKind& kind) const {
        Json list = {{"type", "array"}, {"items", reference("text")}};
        if (!kind.takes_empty) list["minItems"] = 1;
        list["maxItems"] = kind.items_max;
        Json forms = Json::array({list});
        if (kind.takes_scalar) forms.push_back(reference("text"));
        return forms;
    }
    Json operator()(const MappingKind& kind) const {
        Json mapping = mapping_schema(kind.keys, true);
        for (const auto& [given, needed] : kind.needs) {
            mapping["dependencies"][given].push_back(needed);
        }
        return Json::array({mapping});
    }
    Json operator()(const SpecialKind& kind) const {
        return Json::array({Json::parse(kind.json_schema)});
    }
    Json operator()(const EndpointsKind& kind) const {
        const Json list = {{"type", "array"}, {"items", reference("endpoint")}};
        switch (kind.form) {
            case EndpointsKind::Form::list:
                return Json::array({list});
            case EndpointsKind::Form::defaults:
                return Json::array({reference("defaults")});
            case EndpointsKind::Form::notifications:
                break;
        }
        const Json events = {{"type", {"object", "null"}},
                             {"properties", {{"includereferences", Json::object()}}},
                             {"additionalProperties", false}};
        const Json properties = {{"events", events}, {"endpoints", list}};
        return Json::array({{{"type", "object"},
                             {"properties", properties},
                             {"required", {"endpoints"}},
                             {"additionalProperties", false}}});
    }
};

Json key_schema(const Key& key) {
    Json forms = std::visit(Forms{}, key.kind);
    // A key without a value mostly counts as not there.
    if (!key.is_required && !key.needs_value) forms.push_back({{"type", "null"}});
    return {{"description", key.description}, {"anyOf", forms}};
}

Json mapping_schema(const std::vector<Key>& keys, bool has_required) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const Key& key : keys) {
        if (key.is_required && !has_required) continue;
        properties[key.name] = key_schema(key);
        if (key.is_required) required.push_back(key.name);
    }
    Json mapping = {{"type", "object"}, {"properties", properties}};
    if (!required.empty()) mapping["required"] = required;
    mapping["additionalProperties"] = false;
    return mapping;
}

}  // namespace

std::string config_json_schema() {
    const Schema schema = make_schema();
    Json root = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "Configuration of Fanfare"}};
    root.update(mapping_schema(schema.top, true));
    root.erase("required");
    root["patternProperties"] = {{"^x-", Json::object()}};
    root["oneOf"] = Json::array();
    for (const char* const list : {"endpoints", "notifications"}) {
        root["oneOf"].push_back({{"required", Json::array({list})}});
    }
    root["definitions"] = Json::parse(definitions);
    root["definitions"]["endpoint"] = mapping_schema(schema.endpoint, true);
    root["definitions"]["defaults"] = mapping_schema(schema.endpoint, false);
    return root.dump(2) + "\n";
}

}  // namespace fanfare
