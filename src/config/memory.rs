//! One number for all memory that a connection can make us hold.
//!
//! Nothing is counted while bytes come and go: each part has a limit of its own
//! already, and here the limits are made to fit the number.

use std::sync::Arc;

use super::ids::{
    WEBSOCKET_CHUNK_ABOVE_BYTES, WEBSOCKET_MAX_MESSAGE_BYTES, WEBSOCKET_SEND_QUEUE_BYTES,
};
use crate::proto::Error;
use crate::proto::settings::{Overflow, Settings};

/// The least memory that a connection can do with.
const LEAST: u64 = 64 << 10;
/// What is held besides a message, a queue and a head: the connection itself,
/// 65 pongs in line (RFC 6455 5.5: up to 131 bytes each with their headers), a
/// close frame, a ping, small room that is kept.
const REST: u64 = 16 << 10;
/// A share below this is of no use.
const LEAST_SHARE: u64 = 1 << 10;
/// What is held of a line of a head while the head is looked at.
const LINE: u64 = 96;

/// What a queue of this limit can come to. Its buffer may have grown half as
/// far again; where the loop makes room by a policy of its own, as much again
/// may be on the way to it.
fn queue_cost(limit: u64, overflow: Overflow) -> u64 {
    let held = limit.saturating_add(limit / 2);
    match overflow {
        Overflow::Refuse | Overflow::Block => held,
        Overflow::DropOldest | Overflow::KeepLatest | Overflow::Close => held.saturating_add(limit),
    }
}

/// The largest queue that comes to no more than `budget`.
fn queue_within(budget: u64, overflow: Overflow) -> u64 {
    match overflow {
        Overflow::Refuse | Overflow::Block => budget / 3 * 2,
        Overflow::DropOldest | Overflow::KeepLatest | Overflow::Close => budget / 5 * 2,
    }
}

/// What is assembled at most before it is handed out.
fn assembled(settings: &Settings) -> u64 {
    settings.max_message.min(settings.chunk_above)
}

/// What the handshake can come to, when there is neither message nor queue.
/// The head's buffer doubles.
fn handshake(settings: &Settings) -> u64 {
    let lines = settings.header_lines as u64;
    (settings.header_bytes as u64 * 2).saturating_add(lines * LINE)
}

