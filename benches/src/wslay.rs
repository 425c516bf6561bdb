//! wslay, the C library of Debian, through its header's declarations.

use std::ffi::{c_int, c_void};
use std::ptr;

use crate::stream::Stream;
use crate::{Contender, Tally};

const WANT_READ: isize = -100;
const WOULDBLOCK: c_int = -401;
const BINARY_FRAME: u8 = 2;
const IS_CONTROL: u8 = 8;

#[repr(C)]
struct MessageArg {
    rsv: u8,
    opcode: u8,
    msg: *const u8,
    msg_length: usize,
    status_code: u16,
}

#[repr(C)]
struct QueuedMessage {
    opcode: u8,
    msg: *const u8,
    msg_length: usize,
}

type Context = *mut c_void;
type EventRecv = unsafe extern "C" fn(Context, *mut u8, usize, c_int, *mut c_void) -> isize;
type EventSend = unsafe extern "C" fn(Context, *const u8, usize, c_int, *mut c_void) -> isize;
type EventGenmask = unsafe extern "C" fn(Context, *mut u8, usize, *mut c_void) -> c_int;
type OnMessage = unsafe extern "C" fn(Context, *const MessageArg, *mut c_void);

#[repr(C)]
struct EventCallbacks {
    recv: Option<EventRecv>,
    send: Option<EventSend>,
    genmask: Option<EventGenmask>,
    on_frame_start: *const c_void,
    on_frame_chunk: *const c_void,
    on_frame_end: *const c_void,
    on_message: Option<OnMessage>,
}

#[repr(C)]
struct FrameIo {
    fin: u8,
    rsv: u8,
    opcode: u8,
    payload_length: u64,
    mask: u8,
    data: *const u8,
    data_length: usize,
}

#[repr(C)]
struct FrameCallbacks {
    send: *const c_void,
    recv: Option<unsafe extern "C" fn(*mut u8, usize, c_int, *mut c_void) -> isize>,
    genmask: *const c_void,
}

#[link(name = "wslay")]
unsafe extern "C" {
    fn wslay_event_context_server_init(
        context: *mut Context,
        callbacks: *const EventCallbacks,
        user: *mut c_void,
    ) -> c_int;
    fn wslay_event_context_client_init(
        context: *mut Context,
        callbacks: *const EventCallbacks,
        user: *mut c_void,
    ) -> c_int;
    fn wslay_event_context_free(context: Context);
    fn wslay_event_set_error(context: Context, error: c_int);
    fn wslay_event_recv(context: Context) -> c_int;
    fn wslay_event_send(context: Context) -> c_int;
    fn wslay_event_queue_msg(context: Context, message: *const QueuedMessage) -> c_int;
    fn wslay_frame_context_init(
        context: *mut Context,
        callbacks: *const FrameCallbacks,
        user: *mut c_void,
    ) -> c_int;
    fn wslay_frame_context_free(context: Context);
    fn wslay_frame_recv(context: Context, io: *mut FrameIo) -> isize;
}

/// What the callbacks work on.
struct State {
    stream: Stream,
    tally: Tally,
}

/// A context and, behind a pointer that wslay keeps, its state.
struct Socket {
    context: Context,
    state: *mut State,
    free: unsafe extern "C" fn(Context),
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: made by the matching init, and by Box::into_raw; freed once.
        unsafe {
            (self.free)(self.context);
            drop(Box::from_raw(self.state));
        }
    }
}

impl Socket {
    fn state(&mut self) -> &mut State {
        // SAFETY: no callback runs while this borrow lasts.
        unsafe { &mut *self.state }
    }
}

fn state_of(stream: Stream) -> *mut State {
    Box::into_raw(Box::new(State {
        stream,
        tally: Tally::default(),
    }))
}

/// # Safety
/// `user` is the state of a socket, `room` has `length` bytes.
unsafe fn read(room: *mut u8, length: usize, user: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    let (state, room) = unsafe {
        let state = &mut *user.cast::<State>();
        (state, std::slice::from_raw_parts_mut(room, length))
    };
    state.stream.read_into(room)
}

unsafe extern "C" fn event_recv(
    context: Context,
    room: *mut u8,
    length: usize,
    _: c_int,
    user: *mut c_void,
) -> isize {
    // SAFETY: wslay hands over what it was made with and its own room.
    unsafe {
        match read(room, length, user) {
            0 => {
                wslay_event_set_error(context, WOULDBLOCK);
                -1
            }
            count => count as isize,
        }
    }
}

unsafe extern "C" fn frame_recv(
    room: *mut u8,
    length: usize,
    _: c_int,
    user: *mut c_void,
) -> isize {
    // SAFETY: as above. 0 would be the end of the stream.
    match unsafe { read(room, length, user) } {
        0 => -1,
        count => count as isize,
    }
}

