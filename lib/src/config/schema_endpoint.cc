#include "config/action_values.h"
#include "config/checks.h"
#include "config/effective.h"
#include "config/egress_keys.h"
#include "config/endpoint_values.h"
#include "config/match_rules.h"
#include "config/queue_keys.h"
#include "config/schema.h"
#include "config/schema_credentials.h"

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// The registry's rule for timeout, threshold and backoff: zero or less stands for the default.
Key forgiving_duration(std::string name, std::string description, Duration& (*at)(Target&)) {
    DurationKind kind{milliseconds(1), hours(1), at};
    kind.takes_default = true;
    return {std::move(name), std::move(description), std::move(kind), false, {}, {}};
}

std::vector<Key> address_keys() {
    Key name{"name",
             "The endpoint's name in logs and metrics; unique.",
             TextKind{"a name", check_endpoint_name,
                      [](Target& t) -> decltype(auto) { return (t.endpoint.name); }},
             true,
             {},
             "audit"};
    Key url{"url",
            "What is posted to, as it is; userinfo becomes `Authorization: Basic`.",
            TextKind{"an http or https URL", check_url,
                     [](Target& t) -> decltype(auto) { return (t.endpoint.http.url); },
                     [](Target& t) { return shown_url(t.endpoint); }},
            true,
            {},
            "https://audit.example.com/hook?source=registry"};
    Key disabled{"disabled", "Checked, but never contacted and not in metrics.",
                 BooleanKind{[](Target& t) -> decltype(auto) { return (t.endpoint.disabled); }}};
    Key headers{"headers",
                "Sent with every request; one with the name of a default header replaces it. A "
                "list sends the header once per value.",
                SpecialKind{"mapping of text or lists of text", headers_json_schema(), read_headers,
                            show_headers},
                false,
                "{}",
                "{X-Team: [storage], Authorization: ['Bearer ${TOKEN}']}"};
    return {std::move(name), std::move(url), std::move(disabled), std::move(headers)};
}

std::vector<Key> attempt_keys() {
    Key timeout = forgiving_duration(
        "timeout", "For one attempt, connecting to the end of the answer; 0 or less: the default.",
        [](Target& t) -> decltype(auto) { return (t.endpoint.http.timeout); });
    Key connect_timeout = forgiving_duration(
        "connect_timeout", "For its first part, until connected; 0 or less: the default.",
        [](Target& t) -> decltype(auto) { return (t.endpoint.http.connect_timeout); });
    connect_timeout.default_text = "the same as `timeout`";
    IntegerKind failures = integer<std::int64_t>(
        1, 1'000'000'000, [](Target& t) -> decltype(auto) { return (t.endpoint.retry.threshold); });
    failures.takes_default = true;
    Key threshold{"threshold",
                  "Failures in a row before attempts wait for `backoff`; 0 or less: the default.",
                  std::move(failures)};
    Key backoff = forgiving_duration(
        "backoff", "Between two attempts once the threshold is reached; 0 or less: the default.",
        [](Target& t) -> decltype(auto) { return (t.endpoint.retry.backoff); });
    Key success{"success",
                "The statuses that mean delivered: codes and ranges of codes.",
                SpecialKind{"list of codes and ranges", statuses_json_schema(false), read_success,
                            show_success},
                false,
                "[200-299]",
                "[200-299, 304]"};
    return {std::move(timeout), std::move(connect_timeout), std::move(threshold),
            std::move(backoff), std::move(success)};
}

/// Both spellings of the media types go into one list, `ignore.mediatypes` first.
Key ignored_key(std::string name, std::string description, const Check& check,
                std::vector<std::string>& (*at)(Target&)) {
    TextListKind kind = text_list("text", check, at);
    kind.set = [at](Target& target, const std::vector<std::string>& texts) {
        at(target).insert(at(target).end(), texts.begin(), texts.end());
    };
    return {std::move(name), std::move(description), std::move(kind), false, "[]", {}};
}

std::vector<Key> filter_keys() {
    const auto media_types = [](Target& t) -> decltype(auto) {
        return (t.endpoint.ignored_media_types);
    };
    Key ignored_media_types =
        ignored_key("mediatypes", "Events with such a `target.mediaType` are ignored.",
                    check_any_text, media_types);
    ignored_media_types.example = "[application/octet-stream]";
    Key ignore{"ignore", "Events that are not for this endpoint, by exact match.",
               MappingKind{{std::move(ignored_media_types), ignored_actions_key()}, {}}};
    Key older = ignored_key("ignoredmediatypes",
                            "The registry's older spelling; added to `ignore.mediatypes`.",
                            check_any_text, media_types);
    older.example = "[application/octet-stream]";
    Key match{"match",
              "Rules that an event must all meet to be for this endpoint; README.md tells more.",
              SpecialKind{"list of rules", match_json_schema(), read_match, show_match},
              false,
              "[]",
              "[{field: /target/repository, op: prefix, value: library/}]"};
    return {std::move(ignore), std::move(older), std::move(match)};
}

Key tls_key() {
    std::vector<Key> keys = {
        file_key(
            "ca_file", "Roots to trust instead of the system's, PEM.",
            [](Target& t) -> decltype(auto) { return (t.endpoint.http.tls.ca_file); },
            "/etc/fanfare/ca.crt"),
        file_key(
            "cert_file", "A client certificate and its chain, PEM; needs `key_file`.",
            [](Target& t) -> decltype(auto) { return (t.endpoint.http.tls.cert_file); },
            "/etc/fanfare/client.crt"),
        file_key(
            "key_file", "The client certificate's private key, PEM.",
            [](Target& t) -> decltype(auto) { return (t.endpoint.http.tls.key_file); },
            "/etc/fanfare/client.key"),
        {"server_name",
         "The name to ask for and to verify, instead of the URL's host.",
         TextKind{"a host name or address", check_server_name,
                  [](Target& t) -> decltype(auto) { return (t.endpoint.http.tls.server_name); }},
         false,
         {},
         "audit.internal"},
        {"min_version", "The least TLS version.",
         choice<TlsOptions::MinVersion>(
             {"1.2", "1.3"},
             [](Target& t) -> decltype(auto) { return (t.endpoint.http.tls.min_version); })},
        {"insecure_skip_verify", "Accepts any certificate; warned about at each start.",
         BooleanKind{[](Target& t) -> decltype(auto) {
             return (t.endpoint.http.tls.insecure_skip_verify);
         }}},
    };
    return {"tls", "For an https URL; its files are read again when they change.",
            MappingKind{std::move(keys), {{"cert_file", "key_file"}, {"key_file", "cert_file"}}}};
}

}  // namespace

std::vector<Key> make_endpoint_keys() {
    std::vector<Key> keys = address_keys();
    for (Key& key : attempt_keys()) keys.push_back(std::move(key));
    keys.push_back(make_retry_key());
    for (Key& key : make_order_keys()) keys.push_back(std::move(key));
    keys.push_back(endpoint_queue_key());
    for (Key& key : make_format_keys()) keys.push_back(std::move(key));
    for (Key& key : filter_keys()) keys.push_back(std::move(key));
    keys.push_back(tls_key());
    keys.push_back(signing_key());
    keys.push_back(auth_key());
    for (Key& key : make_connection_keys()) keys.push_back(std::move(key));
    return keys;
}

}  // namespace fanfare
