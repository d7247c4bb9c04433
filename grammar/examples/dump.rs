//! Prints the tree and the errors of a file, or of standard input.

use std::io::Read;

fn main() {
    let mut source = String::new();
    let read = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path).map(|bytes| source = String::from_utf8_lossy(&bytes).into_owned()),
        None => std::io::stdin().read_to_string(&mut source).map(drop),
    };
    if let Err(error) = read {
        eprintln!("{error}");
        return;
    }
    let parsed = flow_grammar::parse(flow_grammar::FileId(0), &source);
    print!("{}", flow_grammar::dump(&parsed.file));
    let lines = flow_grammar::LineIndex::new(&source);
    for error in parsed.errors {
        let at = lines.line_column(&source, error.span.start);
        println!("{} {}:{} {}", error.code, at.line, at.column, error.message);
        if let Some(help) = error.help {
            println!("    help: {help}");
        }
        if let Some(fix) = error.fix {
            println!("    fix: {} ({:?} -> {:?})", fix.title, fix.span.text(&source), fix.replacement);
        }
    }
}
