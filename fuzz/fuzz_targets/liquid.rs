//! Any template parses to places in it, and what compiles renders, twice alike, or exceeds a bound.
#![no_main]
use flow_runtime::calendar::Zones;
use flow_runtime::render::{render, Context, Template, Templates};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parse = flow_grammar::liquid::parse_template(flow_grammar::FileId(0), text);
    for error in &parse.errors {
        assert!(error.span.text(text).len() == error.span.len());
    }
    let Ok(template) = Template::compile("fuzz", text) else { return };
    let data = serde_json::json!({"user": {"first_name": "Ada", "n": 3, "list": [1, "b", null, 2.5]}, "x": "è<&"});
    let Some(data) = data.as_object() else { return };
    let Some(zone) = Zones::bundled().get("Europe/Rome") else { return };
    let context = Context { now: 1_772_442_307_000, zone: &zone, locale: "it", escape: true };
    let mut templates = Templates::new();
    templates.add_part("self", template.clone());
    let once = render(&template, &templates, data, &context);
    assert_eq!(once, render(&template, &templates, data, &context));
});
