//! The form of sealed contents: fields one after the other, texts led by their length.
//!
//! What is read was written by a gateway with the same keys, but perhaps of another version, so
//! it is read as strictly as anything from outside.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ambient::UnixSeconds;

/// Writes fields.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Appends a text of at most 65,535 octets; a longer one spoils the whole.
    pub(crate) fn text(mut self, text: &str) -> Option<Self> {
        let length = u16::try_from(text.len()).ok()?;
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
        Some(self)
    }

    /// Appends a time.
    pub(crate) fn time(mut self, time: UnixSeconds) -> Self {
        self.0.extend_from_slice(&time.0.to_be_bytes());
        self
    }

    /// Appends octets whose number is known.
    pub(crate) fn fixed(mut self, octets: &[u8]) -> Self {
        self.0.extend_from_slice(octets);
        self
    }

    /// Returns all that was written.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads fields in the order in which they were written.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// Reads a text.
    pub(crate) fn text(&mut self) -> Option<String> {
        let length = u16::from_be_bytes(self.fixed()?);
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(core::str::from_utf8(text).ok()?.into())
    }

    /// Reads a time.
    pub(crate) fn time(&mut self) -> Option<UnixSeconds> {
        self.fixed().map(u64::from_be_bytes).map(UnixSeconds)
    }

    /// Reads octets whose number is known.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    /// Returns `read` if nothing is left.
    pub(crate) fn finish<T>(self, read: T) -> Option<T> {
        self.0.is_empty().then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Option<(String, UnixSeconds, [u8; 2], String)> {
        let mut reader = Reader::new(octets);
        let fields = (
            reader.text()?,
            reader.time()?,
            reader.fixed()?,
            reader.text()?,
        );
        reader.finish(fields)
    }

    #[test]
    fn fields_are_read_as_they_were_written_and_not_when_they_are_cut_or_more() {
        let writer = Writer::default().text("é").unwrap();
        let writer = writer.time(UnixSeconds(7)).fixed(&[1, 2]);
        let mut octets = writer.text("").unwrap().finish();
        let expected = ("é".into(), UnixSeconds(7), [1, 2], String::new());
        assert_eq!(read(&octets), Some(expected));
        for length in 0..octets.len() {
            assert_eq!(read(&octets[..length]), None, "{length}");
        }
        octets.push(0);
        assert_eq!(read(&octets), None);
    }

    #[test]
    fn a_text_that_is_too_long_spoils_the_whole() {
        let long = "x".repeat(65_536);
        assert!(Writer::default().text(&long).is_none());
        assert!(Writer::default().text(&long[1..]).is_some());
    }
}
