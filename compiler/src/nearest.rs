//! "did you mean": the known name that is nearest to a misspelled one.

/// The known name nearest to `name`, when it is near enough to be meant.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    let limit = (name.chars().count() / 3).clamp(1, 4);
    known
        .map(|other| (strsim::damerau_levenshtein(&lower, &other.to_lowercase()), other))
        .filter(|(distance, other)| *distance <= limit && *distance < other.chars().count())
        .min_by(|a, b| a.cmp(b))
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let known = ["email", "sms", "push"];
        assert_eq!(nearest("emial", known.into_iter()), Some("email"));
        assert_eq!(nearest("Email", known.into_iter()), Some("email"));
        assert_eq!(nearest("smss", known.into_iter()), Some("sms"));
        assert_eq!(nearest("telegram", known.into_iter()), None);
        assert_eq!(nearest("x", known.into_iter()), None);
    }
}
