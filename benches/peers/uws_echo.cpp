// uws_echo: an echo server on uWebSockets, as one of the peers of `make bench`.
//
//     uws_echo [--port N]        N 0 (the default) picks a free port of 127.0.0.1
//
// No compression, no pings, no timeouts: nothing but the echo is measured. What
// is sent from the message handler leaves corked, in one send for a whole read.
//
// SPDX-License-Identifier: MIT OR Apache-2.0
#include "App.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int count, char **words)
{
    struct nothing {};
    int port = 0;
    if (count == 3 && std::strcmp(words[1], "--port") == 0) {
        port = std::atoi(words[2]);
    } else if (count != 1) {
        std::fputs("usage: uws_echo [--port N]\n", stderr);
        return 2;
    }
    uWS::App::WebSocketBehavior<nothing> behavior;
    behavior.maxPayloadLength = 16 << 20;
    behavior.maxBackpressure = 64 << 20;
    behavior.idleTimeout = 0;
    behavior.sendPingsAutomatically = false;
    behavior.message = [](auto *socket, std::string_view message, uWS::OpCode opcode) {
        using Socket = std::remove_pointer_t<decltype(socket)>;
        if (socket->send(message, opcode) == Socket::DROPPED) std::abort();
    };
    uWS::App()
        .ws<nothing>("/*", std::move(behavior))
        .listen("127.0.0.1", port, [](us_listen_socket_t *listener) {
            if (listener == nullptr) {
                std::fputs("uws_echo: cannot listen\n", stderr);
                std::exit(EXIT_FAILURE);
            }
            std::printf("listening on ws://127.0.0.1:%d/\n",
                        us_socket_local_port(0, reinterpret_cast<us_socket_t *>(listener)));
            std::fflush(stdout);
        })
        .run();
}
