//! The way in for the commands of this machine: while a server runs, the store says where, and holds a token for that one run.
//! Whoever may read the store, which is its owner's alone, may ask the server what an operator may.

use crate::disk::write_whole;
use crate::keys::{hex, random};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

const FILE: &str = "server";
/// An answer that takes longer is none: millions of people may have to be moved.
const LONGEST: Duration = Duration::from_secs(600);

/// Open for as long as the server runs.
pub struct Door {
    file: PathBuf,
    token: Arc<str>,
}

impl Door {
    /// Says in the store where the server is.
    ///
    /// # Errors
    /// When there is no chance to be had, or the disk fails.
    pub fn open(store: &Path, address: SocketAddr) -> io::Result<Self> {
        let token: Arc<str> = hex(&random()?).into();
        // A server that listens everywhere is found on this machine.
        let mut near = address;
        if near.ip().is_unspecified() {
            near.set_ip(if near.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        write_whole(store, FILE, format!("{near}\n{token}\n").as_bytes())?;
        Ok(Self { file: store.join(FILE), token })
    }

    /// What whoever comes in has to show.
    #[must_use]
    pub fn token(&self) -> Arc<str> {
        Arc::clone(&self.token)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // One that stays leads nowhere.
        let _ = fs::remove_file(&self.file);
    }
}

/// Whether it is the token. Takes as long for a wrong one as for a right one.
#[must_use]
pub fn is_token(token: &str, shown: &str) -> bool {
    bool::from(token.as_bytes().ct_eq(shown.as_bytes()))
}

/// Asks the server that has a store: the status and the text of its answer.
///
/// # Errors
/// With a sentence, when none is there.
pub fn ask(store: &Path, path: &str, json: &str) -> Result<(u16, String), String> {
    let none = |what: &dyn std::fmt::Display| {
        format!("another flowc has the store {} open, and no server of it answers: {what}", store.display())
    };
    let text = fs::read_to_string(store.join(FILE)).map_err(|error| none(&error))?;
    let (address, token) = text.trim_end().split_once('\n').ok_or_else(|| none(&"its address is not known"))?;
    let mut stream = TcpStream::connect(address).map_err(|error| none(&error))?;
    let asked = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{json}",
        json.len()
    );
    let mut answer = String::new();
    stream
        .set_read_timeout(Some(LONGEST))
        .and_then(|()| stream.write_all(asked.as_bytes()))
        .and_then(|()| stream.read_to_string(&mut answer))
        .map_err(|error| none(&error))?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(|| none(&"its answer is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_open_for_as_long_as_the_server_runs() {
        let store = std::env::temp_dir().join(format!("flow-door-{}", std::process::id()));
        let _ = fs::remove_dir_all(&store);
        fs::create_dir(&store).unwrap();
        let door = Door::open(&store, ([0, 0, 0, 0], 8080).into()).unwrap();
        let said = fs::read_to_string(store.join(FILE)).unwrap();
        assert_eq!(said, format!("127.0.0.1:8080\n{}\n", door.token()));
        assert!(is_token(&door.token(), &door.token()) && !is_token(&door.token(), ""));
        drop(door);
        assert!(ask(&store, "/", "").unwrap_err().contains("no server of it answers"));
        fs::remove_dir_all(&store).unwrap();
    }
}
