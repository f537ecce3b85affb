#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "config_support.h"

namespace fanfare::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

TEST(LoadConfig, gives_the_defaults_for_an_empty_list_of_endpoints) {
    EXPECT_EQ(config_of("endpoints: []\n"), Config());
}

TEST(LoadConfig, reads_everything_at_top_level) {
    const Config config = config_of(R"(
ingest:
  listen: [0.0.0.0:9000, '[::1]:9000', unix:/run/fanfare.sock]
  path: /in
  max_body: 64KiB
  max_events: 5
  max_connections: 7
  header_timeout: 1s
  body_timeout: 2s
  idle_timeout: 3s
  bearer_token_file: /run/in
  tls: {cert_file: /c, key_file: /k, client_ca_file: /a}
admin: {listen: localhost:0, bearer_token_file: /run/ad, registry_metrics: true}
log: {level: debug, format: json}
threads: 0
queue: {max_bytes: 1GiB}
shutdown: {drain: 0s}
endpoints: []
)");

    Config expected;
    expected.ingest.listener.listen = {"0.0.0.0:9000", "[::1]:9000", "unix:/run/fanfare.sock"};
    expected.ingest.path = "/in";
    expected.ingest.listener.body_bytes_max = 65536;
    expected.ingest.events_max = 5;
    expected.ingest.listener.connections_max = 7;
    expected.ingest.listener.header_timeout = 1s;
    expected.ingest.listener.body_timeout = 2s;
    expected.ingest.listener.idle_timeout = 3s;
    expected.ingest.bearer_token_file = "/run/in";
    expected.ingest.listener.tls = {"/c", "/k", "/a"};
    expected.admin.listener.listen = {"localhost:0"};
    expected.admin.bearer_token_file = "/run/ad";
    expected.admin.registry_metrics = true;
    expected.log = {LogLevel::debug, LogFormat::json};
    expected.threads = 0;
    expected.queue_bytes_max = std::size_t{1} << 30U;
    expected.shutdown_drain = 0s;
    EXPECT_EQ(config, expected);
}

TEST(LoadConfig, reads_everything_of_an_endpoint) {
    const EndpointConfig endpoint = endpoint_of(R"(disabled: true
headers: {X-Team: [storage, web], Authorization: Bearer x, X-None: [], X-Empty: ['']}
timeout: 2s
connect_timeout: 500ms
threshold: 3
backoff: 700ms
max_in_flight: 8
format: event
success: [200-299, 304]
retry: {strategy: breaker, max_attempts: 5, max_age: 24h}
ignore: {mediatypes: [a/b], actions: [pull]}
ignoredmediatypes: [c/d]
tls: {ca_file: /ca, cert_file: /c, key_file: /k, server_name: s, min_version: 1.3,
      insecure_skip_verify: yes}
)");

    EndpointConfig expected;
    expected.name = "audit";
    expected.disabled = true;
    expected.http.url = "https://audit.example.com/hook";
    expected.http.headers = {
        {"X-Team", "storage"}, {"X-Team", "web"}, {"Authorization", "Bearer x"}, {"X-Empty", ""}};
    expected.http.timeout = 2s;
    expected.http.connect_timeout = 500ms;
    expected.retry.threshold = 3;
    expected.retry.backoff = 700ms;
    expected.max_in_flight = 8;
    expected.http.format = BodyFormat::event;
    expected.http.success = {{200, 299}, {304, 304}};
    expected.retry.attempts_max = 5;
    expected.retry.age_max = 24h;
    expected.ignored_media_types = {"a/b", "c/d"};
    expected.ignored_actions = {"pull"};
    expected.http.tls = {"/ca", "/c", "/k", "s", TlsOptions::MinVersion::tls1_3, true};
    EXPECT_EQ(endpoint, expected);
}

TEST(LoadConfig, takes_one_status_range_without_a_list) {
    const std::vector<StatusRange> registry = {{200, 399}};

    EXPECT_EQ(endpoint_of("success: 200-399").http.success, registry);
}

