/*
 * A config for a server of small devices: small limits, early pings, one
 * subprotocol, browsers from two origins.
 *
 * Shows: webSocket_config_new, webSocket_config_setNumber, webSocket_config_setText,
 *        webSocket_config_addText, webSocket_config_free
 */
#include <stdio.h>
#include <wsembed/websocket.h>

static webSocket_result set(webSocket_config *config)
{
    webSocket_result result;
    if ((result = webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, 64 * 1024)) != WEBSOCKET_OK ||
        (result = webSocket_config_setNumber(config, WEBSOCKET_PING_INTERVAL_MS, 15000)) != WEBSOCKET_OK ||
        (result = webSocket_config_setText(config, WEBSOCKET_SUBPROTOCOL, "telemetry.v1")) != WEBSOCKET_OK ||
        (result = webSocket_config_addText(config, WEBSOCKET_ORIGIN, "https://panel.example.com")) != WEBSOCKET_OK ||
        (result = webSocket_config_addText(config, WEBSOCKET_ORIGIN, "https://www.example.com")) != WEBSOCKET_OK)
        fprintf(stderr, "an option was refused: %s\n", webSocket_result_text(result));
    return result;
}

int main(void)
{
    webSocket_config *config;
    webSocket_conn *conn = NULL;
    webSocket_result result = webSocket_config_new(&config);
    if (result != WEBSOCKET_OK)
        return 1;
    result = set(config);
    if (result == WEBSOCKET_OK)
        result = webSocket_conn_newServer(config, &conn);
    webSocket_config_free(config); /* the connection has a copy */
    webSocket_conn_free(conn);     /* NULL is fine */
    return result != WEBSOCKET_OK;
}
