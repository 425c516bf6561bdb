//! What fails, how, and at which call.
//!
//! ```text
//! plan  rule[,rule...]
//! rule  CALL:KIND:WHEN
//! CALL  the name of a call, or `any`: every call to which the kind may happen
//! KIND  eintr, eagain   the call moves nothing and says so
//!       short, byte     it moves half of what it is asked to, or one byte
//!       reset           the connection is reset just before it
//!       enomem, enosys, ... another errno, for the calls that are named
//! WHEN  K       the K-th such call, counted from 1 and for each rule alone
//!       K+      the K-th and all that follow
//!       %P      every P-th
//!       0       none: it counts the calls
//! ```
//!
//! All rules count every call that they name; the first that hits decides. The
//! plan of the process is `WSEMBED_FAULTS`; at the end of the process a line
//! `RULE calls=N hits=M` for each rule is added to the file that
//! `WSEMBED_FAULTS_REPORT` names.

use std::cell::RefCell;
use std::ffi::c_int;
use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It moves half of its bytes.
    Half,
    /// It moves one byte.
    Byte,
    /// The connection is reset before it.
    Reset,
    /// It is not made, and leaves this errno.
    Fails(c_int),
}

/// Calls on a connection, and what may happen to each besides a reset.
const SIGNALS: &[&str] = &[
    "recv",
    "recvmsg",
    "send",
    "sendmsg",
    "write",
    "poll",
    "connect",
    "accept4",
    "epoll_wait",
    "getrandom",
];
const FULL: &[&str] = &["recv", "recvmsg", "send", "sendmsg", "accept4"];
const MOVES: &[&str] = &["recv", "recvmsg", "send", "sendmsg", "write", "getrandom"];
const CONNECTED: &[&str] = &[
    "recv",
    "recvmsg",
    "send",
    "sendmsg",
    "poll",
    "getsockopt",
    "setsockopt",
    "fstat",
    "fcntl",
    "ioctl",
    "shutdown",
    "getpeername",
    "getsockname",
];
/// Those to which nothing of the above happens.
const OTHERS: &[&str] = &[
    "socket",
    "bind",
    "listen",
    "epoll_create1",
    "epoll_ctl",
    "eventfd",
    "timerfd_create",
    "timerfd_settime",
    "if_nametoindex",
    "mmap",
    "madvise",
    "pthread_create",
    "getaddrinfo",
];

const KINDS: &[(&str, Kind, &[&str])] = &[
    ("eintr", Kind::Fails(libc::EINTR), SIGNALS),
    ("eagain", Kind::Fails(libc::EAGAIN), FULL),
    ("short", Kind::Half, MOVES),
    ("byte", Kind::Byte, MOVES),
    ("reset", Kind::Reset, CONNECTED),
];

const ERRNOS: &[(&str, c_int)] = &[
    ("eaddrinuse", libc::EADDRINUSE),
    ("eagain", libc::EAGAIN),
    ("ebadf", libc::EBADF),
    ("econnaborted", libc::ECONNABORTED),
    ("econnrefused", libc::ECONNREFUSED),
    ("econnreset", libc::ECONNRESET),
    ("einval", libc::EINVAL),
    ("eio", libc::EIO),
    ("emfile", libc::EMFILE),
    ("enfile", libc::ENFILE),
    ("enobufs", libc::ENOBUFS),
    ("enomem", libc::ENOMEM),
    ("enoprotoopt", libc::ENOPROTOOPT),
    ("enospc", libc::ENOSPC),
    ("enosys", libc::ENOSYS),
    ("enotconn", libc::ENOTCONN),
    ("eperm", libc::EPERM),
    ("epipe", libc::EPIPE),
    ("eproto", libc::EPROTO),
    ("etimedout", libc::ETIMEDOUT),
];

#[derive(Debug, Clone, Copy)]
enum When {
    At(u64),
    From(u64),
    Every(u64),
}

/// What came of a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that it named.
    pub calls: u64,
    /// How many of them it made fail.
    pub hits: u64,
}

#[derive(Debug, Clone)]
struct Rule {
    text: String,
    /// The calls that it names.
    calls: Vec<&'static str>,
    kind: Kind,
    when: When,
    tally: Tally,
}

/// What shall fail, and what has become of it.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    rules: Vec<Rule>,
}

impl Plan {
    /// Reads a plan; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Plan, String> {
        let rules = text.split(',').map(Rule::new).collect::<Result<_, _>>()?;
        Ok(Plan { rules })
    }

    /// Runs `body` under this plan, as far as this thread's calls go.
    pub fn run<T>(&mut self, body: impl FnOnce() -> T) -> T {
        OWN.with(|own| own.replace(Some(std::mem::take(self))));
        let outcome = body();
        *self = OWN.with(RefCell::take).unwrap_or_default();
        outcome
    }

    /// What has become of each rule.
    #[must_use]
    pub fn tallies(&self) -> Vec<Tally> {
        self.rules.iter().map(|rule| rule.tally).collect()
    }

    fn next(&mut self, call: &'static str) -> Option<Kind> {
        let mut decided = None;
        for rule in self.rules.iter_mut().filter(|r| r.calls.contains(&call)) {
            rule.tally.calls += 1;
            let at = rule.tally.calls;
            let hit = match rule.when {
                When::At(k) => at == k,
                When::From(k) => at >= k,
                When::Every(period) => at % period == 0,
            };
            if hit && decided.is_none() {
                rule.tally.hits += 1;
                decided = Some(rule.kind);
            }
        }
        decided
    }
}

