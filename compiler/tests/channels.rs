//! What channels limit, and what mail must have: found before anything is sent, at its place.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use flow_compiler::compile::{compile, SourceFile};
use flow_compiler::project::{assemble, Listing};
use flow_grammar::LineIndex;

const SCHEMA: &str = "
event asked { plan: text }
user { email: email?  phone: phone?  first_name: text? }
channel email to user.email
channel sms to user.phone
channel push
channel whatsapp to user.phone
";

/// `path:line:column code message [help]`, without the places that send.
fn findings(flow: &str, templates: &[(&str, &str)]) -> Vec<String> {
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let project = assemble(Listing {
        name: "shop".to_owned(),
        files: vec![file("a.flow", SCHEMA), file("b.flow", flow)],
        templates: Some(templates.iter().map(|(path, _)| format!("templates/{path}")).collect()),
        texts: templates.iter().map(|(path, text)| (format!("templates/{path}"), (*text).to_owned())).collect(),
        ..Listing::default()
    });
    let compiled = compile(&project.input);
    let all = project.diagnostics.iter().chain(&compiled.diagnostics);
    let shown = all.map(|found| {
        let file = project.file(found.span.file).unwrap();
        let place = LineIndex::new(&file.text).line_column(&file.text, found.span.start);
        let help = found.help.as_deref().map(|help| format!(" [{help}]")).unwrap_or_default();
        format!("{}:{}:{} {} {}{help}", file.path, place.line, place.column, found.code, found.message)
    });
    shown.collect()
}

/// Sends one template in a journey of this topic.
fn sent(send: &str, topic: &str, templates: &[(&str, &str)]) -> Vec<String> {
    findings(&format!("journey a {{ on asked topic {topic} exit after 9d {send} }}"), templates)
}

const NOTHING: [&str; 0] = [];

#[test]
fn mjml_is_checked_where_it_stands() {
    let page = "---\nsubject: Hi\nlayout: base\n---\n<mj-text>Hi</mj-text>\n{% if user.first_name %}<mj-buton href=\"#\">Go</mj-buton>{% endif %}\n{% render \"more\" %}";
    let base = "<mjml>\n<mj-body><mj-section colour=\"red\"><mj-column>{{ content }}</mj-column></mj-section></mj-body></mjml>";
    let more = "<mj-section>\n</mj-section>";
    let found =
        sent("email hello", "transactional", &[("hello.email.mjml", page), ("_base.mjml", base), ("_more.mjml", more)]);
    assert_eq!(
        found,
        [
            "templates/_base.mjml:2:22 F0830 `mj-section` has no attribute `colour` [it changes nothing: remove it, or put the style into `mj-style`]",
            "templates/_more.mjml:1:2 F0829 `mj-section` stands in `mj-body` or `mj-wrapper`, not in `mj-column` [https://documentation.mjml.io tells what may stand where]",
            "templates/hello.email.mjml:6:26 F0829 MJML has no `mj-buton` [did you mean `mj-button`?]",
        ]
    );
}

#[test]
fn branches_that_are_whole_each_by_itself_are_whole() {
    let page = "---\nsubject: Hi\n---\n<mjml><mj-body>{% if user.first_name %}<mj-section>{% else %}<mj-section padding=\"0\">{% endif %}<mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>";
    assert_eq!(sent("email hello", "transactional", &[("hello.email.mjml", page)]), NOTHING);
    let broken = page.replace("</mj-column>", "");
    let found = sent("email hello", "transactional", &[("hello.email.mjml", &broken)]);
    assert!(found.len() == 1 && found[0].contains("F0829 `mj-column` is not closed"), "{found:?}");
}

#[test]
fn mail_that_can_be_refused_says_how_in_each_part() {
    let with = |body: &str| format!("---\nsubject: Hi\n---\n{body}");
    let plain = with("Hello");
    let found = sent("email hello", "news", &[("hello.email.liquid", &plain)]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("templates/hello.email.liquid:4:1 F0837 this mail has no link"), "{found:?}");
    assert_eq!(sent("email hello", "transactional", &[("hello.email.liquid", &plain)]), NOTHING);
    assert_eq!(sent("email hello", "news", &[("hello.email.liquid", &with("{{ unsubscribe_url }}"))]), NOTHING);
    // In the layout, or in a file that it renders.
    let page = "---\nsubject: Hi\nlayout: base\n---\n<p>Hi</p>";
    let files = [
        ("hello.email.html", page),
        ("_base.html", "{{ content }}{% render 'foot' %}"),
        ("_foot.html", "{{ unsubscribe_url }}"),
    ];
    assert_eq!(sent("email hello", "news", &files), NOTHING);
    let found = sent("email hello", "news", &[&files[..], &[("hello.email.txt", "Hi")]].concat());
    assert!(found.len() == 1 && found[0].starts_with("templates/hello.email.txt:1:1 F0837"), "{found:?}");
}

