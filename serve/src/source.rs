//! A version of a project as the store keeps it: all that a program follows from, and what its messages are made of.

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::Compression;
use flow_compiler::compile::{ProjectInput, SourceFile, TemplateFile};
use flow_runtime::pack::{self, Damaged, Read, Unpack};
use std::io::{Read as _, Write as _};

/// A longer one, unpacked, is none of ours.
const LONGEST: u64 = 256 << 20;

/// Writes a project and the seed.
#[must_use]
pub fn pack(input: &ProjectInput, seed: u64) -> Vec<u8> {
    let mut out = Vec::new();
    pack::uint(&mut out, seed);
    for text in [&input.name, &input.timezone, &input.public_url] {
        pack::text(&mut out, text);
    }
    pack::bool(&mut out, input.check_templates);
    pack::size(&mut out, input.files.len());
    for file in &input.files {
        pack::text(&mut out, &file.path);
        pack::text(&mut out, &file.text);
    }
    for templates in [&input.templates, &input.parts] {
        pack::size(&mut out, templates.len());
        for template in templates {
            for text in [&template.name, &template.channel, &template.locale, &template.path] {
                pack::text(&mut out, text);
            }
            pack::bool(&mut out, template.plain);
            pack::text_or_none(&mut out, template.text.as_deref());
        }
    }
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = deflate.write_all(&out);
    deflate.finish().unwrap_or_default()
}

/// Reads what [`pack`] wrote.
///
/// # Errors
/// When the bytes are something else.
pub fn unpack(bytes: &[u8]) -> Read<(ProjectInput, u64)> {
    let mut plain = Vec::new();
    DeflateDecoder::new(bytes).take(LONGEST).read_to_end(&mut plain).map_err(|_| Damaged("version of the project"))?;
    let mut read = Unpack::new(&plain);
    let seed = read.uint()?;
    let (name, timezone, public_url) = (read.text()?.to_owned(), read.text()?.to_owned(), read.text()?.to_owned());
    let check_templates = read.bool()?;
    let files = read.list(|read| Ok(SourceFile { path: read.text()?.to_owned(), text: read.text()?.to_owned() }))?;
    let templates = read.list(template)?;
    let parts = read.list(template)?;
    Ok((ProjectInput { name, timezone, files, templates, parts, public_url, check_templates }, seed))
}

fn template(read: &mut Unpack<'_>) -> Read<TemplateFile> {
    Ok(TemplateFile {
        name: read.text()?.to_owned(),
        channel: read.text()?.to_owned(),
        locale: read.text()?.to_owned(),
        path: read.text()?.to_owned(),
        plain: read.bool()?,
        text: read.text_or_none()?.map(str::to_owned),
        // Where what is wrong in it is told: nothing is.
        ..TemplateFile::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_comes_back_as_it_was() {
        let template = TemplateFile {
            name: "hello".into(),
            channel: "email".into(),
            locale: "it".into(),
            path: "templates/hello.email.it.liquid".into(),
            plain: true,
            text: Some("Ciao {{ user.id }}".into()),
            ..TemplateFile::default()
        };
        let input = ProjectInput {
            name: "shop".into(),
            timezone: "Europe/Rome".into(),
            files: vec![SourceFile { path: "a.flow".into(), text: "user {}".repeat(100) }],
            templates: vec![template.clone()],
            parts: vec![TemplateFile { text: None, ..template }],
            public_url: "https://shop.example".into(),
            check_templates: true,
        };
        let bytes = pack(&input, 42);
        assert!(bytes.len() < 300, "{}", bytes.len());
        let (again, seed) = unpack(&bytes).unwrap();
        assert_eq!((format!("{again:?}"), seed), (format!("{input:?}"), 42));
        for cut in 0..bytes.len() {
            let _ = unpack(&bytes[..cut]);
        }
    }
}
