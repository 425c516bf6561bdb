//! What a connection needs only for a while, at its beginning and at its end:
//! one that is merely open has none of it.

use super::Connection;
use super::opening::Opening;
use super::told::{Failure, Report};

/// It, kept aside.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) opening: Option<Opening>,
    /// The end, told or to be told.
    pub(super) report: Option<Report>,
    pub(super) failure: Option<Failure>,
}

impl Connection {
    pub(super) fn aside_mut(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }

    pub(super) fn opening(&self) -> Option<&Opening> {
        self.aside.as_deref()?.opening.as_ref()
    }

    pub(super) fn opening_mut(&mut self) -> Option<&mut Opening> {
        self.aside.as_deref_mut()?.opening.as_mut()
    }

    pub(super) fn set_opening(&mut self, opening: Opening) {
        self.aside_mut().opening = Some(opening);
    }

    /// Ends a step of the handshake, or the handshake.
    pub(super) fn take_opening(&mut self) -> Option<Opening> {
        let aside = self.aside.as_deref_mut()?;
        let opening = aside.opening.take();
        if aside.report.is_none() && aside.failure.is_none() {
            self.aside = None;
        }
        opening
    }
}
