#include "config/schema_credentials.h"

#include <algorithm>
#include <array>

#include "config/checks.h"
#include "config/read_keys.h"
#include "config/suggest.h"
#include "http/url.h"
#include "sink/request_credentials.h"
#include "sink/signing_key.h"

namespace fanfare {
namespace {

constexpr std::size_t secrets_max = 10;
constexpr std::size_t scopes_max = 100;
constexpr std::size_t text_bytes_max = 1024;
constexpr const char* secret_forms =
    "{file: PATH}, {env: NAME} or the secret itself, e.g. \"whsec_…\"";

/// What is wrong with a secret; the message does not hold it.
void add_secret(const Value& value, std::string text, SigningOptions& signing) {
    const Result<SigningKey> key = SigningKey::parse(signing.scheme, text);
    if (key.has_error()) {
        value.refuse("the secret " + key.error().message());
    } else {
        signing.secrets.push_back({.file = {}, .text = Secret(std::move(text))});
    }
}

void read_secret_file(const Value& value, SigningOptions& signing) {
    const std::optional<Scalar> scalar = value.scalar("the path of a file");
    if (!scalar) return;
    if (const auto problem = check_file(scalar->text, scalar->shown)) {
        value.refuse(*problem);
    } else {
        signing.secrets.push_back({.file = scalar->text, .text = {}});
    }
}

void read_secret_variable(const Value& value, SigningOptions& signing) {
    const std::optional<Scalar> scalar = value.scalar("the name of an environment variable");
    if (!scalar) return;
    std::optional<std::string> text = value.loading().environment()(scalar->text);
    if (!text) {
        // Somebody may have put the secret itself here, so it is not shown.
        value.refuse("names an environment variable that is not set; expected one with the secret");
    } else {
        add_secret(value, std::move(*text), signing);
    }
}

/// `{file: …}` or `{env: …}`. Whatever else the mapping holds may be a secret, too.
void read_secret_mapping(const Value& value, SigningOptions& signing) {
    const YamlEntry* const file = value.node().find("file");
    const YamlEntry* const variable = value.node().find("env");
    if (value.node().entries.size() != 1 || (file == nullptr && variable == nullptr)) {
        value.refuse(std::string("is no secret; expected ") + secret_forms);
        return;
    }
    value.report_problems();
    if (file != nullptr) {
        read_secret_file(value.entry(*file), signing);
    } else {
        read_secret_variable(value.entry(*variable), signing);
    }
}

void read_secrets(const Value& value, Target& target) {
    SigningOptions& signing = target.endpoint.http.signing;
    if (!value.expect_sequence("a list of secrets, newest first")) return;
    const std::size_t size = value.node().items.size();
    const bool is_one_only = signing.scheme == SigningScheme::github;
    if (size == 0) value.refuse("is empty; expected at least one secret");
    if (is_one_only && size > 1) {
        value.refuse("has more than one secret; expected one, as GitHub's form has one signature");
    } else if (size > secrets_max) {
        value.refuse("has too many items; expected at most " + std::to_string(secrets_max));
    }
    for (std::size_t i = 0; i < std::min(size, secrets_max); ++i) {
        const Value item = value.item(i);
        if (item.is_mapping()) {
            read_secret_mapping(item, signing);
        } else if (const std::optional<Scalar> scalar = item.scalar(secret_forms)) {
            add_secret(item, scalar->text, signing);
        }
    }
}

constexpr const char* secrets_json_schema = R"({"type": "array", "minItems": 1, "maxItems": 10,
    "items": {"oneOf": [{"type": "string"},
        {"type": "object", "required": ["file"], "additionalProperties": false,
         "properties": {"file": {"$ref": "#/definitions/text"}}},
        {"type": "object", "required": ["env"], "additionalProperties": false,
         "properties": {"env": {"$ref": "#/definitions/text"}}}]}})";

