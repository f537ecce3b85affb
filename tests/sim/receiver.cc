#include "sim/receiver.h"

#include <array>
#include <string_view>

namespace fanfare::sim {
namespace {

using namespace std::chrono_literals;
using Kind = Reply::Kind;

constexpr std::array<std::string_view, 8> mood_names = {"well",   "flaky", "failing", "refusing",
                                                        "silent", "slow",  "busy",    "picky"};

/// Of an id like e17; the same every time.
unsigned taste(const std::string& id) {
    unsigned sum = 0;
    for (const char c : id) sum = sum * 31 + static_cast<unsigned char>(c);
    return sum % 16;
}

}  // namespace

void Receiver::set_mood(Mood mood) {
    if (mood == mood_) return;
    mood_ = mood;
    story_.tell("receiver ", number_, " is ", mood_names.at(static_cast<std::size_t>(mood)));
}

void Receiver::change_mood() {
    // It is well every other time, so that something gets on.
    if (random_.percent(50)) return set_mood(Mood::well);
    set_mood(static_cast<Mood>(random_.between(1, mood_names.size() - 1)));
}

Reply Receiver::reply(const std::vector<std::string>& ids, Duration timeout) {
    Reply reply = well(timeout);
    switch (mood_) {
        case Mood::well:
            break;
        case Mood::flaky:
            return flaky(timeout);
        case Mood::failing:
            reply.status = random_.pick<int>({500, 502, 503, 504, 501});
            break;
        case Mood::refusing:
            reply.kind = Kind::reset;
            break;
        case Mood::silent:
            reply.kind = Kind::silence;
            break;
        case Mood::slow:
            reply.delay = random_.between(timeout / 2, timeout * 3 / 2);
            break;
        case Mood::busy:
            reply.status = random_.pick<int>({429, 503});
            reply.retry_after = std::chrono::seconds(random_.pick<int>({0, 1, 5, 60, 600, 7200}));
            break;
        case Mood::picky:
            return picky(ids, timeout);
    }
    return reply;
}

Reply Receiver::well(Duration timeout) {
    Reply reply;
    if (random_.percent(70)) reply.delay = random_.between(Duration(1us), timeout / 4);
    reply.status = random_.percent(90) ? 200 : 204;
    return reply;
}

Reply Receiver::flaky(Duration timeout) {
    Reply reply = well(timeout);
    switch (random_.below(12)) {
        case 0:
            reply.kind = Kind::reset;
            break;
        case 1:
            reply.kind = Kind::silence;
            break;
        case 2:
            reply.kind = Kind::garbage;
            break;
        case 3:
            reply.status = random_.pick<int>({301, 400, 401, 404, 409, 413, 422, 425});
            break;
        case 4:
            reply.status = random_.pick<int>({429, 503});
            reply.retry_after = std::chrono::seconds(random_.between(0, 20));
            break;
        case 5:
        case 6:
            reply.status = 500;
            break;
        case 7:
            if (random_.one_in(6)) reply.status = 410;
            break;
        default:
            break;
    }
    return reply;
}

Reply Receiver::picky(const std::vector<std::string>& ids, Duration timeout) {
    Reply reply = well(timeout);
    if (ids.size() > 4) {
        reply.status = 413;
        return reply;
    }
    for (const std::string& id : ids) {
        if (taste(id) == 0) reply.status = 422;
        if (taste(id) == 1) reply.status = 400;
    }
    return reply;
}

std::optional<bool> Receiver::takes_connection() {
    if (mood_ == Mood::refusing) return false;
    if (mood_ == Mood::silent && random_.percent(50)) return std::nullopt;
    if (mood_ == Mood::flaky && random_.one_in(10)) return false;
    return true;
}

void Receiver::see(const std::string& identity, const std::string& body) {
    const auto [found, is_new] = bodies_.emplace(identity, body);
    if (!is_new && found->second != body) {
        story_.fail("receiver ", number_, ": another body under the id ", identity);
    }
}

void Receiver::forget_batches() {
    std::erase_if(bodies_,
                  [](const auto& entry) { return entry.first.find(" sim-") != std::string::npos; });
}

}  // namespace fanfare::sim
