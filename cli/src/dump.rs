//! `flowc dump`: what the compiler made of a project.

use crate::load::{load_one, Checked};
use crate::output::{colour_err, err, out, unusable};
use crate::render::{self, Format};
use flow_compiler::diagnostic::Severity;
use flow_compiler::dump;
use flow_grammar::liquid::parse_template;
use flow_grammar::LineIndex;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what the compiler made of a project
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    what: What,
    /// A folder or a .flow file
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
}

/// What is shown; exactly one.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The syntax tree
    #[arg(long)]
    ast: bool,
    /// The type of every expression
    #[arg(long)]
    types: bool,
    /// The steps of every journey, as a list or for Graphviz
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "list")]
    graph: Option<GraphStyle>,
    /// The program that runs: tables, questions to the history, code, steps
    #[arg(long)]
    bytecode: bool,
    /// The variables of every template, with their places
    #[arg(long)]
    variables: bool,
}

/// How a graph is written.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum GraphStyle {
    /// One line a step
    List,
    /// Graphviz: flowc dump --graph=dot | dot -Tsvg
    Dot,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let loaded = match load_one(&args.path) {
        Ok(loaded) => loaded,
        Err(message) => return unusable(&message),
    };
    let mut checked = loaded.compile();
    checked.diagnostics.retain(|found| found.severity == Severity::Error);
    let errors = !checked.diagnostics.is_empty();
    if errors {
        err(&render::all(std::slice::from_ref(&checked), Format::Human, colour_err()));
    }
    if let Some(text) = listing(&args.what, &checked) {
        out(&text);
    }
    if errors {
        ExitCode::from(crate::FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

/// None when there is no program to show.
fn listing(what: &What, checked: &Checked) -> Option<String> {
    let (compiled, files) = (&checked.compiled, &checked.loaded.project.input.files);
    if what.ast {
        return Some(compiled.files.iter().map(flow_grammar::dump).collect());
    }
    if what.types {
        return Some(dump::types(&compiled.info, files));
    }
    if what.variables {
        return Some(variables(checked));
    }
    let program = compiled.program.as_ref()?;
    Some(match what.graph {
        Some(GraphStyle::List) => dump::graph(program, files),
        Some(GraphStyle::Dot) => dump::dot(program, files),
        None => dump::bytecode(program, files),
    })
}

/// `templates/cart.email.mjml:7:12 user.first_name`
fn variables(checked: &Checked) -> String {
    let input = &checked.loaded.project.input;
    let mut out = String::new();
    for file in input.templates.iter().chain(&input.parts) {
        let Some(text) = &file.text else { continue };
        let lines = LineIndex::new(text);
        for span in flow_compiler::template::variables(&parse_template(file.file, text).template) {
            let place = lines.line_column(text, span.start);
            out.push_str(&format!("{}:{}:{} {}\n", file.path, place.line, place.column, span.text(text)));
        }
    }
    out
}