TEST(LoadConfig, reads_match_rules) {
    const EndpointConfig endpoint = endpoint_of(R"(match:
  - {field: /target/repository, op: prefix, value: library/}
  - {field: /action, op: in, value: [push, 5, true]}
  - {field: type, op: exists}
  - any:
      - [{field: /target/tag, op: glob, value: 'v[0-9]*'}, {field: /a~1b, op: absent}]
      - [{field: /x, op: not_in, value: y}, {field: /x, op: suffix, value: z}]
)");

    using Op = MatchRule::Op;
    const std::vector<std::vector<MatchRule>> any = {
        {{"/target/tag", Op::glob, {"v[0-9]*"}, {}}, {"/a~1b", Op::absent, {}, {}}},
        {{"/x", Op::not_in, {"y"}, {}}, {"/x", Op::suffix, {"z"}, {}}}};
    const std::vector<MatchRule> expected = {{"/target/repository", Op::prefix, {"library/"}, {}},
                                             {"/action", Op::in, {"push", "5", "true"}, {}},
                                             {"type", Op::exists, {}, {}},
                                             {"", Op::in, {}, any}};
    EXPECT_EQ(endpoint.match, expected);
}

TEST(LoadConfig, takes_defaults_as_whole_values) {
    const Config config = config_of(R"(
defaults:
  timeout: 2s
  headers: {X-A: a, X-B: b}
  retry: {max_attempts: 5, max_age: 1h}
  ignore: {actions: [pull]}
endpoints:
  - {name: plain, url: 'http://a/'}
  - name: own
    url: http://b/
    timeout: 3s
    headers: {X-C: c}
    retry: {max_age: 2h}
    ignoredmediatypes: [a/b]
)");

    ASSERT_EQ(config.endpoints.size(), 2U);
    const EndpointConfig& plain = config.endpoints[0];
    const EndpointConfig& own = config.endpoints[1];
    EXPECT_EQ(plain.http.timeout, 2s);
    EXPECT_EQ(plain.http.headers.size(), 2U);
    EXPECT_EQ(plain.retry.attempts_max, 5U);
    EXPECT_EQ(plain.retry.age_max, 1h);
    EXPECT_EQ(own.http.timeout, 3s);
    EXPECT_EQ(own.http.headers.size(), 1U);
    EXPECT_EQ(own.retry.attempts_max, 0U);
    EXPECT_EQ(own.retry.age_max, 2h);
    EXPECT_EQ(own.ignored_media_types, Texts{"a/b"});
    EXPECT_EQ(own.ignored_actions, Texts{"pull"});
}

TEST(LoadConfig, takes_defaults_where_an_endpoint_has_a_key_without_a_value) {
    const Config config =
        config_of("defaults: {timeout: 2s}\nendpoints: [{name: a, url: 'http://a/', timeout: }]\n");

    EXPECT_EQ(config.endpoints.at(0).http.timeout, 2s);
}

TEST(LoadConfig, takes_keys_without_a_value_as_not_there) {
    const std::string text =
        "ingest:\nadmin: {listen: }\nlog: ~\nthreads: null\ndefaults:\nendpoints: []\n";

    EXPECT_EQ(config_of(text), Config());
}

TEST(LoadConfig, replaces_variables_in_values) {
    const Environment variables =
        environment({{"HOST", "hook.example.com"}, {"EMPTY", ""}, {"N", "3"}, {"YES", "yes"}});

    const EndpointConfig endpoint = endpoint_of(R"(headers: {X-A: 'a ${HOST} b', X-B: "${EMPTY}"}
timeout: ${TIMEOUT:-3s}
backoff: ${EMPTY:-4s}
threshold: ${N}
disabled: ${YES}
ignore: {actions: ['$${HOST}', '$HOST', 'a$b', '${N}${N}', '${MISSING:-}']}
)",
                                                variables);

    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(endpoint.http.headers, (Headers{{"X-A", "a hook.example.com b"}, {"X-B", ""}}));
    EXPECT_EQ(endpoint.http.timeout, 3s);
    EXPECT_EQ(endpoint.retry.backoff, 4s);
    EXPECT_EQ(endpoint.retry.threshold, 3);
    EXPECT_TRUE(endpoint.disabled);
    EXPECT_EQ(endpoint.ignored_actions, (Texts{"${HOST}", "$HOST", "a$b", "33", ""}));
}

