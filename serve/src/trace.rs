//! Traces by OpenTelemetry, where the environment says where to: how long a request, a commit, the engine and an attempt
//! took, and what led to what. Nothing in them is about a person.
//!
//! Without `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) there is none of it, and it costs nothing.

use crate::core::Stage;
use crate::log::{say, Level};
use async_trait::async_trait;
use axum::http::{HeaderMap, StatusCode};
use flow_channels::net::{Http, Options};
use flow_channels::Outcome;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span as SdkSpan};
use opentelemetry_sdk::Resource;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle as Runtime;

/// No sending of spans takes longer.
const LONGEST: Duration = Duration::from_secs(10);
/// A stop waits so long for the last spans.
const LAST_SPANS: Duration = Duration::from_secs(3);
/// A commit names so many of the requests in it.
const MOST_LINKS: usize = 100;

/// Where spans go.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    to: Option<(SdkTracerProvider, SdkTracer)>,
}

/// What a span is about, for spans that come of it.
pub type Origin = Option<SpanContext>;

/// A span that is open. It ends with its life.
#[derive(Debug, Default)]
pub struct Span(Option<SdkSpan>);

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Traces {
    /// As the standard variables say (`OTEL_*`).
    ///
    /// # Errors
    /// With a sentence, when they ask for what there is not.
    pub fn from_environment(runtime: &Runtime) -> Result<Self, String> {
        let wanted = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
        let off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let none = variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        if off || none || wanted.into_iter().all(|name| variable(name).is_none()) {
            return Ok(Self::default());
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if let Some(other) = variable(name).filter(|value| value != "http/protobuf") {
                return Err(format!("{name}: traces are sent by http/protobuf, not by {other}"));
            }
        }
        let wrong = |error: String| format!("traces cannot be sent: {error}");
        let http = Http::new(LONGEST, Options { allow_private: true, ..Options::default() }).map_err(wrong)?;
        let collector = Collector { http, runtime: runtime.clone(), failing: AtomicBool::new(false) };
        let exporter = SpanExporter::builder().with_http().with_http_client(collector).build();
        let exporter = exporter.map_err(|error| wrong(error.to_string()))?;
        let mut resource = Resource::builder();
        let named = variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|value| value.contains("service.name="));
        if variable("OTEL_SERVICE_NAME").is_none() && !named {
            resource = resource.with_service_name("flowc");
        }
        let provider =
            SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
        let tracer = provider.tracer("flow");
        Ok(Self { to: Some((provider, tracer)) })
    }

    /// Sends what has not been sent.
    pub fn end(self) {
        if let Some((provider, _)) = self.to {
            // What cannot be sent has been told, or is lost with the collector that went before.
            let _ = provider.shutdown_with_timeout(LAST_SPANS);
        }
    }

    /// A request that brings calls. Its sender may say what it belongs to (`traceparent`).
    #[must_use]
    pub fn request(&self, route: &'static str, headers: &HeaderMap) -> Span {
        Span(self.to.as_ref().map(|(_, tracer)| {
            let span = SpanBuilder::from_name(format!("POST {route}")).with_kind(SpanKind::Server);
            let span = span.with_attributes([text("http.request.method", "POST"), text("http.route", route)]);
            let from = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
            tracer.build_with_context(span, &from)
        }))
    }

    /// A step of the server, with the requests that wait for it.
    #[must_use]
    pub fn step(&self, origins: Vec<SpanContext>) -> Step<'_> {
        Step { traces: self, origins, open: Span(None), last: None }
    }

    /// An attempt to hand over a message.
    #[must_use]
    pub fn attempt(&self, from: &Origin, channel: &str, journey: &str, attempt: u32) -> Span {
        Span(self.to.as_ref().map(|(_, tracer)| {
            let span = SpanBuilder::from_name(format!("deliver {channel}")).with_kind(SpanKind::Client);
            let span = span.with_attributes([
                text("flow.channel", channel),
                text("flow.journey", journey),
                KeyValue::new("flow.attempt", i64::from(attempt)),
            ]);
            tracer.build_with_context(span, &context(from))
        }))
    }
}

fn text(name: &'static str, value: &str) -> KeyValue {
    KeyValue::new(name, value.to_owned())
}

fn context(from: &Origin) -> Context {
    from.as_ref().map_or_else(Context::new, |from| Context::new().with_remote_span_context(from.clone()))
}

impl Span {
    /// What comes of it belongs to this.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.as_ref().map(|span| span.span_context().clone())
    }

    /// Notes a number.
    pub fn number(&mut self, name: &'static str, value: usize) {
        self.note(name, i64::try_from(value).unwrap_or(i64::MAX).into());
    }

    fn note(&mut self, name: &'static str, value: Value) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new(name, value));
        }
    }

    fn failed(&mut self) {
        if let Some(span) = &mut self.0 {
            span.set_status(Status::error(""));
        }
    }

    /// The request was answered.
    pub fn answered(mut self, status: StatusCode) {
        self.note("http.response.status_code", i64::from(status.as_u16()).into());
        if status.is_server_error() {
            self.failed();
        }
    }

    /// The attempt came to this. Why it failed may hold an address, and is not told.
    pub fn came_to(mut self, outcome: &Outcome) {
        let (word, failed) = match outcome {
            Outcome::Accepted { .. } => ("accepted", false),
            Outcome::Rejected { .. } => ("rejected", true),
            Outcome::Retry { .. } => ("retry", true),
        };
        self.note("flow.outcome", word.into());
        if failed {
            self.failed();
        }
    }
}

/// The spans of one step: its commits, and what the engine made of them.
pub struct Step<'t> {
    traces: &'t Traces,
    origins: Vec<SpanContext>,
    open: Span,
    last: Origin,
}

impl Step<'_> {
    /// Another stage begins, and the one before ends.
    pub fn stage(&mut self, stage: Stage) {
        // The one before ends first.
        self.open = Span(None);
        let Some((_, tracer)) = &self.traces.to else { return };
        let (name, records) = match stage {
            Stage::Commit(records) => ("commit", records),
            Stage::Engine(records) => ("engine", records),
            Stage::Done => return,
        };
        // It belongs to the first request in it, and the others can be found from it.
        let mut origins = self.origins.iter().cloned();
        let from = origins.next();
        let links = origins.take(MOST_LINKS).map(Link::with_context).collect();
        let span = SpanBuilder::from_name(name).with_kind(SpanKind::Internal).with_links(links);
        self.open = Span(Some(tracer.build_with_context(span, &context(&from))));
        self.open.number("flow.records", records);
        if matches!(stage, Stage::Engine(_)) {
            self.last = self.open.origin();
        }
    }

    /// What begins now belongs to this.
    #[must_use]
    pub fn end(self) -> Origin {
        self.last
    }
}

/// The way to the collector: the client of all others, within the server's runtime.
#[derive(Debug)]
struct Collector {
    http: Http,
    runtime: Runtime,
    failing: AtomicBool,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.http.client();
        let sent = self.runtime.spawn(async move { client.send_bytes(request).await }).await;
        let sent = sent.map_err(HttpError::from).and_then(|sent| sent);
        let failing = !sent.as_ref().is_ok_and(|answer| answer.status().is_success());
        if failing && !self.failing.swap(failing, Ordering::Relaxed) {
            let why = match &sent {
                Ok(answer) => format!("the collector answered {}", answer.status()),
                Err(error) => error.to_string(),
            };
            say(Level::Warning, "traces cannot be sent", &[("error", &why)]);
        }
        self.failing.store(failing, Ordering::Relaxed);
        sent
    }
}
