//! Traces: spans of requests, statements and hooks, as a collector of OpenTelemetry gets them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Of;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use testkit::{Answer, Project, Running, ThrowAwayDatabase};

use crate::hooks::eventually;
use crate::hooks::receiver::{Conduct, Receiver};
use crate::http::{App, PILASTER};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// Values that no span may hold.
const MARKERS: [&str; 6] = [
    "marker-4711",
    "0193a000-0000-7000-8000-0000000000a1",
    "a long pass phrase",
    "example.org",
    "b3f1c6d27a9e4450",
    "select=",
];

/// Cruddur with a webhook that is told of accounts, and a hook of the outbox.
fn project(webhooks: &Receiver) -> Project {
    let project = Project::cruddur().with(
        "WEBHOOK_CRM_SECRET",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    );
    project.write(
        "pilaster.toml",
        &format!(
            "[webhooks]\nallow_private = [\"127.0.0.0/8\"]\n\
             [webhooks.crm]\nurl = \"{}\"\nevents = [\"user_registered\"]\n",
            webhooks.url()
        ),
    );
    project.write(
        "hooks/login.sql",
        "-- @mode outbox\nupdate users set bio = 'was here' where uuid = :user_id\n",
    );
    project
}

/// The same with a collector.
fn traced(project: Project, collector: &Receiver) -> Project {
    project
        .with(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            &format!("http://127.0.0.1:{}/", collector.port),
        )
        .with("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20key,x-more=2")
        .with("OTEL_SERVICE_NAME", "shop")
        .with(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test,service.name=other",
        )
}

fn collected(collector: &Receiver) -> Vec<ExportTraceServiceRequest> {
    let received = collector.received().into_iter();
    received
        .map(|request| {
            assert_eq!(request.path, "/v1/traces");
            assert_eq!(request.header("content-type"), "application/x-protobuf");
            assert_eq!(request.header("x-key"), "a key");
            assert_eq!(request.header("x-more"), "2");
            ExportTraceServiceRequest::decode(request.body.as_slice()).expect("protobuf")
        })
        .collect()
}

fn spans(collector: &Receiver) -> Vec<Span> {
    collected(collector)
        .into_iter()
        .flat_map(|request| request.resource_spans)
        .flat_map(|of_resource| of_resource.scope_spans)
        .flat_map(|of_scope| of_scope.spans)
        .collect()
}

fn found(attributes: &[KeyValue], name: &str) -> Value {
    let pair = attributes.iter().find(|pair| pair.key == name);
    match pair.and_then(|pair| pair.value.clone()?.value) {
        Some(Of::StringValue(text)) => json!(text),
        Some(Of::IntValue(number)) => json!(number),
        _ => Value::Null,
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).expect("half a byte");
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

/// The one span of this name whose parent is this one; an empty parent is any.
fn span<'s>(spans: &'s [Span], name: &str, parent: &[u8]) -> &'s Span {
    let is_it =
        |span: &&Span| span.name == name && (parent.is_empty() || span.parent_span_id == parent);
    let mut all = spans.iter().filter(is_it);
    let names = || -> Vec<&str> { spans.iter().map(|span| span.name.as_str()).collect() };
    let one = all.next();
    one.unwrap_or_else(|| panic!("no {name} among {:?}", names()))
}

// req: OB-5
#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_a_collector() {
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        let collector = Receiver::start(Conduct::Answer("200 OK")).await;
        let webhooks = Receiver::start(Conduct::Answer("200 OK")).await;
        let project = traced(project(&webhooks), &collector);
        let Some(mut app) = App::of(engine, project).await else {
            continue;
        };
        ask(&app.server, &webhooks).await;
        assert_eq!(app.server.stop(), Some(0), "{}", app.server.log());
        for request in collector.received() {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            for marker in MARKERS {
                assert!(!text.contains(marker), "{engine}, {marker}: {text}");
            }
        }
        for request in collected(&collector) {
            let resource = request.resource_spans[0].resource.clone();
            let attributes = resource.expect("a resource").attributes;
            assert_eq!(found(&attributes, "service.name"), "shop");
            assert_eq!(found(&attributes, "deployment.environment.name"), "test");
        }
        shows(engine, &spans(&collector), &webhooks);
    }
}

