#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace fanfare::command {

/// Which events are meant, as history and streams understand it. Empty: any.
struct EventFilter {
    std::string action;
    std::string source;
    std::string target;
};

/// `--action`, `--source`, `--target`.
void add_event_filter(CLI::App& command, EventFilter& filter);

void append_filter(const EventFilter& filter,
                   std::vector<std::pair<std::string, std::string>>& query);

/// What a line about an event shows, fit for a terminal; `-` for what it does not have.
struct EventText {
    std::string received;
    std::string seq;
    std::string source;
    std::string action;  ///< a CloudEvent's type
    std::string target;  ///< repository:tag, else subject; the endpoint that a meta event is about
    std::string id;
};

/// From a record of the history: `{"seq","received","source","event"}`.
EventText event_text(const nlohmann::json& record);

/// One line with its end; columns have a width, as nobody knows what comes.
std::string event_line(const nlohmann::json& record);

}  // namespace fanfare::command
