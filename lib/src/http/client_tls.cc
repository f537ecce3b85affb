#include "http/client_tls.h"

namespace fanfare {

Result<std::shared_ptr<ClientTls>> ClientTls::make(const TlsOptions& options) {
    std::shared_ptr<ClientTls> tls(new ClientTls(options));
    // Before the reading: what changes after that is seen at the next look.
    tls->stamps_ = tls->look();
    Result<TlsContextPtr> context = make_client_tls(options);
    if (context.has_error()) return context.error();
    tls->context_ = std::move(*context);
    return tls;
}

TlsContextPtr ClientTls::current(TimePoint now, const Listener& listener) {
    // Not now - checked_, which would overflow at first.
    if (checked_ != TimePoint::min() && now - checked_ < recheck_interval) return context_;
    checked_ = now;
    const Stamps stamps = look();
    if (stamps != stamps_ || is_broken_) {
        stamps_ = stamps;
        read_again(listener);
    }
    return context_;
}

void ClientTls::read_again(const Listener& listener) {
    Result<TlsContextPtr> context = make_client_tls(options_);
    const bool was_broken = is_broken_;
    is_broken_ = context.has_error();
    if (!is_broken_) {
        context_ = std::move(*context);
        if (listener.log == nullptr) return;
        listener.log->info("endpoint", "certificate files were read again",
                           {{"endpoint", listener.endpoint}});
    } else if (!was_broken && listener.log != nullptr) {
        listener.log->warn("endpoint", "certificate files are of no use, the last ones stay",
                           {{"endpoint", listener.endpoint}, {"error", context.error().message()}});
    }
}

ClientTls::Stamps ClientTls::look() const noexcept {
    Stamps stamps;
    const std::array<const std::string*, 3> files = {&options_.ca_file, &options_.cert_file,
                                                     &options_.key_file};
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (!files[i]->empty()) stamps[i] = stamp_of(*files[i]);
    }
    return stamps;
}

}  // namespace fanfare
