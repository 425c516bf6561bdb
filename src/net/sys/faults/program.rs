//! The calls that a C program makes itself. A program that is linked with
//! `-Wl,--wrap=recv` and so on passes the seam too, and needs no edit.

use std::ffi::{c_int, c_void};

use libc::{size_t, sockaddr, socklen_t, ssize_t};

macro_rules! wrapped {
    ($($export:ident is $name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        /// The program's call of the C library's function.
        ///
        /// # Safety
        /// That of the C library's function.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $export($($argument: $kind),*) -> $result {
            // SAFETY: the caller's promise.
            unsafe { super::$name($($argument),*) }
        }
    )*};
}

wrapped! {
    __wrap_recv is recv(fd: c_int, into: *mut c_void, length: size_t, flags: c_int) -> ssize_t;
    __wrap_send is send(fd: c_int, bytes: *const c_void, length: size_t, flags: c_int) -> ssize_t;
    __wrap_write is write(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t;
    __wrap_accept4 is accept4(fd: c_int, name: *mut sockaddr, size: *mut socklen_t, flags: c_int)
        -> c_int;
    __wrap_epoll_wait is epoll_wait(fd: c_int, ready: *mut libc::epoll_event, room: c_int,
        timeout: c_int) -> c_int;
}
