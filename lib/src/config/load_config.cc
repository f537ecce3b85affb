#include <cstdlib>
#include <map>

#include "base/units.h"
#include "config/config_text.h"
#include "config/egress_keys.h"
#include "config/endpoint_checks.h"
#include "config/format_values.h"
#include "config/nats_keys.h"
#include "config/queue_keys.h"
#include "config/read_keys.h"
#include "config/schema.h"
#include "config/schema_credentials.h"
#include "config/unused_keys.h"
#include "config/yaml_reader.h"
#include "fanfare/config.h"

namespace fanfare {
namespace {

/// Reads the tree of a file into a Config.
class Loader {
  public:
    Loader(Loading& loading, const YamlNode& root) : loading_(loading), root_(loading, root, "") {}

    Config load() {
        if (!root_.is_mapping()) {
            root_.expect_mapping("a mapping with at least \"endpoints\"");
            return std::move(config_);
        }
        const bool is_registry_file =
            root_.node().find("version") != nullptr && notifications() != nullptr;
        if (is_registry_file) {
            refuse_second_notifications();
            config_.warnings.emplace_back(
                "this is a registry's configuration: only its notifications are read");
        } else {
            load_top();
        }
        load_endpoint_list();
        for (const std::string& remark : loading_.warnings()) config_.warnings.push_back(remark);
        return std::move(config_);
    }

  private:
    const YamlEntry* notifications() const { return root_.node().find("notifications"); }

    /// Of the rest of a registry's file nothing is read, so nothing is refused.
    void refuse_second_notifications() {
        for (const YamlProblem& problem : root_.node().problems) {
            if (problem.key != "notifications") continue;
            loading_.refuse(problem.place, problem.key, problem.message);
        }
    }

    void load_top() {
        root_.report_problems();
        refuse_unknown_keys(root_, names_of(schema_.top));
        Target target{config_, scratch_};
        read_keys(root_, schema_.top, target);
        refuse_shared_address();
        keep_letters_with_events();
        check_nats(root_, config_);
        warn_of_unused_top_keys(root_, config_);
        load_defaults();
    }

    /// One address for both listeners could not be bound twice.
    void refuse_shared_address() {
        const YamlEntry* const admin = root_.node().find("admin");
        const YamlEntry* const ingest = root_.node().find("ingest");
        const bool is_in_admin = admin != nullptr && admin->value->find("listen") != nullptr;
        const YamlEntry* const section = is_in_admin ? admin : ingest;
        if (section == nullptr || section->value->find("listen") == nullptr) return;
        const Value parent = root_.entry(*section);
        for (const std::string& address : config_.admin.listener.listen) {
            for (const std::string& other : config_.ingest.listener.listen) {
                if (address != other || address.ends_with(":0")) continue;
                parent.entry(*section->value->find("listen"))
                    .refuse("is the address of ingest and of admin; expected two different ones");
            }
        }
    }

    /// What is kept until it is delivered is also kept when it is given up.
    void keep_letters_with_events() {
        std::string& dir = config_.dead_letters.dir;
        if (!config_.storage.is_durable() || !dir.empty()) return;
        dir = (std::filesystem::path(config_.storage.dir) / "dead-letters").string();
    }

    /// Checks `defaults` by itself; its values go into each endpoint that does not have them.
    void load_defaults() {
        const YamlEntry* const entry = root_.node().find("defaults");
        if (entry == nullptr || entry->value->kind == YamlNode::Kind::null) return;
        const Value value = root_.entry(*entry);
        if (!value.expect_mapping("a mapping of endpoint keys")) return;
        refuse_unknown_keys(value, names_of(schema_.endpoint));
        for (const char* const own : {"name", "url"}) {
            const YamlEntry* const found = value.node().find(own);
            if (found != nullptr) {
                value.refuse_key(*found, "not allowed in defaults; expected it in each endpoint");
            }
        }
        EndpointConfig checked;
        Target target{config_, checked};
        read_keys(value, schema_.endpoint, target);
        defaults_ = &value.node();
    }

    void load_endpoint_list() {
        const YamlEntry* const list = root_.node().find("endpoints");
        if (notifications() != nullptr && list != nullptr) {
            root_.refuse_key(*notifications(),
                             "not allowed beside \"endpoints\"; expected only one of them");
        }
        if (list == nullptr && notifications() != nullptr) {
            load_notifications(root_.entry(*notifications()));
        } else if (list == nullptr || list->value->kind == YamlNode::Kind::null) {
            refuse_missing_keys(root_, schema_.top);
        } else {
            load_endpoints(root_.entry(*list));
        }
    }

    void load_notifications(const Value& value) {
        if (!value.expect_mapping("a mapping with \"endpoints\"")) return;
        refuse_unknown_keys(value, {"events", "endpoints"});
        check_event_settings(value);
        const YamlEntry* const list = value.node().find("endpoints");
        if (list == nullptr || list->value->kind == YamlNode::Kind::null) {
            value.refuse_missing("endpoints", "a list of endpoints (it may be empty: [])");
        } else {
            load_endpoints(value.entry(*list));
        }
    }

