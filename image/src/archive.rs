//! Archives as layers hold them (POSIX ustar).

use std::iter;

use anyhow::{Result, ensure};

/// A file or a folder of an image.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Where it is, without a slash in front; a folder ends with one.
    path: &'a str,
    /// Its permission bits.
    mode: u32,
    /// User and group that own it.
    owner: u32,
    contents: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Makes a file that root owns.
    #[must_use]
    pub const fn file(path: &'a str, mode: u32, contents: &'a [u8]) -> Self {
        Self {
            path,
            mode,
            owner: 0,
            contents,
        }
    }

    /// Makes a folder; `path` ends with a slash.
    #[must_use]
    pub const fn folder(path: &'a str, mode: u32, owner: u32) -> Self {
        Self {
            path,
            mode,
            owner,
            contents: &[],
        }
    }

    /// Returns the header of the entry, a block.
    fn header(&self) -> Result<[u8; BLOCK]> {
        ensure!(
            self.path.len() <= NAME_OCTETS && self.path.is_ascii(),
            "the path {} does not fit into an archive",
            self.path
        );
        let kind = if self.path.ends_with('/') { b'5' } else { b'0' };
        let head = [
            padded(self.path.as_bytes(), NAME_OCTETS),
            octal(u64::from(self.mode), 8),
            octal(u64::from(self.owner), 8),
            octal(u64::from(self.owner), 8),
            octal(u64::try_from(self.contents.len())?, 12),
            // Changed in 1970, as everything else.
            octal(0, 12),
        ]
        .concat();
        let mut tail = vec![kind];
        // No link, then magic number and version; users have numbers and no names.
        tail.extend([0; 100]);
        tail.extend(b"ustar\x0000");
        tail.resize(BLOCK - head.len() - CHECKSUM_OCTETS, 0);
        let blank = [b' '; CHECKSUM_OCTETS];
        let sum = [&head[..], &blank, &tail]
            .concat()
            .iter()
            .map(|octet| u64::from(*octet))
            .sum();
        let mut checksum = octal(sum, CHECKSUM_OCTETS - 1);
        checksum.push(b' ');
        let block = [head, checksum, tail].concat();
        block
            .try_into()
            .map_err(|_| anyhow::anyhow!("the header of {} is no block", self.path))
    }
}

/// Writes an archive with these entries in their order, which is that of a folder before what is
/// in it.
///
/// # Errors
///
/// Refuses paths of more than 100 octets and files of more than 8 GB.
pub fn archive(entries: &[Entry<'_>]) -> Result<Vec<u8>> {
    let mut archive = Vec::new();
    for entry in entries {
        ensure!(
            entry.contents.len() < MAX_OCTETS,
            "{} is too large for an archive",
            entry.path
        );
        archive.extend(entry.header()?);
        archive.extend(entry.contents);
        let whole = archive.len().next_multiple_of(BLOCK);
        archive.resize(whole, 0);
    }
    // Two empty blocks end it.
    archive.extend([0; 2 * BLOCK]);
    Ok(archive)
}

/// Writes a number as octal digits and the zero octet that ends them.
fn octal(number: u64, octets: usize) -> Vec<u8> {
    let digits = format!("{number:0width$o}", width = octets - 1);
    padded(digits.as_bytes(), octets)
}

fn padded(octets: &[u8], length: usize) -> Vec<u8> {
    let padding = iter::repeat_n(0, length.saturating_sub(octets.len()));
    octets.iter().copied().chain(padding).collect()
}

const BLOCK: usize = 512;
const NAME_OCTETS: usize = 100;
const CHECKSUM_OCTETS: usize = 8;
/// Eleven octal digits.
const MAX_OCTETS: usize = 1 << 33;
