//! Traces: spans of requests, statements and hooks, for a collector of OpenTelemetry (OTLP over HTTP
//! with protobuf) or for the terminal. Everything of OpenTelemetry stands in here.

mod collector;
mod console;
mod settings;
mod span;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use sql::TRACE_TARGET;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

pub use self::settings::{Collector, Sampling, TraceError, TraceSettings, pairs as trace_pairs};

pub(crate) use self::span::{inject, of_delivery, of_hook, of_request, tell};

/// Collects spans as long as it lives.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Begins; spans are sent by a thread of its own, so no request waits for a collector.
    pub fn start(settings: &TraceSettings) -> Result<Self, TraceError> {
        let attributes = settings
            .resource
            .iter()
            .map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("telemetry.sdk.name", "opentelemetry"),
                KeyValue::new("telemetry.sdk.language", "rust"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            ])
            .with_attributes(attributes)
            .with_service_name(settings.service_name.clone())
            .build();
        let mut builder = SdkTracerProvider::builder()
            .with_sampler(settings.sampling.sampler())
            .with_resource(resource);
        if let Some(collector) = &settings.collector {
            let headers = collector.headers.iter();
            let exporter = SpanExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(collector.url.clone())
                .with_timeout(collector.timeout)
                .with_headers(
                    headers
                        .map(|(name, value)| (name.clone(), value.expose().to_owned()))
                        .collect(),
                )
                .with_http_client(collector::Client::new(collector))
                .build()
                .map_err(|error| TraceError::Endpoint(error.to_string()))?;
            builder = builder.with_batch_exporter(exporter);
        }
        if settings.console {
            builder = builder.with_simple_exporter(console::Printer);
        }
        let provider = builder.build();
        let scope = InstrumentationScope::builder("pilaster")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let tracer = provider.tracer_with_scope(scope);
        Ok(Self { provider, tracer })
    }

    /// What takes spans out of the log's records.
    #[must_use]
    pub fn layer<S: Subscriber + for<'s> LookupSpan<'s>>(&self) -> impl Layer<S> + use<S> {
        let only = Targets::new().with_target(TRACE_TARGET, LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(only)
    }

    /// Sends what is still to be sent, and no more; gives up soon where nobody takes it.
    pub async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.provider.shutdown()).await;
        match stopped {
            Ok(Ok(())) => {}
            // Told already, by whoever sends.
            Ok(Err(error)) => tracing::debug!(%error, "the last traces were not delivered"),
            Err(error) => tracing::debug!(%error, "traces were not stopped"),
        }
    }
}
