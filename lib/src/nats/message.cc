#include <nats/nats.h>

#include <cassert>

#include "nats/connection.h"

namespace fanfare {

namespace {

std::string_view view(const char* text) noexcept {
    return text == nullptr ? std::string_view() : std::string_view(text);
}

constexpr std::size_t messages_max = 64;
constexpr std::size_t bytes_max = 256 << 10;

// A deleter has no other way to what its thread is about.
thread_local NatsMessage::DestroyBatch* current_batch = nullptr;

}  // namespace

NatsMessage::DestroyBatch::DestroyBatch() {
    assert(current_batch == nullptr);
    messages_.reserve(messages_max);
    current_batch = this;
}

NatsMessage::DestroyBatch::~DestroyBatch() {
    current_batch = nullptr;
    give_back();
}

void NatsMessage::DestroyBatch::take(natsMsg* message) noexcept {
    messages_.push_back(message);  // there is room
    bytes_ += static_cast<std::size_t>(natsMsg_GetDataLength(message));
    if (messages_.size() == messages_max || bytes_ >= bytes_max) give_back();
}

void NatsMessage::DestroyBatch::give_back() noexcept {
    for (natsMsg* const message : messages_) natsMsg_Destroy(message);
    messages_.clear();
    bytes_ = 0;
}

void NatsMessage::Destroy::operator()(natsMsg* message) const noexcept {
    if (current_batch == nullptr) return natsMsg_Destroy(message);
    current_batch->take(message);
}

std::string_view NatsMessage::subject() const noexcept {
    return message_ ? view(natsMsg_GetSubject(message_.get())) : std::string_view();
}

std::string_view NatsMessage::reply() const noexcept {
    return message_ ? view(natsMsg_GetReply(message_.get())) : std::string_view();
}

std::string_view NatsMessage::payload() const noexcept {
    if (!message_) return {};
    return {natsMsg_GetData(message_.get()),
            static_cast<std::size_t>(natsMsg_GetDataLength(message_.get()))};
}

std::string_view NatsMessage::header(const char* name) const noexcept {
    const char* value = nullptr;
    if (!message_ || natsMsgHeader_Get(message_.get(), name, &value) != NATS_OK) return {};
    return view(value);
}

int NatsMessage::status() const noexcept {
    if (!message_ || natsMsg_GetDataLength(message_.get()) != 0) return 0;
    const std::string_view text = header("Status");
    int status = 0;
    for (const char c : text.substr(0, 3)) {
        if (c < '0' || c > '9') return 0;
        status = status * 10 + (c - '0');
    }
    return status;
}

}  // namespace fanfare
