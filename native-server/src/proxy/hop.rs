//! Header fields that end at a proxy (RFC 9110 §7.6.1).

use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRANSFER_ENCODING, UPGRADE,
};

/// Fields that concern one connection, whether or not `Connection` names them.
static HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Removes what ends here. `TE: trailers` stays, as trailers are passed on.
pub(super) fn strip(headers: &mut HeaderMap) {
    // Most messages have nothing of it, and looking at each name costs less than eight searches.
    if !headers.keys().any(|name| HOP_BY_HOP.contains(name)) {
        return;
    }
    let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .collect();
    let trailers = tokens(headers, &TE).any(|token| token.eq_ignore_ascii_case(b"trailers"));
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Tells whether the message asks for, or agrees to, a WebSocket (RFC 6455 §4.1). Other
/// protocols are not passed on: behind an `h2c` the client could send requests that nobody
/// checks.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = tokens(headers, &UPGRADE);
    tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case(b"upgrade"))
        && protocols
            .next()
            .is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
        && protocols.next().is_none()
}

/// Puts the fields of a WebSocket handshake back.
pub(super) fn set_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[track_caller]
    fn check_strip(
        before: &[(&'static str, &'static str)],
        after: &[(&'static str, &'static str)],
    ) {
        let mut stripped = headers(before);
        strip(&mut stripped);
        assert_eq!(stripped, headers(after));
    }

    #[test]
    fn fields_of_the_connection_end_here() {
        check_strip(
            &[
                ("connection", "keep-alive, X-Secret"),
                ("connection", "close,,x-other"),
                ("keep-alive", "timeout=5"),
                ("proxy-authorization", "Basic eDp5"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "h2c"),
                ("x-secret", "1"),
                ("x-other", "2"),
                ("accept", "*/*"),
            ],
            &[("accept", "*/*")],
        );
        check_strip(&[("te", "gzip, Trailers")], &[("te", "trailers")]);
        check_strip(&[("te", "gzip"), ("trailer", "x")], &[("trailer", "x")]);
        check_strip(
            &[("connection", "bad name\t, accept"), ("accept", "a")],
            &[],
        );
    }

    #[track_caller]
    fn check_websocket(connection: &'static str, upgrade: &'static str, expected: bool) {
        let headers = headers(&[("connection", connection), ("upgrade", upgrade)]);
        assert_eq!(is_websocket(&headers), expected, "{connection} / {upgrade}");
    }

    #[test]
    fn only_a_websocket_is_an_upgrade() {
        check_websocket("keep-alive, Upgrade", "WebSocket", true);
        check_websocket("upgrade", "h2c", false);
        check_websocket("upgrade", "websocket, h2c", false);
        check_websocket("close", "websocket", false);
        check_websocket("upgrade", "", false);
    }
}
