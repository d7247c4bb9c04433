use super::*;
use crate::calendar::Zones;
use crate::vm::value::Value;
use flow_compiler::bytecode::{Field, RecordType, Type, TypeId};
use proptest::prelude::*;
use serde_json::json;

fn data(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().cloned().unwrap()
}

fn rendered(source: &str, parts: &[(&str, &str)], escape: bool) -> Result<Rendered, RenderError> {
    let zone = Zones::bundled().get("Europe/Rome").unwrap();
    let context = Context { now: 1_772_442_307_000, zone: &zone, locale: "", escape };
    let mut templates = Templates::new();
    for (name, part) in parts {
        templates.add_part(name, Template::compile(name, part).unwrap());
    }
    let values = data(json!({"user": {"first_name": "Ada", "tags": ["a", "b"]}, "x": "abc", "n": 3}));
    render(&Template::compile("t.email.html", source).unwrap(), &templates, &values, &context)
}

fn limit(source: &str, parts: &[(&str, &str)]) -> Option<(Limit, String)> {
    rendered(source, parts, false).err().map(|error| (error.kind, error.path))
}

#[test]
fn every_bound_is_a_finding_with_its_place() {
    let here = || "t.email.html".to_owned();
    let rounds = "{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}";
    assert_eq!(limit(rounds, &[]), Some((Limit::Rounds, here())));
    let text = "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}";
    assert_eq!(limit(text, &[]), Some((Limit::Text, here())));
    let list = "{% assign l = (1..1000) | sort %}{% for i in (1..40) %}{% assign l = l | concat: l %}{% endfor %}";
    assert_eq!(limit(list, &[]), Some((Limit::List, here())));
    assert_eq!(limit("{{ (1..99999999999) | join }}", &[]), Some((Limit::List, here())));
    let replace = "{% assign s = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}{% for i in (1..4) %}{% assign s = s | replace: 'a', s %}{% endfor %}";
    assert_eq!(limit(replace, &[]), Some((Limit::Text, here())));
    let work = "{% capture s %}{% for i in (1..9000) %}0123456789012345678901234567890123456789{% endfor %}{% endcapture %}{% for i in (1..900) %}{% assign t = s | upcase %}{% endfor %}";
    assert_eq!(limit(work, &[]), Some((Limit::Work, here())));
    assert_eq!(limit("{% render 'f' %}", &[("f", "{% render 'f' %}")]), Some((Limit::Depth, "f".to_owned())));
    assert_eq!(limit("{% render 'g' %}", &[]), Some((Limit::File, here())));
    assert_eq!(limit("{{ 'now' | date: '%999999999Y' }}", &[]), Some((Limit::Text, here())));
    let error = rendered("ab{% render 'g' %}", &[], false).unwrap_err();
    assert_eq!((error.span.start, error.span.end), (2, 18));
}

#[test]
fn front_matter_is_rendered_without_escaping_and_for_itself() {
    let source = "---\nsubject: \"{{ user.first_name }} & co\"\ntitle: {% assign a = 1 %}{{ a }}\nlink: {{ a }}\n---\n{{ '<' }}{{ a }}";
    let rendered = rendered(source, &[], true).unwrap();
    let front: Vec<_> = rendered.front.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(front, [("subject", "Ada & co"), ("title", "1"), ("link", "")]);
    assert_eq!(rendered.body, "&lt;");
}

#[test]
fn files_see_what_everybody_sees() {
    let parts = [("_footer.liquid", "{{ user.first_name }}{{ x }}{{ year }}"), ("shop/_a.html", "A")];
    assert_eq!(
        rendered("{% render 'footer', year: 2026 %}{% render 'shop/a' %}", &parts, false).unwrap().body,
        "Ada2026A"
    );
}