#[test]
fn text_messages_are_counted_as_operators_do() {
    let one = "x".repeat(160);
    assert_eq!(sent("sms hello", "t", &[("hello.sms.liquid", &one)]), NOTHING);
    let note = |text: &str| sent("sms hello", "t", &[("hello.sms.liquid", text)]);
    assert_eq!(
        note(&format!("{one}!")),
        ["templates/hello.sms.liquid:1:1 F0831 this text message takes at least 2 segments (161 characters of GSM-7, 153 in each) [each segment is paid for]"]
    );
    assert_eq!(
        note(&format!("{}ж", "x".repeat(70))),
        ["templates/hello.sms.liquid:1:1 F0831 this text message takes at least 2 segments (71 characters of UCS-2, 67 in each; `ж` needs it) [each segment is paid for]"]
    );
    assert_eq!(
        note(&format!("It’s{}", "x".repeat(70))),
        ["templates/hello.sms.liquid:1:3 F0832 `’` (U+2019) is not in the alphabet of text messages, and makes this one 2 segments (74 characters of UCS-2, 67 in each; `’` needs it) [write `'` instead: then it takes 1 segment (74 characters of GSM-7, 160 in each)]"]
    );
    assert!(note(&"word ".repeat(400))[0].contains("F0833"));
    // Of two ways the shorter counts: it is so for everybody.
    assert_eq!(note(&format!("{{% if user.first_name %}}{one}{one}{{% else %}}short{{% endif %}}")), NOTHING);
    assert!(sent("sms \"It’s {plan}\"", "t", &[])[0].starts_with("b.flow:1:48 F0832"));
}

#[test]
fn notifications_are_short() {
    let found = sent(
        "push hello",
        "t",
        &[("hello.push.liquid", &format!("---\ntitle: {}\n---\n{}", "t".repeat(66), "b".repeat(241)))],
    );
    assert_eq!(
        found,
        [
            "templates/hello.push.liquid:2:8 F0834 the title has at least 66 characters, and phones show 65 of them [say it in fewer words: what is cut off is not read]",
            "templates/hello.push.liquid:4:1 F0834 the text has at least 241 characters, and phones show 240 of them [say it in fewer words: what is cut off is not read]",
        ]
    );
    assert!(sent(&format!("push \"{}\"", "b".repeat(4001)), "t", &[])[0].contains("F0835"));
}

#[test]
fn free_text_by_whatsapp_needs_a_message_of_the_last_day() {
    for fine in [
        "if whatsapp.replied in last 24h then whatsapp \"x\"",
        "if whatsapp.replied in last 2h and can whatsapp then whatsapp \"x\"",
        "wait for whatsapp.replied up to 1d then whatsapp \"x\"",
        "whatsapp hello as first wait for first.replied up to 1d then whatsapp \"x\"",
        "wait until whatsapp.replied in last 1h up to 1d then whatsapp \"x\"",
        "whatsapp hello",
    ] {
        let approved = [("hello.whatsapp.liquid", "---\napproved: hello_1\n---\nHi")];
        assert_eq!(sent(fine, "t", &approved), NOTHING, "{fine}");
    }
    for late in [
        "whatsapp \"x\"",
        "if whatsapp.replied in last 25h then whatsapp \"x\"",
        "if whatsapp.replied in last 24h then { wait 2h whatsapp \"x\" }",
        "if whatsapp.replied in last 24h then end else whatsapp \"x\"",
        "if sms.replied in last 24h then whatsapp \"x\"",
        "wait for whatsapp.replied, sms.replied up to 1d then whatsapp \"x\"",
        "wait for whatsapp.replied up to 1d else whatsapp \"x\"",
        "whatsapp hello",
    ] {
        let found = sent(late, "t", &[("hello.whatsapp.liquid", "Hi")]);
        assert!(found.len() == 1 && found[0].contains(" F0836 "), "{late}: {found:?}");
    }
    let begun = "journey a { on whatsapp.replied topic t exit after 9d whatsapp \"x\" }";
    assert_eq!(findings(begun, &[]), NOTHING);
    let also = begun.replace("whatsapp.replied", "whatsapp.replied, asked");
    assert_eq!(findings(&also, &[]).len(), 1);
}

#[test]
fn front_matter_is_of_its_kind() {
    let page = "---\nsubject: Hi\nfrom: nobody\nreply_to: a@b.example\nlink: shop\ntopic: news\nlocale: {{ user.first_name }}\n---\nx";
    let found = sent("email hello", "transactional", &[("hello.email.liquid", page)]);
    let places: Vec<&str> = found.iter().map(|line| line.split(" [").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "templates/hello.email.liquid:3:7 F0839 `from` must be an address of mail",
            "templates/hello.email.liquid:5:7 F0839 `link` must be an address",
            "templates/hello.email.liquid:6:8 F0839 this template is about `news`, and is sent as `transactional`",
            "templates/hello.email.liquid:7:9 F0839 `locale` must be written out",
            "templates/hello.email.liquid:7:12 F0825 `user.first_name` may be missing, and then the message has a hole",
        ]
    );
    let found = sent("email hello", "transactional", &[("hello.email.liquid", "---\nsubject:\n---\nx")]);
    assert!(found.len() == 1 && found[0].contains("F0838"), "{found:?}");
}

#[test]
fn a_template_gives_its_topic_where_nothing_else_does() {
    let page = "---\nsubject: Hi\ntopic: transactional\n---\nx";
    assert_eq!(findings("journey a { on asked email hello }", &[("hello.email.liquid", page)]), NOTHING);
}

#[test]
fn a_layout_that_is_not_there_and_names_in_it_are_found() {
    let page = "---\nsubject: Hi\nlayout: bse\n---\n<p>x</p>";
    let found = sent("email hello", "transactional", &[("hello.email.html", page), ("_base.html", "{{ content }}")]);
    assert!(found.len() == 1 && found[0].starts_with("templates/hello.email.html:3:9 F0827"), "{found:?}");
    let right = page.replace("bse", "base");
    let base = "{{ content }}{{ subject }}{{ contnt }}";
    let found = sent("email hello", "transactional", &[("hello.email.html", &right), ("_base.html", base)]);
    let codes: Vec<&str> = found.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(codes, ["F0825", "F0820"], "{found:?}");
}
