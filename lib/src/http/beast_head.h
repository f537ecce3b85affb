#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string_view>

#include "http/field_values.h"

namespace fanfare {

/// Where to put what a head says; the views point into its text.
struct HeadViews {
    FieldViews& fields;
    std::string_view method;  ///< of a request
    std::string_view target;  ///< of a request
    int status = 0;           ///< of a response
    int version = 0;
};

/// Lets Beast take a whole head apart that a HeadScanner has passed. No copy, no container of
/// fields. Bodies are not Beast's business: it is laxer there than SPEC 4.
template <bool isRequest>
class BeastHead final : public boost::beast::http::basic_parser<isRequest> {
  public:
    explicit BeastHead(HeadViews& views) : views_(views) {}

    /// What Beast finds wrong with `text`; no error if nothing is.
    boost::system::error_code read(std::string_view text) {
        boost::system::error_code error;
        this->header_limit(static_cast<std::uint32_t>(text.size()));
        this->skip(true);
        this->put(boost::asio::buffer(text.data(), text.size()), error);
        return error;
    }

  private:
    using Error = boost::system::error_code;
    using View = boost::beast::string_view;

    static std::string_view view(View text) { return {text.data(), text.size()}; }

    void on_request_impl(boost::beast::http::verb /*verb*/, View method, View target, int version,
                         Error& /*error*/) override {
        views_.method = view(method);
        views_.target = view(target);
        views_.version = version;
    }
    void on_response_impl(int status, View /*reason*/, int version, Error& /*error*/) override {
        views_.status = status;
        views_.version = version;
    }
    void on_field_impl(boost::beast::http::field /*field*/, View name, View value,
                       Error& /*error*/) override {
        views_.fields.emplace_back(view(name), view(value));
    }
    void on_header_impl(Error& /*error*/) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                           Error& /*error*/) override {}
    std::size_t on_body_impl(View body, Error& /*error*/) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t /*size*/, View /*extension*/,
                              Error& /*error*/) override {}
    std::size_t on_chunk_body_impl(std::uint64_t /*left*/, View body, Error& /*error*/) override {
        return body.size();
    }
    void on_finish_impl(Error& /*error*/) override {}

    HeadViews& views_;
};

/// What is wrong, a constant phrase.
const char* describe_beast_error(boost::system::error_code error);

}  // namespace fanfare
