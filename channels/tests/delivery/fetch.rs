//! What a program's `fetch` asks, against a server with recorded answers.

use crate::support::{Answer, Server};
use flow_channels::fetch::{Apis, Question, LONGEST_ANSWER};
use flow_channels::Secrets;
use flow_compiler::bytecode::{ApiId, Program};
use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_runtime::calendar::Zones;
use flow_runtime::ingest::schema::Schema;
use flow_runtime::vm::value::Value;
use flow_runtime::vm::Machine;
use std::sync::Arc;

fn program(base: &str) -> Program {
    let text = format!(
        r#"
event visited {{ page: text }}
user {{ email: email? }}
type product {{ name: text  price: number? }}
channel email to user.email
api recommendations(user_id: text, page: text) -> list of product {{
  get "{base}/users/{{user_id}}/recommendations?page={{page}}"
  header "Authorization" = env RECS_TOKEN
  header "X-Page" = "p:{{page}}"
  timeout 2s
}}
api order(user_id: text, amount: number) -> product {{
  post "{base}/orders"
  body {{ user: user_id  amount: amount  note: "for {{user_id}}" }}
  timeout 2s
}}
api ping(page: text) {{
  get "{base}/ping/{{page}}"
  timeout 1s
}}
journey j {{
  on visited
  fetch recs = recommendations(user.id, page) else end
  call ping("x")
  email "hi"
}}
"#
    );
    let input = ProjectInput {
        name: "shop".into(),
        timezone: "UTC".into(),
        files: vec![SourceFile { path: "a.flow".into(), text }],
        ..ProjectInput::default()
    };
    let compiled = compile(&input);
    compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

struct Asking {
    server: Server,
    program: Program,
    schema: Schema,
    apis: Apis,
}

fn asking(answers: impl IntoIterator<Item = Answer>, allow_private: bool) -> Asking {
    let server = Server::answering(answers);
    let program = program(&server.base);
    let schema = Schema::new(&program, Arc::new(Zones::bundled()));
    let apis = Apis::new(Secrets::given([("RECS_TOKEN", "Bearer s3cret")], "."), allow_private).unwrap();
    Asking { server, program, schema, apis }
}

impl Asking {
    async fn ask(&self, api: &str, args: &[Value]) -> Result<Value, String> {
        let place = self.program.apis.iter().position(|other| other.name == api).unwrap();
        let machine = Machine::new(&self.program);
        let api = ApiId(u32::try_from(place).unwrap());
        let question = Question { machine: &machine, schema: &self.schema, api, args, key: "u1-7", time: 0 };
        self.apis.ask(question).await
    }
}

fn json(status: u16, body: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

fn texts<const N: usize>(texts: [&str; N]) -> [Value; N] {
    texts.map(Value::text)
}

#[tokio::test]
async fn an_answer_has_the_declared_type_and_arguments_stay_in_their_place() {
    let asking = asking([json(200, r#"[{"name": "Cap", "price": 12.50}, {"name": "Bag"}]"#)], true);
    let answer = asking.ask("recommendations", &texts(["../admin?x=1#", "a b&c=d"])).await.unwrap();
    assert_eq!(answer.to_json().to_string(), r#"[["Cap",12.5],["Bag",null]]"#);
    let asked = &asking.server.asked()[0];
    assert_eq!(asked.path, "/users/..%2Fadmin%3Fx%3D1%23/recommendations?page=a%20b%26c%3Dd");
    assert_eq!((asked.header("authorization"), asked.header("x-page")), ("Bearer s3cret", "p:a b&c=d"));
    for dots in ["..", "."] {
        asking.ask("recommendations", &texts([dots, ""])).await.unwrap();
        let path = asking.server.asked().last().unwrap().path.clone();
        assert!(path.starts_with("/users/%252E"), "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_none() {
    for (answer, wanted) in [
        (json(200, r#"[{"name": 7}]"#), "`recommendations` answered something else: answer"),
        (json(200, "<html>"), "`recommendations` answered no JSON"),
        (json(200, "null"), "`recommendations` answered nothing"),
        (json(404, "[]"), "the API answered 404"),
        (json(302, "[]"), "the API answered 302"),
        (json(200, &format!("[{}]", " ".repeat(LONGEST_ANSWER))), "`recommendations` answered more than 1048576 bytes"),
    ] {
        let asking = asking([answer], true);
        let error = asking.ask("recommendations", &texts(["u1", "p"])).await.unwrap_err();
        assert!(error.starts_with(wanted), "{error}");
    }
    let asking = asking([json(200, "[]")], true);
    let error = asking.ask("recommendations", &texts(["u1", "a\r\nx-evil: 1"])).await.unwrap_err();
    assert_eq!(error, "the header `X-Page` would hold a line end");
}

#[tokio::test]
async fn questions_are_asked_again_and_orders_are_not() {
    let asking = asking([json(503, ""), json(500, ""), json(200, "[]")], true);
    assert!(asking.ask("recommendations", &texts(["u1", "p"])).await.is_ok());
    let asked = asking.server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|asked| asked.header("idempotency-key") == "u1-7"));

    let asking = self::asking([json(503, "")], true);
    let args = [Value::text("u1"), Value::Int(12)];
    assert_eq!(asking.ask("order", &args).await.unwrap_err(), "the API answered 503");
    let asked = asking.server.asked();
    assert_eq!(asked.len(), 1);
    let body: serde_json::Value = serde_json::from_slice(&asked[0].body).unwrap();
    assert_eq!(body, serde_json::json!({ "user": "u1", "amount": 12, "note": "for u1" }));
}

#[tokio::test]
async fn an_answer_is_kept_for_as_long_as_its_server_says() {
    let kept = Answer { headers: vec![("cache-control".into(), "public, max-age=60".into())], ..json(200, "[]") };
    let asking = asking([kept], true);
    for _ in 0..3 {
        assert!(asking.ask("recommendations", &texts(["u1", "p"])).await.is_ok());
    }
    assert_eq!(asking.server.asked().len(), 1);
    assert!(asking.ask("recommendations", &texts(["u2", "p"])).await.is_ok());
    assert_eq!(asking.server.asked().len(), 2);
}

#[tokio::test]
async fn no_program_asks_a_private_network_by_accident() {
    let asking = asking([json(200, "[]")], false);
    let error = asking.ask("recommendations", &texts(["u1", "p"])).await.unwrap_err();
    assert_eq!(error, "the address is not a public one");
    assert!(asking.server.asked().is_empty());
}

#[tokio::test]
async fn an_api_that_is_slow_is_no_answer() {
    // Connections are taken by the machine, and nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let program = program(&format!("http://{}", listener.local_addr().unwrap()));
    let schema = Schema::new(&program, Arc::new(Zones::bundled()));
    let apis = Apis::new(Secrets::given([("RECS_TOKEN", "x")], "."), true).unwrap();
    let asking = Asking { server: Server::start(), program, schema, apis };
    assert_eq!(asking.ask("ping", &texts(["x"])).await.unwrap_err(), "`ping` did not answer in time");
}

#[tokio::test]
async fn no_redirect_is_followed_and_a_name_is_judged_by_where_it_leads() {
    let inside = Server::answering([json(200, "[]")]);
    for status in [301, 302, 303, 307, 308] {
        let headers = vec![("location".to_owned(), format!("{}/internal", inside.base))];
        let asking = asking([Answer { status, headers, body: Vec::new() }], true);
        assert!(asking.ask("recommendations", &texts(["u1", "p"])).await.is_err(), "{status}");
    }
    assert!(inside.asked().is_empty());
    // A name that leads to this machine.
    let program = program(&inside.base.replace("127.0.0.1", "localhost"));
    let schema = Schema::new(&program, Arc::new(Zones::bundled()));
    let apis = |allowed| Apis::new(Secrets::given([("RECS_TOKEN", "x")], "."), allowed).unwrap();
    let mut asking = Asking { server: inside, program, schema, apis: apis(false) };
    let error = asking.ask("recommendations", &texts(["u1", "p"])).await.unwrap_err();
    assert_eq!(error, "the address is not a public one");
    assert!(asking.server.asked().is_empty());
    asking.apis = apis(true);
    assert!(asking.ask("recommendations", &texts(["u1", "p"])).await.is_ok(), "the name did lead there");
}
