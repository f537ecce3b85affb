#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fanfare/budget.h"
#include "fanfare/clock.h"

namespace fanfare {

/// What an event arrived as; decides the media type of the envelope it leaves in (SPEC 6).
enum class MediaType : std::uint8_t {
    json,         ///< application/json and friends: leaves in a v2 registry envelope
    registry_v1,  ///< application/vnd.docker.distribution.events.v1+json
    registry_v2,  ///< application/vnd.docker.distribution.events.v2+json
    cloudevents,  ///< a CloudEvents 1.0 event in structured form
    meta,         ///< one of Fanfare's own (SPEC 16); leaves as json does
};

/// The text of the media type that `type` stands for.
std::string_view media_type_text(MediaType type) noexcept;

/// What is known of an event besides its payload. The views are copied by Event::make.
struct EventFields {
    std::string_view id = {};                 ///< never empty; the same on every attempt
    std::string_view action = {};             ///< may be empty
    std::string_view target_media_type = {};  ///< `target.mediaType`, may be empty
    std::string_view traceparent = {};        ///< of the ingest request, may be empty
    std::string_view tracestate = {};         ///< of the ingest request, may be empty
};

/// One JSON object on its way to every endpoint: immutable once written to a Broadcaster, shared
/// by all endpoints, its bytes exactly as received. One allocation holds the event and its text.
class Event {
    struct Token {};  // keeps the constructor to make()

  public:
    /// `payload` is one JSON object, kept byte for byte. `reservation` is held until the last
    /// owner lets go.
    static std::shared_ptr<Event> make(std::string_view payload, const EventFields& fields,
                                       MediaType type = MediaType::json,
                                       Reservation reservation = {});

    Event(Token, MediaType type, Reservation reservation) noexcept
        : reservation_(std::move(reservation)), type_(type) {}
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    /// Given by the Broadcaster, from 1, and kept across a restart; 0 before that.
    std::uint64_t seq() const noexcept { return seq_; }

    /// When the Broadcaster took it.
    TimePoint accepted() const noexcept { return accepted_; }

    std::string_view payload() const noexcept { return {text(), payload_bytes_}; }
    std::string_view id() const noexcept { return view(id_); }
    std::string_view action() const noexcept { return view(action_); }
    std::string_view target_media_type() const noexcept { return view(target_media_type_); }
    std::string_view traceparent() const noexcept { return view(traceparent_); }
    std::string_view tracestate() const noexcept { return view(tracestate_); }
    MediaType type() const noexcept { return type_; }

  private:
    friend class Broadcaster;
    friend class DurableQueue;
    friend class SharedQueue;

    /// The payload, and behind it the fields that were not given as parts of it. There can be
    /// millions of events, so the pointer is not kept: the text lies right behind the object.
    const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }

    struct Slice {
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
    };
    std::string_view view(Slice slice) const noexcept {
        return {text() + slice.offset, slice.size};
    }

    std::uint64_t seq_ = 0;
    TimePoint accepted_{};
    Reservation reservation_;
    std::uint32_t payload_bytes_ = 0;
    MediaType type_;
    Slice id_, action_, target_media_type_, traceparent_, tracestate_;
};

using EventPtr = std::shared_ptr<const Event>;

/// Events in acceptance order; never empty.
using Batch = std::span<const EventPtr>;

/// The form of an event id that may stand in a `webhook-id` header: the id itself if it matches
/// [A-Za-z0-9_-]{1,64}, else `evt_` and 32 characters of base64url(SHA-256(id)) (SPEC 1).
std::string header_id(std::string_view id);

}  // namespace fanfare