/// The settings with every limit that was not set brought within the memory;
/// [`Error::Limits`] where those that were set do not fit.
pub fn shape(
    settings: Arc<Settings>,
    is_set: impl Fn(u32) -> bool,
    overflow: Overflow,
) -> Result<Arc<Settings>, Error> {
    if settings.memory == 0 {
        return Ok(settings);
    }
    if settings.memory < LEAST {
        return Err(Error::Limits);
    }
    let budget = settings.memory - REST;
    if handshake(&settings) > budget {
        return Err(Error::Limits);
    }
    let mut shaped = Settings::clone(&settings);
    let queue_is_set = is_set(WEBSOCKET_SEND_QUEUE_BYTES);
    if !is_set(WEBSOCKET_MAX_MESSAGE_BYTES) && !is_set(WEBSOCKET_CHUNK_ABOVE_BYTES) {
        let queue = if queue_is_set {
            queue_cost(shaped.send_queue as u64, overflow)
        } else {
            budget / 3 * 2
        };
        let share = budget.saturating_sub(queue);
        if share < LEAST_SHARE {
            return Err(Error::Limits);
        }
        shaped.max_message = shaped.max_message.min(share);
    }
    let left = budget.checked_sub(assembled(&shaped));
    let left = left.ok_or(Error::Limits)?;
    if !queue_is_set {
        let share = queue_within(left, overflow);
        if share < LEAST_SHARE {
            return Err(Error::Limits);
        }
        let share = usize::try_from(share).unwrap_or(usize::MAX);
        shaped.send_queue = shaped.send_queue.min(share);
    }
    if queue_cost(shaped.send_queue as u64, overflow) > left {
        return Err(Error::Limits);
    }
    Ok(Arc::new(shaped))
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    fn config(numbers: &[(u32, u64)]) -> Config {
        let mut config = Config::default();
        for &(id, number) in numbers {
            config.set_number(id, number).unwrap();
        }
        config
    }

    fn total(settings: &Settings, overflow: Overflow) -> u64 {
        let queue = queue_cost(settings.send_queue as u64, overflow);
        assembled(settings) + queue + REST
    }

    #[test]
    fn one_number_shapes_the_others() {
        for memory in [LEAST, 100_000, 1 << 20, 10 << 20] {
            for policy in 0..=4 {
                let config = config(&[
                    (WEBSOCKET_MEMORY_BYTES, memory),
                    (WEBSOCKET_OVERFLOW, policy),
                ]);
                let (settings, serving) = config.serving().unwrap();
                let total = total(&settings, serving.overflow);
                assert!(
                    total <= memory && total > memory / 10 * 9,
                    "{total} of {memory}"
                );
                assert!(settings.max_message >= memory / 5);
            }
        }
        // With room for all of them the defaults stay.
        let plenty = config(&[(WEBSOCKET_MEMORY_BYTES, 1 << 30)]);
        for role in [Role::Client, Role::Server] {
            let settings = plenty.settings(role).unwrap();
            let default = Settings::default();
            assert_eq!(settings.max_message, default.max_message);
            assert_eq!(settings.send_queue, default.send_queue);
        }
    }

    #[test]
    fn a_limit_that_was_set_stays_and_the_other_gets_the_rest() {
        let memory = (WEBSOCKET_MEMORY_BYTES, 1 << 20);
        let small_message = [memory, (WEBSOCKET_MAX_MESSAGE_BYTES, 1000)];
        let settings = config(&small_message).settings(Role::Client).unwrap();
        assert_eq!(settings.max_message, 1000);
        assert!(settings.send_queue > 600 << 10);
        let small_queue = [memory, (WEBSOCKET_SEND_QUEUE_BYTES, 1000)];
        let settings = config(&small_queue).settings(Role::Client).unwrap();
        assert_eq!(settings.send_queue, 1000);
        assert!(settings.max_message > 1000 << 10);
        // In chunks a message may be larger than the memory.
        let chunks = [
            memory,
            (WEBSOCKET_CHUNK_ABOVE_BYTES, 4096),
            (WEBSOCKET_MAX_MESSAGE_BYTES, 1 << 40),
        ];
        let settings = config(&chunks).settings(Role::Client).unwrap();
        assert_eq!(settings.max_message, 1 << 40);
        assert!(settings.send_queue > 600 << 10);
    }

    #[test]
    fn what_does_not_fit_is_refused_when_the_handle_is_made() {
        let memory = (WEBSOCKET_MEMORY_BYTES, 1 << 20);
        for more in [
            &[(WEBSOCKET_MEMORY_BYTES, LEAST - 1)][..],
            &[memory, (WEBSOCKET_MAX_MESSAGE_BYTES, 1 << 20)],
            &[memory, (WEBSOCKET_SEND_QUEUE_BYTES, 1 << 20)],
            &[memory, (WEBSOCKET_MAX_HEADER_BYTES, 1 << 19)],
            &[
                memory,
                (WEBSOCKET_MAX_MESSAGE_BYTES, 600_000),
                (WEBSOCKET_SEND_QUEUE_BYTES, 400_000),
            ],
            &[memory, (WEBSOCKET_CHUNK_ABOVE_BYTES, 1 << 40)],
        ] {
            let config = config(more);
            assert_eq!(
                config.settings(Role::Client),
                Err(Error::Limits),
                "{more:?}"
            );
            assert_eq!(config.serving(), Err(Error::Limits), "{more:?}");
        }
        let text = Error::Limits.to_string();
        for name in ["WEBSOCKET_MEMORY_BYTES", "WEBSOCKET_SEND_QUEUE_BYTES"] {
            assert!(text.contains(name));
        }
    }
}
