//! The log of a server, and its traces.

use std::io::IsTerminal as _;

use server::{TRACE_TARGET, Traces};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

use crate::config::{Configuration, traces};
use crate::failure::{Failure, Outcome};

/// Rooms of others that would log every bound value, and so what people say of themselves, or every
/// word of a statement: they may warn, at whatever level.
const DISCREET: [&str; 3] = ["tokio_postgres", "mysql_async", "sqlparser"];

/// Begins both; gives the traces, which whoever serves stops at the end. Without traces the log
/// stands alone, and a span costs a look at a number.
pub(super) fn start(configuration: &Configuration, prints_spans: bool) -> Outcome<Option<Traces>> {
    let filter = filter(configuration)?;
    let traces = match traces(configuration, prints_spans)? {
        None => None,
        Some(settings) => {
            let started = Traces::start(&settings);
            Some(started.map_err(|error| Failure::config(format!("traces: {error}")))?)
        }
    };
    let is_terminal = std::io::stderr().is_terminal();
    let Some(traces) = traces else {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr);
        match is_terminal {
            true => subscriber.with_target(false).init(),
            false => subscriber.json().init(),
        }
        return Ok(None);
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match is_terminal {
        true => lines.with_target(false).boxed(),
        false => lines.json().boxed(),
    };
    Registry::default()
        .with(lines.with_filter(filter))
        .with(traces.layer())
        .init();
    Ok(Some(traces))
}

/// What is logged: one line a record, for people in a terminal, JSON elsewhere. Spans of traces are
/// none.
fn filter(configuration: &Configuration) -> Outcome<EnvFilter> {
    let level = configuration.text("log.level");
    let wrong = || configuration.ill_typed("log.level", "error, warn, info, debug or trace");
    let mut filter = EnvFilter::try_new(level).map_err(|_| wrong())?;
    let discreet = DISCREET.map(|room| format!("{room}=warn"));
    for directive in discreet.into_iter().chain([format!("{TRACE_TARGET}=off")]) {
        filter = filter.add_directive(directive.parse().map_err(|_| wrong())?);
    }
    Ok(filter)
}
