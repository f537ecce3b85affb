#include "nats/stream_change.h"

#include "base/units.h"

namespace fanfare {

namespace {

/// Why a stream that is there cannot be ours; empty: it can.
std::string what_is_foreign(const JsJson& there, const JsJson& wanted) {
    for (const char* name : {"subjects", "retention", "storage"}) {
        if (there.value(name, JsJson()) == wanted.at(name)) continue;
        return std::string("somebody else's stream has this name, its ") + name + " are others";
    }
    return {};
}

unsigned replicas_of(const JsJson& config) {
    const auto found = config.find("num_replicas");
    if (found == config.end() || !found->is_number_integer()) return 0;
    return found->get<unsigned>();
}

/// What a server leaves out is zero, false or nothing.
bool is_same_setting(const JsJson& there, const JsJson& wanted) {
    return there.is_null() ? wanted == 0 || wanted == false : there == wanted;
}

/// As a person would write it. -1 stands for no bound, and so does no age.
std::string setting_text(const std::string& name, const JsJson& value) {
    const bool is_bound = name.starts_with("max_");
    if (value.is_null()) return "none";
    if (!value.is_number_integer()) return value.dump();
    const auto number = value.get<std::int64_t>();
    if (is_bound && (number < 0 || (number == 0 && name == "max_age"))) return "none";
    if (name == "max_age" || name == "duplicate_window") return format_duration(Duration(number));
    if (name == "max_bytes") return format_size(static_cast<std::uint64_t>(number));
    return std::to_string(number);
}

}  // namespace

JsStreamChange stream_change(const JsJson& there, JsJson wanted) {
    JsStreamChange change;
    change.foreign = what_is_foreign(there, wanted);
    if (!change.foreign.empty()) return change;
    const unsigned replicas = replicas_of(there);
    if (replicas > replicas_of(wanted)) {
        change.replicas_kept = replicas;
        wanted["num_replicas"] = replicas;
    }
    for (const auto& [name, value] : wanted.items()) {
        const JsJson before = there.value(name, JsJson());
        if (is_same_setting(before, value)) continue;
        if (!change.settings.empty()) change.settings += ", ";
        change.settings +=
            name + ": " + setting_text(name, before) + " -> " + setting_text(name, value);
    }
    if (change.settings.empty()) return change;
    change.config = there;
    change.config.update(wanted);
    return change;
}

}  // namespace fanfare
