//! Every hostcall and its translation, nothing else.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, UNIX_EPOCH};

use portcullis_core::{
    Ambient, CallFailure, CallOutcome, HeaderEdits, LocalResponse, Peer, RequestHead, UnixSeconds,
    UpstreamCall, UpstreamResponse,
};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, Bytes, LogLevel, MapType};

use crate::store::{Stamp, Store};

/// Returns the surroundings of an engine call.
pub(crate) fn ambient() -> Ambient {
    Ambient {
        now: UnixSeconds(time().as_secs()),
    }
}

/// Returns the time since 1970.
pub(crate) fn time() -> Duration {
    let now = hostcalls::get_current_time().ok();
    let since = now.and_then(|now| now.duration_since(UNIX_EPOCH).ok());
    since.unwrap_or_default()
}

/// Takes over the host's log level.
pub(crate) fn follow_log_level() {
    proxy_wasm::set_log_level(hostcalls::get_log_level().unwrap_or(LogLevel::Info));
}

/// Sets the period of the tick of this root context.
pub(crate) fn set_tick(period: Duration) {
    // The SDK knows no failure here.
    let _ = hostcalls::set_tick_period(period);
}

/// Returns the plugin configuration as given.
pub(crate) fn plugin_configuration() -> Bytes {
    let all = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    all.ok().flatten().unwrap_or_default()
}

/// Registers a queue that only this root context of this VM consumes.
pub(crate) fn register_queue(name: &str) -> Option<u32> {
    hostcalls::register_shared_queue(name).ok()
}

/// Asks for a callback of the root context that owns `queue`.
pub(crate) fn signal(queue: u32) {
    // A queue that is gone means that the root context is gone; the tick is there for the rest.
    let _ = hostcalls::enqueue_shared_queue(queue, Some(b"1"));
}

/// Takes one message off `queue`, and tells whether it came from another worker.
pub(crate) fn dequeue(queue: u32) -> bool {
    let message = hostcalls::dequeue_shared_queue(queue);
    message.is_ok_and(|message| message.as_deref() == Some(NEWS))
}

/// What another worker puts into a queue.
const NEWS: &[u8] = b"news";

/// Returns the id of the VM, which parts what it shares with other VMs of the process.
pub(crate) fn vm_id() -> Bytes {
    let id = hostcalls::get_property(vec!["plugin_vm_id"]);
    id.ok().flatten().unwrap_or_default()
}

/// The data and queues that VMs of one id share.
#[derive(Clone, Copy)]
pub(crate) struct SharedData;

impl Store for SharedData {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Stamp)> {
        let (record, stamp) = hostcalls::get_shared_data(name).ok()?;
        Some((record.unwrap_or_default(), Stamp(stamp?)))
    }

    fn write(&self, name: &str, record: &[u8], over: Option<Stamp>) -> bool {
        // A number that no record has makes the first one, and none that is there gives way to it.
        let Stamp(stamp) = over.unwrap_or(Stamp(u32::MAX));
        hostcalls::set_shared_data(name, Some(record), Some(stamp)).is_ok()
    }

    fn notify(&self, queue: u32) {
        // Who is gone is told nothing.
        let _ = hostcalls::enqueue_shared_queue(queue, Some(NEWS));
    }
}

/// Makes the following hostcalls act on the context `id`; `false` when it is gone.
pub(crate) fn act_for(id: u32) -> bool {
    hostcalls::set_effective_context(id).is_ok()
}

/// The head of a request, read from the host in one piece.
#[derive(Default)]
pub(crate) struct RequestFields {
    fields: Vec<(String, Bytes)>,
}

impl RequestFields {
    /// Reads the request of the context at work; `None` when the host shows no proper request.
    pub(crate) fn read() -> Option<Self> {
        let fields = hostcalls::get_map_bytes(MapType::HttpRequestHeaders).ok()?;
        let fields = Self { fields };
        (!fields.pseudo(":method").is_empty()).then_some(fields)
    }

    /// Returns the fields proper, as [`RequestHead::headers`] wants them.
    pub(crate) fn headers(&self) -> Vec<(&str, &[u8])> {
        let proper = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()));
        let mut headers = Vec::with_capacity(self.fields.len());
        headers.extend(proper.filter(|(name, _)| !name.starts_with(':') && *name != "host"));
        headers
    }

    /// Returns the head over `headers`.
    pub(crate) fn head<'a>(&'a self, headers: &'a [(&'a str, &'a [u8])]) -> RequestHead<'a> {
        RequestHead {
            method: self.pseudo(":method"),
            authority: self.pseudo(":authority"),
            path: match self.pseudo(":path") {
                // CONNECT has none (RFC 9113 §8.5).
                [] => b"/",
                path => path,
            },
            headers,
            // A property costs more than all else that is read of a request.
            peer: Peer::LookUp(&peer),
        }
    }

    fn pseudo(&self, name: &str) -> &[u8] {
        let mut fields = self.fields.iter();
        fields
            .find(|(field, _)| field == name)
            .map_or(&[], |(_, value)| value)
    }
}

fn peer() -> Option<IpAddr> {
    let address = hostcalls::get_property(vec!["source", "address"]).ok()??;
    parse_peer(&address)
}

/// Parses Envoy's `address:port`.
fn parse_peer(address: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(address).ok()?;
    text.parse().map(|address: SocketAddr| address.ip()).ok()
}

