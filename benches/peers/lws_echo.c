/*
 * lws_echo: an echo server on libwebsockets, as one of the peers of `make bench`.
 *
 *     lws_echo [--port N]        N 0 (the default) picks a free port of 127.0.0.1
 *
 * As libwebsockets wants it: what came is queued and written from the writeable
 * callback, here as long as the pipe takes more. No extensions, no timeouts; the
 * service buffer takes a largest message of the benchmark in one read.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 256 << 10 };

struct piece {
    struct piece *next;
    size_t length;
    int flags;
    unsigned char bytes[]; /* LWS_PRE free bytes, then the payload */
};

struct session {
    struct piece *first, *last;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static int queuePiece(struct lws *wsi, struct session *session, const void *data, size_t length)
{
    struct piece *piece = malloc(sizeof *piece + LWS_PRE + length);
    if (piece == NULL) return -1;
    piece->next = NULL;
    piece->length = length;
    piece->flags = lws_write_ws_flags(lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
                                      lws_is_first_fragment(wsi), lws_is_final_fragment(wsi));
    if (length > 0) memcpy(piece->bytes + LWS_PRE, data, length);
    if (session->first == NULL) session->first = piece;
    else session->last->next = piece;
    session->last = piece;
    return 0;
}

static void dropFirst(struct session *session)
{
    struct piece *piece = session->first;
    session->first = piece->next;
    free(piece);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data, size_t length)
{
    struct session *session = user;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        if (queuePiece(wsi, session, data, length) != 0) return -1;
        lws_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        while (session->first != NULL && !lws_send_pipe_choked(wsi)) {
            struct piece *piece = session->first;
            if (lws_write(wsi, piece->bytes + LWS_PRE, piece->length, (enum lws_write_protocol)piece->flags) < 0) {
                return -1;
            }
            dropFirst(session);
        }
        if (session->first != NULL) lws_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_CLOSED:
        while (session->first != NULL) dropFirst(session);
        break;
    default: break;
    }
    return 0;
}

int main(int count, char **words)
{
    static const struct lws_protocols protocols[] = {
        {.name = "echo", .callback = callback, .per_session_data_size = sizeof(struct session), .rx_buffer_size = BUFFER_BYTES},
        {.name = NULL},
    };
    struct lws_context_creation_info info = {.iface = "127.0.0.1", .protocols = protocols};
    struct sigaction action = {.sa_handler = stop};
    if (count == 3 && strcmp(words[1], "--port") == 0) {
        info.port = atoi(words[2]);
    } else if (count != 1) {
        fputs("usage: lws_echo [--port N]\n", stderr);
        return 2;
    }
    info.pt_serv_buf_size = BUFFER_BYTES;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    struct lws_context *context = lws_create_context(&info);
    struct lws_vhost *vhost = context == NULL ? NULL : lws_create_vhost(context, &info);
    if (vhost == NULL) {
        fputs("lws_echo: cannot listen\n", stderr);
        return EXIT_FAILURE;
    }
    printf("listening on ws://127.0.0.1:%d/\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    while (!stopped && lws_service(context, 0) >= 0) {
    }
    lws_context_destroy(context);
    return EXIT_SUCCESS;
}
