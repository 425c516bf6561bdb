//! The pages that a server shows beside its WebSocket.

use std::sync::{Arc, Mutex, PoisonError};

use crate::proto::Error;
use crate::proto::conn::Answer;
use crate::proto::page::{self, Page};

/// A page and its path.
type Entry = (Box<str>, Arc<Page>);

/// Pages in the order of their paths. Any thread changes them and every loop
/// looks at them; what one has found is its own, however they change.
#[derive(Debug, Default)]
pub struct Pages(Mutex<Vec<Entry>>);

impl Pages {
    /// Adds a page or replaces it; `None` removes it. [`Error::Usage`]: not a
    /// path that can be asked for.
    pub fn set(&self, path: &str, page: Option<Page>) -> Result<(), Error> {
        if !page::is_path(path) {
            return Err(Error::Usage);
        }
        let mut page = page.map(Arc::new);
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pages.binary_search_by(|(own, _)| (**own).cmp(path));
        // What was replaced is freed when nobody waits for the lock any more.
        let mut removed = None;
        match (at, page.take()) {
            (Ok(at), Some(new)) => {
                if let Some((_, old)) = pages.get_mut(at) {
                    page = Some(std::mem::replace(old, new));
                }
            }
            (Ok(at), None) => removed = Some(pages.remove(at)),
            (Err(at), Some(new)) => {
                pages.try_reserve(1).map_err(|_| Error::Memory)?;
                pages.insert(at, (path.into(), new));
            }
            (Err(_), None) => {}
        }
        drop(pages);
        drop((page, removed));
        Ok(())
    }

    /// What a request for this path gets.
    #[must_use]
    pub fn find(&self, path: &str) -> Answer {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pages.binary_search_by(|(own, _)| (**own).cmp(path));
        match at.ok().and_then(|at| pages.get(at)) {
            Some((_, page)) => Answer::Page(Arc::clone(page)),
            None if pages.is_empty() => Answer::NoPages,
            None => Answer::Missing,
        }
    }
}
