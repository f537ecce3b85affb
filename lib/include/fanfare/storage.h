#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fanfare/clock.h"

namespace fanfare {

/// Where accepted events are kept until every endpoint is done with them (SPEC 11).
enum class QueueStorage : std::uint8_t { memory, disk, nats };

/// What becomes of a store's file that is damaged as a whole.
enum class Recovery : std::uint8_t {
    salvage,  ///< it is moved aside, and a new one begun
    strict,   ///< it is refused
};

/// TLS towards the NATS servers. Verification is on by default: chain, and host name or IP.
struct NatsTlsOptions {
    std::string ca_file;    ///< PEM; empty: the system's roots
    std::string cert_file;  ///< PEM, client certificate; with key_file or not at all
    std::string key_file;
    bool insecure_skip_verify = false;
    bool operator==(const NatsTlsOptions&) const = default;
};

/// The stream that several processes share, and how to get to it.
struct NatsOptions {
    /// `nats://` and `tls://` URLs, at least one; may hold a user and a password, or a token.
    std::vector<std::string> servers;
    std::string credentials_file;  ///< empty: none
    NatsTlsOptions tls;
    std::string stream = "fanfare";                 ///< 1 to 64 of [A-Za-z0-9_-]
    unsigned replicas = 3;                          ///< 1, 3 or 5
    Duration max_age{};                             ///< zero: none; else at least duplicate_window
    std::size_t bytes_max = std::size_t{10} << 30;  ///< of the stream
    Duration duplicate_window = std::chrono::minutes(2);
    bool ready_when_disconnected = false;

    /// Whether every connection is to be encrypted.
    bool has_tls() const;
    bool operator==(const NatsOptions&) const = default;
};

/// Whether this build can keep events in NATS at all.
bool is_nats_built_in() noexcept;

/// `queue`, but for its bound in memory.
struct StorageOptions {
    QueueStorage storage = QueueStorage::memory;

    // For `disk`.
    std::string dir = "/var/lib/fanfare";
    std::size_t disk_bytes_max = std::size_t{10} << 30;
    Recovery recovery = Recovery::salvage;

    // For `disk` and `nats`.
    Duration ack_timeout = std::chrono::seconds(5);
    Duration removed_grace = std::chrono::hours(24);

    NatsOptions nats;

    bool is_durable() const noexcept { return storage == QueueStorage::disk; }
    bool is_shared() const noexcept { return storage == QueueStorage::nats; }
    bool operator==(const StorageOptions&) const = default;
};

}  // namespace fanfare