    /// They concern the registry, but a key that nobody knows is a mistake here, too.
    void check_event_settings(const Value& notifications) {
        const YamlEntry* const entry = notifications.node().find("events");
        if (entry == nullptr || entry->value->kind == YamlNode::Kind::null) return;
        const Value events = notifications.entry(*entry);
        if (!events.expect_mapping("a mapping with \"includereferences\"")) return;
        refuse_unknown_keys(events, {"includereferences"});
    }

    void load_endpoints(const Value& list) {
        if (!list.expect_sequence("a list of endpoints")) return;
        const Result<EgressPolicyPtr> egress = EgressPolicy::make(config_.egress);
        if (egress.has_value()) egress_ = *egress;  // else its mistake has been told
        for (std::size_t i = 0; i < list.node().items.size(); ++i) {
            config_.endpoints.push_back(load_endpoint(list.item(i)));
        }
    }

    EndpointConfig load_endpoint(const Value& value) {
        EndpointConfig endpoint;
        if (!value.expect_mapping("a mapping with \"name\" and \"url\"")) return endpoint;
        refuse_unknown_keys(value, names_of(schema_.endpoint));
        refuse_missing_keys(value, schema_.endpoint);
        const YamlNode effective = with_defaults(value.node());
        const Value whole(loading_, effective, value.key());
        endpoint.queue = default_queue_bounds(config_);
        Target target{config_, endpoint};
        read_keys(whole, schema_.endpoint, target);
        endpoint.is_url_from_variable = is_from_variable(whole, "url");
        check_endpoint(whole, endpoint);
        check_queue(whole, endpoint, config_);
        if (config_.storage.is_shared()) check_for_nats(whole, endpoint, config_);
        check_breaker_keys(value, endpoint);
        warn_of_unused_keys(value, endpoint);
        warn_of_rules_for_meta(value, endpoint, config_.meta);
        check_credentials(whole, endpoint);
        if (egress_) apply_egress(whole, *egress_, target);
        refuse_known_name(value, endpoint.name);
        check_format(value, effective, endpoint);
        return endpoint;
    }

    /// Whether a variable's value stands in the text of `key`.
    static bool is_from_variable(const Value& endpoint, const char* key) {
        const YamlEntry* const entry = endpoint.node().find(key);
        if (entry == nullptr || entry->value->kind != YamlNode::Kind::scalar) return false;
        const std::optional<Scalar> scalar = endpoint.entry(*entry).scalar("an http or https URL");
        return scalar && scalar->is_expanded;
    }

    /// The endpoint's own values, and from `defaults` those that it has not: whole values.
    YamlNode with_defaults(const YamlNode& own) const {
        YamlNode effective;
        effective.kind = YamlNode::Kind::mapping;
        effective.place = own.place;
        const auto is_set = [](const YamlEntry* entry) {
            return entry != nullptr && entry->value->kind != YamlNode::Kind::null;
        };
        for (const Key& key : schema_.endpoint) {
            const YamlEntry* entry = own.find(key.name);
            const bool is_bad = entry != nullptr && key.needs_value;  // or it has a value
            if (!is_set(entry) && !is_bad && !key.is_required && defaults_ != nullptr) {
                entry = defaults_->find(key.name);
            }
            if (is_set(entry) || is_bad) effective.entries.push_back(*entry);
        }
        return effective;
    }

    void refuse_known_name(const Value& endpoint, const std::string& name) {
        if (name.empty()) return;
        const Value value = endpoint.entry(*endpoint.node().find("name"));
        const auto [first, is_new] = names_.emplace(name, value.node().place.line);
        if (is_new) return;
        value.refuse(in_quotes(name) + " is already the name of the endpoint in line " +
                     std::to_string(first->second) + "; expected a name of its own");
    }

    Loading& loading_;
    const Value root_;
    const Schema schema_ = make_schema();
    Config config_;
    EndpointConfig scratch_;
    EgressPolicyPtr egress_;
    const YamlNode* defaults_ = nullptr;
    std::map<std::string, int> names_;  ///< of endpoints, with their lines
};

std::vector<ConfigError> one_error(const std::string& file, const std::string& message) {
    return {ConfigError{file, 0, 0, {}, message}};
}

}  // namespace

std::string ConfigError::text() const {
    std::string out = file + ":";
    if (line > 0) out += std::to_string(line) + ":" + std::to_string(column) + ":";
    out += " error: ";
    if (!key.empty()) out += key + ": ";
    return out + message;
}

std::optional<std::string> process_environment(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

LoadedConfig parse_config(std::string_view text, const std::string& file,
                          const Environment& environment) {
    const std::variant<YamlPtr, YamlProblem> read = read_yaml(text);
    if (const auto* const problem = std::get_if<YamlProblem>(&read)) {
        return std::vector{ConfigError{file, problem->place.line, problem->place.column,
                                       problem->key, problem->message}};
    }
    Loading loading(file, environment);
    Config config = Loader(loading, *std::get<YamlPtr>(read)).load();
    std::vector<ConfigError> errors = loading.errors();
    if (!errors.empty()) return errors;
    return config;
}

LoadedConfig load_config(const std::filesystem::path& file, const Environment& environment) {
    const Result<ConfigText> read = read_config_text(file.string());
    if (read.has_error()) return one_error(file.string(), read.error().message());
    return parse_config(read->text, file.string(), environment);
}

}  // namespace fanfare
