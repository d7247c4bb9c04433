//! Neovim for real, set up with the lines of docs/editors.md. Where there is no `nvim`, this says so and
//! tests nothing.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use common::folder;
use std::path::Path;
use std::process::Command;

#[test]
fn neovim_finds_mends_and_renames() {
    if Command::new("nvim").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `nvim` here (apt-get install neovim)");
        return;
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let docs = std::fs::read_to_string(top.join("docs/editors.md")).unwrap();
    let setup = docs.split("```lua\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(setup.lines().count(), 5, "the docs promise five lines");
    let root = folder("neovim", &[
        ("flow.toml", "[project]\nname = \"shop\"\n"),
        (
            "schema.flow",
            "event cart_added = \"Product Added\" { cart_id: text }\nevent purchased { order_id: text }\n\
             user { email: email? }\nchannel email to user.email\n",
        ),
        (
            "cart.flow",
            "journey cart {\n  on cart_added\n  exit on purchased\n  topic marketing\n  wait 2h\n  email reminder\n}\n",
        ),
        ("templates/reminder.email.liquid", "Hello"),
        ("setup.lua", setup),
    ]);
    let flowc = Path::new(env!("CARGO_BIN_EXE_flowc")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::join_paths(std::iter::once(flowc.to_owned()).chain(std::env::split_paths(&path))).unwrap();
    let script = top.join("editors/neovim/test.lua");
    let done = Command::new("nvim")
        .args(["--headless", "-u", "setup.lua", "-i", "NONE", "-n", "-c"])
        .arg(format!("luafile {}", script.display()))
        .current_dir(&root)
        .env("PATH", paths)
        .env("XDG_STATE_HOME", root.join("state"))
        .env("XDG_CACHE_HOME", root.join("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("all is well"), "{said}");
}
