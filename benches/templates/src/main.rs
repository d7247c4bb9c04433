//! Templates per second: Flow's renderer beside the `liquid` crate and minijinja (and liquidjs, by `run.py`), each with
//! its templates compiled once and its values at hand. All must give the same text.
//!
//!     flow-bench-templates [SECONDS] [CASE]     (one line of JSON for each case and engine)

mod alloc;

use flow_compiler::bytecode::{Field, RecordType, Type, TypeId};
use flow_runtime::render::{render, Context, Data, Source, Template, Templates};
use flow_runtime::vm::value::Value;
use jiff::tz::TimeZone;
use minijinja::syntax::SyntaxConfig;
use rust_decimal::Decimal;
use serde_json::{json, Value as Json};
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const CASES: [(&str, usize); 3] = [("hello", 0), ("cart", 5), ("list", 200)];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    let only = arguments.next();
    if only.as_deref() == Some("--data") {
        println!("{}", json!(CASES.map(|(name, count)| json!({"case": name, "data": data(count)}))));
        return;
    }
    for (name, count) in CASES {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let data = data(count);
        let source = read(&format!("{name}.liquid"));
        let flow = Flow::new(&source, &data);
        let expected = flow.text();
        measure(name, "flow", seconds, &expected, || flow.text());
        let parser = liquid::ParserBuilder::with_stdlib().build().unwrap();
        let template = parser.parse(&source).unwrap();
        let object = liquid::to_object(&data).unwrap();
        measure(name, "liquid", seconds, &expected, || template.render(&object).unwrap());
        let written = read(&format!("{name}.jinja"));
        let mut jinja = minijinja::Environment::new();
        jinja.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap());
        jinja.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        jinja.add_template("t", &written).unwrap();
        let values = minijinja::Value::from(minijinja::value::Serde(&data));
        let template = jinja.get_template("t").unwrap();
        measure(name, "minijinja", seconds, &expected, || template.render(&values).unwrap());
    }
}

fn read(name: &str) -> String {
    std::fs::read_to_string(format!("{}/templates/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Renders until the time is over, in ten stretches of which the fastest counts.
fn measure(case: &str, engine: &str, seconds: f64, expected: &str, mut render: impl FnMut() -> String) {
    let text = render();
    let same = text == expected;
    if !same {
        eprintln!("{case}, {engine}: another text\n{text}\n---\n{expected}");
    }
    let before = alloc::count();
    drop(black_box(render()));
    let allocations = alloc::count() - before;
    let stretch = Duration::from_secs_f64(seconds / 10.0);
    let mut best = f64::MAX;
    for _ in 0..10 {
        let (start, mut rounds) = (Instant::now(), 0_u32);
        while start.elapsed() < stretch {
            for _ in 0..16 {
                drop(black_box(render()));
            }
            rounds += 16;
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(rounds));
    }
    println!(
        "{}",
        json!({"case": case, "engine": engine, "ns": (best * 1e9).round(), "bytes": text.len(), "allocations": allocations, "same": same})
    );
}

fn data(count: usize) -> Json {
    let products: Vec<Json> = (0..count)
        .map(|n| json!({"name": format!("Product <{n}>"), "url": format!("https://shop.example/p/{n}"), "price": 10.5 + n as f64, "stock": n * 7 % 100}))
        .collect();
    json!({
        "user": {"first_name": "Ada & Co", "city": "Rome", "points": 120},
        "order_id": "A-1000", "code": "welcome10", "unsubscribe_url": "https://shop.example/u/1", "products": products,
    })
}

/// The same values as the engine hands them over: records with their types.
struct Flow {
    template: Template,
    templates: Templates,
    types: Vec<RecordType>,
    values: Vec<(&'static str, Value, Type)>,
}

impl Flow {
    fn new(source: &str, data: &Json) -> Self {
        let text = |json: &Json| Value::Text(json.as_str().unwrap().into());
        let number = |json: &Json| match json.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Number(Decimal::from_str_exact(&json.to_string()).unwrap()),
        };
        let field = |name: &str, ty: Type| Field { name: name.into(), wire: name.into(), ty, optional: false, default: None };
        let user = &data["user"];
        let products = data["products"].as_array().unwrap().iter().map(|p| {
            Value::Record([text(&p["name"]), text(&p["url"]), number(&p["price"]), number(&p["stock"])].into())
        });
        let types = vec![
            RecordType {
                name: "user".into(),
                fields: vec![field("first_name", Type::Text), field("city", Type::Text), field("points", Type::Int)],
            },
            RecordType {
                name: "product".into(),
                fields: vec![
                    field("name", Type::Text),
                    field("url", Type::Url),
                    field("price", Type::Number),
                    field("stock", Type::Int),
                ],
            },
        ];
        let person = Value::Record([text(&user["first_name"]), text(&user["city"]), number(&user["points"])].into());
        Self {
            template: Template::compile("bench", source).unwrap(),
            templates: Templates::new(),
            types,
            values: vec![
                ("user", person, Type::Record(TypeId(0))),
                ("order_id", text(&data["order_id"]), Type::Text),
                ("code", text(&data["code"]), Type::Text),
                ("unsubscribe_url", text(&data["unsubscribe_url"]), Type::Url),
                ("products", Value::List(products.collect()), Type::List(Box::new(Type::Record(TypeId(1))))),
            ],
        }
    }

    fn text(&self) -> String {
        let context = Context { now: 1_772_442_307_000, zone: &TimeZone::UTC, locale: "", escape: false };
        render(&self.template, &self.templates, self, &context).unwrap().body
    }
}

impl Source for Flow {
    fn get(&self, name: &str) -> Option<Data<'_>> {
        let (_, value, ty) = self.values.iter().find(|(known, ..)| *known == name)?;
        Some(Data::of(value, Some(ty), &self.types))
    }

    fn everywhere(&self, name: &str) -> Option<Data<'_>> {
        self.get(name)
    }
}
