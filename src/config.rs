//! The one option table: what each option is called, means, is worth by
//! default, and applies to. The documentation of the options is made from it.

mod ids;
mod memory;
pub mod serving;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use ids::*;
pub use serving::Serving;
pub use table::{Applies, Row, TABLE, Value};

use crate::proto::Error;
use crate::proto::conn::Role;
use crate::proto::settings::{Overflow, Settings};

/// The value of every option.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Shared with the handles that were made so far; a change copies it.
    settings: Arc<Settings>,
    /// What only a server of many peers is told.
    serving: Serving,
}

impl Options {
    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

/// A config: options being set.
#[derive(Debug, Clone, Default)]
pub struct Config {
    options: Options,
    /// The options that were set, to refuse them where they do not apply.
    touched: Vec<&'static Row>,
}

impl Config {
    fn row(id: u32) -> Result<&'static Row, Error> {
        TABLE.iter().find(|row| row.id == id).ok_or(Error::Option)
    }

    /// Notes that an option was set.
    fn touch(&mut self, row: &'static Row) {
        if !self.touched.iter().any(|other| other.id == row.id) {
            self.touched.push(row);
        }
    }

    /// Sets a number.
    pub fn set_number(&mut self, id: u32, number: u64) -> Result<(), Error> {
        let row = Self::row(id)?;
        match row.value {
            Value::Number { min, max, .. } if !(min..=max).contains(&number) => Err(Error::Range),
            Value::Number { set, .. } => {
                set(&mut self.options, number);
                self.touch(row);
                Ok(())
            }
            Value::List { .. } => Err(Error::Option),
        }
    }

    /// Makes a text the only one of its list.
    pub fn set_text(&mut self, id: u32, text: &str) -> Result<(), Error> {
        let row = Self::row(id)?;
        let Value::List { add, clear } = row.value else {
            return Err(Error::Option);
        };
        let mut settings = Settings::clone(&self.options.settings);
        clear(&mut settings);
        add(&mut settings, text)?;
        self.options.settings = Arc::new(settings);
        self.touch(row);
        Ok(())
    }

    /// Adds a text to its list.
    pub fn add_text(&mut self, id: u32, text: &str) -> Result<(), Error> {
        let row = Self::row(id)?;
        let Value::List { add, .. } = row.value else {
            return Err(Error::Option);
        };
        add(self.options.settings_mut(), text)?;
        self.touch(row);
        Ok(())
    }

    fn only(&self, fits: impl Fn(Applies) -> bool) -> Result<Arc<Settings>, Error> {
        if self.touched.iter().all(|row| fits(row.applies)) {
            Ok(Arc::clone(&self.options.settings))
        } else {
            Err(Error::Option)
        }
    }

    /// The settings within `WEBSOCKET_MEMORY_BYTES`.
    fn shaped(&self, settings: Arc<Settings>, overflow: Overflow) -> Result<Arc<Settings>, Error> {
        let is_set = |id| self.touched.iter().any(|row| row.id == id);
        memory::shape(settings, is_set, overflow)
    }

    /// The settings for one end; refused where an option was set that does not
    /// apply to it, or where they do not fit its memory.
    pub fn settings(&self, role: Role) -> Result<Arc<Settings>, Error> {
        let settings = self.only(|applies| match applies {
            Applies::Both => true,
            Applies::Server => role == Role::Server,
            Applies::Serving => false,
        })?;
        self.shaped(settings, Overflow::Refuse)
    }

    /// The settings for a server of many peers, and for each of them.
    pub fn serving(&self) -> Result<(Arc<Settings>, Serving), Error> {
        let serving = self.options.serving.clone();
        let settings = self.shaped(self.only(|_| true)?, serving.overflow)?;
        Ok((settings, serving))
    }
}
