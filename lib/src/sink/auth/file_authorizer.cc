#include "base/base64.h"
#include "base/secret_file.h"
#include "sink/auth/authorizer.h"

namespace fanfare {
namespace {

/// A header line that is made anew when the file of its secret changes.
class FileAuthorizer final : public Authorizer {
  public:
    FileAuthorizer(AuthOptions options, SecretFile file)
        : options_(std::move(options)), file_(std::move(file)) {
        make_line();
    }

    const std::string& line(TimePoint now, std::string_view endpoint) override {
        if (file_.refresh(now, endpoint)) make_line();
        return line_;
    }

  private:
    void make_line() {
        const std::string& secret = file_.text().reveal();
        const bool is_bearer = options_.type == AuthOptions::Type::bearer;
        line_ = is_bearer ? "Authorization: Bearer " + secret
                          : "Authorization: Basic " + base64(options_.username + ":" + secret);
        line_ += "\r\n";
    }

    const AuthOptions options_;
    SecretFile file_;
    std::string line_;
};

}  // namespace

Result<std::shared_ptr<Authorizer>> make_file_authorizer(const AuthOptions& options, Log* log) {
    const bool is_bearer = options.type == AuthOptions::Type::bearer;
    if (!is_bearer && options.type != AuthOptions::Type::basic) {
        return std::shared_ptr<Authorizer>();
    }
    SecretFile::Options watched{.file = is_bearer ? options.token_file : options.password_file,
                                .what = is_bearer ? "bearer token file" : "password file",
                                .component = "endpoint",
                                .check = is_bearer ? check_token : check_one_line};
    Result<SecretFile> file = SecretFile::load(std::move(watched), log);
    if (file.has_error()) return file.error();
    return std::shared_ptr<Authorizer>(std::make_shared<FileAuthorizer>(options, std::move(*file)));
}

}  // namespace fanfare
