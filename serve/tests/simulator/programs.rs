//! The programs that are simulated.

use flow_compiler::compile::{compile, ProjectInput, SourceFile};
use flow_compiler::diagnostic::Severity;
use flow_runtime::calendar::Zones;
use flow_serve::setup::Setup;
use std::sync::Arc;

const SCHEMA: &str = "
event cart_added { cart_id: text  cart_value: number }
event purchased { order_value: number? }
event login {}
user { email: email?  phone: phone?  score: int = 0  timezone: timezone? }
channel email to user.email
channel sms to user.phone
";

const CART: &str = r#"
policy {
  quiet hours 21:00 to 08:00 on sms
  at most 3 messages per 7d
  at most 2 email per 1h for everyone
}
journey cart {
  on cart_added where cart_value > 20
  enter per cart_id once per 2d
  exit on purchased
  goal purchased within 3d
  topic marketing
  holdout 10%
  wait 2h
  email "cart of {trigger.cart_value}" as reminder
  wait for reminder.clicked up to 22h
    then set user.score += 10
    else sms "still thinking? {user.score}"
}
journey receipt {
  on purchased
  enter always
  topic transactional
  email "thank you"
}
"#;

const LIVELY: &str = r#"
policy { at most 1 sms per 3h for everyone }
segment active = count(login in last 2d) >= 2
journey hello { on login  enter once per 1d  topic marketing  email "hello {user.score}"  set user.score += 1 }
journey keen {
  on enter active
  on leave active
  topic marketing
  split { 50% a: email "a"  50% b: sms "b" }
  repeat every 6h up to 3 times { if not purchased in last 1d then sms "again" }
}
journey weekly { on every monday at 09:00 for active  topic marketing  email "week" }
journey absent { on cart_added without purchased within 5h  enter restart  topic marketing  sms "no purchase" }
"#;

/// What stands before everything else in the other version. Nobody ever gets there, but everything behind it has another
/// place: what is not found again by its name shows.
const BEFORE: &str = r#"
event zeroth { zero: text }
channel zero
segment zeros = count(zeroth in last 3d) > 1
journey nobody { on zeroth  enter per zero once  topic zero  wait 1h  zero "nothing" as nothing
  wait for nothing.clicked up to 1d }
journey never { on enter zeros  topic marketing  zero "{user.zero ?? "none"}" }
"#;

/// A program in two versions that do the same.
pub fn versions(number: u64) -> [Arc<Setup>; 2] {
    let before = SCHEMA.replace("user { ", "user { zero: text?  ");
    [setup(number), over(number, &[("a.flow", BEFORE), ("aa.flow", &before)])]
}

pub fn setup(number: u64) -> Arc<Setup> {
    over(number, &[("a.flow", SCHEMA)])
}

fn over(number: u64, files: &[(&str, &str)]) -> Arc<Setup> {
    let (name, body) = match number % 2 {
        0 => ("cart", CART),
        _ => ("lively", LIVELY),
    };
    let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).into(), text: (*text).into() };
    let input = ProjectInput {
        name: name.into(),
        timezone: "Europe/Rome".into(),
        files: files.iter().chain(&[("b.flow", body)]).map(file).collect(),
        ..ProjectInput::default()
    };
    let compiled = compile(&input);
    let errors: Vec<_> = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    Arc::new(Setup::new(compiled.program.expect("a program"), &input, Zones::bundled(), 1, None))
}
