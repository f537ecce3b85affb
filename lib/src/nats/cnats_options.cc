#include "nats/cnats_options.h"

#include <algorithm>

namespace fanfare {

namespace {

/// To each server.
constexpr int reconnects_max = 3;

std::int64_t milliseconds_of(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// Sets one thing after another until one is refused, and keeps what was said of that.
class Setter {
  public:
    void operator()(natsStatus status, std::string_view what) {
        if (!is_good_ || status == NATS_OK) return;
        is_good_ = false;
        natsStatus last = NATS_OK;
        const char* detail = nats_GetLastError(&last);
        problem_ = std::string(what) + ": " + natsStatus_GetText(status);
        if (detail != nullptr && *detail != '\0') problem_ += std::string(", ") + detail;
    }
    bool is_good() const noexcept { return is_good_; }
    const std::string& problem() const noexcept { return problem_; }

  private:
    bool is_good_ = true;
    std::string problem_;
};

void set_security(natsOptions* to, const NatsConnectionOptions& options, Setter& set) {
    if (!options.credentials_file.empty()) {
        set(natsOptions_SetUserCredentialsFromFiles(to, options.credentials_file.c_str(), nullptr),
            "credentials file");
    }
    if (!wants_tls(options)) return;
    set(natsOptions_SetSecure(to, true), "TLS");
    if (!options.ca_file.empty()) {
        set(natsOptions_LoadCATrustedCertificates(to, options.ca_file.c_str()), "CA file");
    }
    if (!options.cert_file.empty()) {
        set(natsOptions_LoadCertificatesChain(to, options.cert_file.c_str(),
                                              options.key_file.c_str()),
            "certificate and key");
    }
    if (options.insecure_skip_verify) {
        set(natsOptions_SkipServerVerification(to, true), "TLS without verification");
    }
}

void set_hooks(natsOptions* to, const CnatsHooks& hooks, Setter& set) {
    // Without a handler cnats would write errors to stderr.
    set(natsOptions_SetErrorHandler(to, hooks.on_error, hooks.closure), "error handler");
    set(natsOptions_SetReconnectedCB(to, hooks.on_connected, hooks.closure), "reconnect handler");
    set(natsOptions_SetDisconnectedCB(to, hooks.on_lost, hooks.closure), "disconnect handler");
    set(natsOptions_SetClosedCB(to, hooks.on_closed, hooks.closure), "close handler");
}

}  // namespace

bool wants_tls(const NatsConnectionOptions& options) {
    if (!options.ca_file.empty() || !options.cert_file.empty() || options.insecure_skip_verify) {
        return true;
    }
    return std::any_of(options.servers.begin(), options.servers.end(),
                       [](const std::string& url) { return url.rfind("tls://", 0) == 0; });
}

Result<CnatsOptions> make_cnats_options(const NatsConnectionOptions& options,
                                        const CnatsHooks& hooks) {
    natsOptions* raw = nullptr;
    if (natsOptions_Create(&raw) != NATS_OK) return Error("no memory for the options");
    CnatsOptions made(raw);

    std::vector<const char*> servers;
    for (const std::string& url : options.servers) servers.push_back(url.c_str());
    Setter set;
    set(natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())), "servers");
    // One thread for all subscriptions, not one for each.
    set(natsOptions_UseGlobalMessageDelivery(raw, true), "delivery threads");
    set(natsOptions_SetName(raw, options.name.c_str()), "name");
    set(natsOptions_SetTimeout(raw, milliseconds_of(options.connect_timeout)), "timeout");
    set(natsOptions_SetAllowReconnect(raw, true), "reconnect");
    // Not for ever: files are read anew, and why there is no connection is told, only by the first
    // connect of another one.
    set(natsOptions_SetMaxReconnect(raw, reconnects_max), "reconnects");
    const std::int64_t wait = milliseconds_of(options.reconnect_wait);
    set(natsOptions_SetReconnectWait(raw, wait), "wait");
    set(natsOptions_SetReconnectJitter(raw, wait / 2, wait / 2), "jitter");
    set(natsOptions_SetPingInterval(raw, milliseconds_of(options.ping_interval)), "ping interval");
    set(natsOptions_SetMaxPingsOut(raw, 2), "pings");
    // A server that takes nothing for so long counts as gone; else a call could wait for ever.
    set(natsOptions_SetWriteDeadline(raw, milliseconds_of(options.connect_timeout)), "deadline");
    // Nothing is kept for a later connection: whoever wants an answer asks again.
    set(natsOptions_SetReconnectBufSize(raw, 1), "buffer");
    set_hooks(raw, hooks, set);
    set_security(raw, options, set);
    if (!set.is_good()) return Error(set.problem());
    return made;
}

}  // namespace fanfare
