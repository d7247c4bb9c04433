//! Proves that a program holds no index that leads nowhere, so that the engine's look-ups cannot
//! miss and every code ends.

mod code;
mod journey;

use crate::bytecode::{Deps, History, Program, SegmentId, Strategy, Type};
use code::{Codes, Context};

/// Checks every index, register, jump and target of a program.
///
/// # Errors
/// With what is wrong and where, for whoever works on the compiler.
pub fn verify(program: &Program) -> Result<(), String> {
    tables(program)?;
    let mut codes = Codes::new(program);
    for segment in &program.segments {
        let place = || format!("segment `{}`", segment.name);
        deps(program, &segment.condition.deps).map_err(|e| format!("{}: {e}", place()))?;
        codes.check(segment.condition.code, Context::default()).map_err(|e| format!("{}: {e}", place()))?;
    }
    for api in &program.apis {
        let context = Context { fields: Some(api.params.len()), ..Context::default() };
        let request = api.request.iter().map(|(_, code)| *code);
        let headers = api.headers.iter().filter_map(|(_, value)| value.as_ref().ok().copied());
        for code in request.chain(headers).chain(api.body.iter().map(|(_, code)| *code)) {
            codes.check(code, context).map_err(|e| format!("api `{}`: {e}", api.name))?;
        }
    }
    for one in &program.journeys {
        journey::check(program, &mut codes, one).map_err(|e| format!("journey `{}`: {e}", one.name))?;
    }
    Ok(())
}

/// `index` is one of `len`.
fn below(what: &str, index: usize, len: usize) -> Result<(), String> {
    if index < len {
        Ok(())
    } else {
        Err(format!("{what} {index} of {len}"))
    }
}

fn tables(program: &Program) -> Result<(), String> {
    for attribute in [program.timezone_attr, program.locale_attr].into_iter().flatten() {
        below("attribute", attribute.index(), program.attributes.len())?;
    }
    for event in &program.events {
        event_tables(program, event).map_err(|e| format!("event `{}`: {e}", event.name))?;
    }
    for attribute in &program.attributes {
        type_is_known(program, &attribute.field.ty)?;
    }
    for channel in &program.channels {
        if let Some(contact) = channel.contact {
            below("attribute", contact.index(), program.attributes.len())?;
        }
    }
    for field in program.types.iter().flat_map(|ty| &ty.fields) {
        type_is_known(program, &field.ty)?;
    }
    for api in &program.apis {
        for ty in api.params.iter().map(|field| &field.ty).chain(api.answer.iter().map(|(ty, _)| ty)) {
            type_is_known(program, ty)?;
        }
    }
    for (_, channel) in program.templates.keys() {
        below("channel", channel.index(), program.channels.len())?;
    }
    let quiet = program.policy.quiet.iter().flat_map(|quiet| quiet.channels.iter().copied());
    let caps = program.policy.caps.iter().chain(&program.policy.throttles).filter_map(|cap| cap.channel);
    for channel in quiet.chain(caps) {
        below("channel", channel.index(), program.channels.len())?;
    }
    queries(program)
}

fn event_tables(program: &Program, event: &crate::bytecode::Event) -> Result<(), String> {
    for field in &event.fields {
        type_is_known(program, &field.ty)?;
    }
    if let Some((channel, _)) = event.outcome {
        below("channel", channel.index(), program.channels.len())?;
    }
    let History { log: Some(log), .. } = &event.history else { return Ok(()) };
    for field in &log.fields {
        below("kept field", usize::from(*field), event.fields.len())?;
    }
    if log.fields.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        return Err("kept fields are not in ascending order".to_owned());
    }
    log.in_flight.iter().try_for_each(|id| below("journey", id.index(), program.journeys.len()))
}

fn queries(program: &Program) -> Result<(), String> {
    use crate::bytecode::QueryAnswer as Answer;
    for (n, query) in program.queries.iter().enumerate() {
        let place = |e: String| format!("query {n}: {e}");
        below("event", query.event.index(), program.events.len()).map_err(place)?;
        let event = program.events.get(query.event.index()).ok_or_else(|| place("no event".to_owned()))?;
        if let Answer::Sum(f)
        | Answer::Min(f)
        | Answer::Max(f)
        | Answer::Avg(f)
        | Answer::FirstField(f)
        | Answer::LastField(f) = query.answer
        {
            below("field", usize::from(f), event.fields.len()).map_err(place)?;
        }
        match query.strategy {
            Strategy::Running(cell) => {
                below("running total", cell as usize, program.running as usize).map_err(place)?
            }
            Strategy::Last if !event.history.last => return Err(place("the last occurrence is not kept".to_owned())),
            Strategy::Log if event.history.log.is_none() => return Err(place("no log is kept".to_owned())),
            Strategy::Last | Strategy::Log => {}
        }
    }
    Ok(())
}

fn type_is_known(program: &Program, ty: &Type) -> Result<(), String> {
    match ty {
        Type::List(of) => type_is_known(program, of),
        Type::Record(id) => below("type", id.index(), program.types.len()),
        _ => Ok(()),
    }
}

fn deps(program: &Program, deps: &Deps) -> Result<(), String> {
    for event in &deps.events {
        below("event", event.index(), program.events.len())?;
    }
    for attribute in &deps.attributes {
        below("attribute", attribute.index(), program.attributes.len())?;
    }
    if !deps.events.is_sorted() || !deps.attributes.is_sorted() {
        return Err("dependencies are not in ascending order".to_owned());
    }
    Ok(())
}

fn segment_is_known(program: &Program, id: SegmentId) -> Result<(), String> {
    below("segment", id.index(), program.segments.len())
}
