//! A pool of CSPRNG bytes for mask keys and nonces.
//!
//! Each thread has a page that the kernel fills in one call and wipes in a
//! forked child. The page counts its own unused bytes, so a wiped page is an
//! empty one and no child repeats its parent's bytes.
#![forbid(unsafe_code)]

use std::cell::RefCell;

use super::sys::{PAGE, WipedPage, kernel_random};

/// Requests above this many bytes go straight to the kernel.
const LARGE: usize = 256;
/// Where the random bytes start: before them stands how many are unused.
const START: usize = 8;

enum Pool {
    New,
    Page(WipedPage),
    /// The kernel cannot wipe pages: nothing is stored.
    None,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::New) };
}

/// Fills `bytes` with random bytes from the kernel's CSPRNG; false where the
/// kernel gives none.
#[must_use]
pub fn fill(bytes: &mut [u8]) -> bool {
    if bytes.len() > LARGE {
        return kernel_random(bytes);
    }
    // A thread that is ending may have given its pool back already.
    POOL.try_with(|pool| pool.try_borrow_mut().is_ok_and(|mut pool| pool.fill(bytes)))
        .unwrap_or(false)
        || kernel_random(bytes)
}

impl Pool {
    /// False where the bytes have to come from the kernel directly.
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        if let Pool::New = self {
            *self = WipedPage::new().map_or(Pool::None, Pool::Page);
        }
        let Pool::Page(page) = self else {
            return false;
        };
        let page = page.bytes();
        let mut unused = usize::from(u16::from_le_bytes([page[0], page[1]]));
        if unused < bytes.len() {
            let Some(room) = page.get_mut(START..) else {
                return false;
            };
            if !kernel_random(room) {
                return false;
            }
            unused = PAGE - START;
        }
        let Some(source) = page.get_mut(PAGE - unused..PAGE - unused + bytes.len()) else {
            return false;
        };
        bytes.copy_from_slice(source);
        // Used bytes leave no trace: a key seen once cannot be read here again.
        source.fill(0);
        unused -= bytes.len();
        let count = (unused as u16).to_le_bytes();
        page[0] = count[0];
        page[1] = count[1];
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn hc23_keys_do_not_repeat_and_every_size_is_filled() {
        let mut seen = HashSet::new();
        for _ in 0..5000 {
            let mut key = [0; 16];
            assert!(fill(&mut key));
            assert!(seen.insert(key));
        }
        for size in [1, 2, 3, 200, 256, 257, 4096, 10_000] {
            let mut bytes = vec![0; size];
            assert!(fill(&mut bytes));
            assert!(size < 16 || bytes.iter().filter(|byte| **byte == 0).count() < size / 2);
        }
    }

    #[test]
    fn hc23_threads_do_not_share_bytes() {
        let draw = || {
            let mut bytes = [0; 64];
            assert!(fill(&mut bytes));
            bytes
        };
        let first = draw();
        let second = std::thread::spawn(draw).join().unwrap();
        assert_ne!(first, second);
    }

    #[test]
    fn used_bytes_are_zeroed_and_a_wiped_page_is_empty() {
        // Not asked to be wiped, so that this also runs where no page can be.
        let mut pool = Pool::Page(WipedPage::map().unwrap());
        let mut bytes = [0; 32];
        assert!(pool.fill(&mut bytes));
        let Pool::Page(page) = &mut pool else {
            panic!("the pool keeps its page");
        };
        assert_eq!(page.bytes()[START..START + 32], [0; 32]);
        // What a child finds.
        page.bytes().fill(0);
        let mut more = [0; 32];
        assert!(pool.fill(&mut more));
        assert_ne!(more, [0; 32]);
        assert_ne!(more, bytes);
    }
}
