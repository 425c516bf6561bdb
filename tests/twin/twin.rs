//! Stands for another Rust library in the same C program: it has a standard
//! library of its own, unwinds in it, and catches what it throws. Compiled
//! twice by tests/static_archive.sh, with another name each time.

use std::panic::catch_unwind;

fn caught(number: i32) -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(|| {
        let text = std::hint::black_box(vec![number]);
        if text.len() == 1 {
            panic!("thrown on purpose");
        }
    });
    if outcome.is_err() { number } else { -1 }
}

#[cfg(twin = "one")]
#[unsafe(no_mangle)]
pub extern "C" fn twin_one() -> i32 {
    caught(1)
}

#[cfg(twin = "two")]
#[unsafe(no_mangle)]
pub extern "C" fn twin_two() -> i32 {
    caught(2)
}
