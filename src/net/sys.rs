//! The only system calls of the library.

/// Fills `bytes` with random bytes from the kernel's CSPRNG; false where the
/// kernel gives none.
#[must_use]
pub fn random(bytes: &mut [u8]) -> bool {
    for chunk in bytes.chunks_mut(256) {
        // SAFETY: the pointer and length are those of a live slice.
        let got = unsafe { libc::getrandom(chunk.as_mut_ptr().cast(), chunk.len(), 0) };
        if usize::try_from(got) != Ok(chunk.len()) {
            return false;
        }
    }
    true
}
