//! Runs the built `flowc` in a folder of its own.
#![allow(clippy::unwrap_used, dead_code)]

pub mod server;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A fresh folder below the build's own temporary one, with these files in it.
pub fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// What a run of `flowc` gave.
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `flowc` with these arguments in `folder`.
pub fn flowc(folder: &PathBuf, args: &[&str]) -> Ran {
    let done = Command::new(env!("CARGO_BIN_EXE_flowc")).args(args).current_dir(folder).output().unwrap();
    Ran {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}
