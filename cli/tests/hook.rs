//! The hook for git of `editors/ci`, in a repository of its own. Where there is no `git` or `sh`, this says so and
//! tests nothing.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
use common::{flowc, folder};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn git(root: &PathBuf, args: &[&str]) -> bool {
    let flowc = Path::new(env!("CARGO_BIN_EXE_flowc")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::join_paths(std::iter::once(flowc.to_owned()).chain(std::env::split_paths(&path))).unwrap();
    let done = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "core.hooksPath=.git/hooks"])
        .args(args)
        .current_dir(root)
        .env("PATH", paths)
        .output()
        .unwrap();
    done.status.success()
}

#[test]
fn a_commit_that_is_not_in_order_is_refused() {
    if cfg!(windows) || Command::new("git").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `git` here");
        return;
    }
    let root = folder("hook", &[]);
    assert!(git(&root, &["init", "-q"]));
    assert_eq!(flowc(&root, &["new", "shop"]).code, 0);
    let hook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/ci/pre-commit");
    fs::create_dir_all(root.join(".git/hooks")).unwrap();
    fs::copy(hook, root.join(".git/hooks/pre-commit")).unwrap();
    assert!(git(&root, &["add", "-A"]));
    assert!(git(&root, &["commit", "-m", "a sound project"]));
    let cart = root.join("shop/cart.flow");
    let sound = fs::read_to_string(&cart).unwrap();
    for broken in
        [sound.replace("cart_added", "cart_addd"), format!("{sound}\n\n\n"), sound.replace("wait 2h", "wait 5h")]
    {
        fs::write(&cart, &broken).unwrap();
        assert!(!git(&root, &["commit", "-a", "-m", "not in order"]), "{broken}");
    }
    // What is not committed does not count.
    fs::write(root.join("notes.txt"), "hello").unwrap();
    assert!(git(&root, &["reset", "-q"]));
    assert!(git(&root, &["add", "notes.txt"]));
    assert!(git(&root, &["commit", "-m", "notes"]));
}
