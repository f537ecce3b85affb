#include "stream_support.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace fanfare::test {
namespace {

using Json = nlohmann::json;

std::string number(const Json& json) { return json.is_null() ? "null" : json.dump(); }

/// A frame in short, see OpenStream::take().
std::string in_short(const std::string& line) {
    const Json frame = Json::parse(line, nullptr, false);
    if (!frame.is_object()) return "broken<" + line + ">";
    const std::string type = frame.value("type", "");
    if (type == "event") return number(frame.at("seq"));
    if (type == "gap") return "gap:" + number(frame.at("from")) + "-" + number(frame.at("to"));
    if (type == "close") return "close:" + frame.at("reason").get<std::string>();
    if (type == "hello" || type == "ping") return type;
    return "unknown<" + line + ">";
}

}  // namespace

awaitable<bool> FakeReader::write(std::string_view text) {
    ++begun;
    if (is_throwing) throw std::runtime_error("on purpose");
    while (is_waiting()) co_await changed_.wait();
    if (is_held && let_through_ > 0) --let_through_;
    if (is_cut || is_broken || has_gone_) co_return false;
    texts.emplace_back(text);
    co_return true;
}

OpenStream::OpenStream(StreamBench& bench, Response answer)
    : reader(bench.context.get_executor()), response(std::move(answer)), bench_(bench) {
    EXPECT_EQ(response.status, 200) << response.body;
}

OpenStream::~OpenStream() {
    reader.leave();
    bench_.poll();
    EXPECT_TRUE(!running_ || running_->is_done()) << "a stream outlives its reader";
}

void OpenStream::begin() {
    running_.emplace(bench_.context, response.stream(reader));
    bench_.poll();
}

std::string OpenStream::take_text() {
    std::string all;
    for (; taken_ < reader.texts.size(); ++taken_) all += reader.texts[taken_];
    return all;
}

std::string OpenStream::take() {
    std::istringstream text(take_text());
    std::string all;
    for (std::string line; std::getline(text, line);) {
        if (!all.empty()) all += ' ';
        all += in_short(line);
    }
    return all;
}

Answering::Answering(StreamBench& bench, Asked asked) : bench_(bench), asked_(std::move(asked)) {
    head_.method = asked_.method;
    head_.target = asked_.target;
    for (const auto& [name, value] : asked_.fields) head_.fields.emplace_back(name, value);
    const AdminRoute* const route = bench.routes_.find(head_.method, head_.path());
    if (route == nullptr) throw std::logic_error("no route for " + asked_.target);
    Result<Query> query = Query::parse(head_.target, route->parameters);
    if (!query) throw std::logic_error(query.error().message());
    AdminCall call{head_,
                   asked_.peer,
                   std::string(AdminRoutes::name_in(*route, head_.path())),
                   std::move(*query),
                   "",
                   asked_.is_awaited};
    running_.emplace(bench.context, route->serve(std::move(call)));
    bench.poll();
}

Answering::~Answering() {
    if (is_done()) return;
    bench_.hub.stop();
    bench_.wait_until_so([this] {
        bench_.advance(EventRoutes::pace);
        return is_done();
    });
}

StreamBench::StreamBench()
    : log_(LogOptions{LogLevel::debug, LogFormat::text},
           [this](std::string_view line) { lines_.emplace_back(line); }) {
    event_routes_.add_to(routes_);
}

StreamBench::~StreamBench() { EXPECT_EQ(open_streams(), 0U) << "a place was not given back"; }

void StreamBench::use(const StreamsOptions& options) {
    hub.set_options(options);
    poll();
}

void StreamBench::keep(std::size_t capacity) {
    HistoryOptions options = history.options();
    options.capacity = capacity;
    history.resize(options);
    poll();
}

void StreamBench::add(std::size_t count, std::string_view action, std::string_view payload) {
    EventFields fields;
    fields.id = "an-id";
    fields.action = action;
    const std::vector<std::shared_ptr<Event>> events(count, Event::make(payload, fields));
    history.add(history.copy(events), next_, EventSource::http);
    next_ += count;
    poll();
}

Response StreamBench::ask(Asked asked) {
    Answering answering(*this, std::move(asked));
    wait_until_so([&] { return answering.is_done(); });
    return answering.get();
}

std::unique_ptr<OpenStream> StreamBench::open_without_beginning(Asked asked) {
    return std::make_unique<OpenStream>(*this, ask(std::move(asked)));
}

std::unique_ptr<OpenStream> StreamBench::open(const std::string& parameters) {
    std::unique_ptr<OpenStream> stream =
        open_without_beginning({.target = "/v1/events/stream?" + parameters});
    stream->begin();
    return stream;
}

int StreamBench::kick(const std::string& id) {
    return ask({.target = "/v1/streams/" + id, .method = "DELETE"}).status;
}

std::vector<std::string> StreamBench::logged(std::string_view part) const {
    std::vector<std::string> found;
    for (const std::string& line : lines_) {
        if (line.find(part) != std::string::npos) found.push_back(line);
    }
    return found;
}

void StreamBench::wait_until_so(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("waited too long");
        context.restart();
        context.run_one_for(std::chrono::milliseconds(10));
    }
}

}  // namespace fanfare::test
