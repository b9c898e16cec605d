//! Spans on standard output, a line of JSON each.

use std::io::Write as _;
use std::time::UNIX_EPOCH;

use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use serde_json::{Map, Value, json};

/// Prints spans as they end.
#[derive(Debug)]
pub(super) struct Printer;

impl SpanExporter for Printer {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut out = std::io::stdout().lock();
        for span in batch {
            writeln!(out, "{}", line(&span))
                .map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?;
        }
        Ok(())
    }
}

fn line(span: &SpanData) -> Value {
    let attributes: Map<String, Value> = span
        .attributes
        .iter()
        .map(|pair| (pair.key.to_string(), of_attribute(&pair.value)))
        .collect();
    let micros = span
        .end_time
        .duration_since(span.start_time)
        .unwrap_or_default()
        .as_micros();
    let began = span.start_time.duration_since(UNIX_EPOCH);
    let parent = span.parent_span_id;
    let status = match &span.status {
        Status::Unset => "unset",
        Status::Ok => "ok",
        Status::Error { .. } => "error",
    };
    json!({
        "span": span.name,
        "kind": format!("{:?}", span.span_kind).to_lowercase(),
        "trace_id": span.span_context.trace_id().to_string(),
        "span_id": span.span_context.span_id().to_string(),
        "parent_span_id": (parent != SpanId::INVALID).then(|| parent.to_string()),
        "began_unix_micros": u64::try_from(began.unwrap_or_default().as_micros()).ok(),
        "micros": u64::try_from(micros).ok(),
        "status": status,
        "attributes": attributes,
    })
}

fn of_attribute(value: &opentelemetry::Value) -> Value {
    match value {
        opentelemetry::Value::Bool(value) => json!(value),
        opentelemetry::Value::I64(value) => json!(value),
        opentelemetry::Value::F64(value) => json!(value),
        other => json!(other.as_str()),
    }
}
