/*
 * Looks at what a device sends, frame by frame, and says what is wrong with
 * it: here an unmasked text, and a ping that the end cuts off.
 *
 * Shows: webSocket_parser_new, webSocket_parser_feed, webSocket_parser_feedEof,
 *        webSocket_parser_next, webSocket_parser_free, webSocket_problem_text
 */
#include <stdio.h>
#include <wsembed/websocket.h>

static unsigned problems;

static void look(webSocket_parser *parser)
{
    webSocket_frame frame = WEBSOCKET_FRAME_INIT;
    while (webSocket_parser_next(parser, &frame) == WEBSOCKET_OK) {
        if (!(frame.flags & WEBSOCKET_FINAL))
            continue; /* more of this frame will come */
        printf("at %llu: opcode %u, %llu bytes\n", (unsigned long long)frame.offset, (unsigned)frame.opcode,
               (unsigned long long)frame.payloadLength);
        for (uint32_t left = frame.problems; left != 0; left &= left - 1) {
            printf("  %s\n", webSocket_problem_text(left));
            problems++;
        }
    }
}

int main(void)
{
    uint8_t bytes[] = {0x81, 2, 'h', 'i', 0x89, 0x85, 1, 2, 3, 4, 'x'};
    webSocket_parser *parser;
    if (webSocket_parser_new(WEBSOCKET_PARSER_FROM_CLIENT, &parser) != WEBSOCKET_OK)
        return 1;
    webSocket_parser_feed(parser, bytes, sizeof bytes); /* lent until next() says AGAIN */
    look(parser);
    webSocket_parser_feedEof(parser);
    look(parser);
    webSocket_parser_free(parser);
    return problems < 2;
}
