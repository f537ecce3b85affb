#include "server/events/record_filter.h"

#include <algorithm>
#include <array>

#include "base/units.h"
#include "event/glob.h"
#include "event/json_lookup.h"

namespace fanfare {
namespace {

bool is_one_of(const std::vector<std::string>& list, std::string_view text) {
    return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

Result<std::vector<std::string>> list_of(const Query& query, const std::string& name) {
    std::vector<std::string> list;
    const std::optional<std::string> text = query.text(name);
    if (!text) return list;
    for (std::string_view rest = *text;;) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (comma == 0) return Error(name + ": an item is empty; expected a list as a,b");
        list.emplace_back(rest.substr(0, comma));
        if (comma == rest.size()) break;
        rest.remove_prefix(comma + 1);
    }
    if (list.size() > RecordFilter::items_max) {
        return Error(name + ": too many items; expected at most " +
                     std::to_string(RecordFilter::items_max));
    }
    return list;
}

bool is_source(std::string_view name) {
    constexpr std::array sources = {EventSource::http, EventSource::meta, EventSource::replay};
    return std::any_of(sources.begin(), sources.end(),
                       [name](EventSource source) { return to_string(source) == name; });
}

bool has_target(const Event& event, const std::vector<std::string>& targets) {
    JsonLookup lookup(event.payload());
    std::string target(lookup.find("/target/repository").string());
    if (target.empty()) target = lookup.find_member("subject").string();
    return std::any_of(targets.begin(), targets.end(), [&target](const std::string& pattern) {
        return !target.empty() && matches_glob(pattern, target);
    });
}

}  // namespace

Result<RecordFilter> RecordFilter::parse(const Query& query, const ActionGroups& groups) {
    RecordFilter filter;
    const Result<std::vector<std::string>> actions = list_of(query, "action");
    if (!actions) return actions.error();
    for (const std::string& action : *actions) {
        if (!is_action_group(action)) {
            filter.actions_.push_back(action);
            continue;
        }
        const auto group = groups.find(action.substr(1));
        if (group == groups.end()) {
            return Error("action: " + in_quotes(action) + " is no action group");
        }
        filter.actions_.insert(filter.actions_.end(), group->second.begin(), group->second.end());
    }
    Result<std::vector<std::string>> sources = list_of(query, "source");
    if (!sources) return sources.error();
    filter.sources_ = std::move(*sources);
    for (const std::string& source : filter.sources_) {
        if (is_source(source)) continue;
        return Error("source: " + in_quotes(source) +
                     " is not known; expected one of http, meta, replay");
    }
    Result<std::vector<std::string>> targets = list_of(query, "target");
    if (!targets) return targets.error();
    filter.targets_ = std::move(*targets);
    for (const char* const name : {"action", "source", "target"}) {
        const std::optional<std::string> text = query.text(name);
        if (!text) continue;
        if (!filter.text_.empty()) filter.text_ += '&';
        filter.text_ += std::string(name) + '=' + *text;
    }
    return filter;
}

bool RecordFilter::wants(const HistoryRecord& record) const {
    return is_one_of(actions_, record.event->action()) &&
           is_one_of(sources_, to_string(record.source)) &&
           (targets_.empty() || has_target(*record.event, targets_));
}

}  // namespace fanfare