unsafe extern "C" fn event_send(
    _: Context,
    data: *const u8,
    length: usize,
    _: c_int,
    user: *mut c_void,
) -> isize {
    // SAFETY: wslay hands over what it was made with and its own bytes.
    unsafe {
        let state = &mut *user.cast::<State>();
        state.stream.put(std::slice::from_raw_parts(data, length));
    }
    length as isize
}

/// Random as the library's own keys are.
unsafe extern "C" fn event_genmask(
    _: Context,
    room: *mut u8,
    length: usize,
    _: *mut c_void,
) -> c_int {
    // SAFETY: wslay's own room.
    let room = unsafe { std::slice::from_raw_parts_mut(room, length) };
    if wsembed::net::sys::random(room) {
        0
    } else {
        -1
    }
}

unsafe extern "C" fn on_message(_: Context, message: *const MessageArg, user: *mut c_void) {
    // SAFETY: wslay hands over what it was made with and a message; an empty
    // one has no address, but none here is empty.
    unsafe {
        let (state, message) = (&mut *user.cast::<State>(), &*message);
        assert!(message.opcode & IS_CONTROL == 0 && !message.msg.is_null());
        let payload = std::slice::from_raw_parts(message.msg, message.msg_length);
        state.tally.add(payload);
    }
}

fn event_socket(stream: Stream, client: bool) -> Socket {
    let callbacks = EventCallbacks {
        recv: Some(event_recv),
        send: Some(event_send),
        genmask: Some(event_genmask),
        on_frame_start: ptr::null(),
        on_frame_chunk: ptr::null(),
        on_frame_end: ptr::null(),
        on_message: Some(on_message),
    };
    let mut socket = Socket {
        context: ptr::null_mut(),
        state: state_of(stream),
        free: wslay_event_context_free,
    };
    let init = if client {
        wslay_event_context_client_init
    } else {
        wslay_event_context_server_init
    };
    // SAFETY: the callbacks are copied; the state outlives the context.
    let made = unsafe {
        init(
            &raw mut socket.context,
            &raw const callbacks,
            socket.state.cast(),
        )
    };
    assert_eq!(made, 0);
    socket
}

/// wslay as a server that reads messages.
#[must_use]
pub fn reads(stream: Stream) -> Contender {
    let mut socket = event_socket(stream, false);
    Box::new(move || {
        socket.state().stream.rewind();
        socket.state().tally = Tally::default();
        // SAFETY: the context is alive.
        assert_eq!(unsafe { wslay_event_recv(socket.context) }, 0);
        socket.state().tally
    })
}

/// wslay's lower half: frames in pieces as its 4 KiB buffer holds them, not
/// judged and not assembled.
#[must_use]
pub fn reads_frames(stream: Stream) -> Contender {
    let callbacks = FrameCallbacks {
        send: ptr::null(),
        recv: Some(frame_recv),
        genmask: ptr::null(),
    };
    let mut socket = Socket {
        context: ptr::null_mut(),
        state: state_of(stream),
        free: wslay_frame_context_free,
    };
    // SAFETY: the callbacks are copied; the state outlives the context.
    let made = unsafe {
        wslay_frame_context_init(
            &raw mut socket.context,
            &raw const callbacks,
            socket.state.cast(),
        )
    };
    assert_eq!(made, 0);
    Box::new(move || {
        socket.state().stream.rewind();
        let mut tally = Tally::default();
        let mut done = 0;
        loop {
            // SAFETY: all its fields may be zero.
            let mut io: FrameIo = unsafe { std::mem::zeroed() };
            // SAFETY: the context is alive.
            let count = unsafe { wslay_frame_recv(socket.context, &raw mut io) };
            if count == WANT_READ {
                return tally;
            }
            assert!(count > 0, "wslay_frame_recv returned {count}");
            // SAFETY: the piece is lent until the next call.
            let piece = unsafe { std::slice::from_raw_parts(io.data, io.data_length) };
            if done == 0 {
                tally.first += u64::from(piece[0]);
            }
            done += piece.len() as u64;
            tally.bytes += piece.len() as u64;
            if done == io.payload_length {
                tally.messages += 1;
                done = 0;
            }
        }
    })
}

/// wslay queues a copy of each payload and writes each out at once: it has no
/// measure of its own for gathering several.
#[must_use]
pub fn sends(client: bool, payloads: Vec<Vec<u8>>) -> Contender {
    let mut socket = event_socket(Stream::default(), client);
    Box::new(move || {
        let mut tally = Tally::default();
        for payload in &payloads {
            tally.add(payload);
            let message = QueuedMessage {
                opcode: BINARY_FRAME,
                msg: payload.as_ptr(),
                msg_length: payload.len(),
            };
            // SAFETY: the payload has that many bytes; the context is alive.
            unsafe {
                assert_eq!(wslay_event_queue_msg(socket.context, &raw const message), 0);
                assert_eq!(wslay_event_send(socket.context), 0);
            }
        }
        socket.state().tally = tally;
        tally
    })
}
