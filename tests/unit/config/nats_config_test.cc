// `queue: {storage: nats}`.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "config/config_diff.h"
#include "config/effective.h"
#include "config_support.h"

namespace fanfare::test {
namespace {

using Texts = std::vector<std::string>;

/// What a build without NATS refuses in the first place.
class NatsConfig : public testing::Test {
  protected:
    void SetUp() override {
        if (!is_nats_built_in()) GTEST_SKIP() << "this build has no NATS";
    }

    static Config with(const std::string& more, const std::string& endpoints = "endpoints: []\n") {
        return config_of("queue: {storage: nats, servers: ['nats://a'], " + more + "}\n" +
                         endpoints);
    }

    static nlohmann::json shown(const Config& config) {
        return nlohmann::json::parse(effective_config(config))["queue"];
    }
};

TEST(NatsConfigWithoutNats, is_refused) {
    if (is_nats_built_in()) GTEST_SKIP() << "this build has NATS";

    EXPECT_EQ(errors_in("queue: {storage: nats, servers: ['nats://a']}\nendpoints: []\n"),
              "f:1:18: error: queue.storage: \"nats\" is known, but this build has no NATS; "
              "expected one of memory, disk\n");
}

TEST_F(NatsConfig, has_defaults) {
    const NatsOptions nats = with("").storage.nats;

    EXPECT_EQ(nats.servers, Texts{"nats://a"});
    EXPECT_EQ(nats.stream, "fanfare");
    EXPECT_EQ(nats.replicas, 3U);
    EXPECT_EQ(nats.max_age, Duration::zero());
    EXPECT_EQ(nats.bytes_max, 10240 * mib);
    EXPECT_EQ(nats.duplicate_window, std::chrono::minutes(2));
    EXPECT_FALSE(nats.ready_when_disconnected);
    EXPECT_FALSE(nats.has_tls());
}

TEST_F(NatsConfig, takes_every_key) {
    const StorageOptions storage =
        config_of(
            "queue: {storage: nats, servers: ['tls://u:p@a:1', 'nats://[::1]:2', "
            "'nats://token@b'],\n"
            "        credentials_file: /c, tls: {ca_file: /ca, cert_file: /t, key_file: /k,\n"
            "        insecure_skip_verify: true}, stream: my_Stream-1, replicas: 5, max_age: 48h,\n"
            "        duplicate_window: 10m, ready_when_disconnected: true, ack_timeout: 2s,\n"
            "        removed_grace: 1h}\nendpoints: []\n")
            .storage;

    EXPECT_EQ(storage.nats.servers, (Texts{"tls://u:p@a:1", "nats://[::1]:2", "nats://token@b"}));
    EXPECT_EQ(storage.nats.credentials_file, "/c");
    EXPECT_EQ(storage.nats.tls, (NatsTlsOptions{"/ca", "/t", "/k", true}));
    EXPECT_EQ(storage.nats.stream, "my_Stream-1");
    EXPECT_EQ(storage.nats.replicas, 5U);
    EXPECT_EQ(storage.nats.max_age, std::chrono::hours(48));
    EXPECT_EQ(storage.nats.duplicate_window, std::chrono::minutes(10));
    EXPECT_TRUE(storage.nats.ready_when_disconnected);
    EXPECT_EQ(storage.ack_timeout, std::chrono::seconds(2));
    EXPECT_EQ(storage.removed_grace, std::chrono::hours(1));
}

TEST_F(NatsConfig, takes_one_server_without_a_list) {
    const Config config = config_of("queue: {storage: nats, servers: nats://a}\nendpoints: []\n");

    EXPECT_EQ(config.storage.nats.servers, Texts{"nats://a"});
}

/// Whatever the order of the keys in the file.
TEST_F(NatsConfig, takes_max_bytes_for_the_bound_of_the_stream) {
    const Config config =
        config_of("queue: {max_bytes: 1GiB, servers: nats://a, storage: nats}\nendpoints: []\n");

    EXPECT_EQ(config.storage.nats.bytes_max, 1024 * mib);
    EXPECT_EQ(config.queue_bytes_max, 256 * mib);
    EXPECT_EQ(shown(config)["max_bytes"], "1GiB");
    EXPECT_EQ(shown(with(""))["max_bytes"], "10GiB");
}

TEST_F(NatsConfig, asks_for_tls_by_the_url_or_by_any_key_of_it) {
    EXPECT_TRUE(config_of("queue: {storage: nats, servers: [nats://a, tls://b]}\nendpoints: []\n")
                    .storage.nats.has_tls());
    EXPECT_TRUE(with("tls: {ca_file: /c}").storage.nats.has_tls());
    EXPECT_FALSE(with("tls: {insecure_skip_verify: false}").storage.nats.has_tls());
}

TEST_F(NatsConfig, keeps_dead_letters_without_a_folder) {
    const Config config = config_of(
        "queue: {storage: nats, servers: nats://a}\ndead_letters: {max_bytes: 2MiB}\n"
        "endpoints: []\n");

    EXPECT_EQ(config.dead_letters.dir, "");
    EXPECT_EQ(config.dead_letters.bytes_max, 2 * mib);
    EXPECT_EQ(config.warnings, Texts{});
}

TEST_F(NatsConfig, has_endpoints_without_bounds_of_their_own) {
    const char* const endpoints =
        "defaults: {queue: {max_events: 0, max_bytes: 128MiB, overflow: drop_oldest}}\n"
        "endpoints: [{name: a, url: 'http://a/'}, {name: b, url: 'http://b/', queue: {}}]\n";

    for (const EndpointConfig& endpoint : with("", endpoints).endpoints) {
        EXPECT_EQ(endpoint.queue, QueueBounds()) << endpoint.name;
    }
}

TEST_F(NatsConfig, takes_the_same_order_by_at_several_endpoints) {
    const Config config =
        with("",
             "endpoints: [{name: a, url: 'http://a/', order_by: /k},\n"
             "            {name: b, url: 'http://b/'}, {name: c, url: 'http://c/', order_by: /k}]");

    EXPECT_EQ(config.endpoints[2].order_by, "/k");
}

/// With `storage` alone replaced, as the first thing that anybody tries.
TEST_F(NatsConfig, takes_the_file_of_all_defaults) {
    std::string text = file_text("config/fanfare.yaml");
    const auto replace = [&](const std::string& before, const std::string& after) {
        const std::size_t at = text.find(before);
        ASSERT_NE(at, std::string::npos) << before;
        text.replace(at, before.size(), after);
    };
    replace("storage: memory", "storage: nats");
    replace("servers: []", "servers: [nats://a]");

    EXPECT_EQ(config_of(text).storage.storage, QueueStorage::nats);
}

TEST_F(NatsConfig, shows_no_secret) {
    const Config config = config_of(
        "queue: {storage: nats, servers: ['nats://canary:canary@a:1', 'tls://canary@[::1]']}\n"
        "endpoints: []\n");

    EXPECT_EQ(effective_config(config).find("canary"), std::string::npos);
    EXPECT_EQ(shown(config)["servers"], (nlohmann::json{"nats://a:1", "tls://[::1]"}));
}

TEST_F(NatsConfig, needs_a_restart_for_any_change) {
    const auto changed = [&](const std::string& more) {
        return diff_configs(with(""), with(more)).needs_restart;
    };

    EXPECT_EQ(changed("stream: b"), Texts{"queue.stream"});
    EXPECT_EQ(changed("max_bytes: 1GiB, replicas: 1"),
              (Texts{"queue.max_bytes", "queue.replicas"}));
    EXPECT_EQ(changed("tls: {ca_file: /c}"), Texts{"queue.tls.ca_file"});
    EXPECT_EQ(diff_configs(config_of("endpoints: []\n"), with("")).needs_restart,
              (Texts{"queue.storage", "queue.max_bytes", "queue.servers"}));
}

TEST_F(NatsConfig, needs_a_restart_for_another_password_that_is_not_shown) {
    const auto with_password = [](const std::string& password) {
        return config_of("queue: {storage: nats, servers: 'nats://u:" + password +
                         "@a'}\nendpoints: []\n");
    };

    EXPECT_EQ(diff_configs(with_password("one"), with_password("two")).needs_restart,
              Texts{"queue.servers"});
    EXPECT_EQ(diff_configs(with_password("one"), with_password("one")).needs_restart, Texts{});
}

TEST_F(NatsConfig, tells_of_keys_for_the_disk_that_nothing_heeds) {
    EXPECT_EQ(with("dir: /d, max_disk: 1GiB, recovery: strict").warnings,
              (Texts{"queue.dir has no effect without storage: disk",
                     "queue.max_disk has no effect without storage: disk",
                     "queue.recovery has no effect without storage: disk"}));
}

TEST(NatsKeys, are_told_of_where_nothing_heeds_them) {
    const Config config = config_of(
        "queue: {servers: nats://a, credentials_file: /c, tls: {ca_file: /c}, stream: b,\n"
        "        replicas: 1, max_age: 1h, duplicate_window: 1m, ready_when_disconnected: true,\n"
        "        ack_timeout: 1s}\nendpoints: []\n");

    Texts expected = {"queue.ack_timeout has no effect without storage: disk or nats"};
    for (const char* key : {"servers", "credentials_file", "tls", "stream", "replicas", "max_age",
                            "duplicate_window", "ready_when_disconnected"}) {
        expected.push_back("queue." + std::string(key) + " has no effect without storage: nats");
    }
    EXPECT_EQ(config.warnings, expected);
}

}  // namespace
}  // namespace fanfare::test
