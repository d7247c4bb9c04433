//! Which of several files of one name a template means by it.

use super::part_name;
use crate::compile::TemplateFile;
use std::collections::BTreeMap;

/// For a template of this locale and ending (`mjml`), the place in `files` of each file that `render` and `layout` can
/// name. Of files with one name that of the same ending is meant, then that of the same locale, of its language, of none.
#[must_use]
pub fn choose(files: &[TemplateFile], locale: &str, ending: &str) -> BTreeMap<String, usize> {
    let mut chosen: BTreeMap<String, (u8, usize)> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let same_ending = u8::from(ending_of(&file.path) == ending);
        let own = name.split('.').nth(1).filter(|_| name.matches('.').count() > 1).unwrap_or_default();
        let fits = match (own, locale) {
            ("", _) => 1,
            (own, locale) if same(own, locale) => 3,
            (own, locale) if same(own, locale.split(['-', '_']).next().unwrap_or_default()) => 2,
            _ => 0,
        };
        let rank = (fits.min(1) << 4) | (same_ending << 3) | fits;
        let best = chosen.entry(part_name(&file.path)).or_insert((rank, at));
        if rank > best.0 {
            *best = (rank, at);
        }
    }
    chosen.into_iter().map(|(name, (_, at))| (name, at)).collect()
}

/// What follows the last point of a path.
#[must_use]
pub fn ending_of(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn same(a: &str, b: &str) -> bool {
    a.replace('_', "-").eq_ignore_ascii_case(&b.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_fits_best_is_meant() {
        let paths = ["_foot.mjml", "_foot.it.mjml", "_foot.txt", "_foot.it.txt", "shop/_head.liquid", "_foot.fr.mjml"];
        let files: Vec<TemplateFile> = paths
            .iter()
            .map(|path| TemplateFile { path: format!("templates/{path}"), ..TemplateFile::default() })
            .collect();
        let of = |locale, ending| choose(&files, locale, ending).get("foot").map(|at| paths[*at]);
        assert_eq!(of("", "mjml"), Some("_foot.mjml"));
        assert_eq!(of("it", "mjml"), Some("_foot.it.mjml"));
        assert_eq!(of("it_CH", "mjml"), Some("_foot.it.mjml"));
        assert_eq!(of("de", "mjml"), Some("_foot.mjml"));
        assert_eq!(of("it", "txt"), Some("_foot.it.txt"));
        assert_eq!(of("de", "txt"), Some("_foot.txt"));
        assert_eq!(choose(&files, "it", "mjml").get("shop/head"), Some(&4));
    }
}
