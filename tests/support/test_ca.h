#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/tmp_dir.h"

namespace fanfare::test {

/// PEM files of a certificate and its key; they live as long as the TestCa that made them.
struct CertificateFiles {
    std::string cert_file;
    std::string key_file;
};

/// A certificate authority made on the spot, with its files in a folder of its own.
class TestCa {
  public:
    TestCa() : key_(EVP_EC_gen("P-256")) {
        Subject subject;
        subject.common_name = "Test CA";
        certificate_ = make(subject, key_.get(), Issuer{nullptr, key_.get()}, ca);
        ca_file_ = write("ca.pem", pem_of(certificate_.get()));
    }

    /// To be trusted.
    const std::string& ca_file() const { return ca_file_; }

    struct Subject {
        std::string common_name = "localhost";
        /// As OpenSSL writes them: `DNS:localhost,IP:127.0.0.1`; empty: none.
        std::string alternative_names = "DNS:localhost,IP:127.0.0.1,IP:::1";
        bool is_expired = false;
        bool is_not_yet_valid = false;
        /// As OpenSSL writes it: `serverAuth`; empty: for everything.
        std::string extended_usage;
    };

    CertificateFiles issue(const Subject& subject) {
        const Key key(EVP_EC_gen("P-256"));
        const Certificate certificate =
            make(subject, key.get(), Issuer{certificate_.get(), key_.get()}, leaf);
        return write_files(pem_of(certificate.get()), key.get());
    }
    CertificateFiles issue() { return issue(Subject{}); }

    /// Signed by an authority that this one has signed. With its certificate in the file, or not.
    CertificateFiles issue_by_intermediate(bool with_intermediate) {
        Subject subject;
        subject.common_name = "Intermediate CA";
        const Key middle_key(EVP_EC_gen("P-256"));
        const Certificate middle =
            make(subject, middle_key.get(), Issuer{certificate_.get(), key_.get()}, ca);
        const Key key(EVP_EC_gen("P-256"));
        const Certificate certificate =
            make(Subject{}, key.get(), Issuer{middle.get(), middle_key.get()}, leaf);
        const std::string chain = with_intermediate ? pem_of(middle.get()) : "";
        return write_files(pem_of(certificate.get()) + chain, key.get());
    }

    /// Signed by nobody but itself.
    CertificateFiles sign_itself() {
        const Key key(EVP_EC_gen("P-256"));
        const Certificate certificate =
            make(Subject{}, key.get(), Issuer{nullptr, key.get()}, leaf);
        return write_files(pem_of(certificate.get()), key.get());
    }

  private:
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(X509* certificate) const { X509_free(certificate); }
        void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
        void operator()(BIO* memory) const { BIO_free(memory); }
    };
    using Key = std::unique_ptr<EVP_PKEY, Free>;
    using Certificate = std::unique_ptr<X509, Free>;
    using Memory = std::unique_ptr<BIO, Free>;

    static constexpr const char* ca = "critical,CA:TRUE";
    static constexpr const char* leaf = "critical,CA:FALSE";

    struct Issuer {
        X509* certificate;  ///< null: the subject itself
        EVP_PKEY* key;
    };

    CertificateFiles write_files(const std::string& chain, EVP_PKEY* key) {
        const std::string number = std::to_string(serial_);
        CertificateFiles files;
        files.cert_file = write("cert" + number + ".pem", chain);
        files.key_file = write("key" + number + ".pem", pem_of(key));
        return files;
    }

    Certificate make(const Subject& subject, EVP_PKEY* key, const Issuer& issuer,
                     const char* constraints) {
        Certificate made(X509_new());
        X509* const x509 = made.get();
        X509_set_version(x509, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(x509), subject.is_not_yet_valid ? 3600 : -7200);
        X509_gmtime_adj(X509_getm_notAfter(x509), subject.is_expired ? -3600 : 86400);
        X509_set_pubkey(x509, key);
        const auto* name = reinterpret_cast<const unsigned char*>(subject.common_name.c_str());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC, name, -1, -1,
                                   0);
        X509* const signer = issuer.certificate != nullptr ? issuer.certificate : x509;
        X509_set_issuer_name(x509, X509_get_subject_name(signer));
        extend(x509, NID_basic_constraints, constraints);
        if (!subject.alternative_names.empty()) {
            extend(x509, NID_subject_alt_name, subject.alternative_names.c_str());
        }
        if (!subject.extended_usage.empty()) {
            extend(x509, NID_ext_key_usage, subject.extended_usage.c_str());
        }
        if (X509_sign(x509, issuer.key, EVP_sha256()) == 0) {
            throw std::runtime_error("cannot sign a certificate");
        }
        return made;
    }

    static void extend(X509* certificate, int id, const char* value) {
        const std::unique_ptr<X509_EXTENSION, Free> extension(
            X509V3_EXT_conf_nid(nullptr, nullptr, id, value));
        X509_add_ext(certificate, extension.get(), -1);
    }

    static std::string pem_of(X509* certificate) {
        const Memory memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(memory.get(), certificate);
        return text_of(memory.get());
    }
    static std::string pem_of(EVP_PKEY* key) {
        const Memory memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
        return text_of(memory.get());
    }
    static std::string text_of(BIO* memory) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(memory, &data);
        return {data, static_cast<std::size_t>(size)};
    }

    std::string write(const std::string& name, const std::string& text) {
        const std::string path = folder_.path() / name;
        std::ofstream(path) << text;
        return path;
    }

    TmpDir folder_;
    long serial_ = 0;
    Key key_;
    Certificate certificate_;
    std::string ca_file_;
};

}  // namespace fanfare::test
