// A web server for one client after the other on 127.0.0.1, that answers as a test tells it to.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sequent_tests {

class loopback_server {
  public:
    // The bytes of an answer to a request for this path, "/a/train.csv"; all of them are sent, then the connection is
    // closed, or with keep_open left as it is until the server ends.
    struct answer {
        std::string bytes;
        bool keep_open = false;
    };
    using handler = std::function<answer(std::string const& path)>;

    explicit loopback_server(handler answers) : answers_(std::move(answers)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        listening_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (listening_ < 0 || bind(listening_, generic, size) != 0 || listen(listening_, 8) != 0 ||
            getsockname(listening_, generic, &size) != 0)
            throw std::runtime_error("no socket on the loopback address");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    loopback_server(loopback_server const&) = delete;
    loopback_server& operator=(loopback_server const&) = delete;
    ~loopback_server() {
        stopped_ = true;
        thread_.join();
        close(listening_);
        for (int const client : open_) close(client);
    }

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int requests() const { return requests_; }

    // A whole answer, with the length that it has, or another.
    static answer reply(std::string_view status, std::string const& body, std::size_t length) {
        return {"HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(length) +
                "\r\nConnection: close\r\n\r\n" + body};
    }
    static answer reply(std::string_view status, std::string const& body) { return reply(status, body, body.size()); }

  private:
    [[nodiscard]] bool readable(int file) const {
        pollfd waiting{file, POLLIN, 0};
        while (!stopped_)
            if (poll(&waiting, 1, 20) > 0) return true;
        return false;
    }
    void serve() {
        while (readable(listening_)) {
            int const client = accept(listening_, nullptr, nullptr);
            if (client < 0) continue;
            if (exchange(client))
                open_.push_back(client);
            else
                close(client);
        }
    }
    // Whether to keep the connection.
    bool exchange(int client) {
        std::string request;
        char bytes[4096];
        while (request.find("\r\n\r\n") == request.npos) {
            if (!readable(client)) return false;
            ssize_t const got = recv(client, bytes, sizeof bytes, 0);
            if (got <= 0) return false;
            request.append(bytes, static_cast<std::size_t>(got));
        }
        ++requests_;
        std::size_t const begin = request.find(' ') + 1;
        answer const say = answers_(request.substr(begin, request.find(' ', begin) - begin));
        std::string_view left = say.bytes;
        while (!left.empty() && !stopped_) {
            ssize_t const sent = send(client, left.data(), left.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            left.remove_prefix(static_cast<std::size_t>(sent));
        }
        return say.keep_open;
    }

    handler answers_;
    int listening_ = -1, port_ = 0;
    std::vector<int> open_;
    std::atomic<bool> stopped_{false};
    std::atomic<int> requests_{0};
    std::thread thread_;
};

}  // namespace sequent_tests
