//! Messages, and calls of apis: what leaves Flow.

use crate::body::{Body, LATER};
use crate::bytecode::{ApiId, Bound, BoundValue, ChannelId, CodeId, Content, Given, Send, StepKind};
use crate::compile_codes as code;
use crate::context::{Binding, Cx, Scope};
use crate::diagnostic::Diagnostic;
use crate::names::nearest;
use crate::node::Path;
use crate::schema::offer;
use crate::symbols::Symbol;
use crate::types::{Kind, Ty};
use flow_grammar::ast::{self, ApiCall, Expr, Name, Route, Step};
use std::collections::BTreeMap;

impl Cx<'_> {
    pub fn send(&mut self, send: &ast::Send, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        let (names, all) = match &send.route {
            Route::Channel(name) => (std::slice::from_ref(name), false),
            Route::FirstOf(names) => (names.as_slice(), false),
            Route::AllOf(names) => (names.as_slice(), true),
        };
        let channels: Vec<(ChannelId, &Name)> =
            names.iter().filter_map(|name| Some((self.channel(name)?, name))).collect();
        self.once_each(&channels);
        let content = self.content(&send.content, &channels, &scope);
        let to = send.to.as_ref().map(|to| {
            let node = self.expr(to, &scope);
            let node = self.coerce(node, &Kind::Text, false, "`to`");
            self.lower(&node)
        });
        let (with, given): (Vec<_>, Vec<_>) = self.with(&send.with, &scope).into_iter().unzip();
        let reached: Vec<ChannelId> = channels.iter().map(|(id, _)| *id).collect();
        let with: Vec<Given> = with
            .into_iter()
            .zip(&given)
            .map(|((name, code), (_, ty))| Given { name, code, ty: ty.kind.stored() })
            .collect();
        let bound = if matches!(content, Content::Template(_)) { self.bound_values() } else { Vec::new() };
        let topic = match (&send.topic, self.journey.as_ref().map(|journey| journey.topic)) {
            (Some(name), _) => self.topic(&name.text.clone()),
            (None, Some(topic)) if self.program.topics.get(topic.index()).is_some_and(|t| !t.name.is_empty()) => topic,
            (None, topic) => {
                let of_template = self.topic_of_template(send, &reached);
                of_template.or(topic).unwrap_or_else(|| self.topic(""))
            }
        };
        self.check_limits(send, &channels, &scope);
        self.check_templates(send, &reached, &given, topic, &scope);
        if let Some(name) = &send.topic {
            self.refer(name.span, Symbol::Topic(name.text.clone()));
        }
        let message = send.alias.as_ref().map(|alias| self.bind_message(alias));
        let identity = send.alias.as_ref().map_or_else(|| self.identity("send", step), |alias| alias.text.clone());
        let channels = channels.into_iter().map(|(id, _)| id).collect();
        let send = Send { channels, all, content, to, with, bound, topic, message };
        body.push(StepKind::Send(Box::new(send)), &identity, step.span);
    }

    /// The values that the journey has bound so far, as a template names them.
    fn bound_values(&self) -> Vec<Bound> {
        let bound = self.journey.iter().flat_map(|journey| &journey.bound);
        let values = bound.filter_map(|bound| {
            let (value, kind) = match &bound.binding {
                Binding::Const(value, kind) => (BoundValue::Const(value.clone()), kind),
                Binding::Slot(slot, ty) => (BoundValue::Slot(*slot), &ty.kind),
                Binding::Message(_) => return None,
            };
            Some(Bound { name: bound.name.clone(), value, ty: kind.stored() })
        });
        values.collect()
    }

    fn once_each(&mut self, channels: &[(ChannelId, &Name)]) {
        let mut first = BTreeMap::new();
        for (id, name) in channels {
            if let Some(place) = first.insert(*id, name.span) {
                let message = format!("`{}` stands there twice", name.text);
                let problem = Diagnostic::error(code::CLAUSE_TWICE, name.span, message);
                self.report(problem.label(place, "the first").help("name each channel once"));
            }
        }
    }

    fn content(&mut self, content: &ast::Content, channels: &[(ChannelId, &Name)], scope: &Scope) -> Content {
        match content {
            ast::Content::Template(name) => {
                self.refer(name.span, Symbol::Template(name.text.clone()));
                for (channel, channel_name) in channels {
                    self.template_exists(name, *channel, channel_name, channels.len() > 1);
                }
                Content::Template(name.text.clone())
            }
            ast::Content::Text(text) => {
                let node = self.expr(text, scope);
                let node = self.coerce(node, &Kind::Text, false, "a message");
                Content::Text(self.lower(&node))
            }
        }
    }

    /// Whether the project has a template for a channel.
    pub fn template_exists(&mut self, name: &Name, channel: ChannelId, channel_name: &Name, several: bool) {
        if !self.input.check_templates || self.program.templates.contains_key(&(name.text.clone(), channel)) {
            return;
        }
        let here = self.program.templates.keys().filter(|(_, c)| *c == channel).map(|(name, _)| name.as_str());
        let near = nearest(&name.text, here).map(str::to_owned);
        let message = format!("there is no template `{}` for {}", name.text, channel_name.text);
        let elsewhere: Vec<&str> = self
            .program
            .templates
            .keys()
            .filter(|(n, c)| *n == name.text && *c != channel)
            .map(|(_, c)| self.channel_name(*c))
            .collect();
        let mut help = format!("add `templates/{}.{}.liquid`", name.text, channel_name.text);
        if !elsewhere.is_empty() {
            help.push_str(&format!("; so far there is one for {}", crate::names::enumerate(&elsewhere)));
        }
        let span = if several { channel_name.span } else { name.span };
        let problem = Diagnostic::error(code::UNKNOWN_TEMPLATE, span, message);
        let problem = if several { problem.label(name.span, "the template") } else { problem };
        self.report(match near {
            Some(near) => offer(problem, Some(near), name.span, ""),
            None => problem.help(help),
        });
    }

    fn with(&mut self, given: &[(Name, Expr)], scope: &Scope) -> Vec<((String, CodeId), (String, Ty))> {
        self.known_fields(given, given.iter().map(|(name, _)| name.text.as_str()), "with");
        given
            .iter()
            .map(|(name, value)| {
                let node = self.expr(value, scope);
                let node = self.required(node, &format!("`{}`", name.text));
                let ty = node.ty.clone();
                ((name.text.clone(), self.lower(&node)), (name.text.clone(), ty))
            })
            .collect()
    }

    // Apis.

    pub fn fetch(&mut self, name: &Name, call: &ApiCall, otherwise: Option<&Step>, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        let api = self.api_named(&call.api);
        let args = self.arguments(api, call, &scope);
        let Some(api) = api else {
            self.bind(name, Binding::Const(crate::bytecode::Const::Missing, Kind::Poison));
            if let Some(otherwise) = otherwise {
                let (known, left) = (body.known.clone(), body.left);
                self.step(otherwise, body);
                body.known = known;
                body.left = left;
            }
            return;
        };
        let answer = self.program.apis.get(api.index()).and_then(|api| api.answer.clone());
        let (kind, sure) = match answer {
            Some((ty, optional)) => (Kind::of(&ty), !optional),
            None => {
                let message = format!("`{}` answers nothing that could be bound", call.api.text);
                let help = format!("write `call {}`, or declare what it answers with `-> …`", self.folded(call.span));
                self.report(Diagnostic::error(code::NO_ANSWER, call.span, message).help(help));
                (Kind::Poison, true)
            }
        };
        body.known.fade();
        let slot = self.bind_answer(name, Ty::maybe(kind, true));
        let fetch = StepKind::Fetch { api, args, slot: Some(slot), otherwise: LATER };
        let at = body.push(fetch, &self.identity("fetch", step), step.span);
        let mut without = body.known.clone();
        without.remove(&Path::Slot(slot));
        let mut with = without.clone();
        if sure {
            with.add(Path::Slot(slot));
        }
        self.two_ways(at, (None, otherwise), (with, without), step.span, body);
    }

    pub fn call_api(&mut self, call: &ApiCall, step: &Step, body: &mut Body) {
        let scope = self.here(body);
        let api = self.api_named(&call.api);
        let args = self.arguments(api, call, &scope);
        let Some(api) = api else { return };
        body.known.fade();
        let at = body.push(
            StepKind::Fetch { api, args, slot: None, otherwise: LATER },
            &self.identity("call", step),
            step.span,
        );
        body.aim(at);
    }

    /// The arguments in the order of the parameters.
    fn arguments(&mut self, api: Option<ApiId>, call: &ApiCall, scope: &Scope) -> Vec<CodeId> {
        let params = api.and_then(|id| self.program.apis.get(id.index())).map(|api| api.params.clone());
        let Some(params) = params else {
            call.args.iter().for_each(|(_, value)| {
                self.expr(value, scope);
            });
            return Vec::new();
        };
        let given = self.match_arguments(&params, &call.args, &call.api);
        let mut codes = Vec::new();
        for (param, value) in params.iter().zip(given) {
            let kind = Kind::of(&param.ty);
            codes.push(match (value, &param.default) {
                (Some(value), _) => {
                    let node = self.expr(value, scope);
                    let node = self.coerce(node, &kind, param.optional, &format!("`{}`", param.name));
                    self.lower(&node)
                }
                (None, Some(default)) => self.const_code(default.clone(), call.span),
                (None, None) => {
                    if !param.optional {
                        self.field_missing(&param.name, &call.api.text, &kind, call.span);
                    }
                    self.const_code(crate::bytecode::Const::Missing, call.span)
                }
            });
        }
        codes
    }

    /// For each parameter the argument that is meant for it, by name or by place.
    pub fn match_arguments<'e>(
        &mut self,
        params: &[crate::bytecode::Field],
        args: &'e [(Option<Name>, Expr)],
        api: &Name,
    ) -> Vec<Option<&'e Expr>> {
        let mut given: Vec<Option<&Expr>> = vec![None; params.len()];
        let mut place = 0;
        for (name, value) in args {
            let at = match name {
                Some(name) => params.iter().position(|p| p.name == name.text),
                None => {
                    place += 1;
                    Some(place - 1)
                }
            };
            match at.and_then(|at| given.get_mut(at)) {
                Some(slot @ None) => {
                    *slot = Some(value);
                    if let Some(name) = name {
                        self.refer(name.span, Symbol::Parameter(api.text.clone(), name.text.clone()));
                    }
                }
                Some(Some(first)) => {
                    let first = first.span;
                    let problem = Diagnostic::error(code::WRONG_ARGUMENTS, value.span, "this parameter is given twice");
                    self.report(problem.label(first, "given here first").help("give each parameter once"));
                }
                None => self.no_parameter(params, name.as_ref(), value, api),
            }
        }
        given
    }

    fn no_parameter(&mut self, params: &[crate::bytecode::Field], name: Option<&Name>, value: &Expr, api: &Name) {
        let Some(name) = name else {
            let message =
                format!("`{}` takes {} argument{}", api.text, params.len(), if params.len() == 1 { "" } else { "s" });
            self.report(Diagnostic::error(code::WRONG_ARGUMENTS, value.span, message).help("remove what is too much"));
            return;
        };
        let near = nearest(&name.text, params.iter().map(|p| p.name.as_str())).map(str::to_owned);
        let message = format!("`{}` has no parameter `{}`", api.text, name.text);
        let problem = Diagnostic::error(code::WRONG_ARGUMENTS, name.span, message);
        self.report(offer(problem, near, name.span, "name one of its parameters"));
    }
}
