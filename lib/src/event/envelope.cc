#include "fanfare/envelope.h"

namespace fanfare {

Envelope::Envelope(Batch batch) {
    const auto append = [this](std::string_view text) {
        buffers_.emplace_back(text.data(), text.size());
        size_bytes_ += text.size();
    };
    append(opening);
    append(batch.front()->payload());
    for (const EventPtr& event : batch.subspan(1)) {
        append(separator);
        append(event->payload());
    }
    append(closing);
}

std::string_view Envelope::media_type(Batch batch) noexcept {
    const MediaType received = batch.front()->type();
    const bool is_v1 = received == MediaType::registry_v1;
    return media_type_text(is_v1 ? MediaType::registry_v1 : MediaType::registry_v2);
}

}  // namespace fanfare
