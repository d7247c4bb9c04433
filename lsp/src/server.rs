//! The loop: messages in, answers and findings out, one at a time and in order.

use crate::disk;
use crate::handlers;
use crate::place::{Encoding, Text};
use crate::world::World;
use flow_compiler::compile::SourceFile;
use flow_compiler::diagnostic::Severity;
use flow_compiler::project::Listing;
use flow_grammar::span::FileId;
use ls_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _, PublishDiagnostics,
};
use ls_types::*;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A text that the editor has open.
pub struct Open {
    /// How the editor calls it.
    pub uri: Uri,
    /// Which version of it this is.
    pub version: i32,
    /// What stands in it, saved or not.
    pub text: Text,
}

/// The version of a file, if it is open, and what was found in it.
type Published = (Option<i32>, Vec<Diagnostic>);

/// A project, and whether it has changed since it was put together.
#[derive(Default)]
struct State {
    listing: Listing,
    world: Option<World>,
    stale: bool,
    single: bool,
    /// What the editor has changed since the whole project was looked at.
    changed: BTreeSet<PathBuf>,
    /// Whether something else than an open text has changed since then.
    other_changes: bool,
    published: BTreeMap<PathBuf, Published>,
    unpublished: bool,
}

/// How much of a project must be as things are now.
#[derive(Clone, Copy, PartialEq)]
enum Depth<'p> {
    /// One file, and what is declared anywhere.
    File(&'p Path),
    /// Everything.
    Whole,
}

/// After so long without a key, the whole project is looked at.
const REST: Duration = Duration::from_millis(150);

/// What the server knows.
#[derive(Default)]
pub struct Server {
    /// How columns are counted.
    pub encoding: Encoding,
    /// Whether the editor can rename files when it is told to.
    pub renames_files: bool,
    /// Whether the editor understands snippets.
    pub snippets: bool,
    workspace: Vec<PathBuf>,
    open: BTreeMap<PathBuf, Open>,
    projects: BTreeMap<PathBuf, State>,
}

/// Serves on standard input and output until the editor says goodbye.
///
/// # Errors
/// With a message, when the editor breaks the protocol or the streams break.
pub fn serve() -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    let result = serve_on(&connection);
    drop(connection);
    threads.join().map_err(|error| format!("standard input or output broke: {error}"))?;
    result
}

