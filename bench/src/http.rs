//! As much of HTTP/1.1 as a load generator and a trivial server need.

/// A whole message at the start of a buffer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    /// Bytes of the head, its empty line included.
    pub(crate) head: usize,
    /// Bytes of head and body.
    pub(crate) total: usize,
    /// Whether the sender closes the connection after it.
    pub(crate) closes: bool,
}

/// Finds the message at the start of `buffer`; `None` when it is not all there yet.
pub(crate) fn whole_message(buffer: &[u8]) -> Option<Message> {
    let head = buffer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let mut body = Some(0);
    let mut closes = false;
    for line in buffer[..head].split(|byte| *byte == b'\n').skip(1) {
        if let Some(value) = value_of(line, b"content-length:") {
            body = std::str::from_utf8(value).ok()?.parse().ok();
        } else if let Some(value) = value_of(line, b"transfer-encoding:") {
            if value.eq_ignore_ascii_case(b"chunked") {
                body = chunked(&buffer[head..]);
            }
        } else if let Some(value) = value_of(line, b"connection:") {
            closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    let total = head + body?;
    (buffer.len() >= total).then_some(Message {
        head,
        total,
        closes,
    })
}

/// Returns the status of the response whose head begins `buffer`.
pub(crate) fn status(buffer: &[u8]) -> u16 {
    buffer
        .get(9..12)
        .and_then(|code| std::str::from_utf8(code).ok())
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = line.get(..name.len())?;
    start
        .eq_ignore_ascii_case(name)
        .then(|| line[name.len()..].trim_ascii())
}

/// Returns the length of a chunked body with its framing.
fn chunked(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = body.get(at..)?;
        let line = rest.windows(2).position(|end| end == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        at += line + 2 + size + 2;
        if size == 0 {
            return (at <= body.len()).then_some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(usize, usize)>) {
        let message = whole_message(text.as_bytes());
        let found = message.map(|message| (message.head, message.total));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn a_message_ends_where_its_framing_says() {
        check("GET / HTTP/1.1\r\n\r\n", Some((18, 18)));
        check("GET / HTTP/1.1\r\n\r", None);
        check(
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcdef",
            Some((38, 41)),
        );
        check("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", None);
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        check(chunked, Some((47, 59)));
        check(&chunked[..56], None);
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 401 Unauthorized\r\n\r\n"), 401);
        assert_eq!(status(b"HTTP/1.1 "), 0);
    }
}
