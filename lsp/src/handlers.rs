//! Requests of the protocol: to places in a world and back.

use crate::complete::{self, What};
use crate::hints::{Lens, Link};
use crate::navigate::{self, Target};
use crate::outline::{Entry, Shape};
use crate::place::{Encoding, Text};
use crate::server::{path_of, Server};
use crate::world::World;
use crate::{actions, highlight, hints, hover, outline};
use flow_grammar::span::{FileId, Span};
use flow_grammar::Unformatted;
use ls_types::request::*;
use ls_types::*;
use serde_json::{json, Value};

type Answer = Result<Value, String>;

/// What the server can do.
#[must_use]
pub fn capabilities(encoding: Encoding) -> Value {
    let encoding = match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Utf16 => "utf-16",
    };
    json!({
        "positionEncoding": encoding,
        "textDocumentSync": { "openClose": true, "change": 2, "save": {} },
        "hoverProvider": true,
        "completionProvider": { "triggerCharacters": [".", "\"", " ", "{", "(", "|", "%"] },
        "signatureHelpProvider": { "triggerCharacters": ["(", ","], "retriggerCharacters": [":"] },
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "renameProvider": { "prepareProvider": true },
        "codeActionProvider": { "codeActionKinds": ["quickfix", "source.fixAll"] },
        "codeLensProvider": {},
        "documentLinkProvider": {},
        "documentFormattingProvider": true,
        "foldingRangeProvider": true,
        "selectionRangeProvider": true,
        "inlayHintProvider": true,
        "semanticTokensProvider": {
            "legend": { "tokenTypes": highlight::LEGEND, "tokenModifiers": ["declaration"] },
            "full": true,
        },
        "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
    })
}

/// Answers a request; none: the method is not known.
pub fn request(server: &mut Server, request: lsp_server::Request) -> Option<Answer> {
    let params = request.params;
    Some(match request.method.as_str() {
        HoverRequest::METHOD => on::<HoverRequest>(server, params, |s, p| hover_at(s, &p)),
        Completion::METHOD => on::<Completion>(server, params, |s, p| completion(s, &p)),
        SignatureHelpRequest::METHOD => on::<SignatureHelpRequest>(server, params, |s, p| signature(s, &p)),
        GotoDefinition::METHOD => on::<GotoDefinition>(server, params, |s, p| definition(s, &p)),
        References::METHOD => on::<References>(server, params, |s, p| references(s, &p)),
        DocumentHighlightRequest::METHOD => on::<DocumentHighlightRequest>(server, params, |s, p| same_names(s, &p)),
        PrepareRenameRequest::METHOD => on::<PrepareRenameRequest>(server, params, |s, p| prepare_rename(s, &p)),
        Rename::METHOD => on::<Rename>(server, params, |s, p| rename(s, &p)),
        DocumentSymbolRequest::METHOD => on::<DocumentSymbolRequest>(server, params, |s, p| symbols(s, &p)),
        WorkspaceSymbolRequest::METHOD => on::<WorkspaceSymbolRequest>(server, params, |s, p| all_symbols(s, &p)),
        SemanticTokensFullRequest::METHOD => on::<SemanticTokensFullRequest>(server, params, |s, p| tokens(s, &p)),
        FoldingRangeRequest::METHOD => on::<FoldingRangeRequest>(server, params, |s, p| folds(s, &p)),
        SelectionRangeRequest::METHOD => on::<SelectionRangeRequest>(server, params, |s, p| selections(s, &p)),
        InlayHintRequest::METHOD => on::<InlayHintRequest>(server, params, |s, p| inlays(s, &p)),
        CodeActionRequest::METHOD => on::<CodeActionRequest>(server, params, |s, p| code_actions(s, &p)),
        CodeLensRequest::METHOD => on::<CodeLensRequest>(server, params, |s, p| lenses(s, &p)),
        DocumentLinkRequest::METHOD => on::<DocumentLinkRequest>(server, params, |s, p| links(s, &p)),
        Formatting::METHOD => on::<Formatting>(server, params, |s, p| formatting(s, &p)),
        // For the test that a crash is an answer.
        #[cfg(debug_assertions)]
        "flow/crash" => std::panic::resume_unwind(Box::new("asked for")),
        _ => return None,
    })
}

