//! The name that a local socket has in the file system. The kernel removes it
//! neither at the socket's end nor at the process's.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A name of ours, removed when this is dropped: unless somebody else has taken
/// it by then.
#[derive(Debug)]
pub struct Name {
    /// Absolute: the program may change its folder.
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl Name {
    /// Of a socket that was bound to `path` just now; `None` where it is gone
    /// already.
    #[must_use]
    pub fn of(path: &[u8]) -> Option<Name> {
        let path = std::path::absolute(OsStr::from_bytes(path)).ok()?;
        let identity = identity(&path)?;
        Some(Name { path, identity })
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if identity(&self.path) == Some(self.identity) {
            // In a folder that is not ours any more it stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Whether a path names a socket, and not what a link names.
#[must_use]
pub fn is_socket(path: &[u8]) -> bool {
    fs::symlink_metadata(OsStr::from_bytes(path)).is_ok_and(|found| found.file_type().is_socket())
}
