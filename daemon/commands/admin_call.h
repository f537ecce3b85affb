#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "fanfare/error.h"
#include "http/simple_client.h"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace fanfare::command {

/// A daemon's admin listener, as the command line names it.
struct AdminTarget {
    std::string url = "http://127.0.0.1:8081";
    std::string token_file;
    bool as_json = false;  ///< print what the daemon answers
};

/// `--url`, `--token-file`, `--json`.
void add_admin_options(CLI::App& command, AdminTarget& target);

/// What is asked of the daemon.
struct AdminRequest {
    std::string method = "GET";
    std::string path;
    std::vector<std::pair<std::string, std::string>> query = {};
    std::string content_type = {};
    std::string body = {};
    Duration timeout = std::chrono::seconds(60);  ///< a page of a replay may wait for a disk
    int stop_descriptor = -1;                     ///< ends it once it can be read; -1: nothing does
};

/// The answer, whatever it says. An Error tells why there is none.
Result<SimpleResponse> ask_admin(const AdminTarget& target, const AdminRequest& request);

/// The body of an answer that says yes. An Error tells what it says else, or why there is none.
Result<std::string> call_admin(const AdminTarget& target, const AdminRequest& request);

/// Reads an answer that may go on for ever; see fetch_stream(). Response and Error as above.
Result<SimpleResponse> stream_admin(const AdminTarget& target, const AdminRequest& request,
                                    const BodyReader& reader);

/// What an answer that does not say yes says, for a person.
std::string explain(const AdminTarget& target, const AdminRequest& request,
                    const SimpleResponse& response);

/// `text` as it may stand in a path or query.
std::string percent_encoded(const std::string& text);

/// A body that was answered, as JSON; an Error if a daemon would not answer so.
Result<nlohmann::json> parse_answer(const AdminTarget& target, const std::string& body);

/// A field as text for a table: `-` if it is null or missing.
std::string shown(const nlohmann::json& entry, const char* field);

/// For an option: digits, `lowest` at least.
CLI::Validator whole_number(std::uint64_t lowest);

/// `1 event`, `2 events`.
std::string counted(std::uint64_t count, const char* noun);

}  // namespace fanfare::command
