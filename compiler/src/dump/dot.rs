//! Journeys as graphs for Graphviz.

use super::Names;
use crate::bytecode::{StepId, StepKind};
use crate::graph::{edges, EdgeKind};

pub(super) fn draw(names: &Names<'_>) -> String {
    let mut out = "digraph flow {\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
    for (n, journey) in names.program.journeys.iter().enumerate() {
        out += &format!("  subgraph cluster_{n} {{\n    label={};\n", quoted(&journey.name));
        let on: Vec<String> = journey.triggers.iter().map(|trigger| names.trigger(trigger)).collect();
        out += &format!("    j{n}_on [shape=oval, label={}];\n", quoted(&format!("on {}", on.join("\nor "))));
        out += &format!("    j{n}_{} [shape=oval, label=\"end\"];\n    j{n}_on -> j{n}_0;\n", journey.steps.len());
        for (at, step) in journey.steps.iter().enumerate() {
            let shape = match step.kind {
                StepKind::Branch { .. } | StepKind::Split { .. } => ", shape=diamond",
                _ => "",
            };
            out += &format!("    j{n}_{at} [label={}{shape}];\n", quoted(&names.step(journey, step)));
            for edge in edges(journey, StepId(u32::try_from(at).unwrap_or(u32::MAX))) {
                out += &format!("    j{n}_{at} -> j{n}_{}{};\n", edge.to.0, label(&edge.kind));
            }
        }
        out += "  }\n";
    }
    out + "}\n"
}

fn label(kind: &EdgeKind) -> String {
    let word = match kind {
        EdgeKind::Next | EdgeKind::Join | EdgeKind::Branch(_) => return String::new(),
        EdgeKind::Then => "then",
        EdgeKind::Otherwise => "else",
        EdgeKind::Again => "again",
        EdgeKind::Arm(name) => name,
    };
    format!(" [label={}]", quoted(word))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
