//! The page of previews: served to this machine alone, and made anew whenever the project changes.

use super::{collect, page, Problem, Wanted};
use crate::output::err;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use tiny_http::{Header, Method, Request, Response, Server};

/// Answers until the process is ended.
pub fn serve(wanted: &Wanted, port: u16) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Server::http(address).map_err(|error| format!("cannot serve at {address}: {error}"))?;
    let place = server.server_addr().to_string();
    err(&format!("look at http://{place}/ (ctrl-c ends it)\n"));
    for request in server.incoming_requests() {
        // Whoever has gone away needs no answer.
        let _ = answer(wanted, request, &place);
    }
    Ok(())
}

fn answer(wanted: &Wanted, request: Request, place: &str) -> std::io::Result<()> {
    // A page elsewhere that calls itself by a name of this machine must not read what is shown here.
    let host = request.headers().iter().find(|header| header.field.equiv("Host")).map(|header| header.value.as_str());
    let port = place.rsplit(':').next().unwrap_or_default();
    let known = [place.to_owned(), format!("localhost:{port}")];
    if !host.is_some_and(|host| known.iter().any(|known| known == host)) || *request.method() != Method::Get {
        return request.respond(Response::from_string("not here").with_status_code(403));
    }
    let (kind, text) = match request.url() {
        "/" => ("text/html; charset=utf-8", whole(wanted)),
        "/version" => ("text/plain", version(wanted)),
        _ => return request.respond(Response::from_string("there is no such page").with_status_code(404)),
    };
    let headers = [("Content-Type", kind), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")];
    let mut response = Response::from_string(text);
    for (name, value) in headers {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
}

fn whole(wanted: &Wanted) -> String {
    let version = version(wanted);
    match collect(wanted, false) {
        Ok(shown) => page::of(&wanted.name, &shown, &version),
        Err(Problem::Found(text)) => page::failed(&wanted.name, &text, &version),
        Err(Problem::Told(message)) => page::failed(&wanted.name, &message, &version),
    }
}

/// Another one whenever a file of the project, or of people, has changed.
fn version(wanted: &Wanted) -> String {
    let mut hasher = DefaultHasher::new();
    stamp(&wanted.project, 0, &mut hasher);
    if let Some(user) = &wanted.user {
        stamp(user, 0, &mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

fn stamp(path: &Path, depth: usize, hasher: &mut DefaultHasher) {
    const DEPTH: usize = 12;
    let Ok(found) = fs::metadata(path) else { return };
    if !found.is_dir() {
        (path, found.len(), found.modified().ok()).hash(hasher);
        return;
    }
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| !hidden(path)).collect();
    paths.sort_unstable();
    if depth < DEPTH {
        paths.iter().for_each(|path| stamp(path, depth + 1, hasher));
    }
}