impl Rule {
    fn new(text: &str) -> Result<Rule, String> {
        let bad = |what: &str| format!("\"{text}\": {what}");
        let mut words = text.split(':');
        let (Some(call), Some(kind), Some(when), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad("not CALL:KIND:WHEN"));
        };
        let known = [SIGNALS, CONNECTED, OTHERS].into_iter().flatten();
        let named = known.copied().find(|name| *name == call);
        let general = KINDS.iter().find(|(name, ..)| *name == kind);
        let errno = ERRNOS.iter().find(|(name, _)| *name == kind);
        let (kind, calls) = match (named, general, errno) {
            (None, Some((_, kind, calls)), _) if call == "any" => (*kind, calls.to_vec()),
            (None, ..) => return Err(bad("no such call, or it has to be named")),
            (Some(call), Some((_, kind, calls)), _) if calls.contains(&call) => (*kind, vec![call]),
            (Some(call), _, Some((_, errno))) => (Kind::Fails(*errno), vec![call]),
            _ => return Err(bad("this does not happen to this call")),
        };
        let number = |text: &str| text.parse::<u64>().map_err(|_| bad("not a number"));
        let when = if let Some(period) = when.strip_prefix('%') {
            When::Every(number(period)?.max(1))
        } else if let Some(first) = when.strip_suffix('+') {
            When::From(number(first)?)
        } else {
            When::At(number(when)?)
        };
        Ok(Rule {
            text: text.to_owned(),
            calls,
            kind,
            when,
            tally: Tally::default(),
        })
    }
}

thread_local! {
    static OWN: RefCell<Option<Plan>> = const { RefCell::new(None) };
}

static PROCESS: Mutex<Option<Plan>> = Mutex::new(None);

/// What happens to the call that is about to be made.
pub(super) fn next(call: &'static str) -> Option<Kind> {
    // A thread that is ending has no plan any more.
    let own = OWN.try_with(|own| Some(own.try_borrow_mut().ok()?.as_mut()?.next(call)));
    if let Ok(Some(decided)) = own {
        return decided;
    }
    static START: Once = Once::new();
    START.call_once(read_environment);
    let mut plan = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    plan.as_mut()?.next(call)
}

fn read_environment() {
    let text = std::env::var("WSEMBED_FAULTS").unwrap_or_default();
    if text.is_empty() {
        return;
    }
    match Plan::new(&text) {
        Ok(plan) => *PROCESS.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan),
        Err(why) => {
            eprintln!("WSEMBED_FAULTS: {why}");
            // A run under another plan than was asked for proves nothing.
            // SAFETY: ends the process at once.
            unsafe { libc::_exit(64) };
        }
    }
    // SAFETY: a function of this library, which stays loaded to the end.
    let _ = unsafe { libc::atexit(report) };
}

extern "C" fn report() {
    let Some(path) = std::env::var_os("WSEMBED_FAULTS_REPORT") else {
        return;
    };
    let plan = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let rules = plan.iter().flat_map(|plan| &plan.rules);
    let lines: String = rules
        .map(|Rule { text, tally, .. }| {
            format!("{text} calls={} hits={}\n", tally.calls, tally.hits)
        })
        .collect();
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(lines.as_bytes())) {
        eprintln!("WSEMBED_FAULTS_REPORT: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(text: &str, calls: &[&'static str]) -> Vec<Option<Kind>> {
        let mut plan = Plan::new(text).unwrap();
        calls.iter().map(|call| plan.next(call)).collect()
    }

    #[test]
    fn rules_count_their_own_calls() {
        let again = Some(Kind::Fails(libc::EAGAIN));
        let calls = ["recv", "sendmsg", "recv", "recv"];
        assert_eq!(hits("recv:eagain:2", &calls), [None, None, again, None]);
        assert_eq!(hits("recv:eagain:2+", &calls), [None, None, again, again]);
        assert_eq!(hits("any:eagain:%2", &calls), [None, again, None, again]);
        assert_eq!(hits("recv:eagain:0", &calls), [None; 4]);
        assert_eq!(
            hits("any:byte:2,recv:eagain:1+", &calls),
            [again, Some(Kind::Byte), again, again]
        );
        // The kernel interrupts no question about an option.
        assert_eq!(hits("any:eintr:1", &["getsockopt"]), [None]);
        let refused = Some(Kind::Fails(libc::ENOMEM));
        assert_eq!(hits("getsockopt:enomem:1", &["getsockopt"]), [refused]);
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        for text in [
            "",
            "recv",
            "recv:eintr",
            "recv:eintr:x",
            "recv:eintr:1:2",
            "read:eintr:1",
            "recv:nothing:1",
            "any:enomem:1",
            "getsockopt:eintr:1",
            "socket:reset:1",
            "recv:eintr:1,",
        ] {
            assert!(Plan::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_plan_is_the_threads_and_ends_with_its_body() {
        let mut plan = Plan::new("recv:eintr:1+").unwrap();
        assert_eq!(plan.run(|| next("recv")), Some(Kind::Fails(libc::EINTR)));
        assert_eq!(next("recv"), None);
        plan.run(|| {
            assert_eq!(std::thread::spawn(|| next("recv")).join().unwrap(), None);
        });
        assert_eq!(plan.tallies(), [Tally { calls: 1, hits: 1 }]);
    }
}
