#pragma once

#include <string>

#include "config/schema.h"

namespace fanfare {

/// The configuration as it is in effect, every key with its value, as JSON for the admin API.
/// Holds no secret: no header value, of URLs neither userinfo nor query, and of values with a form
/// of their own only what their keys choose to show.
std::string effective_config(const Config& config);

/// The URL without userinfo and query; of one that came from a variable only the origin, as others
/// keep secrets in paths, too.
std::string shown_url(const EndpointConfig& endpoint);

// What SpecialKind::show wants, for the keys that it is told of in their names.
std::string show_headers(Target& target);
std::string show_template(Target& target);
std::string show_success(Target& target);
std::string show_statuses(const std::vector<StatusRange>& statuses);
std::string show_factor(Target& target);
std::string show_jitter(Target& target);
std::string show_schedule(Target& target);
std::string show_action_groups(Target& target);
std::string show_ignored_actions(Target& target);
std::string show_ports(Target& target);
std::string show_match(Target& target);

}  // namespace fanfare
