#pragma once

#include <string>
#include <vector>

namespace fanfare::test {

inline const std::string key_1 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
inline const std::string key_2 = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
inline const std::string private_key =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
inline const std::string public_key = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
inline const std::string some_body = R"({"test": 2432232314})";

/// A webhook and the signature that it must have.
struct WebhookVector {
    std::vector<std::string> secrets;
    std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    std::int64_t timestamp = 1614265330;
    std::string body = some_body;
    std::string signature;
};

inline std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
}

/// Of Standard Webhooks: those of its libraries, and some more, computed independently.
inline std::vector<WebhookVector> webhook_vectors() {
    const std::string by_key_1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    return {
        {.secrets = {key_1}, .signature = by_key_1},
        {.secrets = {key_2},
         .id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
         .timestamp = 1649367553,
         .body = R"({"email":"test@example.com","username":"test_user"})",
         .signature = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="},
        {.secrets = {private_key},
         .signature =
             "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3"
             "mNl8EM+m7TBAg=="},
        {.secrets = {key_1, key_2},
         .signature = by_key_1 + " v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44="},
        {.secrets = {key_1},
         .body = "",
         .signature = "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A="},
        {.secrets = {key_1},
         .body = all_bytes(),
         .signature = "v1,sEcZ042G8Crqgxbybb3y0eDxQR3TcfYsk11I1XULhSI="},
    };
}

}  // namespace fanfare::test
