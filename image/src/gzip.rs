//! Compression as every runtime reads it (RFC 1952).

use miniz_oxide::deflate::compress_to_vec;

/// The best that there is; images are written once and fetched often.
const LEVEL: u8 = 9;

/// Magic number, deflate, no flags, no time, best compression, no operating system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff];

/// Compresses `octets`; the result has no time, no name and no mark of a machine.
#[must_use]
pub fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut file = HEADER.to_vec();
    file.extend(compress_to_vec(octets, LEVEL));
    file.extend(crc32(octets).to_le_bytes());
    // RFC 1952 §2.3.1: the length modulo 2^32.
    let [a, b, c, d, ..] = octets.len().to_le_bytes();
    file.extend([a, b, c, d]);
    file
}

/// Returns the checksum of RFC 1952 §8.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(u32::MAX, |sum, octet| {
        (0..8).fold(sum ^ u32::from(*octet), |sum, _| {
            if sum & 1 == 1 {
                (sum >> 1) ^ 0xedb8_8320
            } else {
                sum >> 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_known_example() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_header_names_no_time_and_the_trailer_the_length() {
        let file = gzip(b"abc");
        assert_eq!(file[4..8], [0; 4]);
        assert_eq!(file[file.len() - 4..], [3, 0, 0, 0]);
        assert_eq!(file, gzip(b"abc"));
    }
}