std::optional<std::string> check_credential_text(const std::string& text, const std::string&) {
    const bool has_control = std::any_of(text.begin(), text.end(),
                                         [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
    if (text.empty() || text.size() > text_bytes_max || has_control) {
        return "is no text of one line; expected 1 to 1024 bytes";
    }
    return std::nullopt;
}

std::optional<std::string> check_username(const std::string& text, const std::string& shown) {
    // Perhaps the password stands behind it.
    if (text.find(':') != std::string::npos) return "has a colon; expected a name without";
    return check_credential_text(text, shown);
}

std::optional<std::string> check_scope(const std::string& text, const std::string& shown) {
    const bool is_scope = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '"' && c != '\\';
    });
    if (is_scope) return std::nullopt;
    return shown + " is no scope; expected visible ASCII characters without \" and \\";
}

std::optional<std::string> check_token_url(const std::string& text, const std::string& shown) {
    if (auto problem = check_url(text, shown)) return problem;
    const Result<Url> url = parse_url(text);
    if (url->authorization.empty()) return std::nullopt;
    return "has userinfo; expected client_id and client_secret_file for it";
}

constexpr std::array<const char*, 3> auth_types = {"bearer", "basic", "oauth2"};

std::optional<std::size_t> auth_type_index(Target& target) {
    const AuthOptions::Type type = target.endpoint.http.auth.type;
    if (type == AuthOptions::Type::none) return std::nullopt;
    return static_cast<std::size_t>(type) - 1;
}

Key type_key() {
    return {"type",
            "How requests are authorized.",
            ChoiceKind{{auth_types.begin(), auth_types.end()},
                       auth_type_index,
                       [](Target& t, std::size_t index) {
                           t.endpoint.http.auth.type = static_cast<AuthOptions::Type>(index + 1);
                       }},
            true,
            {},
            "bearer"};
}

Key text_key(std::string name, std::string description, TextKind kind, std::string example) {
    return {std::move(name),
            std::move(description),
            std::move(kind),
            false,
            {},
            std::move(example),
            true};
}

std::vector<Key> oauth2_keys() {
    TextListKind scopes = text_list("a scope", check_scope, [](Target& t) -> decltype(auto) {
        return (t.endpoint.http.auth.scopes);
    });
    scopes.takes_scalar = true;
    scopes.items_max = scopes_max;
    return {
        text_key(
            "token_url", "With oauth2: where tokens are asked for, by client credentials.",
            TextKind{"an http or https URL", check_token_url,
                     [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.token_url); }},
            "https://login.example.com/oauth2/token"),
        text_key(
            "client_id", "With oauth2: who asks.",
            TextKind{"a text", check_credential_text,
                     [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.client_id); }},
            "fanfare"),
        file_key(
            "client_secret_file", "With oauth2: a file with the client's secret.",
            [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.client_secret_file); },
            "/run/secrets/client-secret"),
        {"scopes",
         "With oauth2: what the token is asked for.",
         std::move(scopes),
         false,
         {},
         "[events.write]"},
        text_key(
            "audience", "With oauth2: whom the token is for, where a token endpoint asks that.",
            TextKind{"a text", check_credential_text,
                     [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.audience); }},
            "https://audit.example.com"),
        file_key(
            "ca_file",
            "With oauth2: the authorities that may vouch for the token endpoint; without it, those "
            "of the endpoint (`tls.ca_file`, or the system's).",
            [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.ca_file); },
            "/etc/ssl/certs/ca-certificates.crt"),
    };
}

struct AuthForm {
    std::vector<std::string> needed;
    std::vector<std::string> allowed;  ///< besides
};

AuthForm form_of(AuthOptions::Type type) {
    switch (type) {
        case AuthOptions::Type::none:
            break;
        case AuthOptions::Type::bearer:
            return {{"token_file"}, {}};
        case AuthOptions::Type::basic:
            return {{"username", "password_file"}, {}};
        case AuthOptions::Type::oauth2:
            return {{"token_url", "client_id", "client_secret_file"},
                    {"scopes", "audience", "ca_file"}};
    }
    return {};
}

bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void check_auth_form(const Value& auth, AuthOptions::Type type) {
    if (!auth.is_mapping() || type == AuthOptions::Type::none) return;
    const AuthForm form = form_of(type);
    const std::string name = auth_types.at(static_cast<std::size_t>(type) - 1);
    for (const std::string& key : form.needed) {
        if (auth.node().find(key) == nullptr) auth.refuse_missing(key, key + " with type " + name);
    }
    const std::vector<Key> known = std::get<MappingKind>(auth_key().kind).keys;
    for (const YamlEntry& entry : auth.node().entries) {
        const bool fits = entry.key == "type" || has(form.needed, entry.key) ||
                          has(form.allowed, entry.key) || !has(names_of(known), entry.key);
        if (fits) continue;
        std::vector<std::string> all = form.needed;
        all.insert(all.end(), form.allowed.begin(), form.allowed.end());
        auth.refuse_key(entry, "not allowed with type " + name + "; expected only " + join(all));
    }
}

void check_headers(const Value& headers, const HttpSinkOptions& http) {
    for (const YamlEntry& entry : headers.node().entries) {
        const std::string key(key_instead_of_header(http, entry.key));
        if (key.empty()) continue;
        headers.refuse_key(
            entry, "not allowed beside " + key + ", which sets it; expected only one of them");
    }
}

}  // namespace

Key signing_key() {
    Key scheme{
        "scheme",
        "The form of the signatures: Standard Webhooks, or what receivers of GitHub's or "
        "Stripe's webhooks look for.",
        choice<SigningScheme>({"standard", "github", "stripe"}, [](Target& t) -> decltype(auto) {
            return (t.endpoint.http.signing.scheme);
        })};
    Key secrets{"secrets",
                "What is signed with, newest first: `{file: …}`, `{env: …}` or the secret itself, "
                "`whsec_…` (HMAC-SHA256) or `whsk_…` (ed25519). Several: a signature with each, "
                "while one replaces another.",
                SpecialKind{"list of secrets", secrets_json_schema, read_secrets},
                true,
                {},
                "[{file: /run/secrets/audit-new}, {file: /run/secrets/audit}]",
                true};
    // In this order: what a secret looks like depends on the scheme.
    return {"signing",
            "Signatures by which receivers know who sent a webhook.",
            MappingKind{{std::move(scheme), std::move(secrets)},
                        {},
                        [](Target& t) { return !t.endpoint.http.signing.secrets.empty(); }},
            false,
            {},
            {},
            true};
}

Key auth_key() {
    std::vector<Key> keys = {
        type_key(),
        file_key(
            "token_file", "With bearer: a file with the token.",
            [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.token_file); },
            "/run/secrets/audit-token"),
        text_key(
            "username", "With basic: who asks.",
            TextKind{"a name without a colon", check_username,
                     [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.username); }},
            "fanfare"),
        file_key(
            "password_file", "With basic: a file with the password.",
            [](Target& t) -> decltype(auto) { return (t.endpoint.http.auth.password_file); },
            "/run/secrets/audit-password"),
    };
    for (Key& key : oauth2_keys()) keys.push_back(std::move(key));
    return {
        "auth",
        "Authorization of requests, in place of a header. Files of secrets are read anew when "
        "they change.",
        MappingKind{std::move(keys), {}, [](Target& t) { return auth_type_index(t).has_value(); }},
        false,
        {},
        {},
        true};
}

void check_credentials(const Value& endpoint, const EndpointConfig& config) {
    const HttpSinkOptions& http = config.http;
    if (const YamlEntry* const auth = endpoint.node().find("auth")) {
        check_auth_form(endpoint.entry(*auth), http.auth.type);
    }
    if (const YamlEntry* const headers = endpoint.node().find("headers")) {
        check_headers(endpoint.entry(*headers), http);
    }
    const YamlEntry* const url = endpoint.node().find("url");
    if (url == nullptr || http.auth.type == AuthOptions::Type::none) return;
    const Result<Url> parsed = parse_url(http.url);
    if (parsed.has_value() && !parsed->authorization.empty()) {
        endpoint.entry(*url).refuse("has userinfo beside auth; expected only one of them");
    }
}

}  // namespace fanfare
