#include "server/admin/json_text.h"

#include <nlohmann/json.hpp>

namespace fanfare {

std::string json_text(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string json_line(const nlohmann::ordered_json& json) { return json_text(json) + '\n'; }

}  // namespace fanfare