TEST(LoadConfig, does_not_look_at_what_a_variable_holds_again) {
    const Environment variables = environment({{"A", "${B}"}, {"B", "secret"}});

    EXPECT_EQ(endpoint_of("ignore: {actions: ['${A}']}", variables).ignored_actions, Texts{"${B}"});
}

TEST(LoadConfig, ignores_keys_that_begin_with_x_and_what_they_hold) {
    EXPECT_EQ(config_of("x-a: {b: '${UNSET}', b: 2}\nx-: 1\nendpoints: []\n"), Config());
}

TEST(LoadConfig, follows_aliases_and_merges) {
    const Config config = config_of(R"(
x-common: &common {timeout: 2s, backoff: 3s}
x-slow: &slow {timeout: 9s, threshold: 2}
endpoints:
  - &first
    <<: *common
    name: first
    url: http://a/
    backoff: 5s
  - <<: [*common, *slow]
    name: second
    url: http://b/
    headers: &headers {X-A: a}
  - {<<: *first, name: third, headers: *headers}
)");

    ASSERT_EQ(config.endpoints.size(), 3U);
    EXPECT_EQ(config.endpoints[0].http.timeout, 2s);
    EXPECT_EQ(config.endpoints[0].retry.backoff, 5s);
    EXPECT_EQ(config.endpoints[1].http.timeout, 2s);
    EXPECT_EQ(config.endpoints[1].retry.backoff, 3s);
    EXPECT_EQ(config.endpoints[1].retry.threshold, 2);
    EXPECT_EQ(config.endpoints[2].http.url, "http://a/");
    EXPECT_EQ(config.endpoints[2].retry.backoff, 5s);
    EXPECT_EQ(config.endpoints[2].http.headers.size(), 1U);
}

TEST(LoadConfig, does_not_merge_a_quoted_key) {
    EXPECT_EQ(errors_in("'<<': {threads: 2}\nendpoints: []\n"),
              "f:1:1: error: <<: unknown key; expected one of ingest, admin, log, threads, queue, "
              "dead_letters, egress, meta, history, streams, reload, shutdown, action_groups, "
              "defaults, endpoints, notifications\n");
}

TEST(LoadConfig, takes_a_byte_order_mark_windows_line_ends_and_a_document_start) {
    EXPECT_EQ(config_of("\xef\xbb\xbf---\r\nthreads: 2\r\nendpoints: []\r\n...\r\n").threads, 2U);
}

TEST(LoadConfig, keeps_the_order_of_the_endpoints) {
    const Config config = config_of(
        "endpoints: [{name: b, url: 'http://b/'}, {name: a, url: 'http://a/', disabled: on}]\n");

    ASSERT_EQ(config.endpoints.size(), 2U);
    EXPECT_EQ(config.endpoints[0].name, "b");
    EXPECT_EQ(config.endpoints[1].name, "a");
    EXPECT_TRUE(config.endpoints[1].disabled);
}

TEST(LoadConfig, takes_the_longest_name_and_every_character_of_names) {
    const std::string longest(64, 'n');

    const Config config = config_of("endpoints: [{name: " + longest +
                                    ", url: 'http://b/'}, {name: A.b_9-, url: 'http://a/'}]\n");

    EXPECT_EQ(config.endpoints.at(0).name, longest);
    EXPECT_EQ(config.endpoints.at(1).name, "A.b_9-");
}

TEST(LoadConfig, allows_one_port_zero_for_both_listeners) {
    config_of("ingest: {listen: '127.0.0.1:0'}\nadmin: {listen: '127.0.0.1:0'}\nendpoints: []\n");
}

