#include "config/egress_keys.h"

#include <charconv>

#include "base/units.h"
#include "config/checks.h"
#include "config/effective.h"
#include "http/cidr.h"
#include "http/proxy.h"

namespace fanfare {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::size_t ports_max = 1000;

std::optional<std::string> check_cidr(const std::string& text, const std::string& shown) {
    const Result<Cidr> cidr = Cidr::parse(text);
    if (cidr.has_error()) return shown + " " + cidr.error().message();
    return std::nullopt;
}

std::optional<std::string> check_host_glob(const std::string& text, const std::string& shown) {
    if (text.empty()) return shown + " is empty; expected a glob, e.g. \"*.example.com\"";
    if (text.find_first_of("/:@") != std::string::npos) {
        return shown + " is no host; expected a glob without scheme, port or path";
    }
    return check_glob(text, shown);
}

std::optional<std::string> check_proxy(const std::string& text, const std::string&) {
    // Neither the message nor this one shows the URL: it may hold a password.
    const Result<Url> proxy = parse_proxy(text);
    if (proxy.has_value()) return std::nullopt;
    return proxy.error().message() + R"(; expected one such as "http://proxy.example.com:3128")";
}

std::optional<std::string> check_direct(const std::string& text, const std::string& shown) {
    const Result<void> checked = check_no_proxy(text);
    if (checked.has_error()) return shown + " " + checked.error().message();
    return std::nullopt;
}

void add_port(const Value& value, std::vector<std::uint16_t>& ports) {
    constexpr const char* expected = "a port from 1 to 65535";
    const std::optional<Scalar> scalar = value.scalar(expected);
    if (!scalar) return;
    const std::string& text = scalar->text;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error == std::errc() && end == text.data() + text.size() && port > 0) {
        ports.push_back(port);
    } else {
        value.refuse(scalar->shown + " is no port; expected " + expected);
    }
}

void read_ports(const Value& value, Target& target) {
    if (!value.expect_sequence("a list of ports")) return;
    const std::size_t size = value.node().items.size();
    if (size > ports_max) {
        value.refuse("has too many items; expected at most " + std::to_string(ports_max));
        return;
    }
    for (std::size_t i = 0; i < size; ++i) add_port(value.item(i), target.config.egress.ports);
}

constexpr const char* ports_json_schema = R"({"type": "array", "maxItems": 1000, "items": {
    "anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535},
              {"$ref": "#/definitions/variable"}]}})";

struct EgressCheck {
    const EgressPolicy& policy;
    Target& target;
};

/// Whether a proxy resolves the name, so that no address policy sees what comes of it.
bool is_resolved_out_of_sight(const Url& url, const EndpointConfig& endpoint) {
    const HttpSinkOptions& http = endpoint.http;
    return !http.proxy.empty() && http.egress.deny == EgressOptions::Deny::non_public &&
           http.egress.hosts.empty() && !is_listed(url.host, http.no_proxy);
}

/// `text` is the value of `key` in `mapping`, as far as that could be read.
void check_url_at(const Value& mapping, std::string_view key, const std::string& text,
                  const EgressCheck& check) {
    const YamlEntry* const entry = mapping.node().find(key);
    const Result<Url> url = parse_url(text);
    if (entry == nullptr || url.has_error()) return;
    if (const auto problem = check.policy.check(*url)) mapping.entry(*entry).refuse(*problem);

    const EndpointConfig& endpoint = check.target.endpoint;
    if (endpoint.disabled) return;
    const auto warn = [&](const std::string& what) {
        check.target.config.warnings.push_back("the " + std::string(key) + " of the endpoint " +
                                               in_quotes(endpoint.name) + what);
    };
    const std::optional<net::ip::address> address = literal_address(url->host);
    if (!address) {
        if (!is_resolved_out_of_sight(*url, endpoint)) return;
        return warn(
            " names a host that its proxy resolves: egress.deny sees no address of it; list what "
            "is allowed in egress.hosts");
    }
    const error_code refusal = check.policy.check(*address);
    if (refusal) warn(" will be blocked: " + refusal.message());
}

Key list_key(std::string name, std::string description, TextListKind kind) {
    return {std::move(name), std::move(description), std::move(kind), false, "[]", {}};
}

}  // namespace

Key make_egress_key() {
    Key deny{"deny",
             "Addresses that nothing connects to. `metadata`: where cloud machines learn their "
             "secrets, link-local, unspecified and multicast ones; `private`: all that are not "
             "public.",
             choice<EgressOptions::Deny>(
                 {"none", "metadata", "private"},
                 [](Target& t) -> decltype(auto) { return (t.config.egress.deny); })};
    Key allow = list_key("allow", "Blocks of addresses that `deny` does not concern.",
                         text_list("a CIDR", check_cidr, [](Target& t) -> decltype(auto) {
                             return (t.config.egress.allow);
                         }));
    allow.example = "[10.20.0.0/16, 'fd00:20::/32']";
    Key hosts = list_key("hosts", "Globs, one of which the host of a URL must fit; empty: any.",
                         text_list("a glob", check_host_glob, [](Target& t) -> decltype(auto) {
                             return (t.config.egress.hosts);
                         }));
    hosts.example = "['*.example.com', hooks.internal]";
    Key https_only{"https_only", "Refuses http URLs.", BooleanKind{[](Target& t) -> decltype(auto) {
                       return (t.config.egress.https_only);
                   }}};
    Key ports{"ports",
              "The only ports that a URL may have; empty: any.",
              SpecialKind{"list of ports", ports_json_schema, read_ports, show_ports},
              false,
              "[]",
              "[443, 8443]"};
    for (Key* const key : {&deny, &hosts, &https_only, &ports}) key->needs_value = true;
    Key egress{"egress", "Where deliveries may go; README.md tells more.",
               MappingKind{{std::move(deny), std::move(allow), std::move(hosts),
                            std::move(https_only), std::move(ports)},
                           {}}};
    egress.needs_value = true;
    return egress;
}

std::vector<Key> make_connection_keys() {
    Key idle_timeout{"idle_timeout", "How long a connection without requests is kept open.",
                     DurationKind{milliseconds(1), hours(1), [](Target& t) -> decltype(auto) {
                                      return (t.endpoint.http.idle_timeout);
                                  }}};
    Key proxy{"proxy",
              "What the URL is reached through: `http://[user:password@]host:port`. An https URL "
              "through a tunnel (CONNECT). No environment variable stands for it.",
              TextKind{"the http URL of a proxy", check_proxy,
                       [](Target& t) -> decltype(auto) { return (t.endpoint.http.proxy); }},
              false,
              {},
              "http://proxy.example.com:3128"};
    Key no_proxy = list_key(
        "no_proxy", "Hosts, `.suffixes` of hosts and CIDRs that are reached without `proxy`.",
        text_list("a host, a suffix or a CIDR", check_direct,
                  [](Target& t) -> decltype(auto) { return (t.endpoint.http.no_proxy); }));
    no_proxy.example = "[localhost, .internal, 10.0.0.0/8]";
    return {std::move(idle_timeout), std::move(proxy), std::move(no_proxy)};
}

void apply_egress(const Value& value, const EgressPolicy& policy, Target& target) {
    HttpSinkOptions& http = target.endpoint.http;
    http.egress = target.config.egress;
    check_url_at(value, "url", http.url, {policy, target});
    const YamlEntry* const auth = value.node().find("auth");
    if (auth == nullptr || http.auth.token_url.empty()) return;
    check_url_at(value.entry(*auth), "token_url", http.auth.token_url, {policy, target});
}

}  // namespace fanfare
