//! `flowc serve` tells an OpenTelemetry collector what it does, by OTLP over HTTP, and nothing about people.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::folder;
use common::server::Server;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{any_value::Value, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode, Span};
use prost::Message;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const PROGRAM: &str = r#"
event login { number: int }
user { email: email? }
channel email to user.email
journey hello { on login  enter always  topic transactional  email "number {trigger.number}" }
"#;

const CONFIG: &str = "[channels.email]\nbackend = \"file\"\npath = \"out.jsonl\"\n";

/// What came: the raw bytes too, for looking what stands in them.
#[derive(Default)]
struct Came {
    spans: Vec<Span>,
    services: Vec<String>,
    bytes: Vec<u8>,
    heads: Vec<String>,
}

/// A collector that takes everything.
fn collector() -> (SocketAddr, Arc<Mutex<Came>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, came) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Came::default())));
    let all = Arc::clone(&came);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let came = Arc::clone(&all);
            std::thread::spawn(move || while talk(&stream, &came).is_some() {});
        }
    });
    (address, came)
}

fn talk(stream: &TcpStream, came: &Mutex<Came>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if lower.contains("content-encoding: gzip") {
        let mut whole = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut whole).unwrap();
        body = whole;
    }
    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let mut came = came.lock().unwrap();
    for one in request.resource_spans {
        came.services.extend(word(&one.resource.unwrap().attributes, "service.name"));
        came.spans.extend(one.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    came.bytes.extend(body);
    came.heads.push(head);
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    (&*stream).write_all(answer).ok()
}

fn word(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn spans_of_a_call_lead_from_the_request_to_the_delivery() {
    let (address, came) = collector();
    let root = folder("trace", &[("flow.toml", CONFIG), ("a.flow", PROGRAM)]);
    let to = format!("http://{address}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", to.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=shop"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ];
    let server = Server::start_within(&root, &[], &variables);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let calls = br#"{"batch":[
        {"type":"identify","userId":"ada-lovelace","traits":{"email":"ada@shop.example"}},
        {"type":"track","event":"login","userId":"ada-lovelace","properties":{"number":4711}}]}"#;
    let from = format!("traceparent: 00-{trace}-b7ad6b7169203331-01\r\n");
    assert_eq!(server.send("POST", "/v1/batch", &from, calls).unwrap().0, 200);
    assert_eq!(server.send("POST", "/v1/track", "", b"{").unwrap().0, 400);
    server.rest();
    // What has not been sent is sent at the stop.
    assert!(server.signal("TERM"));
    let came = came.lock().unwrap();
    assert!(came.heads.iter().all(|head| head.starts_with("POST /v1/traces ")), "{:?}", came.heads);
    assert!(came.heads.iter().all(|head| head.to_ascii_lowercase().contains("x-team: shop")), "{:?}", came.heads);
    assert!(came.services.iter().all(|service| service == "flowc") && !came.services.is_empty());
    let mine: Vec<&Span> = came.spans.iter().filter(|span| hex(&span.trace_id) == trace).collect();
    let one = |name: &str| {
        let mut found = mine.iter().filter(|span| span.name == name);
        let first = found.next().unwrap_or_else(|| panic!("no span {name}: {:#?}", came.spans));
        assert!(found.next().is_none(), "{name}");
        first
    };
    let request = one("POST /v1/{name}");
    assert_eq!((request.kind, hex(&request.parent_span_id).as_str()), (SpanKind::Server as i32, "b7ad6b7169203331"));
    assert_eq!(word(&request.attributes, "flow.calls").as_deref(), Some("2"));
    assert_eq!(word(&request.attributes, "http.response.status_code").as_deref(), Some("200"));
    for name in ["commit", "engine"] {
        assert_eq!(one(name).parent_span_id, request.span_id, "{name}");
        assert_eq!(word(&one(name).attributes, "flow.records").as_deref(), Some("1"));
    }
    let delivery = one("deliver email");
    assert_eq!(delivery.parent_span_id, one("engine").span_id);
    assert_eq!(word(&delivery.attributes, "flow.outcome").as_deref(), Some("accepted"));
    assert_eq!(word(&delivery.attributes, "flow.journey").as_deref(), Some("hello"));
    assert!(mine.iter().all(|span| span.end_time_unix_nano >= span.start_time_unix_nano));
    assert!(one("commit").end_time_unix_nano <= one("engine").start_time_unix_nano);
    let refused =
        came.spans.iter().find(|span| word(&span.attributes, "http.response.status_code").as_deref() == Some("400"));
    assert!(refused.unwrap().status.as_ref().is_none_or(|status| status.code != StatusCode::Error as i32));
    // The sender is at fault, and nobody is named.
    let text = String::from_utf8_lossy(&came.bytes);
    for personal in ["ada", "lovelace", "shop.example", "4711", "login"] {
        assert!(!text.contains(personal), "{personal}");
    }
}

#[test]
fn a_collector_that_is_not_there_holds_nothing_up() {
    let root = folder("trace-gone", &[("flow.toml", CONFIG), ("a.flow", PROGRAM)]);
    let server = Server::start_within(&root, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")]);
    let call = br#"{"event":"login","userId":"u1","properties":{"number":1}}"#;
    assert_eq!(server.send("POST", "/v1/track", "", call).unwrap().0, 200);
    assert!(server.signal("TERM"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
