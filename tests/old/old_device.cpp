/*
 * A device's client in the C++ of the field: a class around the fd, the types
 * of a stream by casts of bare numbers.
 *
 *     old_device HOST PORT PATH
 *
 * Sends a text and a binary message in three frames to an echo server that
 * echoes messages (not frames) and compares.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include "websocket_common.h"

extern "C" int webSocket_buildShakeKey(unsigned char *key);

class Device {
public:
    Device(const std::string &host, int port, const std::string &path)
        : fd_(webSocket_clientLinkToServer(const_cast<char *>(host.c_str()), port, const_cast<char *>(path.c_str())))
    {
    }
    ~Device()
    {
        if (fd_ > 0) close(fd_);
    }
    bool connected() const { return fd_ > 0; }
    bool put(const std::string &data, int type)
    {
        return webSocket_send(fd_, const_cast<char *>(data.data()), static_cast<int>(data.size()), true,
                              static_cast<WebsocketData_Type>(type)) > 0;
    }
    std::string take(WebsocketData_Type &type)
    {
        static char buff[65536];
        for (int i = 0; i < 10000; i++) {
            int ret = webSocket_recv(fd_, buff, sizeof(buff), &type);
            if (ret > 0 && type != WDT_PONG) return std::string(buff, ret);
            if (ret <= 0 && errno != EAGAIN) return "";
            webSocket_delayms(3);
        }
        return "";
    }

private:
    int fd_;
};

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    Device device(argv[1], std::atoi(argv[2]), argv[3]);
    WebsocketData_Type type = WDT_NULL;
    unsigned char key[25];
    std::string text("hello from C++"), part(2048, 'p');
    if (!device.connected()) {
        std::puts("connect failed");
        return 1;
    }
    if (!device.put(text, WDT_TXTDATA) || device.take(type) != text || type != WDT_TXTDATA) {
        std::puts("the text came back wrong");
        return 1;
    }
    if (!device.put(part, 100) || !device.put(part, WDT_MINDATA) || !device.put("end", 99) ||
        device.take(type) != part + part + "end" || type != WDT_BINDATA) {
        std::puts("the frames came back wrong");
        return 1;
    }
    if (webSocket_buildShakeKey(key) != 24) return 1;
    std::puts("right");
    return 0;
}
