#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "event/action_groups.h"
#include "runtime/meta_events.h"
#include "support/letters.h"
#include "support/pipeline.h"

namespace fanfare::test {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using nlohmann::json;

inline MatchRule action_in(Strings actions) {
    MatchRule rule;
    rule.field = "/action";
    rule.values = std::move(actions);
    return rule;
}

inline Strings meta_actions() { return built_in_action_groups().at("meta"); }

/// What asks for events of Fanfare's own with these actions.
inline EndpointOptions asking_for(Strings actions) {
    EndpointOptions options;
    options.asks_for_meta = true;
    options.filter = std::make_shared<MatchFilter>(std::vector{action_in(std::move(actions))});
    return options;
}

/// A receiver whose answer can be changed, and that keeps what it took.
struct Switched {
    Outcome answer = Outcome::refused(500);
    std::vector<json> took;
    unsigned attempts = 0;

    ScriptedSink::Script script() {
        return [this](const Attempt& attempt) {
            ++attempts;
            if (answer.verdict() != Verdict::delivered) return answer;
            for (const EventPtr& event : attempt.batch) {
                took.push_back(json::parse(event->payload()));
            }
            return answer;
        };
    }
    Strings actions() const {
        Strings actions;
        for (const json& event : took) actions.push_back(event.at("action"));
        return actions;
    }
};

inline Switched taking() {
    Switched switched;
    switched.answer = Outcome::delivered(204);
    return switched;
}

}  // namespace fanfare::test