/// Edits the request of the context at work, field by field, which costs less than setting the
/// whole map and cannot disturb the others.
pub(crate) fn edit_request(edits: &HeaderEdits) {
    let map = MapType::HttpRequestHeaders;
    for name in edits.removals() {
        let _ = hostcalls::remove_map_value(map, name);
    }
    // Where a field is set, Envoy looks for it, and makes an index of all fields for that.
    for (name, value) in edits.additions() {
        let _ = hostcalls::add_map_value_bytes(map, name, value);
    }
    for (name, value) in edits.replacements() {
        let _ = hostcalls::set_map_value_bytes(map, name, Some(value));
    }
}

/// Edits the response of the context at work.
pub(crate) fn edit_response(edits: &HeaderEdits) {
    let map = MapType::HttpResponseHeaders;
    for name in edits.removals() {
        let _ = hostcalls::remove_map_value(map, name);
    }
    for (name, value) in edits.fields() {
        // Envoy replaces the first value only where a field is repeated.
        let _ = hostcalls::remove_map_value(map, name);
        let _ = hostcalls::set_map_value_bytes(map, name, Some(value));
    }
}

/// Returns the lines of the fields `names` of the response of the context at work; where one
/// field is asked for, its first line only.
pub(crate) fn response_lines(names: &[&'static str]) -> Vec<(String, Bytes)> {
    let map = MapType::HttpResponseHeaders;
    match names {
        [] => Vec::new(),
        // One field costs less than all of them, and is not there in most responses.
        [name] => {
            let line = hostcalls::get_map_value_bytes(map, name).ok().flatten();
            line.map(|value| ((*name).to_owned(), value))
                .into_iter()
                .collect()
        }
        names => {
            let mut lines = hostcalls::get_map_bytes(map).unwrap_or_default();
            lines.retain(|(name, _)| names.contains(&name.as_str()));
            lines
        }
    }
}

/// Returns the body that the host holds of the request of the context at work, `octets` long.
pub(crate) fn request_body(octets: usize) -> Option<Bytes> {
    if octets == 0 {
        return Some(Bytes::new());
    }
    let body = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, octets).ok()?;
    body.filter(|body| body.len() == octets)
}

/// Lets the paused request of the context at work go on.
pub(crate) fn resume_request() {
    let _ = hostcalls::resume_http_request();
}

/// Answers the request of the context at work.
pub(crate) fn respond(response: &LocalResponse) {
    let headers = response.headers.iter();
    let headers = headers
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let _ =
        hostcalls::send_http_response(u32::from(response.status), headers, Some(&response.body));
}

/// Sends `call` to `cluster` and returns the token of its response.
pub(crate) fn dispatch(call: &UpstreamCall, cluster: &str) -> Result<u32, CallFailure> {
    let authority = call.url.authority();
    let scheme = if call.url.is_https() { "https" } else { "http" };
    let mut headers = vec![
        (":method", call.method),
        (":scheme", scheme),
        (":authority", authority.as_str()),
        (":path", call.url.path()),
    ];
    for (name, value) in &call.headers {
        let value = std::str::from_utf8(value).map_err(|_| CallFailure::NotSent)?;
        headers.push((name, value));
    }
    let body = (!call.body.is_empty()).then_some(call.body.as_slice());
    let timeout = Duration::from_secs(u64::from(call.timeout_seconds));
    hostcalls::dispatch_http_call(cluster, headers, body, Vec::new(), timeout)
        .map_err(|_| CallFailure::NotSent)
}

/// Reads the response that the host has just announced, of at most `max_bytes`.
///
/// # Errors
///
/// No headers at all is how Envoy announces a response that ended in the middle, ran out of time
/// there, or passed its own limit.
pub(crate) fn call_outcome(num_headers: usize, body_size: usize, max_bytes: usize) -> CallOutcome {
    if num_headers == 0 {
        return Err(CallFailure::Cut);
    }
    if body_size > max_bytes {
        return Err(CallFailure::TooLarge);
    }
    let fields = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders);
    let fields = fields.map_err(|_| CallFailure::Cut)?;
    let body = match body_size {
        0 => None,
        size => hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size)
            .map_err(|_| CallFailure::Cut)?,
    };
    response(fields, body.unwrap_or_default()).ok_or(CallFailure::Cut)
}

fn response(fields: Vec<(String, Bytes)>, body: Vec<u8>) -> Option<UpstreamResponse> {
    let (_, status) = fields.iter().find(|(name, _)| name == ":status")?;
    let status = std::str::from_utf8(status).ok()?.parse().ok()?;
    let headers = fields
        .into_iter()
        .filter(|(name, _)| !name.starts_with(':'));
    Some(UpstreamResponse {
        status,
        headers: headers.collect(),
        body,
    })
}

/// Calls a function of Envoy's own; `None` when there is no such function or it fails.
pub(crate) fn foreign(name: &str, arguments: &[u8]) -> Option<Bytes> {
    hostcalls::call_foreign_function(name, Some(arguments)).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_is_an_address_with_a_port() {
        let check = |text: &str, expected: Option<&str>| {
            let expected = expected.map(|ip| ip.parse().expect(ip));
            assert_eq!(parse_peer(text.as_bytes()), expected, "{text}");
        };
        check("127.0.0.1:80", Some("127.0.0.1"));
        check("[2001:db8::1]:443", Some("2001:db8::1"));
        for bad in [
            "",
            "127.0.0.1",
            "/run/envoy.sock",
            "envoy://internal/",
            "host:80",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn response_needs_a_status() {
        let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let fields = vec![field(":status", "200"), field("age", "1")];
        let read = response(fields, b"x".to_vec()).expect("a response");
        assert_eq!(
            (read.status, read.headers.len(), read.body.len()),
            (200, 1, 1)
        );
        assert_eq!(response(vec![field("age", "1")], Vec::new()), None);
        assert_eq!(response(vec![field(":status", "20x")], Vec::new()), None);
    }
}