fn on<R: Request>(
    server: &mut Server,
    params: Value,
    answer: impl Fn(&mut Server, R::Params) -> Result<R::Result, String>,
) -> Answer {
    let params =
        serde_json::from_value(params).map_err(|error| format!("these parameters are not understood: {error}"))?;
    let result = answer(server, params)?;
    serde_json::to_value(result).map_err(|error| error.to_string())
}

/// A place of a request in its world.
struct At<'s> {
    world: &'s World,
    file: FileId,
    text: &'s Text,
    at: u32,
}

fn at<'s>(server: &'s mut Server, place: &TextDocumentPositionParams) -> Option<At<'s>> {
    let encoding = server.encoding;
    let (world, file) = server.world(&place.text_document.uri)?;
    let text = world.text(file)?;
    Some(At { world, file, text, at: text.offset(place.position, encoding) })
}

/// As [`at`], when the answer depends on every file.
fn at_whole<'s>(server: &'s mut Server, place: &TextDocumentPositionParams) -> Option<At<'s>> {
    let encoding = server.encoding;
    let (world, file) = server.whole_world(&place.text_document.uri)?;
    let text = world.text(file)?;
    Some(At { world, file, text, at: text.offset(place.position, encoding) })
}

fn range(world: &World, span: Span, encoding: Encoding) -> Range {
    world.text(span.file).map_or_else(Range::default, |text| text.range(span, encoding))
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

/// Spans with their files' names, found while the world was at hand.
fn placed(world: &World, spans: Vec<Span>, encoding: Encoding) -> Vec<(std::path::PathBuf, Range)> {
    spans.into_iter().filter_map(|span| Some((world.path(span.file)?, range(world, span, encoding)))).collect()
}

fn hover_at(server: &mut Server, params: &HoverParams) -> Result<Option<Hover>, String> {
    let encoding = server.encoding;
    let Some(place) = at(server, &params.text_document_position_params) else { return Ok(None) };
    Ok(hover::hover(place.world, place.file, place.at).map(|(span, text)| Hover {
        contents: HoverContents::Markup(markdown(text)),
        range: Some(place.text.range(span, encoding)),
    }))
}

fn completion(server: &mut Server, params: &CompletionParams) -> Result<Option<CompletionResponse>, String> {
    let (encoding, snippets) = (server.encoding, server.snippets);
    let Some(place) = at(server, &params.text_document_position) else { return Ok(None) };
    let (span, found) = complete::complete(place.world, place.file, place.at);
    let range = place.text.range(span, encoding);
    let items = found.iter().enumerate().filter(|(_, item)| snippets || item.insert.is_none()).map(|(number, item)| {
        let snippet = item.insert.is_some();
        CompletionItem {
            label: item.label.clone(),
            kind: Some(kind(item.what)),
            detail: (!item.detail.is_empty()).then(|| item.detail.clone()),
            documentation: complete::documentation(place.world, item)
                .map(|text| Documentation::MarkupContent(markdown(text))),
            // In the order in which they were found: what fits best comes first.
            sort_text: Some(format!("{number:04}")),
            insert_text_format: snippet.then_some(InsertTextFormat::SNIPPET),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range,
                new_text: item.insert.clone().unwrap_or_else(|| item.label.clone()),
            })),
            ..CompletionItem::default()
        }
    });
    Ok(Some(CompletionResponse::Array(items.collect())))
}

fn kind(what: What) -> CompletionItemKind {
    match what {
        What::Field => CompletionItemKind::FIELD,
        What::Attribute => CompletionItemKind::PROPERTY,
        What::Local => CompletionItemKind::VARIABLE,
        What::Event => CompletionItemKind::EVENT,
        What::Segment | What::Journey => CompletionItemKind::CLASS,
        What::Value => CompletionItemKind::ENUM_MEMBER,
        What::Channel => CompletionItemKind::MODULE,
        What::Template => CompletionItemKind::FILE,
        What::Function | What::Api => CompletionItemKind::FUNCTION,
        What::Type => CompletionItemKind::TYPE_PARAMETER,
        What::Topic => CompletionItemKind::CONSTANT,
        What::Keyword => CompletionItemKind::KEYWORD,
        What::Snippet => CompletionItemKind::SNIPPET,
    }
}

