//! Random parts of answers, which no two answers have alike.

/// A random text, known by what stands around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask {
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

impl Mask {
    /// Puts the length in place of the text, everywhere.
    pub(super) fn apply(self, text: &str) -> String {
        let mut masked = String::new();
        let mut rest = text;
        while let Some((lead, found)) = rest.split_once(self.before) {
            let (random, tail) = match found.find(self.after) {
                Some(end) => found.split_at(end),
                None => (found, ""),
            };
            masked += &format!("{lead}{}<{} octets>", self.before, random.len());
            rest = tail;
        }
        masked + rest
    }
}

#[test]
fn only_random_texts_are_masked_and_only_their_length_counts() {
    let mask = Mask {
        before: "id=",
        after: ";",
    };
    assert_eq!(
        mask.apply("a; id=xyz; b id=uvwxyz"),
        "a; id=<3 octets>; b id=<6 octets>"
    );
    assert_eq!(mask.apply("a"), "a");
}
