//! Any text parses to a tree and errors whose places lie in the text.
#![no_main]
use flow_grammar::span::FileId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parse = flow_grammar::parse(FileId(0), text);
    for error in &parse.errors {
        assert!(error.span.end as usize <= text.len());
        assert!(text.is_char_boundary(error.span.start as usize) && text.is_char_boundary(error.span.end as usize));
    }
});
