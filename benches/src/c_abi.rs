//! wsembed as a C program meets it: the release library, loaded from a file.
//!
//! The crate's functions of the same names are in this program too, compiled
//! together with the benches, and would be measured in their place if it were
//! linked with the library.

use std::ffi::{CStr, CString, c_void};
use std::path::PathBuf;
use std::ptr;

use wsembed::ffi::config::webSocket_config;
use wsembed::ffi::conn::webSocket_conn;
use wsembed::ffi::event::webSocket_event;

use crate::stream::Stream;
use crate::{Contender, READ_BYTES, Tally};

type Config = *mut webSocket_config;
type Conn = *mut webSocket_conn;

const OK: i32 = 0;
const AGAIN: i32 = -1;
const OPEN: u32 = 2;
const BINARY: u32 = 4;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

#[derive(Clone, Copy)]
struct Library {
    new_server: unsafe extern "C" fn(Config, *mut Conn) -> i32,
    feed: unsafe extern "C" fn(Conn, *mut u8, usize) -> i32,
    next: unsafe extern "C" fn(Conn, *mut webSocket_event) -> i32,
    tick: unsafe extern "C" fn(Conn, u64, *mut u64) -> i32,
    room: unsafe extern "C" fn(Conn, *mut *mut u8, *mut usize) -> i32,
    send: unsafe extern "C" fn(Conn, u32, *const u8, usize) -> i32,
    output: unsafe extern "C" fn(Conn, *mut *const u8, *mut usize) -> i32,
    output_done: unsafe extern "C" fn(Conn, usize) -> i32,
}

/// `WSEMBED_LIBRARY`, or what `make` has built.
fn path() -> CString {
    let path = std::env::var_os("WSEMBED_LIBRARY").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../build/lib/libwsembed.so"
            ))
        },
        PathBuf::from,
    );
    CString::new(path.into_os_string().into_encoded_bytes()).expect("a path has no NUL")
}

/// # Safety
/// `T` is the type of the function of that name.
unsafe fn symbol<T: Copy>(library: *mut c_void, name: &CStr) -> T {
    const { assert!(size_of::<T>() == size_of::<*mut c_void>()) };
    // SAFETY: the library stays loaded; the name is a string.
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!found.is_null(), "{name:?} is not in the library");
    // SAFETY: the caller's promise; a function pointer has a pointer's size.
    unsafe { std::mem::transmute_copy(&found) }
}

impl Library {
    fn load() -> Library {
        let path = path();
        // SAFETY: loading runs the library's constructors, of which it has none.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(
            !library.is_null(),
            "{path:?} cannot be loaded: run make first"
        );
        // SAFETY: the types are those of include/wsembed/websocket.h.
        unsafe {
            Library {
                new_server: symbol(library, c"webSocket_conn_newServer"),
                feed: symbol(library, c"webSocket_conn_feed"),
                next: symbol(library, c"webSocket_conn_next"),
                tick: symbol(library, c"webSocket_conn_tick"),
                room: symbol(library, c"webSocket_conn_room"),
                send: symbol(library, c"webSocket_conn_send"),
                output: symbol(library, c"webSocket_conn_output"),
                output_done: symbol(library, c"webSocket_conn_outputDone"),
            }
        }
    }
}

struct Server {
    library: Library,
    conn: Conn,
    event: webSocket_event,
}

impl Server {
    /// A connection that has its handshake behind it.
    fn open() -> Server {
        let library = Library::load();
        let mut conn = ptr::null_mut();
        // SAFETY: NULL is a config of defaults; `conn` may be written.
        let made = unsafe { (library.new_server)(ptr::null_mut(), &raw mut conn) };
        assert_eq!(made, OK);
        // SAFETY: all fields of the struct may be zero; a bench sets its size.
        let mut event: webSocket_event = unsafe { std::mem::zeroed() };
        event.size = size_of::<webSocket_event>();
        let mut server = Server {
            library,
            conn,
            event,
        };
        let mut request = REQUEST.to_vec();
        server.feed(&mut request);
        while server.next() {}
        assert_eq!(server.event.kind, OPEN);
        server.write_out(&mut Stream::default());
        server
    }

