// How a Broadcaster writes events of Fanfare's own.
#include <utility>

#include "fanfare/broadcaster.h"
#include "runtime/inbox.h"
#include "runtime/sharing.h"
#include "runtime/steady_wall.h"
#include "store/journal.h"

namespace fanfare {
/// An event on its way to those who ask for it.
struct Broadcaster::MetaWriting {
    explicit MetaWriting(std::shared_ptr<std::atomic<unsigned>> counter)
        : under_way(std::move(counter)) {
        ++*under_way;
    }
    ~MetaWriting() { --*under_way; }
    MetaWriting(const MetaWriting&) = delete;
    MetaWriting& operator=(const MetaWriting&) = delete;

    static void push(const std::shared_ptr<MetaWriting>& self);

    std::shared_ptr<std::atomic<unsigned>> under_way;
    std::shared_ptr<Event> event;
    History::Copies copies;
    Readers readers;
};

/// Any thread: to the shards.
void Broadcaster::MetaWriting::push(const std::shared_ptr<MetaWriting>& self) {
    for (const std::shared_ptr<Endpoint>& reader : self->readers) {
        reader->shard().inbox_->push([self, reader] { reader->take_meta(self->event); });
    }
}

bool Broadcaster::write_meta(std::shared_ptr<Event> event, std::string_view about) {
    if (sharing_) return share_meta(std::move(event), about);
    History::Copies copies;
    if (history_ != nullptr) copies = history_->copy({&event, 1});
    const std::lock_guard lock(mutex_);
    if (is_closed_ || *meta_under_way_ >= meta_under_way_max) return false;
    if (!about.empty() && !find_now(about)) return false;
    const auto writing = std::make_shared<MetaWriting>(meta_under_way_);
    writing->readers = readers_of(*event, about);
    writing->event = std::move(event);
    writing->copies = std::move(copies);
    number(*writing->event, lanes_.front().shard->clock().now());
    if (journal_ != nullptr) return store_meta(writing);
    remember(*writing);
    MetaWriting::push(writing);
    return true;
}

/// With a journal on its thread, as all that history is told then, so that nothing comes in
/// between.
void Broadcaster::remember(MetaWriting& writing) {
    if (history_ == nullptr) return;
    history_->add(std::move(writing.copies), writing.event->seq(), EventSource::meta);
}

/// With the mutex held. There are few who ask, and an event is small.
Broadcaster::Readers Broadcaster::readers_of(const Event& event, std::string_view about) const {
    Readers readers;
    for (const Lane& lane : lanes_) {
        for (const std::weak_ptr<Endpoint>& entry : lane.endpoints) {
            std::shared_ptr<Endpoint> endpoint = entry.lock();
            if (!endpoint || !endpoint->asks_for_meta_ || endpoint->name() == about) continue;
            if (endpoint->has_closed() || endpoint->is_gone()) continue;
            const bool is_wanted = !endpoint->filter_ || endpoint->filter_->wants(event);
            if (is_wanted) readers.push_back(std::move(endpoint));
        }
    }
    return readers;
}

/// With the mutex held. Also what nobody asks for: a number that readers of history have seen must
/// be on the disk, or it would be given again after a restart. So what is not stored is not told.
bool Broadcaster::store_meta(const std::shared_ptr<MetaWriting>& writing) {
    const Event& event = *writing->event;
    const std::uint64_t seq = event.seq();
    Append append;
    append.events.push_back({seq, times_->wall(event.accepted()), writing->event});
    for (const std::shared_ptr<Endpoint>& reader : writing->readers) {
        append.wanted.push_back({reader->store_id_, {seq, seq}, event.payload().size()});
    }
    const auto on_appended = [this, writing](Appended appended) {
        if (appended != Appended::stored) return;
        // Who finds it in the history and asks for its fate comes behind it.
        const std::lock_guard lock(mutex_);
        remember(*writing);
        MetaWriting::push(writing);
    };
    if (journal_->append(std::move(append), on_appended) == Intake::taken) return true;
    last_seq_ = seq - 1;
    return false;
}

}  // namespace fanfare
