//! Gathers the pages of `errors/`, so that a new page needs no line of code.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("errors");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut codes = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        if let (Some(code), true) = (stem, path.extension().is_some_and(|ext| ext == "md")) {
            println!("cargo:rerun-if-changed={}", path.display());
            codes.push((code, path));
        }
    }
    codes.sort();
    let rows =
        codes.iter().map(|(code, path)| format!("    ({code:?}, include_str!({:?})),\n", path.display().to_string()));
    let out = Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("pages.rs");
    fs::write(out, format!("[\n{}]\n", rows.collect::<String>()))
}
