#include "fanfare/event.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "base/byte_set.h"

namespace fanfare {
namespace {

/// Allocates `extra` bytes behind the object, so that an event and its text are one block.
template <class T>
struct TrailingAllocator {
    using value_type = T;

    explicit TrailingAllocator(std::size_t bytes) noexcept : extra(bytes) {}
    template <class U>
    TrailingAllocator(const TrailingAllocator<U>& other) noexcept : extra(other.extra) {}

    T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T) + extra)); }
    void deallocate(T* p, std::size_t) noexcept { ::operator delete(p); }

    friend bool operator==(const TrailingAllocator&, const TrailingAllocator&) { return true; }

    std::size_t extra;
};

/// Where `text` begins in `whole`, if it is a part of it and not just the same.
std::optional<std::size_t> offset_in(std::string_view whole, std::string_view text) {
    const std::less_equal<> is_before;
    const bool is_part = is_before(whole.data(), text.data()) &&
                         is_before(text.data() + text.size(), whole.data() + whole.size());
    if (!is_part) return std::nullopt;
    return static_cast<std::size_t>(text.data() - whole.data());
}

constexpr std::string_view header_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr ByteSet header_bytes = with({}, header_alphabet);

bool is_header_safe(std::string_view id) {
    return !id.empty() && id.size() <= 64 && skip(id, 0, header_bytes) == id.size();
}

/// An event that waits may cost 128 bytes over its payload; allocate_shared and malloc need 40.
static_assert(sizeof(Event) <= 80);

}  // namespace

std::string_view media_type_text(MediaType type) noexcept {
    switch (type) {
        case MediaType::json:
            return "application/json";
        case MediaType::registry_v1:
            return "application/vnd.docker.distribution.events.v1+json";
        case MediaType::registry_v2:
            return "application/vnd.docker.distribution.events.v2+json";
        case MediaType::cloudevents:
            return "application/cloudevents+json";
        case MediaType::meta:
            break;
    }
    return "application/json";
}

std::shared_ptr<Event> Event::make(std::string_view payload, const EventFields& fields,
                                   MediaType type, Reservation reservation) {
    const std::array<std::string_view, 5> texts = {
        fields.id, fields.action, fields.target_media_type, fields.traceparent, fields.tracestate};
    std::size_t size = payload.size();
    for (const std::string_view text : texts) {
        if (!offset_in(payload, text)) size += text.size();
    }

    const TrailingAllocator<Event> allocator(size);
    const auto event =
        std::allocate_shared<Event>(allocator, Token{}, type, std::move(reservation));
    // allocate_shared puts the event at the end of its block, so the text begins right behind it.
    char* const text = reinterpret_cast<char*>(event.get() + 1);
    std::size_t end = 0;
    const auto append = [&](std::string_view part) {
        const Slice slice{static_cast<std::uint32_t>(end), static_cast<std::uint32_t>(part.size())};
        std::copy(part.begin(), part.end(), text + end);
        end += part.size();
        return slice;
    };
    event->payload_bytes_ = append(payload).size;
    const std::array<Slice*, texts.size()> slices = {&event->id_, &event->action_,
                                                     &event->target_media_type_,
                                                     &event->traceparent_, &event->tracestate_};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::optional<std::size_t> offset = offset_in(payload, texts[i]);
        *slices[i] = offset ? Slice{static_cast<std::uint32_t>(*offset),
                                    static_cast<std::uint32_t>(texts[i].size())}
                            : append(texts[i]);
    }
    return event;
}

std::string header_id(std::string_view id) {
    if (is_header_safe(id)) return std::string(id);

    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned digest_size = 0;
    EVP_Digest(id.data(), id.size(), digest.data(), &digest_size, EVP_sha256(), nullptr);
    // 32 characters of base64url are the first 24 bytes, so there is no padding to think of.
    std::string text = "evt_";
    for (std::size_t i = 0; i < 24; i += 3) {
        const unsigned bits = digest[i] << 16U | digest[i + 1] << 8U | digest[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            text += header_alphabet[(bits >> static_cast<unsigned>(shift)) & 63U];
        }
    }
    return text;
}

}  // namespace fanfare