    fn feed(&mut self, bytes: &mut [u8]) {
        // SAFETY: the bytes outlive the loop of `next` that each caller runs.
        let fed = unsafe { (self.library.feed)(self.conn, bytes.as_mut_ptr(), bytes.len()) };
        assert_eq!(fed, OK);
    }

    #[inline]
    fn next(&mut self) -> bool {
        // SAFETY: the event's size is set.
        match unsafe { (self.library.next)(self.conn, &raw mut self.event) } {
            OK => true,
            AGAIN => false,
            other => panic!("next returned {other}"),
        }
    }

    #[inline]
    fn drain(&mut self, bytes: &mut [u8], tally: &mut Tally) {
        self.feed(bytes);
        while self.next() {
            // SAFETY: data is lent until the next call.
            tally.add(unsafe { std::slice::from_raw_parts(self.event.data, self.event.length) });
        }
    }

    fn tick(&mut self, now: u64) {
        // SAFETY: no deadline is asked for.
        let told = unsafe { (self.library.tick)(self.conn, now, ptr::null_mut()) };
        assert_eq!(told, OK);
    }

    /// The room for the rest of a long frame.
    fn room<'r>(&mut self) -> Option<&'r mut [u8]> {
        let (mut data, mut length) = (ptr::null_mut(), 0);
        // SAFETY: both may be written.
        let given = unsafe { (self.library.room)(self.conn, &raw mut data, &raw mut length) };
        assert_eq!(given, OK);
        // SAFETY: the room is the connection's own, and lent until `next`.
        (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts_mut(data, length) })
    }

    fn write_out(&mut self, stream: &mut Stream) {
        let (mut data, mut length) = (ptr::null(), 0);
        // SAFETY: both may be written.
        let given = unsafe { (self.library.output)(self.conn, &raw mut data, &raw mut length) };
        assert_eq!(given, OK);
        // SAFETY: the output is lent until the next call.
        stream.put(unsafe { std::slice::from_raw_parts(data, length) });
        // SAFETY: a plain call.
        assert_eq!(unsafe { (self.library.output_done)(self.conn, length) }, OK);
    }
}

/// As [`crate::ours::in_place`].
#[must_use]
pub fn in_place(mut bytes: Vec<u8>) -> Contender {
    let mut server = Server::open();
    Box::new(move || {
        let mut tally = Tally::default();
        server.drain(&mut bytes, &mut tally);
        tally
    })
}

/// As [`crate::ours::reads`].
#[must_use]
pub fn reads(mut stream: Stream) -> Contender {
    let mut server = Server::open();
    let mut buffer = vec![0; READ_BYTES];
    let mut now = 0;
    Box::new(move || {
        let mut tally = Tally::default();
        stream.rewind();
        now += 1;
        server.tick(now);
        let mut full = false;
        loop {
            let room = full.then(|| server.room()).flatten();
            let place = room.unwrap_or(&mut buffer);
            let count = stream.read_into(place);
            if count == 0 {
                return tally;
            }
            full = count == place.len();
            // SAFETY: what was read stands there, and nothing else uses it.
            let read = unsafe { std::slice::from_raw_parts_mut(place.as_mut_ptr(), count) };
            server.drain(read, &mut tally);
        }
    })
}

/// As [`crate::ours::sends`], as a server.
#[must_use]
pub fn sends(payloads: Vec<Vec<u8>>) -> Contender {
    let mut server = Server::open();
    let mut stream = Stream::default();
    Box::new(move || {
        let mut tally = Tally::default();
        let mut waiting = 0;
        for payload in &payloads {
            // SAFETY: the payload has that many bytes.
            let sent = unsafe {
                (server.library.send)(server.conn, BINARY, payload.as_ptr(), payload.len())
            };
            assert_eq!(sent, OK);
            tally.add(payload);
            waiting += payload.len();
            if waiting >= READ_BYTES {
                server.write_out(&mut stream);
                waiting = 0;
            }
        }
        server.write_out(&mut stream);
        tally
    })
}
