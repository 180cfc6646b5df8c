// Fetches a file over HTTP(S) into memory, and writes it to disk only when it is complete and the right one.
#pragma once

#include <curl/curl.h>
#include <openssl/evp.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sequent/core/error.hpp"
#include "sequent/io/file.hpp"

namespace news {

struct remote_file {
    std::string name;
    std::size_t max_bytes = 0;
    std::string algorithm;  // OpenSSL's name: "MD5", "SHA256"
    std::string digest;     // lower-case hexadecimal
};

// Seconds.
struct patience {
    long connect = 5;
    long stalled = 10;  // with less than 1000 bytes a second
    long whole = 600;
};

// Told the bytes so far and in all (0: unknown), several times a second; false gives up.
using download_watch = std::function<bool(std::size_t, std::size_t)>;

[[nodiscard]] inline std::string hex_digest(std::string const& algorithm, std::string_view bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_MD const* const method = EVP_get_digestbyname(algorithm.c_str());
    if (method == nullptr || EVP_Digest(bytes.data(), bytes.size(), digest, &size, method, nullptr) != 1)
        throw sequent::error("cannot compute a checksum: OpenSSL offers no " + algorithm);
    std::string text;
    for (unsigned char const byte : std::span(digest, size)) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

namespace detail {
struct transfer {
    std::size_t max_bytes;
    download_watch const& watch;
    std::string body;
    bool too_large = false;

    // curl calls these; no exception may pass through it.
    static std::size_t take(char* bytes, std::size_t, std::size_t count, void* mine) noexcept {
        auto& self = *static_cast<transfer*>(mine);
        self.too_large = count > self.max_bytes - self.body.size();
        if (self.too_large) return 0;
        try {
            self.body.append(bytes, count);
        } catch (...) {
            return 0;
        }
        return count;
    }
    static int tell(void* mine, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) noexcept {
        auto& self = *static_cast<transfer*>(mine);
        try {
            return self.watch && !self.watch(static_cast<std::size_t>(done), static_cast<std::size_t>(total)) ? 1 : 0;
        } catch (...) {
            return 1;
        }
    }
};
}  // namespace detail

// The body of a GET. Redirects are not followed. Throws file_error, naming the URL: no connection, a certificate that
// does not verify, any answer but 200, more than max_bytes, cut off, too slow, given up.
[[nodiscard]] inline std::string get(std::string const& url, std::size_t max_bytes, patience const& patience = {},
                                     download_watch const& watch = {}) {
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> const handle(curl_easy_init(), &curl_easy_cleanup);
    if (!handle) throw sequent::file_error(url, "", "cannot be fetched: libcurl does not start");
    CURL* const curl = handle.get();
    detail::transfer transfer{max_bytes, watch, {}};
    char reason[CURL_ERROR_SIZE] = "";
    CURLcode result = CURLE_OK;
    auto const set = [&](CURLoption option, auto value) {
        if (result == CURLE_OK) result = curl_easy_setopt(curl, option, value);
    };
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(reason));
    set(CURLOPT_USERAGENT, "sequent-news-classifier");
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, patience.connect);
    set(CURLOPT_LOW_SPEED_LIMIT, 1000L);
    set(CURLOPT_LOW_SPEED_TIME, patience.stalled);
    set(CURLOPT_TIMEOUT, patience.whole);
    set(CURLOPT_WRITEFUNCTION, &detail::transfer::take);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_XFERINFOFUNCTION, &detail::transfer::tell);
    set(CURLOPT_XFERINFODATA, &transfer);
    set(CURLOPT_NOPROGRESS, 0L);
    if (result == CURLE_OK) result = curl_easy_perform(curl);

    if (transfer.too_large) throw sequent::file_error(url, "", sequent::message("has more than ", max_bytes, " bytes"));
    if (result != CURLE_OK)
        throw sequent::file_error(
            url, "", sequent::message("cannot be fetched: ", reason[0] != '\0' ? reason : curl_easy_strerror(result)));
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) throw sequent::file_error(url, "", sequent::message("the server answered ", status));
    return std::move(transfer.body);
}

// Fetches base_url/file.name and writes it into the folder, which is made if need be. Throws file_error: as get(), a
// wrong checksum, or a file that cannot be written; then there is no such file, or still the old one.
inline void download(std::string const& base_url, remote_file const& file, std::filesystem::path const& folder,
                     patience const& patience = {}, download_watch const& watch = {}) {
    std::string const url = base_url + "/" + file.name;
    std::string const body = get(url, file.max_bytes, patience, watch);
    if (std::string const digest = hex_digest(file.algorithm, body); digest != file.digest)
        throw sequent::file_error(
            url, "",
            sequent::message("is not the expected file: ", file.algorithm, " ", digest, ", not ", file.digest));
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) throw sequent::file_error(folder.string(), "", "cannot be made: " + failure.message());
    sequent::write_file_atomically(folder / file.name, std::as_bytes(std::span(body)));
}

}  // namespace news
