#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/random.h"
#include "sim/story.h"

namespace fanfare::sim {

/// What a receiver does with one request.
struct Reply {
    enum class Kind : std::uint8_t {
        answer,
        reset,    ///< the connection ends within the answer
        garbage,  ///< an answer that is not HTTP
        silence,  ///< none
    };

    Kind kind = Kind::answer;
    int status = 200;
    Duration delay{};
    std::optional<Duration> retry_after;
};

/// Where events are sent to. Its mood decides how it answers, and changes. Outlives the daemon.
class Receiver {
  public:
    enum class Mood : std::uint8_t {
        well,
        flaky,     ///< a bit of everything
        failing,   ///< 5xx
        refusing,  ///< no connection, or one that ends
        silent,
        slow,  ///< often too slow
        busy,  ///< asks for time
        picky  ///< does not like some events, and no large batches
    };

    Receiver(unsigned number, Random& random, Story& story)
        : number_(number), random_(random), story_(story) {}

    void set_mood(Mood mood);
    void change_mood();
    Mood mood() const noexcept { return mood_; }

    /// Of a request with these events.
    Reply reply(const std::vector<std::string>& ids, Duration timeout);
    /// Whether it takes a connection; nothing: it does not even say no.
    std::optional<bool> takes_connection();

    /// A request as it came over the wire, for one with the same `identity` must have the same body
    /// every time.
    void see(const std::string& identity, const std::string& body);
    /// Of batches, which a restart may form anew.
    void forget_batches();

  private:
    Reply well(Duration timeout);
    Reply flaky(Duration timeout);
    Reply picky(const std::vector<std::string>& ids, Duration timeout);

    const unsigned number_;
    Random& random_;
    Story& story_;
    Mood mood_ = Mood::well;
    std::map<std::string, std::string> bodies_;
};

}  // namespace fanfare::sim
