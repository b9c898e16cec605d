//! `[traces]`: the settings of OpenTelemetry, under the names that its specification gives them in
//! the environment (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

use std::time::Duration;

use server::{Collector, Sampling, TraceSettings, trace_pairs};

use super::Configuration;
use super::settings::number;
use crate::failure::{Failure, Outcome};

/// What is traced; `None` where nobody takes traces. `prints` shows them on standard output too.
pub(crate) fn traces(
    configuration: &Configuration,
    prints: bool,
) -> Outcome<Option<TraceSettings>> {
    let collector = match configuration.text("traces.disabled") {
        "true" => None,
        "false" | "" => collector(configuration)?,
        _ => return Err(configuration.ill_typed("traces.disabled", "true or false")),
    };
    let exporter = configuration.text("traces.exporter");
    let console = match exporter {
        "otlp" | "none" | "" => prints,
        "console" => true,
        _ => return Err(configuration.ill_typed("traces.exporter", "otlp, console or none")),
    };
    let collector = collector.filter(|_| matches!(exporter, "otlp" | ""));
    if collector.is_none() && !console {
        return Ok(None);
    }
    let wrong = |name: &str, error: &dyn std::fmt::Display| {
        let origin = configuration.origin(name);
        Failure::config(format!("{origin}: {name}: {error}"))
    };
    let sampling = Sampling::parse(
        configuration.text("traces.sampler"),
        configuration.text("traces.sampler_argument"),
    );
    let mut resource = trace_pairs(configuration.text("traces.resource"))
        .map_err(|error| wrong("traces.resource", &error))?;
    // OTEL_SERVICE_NAME goes before a name among the attributes.
    let among = resource.iter().position(|(name, _)| name == "service.name");
    let among = among.map(|place| resource.remove(place).1);
    let service_name = match configuration.text("traces.service_name") {
        "" => among.unwrap_or_else(|| String::from("pilaster")),
        name => name.to_owned(),
    };
    Ok(Some(TraceSettings {
        service_name,
        resource,
        sampling: sampling.map_err(|error| wrong("traces.sampler", &error))?,
        collector,
        console,
    }))
}

/// Who takes traces, where an address is given.
fn collector(configuration: &Configuration) -> Outcome<Option<Collector>> {
    let (base, own) = (
        configuration.text("traces.endpoint"),
        configuration.text("traces.own_endpoint"),
    );
    let (name, url) = match (base, own) {
        ("", "") => return Ok(None),
        // That of everything gets the path of traces, that of traces is taken as it is.
        (base, "") => (
            "traces.endpoint",
            format!("{}/v1/traces", base.trim_end_matches('/')),
        ),
        (_, own) => ("traces.own_endpoint", own.to_owned()),
    };
    if configuration.text("traces.protocol") != "http/protobuf" {
        return Err(configuration.ill_typed("traces.protocol", "http/protobuf"));
    }
    let headers = match configuration.text("traces.own_headers") {
        "" => configuration.text("traces.headers"),
        own => own,
    };
    let timeout = Duration::from_millis(number(configuration, "traces.timeout_ms")?);
    Collector::new(&url, headers, timeout)
        .map(Some)
        .map_err(|error| {
            let origin = configuration.origin(name);
            Failure::config(format!("{origin}: {name}: {error}"))
        })
}
