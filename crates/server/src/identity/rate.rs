//! How often something may be used: so many times in each window of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// So many times a second, a minute or an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    times: u32,
    window: Window,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Second,
    Minute,
    Hour,
}

/// A text that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate is written as 10/s, 600/min or 5000/h")]
pub struct RateError;

impl Rate {
    /// How often.
    #[must_use]
    pub fn times(self) -> u32 {
        self.times
    }

    /// In how much time.
    #[must_use]
    pub fn window(self) -> Duration {
        match self.window {
            Window::Second => Duration::from_secs(1),
            Window::Minute => Duration::from_mins(1),
            Window::Hour => Duration::from_hours(1),
        }
    }

    /// How often in an hour.
    #[must_use]
    pub fn hourly(self) -> u64 {
        let in_an_hour = 3600 / self.window().as_secs();
        u64::from(self.times) * in_an_hour
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (times, window) = text.split_once('/').ok_or(RateError)?;
        let times = times.trim().parse().map_err(|_| RateError)?;
        let window = match window.trim() {
            "s" => Window::Second,
            "min" => Window::Minute,
            "h" => Window::Hour,
            _ => return Err(RateError),
        };
        match times {
            0 | 1_000_001.. => Err(RateError),
            times => Ok(Self { times, window }),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = match self.window {
            Window::Second => "s",
            Window::Minute => "min",
            Window::Hour => "h",
        };
        write!(f, "{}/{window}", self.times)
    }
}
