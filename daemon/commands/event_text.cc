#include "commands/event_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "commands/command.h"

namespace fanfare::command {
namespace {

using nlohmann::json;

/// What a field may take of a line.
constexpr std::size_t field_bytes_max = 200;

/// Of columns in lines that come one by one: the longest of Fanfare's own actions, and a repository
/// of 20 characters with its digest.
constexpr std::size_t action_width = std::string_view("delivery.failed").size();
constexpr std::size_t target_width = 40;

constexpr std::size_t digest_shown = std::string_view("sha256:0123456789ab").size();

/// Empty if there is none, or nothing to show.
std::string field(const json& object, const char* name) {
    if (!object.is_object()) return {};
    const auto found = object.find(name);
    if (found == object.end() || found->is_null() || found->is_structured()) return {};
    std::string text =
        printable(found->is_string() ? found->get_ref<const std::string&>() : found->dump());
    if (text.size() <= field_bytes_max) return text;
    std::size_t end = field_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return text.substr(0, end) + "…";
}

std::string first_of(const json& object, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        std::string text = field(object, name);
        if (!text.empty()) return text;
    }
    return "-";
}

std::string target_of(const json& event) {
    const json target = event.is_object() ? event.value("target", json()) : json();
    std::string text = field(target, "repository");
    if (text.empty()) return first_of(event, {"subject", "endpoint"});
    const std::string tag = field(target, "tag");
    const std::string digest = field(target, "digest");
    if (!tag.empty()) return text.append(":").append(tag);
    if (!digest.empty()) return text.append("@").append(digest.substr(0, digest_shown));
    return text;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text + "  ";
}

}  // namespace

void add_event_filter(CLI::App& command, EventFilter& filter) {
    command
        .add_option("--action", filter.action,
                    "Only these actions: a list with commas, groups as @write, too")
        ->type_name("LIST");
    command
        .add_option("--source", filter.source,
                    "Only events from there: http, meta (Fanfare's own), replay; a list with "
                    "commas")
        ->type_name("LIST");
    command
        .add_option("--target", filter.target,
                    "Only events about these repositories or subjects: a list with commas")
        ->type_name("LIST");
}

void append_filter(const EventFilter& filter,
                   std::vector<std::pair<std::string, std::string>>& query) {
    const auto add = [&query](const char* name, const std::string& value) {
        if (!value.empty()) query.emplace_back(name, value);
    };
    add("action", filter.action);
    add("source", filter.source);
    add("target", filter.target);
}

EventText event_text(const json& record) {
    const auto found = record.find("event");
    const json event = found == record.end() ? json() : *found;
    EventText text;
    text.received = first_of(record, {"received"});
    text.seq = first_of(record, {"seq"});
    text.source = first_of(record, {"source"});
    text.action = first_of(event, {"action", "type"});
    text.target = target_of(event);
    text.id = first_of(event, {"id"});
    return text;
}

std::string event_line(const json& record) {
    const EventText text = event_text(record);
    const std::string seq = text.seq.size() < 6 ? std::string(6 - text.seq.size(), ' ') : "";
    return text.received + "  " + seq + text.seq + "  " + padded(text.action, action_width) +
           padded(text.target, target_width) + text.id + '\n';
}

}  // namespace fanfare::command
