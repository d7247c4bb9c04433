//! Any mail in MJML or HTML is checked without a panic, and one without errors gives a message or says why not.
#![no_main]
use flow_compiler::bytecode::ChannelId;
use flow_compiler::compile::{compile, ProjectInput, SourceFile, TemplateFile};
use flow_grammar::FileId;
use flow_runtime::calendar::Zones;
use flow_runtime::engine::Engine;
use flow_runtime::message::sample::{message, Sample, MOMENT};
use flow_runtime::message::Messages;
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

const FLOW: &str = "event e { n: int } user { email: email? first_name: text? } channel email to user.email\njourney j { on e topic transactional email page }";

static ZONES: LazyLock<Arc<Zones>> = LazyLock::new(|| Arc::new(Zones::bundled()));

fuzz_target!(|text: &str| {
    for ending in ["mjml", "html"] {
        let template = TemplateFile {
            name: "page".to_owned(),
            channel: "email".to_owned(),
            path: format!("templates/page.email.{ending}"),
            text: Some(text.to_owned()),
            file: FileId(1),
            ..TemplateFile::default()
        };
        let input = ProjectInput {
            name: "fuzz".to_owned(),
            timezone: "UTC".to_owned(),
            files: vec![SourceFile { path: "fuzz.flow".to_owned(), text: FLOW.to_owned() }],
            templates: vec![template],
            check_templates: true,
            ..ProjectInput::default()
        };
        let compiled = compile(&input);
        for found in compiled.diagnostics.iter().filter(|found| found.span.file == FileId(1)) {
            assert!(found.span.end as usize <= text.len(), "{found:?}");
        }
        let Some(program) = compiled.program else { continue };
        let program = Arc::new(program);
        let messages = Messages::new(&program, &input);
        let engine = Engine::new(program, Arc::clone(&ZONES), 0);
        for sample in [Sample::Full, Sample::Scarce] {
            let made = message(&engine, ("page", ChannelId(0), ""), None, None, sample);
            let once = messages.content(&engine, "ada", MOMENT, &made);
            assert_eq!(once, messages.content(&engine, "ada", MOMENT, &made));
        }
    }
});
