//! HTTP/1.1 messages as bytes (RFC 9112): enough to read what a correct peer sends.

use std::io::{self, BufRead};

/// Header fields in order, names in lower case.
pub type Fields = Vec<(String, Vec<u8>)>;

/// A start line and its header fields.
#[derive(Clone, Debug)]
pub struct Head {
    /// The first line, without its line end.
    pub start: String,
    /// The header fields.
    pub fields: Fields,
}

/// Reads one head; `None` when the peer closed before its first byte.
///
/// # Errors
///
/// Fails when the peer closes or breaks in mid-head.
pub fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let Some(start) = read_line(reader)? else {
        return Ok(None);
    };
    let mut fields = Fields::new();
    loop {
        let line = read_line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            break;
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .ok_or_else(|| io::Error::other(format!("no colon in {}", line.escape_ascii())))?;
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
    let start = String::from_utf8_lossy(&start).into_owned();
    Ok(Some(Head { start, fields }))
}

/// Reads the body that `fields` announce. Without framing it is empty for a request and goes to
/// the end of the connection for a response.
///
/// # Errors
///
/// Fails when the body is cut.
pub fn read_body(
    reader: &mut impl BufRead,
    fields: &Fields,
    response: bool,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if is_chunked(fields) {
        while let Some(chunk) = read_chunk(reader)? {
            body.extend(chunk);
        }
    } else if let Some(length) = value(fields, "content-length") {
        let length: usize = std::str::from_utf8(length)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| io::Error::other("content-length is no number"))?;
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    } else if response {
        reader.read_to_end(&mut body)?;
    }
    Ok(body)
}

/// Reads one chunk (RFC 9112 §7.1); `None` is the last one, with its trailer read.
///
/// # Errors
///
/// Fails when the chunk is cut or its size is no number.
pub fn read_chunk(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let line = read_line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let size = std::str::from_utf8(digits.trim_ascii())
        .ok()
        .and_then(|text| usize::from_str_radix(text, 16).ok())
        .ok_or_else(|| io::Error::other("chunk size is no number"))?;
    if size == 0 {
        while !read_line(reader)?
            .ok_or(io::ErrorKind::UnexpectedEof)?
            .is_empty()
        {}
        return Ok(None);
    }
    let mut chunk = vec![0; size];
    reader.read_exact(&mut chunk)?;
    reader.read_exact(&mut [0; 2])?;
    Ok(Some(chunk))
}

/// Tells whether the body comes in chunks.
#[must_use]
pub fn is_chunked(fields: &Fields) -> bool {
    value(fields, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"))
}

/// Returns the first value of the field `name` (lower case).
#[must_use]
pub fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a [u8]> {
    let (_, value) = fields.iter().find(|(field, _)| field == name)?;
    Some(value)
}

fn read_line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}