/// Serves on a connection.
///
/// # Errors
/// With a message, when the editor breaks the protocol.
pub fn serve_on(connection: &Connection) -> Result<(), String> {
    let broken = |error: lsp_server::ProtocolError| error.to_string();
    let (id, params) = connection.initialize_start().map_err(broken)?;
    let params: InitializeParams = serde_json::from_value(params).map_err(|error| error.to_string())?;
    let mut server = Server::new(&params);
    let about = serde_json::json!({
        "capabilities": handlers::capabilities(server.encoding),
        "serverInfo": { "name": "flowc", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, about).map_err(broken)?;
    server.watch(connection, &params);
    loop {
        let message = if server.is_partial() {
            match connection.receiver.recv_timeout(REST) {
                Ok(message) => message,
                Err(error) if error.is_timeout() => {
                    server.publish(connection, true);
                    continue;
                }
                Err(_) => break,
            }
        } else {
            match connection.receiver.recv() {
                Ok(message) => message,
                Err(_) => break,
            }
        };
        let mut next = Some(message);
        // Whatever has come in meanwhile belongs to the same batch: findings are computed once for all of it.
        while let Some(message) = next {
            if let Message::Request(request) = &message {
                if connection.handle_shutdown(request).map_err(broken)? {
                    return Ok(());
                }
            }
            server.handle(connection, message);
            next = connection.receiver.try_recv().ok();
        }
        server.publish(connection, false);
    }
    Ok(())
}

impl Server {
    fn new(params: &InitializeParams) -> Self {
        let general = params.capabilities.general.as_ref();
        let encodings = general.and_then(|general| general.position_encodings.as_ref());
        let utf8 = encodings.is_some_and(|known| known.contains(&PositionEncodingKind::UTF8));
        let edit = params.capabilities.workspace.as_ref().and_then(|w| w.workspace_edit.as_ref());
        let operations = edit.and_then(|edit| edit.resource_operations.as_ref());
        let document = params.capabilities.text_document.as_ref();
        let item = document.and_then(|d| d.completion.as_ref()).and_then(|c| c.completion_item.as_ref());
        let folders = params.workspace_folders.iter().flatten().filter_map(|folder| path_of(&folder.uri));
        let mut workspace: Vec<PathBuf> = folders.collect();
        #[allow(deprecated)]
        if workspace.is_empty() {
            workspace.extend(params.root_uri.as_ref().and_then(path_of));
        }
        Self {
            encoding: if utf8 { Encoding::Utf8 } else { Encoding::Utf16 },
            renames_files: operations.is_some_and(|known| known.contains(&ResourceOperationKind::Rename)),
            snippets: item.and_then(|item| item.snippet_support).unwrap_or(false),
            workspace,
            ..Self::default()
        }
    }

    /// Asks to be told when files change on disk.
    fn watch(&self, connection: &Connection, params: &InitializeParams) {
        let workspace = params.capabilities.workspace.as_ref();
        let watched = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        if !watched.and_then(|watched| watched.dynamic_registration).unwrap_or(false) {
            return;
        }
        let watchers: Vec<Value> = ["**/*.flow", "**/flow.toml", "**/templates/**"]
            .iter()
            .map(|pattern| serde_json::json!({ "globPattern": pattern }))
            .collect();
        let registration = serde_json::json!({ "registrations": [{
            "id": "watch", "method": DidChangeWatchedFiles::METHOD, "registerOptions": { "watchers": watchers },
        }]});
        let request = Request::new("watch".to_owned().into(), "client/registerCapability".to_owned(), registration);
        let _ = connection.sender.send(Message::Request(request));
    }

    fn handle(&mut self, connection: &Connection, message: Message) {
        match message {
            Message::Request(request) => {
                let response = self.answer(request);
                let _ = connection.sender.send(Message::Response(response));
            }
            Message::Notification(notification) => self.notice(notification),
            Message::Response(_) => {}
        }
    }

    /// A request that fails, in whatever way, is answered with an error; the server goes on.
    fn answer(&mut self, request: Request) -> Response {
        let id = request.id.clone();
        let method = request.method.clone();
        match catch_unwind(AssertUnwindSafe(|| handlers::request(self, request))) {
            Ok(Some(Ok(result))) => Response::new_ok(id, result),
            Ok(Some(Err(reason))) => Response::new_err(id, ErrorCode::RequestFailed as i32, reason),
            Ok(None) => {
                Response::new_err(id, ErrorCode::MethodNotFound as i32, format!("`{method}` is not known here"))
            }
            Err(_) => {
                // What was half done may not be whole: put the projects together anew.
                self.reread();
                Response::new_err(id, ErrorCode::InternalError as i32, format!("`{method}` failed"))
            }
        }
    }

    fn notice(&mut self, notification: Notification) {
        fn params<N: notification::Notification>(notification: Notification) -> Option<N::Params> {
            serde_json::from_value(notification.params).ok()
        }
        match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                if let Some(params) = params::<DidOpenTextDocument>(notification) {
                    self.opened(params.text_document);
                }
            }
            DidChangeTextDocument::METHOD => {
                if let Some(params) = params::<DidChangeTextDocument>(notification) {
                    self.changed(params);
                }
            }
            DidCloseTextDocument::METHOD => {
                let path = params::<DidCloseTextDocument>(notification).and_then(|p| path_of(&p.text_document.uri));
                if let Some(path) = path {
                    self.open.remove(&path);
                    self.touch(&path, true);
                }
            }
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => self.reread(),
            DidChangeWorkspaceFolders::METHOD => {
                if let Some(params) = params::<DidChangeWorkspaceFolders>(notification) {
                    let gone: Vec<PathBuf> = params.event.removed.iter().filter_map(|f| path_of(&f.uri)).collect();
                    self.workspace.retain(|folder| !gone.contains(folder));
                    self.workspace.extend(params.event.added.iter().filter_map(|f| path_of(&f.uri)));
                }
            }
            _ => {}
        }
    }

    fn opened(&mut self, document: TextDocumentItem) {
        let Some(path) = path_of(&document.uri) else { return };
        let open = Open { uri: document.uri, version: document.version, text: Text::new(document.text) };
        self.open.insert(path.clone(), open);
        self.touch(&path, true);
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let Some(path) = path_of(&params.text_document.uri) else { return };
        let encoding = self.encoding;
        let Some(open) = self.open.get_mut(&path) else { return };
        open.version = params.text_document.version;
        for change in params.content_changes {
            let Some(range) = change.range else {
                open.text = Text::new(change.text);
                continue;
            };
            let start = open.text.offset(range.start, encoding) as usize;
            let end = (open.text.offset(range.end, encoding) as usize).max(start);
            let mut text = std::mem::take(&mut open.text.text);
            if text.is_char_boundary(start) && text.is_char_boundary(end) && end <= text.len() {
                text.replace_range(start..end, &change.text);
            }
            open.text = Text::new(text);
        }
        self.touch(&path, false);
    }

    /// Whether some project has not been looked at as a whole since a change.
    fn is_partial(&self) -> bool {
        self.projects.values().any(|state| !state.stale && !state.changed.is_empty())
    }

    /// The key of the project that a file belongs to, which is put on the list.
    fn project_of(&mut self, path: &Path) -> PathBuf {
        let root = disk::root_of(path, &self.workspace);
        let single = root.is_none();
        let key = root.unwrap_or_else(|| path.to_owned());
        self.projects.entry(key.clone()).or_insert_with(|| {
            let listing = if single { Listing::default() } else { disk::list(&key) };
            State { listing, single, stale: true, unpublished: true, ..State::default() }
        });
        key
    }

    fn touch(&mut self, path: &Path, disk: bool) {
        let key = self.project_of(path);
        if let Some(state) = self.projects.get_mut(&key) {
            if disk && !state.single {
                state.listing = disk::list(&key);
            }
            state.other_changes |= disk;
            state.changed.insert(path.to_owned());
            state.stale = true;
            state.unpublished = true;
        }
    }

    /// Looks at the disk again.
    fn reread(&mut self) {
        for (key, state) in &mut self.projects {
            if !state.single {
                state.listing = disk::list(key);
            }
            state.other_changes = true;
            state.stale = true;
            state.unpublished = true;
        }
    }

    fn refresh(&mut self, key: &Path, depth: Depth<'_>) {
        let Some(state) = self.projects.get_mut(key) else { return };
        let whole = state.changed.is_empty() && !state.other_changes;
        if !state.stale && state.world.is_some() && (whole || depth != Depth::Whole) {
            return;
        }
        if let Depth::File(path) = depth {
            if self.refresh_file(key, path) {
                return;
            }
        }
        let Some(state) = self.projects.get_mut(key) else { return };
        let (root, listing) = if state.single {
            let text = self.open.get(key).map(|open| open.text.text.clone()).unwrap_or_default();
            (key.parent().unwrap_or(key).to_owned(), disk::single(key, text))
        } else {
            let mut listing = state.listing.clone();
            let workspace = &self.workspace;
            // A file in a folder below that has a `flow.toml` belongs to that project.
            let here = |path: &Path| disk::root_of(path, workspace).as_deref() == Some(key);
            for (path, open) in self.open.iter().filter(|(path, _)| path.starts_with(key)) {
                if here(path) {
                    lay_over(&mut listing, key, path, &open.text.text);
                }
            }
            (key.to_owned(), listing)
        };
        state.world = Some(World::new(&root, listing, state.world.take()));
        state.stale = false;
        state.other_changes = false;
        state.changed.clear();
    }

    /// Takes in a change of one `.flow` file, when nothing else has changed; else nothing is done.
    fn refresh_file(&mut self, key: &Path, path: &Path) -> bool {
        let Some(state) = self.projects.get_mut(key) else { return false };
        let alone = state.changed.iter().all(|changed| changed == path) && !state.other_changes && !state.single;
        let Some(open) = self.open.get(path).filter(|_| alone) else { return false };
        let below = path.strip_prefix(key).map(|below| below.to_string_lossy().replace('\\', "/"));
        let Some(world) = state.world.take() else { return false };
        let file = below.ok().filter(|below| below.ends_with(".flow")).and_then(|below| world.file_at(&below));
        let known = file.filter(|file| world.tree(*file).is_some());
        state.world = Some(match known {
            Some(file) => world.with_text(file, &open.text.text),
            None => world,
        });
        state.stale &= known.is_none();
        known.is_some()
    }

    /// The project of a file and the file's number in it, as things are now.
    pub fn world(&mut self, uri: &Uri) -> Option<(&World, FileId)> {
        let path = path_of(uri)?;
        self.world_of(&path, Depth::File(&path))
    }

    /// As [`Self::world`], when the answer depends on every file.
    pub fn whole_world(&mut self, uri: &Uri) -> Option<(&World, FileId)> {
        let path = path_of(uri)?;
        self.world_of(&path, Depth::Whole)
    }

    fn world_of(&mut self, path: &Path, depth: Depth<'_>) -> Option<(&World, FileId)> {
        let key = self.project_of(path);
        self.refresh(&key, depth);
        let world = self.projects.get(&key)?.world.as_ref()?;
        let below = path.strip_prefix(&world.root).ok()?.to_string_lossy().replace('\\', "/");
        Some((world, world.file_at(&below)?))
    }

    /// The project of a file that has been asked for just now.
    #[must_use]
    pub fn known_world(&self, path: &Path) -> Option<(&World, FileId)> {
        let key = disk::root_of(path, &self.workspace).unwrap_or_else(|| path.to_owned());
        let world = self.projects.get(&key)?.world.as_ref()?;
        let below = path.strip_prefix(&world.root).ok()?.to_string_lossy().replace('\\', "/");
        Some((world, world.file_at(&below)?))
    }

    /// All projects, as things are now.
    pub fn worlds(&mut self) -> Vec<&World> {
        let keys: Vec<PathBuf> = self.projects.keys().cloned().collect();
        keys.iter().for_each(|key| self.refresh(key, Depth::Whole));
        self.projects.values().filter_map(|state| state.world.as_ref()).collect()
    }

    /// How the editor calls a file, and which version of it is open.
    #[must_use]
    pub fn document(&self, path: &Path) -> Option<(Uri, Option<i32>)> {
        match self.open.get(path) {
            Some(open) => Some((open.uri.clone(), Some(open.version))),
            None => Uri::from_file_path(path).map(|uri| (uri, None)),
        }
    }

    /// The text that the editor has open.
    #[must_use]
    pub fn open_text(&self, uri: &Uri) -> Option<&Text> {
        self.open.get(&path_of(uri)?).map(|open| &open.text)
    }

    /// Tells what is wrong, for every file where that has changed.
    fn publish(&mut self, connection: &Connection, whole: bool) {
        let wanted = |state: &State| state.unpublished || (whole && !state.changed.is_empty());
        let keys: Vec<PathBuf> =
            self.projects.iter().filter(|(_, state)| wanted(state)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let changed = self.projects.get(&key).and_then(|state| state.changed.first().cloned());
            let depth = match &changed {
                Some(path) if !whole => Depth::File(path),
                _ => Depth::Whole,
            };
            if catch_unwind(AssertUnwindSafe(|| self.refresh(&key, depth))).is_err() {
                if let Some(state) = self.projects.get_mut(&key) {
                    // The same text would fail again: wait for another one.
                    state.world = None;
                    state.stale = true;
                    state.other_changes = true;
                    state.unpublished = false;
                }
                continue;
            }
            // Where only one file was looked at, only what was found in it is new.
            let one =
                self.projects.get(&key).filter(|state| !state.stale).and_then(|state| state.changed.first().cloned());
            let found = match &one {
                Some(path) => self.found_in(&key, path),
                None => self.found(&key),
            };
            let versioned = |(path, found): (PathBuf, Vec<Diagnostic>)| {
                let version = self.open.get(&path).map(|open| open.version);
                (path, (version, found))
            };
            let mut found: BTreeMap<PathBuf, Published> = found.into_iter().map(versioned).collect();
            let Some(state) = self.projects.get_mut(&key) else { continue };
            state.unpublished = false;
            let before = std::mem::take(&mut state.published);
            let mut changed: BTreeSet<PathBuf> = found.keys().cloned().collect();
            if one.is_none() {
                changed.extend(before.keys().cloned());
            }
            changed.retain(|path| before.get(path) != found.get(path));
            if one.is_some() {
                let others = before.into_iter().filter(|(path, _)| one.as_ref() != Some(path));
                found.extend(others.collect::<Vec<_>>());
            }
            state.published = found;
            for path in changed {
                let now = self.projects.get(&key).and_then(|state| state.published.get(&path));
                let Some((uri, version)) = self.document(&path) else { continue };
                let diagnostics = now.map(|(_, found)| found.clone()).unwrap_or_default();
                let params = PublishDiagnosticsParams { uri, diagnostics, version };
                let message = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
                let _ = connection.sender.send(Message::Notification(message));
            }
        }
    }

    /// What was found in one file, even if that is nothing.
    fn found_in(&self, key: &Path, path: &Path) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
        let Some(world) = self.projects.get(key).and_then(|state| state.world.as_ref()) else { return BTreeMap::new() };
        let below = path.strip_prefix(&world.root).map(|below| below.to_string_lossy().replace('\\', "/"));
        let file = below.ok().and_then(|below| world.file_at(&below));
        let of_file = world.diagnostics().filter(|found| Some(found.span.file) == file);
        let found = of_file.filter_map(|found| self.diagnostic(world, found)).collect();
        BTreeMap::from([(path.to_owned(), found)])
    }

    fn found(&self, key: &Path) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
        let mut found: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
        let Some(world) = self.projects.get(key).and_then(|state| state.world.as_ref()) else { return found };
        for file in world.project.input.files.iter().chain(&world.project.others) {
            // An open file is told that nothing is wrong, too.
            let path = world.root.join(&file.path);
            if self.open.contains_key(&path) {
                found.entry(path).or_default();
            }
        }
        for diagnostic in world.diagnostics() {
            if let Some(path) = world.path(diagnostic.span.file) {
                found.entry(path).or_default().extend(self.diagnostic(world, diagnostic));
            }
        }
        found
    }

    /// A finding as the protocol has it.
    #[must_use]
    pub fn diagnostic(&self, world: &World, found: &flow_compiler::diagnostic::Diagnostic) -> Option<Diagnostic> {
        let range = world.text(found.span.file)?.range(found.span, self.encoding);
        let severity = match found.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        };
        let message = match &found.help {
            Some(help) => format!("{}\nhelp: {help}", found.message),
            None => found.message.clone(),
        };
        let related = found.labels.iter().filter_map(|label| {
            let (uri, _) = self.document(&world.path(label.span.file)?)?;
            let range = world.text(label.span.file)?.range(label.span, self.encoding);
            Some(DiagnosticRelatedInformation { location: Location { uri, range }, message: label.text.clone() })
        });
        let related: Vec<_> = related.collect();
        Some(Diagnostic {
            range,
            severity: Some(severity),
            code: Some(NumberOrString::String(found.code.to_owned())),
            source: Some("flow".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            ..Diagnostic::default()
        })
    }
}

/// An open text in place of what is on disk.
fn lay_over(listing: &mut Listing, root: &Path, path: &Path, text: &str) {
    let Ok(below) = path.strip_prefix(root) else { return };
    let below = below.to_string_lossy().replace('\\', "/");
    let source = || SourceFile { path: below.clone(), text: text.to_owned() };
    if below == "flow.toml" {
        listing.config = Some(source());
    } else if below.starts_with("templates/") {
        let templates = listing.templates.get_or_insert_default();
        if !templates.contains(&below) {
            templates.push(below.clone());
        }
        listing.texts.insert(below, text.to_owned());
    } else if below.ends_with(".flow") {
        match listing.files.iter_mut().find(|file| file.path == below) {
            Some(file) => text.clone_into(&mut file.text),
            None => listing.files.push(source()),
        }
    }
}

/// The path of a file that the editor names.
#[must_use]
pub fn path_of(uri: &Uri) -> Option<PathBuf> {
    uri.to_file_path().map(std::borrow::Cow::into_owned)
}
