//! Which traces are collected, and where they go.

use std::time::Duration;

use axum::http::Uri;
use opentelemetry_sdk::trace::Sampler;
use stdx::Secret;

/// What is collected, plain values.
#[derive(Debug)]
pub struct TraceSettings {
    /// `service.name`
    pub service_name: String,
    /// More about this process, names and values.
    pub resource: Vec<(String, String)>,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// Who takes the traces.
    pub collector: Option<Collector>,
    /// Whether they are printed to standard output.
    pub console: bool,
}

/// Who takes traces.
#[derive(Debug)]
pub struct Collector {
    /// Where they are sent with `POST`, as `http://localhost:4318/v1/traces`.
    pub(super) url: String,
    /// Headers of each.
    pub(super) headers: Vec<(String, Secret<String>)>,
    /// The longest that one may take.
    pub(super) timeout: Duration,
}

/// Which requests are traced.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Whether a caller who is traced decides.
    parent_decides: bool,
    /// The part of all others, from 0 to 1.
    part: f64,
}

/// What is wrong with settings of traces.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// There is no such sampler.
    #[error(
        "there is no sampler {0}; known are always_on, always_off, traceidratio and the same behind \
         parentbased_"
    )]
    Sampler(String),
    /// It is no part of something.
    #[error("{0} is no number from 0 to 1")]
    Part(String),
    /// It is nowhere to send to.
    #[error("{0}; write http:// or https://, a host and a port")]
    Endpoint(String),
    /// Names and values cannot be read.
    #[error("write name=value, separated by commas, as in a URL")]
    Pairs,
}

impl Sampling {
    /// Reads the names of `OTEL_TRACES_SAMPLER`, and its argument where it has one.
    pub fn parse(name: &str, argument: &str) -> Result<Self, TraceError> {
        let (parent_decides, kind) = match name.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, name),
        };
        let part = match kind {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" if argument.is_empty() => 1.0,
            "traceidratio" => argument
                .parse()
                .ok()
                .filter(|part| (0.0..=1.0).contains(part))
                .ok_or_else(|| TraceError::Part(argument.to_owned()))?,
            _ => return Err(TraceError::Sampler(name.to_owned())),
        };
        Ok(Self {
            parent_decides,
            part,
        })
    }

    pub(super) fn sampler(&self) -> Sampler {
        let own = Sampler::TraceIdRatioBased(self.part);
        match self.parent_decides {
            true => Sampler::ParentBased(Box::new(own)),
            false => own,
        }
    }
}

impl Collector {
    /// `url` is the whole address; `headers` are `name=value` pairs, which may hold secrets.
    pub fn new(url: &str, headers: &str, timeout: Duration) -> Result<Self, TraceError> {
        let wrong = |what: &str| TraceError::Endpoint(format!("{url} {what}"));
        let uri: Uri = url.parse().map_err(|_| wrong("is no address"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(wrong("is no address of HTTP"));
        }
        let headers = pairs(headers)?.into_iter();
        Ok(Self {
            url: url.to_owned(),
            headers: headers
                .map(|(name, value)| (name, Secret::new(value)))
                .collect(),
            timeout,
        })
    }
}

/// `a=1,b=two%20words`, the form of `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS`.
pub fn pairs(text: &str) -> Result<Vec<(String, String)>, TraceError> {
    let parts = text.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').ok_or(TraceError::Pairs)?;
            let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8();
            let value = value.map_err(|_| TraceError::Pairs)?;
            let is_name = |c: char| c.is_ascii_graphic() && !"\"(),/:;<=>?@[]{}\\".contains(c);
            match name.trim() {
                "" => Err(TraceError::Pairs),
                name if !name.chars().all(is_name) => Err(TraceError::Pairs),
                name => Ok((name.to_owned(), value.into_owned())),
            }
        })
        .collect()
}