/// Everything that is to be seen in spans.
async fn ask(server: &Running, webhooks: &Receiver) {
    let token = server.sign_up("ada").await;
    let list = "/api/activities?select=message,author:users(handle)&message=neq.marker-4711";
    let request = server.request("GET", list).bearer_auth(&token);
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let rows = Answer::read(request.header("traceparent", parent)).await;
    assert_eq!(
        rows.json().as_array().map(Vec::len),
        Some(1),
        "{}",
        rows.body
    );
    let key = "/rest/v1/activities/0193a000-0000-7000-8000-0000000000a1";
    assert_eq!(server.get(key).await.status, 200);
    let liked = server
        .send(
            "POST",
            &token,
            &format!("{}/like", key.replace("rest/v1", "api")),
            &json!({}),
        )
        .await;
    assert_eq!(liked.status, 200, "{}", liked.body);
    assert_eq!(server.get("/api/marker-4711/x").await.status, 404);
    // A header that is no trace is none.
    let request = server.request("GET", "/healthz");
    Answer::read(request.header("traceparent", "00-marker-4711-x-01")).await;
    eventually("the deliveries", async || {
        let bio = server.get("/api/users?select=bio&handle=eq.ada").await;
        let is_told = !webhooks.received().is_empty();
        (is_told && bio.json()[0]["bio"] == "was here").then_some(())
    })
    .await;
}

fn shows(engine: &str, spans: &[Span], webhooks: &Receiver) {
    let system = match engine {
        "postgres" => "postgresql",
        other => other,
    };
    // A request within its caller's trace, and its statement within the request.
    let list = span(spans, "GET /api/activities", &[]);
    assert_eq!(hex(&list.trace_id), TRACE);
    assert_eq!((hex(&list.parent_span_id).as_str(), list.kind), (PARENT, 2));
    for (name, wanted) in [
        ("http.route", json!("/api/activities")),
        ("http.request.method", json!("GET")),
        ("http.response.status_code", json!(200)),
        ("app.result_length", json!(1)),
    ] {
        assert_eq!(found(&list.attributes, name), wanted, "{engine}: {name}");
    }
    let read = span(spans, &format!("SELECT {system}"), &list.span_id);
    assert_eq!((hex(&read.trace_id).as_str(), read.kind), (TRACE, 3));
    assert_eq!(found(&read.attributes, "app.result_length"), 1, "{engine}");
    assert_eq!(found(&read.attributes, "db.system.name"), system);
    assert_eq!(found(&read.attributes, "db.operation.name"), "SELECT");
    let keyed = span(spans, "GET /rest/v1/activities/{key}", &[]);
    assert!(hex(&keyed.trace_id) != TRACE && keyed.parent_span_id.is_empty());
    let liked = span(spans, "POST /api/activities/{uuid}/like", &[]);
    let unit = span(spans, &format!("BATCH {system}"), &liked.span_id);
    // A file's two statements; on some engines one more makes them so.
    for name in ["app.statements", "app.result_length"] {
        let number = found(&unit.attributes, name);
        assert!(number.as_i64() >= Some(2), "{engine}: {name} {number}");
    }
    let lost = span(spans, "GET no route", &[]);
    assert_eq!(found(&lost.attributes, "http.response.status_code"), 404);
    assert!(span(spans, "GET /healthz", &[]).parent_span_id.is_empty());
    // A hook file in the event's unit, one behind the outbox, a webhook.
    let register = span(spans, "POST /register", &[]);
    let hook = span(spans, "hook user_registered", &register.span_id);
    assert_eq!(found(&hook.attributes, "app.statements"), 1);
    let unit = span(spans, &format!("BATCH {system}"), &register.span_id);
    let rows = found(&unit.attributes, "app.result_length");
    assert!(rows.as_i64() >= Some(2), "{engine}: {rows}");
    let outbox = span(spans, "deliver login", &[]);
    assert_eq!(
        found(&outbox.attributes, "app.result_length"),
        1,
        "{engine}"
    );
    span(spans, &format!("BATCH {system}"), &outbox.span_id);
    let sent = span(spans, "deliver user_registered", &[]);
    assert_eq!(sent.kind, 3);
    let told = &webhooks.received()[0];
    let ids = (hex(&sent.trace_id), hex(&sent.span_id));
    assert_eq!(
        told.header("traceparent"),
        format!("00-{}-{}-01", ids.0, ids.1)
    );
}

