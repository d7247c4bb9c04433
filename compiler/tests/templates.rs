//! Templates in projects: each place that sends one is checked, at the template's own lines.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use flow_compiler::compile::{compile, Compiled, SourceFile};
use flow_compiler::diagnostic::Severity;
use flow_compiler::project::{assemble, Listing, Project};
use flow_grammar::LineIndex;

const SCHEMA: &str = "
event cart_added { cart_value: number  note: text? }
event signed_up { plan: text }
user { email: email?  first_name: text?  country: one of \"IT\", \"ES\"? }
type product { name: text  price: number }
api picks() -> list of product { get \"https://api.shop.example/picks\" }
channel email to user.email
";

fn project(flow: &str, templates: &[(&str, &str)]) -> (Project, Compiled) {
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let project = assemble(Listing {
        name: "shop".to_owned(),
        files: vec![file("a.flow", SCHEMA), file("b.flow", flow)],
        templates: Some(templates.iter().map(|(path, _)| format!("templates/{path}")).collect()),
        texts: templates.iter().map(|(path, text)| (format!("templates/{path}"), (*text).to_owned())).collect(),
        ..Listing::default()
    });
    let compiled = compile(&project.input);
    (project, compiled)
}

/// The errors: `path:line:column code message (labels)`
fn findings(flow: &str, templates: &[(&str, &str)]) -> Vec<String> {
    let (project, compiled) = project(flow, templates);
    let at = |span: flow_grammar::Span| {
        let file = project.file(span.file).unwrap();
        let place = LineIndex::new(&file.text).line_column(&file.text, span.start);
        format!("{}:{}:{}", file.path, place.line, place.column)
    };
    let errors = compiled.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let shown = errors.map(|found| {
        let labels: Vec<String> =
            found.labels.iter().map(|label| format!("{} {}", at(label.span), label.text)).collect();
        format!("{} {} {} ({})", at(found.span), found.code, found.message, labels.join(", "))
    });
    shown.collect()
}

const TWO: &str = "
journey a { on cart_added exit after 9d email hello }
journey b { on signed_up exit after 9d email hello with { code: \"x\" } }
";

#[test]
fn each_journey_that_sends_a_template_provides_what_it_names() {
    let found = findings(TWO, &[("hello.email.liquid", "---\nsubject: Hi\n---\nè {{ code }} {{ trigger.plan }}")]);
    assert_eq!(
        found,
        [
            "templates/hello.email.liquid:4:6 F0820 nothing here is called `code` (b.flow:2:47 sent here)",
            "templates/hello.email.liquid:4:25 F0821 `trigger` has no `plan` (b.flow:2:47 sent here)",
        ]
    );
}

#[test]
fn what_the_journey_made_sure_of_is_known() {
    let flow = "journey a {
        on cart_added exit after 9d
        fetch similar = picks() else end
        if user.first_name is known then email hello
    }";
    let text = "{{ user.first_name }} {{ user.email }} {% for p in similar %}{{ p.name }}{% endfor %}{{ trigger.note | default: '-' }}";
    let none: [&str; 0] = [];
    assert_eq!(findings(flow, &[("hello.email.liquid", text)]), none);
    let loose = flow.replace("if user.first_name is known then", "").replace(" else end", "");
    let found = findings(
        &loose,
        &[("hello.email.liquid", "{{ user.first_name }}{% for p in similar %}{{ p.nam }}{% endfor %}")],
    );
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn the_journey_keeps_the_fields_that_its_templates_show() {
    let templates = [("hello.email.liquid", "{{ trigger.cart_value }}")];
    let (_, compiled) = project("journey a { on cart_added email hello }", &templates);
    let program = compiled.program.unwrap();
    let kept: Vec<&str> = program.journeys[0].trigger_fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(kept, ["cart_value"]);
}

#[test]
fn every_locale_and_every_part_is_checked() {
    let found = findings(
        "journey a { on cart_added email hello }",
        &[
            ("hello.email.liquid", "{% render 'foot', name: user.country %}"),
            ("hello.email.it.liquid", "{{ user.frist_name | default: 'tu' }}"),
            ("_foot.liquid", "{{ name }}{% if %}"),
        ],
    );
    assert_eq!(
        found,
        [
            "templates/_foot.liquid:1:4 F0825 `name` may be missing, and then the message has a hole (templates/hello.email.liquid:1:1 rendered here, b.flow:1:33 sent here)",
            "templates/_foot.liquid:1:11 F0813 this `if` is not closed ()",
            "templates/_foot.liquid:1:16 F0811 expected a condition, but the tag ends ()",
            "templates/hello.email.it.liquid:1:9 F0821 `user` has no `frist_name` (b.flow:1:33 sent here)",
        ]
    );
}