fn signature(server: &mut Server, params: &SignatureHelpParams) -> Result<Option<SignatureHelp>, String> {
    let Some(place) = at(server, &params.text_document_position_params) else { return Ok(None) };
    let Some(found) = hints::signature(place.world, place.file, place.at) else { return Ok(None) };
    let parameter = |label: String| ParameterInformation { label: ParameterLabel::Simple(label), documentation: None };
    let active = u32::try_from(found.active).ok();
    let information = SignatureInformation {
        label: found.label,
        documentation: (!found.about.is_empty()).then(|| Documentation::MarkupContent(markdown(found.about))),
        parameters: Some(found.params.into_iter().map(parameter).collect()),
        active_parameter: active,
    };
    Ok(Some(SignatureHelp { signatures: vec![information], active_signature: Some(0), active_parameter: active }))
}

fn definition(server: &mut Server, params: &GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>, String> {
    let encoding = server.encoding;
    let Some(place) = at(server, &params.text_document_position_params) else { return Ok(None) };
    let targets = navigate::definition(place.world, place.file, place.at);
    let files: Vec<_> = targets
        .into_iter()
        .filter_map(|target| match target {
            Target::Source(name, _) => Some((place.world.path(name.file)?, range(place.world, name, encoding))),
            Target::File(path) => Some((path, Range::default())),
        })
        .collect();
    Ok(Some(GotoDefinitionResponse::Array(locations(server, files))))
}

fn locations(server: &Server, files: Vec<(std::path::PathBuf, Range)>) -> Vec<Location> {
    files.into_iter().filter_map(|(path, range)| Some(Location { uri: server.document(&path)?.0, range })).collect()
}

fn references(server: &mut Server, params: &ReferenceParams) -> Result<Option<Vec<Location>>, String> {
    let encoding = server.encoding;
    let Some(place) = at_whole(server, &params.text_document_position) else { return Ok(None) };
    let spans = navigate::references(place.world, place.file, place.at, params.context.include_declaration);
    let files = placed(place.world, spans, encoding);
    Ok(Some(locations(server, files)))
}

fn same_names(server: &mut Server, params: &DocumentHighlightParams) -> Result<Option<Vec<DocumentHighlight>>, String> {
    let encoding = server.encoding;
    let Some(place) = at(server, &params.text_document_position_params) else { return Ok(None) };
    let spans = navigate::references(place.world, place.file, place.at, true);
    let here = spans.into_iter().filter(|span| span.file == place.file);
    Ok(Some(here.map(|span| DocumentHighlight { range: place.text.range(span, encoding), kind: None }).collect()))
}

fn prepare_rename(
    server: &mut Server,
    params: &TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>, String> {
    let encoding = server.encoding;
    let Some(place) = at_whole(server, params) else { return Ok(None) };
    let span = navigate::can_rename(place.world, place.file, place.at)?;
    Ok(Some(PrepareRenameResponse::Range(place.text.range(span, encoding))))
}

fn rename(server: &mut Server, params: &RenameParams) -> Result<Option<WorkspaceEdit>, String> {
    let (encoding, renames_files) = (server.encoding, server.renames_files);
    let Some(place) = at_whole(server, &params.text_document_position) else { return Ok(None) };
    let renaming = navigate::rename(place.world, place.file, place.at, &params.new_name)?;
    if !renaming.files.is_empty() && !renames_files {
        return Err("this name is also the name of files, and the editor cannot rename files".to_owned());
    }
    let edits = located(place.world, renaming.edits, encoding);
    if renaming.files.is_empty() {
        return Ok(Some(changes(server, edits)));
    }
    let mut operations: Vec<DocumentChangeOperation> = Vec::new();
    for (path, edits) in edits {
        let Some((uri, version)) = server.document(&path) else { continue };
        let edits = edits.into_iter().map(OneOf::Left).collect();
        let text_document = OptionalVersionedTextDocumentIdentifier { uri, version };
        operations.push(DocumentChangeOperation::Edit(TextDocumentEdit { text_document, edits }));
    }
    for (from, to) in renaming.files {
        let (Some((old_uri, _)), Some(new_uri)) = (server.document(&from), Uri::from_file_path(&to)) else { continue };
        let file = RenameFile { old_uri, new_uri, options: None, annotation_id: None };
        operations.push(DocumentChangeOperation::Op(ResourceOp::Rename(file)));
    }
    let document_changes = Some(DocumentChanges::Operations(operations));
    Ok(Some(WorkspaceEdit { document_changes, ..WorkspaceEdit::default() }))
}

type Located = Vec<(std::path::PathBuf, Vec<TextEdit>)>;

/// Changes by file.
fn located(world: &World, edits: Vec<(Span, String)>, encoding: Encoding) -> Located {
    let mut files: std::collections::BTreeMap<FileId, Vec<TextEdit>> = std::collections::BTreeMap::new();
    for (span, new_text) in edits {
        files.entry(span.file).or_default().push(TextEdit { range: range(world, span, encoding), new_text });
    }
    files.into_iter().filter_map(|(file, edits)| Some((world.path(file)?, edits))).collect()
}

fn changes(server: &Server, edits: Located) -> WorkspaceEdit {
    let named = edits.into_iter().filter_map(|(path, edits)| Some((server.document(&path)?.0, edits)));
    WorkspaceEdit { changes: Some(named.collect()), ..WorkspaceEdit::default() }
}

#[allow(deprecated)]
fn symbol(entry: &Entry, text: &Text, encoding: Encoding) -> DocumentSymbol {
    let children: Vec<DocumentSymbol> = entry.children.iter().map(|child| symbol(child, text, encoding)).collect();
    DocumentSymbol {
        name: if entry.name.is_empty() { "unnamed".to_owned() } else { entry.name.clone() },
        detail: (!entry.detail.is_empty()).then(|| entry.detail.clone()),
        kind: shape(entry.shape),
        tags: None,
        deprecated: None,
        range: text.range(entry.span, encoding),
        selection_range: text.range(entry.name_span, encoding),
        children: (!children.is_empty()).then_some(children),
    }
}

fn shape(shape: Shape) -> SymbolKind {
    match shape {
        Shape::Event => SymbolKind::EVENT,
        Shape::User => SymbolKind::OBJECT,
        Shape::Type => SymbolKind::STRUCT,
        Shape::Channel => SymbolKind::MODULE,
        Shape::Segment => SymbolKind::CLASS,
        Shape::Api => SymbolKind::INTERFACE,
        Shape::Policy => SymbolKind::NAMESPACE,
        Shape::Journey => SymbolKind::FUNCTION,
        Shape::Test => SymbolKind::METHOD,
        Shape::Field => SymbolKind::FIELD,
    }
}

fn symbols(server: &mut Server, params: &DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>, String> {
    let encoding = server.encoding;
    let Some((world, file)) = server.world(&params.text_document.uri) else { return Ok(None) };
    let Some(text) = world.text(file) else { return Ok(None) };
    let found = outline::symbols(world, file).iter().map(|entry| symbol(entry, text, encoding)).collect();
    Ok(Some(DocumentSymbolResponse::Nested(found)))
}

#[allow(deprecated)]
fn all_symbols(server: &mut Server, params: &WorkspaceSymbolParams) -> Result<Option<WorkspaceSymbolResponse>, String> {
    let encoding = server.encoding;
    let mut found = Vec::new();
    for world in server.worlds() {
        for entry in outline::workspace_symbols(world, &params.query) {
            if let Some(path) = world.path(entry.span.file) {
                found.push((entry.name, shape(entry.shape), path, range(world, entry.name_span, encoding)));
            }
        }
    }
    let found = found.into_iter().filter_map(|(name, kind, path, range)| {
        let location = Location { uri: server.document(&path)?.0, range };
        Some(SymbolInformation { name, kind, tags: None, deprecated: None, location, container_name: None })
    });
    Ok(Some(WorkspaceSymbolResponse::Flat(found.collect())))
}

fn tokens(server: &mut Server, params: &SemanticTokensParams) -> Result<Option<SemanticTokensResult>, String> {
    let encoding = server.encoding;
    let Some((world, file)) = server.world(&params.text_document.uri) else { return Ok(None) };
    let Some(text) = world.text(file) else { return Ok(None) };
    let mut data = Vec::new();
    let (mut line, mut start) = (0, 0);
    for (span, token_type, declared) in highlight::highlight(world, file) {
        let range = text.range(span, encoding);
        let delta_line = range.start.line - line;
        let delta_start = if delta_line == 0 { range.start.character - start } else { range.start.character };
        let length = range.end.character.saturating_sub(range.start.character);
        data.push(SemanticToken {
            delta_line,
            delta_start,
            length,
            token_type,
            token_modifiers_bitset: declared.into(),
        });
        (line, start) = (range.start.line, range.start.character);
    }
    Ok(Some(SemanticTokensResult::Tokens(SemanticTokens { result_id: None, data })))
}

fn folds(server: &mut Server, params: &FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>, String> {
    let Some((world, file)) = server.world(&params.text_document.uri) else { return Ok(None) };
    let fold = |(start_line, end_line, comment)| FoldingRange {
        start_line,
        end_line,
        kind: Some(if comment { FoldingRangeKind::Comment } else { FoldingRangeKind::Region }),
        ..FoldingRange::default()
    };
    Ok(Some(outline::folds(world, file).into_iter().map(fold).collect()))
}

fn selections(server: &mut Server, params: &SelectionRangeParams) -> Result<Option<Vec<SelectionRange>>, String> {
    let encoding = server.encoding;
    let Some((world, file)) = server.world(&params.text_document.uri) else { return Ok(None) };
    let Some(text) = world.text(file) else { return Ok(None) };
    let grow = |position: &Position| {
        let spans = outline::selection(world, file, text.offset(*position, encoding));
        spans.into_iter().rev().fold(None, |parent: Option<SelectionRange>, span| {
            Some(SelectionRange { range: text.range(span, encoding), parent: parent.map(Box::new) })
        })
    };
    let here = |position: &Position| SelectionRange { range: Range::new(*position, *position), parent: None };
    Ok(Some(params.positions.iter().map(|p| grow(p).unwrap_or_else(|| here(p))).collect()))
}

fn inlays(server: &mut Server, params: &InlayHintParams) -> Result<Option<Vec<InlayHint>>, String> {
    let encoding = server.encoding;
    let Some((world, file)) = server.whole_world(&params.text_document.uri) else { return Ok(None) };
    let Some(text) = world.text(file) else { return Ok(None) };
    let (from, to) = (text.offset(params.range.start, encoding), text.offset(params.range.end, encoding));
    let hint = |(at, label): (u32, String)| InlayHint {
        position: text.position(at, encoding),
        label: InlayHintLabel::String(label),
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    };
    Ok(Some(hints::inlay(world, file, from, to).into_iter().map(hint).collect()))
}

fn code_actions(server: &mut Server, params: &CodeActionParams) -> Result<Option<CodeActionResponse>, String> {
    let encoding = server.encoding;
    let uri = &params.text_document.uri;
    let Some((world, file)) = server.world(uri) else { return Ok(None) };
    let Some(text) = world.text(file) else { return Ok(None) };
    let (from, to) = (text.offset(params.range.start, encoding), text.offset(params.range.end, encoding));
    let wanted = |kind: &CodeActionKind| {
        let only = params.context.only.as_ref();
        only.is_none_or(|only| only.iter().any(|o| kind.as_str().starts_with(o.as_str())))
    };
    let all = located(world, actions::fix_all(world, file), encoding);
    let server = &*server;
    let place = path_of(uri).and_then(|path| server.known_world(&path));
    let Some((world, file)) = place else { return Ok(None) };
    let mut mends: Vec<_> = actions::fixes(world, file, from, to)
        .map(|(found, fix)| {
            (server.diagnostic(world, found), fix.title.clone(), located(world, fix.edits.clone(), encoding), true)
        })
        .collect();
    mends.extend(actions::allows(world, file, from, to).map(|(found, line)| {
        let title = format!("allow {} here, with a reason", found.code);
        (server.diagnostic(world, found), title, located(world, vec![line], encoding), false)
    }));
    let mut found: CodeActionResponse = Vec::new();
    if wanted(&CodeActionKind::QUICKFIX) {
        for (diagnostic, title, edits, preferred) in mends {
            found.push(CodeActionOrCommand::CodeAction(CodeAction {
                title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: diagnostic.map(|diagnostic| vec![diagnostic]),
                edit: Some(changes(server, edits)),
                is_preferred: Some(preferred),
                ..CodeAction::default()
            }));
        }
    }
    if wanted(&CodeActionKind::SOURCE_FIX_ALL) && !all.is_empty() {
        found.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: "Mend all that is certain".to_owned(),
            kind: Some(CodeActionKind::SOURCE_FIX_ALL),
            edit: Some(changes(server, all)),
            ..CodeAction::default()
        }));
    }
    Ok(Some(found))
}

fn lenses(server: &mut Server, params: &CodeLensParams) -> Result<Option<Vec<CodeLens>>, String> {
    let encoding = server.encoding;
    let uri = params.text_document.uri.clone();
    let Some((world, file)) = server.whole_world(&uri) else { return Ok(None) };
    let root = world.root.to_string_lossy().into_owned();
    let lens = |lens: Lens| {
        let (span, title, command, name) = match lens {
            Lens::Test(span, name) => (span, "▶ Run test", "flow.runTest", name),
            Lens::Graph(span, name) => (span, "Show graph", "flow.showGraph", name),
        };
        let arguments = Some(vec![json!(root), json!(name), json!(uri.as_str())]);
        let command = Command { title: title.to_owned(), command: command.to_owned(), arguments };
        CodeLens { range: range(world, span, encoding), command: Some(command), data: None }
    };
    Ok(Some(hints::lenses(world, file).into_iter().map(lens).collect()))
}

fn links(server: &mut Server, params: &DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>, String> {
    let encoding = server.encoding;
    let Some((world, file)) = server.world(&params.text_document.uri) else { return Ok(None) };
    let link = |(span, link): (Span, Link)| {
        let target = match &link {
            Link::File(path) => Uri::from_file_path(path)?,
            Link::Address(address) => address.parse().ok()?,
        };
        Some(DocumentLink { range: range(world, span, encoding), target: Some(target), tooltip: None, data: None })
    };
    Ok(Some(hints::links(world, file).into_iter().filter_map(link).collect()))
}

fn formatting(server: &mut Server, params: &DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>, String> {
    let encoding = server.encoding;
    let Some(text) = server.open_text(&params.text_document.uri) else { return Ok(None) };
    match flow_grammar::format(&text.text) {
        Ok(formatted) if formatted == text.text => Ok(Some(Vec::new())),
        Ok(formatted) => Ok(Some(vec![smallest(text, &formatted, encoding)])),
        Err(Unformatted::Errors(_)) => Err("the file has syntax errors and was left as it is".to_owned()),
        Err(Unformatted::Changed(_)) => Err("the layout would have changed what the file means".to_owned()),
    }
}

/// The change of whole lines in the middle, so that the editor keeps its place in the others.
fn smallest(text: &Text, formatted: &str, encoding: Encoding) -> TextEdit {
    let old: Vec<&str> = text.text.split_inclusive('\n').collect();
    let new: Vec<&str> = formatted.split_inclusive('\n').collect();
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let bytes = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let start = bytes(old.get(..head).unwrap_or(&[]));
    let end = text.text.len() - bytes(old.get(old.len() - tail..).unwrap_or(&[]));
    let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let range = Range { start: text.position(offset(start), encoding), end: text.position(offset(end), encoding) };
    TextEdit { range, new_text: new.get(head..new.len() - tail).unwrap_or(&[]).concat() }
}
