//! From checked expressions to register code.

pub(crate) mod builder;
pub(crate) mod moving;

use crate::bytecode::{Code, CodeId, Const, ConstId};
use crate::compile_codes as code;
use crate::context::{index, Cx};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use builder::Builder;
use flow_grammar::span::Span;

/// What is known of a code besides its operations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CodeFacts {
    /// Whether the person's zone is used.
    pub zone: bool,
}

impl Cx<'_> {
    /// The code of an expression.
    pub fn lower(&mut self, node: &Node) -> CodeId {
        let (code, facts) = self.build(node, false);
        self.push_code(code, facts)
    }

    /// The code of the `where` of a query: one for all equal ones, so that equal questions are one.
    pub fn lower_shared(&mut self, node: &Node) -> CodeId {
        let (code, facts) = self.build(node, false);
        let key = format!("{:?}", code.ops);
        if let Some(id) = self.shared_codes.get(&key) {
            return *id;
        }
        let id = self.push_code(code, facts);
        self.shared_codes.insert(key, id);
        id
    }

    fn build(&mut self, node: &Node, raw: bool) -> (Code, CodeFacts) {
        let mut builder = Builder::new(self, raw);
        builder.value(node, 0);
        let (code, facts, fits) = builder.finish(node.span);
        if !fits {
            let problem = Diagnostic::error(code::TOO_LARGE, node.span, "the expression is larger than Flow allows");
            self.report(problem.help("take it apart, or shorten the list"));
        }
        (code, facts)
    }

    /// The code of one side of a comparison, or of a step function, where `now` stands for itself.
    fn lower_raw(&mut self, node: &Node) -> CodeId {
        let (code, facts) = self.build(node, true);
        self.push_code(code, facts)
    }

    pub fn push_code(&mut self, code: Code, facts: CodeFacts) -> CodeId {
        let id = CodeId(index(self.program.codes.len()));
        self.program.codes.push(code);
        self.facts.push(facts);
        id
    }

    /// The place of a constant; equal constants have one.
    pub fn const_id(&mut self, value: &Const) -> ConstId {
        // Numbers and texts are written in one way each, so that this says whether they are the same.
        let key = format!("{value:?}");
        if let Some(id) = self.constants.get(&key) {
            return *id;
        }
        let id = ConstId(index(self.program.constants.len()));
        self.program.constants.push(value.clone());
        self.constants.insert(key, id);
        id
    }

    /// Code that gives a constant.
    pub fn const_code(&mut self, value: Const, span: Span) -> CodeId {
        self.lower(&Node::constant(value, crate::types::Kind::Poison, span))
    }
}
