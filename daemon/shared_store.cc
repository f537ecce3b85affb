#include "shared_store.h"

#include <algorithm>

#include "config/config_text.h"
#include "event/json_lookup.h"

#if FANFARE_WITH_NATS
#include "nats/nats_board.h"
#include "nats/nats_dead_letters.h"
#include "nats/nats_log.h"
#endif

namespace fanfare {

std::string instance_of(const std::string& log_id) {
    const std::string hash = hash_of(log_id);
    std::string text = hash.substr(hash.find(':') + 1, 32);
    for (const std::size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
    return text;
}

#if FANFARE_WITH_NATS

namespace {

/// The one pointer that events are ordered by, as the configuration has it checked; else empty.
std::string order_of(const Config& config) {
    for (const EndpointConfig& endpoint : config.endpoints) {
        if (!endpoint.order_by.empty()) return endpoint.order_by;
    }
    return {};
}

/// Events without anything there share a partition.
unsigned partition(const std::string& pointer, const Event& event) {
    JsonLookup lookup(event.payload());
    return partition_of(lookup.find(pointer).text);
}

NatsConnectionOptions connection_options(const NatsOptions& nats) {
    NatsConnectionOptions options;
    options.servers = nats.servers;
    options.credentials_file = nats.credentials_file;
    options.ca_file = nats.tls.ca_file;
    options.cert_file = nats.tls.cert_file;
    options.key_file = nats.tls.key_file;
    options.insecure_skip_verify = nats.tls.insecure_skip_verify;
    return options;
}

NatsLogOptions log_options(const Config& config) {
    const NatsOptions& nats = config.storage.nats;
    NatsLogOptions options;
    options.stream = nats.stream;
    options.replicas = nats.replicas;
    options.bytes_max = nats.bytes_max;
    options.age_max = nats.max_age;
    options.duplicate_window = nats.duplicate_window;
    options.ack_timeout = config.storage.ack_timeout;
    options.history_records = config.history.capacity;
    options.first_places = static_cast<unsigned>(
        std::count_if(config.endpoints.begin(), config.endpoints.end(),
                      [](const EndpointConfig& endpoint) { return !endpoint.disabled; }));
    std::string pointer = order_of(config);
    if (!pointer.empty()) {
        options.partition = [pointer = std::move(pointer)](const Event& event) {
            return partition(pointer, event);
        };
    }
    return options;
}

NatsBoardOptions board_options(const NatsOptions& nats) {
    return {nats.stream + "_board", nats.replicas};
}

NatsDeadLetters::Options letter_options(const Config& config) {
    NatsDeadLetters::Options options;
    options.stream = config.storage.nats.stream;
    options.replicas = config.storage.nats.replicas;
    options.bytes_max = config.dead_letters.bytes_max;
    return options;
}

class NatsStore final : public SharedStore {
  public:
    NatsStore(const Config& config, Clock& clock, Log& log)
        : connection_(clock, log, connection_options(config.storage.nats)),
          events_(connection_, log_options(config)),
          board_(connection_, board_options(config.storage.nats)),
          dead_letters_(connection_, letter_options(config)) {
        dead_letters_.start();
        connection_.start();
    }

    SharedLog& events() override { return events_; }
    DeadLetters& dead_letters() override { return dead_letters_; }
    Board& board() override { return board_; }
    void stop() override { connection_.stop(); }
    void change(const Config& config) override { events_.change(log_options(config)); }

  private:
    NatsConnection connection_;
    NatsLog events_;
    NatsBoard board_;
    NatsDeadLetters dead_letters_;
};

}  // namespace

std::unique_ptr<SharedStore> SharedStore::open(const Config& config, Clock& clock, Log& log) {
    log.warn("daemon", "a server answers before an event is on its disk unless it syncs always",
             {{"stream", config.storage.nats.stream}, {"replicas", config.storage.nats.replicas}});
    if (config.storage.nats.max_age != Duration::zero()) {
        log.warn("daemon", "events older than queue.max_age are dropped, delivered or not", {});
    }
    if (config.storage.nats.tls.insecure_skip_verify) {
        log.warn("daemon", "any certificate of the queue's servers is taken", {});
    }
    return std::make_unique<NatsStore>(config, clock, log);
}

#else

/// The configuration refuses what is not built in.
std::unique_ptr<SharedStore> SharedStore::open(const Config&, Clock&, Log&) { return nullptr; }

#endif

}  // namespace fanfare
