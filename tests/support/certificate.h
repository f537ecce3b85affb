#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace fanfare::test {

/// A self-signed certificate for `localhost`, 127.0.0.1 and ::1 with its key, as PEM files that
/// live as long as this object.
class Certificate {
  public:
    explicit Certificate(const std::filesystem::path& folder)
        : cert_file_(folder / "cert.pem"), key_file_(folder / "key.pem") {
        const Key key(EVP_EC_gen("P-256"));
        const X509Ptr certificate(X509_new());
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME* const name = X509_get_subject_name(certificate.get());
        const auto* const common = reinterpret_cast<const unsigned char*>("localhost");
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        add_extension(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
        add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
        if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
            throw std::runtime_error("cannot sign the certificate");
        }

        const File cert(std::fopen(cert_file_.c_str(), "w"));
        PEM_write_X509(cert.get(), certificate.get());
        const File secret(std::fopen(key_file_.c_str(), "w"));
        PEM_write_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    }
    ~Certificate() {
        std::error_code ignored;
        std::filesystem::remove(cert_file_, ignored);
        std::filesystem::remove(key_file_, ignored);
    }
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    std::string cert_file() const { return cert_file_; }
    std::string key_file() const { return key_file_; }

  private:
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(X509* certificate) const { X509_free(certificate); }
        void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using Key = std::unique_ptr<EVP_PKEY, Free>;
    using X509Ptr = std::unique_ptr<X509, Free>;
    using File = std::unique_ptr<std::FILE, Free>;

    static void add_extension(X509* certificate, int id, const char* value) {
        const std::unique_ptr<X509_EXTENSION, Free> extension(
            X509V3_EXT_conf_nid(nullptr, nullptr, id, value));
        X509_add_ext(certificate, extension.get(), -1);
    }

    const std::filesystem::path cert_file_;
    const std::filesystem::path key_file_;
};

}  // namespace fanfare::test
