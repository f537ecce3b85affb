// A daemon with a disk, its crashes, and what it finds afterwards.
#include <algorithm>
#include <limits>

#include "sim/world.h"

namespace fanfare::sim {
namespace {

using namespace std::chrono_literals;

/// How long the journal may keep to itself what nobody waits for.
constexpr Duration delay_max = 100ms;

}  // namespace

void World::store(std::vector<std::shared_ptr<Event>> events) {
    const auto storing = std::make_shared<Storing>();
    storing->events = events;
    for (Chain& chain : chains_) {
        Ledger& ledger = *chain.ledger;
        if (ledger.is_removed()) continue;
        std::vector<bool> wanted;
        for (const std::shared_ptr<Event>& event : events) {
            wanted.push_back(!chain.endpoint->is_gone() && ledger.plan().wants(event->action()));
        }
        storing->routes.emplace_back(&ledger, std::move(wanted));
    }
    const auto refused = daemon_->broadcaster().store(
        events, [this, storing](Broadcaster::Stored result, Broadcaster::Written) {
            on_stored(*storing, result);
        });
    if (refused) on_stored(*storing, *refused);
    if (storing->result) return story_.tell("events are refused");
    story_.tell("store #", events.front()->seq(), " to #", events.back()->seq());
    storing->is_taken = true;
    storing_.push_back(storing);
}

void World::on_stored(Storing& storing, Broadcaster::Stored result) {
    if (storing.is_void) return;
    storing.result = result;
    if (result != Broadcaster::Stored::stored) return;
    const std::size_t count = storing.events.size();
    story_.tell("stored #", storing.events.front()->seq(), " to #", storing.events.back()->seq());
    stored_ += count;
    for (auto& [ledger, wanted] : storing.routes) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::shared_ptr<Event>& event = storing.events[i];
            if (wanted[i]) {
                ledger->taken(event, key_of(*event));
            } else {
                ledger->ignored();
            }
        }
    }
}

/// In the middle of whatever it does.
void World::crash() {
    if (random_.percent(70)) write();
    turn_a_little();
    story_.tell("crash");
    restart(false);
}

void World::restart_in_order() {
    const Duration limit = random_.between(Duration(0ms), Duration(10s));
    shut_down(limit);
    if (story_.has_failed()) return;
    for (Chain& chain : chains_) chain.ledger->keep_letters(random_, 1);
    bool is_stored = false;
    daemon_->journal().flush([&is_stored](bool flushed) { is_stored = flushed; });
    test::ManualClock::poll(daemon_->context());
    story_.tell("restart, all is on the disk: ", is_stored);
    restart(is_stored);
}

void World::restart(bool is_orderly) {
    const test::MemoryStore disk = store_->after_power_cut();
    note_unknown();
    end_daemon();
    for (Receiver& receiver : receivers_) receiver.forget_batches();
    store_ = std::make_unique<SimStore>(disk);
    const bool has_stepped = has_stepped_;
    const TimePoint broken_at = broken_at_;
    start_daemon();
    has_stepped_ = has_stepped;
    broken_at_ = broken_at;
    EndpointChanges changes;
    std::vector<Chain> before = std::move(chains_);
    chains_.clear();
    for (Chain& old : before) {
        const bool is_removed = old.ledger->was_removed();
        Chain chain;
        chain.ledger = std::make_unique<Ledger>(old.ledger->plan(), clock_, story_);
        bring_back(chain, *old.ledger, is_orderly);
        if (is_removed) {
            chain.ledger->removed(clock_.now(), DropReason::removed);
            chain.endpoint = nullptr;
        } else {
            changes.added.push_back(chain.endpoint);
        }
        chains_.push_back(std::move(chain));
    }
    unknown_.clear();
    has_stepped_ = false;
    broken_at_ = TimePoint::max();
    daemon_->broadcaster().apply(std::move(changes));
    settle();
}

/// Events of which nobody has said whether they are stored.
void World::note_unknown() {
    for (const std::shared_ptr<Storing>& storing : storing_) {
        storing->is_void = true;
        const bool is_known = storing->result && *storing->result != Broadcaster::Stored::failed;
        if (is_known || !storing->is_taken) continue;
        for (auto& [ledger, wanted] : storing->routes) {
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                if (!wanted[i]) continue;
                Item item;
                item.event = storing->events[i];
                item.seq = item.event->seq();
                item.accepted = item.event->accepted();
                item.key = key_of(*item.event);
                unknown_[ledger->name()][item.seq] = std::move(item);
            }
        }
    }
    storing_.clear();
}

/// Nobody hears or sees what it still does.
void World::end_daemon() {
    for (Chain& chain : chains_) chain.ledger->deafen();
    snapshots_.clear();
    agenda_.detach();
    if (!is_ending_) {
        test::Running<void> drain(daemon_->context(), daemon_->broadcaster().drain(clock_.now()));
        test::ManualClock::poll(daemon_->context());
    }
    for (Chain& chain : chains_) chain.endpoint = nullptr;
    for (Chain& chain : graveyard_) chain.endpoint = nullptr;
    test::ManualClock::poll(daemon_->context());
    daemon_ = nullptr;
    graveyard_.clear();
}

/// With what waits for it on the disk.
void World::bring_back(Chain& chain, const Ledger& before, bool is_orderly) {
    const EndpointId id = store_->open_endpoint(chain.ledger->name());
    const std::size_t all = std::numeric_limits<std::size_t>::max();
    const StoredPage page = store_->page(id, 0, {all, all});
    const Ledger::Restart restart{before,
                                  page,
                                  daemon_->times(),
                                  is_orderly,
                                  std::min(broken_at_, clock_.now()) - delay_max,
                                  has_stepped_,
                                  unknown_[chain.ledger->name()]};
    chain.ledger->restore(restart);
    chain.endpoint = daemon_->make_endpoint(chain.ledger->plan(), *chain.ledger);
}

World::Chain* World::find_removed(const std::string& name) {
    if (!store_) return nullptr;
    const auto found = std::find_if(chains_.begin(), chains_.end(), [&](const Chain& chain) {
        return chain.ledger->name() == name;
    });
    return found == chains_.end() ? nullptr : &*found;
}

void World::keep_letters() {
    for (Chain& chain : chains_) chain.ledger->keep_letters(random_, random_.between(1, 3));
}

void World::fill_disk() {
    story_.tell("the disk is full");
    store_->set_full(true);
    const Duration time = random_.between(Duration(1ms), Duration(10s));
    agenda_.add(clock_.now() + time, [this] {
        story_.tell("the disk has room");
        store_->set_full(false);
    });
}

void World::break_disk() {
    story_.tell("the disk breaks");
    store_->set_fault(random_.percent(50) ? SimStore::Fault::broken_before
                                          : SimStore::Fault::broken_after);
}

}  // namespace fanfare::sim