TEST(LoadConfig, lists_at_most_a_thousand_problems_and_says_that_there_are_more) {
    std::string text = "endpoints: []\n";
    for (int i = 0; i < 5000; ++i) text += "key" + std::to_string(i) + ": 1\n";

    const LoadedConfig loaded = parse_config(text, "f", environment({}));

    const auto& errors = std::get<std::vector<ConfigError>>(loaded);
    EXPECT_EQ(errors.size(), 1001U);
    EXPECT_EQ(errors.back().message, "and more: too many to list");
}

TEST(ConfigError, has_a_place_only_if_there_is_one) {
    EXPECT_EQ((ConfigError{"f", 3, 5, "a.b", "bad"}).text(), "f:3:5: error: a.b: bad");
    EXPECT_EQ((ConfigError{"f", 3, 5, "", "bad"}).text(), "f:3:5: error: bad");
    EXPECT_EQ((ConfigError{"f", 0, 0, "", "bad"}).text(), "f: error: bad");
}

/// A file that goes away with the test.
class ConfigFile : public testing::Test {
  protected:
    ConfigFile() {
        std::string name = (fs::temp_directory_path() / "fanfare-config-XXXXXX").string();
        dir_ = ::mkdtemp(name.data());
    }
    ~ConfigFile() override { fs::remove_all(dir_); }

    fs::path write(const std::string& text) const {
        std::ofstream(dir_ / "fanfare.yaml") << text;
        return dir_ / "fanfare.yaml";
    }

    static std::string first_error(const fs::path& file) {
        const LoadedConfig loaded = load_config(file, environment({}));
        const auto* const errors = std::get_if<std::vector<ConfigError>>(&loaded);
        return errors == nullptr ? "none" : errors->front().text();
    }

    fs::path dir_;
};

TEST_F(ConfigFile, is_loaded) {
    const LoadedConfig loaded = load_config(write("threads: 2\nendpoints: []\n"), environment({}));

    ASSERT_TRUE(std::holds_alternative<Config>(loaded));
    EXPECT_EQ(std::get<Config>(loaded).threads, 2U);
}

TEST_F(ConfigFile, is_named_in_its_problems) {
    const fs::path file = write("endpoints: []\nthreads: x\n");

    EXPECT_EQ(first_error(file), file.string() +
                                     ":2:10: error: threads: \"x\" is no integer; "
                                     "expected an integer from 0 to 256");
}

TEST_F(ConfigFile, that_is_missing_is_one_error_without_a_place) {
    const fs::path file = dir_ / "nothing.yaml";

    EXPECT_EQ(first_error(file), file.string() +
                                     ": error: cannot be read: No such file or "
                                     "directory");
}

TEST_F(ConfigFile, that_is_a_directory_is_refused) {
    EXPECT_EQ(first_error(dir_), dir_.string() + ": error: is a directory; expected a file");
}

TEST_F(ConfigFile, that_may_not_be_read_is_refused) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
    const fs::path file = write("endpoints: []\n");
    ::chmod(file.c_str(), 0);

    EXPECT_EQ(first_error(file), file.string() + ": error: cannot be read: Permission denied");
}

TEST_F(ConfigFile, that_is_larger_than_four_mebibytes_is_refused) {
    const fs::path file = write("endpoints: []\n" + std::string(4 * 1024 * 1024, '#'));

    EXPECT_EQ(first_error(file), file.string() + ": error: is too large; expected at most 4MiB");
}

TEST_F(ConfigFile, reads_the_environment_of_the_process) {
    ::setenv("FANFARE_TEST_THREADS", "7", 1);
    const LoadedConfig loaded =
        load_config(write("threads: ${FANFARE_TEST_THREADS}\nendpoints: []\n"));
    ::unsetenv("FANFARE_TEST_THREADS");

    ASSERT_TRUE(std::holds_alternative<Config>(loaded));
    EXPECT_EQ(std::get<Config>(loaded).threads, 7U);
}

}  // namespace
}  // namespace fanfare::test
