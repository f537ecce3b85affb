#include "http/client_tls.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "support/test_ca.h"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using test::CertificateFiles;
using test::TestCa;
namespace fs = std::filesystem;

class ClientTlsTest : public testing::Test {
  protected:
    ClientTlsTest() {
        files_ = ca_.issue();
        options_.ca_file = ca_.ca_file();
        options_.cert_file = files_.cert_file;
        options_.key_file = files_.key_file;
        tls_ = *ClientTls::make(options_);
    }

    TlsContextPtr at(Duration since) { return tls_->current(TimePoint{} + since, {&log_, "e"}); }

    /// As a tool does it that writes beside the file and renames.
    static void replace(const std::string& file, const std::string& by) {
        fs::copy_file(by, file + ".new", fs::copy_options::overwrite_existing);
        fs::rename(file + ".new", file);
    }

    TestCa ca_;
    CertificateFiles files_;
    TlsOptions options_;
    std::vector<std::string> lines_;
    Log log_{LogOptions{}, [this](std::string_view line) { lines_.emplace_back(line); }};
    std::shared_ptr<ClientTls> tls_;
};

TEST_F(ClientTlsTest, stays_the_same_while_the_files_do) {
    const TlsContextPtr first = at(0s);

    EXPECT_EQ(at(1s), first);
    EXPECT_EQ(at(1h), first);
    EXPECT_TRUE(lines_.empty());
}

TEST_F(ClientTlsTest, is_made_anew_of_changed_files_at_most_once_a_second) {
    const TlsContextPtr first = at(0s);
    const CertificateFiles next = ca_.issue();
    replace(files_.cert_file, next.cert_file);
    replace(files_.key_file, next.key_file);

    EXPECT_EQ(at(999ms), first);
    const TlsContextPtr second = at(1s);

    EXPECT_NE(second, first);
    EXPECT_EQ(at(10s), second);
    ASSERT_EQ(lines_.size(), 1U);
    EXPECT_NE(lines_[0].find("certificate files were read again"), std::string::npos);
    EXPECT_NE(lines_[0].find("endpoint=e"), std::string::npos);
}

TEST_F(ClientTlsTest, sees_new_authorities) {
    const TlsContextPtr first = at(0s);
    const TestCa other;

    replace(ca_.ca_file(), other.ca_file());

    EXPECT_NE(at(2s), first);
}

TEST_F(ClientTlsTest, sees_a_link_on_the_way_swapped) {
    const fs::path folder = fs::path(files_.cert_file).parent_path();
    fs::create_directory(folder / "one");
    fs::create_directory(folder / "two");
    fs::copy_file(ca_.ca_file(), folder / "one" / "ca.pem");
    fs::copy_file(TestCa().ca_file(), folder / "two" / "ca.pem");
    fs::create_symlink("one", folder / "..data");
    options_.ca_file = folder / "..data" / "ca.pem";
    tls_ = *ClientTls::make(options_);
    const TlsContextPtr first = at(0s);

    fs::create_symlink("two", folder / "..data_tmp");
    fs::rename(folder / "..data_tmp", folder / "..data");

    EXPECT_NE(at(2s), first);
}

TEST_F(ClientTlsTest, keeps_the_last_good_files_and_warns_once_while_the_new_ones_are_broken) {
    const TlsContextPtr first = at(0s);
    const CertificateFiles next = ca_.issue();
    replace(files_.cert_file, next.cert_file);  // the key does not fit any more

    for (int second = 1; second < 10; ++second) EXPECT_EQ(at(second * 1s), first);
    ASSERT_EQ(lines_.size(), 1U);
    EXPECT_NE(lines_[0].find("the last ones stay"), std::string::npos);
    EXPECT_NE(lines_[0].find(files_.key_file), std::string::npos);

    replace(files_.key_file, next.key_file);
    EXPECT_NE(at(20s), first);
    EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(ClientTlsTest, survives_the_loss_of_its_files) {
    const TlsContextPtr first = at(0s);

    fs::remove(ca_.ca_file());

    EXPECT_EQ(at(2s), first);
    EXPECT_EQ(at(4s), first);
    EXPECT_EQ(lines_.size(), 1U);
}

}  // namespace
}  // namespace fanfare
