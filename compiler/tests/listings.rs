//! What `flowc dump` and `flowc check --report` show, and that a compiled program verifies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use flow_compiler::bytecode::{CodeId, Op, Program, StepId, StepKind};
use flow_compiler::compile::{compile, Compiled, ProjectInput, SourceFile};
use flow_compiler::{dump, report, verify};

const SHOP: &str = r#"event cart_added = "Product Added" { cart_id: text  cart_value: number }
event purchased = "Order Completed" { order_value: number }
event login
user { email: email?  phone: phone?  first_name: text?  points: int = 0 }
channel email to user.email
channel sms to user.phone
segment spender = sum(order_value of purchased in last 30d) >= 100
policy { quiet hours 21:00 to 08:00 on sms  at most 3 messages per 7d  at most 1 sms per 36h }

journey cart "Bring it back" {
  on cart_added where cart_value > 50
  enter per cart_id once per 14d
  exit on purchased
  exit after 10d
  goal purchased within 3d
  holdout 5%
  wait 2h
  if user.points > 3 then email "A" as letter else { sms "B"  end }
  split { 60% plain: wait until monday 09:00  40% quick: wait for login up to 2d then end }
  repeat every 1d up to 3 times { together { email "C {user.first_name ?? "you"}" } { sms "D" } }
  if not letter.opened and count(cart_added in last 7d) > 2 then set user.points -= 1
}

journey weekly {
  on enter spender
  repeat every 7d { email "E" }
}

journey follow {
  on login
  wait for purchased until last(login).time + 3d else send "F" via email and sms
}
"#;

fn input() -> ProjectInput {
    let files = vec![SourceFile { path: "shop.flow".to_owned(), text: SHOP.to_owned() }];
    ProjectInput { name: "shop".to_owned(), timezone: "Europe/Rome".to_owned(), files, ..Default::default() }
}

fn compiled() -> (ProjectInput, Compiled, Program) {
    let input = input();
    let mut compiled = compile(&input);
    let program = compiled.program.take();
    assert!(program.is_some(), "{:#?}", compiled.diagnostics);
    (input, compiled, program.unwrap())
}

#[test]
fn graph() {
    let (input, _, program) = compiled();
    insta::assert_snapshot!(dump::graph(&program, &input.files));
}

#[test]
fn dot() {
    let (input, _, program) = compiled();
    insta::assert_snapshot!(dump::dot(&program, &input.files));
}

#[test]
fn bytecode() {
    let (input, _, program) = compiled();
    insta::assert_snapshot!(dump::bytecode(&program, &input.files));
}

#[test]
fn types() {
    let (input, compiled, _) = compiled();
    insta::assert_snapshot!(dump::types(&compiled.info, &input.files));
}

#[test]
fn report_for_people() {
    let (input, _, program) = compiled();
    let place = |span: flow_grammar::span::Span| {
        let place = flow_grammar::LineIndex::new(SHOP).line_column(SHOP, span.start);
        format!("shop.flow:{}:{}", place.line, place.column)
    };
    insta::assert_snapshot!(report::report(&program, &input.files, &place).text());
}

#[test]
fn what_leads_nowhere_does_not_verify() {
    let (_, _, program) = compiled();
    assert_eq!(verify::verify(&program), Ok(()));
    let broken = |change: &dyn Fn(&mut Program)| {
        let mut program = program.clone();
        change(&mut program);
        verify::verify(&program).unwrap_err()
    };
    let code = program.codes.len() - 1;
    let mut said = vec![
        broken(&|p| p.codes[code].ops.clear()),
        broken(&|p| p.codes[code].registers = 0),
        broken(&|p| p.constants.clear()),
        broken(&|p| p.topics.clear()),
        broken(&|p| p.channels[0].contact = Some(flow_compiler::bytecode::AttrId(99))),
        broken(&|p| p.journeys[0].steps[0].kind = StepKind::Jump(StepId(0))),
        broken(&|p| p.journeys[0].steps[0].kind = StepKind::Jump(StepId(999))),
        broken(&|p| p.journeys[0].steps[0].kind = StepKind::Wait(CodeId(999))),
        broken(&|p| p.journeys[0].slots = 0),
        broken(&|p| p.journeys[0].messages = 0),
        broken(&|p| p.queries[0].event = flow_compiler::bytecode::EventId(999)),
    ];
    let itself = |p: &mut Program| {
        let id = CodeId(u32::try_from(code).unwrap());
        let whole = p.codes[code].spans[0];
        let grain = flow_compiler::bytecode::StepGrain::Day;
        p.codes[code].ops = vec![Op::StepMoving(0, id, grain), Op::Return(0)];
        p.codes[code].spans = vec![whole; 2];
    };
    said.push(broken(&itself));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn nested_loops_are_weighed_at_once() {
    let open = "repeat 2 times { wait 1h ".repeat(25);
    let text = format!("on started {open} email \"a\" {}", "}".repeat(25));
    let files = vec![SourceFile { path: "deep.flow".to_owned(), text }];
    let input = ProjectInput { name: "deep".to_owned(), timezone: "UTC".to_owned(), files, ..Default::default() };
    let program = compile(&input).program.unwrap();
    let report = report::report(&program, &input.files, &|_| String::new());
    assert_eq!(report.journeys[0].messages, report::Bound::AtMost(1 << 25));
}
