// A C++ program of somebody else: both interfaces in one file.
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include <websocket_common_extra.h>
#include <wsembed/websocket.h>

int main()
{
    webSocket_conn *conn = nullptr;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    std::string noise = "this is not HTTP\r\n\r\n";
    if (webSocket_conn_newServer(nullptr, &conn) != WEBSOCKET_OK) return 1;
    if (webSocket_conn_feed(conn, reinterpret_cast<uint8_t *>(&noise[0]), noise.size()) != WEBSOCKET_OK) return 2;
    if (webSocket_conn_next(conn, &event) != WEBSOCKET_OK || event.kind != WEBSOCKET_CLOSE) return 3;
    if (webSocket_conn_free(conn) != WEBSOCKET_OK) return 4;

    // A type of the drop-in beyond the enumerators.
    unsigned char data[] = {'h', 'i'};
    std::vector<unsigned char> frame(16);
    int made = webSocket_enPackage(data, sizeof data, frame.data(), 16, false, WDT_TXTSTART);
    if (made != 4 || std::memcmp(frame.data(), "\x01\x02hi", 4) != 0) return 5;
    std::cout << "C++ " << webSocket_version() << std::endl;
    return 0;
}
