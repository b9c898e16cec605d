//! Where the time of a request went (`Server-Timing`, W3C), under PostgREST's names.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A part of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Finding out who asks.
    Jwt,
    /// Reading headers and body.
    Parse,
    /// Understanding the request, and writing its statements.
    Plan,
    /// Waiting for the database.
    Transaction,
    /// Making the answer.
    Response,
}

const NAMES: [&str; 5] = ["jwt", "parse", "plan", "transaction", "response"];

/// A watch that runs since the last part was over.
pub(crate) struct Timing(Mutex<Watch>);

struct Watch {
    last: Instant,
    spent: [Duration; NAMES.len()],
}

impl Timing {
    pub(super) fn begin() -> Self {
        Self(Mutex::new(Watch {
            last: Instant::now(),
            spent: [Duration::ZERO; NAMES.len()],
        }))
    }

    /// A part is over; some come more than once.
    pub(super) fn over(&self, part: Part) {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let spent = now - watch.last;
        watch.spent[part as usize] += spent;
        watch.last = now;
    }

    /// `jwt;dur=0.1, parse;dur=0.0, …`, in milliseconds.
    pub(super) fn header(&self) -> String {
        let watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, spent) in NAMES.iter().zip(watch.spent) {
            let separator = if text.is_empty() { "" } else { ", " };
            // Writing into a text cannot fail.
            let _ = write!(
                text,
                "{separator}{name};dur={:.1}",
                spent.as_secs_f64() * 1e3
            );
        }
        text
    }
}