#[test]
fn records_of_the_program_have_names() {
    let field =
        |name: &str, ty: Type| Field { name: name.into(), wire: name.into(), ty, optional: false, default: None };
    let types = [
        RecordType { name: "product".into(), fields: vec![field("name", Type::Text), field("price", Type::Number)] },
        RecordType { name: "cart".into(), fields: vec![field("items", Type::List(Box::new(Type::Record(TypeId(0)))))] },
    ];
    let product = |name: &str, price: i64| Value::Record([Value::text(name), Value::Int(price)].into());
    let cart = Value::Record([Value::List([product("a", 1), product("b", 2)].into())].into());
    let cart_type = Type::Record(TypeId(1));
    struct Cart<'a>(&'a Value, &'a Type, &'a [RecordType]);
    impl Source for Cart<'_> {
        fn get(&self, name: &str) -> Option<Data<'_>> {
            (name == "cart").then(|| Data::of(self.0, Some(self.1), self.2))
        }
        fn everywhere(&self, _: &str) -> Option<Data<'_>> {
            None
        }
    }
    let source = "{% for p in cart.items %}{{ p.name }}={{ p.price }} {% endfor %}{{ cart.items | map: 'name' | join: '+' }} {{ cart.items.last.name }} {{ cart.items | where: 'price', 2 | size }}{{ cart.nope }} {{ cart.items[0] | json }}";
    let template = Template::compile("t", source).unwrap();
    let zone = TimeZone::UTC;
    let context = Context { now: 0, zone: &zone, locale: "", escape: false };
    let body = render(&template, &Templates::new(), &Cart(&cart, &cart_type, &types), &context).unwrap().body;
    assert_eq!(body, "a=1 b=2 a+b b 1 {\"name\":\"a\",\"price\":1}");
}

#[test]
fn moments_of_the_program_are_written_as_it_writes_them() {
    struct Times;
    impl Source for Times {
        fn get(&self, name: &str) -> Option<Data<'_>> {
            Some(Data::Moment(match name {
                "date" => Value::Date(20_514),
                "at" => Value::Instant(1_772_442_307_000),
                "time" => Value::Time(32_400_000),
                "day" => Value::Weekday(0),
                _ => return None,
            }))
        }
        fn everywhere(&self, _: &str) -> Option<Data<'_>> {
            None
        }
    }
    let source = "{{ date }}|{{ at }}|{{ time }}|{{ day }}|{{ date | date: '%d/%m' }}|{{ at | date: '%H:%M' }}|{{ time | date: '%l%P' }}|{% if date < at %}y{% endif %}|{{ day | date: '%Y' }}";
    let template = Template::compile("t", source).unwrap();
    let zone = Zones::bundled().get("Europe/Rome").unwrap();
    let context = Context { now: 0, zone: &zone, locale: "", escape: false };
    let body = render(&template, &Templates::new(), &Times, &context).unwrap().body;
    assert_eq!(body, "2026-03-02|2026-03-02 10:05|09:00|monday|02/03|10:05| 9am|y|monday");
}

#[test]
fn what_is_wrong_with_a_template_is_said_before() {
    let problems = |source: &str| {
        let problems = Template::compile("t", source).unwrap_err();
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(problems("{{ x | nope }}"), "no filter is called `nope`");
    assert_eq!(
        problems("{{ x | append }}{{ x | size: 1 }}"),
        "`append` does not take 0 arguments; `size` does not take 1 arguments"
    );
    assert_eq!(problems("{{ x | default: 1, allow_fals: true }}"), "`default` has no argument `allow_fals`");
    assert_eq!(problems("{% if %}{% endif %}"), "expected a condition, but the tag ends");
}

const VALUES: [&str; 16] = [
    "x",
    "user",
    "user.tags",
    "n",
    "nil",
    "'è€😀'",
    "''",
    "1",
    "-3",
    "2.5",
    "(1..3)",
    "user.first_name",
    "true",
    "empty",
    "blank",
    "9223372036854775807",
];

proptest! {
    /// Whatever is done to whatever: nothing panics, and it gives the same twice.
    #[test]
    fn filters_are_total(
        value in 0..VALUES.len(), first in 0..VALUES.len(), second in 0..VALUES.len(),
        kinds in proptest::collection::vec(0..flow_grammar::liquid::filters::FilterKind::ALL.len(), 1..4),
    ) {
        let mut source = format!("{{{{ {}", VALUES[value]);
        for kind in kinds {
            let kind = flow_grammar::liquid::filters::FilterKind::ALL[kind];
            source.push_str(&format!(" | {}", kind.name()));
            let args = [VALUES[first], VALUES[second]];
            let count = kind.arity().1;
            if count > 0 {
                source.push_str(&format!(": {}", args[..count].join(", ")));
            }
        }
        source.push_str(" }}");
        prop_assert_eq!(rendered(&source, &[], true), rendered(&source, &[], true));
    }
}
