//! What a language calls days and months, and how it writes numbers: the data of the GNU C library.

use pure_rust_locales::{locale_match, Locale};

/// Languages whose locale is not simply called after themselves (`it` is `it_IT`).
const HOME: [(&str, &str); 28] = [
    ("ar", "ar_EG"),
    ("be", "be_BY"),
    ("bn", "bn_BD"),
    ("bs", "bs_BA"),
    ("ca", "ca_ES"),
    ("cs", "cs_CZ"),
    ("cy", "cy_GB"),
    ("da", "da_DK"),
    ("el", "el_GR"),
    ("en", "en_US"),
    ("et", "et_EE"),
    ("eu", "eu_ES"),
    ("fa", "fa_IR"),
    ("ga", "ga_IE"),
    ("gl", "gl_ES"),
    ("he", "he_IL"),
    ("hi", "hi_IN"),
    ("ja", "ja_JP"),
    ("ka", "ka_GE"),
    ("ko", "ko_KR"),
    ("no", "nb_NO"),
    ("nb", "nb_NO"),
    ("sl", "sl_SI"),
    ("sq", "sq_AL"),
    ("sr", "sr_RS"),
    ("sv", "sv_SE"),
    ("uk", "uk_UA"),
    ("vi", "vi_VN"),
];
/// Languages that leave four digits together.
const LATE_GROUPS: [&str; 4] = ["es", "pl", "pt", "bg"];

/// The names of one language.
pub(super) struct Names {
    /// Sunday first.
    pub days: &'static [&'static str],
    pub short_days: &'static [&'static str],
    pub months: &'static [&'static str],
    pub short_months: &'static [&'static str],
    /// Before and after noon.
    pub halves: &'static [&'static str],
    /// `%x`, `%X`, `%c`
    pub date: &'static str,
    pub time: &'static str,
    pub both: &'static str,
}

/// The names of a language; of English where it is not known.
pub(super) fn names(locale: &str) -> Names {
    let locale = find(locale);
    Names {
        days: locale_match!(locale => LC_TIME::DAY),
        short_days: locale_match!(locale => LC_TIME::ABDAY),
        months: locale_match!(locale => LC_TIME::MON),
        short_months: locale_match!(locale => LC_TIME::ABMON),
        halves: locale_match!(locale => LC_TIME::AM_PM),
        date: locale_match!(locale => LC_TIME::D_FMT),
        time: locale_match!(locale => LC_TIME::T_FMT),
        both: locale_match!(locale => LC_TIME::D_T_FMT),
    }
}

/// How a number is written.
pub(super) struct NumberMarks {
    /// Before the fraction.
    pub point: &'static str,
    /// Between groups of three digits.
    pub group: &'static str,
    /// From how many digits on there are groups.
    pub from: usize,
}

/// How a language writes numbers.
pub(super) fn number_marks(locale: &str) -> NumberMarks {
    let late = LATE_GROUPS.iter().any(|language| locale.starts_with(language));
    let from = if late { 5 } else { 4 };
    match find(locale) {
        Locale::POSIX => NumberMarks { point: ".", group: ",", from },
        locale => NumberMarks {
            point: locale_match!(locale => LC_NUMERIC::DECIMAL_POINT),
            group: locale_match!(locale => LC_NUMERIC::THOUSANDS_SEP),
            from,
        },
    }
}

/// `it`, `it-IT`, `pt_BR`, `zh-Hant-TW`
fn find(locale: &str) -> Locale {
    if locale.is_empty() {
        return Locale::POSIX;
    }
    let mut parts = locale.split(['-', '_']);
    let language = parts.next().unwrap_or_default().to_ascii_lowercase();
    let region = parts.rfind(|part| part.len() == 2).map(str::to_ascii_uppercase);
    let exact = region.and_then(|region| Locale::try_from(format!("{language}_{region}").as_str()).ok());
    let home = || HOME.iter().find(|(known, _)| *known == language).map(|(_, home)| *home);
    let own = || Locale::try_from(format!("{language}_{}", language.to_ascii_uppercase()).as_str()).ok();
    exact
        .or_else(|| home().and_then(|home| Locale::try_from(home).ok()))
        .or_else(own)
        .or_else(|| if language == "zh" { Locale::try_from("zh_CN").ok() } else { None })
        .unwrap_or(Locale::POSIX)
}
