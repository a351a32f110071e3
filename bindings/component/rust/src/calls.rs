//! Sends calls over plain HTTP, as those of tests are: a program of yours has a client with TLS.

use std::io::{self, BufReader, ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::gate::wit::{CallFailure, Field, Reach, UpstreamCall, UpstreamResponse};
use crate::wire;

/// Sends a call and returns its response.
///
/// # Errors
///
/// Tells how a call failed; `https` URLs and hosts that a stranger named are not called.
pub(crate) fn send(call: &UpstreamCall) -> Result<UpstreamResponse, CallFailure> {
    let rest = call
        .url
        .strip_prefix("http://")
        .ok_or(CallFailure::NotSent)?;
    // This program does not look where names lead, so it asks nobody whom a stranger named.
    if call.reach == Reach::PublicOnly {
        return Err(CallFailure::NotSent);
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let with_port = if authority.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let stream = TcpStream::connect(with_port).map_err(|_| CallFailure::Unreachable)?;
    let limit = Duration::from_secs(u64::from(call.timeout_seconds));
    exchange(stream, limit, authority, path, call).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => CallFailure::TimedOut,
        ErrorKind::FileTooLarge => CallFailure::TooLarge,
        _ => CallFailure::Cut,
    })
}

fn exchange(
    mut stream: TcpStream,
    limit: Duration,
    authority: &str,
    path: &str,
    call: &UpstreamCall,
) -> io::Result<UpstreamResponse> {
    stream.set_read_timeout(Some(limit))?;
    let mut request = format!("{} /{path} HTTP/1.1\r\nhost: {authority}\r\n", call.method);
    request += "connection: close\r\n";
    if !call.body.is_empty() {
        request += &format!("content-length: {}\r\n", call.body.len());
    }
    let mut request = request.into_bytes();
    for field in &call.headers {
        request.extend([field.name.as_bytes(), b": ", &field.value, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    request.extend(&call.body);
    stream.write_all(&request)?;
    let mut reader = BufReader::new(stream);
    let head = wire::read_head(&mut reader)?.ok_or(ErrorKind::UnexpectedEof)?;
    let status = head
        .start
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or(ErrorKind::InvalidData)?;
    let bodiless = status == 304 || status == 204;
    let body = if bodiless {
        Vec::new()
    } else {
        wire::read_body(&mut reader, &head.fields, true)?
    };
    if u64::try_from(body.len()).is_ok_and(|length| length > call.max_response_octets) {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let headers = head.fields.into_iter();
    let headers = headers.map(|(name, value)| Field { name, value }).collect();
    Ok(UpstreamResponse {
        status,
        headers,
        body,
    })
}