/// What is collected of two requests, one of them in a trace that is sampled.
async fn sampled(more: &[(&str, &str)]) -> usize {
    let collector = Receiver::start(Conduct::Answer("200 OK")).await;
    let mut project = traced(Project::cruddur(), &collector);
    for (name, value) in more {
        project = project.with(name, value);
    }
    let mut app = App::of("sqlite", project).await.expect("SQLite is there");
    for parent in [
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        let request = app.server.request("GET", "/api/users?limit=1");
        let answer = Answer::read(request.header("traceparent", parent)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(app.server.stop(), Some(0));
    let spans = spans(&collector);
    spans
        .iter()
        .filter(|span| span.name == "GET /api/users")
        .count()
}

// req: OB-5
#[tokio::test(flavor = "multi_thread")]
async fn who_is_sampled_is_configured() {
    for (name, argument, wanted) in [
        ("always_on", "", 2),
        ("always_off", "", 0),
        ("traceidratio", "0", 0),
        ("traceidratio", "1", 2),
        ("parentbased_always_off", "", 1),
        ("parentbased_traceidratio", "0.0", 1),
        ("parentbased_always_on", "", 2),
    ] {
        let more = [
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ];
        assert_eq!(sampled(&more).await, wanted, "{name} {argument}");
    }
    assert_eq!(sampled(&[("OTEL_SDK_DISABLED", "true")]).await, 0);
    assert_eq!(sampled(&[("OTEL_TRACES_EXPORTER", "none")]).await, 0);
}

// req: OB-5
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_harms_nothing_and_is_told_of_once() {
    let collector = Receiver::start(Conduct::Answer("503 Away")).await;
    let project = traced(Project::cruddur(), &collector).with("OTEL_BSP_SCHEDULE_DELAY", "20");
    let mut app = App::of("sqlite", project).await.expect("SQLite is there");
    let away = "the collector takes no traces";
    eventually("several attempts", async || {
        assert_eq!(app.server.get("/api/users").await.status, 200);
        (collector.received().len() >= 4).then_some(())
    })
    .await;
    eventually("the word of it", async || {
        app.server.log().contains(away).then_some(())
    })
    .await;
    collector.behave(Conduct::Answer("200 OK"));
    eventually("the way back", async || {
        assert_eq!(app.server.get("/api/users").await.status, 200);
        app.server
            .log()
            .contains("takes traces again")
            .then_some(())
    })
    .await;
    assert_eq!(
        app.server.log().matches(away).count(),
        1,
        "{}",
        app.server.log()
    );
    assert!(!app.server.log().contains("a key"), "{}", app.server.log());
    assert_eq!(app.server.stop(), Some(0));
    // Nobody listens there at all.
    let project = app
        .project
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let mut server = Running::serve(PILASTER, &project).await;
    for _ in 0..20 {
        assert_eq!(server.get("/api/users").await.status, 200);
    }
    assert_eq!(server.stop(), Some(0));
    assert_eq!(server.log().matches(away).count(), 1, "{}", server.log());
}

// req: OB-6
#[tokio::test(flavor = "multi_thread")]
async fn spans_are_printed() {
    let database = ThrowAwayDatabase::create("sqlite")
        .await
        .expect("SQLite is there");
    let project = Project::cruddur().with("DATABASE_URL", database.url());
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["db", "seed"]);
    let server = Running::spawn(PILASTER, &project, &["serve", "--trace-console"]);
    let mut server = server.until_ready().await;
    let path = "/api/activities?message=neq.marker-4711";
    assert_eq!(server.get(path).await.status, 200);
    assert_eq!(server.stop(), Some(0));
    let log = server.log();
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| line.contains("\"span_id\""))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let of = |name: &str| lines.iter().find(|line| line["span"] == name);
    let request = of("GET /api/activities").unwrap_or_else(|| panic!("{log}"));
    assert_eq!(request["attributes"]["http.response.status_code"], 200);
    assert_eq!(request["attributes"]["app.result_length"], 1);
    let statement = lines
        .iter()
        .find(|line| line["parent_span_id"] == request["span_id"]);
    let statement = statement.unwrap_or_else(|| panic!("{log}"));
    assert_eq!(statement["span"], "SELECT sqlite");
    assert_eq!(statement["attributes"]["app.result_length"], 1);
    assert!(!log.contains("marker-4711"), "{log}");
    // Nobody asked for them.
    let mut quiet = Running::serve(PILASTER, &project).await;
    assert_eq!(quiet.get(path).await.status, 200);
    assert_eq!(quiet.stop(), Some(0));
    assert!(!quiet.log().contains("span_id"), "{}", quiet.log());
}

#[test]
fn wrong_settings_of_traces_are_named() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for (more, cause) in [
        (
            [endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            "http/protobuf",
        ),
        (
            [endpoint, ("OTEL_TRACES_SAMPLER", "sometimes")],
            "no sampler sometimes",
        ),
        (
            [endpoint, ("OTEL_EXPORTER_OTLP_HEADERS", "secret-4711")],
            "write name=value",
        ),
        (
            [endpoint, ("OTEL_RESOURCE_ATTRIBUTES", "a")],
            "traces.resource",
        ),
        ([endpoint, ("OTEL_SDK_DISABLED", "maybe")], "true or false"),
        (
            [endpoint, ("OTEL_TRACES_EXPORTER", "zipkin")],
            "otlp, console or none",
        ),
        (
            [endpoint, ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")],
            "is no address",
        ),
    ] {
        let mut project = Project::cruddur().with("PORT", "0");
        for (name, value) in more {
            project = project.with(name, value);
        }
        let refused = project.run(PILASTER, &["serve"]);
        assert_eq!(refused.code, 3, "{more:?}: {}", refused.text());
        assert!(refused.err.contains(cause), "{more:?}: {}", refused.err);
        assert!(
            !refused.text().contains("secret-4711"),
            "{}",
            refused.text()
        );
    }
}
