//! One run of the load generator (Debian's wrk) against one route.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::project::Running;
use super::{Size, base};
use crate::command::{output, target};

/// A kind of work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// One row by its key.
    Key,
    /// Twenty rows with a join.
    List,
    /// One row inserted, durable when acknowledged, 32 in flight.
    Insert,
    /// The same, 64 in flight.
    InsertWide,
}

/// What one run gave.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Median latency in milliseconds.
    pub(crate) p50: f64,
    /// 99th percentile in milliseconds.
    pub(crate) p99: f64,
}

const LIST: &str = "/api/activities?select=uuid,message,likes_count,created_at,\
author:users(handle,display_name)&order=created_at.desc,uuid.desc&limit=20";

impl Route {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 4] = [Self::Key, Self::List, Self::Insert, Self::InsertWide];

    /// The row's name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Key => "read one row by key",
            Self::List => "list 20 with join",
            Self::Insert => "insert, 32 in flight",
            Self::InsertWide => "insert, 64 in flight",
        }
    }

    fn connections(self) -> u32 {
        match self {
            Self::InsertWide => 64,
            Self::Key | Self::List | Self::Insert => 32,
        }
    }

    /// The request as a Lua script of wrk.
    fn script(self, ours: bool, token: &str, users: usize) -> String {
        let prefix = if ours { "/api" } else { "" };
        match self {
            Self::Key => format!(
                "math.randomseed(7)\nrequest = function()\n  local n = math.random(0, {}) \n  \
                 return wrk.format('GET', string.format('{prefix}/users/0193a000-0000-7000-8000-%012x', n))\nend\n",
                users - 1
            ),
            Self::List => {
                let path = if ours { LIST } else { "/feed" };
                format!("wrk.path = '{path}'\n")
            }
            Self::Insert | Self::InsertWide => format!(
                "wrk.method = 'POST'\nwrk.path = '{prefix}/activities'\n\
                 wrk.body = '{{\"message\":\"a message from the load generator\"}}'\n\
                 wrk.headers['Content-Type'] = 'application/json'\n\
                 wrk.headers['Authorization'] = 'Bearer {token}'\n"
            ),
        }
    }

    /// Runs the load; an answer that is not 2xx fails the benchmark.
    pub(crate) fn load(
        self,
        running: &Running,
        ours: bool,
        token: &str,
        size: &Size,
    ) -> Result<Figures> {
        let script = target().join("bench/request.lua");
        fs::write(&script, self.script(ours, token, size.users))?;
        let text = output(
            Command::new("taskset")
                .args(["-c", "1", "wrk", "--latency", "-t1"])
                .arg(format!("-c{}", self.connections()))
                .arg(format!("-d{}s", size.seconds))
                .arg("-s")
                .arg(&script)
                .arg(base(running)),
        )?;
        if text.contains("Non-2xx") || text.contains("Socket errors") {
            bail!("{}: {text}", self.name());
        }
        let after = |key: &str| {
            text.lines()
                .find_map(|line| line.trim().strip_prefix(key))
                .map(str::trim)
        };
        Ok(Figures {
            rate: after("Requests/sec:")
                .context("wrk prints a rate")?
                .parse()?,
            p50: millis(after("50%").context("wrk prints a median")?)?,
            p99: millis(after("99%").context("wrk prints a percentile")?)?,
        })
    }
}

fn millis(text: &str) -> Result<f64> {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.strip_suffix('s').context("wrk prints a unit")?, 1000.0)
    };
    Ok(number.parse::<f64>()? * factor)
}
